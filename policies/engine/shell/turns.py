"""The turns of a loop: a command in it runs once for each value of the loop's variable.

The reader puts in the value that the rules must see; facts are told for the others as well.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace

from policies.engine.shell.call import Call
from policies.engine.shell.model import UNKNOWN, Word

MAX_TURNS = 20  # of one loop whose facts are told; those after them are one that is not known

Turns = Mapping[str, Sequence[str]]  # the values of the variables of loops


def other_turns(call: Call, turns: Turns, text: str) -> Iterator[Call]:
    """The call as it is in the other turns of the loops whose variables its words hold.

    `text` is what the words were read from. Several loops inside each other turn together.
    """
    named = {name for name in turns if any(_holds(word, name, text) for word in call.words[1:])}
    count = max((len(turns[name]) for name in named), default=0)
    for turn in range(min(count, MAX_TURNS + 1)):
        values = {name: turns[name][min(turn, len(turns[name]) - 1)] for name in named}
        if turn == MAX_TURNS:
            values = dict.fromkeys(named, UNKNOWN)
        words = [call.words[0], *(_turned(word, values, text) for word in call.words[1:])]
        if any(new.text != old.text for new, old in zip(words, call.words, strict=True)):
            yield Call(call.name, words, call.command, call.wrappers, call.open)


def _holds(word: Word, name: str, text: str) -> bool:
    return any(text[start:end] in _spellings(name) for _, start, end in word.pieces)


def _spellings(name: str) -> tuple[str, str]:
    return f"${name}", f"${{{name}}}"


def _turned(word: Word, values: Mapping[str, str], text: str) -> Word:
    spelt = {spelling: value for name, value in values.items() for spelling in _spellings(name)}
    parts: list[str] = []
    at = 0
    for length, start, end in word.pieces:
        parts.append(spelt.get(text[start:end], word.text[at : at + length]))
        at += length
    made = "".join(parts)
    if made == word.text:
        return word
    return replace(word, text=made, pieces=((len(made), word.start, word.end),))
