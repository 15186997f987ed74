"""What simple pipelines print: enough to see through an encoding, never by running anything."""

from __future__ import annotations

import base64
import binascii
import codecs
import gzip
import re
import zlib
from collections.abc import Callable, Sequence

from policies.engine.shell.expansion import unescape
from policies.engine.shell.model import Command
from policies.engine.shell.words import WordReader

MAX_OUTPUT = 100_000  # bytes that a decoder may make


def output_of(commands: Sequence[Command], reader: WordReader) -> str | None:
    """The output of a list of commands, where the text alone tells it; else None."""
    if not commands or len(commands) > 12:
        return None
    ends = [command for command in commands if not command.piped]
    if not ends:
        return None
    parts: list[bytes] = []
    for command in ends:
        made = produced(command, reader.text, reader.shift)
        if made is None:
            return None
        parts.append(made)
    return b"".join(parts).decode("utf-8", "replace")


def produced(command: Command, text: str, shift: int = 0, depth: int = 0) -> bytes | None:
    """What one command prints, given what it reads; None where the text does not tell."""
    if not command.words or depth > 12 or not all(word.known for word in command.words):
        return None
    words = [word.text for word in command.words]
    while words and words[0] in ("command", "builtin", "busybox", "exec"):
        words = words[1:]
    if not words:
        return None
    name, arguments = words[0].rpartition("/")[2], words[1:]
    if name == "echo":
        return _echo(arguments)
    if name == "printf":
        return _printf(arguments)
    if name in ("which", "whereis") and len(arguments) == 1:
        return f"/usr/bin/{arguments[0]}\n".encode("utf-8", "replace")
    if name == "mktemp":
        return b"/tmp/tmp.4711abcd\n"
    step = _FILTERS.get(name)
    if step is None:
        return None
    given = stdin_of(command, text, shift, depth)
    try:
        made = None if given is None else step(given, arguments)
    except (ValueError, OSError, EOFError, zlib.error, binascii.Error, re.error):
        return None
    return made[:MAX_OUTPUT] if made is not None else None


def stdin_of(command: Command, text: str, shift: int = 0, depth: int = 0) -> bytes | None:
    """What a command reads: a here-document, a here-string, or the pipe before it."""
    for redirect in reversed(command.redirects):
        if redirect.body:
            start, end = redirect.body
            return text[start - shift : end - shift].encode("utf-8", "replace")
        if redirect.operator == "<<<" and redirect.target:
            target = redirect.target
            return target.text.encode("utf-8", "replace") + b"\n" if target.known else None
        if redirect.operator == "<" and redirect.target and redirect.target.feeds:
            return _joined(redirect.target.feeds, text, shift, depth)
    if not command.source:
        return None
    return _joined(command.source, text, shift, depth)


def _joined(commands: Sequence[Command], text: str, shift: int, depth: int) -> bytes | None:
    parts = [produced(command, text, shift, depth + 1) for command in commands[-10:]]
    return None if None in parts else b"".join(part for part in parts if part is not None)


def _echo(arguments: list[str]) -> bytes:
    escapes, newline = False, True
    while arguments and re.fullmatch(r"-[neE]+", arguments[0]):
        escapes |= "e" in arguments[0]
        newline &= "n" not in arguments[0]
        arguments = arguments[1:]
    text = " ".join(arguments)
    return (unescape(text) if escapes else text).encode("utf-8", "replace") + b"\n" * newline


def _printf(arguments: list[str]) -> bytes | None:
    if arguments[:1] == ["--"]:
        arguments = arguments[1:]
    if not arguments or arguments[0] == "-v":
        return None
    values = iter(arguments[1:])

    def replace(found: re.Match[str]) -> str:
        if found.group(1) == "%":
            return "%"
        value = next(values, "")
        return unescape(value) if found.group(1) == "b" else value

    pattern = re.sub(r"%[-+0 #]*\d*(?:\.\d+)?([%a-zA-Z])", replace, unescape(arguments[0]))
    rest = list(values)
    if rest and "%" in arguments[0]:
        pattern += "".join(rest)
    return pattern.encode("utf-8", "replace")


def _base64(given: bytes, arguments: list[str]) -> bytes | None:
    if not any(re.fullmatch(r"-[diwD]*[dD]\w*|--decode", argument) for argument in arguments):
        return base64.b64encode(given)
    cleaned = re.sub(rb"[^A-Za-z0-9+/=_-]", b"", given).replace(b"-", b"+").replace(b"_", b"/")
    return base64.b64decode(cleaned + b"=" * (-len(cleaned) % 4))


def _base32(given: bytes, arguments: list[str]) -> bytes | None:
    if not any(argument in ("-d", "--decode", "-D") for argument in arguments):
        return base64.b32encode(given)
    cleaned = re.sub(rb"\s", b"", given)
    return base64.b32decode(cleaned + b"=" * (-len(cleaned) % 8))


def _openssl(given: bytes, arguments: list[str]) -> bytes | None:
    if arguments[:1] == ["base64"] or "-base64" in arguments or "-a" in arguments:
        return _base64(given, ["-d"]) if "-d" in arguments else base64.b64encode(given)
    return None


def _xxd(given: bytes, arguments: list[str]) -> bytes | None:
    if any("r" in argument for argument in arguments):
        return bytes.fromhex(re.sub(r"[^0-9a-fA-F]", "", given.decode("ascii", "replace")))
    return given.hex().encode()


def _gunzip(given: bytes, arguments: list[str]) -> bytes | None:
    machine = zlib.decompressobj(wbits=47)  # both gzip's and zlib's headers
    return machine.decompress(given, MAX_OUTPUT)


def _gzip(given: bytes, arguments: list[str]) -> bytes | None:
    decompress = any(
        argument.startswith("-") and "d" in argument.strip("-") for argument in arguments
    )
    return _gunzip(given, arguments) if decompress else gzip.compress(given, mtime=0)


def _tr(given: bytes, arguments: list[str]) -> bytes | None:
    sets = [argument for argument in arguments if not re.fullmatch(r"-[dsc]+", argument)]
    options = "".join(argument for argument in arguments if re.fullmatch(r"-[dsc]+", argument))
    text = given.decode("utf-8", "replace")
    if "d" in options and sets:
        unwanted = set(_characters(sets[0]))
        return "".join(char for char in text if char not in unwanted).encode()
    if options or len(sets) != 2:
        return None
    first, second = _characters(sets[0]), _characters(sets[1])
    if not second:
        return None
    second += second[-1] * (len(first) - len(second))
    table = {ord(one): two for one, two in zip(first, second, strict=False)}
    return text.translate(table).encode()


def _characters(text: str) -> str:
    text = unescape(text)
    classes = {"[:upper:]": "A-Z", "[:lower:]": "a-z", "[:space:]": " \t\n", "[:digit:]": "0-9"}
    for name, span in classes.items():
        text = text.replace(name, span)

    def fill(found: re.Match[str]) -> str:
        first, last = ord(found.group(1)), ord(found.group(2))
        return "".join(map(chr, range(first, min(last, first + 300) + 1)))

    return re.sub(r"(.)-(.)", fill, text, flags=re.DOTALL)


def _sed(given: bytes, arguments: list[str]) -> bytes | None:
    scripts = [argument for argument in arguments if not argument.startswith("-")]
    if len(scripts) != 1:
        return None
    found = re.fullmatch(r"s([/|#,:!])([^\\]*?)\1([^\\]*?)\1(g?)", scripts[0])
    if found is None or re.search(r"[\[\]*.^$&]", found.group(2) + found.group(3)):
        return None
    text = given.decode("utf-8", "replace")
    count = -1 if found.group(4) else 1
    lines = [line.replace(found.group(2), found.group(3), count) for line in text.split("\n")]
    return "\n".join(lines).encode()


def _cat(given: bytes, arguments: list[str]) -> bytes | None:
    return given if all(argument == "-" for argument in arguments) else None


def _tac(given: bytes, arguments: list[str]) -> bytes | None:
    return b"\n".join(reversed(given.rstrip(b"\n").split(b"\n"))) + b"\n"


def _head(given: bytes, arguments: list[str]) -> bytes | None:
    return given if given.count(b"\n") <= 1 and "-c" not in arguments else None


_FILTERS: dict[str, Callable[[bytes, list[str]], bytes | None]] = {
    "base64": _base64,
    "gbase64": _base64,
    "base32": _base32,
    "openssl": _openssl,
    "xxd": _xxd,
    "gunzip": _gunzip,
    "zcat": _gunzip,
    "gzip": _gzip,
    "rev": lambda given, _: b"\n".join(line[::-1] for line in given.split(b"\n")),
    "tac": _tac,
    "tr": _tr,
    "sed": _sed,
    "cat": _cat,
    "tee": lambda given, _: given,
    "head": _head,
    "rot13": lambda given, _: codecs.encode(given.decode("utf-8", "replace"), "rot13").encode(),
}
