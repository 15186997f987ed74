"""Child processes that cannot outlive the launcher."""

from __future__ import annotations

import ctypes
import os
import pwd
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

# Linux's prctl(2): the signal that a process gets when its parent thread ends.
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Command:
    """One process to run; `user` is whom to become first, which takes root."""

    argv: tuple[str, ...]
    cwd: Path
    env: Mapping[str, str] | None = None
    user: pwd.struct_passwd | None = None
    stdin: bytes = b""
    pass_fds: tuple[int, ...] = ()
    stop_signal: signal.Signals = signal.SIGTERM


def spawn(command: Command) -> subprocess.Popen[bytes]:
    """Start `command` in a process group of its own, both outputs in one pipe.

    Its own group keeps a terminal's Ctrl-C away from it, so that the launcher decides the
    order of stopping, and lets whatever it leaves behind be ended with it. Call from the
    main thread: the kernel watches the thread that spawned.

    Raises:
        OSError: the program or the folder is missing or may not be used.
    """
    user = command.user
    process = subprocess.Popen(  # noqa: S603
        command.argv,
        cwd=command.cwd,
        env=None if command.env is None else dict(command.env),
        stdin=subprocess.PIPE if command.stdin else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        user=user.pw_uid if user else None,
        group=user.pw_gid if user else None,
        extra_groups=[] if user else None,
        pass_fds=command.pass_fds,
        process_group=0,
        # Runs after the change of user, which would otherwise clear the setting.
        preexec_fn=_tied_to(os.getpid(), command.stop_signal),
    )
    if process.stdin:
        # Far smaller than a pipe's buffer, so this cannot wait for the reader.
        try:
            process.stdin.write(command.stdin)
            process.stdin.close()
        except BrokenPipeError:
            pass  # It ended already; its exit code and output tell why.
    return process


def _tied_to(parent: int, stop_signal: signal.Signals) -> Callable[[], None] | None:
    """What the new process does before it becomes the program."""
    if sys.platform != "linux":
        return None

    def tie() -> None:
        _LIBC.prctl(_PR_SET_PDEATHSIG, int(stop_signal), 0, 0, 0)
        if os.getppid() != parent:
            # The launcher was killed before the line above took effect.
            os._exit(1)

    return tie


def signal_group(process: subprocess.Popen[bytes], number: signal.Signals) -> None:
    """Signal everything in the group of `process`, also when it has itself ended."""
    try:
        os.killpg(process.pid, number)
    except (ProcessLookupError, PermissionError):
        return  # Nothing is left of it. (macOS says EPERM of a group of zombies.)
