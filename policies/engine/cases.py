"""The project's own labelled texts: the samples beside the rules, and the corpora beside them.

A family keeps its samples as its rules read them best: pairs of an attack and its harmless twin
(`attack`, `twin`), or a text with what is to be found in it (`text`, `found`). Here all of them are
one thing, a `Case`, so that the scorecard and the tests count them alike.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any

from policies.engine.analysis import Analysis, analyse, families
from policies.engine.classes import CLASSES, class_of
from policies.engine.operation import Language, Operation, Part

CORPORA = Path(__file__).parent / "corpora"
_TOOLS = {"shell": "Bash", "sql": "mcp__postgres__query"}
_HIT, _MISS = "/hit", "/miss"  # of the ids of a pair
_CODE = frozenset(["sqli", "dangerous"])
# In the secrets of a corpus, so that no line of it looks like a leak.
BREAK = "¦"
# The kind to find at a place; the names of secrets' issuers are the engine's own, so any will do.
_PLACED: dict[str, Callable[[str], str]] = {
    "pii": lambda name: f"pii.{name.lower()}",
    "secrets": lambda name: "secret",
}
# A `kind` of the corpora, as the language of a part.
_LANGUAGES = {"bash": Language.SHELL, "sql": Language.SQL}


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """A place to find: a kind such as `pii.ssn`, or a prefix of it, at `[start, end)`."""

    kind: str
    start: int
    end: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """A text and what is to be found in it.

    `expected` are the classes to find, a part of `scored`, those that the case says something of.
    `kind` and `rule` name the rule that it was written for, where it was written for one; a case
    with a rule that expects nothing is that rule's must-not-hit. `key` is the column or field that
    the text stands under. `countries` are those whose national numbers are looked for: a switch
    that is off by default, so `examined` answers without it.
    """

    id: str
    family: str
    source: str
    text: str
    scored: frozenset[str]
    expected: frozenset[str] = frozenset()
    spans: tuple[Span, ...] = ()
    tool: str = ""
    language: Language = Language.AUTO
    key: str = ""
    kind: str = ""
    rule: str = ""
    countries: tuple[str, ...] = ()

    def examined(self) -> Analysis:
        """What the engine reads out of the text, as it is by default."""
        path = (self.key,) if self.key else ()
        part = Part(start=0, end=len(self.text), path=path, language=self.language)
        return analyse(Operation(text=self.text, tool=self.tool, parts=(part,)))


def twin_id(case: Case) -> str:
    """The id of the harmless twin that a hit was written beside; "" where it has none."""
    stem = case.id.removesuffix(_HIT)
    return stem + _MISS if stem != case.id else ""


@cache
def own_cases() -> tuple[Case, ...]:
    """All cases: every family's samples, then the corpora."""
    cases = [case for family in families() for case in _samples(family.name)]
    for path in sorted(CORPORA.glob("*.jsonl")):
        cases += _corpus(path)
    return tuple(cases)


def _samples(family: str) -> Iterator[Case]:
    module = import_module(f"policies.engine.{family}.samples")
    yield from _read(family, module.SAMPLES)
    for number, (attack, twin, rule) in enumerate(getattr(module, "SQL_SAMPLES", ())):
        yield from _pair(
            family, f"sql-{rule}/{number}", attack, twin, kind="sql.destructive", rule=rule
        )
    for number, text in enumerate(getattr(module, "HARMLESS", ())):
        yield Case(
            id=f"{family}/harmless/{number}",
            family=family,
            source="samples",
            text=text,
            scored=_CODE,
        )


def _read(family: str, samples: Iterable[Any]) -> Iterator[Case]:
    kinds: tuple[str, ...] = ()
    for number, sample in enumerate(samples):
        if hasattr(sample, "attack"):
            yield from _pair(
                family,
                f"{sample.rule}/{number}",
                sample.attack,
                sample.twin,
                kind=getattr(sample, "kind", "shell.dangerous"),
                rule=sample.rule,
                language=Language(getattr(sample, "language", "shell")),
            )
            continue
        spans = tuple(_located(sample.text, sample.found))
        # The samples of a kind stand together, what must be found before what must not.
        kinds = tuple(span.kind for span in spans) or kinds
        name = class_of(kinds[0])
        yield Case(
            id=f"{family}/{sample.name}",
            family=family,
            source="samples",
            text=sample.text,
            scored=frozenset([name]),
            expected=frozenset([name] if spans else []),
            spans=spans,
            key=getattr(sample, "key", ""),
            kind=kinds[0],
            rule=getattr(sample, "twin", ""),
            countries=getattr(sample, "countries", ()),
        )


def _pair(
    family: str,
    name: str,
    attack: str,
    twin: str,
    *,
    kind: str,
    rule: str,
    language: Language = Language.SHELL,
) -> Iterator[Case]:
    common: dict[str, Any] = {
        "family": family,
        "source": "samples",
        "tool": _TOOLS.get(language.value, ""),
        "language": language,
        "kind": kind,
        "rule": rule,
    }
    expected = frozenset([class_of(kind)]) - {""}
    yield Case(
        id=f"{family}/{name}{_HIT}", text=attack, scored=expected, expected=expected, **common
    )
    yield Case(id=f"{family}/{name}{_MISS}", text=twin, scored=_CODE, **common)


def _located(text: str, found: Iterable[tuple[str, str]]) -> Iterator[Span]:
    """The pairs of kind and value, in their order, as places."""
    at = 0
    for kind, value in found:
        start = text.index(value, at)
        yield Span(kind=kind, start=start, end=start + len(value))
        # A value may lie inside the one before it, such as a password inside a URL.
        at = start + 1


def _corpus(path: Path) -> Iterator[Case]:
    """A corpus: lines with `id`, `source`, `kind`, `tool`, `text`, `score` and `labels`.

    `labels` holds true for a class to find, or the places of it: `type`, `start`, `end`. The text
    holds `BREAK`s, which the places do not count.
    """
    for line in path.read_text(encoding="utf-8").splitlines():
        item = json.loads(line)
        labels = item["labels"]
        yield Case(
            id=item["id"],
            family=path.stem,
            source=item["source"],
            text=item["text"].replace(BREAK, ""),
            scored=frozenset(item["score"]),
            expected=frozenset(name for name in CLASSES if labels.get(name)),
            spans=tuple(
                Span(kind=kind(place["type"]), start=place["start"], end=place["end"])
                for name, kind in _PLACED.items()
                for place in labels.get(name, ())
            ),
            tool=item["tool"],
            language=_LANGUAGES.get(item["kind"], Language.AUTO),
        )
