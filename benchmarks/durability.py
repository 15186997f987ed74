"""`python -m benchmarks.durability`: is every answer in the database after `kill -9`?

Clients ask without pause while the web server, or PostgreSQL, is killed again and again. Each
context_id that a client has read from an answer is looked for afterwards. These are killed
processes; a loss of power is the disk's and fsync's affair.
"""

from __future__ import annotations

import argparse
import itertools
import json
import signal
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from axonportal.launcher.processes import signal_group
from benchmarks import client, machine, stack, workload
from benchmarks.run import PRE_CHECK, RESULTS

CLIENTS = 16
POLICIES = 50
ANSWERS = 10_000  # for each kind of kill
BETWEEN_KILLS_S = 1.5
TIMEOUT_S = 300.0
_CHUNK = 5_000  # ids looked for in one statement


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """How a run of kills ended. `stored` also counts rows whose client got no answer."""

    killed: str
    kills: int
    answered: int
    refused: int  # answers other than 200, mostly 503 while PostgreSQL is away
    broken: int  # connections that ended without an answer
    lost: int
    stored: int


@dataclass(slots=True)
class _Seen:
    """What the clients have read."""

    ids: list[str] = field(default_factory=list)
    refused: int = 0
    broken: int = 0


def main() -> int:
    """Run both trials; 1 if an answered decision is missing."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.durability")
    parser.add_argument("--answers", type=int, default=ANSWERS)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    trials = []
    with stack.running(policies=POLICIES) as running:
        server = running.serve("portal")
        for killed, kill in (
            ("web server", lambda: kill_web(running, server)),
            ("PostgreSQL", lambda: kill_database(running)),
        ):
            trial = run(running, server, killed, kill, answers=options.answers)
            trials.append(trial)
            print(
                f"{trial.killed} killed {trial.kills} times: {trial.answered} decisions answered, "
                f"{trial.lost} lost; {trial.refused} refused, {trial.broken} connections broken, "
                f"{trial.stored} rows.",
                flush=True,
            )
    output = options.output or RESULTS / f"durability-{time.strftime('%Y%m%d-%H%M%S')}.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    result = {
        "at": datetime.now(UTC).isoformat(),
        "machine": machine.describe(),
        "trials": [asdict(trial) for trial in trials],
    }
    output.write_text(json.dumps(result, indent=1))
    print("results:", output)
    return 1 if any(trial.lost for trial in trials) else 0


def kill_web(running: stack.Stack, server: stack.Server) -> None:
    """SIGKILL to the server and its worker at once, and a new one on the same port."""
    signal_group(server.child.process, signal.SIGKILL)
    server.child.process.wait()
    running.launch(server)


def kill_database(running: stack.Stack) -> None:
    """SIGKILL to PostgreSQL, then its recovery."""
    running.database.process.kill()
    running.start_database()


def run(
    running: stack.Stack,
    server: stack.Server,
    killed: str,
    kill: Callable[[], None],
    *,
    answers: int,
    clients: int = CLIENTS,
) -> Trial:
    """Kill again and again until `answers` were read, then count what is missing."""
    seen = [_Seen() for _ in range(clients)]
    done = threading.Event()
    bodies = workload.bodies(1_000, seed=time.monotonic_ns())
    requests = [
        client.request(PRE_CHECK, body, authorization=running.authorization) for body in bodies
    ]
    before = count(running)
    threads = [
        threading.Thread(target=_ask, args=[server.port, requests[number:], own, done])
        for number, own in enumerate(seen)
    ]
    for thread in threads:
        thread.start()
    kills = 0
    deadline = time.monotonic() + TIMEOUT_S
    try:
        while sum(len(own.ids) for own in seen) < answers and time.monotonic() < deadline:
            time.sleep(BETWEEN_KILLS_S)
            kill()
            kills += 1
            running.supervisor.pump(0)
    finally:
        done.set()
        for thread in threads:
            thread.join()
    ids = [each for own in seen for each in own.ids]
    return Trial(
        killed=killed,
        kills=kills,
        answered=len(ids),
        refused=sum(own.refused for own in seen),
        broken=sum(own.broken for own in seen),
        lost=len(missing(running, ids)),
        stored=count(running) - before,
    )


def _ask(port: int, requests: Sequence[bytes], seen: _Seen, done: threading.Event) -> None:
    """One client: a question after the other, on a new connection whenever the old one ends."""
    connection: client.Connection | None = None
    for sent in itertools.cycle(requests):
        if done.is_set():
            break
        try:
            connection = connection or client.Connection(port)
            answer = connection.send(sent)
        except OSError:
            seen.broken += 1
            connection = None
            time.sleep(0.02)
            continue
        if answer.status == 200:
            seen.ids.append(json.loads(answer.body)["context_id"])
        else:
            seen.refused += 1
            time.sleep(0.02)
    if connection is not None:
        connection.close()


def missing(running: stack.Stack, ids: Sequence[str]) -> list[str]:
    """Those of `ids` that the database does not have."""
    found: set[str] = set()
    with psycopg.connect(running.cluster.url) as connection:
        for start in range(0, len(ids), _CHUNK):
            rows = connection.execute(
                "SELECT context_id FROM gateway_contexts WHERE context_id = ANY(%s)",
                [list(ids[start : start + _CHUNK])],
            )
            found.update(str(row[0]) for row in rows)
    return [each for each in ids if each not in found]


def count(running: stack.Stack) -> int:
    """All decisions on record."""
    with psycopg.connect(running.cluster.url) as connection:
        row = connection.execute("SELECT count(*) FROM gateway_contexts").fetchone()
    return int(row[0]) if row else 0


if __name__ == "__main__":
    sys.exit(main())
