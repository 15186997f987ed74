"""Copies, moves and links: under which names the content of a file can be found as well.

The engine says what a command copies; where that leads is worked out with absolute paths, by
`written.inherit` for the operation itself and by whoever keeps the files of a session. A copy only
ever adds a name: whether it succeeds, and whether its target is a directory, is not known.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from posixpath import basename, isabs, normpath
from posixpath import join as join_path
from typing import Any

# Where people's own directories lie; `~` alone does not tell whose.
_HOME = re.compile(r"(?:/home/[^/]+|/Users/[^/]+|/root|/var/root)(?=/|\Z)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Copied:
    """A file, or a directory with all in it, that gets another name; both as for `Report.write`.

    `inside`: it goes into the directory `target` under its own name (True), it becomes `target`
    (False), or the command does not tell which (None). `link`: both stay one file. An archive
    counts as a directory of what is packed into it.
    """

    source: str
    target: str
    inside: bool | None = None
    link: bool = False

    def landed(self, path: str) -> Iterator[str]:
        """The names that what is at `path` gets, if it is the source or lies in it."""
        within = self.source.rstrip("/") + "/"
        if path == self.source:
            rest = ""
        elif path.startswith(within):
            rest = path[len(within) :]
        elif self.source == "." and not isabs(path):
            rest = path
        else:
            return
        if self.inside is not True:
            yield normpath(join_path(self.target, rest))
        if self.inside is not False and (name := basename(self.source)):
            yield normpath(join_path(self.target, name, rest))

    def absolute(self, here: Any) -> Copied:
        """The same with absolute paths, where `here` is where the command runs."""
        return Copied(
            source=absolute(self.source, here),
            target=absolute(self.target, here),
            inside=self.inside,
            link=self.link,
        )


def absolute(path: str, here: Any) -> str:
    """`path` as one absolute path, as far as the working directory `here` tells it.

    A `~` is the home directory that `here` lies in; where it lies in none, the path keeps it.
    """
    known = isinstance(here, str) and isabs(here)
    if path.startswith("~"):
        home = _HOME.match(here) if known else None
        if home is not None and path[1:2] in ("", "/"):
            path = home.group() + path[1:]
    elif not isabs(path) and known:
        path = join_path(here, path)
    return normpath(path)


def from_home(path: str) -> str:
    """An absolute path in some home directory as it is written with `~`; blank for others."""
    home = _HOME.match(path)
    return "~" + path[home.end() :] if home is not None else ""
