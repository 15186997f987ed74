"""Text that is not what it looks like: hidden characters, and letters that imitate others.

Ordinary writing of any script passes: joiners inside Persian, Hindi and emoji, direction marks in
a text that has right-to-left letters, words of another alphabet, units such as `kΩ`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from policies.engine.decode.letters import CALLING, COMPATIBLE, FOREIGN, LOOKALIKES
from policies.engine.language import NAMES
from policies.engine.mapped import Mapped, Pieces

MAX_HIDDEN = 20_000  # characters of one text that are looked at one by one
MAX_WORDS = 1_000  # imitating words of one text
MIN_SMUGGLED = 3  # characters that make a text of their own among tags or selectors

_ZERO_WIDTH = (
    "\u00ad\u034f\u115f\u1160\u180e\u200b-\u200d\u2060-\u2064\u206a-\u206f\u3164\ufeff\uffa0"
)
_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_TAGS = "\U000e0000-\U000e007f"
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_HIDDEN = re.compile(f"[{_ZERO_WIDTH}{_BIDI}{_TAGS}{_SELECTORS}]+")
_ODD = re.compile(f"[{_ZERO_WIDTH}{_BIDI}{_TAGS}{_SELECTORS}{re.escape(CALLING)}]")
_COMPATIBLE = re.compile(f"[{re.escape(''.join(COMPATIBLE))}]")
_LOOKALIKE = "".join(LOOKALIKES)
_MIXED = re.compile(f"[A-Za-z][{_LOOKALIKE}]|[{_LOOKALIKE}][A-Za-z]")
_ANY_LOOKALIKE = re.compile(f"[{_LOOKALIKE}]")
# A letter of one of those alphabets that imitates nothing: the text has words in it.
_OWN_LETTER = re.compile(f"(?![{_LOOKALIKE}])[{FOREIGN}]")
_IMITATING = re.compile(f"(?<!\\w)[{_LOOKALIKE}][{_LOOKALIKE}_-]{{1,20}}+(?!\\w)")
_WORD_RIGHT = re.compile(r"\w{0,40}")
_INFLECTED = re.compile(f"[A-Za-z0-9_]{{2,}}[{FOREIGN}]{{1,4}}")
_SCIENCE = re.compile(r"[α-ω]{1,2}[A-Z0-9]\w*|\w*[A-Z0-9][α-ω]{1,2}")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")

_OVERRIDES = "\u202d\u202e"
_SOFT_HYPHEN, _BYTE_ORDER = "\u00ad", "\ufeff"
_FLAG, _TAG_END = "\U0001f3f4", "\U000e007f"
_KINDS = (
    ("tag", range(0xE0000, 0xE0080)),
    ("selector", range(0xFE00, 0xFE10)),
    ("selector", range(0xE0100, 0xE01F0)),
    ("bidi", range(0x202A, 0x202F)),
    ("bidi", range(0x2066, 0x206A)),
    ("bidi", (0x061C, 0x200E, 0x200F)),
)


@dataclass(slots=True, kw_only=True)
class Disguise:
    """What a text hides: kinds of hidden characters, words as they look, texts in tags."""

    hidden: set[str] = field(default_factory=set)
    words: dict[tuple[int, int], str] = field(default_factory=dict)
    smuggled: list[Mapped] = field(default_factory=list)
    normal: bool = False  # the text without it differs and is worth examining
    complete: bool = True


def disguise(text: str, *, code: bool) -> Disguise | None:
    """What `text` hides or imitates; None for most texts.

    `code`: it is a command or a statement, where even a soft hyphen has no business.
    """
    odd = _ODD.search(text) is not None
    lookalike = _ANY_LOOKALIKE.search(text) is not None
    if not odd and not lookalike:
        return None
    found = Disguise()
    if odd:
        _hidden(text, found, code=code)
        found.normal = found.normal or _calling(text)
    if lookalike:
        _imitations(text, found)
        found.normal = found.normal or bool(found.words)
    return found if found.normal or found.hidden or found.smuggled else None


def normalised(text: str, found: Disguise) -> Mapped:
    """`text` as it looks: hidden characters dropped, other forms of letters as plain ones."""
    pieces, at = Pieces(), 0
    words = iter(sorted(found.words.items()))
    word = next(words, None)
    for match in _PLAIN.finditer(text):
        start, end = match.span()
        while word is not None and word[0][1] <= start:
            word = next(words, None)
        if match[0] in LOOKALIKES:
            inside = word is not None and word[0][0] <= start
            put = LOOKALIKES[match[0]] if inside else match[0]
        else:
            put = COMPATIBLE.get(match[0], "")
        if put == match[0]:
            continue
        pieces.copy(text, at, start)
        pieces.put(put, start, end)
        at = end
    pieces.copy(text, at, len(text))
    return pieces.made()


_PLAIN = re.compile(
    f"[{_ZERO_WIDTH}{_BIDI}{_TAGS}{_SELECTORS}]+|[{re.escape(''.join(COMPATIBLE))}{_LOOKALIKE}]"
)


def _calling(text: str) -> bool:
    return _CALLING.search(text) is not None


_CALLING = re.compile(f"[{re.escape(CALLING)}]")


def _hidden(text: str, found: Disguise, *, code: bool) -> None:
    right_to_left: bool | None = None
    for count, match in enumerate(_HIDDEN.finditer(text)):
        if count >= MAX_HIDDEN:
            found.complete = False
            return
        start, end = match.span()
        run = match[0]
        before, after = text[start - 1 : start], text[end : end + 1]
        if _is_flag(before, run) or (start == 0 and run == _BYTE_ORDER):
            continue
        each = [_kind(character) for character in run]
        kinds = set(each)
        if kinds & {"tag", "selector"}:
            _smuggled(run, start, found)
        if before.isascii() and after.isascii() and (before.isalnum() or after.isalnum()):
            found.normal = True
        if "bidi" in kinds and not kinds & {"tag"}:
            if right_to_left is None:
                right_to_left = _RIGHT_TO_LEFT.search(text) is not None
            if right_to_left and not any(character in _OVERRIDES for character in run):
                kinds.discard("bidi")
        if "zero-width" in kinds and not _out_of_place(before, after, run, code=code):
            kinds.discard("zero-width")
        # One selector behind an emoji, the digit of a key cap or an ideograph is what it is for.
        if each.count("selector") == 1 and not (before.isascii() and before.isalpha()):
            kinds.discard("selector")
        found.hidden |= kinds


def _kind(character: str) -> str:
    code = ord(character)
    return next((kind for kind, codes in _KINDS if code in codes), "zero-width")


def _is_flag(before: str, run: str) -> bool:
    """The flags of England, Scotland and Wales are spelt in tags behind a black flag."""
    return before == _FLAG and run.endswith(_TAG_END) and len(run) <= 8


def _out_of_place(before: str, after: str, run: str, *, code: bool) -> bool:
    """Whether characters without width stand where no script needs them."""
    if run.strip(_SOFT_HYPHEN) == "" and not code:
        return False
    if not before.isascii() or not after.isascii():
        return False  # joiners of emoji and of scripts that have them, breaks of Thai
    return before.isalnum() or (code and (bool(before.strip()) or after.isalnum()))


def _smuggled(run: str, start: int, found: Disguise) -> None:
    """Texts spelt in tags (a letter each) or in variation selectors (a byte each)."""
    pieces = Pieces()
    octets: list[tuple[int, int]] = []
    for at, character in enumerate(run, start):
        code = ord(character)
        if 0xE0020 <= code < 0xE007F or code in (0xE0009, 0xE000A):
            pieces.put(chr(code - 0xE0000), at, at + 1)
        elif 0xFE00 <= code <= 0xFE0F:
            octets.append((at, code - 0xFE00))
        elif 0xE0100 <= code <= 0xE01EF:
            octets.append((at, code - 0xE0100 + 16))
    if pieces.length >= MIN_SMUGGLED:
        found.smuggled.append(pieces.made())
    if len(octets) >= MIN_SMUGGLED:
        text = bytes(octet for _, octet in octets).decode("latin-1")
        if text.isprintable():
            places = [at for at, _ in octets]
            ends = [at + 1 for at in places]
            found.smuggled.append(Mapped(text=text, starts=places, ends=ends))


def _imitations(text: str, found: Disguise) -> None:
    """Words of two alphabets whose foreign letters all imitate Latin ones, and whole imitations."""
    has_words = _OWN_LETTER.search(text) is not None
    at = 0
    while (match := _MIXED.search(text, at)) is not None:
        if len(found.words) >= MAX_WORDS:
            found.complete = False
            return
        start = match.start()
        while start > at and (text[start - 1].isalnum() or text[start - 1] == "_"):
            start -= 1
        right = _WORD_RIGHT.match(text, match.end())
        at = right.end() if right else match.end()
        word = text[start:at]
        if _OWN_LETTER.search(word) or _SCIENCE.fullmatch(word):
            continue
        if has_words and _INFLECTED.fullmatch(word):
            continue  # `PDFа`: a Latin word with a Russian ending
        found.words[start, at] = _folded(word)
    if has_words:
        return
    for match in _IMITATING.finditer(text):
        word = _folded(match[0])
        if word.lower() in NAMES:
            found.words[match.span()] = word


def _folded(word: str) -> str:
    return "".join(LOOKALIKES.get(character, character) for character in word)
