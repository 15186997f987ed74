"""Load on a server: `wrk` where it is installed, else threads of this process."""

from __future__ import annotations

import json
import random
import shutil
import subprocess
import tempfile
import threading
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks import client
from benchmarks.machine import percentile

# Formats all requests first, then goes round them from a place of its own in each round.
_SCRIPT = """
local requests, at = {}, 0
function init(args)
  local path, authorization, file, start = args[1], args[2], args[3], tonumber(args[4])
  local headers = { ["Content-Type"] = "application/json", ["Authorization"] = authorization }
  for line in io.lines(file) do
    requests[#requests + 1] = wrk.format("POST", path, headers, line)
  end
  at = start
end
function request()
  at = at % #requests + 1
  return requests[at]
end
function done(summary, latency)
  local e = summary.errors
  io.write(string.format('\\nJSON{"requests":%d,"us":%d,"p50":%d,"p99":%d,"failures":%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.timeout + e.status))
end
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """What one round brought; times in microseconds. A failure is no answer, or one past 399."""

    requests: int
    seconds: float
    p50_us: float
    p99_us: float
    failures: int

    @property
    def rps(self) -> float:
        return self.requests / self.seconds


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where to, as whom, with which bodies."""

    port: int
    path: str
    authorization: str
    bodies: Sequence[str]


def has_wrk() -> bool:
    return shutil.which("wrk") is not None


def run(target: Target, *, connections: int, seconds: int) -> Load:
    """One round of `seconds`; it starts somewhere else in the bodies each time."""
    start = random.randrange(len(target.bodies))  # noqa: S311
    if has_wrk():
        return _wrk(target, connections, seconds, start)
    return _threads(target, connections, seconds, start)


def _wrk(target: Target, connections: int, seconds: int, start: int) -> Load:
    with tempfile.TemporaryDirectory(prefix="axon-load-") as folder:
        script, bodies = Path(folder, "mix.lua"), Path(folder, "bodies")
        script.write_text(_SCRIPT)
        bodies.write_text("\n".join(target.bodies))
        done = subprocess.run(
            [
                *("wrk", "-t1", f"-c{connections}", f"-d{seconds}s", "--timeout", "10s"),
                *("-s", str(script), f"http://127.0.0.1:{target.port}", "--"),
                *(f"/{target.path}", target.authorization, str(bodies), str(start)),
            ],
            capture_output=True,
            text=True,
            timeout=seconds + 60,
            check=True,
        )
    found = json.loads(done.stdout.rpartition("JSON")[2])
    return Load(
        requests=found["requests"],
        seconds=found["us"] / 1e6,
        p50_us=found["p50"],
        p99_us=found["p99"],
        failures=found["failures"],
    )


def _threads(target: Target, connections: int, seconds: int, start: int) -> Load:
    times: list[float] = []
    failures: list[int] = []
    began = time.perf_counter()

    def work(number: int) -> None:
        connection = client.Connection(target.port)
        at = start + number
        while time.perf_counter() - began < seconds:
            body = target.bodies[at % len(target.bodies)]
            at += connections
            sent = client.request(target.path, body, authorization=target.authorization)
            before = time.perf_counter()
            try:
                status = connection.send(sent).status
            except OSError:
                status = 599
                connection = client.Connection(target.port)
            times.append((time.perf_counter() - before) * 1e6)
            if status > 399:
                failures.append(status)

    threads = [threading.Thread(target=work, args=[number]) for number in range(connections)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Load(
        requests=len(times),
        seconds=time.perf_counter() - began,
        p50_us=percentile(times, 0.5),
        p99_us=percentile(times, 0.99),
        failures=len(failures),
    )
