"""`python -m benchmarks.waiting`: do calls that wait for a person slow down those that do not?

The pre-check's throughput at 32 connections, with nobody waiting and with `--waiters` calls asleep
on their approvals, in turns on one server. At the end all requests are answered at once, in
another process, and each sleeper is timed from the commit of its answer.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime
from pathlib import Path

from benchmarks import client, load, machine, stack, workload
from benchmarks.run import BODIES, PRE_CHECK, RESULTS

POLICIES = 1_000
WAITERS = 200
PER_REQUEST = 4  # calls that wait for one and the same request; a client has at most 100 open
ROUNDS = 4
ROUND_S = 5
CONNECTIONS = 32
WAIT_S = 240
TARGET = 0.9  # of the throughput must be left
SETTLE_S = 3.0
# Each answer is printed with the moment after its commit.
_ANSWER = """
import django, json, time
django.setup()
from approvals import services
from approvals.models import Answer, ApprovalRequest
from axonportal.accounts.models import User
person = User.objects.get(username="{person}")
for request in ApprovalRequest.objects.open():
    services.answer(request.pk, tenant_ids=[request.tenant_id], approver=person,
                    choice=Answer.Choice.DENY, reason="benchmark")
    print(json.dumps([request.pk, time.time()]), flush=True)
"""


class _Sleeper(threading.Thread):
    """One call that waits; `woken` is when its answer came, `request_id` what it waited for."""

    def __init__(self, port: int, authorization: str, subject: str) -> None:
        super().__init__(daemon=True)
        self._connection = client.Connection(port, timeout_s=WAIT_S + 30)
        body = {
            "client_id": workload.CLIENT,
            "user_token": "ada",
            "query": f"{workload.HELD_WORD} {subject}",
            "wait_s": WAIT_S,
        }
        self._request = client.request(PRE_CHECK, json.dumps(body), authorization=authorization)
        self.woken = 0.0
        self.request_id = ""
        self.verdict = ""

    def run(self) -> None:
        answer = self._connection.send(self._request)
        self.woken = time.time()
        said = json.loads(answer.body)
        self.verdict = f"{answer.status} {said.get('verdict')}"
        self.request_id = said.get("approval", {}).get("request_id", "")


def main() -> int:
    """Run it; 1 if less than `TARGET` of the throughput is left, or a sleeper was not woken."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.waiting")
    parser.add_argument("--waiters", type=int, default=WAITERS)
    parser.add_argument("--rounds", type=int, default=ROUNDS)
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    with stack.running(policies=POLICIES) as running:
        server = running.serve("portal", environment={"AXON_MAX_WAIT_S": "300"})
        target = load.Target(
            port=server.port,
            path=PRE_CHECK,
            authorization=running.authorization,
            bodies=workload.bodies(BODIES),
        )
        load.run(target, connections=CONNECTIONS, seconds=ROUND_S)  # warm
        alone: list[float] = []
        beside: list[float] = []
        late_ms: list[float] = []
        verdicts: set[str] = set()
        for done in range(options.rounds):
            alone.append(_rps(target))
            sleepers = [
                _Sleeper(server.port, running.authorization, f"{done} {number // PER_REQUEST}")
                for number in range(options.waiters)
            ]
            for sleeper in sleepers:
                sleeper.start()
            time.sleep(SETTLE_S)
            beside.append(_rps(target))
            if any(sleeper.woken for sleeper in sleepers):
                raise RuntimeError(f"Not all sleep: { {one.verdict for one in sleepers} }")
            late_ms += _woken(running, sleepers)
            verdicts |= {sleeper.verdict for sleeper in sleepers}
        memory_mb = max(machine.resident_mb(pid) for pid in machine.descendants(server.pid))
    shares = [left / full for full, left in zip(alone, beside, strict=True)]
    share = machine.median(shares)
    print(
        f"requests/s alone {machine.median(alone):,.0f}, beside {options.waiters} waiting calls "
        f"{machine.median(beside):,.0f}: {share:.2f} of it "
        f"({min(shares):.2f}-{max(shares):.2f}), target >= {TARGET}"
    )
    print(
        f"woken after the answer's commit: p50 {machine.percentile(late_ms, 0.5):.0f} ms, slowest "
        f"{max(late_ms):.0f} ms; answers {sorted(verdicts)}; {memory_mb:.0f} MB"
    )
    output = options.output or RESULTS / f"waiting-{time.strftime('%Y%m%d-%H%M%S')}.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    result = {
        "at": datetime.now(UTC).isoformat(),
        "machine": machine.describe(),
        "waiters": options.waiters,
        "alone_rps": alone,
        "beside_rps": beside,
        "woken_ms": late_ms,
        "memory_mb": memory_mb,
    }
    output.write_text(json.dumps(result, indent=1))
    print("results:", output)
    return 0 if share >= TARGET and verdicts == {"200 deny"} else 1


def _rps(target: load.Target) -> float:
    done = load.run(target, connections=CONNECTIONS, seconds=ROUND_S)
    if done.failures:
        raise RuntimeError(f"{done.failures} calls failed.")
    return done.rps


def _woken(running: stack.Stack, sleepers: list[_Sleeper]) -> list[float]:
    """Answer everything; how long after its answer each sleeper woke, in milliseconds."""
    code = _ANSWER.format(person=workload.APPROVER)
    done = subprocess.run(
        [sys.executable, "-c", code],
        cwd=stack.PROJECT,
        env={**running.environment, "AXON_RECORDER": "inline"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    answered = dict(json.loads(line) for line in done.stdout.splitlines() if line.startswith("["))
    for sleeper in sleepers:
        sleeper.join(timeout=30)
    return [(sleeper.woken - answered[sleeper.request_id]) * 1e3 for sleeper in sleepers]


if __name__ == "__main__":
    sys.exit(main())
