"""Views of a text as it reads without its encodings and disguises.

Three kinds, each made only when cheap signs call for it, each with a map back to the original:

- as it looks: hidden characters dropped, look-alike and styled letters as plain ones. It stays
  what it was, so that a command written with Cyrillic letters is judged as that command;
- with the escapes of URLs, HTML, JSON and mail resolved. What a shell or a database is given it
  takes literally, so of commands and statements this view is only data;
- what base64 or hex holds, where something decodes it, and base64 of a text anywhere (see
  `places`).

Escapes inside escapes are resolved one layer after another.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import islice

from policies.engine.decode import places
from policies.engine.decode.disguise import ODD, Disguise, disguise, normalised
from policies.engine.decode.escapes import escapes_of, json_escapes, json_letters, resolved
from policies.engine.decode.windows import around
from policies.engine.family import Sign
from policies.engine.findings import Report, View
from policies.engine.language import Guess, guess
from policies.engine.mapped import Mapped
from policies.engine.operation import Language

MAX_LAYERS = 6  # encodings inside encodings
BUDGET_FACTOR = 2  # decoded characters of one operation: so many times its own,
BUDGET_FREE = 50_000  # and so many more
MAX_OBJECT = 1_000  # characters of an object in prose before the key that matters
MAX_STRINGS = 200  # strings of a JSON text that are JSON themselves

_PATHS = frozenset([Language.PATH, Language.READ_PATH])
_CODE = frozenset([Language.SHELL, Language.SQL, "code", "mongo"])
_ESCAPED = {"stray": "asp", "percent": "url", "entity": "html", "letter": "json", "mail": "mail"}
# A string of JSON whose content begins like JSON with escaped quotes.
_NESTED = re.compile(r'"(?P<text>[{\[][{\[\s]*+\\.(?:[^"\\]|\\.)*+)"', re.DOTALL)
_COMMAND_KEYS = "command|cmd|script|shell_command|bash|shell"
_STATEMENT_KEYS = "sql|query|statement|stmt"


def _under(keys: str) -> re.Pattern[str]:
    """A string under one of `keys` in JSON, or in a literal of Python or JavaScript."""
    return re.compile(
        rf"""(?P<key>["'])(?:{keys})(?P=key)\s{{0,4}}:\s{{0,4}}"""
        r"""(?:"(?P<text>(?:[^"\\]|\\.)++)(?:"|\Z)|'(?P<single>(?:[^'\\]|\\.)++)(?:'|\Z))""",
        re.DOTALL | re.IGNORECASE,
    )


_COMMAND, _STATEMENT = _under(_COMMAND_KEYS), _under(_STATEMENT_KEYS)
# Long values are documents; short ones hold no attack.
_PAIR = re.compile(r"[\w.\[\]%-]{1,60}=[^\s;&'\"<>|]{6,4000}+")


class Decode:
    """Makes decoded views; one per operation, as it keeps the budget."""

    name = "decode"
    signs: Sequence[Sign] = (
        Sign(name="percent", pattern=r"%[0-9a-f]{2}|%u[0-9a-f]{4}"),
        Sign(name="stray", pattern=r"%[a-z]%[a-z](?:[^0-9a-f]|$)"),
        # A blank of a form; a sum has none of these before its sign.
        Sign(name="plus", pattern=r"['\")0-9]\+[a-z]{2,20}\+"),
        Sign(name="pair", pattern=r"[\w\]]=[^\s;&'\"<>|]{0,400}%[0-9a-f]{2}"),
        Sign(name="entity", pattern=r"&#x?[0-9a-f]{2}|&[a-z]{2,8};"),
        Sign(name="letter", pattern=r"\\u(?:00[2-7]|20[0-6]|ff|d8|db|04|03)[0-9a-f]"),
        Sign(name="nested", pattern=r"\"[{\[][{\[\s]{0,8}\\"),
        Sign(name="command_key", pattern=rf"[\"'](?:{_COMMAND_KEYS})[\"']\s{{0,4}}:"),
        Sign(name="statement_key", pattern=rf"[\"'](?:{_STATEMENT_KEYS})[\"']\s{{0,4}}:"),
        Sign(name="mail", pattern=r"quoted-printable"),
        *places.SIGNS,
    )

    def __init__(self, length: int) -> None:
        """`length`: characters of the operation, which the budget is measured by."""
        self._left = BUDGET_FACTOR * length + BUDGET_FREE
        self._seen: set[tuple[str, str, int]] = set()

    def open(self, view: View, signs: frozenset[str], report: Report) -> None:
        """Nest the decoded views of `view`, and report what is hidden in it as facts."""
        if view.depth and isinstance(view.offset, int) and view.language in _CODE:
            return  # a stretch of a text that was decoded as a whole
        if view.depth > MAX_LAYERS:
            if signs:
                report.truncated = True
            return
        if not view.text.isascii():
            self._undisguise(view, report)
        if signs:
            self._resolve(view, signs, report)
            self._decode(view, signs, report)

    def _undisguise(self, view: View, report: Report) -> None:
        language = _language(view)
        code = language in _CODE or language in (Guess.SHELL, Guess.SQL)
        found = disguise(view.text, code=code)
        if found is None:
            return
        for kind in sorted(found.hidden):
            report.fact("text.hidden", kind)
        for word in found.words.values():
            report.fact("text.homoglyph", word)
        if not found.complete:
            report.truncated = True
        if found.normal:
            self._as_it_looks(view, found, language, report)
        for smuggled in found.smuggled:
            # Nobody writes these by hand: whatever they spell is examined as what it looks like.
            self._nest(view, smuggled, Language.AUTO, "invisible characters", report)

    def _as_it_looks(self, view: View, found: Disguise, language: str, report: Report) -> None:
        lines = around(view.text, ODD, found.words)
        if lines is None:
            made, language = normalised(view.text, found), view.language
        else:
            inner = disguise(lines.text, code=True)
            if inner is None:
                return
            made = normalised(lines.text, inner).through(lines)
            if language not in _CODE and language not in _PATHS:
                language = Language.TEXT  # lines of a text begin anything
        self._nest(view, made, language, "unicode", report)

    def _resolve(self, view: View, signs: frozenset[str], report: Report) -> None:
        kinds = [kind for sign, kind in _ESCAPED.items() if sign in signs]
        if "asp" in kinds and "url" in kinds:
            kinds.remove("url")  # a part of it
        language: str = _language(view)
        if language == Guess.JSON and view.language == Language.AUTO:
            self._json(view, signs, report)
            # Escapes of a JSON inside wait for their turn.
            if "json" in kinds and "\\\\u" not in view.text:
                kinds.remove("json")
        elif view.language == Language.AUTO and language in (Guess.VALUE, Guess.TEXT):
            self._quoted(view, signs, report)
        if "pair" in signs and language in (Language.SHELL, Guess.SHELL):
            self._pairs(view, report)
        inside = Language.TEXT
        if view.language in _PATHS:
            inside = Language(view.language)
        elif view.language == Language.AUTO and language in (Guess.VALUE, Guess.TEXT):
            inside = Language.AUTO
            if signs & {"plus", "percent"} and "+" in view.text and " " not in view.text:
                kinds.append("form")
        if kinds:
            self._plain(view, kinds, inside, report)

    def _json(self, view: View, signs: frozenset[str], report: Report) -> None:
        if "letter" in signs:
            self._nest(view, json_letters(view.text), Language.AUTO, "json", report)
        if "nested" in signs:
            self._strings(view, _NESTED, Language.AUTO, report)
        if "command_key" in signs:
            self._strings(view, _COMMAND, Language.SHELL, report)

    def _quoted(self, view: View, signs: frozenset[str], report: Report) -> None:
        """JSON inside prose, or what looks like it: run this: {"cmd": "rm -rf /"}."""
        if "nested" in signs:
            self._strings(view, _NESTED, Language.AUTO, report)
        if "command_key" in signs and _is_open(view.text, _COMMAND):
            self._strings(view, _COMMAND, Language.SHELL, report)
        if "statement_key" in signs and _is_open(view.text, _STATEMENT):
            self._strings(view, _STATEMENT, Language.AUTO, report)

    def _plain(self, view: View, kinds: list[str], inside: Language, report: Report) -> None:
        lines = around(view.text, escapes_of(kinds))
        if lines is None:
            made = resolved(view.text, kinds)
        else:
            made = resolved(lines.text, kinds).through(lines)
            inside = inside if inside in _PATHS else Language.TEXT
        self._nest(view, made, inside, "+".join(kinds), report)

    def _pairs(self, view: View, report: Report) -> None:
        """Parameters and cookies with percent signs, in a command or the program it holds."""
        count = 0
        for found in _PAIR.finditer(view.text):
            if "%" in found[0]:
                count += 1
                if count > MAX_STRINGS:
                    report.truncated = True
                    return
                report.nest(view.part(*found.span(), language=Language.URL, layer="parameter"))

    def _strings(self, view: View, pattern: re.Pattern[str], language: str, report: Report) -> None:
        """Strings of a JSON text that are examined by themselves, such as a tool's arguments."""
        for count, found in enumerate(pattern.finditer(view.text)):
            if count >= MAX_STRINGS:
                report.truncated = True
                return
            group = found.lastgroup or "text"
            start, end = found.span(group)
            if "\\" in found[group]:
                self._nest(view, json_escapes(found[group]), language, "json", report, start)
            else:
                report.nest(view.part(start, end, language=language, layer="json"))

    def _decode(self, view: View, signs: frozenset[str], report: Report) -> None:
        found = list(islice(places.places(view.text, signs), places.MAX_PLACES + 1))
        if len(found) > places.MAX_PLACES:
            report.truncated = True
        for place in found[: places.MAX_PLACES]:
            runs = place.runs and view.language != Language.TEXT
            # What is nothing but base64 is a value that somebody will decode.
            runs = runs or (view.language == Language.AUTO and _is_all(view.text, place.run))
            language = Language.AUTO if runs else Language.TEXT
            self._nest(view, place.made, language, place.layer, report, place.start, place.run)

    def _nest(
        self,
        view: View,
        made: Mapped,
        language: str,
        layer: str,
        report: Report,
        start: int = 0,
        run: tuple[int, int] | None = None,
    ) -> None:
        if not made.text or made.text == view.text:
            return
        key = (made.text, language, view.place(start, start)[0])
        if key in self._seen:
            return  # the same, reached through other layers
        self._seen.add(key)
        self._left -= len(made.text)
        if self._left < 0:
            report.truncated = True
            return
        report.nest(view.derived(made, language=language, layer=layer, start=start, run=run))


def _is_open(text: str, pattern: re.Pattern[str]) -> bool:
    """Whether the object of the first match stands there as it is, in no quotes.

    In quotes it is the argument of something: `http POST api.example/run '{"cmd": "ls"}'`.
    """
    found = pattern.search(text)
    if found is None:
        return False
    brace = text.find("{", max(0, found.start() - MAX_OBJECT), found.start())
    return brace >= 0 and text[brace - 1 : brace] not in ("'", '"')


def _is_all(text: str, run: tuple[int, int]) -> bool:
    return not text[: run[0]].strip() and not text[run[1] :].strip()


def _language(view: View) -> str:
    if view.language != Language.AUTO:
        return view.language
    return guess(view.text)
