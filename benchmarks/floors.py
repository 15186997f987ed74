"""The recorded floors of detection, in `floors.json`: what a change may not fall below."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from pathlib import Path

FLOORS = Path(__file__).parent / "floors.json"
CEILINGS = frozenset(["fpr"])  # all other figures are floors
_GRAIN = 1_000  # floors are kept to a thousandth, on the lenient side

Figures = Mapping[str, Mapping[str, float]]


def recorded() -> dict[str, dict[str, dict[str, float]]]:
    """By set (`own`, `development`), class and figure."""
    content: dict[str, dict[str, dict[str, float]]] = json.loads(FLOORS.read_text(encoding="utf-8"))
    return content


def broken(floors: Figures, figures: Figures) -> Iterator[str]:
    """A sentence for every figure that is worse than its floor, or not there any more."""
    for name, limits in floors.items():
        for key, limit in limits.items():
            value = figures.get(name, {}).get(key)
            if value is None:
                yield f"{name}: {key} is not measured any more."
            elif value > limit if key in CEILINGS else value < limit:
                yield f"{name}: {key} is {value:.4f}, its floor is {limit}."


def record(measured: Mapping[str, Figures]) -> None:
    """Make what was measured the floors, of the sets that were."""
    kept = recorded() if FLOORS.exists() else {}
    for name, figures in measured.items():
        kept[name] = {
            each: {key: _lenient(key, value) for key, value in values.items()}
            for each, values in sorted(figures.items())
        }
    FLOORS.write_text(json.dumps(kept, indent=2, sort_keys=True) + "\n", encoding="utf-8")


def _lenient(key: str, value: float) -> float:
    rounded = math.ceil if key in CEILINGS else math.floor
    # Rounded to a billionth first, so that 0.999 as a float does not become 0.998.
    return rounded(round(value * _GRAIN, 6)) / _GRAIN
