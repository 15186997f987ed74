"""Promise 2 under repeated kills, by the trials that `benchmarks.durability` runs at length."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from benchmarks import durability, stack
from benchmarks.durability import Trial

pytestmark = pytest.mark.processes
ANSWERS = 300
CLIENTS = 4


@pytest.fixture(scope="module")
def running() -> Iterator[stack.Stack]:
    with stack.running(policies=8) as started:
        yield started


@pytest.fixture(scope="module")
def server(running: stack.Stack) -> stack.Server:
    return running.serve("portal")


def test_no_answer_is_lost_when_the_web_server_is_killed_under_its_callers(
    running: stack.Stack, server: stack.Server
):
    trial = durability.run(
        running,
        server,
        "web server",
        lambda: durability.kill_web(running, server),
        answers=ANSWERS,
        clients=CLIENTS,
    )

    assert_nothing_lost(trial)


def test_no_answer_is_lost_when_postgresql_is_killed_and_the_web_server_goes_on(
    running: stack.Stack, server: stack.Server
):
    before = server.pid

    trial = durability.run(
        running,
        server,
        "PostgreSQL",
        lambda: durability.kill_database(running),
        answers=ANSWERS,
        clients=CLIENTS,
    )

    assert_nothing_lost(trial)
    assert server.pid == before
    assert stack.is_healthy(server.port)


def test_what_is_not_stored_is_counted_as_lost(running: stack.Stack):
    """The trials above could not fail if their own count were blind."""
    made_up = ["ctx_" + "0" * 32]

    assert durability.missing(running, made_up) == made_up


def assert_nothing_lost(trial: Trial) -> None:
    assert trial.kills >= 1
    assert trial.answered >= ANSWERS
    assert trial.lost == 0
    assert trial.stored >= trial.answered
