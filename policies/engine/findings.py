"""What detectors report: findings with their place, and facts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from policies.engine.copies import Copied
from policies.engine.mapped import Mapped, Places

if TYPE_CHECKING:
    from policies.engine.pii.tables import Tables

# Per operation; past it the report is `truncated`, and whoever redacts takes the whole text.
MAX_FINDINGS = 100_000
# Values that may be personal data or secrets, per operation: so many are weighed by all that stands
# round them, and one more for so many characters of text. A log of a person's days has fewer.
MAX_JUDGED = 1_000
CHARACTERS = "data.characters"  # in `Report.spent`: of the texts looked at for data
VALUES = "data.values"  # in `Report.spent`: of them, weighed one by one
CHARACTERS_JUDGED = 200
AT_A_GLANCE = 0.5  # the confidence in a value past that
MAX_FACT_VALUES = 200  # values kept per fact
MAX_WRITTEN = 500  # files per operation
MAX_COPIED = 500  # copies, moves and links per operation
EXECUTES = "shell.executes"  # the fact: paths of files that are run or sourced
DATA_FAMILIES = ("pii.", "secret.")  # what they find is taken out of texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One thing seen in a text.

    `kind` is dotted, from the family down (`pii.ssn`, `sql.injection`, `secret.github_token`,
    `shell.dangerous`); a condition may name any prefix. `rule` is the rule inside the kind.
    `start` and `end` are character offsets in `Operation.text`; `confidence` runs from 0 to 1.
    `reason` is a sentence for a person and never repeats the found text.
    `layer` names the encodings or wrappers it was under, outermost first; empty: as written.
    """

    kind: str
    rule: str
    start: int
    end: int
    confidence: float
    reason: str
    layer: str = ""
    reference: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class View:
    """A text to examine: a part of the operation, or something unwrapped from it.

    `offset` says where it stands in `Operation.text`: a number (contiguous: original = offset +
    index) or one original offset per character and one for the end (decoded text). `ends` says
    where the originals of the characters end, for text of which several characters were made of
    one stretch; without it each ends where the next begins. `carrier` is the stretch of
    `Operation.text` that has to go as a whole if anything in this view has to: of base64 less than
    all of it would leave something that can be decoded.
    """

    text: str
    offset: int | Sequence[int]
    language: str
    layer: str = ""
    depth: int = 0
    path: tuple[str | int, ...] = ()
    ends: Sequence[int] | None = None
    carrier: tuple[int, int] | None = None

    def place(self, start: int, end: int) -> tuple[int, int]:
        """The stretch of `Operation.text` that `[start, end)` of this view came from."""
        offset = self.offset
        if isinstance(offset, int):
            return offset + start, offset + end
        first = offset[start]
        last = offset[end] if self.ends is None or start >= end else self.ends[end - 1]
        # Words of a command may be joined in another order than they stand in.
        return (first, last) if first <= last else (last, first)

    def part(self, start: int, end: int, *, language: str, layer: str) -> View:
        """A stretch of this view as a view of its own, one layer deeper."""
        whole = self.offset
        return View(
            text=self.text[start:end],
            offset=whole + start if isinstance(whole, int) else whole[start : end + 1],
            language=language,
            layer=self.deeper(layer),
            depth=self.depth + 1,
            path=self.path,
            ends=None if self.ends is None else self.ends[start:end],
            carrier=self.carrier,
        )

    def derived(
        self,
        made: Mapped,
        *,
        language: str,
        layer: str,
        start: int = 0,
        run: tuple[int, int] | None = None,
    ) -> View:
        """What was made of this view's text from `start` on, one layer deeper.

        A finding in it covers in `Operation.text` all that the found characters were made of;
        `run` is the encoded stretch of this view that data in it takes along as a whole.
        """
        own, ends, count = self.offset, self.ends, len(made.text)
        starts, lasts = made.starts, made.ends
        if isinstance(own, int):
            base = own + start

            def first(at: int) -> int:
                return base + starts[at]

            def last(at: int) -> int:
                return base + lasts[at]

        else:
            places = own  # of a type that is settled, for the functions below

            def first(at: int) -> int:
                return places[start + starts[at]]

            def last(at: int) -> int:
                # The end of a character, not the beginning of the next: between them may lie
                # what was dropped.
                place = start + lasts[at]
                return places[place] if ends is None or not place else ends[place - 1]

        def offset(at: int) -> int:
            if at < count:
                return first(at)
            return last(count - 1) if count else self.place(start, start)[0]

        return View(
            text=made.text,
            offset=Places(offset, count + 1),
            language=language,
            layer=self.deeper(layer),
            depth=self.depth + 1,
            path=self.path,
            ends=Places(last, count),
            carrier=self.carrier or (None if run is None else self.place(*run)),
        )

    def deeper(self, layer: str) -> str:
        """The name of a layer inside this view: all layers, outermost first."""
        return f"{self.layer} > {layer}" if self.layer else layer


@dataclass(slots=True)
class Report:
    """What the families write while one operation is examined."""

    findings: list[Finding] = field(default_factory=list)
    facts: dict[str, list[str]] = field(default_factory=dict)
    nested: list[View] = field(default_factory=list)
    truncated: bool = False
    seen: set[tuple[str, str, int, int]] = field(default_factory=set)
    decoded: dict[Finding, str] = field(default_factory=dict)  # data in decoded views: its value
    executed: dict[str, tuple[int, int]] = field(default_factory=dict)
    written: dict[str, str | None] = field(default_factory=dict)
    copied: list[Copied] = field(default_factory=list)
    spent: Counter[str] = field(default_factory=Counter)  # of budgets that all views share
    composed: bool = False  # facts hold words that the text has in pieces only
    _told: set[tuple[str, str]] = field(default_factory=set)  # facts, with their names
    tables: dict[str, Tables] = field(default_factory=dict)  # by text: two families ask for them

    def find(
        self,
        view: View,
        start: int,
        end: int,
        *,
        kind: str,
        rule: str,
        reason: str,
        confidence: float = 1.0,
        reference: str = "",
    ) -> None:
        """Record a finding at `[start, end)` of `view`, once."""
        first, last = view.place(start, end)
        if view.carrier is not None and kind.startswith(DATA_FAMILIES):
            first, last = view.carrier
        # An unwrapped text is examined again by every family.
        if not self._new(kind, rule, first, last):
            return
        finding = Finding(
            kind=kind,
            rule=rule,
            start=first,
            end=last,
            confidence=confidence,
            reason=reason,
            layer=view.layer,
            reference=reference,
        )
        self.findings.append(finding)
        if not isinstance(view.offset, int) and kind.startswith(DATA_FAMILIES):
            self.decoded[finding] = view.text[start:end]

    def may_judge(self) -> bool:
        """Whether one more value may be weighed by all that stands round it; counts it.

        Past that a family takes values by their shape and a glance, with `AT_A_GLANCE` as their
        confidence, and the report is `truncated`.
        """
        spent = self.spent
        spent[VALUES] += 1
        if spent[VALUES] <= MAX_JUDGED + spent[CHARACTERS] // CHARACTERS_JUDGED:
            return True
        self.truncated = True
        return False

    def adopt(self, finding: Finding) -> None:
        """Record a finding whose place in `Operation.text` is known, once."""
        if self._new(finding.kind, finding.rule, finding.start, finding.end):
            self.findings.append(finding)

    def _new(self, kind: str, rule: str, start: int, end: int) -> bool:
        if len(self.findings) >= MAX_FINDINGS:
            self.truncated = True
            return False
        key = (kind, rule, start, end)
        if key in self.seen:
            return False
        self.seen.add(key)
        return True

    def fact(self, name: str, value: str) -> None:
        """Record a value of a fact, once."""
        key = (name, value)
        if key in self._told:
            return
        values = self.facts.setdefault(name, [])
        if len(values) >= MAX_FACT_VALUES:
            self.truncated = True
            return
        self._told.add(key)
        values.append(value)

    def execute(self, view: View, start: int, end: int, path: str) -> None:
        """Record that the operation runs or sources the file `path`, named at `[start, end)`.

        `path` is resolved as far as the command tells: absolute, or relative to where it runs.
        """
        self.fact(EXECUTES, path)
        self.executed.setdefault(path, view.place(start, end))

    def write(self, path: str, content: str | None) -> None:
        """Record what the operation writes into the file `path`; None: what it downloads.

        `path` is resolved as for `execute`; the last content of a file is what is in it.
        """
        if path in self.written or len(self.written) < MAX_WRITTEN:
            self.written[path] = content
        else:
            self.truncated = True

    def copy(self, copied: Copied) -> None:
        """Record that what is in one file goes by another name as well, or instead."""
        if len(self.copied) < MAX_COPIED:
            self.copied.append(copied)
        else:
            self.truncated = True

    def nest(self, view: View) -> None:
        """Have an unwrapped text examined too (within the depth that `analyse` allows)."""
        self.nested.append(view)
