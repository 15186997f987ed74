"""What the portal asks the trail."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from audit.models import AuditEvent, GatewayContext, LlmCall, ToolCall
from audit.querysets import GatewayContextQuerySet, HourCount, Totals
from audit.services import record_event, record_llm_call, record_tool_call
from tests.audit.records import TENANT, stored

pytestmark = pytest.mark.django_db

NOON = datetime(2026, 1, 24, 12, tzinfo=UTC)


def _of_tenant() -> GatewayContextQuerySet:
    return GatewayContext.objects.for_tenant(TENANT)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("customers", True),
        ("CUSTOMERS", True),
        ("public.customers", True),
        ("id customers", True),
        ("customers.public", False),
        ("customer", False),
        ("custom*", True),
        ("etc", True),
        ("/etc/passwd", True),
        ("passwd/etc", False),
        ("evil.example", True),
        ("user_id", True),
        ("größe", True),
        ("customers absent", False),
        ("", False),
        ("' | & ! ( :* <->", False),
        ("customers'", True),
        ("\\", False),
    ],
    ids=str,
)
def test_search_finds_all_the_words_in_any_case_and_the_parts_of_a_name(words, found):
    stored(
        query="SELECT user_id FROM public.customers WHERE note='größe' -- /etc/passwd "
        "https://evil.example/x?id=1"
    )

    assert _of_tenant().search(words).exists() is found


def test_search_stands_a_text_of_a_megabyte_of_different_words():
    stored(query="needle " + " ".join(f"w{number}" for number in range(200_000)))

    assert _of_tenant().search("needle").exists()


def test_a_tenant_never_meets_another():
    mine, other = stored(), stored(tenant_id=TENANT + 1)

    assert list(_of_tenant()) == [mine]
    assert not _of_tenant().by_context_id(other.context_id).exists()


def test_between_takes_the_start_and_leaves_the_end():
    first, _ = stored(at=NOON), stored(at=NOON + timedelta(hours=1))

    assert list(_of_tenant().between(NOON, NOON + timedelta(hours=1))) == [first]


def test_denied_leaves_out_what_is_held_and_refused_does_not():
    stored()
    held = stored(verdict="hold")
    denied = stored(verdict="deny")

    assert list(_of_tenant().denied()) == [denied]
    assert set(_of_tenant().refused()) == {held, denied}


def test_the_newest_comes_first_also_within_a_millisecond():
    made = [stored() for _ in range(20)]

    assert list(_of_tenant()) == made[::-1]


def test_decisions_are_counted_per_hour_and_verdict():
    for minutes, verdict in [(0, "allow"), (59, "allow"), (59, "deny"), (60, "hold")]:
        stored(at=NOON + timedelta(minutes=minutes), verdict=verdict)

    with timezone.override("Asia/Kolkata"):
        hours = _of_tenant().per_hour()

    assert hours == [
        HourCount(hour=NOON, verdict="allow", count=2),
        HourCount(hour=NOON, verdict="deny", count=1),
        HourCount(hour=NOON + timedelta(hours=1), verdict="hold", count=1),
    ]


def test_totals_come_with_those_of_the_window_before(django_assert_num_queries):
    stored(at=NOON, requires_redaction=True)
    stored(at=NOON + timedelta(minutes=1), verdict="deny")
    stored(at=NOON - timedelta(minutes=1), verdict="hold")
    stored(at=NOON - timedelta(hours=2))

    with django_assert_num_queries(1):
        now, before = _of_tenant().totals(NOON, NOON + timedelta(hours=1))

    assert now == Totals(total=2, allowed=1, denied=1, held=0, redacted=1)
    assert before == Totals(total=1, allowed=0, denied=0, held=1, redacted=0)


def test_a_session_reads_in_its_order():
    made = [stored(session_id="s1") for _ in range(3)]
    stored(session_id="s2")

    assert list(_of_tenant().of_session("s1")) == made


def test_a_decision_leads_to_what_was_reported_after_it():
    context, another = stored(), stored()
    call = record_tool_call(
        tenant_id=TENANT, client_id="c", tool_name="Bash", context_id=context.context_id
    )
    llm = record_llm_call(context, client_id="c", provider="p", model="m")

    assert list(ToolCall.objects.of_context(context)) == [call]
    assert list(LlmCall.objects.of_context(context)) == [llm]
    assert not ToolCall.objects.of_context(another).exists()
    assert not LlmCall.objects.of_context(another).exists()


def test_the_acts_about_a_thing_are_found_by_the_thing():
    context = stored()
    read = record_event("context.read", actor="ada", target=context, tenant_id=TENANT)
    record_event("portal.sign_in", actor="ada")

    assert list(AuditEvent.objects.about(context)) == [read]
