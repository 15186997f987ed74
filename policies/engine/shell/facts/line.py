"""The fact of a command as a whole: its program and arguments in one line."""

from __future__ import annotations

from policies.engine.shell.call import Call
from policies.engine.shell.model import UNKNOWN

UNTOLD = "$?"  # a piece that the text does not tell
LEFT_OUT = "…"  # a word, or the end of a line, that is too long to be shown
MAX_SHORT = 1_000  # characters of a line whose words are not looked at one by one
MAX_WORD = 200  # characters of one argument; a part of it could be a part of a secret
MAX_LINE = 10_000  # characters


def line(name: str, call: Call) -> str:
    """`name` and the arguments as the program gets them, quoted where one holds a blank.

    One line for each command, so that a policy can ask for what stands together.
    """
    arguments = call.arguments
    text = " ".join((name, *arguments))
    if len(text) > MAX_SHORT or len(text.split()) != len(arguments) + 1:
        text = _long(name, arguments)
    if call.open:
        text = f"{text} {UNTOLD}"
    return text.replace(UNKNOWN, UNTOLD) if not text.isascii() else text


def _long(name: str, arguments: list[str]) -> str:
    parts = [name]
    length = len(name)
    for word in arguments:
        shown = _shown(word)
        length += len(shown) + 1
        if length > MAX_LINE:
            parts.append(LEFT_OUT)
            break
        parts.append(shown)
    return " ".join(parts)


def _shown(word: str) -> str:
    if len(word) > MAX_WORD:
        return LEFT_OUT
    if word and len(word.split()) == 1 and word == word.strip():
        return word
    quoted = word.replace("'", "'\\''")
    return f"'{quoted}'"
