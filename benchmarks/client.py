"""The smallest HTTP/1.1 client that keeps a connection: what an HTTP hook costs, and no more."""

from __future__ import annotations

import socket
from dataclasses import dataclass

TIMEOUT_S = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    status: int
    body: bytes


class Connection:
    """One kept connection. Raises OSError when the server closes it or does not answer."""

    def __init__(self, port: int, *, timeout_s: float = TIMEOUT_S) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port), timeout=timeout_s)
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._rest = b""

    def send(self, request: bytes) -> Answer:
        """Send one whole request; the answer."""
        self._socket.sendall(request)
        data = self._rest
        while (end := data.find(b"\r\n\r\n")) < 0:
            data += self._receive()
        head = data[:end].lower()
        if b"content-length:" not in head:
            raise ConnectionError("An answer without a Content-Length is not read.")
        length = int(head.partition(b"content-length:")[2].partition(b"\r\n")[0])
        stop = end + 4 + length
        while len(data) < stop:
            data += self._receive()
        self._rest = data[stop:]
        return Answer(status=int(head[9:12]), body=data[end + 4 : stop])

    def _receive(self) -> bytes:
        data = self._socket.recv(65536)
        if not data:
            raise ConnectionResetError("The server closed the connection.")
        return data

    def close(self) -> None:
        self._socket.close()


def request(path: str, body: str = "", *, authorization: str = "", method: str = "POST") -> bytes:
    """A request as bytes, ready to be sent again and again."""
    data = body.encode()
    lines = [
        f"{method} /{path.lstrip('/')} HTTP/1.1",
        "Host: 127.0.0.1",
        "Content-Type: application/json",
        f"Content-Length: {len(data)}",
        *([f"Authorization: {authorization}"] if authorization else []),
    ]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + data
