"""All rules of all families, each with a sample that it finds and one that it leaves alone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import import_module
from typing import Any

from policies.engine.analysis import families
from policies.engine.cases import Case, own_cases, twin_id
from policies.engine.family import Family
from policies.engine.findings import Finding, Report, View
from policies.engine.rules import Rule
from policies.engine.signs import SignScanner


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A rule with its shortest samples; None where it has none."""

    rule: Rule
    family: str
    hit: Case | None
    miss: Case | None


@cache
def entries() -> tuple[Entry, ...]:
    """One entry per rule, in the order of families and rules."""
    hits: dict[str, Case] = {}
    misses: dict[str, Case] = {}
    by_id = {case.id: case for case in own_cases()}
    for case in sorted(own_cases(), key=lambda case: (len(case.text), case.id)):
        if case.source != "samples":
            continue
        if case.expected:
            for finding in _findings(case):
                identity = f"{finding.kind}/{finding.rule}"
                # Written for the rule, rather than for another that fires beside it.
                if hits.setdefault(identity, case).rule != finding.rule == case.rule:
                    hits[identity] = case
        else:
            # The twin of its rule; where samples name no rule, of the kind or the family.
            for name in (f"{case.family}/{case.rule}" if case.rule else case.kind, case.family):
                misses.setdefault(name, case)
    return tuple(
        Entry(
            rule=rule,
            family=family,
            hit=(hit := hits.get(rule.id)),
            miss=(by_id.get(twin_id(hit)) if hit else None)
            or misses.get(f"{family}/{rule.name}")
            or misses.get(rule.kind)
            or misses.get(family),
        )
        for family, rule in _rules()
    )


def _findings(case: Case) -> Sequence[Finding]:
    if not case.countries:
        return case.examined().findings
    # Looking for the numbers of a country is a setting of the family, not of an operation.
    module: Any = import_module(f"policies.engine.{case.family}")
    family: Family = module.PersonalData(countries=case.countries)
    report = Report()
    signs = SignScanner((family.name, sign) for sign in family.signs).scan(case.text)
    view = View(text=case.text, offset=0, language=case.language)
    family.examine(view, frozenset(signs.get(family.name, ())), report)
    return report.findings


def _rules() -> Iterator[tuple[str, Rule]]:
    for family in families():
        for rule in family.rules:
            yield family.name, rule
