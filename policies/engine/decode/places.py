"""Where text says that a stretch of it is base64 or hex and what it is for.

That is credentials of HTTP, `data:` addresses of text, values of a Kubernetes Secret, and literals
that a program hands to a decoder. A word by itself is decoded if its letters are such as base64 of
ASCII text has: a digest, a path or a picture hardly ever is (a group of four random letters in one
of eight cases, a group of lower-case ones in one of twenty, and a sign takes five).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import islice

from policies.engine.decode.octets import MAX_ENCODED, base64_text, hex_text
from policies.engine.family import Sign
from policies.engine.mapped import Mapped, Pieces
from policies.engine.stretches import lowered

MAX_PLACES = 200  # encoded stretches of one text
MAX_KEY = 80  # characters of a key of a Kubernetes Secret
MIN_BARE = 8  # characters of base64 that stands for itself
MAX_BARE = 2_000  # words of one text that are tried
EXECUTED_REACH = 60  # characters before a decoder's name in which something runs its result

_BASE64 = r"[A-Za-z0-9+/_-]{4,}+={0,2}"
_DECODERS = (
    r"b64decode|b64_decode|decodebytes|decodestring|a2b_base64|atob|from_base64|frombase64string"
    r"|base64_decode|decode64|decodebuffer|unbase64|base64\.decode\w{0,12}|\.decodestring"
)
_HEX_DECODERS = r"fromhex|unhexlify|a2b_hex|unhex|fromhexstring|hex2bin|hex_decode|decodehex"

# Four characters that hold three bytes below 128.
_SECOND, _THIRD = "A-HQ-Xg-nw-z0-3", "ABEFIJMNQRUVYZcdghklopstwx014589"
_GROUP = rf"[A-Za-f][{_SECOND}][{_THIRD}][A-Za-z0-9+/_-]"
_LAST_GROUP = rf"(?:[A-Za-f][{_SECOND}][{_THIRD}]=?|[A-Za-f][AQgw](?:==)?)?"

SIGNS = (
    Sign(name="basic", pattern=r"basic\s{1,4}[a-z0-9+/]{8}|\"auth\"\s{0,4}:"),
    Sign(name="data_url", pattern=r"data:[^\s,]{0,80};base64,"),
    Sign(name="secret", pattern=r"kind[\"']?\s{0,4}:\s{0,4}[\"']?secret\b"),
    Sign(
        name="pipe",
        pattern=r"base64\s{1,4}-(?:-?d|a)|-e(?:nc?|ncodedcommand)?\s{1,4}[\"']?[a-z0-9+/]{16}",
    ),
    # (?-i): here the case of a letter is what tells.
    Sign(name="bare", pattern=rf"(?-i)(?:{_GROUP}){{5}}"),
    Sign(name="bare_value", pattern=rf"(?-i)^\s*(?:{_GROUP}){{2,4}}{_LAST_GROUP}\s*$"),
    Sign(
        name="decoder",
        pattern=rf"(?:{_DECODERS}|{_HEX_DECODERS}|buffer\.from|\bdecode)\s{{0,4}}\(",
    ),
)

_BASIC = re.compile(rf"\bbasic[ \t]{{1,4}}({_BASE64})", re.IGNORECASE)
_AUTH = re.compile(rf'"auth"\s{{0,4}}:\s{{0,4}}"({_BASE64})"')
_DATA_URL = re.compile(
    r"data:(?P<type>[\w.+-]{1,60}/[\w.+-]{1,60})?(?:;[\w.+-]{1,40}=[\w.+-]{1,40}){0,4};base64,"
    r"(?P<body>(?:[A-Za-z0-9+/_-]|%2[BbFf]|%3[Dd])+={0,2})",
    re.IGNORECASE,
)
_TEXTUAL = re.compile(r"text/|.*(?:json|xml|yaml|script|form|sql|sh\b)|application/octet-stream")
# A literal in parentheses; whether a decoder stands before them is looked at behind.
_LITERAL = re.compile(
    r"\(\s{0,4}[A-Za-z]{0,2}(?P<quote>[\"'`])(?P<body>[\w+/=\s-]{4,}+)(?P=quote)"
    r"(?:\s{0,4},\s{0,4}[\"'`](?P<name>base64|hex)[\"'`])?",
)
_BEFORE = re.compile(
    rf"(?:(?P<base64>{_DECODERS})|(?P<hex>{_HEX_DECODERS})|(?P<named>buffer\.from|\bdecode))"
    r"\s{0,4}\Z",
    re.IGNORECASE,
)
_LONGEST_NAME = 32
MAX_BLANKS = 4  # between what is piped and its pipe
# What a command of a script decodes; the commands of an operation are read by the shell family.
# Each is tried where its word stands: every word of a text could be what is piped.
_INTO = re.compile(r"\|\s{0,4}(?:openssl\s{1,4})?base64\s{1,4}-", re.IGNORECASE)
_PIPED_BACKWARDS = re.compile(r"={0,2}[A-Za-z0-9+/_-]{4,}+")
_WINDOW = 256  # characters before a pipe, twice as many each time that what is piped is longer
_STRING = re.compile(
    rf"\bbase64\s{{1,4}}-[-\w]{{1,8}}\s{{0,4}}<<<\s{{0,4}}[\"']?({_BASE64})", re.IGNORECASE
)
_COMMAND = re.compile(
    r"\b(?:powershell|pwsh)(?:\.exe)?\b[^\n|;&]{0,200}?\s-e\w{0,13}\s{1,4}[\"']?"
    rf"({_BASE64})",
    re.IGNORECASE,
)
# A word of base64, over the line breaks of a wrapped one; no part of a JWT or of a path.
_BARE = re.compile(
    r"(?<![\w+/.-])(?:[A-Za-z0-9+/_-]{60,76}\r?\n[ \t]{0,8}){0,4000}"
    rf"[A-Za-z0-9+/_-]{{{MIN_BARE},}}+={{0,2}}+(?![\w+/=-]|\.\w)"
)
_ASCII = re.compile(rf"(?:{_GROUP}){{2}}")
_NO_TEXT_URL = re.compile(r"data:[\w.+-]{1,60}/[^\s,]{0,80}base64,\Z", re.IGNORECASE)
_LONGEST_URL = 160
_DECODING = (("base64", _STRING), ("powershell", _COMMAND), ("pwsh", _COMMAND))
_RUNS = re.compile(
    r"\b(?:exec|eval|system|popen|spawn|run|shell_exec|passthru|function|iex|invoke-expression"
    r"|subprocess|loads|compile)\b",
    re.IGNORECASE,
)
_SECRET_KIND = re.compile(r"kind[\"']?\s{0,4}:\s{0,4}[\"']?Secret\b")
_SECRET_VALUE = re.compile(
    r"(?:(?m:^)[ \t]{1,20}|[{,]\s{0,200})[\"']?(?P<key>[\w.-]{1,80})[\"']?"
    r"[ \t]{0,4}:[ \t]{1,4}[\"']?"
    rf"(?P<value>{_BASE64})[\"']?(?=\s|,|\}}|\Z)"
    r"|[{,]\s{0,200}\"(?P<json_key>[\w.-]{1,80})\":\s{0,4}"
    rf"\"(?P<json_value>{_BASE64})\""
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What was made of the text from `start` on, out of the encoded stretch `run`.

    `runs`: the result is executed.
    """

    start: int
    run: tuple[int, int]
    made: Mapped
    layer: str
    runs: bool = False


def places(text: str, signs: frozenset[str]) -> Iterator[Place]:
    """The stretches of `text` that `signs` (names of `SIGNS`) call for, decoded."""
    for sign, find in _FINDERS.items():
        if sign in signs:
            yield from find(text)


def _credentials(text: str) -> Iterator[Place]:
    for pattern in (_BASIC, _AUTH):
        for found in pattern.finditer(text):
            yield from _place(found, 1, base64_text, "base64")


def _data_urls(text: str) -> Iterator[Place]:
    for found in _DATA_URL.finditer(text):
        kind = found["type"]
        if kind is None or _TEXTUAL.match(kind.lower()):
            yield from _place(found, "body", base64_text, "data url")


def _literals(text: str) -> Iterator[Place]:
    for found in _LITERAL.finditer(text):
        start = found.start()
        decoder = _BEFORE.search(text, max(0, start - _LONGEST_NAME), start)
        if decoder is None or (decoder["named"] and not found["name"]):
            continue
        is_hex = decoder["hex"] or found["name"] == "hex"
        before = text[max(0, decoder.start() - EXECUTED_REACH) : decoder.start()]
        runs = _RUNS.search(before.rpartition("\n")[2]) is not None
        decode, layer = (hex_text, "hex") if is_hex else (base64_text, "base64")
        yield from _place(found, "body", decode, layer, runs=runs)


def _piped(text: str) -> Iterator[Place]:
    lower = lowered(text)
    # Where each begins and ends, and the stretch of it that is encoded.
    found = list(_into_decoders(text))
    for word, pattern in _DECODING:
        at = lower.find(word)
        while at >= 0:
            if (match := pattern.match(text, at)) is not None:
                found.append((*match.span(), *match.span(1)))
            at = lower.find(word, at + len(word))
    past = 0
    for first, last, start, end in sorted(found):
        if first < past:
            continue
        past = last
        if (made := base64_text(text[start:end])) is not None:
            yield Place(start=start, run=(start, end), made=made, layer="base64")


def _into_decoders(text: str) -> Iterator[tuple[int, int, int, int]]:
    """What is piped into a decoder."""
    for into in _INTO.finditer(text):
        end = into.start()
        for _ in range(MAX_BLANKS):
            end -= text[end - 1 : end].isspace()
        end -= text[end - 1 : end] in ("'", '"')
        window = _WINDOW
        while True:
            low = max(0, end - window)
            piped = _PIPED_BACKWARDS.match(text[low:end][::-1])
            if piped is None or piped.end() < end - low or not low:
                break
            window *= 2
        if piped is not None:
            start = end - piped.end()
            yield start, into.end(), start, end


def _secret_values(text: str) -> Iterator[Place]:
    """Values of Kubernetes Secrets, each with its key before it: the key says what it is."""
    if _SECRET_KIND.search(text) is None:
        return
    for found in _SECRET_VALUE.finditer(text):
        json = "json_" if found["json_key"] else ""
        (key, key_end), (start, end) = found.span(f"{json}key"), found.span(f"{json}value")
        if end - start > MAX_ENCODED:
            continue
        made = base64_text(text[start:end])
        if made is None:
            continue
        pieces = Pieces()
        pieces.copy(text, key, key_end)
        pieces.put(": ", key_end, start)
        pieces.put(made.text, start, end)
        yield Place(start=0, run=(start, end), made=pieces.made(), layer="kubernetes secret")


def _bare(text: str) -> Iterator[Place]:
    """Words that are base64 of a text, whatever they are there for."""
    for found in islice(_BARE.finditer(text), MAX_BARE):
        start = found.start()
        if _ASCII.match(text, start) is None or start + MAX_ENCODED < found.end():
            continue
        if _NO_TEXT_URL.search(text, max(0, start - _LONGEST_URL), start):
            continue  # `_data_urls` decides which of them hold text
        yield from _place(found, 0, base64_text, "base64")


def _place(
    found: re.Match[str],
    group: int | str,
    decode: Callable[[str], Mapped | None],
    layer: str,
    *,
    runs: bool = False,
) -> Iterator[Place]:
    made = decode(found[group])
    if made is not None:
        run = found.span(group)
        yield Place(start=run[0], run=run, made=made, layer=layer, runs=runs)


_FINDERS: dict[str, Callable[[str], Iterator[Place]]] = {
    "basic": _credentials,
    "data_url": _data_urls,
    "secret": _secret_values,
    "decoder": _literals,
    "pipe": _piped,
    "bare": _bare,
    "bare_value": _bare,
}
