"""What `POST /api/policy/pre-check` answers; the integration guide's own samples among it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest
from django.utils import timezone

from audit.models import GatewayContext
from axonportal.accounts.models import Tenant
from tests.factories import saved_policy
from tests.gateway.calling import PRE_CHECK, Api

ALWAYS = {"context_id", "approved", "policies", "expires_at"}


def guide(query: str, **context: str) -> dict[str, object]:
    """A body as the guide's curl commands send it."""
    return {
        "user_token": "developer",
        "client_id": "claude-code",
        "query": query,
        "context": context,
    }


@pytest.mark.parametrize(
    ("query", "approved"),
    [
        pytest.param("SELECT * FROM orders WHERE customer_id = 12345", True, id="approved"),
        pytest.param("DROP TABLE users", False, id="blocked"),
        pytest.param("mail jane.roe@acme-corp.com", True, id="redaction"),
    ],
)
def test_the_fields_that_clients_rely_on_are_always_there(
    demo: Api, query: str, approved: bool
) -> None:
    answer = demo.post(PRE_CHECK, guide(query))

    assert answer.status == 200
    assert answer.body.keys() >= ALWAYS
    assert answer.body["approved"] is approved
    assert isinstance(answer.body["policies"], list)
    assert answer.body["context_id"].startswith("ctx_")
    assert None not in answer.body.values()


def test_the_expiry_is_an_iso_time_in_utc_five_minutes_ahead(demo: Api) -> None:
    before = timezone.now()

    answer = demo.pre_check("ls", client_id="claude-code")

    assert answer["expires_at"].endswith("Z")
    ahead = datetime.fromisoformat(answer["expires_at"]) - before
    assert timedelta(minutes=4, seconds=59) < ahead < timedelta(minutes=5, seconds=10)


def test_drop_table_is_blocked_as_a_dangerous_query(demo: Api) -> None:
    answer = demo.post(PRE_CHECK, guide("DROP TABLE users")).body

    assert answer["approved"] is False
    assert answer["policies"] == ["dangerous_query_blocking"]
    assert answer["block_reason"] == "Destructive database statement"


def test_drop_table_with_a_comment_is_an_injection_as_the_guide_has_it(demo: Api) -> None:
    answer = demo.post(PRE_CHECK, guide("DROP TABLE users; --")).body

    assert answer["approved"] is False
    assert answer["policies"][0] == "sql_injection_detection"
    assert "dangerous_query_blocking" in answer["policies"]
    assert answer["block_reason"].startswith("SQL injection pattern detected")


def test_the_guides_query_for_orders_is_approved_without_a_policy(demo: Api) -> None:
    answer = demo.post(
        PRE_CHECK, guide("SELECT * FROM orders WHERE customer_id = 12345", tool="mcp__postgres")
    ).body

    assert answer["approved"] is True
    assert answer["policies"] == []
    assert "requires_redaction" not in answer
    assert "block_reason" not in answer


def test_an_email_and_a_phone_number_require_redaction_and_are_both_named(demo: Api) -> None:
    answer = demo.post(
        PRE_CHECK, guide("write to jane.roe@acme-corp.com or call +1 415 555 2671")
    ).body

    assert answer["approved"] is True
    assert answer["requires_redaction"] is True
    assert answer["policies"] == ["pii_email_detection", "pii_phone_detection"]


def test_a_custom_policy_is_enforced(api: Api, tenant: Tenant) -> None:
    saved_policy(tenant)

    blocked = api.pre_check("connect to PRODUCTION")
    benign = api.pre_check("connect to staging")

    assert blocked["approved"] is False
    assert blocked["policies"] == ["no-production"]
    assert blocked["block_reason"] == "Production access blocked"
    assert benign["approved"] is True


def test_conditions_on_the_context_are_enforced(api: Api, tenant: Tenant) -> None:
    saved_policy(
        tenant,
        conditions=[
            {"field": "context.project", "operator": "equals", "value": "customer-portal"},
            {"field": "tool", "operator": "equals", "value": "Bash"},
            {"field": "working_directory", "operator": "starts_with", "value": "/home/user"},
        ],
    )
    context = {
        "tool": "Bash",
        "working_directory": "/home/user/project",
        "session_id": "claude-session-123",
        "project": "customer-portal",
    }

    blocked = api.pre_check("ls", context=context)
    elsewhere = api.pre_check("ls", context={**context, "project": "website"})

    assert blocked["approved"] is False
    assert elsewhere["approved"] is True


def test_unknown_fields_are_recorded_as_context(api: Api) -> None:
    answer = api.pre_check("ls", context={"tool": "Bash"}, ticket="OPS-7", nested={"a": [1, None]})

    stored = GatewayContext.objects.get(context_id=answer["context_id"])
    assert stored.context == {"tool": "Bash", "ticket": "OPS-7", "nested": {"a": [1, None]}}


def test_the_record_has_what_the_guide_shows(demo: Api) -> None:
    answer = demo.post(PRE_CHECK, guide("DROP TABLE users; --")).body

    row = GatewayContext.objects.get(context_id=answer["context_id"])
    assert row.client_id == "claude-code"
    assert row.user_id == "developer"
    assert row.query == "DROP TABLE users; --"
    assert row.approved is False
    assert row.triggered_policies == answer["policies"]
    assert row.block_reason == answer["block_reason"]
    assert row.expires_at is not None


def test_a_context_can_be_reported_on_at_once(api: Api) -> None:
    answer = api.pre_check("summarise the file")

    reported = api.post(
        "/api/audit/llm-call",
        {"context_id": answer["context_id"], "provider": "anthropic", "model": "claude"},
    )

    assert reported.status == 200
    assert reported.body["success"] is True


def test_a_policy_that_asks_for_approval_holds_the_operation(api: Api, tenant: Tenant) -> None:
    saved_policy(tenant, actions=[{"type": "require_approval", "approvers": ["security-team"]}])

    answer = api.pre_check("deploy to production")

    assert answer["approved"] is False
    assert answer["verdict"] == "hold"
    assert answer["block_reason"].startswith("require_approval")
    assert "security-team" in answer["block_reason"]


def test_a_warning_lets_the_operation_run_and_says_so(api: Api, tenant: Tenant) -> None:
    saved_policy(tenant, actions=[{"type": "warn", "message": "Mind the load"}])

    answer = api.pre_check("query production")

    assert answer["approved"] is True
    assert answer["warnings"] == ["Mind the load"]


def test_the_hot_path_asks_the_database_once_for_the_record(
    api: Api, django_assert_num_queries: object
) -> None:
    api.pre_check("ls")

    # Inline recorder: a savepoint round the one INSERT.
    with django_assert_num_queries(3):  # type: ignore[operator]
        api.pre_check("ls")
