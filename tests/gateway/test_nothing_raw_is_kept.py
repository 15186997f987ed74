"""Promise 3: whatever came, and whatever was decided, no personal data and no secret is stored."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest
from django.db import connection

from axonportal.accounts.models import Tenant
from axonportal.gateway.keeping import of_json
from policies import services
from policies.models import Policy
from tests.factories import saved_policy
from tests.gateway.calling import DYNAMIC, HOOK, PRE_CHECK, TOOL_CALL, Api
from tests.gateway.test_hooks import EVENTS, before

SSN = "536-22-8726"
EMAIL = "jane.roe@acme-corp.com"  # the detectors leave example.com alone
CARD = "4111 1111 1111 1111"
TOKEN = "ghp_" + "a1B2c3D4e5F6g7H8i9J0k1L2m3N4o5P6q7R8"
RAW = (SSN, EMAIL, "jane.roe@example.com", CARD, TOKEN, CARD.replace(" ", ""))


def everything_stored() -> str:
    """All rows of all tables of the portal, as text."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT relname FROM pg_class JOIN pg_namespace n ON n.oid = relnamespace "
            "WHERE relkind IN ('r', 'p') AND NOT relispartition AND nspname = 'public'"
        )
        tables = [name for (name,) in cursor.fetchall()]
        rows = []
        for table in tables:
            cursor.execute(f'SELECT row_to_json(t)::text FROM "{table}" t')  # noqa: S608
            rows += [row for (row,) in cursor.fetchall()]
    assert rows
    return "\n".join(rows)


def assert_nothing_raw() -> str:
    stored = everything_stored()
    assert [value for value in RAW if value in stored] == []
    return stored


def test_a_replay_of_the_captured_session_leaves_redacted_rows_only(hook_api: Api) -> None:
    for path in EVENTS:
        hook_api.hook(json.loads(path.read_text(encoding="utf-8")))

    stored = assert_nothing_raw()

    assert "[SSN]" in stored
    assert "[EMAIL]" in stored


@pytest.mark.parametrize(
    "mode",
    [
        pytest.param({}, id="redact"),
        pytest.param({"mode": "observe"}, id="observe"),
        pytest.param({"enabled": False}, id="switched off"),
        pytest.param({"actions": [{"type": "log"}]}, id="log"),
        pytest.param({"actions": [{"type": "block"}]}, id="block"),
    ],
)
@pytest.mark.parametrize(
    "query",
    [
        f"SELECT * FROM people WHERE ssn = '{SSN}' AND mail = '{EMAIL}'",  # noqa: S608
        f"charge {CARD} for {EMAIL}",
        f"curl -H 'Authorization: token {TOKEN}' https://api.example.com",
        f"psql postgresql://ada@example.com/{SSN}",
    ],
)
def test_the_trail_is_redacted_whatever_the_policies_say(
    api: Api, tenant: Tenant, mode: dict[str, Any], query: str
) -> None:
    for policy in Policy.objects.for_tenant(tenant.pk):
        services.update_policy(policy, mode, actor="ada")

    api.pre_check(query, context={"note": query, "list": [query, {"deep": query}]})

    assert_nothing_raw()


@pytest.mark.parametrize(
    "command",
    [
        f"charge --card {CARD} --mail {EMAIL}",
        f"charge --card  4111  1111 1111 1111 --mail '{EMAIL}'",
        f"git push https://ada:{TOKEN}@git.acme-corp.com/shop.git main",
        f"curl -H 'Authorization: token {TOKEN[:9]}''{TOKEN[9:]}' https://api.acme-corp.com",
        f"psql 'host=db user={EMAIL} dbname={SSN}' && echo {'padding ' * 200}{CARD}",
        f"sudo env PGUSER={EMAIL} psql -h db shop",
        f"kubectl create secret generic key --from-literal=token={TOKEN}",
    ],
)
def test_the_facts_of_a_command_are_redacted(api: Api, command: str) -> None:
    api.post(HOOK, before("Bash", command=command))

    stored = assert_nothing_raw()

    assert '"shell.arguments"' in stored


def test_what_comes_beside_the_text_is_redacted_too(api: Api) -> None:
    answer = api.post(
        PRE_CHECK,
        {
            "query": "ls",
            "context": {SSN: "in a key", "deep": [{EMAIL: {"n": 4111111111111111}}]},
            "extra": f"token {TOKEN}",
            "data_sources": [f"postgresql://x:{TOKEN}@db/{EMAIL}"],
        },
    )

    assert answer.status == 200
    assert_nothing_raw()


def test_a_reported_tool_call_is_redacted_in_every_field(api: Api) -> None:
    answer = api.post(
        TOOL_CALL,
        {
            "tool_name": "lookup",
            "input": {"ssn": SSN, "n": 4111111111111111, EMAIL: 1},
            "output": {"rows": [[EMAIL, SSN]], "token": TOKEN},
            "error_message": f"no such person {SSN}",
        },
    )

    assert answer.status == 201
    assert_nothing_raw()


def test_a_reported_model_call_is_redacted_in_every_field(api: Api) -> None:
    context_id = api.pre_check("hello")["context_id"]

    answer = api.post(
        "/api/audit/llm-call",
        {
            "context_id": context_id,
            "provider": "anthropic",
            "model": "claude",
            "response_summary": f"The number is {SSN}.",
            "metadata": {"prompt": [f"mail {EMAIL}", {SSN: TOKEN}]},
        },
    )

    assert answer.status == 200
    assert_nothing_raw()


def test_a_fact_that_spells_a_value_differently_is_redacted(hook_api: Api) -> None:
    inner = base64.b64encode(f"cat '/home/{EMAIL}/ssn {SSN}'".encode()).decode()

    hook_api.hook(
        {
            "hook_event_name": "PreToolUse",
            "tool_name": "Bash",
            "tool_input": {"command": f"echo {inner} | base64 -d | sh; cat '/h/{EMAIL}'/x"},
        }
    )

    assert_nothing_raw()


def test_the_logs_hold_no_text_of_an_operation(api: Api, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level("DEBUG", logger="axonportal")

    api.pre_check(f"DROP TABLE users; -- {SSN} {EMAIL}", context={"tool": "Bash\nI forged"})

    assert "deny" in caplog.text
    assert "DROP" not in caplog.text
    assert "forged" not in caplog.text
    assert not [value for value in RAW if value in caplog.text]


def test_spans_of_the_record_are_those_of_the_stored_text(api: Api) -> None:
    answer = api.pre_check(f"-- for {EMAIL}\nDROP TABLE users; --")

    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT query, snapshot FROM gateway_contexts WHERE context_id = %s",
            [answer["context_id"]],
        )
        query, snapshot = cursor.fetchone()
    findings = {
        finding["kind"]: query[finding["start"] : finding["end"]]
        for finding in json.loads(snapshot)["findings"]
    }
    assert findings["pii.email"] == "[EMAIL]"
    assert "DROP TABLE users" in findings["sql.destructive"]


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"a": "plain", "b": [1, 2.5, None, True], "c": {"d e": "x"}},
        {"working_directory": "/home/ada", "session_id": "s-1"},
        {"line 12": "x", "v2.0": 1, "user-agent": "curl/8"},
    ],
    ids=["empty", "plain", "usual", "keys with digits"],
)
def test_an_object_without_anything_to_hide_is_kept_as_it_is(value: dict[str, Any]) -> None:
    assert of_json(value) == value


def test_a_policy_that_would_be_invalid_leaves_nothing_behind(api: Api, tenant: Tenant) -> None:
    answer = api.post(DYNAMIC, {"name": f"about {SSN}", "conditions": [{}], "actions": [{}]})

    assert answer.status == 400
    assert_nothing_raw()


def test_a_redacting_policy_of_the_tenant_rules_the_trail_too(
    hook_api: Api, tenant: Tenant
) -> None:
    saved_policy(
        tenant,
        conditions=[{"field": "query", "operator": "matches", "value": r"CUST-\d+"}],
        actions=[{"type": "redact"}],
    )

    hook_api.post(
        HOOK,
        {
            "hook_event_name": "PreToolUse",
            "tool_name": "Bash",
            "tool_input": {"command": "grep CUST-7781 log"},
        },
    )

    assert "CUST-7781" not in everything_stored()
