"""Calling the API as clients do: JSON in, JSON out, and nothing else accepted."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from django.test import Client

PRE_CHECK = "/api/policy/pre-check"
HOOK = "/api/v1/hooks/claude-code"
TOOL_CALL = "/api/v1/audit/tool-call"
LLM_CALL = "/api/audit/llm-call"
POLICIES = "/api/v1/policies"
DYNAMIC = "/api/v1/dynamic-policies"
HITL = "/api/v1/hitl"
QUEUE = f"{HITL}/queue"


def basic(client_id: str, secret: str) -> str:
    """The value of an Authorization header."""
    return "Basic " + base64.b64encode(f"{client_id}:{secret}".encode()).decode()


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A JSON answer; a test that meets anything else fails here."""

    status: int
    body: Any
    response: Any

    @property
    def headers(self) -> Any:
        return self.response.headers


@dataclass(slots=True)
class Api:
    """One caller; `headers` go with every call."""

    headers: dict[str, str] = field(default_factory=dict)

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        content_type: str = "application/json",
        **headers: str,
    ) -> Answer:
        data = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body)
        response = Client().generic(
            method,
            path,
            data,
            content_type=content_type,
            headers={**self.headers, **headers},
        )
        kind = response.headers["Content-Type"]
        assert kind in {"application/json", "application/problem+json"}, (
            response.status_code,
            kind,
        )
        parsed = json.loads(response.content) if response.content else None
        return Answer(status=response.status_code, body=parsed, response=response)

    def post(self, path: str, body: Any, **options: Any) -> Answer:
        return self.call("POST", path, body, **options)

    def get(self, path: str, **options: Any) -> Answer:
        return self.call("GET", path, **options)

    def put(self, path: str, body: Any, **options: Any) -> Answer:
        return self.call("PUT", path, body, **options)

    def pre_check(self, query: str, **more: Any) -> dict[str, Any]:
        """A pre-check that is answered, whatever the answer is."""
        answer = self.post(PRE_CHECK, {"query": query, **more})
        assert answer.status == 200, answer.body
        return dict(answer.body)

    def hook(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """A hook's answer; anything but 200 would let Claude Code's default run the tool."""
        answer = self.post(HOOK, dict(event))
        assert answer.status == 200, answer.body
        return dict(answer.body)


def is_a_problem(answer: Answer, status: int, *, decision: bool = True) -> str:
    """Assert that every field of a refusal is there; answers its sentence."""
    assert answer.status == status, answer.body
    assert answer.headers["Content-Type"] == "application/problem+json"
    body = answer.body
    assert body["status"] == status
    assert body["error"] == body["message"] == body["detail"]
    assert body["type"].startswith("/problems/")
    assert body["title"]
    if decision:
        assert body["approved"] is False
        assert body["block_reason"] == body["detail"]
    return str(body["detail"])
