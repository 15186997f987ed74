"""One text while it is read for secrets: what has been claimed of it."""

from __future__ import annotations

from bisect import bisect_left, insort

from policies.engine.findings import Report, View

# Lower case for ASCII only: the length must not change, and some letters have longer twins.
_LOWER = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}


class Scan:
    """The text, its lower-case twin, and the stretches already reported."""

    def __init__(self, view: View, report: Report) -> None:
        self.text = view.text
        self._view = view
        self._report = report
        self._lower: str | None = None
        self._taken: list[tuple[int, int]] = []

    @property
    def lower(self) -> str:
        """The text with ASCII letters in lower case; offsets hold in both."""
        if self._lower is None:
            text = self.text
            self._lower = text.lower() if text.isascii() else text.translate(_LOWER)
        return self._lower

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
                confidence=confidence,
                reason=reason,
            )

    def truncate(self) -> None:
        """Say that something was not looked at."""
        self._report.truncated = True

    def begins_word(self, start: int) -> bool:
        """Whether no letter, digit or underscore runs into `start` (escapes aside)."""
        left = self.text[start - 1 : start]
        if not (left.isalnum() or left == "_"):
            return True
        escaped = left in "nrt" and self.text[start - 2 : start - 1] == "\\"
        return escaped or (start > 2 and self.text[start - 3] == "%")
