"""`python -m benchmarks.engine`: what deciding costs alone, without server, database or network.

For plain short commands and texts of 200 B, 2 KB and 20 KB, and for 100, 1,000 and 10,000
policies: the time of the detectors, of the policies, and of a rebuild; the same matches as
testing every policy one by one; and what patterns that are meant to hang cost.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchmarks import machine, workload
from benchmarks.run import RESULTS
from policies.engine import prefilter
from policies.engine.analysis import analyse, warm_up
from policies.engine.conditions import ConditionsError, text_patterns
from policies.engine.decision import decide
from policies.engine.nodes import Inputs
from policies.engine.operation import Language, Operation, Part
from policies.engine.policy import CompiledPolicy, PolicySpec
from policies.engine.policyset import PolicySet

TEXTS = 400  # different ones of each kind
COUNTS = (100, 1_000, 10_000)
COMPARED = 300  # texts whose matches are compared with the plain loop's
# They hang a backtracking engine for seconds to years.
HOSTILE = (
    (r"(a+)+$", "a" * 20_000 + "!"),
    (r"(a|aa)+$", "a" * 20_000 + "!"),
    (r"(.*a){12}", "b" * 20_000),
    (r"(x+x+)+y", "x" * 20_000),
    (r"^(([a-z])+.)+[A-Z]([a-z])+$", "a" * 20_000),
)
# They cost a compiler minutes or gigabytes unless it is limited.
BOMBS = (
    r".{1,8000}x.{1,8000}y",
    r"(?:.{0,300}a){20}",
    r"((a{1,100}){1,100}){1,100}",
    r".{1,400}x.{1,400}y.{1,190}z",  # RE2 takes these; the limits of the compiler must hold
    r"(?:.{0,50}a){19}",
    r"(?:[a-z]{1,30}.{1,30}){16}",
)


def main() -> int:
    """Measure, print, write; 1 if the matches differ from the plain loop's."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.engine")
    parser.add_argument("--policies", type=int, nargs="*", default=list(COUNTS))
    parser.add_argument("--output", type=Path)
    options = parser.parse_args()
    warm_up()
    kinds = _texts()
    results: dict[str, Any] = {"at": datetime.now(UTC).isoformat(), "machine": machine.describe()}
    results["detectors"] = {name: _timed(texts, analyse) for name, texts in kinds.items()}
    print(f"{'microseconds, p50 / p99':<34}" + "".join(f"{name:>20}" for name in kinds))
    _print("detectors", results["detectors"])
    differences = 0
    for count in options.policies:
        definitions = workload.policies(count)
        policies = _compiled(definitions)
        began = time.perf_counter()
        complete = PolicySet(policies).with_prefilter()
        rebuilt_s = time.perf_counter() - began
        found = {name: _timed_policies(texts, complete) for name, texts in kinds.items()}
        wrong, matches = _differences(definitions, policies, complete)
        differences += wrong
        _print(f"{count:,} policies, rebuilt in {rebuilt_s:.2f} s", found)
        print(f"    {COMPARED} texts with {matches} matches: {wrong} differ from the plain loop")
        results[f"policies_{count}"] = {"rebuilt_s": rebuilt_s, "wrong": wrong, **found}
    results["hostile"] = _hostile()
    output = options.output or RESULTS / f"engine-{time.strftime('%Y%m%d-%H%M%S')}.json"
    output.parent.mkdir(parents=True, exist_ok=True)
    output.write_text(json.dumps(results, indent=1))
    print("results:", output)
    return 1 if differences else 0


def _texts() -> dict[str, list[Operation]]:
    rng = random.Random(workload.SEED)  # noqa: S311 (a reproducible mix)

    def whole(text: str, language: Language, tool: str) -> Operation:
        part = Part(start=0, end=len(text), language=language)
        return Operation(text=text, tool=tool, parts=(part,), fields={"user_id": "ada"})

    return {
        "short command": [whole(workload.shell(rng), Language.SHELL, "Bash") for _ in range(TEXTS)],
        "200 B": [whole(workload.prose(rng, 200), Language.AUTO, "") for _ in range(TEXTS)],
        "2 KB": [whole(workload.source(rng, 2_000), Language.TEXT, "Write") for _ in range(TEXTS)],
        "20 KB": [
            whole(workload.source(rng, 20_000), Language.TEXT, "Write") for _ in range(TEXTS // 4)
        ],
    }


def _compiled(definitions: Sequence[dict[str, Any]]) -> list[CompiledPolicy]:
    return [
        CompiledPolicy(
            PolicySpec(
                id=str(number),
                name=each["name"],
                conditions=each["conditions"],
                actions=each["actions"],
                priority=each["priority"],
            )
        )
        for number, each in enumerate(definitions)
    ]


def _timed(texts: Sequence[Operation], call: Callable[[Operation], object]) -> dict[str, float]:
    times = []
    for text in (*texts[:20], *texts):
        began = time.perf_counter()
        call(text)
        times.append((time.perf_counter() - began) * 1e6)
    return _summary(times[20:])


def _timed_policies(texts: Sequence[Operation], policies: PolicySet) -> dict[str, float]:
    """The policies' share: what was found in the text is given."""
    inputs = [(text, analyse(text)) for text in texts]
    times = []
    for text, found in (*inputs[:20], *inputs):
        began = time.perf_counter()
        seen = Inputs(text, found)
        for policy in policies.candidates(seen):
            policy.node.test(seen)
        times.append((time.perf_counter() - began) * 1e6)
    return _summary(times[20:])


def _summary(times: list[float]) -> dict[str, float]:
    return {"p50": machine.percentile(times, 0.5), "p99": machine.percentile(times, 0.99)}


def _print(name: str, found: dict[str, dict[str, float]]) -> None:
    cells = (f"{each['p50']:,.0f} / {each['p99']:,.0f}" for each in found.values())
    print(f"{name:<34}" + "".join(f"{cell:>20}" for cell in cells), flush=True)


def _differences(
    definitions: Sequence[dict[str, Any]], policies: Sequence[CompiledPolicy], indexed: PolicySet
) -> tuple[int, int]:
    """On how many texts, most of them made to hit something, the index and the loop disagree;
    and how many matches the loop found in all."""
    rng = random.Random(workload.SEED + 1)  # noqa: S311
    wrong = matches = 0
    for number in range(COMPARED):
        tool, text = workload.operation(rng)
        if number % 3:
            hits = rng.sample(definitions, min(number % 7, len(definitions)))
            text = " ; ".join([text, *map(workload.sample, hits)])
        if number % 5 == 0:
            text = f"{text.upper()} \u00e9\u212a"
        operation = Operation(text=text, tool=tool, fields={"user_id": "ada"})
        inputs = Inputs(operation, analyse(operation))
        plain = sorted(policy.spec.name for policy in policies if policy.node.test(inputs))
        wrong += plain != sorted(decide(operation, indexed).policies)
        matches += len(plain)
    return wrong, matches


def _hostile() -> dict[str, Any]:
    """Decisions under patterns that hang others, and how soon a bomb is refused."""
    decided: dict[str, float] = {}
    for pattern, text in HOSTILE:
        conditions = [{"field": "query", "operator": "matches", "value": pattern}]
        spec = PolicySpec(id="1", name="hostile", conditions=conditions, actions=[{"type": "log"}])
        policies = PolicySet([CompiledPolicy(spec)]).with_prefilter()
        operation = Operation(
            text=text, parts=(Part(start=0, end=len(text), language=Language.TEXT),)
        )
        decide(operation, policies)
        began = time.perf_counter()
        decide(operation, policies)
        decided[pattern] = (time.perf_counter() - began) * 1e3
    refused: dict[str, str] = {}
    for pattern in BOMBS:
        began = time.perf_counter()
        outcome = _admission(pattern)
        refused[pattern] = f"{outcome} after {time.perf_counter() - began:.2f} s"
    print("hostile patterns on 20 KB, ms:", {p: round(ms, 1) for p, ms in decided.items()})
    print("compile bombs:", refused)
    return {"decided_ms": decided, "bombs": refused}


def _admission(pattern: str) -> str:
    conditions = [{"field": "query", "operator": "matches", "value": pattern}]
    try:
        CompiledPolicy(
            PolicySpec(id="1", name="bomb", conditions=conditions, actions=[{"type": "log"}])
        )
    except ConditionsError:
        return "refused by RE2"
    try:
        for each in text_patterns(conditions):
            prefilter.admit(each)
    except prefilter.CompileRefusedError:
        return "refused by the limits"
    return "taken"


if __name__ == "__main__":
    sys.exit(main())
