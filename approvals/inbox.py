"""Which requests a person sees, and which of them wait for her."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from django.db.models import F, Q, QuerySet
from django.db.models.functions import Lower, Now
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from guardian.models import UserObjectPermission

from approvals.eligibility import CODENAME
from approvals.models import Answer, ApprovalRequest, Delegation
from approvals.querysets import ApprovalRequestQuerySet
from audit.text import storable
from axonportal.accounts import approvers
from axonportal.accounts.models import User
from axonportal.common.admin import memberships, tenants_with

READS_ALL = "audit.view_gatewaycontext"  # who reads the trail reads every request, too
PAGE_ROWS = 50
MAX_COUNTED = 100  # a tab tells "99+" beyond

MINE, OTHERS, SETTLED = "mine", "others", "settled"


@dataclass(frozen=True, slots=True, kw_only=True)
class Viewer:
    """A signed-in person, the tenants of which she sees every request, and the others of hers."""

    user: User
    whole: Sequence[int]
    partly: Sequence[int]
    names: frozenset[str]  # under which operations may be asked for her
    asked: Q  # of the requests that she may answer

    @property
    def tenants(self) -> list[int]:
        return [*self.whole, *self.partly]


def viewer(request: HttpRequest) -> Viewer:
    """Who is looking; read once per request."""
    known: Viewer | None = getattr(request, "_approvals_viewer", None)
    if known is None:
        user: Any = request.user
        whole = tenants_with(request, READS_ALL)
        names = approvers.names_of([user.get_username(), user.email])
        known = Viewer(
            user=user,
            whole=whole,
            partly=[key for key in memberships(request) if key not in whole],
            names=names,
            asked=_asked(user, names, list(memberships(request))),
        )
        request._approvals_viewer = known  # type: ignore[attr-defined]  # noqa: SLF001
    return known


def visible_to(person: Viewer) -> ApprovalRequestQuerySet:
    """Every request of tenants whose trail she reads; of others those that are asked of her, that
    she has answered, or that are her own."""
    rows = ApprovalRequest.objects.with_state().select_related("tenant")
    if not person.partly:
        return rows.filter(tenant__in=person.whole)
    hers = (
        person.asked
        | Q(pk__in=Answer.objects.filter(approver=person.user).values("request"))
        | Q(broken_by=person.user.get_username())
        | _asked_for(person.names)
    )
    return rows.alias(**_SUBJECT).filter(
        Q(tenant__in=person.whole) | (Q(tenant__in=person.partly) & hers)
    )


def waiting_for(person: Viewer) -> ApprovalRequestQuerySet:
    """Open requests that she may answer and has not."""
    return (
        visible_to(person)
        .open()
        .alias(**_SUBJECT)
        .filter(person.asked, tenant__in=person.tenants)
        .exclude(pk__in=Answer.objects.filter(approver=person.user).values("request"))
    )


def waiting_for_others(person: Viewer) -> ApprovalRequestQuerySet:
    """The other open requests that she sees."""
    return visible_to(person).open().exclude(pk__in=waiting_for(person).values("pk"))


def settled(person: Viewer) -> ApprovalRequestQuerySet:
    """What was decided or has expired."""
    return visible_to(person).filter(~Q(status="pending") | Q(expires_at__lte=Now()))


def to_review(person: Viewer) -> ApprovalRequestQuerySet:
    """Broken glass that nobody else has looked at yet."""
    return visible_to(person).to_review()


@dataclass(frozen=True, slots=True, kw_only=True)
class Tab:
    """One list of the inbox."""

    key: str
    title: Any
    empty: Any
    rows: ApprovalRequestQuerySet
    count: str  # "" where nobody counts
    selected: bool


_TABS = (
    (
        MINE,
        _("Waiting for me"),
        waiting_for,
        _("Nothing waits for your answer. What a policy holds for your groups appears here."),
    ),
    (
        OTHERS,
        _("Waiting for others"),
        waiting_for_others,
        _("Nothing that you may see waits for others."),
    ),
    (SETTLED, _("Settled"), settled, _("Nothing was settled yet.")),
)


def tabs(person: Viewer, chosen: str) -> list[Tab]:
    """The lists, of which one is selected; what is settled is not counted."""
    selected = chosen if chosen in {MINE, OTHERS, SETTLED} else MINE
    return [
        Tab(
            key=key,
            title=title,
            empty=empty,
            rows=rows(person),
            count=_count(key, person),
            selected=key == selected,
        )
        for key, title, rows, empty in _TABS
    ]


def _count(key: str, person: Viewer) -> str:
    if key == SETTLED:
        return ""
    return count_of(person) if key == MINE else _told(waiting_for_others(person))


def count_of(person: Viewer) -> str:
    """How many wait for her, as a page tells it: `7`, or `99+`."""
    return _told(waiting_for(person))


def _told(rows: ApprovalRequestQuerySet) -> str:
    count = rows.order_by()[:MAX_COUNTED].count()
    return f"{MAX_COUNTED - 1}+" if count >= MAX_COUNTED else str(count)


def page_of(rows: ApprovalRequestQuerySet, tab: str, after: str) -> list[ApprovalRequest]:
    """One page and one row more: what expires first, of settled requests the newest first.

    `after` is the last request of the page before; by key, so that nothing is skipped or shown
    twice while requests come and go.
    """
    last = rows.model.objects.filter(pk=storable(after), tenant__in=rows.values("tenant")).first()
    if tab == SETTLED:
        if last is not None:
            rows = rows.filter(
                Q(created_at__lt=last.created_at) | Q(created_at=last.created_at, pk__lt=last.pk)
            )
        return list(rows.order_by("-created_at", "-pk")[: PAGE_ROWS + 1])
    if last is not None:
        rows = rows.filter(
            Q(expires_at__gt=last.expires_at) | Q(expires_at=last.expires_at, pk__gt=last.pk)
        )
    return list(rows.order_by("expires_at", "pk")[: PAGE_ROWS + 1])


def delegations_to(user: User, tenants: Sequence[int]) -> QuerySet[Delegation]:
    """By which she answers in somebody's place now."""
    return Delegation.objects.active().filter(
        delegate=user,
        tenant__in=tenants,
        approver__is_active=True,
        approver__memberships__tenant=F("tenant"),
    )


def delegations_of(person: Viewer) -> QuerySet[Delegation]:
    """By which somebody answers in her place now."""
    return Delegation.objects.active().filter(approver=person.user, tenant__in=person.tenants)


# --- Who is asked ---------------------------------------------------------------------------

# Names are compared in lower case, as `accounts.approvers` has it.
_SUBJECT = {"subject": Lower("user_id"), "proven": Lower("verified_user")}


def _asked(user: User, own_names: frozenset[str], tenants: Sequence[int]) -> Q:
    """As `eligibility.roster` has it, which decides when she answers."""
    asked = _by_right(user)
    for row in delegations_to(user, tenants).select_related("approver"):
        principal = row.approver
        names = approvers.names_of([principal.get_username(), principal.email])
        asked |= Q(tenant=row.tenant_id) & _by_right(principal) & ~_asked_for(names)
    return asked & ~_asked_for(own_names)


def _by_right(user: User) -> Q:
    through = ApprovalRequest.groups.through.objects.filter(group__in=user.groups.all())
    alone = UserObjectPermission.objects.filter(
        user=user,
        permission__codename=CODENAME,
        permission__content_type__app_label=ApprovalRequest._meta.app_label,
    )
    return Q(pk__in=through.values("approvalrequest")) | Q(pk__in=alone.values("object_pk"))


def _asked_for(names: frozenset[str]) -> Q:
    """Of an operation that was asked for somebody of those names."""
    return Q(subject__in=names) | Q(proven__in=names)
