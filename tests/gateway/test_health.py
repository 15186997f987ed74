"""`GET /health`: cheap, for everybody, and exactly what clients look for."""

from __future__ import annotations

from tests.gateway.calling import Api, is_a_problem


def test_health_needs_no_credential_and_no_database() -> None:
    answer = Api().get("/health")

    assert answer.status == 200
    assert answer.body["status"] == "healthy"
    assert answer.body["service"] == "axonportal"
    assert answer.body["version"]
    assert answer.body["timestamp"].endswith("Z")
    assert all(
        capability.keys() == {"name", "since", "description"}
        for capability in answer.body["capabilities"]
    )


def test_health_takes_no_other_method() -> None:
    answer = Api().post("/health", {})

    is_a_problem(answer, 405, decision=False)
    assert answer.headers["Allow"] == "GET, HEAD, OPTIONS"
