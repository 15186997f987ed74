"""The portal's own processes, started as a person starts them and called over HTTP."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PROJECT = Path(__file__).resolve().parent.parent.parent
START_S = 120.0
STOP_S = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Running:
    """A portal that is up; `environment` is what its data directory offers to other shells."""

    port: int
    policy_port: int
    data_dir: Path
    log: Path
    process: subprocess.Popen[bytes]
    environment: dict[str, str]

    def call(
        self, method: str, path: str, body: Any = None, *, policy_port: bool = False
    ) -> tuple[int, Any]:
        """One call on a connection of its own: its status and its JSON."""
        port = self.policy_port if policy_port else self.port
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=20)
        with contextlib.closing(connection):
            connection.request(
                method,
                path,
                None if body is None else json.dumps(body),
                {"Content-Type": "application/json"},
            )
            answer = connection.getresponse()
            text = answer.read()
            return answer.status, json.loads(text) if text else None

    def pre_check(self, query: str) -> dict[str, Any]:
        """A pre-check of the demo's client."""
        status, body = self.call(
            "POST", "/api/policy/pre-check", {"client_id": "claude-code", "query": query}
        )
        assert status == 200, body
        return dict(body)

    def descendants(self, *words: str) -> list[int]:
        """The processes of this portal whose command line holds all the words."""
        found = []
        for pid in _below(self.process.pid):
            with contextlib.suppress(OSError):
                command = Path(f"/proc/{pid}/cmdline").read_bytes().decode("utf-8", "replace")
                if all(word in command for word in words):
                    found.append(pid)
        return found


def _below(pid: int) -> list[int]:
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return []
    return [below for child in map(int, children) for below in (child, *_below(child))]


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextlib.contextmanager
def running(data_dir: Path | None = None, **settings: str) -> Iterator[Running]:
    """`manage.py up` on free ports; its data directory is removed unless it was given."""
    folder = data_dir or Path(tempfile.mkdtemp(prefix="axon-up-"))
    port, policy_port = free_port(), free_port()
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AXON_", "PYTEST_")) and name != "DJANGO_SETTINGS_MODULE"
    } | {
        "AXON_DATA_DIR": str(folder),
        "AXON_PORT": str(port),
        "AXON_POLICY_PORT": str(policy_port),
        "AXON_ADMIN_PASSWORD": "a password for the tests",
        **settings,
    }
    log = folder.with_name(folder.name + ".log")
    with log.open("ab") as output:
        process = subprocess.Popen(
            [sys.executable, "manage.py", "up"],
            cwd=PROJECT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )
    try:
        _wait_until_up(process, log, port, policy_port)
        yield Running(
            port=port,
            policy_port=policy_port,
            data_dir=folder,
            log=log,
            process=process,
            environment=environment | _offered(folder),
        )
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(STOP_S)
        if process.poll() is None:
            process.kill()
            process.wait()
        if data_dir is None:
            shutil.rmtree(folder, ignore_errors=True)
            log.unlink(missing_ok=True)


def _wait_until_up(process: subprocess.Popen[bytes], log: Path, *ports: int) -> None:
    deadline = time.monotonic() + START_S
    while not all(map(_listens, ports)):
        said = log.read_text("utf-8", "replace")
        assert process.poll() is None, said
        assert time.monotonic() < deadline, said
        time.sleep(0.1)


def _listens(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _offered(folder: Path) -> dict[str, str]:
    """The variables in the file that the portal writes for other shells."""
    listed = subprocess.run(
        ["sh", "-c", '. "$1"; env -0', "sh", str(folder / "portal.env")],
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        check=True,
        timeout=10,
    ).stdout.decode()
    pairs = (line.partition("=") for line in listed.split("\0"))
    return {name: value for name, _, value in pairs if name.startswith("AXON_")}
