"""What a notification says, the same in mails and chats. All of it is plain text of others:
each channel escapes it in its own way."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from django.utils.dateparse import parse_datetime
from django.utils.translation import gettext as _

from approvals import links
from approvals.models import ApprovalRequest
from approvals.notifications.models import Event, Notification
from axonportal.common import display

MAX_HEADLINE_CHARS = 120
MAX_TEXT_CHARS = 20_000  # of an operation in a mail; its page shows it whole
MAX_BEGINNING_CHARS = 200  # of an operation in a digest


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """What one notification says; texts as they are stored, to be escaped."""

    headline: str
    what_now: str
    facts: list[tuple[str, str]]
    reasons: list[tuple[str, str]]  # policy, and what it says
    text: str
    left_out: int  # characters of the operation that are not in `text`
    beginning: str
    link: str
    is_question: bool


def say(row: Notification) -> Said:
    """The words of one notification."""
    request = row.request
    text = request.text
    return Said(
        headline=headline(row),
        what_now=_what_now(row),
        facts=_facts(row),
        reasons=[(policy["policy"], policy.get("message", "")) for policy in request.policies],
        text=text[:MAX_TEXT_CHARS],
        left_out=max(0, len(text) - MAX_TEXT_CHARS),
        beginning=one_line(text, MAX_BEGINNING_CHARS),
        link=links.link_for(request),
        is_question=row.event in {Event.REQUESTED, Event.ESCALATED},
    )


def headline(row: Notification) -> str:
    """One line, with nothing unseen in it: fit for a subject."""
    request = row.request
    what = request.tool or _("an operation")
    words = {"what": what, "who": subject_of(request), "severity": request.severity}
    said = {
        Event.REQUESTED: _("Approval needed (%(severity)s): %(what)s for %(who)s"),
        Event.ESCALATED: _("Still waiting, now for you (%(severity)s): %(what)s for %(who)s"),
        Event.APPROVED: _("Approved: %(what)s for %(who)s"),
        Event.DENIED: _("Denied: %(what)s for %(who)s"),
        Event.EXPIRED: _("Expired unanswered, so denied: %(what)s for %(who)s"),
        Event.BREAK_GLASS: _("ALARM, glass broken: %(what)s for %(who)s"),
        Event.REVIEWED: _("Reviewed after the glass was broken: %(what)s for %(who)s"),
    }[Event(row.event)] % words
    return one_line(said, MAX_HEADLINE_CHARS)


def subject_of(request: ApprovalRequest) -> str:
    """For whom the operation would run."""
    return request.verified_user or request.user_id or request.client_id


def one_line(text: str, limit: int) -> str:
    """The beginning of a text on one line, unseen characters spelled out."""
    line = display.spelled(" ".join(text.split()))
    return line if len(line) <= limit else line[: limit - 1].rstrip() + "…"


def _what_now(row: Notification) -> str:
    request = row.request
    if row.event in {Event.REQUESTED, Event.ESCALATED}:
        return _("Look at exactly what would run, and answer, by %(when)s.") % {
            "when": _moment(request.expires_at)
        }
    if row.event == Event.BREAK_GLASS:
        return _("It runs without its approvers. Somebody of you has to review it.")
    if row.event == Event.REVIEWED:
        return _("The case is closed.")
    if row.event == Event.APPROVED:
        return _("Exactly this call now passes, once: have it sent again.")
    return _("It does not run.")


def _facts(row: Notification) -> list[tuple[str, str]]:
    request, then = row.request, row.facts
    decided = parse_datetime(then.get("decided_at") or "")
    claimed = "" if request.verified_user or not request.user_id else _(" (as the call says)")
    glass = row.event in {Event.BREAK_GLASS, Event.REVIEWED}
    found: list[tuple[str, Any]] = [
        (_("Outcome"), then.get("outcome")),
        (_("Glass broken by") if glass else _("Decided by"), then.get("decided_by")),
        (_("Decided"), _moment(decided) if decided else ""),
        (_("Reviewed by"), then.get("reviewed_by")),
        (_("Found"), then.get("review")),
        (_("For"), f"{subject_of(request)}{claimed}"),
        (_("Client"), request.client_id),
        (_("Agent"), request.agent),
        (_("Tool"), request.tool),
        (_("Target"), request.target),
        (_("Directory"), request.working_directory),
        (_("Session"), request.session_id),
        (_("Severity"), request.severity),
        (_("Asked"), _moment(request.created_at)),
        (_("Request"), request.pk),
        (_("Tenant"), request.tenant.slug),
    ]
    return [(label, str(value)) for label, value in found if value]


def _moment(value: datetime) -> str:
    return f"{value:%Y-%m-%d %H:%M} UTC"
