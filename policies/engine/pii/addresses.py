"""Addresses of people on the network: email and public IP addresses."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterator

from policies.engine.pii.context import Evidence, Reading, open_left, open_right
from policies.engine.pii.shapes import words

MAX_LOCAL = 64  # RFC 5321, characters before the @
MAX_DOMAIN = 255
BESIDE = 200  # characters within which other personal data makes an example address count

_AT = re.compile(r"@|%40")
_LOCAL_BACKWARDS = re.compile(r"(?:[\w+\-'!#$&*=?^`{|}~./]|[0-9A-Fa-f]{2}%)+")
_NOT_IN_LOCAL = re.compile(r"[/=|`{}]")
_LOCAL = re.compile(
    r"(?:[\w+\-'!#$&*?^~]|%[0-9A-Fa-f]{2})+(?:\.(?:[\w+\-'!#$&*?^~]|%[0-9A-Fa-f]{2})+)*\Z"
)
_DOMAIN = re.compile(
    r"(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.){1,8}(?:xn--[a-z0-9-]{2,59}|[^\W\d_]{2,24})(?![\w(])"
)
_FILE_ENDINGS = words(
    "png jpg jpeg gif svg webp bmp ico css scss js mjs jsx tsx json html htm txt yml yaml toml "
    "lock xml csv log exe dll jar war class bin conf cfg ini sock pem key crt "
    "latest next beta alpha canary stable service socket timer target mount slice scope device "
    "swap"
)
_MACHINE_LOCALS = re.compile(
    r"(?:no|do[-_.]?not)[-_.]?reply\b.*|mailer[-_]daemon|postmaster|bounces?\b.*|git|hg|svn|cvs"
    r"|daemon|nobody|www-data|.*\[bot\]",
    re.IGNORECASE,
)
_EXAMPLE_DOMAIN = re.compile(
    r"(?:.*\.)?example\.(?:com|org|net|edu)|.*\.(?:example|test|invalid|localhost|local|localdomain"
    r"|internal|lan|home\.arpa)|(?:your|my)-?(?:domain|company|org|email)\.\w+|domain\.(?:com|tld)",
    re.IGNORECASE,
)
_MACHINE_DOMAIN = re.compile(r"users\.noreply\.github\.com|noreply\..*", re.IGNORECASE)
_REMOTE_COMMAND = re.compile(
    r"\b(?:ssh|scp|sftp|rsync|mosh|autossh|sshfs|ssh-copy-id|git\s+(?:clone|fetch|push|pull|remote"
    r"|ls-remote|submodule))\b[^|;&]*\Z"
)
_TOKEN_START = re.compile(r"[\s\"']")
_REMOTE_PATH = re.compile(r":(?:[~/]|[\w.\-]+/|[0-9]{2,5}\b)")
_MESSAGE_ID = re.compile(r"(?:message-id|in-reply-to|references)\s*:[^:]*\Z", re.IGNORECASE)

_IPV4 = re.compile(r"[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}")
# From their first mark on, of which a text has fewer than of digits.
_MARKED_IPV4 = re.compile(r"\.(?<=[0-9]\.)[0-9]{1,3}\.[0-9]{1,3}\.[0-9]{1,3}")
_MARKED_IPV6 = re.compile(r":(?<=[0-9a-fA-F]:)[0-9a-fA-F]{0,4}(?::[0-9a-fA-F]{0,4}){2,6}")
_DECIMAL_DIGITS = frozenset("0123456789")
_HEX_DIGITS = frozenset("0123456789abcdefABCDEF")
_LIKE_A_VERSION = re.compile(r"(?:[0-9]|1[0-2])\.(?:[0-9]|1[0-9]|20)\.")
_DECIMAL_BEFORE = re.compile(r"[0-9]?\.[0-9]{1,4}[ ,]\Z")  # the coordinates of a drawing
_DECIMAL_AFTER = re.compile(r"[ ,-]-?[0-9]{0,3}\.[0-9]")
_ADDRESS_BEFORE = re.compile(r"(?:[0-9]{1,3}\.){3}[0-9]{1,3}[ ,]\Z")
_MAC = re.compile(
    r"[:-](?<=[0-9A-Fa-f]{2}.)(?<![0-9A-Fa-f:-]...)"
    r"(?:(?<=:)(?:[0-9A-Fa-f]{2}:){4}|(?<=-)(?:[0-9A-Fa-f]{2}-){4})[0-9A-Fa-f]{2}"
)
_MAC_HEAD = 2  # digits before the first mark
MIN_MAC_DIGITS = 3  # different ones; `00:00:00:00:00:01` is nobody's
_NETWORK = re.compile(r"/[0-9]{1,3}(?![0-9\w/])")
MAX_OCTET = 255
FIRST_RESERVED = 240
# First octets of which all, and of which a part is special (IANA's registry): `ipaddress` takes
# 10 µs an address, and a log has thousands.
_PRIVATE_FIRST = frozenset([0, 10, 127])
_PARTLY_SPECIAL = frozenset([100, 169, 172, 192, 198, 203])
_PARTLY_SPECIAL_SIX = frozenset(["2001", "2002", "3fff"])  # the same of groups
_GLOBAL_FIRST = ("2", "3")  # of `2000::/3`; whether there are four digits is seen below
_IPV6_GLOBAL = ipaddress.ip_network("2000::/3")
_VERSION_BEFORE = re.compile(
    r"(?:\bv|version|release|build|rev|==|>=|<=|~=|[a-z]/)[\s:='\"]*\Z", re.IGNORECASE
)
# Public resolvers and the like: addresses of services that everybody knows, of no person.
_KNOWN_SERVICES = words(
    "8.8.8.8 8.8.4.4 1.1.1.1 1.0.0.1 9.9.9.9 149.112.112.112 208.67.222.222 208.67.220.220 "
    "4.2.2.1 4.2.2.2 2001:4860:4860::8888 2001:4860:4860::8844 2606:4700:4700::1111"
)


def find_emails(reading: Reading) -> None:
    """Addresses of people; those of machines pass, examples count beside real personal data.

    An address in a domain kept for examples is nobody's by itself. Under an email column, or next
    to a social security number, it is more likely a masked or a test copy of a person's record
    than prose: reported with confidence .5, so that a policy can choose.
    """
    text = reading.text
    examples: list[tuple[int, int]] = []
    at_hosts = "host_word" in reading.signs
    for at in _AT.finditer(text):
        found = _email_around(text, at.start(), at.end())
        if found is None or not reading.free(*found):
            continue
        start, end = found
        if _is_machine(reading, start, at, end, at_hosts=at_hosts):
            continue
        if _EXAMPLE_DOMAIN.fullmatch(text, at.end(), end):
            examples.append(found)
            continue
        reading.claim(
            start,
            end,
            kind="pii.email",
            rule="email.address",
            confidence=0.95,
            reason="An email address.",
        )
    for start, end in examples:
        labelled = reading.evidence("email", start, end) == Evidence.LABELLED
        if labelled or not reading.free(max(0, start - BESIDE), end + BESIDE):
            reading.claim(
                start,
                end,
                kind="pii.email",
                rule="email.example",
                confidence=0.5,
                reason="An email address in an example domain, beside other personal data."
                if not labelled
                else "An email address in an example domain, under an email key or column.",
            )


def find_ipv4(reading: Reading) -> None:
    """IP addresses that are reachable from anywhere; private and well-known ones pass."""
    _find_addresses(reading, six=False)


def find_ipv6(reading: Reading) -> None:
    """The same of version 6."""
    _find_addresses(reading, six=True)


def _find_addresses(reading: Reading, *, six: bool) -> None:
    text, rule = reading.text, "ip.six" if six else "ip.four"
    for start, end in _written_addresses(text, six=six):
        if reading.joins(rule, start, end):
            continue
        left, right = text[start - 1 : start], text[end : end + 2]
        if left.isalnum() or left in ("_", "-", ":" if six else ".", "@", "+"):
            continue
        if right[:1].isalnum() or (right[:1] in ("_", "-", ".", "+") and right[1:].isalnum()):
            continue
        if _NETWORK.match(text, end) and left != "/":
            continue
        address = text[start:end]
        if _is_service(address) or not reading.free(start, end):
            continue
        before = reading.line_before(start)
        if (left == "/" and not before.endswith("//")) or _VERSION_BEFORE.search(before[-20:]):
            continue
        evidence = reading.evidence("ip", start, end)
        if evidence == Evidence.AGAINST:
            continue
        if evidence <= Evidence.NOTHING and (
            _LIKE_A_VERSION.match(address)
            or (
                _DECIMAL_BEFORE.search(before[-8:])
                and _DECIMAL_AFTER.match(text, end)
                and not (_ADDRESS_BEFORE.search(before[-20:]) and _IPV4.match(text, end + 1))
            )
        ):
            continue
        reading.claim(
            start,
            end,
            kind="pii.ip",
            rule=rule,
            confidence=0.8 if evidence >= Evidence.NEAR else 0.6,
            reason="A public IP address.",
        )


def _written_addresses(text: str, *, six: bool) -> Iterator[tuple[int, int]]:
    """What is written like an address of version 4 or 6, from left to right."""
    marked, digits, longest = (
        (_MARKED_IPV6, _HEX_DIGITS, 4) if six else (_MARKED_IPV4, _DECIMAL_DIGITS, 3)
    )
    position = 0  # what stands before it belongs to the last address
    mark = marked.search(text)
    while mark is not None:
        start = mark.start()
        low = max(position, start - longest)
        while start > low and text[start - 1] in digits:
            start -= 1
        if start == mark.start() or (six and text[start - 1 : start].isalnum()):
            mark = marked.search(text, mark.start() + 1)
            continue
        position = mark.end()
        yield start, position
        mark = marked.search(text, position)


def find_macs(reading: Reading) -> None:
    """Hardware addresses that a key, a column or a word calls so; made-up ones pass.

    Only those that a manufacturer gave to a device lead to a person: virtual machines and
    containers use addresses with the bit for "local", groups the one for "multicast".
    """
    text = reading.text
    for match in _MAC.finditer(text):
        start, end = match.start() - _MAC_HEAD, match.end()
        first = int(text[start : match.start()], 16)
        if first & 0b11 or len(set(text[start:end].lower()) - {":", "-"}) < MIN_MAC_DIGITS:
            continue
        if not open_left(text, start) or not open_right(text, end) or text[end : end + 1] == ":":
            continue
        if reading.evidence("mac", start, end) >= Evidence.NEAR and reading.free(start, end):
            reading.claim(
                start,
                end,
                kind="pii.mac_address",
                rule="mac.named",
                confidence=0.7,
                reason="The hardware address of a device, named as one in the text.",
            )


def _email_around(text: str, at: int, after: int) -> tuple[int, int] | None:
    domain = _DOMAIN.match(text, after, after + MAX_DOMAIN)
    if domain is None:
        return None
    *labels, ending = domain[0].lower().split(".")
    if ending in _FILE_ENDINGS or "".join(labels).isdigit():
        return None
    backwards = _LOCAL_BACKWARDS.match(text[max(0, at - MAX_LOCAL - 1) : at][::-1])
    if backwards is None:
        return None
    # Of `email='o'brien@…` and `/path/jane@…` the part after the last mark that cannot belong.
    start = at - len(backwards[0])
    if _NOT_IN_LOCAL.search(text, start, at):
        start = max(start, 1 + max(text.rfind(mark, start, at) for mark in "/=|`{}"))
    if text[start - 1 : start] == "\\" and text[start : start + 1] in ("n", "r", "t"):
        start += 1  # an escaped line break in JSON text
    while start < at and text[start] in ".'!#$&*?^~%":
        start += 1 if text[start] != "%" else 3
    if start >= at or _LOCAL.match(text, start, at) is None:
        return None
    return start, domain.end()


def _is_machine(
    reading: Reading, start: int, at: re.Match[str], end: int, *, at_hosts: bool
) -> bool:
    text = reading.text
    if _MACHINE_LOCALS.fullmatch(text, start, at.start()):
        return True
    if _MACHINE_DOMAIN.fullmatch(text, at.end(), end) or _REMOTE_PATH.match(text, end):
        return True
    if not at_hosts:
        return False
    before = reading.line_before(start)
    token = _TOKEN_START.split(before)[-1]
    _, separator, rest = token.rpartition("://")
    if separator and "/" not in rest and "?" not in rest:
        return True  # user information of a URL
    return _MESSAGE_ID.search(before) is not None or _REMOTE_COMMAND.search(before) is not None


def _is_whole_six(address: str) -> bool:
    """Whether the groups of an address are as many as they must be, as far as can be counted."""
    colons, gaps = address.count(":"), address.count("::")
    if address[4:5] != ":" or address[-1] == ":" or ":::" in address:
        return False
    return colons == 7 if not gaps else gaps == 1 and colons <= 7


def _is_service(address: str) -> bool:
    """Whether `address` is none, is not reachable from anywhere, or is known to everybody."""
    if ":" not in address:
        octets = [int(octet) for octet in address.split(".")]
        if max(octets) > MAX_OCTET or octets[0] in _PRIVATE_FIRST or octets[0] >= FIRST_RESERVED:
            return True
        if octets[0] not in _PARTLY_SPECIAL:
            return address in _KNOWN_SERVICES
    elif address[0] not in _GLOBAL_FIRST:
        return True
    elif address[:4].lower() not in _PARTLY_SPECIAL_SIX and _is_whole_six(address):
        return address in _KNOWN_SERVICES
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return True
    if not parsed.is_global or address in _KNOWN_SERVICES:
        return True
    return parsed.version == 6 and parsed not in _IPV6_GLOBAL
