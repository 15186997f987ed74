"""What a text says about a number: the key or column it stands under, the words beside it."""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections.abc import Sequence
from enum import IntEnum

from policies.engine.findings import Report, View
from policies.engine.pii.shapes import words
from policies.engine.pii.tables import Tables
from policies.engine.pii.topics import (
    ID,
    NOTHING,
    OTHER,
    first_topic,
    label_topics,
    last_topic,
)

REACH = 40  # characters before a value in which a word speaks for it
REACH_AFTER = 24  # and after it, when nothing before it speaks
ADJACENT = 12  # characters between a word that speaks against a value and the value
_KEY_REACH = 90
_LINE_REACH = 200


class Evidence(IntEnum):
    """How strongly its surroundings say that a value is of some kind."""

    AGAINST = -2  # named as something else: an order, a version, a time
    DOUBTFUL = -1  # under a key that says nothing, or names another kind
    NOTHING = 0
    NEAR = 1  # a word within reach
    LABELLED = 2  # its own key or column says so


# A placeholder of an earlier redaction says nothing about its neighbours, else a second run would
# find what the first had no reason to.
_PLACEHOLDER = re.compile(r"\[[A-Z_]{2,20}(?::[\w*:]{0,90})?\]")
_TOKEN_LEFT = re.compile(r"[a-z_]{2,40}_[a-p]{16}(?![a-z0-9])")  # the same, as one word
_LONGEST_TOKEN = 57
_PLACEHOLDER_END = re.compile(r"\A[A-Z_]{0,20}(?::?[\w*:]{0,90})?\]")
_HEX_GROUP_BEFORE = re.compile(r"(?<![0-9A-Za-z])[0-9A-Fa-f]{4,5}\s\Z")
_HEX_GROUP_AFTER = re.compile(r"\s[0-9A-Fa-f]{4,5}(?![0-9A-Za-z])")
_LETTER = re.compile(r"[^\W_]")
_NAME_BACKWARDS = re.compile(r"[\w.\-]+")
_CELL_END = re.compile(r"[|,;\t(]")
# Keys that leave it to the words around them what their values are.
_NEUTRAL_KEYS = words(
    "value val v number num no nr data text content is was are to result output message msg body "
    "nummer numero número numéro wert valor valeur"
)
_ENDS_OF_PHRASES = frozenset(".,;!?)")
_PHRASE_BREAK = re.compile(r"[^\w\s.\-/]")
_GENERIC_NAMES = words("id no nr num number code")
_COMPARED = (" like", " ilike", " in", " is", " eq", " ne")


def path_topics(path: Sequence[str | int]) -> frozenset[str]:
    """What the key that leads to a text says the whole text is."""
    name = next((key for key in reversed(path) if isinstance(key, str)), "")
    return label_topics(name) if name else NOTHING


class Reading:
    """One text while it is read for personal data: its context, and what is claimed of it."""

    def __init__(self, view: View, text: str, topics: frozenset[str], report: Report) -> None:
        self.view = view
        self.text = text
        self._report = report
        self._tables: Tables | None = None
        self._taken: list[tuple[int, int]] = []
        self._path_topics = topics
        self._said: dict[int, tuple[frozenset[str], str, int]] = {}
        self._after: dict[int, str] = {}

    def claim(
        self, start: int, end: int, *, kind: str, rule: str, confidence: float, reason: str
    ) -> None:
        """Report `[start, end)` and keep later detectors off it."""
        insort(self._taken, (start, end))
        self._report.find(
            self.view, start, end, kind=kind, rule=rule, confidence=confidence, reason=reason
        )

    def truncate(self) -> None:
        """Say that something was not looked at."""
        self._report.truncated = True

    def free(self, start: int, end: int) -> bool:
        """Whether nothing in `[start, end)` has been claimed."""
        # Claims do not overlap: only the last that starts before `end` can reach into it.
        at = bisect_left(self._taken, (end, 0)) - 1
        return at < 0 or self._taken[at][1] <= start

    def evidence(self, topic: str, start: int, end: int) -> Evidence:
        """What the surroundings of `[start, end)` say about its being a `topic`."""
        said = self._said.get(start)
        if said is None:
            said = self._said[start] = self._read_before(start)
        label, word, gap = said
        if label:
            if topic in label:
                return Evidence.LABELLED
            return Evidence.AGAINST if label == OTHER else Evidence.DOUBTFUL
        if word == topic:
            return Evidence.NEAR
        if word:
            against = word == "other" and gap <= ADJACENT
            return Evidence.AGAINST if against else Evidence.NOTHING
        after = self._after.get(end)
        if after is None:
            words_after = self.text[end : end + REACH_AFTER].partition("\n")[0].partition("[")[0]
            if "_" in words_after:
                left = _TOKEN_LEFT.search(self.text, end, end + REACH_AFTER + _LONGEST_TOKEN)
                words_after = words_after[: left.start() - end] if left else words_after
            after = self._after[end] = first_topic(words_after.lower())
        return Evidence.NEAR if after == topic else Evidence.NOTHING

    def line_before(self, start: int) -> str:
        """What stands before `start` on its line, as far as 200 characters."""
        low = max(0, start - _LINE_REACH)
        return self.text[max(low, self.text.rfind("\n", low, start) + 1) : start]

    def _read_before(self, start: int) -> tuple[frozenset[str], str, int]:
        """The topics of the label; without one, the last telling word and how far it is."""
        before = self._before(start)
        name, prose, phrase = _key(before, "=:><!~")
        topics = label_topics(name) if name else NOTHING
        if phrase and name.lower() in _GENERIC_NAMES:
            topics = label_topics(phrase) or topics  # `Tax ID: `, `Passport No = `
        if topics and not (prose and topics == ID):
            return topics, "", 0
        if not name:
            label, in_cell = self._column(before, start)
            if label:
                return label, "", 0
            if in_cell:  # The words of the cells before speak for themselves.
                before = _CELL_END.split(before)[-1]
        elif not prose and name.lower() not in _NEUTRAL_KEYS:
            return NOTHING, "", 0
        reach = before[-REACH:].lower()
        word, end = last_topic(reach) or ("", 0)
        return NOTHING, word, len(reach) - end

    def _column(self, before: str, start: int) -> tuple[frozenset[str], bool]:
        """The topics of the column or of the path, and whether there is a column."""
        if self._tables is None:
            self._tables = Tables(self.text)
        column = self._tables.column(start)
        if column:
            return label_topics(column), True
        cell, _, _ = _key(before, "|")
        if cell:
            return label_topics(cell), False
        return NOTHING if before.strip(" \t\"'+(") else self._path_topics, False

    def _before(self, start: int) -> str:
        low = max(0, start - _KEY_REACH)
        before = self.text[low:start]
        head, newline, line = before.rpartition("\n")
        if newline and _LETTER.search(line):
            before = line
        elif newline:  # The line above speaks only when it ends in the colon of a label.
            above = head.rpartition("\n")[2].rstrip(" \t\r*")
            before = above + line if above.endswith((":", "=")) else line
        if "]" in before:
            before = _PLACEHOLDER.sub("", _PLACEHOLDER_END.sub("", before))
        if "_" in before:
            before = _TOKEN_LEFT.sub("", before)
        return before


def _key(before: str, marks: str) -> tuple[str, bool, str]:
    """The key whose value starts where `before` ends, as in `key: "`, `key = '`, `key IN ('`.

    The second value tells whether it is the last word of a sentence rather (`Passport No: `), the
    third is the key with the two words before it, if there are any.
    """
    head = before.rstrip(" \t\"'`([{\\+")
    stripped = head.rstrip(marks)
    if stripped == head:
        if not head[-6:].lower().endswith(_COMPARED):
            return "", False, ""
        stripped = head.rpartition(" ")[0]
    stripped = stripped.rstrip(" \t\"'`])\\.")
    backwards = _NAME_BACKWARDS.match(stripped[::-1])
    if backwards is None:
        return "", False, ""
    name = backwards[0][::-1]
    rest = stripped[: -len(name)]
    said = rest.rstrip()[-1:]
    prose = rest.endswith(" ") and (said.isalpha() or said in _ENDS_OF_PHRASES)
    phrase = " ".join([*_PHRASE_BREAK.split(rest)[-1].split()[-2:], name]) if prose else ""
    return name, prose and "=" not in head[-2:], phrase


def isolated(text: str, start: int, end: int, *, in_path: bool = False) -> bool:
    """Whether `[start, end)` stands for itself, not for a part of a longer word or number.

    `in_path`: it may be a segment of a path or of a URL.
    """
    return open_left(text, start, in_path) and open_right(text, end, in_path)


def neighbours(text: str, start: int, end: int, separator: str) -> bool:
    """Whether more digits stand one `separator` away: then this is a part of something longer."""
    before, after = text[max(0, start - 2) : start], text[end : end + 2]
    return (before[1:] == separator and before[:1].isdigit()) or (
        after[:1] == separator and after[1:].isdigit()
    )


def in_a_code_table(text: str, start: int, end: int) -> bool:
    """Whether a word beside `[start, end)` is a hexadecimal group too, as in tables of codes."""
    return (
        _HEX_GROUP_BEFORE.search(text, max(0, start - 8), start) is not None
        or _HEX_GROUP_AFTER.match(text, end) is not None
    )


def open_left(text: str, start: int, in_path: bool = False) -> bool:
    """The left half of `isolated`."""
    left = text[start - 1 : start]
    if left.isalnum():
        # Neither the `n` of an escaped line break nor the end of `%3D` belongs to a word.
        escaped = left in "nrt" and text[start - 2 : start - 1] == "\\"
        return escaped or (start > 2 and text[start - 3] == "%")
    if left == "-":
        return start == 1 or text[start - 2] in " \t\n"
    if left == ".":
        return start == 1 or not text[start - 2].isalnum()
    return left not in ("_", "$", "€", "£", "%", "@") and (left != "/" or in_path)


def open_right(text: str, end: int, in_path: bool = False) -> bool:
    """The right half of `isolated`."""
    right, then = text[end : end + 1], text[end + 1 : end + 2]
    if right.isalnum() or right in ("_", "@"):
        return False
    if right in ("-", "."):
        return not then.isalnum()
    if right == "%":
        return then.isalnum()  # `%20`; a lone one means per cent
    return right != "/" or in_path or not then.isalnum()
