"""The first page: what needs doing, the last day, the last decisions."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.utils import timezone

from audit.querysets import HourCount
from axonportal.accounts.models import Membership
from axonportal.overview import chart, nice_ticks
from policies.services import update_policy
from tests.approvals.holding import held
from tests.audit.records import stored
from tests.factories import MembershipFactory, TenantFactory, UserFactory, approver, issued
from tests.portal.people import World, browser, read


def _page(user: Any) -> str:
    return browser(user).get("/admin/").content.decode()


def test_an_empty_portal_says_how_to_connect_a_client(db: None) -> None:
    user = MembershipFactory(tenant=TenantFactory(), role=Membership.Role.OWNER).user

    page = _page(user)

    assert "Connect the first client" in page
    assert "/api/v1/hooks/claude-code" in page
    assert "/api/policy/pre-check" in page
    assert "No decisions in the last 24 hours." in page


def test_a_hook_that_asked_needs_no_more_instructions(ours: World) -> None:
    before = _page(ours.owner)

    stored(tenant_id=ours.tenant.pk, agent="claude-code")

    assert "put this into .claude/settings.json" in before
    assert "put this into .claude/settings.json" not in _page(ours.owner)


def test_it_says_what_waits(ours: World) -> None:
    update_policy(ours.policy, {"mode": "observe"}, actor="ada")
    issued(ours.client, name="soon over", expires_at=timezone.now() + timedelta(days=3))
    stored(tenant_id=ours.tenant.pk, triggered_policies=["ours-policy"])

    page = read(_page(ours.owner)).text

    assert "1 operation was refused in the last hour" in page
    assert "changed nothing: ours-policy (2)" in page
    assert "expires within 14 days: ours-client: soon over" in page


def test_numbers_are_compared_and_lead_to_what_they_count(ours: World) -> None:
    for _ in range(3):
        stored(tenant_id=ours.tenant.pk, at=timezone.now() - timedelta(hours=30))

    page = _page(ours.owner)

    assert "2 fewer than the day before" in page
    assert "1 more than the day before" in page
    assert "/admin/audit/gatewaycontext/?window=24h&amp;verdict=deny" in page


def test_the_chart_stands_beside_a_table_with_the_same_figures(ours: World) -> None:
    page = _page(ours.owner)

    assert '<rect class="deny"' in page
    assert "UTC: 1 denied</title>" in page
    assert page.count('<th scope="row">') == 24


def test_bars_are_stacked_on_a_scale_with_round_ticks() -> None:
    first = datetime(2026, 1, 1, tzinfo=UTC)
    counts = [
        HourCount(hour=first, verdict="allow", count=30),
        HourCount(hour=first, verdict="deny", count=10),
    ]

    drawn = chart(counts, first)

    assert [tick for tick, _place in drawn.ticks] == [0, 10, 20, 30, 40]
    assert [(bar.verdict, bar.y, bar.height) for bar in drawn.bars] == [
        ("deny", 75.0, 25.0),
        ("allow", 0.0, 75.0),
    ]
    assert drawn.hours[0].counts == [10, 0, 30]


@pytest.mark.parametrize(
    ("highest", "last"), [(0, 1), (1, 1), (4, 4), (5, 6), (9, 10), (41, 60), (999, 1000)]
)
def test_an_axis_ends_on_a_round_number(highest: int, last: int) -> None:
    ticks = nice_ticks(highest)

    assert ticks[0] == 0
    assert ticks[-1] == last
    assert len(ticks) <= 5


def test_a_superuser_without_a_tenant_is_told_what_to_do(db: None) -> None:
    root = UserFactory(is_superuser=True, is_staff=True)

    assert "You belong to no tenant yet" in _page(root)


def test_what_waits_for_my_answer_comes_first(ours: World) -> None:
    ann = approver(ours.tenant, username="ann")
    held(ours.tenant, "deploy <b>production</b>\u202e")
    held(ours.tenant, "another")

    page = _page(ann)

    text = read(page).text
    assert "2 waiting for your answer; the first expires in 23 h" in text
    assert "deploy <b>production</b>" in text
    assert "\u202e" not in page
    assert "Decisions per hour" not in text  # she reads no trail
