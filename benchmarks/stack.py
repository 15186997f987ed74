"""A portal of the benchmark's own: PostgreSQL, seeded, and web servers on free loopback ports."""

from __future__ import annotations

import base64
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from axonportal.launcher import postgres
from axonportal.launcher.processes import Command
from axonportal.launcher.supervisor import Child, Supervisor
from axonportal.launcher.up import DEFAULT_WAITING, DEFAULT_WEB_THREADS, WEB_ENVIRONMENT
from benchmarks import client, workload

PROJECT = Path(__file__).resolve().parent.parent
THREADS = DEFAULT_WEB_THREADS
START_TIMEOUT_S = 60.0
SEED_TIMEOUT_S = 300


def _granian(port: int) -> tuple[str, ...]:
    """As the launcher starts it."""
    return (
        *("granian", "--interface", "wsgi", "--no-ws", "--log-level", "error"),
        *("--host", "127.0.0.1", "--port", str(port), "--workers", "1"),
        *("--blocking-threads", str(THREADS + DEFAULT_WAITING)),
    )


def gunicorn(port: int) -> tuple[str, ...]:
    """As most Django projects serve theirs, with as many threads."""
    return (
        *("gunicorn", "--worker-class", "gthread", "--threads", str(THREADS), "--workers", "1"),
        *("--bind", f"127.0.0.1:{port}", "--keep-alive", "60", "--log-level", "error"),
    )


@dataclass(slots=True, kw_only=True, eq=False)
class Server:
    """A web server on `port`, and the process that it runs as now."""

    name: str
    port: int
    command: Command
    log: Path
    child: Child = field(init=False)

    @property
    def pid(self) -> int:
        """Of the main process, whose child does the work."""
        return self.child.process.pid


@dataclass(slots=True, kw_only=True)
class Stack:
    """What `running` started; stop and kill through its supervisor only."""

    folder: Path
    cluster: postgres.Cluster
    supervisor: Supervisor
    environment: dict[str, str]
    database: Child
    authorization: str = ""

    def seed(self, policies: int) -> None:
        """Make the tenant with its policies, and the credential of every later call."""
        done = subprocess.run(
            [sys.executable, "-m", "benchmarks.seed", str(policies)],
            cwd=PROJECT,
            env=self.environment,
            stdout=subprocess.PIPE,
            text=True,
            timeout=SEED_TIMEOUT_S,
            check=True,
        )
        pair = f"{workload.CLIENT}:{done.stdout.strip()}"
        self.authorization = "Basic " + base64.b64encode(pair.encode()).decode()

    def serve(
        self,
        name: str,
        *,
        environment: Mapping[str, str] | None = None,
        by: Callable[[int], tuple[str, ...]] = _granian,
    ) -> Server:
        """Start a web server with one worker; ready when this returns.

        Its log goes to a file: a decision's line costs what it costs in production, and no
        pipe can fill up.
        """
        port = free_port()
        log = self.folder / f"{name}.log"
        argv = (sys.executable, "-m", *by(port), "benchmarks.wsgi:application")
        command = Command(
            argv=("/bin/sh", "-c", 'exec "$@" >>"$0" 2>&1', str(log), *argv),
            cwd=PROJECT,
            env={**self.environment, **WEB_ENVIRONMENT, **(environment or {})},
        )
        server = Server(name=name, port=port, command=command, log=log)
        self.launch(server)
        return server

    def launch(self, server: Server) -> None:
        """Start a server, or start it again after its end; it answers when this returns.

        Raises:
            RuntimeError: it ended, or took too long; with the end of its log.
        """
        server.child = self.supervisor.start(server.name, server.command)
        deadline = time.monotonic() + START_TIMEOUT_S
        while not is_healthy(server.port):
            self.supervisor.pump(0.05)
            if server.child.returncode is not None or time.monotonic() > deadline:
                log = server.log.read_text()[-2000:]
                raise RuntimeError(f"{server.name} does not answer:\n{log}")

    def start_database(self) -> None:
        """Start PostgreSQL again after it was killed; waits until it has recovered."""
        self.database = postgres.start(self.cluster, self.supervisor)


@contextmanager
def running(*, policies: int, data_dir: Path | None = None) -> Iterator[Stack]:
    """A PostgreSQL with default durability, migrated and seeded; nothing is left afterwards."""
    folder = data_dir or Path(tempfile.mkdtemp(prefix="axon-bench-"))
    cluster = postgres.Cluster.within(folder)
    supervisor = Supervisor(lambda line: None)
    environment = {name: text for name, text in os.environ.items() if not name.startswith("AXON_")}
    environment |= {
        "AXON_DATA_DIR": str(folder),
        "AXON_DATABASE_URL": cluster.url,
        "AXON_SECRET_KEY": secrets.token_urlsafe(50),
        "AXON_CREDENTIAL_KEY": secrets.token_urlsafe(50),
        "AXON_BROKER_URL": "filesystem://localhost/",
        "DJANGO_SETTINGS_MODULE": "benchmarks.settings",
    }
    # A terminated run must tidy up like an interrupted one.
    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    try:
        stack = Stack(
            folder=folder,
            cluster=cluster,
            supervisor=supervisor,
            environment=environment,
            database=postgres.start(cluster, supervisor),
        )
        stack.seed(policies)
        yield stack
    finally:
        signal.signal(signal.SIGTERM, before)
        supervisor.stop(" ".join(child.name for child in supervisor.children
                                 if child.name != "postgres"))  # fmt: skip
        supervisor.close()
        postgres.unlink_socket(cluster)
        shutil.rmtree(folder, ignore_errors=True)


def free_port() -> int:
    """A loopback port that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def is_healthy(port: int) -> bool:
    """Does a portal answer there?"""
    try:
        connection = client.Connection(port, timeout_s=2)
        try:
            return connection.send(client.request("health", method="GET")).status == 200
        finally:
            connection.close()
    except OSError:
        return False
