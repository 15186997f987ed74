"""Text that is not what it looks like: hidden characters, and letters that imitate others.

Ordinary writing of any script passes: joiners inside Persian, Hindi and emoji, direction marks in
a text that has right-to-left letters, words of another alphabet, units such as `kΩ`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import cache

from policies.engine.decode.letters import CALLING, COMPATIBLE, FOREIGN, LOOKALIKES, one_of
from policies.engine.language import NAMES
from policies.engine.mapped import Mapped, Pieces, Places

MAX_HIDDEN = 20_000  # different places of one text that are judged one by one
MAX_WORDS = 1_000  # imitating words of one text
MIN_SMUGGLED = 3  # hidden characters of one run that make a text
MAX_SMUGGLED = 10_000  # hidden characters of one run that are read as a text

_ZERO_WIDTH = (
    "\u00ad\u034f\u115f\u1160\u180e\u200b-\u200d\u2060-\u2064\u206a-\u206f\u3164\ufeff\uffa0"
)
_BIDI = "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"
_TAGS = "\U000e0000-\U000e007f"
_SELECTORS = "\ufe00-\ufe0f\U000e0100-\U000e01ef"
_HIDDEN = re.compile(f"[{_ZERO_WIDTH}{_BIDI}{_TAGS}{_SELECTORS}]+")
# Most characters of most texts are of ASCII: passed by at once, the long classes look back at the
# others.
_FOREIGN = r"[^\x00-\x7f]"
ODD = re.compile(f"{_FOREIGN}(?<=[{_ZERO_WIDTH}{_BIDI}{_TAGS}{_SELECTORS}{one_of(CALLING)}])")
_LOOKALIKE = one_of("".join(LOOKALIKES))
_CALLING = re.compile(f"{_FOREIGN}(?<=[{one_of(CALLING)}])")
_ONE_FOR_ONE = {ord(odd): plain for odd, plain in COMPATIBLE.items() if len(plain) == 1}
_LONGER = one_of("".join(odd for odd, plain in COMPATIBLE.items() if len(plain) != 1))
_LONGER_ONE = re.compile(f"[{_LONGER}]")
_DROPPED = frozenset(
    character
    for character in map(chr, (*range(0x10000), *range(0xE0000, 0xE0200)))
    if _HIDDEN.match(character)
)
_MOVING = re.compile(f"[{_ZERO_WIDTH}{_BIDI}{_TAGS}{_SELECTORS}]+|[{_LONGER}]")
_MIXED = re.compile(f"[{_LOOKALIKE}](?:(?<=[A-Za-z].)|(?=[A-Za-z]))")
_ANY_LOOKALIKE = re.compile(f"[{_LOOKALIKE}]")
# A letter of one of those alphabets that imitates nothing: the text has words in it.
_OWN_LETTER = re.compile(f"[{FOREIGN}](?<![{_LOOKALIKE}])")
_IMITATING = re.compile(f"[{_LOOKALIKE}](?<!\\w.)[{_LOOKALIKE}_-]{{1,20}}+(?!\\w)")
_WORD_RIGHT = re.compile(r"\w{0,40}")
_INFLECTED = re.compile(f"[A-Za-z0-9_]{{2,}}[{FOREIGN}]{{1,4}}")
_SCIENCE = re.compile(r"[α-ω]{1,2}[A-Z0-9]\w*|\w*[A-Z0-9][α-ω]{1,2}")
_RIGHT_TO_LEFT = re.compile("[\u0590-\u08ff\ufb1d-\ufdff\ufe70-\ufefc]")

# What letters are spelt with where nobody sees them.
_SPELT = re.compile(
    f"(?P<tags>[\U000e0009\U000e000a\U000e0020-\U000e007e]{{3,}})|[{_SELECTORS}]{{3,}}"
)
_OCTETS = {chr(0xFE00 + octet): octet for octet in range(16)} | {
    chr(0xE0100 + octet - 16): octet for octet in range(16, 256)
}
_OVERRIDES = "\u202d\u202e"
_SOFT_HYPHEN, _BYTE_ORDER = "\u00ad", "\ufeff"
# Inside Persian, Hindi and emoji, in great numbers.
_JOINERS = frozenset(["\u200c", "\u200d", "\ufe0f\u200d"])
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
    odd = ODD.search(text) is not None
    lookalike = _ANY_LOOKALIKE.search(text) is not None
    if not odd and not lookalike:
        return None
    found = Disguise()
    if odd:
        _hidden(text, found, code=code)
        found.normal = found.normal or _CALLING.search(text) is not None
    if lookalike:
        _imitations(text, found)
        found.normal = found.normal or bool(found.words)
    return found if found.normal or found.hidden or found.smuggled else None


def normalised(text: str, found: Disguise) -> Mapped:
    """`text` as it looks: hidden characters dropped, other forms of letters as plain ones."""
    # Character for character first, which moves nothing.
    plain = text.translate(_ONE_FOR_ONE)
    parts: list[str] = []
    at = 0
    for (start, end), word in sorted(found.words.items()):
        parts += (plain[at:start], word)
        at = end
    plain = "".join((*parts, plain[at:]))
    made = _MOVING.sub(lambda match: COMPATIBLE.get(match[0], ""), plain)

    @cache
    def mapped() -> Mapped:
        return _moved(plain)

    count = len(made)
    return Mapped(
        text=made,
        starts=Places(lambda at: mapped().starts[at], count),
        ends=Places(lambda at: mapped().ends[at], count),
    )


def _moved(plain: str) -> Mapped:
    if _LONGER_ONE.search(plain) is None:
        kept = [at for at, character in enumerate(plain) if character not in _DROPPED]
        return Mapped(text="", starts=kept, ends=[at + 1 for at in kept])
    pieces, at = Pieces(), 0
    for match in _MOVING.finditer(plain):
        start, end = match.span()
        pieces.copy(plain, at, start)
        pieces.put(COMPATIBLE.get(match[0], ""), start, end)
        at = end
    pieces.copy(plain, at, len(plain))
    return pieces.made()


def _hidden(text: str, found: Disguise, *, code: bool) -> None:
    right_to_left: bool | None = None
    told: set[str] = set()  # what was judged already, with its neighbours
    judged = 0
    for match in _HIDDEN.finditer(text):
        start, end = match.span()
        whole = text[start - 1 : end + 1] if start else ""
        if whole in told:
            continue
        run, before, after = match[0], text[start - 1 : start], text[end : end + 1]
        if run in _JOINERS and before > "\x7f" < after:
            continue
        judged += 1
        if judged > MAX_HIDDEN:
            found.complete = False
            return
        if _is_flag(before, run) or (start == 0 and run == _BYTE_ORDER):
            continue
        kinds = {_kind(character) for character in set(run)}
        smuggling = len(run) >= MIN_SMUGGLED and bool(kinds & {"tag", "selector"})
        if smuggling:
            _smuggled(run, start, found)
        if "bidi" in kinds and right_to_left is None:
            right_to_left = _RIGHT_TO_LEFT.search(text) is not None
        plain = before.isascii() and after.isascii()
        if plain and (before.isalnum() or after.isalnum()):
            found.normal = True
        kinds -= _ordinary(kinds, before, run, after, right_to_left=bool(right_to_left), code=code)
        found.hidden |= kinds
        if start and not smuggling:
            told.add(whole)


def _ordinary(
    kinds: set[str], before: str, run: str, after: str, *, right_to_left: bool, code: bool
) -> set[str]:
    """Those of `kinds` that are there for what they were made for."""
    ordinary = set()
    if right_to_left and not any(character in _OVERRIDES for character in run):
        ordinary.add("bidi")
    if not _out_of_place(before, after, run, code=code):
        ordinary.add("zero-width")
    # One selector behind an emoji, the digit of a key cap or an ideograph.
    if "selector" in kinds and _selectors(run) == 1 and not (before.isascii() and before.isalpha()):
        ordinary.add("selector")
    return ordinary


def _selectors(run: str) -> int:
    return sum(_kind(character) == "selector" for character in run[:3])


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
    if len(run) > MAX_SMUGGLED:
        found.complete = False
        run = run[:MAX_SMUGGLED]
    for spelt in _SPELT.finditer(run):
        if spelt["tags"]:
            text = "".join(chr(ord(character) - 0xE0000) for character in spelt[0])
        else:
            data = bytes(_OCTETS[character] for character in spelt[0])
            text = data.decode("latin-1")
            if not text.isprintable():
                continue
        pieces = Pieces()
        pieces.row(text, start + spelt.start(), 1)
        found.smuggled.append(pieces.made())


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
