"""`docs/reference/detectors.md`, made from the rules, their samples and the built-in policies."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache
from itertools import groupby
from pathlib import Path

from policies.builtin import BUILTINS
from policies.engine.cases import Case, own_cases
from policies.engine.catalogue import Entry, entries
from policies.engine.terminal import visible

PAGE = Path(__file__).resolve().parent.parent / "docs" / "reference" / "detectors.md"
MAX_CHARS = 120  # of a sample
_KEPT = 4  # characters of a secret that a sample on the page keeps
_HEAD = """# Detectors

Every rule of the engine. A finding names its rule as `kind/rule`; a condition names a kind or any \
prefix of it: `{"field": "query", "operator": "detects", "value": "sql.injection"}`. The samples \
are the shortest of those that the tests hold: the rule finds the first and leaves the second \
alone. `⏎` stands for a line break; secrets are cut. How detection works and how well: \
[detection](../explanation/detection.md).

This page is made from the rules by `make scorecard`; do not edit it.
"""
_FAMILIES = {
    "sql": "SQL and MongoDB",
    "shell": "Shell",
    "pii": "Personal data",
    "secrets": "Secrets",
}


def page() -> str:
    """The whole page."""
    return "\n".join([_HEAD, *_sections()])


def code(text: str, limit: int = MAX_CHARS) -> str:
    """A text as inline code that fits into a cell of a table, cut at `limit` characters."""
    shown = visible(text.replace("\n", " ⏎ ")).strip()
    if len(shown) > limit:
        shown = shown[: limit - 1] + "…"
    fence = "``" if "`" in shown else "`"
    pad = " " if fence == "``" else ""
    return f"{fence}{pad}{shown.replace('|', chr(92) + '|')}{pad}{fence}"


def _sections() -> Iterator[str]:
    for family, of_family in groupby(entries(), key=lambda entry: entry.family):
        yield f"## {_FAMILIES.get(family, family)}\n"
        ordered = sorted(of_family, key=lambda entry: entry.rule.kind)
        for kind, of_kind in groupby(ordered, key=lambda entry: entry.rule.kind):
            yield f"### `{kind}`\n"
            yield _used_by(kind) + "\n"
            yield "| rule | finds | found in | not in |"
            yield "|---|---|---|---|"
            yield from map(_row, of_kind)
            yield ""


def _used_by(kind: str) -> str:
    names = [
        f"`{policy.name}` ({', '.join(action['type'] for action in policy.actions)})"
        for policy in BUILTINS
        for condition in policy.conditions
        if kind == condition["value"] or kind.startswith(f"{condition['value']}.")
    ]
    if names:
        return f"Built-in policy: {', '.join(names)}."
    return "No built-in policy uses it; a policy of yours can."


def _row(entry: Entry) -> str:
    rule = entry.rule
    finds = rule.finds.replace("|", "\\|")
    if rule.reference:
        finds += f" ([reference]({rule.reference}))"
    return f"| `{rule.name}` | {finds} | {_sample(entry.hit)} | {_sample(entry.miss)} |"


def _sample(case: Case | None) -> str:
    if case is None:
        return "–"
    under = f" under `{case.key}`" if case.key else ""
    asked = f" with the numbers of {', '.join(case.countries)} asked for" if case.countries else ""
    return without_secrets(case) + under + asked


def without_secrets(case: Case, limit: int = MAX_CHARS) -> str:
    """The text of a case as inline code, its secrets cut to their first letters."""
    text = case.text
    for value in _secrets():
        text = text.replace(value, f"{value[:_KEPT]}…")
    return code(text, limit)


@cache
def _secrets() -> list[str]:
    """Every secret of the samples, the longer ones first: a twin may hold one as well, under a
    name that makes it none."""
    found = {
        case.text[span.start : span.end]
        for case in own_cases()
        for span in case.spans
        if span.kind.partition(".")[0] == "secret"
    }
    return sorted(found, key=len, reverse=True)
