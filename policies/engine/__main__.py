"""`python -m policies.engine`: what the engine reads out of a text, without a server.

One text is answered with its facts, findings and the time they took. `--jsonl` reads a line
`{id, kind, tool, text}` per item and writes what a scorer of detectors wants to know of it.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from policies.engine.analysis import Analysis, analyse, warm_up
from policies.engine.operation import Language, Operation, Part

_KINDS = {"bash": Language.SHELL, "sql": Language.SQL}
_SHELL_TOOLS = frozenset(["Bash", "Shell", "shell", "run_shell_command"])
_DANGEROUS = frozenset(["sql.destructive", "shell.dangerous"])


def language_of(tool: str, kind: str = "") -> Language:
    """What a tool's text is written in, as far as the tool tells."""
    if kind in _KINDS:
        return _KINDS[kind]
    if tool in _SHELL_TOOLS:
        return Language.SHELL
    if tool in ("Write", "Edit"):
        return Language.TEXT
    return Language.AUTO


def examined(text: str, tool: str, kind: str = "") -> Analysis:
    """The analysis of one text as one part."""
    part = Part(start=0, end=len(text), language=language_of(tool, kind))
    return analyse(Operation(text=text, tool=tool, parts=(part,)))


def as_row(identity: object, analysis: Analysis) -> dict[str, Any]:
    """An analysis in the terms of the scorer: classes and typed spans."""
    kinds = {finding.kind for finding in analysis.findings}
    spans: dict[str, list[dict[str, Any]]] = {"pii": [], "secret": []}
    for finding in analysis.findings:
        family, _, name = finding.kind.partition(".")
        if family in spans:
            shown = name.upper() if family == "pii" else name
            spans[family].append({"type": shown, "start": finding.start, "end": finding.end})
    return {
        "id": identity,
        "sqli": "sql.injection" in kinds,
        "dangerous": bool(kinds & _DANGEROUS),
        "pii": spans["pii"],
        "secrets": spans["secret"],
    }


def _shown(text: str, analysis: Analysis, microseconds: float) -> dict[str, Any]:
    return {
        "findings": [
            {
                "kind": finding.kind,
                "rule": finding.rule,
                "start": finding.start,
                "end": finding.end,
                "text": text[finding.start : finding.end],
                "confidence": finding.confidence,
                "reason": finding.reason,
                "layer": finding.layer,
                "reference": finding.reference,
            }
            for finding in analysis.findings
        ],
        "facts": analysis.facts,
        "truncated": analysis.truncated,
        "microseconds": round(microseconds),
    }


def _score(lines: Iterable[str]) -> None:
    for line in lines:
        if not line.strip():
            continue
        item: Mapping[str, Any] = json.loads(line)
        start = time.perf_counter()
        analysis = examined(item["text"], item.get("tool", ""), item.get("kind", ""))
        row = as_row(item["id"], analysis)
        row["us"] = round((time.perf_counter() - start) * 1e6, 1)
        print(json.dumps(row))


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 0 always, as a finding is no error."""
    parser = argparse.ArgumentParser(prog="python -m policies.engine", description=__doc__)
    parser.add_argument("text", nargs="?", help="the text to examine; standard input if absent")
    parser.add_argument("--tool", default="", help="the tool it would be given to, such as Bash")
    parser.add_argument("--jsonl", action="store_true", help="read items, write scorer's rows")
    options = parser.parse_args(arguments)
    warm_up()
    if options.jsonl:
        _score(sys.stdin)
        return 0
    text = sys.stdin.read() if options.text is None else options.text
    start = time.perf_counter()
    analysis = examined(text, options.tool)
    microseconds = (time.perf_counter() - start) * 1e6
    print(json.dumps(_shown(text, analysis, microseconds), indent=2, ensure_ascii=False))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
