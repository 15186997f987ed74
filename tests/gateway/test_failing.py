"""What a caller is told when the portal itself fails: promise 4 of the design.

Closed is the default: a denial that says what to do. Open is a client's own choice: it may run,
with a warning. A hook hears it in its agent's language, because any other answer lets it run.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.db import InterfaceError, OperationalError, connection

from audit.errors import RecorderUnavailable
from audit.models import GatewayContext
from axonportal.accounts import authentication
from axonportal.accounts.models import Client, Tenant
from axonportal.gateway import services
from tests.factories import ClientFactory, issued
from tests.gateway.calling import HOOK, LLM_CALL, POLICIES, PRE_CHECK, TOOL_CALL, Api, is_a_problem
from tests.gateway.test_hooks import captured, nulls, shape

Break = Callable[[pytest.MonkeyPatch], None]


def engine_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise ZeroDivisionError("a text of the operation: DROP TABLE secret_plans")

    monkeypatch.setattr("policies.services.engine.decide", fail)


def database_is_down(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise OperationalError("connection refused")

    monkeypatch.setattr("policies.services.active.of", fail)


def recorder_is_away(monkeypatch: pytest.MonkeyPatch) -> None:
    class Away:
        def record(self, table: str, row: Any) -> None:
            raise RecorderUnavailable("The database is away.")

    monkeypatch.setattr(services, "recorder", Away)
    monkeypatch.setattr("audit.services.recorder", Away)


FAULTS = [
    pytest.param(engine_fails, id="engine"),
    pytest.param(database_is_down, id="database"),
    pytest.param(recorder_is_away, id="recorder"),
]


@pytest.fixture
def closed(tenant: Tenant) -> Api:
    secret = issued(ClientFactory(tenant=tenant)).secret
    return Api({"Authorization": f"Bearer {secret}"})


@pytest.fixture
def opened(tenant: Tenant) -> Api:
    secret = issued(ClientFactory(tenant=tenant, fail_mode=Client.FailMode.OPEN)).secret
    return Api({"Authorization": f"Bearer {secret}"})


def test_a_client_fails_closed_unless_somebody_chose_otherwise(tenant: Tenant) -> None:
    assert ClientFactory(tenant=tenant).fail_mode == Client.FailMode.CLOSED


@pytest.mark.parametrize("fault", FAULTS)
def test_a_pre_check_that_cannot_decide_is_a_denial_with_advice(
    closed: Api, fault: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault(monkeypatch)

    answer = closed.post(PRE_CHECK, {"query": "ls"})

    detail = is_a_problem(answer, 503)
    assert "Nothing was decided, so this is a denial. Try again" in detail
    assert "secret_plans" not in json.dumps(answer.body)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_client_that_fails_open_may_run_and_is_told_that_nobody_checked(
    opened: Api, fault: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault(monkeypatch)

    answer = opened.pre_check("ls")

    assert answer["approved"] is True
    assert answer["policies"] == []
    assert answer["context_id"].startswith("ctx_unrecorded_")
    assert "Not checked: this client fails open" in answer["warnings"][0]
    assert not GatewayContext.objects.exists()


def test_a_request_that_is_wrong_is_wrong_for_a_client_that_fails_open(opened: Api) -> None:
    is_a_problem(opened.post(PRE_CHECK, {"query": ""}), 400)


@pytest.mark.parametrize("fault", FAULTS)
def test_a_hook_before_a_tool_is_denied_in_its_own_language(
    closed: Api, fault: Break, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault(monkeypatch)

    answer = closed.hook(captured("event.PreToolUse.Bash"))

    specific = answer["hookSpecificOutput"]
    assert specific["hookEventName"] == "PreToolUse"
    assert specific["permissionDecision"] == "deny"
    assert "Nothing was decided" in specific["permissionDecisionReason"]


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize("name", ["Bash", "Read", "WebFetch", "mcp__db__query"])
def test_a_result_that_cannot_be_judged_is_withheld_and_ends_the_turn(
    closed: Api, fault: Break, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault(monkeypatch)
    event = captured(f"event.PostToolUse.{name}")

    answer = closed.hook(event)

    replaced = answer["hookSpecificOutput"]["updatedToolOutput"]
    assert answer["decision"] == "block"
    assert answer["continue"] is False
    assert shape(replaced) == shape(event["tool_response"])
    assert "536-22-8726" not in json.dumps(answer)


@pytest.mark.parametrize("fault", FAULTS)
@pytest.mark.parametrize(
    "name", ["event.PreToolUse.Bash", "event.PostToolUse.Bash", "event.PostToolUseFailure.Bash"]
)
def test_a_hook_that_fails_open_gets_no_decision_and_a_note(
    opened: Api, fault: Break, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    fault(monkeypatch)

    answer = opened.hook(captured(name))

    assert list(nulls(answer)) == []
    assert "decision" not in answer
    assert "permissionDecision" not in json.dumps(answer)
    if name != "event.PostToolUseFailure.Bash":
        assert "fails open" in answer["hookSpecificOutput"]["additionalContext"]


@pytest.mark.parametrize("error", [OperationalError, InterfaceError])
def test_a_database_that_is_down_before_anybody_is_known_is_a_denial_too(
    opened: Api, error: type[Exception], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whose fail mode it would be is not known then."""
    authentication.cache.forget()

    with monkeypatch.context() as patched:
        patched.setattr(connection, "cursor", _raiser(error("down")))
        pre_check = opened.post(PRE_CHECK, {"query": "ls"})
        before = opened.hook(captured("event.PreToolUse.Bash"))
        after = opened.hook(captured("event.PostToolUse.Bash"))
        unknown = opened.hook({"hook_event_name": "Stop"})

    assert "database cannot be reached" in is_a_problem(pre_check, 503)
    assert before["hookSpecificOutput"]["permissionDecision"] == "deny"
    assert after["continue"] is False
    assert unknown == {}


def _raiser(error: Exception) -> Callable[..., Any]:
    def fail(*args: Any, **kwargs: Any) -> Any:
        raise error

    return fail


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", POLICIES, None),
        ("POST", TOOL_CALL, {"tool_name": "Bash"}),
        ("POST", LLM_CALL, {"context_id": "ctx_1", "provider": "p", "model": "m"}),
    ],
)
def test_the_other_paths_answer_503_while_the_database_is_down(
    api: Api, method: str, path: str, body: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patched:
        patched.setattr(connection, "cursor", _raiser(OperationalError("down")))
        answer = api.call(method, path, body)

    is_a_problem(answer, 503, decision=False)


def test_an_error_that_nobody_foresaw_is_a_500_in_json_without_its_text(
    api: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "axonportal.gateway.pre_check.authenticate", _raiser(RuntimeError("a secret detail"))
    )

    answer = api.post(PRE_CHECK, {"query": "ls"})

    is_a_problem(answer, 500)
    assert "secret detail" not in json.dumps(answer.body)


@pytest.mark.parametrize("path", [PRE_CHECK, HOOK])
def test_a_wrong_credential_is_no_failure_of_the_portal(path: str, db: None) -> None:
    answer = Api({"Authorization": "Bearer wrong"}).post(path, {"query": "ls"})

    is_a_problem(answer, 401)
