"""What is told to whom; written in the transaction of what happened, delivered by tasks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from django.db import transaction
from django.db.models.functions import Now

from approvals.eligibility import Person
from approvals.models import ApprovalRequest
from approvals.notifications import mail, nudge, targets
from approvals.notifications.models import Event, Notification, WebhookTarget
from approvals.notifications.recipients import member_called, requester
from audit import ids
from axonportal.accounts.models import User

_QUESTIONS = frozenset({Event.REQUESTED, Event.ESCALATED})
_OUTCOMES = frozenset({Event.APPROVED, Event.DENIED, Event.EXPIRED})
# Approvers learn in the portal what became of it, except how their colleagues answered: that is
# in the inbox, and a note for each would bury the questions.
_FOR_APPROVERS = _QUESTIONS | {Event.EXPIRED, Event.BREAK_GLASS, Event.REVIEWED}
_MAILED_TO_APPROVERS = _QUESTIONS | {Event.BREAK_GLASS}


def announce(request: ApprovalRequest, what: str, people: Sequence[Person]) -> None:
    """Tell `people`, and for an outcome the requester, that `what` happened to the request.

    Nothing is sent here: the rows stand or fall with the caller's transaction.
    """
    event = Event(what)
    rows = [
        *_approvers(request, event, people),
        *_requester(request, event),
        *_systems(request, event),
    ]
    if event not in _QUESTIONS:
        _put_away_questions(request)
    facts = _facts(request)
    for row in rows:
        row.facts = facts
    Notification.objects.bulk_create(rows)
    if any(row.channel != Notification.Channel.PORTAL for row in rows):
        transaction.on_commit(nudge.nudge)


def _approvers(
    request: ApprovalRequest, event: Event, people: Sequence[Person]
) -> Iterator[Notification]:
    if event not in _FOR_APPROVERS:
        return
    for person in people:
        yield from _to_person(
            request,
            event,
            person.user,
            Notification.Audience.APPROVER,
            mailed=event in _MAILED_TO_APPROVERS,
        )


def _requester(request: ApprovalRequest, event: Event) -> Iterator[Notification]:
    """Who asked hears the outcome; who broke the glass, what the review found."""
    if event in _OUTCOMES:
        person = requester(request)
    elif event == Event.REVIEWED:
        person = member_called(request.tenant_id, request.broken_by)
    else:
        return
    if person is not None:
        yield from _to_person(request, event, person, Notification.Audience.REQUESTER, mailed=True)


def _to_person(
    request: ApprovalRequest,
    event: Event,
    user: User,
    audience: Notification.Audience,
    *,
    mailed: bool,
) -> Iterator[Notification]:
    common = {"user": user, "recipient": user.get_username(), "audience": audience}
    yield _row(
        request,
        event,
        channel=Notification.Channel.PORTAL,
        status=Notification.Status.SENT,
        sent_at=Now(),
        **common,
    )
    if mailed and user.email and mail.is_on():
        yield _row(
            request,
            event,
            channel=Notification.Channel.MAIL,
            lane=user.email.casefold(),
            **common,
        )


def _systems(request: ApprovalRequest, event: Event) -> Iterator[Notification]:
    common: dict[str, Any] = {
        "channel": Notification.Channel.WEBHOOK,
        "audience": Notification.Audience.SYSTEM,
    }
    for target in WebhookTarget.objects.told(request.tenant_id, event):
        lane = targets.lane(request.tenant_id, target.url)
        yield _row(request, event, target=target, recipient=target.name, lane=lane, **common)
    if request.notify_url and event in _OUTCOMES:
        lane = targets.lane(request.tenant_id, request.notify_url)
        yield _row(request, event, recipient="notify_url", lane=lane, **common)


def _row(request: ApprovalRequest, event: Event, **fields: Any) -> Notification:
    return Notification(
        id=ids.stamp(ids.NOTIFICATION).id,
        tenant_id=request.tenant_id,
        request=request,
        event=event,
        **fields,
    )


def _put_away_questions(request: ApprovalRequest) -> None:
    """A question that is settled is nobody's unread note any more."""
    Notification.objects.filter(
        request=request, channel=Notification.Channel.PORTAL, event__in=_QUESTIONS
    ).mark_read()


def _facts(request: ApprovalRequest) -> dict[str, Any]:
    """How it stands now; the operation itself does not change any more."""
    answers = request.answers.all() if request.status != ApprovalRequest.Status.PENDING else ()
    deciding = {
        ApprovalRequest.Status.APPROVED: "approve",
        ApprovalRequest.Status.DENIED: "deny",
    }.get(ApprovalRequest.Status(request.status))
    given = [answer for answer in answers if answer.choice == deciding]
    by = [request.broken_by] if request.broken_by else [answer.approver_name for answer in given]
    return {
        "status": request.status,
        "outcome": request.outcome,
        "decided_by": ", ".join(by),
        "decided_at": request.settled_at.isoformat() if request.settled_at else None,
        "reviewed_by": request.reviewed_by,
        "review": request.review,
    }
