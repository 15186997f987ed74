"""Figures of interleaved rounds, and the goals as ratios between them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.load import Load
from benchmarks.machine import median


@dataclass(frozen=True, slots=True, kw_only=True)
class Figures:
    """One subject in one round; processor time in microseconds per request."""

    subject: str
    connections: int
    load: Load
    web_cpu_us: float
    database_cpu_us: float


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """All subjects, measured one after the other, so that a neighbour's noise meets them alike."""

    figures: tuple[Figures, ...]
    fdatasync_us: float
    insert_us: float

    def of(self, subject: str, connections: int) -> Figures:
        """The figures of one subject."""
        return next(
            each
            for each in self.figures
            if each.subject == subject and each.connections == connections
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Spread:
    """The median of the rounds' values, the smallest and the largest."""

    median: float
    least: float
    most: float

    @classmethod
    def of(cls, values: Sequence[float]) -> Spread:
        return cls(median=median(list(values)), least=min(values), most=max(values))

    def shown(self, digits: int) -> str:
        """As `4.2 (3.9-5.0)`."""
        low, high = f"{self.least:,.{digits}f}", f"{self.most:,.{digits}f}"
        return f"{self.median:,.{digits}f} ({low}-{high})"


@dataclass(frozen=True, slots=True, kw_only=True)
class Goal:
    """A ratio that must not exceed `most` (or, with `at_least`, not fall below it)."""

    name: str
    text: str
    target: float
    measured: Spread
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        """By the median: one stall of a shared machine is no regression."""
        if self.at_least:
            return self.measured.median >= self.target
        return self.measured.median <= self.target


def goals(rounds: Sequence[Round], *, resident_mb: float) -> list[Goal]:
    """What `docs/explanation/performance.md` promises and these rounds can tell."""

    def spread(value: Any) -> Spread:
        return Spread.of([value(each) for each in rounds])

    def p50(each: Round, subject: str) -> float:
        return each.of(subject, 1).load.p50_us

    return [
        Goal(
            name="G1",
            text="pre-check p50 / empty view p50, 1 connection",
            target=5,
            measured=spread(lambda each: p50(each, "portal") / p50(each, "empty")),
        ),
        Goal(
            name="G2",
            text="p50 that durability adds / raw fdatasync p50, 1 connection",
            target=3,
            measured=spread(
                lambda each: (p50(each, "portal") - p50(each, "unrecorded")) / each.fdatasync_us
            ),
        ),
        Goal(
            name="G4",
            text="requests per second / those of the usual stack, 32 connections",
            target=6,
            measured=spread(
                lambda each: each.of("portal", 32).load.rps / each.of("naive", 32).load.rps
            ),
            at_least=True,
        ),
        Goal(
            name="G5",
            text="web processor time / that of the usual stack, 32 connections",
            target=0.2,
            measured=spread(
                lambda each: each.of("portal", 32).web_cpu_us / each.of("naive", 32).web_cpu_us
            ),
        ),
        Goal(
            name="G14",
            text="memory of one worker in MB",
            target=150,
            measured=Spread.of([resident_mb]),
        ),
    ]


def table(rounds: Sequence[Round]) -> str:
    """The figures for people: medians over the rounds with their least and most."""
    lines = [
        "subject".ljust(12)
        + "n".rjust(4)
        + "p50 us".rjust(26)
        + "p99 us".rjust(26)
        + "req/s".rjust(24)
        + "web CPU us".rjust(22)
        + "PG CPU us".rjust(18)
    ]
    for first in rounds[0].figures:
        same = [each.of(first.subject, first.connections) for each in rounds]
        loads = [each.load for each in same]
        lines.append(
            f"{first.subject:<12}{first.connections:>4}"
            f"{Spread.of([load.p50_us for load in loads]).shown(0):>26}"
            f"{Spread.of([load.p99_us for load in loads]).shown(0):>26}"
            f"{Spread.of([load.rps for load in loads]).shown(0):>24}"
            f"{Spread.of([each.web_cpu_us for each in same]).shown(0):>22}"
            f"{Spread.of([each.database_cpu_us for each in same]).shown(0):>18}"
        )
    for name, values in (
        ("one durable INSERT", [each.insert_us for each in rounds]),
        ("one fdatasync", [each.fdatasync_us for each in rounds]),
    ):
        lines.append(f"{name + ', p50 us':<30}{Spread.of(values).shown(0):>14}")
    return "\n".join(lines)


def as_json(goal: Goal) -> dict[str, Any]:
    return {**asdict(goal), "is_met": goal.is_met}
