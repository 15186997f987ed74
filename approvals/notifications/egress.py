"""One POST to an address that somebody else wrote down.

The name is resolved once, every address that it leads to is judged, and the connection goes to
the judged address itself: a name that answers differently the next time gains nothing. TLS is
verified against the name. Redirects are not followed, proxies of the environment not used, the
whole exchange has one deadline, and of the answer only its head counts.
"""

from __future__ import annotations

import contextlib
import ipaddress
import socket
import ssl
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from urllib.parse import SplitResult, urlsplit

from django.conf import settings

from approvals.notifications.targets import checked_url
from axonportal.common.errors import Invalid

TIMEOUT_S = 10.0  # for connecting, sending and the head of the answer, together
MAX_HEAD_BYTES = 16_384
MAX_ADDRESSES = 4  # of a name that are tried
MAX_EXCERPT_BYTES = 300  # of an answer's body, told where it is no success
EXCERPT_TIMEOUT_S = 1.0

IPNetwork = ipaddress.IPv4Network | ipaddress.IPv6Network
IPAddress = ipaddress.IPv4Address | ipaddress.IPv6Address
Place = tuple[socket.AddressFamily, str, int]
# Reserved for no special purpose, and yet a cloud's own: Azure's host answers for metadata there.
_ALSO_REFUSED: tuple[IPNetwork, ...] = (ipaddress.ip_network("168.63.129.16/32"),)
_NAT64 = (ipaddress.ip_network("64:ff9b::/96"), ipaddress.ip_network("64:ff9b:1::/48"))


class Refused(Exception):
    """It will not be connected to, now or later, unless the settings change."""


class Unreachable(Exception):
    """It could not be done now; later it may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The head of an answer; `excerpt` is the beginning of a refusal's body."""

    status: int
    retry_after_s: int = 0
    excerpt: str = ""


def post(url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send `body` and hear the status.

    Raises:
        Refused: the address is not one to connect to, or not one at all.
        Unreachable: no name, no connection, no TLS, no answer in time.
    """
    try:
        parts = urlsplit(checked_url(url))
        host = (parts.hostname or "").encode("idna").decode()
    except (Invalid, UnicodeError) as error:
        raise Refused(getattr(error, "detail", "The host's name is not valid.")) from None
    port = parts.port or (443 if parts.scheme == "https" else 80)
    addresses = _judged(host, port, is_tls=parts.scheme == "https")
    deadline = time.monotonic() + TIMEOUT_S
    request = _request(parts, host, body, headers)
    try:
        with _connected(addresses, deadline) as plain:
            if parts.scheme != "https":
                return _exchange(plain, request, deadline)
            _limit(plain, deadline)
            with tls_context().wrap_socket(plain, server_hostname=host) as secured:
                return _exchange(secured, request, deadline)
    except ssl.SSLCertVerificationError as error:
        raise Unreachable(f"Its certificate is not accepted: {error.verify_message}.") from None
    except TimeoutError:
        raise Unreachable(f"No answer within {TIMEOUT_S:g} s.") from None
    except OSError as error:
        raise Unreachable(f"The connection failed: {error.strerror or error}.") from None


def tls_context() -> ssl.SSLContext:
    """Certificates of the system's authorities, and the name checked."""
    context = ssl.create_default_context()
    context.set_alpn_protocols(["http/1.1"])
    return context


def is_allowed(address: IPAddress) -> bool:
    """Is it public, or of a network that the deployment names?"""
    if _is_named(address):
        return True
    if any(address in network for network in _ALSO_REFUSED if network.version == address.version):
        return False
    inner = _inner(address)
    if inner is not None:
        return is_allowed(inner)
    return address.is_global and not address.is_multicast


def _is_named(address: IPAddress) -> bool:
    return any(
        address in network
        for network in settings.AXON_WEBHOOK_ALLOWED_NETWORKS
        if network.version == address.version
    )


def _inner(address: IPAddress) -> ipaddress.IPv4Address | None:
    """The IPv4 address that an IPv6 one stands for, where a gateway would unwrap it."""
    if not isinstance(address, ipaddress.IPv6Address):
        return None
    if address.ipv4_mapped is not None:
        return address.ipv4_mapped
    if address.sixtofour is not None:
        return address.sixtofour
    if address.teredo is not None:
        return address.teredo[1]
    if any(address in network for network in _NAT64):
        return ipaddress.IPv4Address(int(address) & 0xFFFF_FFFF)
    return None


def _judged(host: str, port: int, *, is_tls: bool) -> list[Place]:
    """Where the name leads now, as far as it may be connected to.

    The resolver's own time limits hold (glibc: 5 s, twice, for each name server).
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:
        raise Unreachable(f"The host's name was not resolved: {error}.") from None
    # A link-local address may bear its interface.
    addresses: dict[IPAddress, socket.AddressFamily] = {
        ipaddress.ip_address(str(one[4][0]).partition("%")[0]): one[0] for one in found
    }
    allowed = {address: family for address, family in addresses.items() if is_allowed(address)}
    if not allowed:
        raise Refused(
            "The host's name leads to a private or reserved address, which is not connected to "
            "unless AXON_WEBHOOK_ALLOWED_NETWORKS names its network."
        )
    if not is_tls:
        allowed = {address: family for address, family in allowed.items() if _is_named(address)}
    if not allowed:
        raise Refused("Without https nothing is sent beyond AXON_WEBHOOK_ALLOWED_NETWORKS.")
    return [(family, str(address), port) for address, family in allowed.items()][:MAX_ADDRESSES]


def _connected(addresses: Sequence[Place], deadline: float) -> socket.socket:
    failure: OSError = TimeoutError()
    for family, address, port in addresses:
        plain = socket.socket(family, socket.SOCK_STREAM)
        try:
            _limit(plain, deadline)
            plain.connect((address, port))
        except OSError as error:
            plain.close()
            failure = error
        else:
            return plain
    raise failure


def _limit(connection: socket.socket, deadline: float) -> None:
    """The next step on the connection ends by the deadline.

    Raises:
        TimeoutError: it is past.
    """
    left = deadline - time.monotonic()
    if left <= 0:
        raise TimeoutError
    connection.settimeout(left)


def _request(parts: SplitResult, host: str, body: bytes, headers: Mapping[str, str]) -> bytes:
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    named = f"[{host}]" if ":" in host else host
    lines = {
        "Host": f"{named}:{parts.port}" if parts.port else named,
        "User-Agent": "AxonPortal",
        "Accept": "*/*",
        "Content-Length": str(len(body)),
        "Connection": "close",
        **headers,
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
    return f"POST {target} HTTP/1.1\r\n{head}\r\n".encode("ascii") + body


def _exchange(connection: socket.socket, request: bytes, deadline: float) -> Answer:
    _limit(connection, deadline)
    # It may have answered before it had read everything.
    with contextlib.suppress(BrokenPipeError, ConnectionResetError):
        connection.sendall(request)
    received = b""
    while True:
        head, end, rest = received.partition(b"\r\n\r\n")
        if end:
            answer = _answer(head)
            if answer.status >= 400:
                return replace(answer, excerpt=_excerpt(connection, rest, deadline))
            if answer.status >= 200:
                return answer
            received = rest  # 1xx: the answer proper is yet to come
            continue
        if len(received) > MAX_HEAD_BYTES:
            raise Unreachable("The head of its answer does not end.")
        _limit(connection, deadline)
        more = connection.recv(4096)
        if not more:
            raise Unreachable("It closed the connection without an answer.")
        received += more


def _answer(head: bytes) -> Answer:
    status_line, *fields = head.decode("latin-1").split("\r\n")
    version, _, after = status_line.partition(" ")
    code = after[:3]
    if not version.startswith("HTTP/1.") or not (code.isascii() and code.isdigit()):
        raise Unreachable("What it answers is not HTTP.")
    pairs = (field.partition(":") for field in fields)
    named = {name.strip().lower(): value.strip() for name, _, value in pairs}
    wanted = named.get("retry-after", "")
    is_seconds = wanted.isascii() and wanted.isdigit() and len(wanted) < 7
    return Answer(
        status=int(code),
        retry_after_s=int(wanted) if is_seconds else 0,
    )


def _excerpt(connection: socket.socket, received: bytes, deadline: float) -> str:
    """How the body begins; it says why, mostly, and nothing depends on it."""
    deadline = min(deadline, time.monotonic() + EXCERPT_TIMEOUT_S)
    with contextlib.suppress(OSError):
        while len(received) < MAX_EXCERPT_BYTES:
            _limit(connection, deadline)
            more = connection.recv(MAX_EXCERPT_BYTES)
            if not more:
                break
            received += more
    return received[:MAX_EXCERPT_BYTES].decode("utf-8", "replace")
