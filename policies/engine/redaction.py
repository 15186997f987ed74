"""Texts without their personal data and secrets, by the spans of the findings."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

import orjson

from policies.engine.findings import Finding
from policies.engine.operation import Operation

# Findings of other families describe; these name what must go: data, secrets, and what a
# redacting policy of the tenant matched.
REDACTED_FAMILIES = ("pii.", "secret.", "policy.")
KEPT = 4  # characters that `Style.KEEP_LAST_FOUR` leaves
MIN_MASKED = 4  # and that it hides at least; a shorter value is replaced whole
DIGEST_LETTERS = 16  # 64 bits, a letter for each four

# What a merged stretch is called when findings of several kinds overlap: the worst to lose first.
_SENSITIVITY = (
    "secret",
    "pii.ssn",
    "pii.credit_card",
    "pii.aadhaar",
    "pii.passport",
    "pii.iban",
    "pii.pan",
    "pii.date_of_birth",
    "pii.phone",
    "pii.email",
    "pii.ip",
    "pii",
)
_RANK = {kind: rank for rank, kind in enumerate(_SENSITIVITY)}
_HEX_TO_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_NUMBER_CHARACTERS = frozenset("0123456789+-.eE")
_STRING = re.compile(r'"(?:[^"\\]|\\.)*"', re.DOTALL)
_UNICODE_ESCAPE = re.compile(r"\\u[0-9a-fA-F]{4}")
_LONGEST_ESCAPE = 6
_JOINERS = "\u200d\ufe0e\ufe0f"


class Style(StrEnum):
    """What stands in a redacted place.

    PLACEHOLDER: `[SSN]`, `[SECRET:github_token]`. KEEP_LAST_FOUR: `***-**-6789`, only of kinds
    that are numbers, others as placeholders. HASH: `[EMAIL:kdjfmbaeopcgihln]`, the same for the
    same value under the same key, so that rows can still be joined. DROP: nothing.
    """

    PLACEHOLDER = "placeholder"
    KEEP_LAST_FOUR = "keep_last_four"
    HASH = "hash"
    DROP = "drop"


_LAST_FOUR_KINDS = frozenset(
    ["pii.ssn", "pii.credit_card", "pii.aadhaar", "pii.phone", "pii.iban", "pii.passport"]
)


@dataclass(frozen=True, slots=True, kw_only=True)
class RedactedSpan:
    """A stretch that was replaced: `start` and `end` in the original text, and what stands now."""

    start: int
    end: int
    kind: str
    replacement: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Redacted:
    """A text after redaction, and the stretches of the original that it lost."""

    text: str
    spans: tuple[RedactedSpan, ...] = ()


def redact(
    text: str,
    findings: Iterable[Finding],
    *,
    style: Style | Mapping[str, Style] = Style.PLACEHOLDER,
    key: bytes = b"",
) -> Redacted:
    """`text` with every finding of personal data or a secret replaced, however many there are.

    The findings' offsets are those of `text`. `style` is one for all, or one by kind or family
    (`{"pii.email": HASH, "pii": KEEP_LAST_FOUR}`; the most specific counts, the rest get
    placeholders). `key` keys the digests of `Style.HASH`: whoever lacks it cannot try values.
    Overlapping findings become one stretch, named by the most sensitive of them. A stretch never
    ends inside a character or an escape of JSON, and JSON stays JSON. Placeholders are no
    findings themselves, so a second run changes nothing.

    Raises:
        ValueError: `Style.HASH` without a key, or a finding outside the text.
    """
    stretches = _merged(findings, len(text))
    if not stretches:
        return Redacted(text=text)
    json = _Json(text) if _looks_like_json(text) else None
    spans: list[RedactedSpan] = []
    for first, last, kind in stretches:
        whole = _whole_characters(text, first, last)
        for start, end, bare in json.pieces(*whole) if json is not None else [(*whole, False)]:
            start = max(start, spans[-1].end) if spans else start
            if start >= end:
                continue
            replacement = _replacement(text[start:end], kind, _style_of(kind, style), key)
            if bare:  # a number becomes a string
                replacement = f'"{replacement}"'
            spans.append(RedactedSpan(start=start, end=end, kind=kind, replacement=replacement))
    return Redacted(text=_replaced(text, spans), spans=tuple(spans))


def redact_parts(
    operation: Operation,
    findings: Iterable[Finding],
    *,
    style: Style | Mapping[str, Style] = Style.PLACEHOLDER,
    key: bytes = b"",
) -> dict[tuple[str | int, ...], str]:
    """The parts of `operation` that redaction changes, by their path in the caller's object.

    A finding that reaches over the border of a part is redacted in both. See `redact`.
    """
    parts = sorted(operation.all_parts(), key=lambda part: part.start)
    starts = [part.start for part in parts]
    by_part: dict[int, list[Finding]] = {}
    for finding in findings:
        at = max(0, bisect_right(starts, finding.start) - 1)
        while at < len(parts) and parts[at].start < finding.end:
            part = parts[at]
            first, last = max(finding.start, part.start), min(finding.end, part.end)
            if first < last:
                by_part.setdefault(at, []).append(
                    Finding(
                        kind=finding.kind,
                        rule=finding.rule,
                        start=first - part.start,
                        end=last - part.start,
                        confidence=finding.confidence,
                        reason=finding.reason,
                    )
                )
            at += 1
    changed: dict[tuple[str | int, ...], str] = {}
    for at, own in by_part.items():
        part = parts[at]
        redacted = redact(operation.text[part.start : part.end], own, style=style, key=key)
        if redacted.spans:
            changed[part.path] = redacted.text
    return changed


def _merged(findings: Iterable[Finding], length: int) -> list[tuple[int, int, str]]:
    own = sorted(
        (finding.start, finding.end, finding.kind)
        for finding in findings
        if finding.kind.startswith(REDACTED_FAMILIES)
    )
    merged: list[tuple[int, int, str]] = []
    for start, end, kind in own:
        if not 0 <= start <= end <= length:
            raise ValueError(f"A finding at {start} to {end} is outside a text of {length}.")
        if merged and start < merged[-1][1]:
            first, last, other = merged[-1]
            merged[-1] = (first, max(last, end), min(other, kind, key=_rank))
        elif start < end:
            merged.append((start, end, kind))
    return merged


def _rank(kind: str) -> int:
    family = kind.partition(".")[0]
    return _RANK.get(kind, _RANK.get(family, len(_RANK)))


def _style_of(kind: str, style: Style | Mapping[str, Style]) -> Style:
    if isinstance(style, Style):
        return style
    family = kind.partition(".")[0]
    return style.get(kind, style.get(family, Style.PLACEHOLDER))


def _replacement(value: str, kind: str, style: Style, key: bytes) -> str:
    family, _, name = kind.partition(".")
    label = f"SECRET:{name}" if family == "secret" else name.upper()
    match style:
        case Style.DROP:
            return ""
        case Style.HASH:
            return f"[{label}:{_digest(value, kind, key)}]"
        case Style.KEEP_LAST_FOUR if kind in _LAST_FOUR_KINDS:
            masked = _masked(value)
            return masked if masked is not None else f"[{label}]"
        case _:
            return f"[{label}]"


def _masked(value: str) -> str | None:
    """`value` with all but its last four letters and digits as stars; None when too short."""
    places = [place for place, character in enumerate(value) if character.isalnum()]
    if len(places) < KEPT + MIN_MASKED:
        return None
    kept = places[-KEPT]
    return "".join("*" if c.isalnum() else c for c in value[:kept]) + value[kept:]


def _digest(value: str, kind: str, key: bytes) -> str:
    if not key:
        raise ValueError("Hashed redaction needs a key: without one, values could be tried.")
    # One person's number has one digest, however it was written.
    canonical = unicodedata.normalize("NFKC", value).casefold()
    if kind not in ("pii.email", "pii.ip") and not kind.startswith("secret."):
        canonical = "".join(filter(str.isalnum, canonical))
    mac = hashlib.blake2b(
        f"{kind}\0{canonical}".encode("utf-8", "surrogatepass"),
        key=hashlib.sha256(key).digest(),
        digest_size=DIGEST_LETTERS // 2,
    )
    # Letters only: a digest with many digits could pass for a number that a detector knows.
    return mac.hexdigest().translate(_HEX_TO_LETTERS)


def _replaced(text: str, spans: Sequence[RedactedSpan]) -> str:
    pieces: list[str] = []
    position = 0
    for span in spans:
        pieces += (text[position : span.start], span.replacement)
        position = span.end
    pieces.append(text[position:])
    return "".join(pieces)


def _whole_characters(text: str, start: int, end: int) -> tuple[int, int]:
    """`[start, end)` widened so that marks stay with their letters, halves of a pair together."""
    while start > 0 and _belongs_to_previous(text, start):
        start -= 1
    while end < len(text) and _belongs_to_previous(text, end):
        end += 1
    return start, end


def _belongs_to_previous(text: str, place: int) -> bool:
    character = text[place]
    if character < "\u0300":
        return False
    if "\udc00" <= character <= "\udfff":
        return "\ud800" <= text[place - 1] <= "\udbff"
    return (
        character in _JOINERS
        or text[place - 1] == "\u200d"
        or unicodedata.category(character) in ("Mn", "Me", "Mc")
    )


def _looks_like_json(text: str) -> bool:
    """Whether the whole text, or each of its lines, is a JSON object or array."""
    stripped = text.strip()
    if not stripped.startswith(("{", "[")) or not stripped.endswith(("}", "]")):
        return False
    if _is_json(stripped):
        return True
    lines = stripped.splitlines()
    return len(lines) > 1 and all(_is_json(line) for line in lines if line.strip())


def _is_json(text: str) -> bool:
    try:
        orjson.loads(text)
    except orjson.JSONDecodeError:
        return False
    return True


class _Json:
    """A text that is JSON, and the borders in it that a replacement must respect."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._strings = [match.span() for match in _STRING.finditer(text)]
        self._starts = [start for start, _ in self._strings]

    def pieces(self, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
        """The contents of strings and the numbers in `[start, end)`, no escape cut in half.

        The third value tells whether the piece is a number, outside of strings.
        """
        at = max(0, bisect_right(self._starts, start) - 1)
        while start < end:
            while at < len(self._strings) and self._strings[at][1] <= start:
                at += 1
            first, last = self._strings[at] if at < len(self._strings) else (end, end)
            if start < first:
                yield from self._numbers(start, min(end, first))
                start = first
            if first < end:
                inner, outer = max(start, first + 1), min(end, last - 1)
                if inner < outer:
                    yield (
                        self._after_escape(inner, first),
                        self._past_escape(outer, first, last),
                        False,
                    )
                start = last

    def _numbers(self, start: int, end: int) -> Iterator[tuple[int, int, bool]]:
        text = self._text
        while start > 0 and text[start - 1] in _NUMBER_CHARACTERS:
            start -= 1
        while end < len(text) and text[end] in _NUMBER_CHARACTERS:
            end += 1
        for number in _NUMBER.finditer(text, start, end):
            yield *number.span(), True

    def _escape_over(self, place: int, first: int) -> tuple[int, int] | None:
        """The escape that `place` lies inside of, if any."""
        for start in range(max(first + 1, place - _LONGEST_ESCAPE + 1), place):
            if self._text[start] != "\\" or self._escaped(start, first):
                continue
            match = _UNICODE_ESCAPE.match(self._text, start)
            end = match.end() if match else start + 2
            if start < place < end:
                return start, end
        return None

    def _escaped(self, place: int, first: int) -> bool:
        slashes = 0
        while place - slashes - 1 > first and self._text[place - slashes - 1] == "\\":
            slashes += 1
        return slashes % 2 == 1

    def _after_escape(self, start: int, first: int) -> int:
        over = self._escape_over(start, first)
        return over[1] if over else start

    def _past_escape(self, end: int, first: int, last: int) -> int:
        over = self._escape_over(end, first)
        return min(over[1], last - 1) if over else end
