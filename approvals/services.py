"""What can be done with a held operation; each step is an audit event in the same transaction.

Times are compared by the database's clock, so that processes whose clocks differ agree.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from django.contrib.auth.models import Group
from django.db import IntegrityError, connection, transaction
from guardian.shortcuts import assign_perm, get_users_with_perms

from approvals import eligibility, outbox, terms
from approvals.eligibility import Person, roster
from approvals.errors import (
    ApprovalClosed,
    ApprovalNotFound,
    NobodyCanAnswer,
    NotAnApprover,
    ReasonMissing,
    TooManyPending,
)
from approvals.models import ANSWER, BREAK_GLASS, Answer, ApprovalRequest, Grant
from audit import ids
from audit.actors import PORTAL, Actor
from audit.models import AuditEvent
from audit.services import record_event
from axonportal.accounts import approvers
from axonportal.accounts.models import Tenant, User
from axonportal.common import changes

logger = logging.getLogger(__name__)

TOPIC = "approvals"  # of `common.changes`: a request was settled
MAX_PENDING = 100  # open requests of one client; an agent that asks for more is not heard better
MAX_REASON_CHARS = 2_000
KINDS = "approval."  # what the kinds of this app's audit events begin with

_SEVERITIES = ("low", "medium", "high", "critical")


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """An operation that waits for a person, as it is kept: without personal data and secrets.

    `digest` is of exactly what would run, before anything was taken out of it. `policies` are
    those that asked, as `ApprovalRequest.policies` holds them.
    """

    tenant_id: int
    tenant: str
    digest: bytes
    policies: Sequence[Mapping[str, Any]]
    client_id: str
    text: str
    severity: str = "medium"
    context_id: str = ""
    credential: str = ""
    user_id: str = ""
    verified_user: str = ""
    agent: str = ""
    session_id: str = ""
    working_directory: str = ""
    target: str = ""
    tool: str = ""
    arguments: Mapping[str, Any] = field(default_factory=dict)
    context: Mapping[str, Any] = field(default_factory=dict)
    snapshot: Mapping[str, Any] = field(default_factory=dict)
    shape: str = ""
    notify_url: str = ""
    expires_in_s: int = 0  # 0: as the policies say


# --- Asking -------------------------------------------------------------------------------


def consume(tenant_id: int, digest: bytes, context_id: str) -> ApprovalRequest | None:
    """Use up the grant for exactly this operation, if there is one; the request it came from.

    One statement decides, whoever races: a grant is good for one caller, once.
    """
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute(
            """
            UPDATE approvals_grant SET consumed_at = clock_timestamp(), context_id = %s
            WHERE id = (
                SELECT id FROM approvals_grant
                WHERE tenant_id = %s AND digest = %s
                  AND consumed_at IS NULL AND expires_at > clock_timestamp()
                ORDER BY expires_at LIMIT 1 FOR UPDATE SKIP LOCKED
            ) AND consumed_at IS NULL
            RETURNING request_id
            """,
            [context_id, tenant_id, digest],
        )
        if (found := cursor.fetchone()) is None:
            return None
        request = ApprovalRequest.objects.select_related("tenant").get(pk=found[0])
        _event("use", request, actor=_requester(request), detail={"context_id": context_id})
    return request


def hold(held: Held) -> ApprovalRequest:
    """The request for this operation: the open one, joined, or a new one.

    One that was denied comes back as it is, until its time is over: asking again changes nothing.

    Raises:
        NobodyCanAnswer: there is nobody, so it would wait in vain.
        TooManyPending: the client has `MAX_PENDING` open requests.
    """
    try:
        return _hold(held)
    except IntegrityError:
        return _hold(held)  # somebody else opened it at the same moment; join that one


@transaction.atomic
def _hold(held: Held) -> ApprovalRequest:
    mine = ApprovalRequest.objects.for_tenant(held.tenant_id)
    known = mine.filter(digest=held.digest).select_for_update()
    now = database_now()
    pending = known.filter(status="pending").first()
    if pending is not None and pending.expires_at > now:
        pending.asked += 1
        pending.last_asked_at = now
        pending.save(update_fields=["asked", "last_asked_at"])
        _event("join", pending, actor=_requester(pending), detail={"context_id": held.context_id})
        return pending
    if pending is not None:
        _expire(pending, now)
    denied = known.filter(status="denied", expires_at__gt=now).order_by("-created_at").first()
    if denied is not None:
        return denied
    waiting = mine.open().filter(client_id=held.client_id).count()
    if waiting >= MAX_PENDING:
        raise TooManyPending(
            f"{waiting} operations of client {held.client_id} wait for approval already; wait "
            "until some are answered or expired."
        )
    return _open(held, now)


def _open(held: Held, now: datetime) -> ApprovalRequest:
    life_s = held.expires_in_s or min(policy["expires_in_s"] for policy in held.policies)
    request = ApprovalRequest.objects.create(
        id=ids.stamp(ids.APPROVAL).id,
        tenant_id=held.tenant_id,
        digest=held.digest,
        severity=max(held.severity, "low", key=_SEVERITIES.index),
        policies=[dict(policy) for policy in held.policies],
        context_id=held.context_id,
        client_id=held.client_id,
        credential=held.credential,
        user_id=held.user_id,
        verified_user=held.verified_user,
        agent=held.agent,
        session_id=held.session_id,
        working_directory=held.working_directory,
        target=held.target,
        tool=held.tool,
        text=held.text,
        arguments=dict(held.arguments),
        context=dict(held.context),
        snapshot=dict(held.snapshot),
        shape=held.shape,
        notify_url=held.notify_url,
        created_at=now,
        last_asked_at=now,
        expires_at=now + timedelta(seconds=life_s),
    )
    named = [name for policy in held.policies for name in policy["approvers"]]
    _let_answer(request, named)
    people = roster(request)
    if not terms.can_be_met(request, [person.voice for person in people]):
        # Out of here by an exception, the transaction takes the request with it.
        raise NobodyCanAnswer(_unanswerable(request, people, named))
    _event(
        "request",
        request,
        actor=_requester(request),
        detail={
            "policies": [policy["policy"] for policy in held.policies],
            "groups": sorted(set(named)),
            "context_id": held.context_id,
            "expires_at": request.expires_at.isoformat(),
        },
    )
    outbox.announce(request, "requested", people)
    return request


def _let_answer(request: ApprovalRequest, names: Sequence[str]) -> None:
    """Give the groups the permission to answer this one request."""
    groups = list(Group.objects.filter(name__in=set(names)))
    request.groups.add(*groups)
    for group in groups:
        assign_perm(ANSWER, group, request)


def _unanswerable(request: ApprovalRequest, people: Sequence[Person], named: Sequence[str]) -> str:
    missing = approvers.empty_groups(request.tenant_id, list(dict.fromkeys(named)))
    if missing:
        return " ".join(missing.values())
    if not named:
        return "The policy names no approver group, and AXON_APPROVERS is empty."
    able = ", ".join(person.voice.name for person in people) or "nobody"
    asked = "; ".join(
        f"{policy['policy']} needs {terms.needs(policy)} of {', '.join(policy['approvers'])}"
        for policy in request.policies
    )
    return f"Not enough people could answer: {asked}; besides the subject there is {able}."


# --- Answering ----------------------------------------------------------------------------


def answer(
    request_id: str,
    *,
    tenant_ids: Sequence[int],
    approver: User,
    choice: Answer.Choice,
    reason: str = "",
    way: Answer.Way = Answer.Way.PORTAL,
    considered_s: float | None = None,
    address: str = "",
) -> ApprovalRequest:
    """Record one person's answer, and settle the request if it decides it.

    Who may answer is looked up now. The same answer twice is one; another replaces it while the
    request is open.

    Raises:
        ApprovalNotFound: not in these tenants.
        ApprovalClosed: it was settled, or has expired.
        NotAnApprover: this person may not answer it.
        ReasonMissing: a denial, or this approval, needs one.
    """
    reason = reason.strip()
    # A refusal is raised once the step, an expiry or an attempt, is committed.
    with transaction.atomic():
        request = _locked(request_id, tenant_ids)
        people = roster(request)
        standing = next((one for one in people if one.user.pk == approver.pk), None)
        is_open = request.status == ApprovalRequest.Status.PENDING and not _is_past(request)
        if standing is None:
            name = approver.get_username()
            _event("refuse", request, actor=name, address=address, detail={"answer": choice})
        elif is_open:
            _check_reason(request, choice, reason)
            _answer(request, people, standing, choice, reason, way, considered_s, address)
            return request
        again = request.answers.filter(approver=approver, choice=choice).exists()
    if standing is None:
        raise NotAnApprover(eligibility.why_not(request, approver))
    if again:
        return request  # the second click of two
    raise ApprovalClosed(f"This request is settled: {request.outcome}")


def _answer(
    request: ApprovalRequest,
    people: Sequence[Person],
    standing: Person,
    choice: Answer.Choice,
    reason: str,
    way: Answer.Way,
    considered_s: float | None,
    address: str,
) -> None:
    given, is_new = Answer.objects.update_or_create(
        request=request,
        approver=standing.user,
        defaults={
            "approver_name": standing.voice.name,
            "on_behalf_of": standing.voice.stands_for,
            "choice": choice,
            "reason": reason,
            "way": way,
            "considered_s": considered_s,
        },
    )
    _event(
        choice,
        request,
        actor=standing.voice.name,
        address=address,
        detail={
            "reason": reason,
            "way": way,
            "in_place_of": standing.voice.stands_for,
            "groups": sorted(standing.voice.groups),
            "replaces_an_earlier_answer": not is_new,
        },
    )
    voices = [person.voice for person in people]
    status = terms.outcome(request, request.answers.all(), voices)
    if status is not None:
        _settle(request, status, _sentence(given, status))


def _check_reason(request: ApprovalRequest, choice: Answer.Choice, reason: str) -> None:
    if len(reason) > MAX_REASON_CHARS:
        raise ReasonMissing(f"A reason has at most {MAX_REASON_CHARS} characters.")
    if not reason and choice == Answer.Choice.DENY:
        raise ReasonMissing("Say why it is denied: the requester is told.")
    if not reason and any(policy["approve_needs_reason"] for policy in request.policies):
        raise ReasonMissing("This policy wants a reason for an approval, too.")


def _sentence(given: Answer, status: ApprovalRequest.Status) -> str:
    who = given.approver_name
    if given.on_behalf_of:
        who += f" in place of {given.on_behalf_of}"
    verb = "Approved" if status == ApprovalRequest.Status.APPROVED else "Denied"
    return f"{verb} by {who}{': ' + given.reason if given.reason else '.'}"


def _settle(request: ApprovalRequest, status: ApprovalRequest.Status, outcome: str) -> None:
    now = database_now()
    request.status, request.settled_at, request.outcome = status, now, outcome
    request.save(update_fields=["status", "settled_at", "outcome"])
    if status == ApprovalRequest.Status.APPROVED:
        life_s = min(policy["grant_life_s"] for policy in request.policies)
        Grant.objects.create(
            request=request,
            tenant_id=request.tenant_id,
            digest=request.digest,
            expires_at=now + timedelta(seconds=life_s),
        )
    _event(status, request, actor=PORTAL, detail={"outcome": outcome}, settled=True)
    outbox.announce(request, status, roster(request))
    changes.publish(TOPIC)


# --- Time ---------------------------------------------------------------------------------


def expire_due() -> int:
    """Tidy up requests whose time is past, which nobody can answer any more; how many."""
    count = 0
    for pk in list(ApprovalRequest.objects.overdue().values_list("pk", flat=True)):
        with transaction.atomic():
            request = ApprovalRequest.objects.select_for_update().get(pk=pk)
            if request.status == ApprovalRequest.Status.PENDING:
                _expire(request, database_now())
                count += 1
    return count


def _expire(request: ApprovalRequest, now: datetime) -> None:
    request.status = ApprovalRequest.Status.EXPIRED
    request.settled_at, request.outcome = now, "Nobody answered in time, so it is denied."
    request.save(update_fields=["status", "settled_at", "outcome"])
    _event("expire", request, actor=PORTAL)
    outbox.announce(request, "expired", roster(request))
    changes.publish(TOPIC)


def escalate_due() -> int:
    """Ask further groups where a policy says so and nobody has decided yet; how many steps."""
    count = 0
    for request in ApprovalRequest.objects.open():
        waiting = terms.steps(request.policies)[request.escalated :]
        if waiting and request.created_at + timedelta(seconds=waiting[0].after_s) <= database_now():
            count += _escalate(request.pk)
    return count


@transaction.atomic
def _escalate(request_id: str) -> int:
    request = ApprovalRequest.objects.select_for_update().get(pk=request_id)
    if request.status != ApprovalRequest.Status.PENDING or _is_past(request):
        return 0
    age = database_now() - request.created_at
    before = {person.voice.name for person in roster(request)}
    due = [
        step
        for step in terms.steps(request.policies)[request.escalated :]
        if timedelta(seconds=step.after_s) <= age
    ]
    for step in due:
        request.escalated += 1
        _let_answer(request, step.groups)
        _event("escalate", request, actor=PORTAL, detail={"groups": list(step.groups)})
    if due:
        request.save(update_fields=["escalated"])
        people = roster(request)
        outbox.announce(
            request, "escalated", [one for one in people if one.voice.name not in before]
        )
    return len(due)


# --- Break-glass --------------------------------------------------------------------------


def break_glass(
    request_id: str, *, tenant_ids: Sequence[int], person: User, reason: str, address: str = ""
) -> ApprovalRequest:
    """Let it run now without its approvers, who are alarmed; somebody else reviews it later.

    Raises:
        ApprovalNotFound, ApprovalClosed: as for `answer`.
        NotAnApprover: the person lacks the permission `break_glass` on the tenant.
        ReasonMissing: why could it not wait?
    """
    with transaction.atomic():
        request = _locked(request_id, tenant_ids)
        tenant = Tenant.objects.get(pk=request.tenant_id)
        if not may_break_glass(person, tenant):
            raise NotAnApprover(
                f"{person.get_username()} lacks the permission to break the glass in {tenant}."
            )
        if not 0 < len(reason.strip()) <= MAX_REASON_CHARS:
            raise ReasonMissing(
                f"Say why it cannot wait, in 1 to {MAX_REASON_CHARS} characters: everybody who "
                "was asked reads it, and somebody reviews it."
            )
        if request.status == ApprovalRequest.Status.PENDING and not _is_past(request):
            name = person.get_username()
            request.broken_by, request.broken_reason = name, reason.strip()
            request.save(update_fields=["broken_by", "broken_reason"])
            _event("break_glass", request, actor=name, address=address, detail={"reason": reason})
            _settle(
                request,
                ApprovalRequest.Status.APPROVED,
                f"Glass broken by {name}: {reason.strip()}",
            )
            outbox.announce(request, "break_glass", roster(request))
            return request
    raise ApprovalClosed(f"This request is settled: {request.outcome}")


def may_break_glass(person: User, tenant: Tenant) -> bool:
    """Does the person hold the permission itself, or by a group? Being superuser is not enough."""
    holders: Any = get_users_with_perms(tenant, attach_perms=True, with_superusers=False)
    return (
        person.is_active
        and person.memberships.filter(tenant=tenant).exists()
        and BREAK_GLASS.partition(".")[2] in holders.get(person, ())
    )


@transaction.atomic
def review(
    request_id: str, *, tenant_ids: Sequence[int], reviewer: User, note: str
) -> ApprovalRequest:
    """Close the case of a broken glass; by somebody who may answer and did not break it.

    Raises:
        ApprovalNotFound: not in these tenants.
        ApprovalClosed: there is nothing to review.
        NotAnApprover: the one who broke it, the subject, or nobody's approver.
        ReasonMissing: what was found?
    """
    request = _locked(request_id, tenant_ids)
    if not request.broken_by or request.reviewed_at is not None:
        raise ApprovalClosed("There is nothing to review here.")
    name = reviewer.get_username()
    if name == request.broken_by or name not in {one.voice.name for one in roster(request)}:
        raise NotAnApprover("Somebody else of the approvers has to review it.")
    if not 0 < len(note.strip()) <= MAX_REASON_CHARS:
        raise ReasonMissing("Say what the review found.")
    request.reviewed_by, request.reviewed_at, request.review = name, database_now(), note.strip()
    request.save(update_fields=["reviewed_by", "reviewed_at", "review"])
    _event("review", request, actor=name, detail={"note": request.review})
    outbox.announce(request, "reviewed", roster(request))
    return request


# --- Shared -------------------------------------------------------------------------------


def find(request_id: str, tenant_ids: Sequence[int]) -> ApprovalRequest:
    """One request, with its `state`.

    Raises:
        ApprovalNotFound: not in these tenants; that another has it makes no difference.
    """
    found = (
        ApprovalRequest.objects.filter(tenant__in=tenant_ids)
        .with_state()
        .select_related("tenant")
        .filter(pk=request_id)
        .first()
        if "\0" not in request_id
        else None
    )
    if found is None:
        raise ApprovalNotFound(f"There is no approval request {request_id[:64]!r}.")
    return found


def history(request: ApprovalRequest) -> list[AuditEvent]:
    """Every step of the request, the first one first; rows that nobody can change."""
    return list(
        AuditEvent.objects.filter(
            tenant_id=request.tenant_id,
            target_type=ApprovalRequest._meta.label_lower,
            target_id=request.pk,
            created_at__gte=request.created_at - timedelta(minutes=10),
        ).order_by("created_at", "event_id")
    )


def _locked(request_id: str, tenant_ids: Sequence[int]) -> ApprovalRequest:
    find(request_id, tenant_ids)
    return ApprovalRequest.objects.select_for_update().get(pk=request_id)


def _is_past(request: ApprovalRequest) -> bool:
    """Is its time over? If so it is expired from here on."""
    now = database_now()
    if request.expires_at > now:
        return False
    _expire(request, now)
    return True


def database_now() -> datetime:
    """By the database's clock."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT clock_timestamp()")
        moment: datetime = cursor.fetchone()[0]
    return moment


def _requester(request: ApprovalRequest) -> Actor:
    if request.verified_user:
        return Actor(request.verified_user)
    return Actor(request.client_id, AuditEvent.ActorKind.CLIENT)


def _event(
    verb: str,
    request: ApprovalRequest,
    *,
    actor: Actor | str,
    detail: Mapping[str, Any] | None = None,
    address: str = "",
    settled: bool = False,
) -> None:
    record_event(
        f"{KINDS}{'settle' if settled else verb}",
        actor=actor,
        target=request,
        tenant_id=request.tenant_id,
        tenant=request.tenant.slug,
        detail={"status": request.status, **(detail or {})},
        address=address,
    )
