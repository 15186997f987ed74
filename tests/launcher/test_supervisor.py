"""The launcher's processes: one stream of lines, stops in order, and nothing left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from axonportal.launcher import supervisor as module
from axonportal.launcher.faults import Stopped
from axonportal.launcher.supervisor import Supervisor
from tests.launcher.stand_ins import gone, parent, pump_until, python, sleeper, stubborn


def test_lines_of_all_processes_carry_their_names(
    supervisor: Supervisor, lines: list[str], tmp_path: Path
):
    supervisor.start("web", python("print('one'); print('two')", tmp_path))
    supervisor.start("postgres", python("import sys; sys.stderr.write('three')", tmp_path))

    pump_until(supervisor, lambda: not supervisor.children)

    assert sorted(lines) == ["postgres | three", "web      | one", "web      | two"]


@pytest.mark.parametrize(
    ("output", "line"),
    [
        pytest.param(r"b'\x1b[2Jwiped\n'", r"web      | \x1b[2Jwiped", id="terminal control"),
        pytest.param(r"b'caf\xc3\xa9 \xff\n'", "web      | café �", id="not UTF-8"),
        pytest.param(r"b'a\tb\r\n'", "web      | a\tb", id="tab and carriage return"),
    ],
)
def test_output_cannot_steer_the_terminal(
    output: str, line: str, supervisor: Supervisor, lines: list[str], tmp_path: Path
):
    supervisor.start("web", python(f"import os; os.write(1, {output})", tmp_path))

    pump_until(supervisor, lambda: not supervisor.children)

    assert lines == [line]


def test_a_line_without_an_end_is_cut_into_pieces(
    supervisor: Supervisor, lines: list[str], tmp_path: Path
):
    supervisor.start("web", python("print('x' * 100_000, end='')", tmp_path))

    pump_until(supervisor, lambda: not supervisor.children)

    assert sum(line.count("x") for line in lines) == 100_000
    assert max(map(len, lines)) < module.MAX_LINE_BYTES + 20


def test_the_watch_ends_with_the_process_that_ended(supervisor: Supervisor, tmp_path: Path):
    supervisor.start("web", sleeper(tmp_path))
    supervisor.start("worker", python("import sys; print('why'); sys.exit(3)", tmp_path))

    ended = supervisor.watch()

    assert ended is not None
    assert (ended.name, ended.ending, ended.output) == ("worker", "ended with exit code 3", "why")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_a_signal_ends_the_watch(number: signal.Signals, supervisor: Supervisor, tmp_path: Path):
    child = supervisor.start("web", sleeper(tmp_path))

    with supervisor.signals():
        os.kill(os.getpid(), number)
        ended = supervisor.watch()

    assert ended is None
    assert child.returncode is None


def test_a_step_is_stopped_with_the_launcher(supervisor: Supervisor, tmp_path: Path):
    with supervisor.signals():
        os.kill(os.getpid(), signal.SIGINT)
        with pytest.raises(Stopped):
            supervisor.run("setup", sleeper(tmp_path), timeout_s=30)

    assert not supervisor.children


def test_a_step_that_takes_too_long_is_killed(supervisor: Supervisor, tmp_path: Path):
    child = supervisor.run("setup", stubborn(tmp_path), timeout_s=0.5)

    assert child.returncode in {-signal.SIGKILL, -signal.SIGTERM}


def test_stages_stop_one_after_the_other(supervisor: Supervisor, lines: list[str], tmp_path: Path):
    code = (
        "import signal, sys, time; "
        "signal.signal(signal.SIGTERM, lambda *_: (time.sleep(0.2), print('ended'), sys.exit())); "
        "print('ready'); time.sleep(60)"
    )
    for name in ("postgres", "worker", "web"):
        supervisor.start(name, python(code, tmp_path))
    pump_until(supervisor, lambda: len(lines) == 3)

    supervisor.stop("web policy", "worker beat")

    assert [line.split()[0] for line in lines[3:]] == ["web", "worker", "postgres"]


def test_what_does_not_stop_in_time_is_killed(
    supervisor: Supervisor, lines: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "STOP_S", 0.6)
    monkeypatch.setattr(module, "LAST_STOP_S", 0.3)
    child = supervisor.start("web", stubborn(tmp_path))
    pump_until(supervisor, lambda: bool(lines))

    began = time.monotonic()
    supervisor.stop("web")

    assert child.returncode == -signal.SIGKILL
    assert time.monotonic() - began < 3


def test_a_second_ctrl_c_does_not_wait(
    supervisor: Supervisor, lines: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr(module, "ONE_REQUEST_S", 0.0)
    child = supervisor.start("web", stubborn(tmp_path))
    pump_until(supervisor, lambda: bool(lines))
    killer = python(
        f"import os, signal, time; time.sleep(0.3); os.kill({os.getpid()}, signal.SIGINT)", tmp_path
    )

    began = time.monotonic()
    with supervisor.signals():
        os.kill(os.getpid(), signal.SIGINT)
        supervisor.start("killer", killer)
        supervisor.stop("web")

    assert child.returncode == -signal.SIGKILL
    assert time.monotonic() - began < 5


def test_children_of_a_process_end_with_it(
    supervisor: Supervisor, lines: list[str], tmp_path: Path
):
    child = supervisor.start("web", parent(tmp_path))
    pump_until(supervisor, lambda: bool(lines))
    grandchild = int(lines[0].split()[-1])

    child.process.kill()
    supervisor.watch()

    assert gone(grandchild)


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
def test_nothing_outlives_a_launcher_however_it_ends(number: signal.Signals, tmp_path: Path):
    launcher = subprocess.Popen(
        [sys.executable, "-m", "tests.launcher.stand_ins", str(tmp_path)],
        stdout=subprocess.PIPE,
        text=True,
        # A shell in the background hands on an ignored SIGINT.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.default_int_handler),
    )
    assert launcher.stdout is not None
    with launcher:
        pids = [int(pid) for pid in launcher.stdout.readline().split()]

        launcher.send_signal(number)
        launcher.wait(timeout=15)

    assert len(pids) == 3
    assert all(gone(pid) for pid in pids)
    assert not (tmp_path / "postgres" / "postmaster.pid").exists()
