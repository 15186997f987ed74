"""Taking what is due out of the outbox, delivering it, and writing down how that went.

At least once: a row is marked after it was delivered, so a worker that is killed in between
leaves a lease that ends, and the row goes out again under the same delivery id. Claims skip what
another worker holds. Nothing here keeps a transaction open while it talks to the network.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

from django.db import connection, transaction
from django.db.models import Count, F, OuterRef, Q, Subquery
from django.db.models.functions import Coalesce, Now

from approvals.eligibility import roster
from approvals.models import ApprovalRequest
from approvals.notifications import mail, nudge, webhooks
from approvals.notifications.errors import CannotResend, Never, NotNow
from approvals.notifications.models import ERROR_LENGTH, Event, Notification, WebhookTarget
from audit.actors import PORTAL, Actor
from audit.services import record_event
from axonportal.common import display

logger = logging.getLogger(__name__)

# Longer than any delivery takes; a worker that has not come back by then is taken for dead.
LEASE = timedelta(seconds=120)
BACKOFF_S = (10, 30, 120, 600, 1_800, 3_600)  # between tries; the last one from then on
GIVE_UP_AFTER = timedelta(hours=24)

# One person gets so many mails within the window; what exceeds them comes as one, at its end.
DIGEST_WINDOW = timedelta(seconds=60)
MAILS_PER_WINDOW = 3
MAX_DIGEST = 100  # notifications in one mail
_LANES_LOOKED_AT = 50

# Of one process's webhook deliveries, so that a host which hangs leaves room for the others.
LANE_AT_ONCE = 2
TENANT_AT_ONCE = 8

_QUESTIONS = frozenset({Event.REQUESTED, Event.ESCALATED})
_LOCK = 4_711  # the class of our advisory locks: one mail address at a time


# --- Claiming -----------------------------------------------------------------------------


def claim(channel: str) -> list[Notification]:
    """What one delivery takes out of the outbox: a webhook's one row, or the rows of one mail.

    Nobody else gets them until the lease ends.
    """
    if channel == Notification.Channel.MAIL:
        return _claim_mail()
    return _claim_webhook()


@transaction.atomic
def _claim_webhook() -> list[Notification]:
    busy = Notification.objects.in_flight().filter(channel=Notification.Channel.WEBHOOK)

    def crowd(field: str) -> Any:
        same = busy.filter(**{field: OuterRef(field)}).order_by().values(field)
        return Coalesce(Subquery(same.annotate(n=Count("pk")).values("n")), 0)

    found = (
        Notification.objects.due(Notification.Channel.WEBHOOK)
        .annotate(in_lane=crowd("lane"), of_tenant=crowd("tenant_id"))
        .filter(in_lane__lt=LANE_AT_ONCE, of_tenant__lt=TENANT_AT_ONCE)
        .select_for_update(skip_locked=True)
        .order_by("next_try_at", "id")
        .first()
    )
    return _leased([found]) if found is not None else []


@transaction.atomic
def _claim_mail() -> list[Notification]:
    due = Notification.objects.due(Notification.Channel.MAIL)
    lanes = due.order_by("next_try_at").values_list("lane", flat=True)[:_LANES_LOOKED_AT]
    for lane in dict.fromkeys(lanes):
        if _is_ours(lane):
            mine = due.filter(lane=lane).select_for_update(skip_locked=True)
            if chosen := _one_mail(lane, list(mine.order_by("created_at", "id")[:MAX_DIGEST])):
                return _leased(chosen)
    return []


def _is_ours(lane: str) -> bool:
    """Nobody else composes a mail to this address until the transaction ends."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_xact_lock(%s, hashtext(%s))", [_LOCK, lane])
        row: tuple[bool] = cursor.fetchone()
    return row[0]


def _one_mail(lane: str, due: Sequence[Notification]) -> list[Notification]:
    """The rows that go out as one mail now; none: later.

    A mail that was begun is finished as it was, under its old id. Alarms go alone and at once.
    """
    if begun := next((row.batch for row in due if row.batch), ""):
        return list(
            Notification.objects.due(Notification.Channel.MAIL)
            .filter(lane=lane, batch=begun)
            .select_for_update()
        )
    if alarm := next((row for row in due if row.event == Event.BREAK_GLASS), None):
        return [alarm]
    if not due:
        return []
    times: list[datetime] = list(Notification.objects.mailed_since(lane, DIGEST_WINDOW))
    left = MAILS_PER_WINDOW - len(times)
    if left <= 0:
        later = min(times) + DIGEST_WINDOW
        Notification.objects.filter(pk__in=[row.pk for row in due]).update(next_try_at=later)
        return []
    return list(due) if len(due) > left else [due[0]]


def _leased(rows: Sequence[Notification]) -> list[Notification]:
    keys = [row.pk for row in rows]
    Notification.objects.filter(pk__in=keys).update(
        batch=rows[0].batch or rows[0].pk,
        attempts=F("attempts") + 1,
        claimed_at=Now(),
        leased_until=Now() + LEASE,
    )
    return list(
        Notification.objects.filter(pk__in=keys)
        .select_related("request__tenant", "user", "target")
        .order_by("created_at", "id")
    )


# --- Delivering ---------------------------------------------------------------------------


def drain(channel: str) -> int:
    """Deliver what is due, one after the other; how many deliveries were tried."""
    count = 0
    while rows := claim(channel):
        deliver(rows)
        count += 1
    return count


def deliver(rows: Sequence[Notification]) -> None:
    """Deliver what was claimed, and mark it; whatever happens, it is written down."""
    wanted = _still_wanted(rows)
    if not wanted:
        return
    if _is_too_old(wanted) and wanted[0].attempts > 1:
        # Each try ended before its end was written down: whatever it does, it does it again.
        _give_up(wanted, wanted[0].last_error or "No try came to an end.")
        return
    try:
        _send(wanted)
    except Never as error:
        _give_up(wanted, str(error))
    except NotNow as error:
        _put_off(wanted, str(error), error.after_s)
    except Exception as error:
        logger.exception("delivery %s failed", wanted[0].pk)
        _put_off(wanted, f"An error of the portal: {type(error).__name__}.")
    else:
        _mark_sent(wanted)


def _send(rows: Sequence[Notification]) -> None:
    if rows[0].channel == Notification.Channel.MAIL:
        mail.send(rows)
    else:
        webhooks.send(rows[0])


def _still_wanted(rows: Sequence[Notification]) -> list[Notification]:
    """Without those whose reason is gone; they are marked so."""
    wanted = []
    for row in rows:
        if why := _why_not_wanted(row):
            _update([row], status=Notification.Status.DROPPED, last_error=why)
        else:
            wanted.append(row)
    return wanted


def _why_not_wanted(row: Notification) -> str:
    target = row.target
    if target is not None and not target.is_active:
        return "The webhook was switched off."
    is_question = row.event in _QUESTIONS
    for_people = row.user_id is not None or (
        target is not None and target.kind == WebhookTarget.Kind.SLACK
    )
    is_open = ApprovalRequest.objects.open().filter(pk=row.request_id)
    if is_question and for_people and not is_open.exists():
        return "The request was settled, or its time was over, before this could be delivered."
    user = row.user
    if user is None:
        return ""
    if not user.is_active or not user.memberships.filter(tenant=row.tenant_id).exists():
        return "This person is no active member of the tenant any more."
    if is_question and all(one.user.pk != user.pk for one in roster(row.request)):
        return "This person may not answer the request any more."
    return "" if user.email else "This person has no mail address any more."


def _is_too_old(rows: Sequence[Notification]) -> bool:
    keys = [row.pk for row in rows]
    return Notification.objects.filter(pk__in=keys, since__lte=Now() - GIVE_UP_AFTER).exists()


def _mark_sent(rows: Sequence[Notification]) -> None:
    _update(rows, status=Notification.Status.SENT, sent_at=Now(), last_error="")


def _put_off(rows: Sequence[Notification], why: str, after_s: int = 0) -> None:
    if _is_too_old(rows):
        _give_up(rows, why)
        return
    tries = min(rows[0].attempts, len(BACKOFF_S))
    wait_s = max(BACKOFF_S[max(tries, 1) - 1], min(after_s, BACKOFF_S[-1]))
    _update(rows, last_error=_short(why), next_try_at=Now() + timedelta(seconds=wait_s))


@transaction.atomic
def _give_up(rows: Sequence[Notification], why: str) -> None:
    if not _update(rows, status=Notification.Status.FAILED, last_error=_short(why)):
        return
    for row in rows:
        _event("notify_failed", row, actor=PORTAL, detail={"reason": _short(why)})
    logger.warning("delivery %s (%s) is given up", rows[0].pk, rows[0].channel)


def _update(rows: Sequence[Notification], **fields: Any) -> int:
    """Write the outcome, unless the lease ended and somebody else has taken them over."""
    return Notification.objects.filter(
        pk__in=[row.pk for row in rows], status="pending", claimed_at=rows[0].claimed_at
    ).update(leased_until=None, **fields)


def _short(why: str) -> str:
    return display.spelled(" ".join(why.split()))[:ERROR_LENGTH]


# --- Again --------------------------------------------------------------------------------


@transaction.atomic
def resend(
    notifications: Sequence[str],
    *,
    tenant_ids: Sequence[int],
    actor: Actor | str,
    address: str = "",
) -> int:
    """Have what was given up, or waits for its next try, tried now; how many.

    The delivery id stays, so that a receiver which has it already can tell.

    Raises:
        CannotResend: none of them is undelivered in these tenants.
    """
    rows = list(
        Notification.objects.undelivered()
        .filter(Q(leased_until=None) | Q(leased_until__lte=Now()))
        .filter(pk__in=notifications, tenant__in=tenant_ids)
        .select_for_update(of=("self",), skip_locked=True)
        .select_related("request__tenant")
    )
    if not rows:
        raise CannotResend("It was delivered meanwhile, or is not needed any more.")
    Notification.objects.filter(pk__in=[row.pk for row in rows]).update(
        status=Notification.Status.PENDING,
        since=Now(),
        next_try_at=Now(),
        leased_until=None,
        attempts=0,
    )
    for row in rows:
        _event("resend", row, actor=actor, detail={"reason": row.last_error}, address=address)
    transaction.on_commit(nudge.nudge)
    return len(rows)


def _event(
    verb: str, row: Notification, *, actor: Actor | str, detail: dict[str, Any], address: str = ""
) -> None:
    request = row.request
    record_event(
        f"approval.{verb}",
        actor=actor,
        target=request,
        tenant_id=request.tenant_id,
        tenant=request.tenant.slug,
        detail={
            "delivery_id": row.pk,
            "event": row.event,
            "channel": row.channel,
            "recipient": row.recipient,
            "attempts": row.attempts,
            **detail,
        },
        address=address,
    )
