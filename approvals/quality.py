"""How people answer: how fast, how often yes, how often unread or not at all."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.db import connection
from django.utils import timezone

WINDOWS = {"7d": timedelta(days=7), "30d": timedelta(days=30), "90d": timedelta(days=90)}
DEFAULT_WINDOW = "30d"
QUICK_S = 3  # who answers sooner after the page has come has not read it
# A policy is always approved if so many of its requests were decided, and all but so few with yes.
ALWAYS_LEAST = 20
ALWAYS_SHARE = 0.98
ALWAYS_WINDOW = WINDOWS["90d"]
MAX_ROWS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ApproverFigures:
    """How one person answers; `median_s` from the request to her answer."""

    name: str
    given: int
    approved: int
    measured: int
    quick: int
    median_s: float | None
    missed: int  # expired, and she who could have answered did not

    @property
    def approved_share(self) -> float | None:
        return self.approved / self.given if self.given else None

    @property
    def quick_share(self) -> float | None:
        return self.quick / self.measured if self.measured else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyFigures:
    """How requests of one policy end; `median_s` from the request to its end by answers."""

    policy_id: str
    name: str
    asked: int
    approved: int
    denied: int
    missed: int  # expired without any answer
    measured: int
    quick: int
    median_s: float | None

    @property
    def decided(self) -> int:
        return self.approved + self.denied

    @property
    def approved_share(self) -> float | None:
        return self.approved / self.decided if self.decided else None

    @property
    def quick_share(self) -> float | None:
        return self.quick / self.measured if self.measured else None

    @property
    def is_always_approved(self) -> bool:
        return self.decided >= ALWAYS_LEAST and (self.approved_share or 0) >= ALWAYS_SHARE


def by_approver(tenants: Sequence[int], since: datetime) -> list[ApproverFigures]:
    """Who answered or should have, by name."""
    rows = _read(
        """
        WITH given AS (
            SELECT a.approver_name AS name, count(*) AS given,
                   count(*) FILTER (WHERE a.choice = 'approve') AS approved,
                   count(a.considered_s) AS measured,
                   count(*) FILTER (WHERE a.considered_s < %(quick)s) AS quick,
                   percentile_cont(0.5) WITHIN GROUP (
                       ORDER BY extract(epoch FROM a.answered_at - r.created_at)
                   ) AS median_s
            FROM approvals_answer a JOIN approvals_approvalrequest r ON r.id = a.request_id
            WHERE r.tenant_id = ANY(%(tenants)s) AND r.created_at >= %(since)s
            GROUP BY a.approver_name
        ), missed AS (
            SELECT u.username AS name, count(DISTINCT r.id) AS missed
            FROM approvals_approvalrequest r
            JOIN approvals_approvalrequest_groups g ON g.approvalrequest_id = r.id
            JOIN accounts_user_groups ug ON ug.group_id = g.group_id
            JOIN accounts_user u ON u.id = ug.user_id AND u.is_active
            JOIN accounts_membership m ON m.user_id = u.id AND m.tenant_id = r.tenant_id
            WHERE r.tenant_id = ANY(%(tenants)s) AND r.created_at >= %(since)s
              AND (r.status = 'expired'
                   OR r.status = 'pending' AND r.expires_at <= statement_timestamp())
              AND lower(u.username) NOT IN (lower(r.user_id), lower(r.verified_user))
              AND NOT EXISTS (
                  SELECT FROM approvals_answer a WHERE a.request_id = r.id AND a.approver_id = u.id
              )
            GROUP BY u.username
        )
        SELECT name, coalesce(given, 0) AS given, coalesce(approved, 0) AS approved,
               coalesce(measured, 0) AS measured, coalesce(quick, 0) AS quick, median_s,
               coalesce(missed, 0) AS missed
        FROM given FULL JOIN missed USING (name) ORDER BY name LIMIT %(limit)s
        """,
        tenants,
        since,
    )
    return [ApproverFigures(**row) for row in rows]


def by_policy(tenants: Sequence[int], since: datetime, policy_id: str = "") -> list[PolicyFigures]:
    """The policies that asked, the busiest first; one that asked with others counts as they do.

    A broken glass is nobody's approval.
    """
    rows = _read(
        """
        SELECT p->>'policy_id' AS policy_id, max(p->>'policy') AS name, count(*) AS asked,
               count(*) FILTER (WHERE r.status = 'approved' AND r.broken_by = '') AS approved,
               count(*) FILTER (WHERE r.status = 'denied') AS denied,
               count(*) FILTER (
                   WHERE a.given = 0
                     AND (r.status = 'expired'
                   OR r.status = 'pending' AND r.expires_at <= statement_timestamp())
               ) AS missed,
               sum(a.measured)::int AS measured, sum(a.quick)::int AS quick,
               percentile_cont(0.5) WITHIN GROUP (
                   ORDER BY extract(epoch FROM r.settled_at - r.created_at)
               ) FILTER (WHERE r.status IN ('approved', 'denied')) AS median_s
        FROM approvals_approvalrequest r
        CROSS JOIN LATERAL jsonb_array_elements(r.policies) p
        CROSS JOIN LATERAL (
            SELECT count(*) AS given, count(considered_s) AS measured,
                   count(*) FILTER (WHERE considered_s < %(quick)s) AS quick
            FROM approvals_answer WHERE request_id = r.id
        ) a
        WHERE r.tenant_id = ANY(%(tenants)s) AND r.created_at >= %(since)s
          AND (%(policy_id)s = '' OR p->>'policy_id' = %(policy_id)s)
        GROUP BY p->>'policy_id' ORDER BY asked DESC, name LIMIT %(limit)s
        """,
        tenants,
        since,
        policy_id=policy_id,
    )
    return [PolicyFigures(**row) for row in rows]


def always_approved(tenant_id: int, policy_id: str) -> PolicyFigures | None:
    """The figures of a policy that everybody always approves."""
    found = by_policy([tenant_id], timezone.now() - ALWAYS_WINDOW, policy_id)
    return found[0] if found and found[0].is_always_approved else None


def _read(
    question: str, tenants: Sequence[int], since: datetime, **more: Any
) -> list[dict[str, Any]]:
    values = {"tenants": list(tenants), "since": since, "quick": QUICK_S, "limit": MAX_ROWS, **more}
    with connection.cursor() as cursor:
        cursor.execute(question, values)
        names = [column[0] for column in cursor.description]
        return [dict(zip(names, row, strict=True)) for row in cursor.fetchall()]
