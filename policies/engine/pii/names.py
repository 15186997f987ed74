"""Names of persons, by whatever a deployment brings along: the engine has no finder of its own.

Telling a name from a word takes a model or a directory; both are the deployment's to choose. It
writes a `NameFinder` and registers it once, when a process starts:

    class Directory:
        def find(self, text: str) -> Iterable[tuple[int, int, float]]:
            for match in self.pattern.finditer(text):
                yield *match.span(), 0.8

    register(Directory())

Findings are `pii.name`. Without a finder nothing runs and nothing is found.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable
from typing import Protocol

from policies.engine.pii.context import Reading

MAX_TEXT = 100_000  # characters a finder is shown of one text; of a longer one `truncated` is told
MAX_NAMES = 1_000  # per text

log = logging.getLogger(__name__)


class NameFinder(Protocol):
    """Finds names of persons in a text."""

    def find(self, text: str) -> Iterable[tuple[int, int, float]]:
        """Start and end of each name, in characters of `text`, and the confidence, 0 to 1.

        Called by many threads at once, for every text: it is to be pure and fast.
        """


_registered: list[NameFinder] = []


def register(finder: NameFinder) -> None:
    """Have `finder` look at every text from now on, in this process; it replaces an earlier one."""
    _registered[:] = [finder]


def unregister() -> None:
    """Look for names no longer."""
    _registered.clear()


def registered() -> NameFinder | None:
    """The finder in use, if any."""
    return _registered[0] if _registered else None


def find_names(reading: Reading, finder: NameFinder) -> None:
    """Report what `finder` finds. One that fails is logged and leaves the text `truncated`."""
    text = reading.view.text
    shown = text[:MAX_TEXT]
    if len(shown) < len(text):
        reading.truncate()
    try:
        for count, (start, end, confidence) in enumerate(finder.find(shown)):
            if count >= MAX_NAMES:
                reading.truncate()
                return
            if 0 <= start < end <= len(shown) and reading.free(start, end):
                reading.claim(
                    start,
                    end,
                    kind="pii.name",
                    rule="name.registered",
                    confidence=min(max(confidence, 0.0), 1.0),
                    reason="The name of a person, by the registered finder.",
                )
    except Exception:
        # Another's code: its failure must not take the decision with it, nor pass for "nothing".
        log.exception("The registered finder of names failed.")
        reading.truncate()
