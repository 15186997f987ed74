"""Real servers that notifications reach: SMTP by aiosmtpd, HTTP by threads."""

from __future__ import annotations

import email
import email.policy
import http.server
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller


@dataclass(slots=True)
class Post:
    """One POST as it came."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(slots=True)
class Hooks:
    """A receiver of webhooks; `answers` are its next statuses, 200 when there are none left."""

    address: str = "127.0.0.1"
    port: int = 0
    posts: list[Post] = field(default_factory=list)
    answers: list[int] = field(default_factory=list)
    headers: dict[str, str] = field(default_factory=dict)
    hang: threading.Event | None = None  # set: it answers

    @property
    def url(self) -> str:
        return f"http://{self.address}:{self.port}/hook"


@contextmanager
def hooks(address: str = "127.0.0.1") -> Iterator[Hooks]:
    """A receiver on a port of its own."""
    state = Hooks(address=address)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            state.posts.append(Post(self.path, dict(self.headers.items()), body))
            if state.hang is not None:
                state.hang.wait(30)
            self.send_response(state.answers.pop(0) if state.answers else 200)
            for name, value in state.headers.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(b"said the receiver")

        def log_message(self, *args: object) -> None:
            pass

    server = http.server.ThreadingHTTPServer((address, 0), Handler)
    state.port = server.server_address[1]
    thread = threading.Thread(target=lambda: server.serve_forever(0.01), daemon=True)
    thread.start()
    try:
        yield state
    finally:
        if state.hang is not None:
            state.hang.set()
        server.shutdown()
        server.server_close()
        thread.join()


@dataclass(slots=True)
class Mailbox:
    """What an SMTP server took; `refuse` is what it says to each recipient instead."""

    port: int = 0
    mails: list[EmailMessage] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    refuse: str = ""
    on_data: Callable[[], None] | None = None

    async def handle_RCPT(  # noqa: N802 (the name that aiosmtpd calls)
        self, server: Any, session: Any, envelope: Any, address: str, options: Any
    ) -> str:
        if self.refuse:
            return self.refuse
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(  # noqa: N802 (the name that aiosmtpd calls)
        self, server: Any, session: Any, envelope: Any
    ) -> str:
        parsed = email.message_from_bytes(envelope.content, policy=email.policy.default)
        assert isinstance(parsed, EmailMessage)
        self.mails.append(parsed)
        self.recipients += envelope.rcpt_tos
        if self.on_data is not None:
            self.on_data()
        return "250 OK"


@contextmanager
def mailbox(port: int = 0) -> Iterator[Mailbox]:
    """An SMTP server on `port`, or on one of its own."""
    box = Mailbox(port=port or free_port())
    controller = Controller(box, hostname="127.0.0.1", port=box.port)
    controller.start()
    try:
        yield box
    finally:
        controller.stop()


def free_port() -> int:
    """A port that nobody listens on just now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def text_of(mail: EmailMessage, kind: str = "plain") -> str:
    """One of the two forms of a mail."""
    part = mail.get_body((kind,))
    assert part is not None
    return str(part.get_content())


def until(condition: Callable[[], Any], timeout_s: float = 10.0) -> Any:
    """Wait for something that another thread brings about; its value."""
    deadline = time.monotonic() + timeout_s
    while not (found := condition()):
        assert time.monotonic() < deadline, "it did not come about"
        time.sleep(0.01)
    return found
