"""One text while it is read for secrets: what has been claimed of it."""

from __future__ import annotations

from bisect import bisect_left, insort

from policies.engine.findings import AT_A_GLANCE, CHARACTERS, Report, View
from policies.engine.pii.tables import Tables, tables_of
from policies.engine.stretches import lowered


class Scan:
    """The text, its lower-case twin, and the stretches already reported."""

    def __init__(self, view: View, report: Report, signs: frozenset[str] = frozenset()) -> None:
        self.text = view.text
        self.signs = signs
        self._view = view
        self._report = report
        self._lower: str | None = None
        self._taken: list[tuple[int, int]] = []
        self._hurried = False
        report.spent[CHARACTERS] += len(view.text)

    @property
    def lower(self) -> str:
        """The text in lower case; offsets hold in both."""
        if self._lower is None:
            self._lower = lowered(self.text)
        return self._lower

    def may_judge(self) -> bool:
        """Whether one more value may be weighed; past that it is taken at a glance."""
        self._hurried = self._hurried or not self._report.may_judge()
        return not self._hurried

    def free(self, start: int, end: int) -> bool:
        """Whether nothing in `[start, end)` has been claimed."""
        at = bisect_left(self._taken, (end, 0)) - 1
        return at < 0 or self._taken[at][1] <= start

    def claim(
        self, start: int, end: int, *, kind: str, rule: str, confidence: float, reason: str
    ) -> None:
        """Report the secret at `[start, end)`, unless a more telling rule has claimed it."""
        if start < end and self.free(start, end):
            insort(self._taken, (start, end))
            self._report.find(
                self._view,
                start,
                end,
                kind=f"secret.{kind}",
                rule=rule,
                confidence=min(confidence, AT_A_GLANCE) if self._hurried else confidence,
                reason=reason,
            )

    def tables(self) -> Tables:
        """The tables in the text."""
        return tables_of(self.text, self._report)

    def truncate(self) -> None:
        """Say that something was not looked at."""
        self._report.truncated = True

    def begins_word(self, start: int) -> bool:
        """Whether no letter, digit or underscore runs into `start` (escapes aside)."""
        left = self.text[start - 1 : start]
        if not (left.isalnum() or left == "_"):
            return True
        if self.text.startswith("/bot", start - 4):
            return True  # the path of Telegram's interface
        escaped = left in "nrt" and self.text[start - 2 : start - 1] == "\\"
        return escaped or (start > 2 and self.text[start - 3] == "%")
