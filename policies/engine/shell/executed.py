"""Which files a call runs or sources: what was written into them earlier counts then."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from policies.engine.language import word_set
from policies.engine.shell.call import SHELLS, Call
from policies.engine.shell.model import UNKNOWN, Word, join

_SOURCING = frozenset(["source", "."])
_INTERPRETERS = word_set(
    "python python2 python3 node nodejs deno bun ruby perl php lua pwsh powershell Rscript tclsh "
    "osascript ts-node tsx"
)
# Options that give a program as text or as a module, and clients that run files of statements.
_NO_FILE = frozenset(["-c", "-e", "-m", "-p", "-r", "-E", "--eval", "--print", "-Command"])
_FILE_OPTIONS = {
    "psql": ("-f", "--file"), "sqlite3": ("-init",), "sqlcmd": ("-i",), "make": ("-f", "--file"),
    "gmake": ("-f", "--file"), "awk": ("-f",), "gawk": ("-f",), "sed": ("-f",),
    "mongosh": ("--file", "-f"), "cqlsh": ("-f",), "duckdb": ("-f", "-init"),
}  # fmt: skip
_VERBS = {"deno": ("run",), "bun": ("run", "x")}
_READS_STATEMENTS = SHELLS | word_set("psql mysql mariadb sqlite3 sqlcmd duckdb clickhouse-client")


def executed(call: Call) -> Iterator[tuple[Word, str]]:
    """The words that name files which `call` runs, and their paths as far as they are known."""
    for word, text in _named(call):
        if text and UNKNOWN not in text and text != "-":
            yield word, join(call.command.cwd, text)


def _named(call: Call) -> Iterator[tuple[Word, str]]:
    name, words = call.name, call.words
    if words and "/" in words[0].text:
        yield words[0], words[0].text
    if name in _SOURCING:
        yield from ((word, word.text) for word in words[1:2])
    elif name in SHELLS or name in _INTERPRETERS:
        yield from _program(call)
    for option in _FILE_OPTIONS.get(name, ()):
        yield from _value(call, option)
    if name in _READS_STATEMENTS:
        for redirect in call.command.redirects:
            if redirect.operator == "<" and redirect.target is not None:
                yield redirect.target, redirect.target.text


def _program(call: Call) -> Iterator[tuple[Word, str]]:
    """The file that an interpreter is given, unless the program stands in the command."""
    for word in call.words[1:]:
        if word.text in _NO_FILE:
            return
        if word.text.startswith(("-", "+")) or word.text in _VERBS.get(call.name, ()):
            continue
        yield word, word.text
        return


def _value(call: Call, option: str) -> Iterator[tuple[Word, str]]:
    for word, following in pairwise(call.words[1:]):
        if word.text == option:
            yield following, following.text
    for word in call.words[1:]:
        if word.text.startswith(option + "="):
            yield word, word.text.removeprefix(option + "=")
