"""What the page of one request shows: what would run, who asked, who has to say yes, what was."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.core import signing
from django.db.models import QuerySet
from django.utils import timezone
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy, ngettext

from approvals import reading, services, terms
from approvals.comparing import compared
from approvals.eligibility import Person, roster, why_not
from approvals.models import Answer, ApprovalRequest, Grant
from approvals.reading import Layer, LookAlike
from audit import explanation
from audit.bounded import bounded
from audit.errors import TooMuchToRead
from audit.explanation import FindingRow, MatchRow
from audit.models import AuditEvent, GatewayContext, ToolCall
from axonportal.accounts.models import User
from axonportal.common.display import Unseen, code_of, name_of, unseen

NEIGHBOURS = 8  # steps of the session shown before the request
SESSION_SPAN = timedelta(days=7)  # older steps of a session are not looked for
SIMILAR = 8  # past requests of the same shape
MAX_VALUES = 50  # values of a fact that are shown; the decision's page has the rest
MAX_CONSIDERED = timedelta(hours=12)  # a page that stays open longer measures nothing
SEAL = "approvals.page"
# The facts that say what an operation touches, in the order of the page.
TOUCHED = (
    ("shell.command", gettext_lazy("Commands")),
    ("shell.executes", gettext_lazy("Files it runs")),
    ("sql.statement", gettext_lazy("Statements")),
    ("sql.table", gettext_lazy("Tables")),
    ("file.write", gettext_lazy("Files it writes")),
    ("file.read", gettext_lazy("Files it reads")),
    ("host", gettext_lazy("Hosts")),
    ("shell.opaque", gettext_lazy("What cannot be read")),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What would run, and everything in it that does not meet the eye."""

    text: SafeString
    arguments: Mapping[str, Any]
    layers: Sequence[Layer]
    unseen: Sequence[Unseen]
    findings: Sequence[FindingRow]
    unlisted: int
    touched: Sequence[tuple[Any, Sequence[str], int]]  # with how many more there are
    is_complete: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Voter:
    """Somebody who may answer, and what she has said."""

    name: str
    groups: Sequence[str]
    stands_for: str
    answer: Answer | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """An escalation, past or to come."""

    at: datetime
    groups: Sequence[str]
    taken: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Clause:
    """What one policy wants before the operation may run, and how far that is."""

    policy: str
    match: MatchRow | None
    message: str
    version: int
    wanted: str
    rules: Sequence[str]
    voters: Sequence[Voter]
    steps: Sequence[Step]
    is_met: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Standing:
    """What the person who looks may do here, and what would come of it."""

    may_answer: bool
    why_not: str
    stands_for: str
    answer: Answer | None
    approve_needs_reason: bool
    on_approve: str
    on_deny: str
    may_break_glass: bool
    may_review: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """A step of the same session: a decision or a tool that ran."""

    at: datetime
    record: GatewayContext | ToolCall
    is_decision: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Background:
    """What happened before: in the session, and to operations like this one."""

    session: Sequence[Before] = ()
    similar: Sequence[ApprovalRequest] = ()
    compared_with: ApprovalRequest | None = None
    difference: SafeString | None = None
    is_same: bool = False
    problem: str = ""


# --- What would run -----------------------------------------------------------------------


def operation(request: ApprovalRequest) -> Operation:
    """The whole text with everything marked that was found in it, then or now."""
    read = reading.read(request.tool, request.text)
    rows, _matches = explanation.read(request.snapshot, action="require_approval")
    rows += [
        _look_alike(number, request.text, each)
        for number, each in enumerate(read.look_alikes, len(rows) + 1)
    ]
    facts: Mapping[str, Sequence[str]] = request.snapshot.get("facts", {})
    beside = json.dumps([request.arguments, request.tool, request.target], ensure_ascii=False)
    hidden = unseen(request.text)
    known = {one.code for one in hidden}
    hidden += [one for one in unseen(beside, request.working_directory) if one.code not in known]
    return Operation(
        text=explanation.highlighted(request.text, rows),
        arguments=request.arguments,
        layers=read.layers,
        unseen=hidden,
        findings=rows[: explanation.MAX_ROWS],
        unlisted=max(0, len(rows) - explanation.MAX_ROWS),
        touched=[
            (label, facts[name][:MAX_VALUES], max(0, len(facts[name]) - MAX_VALUES))
            for name, label in TOUCHED
            if facts.get(name)
        ],
        is_complete=read.complete and not request.snapshot.get("truncated"),
    )


def _look_alike(number: int, text: str, found: LookAlike) -> FindingRow:
    odd = dict.fromkeys(char for char in text[found.start : found.end] if not char.isascii())
    named = ", ".join(f"{code_of(char)} {name_of(char)}" for char in odd)
    return FindingRow(
        number=number,
        kind=_("look-alike"),
        family="lookalike",
        reason=_("Reads like “%(word)s”, but is written with %(letters)s.")
        % {"word": found.looks_like, "letters": named},
        rule="",
        start=found.start,
        end=found.end,
        confidence=None,
        layer="",
        reference="",
    )


# --- Who has to say yes -------------------------------------------------------------------


def clauses(request: ApprovalRequest, people: Sequence[Person]) -> list[Clause]:
    """What each policy that asked wants, and who has said what."""
    _rows, matches = explanation.read(request.snapshot, action="require_approval")
    by_id = {(match.policy, match.version): match for match in matches}
    answers = list(request.answers.all())
    voices = [person.voice for person in people]
    return [
        _clause(request, index, by_id.get((policy["policy"], policy["version"])), answers, voices)
        for index, policy in enumerate(request.policies)
    ]


def _clause(
    request: ApprovalRequest,
    index: int,
    match: MatchRow | None,
    answers: Sequence[Answer],
    voices: Sequence[terms.Voice],
) -> Clause:
    policy = request.policies[index]
    groups = terms.groups_of(request.policies, index, request.escalated)
    given = {answer.approver_name: answer for answer in answers}
    asked = [voice for voice in voices if voice.groups & groups]
    return Clause(
        policy=policy["policy"],
        match=match,
        message=policy["message"],
        version=policy["version"],
        wanted=_wanted(policy),
        rules=_rules(policy),
        voters=[
            Voter(
                name=voice.name,
                groups=sorted(voice.groups & groups),
                stands_for=voice.stands_for,
                answer=given.get(voice.name),
            )
            for voice in asked
        ],
        steps=[
            Step(
                at=request.created_at + timedelta(seconds=step.after_s),
                groups=step.groups,
                taken=place < request.escalated,
            )
            for place, step in enumerate(terms.steps(request.policies))
            if step.policy == index
        ],
        is_met=terms.is_met(request, index, answers, voices),
    )


def _wanted(policy: Mapping[str, Any]) -> str:
    groups = ", ".join(policy["approvers"])
    quorum = policy["quorum"]
    if quorum == terms.UNANIMOUS:
        return _("everybody of %(groups)s") % {"groups": groups}
    if quorum == terms.EACH_GROUP:
        return _("one person of each: %(groups)s") % {"groups": groups}
    return ngettext("%(n)d person of %(groups)s", "%(n)d people of %(groups)s", quorum) % {
        "n": quorum,
        "groups": groups,
    }


def _rules(policy: Mapping[str, Any]) -> list[str]:
    rules = [
        _("One denial settles it.")
        if policy["one_denial_settles"]
        else _("A denial only counts as not approving.")
    ]
    if policy["approve_needs_reason"]:
        rules.append(_("An approval needs a reason."))
    return rules


def standing(
    request: ApprovalRequest, user: User, people: Sequence[Person], *, is_open: bool
) -> Standing:
    """What `user` may do; whoever answers is looked at again when she does."""
    mine = next((one for one in people if one.user.pk == user.pk), None)
    answers = list(request.answers.all())
    may_answer = is_open and mine is not None
    return Standing(
        may_answer=may_answer,
        why_not="" if mine is not None else why_not(request, user),
        stands_for=mine.voice.stands_for if mine is not None else "",
        answer=next((one for one in answers if one.approver_id == user.pk), None),
        approve_needs_reason=any(policy["approve_needs_reason"] for policy in request.policies),
        on_approve=_come_of(request, people, mine, answers, Answer.Choice.APPROVE) if mine else "",
        on_deny=_come_of(request, people, mine, answers, Answer.Choice.DENY) if mine else "",
        may_break_glass=is_open and services.may_break_glass(user, request.tenant),
        may_review=_is_to_review(request)
        and mine is not None
        and request.broken_by != user.get_username(),
    )


def _is_to_review(request: ApprovalRequest) -> bool:
    return bool(request.broken_by) and request.reviewed_at is None


def _come_of(
    request: ApprovalRequest,
    people: Sequence[Person],
    mine: Person,
    answers: Sequence[Answer],
    choice: Answer.Choice,
) -> str:
    """What the answer would lead to, as things stand."""
    name = mine.voice.name
    others = [answer for answer in answers if answer.approver_name != name]
    would = terms.outcome(
        request,
        [*others, Answer(approver_name=name, choice=choice)],
        [person.voice for person in people],
    )
    if would == ApprovalRequest.Status.APPROVED:
        life = timedelta(seconds=min(policy["grant_life_s"] for policy in request.policies))
        return _("Exactly this call may run once, within %(span)s.") % {"span": spelled(life)}
    if would == ApprovalRequest.Status.DENIED:
        return _(
            "It does not run. Asked again before %(until)s UTC, it is denied with your reason."
        ) % {"until": f"{request.expires_at:%Y-%m-%d %H:%M}"}
    return _("It still waits for others.")


def spelled(span: timedelta) -> str:
    """A span in words, in its largest whole unit."""
    seconds = int(span.total_seconds())
    for size, one, many in (
        (86_400, "%(n)d day", "%(n)d days"),
        (3_600, "%(n)d hour", "%(n)d hours"),
        (60, "%(n)d minute", "%(n)d minutes"),
    ):
        if seconds >= size and seconds % size == 0:
            return ngettext(one, many, seconds // size) % {"n": seconds // size}
    return ngettext("%(n)d second", "%(n)d seconds", seconds) % {"n": seconds}


def grant_of(request: ApprovalRequest) -> Grant | None:
    """What the approval is good for, once there is one."""
    return Grant.objects.filter(request=request).first()


# --- What was before ----------------------------------------------------------------------


def background(request: ApprovalRequest, seen: QuerySet[ApprovalRequest]) -> Background:
    """The session before the request, and requests like it among those `seen` by the person."""
    try:
        with bounded():
            return _background(request, seen)
    except TooMuchToRead as error:
        return Background(problem=error.detail)


def _background(request: ApprovalRequest, seen: QuerySet[ApprovalRequest]) -> Background:
    alike = (
        seen.filter(tenant=request.tenant_id, shape=request.shape)
        .exclude(pk=request.pk)
        .order_by("-created_at")
        if request.shape
        else seen.none()
    )
    past = alike.filter(created_at__lt=request.created_at)
    last = past.filter(status=ApprovalRequest.Status.APPROVED).first()
    return Background(
        session=_session(request),
        similar=list(alike[:SIMILAR]),
        compared_with=last,
        difference=compared(last.text, request.text) if last is not None else None,
        is_same=last is not None and last.text == request.text,
    )


def _session(request: ApprovalRequest) -> list[Before]:
    """What the same client did in the same session before, the last step last."""
    if not request.session_id:
        return []
    where = {
        "tenant_id": request.tenant_id,
        "client_id": request.client_id,
        "session_id": request.session_id,
        "created_at__gt": request.created_at - SESSION_SPAN,
        "created_at__lte": request.created_at,
    }
    decisions = (
        GatewayContext.objects.filter(**where)
        .exclude(pk=request.context_id)
        .order_by("-created_at", "-pk")[:NEIGHBOURS]
    )
    calls = ToolCall.objects.filter(**where).order_by("-created_at", "-pk")[:NEIGHBOURS]
    steps = [
        *(Before(at=one.created_at, record=one, is_decision=True) for one in decisions),
        *(Before(at=one.created_at, record=one, is_decision=False) for one in calls),
    ]
    return sorted(steps, key=lambda step: step.at)[-NEIGHBOURS:]


# --- How long it was looked at ------------------------------------------------------------


def seal(request: ApprovalRequest, user: User) -> str:
    """The moment at which the page of this request was made for `user`, signed."""
    return signing.dumps([request.pk, user.pk, timezone.now().timestamp()], salt=SEAL)


def considered_s(seen: str, request: ApprovalRequest, user: User) -> float | None:
    """Seconds since the page was made; None if that cannot be known."""
    try:
        about, whose, at = signing.loads(seen, salt=SEAL, max_age=MAX_CONSIDERED)
    except signing.BadSignature:
        return None
    if (about, whose) != (request.pk, user.pk):
        return None
    return max(0.0, round(timezone.now().timestamp() - float(at), 3))


# --- All of it ----------------------------------------------------------------------------


def everything(
    request: ApprovalRequest, user: User, seen: QuerySet[ApprovalRequest]
) -> dict[str, Any]:
    """The parts of the page by their names in the template."""
    people = roster(request)
    answers = list(request.answers.all())
    state: str = getattr(request, "state", request.status)  # of `with_state`, if it was asked
    is_open = state == ApprovalRequest.Status.PENDING
    now = timezone.now()
    counted = {person.voice.name for person in people}
    return {
        "operation": operation(request),
        "clauses": clauses(request, people),
        "standing": standing(request, user, people, is_open=is_open),
        "background": background(request, seen),
        "strays": [one for one in answers if one.approver_name not in counted],
        "grant": grant_of(request),
        "history": history(request),
        "is_open": is_open,
        "to_review": _is_to_review(request),
        "fingerprint": bytes(request.digest).hex()[:16],
        # Differs as soon as something has happened to the request.
        "version": f"{state}.{len(answers)}.{request.escalated}.{bool(request.review)}",
        "left_s": max(0, int((request.expires_at - now).total_seconds())),
        "now": now,
    }


# --- The steps ----------------------------------------------------------------------------

_STEPS = {
    "approval.request": gettext_lazy("asked"),
    "approval.join": gettext_lazy("asked again"),
    "approval.approve": gettext_lazy("approved"),
    "approval.deny": gettext_lazy("denied"),
    "approval.refuse": gettext_lazy("tried to answer and may not"),
    "approval.escalate": gettext_lazy("asked further groups"),
    "approval.settle": gettext_lazy("settled"),
    "approval.expire": gettext_lazy("expired"),
    "approval.use": gettext_lazy("ran it"),
    "approval.break_glass": gettext_lazy("broke the glass"),
    "approval.review": gettext_lazy("reviewed"),
    "approval.notify_failed": gettext_lazy("gave up telling somebody"),
    "approval.resend": gettext_lazy("had it told again"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A step in words; `said` is what a person wrote."""

    event: AuditEvent
    what: Any
    said: str
    beside: str


def history(request: ApprovalRequest) -> list[Told]:
    """Every step, the first one first."""
    return [
        Told(
            event=event,
            what=_STEPS.get(event.kind, event.kind),
            said=str(event.detail.get("reason") or event.detail.get("note") or ""),
            beside=_beside(event.detail),
        )
        for event in services.history(request)
    ]


def _beside(detail: Mapping[str, Any]) -> str:
    told = []
    if detail.get("in_place_of"):
        told.append(_("in place of %(name)s") % {"name": detail["in_place_of"]})
    if isinstance(groups := detail.get("groups"), list) and groups:
        told.append(_("groups: %(names)s") % {"names": ", ".join(map(str, groups))})
    if detail.get("recipient"):
        told.append(f"{detail.get('channel')}: {detail['recipient']}")
    if detail.get("way") == Answer.Way.TOKEN:
        told.append(str(Answer.Way.TOKEN.label))
    if detail.get("replaces_an_earlier_answer"):
        told.append(_("instead of an earlier answer"))
    return " · ".join(told)
