"""Commands in a page: the fenced ones of ours, and the bare ones of the integration guide."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
PAGE = ROOT / "docs" / "how-to" / "claude-code.md"
# Beside a checkout that was made for the project's own integration; see the test.
GUIDE = ROOT.parent / "shared" / "reference" / "claude-code-integration.md"
_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.DOTALL | re.MULTILINE)
_PORTAL = re.compile(r"localhost:808[01]\b")


@dataclass(frozen=True, slots=True, kw_only=True)
class Block:
    """One block as printed; `line` counts from 1."""

    language: str
    text: str
    line: int

    @property
    def calls_the_portal(self) -> bool:
        return _PORTAL.search(self.text) is not None


def fenced(page: Path) -> list[Block]:
    """The fenced blocks of one of our own pages."""
    text = page.read_text(encoding="utf-8")
    return [
        Block(language=found[1], text=found[2], line=text.count("\n", 0, found.start()) + 1)
        for found in _FENCE.finditer(text)
    ]


def commands(text: str) -> list[Block]:
    """The curl commands in a page without fences, each with all its lines and its pipe."""
    lines = text.splitlines()
    found = []
    number = 0
    while number < len(lines):
        if not lines[number].startswith("curl "):
            number += 1
            continue
        last = number
        while not _is_complete("\n".join(lines[number : last + 1])):
            last += 1
        found.append(
            Block(language="bash", text="\n".join(lines[number : last + 1]), line=number + 1)
        )
        number = last + 1
    return found


def _is_complete(command: str) -> bool:
    try:
        shlex.split(command)
    except ValueError:
        return False
    return not command.endswith("\\")


def script(text: str, first: str, last: str) -> str:
    """The lines from the one that is `first` to the next that is `last`."""
    lines = text.splitlines()
    start = lines.index(first)
    return "\n".join(lines[start : lines.index(last, start) + 1]) + "\n"
