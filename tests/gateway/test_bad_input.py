"""What decision endpoints say to what they cannot read: a status, a sentence, and a denial.

Promises 4, 9 and 11 of the design: doubt is a denial with a reason, every answer is JSON, and
work is bounded.
"""

from __future__ import annotations

import gzip
import json
import time
from typing import Any

import pytest
from django.test import Client

from audit.models import GatewayContext
from tests.gateway.calling import HOOK, PRE_CHECK, Api, is_a_problem

DECISIONS = [pytest.param(PRE_CHECK, id="pre-check"), pytest.param(HOOK, id="hook")]
GOOD: dict[str, dict[str, Any]] = {
    PRE_CHECK: {"query": "ls"},
    HOOK: {
        "hook_event_name": "PreToolUse",
        "tool_name": "Bash",
        "tool_input": {"command": "ls"},
    },
}


@pytest.mark.parametrize("path", DECISIONS)
@pytest.mark.parametrize(
    ("body", "status", "says"),
    [
        pytest.param(b"", 400, "empty", id="no body"),
        pytest.param(b"hello", 400, "Not JSON", id="text"),
        pytest.param(b'{"query": "ls"', 400, "Not JSON", id="cut off"),
        pytest.param(b'["ls"]', 400, "must be an object", id="array"),
        pytest.param(b"null", 400, "must be an object", id="null"),
        pytest.param(b'"ls"', 400, "must be an object", id="string"),
        pytest.param(b"7", 400, "must be an object", id="number"),
        pytest.param(b'{"query": NaN}', 400, "NaN is not JSON", id="NaN"),
        pytest.param(b'{"query": -Infinity}', 400, "Infinity is not JSON", id="infinity"),
        pytest.param(b'{"query": "\xff\xfe"}', 400, "not UTF-8 at byte", id="invalid UTF-8"),
        pytest.param('{"query": "ls"}'.encode("utf-16"), 400, "not UTF-8", id="UTF-16"),
        pytest.param(b'{"query": "ls", "query": "rm"}', 400, "twice", id="duplicate key"),
        pytest.param(
            b'{"query": ' + b"[" * 10_000 + b"]" * 10_000 + b"}", 400, "nested", id="deep"
        ),
        pytest.param(b'{"query": ' + b'{"a":' * 10_000, 400, "nested", id="deep and cut off"),
        pytest.param(b'{"query": ' + b"1" * 5_000 + b"}", 400, "too long", id="endless number"),
    ],
)
def test_a_body_that_is_no_json_object_is_refused_with_what_would_be_right(
    api: Api, path: str, body: bytes, status: int, says: str
) -> None:
    answer = api.call("POST", path, body)

    assert says in is_a_problem(answer, status)
    assert not GatewayContext.objects.exists()


@pytest.mark.parametrize(
    ("body", "says"),
    [
        pytest.param({}, "query field is required", id="nothing"),
        pytest.param({"query": ""}, "query field is required", id="empty query"),
        pytest.param({"query": " \n"}, "query field is required", id="blank query"),
        pytest.param({"query": None}, "query field is required", id="null query"),
        pytest.param({"query": 7}, "query: Expected `str`", id="number for a query"),
        pytest.param({"query": ["ls"]}, "query: Expected `str`", id="list for a query"),
        pytest.param({"query": "ls", "client_id": 7}, "client_id: Expected", id="client_id"),
        pytest.param({"query": "ls", "user_token": {}}, "user_token: Expected", id="user_token"),
        pytest.param({"query": "ls", "context": "x"}, "context: Expected", id="context"),
        pytest.param({"query": "ls", "data_sources": "x"}, "data_sources: Exp", id="data_sources"),
        pytest.param({"query": "ls", "data_sources": [7]}, "data_sources", id="a data source"),
        pytest.param({"query": "ls", "data_sources": ["a"] * 101}, "more than 100", id="many"),
    ],
)
def test_a_pre_check_of_the_wrong_shape_names_the_field(
    api: Api, body: dict[str, Any], says: str
) -> None:
    answer = api.post(PRE_CHECK, body)

    assert says in is_a_problem(answer, 400)


@pytest.mark.parametrize(
    "body",
    [
        pytest.param({}, id="nothing"),
        pytest.param({"hook_event_name": None}, id="null"),
        pytest.param({"hook_event_name": ["PreToolUse"]}, id="list"),
        pytest.param({"tool_name": "Bash", "tool_input": {"command": "ls"}}, id="no event name"),
    ],
)
def test_a_hook_call_without_its_event_is_refused_and_never_a_200(
    api: Api, body: dict[str, Any]
) -> None:
    answer = api.post(HOOK, body)

    assert "hook_event_name" in is_a_problem(answer, 400)


@pytest.mark.parametrize(
    "event",
    [
        pytest.param({"tool_name": 7, "tool_input": {"command": "ls"}}, id="tool_name"),
        pytest.param({"tool_name": "Bash", "tool_input": "ls"}, id="text input"),
        pytest.param({"tool_name": "Bash", "tool_input": None}, id="null input"),
        pytest.param({"tool_name": "Bash"}, id="no input"),
        pytest.param({"tool_name": "Bash", "tool_input": {"command": ["ls"]}}, id="list command"),
        pytest.param({"session_id": 7, "tool_use_id": [], "cwd": {}, "prompt_id": 1.5}, id="ids"),
    ],
)
@pytest.mark.parametrize("kind", ["PreToolUse", "PostToolUse", "PostToolUseFailure"])
def test_fields_of_other_types_in_an_event_are_no_opinion_rather_than_an_error(
    hook_api: Api, kind: str, event: dict[str, Any]
) -> None:
    assert hook_api.hook({"hook_event_name": kind, "duration_ms": "soon", **event}) == {}


def test_a_dangerous_command_in_an_odd_shape_is_still_seen(hook_api: Api) -> None:
    answer = hook_api.hook(
        {
            "hook_event_name": "PreToolUse",
            "tool_name": "Bash",
            "tool_input": {"command": ["rm -rf /"]},
        }
    )

    assert answer["hookSpecificOutput"]["permissionDecision"] == "deny"


@pytest.mark.parametrize("path", DECISIONS)
def test_json_that_calls_itself_a_form_is_read(api: Api, path: str) -> None:
    answer = api.post(path, GOOD[path], content_type="application/x-www-form-urlencoded")

    assert answer.status == 200


@pytest.mark.parametrize("path", DECISIONS)
@pytest.mark.parametrize("content_type", ["", "text/plain", "application/json; charset=utf-8"])
def test_the_content_type_is_no_obstacle(api: Api, path: str, content_type: str) -> None:
    assert api.post(path, GOOD[path], content_type=content_type).status == 200


@pytest.mark.parametrize("path", DECISIONS)
def test_form_data_proper_is_refused_and_asked_for_as_json(api: Api, path: str) -> None:
    answer = api.call(
        "POST",
        path,
        b"client_id=claude-code&query=ls",
        content_type="application/x-www-form-urlencoded",
    )

    assert "form data; send JSON" in is_a_problem(answer, 400)


@pytest.mark.parametrize("path", DECISIONS)
def test_a_multipart_body_is_refused(api: Api, path: str) -> None:
    answer = api.call("POST", path, b"--x--", content_type="multipart/form-data; boundary=x")

    assert "Send a JSON body" in is_a_problem(answer, 415)


@pytest.mark.parametrize("path", DECISIONS)
def test_a_compressed_body_is_refused(api: Api, path: str) -> None:
    body = gzip.compress(json.dumps(GOOD[path]).encode())

    answer = api.call("POST", path, body, **{"Content-Encoding": "gzip"})

    assert "Compressed" in is_a_problem(answer, 415)


@pytest.mark.parametrize("path", DECISIONS)
def test_a_chunked_body_is_asked_for_with_its_length(api: Api, path: str) -> None:
    answer = api.call("POST", path, b"", **{"Transfer-Encoding": "chunked", "Content-Length": ""})

    assert "Content-Length" in is_a_problem(answer, 411)


@pytest.mark.parametrize("path", DECISIONS)
def test_a_body_of_20_mb_is_refused_before_it_is_read(api: Api, path: str) -> None:
    body = json.dumps({**GOOD[path], "more": "x" * 20_000_000}).encode()
    started = time.monotonic()

    answer = api.call("POST", path, body)

    assert "at most 16777216" in is_a_problem(answer, 413)
    assert time.monotonic() - started < 2


@pytest.mark.parametrize("path", DECISIONS)
def test_a_body_that_understates_its_length_is_read_no_further(api: Api, path: str) -> None:
    body = json.dumps(GOOD[path]).encode()

    answer = api.call("POST", path, body, **{"Content-Length": str(len(body) - 5)})

    assert "Not JSON" in is_a_problem(answer, 400)


@pytest.mark.parametrize("path", DECISIONS)
def test_nul_and_lone_surrogates_are_decided_on_and_stored_as_replacements(
    api: Api, path: str
) -> None:
    text = b"psql -c 'DROP TABLE users' # \\u0000 \\ud800 \\udfff"
    body = json.dumps(GOOD[path]).encode().replace(b'"ls"', b'"' + text + b'"')

    answer = api.call("POST", path, body)

    assert answer.status == 200
    stored = GatewayContext.objects.get()
    assert stored.approved is False
    assert stored.query == "psql -c 'DROP TABLE users' # \ufffd \ufffd \ufffd"


def test_a_surrogate_pair_is_one_character(api: Api) -> None:
    answer = api.call("POST", PRE_CHECK, b'{"query": "echo \\ud83d\\ude00"}')

    assert GatewayContext.objects.get(context_id=answer.body["context_id"]).query == "echo 😀"


def test_a_number_beyond_all_bounds_in_the_context_is_no_error(api: Api) -> None:
    answer = api.call(
        "POST", PRE_CHECK, b'{"query": "ls", "context": {"a": 1e999, "b": %s}}' % (b"9" * 300)
    )

    assert answer.status == 200


@pytest.mark.parametrize("path", DECISIONS)
@pytest.mark.parametrize("method", ["GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE"])
def test_another_method_is_refused_with_the_ones_that_are_allowed(
    api: Api, path: str, method: str
) -> None:
    answer = api.call(method, path, GOOD[path])

    assert answer.status == 405
    assert answer.headers["Allow"] == "POST, OPTIONS"
    if method != "HEAD":
        is_a_problem(answer, 405)


@pytest.mark.parametrize(
    "path",
    ["/api/policy/pre-check", "/api/v1/hooks/claude-code", "/health", "/api/v1/policies"],
)
@pytest.mark.parametrize("slash", ["", "/"])
def test_a_path_answers_with_and_without_its_slash_and_never_redirects(
    api: Api, path: str, slash: str
) -> None:
    method = "POST" if path in GOOD else "GET"

    answer = api.call(method, path + slash, GOOD.get(path))

    assert answer.status == 200


@pytest.mark.parametrize(
    ("path", "decision"),
    [
        ("/api", False),
        ("/api/", False),
        ("/api/nope", False),
        ("/api/policy/pre-check/x", True),
        ("/api/policy/", True),
        ("/api/v1/hooks/unknown-agent", True),
        ("/api/v1/mcp/unknown", True),
        ("/mcp/unknown", True),
        ("/healthz", False),
    ],
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_an_unknown_path_of_the_api_is_a_json_404(
    api: Api, method: str, path: str, decision: bool
) -> None:
    answer = api.call(method, path, {})

    is_a_problem(answer, 404, decision=decision)


@pytest.mark.parametrize("accept", ["text/html", "image/png", "application/xml;q=1", "nonsense"])
@pytest.mark.parametrize("path", [PRE_CHECK, HOOK, "/api/v1/policies", "/api/nope"])
def test_json_is_answered_whatever_is_accepted(api: Api, path: str, accept: str) -> None:
    answer = api.call("POST", path, GOOD.get(path, {}), Accept=accept)

    assert answer.body is not None


def test_an_api_answer_sets_no_cookie(api: Api) -> None:
    answer = api.post(PRE_CHECK, GOOD[PRE_CHECK])

    assert not answer.response.cookies


def test_csrf_does_not_touch_the_api(api: Api) -> None:
    strict = Client(enforce_csrf_checks=True)

    answer = strict.post(
        PRE_CHECK, GOOD[PRE_CHECK], content_type="application/json", headers=api.headers
    )

    assert answer.status_code == 200


def test_many_brackets_in_a_text_cost_no_more_than_reading_it(api: Api) -> None:
    body = json.dumps({"query": "x", "context": {"code": "[" * 4_000_000}}).encode()
    started = time.monotonic()

    answer = api.call("POST", PRE_CHECK, body)

    assert answer.status == 200
    assert time.monotonic() - started < 5
