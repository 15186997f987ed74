"""What the reader makes of a text: words, redirections and simple commands."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

UNKNOWN = "\ue000"  # in a word: a piece whose value the text does not tell


@dataclass(slots=True)
class Word:
    """A word after expansion; `pieces` say where its characters come from."""

    text: str
    start: int
    end: int
    pieces: tuple[tuple[int, int, int], ...] = ()  # (length, start, end) in the source
    glob: bool = False
    quoted: bool = False
    feeds: Sequence[Command] = ()  # the commands of a process substitution

    @property
    def known(self) -> bool:
        """Whether the text tells all of it."""
        return UNKNOWN not in self.text

    def places(self) -> tuple[list[int], list[int]]:
        """Where each character (and the end) began in the source, and where it ended.

        Of a piece that expansion made (`$'\\x72'`, a variable) each was made of all of it.
        """
        starts: list[int] = []
        ends: list[int] = []
        for length, start, end in self.pieces:
            if end - start == length:
                starts.extend(range(start, end))
                ends.extend(range(start + 1, end + 1))
            else:
                starts.extend([start] * length)
                ends.extend([end] * length)
        starts.append(self.end)
        ends.append(self.end)
        return starts, ends

    def contiguous(self) -> int | None:
        """Where the text stands as it is in the source, if it does."""
        if len(self.pieces) == 1 and self.pieces[0][2] - self.pieces[0][1] == self.pieces[0][0]:
            return self.pieces[0][1]
        return None


@dataclass(slots=True)
class Redirect:
    """A redirection; `body` is where a here-document stands, `expands` whether it is expanded."""

    operator: str
    target: Word | None = None
    descriptor: str = ""
    body: tuple[int, int] | None = None
    expands: bool = False


@dataclass(slots=True)
class Command:
    """A simple command. `source` are the commands whose output it reads."""

    words: list[Word]
    start: int
    end: int
    assignments: dict[str, str] = field(default_factory=dict)
    redirects: list[Redirect] = field(default_factory=list)
    source: Sequence[Command] = ()
    piped: bool = False  # its output goes to another command
    cwd: str = ""  # where `cd` led, relative to where the script started
    loop: bool = False  # output of a whole block, or otherwise not one command's
    program: str = ""  # the program that its first word is a copy of or a link to, if it is one
    function: str = ""  # the function in whose body it stands
    inner: Sequence[Command] = ()  # the commands of the substitutions in its words
    expanded: Sequence[str] = ()  # the variables in its words whose values are not known


@dataclass(slots=True)
class Piece:
    """A stretch of a word; `kind` is plain, quoted, value (is split) or fixed (is not)."""

    text: str
    start: int
    end: int
    kind: str


_SPECIAL = frozenset(f".-~{UNKNOWN}")  # what a path may begin with that is not just a name


def join(cwd: str, path: str) -> str:
    """`path` as seen from `cwd`, normalised; `..` stays where it leads out of a relative one."""
    if path and not cwd and "/" not in path and path[0] not in _SPECIAL:
        return path
    if path.startswith(("/", "~", UNKNOWN)) or path == "-":
        base = UNKNOWN if path == "-" else path
    else:
        base = f"{cwd}/{path}" if cwd else path
    absolute = base.startswith("/")
    parts: list[str] = []
    for part in base.split("/"):
        if part in ("", "."):
            continue
        if part == ".." and parts and parts[-1] not in ("..", "~", UNKNOWN):
            parts.pop()
        elif part != ".." or not absolute:
            parts.append(part)
    return ("/" if absolute else "") + "/".join(parts)
