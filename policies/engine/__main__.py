"""What the engine reads out of a text and would decide, without a server.

One text (an argument, a file, or standard input) is answered with its facts, its findings, the
decision and the times. `--json` writes the same for programs. `--jsonl` reads a line
`{id, kind, tool, text}` per item and writes what a scorer of detectors wants to know of it.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any, TextIO

from policies.engine.analysis import Analysis, analyse, families, warm_up
from policies.engine.classes import classes_of
from policies.engine.conditions import ConditionsError
from policies.engine.decision import Decision, Verdict, decide, snapshot
from policies.engine.findings import Report, View
from policies.engine.operation import Language, Operation, Part, Phase
from policies.engine.policy import CompiledPolicy, PolicySpec
from policies.engine.policyset import PolicySet
from policies.engine.signs import SignScanner
from policies.engine.terminal import Painter, report

EXIT_STATUS = """exit status:
  0  examined, whatever was found; with --check: the decision is allow
  1  with --check: the decision is deny
  2  a bad argument, or a file that cannot be read
  3  with --check: the decision is hold
"""
_STATUS = {Verdict.ALLOW: 0, Verdict.DENY: 1, Verdict.HOLD: 3}
_KINDS = {"bash": Language.SHELL, "sql": Language.SQL}
_SHELL_TOOLS = frozenset(["Bash", "Shell", "shell", "run_shell_command"])
_POLICY_FIELDS = ("category", "severity", "priority", "mode", "conditions", "actions", "applies_to")


def language_of(tool: str, kind: str = "") -> Language:
    """What a tool's text is written in, as far as the tool tells."""
    if kind in _KINDS:
        return _KINDS[kind]
    if tool in _SHELL_TOOLS:
        return Language.SHELL
    if tool in ("Write", "Edit"):
        return Language.TEXT
    return Language.AUTO


def operation_of(
    text: str, tool: str, language: Language, phase: Phase = Phase.BEFORE
) -> Operation:
    """The text as an operation of one part."""
    part = Part(start=0, end=len(text), language=language)
    return Operation(text=text, tool=tool, phase=phase, parts=(part,))


def as_row(identity: object, analysis: Analysis) -> dict[str, Any]:
    """An analysis in the terms of the scorer: classes and typed spans."""
    classes = classes_of(analysis.findings)
    spans: dict[str, list[dict[str, Any]]] = {"pii": [], "secret": []}
    for finding in analysis.findings:
        family, _, name = finding.kind.partition(".")
        if family in spans:
            shown = name.upper() if family == "pii" else name
            spans[family].append({"type": shown, "start": finding.start, "end": finding.end})
    return {
        "id": identity,
        "sqli": "sqli" in classes,
        "dangerous": "dangerous" in classes,
        "pii": spans["pii"],
        "secrets": spans["secret"],
    }


def score_lines(lines: Iterable[str], write: Callable[[str], object]) -> None:
    """A row per item, with its time in microseconds.

    Raises:
        ValueError: a line is no item; those before it were written.
    """
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            item: Mapping[str, Any] = json.loads(line)
            identity, text, tool = item["id"], item["text"], item.get("tool", "")
            operation = operation_of(text, tool, language_of(tool, item.get("kind", "")))
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"line {number} is no item with an id and a text") from error
        start = time.perf_counter()
        analysis = analyse(operation)
        microseconds = round((time.perf_counter() - start) * 1e6, 1)
        write(json.dumps({**as_row(identity, analysis), "us": microseconds}) + "\n")


def builtin_policies() -> list[PolicySpec]:
    """The policies that every tenant starts with."""
    # A table without any framework behind it; only this program asks for it, not the engine.
    from policies.builtin import BUILTINS

    return [
        PolicySpec(
            id=policy.name,
            name=policy.name,
            category=policy.category,
            severity=policy.severity,
            priority=policy.priority,
            category_setting=policy.setting,
            conditions=policy.conditions,
            actions=policy.actions,
            applies_to=policy.applies_to,
        )
        for policy in BUILTINS
    ]


def policies_in(path: Path) -> list[PolicySpec]:
    """The policies of a file: a list as the API answers it, or an object with `policies`.

    Raises:
        ValueError: not JSON, or not such a list.
    """
    content = json.loads(path.read_text(encoding="utf-8"))
    listed = content.get("policies") if isinstance(content, dict) else content
    if not isinstance(listed, list) or not all(isinstance(each, dict) for each in listed):
        raise ValueError('Give a list of policies, or {"policies": [...]}.')
    return [
        PolicySpec(
            id=str(number),
            name=str(each.get("name", f"policy {number}")),
            **{name: each[name] for name in _POLICY_FIELDS if name in each},
        )
        for number, each in enumerate(listed, 1)
        if each.get("enabled", True)
    ]


def stage_times(operation: Operation) -> list[tuple[str, float]]:
    """What the first look costs by stage, in microseconds: the scan for signs, each family.

    Texts unwrapped from this one are not in it; the sum of the whole analysis is.
    """
    scanner = SignScanner((family.name, sign) for family in families() for sign in family.signs)
    view = View(text=operation.text, offset=0, language=operation.all_parts()[0].language)
    scanner.scan(view.text)  # the first scan takes a scratch
    times = [_timed("signs", lambda: scanner.scan(view.text))]
    signs = scanner.scan(view.text)
    for family in families():
        seen = frozenset(signs.get(family.name, ()))

        def examine(family: Any = family, seen: frozenset[str] = seen) -> object:
            return family.examine(view, seen, Report())

        times.append(_timed(family.name, examine))
    return times


def _timed(name: str, call: Callable[[], object]) -> tuple[str, float]:
    start = time.perf_counter()
    call()
    return name, (time.perf_counter() - start) * 1e6


def _as_json(text: str, decision: Decision, times: Sequence[tuple[str, float]]) -> str:
    shown = snapshot(decision)
    for finding, row in zip(decision.analysis.findings, shown["findings"], strict=True):
        row["id"] = f"{finding.kind}/{finding.rule}"
        row["text"] = text[finding.start : finding.end]
    answer = {
        "verdict": decision.verdict.value,
        "action": decision.action.value if decision.action else None,
        "reason": decision.reason,
        **{name: shown[name] for name in ("facts", "findings", "matches", "truncated")},
        "microseconds": {name: round(microseconds, 1) for name, microseconds in times},
    }
    # Escaped to ASCII: the output may end on a terminal, and the text may be hostile to it.
    return json.dumps(answer, indent=2)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m policies.engine",
        description=__doc__,
        epilog=EXIT_STATUS,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "text", nargs="?", default="-", help="the text to examine; - (default): standard input"
    )
    parser.add_argument("--file", type=Path, help="examine the text of this file")
    parser.add_argument("--tool", default="", help="the tool it would be given to, such as Bash")
    parser.add_argument(
        "--language", choices=list(Language), help="what it is written in; else the tool tells"
    )
    parser.add_argument(
        "--phase",
        choices=list(Phase),
        default=Phase.BEFORE,
        help="before: the input of a tool (default); after: its result",
    )
    parser.add_argument(
        "--policies", type=Path, help="a JSON file of policies to decide by, not the built-in ones"
    )
    parser.add_argument("--check", action="store_true", help="tell the decision by the exit status")
    parser.add_argument("--json", action="store_true", help="write JSON")
    parser.add_argument("--jsonl", action="store_true", help="read items, write scorer's rows")
    return parser


def _takes_colours(stream: TextIO) -> bool:
    return stream.isatty() and "NO_COLOR" not in os.environ and os.environ.get("TERM") != "dumb"


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; `EXIT_STATUS` says what it answers."""
    parser = _parser()
    options = parser.parse_args(arguments)
    try:
        if options.jsonl:
            warm_up()
            score_lines(sys.stdin, sys.stdout.write)
            return 0
        text = _text(options)
        specs = policies_in(options.policies) if options.policies else builtin_policies()
        policies = PolicySet(map(CompiledPolicy, specs)).with_prefilter()
    except (OSError, ValueError, ConditionsError) as error:
        print(f"{parser.prog}: {ascii(str(error))[1:-1]}", file=sys.stderr)
        return 2
    language = Language(options.language) if options.language else language_of(options.tool)
    operation = operation_of(text, options.tool, language, Phase(options.phase))
    warm_up()
    times = stage_times(operation)
    times.append(_timed("analysis", lambda: analyse(operation)))
    start = time.perf_counter()
    decision = decide(operation, policies)
    times.append(("with policies", (time.perf_counter() - start) * 1e6))
    if options.json:
        print(_as_json(text, decision, times))
    else:
        for line in report(text, decision, times, Painter(_takes_colours(sys.stdout))):
            _print(line)
    return _STATUS[decision.verdict] if options.check else 0


def _text(options: argparse.Namespace) -> str:
    """The text to examine; bytes that are no UTF-8 are kept apart, not refused."""
    if options.file is not None:
        data: bytes = options.file.read_bytes()
    elif options.text == "-":
        buffer = getattr(sys.stdin, "buffer", None)
        if buffer is None:
            return sys.stdin.read()
        data = buffer.read()
    else:
        return str(options.text)
    return data.decode("utf-8", "surrogateescape")


def _print(line: str) -> None:
    encoding = sys.stdout.encoding or "utf-8"
    print(line.encode(encoding, "backslashreplace").decode(encoding))


if __name__ == "__main__":
    try:
        raise SystemExit(main())
    except BrokenPipeError:
        # Whoever reads has seen enough; the interpreter would complain again when it flushes.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise SystemExit(0) from None
