"""Expansions that need no reading: escapes, slices and edits of values, braces."""

from __future__ import annotations

import re

from policies.engine.shell.model import UNKNOWN, Piece, Word

MAX_FIELDS = 2_000  # words that expansion makes out of one
MAX_BRACES = 200  # words that the braces of one word make
MAX_BRACED = 1_000  # characters of a word whose braces are expanded

_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|([0-7]{1,3})|c(.)|(.))",
    re.DOTALL,
)
_CONTROL = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b",
            "f": "\f", "v": "\v"}  # fmt: skip


def merged(pieces: list[Piece]) -> list[Piece]:
    """Neighbours of the same kind as one, so that a plain word has one piece."""
    if len(pieces) < 2:
        return pieces
    merged = [pieces[0]]
    for piece in pieces[1:]:
        last = merged[-1]
        exact = last.end - last.start == len(last.text) and last.end == piece.start
        if piece.kind == last.kind == "plain" and exact:
            merged[-1] = Piece(last.text + piece.text, last.start, piece.end, "plain")
        elif (
            piece.kind == last.kind == "quoted"
            and exact
            and piece.end - piece.start == len(piece.text)
        ):
            merged[-1] = Piece(last.text + piece.text, last.start, piece.end, "quoted")
        else:
            merged.append(piece)
    return merged


def sliced(value: str | None, rest: str) -> str:
    """`${name:offset:length}`."""
    if re.fullmatch(r"[^:]*:\s*0", rest):
        return ""  # no characters, whatever the value is
    if value is None or UNKNOWN in value:
        return UNKNOWN
    found = re.match(r"\s*\(?(-?\d+)\)?(?::(-?\d+))?\Z", rest)
    if found is None:
        return UNKNOWN
    tail = value[int(found.group(1)) :]
    return tail[: int(found.group(2))] if found.group(2) else tail


def edited(value: str, rest: str) -> str:
    """`${name#x}`, `${name%x}`, `${name/x/y}`, `${name^^}` and `${name,,}`."""
    if rest in ("^^", "^"):
        return value.upper() if rest == "^^" else value[:1].upper() + value[1:]
    if rest in (",,", ","):
        return value.lower() if rest == ",," else value[:1].lower() + value[1:]
    if rest in ("@Q", "@E", "@P"):
        return value
    if rest[0] == "/" and "*" not in rest and "?" not in rest and "[" not in rest:
        old, _, new = rest.lstrip("/").partition("/")
        return value.replace(old, new, -1 if rest.startswith("//") else 1) if old else value
    pattern = rest.lstrip("#%")
    if rest[0] == "#" and not any(char in pattern for char in "*?["):
        return value.removeprefix(pattern)
    if rest[0] == "%" and set(pattern) == {"?"}:
        return value[: -len(pattern)]
    if rest[0] == "%" and not any(char in pattern for char in "*?["):
        return value.removesuffix(pattern)
    if rest[0] == "#" and set(pattern) == {"?"}:
        return value[len(pattern) :]
    return UNKNOWN


def braces(words: list[Word], pieces: list[Piece]) -> list[Word]:
    """Brace expansion of words with an unquoted `{a,b}`; one level of nesting."""
    if not any(piece.kind == "plain" and "{" in piece.text for piece in pieces):
        return words
    expanded: list[Word] = []
    for word in words:
        texts = _brace(word.text)
        if texts == [word.text]:
            expanded.append(word)
            continue
        for text in texts[:MAX_FIELDS]:
            where = ((len(text), word.start, word.end),)
            expanded.append(Word(text, word.start, word.end, where, word.glob, word.quoted))
    return expanded


def _brace(text: str) -> list[str]:
    done: list[str] = []
    todo = [text]
    while todo and len(text) <= MAX_BRACED and len(done) + len(todo) < MAX_BRACES:
        current = todo.pop(0)
        found = re.search(r"\{([^{}\s]*,[^{}\s]*)\}", current)
        span = re.search(r"\{(\d{1,4}|[a-zA-Z])\.\.(\d{1,4}|[a-zA-Z])\}", current)
        if found:
            head, tail = current[: found.start()], current[found.end() :]
            todo.extend(head + option + tail for option in found.group(1).split(","))
        elif span:
            head, tail = current[: span.start()], current[span.end() :]
            todo.extend(head + option + tail for option in (span.group(1), span.group(2)))
        else:
            done.append(current)
    return [part for part in done + todo if part] or [text]


def unescape(text: str) -> str:
    """ANSI-C escapes (`\\x72`, `\\162`, `\\n`), as in `$'...'`, `printf` and `echo -e`."""

    def replace(found: re.Match[str]) -> str:
        for group, base in ((1, 16), (2, 16), (3, 16), (4, 8)):
            if found.group(group):
                code = int(found.group(group), base)
                return chr(code) if code < 0x110000 else ""
        if found.group(5):
            return chr(ord(found.group(5)[0]) & 0x1F)
        return _CONTROL.get(
            found.group(6), found.group(6) if found.group(6) in "\\'\"?" else "\\" + found.group(6)
        )

    return _ESCAPE.sub(replace, text)
