"""Texts without their personal data and secrets, by the spans of the findings."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from policies.engine.findings import Finding
from policies.engine.redaction_json import JsonText, Piece, looks_like_json

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
    "pii.national_id",
    "pii.passport",
    "pii.iban",
    "pii.pan",
    "pii.date_of_birth",
    "pii.phone",
    "pii.email",
    "pii.ip",
    "pii.mac_address",
    "pii.name",
    "pii",
)
_RANK = {kind: rank for rank, kind in enumerate(_SENSITIVITY)}
_HEX_TO_LETTERS = str.maketrans("0123456789abcdef", "abcdefghijklmnop")
_NOT_OF_A_LABEL = re.compile(r"\W")
_JOINERS = "\u200d\ufe0e\ufe0f"
# Characters that continue the one before them, though no marks: the skin colours of emoji, the
# letters of flags of regions, the vowels and finals of Hangul.
_CONTINUING = (("\U0001f3fb", "\U0001f3ff"), ("\U000e0020", "\U000e007f"), ("\u1160", "\u11ff"))
_REGIONAL = ("\U0001f1e6", "\U0001f1ff")  # two of them make a flag


class Style(StrEnum):
    """What stands in a redacted place, and how a policy's action names it (`"style": "token"`).

    PLACEHOLDER: `[SSN]`, `[SECRET:github_token]`. KEEP_LAST_FOUR: `***-**-6789`, only of kinds
    that are numbers, others as placeholders. HASH: `[EMAIL:kdjfmbaeopcgihln]`, the same for the
    same value under the same key, so that rows can still be joined. TOKEN: the same as a word,
    `email_kdjfmbaeopcgihln`, for places where brackets break something. DROP: nothing.
    """

    PLACEHOLDER = "placeholder"
    KEEP_LAST_FOUR = "keep_last4"
    HASH = "hash"
    TOKEN = "token"  # noqa: S105 (the name of a style)
    DROP = "drop"


# What wins when several policies want a kind redacted: the one that leaves least.
_CONCEALING = (Style.DROP, Style.PLACEHOLDER, Style.TOKEN, Style.HASH, Style.KEEP_LAST_FOUR)


def stricter(one: Style, other: Style) -> Style:
    """The one of two styles that leaves less of the value."""
    return min(one, other, key=_CONCEALING.index)


_LAST_FOUR_KINDS = frozenset(
    ["pii.ssn", "pii.credit_card", "pii.aadhaar", "pii.phone", "pii.iban", "pii.passport"]
)
_LAST_FOUR_FAMILY = "pii.national_id."


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
    placeholders). `key` keys the digests of HASH and TOKEN: whoever lacks it cannot try values.
    Overlapping findings become one stretch, named by the most sensitive of them. A stretch never
    ends inside a character or an escape of JSON, and JSON stays JSON, also JSON inside its strings:
    a number becomes a string. What stands in a redacted place is no finding itself and speaks for
    nothing beside it; but what stood on its two sides may now say something together, most of all
    after DROP: `redaction_rounds` looks again.

    Raises:
        ValueError: HASH or TOKEN without a key, or a finding outside the text.
    """
    stretches = _merged(findings, len(text))
    if not stretches:
        return Redacted(text=text)
    json = JsonText(text) if looks_like_json(text) else None
    spans: list[RedactedSpan] = []
    for first, last, kind in stretches:
        whole = _whole_characters(text, first, last)
        for piece in json.pieces(*whole) if json is not None else [Piece(*whole)]:
            start, end = max(piece.start, spans[-1].end) if spans else piece.start, piece.end
            if start >= end:
                continue
            replacement = _replacement(text[start:end], kind, _style_of(kind, style), key)
            replacement = f"{piece.quote}{replacement}{piece.quote}"
            spans.append(RedactedSpan(start=start, end=end, kind=kind, replacement=replacement))
    return Redacted(text=_replaced(text, spans), spans=tuple(spans))


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
    return next((_RANK[name] for name in _prefixes(kind) if name in _RANK), len(_RANK))


def _prefixes(kind: str) -> list[str]:
    """`pii.national_id.de`, `pii.national_id`, `pii`: from the most specific on."""
    parts = kind.split(".")
    return [".".join(parts[:length]) for length in range(len(parts), 0, -1)]


def _style_of(kind: str, style: Style | Mapping[str, Style]) -> Style:
    if isinstance(style, Style):
        return style
    return next((style[name] for name in _prefixes(kind) if name in style), Style.PLACEHOLDER)


def _replacement(value: str, kind: str, style: Style, key: bytes) -> str:
    family, _, rest = kind.partition(".")
    name = _NOT_OF_A_LABEL.sub("_", rest)
    label = f"SECRET:{name}" if family == "secret" else name.upper()
    match style:
        case Style.DROP:
            return ""
        case Style.HASH:
            return f"[{label}:{_digest(value, kind, key)}]"
        case Style.TOKEN:
            return f"{'secret' if family == 'secret' else name}_{_digest(value, kind, key)}"
        case Style.KEEP_LAST_FOUR if kind in _LAST_FOUR_KINDS or kind.startswith(_LAST_FOUR_FAMILY):
            masked = _masked(value)
            return masked if masked is not None else f"[{label}]"
        case _:
            return f"[{label}]"


def _masked(value: str) -> str | None:
    """`value` with all but its last four letters and digits as stars; None when too short.

    None also where it holds an escape of JSON, which stars would break.
    """
    if "\\" in value:
        return None
    places = [place for place, character in enumerate(value) if character.isalnum()]
    if len(places) < KEPT + MIN_MASKED:
        return None
    kept = places[-KEPT]
    return "".join("*" if c.isalnum() else c for c in value[:kept]) + value[kept:]


def _digest(value: str, kind: str, key: bytes) -> str:
    if not key:
        raise ValueError("Redaction by digests needs a key: without one, values could be tried.")
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
    if _REGIONAL[0] <= character <= _REGIONAL[1]:
        first = place
        while first > 0 and _REGIONAL[0] <= text[first - 1] <= _REGIONAL[1]:
            first -= 1
        return (place - first) % 2 == 1
    return (
        character in _JOINERS
        or text[place - 1] == "\u200d"
        or any(first <= character <= last for first, last in _CONTINUING)
        or unicodedata.category(character) in ("Mn", "Me", "Mc")
    )
