"""`/api/v1/hitl`: the approval queue, in the shapes that the official SDK reads.

Programs ask and look; people answer. `rejected` on the wire is `denied` here, `overridden` a
broken glass.
"""

from __future__ import annotations

from datetime import timedelta
from typing import Any
from urllib.parse import urlsplit

import msgspec
from django.conf import settings
from django.db.models import Case, Count, Max, Min, Q, When
from django.db.models.functions import Greatest, Now
from django.http import HttpRequest, HttpResponse

from approvals import inbox
from approvals import services as approvals
from approvals.errors import ApprovalNotFound
from approvals.models import Answer, ApprovalRequest
from approvals.querysets import ApprovalRequestQuerySet
from approvals.waiting import waiting
from audit.models import AuditEvent
from axonportal.accounts.authentication import Principal, authenticate
from axonportal.accounts.models import Scope
from axonportal.accounts.persons import Person, Way, person_of, require_person
from axonportal.common.api import CallView, answer
from axonportal.common.body import read_object
from axonportal.common.errors import Forbidden, Invalid
from axonportal.common.pagination import page_of
from axonportal.gateway import holding
from axonportal.gateway.caller import Caller
from policies.engine.approval import MAX_S, MIN_S

DEFAULT_SIZE = 50
SEVERITIES = ("low", "medium", "high", "critical")
# What a list is sorted by, and the column that says so; severities by how bad, not by letter.
SORTS = {
    "created_at": "created_at",
    "updated_at": "changed_at",
    "expires_at": "expires_at",
    "severity": "rank",
    "status": "state",
    "client_id": "client_id",
}
MAX_URL_CHARS = 2_000
MAX_NAME_CHARS = 200
MAX_FILTER_CHARS = 300
_STATUSES = {
    "pending": Q(state="pending"),
    "approved": Q(state="approved", broken_by=""),
    "rejected": Q(state="denied"),
    "denied": Q(state="denied"),
    "expired": Q(state="expired"),
    "overridden": Q(state="approved") & ~Q(broken_by=""),
}
_ACTIONS = {
    "request": "created",
    "approve": "approved",
    "deny": "rejected",
    "expire": "expired",
    "break_glass": "overridden",
    "escalate": "escalated",
}


class NewRequest(msgspec.Struct, kw_only=True, forbid_unknown_fields=False):
    """The body of a request that a program opens itself."""

    original_query: str
    request_type: str
    client_id: str | None = None
    user_id: str | None = None
    request_context: dict[str, Any] | None = None
    triggered_policy_id: str | None = None
    triggered_policy_name: str | None = None
    trigger_reason: str | None = None
    severity: str | None = None
    notify_url: str | None = None
    expires_in_seconds: int | None = None
    eu_ai_act_article: str | None = None
    compliance_framework: str | None = None
    risk_classification: str | None = None


# What the program says of its request beside the operation; told back as it was said.
DECLARED = ("request_type", "eu_ai_act_article", "compliance_framework", "risk_classification")


class _HitlView(CallView):
    """What the routes share: who asks, and which requests that is shown."""

    def visible(self, request: HttpRequest) -> ApprovalRequestQuerySet:
        """The requests that the caller may see.

        A person sees what the portal shows her; a client what it asked for itself: with a
        credential that is bound to a person for her, with any other for nobody who is known.
        """
        person = person_of(request)
        if person is not None:
            return _of_person(request, person)
        principal = authenticate(request)
        principal.require(Scope.DECIDE)
        return _of_client(principal)

    def found(self, request: HttpRequest, request_id: str) -> ApprovalRequest:
        """One of them.

        Raises:
            ApprovalNotFound: there is none; that somebody else may see it makes no difference.
        """
        rows = self.visible(request)
        one = rows.filter(pk=request_id).first() if request_id.isprintable() else None
        if one is None:
            raise ApprovalNotFound(f"There is no approval request {request_id[:64]!r}.")
        return one


def _of_person(request: HttpRequest, person: Person) -> ApprovalRequestQuerySet:
    request.user = person.user
    return inbox.visible_to(inbox.viewer(request))


def _of_client(principal: Principal) -> ApprovalRequestQuerySet:
    rows = ApprovalRequest.objects.for_tenant(principal.tenant_id).with_state()
    return rows.filter(client_id=principal.client_id, verified_user=principal.user).select_related(
        "tenant"
    )


class HitlQueueView(_HitlView):
    """List, and open a request by hand."""

    def get(self, request: HttpRequest) -> HttpResponse:
        rows = _filtered(self.visible(request), request).annotate(
            rank=Case(*(When(severity=one, then=at) for at, one in enumerate(SEVERITIES))),
            changed_at=Greatest("last_asked_at", "settled_at", "reviewed_at"),
        )
        parameters = _parameters(request)
        page = page_of(rows, parameters, sorts=SORTS, default="-created_at")
        return answer(
            {
                "success": True,
                "data": [present(one) for one in _with_answers(page.rows)],
                "meta": page.envelope(),
            }
        )

    def post(self, request: HttpRequest) -> HttpResponse:
        body = read_object(request)
        payload = _parse(body)
        principal = authenticate(request, client_id=payload.client_id or "")
        principal.require(Scope.DECIDE)
        if payload.client_id and payload.client_id != principal.client_id:
            raise Forbidden(
                f"The credential belongs to client {principal.client_id!r}; send its client_id."
            )
        context = payload.request_context or {}
        session = context.get("session_id")
        caller = Caller(
            principal=principal,
            agent="hitl",
            user_id=payload.user_id or principal.user,
            session_id=session if isinstance(session, str) else "",
            context={
                **context,
                **{name: said for name in DECLARED if (said := getattr(payload, name))},
            },
        )
        made = holding.ask(
            caller,
            payload.original_query,
            policy_id=payload.triggered_policy_id or "",
            policy=payload.triggered_policy_name or "",
            reason=payload.trigger_reason or "",
            severity=payload.severity or "high",
            expires_in_s=payload.expires_in_seconds or 0,
            notify_url=payload.notify_url or "",
        )
        return _shown(made, status=201)


class HitlRequestView(_HitlView):
    """One request; with `wait` the answer comes as soon as a person has given hers."""

    def get(self, request: HttpRequest, request_id: str) -> HttpResponse:
        found = self.found(request, request_id)
        wait_s = _seconds(request.GET.get("wait", "0"))
        if wait_s and _state(found) == ApprovalRequest.Status.PENDING:
            waiting.until_settled(found.pk, min(wait_s, settings.AXON_MAX_WAIT_S))
            found = self.found(request, request_id)
        return _shown(found)


class HitlHistoryView(_HitlView):
    """Every step, the first one first; audit events, which nobody can change."""

    def get(self, request: HttpRequest, request_id: str) -> HttpResponse:
        found = self.found(request, request_id)
        steps = _steps(found, approvals.history(found))
        return answer(
            {
                "success": True,
                "data": steps,
                "meta": {"total": len(steps), "limit": len(steps), "offset": 0},
            }
        )


class HitlAnswerView(_HitlView):
    """Approve or reject; who does it is known from her session or token, not from the body."""

    choice: Answer.Choice = Answer.Choice.APPROVE

    def post(self, request: HttpRequest, request_id: str) -> HttpResponse:
        # First, and bounded: what checks a session's page would read a form of any size.
        is_empty = request.META.get("CONTENT_LENGTH", "") in {"", "0"}
        body = {} if is_empty else read_object(request)
        person = require_person(request)
        reason = body.get("comment") or body.get("reason") or ""
        if not isinstance(reason, str):
            raise Invalid("comment: a text that says why.")
        found = self.found(request, request_id)
        settled = approvals.answer(
            found.pk,
            tenant_ids=person.tenant_ids,
            approver=person.user,
            choice=self.choice,
            reason=reason,
            way=Answer.Way.TOKEN if person.way == Way.TOKEN else Answer.Way.PORTAL,
            considered_s=_age_s(found),
            address=request.META.get("REMOTE_ADDR", ""),
        )
        return _shown(settled)


class HitlOverrideView(_HitlView):
    """Breaking the glass is done in the portal, where it is seen and reviewed."""

    def post(self, request: HttpRequest, request_id: str) -> HttpResponse:
        found = self.found(request, request_id)
        raise Forbidden(
            "An override is made in the portal by a signed-in person with the permission to break "
            f"the glass: {settings.AXON_PUBLIC_URL}{found.get_absolute_url()}."
        )


class HitlStatsView(_HitlView):
    """What waits, in four figures."""

    def get(self, request: HttpRequest) -> HttpResponse:
        return answer({"success": True, "data": _stats(self.visible(request))})


class HitlStatusView(_HitlView):
    """Whether the queue works."""

    def get(self, request: HttpRequest) -> HttpResponse:
        stats = _stats(self.visible(request))
        return answer({"success": True, "data": {"enabled": True, "status": "healthy", **stats}})


class HitlExpireView(_HitlView):
    """Nothing to do: what is past its time is expired whenever somebody looks."""

    def post(self, request: HttpRequest) -> HttpResponse:
        self.visible(request)
        return answer({"success": True, "data": {"expired": 0}})


# --- Reading --------------------------------------------------------------------------------


def _parse(body: dict[str, Any]) -> NewRequest:
    try:
        payload = msgspec.convert(body, NewRequest)
    except msgspec.ValidationError as error:
        text, _, place = str(error).partition(" - at `$.")
        field = place.rstrip("`")
        raise Invalid(
            f"{field or 'body'}: {text}.", errors=[{"field": field, "message": text}]
        ) from None
    wrong = [
        (field, "Required, not empty.")
        for field in ("original_query", "request_type")
        if not getattr(payload, field).strip()
    ]
    if payload.severity is not None and payload.severity not in SEVERITIES:
        wrong.append(("severity", f"One of {', '.join(SEVERITIES)}."))
    life_s = payload.expires_in_seconds
    if life_s is not None and not MIN_S <= life_s <= MAX_S:
        wrong.append(("expires_in_seconds", f"From {MIN_S} to {MAX_S}."))
    if payload.notify_url and not _is_address(payload.notify_url):
        limits = f"at most {MAX_URL_CHARS:,} characters, without a user name or password in it"
        wrong.append(("notify_url", f"An http or https address of {limits}."))
    wrong += [
        (field, f"At most {MAX_NAME_CHARS} characters.")
        for field in (*DECLARED, "user_id", "triggered_policy_id", "triggered_policy_name")
        if len(getattr(payload, field) or "") > MAX_NAME_CHARS
    ]
    if wrong:
        raise Invalid(
            "; ".join(f"{field}: {message}" for field, message in wrong),
            errors=[{"field": field, "message": message} for field, message in wrong],
        )
    return payload


def _is_address(url: str) -> bool:
    """Is it an address that could be told of the outcome?"""
    if len(url) > MAX_URL_CHARS or not url.isprintable():
        return False
    try:
        parts = urlsplit(url)
        return (
            parts.scheme in {"http", "https"}
            and bool(parts.hostname)
            and parts.username is None
            and parts.password is None
            and (parts.port is None or parts.port > 0)
        )
    except ValueError:  # brackets without an address, a port that is no number
        return False


def _filtered(rows: ApprovalRequestQuerySet, request: HttpRequest) -> ApprovalRequestQuerySet:
    query = request.GET
    for name in query:
        if len(query[name]) > MAX_FILTER_CHARS or not query[name].isprintable():
            raise Invalid(f"{name[:50]!r}: at most {MAX_FILTER_CHARS} printable characters.")
    if given := query.get("status"):
        wanted = Q()
        for status in given.split(","):
            if status.strip() not in _STATUSES:
                raise Invalid(f"status: of {', '.join(_STATUSES)}; got {status[:20]!r}.")
            wanted |= _STATUSES[status.strip()]
        rows = rows.filter(wanted)
    if given := query.get("severity"):
        wanted_severities = [one.strip() for one in given.split(",")]
        if unknown := set(wanted_severities) - set(SEVERITIES):
            raise Invalid(f"severity: of {', '.join(SEVERITIES)}; got {unknown.pop()[:20]!r}.")
        rows = rows.filter(severity__in=wanted_severities)
    if given := query.get("policy_id"):
        rows = rows.filter(
            Q(policies__contains=[{"policy_id": given}]) | Q(policies__contains=[{"policy": given}])
        )
    for name in ("client_id", "user_id"):
        if given := query.get(name):
            rows = rows.filter(**{name: given})
    return rows


def _parameters(request: HttpRequest) -> dict[str, str]:
    """The SDK's names for the order, as the pages of lists have them."""
    given = {name: request.GET[name] for name in request.GET}
    given.setdefault("limit", given.get("page_size", str(DEFAULT_SIZE)))
    if "order_by" in given:
        given["sort_by"] = given["order_by"]
    if "order_dir" in given:
        given["sort_order"] = given["order_dir"]
    return given


def _seconds(text: str) -> float:
    try:
        value = float(text)
    except ValueError:
        value = -1.0
    if not 0 <= value <= MAX_S:  # not true of NaN either
        raise Invalid("wait: seconds, such as 25.")
    return value


# --- Presenting -----------------------------------------------------------------------------


def _shown(request: ApprovalRequest, *, status: int = 200) -> HttpResponse:
    return answer({"success": True, "data": present(request)}, status=status)


def _with_answers(rows: Any) -> list[ApprovalRequest]:
    from django.db.models import prefetch_related_objects

    found = list(rows)
    prefetch_related_objects(found, "answers")
    return found


def _state(request: ApprovalRequest) -> str:
    return str(getattr(request, "state", request.status))


def wire_status(request: ApprovalRequest) -> str:
    """The status as the SDK knows it."""
    return _on_the_wire(_state(request), request)


def _on_the_wire(status: str, request: ApprovalRequest) -> str:
    if status == ApprovalRequest.Status.APPROVED and request.broken_by:
        return "overridden"
    return "rejected" if status == ApprovalRequest.Status.DENIED else status


def present(request: ApprovalRequest) -> dict[str, Any]:
    """The request as the SDK reads it, and our own fields; no personal data, no secrets."""
    asking = request.policies[0] if request.policies else {}
    given = list(request.answers.all())
    last = given[-1] if given else None
    body: dict[str, Any] = {
        "request_id": request.pk,
        "org_id": request.tenant.slug,
        "tenant_id": request.tenant.slug,
        "client_id": request.client_id,
        "user_id": request.user_id,
        "original_query": request.text,
        "request_type": str(request.context.get("request_type") or request.tool or "tool"),
        "request_context": request.context,
        "triggered_policy_id": str(asking.get("policy_id", "")),
        "triggered_policy_name": str(asking.get("policy", "")),
        "trigger_reason": str(asking.get("message", "")),
        "severity": request.severity,
        "status": wire_status(request),
        "expires_at": request.expires_at,
        "created_at": request.created_at,
        "updated_at": max(
            moment
            for moment in (
                request.settled_at,
                request.last_asked_at,
                last.answered_at if last else None,
            )
            if moment is not None
        ),
        "url": f"{settings.AXON_PUBLIC_URL}{request.get_absolute_url()}",
        "outcome": request.outcome,
        "policies": [str(policy.get("policy", "")) for policy in request.policies],
        "answers": [
            {
                "approver": one.approver_name,
                "in_place_of": one.on_behalf_of,
                "answer": one.choice,
                "reason": one.reason,
                "answered_at": one.answered_at,
            }
            for one in given
        ],
    }
    body |= {name: said for name in DECLARED[1:] if (said := request.context.get(name))}
    if request.notify_url:
        body["notify_url"] = request.notify_url
    if request.broken_by:
        body |= {"reviewer_id": request.broken_by, "review_comment": request.broken_reason}
        body["reviewed_at"] = request.settled_at
    elif last is not None and request.settled_at is not None:
        body |= {
            "reviewer_id": last.approver_name,
            "review_comment": last.reason,
            "reviewed_at": request.settled_at,
        }
    return body


def _steps(request: ApprovalRequest, events: list[AuditEvent]) -> list[dict[str, Any]]:
    """The history on the wire: each step with the status before and after it."""
    steps: list[dict[str, Any]] = []
    status = ""
    for event in events:
        verb = event.kind.removeprefix(approvals.KINDS)
        before, status = status, str(event.detail.get("status", status))
        said = event.detail.get("reason") or event.detail.get("outcome") or event.detail.get("note")
        steps.append(
            {
                "event_id": event.event_id,
                "request_id": event.target_id,
                "action": _ACTIONS.get(verb, verb),
                "actor_id": event.actor,
                "actor_kind": event.actor_kind,
                "comment": str(said or ""),
                "justification": str(said or "") if verb == "break_glass" else "",
                "previous_status": _on_the_wire(before, request),
                "new_status": _on_the_wire(status, request),
                "created_at": event.created_at,
                "detail": event.detail,
            }
        )
    return steps


def _stats(rows: ApprovalRequestQuerySet) -> dict[str, Any]:
    waits = rows.open().order_by()
    figures = waits.aggregate(
        total=Count("pk"),
        high=Count("pk", filter=Q(severity="high")),
        critical=Count("pk", filter=Q(severity="critical")),
        oldest=Min("created_at"),
        now=Max(Now()),
    )
    age = figures["now"] - figures["oldest"] if figures["total"] else timedelta()
    return {
        "total_pending": figures["total"],
        "high_priority": figures["high"],
        "critical_priority": figures["critical"],
        "oldest_pending_hours": round(age.total_seconds() / 3600, 2),
    }


def _age_s(request: ApprovalRequest) -> float:
    """Seconds since it was asked for, by the database's clock."""
    return max(0.0, (approvals.database_now() - request.created_at).total_seconds())
