"""`python -m benchmarks.run`: the pre-check over HTTP beside what it should be compared with.

In one run, round by round: the portal's pre-check with its durable record, the empty view of the
same server, the pre-check without its record, the same decision in the usual Django stack (on
gunicorn's threads), one bare durable INSERT and one fdatasync. The absolute figures are this
machine's of this minute; the ratios within a round are what the goals are about.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from benchmarks import client, compare, load, machine, stack, workload
from benchmarks.compare import Figures, Round

BODIES = 4_000
CONNECTIONS = (1, 32)
FLOOR_S = 1.0  # for each of INSERT and fdatasync, per round
MAX_VOID = 3  # measurements that may be repeated because of failed requests
LEAST_REQUESTS = 50
RESULTS = Path(__file__).resolve().parent / "results"
PRE_CHECK = "api/policy/pre-check"


@dataclass(frozen=True, slots=True, kw_only=True)
class Size:
    rounds: int
    seconds: int  # of load per subject, number of connections and round


SIZES = {
    "quick": Size(rounds=2, seconds=1),
    "normal": Size(rounds=4, seconds=2),
    "full": Size(rounds=10, seconds=4),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Subject:
    name: str
    server: stack.Server
    target: load.Target


class Void(RuntimeError):
    """Requests failed again and again, so there is no figure."""


def main() -> int:
    """Measure, print, and write one file of results; 1 if a goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.run")
    parser.add_argument("--size", choices=SIZES, default="normal")
    parser.add_argument("--policies", type=int, default=1_000)
    parser.add_argument("--output", type=Path, help="default: a new file in benchmarks/results/")
    options = parser.parse_args()
    size = SIZES[options.size]
    client_name = "wrk" if load.has_wrk() else "the built-in client (wrk is not installed)"
    print(f"{options.policies} policies, {size.rounds} rounds, load by {client_name}.", flush=True)
    before = machine.describe()
    with stack.running(policies=options.policies) as running:
        subjects = _serve(running)
        rounds = []
        for number in range(size.rounds):
            rounds.append(_round(running, subjects, size.seconds))
            print(f"round {number + 1} of {size.rounds}", flush=True)
        portal = subjects[0].server
        resident = machine.resident_mb(portal.pid)
        batches = json.loads(_get(portal, "api/bench/batches", running.authorization))
    goals = compare.goals(rounds, resident_mb=resident)
    print(compare.table(rounds))
    print("batches of the recorder by size (up to that power of two):", batches)
    for goal in goals:
        verdict = "met" if goal.is_met else "MISSED"
        sign = ">=" if goal.at_least else "<="
        print(
            f"{goal.name:<4}{goal.text}: {goal.measured.shown(2)}, target {sign} {goal.target:g}:"
            f" {verdict}"
        )
    result = {
        "at": datetime.now(UTC).isoformat(),
        "policies": options.policies,
        "size": options.size,
        "client": client_name,
        "before": before,
        "after": machine.describe(),
        "resident_mb": resident,
        "batches": batches,
        "goals": [compare.as_json(goal) for goal in goals],
        "rounds": [asdict(each) for each in rounds],
    }
    output = options.output or RESULTS / f"run-{time.strftime('%Y%m%d-%H%M%S')}.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(result, indent=1))
    print("raw rounds:", output)
    return 0 if all(goal.is_met for goal in goals) else 1


def _serve(running: stack.Stack) -> list[Subject]:
    """Start the servers, and let each load its policies and build its prefilter."""
    bodies = workload.bodies(BODIES)
    portal = running.serve("portal")
    unrecorded = running.serve("unrecorded", environment={"AXON_BENCH_RECORDER": "none"})
    naive = running.serve(
        "naive",
        environment={"AXON_BENCH_STACK": "naive", "AXON_BENCH_RECORDER": "orm"},
        by=stack.gunicorn,
    )
    subjects = [
        Subject(
            name=name,
            server=server,
            target=load.Target(
                port=server.port, path=path, authorization=running.authorization, bodies=bodies
            ),
        )
        for name, server, path in (
            ("portal", portal, PRE_CHECK),
            ("empty", portal, "api/bench/empty"),
            ("unrecorded", unrecorded, PRE_CHECK),
            ("naive", naive, "api/bench/naive"),
        )
    ]
    for subject in subjects:
        warm_up(subject.target)
    return subjects


def warm_up(target: load.Target, *, timeout_s: float = 60.0) -> None:
    """Ask until answers come fast: policies are loaded and their prefilter is built.

    Without the prefilter 1,000 policies take milliseconds.
    """
    connection = client.Connection(target.port)
    deadline = time.monotonic() + timeout_s
    times: list[float] = []
    while time.monotonic() < deadline:
        body = target.bodies[len(times) % len(target.bodies)]
        sent = client.request(target.path, body, authorization=target.authorization)
        began = time.perf_counter()
        answer = connection.send(sent)
        times.append(time.perf_counter() - began)
        if answer.status != 200:
            raise Void(f"{target.path} answered {answer.status}: {answer.body[:300]!r}")
        if len(times) > 200 and machine.percentile(times[-100:], 0.5) < 0.005:
            break
    connection.close()
    load.run(target, connections=max(CONNECTIONS), seconds=1)


def _round(running: stack.Stack, subjects: list[Subject], seconds: int) -> Round:
    figures = tuple(
        _measure(running, subject, connections, seconds)
        for connections in CONNECTIONS
        for subject in subjects
    )
    return Round(
        figures=figures,
        fdatasync_us=machine.median(machine.fdatasync_us(running.folder, seconds=FLOOR_S)),
        insert_us=machine.median(_inserts_us(running, seconds=FLOOR_S)),
    )


def _measure(running: stack.Stack, subject: Subject, connections: int, seconds: int) -> Figures:
    web, database = subject.server.pid, running.database.process.pid
    for _ in range(MAX_VOID):
        running.supervisor.pump(0)
        before = machine.cpu_us(web), machine.cpu_us(database)
        found = load.run(subject.target, connections=connections, seconds=seconds)
        after = machine.cpu_us(web), machine.cpu_us(database)
        if not found.failures and found.requests >= LEAST_REQUESTS:
            return Figures(
                subject=subject.name,
                connections=connections,
                load=found,
                web_cpu_us=(after[0] - before[0]) / found.requests,
                database_cpu_us=(after[1] - before[1]) / found.requests,
            )
        print(f"void: {subject.name} had {found.failures} failures of {found.requests}.")
    raise Void(f"{subject.name} failed {MAX_VOID} times; its log: {subject.server.log}")


def _inserts_us(running: stack.Stack, *, seconds: float) -> list[float]:
    """One row and one commit at a time, as bare as it gets."""
    times = []
    with psycopg.connect(running.cluster.url, autocommit=True) as connection:
        connection.execute("CREATE TABLE IF NOT EXISTS bench_row (id bigserial, text text)")
        end = time.perf_counter() + seconds
        while (began := time.perf_counter()) < end:
            connection.execute(
                "INSERT INTO bench_row (text) VALUES (%s)", ["x" * 200], prepare=True
            )
            times.append((time.perf_counter() - began) * 1e6)
    return times


def _get(server: stack.Server, path: str, authorization: str) -> bytes:
    connection = client.Connection(server.port)
    sent = client.request(path, authorization=authorization, method="GET")
    body = connection.send(sent).body
    connection.close()
    return body


if __name__ == "__main__":
    sys.exit(main())
