"""How much SQL of one operation is read: a budget of tokens that all its views share.

Time is bounded by the operation and not by the text, as one text may be unwrapped hundreds of
times. What a budget cuts off is told as `truncated`, never passed in silence.
"""

from __future__ import annotations

from enum import StrEnum

from policies.engine.findings import Report


class Work(StrEnum):
    """A kind of reading, that has its own share."""

    READ = "sql.read"  # tokens of statements, for their names and what they destroy
    JUDGED = "sql.judged"  # tokens of statements in which signs of injection are looked for
    VALUES = "sql.values"  # tokens of values, in every context that they are put into


# About 2 us a token (read), 1 us (judged) and 5 us (a value): a share takes some 30 ms.
LIMITS = {Work.READ: 10_000, Work.JUDGED: 6_000, Work.VALUES: 6_000}


class Budget:
    """What is left of the work for the operation that `report` is about."""

    def __init__(self, report: Report) -> None:
        self._report = report

    def left(self, work: Work) -> int:
        """Tokens that may still be read."""
        return max(0, LIMITS[work] - self._report.spent[work])

    def spend(self, work: Work, tokens: int) -> None:
        """Note that `tokens` were read."""
        self._report.spent[work] += tokens

    def cut(self) -> None:
        """Tell that something was left unread."""
        self._report.truncated = True
