"""What a text says about a number: the key or column it stands under, the words beside it."""

from __future__ import annotations

import re
from bisect import bisect_left, insort
from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum

from policies.engine.findings import AT_A_GLANCE, CHARACTERS, Report, View
from policies.engine.pii.shapes import words
from policies.engine.pii.tables import Tables, tables_of
from policies.engine.pii.topics import (
    ID,
    NOTHING,
    OTHER,
    TopicIndex,
    first_topic,
    label_topics,
    last_topic,
)
from policies.engine.stretches import lowered

REACH = 40  # characters before a value in which a word speaks for it
REACH_AFTER = 24  # and after it, when nothing before it speaks
# Values judged one by one before the words of the whole text are read once for all of them.
MANY_ASKED = 50
CHARACTERS_ASKED = 400  # one more for so many characters
ADJACENT = 12  # characters between a word that speaks against a value and the value
MAX_REPEATED = 12  # characters between values of a list, when they are always the same
MAX_GAP = 3  # characters between values that stand side by side
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
_ABBREVIATION = re.compile(r"(?<![A-Za-z])(?:tel|fon|mob|ph|nr|no|fax)\.\Z", re.IGNORECASE)
_OF_A_NUMBER = re.compile(r"[\s:#=]{1,3}[0-9][0-9.:\- ]*(?:of|to|from|/|x|-)\s+")
_LETTER = re.compile(r"[^\W_]")
_NAME_BACKWARDS = re.compile(r"[\w.\-]+")
_CELL_END = re.compile(r"[|,;\t(]")
# Keys that leave it to the words around them what their values are.
_NEUTRAL_KEYS = words(
    "value val v number num no nr data text content is was are to result output message msg body "
    "nummer numero número numéro wert valor valeur"
)
_ENDS_OF_PHRASES = frozenset(".,;!?)")
_ELEMENT_BEFORE = re.compile(r"([^<>\n]{2,40})(?:</?[A-Za-z][^<>\n]{0,60}>\s{0,3}){1,4}[\"']?\Z")
_TAGS = words("td th dd dt span div p li b strong em i code label a tr h1 h2 h3 h4 h5 h6")
_VCARD = re.compile(r"(?<![\w;])(?:item[0-9]\.)?(TEL|EMAIL|BDAY);[^:\n]{1,60}:\Z", re.IGNORECASE)
_SIGNATURE = re.compile(r"(?:.*[|·•,;/] )?\s*[TMPFtmpf][:.]\s{0,2}")  # `M: ` under a mail
_SETTER = re.compile(r"(?:\b|[._])(?:set|with|add)_?([A-Z_a-z]\w{1,40})\(\s?[\"']?\Z")
_LIST_ITEM = re.compile(r"\s*-\s+[\"'(]?")
_INDENT = re.compile(r"[ \t]*")
_KEY_LINE = re.compile(r"([ \t]*)(?:-[ \t]+)?[\"']?([A-Za-z][\w.\- ]{0,40})[\"']?:[ \t\r]*")
_NESTED_LINE = re.compile(r"[ \t]*(?:-[ \t]|[\w\"'.\-]{1,40}:[ \t]|-\Z)")
MAX_INDENT = 40  # characters before the value of a list
MAX_ABOVE = 20  # lines of a list or of nested keys between a value and its key
_PHRASE_BREAK = re.compile(r"[^\w\s.\-/]")
_GENERIC_NAMES = words("id no nr num number code")
# What numbers rows and requests: a number of its own shape under it is no person's.
_ROW_NAMES = words("id _id code key idx index pk member session sid")
_ROW_WORD = re.compile(
    r"(?<![\w-])(?:code|member|session|row|room|unit|zip|ext|duration_[mn]s"
    r"|(?:account|request|trace|span|key|row|job|event|session|message|object)_id)"
    r"(?:[ \t][0-9][0-9:.\-]{0,24}[ \t](?:of|to|from|/|x))?[ \t]\Z",
    re.IGNORECASE,
)
_COMPARED = (" like", " ilike", " in", " is", " eq", " ne")


def path_topics(path: Sequence[str | int]) -> frozenset[str]:
    """What the key that leads to a text says the whole text is."""
    name = _last_key(path)
    return label_topics(name) if name else NOTHING


def _last_key(path: Sequence[str | int]) -> str:
    return next((key for key in reversed(path) if isinstance(key, str)), "")


@dataclass(slots=True, kw_only=True)
class _Run:
    """Values taken at a glance that stand side by side, or with the same between them."""

    start: int
    end: int
    kind: str
    rule: str
    reason: str
    gap: str  # what stands between the last two


class Reading:
    """One text while it is read for personal data: its context, and what is claimed of it."""

    def __init__(
        self,
        view: View,
        text: str,
        topics: frozenset[str],
        report: Report,
        signs: frozenset[str] = frozenset(),
    ) -> None:
        """`text` is that of `view` in plain characters, `topics` what the key over it says."""
        self.view = view
        self.signs = signs
        self.text = text
        self._report = report
        self._tables: Tables | None = None
        self._taken: list[tuple[int, int]] = []
        self._path_topics = topics
        self._said: dict[int, tuple[frozenset[str], str, int]] = {}
        self._after: dict[int, str] = {}
        self._asked = 0
        self._index: TopicIndex | None = None
        self.hurried = False  # more values than can be judged: they are taken at a glance
        self._last_before = (-1, "", True)
        report.spent[CHARACTERS] += len(text)
        self._glances: dict[str, tuple[int, Evidence]] = {}
        self._glanced: tuple[int, int, frozenset[str], str, bool] = (-1, -1, NOTHING, "", False)
        self._run: _Run | None = None

    def claim(
        self, start: int, end: int, *, kind: str, rule: str, confidence: float, reason: str
    ) -> None:
        """Report `[start, end)` and keep later detectors off it."""
        insort(self._taken, (start, end))
        if not self.hurried:
            self._report.find(
                self.view, start, end, kind=kind, rule=rule, confidence=confidence, reason=reason
            )
            return
        run, gap = self._run, ""
        if run is not None and run.rule == rule:
            gap = self.text[run.end : start]
            if gap and (gap == run.gap or self._beside(run.end, start)):
                run.end, run.gap = end, gap
                return
        self.close_run()
        gap = gap if len(gap) <= MAX_REPEATED else ""
        self._run = _Run(start=start, end=end, kind=kind, rule=rule, reason=reason, gap=gap)

    def joins(self, rule: str, start: int, end: int) -> bool:
        """Take `[start, end)`, in the shape of `rule`, along with the values before it.

        Only of values taken at a glance, and only behind what stands between those too: the
        next of a list, of which nothing more is asked.
        """
        run = self._run
        if run is None or run.rule != rule or not run.gap:
            return False
        if self.text[run.end : start] != run.gap or not self.free(start, end):
            return False
        insort(self._taken, (start, end))
        run.end = end
        return True

    def close_run(self) -> None:
        """Report the values that were taken at a glance and stand side by side, as one."""
        run, self._run = self._run, None
        if run is not None:
            self._report.find(
                self.view,
                run.start,
                run.end,
                kind=run.kind,
                rule=run.rule,
                confidence=AT_A_GLANCE,
                reason=run.reason + " Judged at a glance: the text holds too many.",
            )

    def _beside(self, end: int, start: int) -> bool:
        """Whether a value that starts at `start` follows right after one that ended at `end`."""
        gap = self.text[end:start]
        return len(gap) <= MAX_GAP and not any(map(str.isalnum, gap))

    def truncate(self) -> None:
        """Say that something was not looked at."""
        self._report.truncated = True

    def free(self, start: int, end: int) -> bool:
        """Whether nothing in `[start, end)` has been claimed."""
        # Claims do not overlap: only the last that starts before `end` can reach into it.
        at = bisect_left(self._taken, (end, 0)) - 1
        return at < 0 or self._taken[at][1] <= start

    def evidence(self, topic: str, start: int, end: int) -> Evidence:
        """What the surroundings of `[start, end)` say about its being a `topic`.

        Of so many values as an operation may have judged; past that, what a glance shows.
        """
        said = self._said.get(start)
        if said is None:
            if self.hurried or not self._report.may_judge():
                self.hurried = True
                evidence = self._glances.get(topic)
                if evidence is None or not self._beside(evidence[0], start):
                    glance = self._glance(topic, start, end)
                else:
                    glance = evidence[1]  # a list: its values are of one kind
                if glance >= Evidence.NOTHING:  # what speaks against one says nothing of the next
                    self._glances[topic] = end, glance
                return glance
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
            if self._index is not None:
                after = self._index.first(end, end + len(words_after))
            else:
                after = first_topic(words_after.lower())
            self._after[end] = after
        return Evidence.NEAR if after == topic else Evidence.NOTHING

    def numbers_a_row(self, start: int) -> bool:
        """Whether the key, the column or the word before `start` is one of rows: `id`, `code`."""
        if self.hurried:
            return False
        before, _ = self._before(start)
        if _ROW_WORD.search(before):
            return True
        name, prose, _ = _key(before, "=:><!~")
        if not name:
            name = self._tables_of_text().column(start)
            if not name and not before.strip(" \t\"'"):
                name = _last_key(self.view.path)
        return name.lower() in _ROW_NAMES and not prose  # `Patient ID: ` is of a person

    def _glance(self, topic: str, start: int, end: int) -> Evidence:
        """What the column and the nearest words of the line say, by indexes made once."""
        if self._glanced[:2] != (start, end):  # a number is asked about for several topics
            self._glanced = (start, end, *self._seen_at_a_glance(start, end))
        _, _, label, word, against = self._glanced
        if topic in label:
            return Evidence.LABELLED
        if label:
            return Evidence.AGAINST if label == OTHER else Evidence.DOUBTFUL
        if word == topic:
            return Evidence.NEAR
        return Evidence.AGAINST if against else Evidence.NOTHING

    def _seen_at_a_glance(self, start: int, end: int) -> tuple[frozenset[str], str, bool]:
        """The topics of the column; else the nearest telling word, and if it speaks against."""
        text, index = self.text, self._index_of_words()
        column = self._tables_of_text().column(start)
        label = label_topics(column) if column else self._path_topics
        if label:
            return label, "", False
        low = max(0, start - REACH)
        word, stop = index.last(max(low, text.rfind("\n", low, start) + 1), start)
        if word:
            return NOTHING, word, word == "other" and start - stop <= ADJACENT
        line_end = text.find("\n", end, end + REACH_AFTER)
        word = index.first(end, line_end if line_end >= 0 else end + REACH_AFTER)
        return NOTHING, word, False

    def line_before(self, start: int) -> str:
        """What stands before `start` on its line, as far as 200 characters."""
        low = max(0, start - _LINE_REACH)
        return self.text[max(low, self.text.rfind("\n", low, start) + 1) : start]

    def _read_before(self, start: int) -> tuple[frozenset[str], str, int]:
        """The topics of the label; without one, the last telling word and how far it is."""
        before, as_written = self._before(start)
        name, prose, phrase = _key(before, "=:><!~")
        in_element = name.lower() in _TAGS and before.rstrip(" \t\"'").endswith(">")
        topics = label_topics(name) if name and not in_element else NOTHING
        if phrase and name.lower() in _GENERIC_NAMES:
            topics = label_topics(phrase) or topics  # `Tax ID: `, `Passport No = `
        if topics and not (prose and topics == ID):
            return topics, "", 0
        if topics := self._structural(before, name, start):
            return topics, "", 0
        if len(name) == 1 and _SIGNATURE.fullmatch(before):
            return NOTHING, "phone", 0
        if not name:
            label, in_cell = self._column(before, start)
            if label:
                return label, "", 0
            if in_cell:  # The words of the cells before speak for themselves.
                before = _CELL_END.split(before)[-1]
        elif not prose and name.lower() not in _NEUTRAL_KEYS:
            return NOTHING, "", 0
        word, gap = self._last_word(before, start, as_written=as_written)
        return NOTHING, word, gap

    def _index_of_words(self) -> TopicIndex:
        if self._index is None:
            self._index = TopicIndex(lowered(self.text))
        return self._index

    def _tables_of_text(self) -> Tables:
        if self._tables is None:
            self._tables = tables_of(self.text, self._report)
        return self._tables

    def _last_word(self, before: str, start: int, *, as_written: bool) -> tuple[str, int]:
        """The topic of the last telling word of `before`, and how far it is from the value."""
        self._asked += 1
        if self._asked == MANY_ASKED + len(self.text) // CHARACTERS_ASKED:
            self._index_of_words()
        reach = before[-REACH:]
        if self._index is not None and as_written:
            word, end = self._index.last(start - len(reach), start)
            end -= start - len(reach)
        else:
            word, end = last_topic(reach.lower()) or ("", 0)
        gap = len(reach) - end
        if word == "other" and gap > ADJACENT and _OF_A_NUMBER.fullmatch(reach, end):
            gap = ADJACENT  # `lot 98011243548414 of `
        return word, gap

    def _structural(self, before: str, name: str, start: int) -> frozenset[str]:
        """What an element before, a setter or a key above says: `<td>Phone</td><td>`."""
        ending = before.rstrip(" \t\"'")[-1:]
        if ending == ":" and (card := _VCARD.search(before)):
            return label_topics(card[1].lower())
        if ending == ">" and (element := _ELEMENT_BEFORE.search(before)):
            return label_topics(element[1].strip())
        if ending == "(" and (setter := _SETTER.search(before)):
            return label_topics(setter[1])
        if (name and name.lower() in _NEUTRAL_KEYS) or (
            not name and len(before) <= MAX_INDENT and _LIST_ITEM.fullmatch(before)
        ):
            return self._key_above(start)
        return NOTHING

    def _key_above(self, start: int) -> frozenset[str]:
        """The key of YAML that a list or a nested value stands under."""
        text, line = self.text, self.text.rfind("\n", max(0, start - _LINE_REACH), start) + 1
        if not line:
            return NOTHING
        indent = _INDENT.match(text, line)
        for _ in range(MAX_ABOVE):
            end, line = line - 1, text.rfind("\n", max(0, line - 1 - _LINE_REACH), line - 1) + 1
            key = _KEY_LINE.fullmatch(text, line, end)
            if key is not None and indent and len(key[1]) <= len(indent[0]):
                return label_topics(key[2])
            if not line or not _NESTED_LINE.match(text, line, end):
                return NOTHING
        return NOTHING

    def _column(self, before: str, start: int) -> tuple[frozenset[str], bool]:
        """The topics of the column or of the path, and whether there is a column."""
        column = self._tables_of_text().column(start)
        if column:
            return label_topics(column), True
        if "|" in before:
            cell, _, _ = _key(before, "|")
            if cell:
                return label_topics(cell), False
        if not self._path_topics or before.strip(" \t\"'+("):
            return NOTHING, False
        return self._path_topics, False

    def _before(self, start: int) -> tuple[str, bool]:
        """What stands before `start` and may speak for it, and whether that is as in the text."""
        if self._last_before[0] != start:  # asked for the topics, and for what numbers a row
            self._last_before = (start, *self._read_head(start))
        return self._last_before[1:]

    def _read_head(self, start: int) -> tuple[str, bool]:
        low = max(0, start - _KEY_REACH)
        before, as_written = self.text[low:start], True
        head, newline, line = before.rpartition("\n")
        if newline and _LETTER.search(line):
            before = line
        elif newline:  # The line above speaks only when it ends in the colon of a label.
            above = head.rpartition("\n")[2].rstrip(" \t\r*")
            speaks = above.endswith((":", "="))
            before, as_written = (above + line, False) if speaks else (line, True)
        if "]" in before or "_" in before:
            whole = before
            if "]" in before:
                before = _PLACEHOLDER.sub("", _PLACEHOLDER_END.sub("", before))
            before = _TOKEN_LEFT.sub("", before)
            as_written = as_written and len(whole) == len(before)
        return before, as_written


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
    if left == "." and _ABBREVIATION.search(text, max(0, start - 6), start):
        return True
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
