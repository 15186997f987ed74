"""Promises 2 and 8 against the portal's own processes: kills, and changes in every process."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from tests.gateway.running import PROJECT, Running, running

pytestmark = pytest.mark.processes
CALLERS = 4
CALLS_S = 1.5
WATCH = """
import sys, time
import django
django.setup()
from axonportal.accounts.models import Tenant
from axonportal.common import changes
from policies.active import active
tenant = Tenant.objects.get(slug="demo").pk
first = active.of(tenant).revision
time.sleep(2)  # so that the listener listens
print("ready", flush=True)
while active.of(tenant).revision == first:
    time.sleep(0.005)
print(time.time(), flush=True)
"""


@pytest.fixture(scope="module")
def portal() -> Iterator[Running]:
    with running() as up:
        yield up


def policy(name: str, word: str) -> dict[str, object]:
    return {
        "name": name,
        "conditions": [{"field": "query", "operator": "contains", "value": word}],
        "actions": [{"type": "block", "message": name}],
    }


def test_a_policy_saved_in_one_process_is_in_force_in_every_other(portal: Running) -> None:
    """For whoever waited for the save, without any delay."""
    assert all(portal.pre_check("word-one")["approved"] for _ in range(20))

    status, saved = portal.call(
        "POST", "/api/v1/policies", policy("from-the-other-port", "word-one"), policy_port=True
    )
    answers = [portal.pre_check("word-one")["approved"] for _ in range(60)]
    deleted, _ = portal.call("DELETE", f"/api/v1/policies/{saved['id']}", policy_port=True)
    afterwards = [portal.pre_check("word-one")["approved"] for _ in range(60)]

    assert (status, deleted) == (201, 204)
    assert not any(answers)
    assert all(afterwards)


def test_a_process_of_another_machine_hears_of_it_within_a_second(portal: Running) -> None:
    """With a data directory of its own it shares no word, so only the database can tell it."""
    with tempfile.TemporaryDirectory(prefix="axon-other-") as folder:
        environment = portal.environment | {
            "AXON_DATA_DIR": folder,
            "DJANGO_SETTINGS_MODULE": "axonportal.settings",
        }
        watcher = subprocess.Popen(
            [sys.executable, "-c", WATCH],
            cwd=PROJECT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        try:
            assert watcher.stdout is not None
            assert watcher.stdout.readline() == "ready\n"

            portal.call("POST", "/api/v1/policies", policy("heard-of", "word-two"))
            saved_at = time.time()
            heard_at = float(watcher.communicate(timeout=20)[0])
        finally:
            watcher.kill()

    assert heard_at - saved_at < 1.0


def test_a_revoked_credential_is_refused_in_every_process(portal: Running) -> None:
    script = (
        "import django; django.setup()\n"
        "from axonportal.accounts import services\n"
        "from axonportal.accounts.models import Client, Credential\n"
        "import sys\n"
        "client = Client.objects.get(client_id='claude-code')\n"
        "made = services.issue_credential(client, name='t', actor='t')\n"
        "print(made.secret, flush=True); sys.stdin.readline()\n"
        "services.revoke_credential(made.credential, actor='t')\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script],
        cwd=PROJECT,
        env=portal.environment | {"DJANGO_SETTINGS_MODULE": "axonportal.settings"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    secret = process.stdout.readline().strip()
    before = [_status(portal, secret, port) for port in (portal.port, portal.policy_port) * 10]

    process.communicate("\n", timeout=30)
    after = [_status(portal, secret, port) for port in (portal.port, portal.policy_port) * 10]

    assert set(before) == {200}
    assert set(after) == {401}


def _status(portal: Running, secret: str, port: int) -> int:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
    with contextlib.closing(connection):
        connection.request(
            "POST",
            "/api/policy/pre-check",
            '{"query": "ls"}',
            {"Authorization": f"Bearer {secret}"},
        )
        answer = connection.getresponse()
        answer.read()
        return answer.status


def test_a_body_of_20_mb_and_a_chunked_one_are_refused_over_http(portal: Running) -> None:
    def sent(*options: str, data: bytes) -> tuple[str, dict[str, object]]:
        done = subprocess.run(
            ["curl", "-s", "-m", "20", "-w", "\n%{http_code}", "--data-binary", "@-", *options,
             f"http://localhost:{portal.port}/api/policy/pre-check"],
            input=data, capture_output=True, check=True, timeout=30,
        )  # fmt: skip
        body, _, status = done.stdout.rpartition(b"\n")
        return status.decode(), json.loads(body)

    large = sent(data=b'{"query": "' + b"x" * 20_000_000 + b'"}')
    chunked = sent("-H", "Transfer-Encoding: chunked", data=b'{"query": "ls"}')

    assert (large[0], large[1]["approved"]) == ("413", False)
    assert (chunked[0], chunked[1]["approved"]) == ("411", False)


# --- Kills ----------------------------------------------------------------------------------


def answered_until_killed(portal: Running, pids: list[int]) -> set[str]:
    """What callers were answered before `pids` were killed in the middle of their calls."""
    assert pids
    answered: set[str] = set()
    stop = threading.Event()

    def call() -> None:
        while not stop.is_set():
            with contextlib.suppress(OSError, http.client.HTTPException):
                connection = http.client.HTTPConnection("127.0.0.1", portal.port, timeout=5)
                with contextlib.closing(connection):
                    _ask(connection, answered, stop)

    threads = [threading.Thread(target=call) for _ in range(CALLERS)]
    for thread in threads:
        thread.start()
    time.sleep(CALLS_S)
    for pid in pids:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)
    time.sleep(0.5)
    stop.set()
    for thread in threads:
        thread.join(30)
    return answered


def _ask(connection: http.client.HTTPConnection, answered: set[str], stop: threading.Event) -> None:
    while not stop.is_set():
        connection.request(
            "POST", "/api/policy/pre-check", '{"client_id": "claude-code", "query": "ls"}'
        )
        answer = connection.getresponse()
        body = json.loads(answer.read())
        if answer.status == 200:
            answered.add(body["context_id"])


def stored(portal: Running) -> set[str]:
    with psycopg.connect(portal.environment["AXON_DATABASE_URL"]) as connection:
        rows = connection.execute("SELECT context_id FROM gateway_contexts").fetchall()
    return {str(context_id) for (context_id,) in rows}


@pytest.fixture
def data_dir() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="axon-kill-") as folder:
        yield Path(folder) / "data"


def test_every_answered_decision_is_stored_after_the_web_processes_were_killed(
    data_dir: Path,
) -> None:
    """Promise 2."""
    with running(data_dir) as portal:
        answered = answered_until_killed(portal, portal.descendants("axonportal.wsgi"))

    with running(data_dir) as again:
        kept = stored(again)

    assert len(answered) > 20
    assert answered <= kept


def test_every_answered_decision_is_stored_after_postgresql_was_killed(data_dir: Path) -> None:
    """Promise 2; and the portal that is started next recovers by itself."""
    with running(data_dir) as portal:
        answered = answered_until_killed(portal, portal.descendants("postgres"))

    with running(data_dir) as again:
        kept = stored(again)
        assert again.pre_check("ls")["approved"]

    assert len(answered) > 20
    assert answered <= kept
