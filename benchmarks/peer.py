"""`python -m benchmarks.peer --python VENV/bin/python`: the pre-check beside another guard.

The peer is the `/v1/checks` endpoint of nemoguardrails, from a virtual environment of its own
(`pip install 'nemoguardrails[server]'`), with 62 of the benchmark's patterns as its regex rail,
no language model and nothing kept. The pre-check has 1,000 policies, its detectors, a verified
credential and a durable record, and the same texts.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

from axonportal.launcher.processes import Command
from benchmarks import client, compare, load, machine, stack, workload
from benchmarks.run import PRE_CHECK, RESULTS, warm_up

PATTERNS = 62
ROUNDS = 4
SECONDS = 6  # the peer answers some tens of requests in a second
CONNECTIONS = 32
START_TIMEOUT_S = 120.0
TARGET = 15.0  # G3: the peer's processor time for one request, in ours
_CHECKS = "v1/checks"
# In its favour: it logs every step of every request unless it is stopped.
_QUIETLY = """
import logging
logging.disable(logging.INFO)
from nemoguardrails.cli import app
app()
"""


def main() -> int:
    """Measure, print, write; 1 if the goal is missed."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.peer")
    parser.add_argument("--python", type=Path, required=True, help="of the peer's environment")
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    bodies = workload.bodies(2_000)
    cpu: dict[str, list[float]] = {"portal": [], "peer": []}
    rps: dict[str, list[float]] = {"portal": [], "peer": []}
    with stack.running(policies=1_000) as running:
        portal = running.serve("portal")
        peer = _start(running, options.python)
        targets = {
            "portal": (portal, PRE_CHECK, bodies),
            "peer": (peer, _CHECKS, [_question(body) for body in bodies]),
        }
        for number in range(ROUNDS + 1):
            for name, (server, path, sent) in targets.items():
                target = load.Target(
                    port=server.port, path=path, authorization=running.authorization, bodies=sent
                )
                if not number:
                    warm_up(target, timeout_s=10)
                    continue
                before = machine.cpu_us(server.pid)
                found = load.run(target, connections=CONNECTIONS, seconds=SECONDS)
                used = machine.cpu_us(server.pid) - before
                if found.failures or not found.requests:
                    raise RuntimeError(f"{name}: {found.failures} failures of {found.requests}.")
                cpu[name].append(used / found.requests)
                rps[name].append(found.rps)
    ratios = [theirs / ours for theirs, ours in zip(cpu["peer"], cpu["portal"], strict=True)]
    faster = [ours / theirs for theirs, ours in zip(rps["peer"], rps["portal"], strict=True)]
    for name in targets:
        print(
            f"{name:<8}{compare.Spread.of(cpu[name]).shown(0)} us of processor time a request, "
            f"{compare.Spread.of(rps[name]).shown(0)} requests/s"
        )
    spread = compare.Spread.of(ratios)
    print(f"G3  processor time of the peer / ours: {spread.shown(1)}, target >= {TARGET:g}")
    print(f"    requests/s, ours / the peer's: {compare.Spread.of(faster).shown(1)}")
    output = options.output or RESULTS / f"peer-{time.strftime('%Y%m%d-%H%M%S')}.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    result = {"at": datetime.now(UTC).isoformat(), "machine": machine.describe()}
    output.write_text(json.dumps({**result, "cpu_us": cpu, "rps": rps}, indent=1))
    print("results:", output)
    return 0 if spread.median >= TARGET else 1


def _start(running: stack.Stack, python: Path) -> stack.Server:
    """The peer with its patterns; it answers when this returns."""
    patterns = [
        policy["conditions"][0]["value"]
        for policy in workload.policies(1_000)
        if policy["conditions"][0]["operator"] == "matches"
    ]
    rail = {"patterns": patterns[:PATTERNS], "case_insensitive": True}
    rails = {
        "config": {"regex_detection": {"input": rail}},
        "input": {"flows": ["regex check input"]},
    }
    folder = running.folder / "peer"
    (folder / "main").mkdir(parents=True)
    # YAML takes JSON as it is.
    (folder / "main" / "config.yml").write_text(json.dumps({"models": [], "rails": rails}))
    port = stack.free_port()
    log = running.folder / "peer.log"
    server = stack.Server(
        name="peer",
        port=port,
        log=log,
        command=Command(
            argv=(
                *("/bin/sh", "-c", 'exec "$@" >"$0" 2>&1', str(log)),
                *(str(python), "-c", _QUIETLY, "server", "--config", str(folder)),
                *("--port", str(port), "--default-config-id", "main"),
            ),
            cwd=running.folder,
            env={**os.environ, "HF_HUB_OFFLINE": "1"},
        ),
    )
    server.child = running.supervisor.start(server.name, server.command)
    deadline = time.monotonic() + START_TIMEOUT_S
    while not _answers(port):
        running.supervisor.pump(0.2)
        if server.child.returncode is not None or time.monotonic() > deadline:
            raise RuntimeError(f"The peer does not answer:\n{log.read_text()[-2000:]}")
    return server


def _answers(port: int) -> bool:
    question = _question(json.dumps({"query": "ls"}))
    try:
        connection = client.Connection(port, timeout_s=20)
        try:
            return connection.send(client.request(_CHECKS, question)).status == 200
        finally:
            connection.close()
    except OSError:
        return False


def _question(body: str) -> str:
    """The same text as a pre-check's, in the peer's shape."""
    message = {"role": "user", "content": json.loads(body)["query"]}
    return json.dumps({"model": "none", "messages": [message], "guardrails": {"config_id": "main"}})


if __name__ == "__main__":
    sys.exit(main())
