"""The questions to the trail. Each starts from a tenant and, where it can, from a span of time:
the tenant keeps others' rows out, the time keeps other months' partitions out."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self, TypeVar

from django.db import models
from django.db.models import Count, F, Func, Q, Value
from django.db.models.functions import TruncHour

from audit import ids
from audit.text import storable

if TYPE_CHECKING:
    from audit.models import (  # noqa: F401 (ruff does not read the strings in brackets below)
        AuditEvent,
        GatewayContext,
        LlmCall,
        Record,
        ToolCall,
    )

MAX_SEARCH_WORDS = 16
# A tool use is reported within a session; older decisions are not looked through for it.
TOOL_USE_SPAN = timedelta(days=7)

R = TypeVar("R", bound="Record")


@dataclass(frozen=True, slots=True, kw_only=True)
class HourCount:
    """How many decisions of one verdict fell into the hour (UTC) that begins at `hour`."""

    hour: datetime
    verdict: str
    count: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """Decisions of a window, by verdict; `redacted` counts those that required redaction."""

    total: int
    allowed: int
    denied: int
    held: int
    redacted: int


class RecordQuerySet(models.QuerySet[R]):
    """What every table of the trail is asked."""

    def for_tenant(self, tenant_id: int) -> Self:
        """One tenant's rows; where every question begins."""
        return self.filter(tenant_id=tenant_id)

    def between(self, start: datetime, end: datetime) -> Self:
        """From `start` on and before `end`."""
        return self.filter(created_at__gte=start, created_at__lt=end)

    def by_id(self, record_id: str) -> Self:
        """The row of that id, by the whole primary key and in one partition; else none."""
        if (at := ids.time_of(record_id)) is None:
            return self.none()
        return self.filter(created_at=at, pk=record_id)

    def older_than(self, record_id: str) -> Self:
        """What comes after that row in a list, newest first; everything if it is no id."""
        if (at := ids.time_of(record_id)) is None:
            return self
        return self.filter(Q(created_at__lt=at) | Q(pk__lt=record_id), created_at__lte=at)

    def newest(self, tenant_ids: Sequence[int], limit: int) -> list[R]:
        """The newest rows of these tenants. One read of an index per tenant: asked for several
        at once, PostgreSQL would sort all their rows."""
        rows = [row for key in tenant_ids for row in self.for_tenant(key)[:limit]]
        rows.sort(key=lambda row: (row.created_at, row.pk), reverse=True)
        return rows[:limit]

    def recent_values(self, field: str, tenant_ids: Sequence[int], *, sample: int) -> list[str]:
        """The values of a column in the newest `sample` rows of each tenant, sorted."""
        values: set[str] = set()
        for key in tenant_ids:
            values.update(self.for_tenant(key).values_list(field, flat=True)[:sample])
        return sorted(values - {""})


class GatewayContextQuerySet(RecordQuerySet["GatewayContext"]):
    """What is asked about decisions."""

    def by_context_id(self, context_id: str) -> Self:
        """The decision of that id, read in one partition; none if there cannot be one."""
        return self.by_id(context_id)

    def denied(self) -> Self:
        """Denied, not merely held."""
        return self.filter(approved=False, verdict="deny")

    def refused(self) -> Self:
        """Not approved: denied or held for approval."""
        return self.filter(approved=False)

    def of_session(self, session_id: str) -> Self:
        """What an agent did in one session, in order."""
        return self.filter(session_id=storable(session_id)).order_by("created_at", "context_id")

    def of_tool_use(self, session_id: str, tool_use_id: str, *, before: datetime) -> Self:
        """The decision that the agent asked for ahead of this tool use, newest first."""
        if not session_id or not tool_use_id:
            return self.none()
        return self.filter(
            session_id=storable(session_id),
            tool_use_id=storable(tool_use_id),
            phase="before",
            created_at__gt=before - TOOL_USE_SPAN,
            created_at__lte=before,
        ).order_by("-created_at")

    def search(self, words: str) -> Self:
        """Texts that hold all the words, in any case and order; `word*` stands for its endings.

        A name with dots or slashes is looked for as its parts in a row. Only the first 100,000
        characters of a text are looked through, and the first 16 words are looked for. Narrow it
        by time first: without an index every row of the span is read (about 25 µs each).
        """
        query = _tsquery(words)
        if not query:
            return self.none()
        return self.filter(
            Func(
                F("query"),
                Value(query),
                function="audit_holds",
                output_field=models.BooleanField(),
            )
        )

    def of_policy(self, name: str) -> Self:
        """Decisions that a policy of that name matched."""
        return self.filter(triggered_policies__contains=[name])

    def matches_per_policy(self) -> dict[tuple[int, str], int]:
        """How often each policy matched, by the tenant's id and the policy's name."""
        rows = (
            self.exclude(triggered_policies=[])
            .order_by()
            .annotate(policy=Func(F("triggered_policies"), function="unnest"))
            .values_list("tenant_id", "policy")
            .annotate(count=Count("*"))
        )
        return {(tenant_id, policy): count for tenant_id, policy, count in rows}

    def around(self, context: GatewayContext, *, each: int) -> list[GatewayContext]:
        """The decisions of the same session just before and after, in order, itself included."""
        if not context.session_id:
            return []
        session = self.for_tenant(context.tenant_id).filter(session_id=context.session_id)
        here = Q(created_at=context.created_at)
        before = session.filter(
            Q(created_at__lt=context.created_at) | here & Q(pk__lt=context.pk)
        ).order_by("-created_at", "-context_id")
        after = session.filter(
            Q(created_at__gt=context.created_at) | here & Q(pk__gt=context.pk)
        ).order_by("created_at", "context_id")
        return [*reversed(before[:each]), context, *after[:each]]

    def per_hour(self) -> list[HourCount]:
        """Decisions per hour (UTC) and verdict, oldest first; hours without any are left out."""
        rows = (
            self.annotate(hour=TruncHour("created_at", tzinfo=UTC))
            .values_list("hour", "verdict")
            .annotate(count=Count("*"))
            .order_by("hour", "verdict")
        )
        return [HourCount(hour=hour, verdict=verdict, count=n) for hour, verdict, n in rows]

    def totals(self, start: datetime, end: datetime) -> tuple[Totals, Totals]:
        """The totals of `[start, end)`, and of the window of the same length before it."""
        counted = self.between(start - (end - start), end).aggregate(
            **_counts("now_", Q(created_at__gte=start)),
            **_counts("before_", Q(created_at__lt=start)),
        )
        return _totals(counted, "now_"), _totals(counted, "before_")


class ToolCallQuerySet(RecordQuerySet["ToolCall"]):
    """What is asked about reported tool calls."""

    def of_context(self, context: GatewayContext) -> Self:
        """What ran after that decision, in order."""
        return self.filter(
            tenant_id=context.tenant_id,
            context_id=context.context_id,
            created_at__gte=context.created_at,
        ).order_by("created_at", "tool_call_id")

    def following(self, context: GatewayContext) -> Self:
        """What ran after that decision: reported for it, or of the same tool use."""
        same = Q(context_id=context.context_id)
        if context.session_id and context.tool_use_id:
            same |= Q(session_id=context.session_id, tool_use_id=context.tool_use_id)
        return self.filter(
            same,
            tenant_id=context.tenant_id,
            created_at__gte=context.created_at,
            created_at__lt=context.created_at + TOOL_USE_SPAN,
        ).order_by("created_at", "tool_call_id")


class LlmCallQuerySet(RecordQuerySet["LlmCall"]):
    """What is asked about reported model calls."""

    def of_context(self, context: GatewayContext) -> Self:
        """The model calls reported for that decision, in order."""
        return self.filter(
            tenant_id=context.tenant_id,
            created_at=context.created_at,
            context_id=context.context_id,
        ).order_by("recorded_at")


class AuditEventQuerySet(RecordQuerySet["AuditEvent"]):
    """What is asked about acts."""

    def about(self, target: models.Model) -> Self:
        """The acts that changed or read `target`, newest first."""
        return self.filter(target_type=target._meta.label_lower, target_id=str(target.pk))


# Letters and digits of any script; what else there is parts the words, as in `audit_words`.
_PARTS = re.compile(r"[^\W_]+")


def _tsquery(words: str) -> str:
    """`public.users drop*` as `('public' <-> 'users') & 'drop':*`."""
    terms = []
    for word in words.split()[:MAX_SEARCH_WORDS]:
        parts = [f"'{part}'" for part in _PARTS.findall(word)]
        if not parts:
            continue
        if word.endswith("*"):
            parts[-1] += ":*"
        terms.append(f"({' <-> '.join(parts)})")
    return " & ".join(terms)


def _counts(prefix: str, window: Q) -> dict[str, Count]:
    return {
        f"{prefix}total": Count("pk", filter=window),
        f"{prefix}allowed": Count("pk", filter=window & Q(verdict="allow")),
        f"{prefix}denied": Count("pk", filter=window & Q(verdict="deny")),
        f"{prefix}held": Count("pk", filter=window & Q(verdict="hold")),
        f"{prefix}redacted": Count("pk", filter=window & Q(requires_redaction=True)),
    }


def _totals(counted: dict[str, Any], prefix: str) -> Totals:
    return Totals(
        **{
            name: counted[prefix + name]
            for name in ("total", "allowed", "denied", "held", "redacted")
        }
    )
