"""The first page: what needs doing now, what the last day was like, what was decided last."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse
from django.utils import timezone
from django.utils.text import Truncator
from django.utils.translation import gettext as _t
from django.utils.translation import ngettext

from approvals import inbox
from audit.bounded import bounded
from audit.errors import TooMuchToRead
from audit.models import GatewayContext
from audit.querysets import HourCount, Totals
from axonportal.accounts.authentication import DEMO_CLIENT
from axonportal.accounts.connecting import Connecting, connecting
from axonportal.accounts.models import Client, Credential, Membership
from axonportal.common.admin import Chips, chips, memberships, query_of, tenant_slugs, tenants_with
from axonportal.common.display import short_age
from policies.models import Policy

READS = "audit.view_gatewaycontext"  # what a role needs for the figures of its tenant
DAY = timedelta(hours=24)
EXPIRES_SOON = timedelta(days=14)
LAST_DECISIONS = 10
CLIENT_SAMPLE = 500  # newest decisions in which a hook's is looked for
MAX_QUOTED = 80  # characters of an operation in one line
MAX_NAMED = 5  # policies or credentials named in one line
PLOT_HEIGHT = 100  # units of the chart's own scale
BAR_WIDTH = 0.76  # of an hour
VERDICTS = ("deny", "hold", "allow")  # from the bottom: what was refused stands on the line


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """Something that wants a person, with the page on which it is done; `tone` as of a badge."""

    tone: str
    text: str
    url: str
    link: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A count of the last day beside the day before, and the list it counts."""

    label: str
    value: int
    before: int
    url: str
    tone: str

    @property
    def shown(self) -> str:
        """The count with its thousands apart."""
        return f"{self.value:,}"

    @property
    def comparison(self) -> str:
        """The difference in words."""
        if self.value == self.before:
            return _t("as many as the day before")
        more = self.value - self.before
        if more > 0:
            return _t("%(n)s more than the day before") % {"n": f"{more:,}"}
        return _t("%(n)s fewer than the day before") % {"n": f"{-more:,}"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bar:
    """One verdict's part of one hour, in the chart's own units, y downwards."""

    verdict: str
    x: float
    y: float
    height: float
    width: float
    title: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Hour:
    """A row of the table beside the chart, and its label on the axis."""

    start: datetime
    counts: Sequence[int]  # in the order of VERDICTS
    labelled: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Chart:
    """Decisions per hour of the last day (UTC); `ticks` are values and their places in %."""

    bars: Sequence[Bar]
    hours: Sequence[Hour]
    ticks: Sequence[tuple[int, float]]
    total: int


def overview(request: HttpRequest) -> dict[str, Any]:
    """Everything that the page shows, of the signed-in user's tenants."""
    now = timezone.now()
    read = tenants_with(request, READS)
    slugs = {key: slug for key, slug in tenant_slugs(request).items() if key in read}
    chosen = [key for key, slug in slugs.items() if slug == request.GET.get("tenant")]
    tenants = chosen or list(slugs)
    slug = slugs[chosen[0]] if chosen else ""
    context: dict[str, Any] = {
        "tenant_chips": _tenant_chips(request, slugs),
        "show_tenant": len(tenants) > 1,
        "tenants": slugs,
        "now": now,
        "problem": "",
        "belongs": bool(memberships(request)),
        "reads": bool(slugs),
    }
    if not slugs:
        return context | {"tasks": approvals(request)}
    try:
        with bounded():
            rows = GatewayContext.objects.filter(tenant_id__in=tenants)
            today, yesterday = rows.totals(now - DAY, now)
            first = _hour(now) - DAY + timedelta(hours=1)
            context |= {
                "figures": figures(today, yesterday, tenant=slug),
                "chart": chart(rows.between(first, now).per_hour(), first),
                "last": GatewayContext.objects.all().newest(tenants, LAST_DECISIONS),
                "tasks": approvals(request) + tasks(request, tenants, now, tenant=slug),
                "start": start(request, tenants),
            }
    except TooMuchToRead as error:
        context["problem"] = error.detail
    return context


def _tenant_chips(request: HttpRequest, slugs: dict[int, str]) -> Chips | None:
    if len(slugs) < 2:
        return None
    choices = [("", _t("All")), *((slug, slug) for slug in slugs.values())]
    return chips(request.GET, "tenant", _t("Tenant"), choices)


def _decisions(**query: Any) -> str:
    return reverse("admin:audit_gatewaycontext_changelist") + query_of(**query)


def figures(today: Totals, yesterday: Totals, *, tenant: str = "") -> list[Figure]:
    """The counts of the last day."""
    parts: tuple[tuple[str, str, dict[str, str], str], ...] = (
        (_t("Decisions"), "total", {}, "all"),
        (_t("Denied"), "denied", {"verdict": "deny"}, "bad"),
        (_t("Held for approval"), "held", {"verdict": "hold"}, "wait"),
        (_t("Redacted"), "redacted", {"redacted": "1"}, "warn"),
    )
    return [
        Figure(
            label=label,
            value=getattr(today, name),
            before=getattr(yesterday, name),
            url=_decisions(window="24h", tenant=tenant, **query),
            tone=tone,
        )
        for label, name, query, tone in parts
    ]


def approvals(request: HttpRequest) -> list[Task]:
    """What waits for her answer, and broken glass that nobody has looked at."""
    person = inbox.viewer(request)
    waiting = inbox.waiting_for(person)
    url = reverse("admin:approvals_approvalrequest_changelist")
    found = []
    if (count := inbox.count_of(person)) != "0":
        first = waiting.order_by("expires_at")[0]
        found.append(
            Task(
                tone="wait",
                text=_t("%(n)s waiting for your answer; the first expires %(when)s: %(text)s")
                % {
                    "n": count,
                    "when": short_age(first.expires_at),
                    "text": Truncator(first.text).chars(MAX_QUOTED),
                },
                url=first.get_absolute_url() if count == "1" else url,
                link=_t("Look and answer"),
            )
        )
    if broken := inbox.to_review(person).count():
        found.append(
            Task(
                tone="bad",
                text=ngettext(
                    "A glass was broken and not reviewed yet.",
                    "%(n)d glasses were broken and not reviewed yet.",
                    broken,
                )
                % {"n": broken},
                url=url,
                link=_t("Review"),
            )
        )
    return found


def tasks(
    request: HttpRequest, tenants: Sequence[int], now: datetime, *, tenant: str = ""
) -> list[Task]:
    """What wants a person now, the most pressing first."""
    found = [_denied(tenants, now, tenant), _observed(tenants, now), _expiring(tenants, now)]
    return [task for task in found if task is not None]


def _denied(tenants: Sequence[int], now: datetime, tenant: str) -> Task | None:
    recent = GatewayContext.objects.filter(tenant_id__in=tenants)
    count = recent.between(now - timedelta(hours=1), now).refused().count()
    if not count:
        return None
    return Task(
        tone="bad",
        text=ngettext(
            "%(n)d operation was refused in the last hour.",
            "%(n)d operations were refused in the last hour.",
            count,
        )
        % {"n": count},
        url=_decisions(window="1h", verdict="deny", tenant=tenant),
        link=_t("See which and why"),
    )


def _observed(tenants: Sequence[int], now: datetime) -> Task | None:
    observing = Policy.objects.existing().filter(
        tenant__in=tenants, enabled=True, mode=Policy.Mode.OBSERVE
    )
    names = {(policy.tenant_id, policy.name): policy for policy in observing}
    if not names:
        return None
    rows = GatewayContext.objects.filter(tenant_id__in=tenants).between(now - DAY, now)
    matched = {key: count for key, count in rows.matches_per_policy().items() if key in names}
    if not matched:
        return None
    listed = ", ".join(
        f"{name} ({count})" for (_tenant, name), count in list(matched.items())[:MAX_NAMED]
    )
    url = reverse("admin:policies_policy_changelist") + query_of(state="observe")
    if len(matched) == 1:
        url = names[next(iter(matched))].get_absolute_url()
    return Task(
        tone="wait",
        text=ngettext(
            "An observed policy matched in 24 hours and changed nothing: %(names)s.",
            "Observed policies matched in 24 hours and changed nothing: %(names)s.",
            len(matched),
        )
        % {"names": listed},
        url=url,
        link=_t("Enforce or refine"),
    )


def _expiring(tenants: Sequence[int], now: datetime) -> Task | None:
    soon = Credential.objects.filter(
        client__tenant__in=tenants,
        revoked_at=None,
        expires_at__gt=now,
        expires_at__lt=now + EXPIRES_SOON,
    ).select_related("client")
    names = [f"{credential.client.client_id}: {credential.name}" for credential in soon]
    if not names:
        return None
    return Task(
        tone="wait",
        text=ngettext(
            "A credential expires within 14 days: %(names)s.",
            "%(n)d credentials expire within 14 days: %(names)s.",
            len(names),
        )
        % {"n": len(names), "names": ", ".join(names[:MAX_NAMED])},
        url=reverse("admin:accounts_credential_changelist") + query_of(state="soon"),
        link=_t("Issue others in time"),
    )


def start(request: HttpRequest, tenants: Sequence[int]) -> dict[str, Any] | None:
    """How to connect a first client; None once a hook has asked."""
    for key in tenants:
        agents = GatewayContext.objects.for_tenant(key).values_list("agent", flat=True)
        if set(agents[:CLIENT_SAMPLE]) - {"", "pre-check"}:
            return None
    client = (
        Client.objects.filter(tenant__in=tenants, is_active=True)
        .order_by("created_at")
        .values_list("client_id", flat=True)
        .first()
    )
    may_issue = any(
        row.role in {Membership.Role.OWNER, Membership.Role.EDITOR}
        for row in memberships(request).values()
    )
    texts: Connecting = connecting(
        client_id=client or DEMO_CLIENT, open_demo=bool(settings.AXON_DEMO)
    )
    return {
        "texts": texts,
        "client": client,
        "open_demo": settings.AXON_DEMO,
        "issue_url": reverse("admin:accounts_credential_add") if may_issue else "",
        "client_url": reverse("admin:accounts_client_add") if may_issue else "",
    }


# --- The chart ------------------------------------------------------------------------------


def _hour(moment: datetime) -> datetime:
    return moment.astimezone(UTC).replace(minute=0, second=0, microsecond=0)


def chart(counts: Sequence[HourCount], first: datetime) -> Chart:
    """Stacked bars of 24 hours from `first` on, scaled to a round number above the highest."""
    by_hour = {(row.hour, row.verdict): row.count for row in counts}
    starts = [first + timedelta(hours=index) for index in range(24)]
    table = [[by_hour.get((hour, verdict), 0) for verdict in VERDICTS] for hour in starts]
    ticks = nice_ticks(max((sum(row) for row in table), default=0))
    scale = PLOT_HEIGHT / ticks[-1]
    words = {"deny": _t("denied"), "hold": _t("held"), "allow": _t("allowed")}
    bars = []
    for index, (hour, row) in enumerate(zip(starts, table, strict=True)):
        base = 0
        for verdict, count in zip(VERDICTS, row, strict=True):
            if count:
                bars.append(
                    Bar(
                        verdict=verdict,
                        x=index + (1 - BAR_WIDTH) / 2,
                        y=round(PLOT_HEIGHT - (base + count) * scale, 3),
                        height=round(count * scale, 3),
                        width=BAR_WIDTH,
                        title=f"{hour:%H:%M} UTC: {count} {words[verdict]}",
                    )
                )
            base += count
    return Chart(
        bars=bars,
        hours=[
            Hour(start=hour, counts=row, labelled=hour.hour % 3 == 0)
            for hour, row in zip(starts, table, strict=True)
        ],
        ticks=[(tick, 100 - 100 * tick / ticks[-1]) for tick in ticks],
        total=sum(map(sum, table)),
    )


def nice_ticks(highest: int) -> list[int]:
    """Round values for an axis from 0 to at least `highest`: steps of 1, 2 or 5 times ten to n."""
    step = 1
    while highest > step * 4:
        step = step * 5 // 2 if str(step)[0] == "2" else step * 2
    count = max(1, -(-highest // step))
    return [step * index for index in range(count + 1)]
