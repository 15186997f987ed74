"""Waiting and answering between the portal's own processes, and through a database restart."""

from __future__ import annotations

import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psycopg
import pytest

from tests.approvals.holding import QUERY, SEED
from tests.gateway.running import PROJECT, Running, running

pytestmark = pytest.mark.processes
CALLERS = 50
REQUESTS = 25  # so that two calls wait for each
WAIT_S = 100
SOON_S = 60.0
# Answers every open request as the demo's admin; to be run beside the portal.
ANSWER = """
import django
django.setup()
from approvals import services
from approvals.models import Answer, ApprovalRequest
from axonportal.accounts.models import User
person = User.objects.get(username="admin")
for request in ApprovalRequest.objects.open():
    services.answer(request.pk, tenant_ids=[request.tenant_id], approver=person,
                    choice=Answer.Choice.APPROVE, reason="tested")
    print(request.pk)
"""


@pytest.fixture(scope="module")
def portal() -> Iterator[Running]:
    with running(AXON_MAX_WAIT_S=str(WAIT_S)) as up:
        assert up.call("POST", "/api/v1/policies", SEED)[0] == 201
        yield up


def waits(portal: Running, query: str, port: int | None = None) -> dict[str, Any]:
    connection = http.client.HTTPConnection("127.0.0.1", port or portal.port, timeout=WAIT_S + 20)
    body = {"client_id": "claude-code", "query": query, "wait_s": WAIT_S}
    connection.request("POST", "/api/policy/pre-check", json.dumps(body))
    answer = connection.getresponse()
    said = json.loads(answer.read())
    connection.close()
    assert answer.status == 200, said
    return dict(said)


def counted(portal: Running, sql: str) -> int:
    with psycopg.connect(portal.environment["AXON_DATABASE_URL"]) as connection:
        row = connection.execute(sql).fetchone()
    assert row is not None
    return int(row[0])


def pending(portal: Running) -> int:
    """The calls that asked for what is still open."""
    return counted(
        portal,
        "SELECT coalesce(sum(asked), 0) FROM approvals_approvalrequest WHERE status = 'pending'",
    )


def on_record(portal: Running) -> int:
    """The calls that were held and whose decision is stored, so that they may wait."""
    return counted(portal, "SELECT count(*) FROM gateway_contexts WHERE verdict = 'hold'")


def until_pending(portal: Running, calls: int, *, before: int = 0) -> None:
    """Until so many calls wait; `before` were on record already."""
    deadline = time.monotonic() + SOON_S
    while pending(portal) < calls or on_record(portal) < before + calls:
        assert time.monotonic() < deadline
        time.sleep(0.05)


def answer_all(portal: Running) -> None:
    subprocess.run(
        [sys.executable, "-c", ANSWER],
        cwd=PROJECT,
        env=portal.environment | {"DJANGO_SETTINGS_MODULE": "axonportal.settings"},
        capture_output=True,
        check=True,
        timeout=60,
    )


def test_an_answer_given_in_one_process_wakes_the_callers_of_every_other(portal: Running) -> None:
    with ThreadPoolExecutor(2) as pool:
        calls = [
            pool.submit(waits, portal, f"{QUERY} here", portal.port),
            pool.submit(waits, portal, f"{QUERY} there", portal.policy_port),
        ]
        until_pending(portal, 2)
        began = time.monotonic()

        answer_all(portal)

        answers = [call.result() for call in calls]
    assert all(answer["approved"] for answer in answers)
    assert time.monotonic() - began < WAIT_S / 2


def test_calls_that_wait_outlive_a_restart_of_the_database(portal: Running) -> None:
    before = on_record(portal)
    with ThreadPoolExecutor(CALLERS) as pool:
        calls = [
            pool.submit(waits, portal, f"{QUERY} {number % REQUESTS}") for number in range(CALLERS)
        ]
        until_pending(portal, CALLERS, before=before)
        with psycopg.connect(portal.environment["AXON_DATABASE_URL"]) as connection:
            backend = connection.info.backend_pid
            # The server ends all its sessions and recovers, as after a crash.
            os.kill(backend, signal.SIGKILL)
        until_back(portal)

        answer_all(portal)

        answers = [call.result() for call in calls]
    assert Counter(answer["approved"] for answer in answers) == {True: REQUESTS, False: REQUESTS}
    # Of two calls for one operation, one passes; the other is held under a request of its own.
    assert {answer["verdict"] for answer in answers if not answer["approved"]} == {"hold"}
    assert pending(portal) == REQUESTS


def until_back(portal: Running) -> None:
    deadline = time.monotonic() + SOON_S
    while True:
        try:
            pending(portal)
        except psycopg.OperationalError:
            assert time.monotonic() < deadline
            time.sleep(0.1)
        else:
            return
