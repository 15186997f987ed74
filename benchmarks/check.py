"""`python -m benchmarks.check [RESULT]`: has a ratio become worse by a quarter?

Compares a result of `benchmarks.run` (the newest without an argument) with the one that was last
accepted on this machine (`--accept`). Only ratios are compared.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from benchmarks.run import RESULTS

BASELINE = RESULTS / "baseline.json"
TOLERANCE = 1.25


def main() -> int:
    """Compare; 1 if something has become worse, 2 if there is nothing to compare."""
    parser = argparse.ArgumentParser(description=__doc__, prog="python -m benchmarks.check")
    parser.add_argument("result", type=Path, nargs="?")
    parser.add_argument("--accept", action="store_true", help="make this result the baseline")
    options = parser.parse_args()
    path = options.result or max(RESULTS.glob("run-*.json"), default=None)
    if path is None:
        print("There is no result; run python -m benchmarks.run first.")
        return 2
    goals = {goal["name"]: goal for goal in json.loads(path.read_text())["goals"]}
    if options.accept:
        medians = {name: round(goal["measured"]["median"], 3) for name, goal in goals.items()}
        BASELINE.write_text(json.dumps(medians, indent=1) + "\n")
        print(f"{BASELINE} is now {medians}.")
        return 0
    if not BASELINE.exists():
        print("No result was accepted on this machine yet; accept one with --accept.")
        return 2
    baseline = json.loads(BASELINE.read_text())
    worse = [name for name, goal in goals.items() if not _holds(goal, baseline.get(name))]
    for name, goal in goals.items():
        print(
            f"{name}: {goal['measured']['median']:.2f}, baseline {baseline.get(name)}: "
            f"{'WORSE' if name in worse else 'holds'}"
        )
    return 1 if worse else 0


def _holds(goal: dict[str, Any], before: float | None) -> bool:
    if before is None:
        return True
    now = float(goal["measured"]["median"])
    return now >= before / TOLERANCE if goal["at_least"] else now <= before * TOLERANCE


if __name__ == "__main__":
    sys.exit(main())
