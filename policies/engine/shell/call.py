"""A program and its arguments, and the shell text that one runs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from policies.engine.language import word_set
from policies.engine.shell.model import Command, Word

SHELLS = word_set("sh bash zsh dash ksh ash fish rbash mksh csh tcsh")


@dataclass(slots=True)
class Call:
    """A program and its arguments, after taking off `wrappers` (outermost first).

    `open`: more arguments come from elsewhere (xargs, parallel, find) and are not known.
    """

    name: str
    words: Sequence[Word]
    command: Command
    wrappers: tuple[str, ...] = ()
    open: bool = False

    _texts: list[str] | None = None

    @property
    def arguments(self) -> list[str]:
        """The arguments' texts."""
        if self._texts is None:
            self._texts = [word.text for word in self.words[1:]]
        return self._texts


@dataclass(frozen=True, slots=True, kw_only=True)
class Script:
    """Shell text that a call runs, made of `words` joined by blanks."""

    words: Sequence[Word]
    layer: str


def base_name(word: Word) -> str:
    """The name of a program without its directory."""
    text = word.text
    if "/" in text:
        text = text.rpartition("/")[2] or text
    return text.removesuffix(".exe") if text.endswith(".exe") else text


def after_options(words: Sequence[Word], valued: frozenset[str] | Sequence[str]) -> int:
    """The index of the first word that is no option (and no value of one)."""
    index = 0
    while index < len(words):
        text = words[index].text
        if text == "--":
            return index + 1
        if not text.startswith("-"):
            return index
        index += 2 if text in valued else 1
    return index


def tail(word: Word, length: int) -> Word:
    """`word` without its first `length` characters."""
    where = ((len(word.text) - length, word.start, word.end),)
    return Word(word.text[length:], word.start, word.end, where, word.glob, word.quoted)


def wrapped_call(call: Call, words: Sequence[Word], *, open_: bool | None = None) -> Call:
    """The call that `call` wraps: a program and its arguments among its own words."""
    return Call(
        base_name(words[0]) if words else "",
        words,
        call.command,
        (*call.wrappers, call.name),
        call.open if open_ is None else open_,
    )
