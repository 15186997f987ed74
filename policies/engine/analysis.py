"""Facts and findings of an operation: one pass of signs, then the families that it calls for."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache

from policies.engine.copies import Copied
from policies.engine.decode import Decode
from policies.engine.family import Family
from policies.engine.findings import EXECUTES, Finding, Report, View
from policies.engine.operation import Operation
from policies.engine.overlaps import settled
from policies.engine.signs import SignScanner, give_back
from policies.engine.written import inherit

VERSION = "3"  # of the detectors; stored with every decision, raised when their answers change
MAX_DEPTH = 8  # wrappers inside wrappers
MAX_NESTED = 500  # unwrapped texts examined per operation; its own parts all are

DATA = frozenset(["pii", "secrets"])  # families that look at what stands there, not at what it does
_NO_SIGNS: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class Analysis:
    """What the detectors read out of an operation; `truncated` when a limit cut them short.

    `written` holds, by path, what a command writes into files, for whoever hands it in as
    `Operation.inherited` later (see `written`); None: what it downloads. `copied` says which
    files get other names, in the order of the commands (see `copies`). `composed`: facts hold
    words that the text has in pieces only, so that nothing was found in them.
    """

    findings: tuple[Finding, ...] = ()
    facts: dict[str, tuple[str, ...]]
    truncated: bool = False
    written: Mapping[str, str | None] = field(default_factory=dict)
    copied: tuple[Copied, ...] = ()
    composed: bool = False


_countries: list[str] = []


def configure(*, countries: Iterable[str] = ()) -> None:
    """Look for the national numbers of `countries` too (`"de"`, in any case); none to begin with.

    For the start of a process: what is being analysed meanwhile may still go by the old choice.

    Raises:
        ValueError: a country whose number the engine does not know; it names those it knows.
    """
    from policies.engine.pii.national import national_ids

    _countries[:] = [number.country for number in national_ids(countries)]
    families.cache_clear()
    _scanner.cache_clear()


@cache
def families() -> tuple[Family, ...]:
    """All families, in the order in which they run, as `configure` has settled them."""
    from policies.engine.access import Access
    from policies.engine.pii import PersonalData
    from policies.engine.secrets import Secrets
    from policies.engine.shell import Shell
    from policies.engine.sql import Sql

    return (Shell(), Sql(), Access(), PersonalData(countries=_countries), Secrets())


@cache
def _scanner() -> SignScanner:
    signs = [(family.name, sign) for family in families() for sign in family.signs]
    return SignScanner([*signs, *((Decode.name, sign) for sign in Decode.signs)])


def warm_up() -> None:
    """Compile what the first operation would otherwise wait for."""
    # A telephone and an account number load what the first of their kind would wait for.
    analyse(Operation(text="select 1; tel +1 415 555 2671, DE89 3704 0044 0532 0130 00"))
    give_back()


def analyse(operation: Operation) -> Analysis:
    """Examine every part of the operation, and what is found wrapped inside it."""
    report = Report()
    for _view in _examined(operation, report):
        pass
    # In this order: what is inherited may have to be asked for.
    if EXECUTES in report.facts and operation.inherited:
        inherit(operation, report)
    if report.truncated:
        report.fact("analysis", "truncated")
    findings = report.findings
    if report.decoded:
        findings = settled(findings, report.decoded, operation.text)
    return Analysis(
        findings=tuple(sorted(findings, key=lambda found: (found.start, found.end))),
        facts={name: tuple(values) for name, values in report.facts.items()},
        truncated=report.truncated,
        written=report.written,
        copied=tuple(report.copied),
        composed=report.composed,
    )


def unwrapped(operation: Operation) -> tuple[list[View], bool]:
    """The texts that an analysis unwraps (decoded, or the inside of a wrapper), the outer ones
    first; and whether a limit cut it short."""
    report = Report()
    views = [view for view in _examined(operation, report) if view.depth]
    return views, report.truncated


def _examined(operation: Operation, report: Report) -> Iterator[View]:
    """Each view once it is examined."""
    scanner, all_families = _scanner(), families()
    decode = Decode(len(operation.text))
    views = deque(
        View(
            text=operation.text[part.start : part.end],
            offset=part.start,
            language=part.language,
            path=part.path,
        )
        for part in operation.all_parts()
    )
    nested = 0
    while views:
        view = views.popleft()
        nested += view.depth > 0
        if view.depth > MAX_DEPTH or nested > MAX_NESTED:
            report.truncated = True
            continue
        signs = scanner.scan(view.text)
        # A stretch of a text that was examined holds no data that was not found there.
        known = view.depth > 0 and isinstance(view.offset, int)
        for family in all_families:
            if not known or family.name not in DATA:
                family.examine(view, signs.get(family.name, _NO_SIGNS), report)
        if Decode.name in signs or not view.text.isascii():
            decode.open(view, signs.get(Decode.name, _NO_SIGNS), report)
        if report.nested:
            views.extend(report.nested)
            report.nested.clear()
        yield view
