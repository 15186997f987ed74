"""Small programs in place of the portal's processes, and a launcher to kill."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable
from pathlib import Path

from axonportal.launcher import postgres
from axonportal.launcher.processes import Command
from axonportal.launcher.supervisor import Supervisor

# Long enough for every test, short enough to go away by itself if one fails.
SLEEP_S = 60


def python(code: str, folder: Path) -> Command:
    """A Python process that runs `code`."""
    return Command(argv=(sys.executable, "-u", "-S", "-E", "-c", code), cwd=folder)


def sleeper(folder: Path) -> Command:
    """Sleeps until it is told to stop."""
    return Command(argv=("/bin/sleep", str(SLEEP_S)), cwd=folder)


def stubborn(folder: Path) -> Command:
    """Takes no notice of a wish to stop; says "ready" once it does not."""
    return python(
        "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); "
        f"print('ready'); time.sleep({SLEEP_S})",
        folder,
    )


def parent(folder: Path) -> Command:
    """Has a child of its own, as a web server has workers; prints the child's process id."""
    return python(
        f"import subprocess; child = subprocess.Popen(['/bin/sleep', '{SLEEP_S}']); "
        "print(child.pid); child.wait()",
        folder,
    )


def pump_until(supervisor: Supervisor, done: Callable[[], bool], timeout_s: float = 10) -> None:
    """Pass on output until `done`; an error after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    while not done():
        supervisor.pump(0.05)
        if time.monotonic() > deadline:
            raise TimeoutError


def gone(pid: int, timeout_s: float = 5) -> bool:
    """Whether the process ends in time; a zombie that nobody reaps has ended."""
    deadline = time.monotonic() + timeout_s
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text(encoding="ascii").rpartition(")")[2]
        except (FileNotFoundError, ProcessLookupError):
            return True
        if state.split()[0] == "Z":
            return True
        time.sleep(0.02)
    return False


def main(folder: Path) -> None:
    """A launcher with a database and two processes; prints their ids, then supervises."""
    supervisor = Supervisor(lambda line: None)
    with supervisor.signals():
        server = postgres.start(postgres.Cluster.within(folder, {"fsync": "off"}), supervisor)
        children = [
            server,
            supervisor.start("web", sleeper(folder)),
            supervisor.start("worker", sleeper(folder)),
        ]
        sys.stdout.write(" ".join(str(child.process.pid) for child in children) + "\n")
        sys.stdout.flush()
        supervisor.watch()
        supervisor.stop("web", "worker")
    supervisor.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
