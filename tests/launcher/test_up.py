"""`manage.py up` as a person meets it: the real processes on ports of their own."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from axonportal.launcher import postgres
from axonportal.launcher.supervisor import Supervisor
from tests.launcher.stand_ins import gone

PROJECT = Path(__file__).resolve().parents[2]
# Generous, because other tests run beside; a healthy start takes 2 to 5 s.
UP_S = 90
STOP_S = 20

pytestmark = pytest.mark.processes


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@dataclass(slots=True)
class Run:
    """One `manage.py up`, its lines, and the processes that it started."""

    process: subprocess.Popen[str]
    port: int
    policy_port: int
    lines: list[str] = field(default_factory=list)
    reader: threading.Thread | None = None
    pids: list[int] = field(default_factory=list)

    @property
    def text(self) -> str:
        return "".join(self.lines)

    def read(self) -> None:
        assert self.process.stdout is not None
        self.lines.extend(self.process.stdout)

    def wait_for(self, text: str) -> None:
        deadline = time.monotonic() + UP_S
        while text not in self.text:
            assert self.process.poll() is None, self.text
            assert time.monotonic() < deadline, self.text
            time.sleep(0.05)
        time.sleep(0.3)  # The processes that are started last.
        self.pids = descendants(self.process.pid)

    def end(self, number: signal.Signals) -> int:
        self.process.send_signal(number)
        return self.wait()

    def wait(self) -> int:
        """The exit code, once all lines are in."""
        code = self.process.wait(timeout=STOP_S)
        assert self.reader is not None
        self.reader.join(timeout=STOP_S)
        return code


def descendants(pid: int) -> list[int]:
    """Every process below `pid`."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text(encoding="ascii", errors="replace").rpartition(")")[2].split()
        except OSError:
            continue  # It ended meanwhile.
        parents[int(stat.parent.name)] = int(fields[1])
    found = [pid]
    for one in found:
        found += [child for child, parent in parents.items() if parent == one]
    return found[1:]


def start(data_dir: Path, port: int, policy_port: int, **variables: str) -> Run:
    clean = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("AXON_", "DJANGO_", "PYTEST_"))
    }
    process = subprocess.Popen(
        [sys.executable, "manage.py", "up"],
        cwd=PROJECT,
        env={
            **clean,
            "AXON_DATA_DIR": str(data_dir),
            "AXON_PORT": str(port),
            "AXON_POLICY_PORT": str(policy_port),
            **variables,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    run = Run(process=process, port=port, policy_port=policy_port)
    run.reader = threading.Thread(target=run.read, daemon=True)
    run.reader.start()
    return run


def pre_check(port: int) -> dict:
    """What the portal on `port` says to a statement that a built-in policy blocks."""
    connection = http.client.HTTPConnection("localhost", port, timeout=10)
    body = json.dumps({"client_id": "claude-code", "query": "DROP TABLE users"})
    connection.request("POST", "/api/policy/pre-check", body, {"Content-Type": "application/json"})
    with connection.getresponse() as answer:
        decision: dict = json.load(answer)
    connection.close()
    return decision


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """What there is to say about a run that is over."""

    text: str
    answers: dict[str, dict]
    exit_code: int
    left: list[int]


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, int, int]:
    return tmp_path_factory.mktemp("up") / "data", free_port(), free_port()


@pytest.fixture(scope="module")
def first(place: tuple[Path, int, int]) -> Ended:
    """The first start, asked one question on each port, and ended by Ctrl-C."""
    run = start(*place)
    try:
        run.wait_for("Stop with Ctrl-C.")
        answers = {"web": pre_check(run.port), "policy": pre_check(run.policy_port)}
        code = run.end(signal.SIGINT)
    finally:
        run.process.kill()
    return Ended(
        text=run.text,
        answers=answers,
        exit_code=code,
        left=[pid for pid in run.pids if not gone(pid)],
    )


@pytest.fixture(scope="module")
def killed(place: tuple[Path, int, int], first: Ended) -> Ended:
    """The second start, whose launcher is killed."""
    run = start(*place)
    try:
        run.wait_for("Stop with Ctrl-C.")
    finally:
        code = run.end(signal.SIGKILL)
    return Ended(
        text=run.text,
        answers={},
        exit_code=code,
        left=[pid for pid in run.pids if not gone(pid, STOP_S)],
    )


@pytest.fixture
def running(place: tuple[Path, int, int], killed: Ended) -> Iterator[Run]:
    run = start(*place)
    try:
        run.wait_for("Stop with Ctrl-C.")
        yield run
    finally:
        run.end(signal.SIGTERM)


def test_the_first_start_tells_all_that_a_person_needs(first: Ended, place):
    _, port, policy_port = place

    assert f"Axon Portal is up: http://localhost:{port}/" in first.text
    assert f"on port {policy_port}" in first.text
    assert "no credentials" in first.text
    assert re.search(r"Sign in as admin with this password.*:\n    \S{12,}\n", first.text)
    assert f"curl -s http://localhost:{port}/api/policy/pre-check" in first.text


def test_the_printed_hook_configuration_is_json_for_this_port(first: Ended, place):
    printed = first.text[first.text.index('{\n  "hooks"') :]

    hooks = json.JSONDecoder().raw_decode(printed)[0]["hooks"]

    assert set(hooks) == {"PreToolUse", "PostToolUse", "PostToolUseFailure"}
    [hook] = hooks["PreToolUse"][0]["hooks"]
    assert hook["url"] == f"http://localhost:{place[1]}/api/v1/hooks/claude-code"
    assert hook["type"] == "http"
    assert hook["onFailure"] == "block"


@pytest.mark.parametrize("name", ["web", "policy"])
def test_both_ports_decide(name: str, first: Ended):
    assert first.answers[name]["approved"] is False
    assert "dangerous_query_blocking" in first.answers[name]["policies"]


def test_ctrl_c_stops_everything_cleanly(first: Ended):
    assert first.exit_code == 0
    assert first.left == []
    assert "database system is shut down" in first.text


def test_the_secrets_are_private_and_not_in_the_log(first: Ended, place):
    data_dir = place[0]

    for name in ("secret-key", "credential-key", "postgres.pass", "portal.env"):
        path = data_dir / name
        assert path.stat().st_mode & 0o077 == 0, name
        if name != "portal.env":
            assert path.read_text().strip() not in first.text


def test_nothing_outlives_a_killed_launcher(killed: Ended):
    assert killed.exit_code == -signal.SIGKILL
    assert killed.left == []


def test_a_later_start_keeps_the_data_and_does_not_print_the_password_again(
    killed: Ended, running: Run
):
    for text in (killed.text, running.text):
        assert "Sign in as admin (forgotten password" in text
        assert "Applying" not in text


def test_a_second_portal_on_the_same_data_is_refused_in_one_sentence(
    running: Run, place: tuple[Path, int, int]
):
    second = start(place[0], free_port(), 0)

    code = second.wait()

    assert code == 1
    assert re.fullmatch(r"axon-portal: A portal is already running on .*\n", second.text)


def test_a_process_that_ends_is_named_and_ends_the_rest(
    killed: Ended, place: tuple[Path, int, int]
):
    run = start(*place)
    run.wait_for("Stop with Ctrl-C.")
    [worker] = [pid for pid in run.pids if b"\0worker\0" in command_line(pid)]

    os.kill(worker, signal.SIGKILL)
    code = run.wait()

    assert code == 1
    assert "The process worker was ended by SIGKILL" in run.text
    assert all(gone(pid) for pid in run.pids)


def command_line(pid: int) -> bytes:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return b""


@pytest.fixture(scope="module")
def on_a_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Ended]:
    """A start on a server of the user's own, with a password of her own and one port taken."""
    folder = tmp_path_factory.mktemp("server")
    cluster = postgres.Cluster.within(folder, {"fsync": "off", "log_min_messages": "panic"})
    supervisor = Supervisor(lambda line: None)
    try:
        postgres.start(cluster, supervisor)
        with socket.create_server(("127.0.0.1", 0)) as taken:
            run = start(
                tmp_path_factory.mktemp("portal"),
                free_port(),
                taken.getsockname()[1],
                AXON_DATABASE_URL=cluster.url,
                AXON_ADMIN_PASSWORD="a password of her own",
            )
            try:
                run.wait_for("Stop with Ctrl-C.")
                answers = {"web": pre_check(run.port)}
            finally:
                code = run.end(signal.SIGTERM)
        yield Ended(text=run.text, answers=answers, exit_code=code, left=[])
    finally:
        supervisor.stop()
        supervisor.close()


def test_a_server_of_ones_own_replaces_the_embedded_one(on_a_server: Ended):
    assert on_a_server.answers["web"]["approved"] is False
    assert "postgres |" not in on_a_server.text
    assert on_a_server.exit_code == 0


def test_a_password_of_ones_own_is_not_printed(on_a_server: Ended):
    assert "a password of her own" not in on_a_server.text
    assert "this password" not in on_a_server.text


def test_a_taken_policy_port_is_a_warning(on_a_server: Ended):
    assert re.search(
        r"^portal   \| Warning: port \d+ cannot be used .* AXON_POLICY_PORT sets another port\.$",
        on_a_server.text,
        flags=re.MULTILINE,
    )
    assert "answers policy calls on port" not in on_a_server.text


def test_a_taken_port_is_one_sentence(tmp_path: Path):
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        run = start(tmp_path, port, 0)
        code = run.wait()

    assert code == 1
    assert re.fullmatch(rf"axon-portal: Port {port} .* cannot be used .*AXON_PORT.*\n", run.text)


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        pytest.param(
            {"AXON_PORT": "eighty"}, r"AXON_PORT='eighty' is not a whole number\.", id="port"
        ),
        pytest.param({"AXON_DEMO": "tru"}, r"AXON_DEMO='tru' is neither yes nor no.*", id="flag"),
        pytest.param(
            {"AXON_DATABASE_URL": "mysql://x/y"},
            r"AXON_DATABASE_URL begins with mysql://.*",
            id="another database",
        ),
        pytest.param(
            {"AXON_DATABASE_URL": "postgresql://x:y@127.0.0.1:1/z"},
            r"The database on 127\.0\.0\.1 answered: .*refused.*",
            id="database away",
        ),
        pytest.param(
            {"AXON_DATA_DIR": "/proc/axon"}, r"The data directory .* cannot be written.*", id="data"
        ),
    ],
)
def test_a_start_that_cannot_go_on_ends_with_one_sentence(
    variables: dict[str, str], sentence: str, tmp_path: Path
):
    run = start(tmp_path, free_port(), 0, **variables)

    code = run.wait()

    assert code == 1
    assert "Traceback" not in run.text
    assert re.fullmatch(f"axon-portal: {sentence}", run.text.splitlines()[-1])
