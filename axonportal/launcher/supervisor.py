"""Starts processes, joins their output into one stream of lines, and stops them in order.

One thread does everything: the kernel ties a child to the thread that started it, and a
process that has no threads can be forked safely.
"""

from __future__ import annotations

import contextlib
import os
import selectors
import signal
import socket
import subprocess
import time
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from axonportal.launcher.faults import Stopped
from axonportal.launcher.processes import Command, signal_group, spawn

# Longer lines are cut into pieces, so that a process cannot fill the launcher's memory.
MAX_LINE_BYTES = 16 * 1024
# What is kept of a process's output to tell why it ended.
TAIL_LINES = 60
# A stop takes at most this long; then whatever is left is killed.
STOP_S = 10.0
# Of that, the last process to stop (PostgreSQL) always gets this much.
LAST_STOP_S = 3.0
# A terminal, make and a service manager may each pass on the same wish to stop.
ONE_REQUEST_S = 1.0
NAME_WIDTH = 8
_STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
# Output of a process may hold a caller's text; its control characters stay out of terminals.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(9), *range(10, 32), *range(127, 160))}


@dataclass(slots=True, eq=False)
class Child:
    """A started process; `returncode` is None while it runs."""

    name: str
    command: Command
    process: subprocess.Popen[bytes]
    quiet: bool
    buffer: bytes = b""
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=TAIL_LINES))

    @property
    def returncode(self) -> int | None:
        return self.process.returncode

    @property
    def output(self) -> str:
        """The last lines it wrote."""
        return "\n".join(self.tail)

    @property
    def ending(self) -> str:
        """How it ended, for people."""
        code = self.returncode
        if code is not None and code < 0:
            return f"was ended by {signal.Signals(-code).name}"
        return f"ended with exit code {code}"


class Supervisor:
    """The launcher's processes, and the one stream that their lines go to.

    `write` receives whole lines without their end. Not for use by several threads.
    """

    def __init__(self, write: Callable[[str], None]) -> None:
        self.children: list[Child] = []
        self.stop_requests = 0
        self._last_request = 0.0
        self._write = write
        self._selector = selectors.DefaultSelector()
        self._wakeup, self._wakeup_in = socket.socketpair()
        for end in (self._wakeup, self._wakeup_in):
            end.setblocking(False)
        self._selector.register(self._wakeup, selectors.EVENT_READ)

    # --- Signals ---

    @contextlib.contextmanager
    def signals(self) -> Iterator[None]:
        """Take Ctrl-C, SIGTERM and SIGHUP as a wish to stop, as long as this lasts."""
        before = {number: signal.getsignal(number) for number in (*_STOP_SIGNALS, signal.SIGCHLD)}
        fd = signal.set_wakeup_fd(self._wakeup_in.fileno(), warn_on_full_buffer=False)
        for number in _STOP_SIGNALS:
            # `nohup` ignores the end of the terminal for us.
            if number != signal.SIGHUP or before[number] != signal.SIG_IGN:
                signal.signal(number, self._on_stop)
        # With a handler of any kind the end of a child interrupts the wait for output.
        signal.signal(signal.SIGCHLD, lambda *_: None)
        try:
            yield
        finally:
            for number, handler in before.items():
                signal.signal(number, handler)
            signal.set_wakeup_fd(fd)

    def _on_stop(self, *_: object) -> None:
        now = time.monotonic()
        if now - self._last_request > ONE_REQUEST_S:
            self.stop_requests += 1
        self._last_request = now

    def raise_if_stopping(self) -> None:
        """Leave the current step if somebody asked to stop.

        Raises:
            Stopped: somebody did.
        """
        if self.stop_requests:
            raise Stopped

    # --- Output ---

    def say(self, text: str, name: str = "portal") -> None:
        """Write `text` to the stream, line by line, under `name`."""
        for line in text.splitlines() or [""]:
            self._write(f"{name:<{NAME_WIDTH}} | {line}".rstrip())

    def pump(self, timeout_s: float) -> None:
        """Pass on output and notice ends, for at most `timeout_s`; returns at the first event."""
        for key, _ in self._selector.select(timeout_s):
            if key.fileobj is self._wakeup:
                with contextlib.suppress(BlockingIOError):
                    self._wakeup.recv(4096)
            else:
                self._read(key.data)
        for child in [child for child in self.children if child.process.poll() is not None]:
            self._finish(child)

    def _read(self, child: Child) -> bool:
        """One piece of output; whether there was any."""
        pipe = child.process.stdout
        if pipe is None or pipe.closed:
            return False
        try:
            data = os.read(pipe.fileno(), 65536)
        except BlockingIOError:
            return False
        if not data:
            self._selector.unregister(pipe)
            pipe.close()
            self._emit(child, child.buffer)
            child.buffer = b""
            return False
        *lines, child.buffer = (child.buffer + data).split(b"\n")
        for line in lines:
            self._emit(child, line)
        while len(child.buffer) >= MAX_LINE_BYTES:
            self._emit(child, child.buffer[:MAX_LINE_BYTES])
            child.buffer = child.buffer[MAX_LINE_BYTES:]
        return True

    def _emit(self, child: Child, line: bytes) -> None:
        text = line.rstrip(b"\r").decode("utf-8", "replace").translate(_CONTROLS)
        if text.strip():
            child.tail.append(text)
            if not child.quiet:
                self.say(text, child.name)

    def _finish(self, child: Child) -> None:
        """Read what is left of an ended child, and end what it left running."""
        signal_group(child.process, signal.SIGKILL)
        while self._read(child):
            pass
        pipe = child.process.stdout
        if pipe is not None and not pipe.closed:
            self._selector.unregister(pipe)
            pipe.close()
            self._emit(child, child.buffer)
        self.children.remove(child)

    # --- Processes ---

    def start(self, name: str, command: Command, *, quiet: bool = False) -> Child:
        """Start a process; a quiet one's lines are kept but not shown.

        Raises:
            OSError: see `spawn`.
        """
        child = Child(name=name, command=command, process=spawn(command), quiet=quiet)
        assert child.process.stdout is not None  # noqa: S101
        os.set_blocking(child.process.stdout.fileno(), False)
        self._selector.register(child.process.stdout, selectors.EVENT_READ, child)
        self.children.append(child)
        return child

    def run(self, name: str, command: Command, *, timeout_s: float, quiet: bool = False) -> Child:
        """Run a process to its end; one that takes longer than `timeout_s` is killed.

        Raises:
            Stopped: somebody asked to stop; the process was stopped first.
            OSError: see `spawn`.
        """
        child = self.start(name, command, quiet=quiet)
        deadline = time.monotonic() + timeout_s
        while child.returncode is None:
            self.pump(0.2)
            if self.stop_requests:
                self._stop([child], time.monotonic() + LAST_STOP_S)
                raise Stopped
            if time.monotonic() > deadline:
                self._stop([child], 0.0)
        return child

    def watch(self) -> Child | None:
        """Pass on output until a process ends, which is returned, or a stop is asked for."""
        watched = list(self.children)
        while not self.stop_requests:
            self.pump(1.0)
            for child in watched:
                if child.returncode is not None:
                    return child
        return None

    def stop(self, *stages: str) -> None:
        """Stop everything: the names of each stage together, stage by stage, then the rest.

        A stage is names joined by blanks. What does not stop in its share of `STOP_S` is killed;
        a second request to stop shortens the shares of all but the last stage to nothing.
        """
        end = time.monotonic() + STOP_S
        patience = self.stop_requests + 1
        for stage in stages:
            names = stage.split()
            children = [child for child in self.children if child.name in names]
            self._stop(children, end - LAST_STOP_S, patience)
        self._stop(list(self.children), end)

    def _stop(self, children: list[Child], deadline: float, patience: int | None = None) -> None:
        for child in children:
            if child.process.poll() is None:
                child.process.send_signal(child.command.stop_signal)
        while any(child.returncode is None for child in children):
            self.pump(0.05)
            if time.monotonic() > deadline or (patience and self.stop_requests >= patience):
                for child in children:
                    if child.process.poll() is None:
                        signal_group(child.process, signal.SIGKILL)
                        child.process.wait()
        self.pump(0)

    def close(self) -> None:
        """Give back the descriptors; nothing may be running any more."""
        self._selector.close()
        self._wakeup.close()
        self._wakeup_in.close()
