"""How texts of others are shown: escaped, whole, and with nothing left unseen in them."""

from __future__ import annotations

import json
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from django.utils import timezone
from django.utils.html import escape, format_html
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext as _

MAX_PREVIEW_CHARS = 300  # of a text in a list; its page shows it whole
MAX_NUMBERS = 4  # of findings named at one highlighted stretch

# What a reader does not see or takes for something else: control and format characters (bidi
# overrides, zero widths, tags), blanks that are no space, variation selectors, private use.
# Unicode 15.1, categories Cc, Cf, Zl, Zp, Co, Zs but U+0020, and the blank letters beside them.
_UNSEEN = (
    "\x00-\x08\x0b-\x1f\x7f-\xa0\xad\u034f\u0600-\u0605\u061c\u06dd\u070f\u0890\u0891\u08e2"
    "\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800"
    "\u3000\u3164\ud800-\uf8ff\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffc"
    "\U000110bd\U000110cd\U00013430-\U0001343f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U0010ffff"
)
_UNSEEN_ONE = re.compile(f"[{_UNSEEN}]")
_SPECIAL = re.compile(f"[&<>\"'{_UNSEEN}]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;", '"': "&quot;", "'": "&#x27;"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A stretch of a text (character offsets) to be marked with a number and a name."""

    number: int
    start: int
    end: int
    name: str
    family: str = ""  # colours it: `pii`, `secret`, `sql`, `shell`, `policy`


def visible(text: str) -> SafeString:
    """The text as HTML: escaped, and each unseen character replaced by its code point."""
    return mark_safe(_SPECIAL.sub(_shown, text))  # noqa: S308 (every special character is escaped)


def _shown(match: re.Match[str]) -> str:
    char = match[0]
    if entity := _ENTITIES.get(char):
        return entity
    return f'<span class="unseen" title="{escape(name_of(char))}">{code_of(char)}</span>'


def name_of(char: str) -> str:
    """What Unicode calls the character, in lower case."""
    name = unicodedata.name(char, "") or _CONTROLS.get(char, "control character")
    return name.lower()


def code_of(char: str) -> str:
    """The character's code point: `U+202E`."""
    return f"U+{ord(char):04X}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unseen:
    """A character that nobody sees in a text, and how often it stands there."""

    code: str
    name: str
    count: int


def unseen(*texts: str) -> list[Unseen]:
    """The characters of the texts that `visible` replaces, in the order in which they come."""
    counted = Counter(char for text in texts for char in _UNSEEN_ONE.findall(text))
    return [Unseen(code=code_of(char), name=name_of(char), count=n) for char, n in counted.items()]


def spelled(text: str) -> str:
    """The text as plain text, for mails and chats: each unseen character as `[U+202E]`."""
    return _UNSEEN_ONE.sub(lambda match: f"[{code_of(match[0])}]", text)


_CONTROLS = {"\0": "null", "\b": "backspace", "\r": "carriage return", "\x1b": "escape"}


def one_line(text: str, limit: int = MAX_PREVIEW_CHARS) -> SafeString:
    """The beginning of the text on one line, as HTML; line breaks as ⏎."""
    cut = text[:limit].strip().replace("\r\n", "\n").replace("\n", " ⏎ ").replace("\t", " ")
    return visible(f"{cut} …" if len(text) > limit else cut)


def marked(text: str, spans: Iterable[Span]) -> SafeString:
    """The whole text as HTML with the spans marked; spans may overlap or lie outside the text."""
    length = len(text)
    starts: dict[int, list[Span]] = {}
    ends: dict[int, list[Span]] = {}
    for span in spans:
        start, end = max(0, min(span.start, length)), max(0, min(span.end, length))
        if start < end:
            starts.setdefault(start, []).append(span)
            ends.setdefault(end, []).append(span)
    pieces: list[str] = []
    active: dict[int, Span] = {}
    position = 0
    for place in sorted({*starts, *ends, length}):
        if position < place:
            pieces.append(_piece(text[position:place], active, starts.get(position, ())))
        for span in ends.get(place, ()):
            active.pop(span.number, None)
        for span in starts.get(place, ()):
            active[span.number] = span
        position = place
    return mark_safe("".join(pieces))  # noqa: S308 (pieces are escaped)


def _piece(text: str, active: dict[int, Span], beginning: Sequence[Span]) -> str:
    if not active:
        return visible(text)
    covering = list(active.values())[:MAX_NUMBERS]
    return format_html(
        '<mark class="found {}" title="{}"{}>{}</mark>',
        covering[-1].family,
        ", ".join(f"{span.number}: {span.name}" for span in covering),
        format_html(' data-n="{}"', " ".join(str(s.number) for s in beginning[:MAX_NUMBERS]))
        if beginning
        else "",
        visible(text),
    )


def pretty(value: Any) -> SafeString:
    """JSON laid out for reading, as HTML."""
    return visible(json.dumps(value, indent=2, ensure_ascii=False, default=str))


def short_age(moment: datetime, now: datetime | None = None) -> str:
    """How long ago, in one unit: `12 s`, `5 min`, `3 h`, `6 d`; a date beyond 30 days."""
    age = (now or timezone.now()) - moment
    if age < -timedelta(minutes=1):
        return _("in %(span)s") % {"span": _span(-age)}
    if age > timedelta(days=30):
        return moment.strftime("%Y-%m-%d")
    return _span(max(age, timedelta()))


def _span(age: timedelta) -> str:
    seconds = int(age.total_seconds())
    if seconds < 60:
        return _("%(n)d s") % {"n": seconds}
    if seconds < 3600:
        return _("%(n)d min") % {"n": seconds // 60}
    if seconds < 2 * 86_400:
        return _("%(n)d h") % {"n": seconds // 3600}
    return _("%(n)d d") % {"n": seconds // 86_400}


def moment(value: datetime | None, missing: str = "") -> SafeString | str:
    """A short relative time whose title is the full one."""
    if value is None:
        return missing
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        value.isoformat(),
        value.strftime("%Y-%m-%d %H:%M:%S UTC"),
        short_age(value),
    )


def badge(word: str, tone: str) -> SafeString:
    """A state told by a word as well as a colour; tones: good, bad, wait, quiet, warn."""
    return format_html('<span class="badge {}">{}</span>', tone, word)
