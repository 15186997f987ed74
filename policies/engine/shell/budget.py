"""How much of an operation's shell texts is read: counted in steps, not in time.

Counts answer the same on every machine. A step is about two microseconds on the machine that the
costs were measured on. All shell texts of an operation share one allowance, so that a text of
texts of texts costs no more than a plain one; what is past it is scanned (`unread`).
"""

from __future__ import annotations

from policies.engine.findings import Report

STEPS = "shell.steps"  # in `Report.spent`
MAX_STEPS = 10_000  # of one operation
SHARE = 75  # per cent of what is left that one text may take; the texts inside it need some
MAX_CHILDREN = 3_000  # texts inside one text that are read by a reader of their own

VIEW = 15  # a text: its reader and its examination
COMMAND = 10  # a simple command, with the rules that look at it
WORD = 1  # a word of plain characters
PIECE = 2  # a piece of any other word
CHILD = 8  # a text inside a text
CALL = 8  # a program that a wrapper runs
TURN = 2  # a turn of a loop whose facts are told
VALUE = 64  # characters of a value that an expansion puts in, or of a file, for one step
NAME = 2  # a name that a copy gives
NAMES = 4  # files that a copy is compared with, for one step
CHARACTERS = 16  # of a text inside a text, which every family looks at, for one step


class Work:
    """The steps that one text and the texts inside it have taken, and those it may take."""

    __slots__ = ("children", "limit", "steps")

    def __init__(self, limit: int = MAX_STEPS) -> None:
        self.limit = limit
        self.steps = 0
        self.children = 0

    @property
    def over(self) -> bool:
        """Whether the rest is to be left unread."""
        return self.steps > self.limit


def left(report: Report) -> int:
    """The steps that the texts of this operation may still take."""
    return MAX_STEPS - report.spent[STEPS]
