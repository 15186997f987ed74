"""`manage.py up`: everything that a portal on one machine needs, in one terminal.

Nothing here imports Django's applications: the web processes load them at the same time as
PostgreSQL starts, and the launcher stays small.
"""

from __future__ import annotations

import contextlib
import json
import os
import socket
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from axonportal import env
from axonportal.launcher import datadir, postgres
from axonportal.launcher.faults import NO_SPACE, Fault, Stopped, disk_full, unwritable
from axonportal.launcher.processes import Command
from axonportal.launcher.supervisor import Child, Supervisor
from axonportal.launcher.welcome import Welcome, block

PROJECT = Path(__file__).resolve().parent.parent.parent
PREPARE_TIMEOUT_S = 600.0
HEALTH_TIMEOUT_S = 60.0
# How long one answer may take; nothing else is done meanwhile.
HEALTH_ANSWER_S = 2.0
# Between two questions for /health.
HEALTH_PAUSE_S = 0.05
# A web process gets this long to answer what it has begun.
WEB_STOP_S = 4
DEFAULT_WEB_WORKERS = 2
DEFAULT_WEB_THREADS = 32
# Calls that wait for a person's answer sleep on threads beside those; none is made before its use.
DEFAULT_WAITING = 256
# The answer of the preparing step is one short JSON object.
MAX_ANSWER_BYTES = 65536


# 32 threads with an arena of the allocator each keep 15 MB more per worker than two arenas do.
WEB_ENVIRONMENT = {"MALLOC_ARENA_MAX": "2"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the environment asks for; ports are on `host`, `policy_port` 0 is off."""

    data_dir: Path
    host: str
    port: int
    policy_port: int
    public_url: str
    workers: int
    threads: int
    waiting: int
    demo: bool
    own_database: bool
    log_level: str

    @classmethod
    def from_environment(cls) -> Plan:
        """Read as `settings.py` does, which must not be loaded yet.

        Raises:
            ImproperlyConfigured: a variable has a value that makes no sense.
        """
        port = env.number("AXON_PORT", 8080, least=1, most=65535)
        policy_port = env.number("AXON_POLICY_PORT", port + 1 if port < 65535 else 0, most=65535)
        cores = len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1
        return cls(
            data_dir=Path(env.text("AXON_DATA_DIR") or PROJECT / ".data").absolute(),
            host=env.text("AXON_HOST") or "127.0.0.1",
            port=port,
            policy_port=0 if policy_port == port else policy_port,
            public_url=(env.text("AXON_PUBLIC_URL") or f"http://localhost:{port}").rstrip("/"),
            workers=env.number(
                "AXON_WEB_WORKERS", min(DEFAULT_WEB_WORKERS, cores), least=1, most=256
            ),
            threads=env.number("AXON_WEB_THREADS", DEFAULT_WEB_THREADS, least=1, most=1024),
            waiting=env.number("AXON_MAX_WAITING", DEFAULT_WAITING, most=4096),
            demo=env.flag("AXON_DEMO", default=True),
            own_database=not env.text("AXON_DATABASE_URL"),
            log_level=env.text("AXON_LOG_LEVEL").upper(),
        )


class Portal:
    """One run of the portal: its processes, and the environment that they share."""

    def __init__(self, plan: Plan, supervisor: Supervisor) -> None:
        self.plan = plan
        self.supervisor = supervisor
        self.cluster = postgres.Cluster.within(plan.data_dir)
        self.environment = dict(os.environ)
        self.admin_password: str | None = None
        self._stamp = plan.data_dir / "prepared"

    def start(self, *, after_kill: bool) -> None:
        """Start everything; returns once the portal answers and the person has read how.

        `after_kill` tells that the portal before this one was killed.

        Raises:
            Fault: it cannot be started.
            Stopped: somebody asked to stop meanwhile.
        """
        policy_port = self._ports(wait=after_kill)
        database = self._set_environment(policy_port)
        # With code and settings that have prepared this database before, the web may load
        # while PostgreSQL starts.
        prepared = self.plan.own_database and self._is_prepared()
        if prepared:
            self._web("web", self.plan.port, self.plan.workers)
        if self.plan.own_database:
            server = postgres.launch(self.cluster, self.supervisor)
            postgres.wait(server, self.cluster, self.supervisor)
        if not prepared:
            self._prepare()
            self._web("web", self.plan.port, self.plan.workers)
        self._wait_until_healthy(self.plan.port)
        if policy_port:
            self._web("policy", policy_port, 1)
            self._wait_until_healthy(policy_port)
        self._celery("worker", "--pool=threads", "--concurrency=2", "--without-gossip",
                     "--without-mingle", "--without-heartbeat")  # fmt: skip
        self._celery("beat", "--pidfile=")
        self._welcome(policy_port, database)

    def stop(self) -> None:
        """Stop everything that runs, the database last."""
        self.supervisor.stop("web policy", "worker beat setup")
        if self.plan.own_database:
            postgres.unlink_socket(self.cluster)

    # --- Before anything runs ---

    def _ports(self, *, wait: bool) -> int:
        """Make sure of the ports; the policy port, or 0 if it is off or taken.

        `wait` gives the web processes of a killed portal the time to let go of them.
        """
        deadline = time.monotonic() + (WEB_STOP_S + 1 if wait else 0)
        while (reason := _taken(self.plan.host, self.plan.port)) and time.monotonic() < deadline:
            self.supervisor.pump(0.1)
            self.supervisor.raise_if_stopping()
        if reason:
            raise Fault(
                f"Port {self.plan.port} on {self.plan.host} cannot be used ({reason}); stop what "
                "uses it, or set AXON_PORT to another port."
            )
        policy_port = self.plan.policy_port
        if policy_port and (reason := _taken(self.plan.host, policy_port)):
            self.supervisor.say(
                f"Warning: port {policy_port} cannot be used ({reason}), so policy calls are "
                f"answered on {self.plan.port} only; AXON_POLICY_PORT sets another port."
            )
            return 0
        return policy_port

    def _set_environment(self, policy_port: int) -> Path:
        """Fill in what is not set; returns the file that other shells can source."""
        given = self.environment
        made = {
            "AXON_DATA_DIR": str(self.plan.data_dir),
            "AXON_PORT": str(self.plan.port),
            "AXON_POLICY_PORT": str(policy_port),
            "AXON_DEMO": "1" if self.plan.demo else "0",
        }
        if self.plan.own_database:
            made["AXON_DATABASE_URL"] = self.cluster.url
        if not given.get("AXON_BROKER_URL"):
            # With a host, because Celery warns about an address that has none.
            made["AXON_BROKER_URL"] = "filesystem://localhost/"
        for name in ("secret", "credential"):
            variable = f"AXON_{name.upper()}_KEY"
            if not (given.get(variable) or given.get(f"{variable}_FILE")):
                file = datadir.secret_file(self.plan.data_dir, f"{name}-key")
                made[f"{variable}_FILE"] = str(file)
        given |= made
        given.setdefault("PYTHONUNBUFFERED", "1")
        for name, value in WEB_ENVIRONMENT.items():
            given.setdefault(name, value)
        return datadir.write_environment(self.plan.data_dir, made)

    def _is_prepared(self) -> bool:
        try:
            known = self._stamp.read_text(encoding="ascii")
        except FileNotFoundError:
            return False
        return self.cluster.exists and known == self._fingerprint()

    def _fingerprint(self) -> str:
        sources = [PROJECT / "requirements" / "run.txt"]
        for package in ("axonportal", "policies", "audit", "approvals"):
            sources += (PROJECT / package).rglob("*.py")
        made_at = (self.cluster.folder / "PG_VERSION").stat().st_mtime_ns
        return datadir.fingerprint(sources, self.environment, str(made_at))

    # --- Processes ---

    def _python(self, *arguments: str, pass_fds: tuple[int, ...] = ()) -> Command:
        return Command(
            argv=(sys.executable, *arguments),
            cwd=PROJECT,
            env=self.environment,
            pass_fds=pass_fds,
        )

    def _web(self, name: str, port: int, workers: int) -> Child:
        level = self.plan.log_level.lower()
        return self.supervisor.start(
            name,
            self._python(
                *("-m", "granian", "--interface", "wsgi", "--no-ws"),
                *("--host", self.plan.host, "--port", str(port)),
                *("--workers", str(workers)),
                *("--blocking-threads", str(self.plan.threads + self.plan.waiting)),
                *("--respawn-failed-workers", "--workers-kill-timeout", str(WEB_STOP_S)),
                # Its warnings are about our number of threads, on each start.
                *("--log-level", level if level == "debug" else "error"),
                "axonportal.wsgi:application",
            ),
        )

    def _celery(self, name: str, *options: str) -> Child:
        level = self.plan.log_level or "WARNING"
        return self.supervisor.start(
            name,
            self._python(
                # Root gets a lecture at each start; docs/how-to/run.md gives it once.
                *("-W", "ignore:You're running the worker"),
                *("-m", "celery", "--quiet", "-A", "axonportal", name, "--loglevel", level),
                *options,
            ),
        )

    def _prepare(self) -> None:
        """Migrate and seed."""
        self._stamp.unlink(missing_ok=True)
        fingerprint = self._fingerprint() if self.plan.own_database else ""
        reader, writer = os.pipe()
        with os.fdopen(reader, "rb") as result:
            try:
                child = self.supervisor.run(
                    "setup",
                    self._python(
                        "-m", "axonportal.launcher.prepare", str(writer), pass_fds=(writer,)
                    ),
                    timeout_s=PREPARE_TIMEOUT_S,
                )
            finally:
                os.close(writer)
            answer = result.read(MAX_ANSWER_BYTES)
        if child.returncode:
            raise _why_not_prepared(child, self.plan.data_dir)
        self.admin_password = json.loads(answer)["admin_password"]
        if fingerprint:
            datadir.write_private(self._stamp, fingerprint)

    def _wait_until_healthy(self, port: int) -> None:
        needed = list(self.supervisor.children)
        deadline = time.monotonic() + HEALTH_TIMEOUT_S
        address = _own_address(self.plan.host, port)
        while (status := _health(address)) != 200:
            self.supervisor.pump(HEALTH_PAUSE_S)
            self.supervisor.raise_if_stopping()
            for child in needed:
                if child.returncode is not None:
                    raise Fault(
                        f"The process {child.name} {child.ending}; its lines above tell why."
                    )
            if time.monotonic() > deadline:
                said = f"answers {status}" if status else "does not answer"
                raise Fault(
                    f"The portal {said} at /health on port {port} after {HEALTH_TIMEOUT_S:.0f} s."
                )

    def _welcome(self, policy_port: int, environment: Path) -> None:
        generated = None if self.environment.get("AXON_ADMIN_PASSWORD") else self.admin_password
        self.admin_password = None
        text = block(
            Welcome(
                public_url=self.plan.public_url,
                policy_port=policy_port,
                data_dir=self.plan.data_dir,
                environment=environment,
                demo=self.plan.demo,
                admin_password=generated,
            )
        )
        for line in text.splitlines():
            _write(line)

    def tell_unseen_password(self) -> None:
        """A start that failed after making the admin must not lose the password."""
        if self.admin_password and not self.environment.get("AXON_ADMIN_PASSWORD"):
            self.supervisor.say(f"The user admin was made, with the password {self.admin_password}")


def _why_not_prepared(child: Child, data_dir: Path) -> Fault:
    """The step's own sentence if it has one; its last line, mostly an error, if not."""
    if NO_SPACE in child.output:
        return disk_full(data_dir)
    said, _, sentence = child.output.rpartition("FAULT: ")
    if said or sentence != child.output:
        return Fault(sentence)
    last = child.output.rpartition("\n")[2]
    return Fault(f"Preparing the database {child.ending}: {last}")


def _taken(host: str, port: int) -> str:
    """Why a port cannot be listened on; empty if it can."""
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            probe.listen(1)
    except OSError as error:
        return (error.strerror or str(error)).lower()
    return ""


def _own_address(host: str, port: int) -> tuple[str, int]:
    """How this machine reaches what listens on `host`."""
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host), port  # noqa: S104


def _health(address: tuple[str, int]) -> int:
    """The status of /health; 0 while nothing answers."""
    request = b"GET /health HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
    try:
        with socket.create_connection(address, timeout=HEALTH_ANSWER_S) as connection:
            connection.sendall(request)
            head = connection.recv(64).split()
    except OSError:
        return 0
    return int(head[1]) if len(head) > 1 and head[1].isdigit() else 0


def _write(line: str) -> None:
    """One line to the terminal; one that has gone away must not keep us from stopping."""
    try:
        sys.stdout.write(line + "\n")
        sys.stdout.flush()
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


@contextlib.contextmanager
def _faults_for(data_dir: Path) -> Iterator[None]:
    """Turn what the disk refuses into a sentence."""
    try:
        yield
    except OSError as error:
        raise unwritable(data_dir, error) from None


def main() -> int:
    """Run the portal until it is stopped; the exit code.

    0 after a stop that was asked for, 1 after a fault or when a process ended by itself.
    """
    supervisor = Supervisor(_write)
    try:
        with supervisor.signals(), ExitStack() as stack:
            plan = Plan.from_environment()
            stack.enter_context(_faults_for(plan.data_dir))
            datadir.prepare(plan.data_dir)
            after_kill = stack.enter_context(datadir.locked(plan.data_dir))
            portal = Portal(plan, supervisor)
            stack.callback(portal.stop)
            stack.callback(portal.tell_unseen_password)
            portal.start(after_kill=after_kill)
            child = supervisor.watch()
            if child is None:
                supervisor.say("stopping")
                return 0
            raise Fault(f"The process {child.name} {child.ending}, so the rest is stopped.")
    except Stopped:
        return 0
    except (Fault, ImproperlyConfigured) as fault:
        sys.stderr.write(f"axon-portal: {fault}\n")
        return 1
    finally:
        supervisor.close()
