"""Words as bash makes them: quotes, variables, substitutions, arithmetic, processes."""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Self

from policies.engine.shell.budget import PIECE, VALUE, Work
from policies.engine.shell.expansion import (
    MAX_FIELDS,
    braces,
    edited,
    merged,
    sliced,
    unescape,
)
from policies.engine.shell.model import UNKNOWN, Command, Piece, Word

MAX_LENGTH = 300_000  # characters of one script; the rest is left out
MAX_DEPTH = 40  # substitutions inside substitutions
MAX_PIECES = 2_000  # of one word
MAX_EXPANSION = 10_000  # characters of a `${...}`
MAX_UNSET = 1_000  # names of variables that are remembered
MAX_VALUE = 20_000  # characters of a variable's value

_PLAIN = re.compile(r"[\w./=:@%+,^{}~?*!#\[\]\x7f-\U0010ffff-]+")
_PARAMETER = re.compile(r"(?P<length>#)?(?P<bang>!)?(?P<name>\w+|[@*#?$!_-])(?P<index>\[[^\]]*\])?")
_BRACE_STOP = re.compile(r"[\\'{}\n]")
_WHOLE_ARRAY = re.compile(r"\$\{\w+\[[@*]\]\}|\$\{@\}")
_ARITHMETIC = re.compile(r"\s*(-?\d+)\s*(?:([-+*])\s*(\d+)\s*)?\Z")
_GLOB = re.compile(r"[*?\[]")
_NAMED = re.compile(r"\w+|[@*#?$!-]")
_IN_DOUBLE = re.compile(r'[^"\\$`]+')

HOME_VARIABLES = {
    "HOME": "~",
    "PWD": ".",
    "TMPDIR": "/tmp",  # noqa: S108 - the place a command names, nothing is written
    "TMP": "/tmp",  # noqa: S108
    "TEMP": "/tmp",  # noqa: S108
    "RUNNER_TEMP": "/tmp",  # noqa: S108
    "GITHUB_WORKSPACE": ".",
    "IFS": " ",
    "$": "4711",  # a process id: some number
    "RANDOM": "4711",
    "SECONDS": "1",
    "HISTFILE": "~/.bash_history",
    "EUID": "1000",
    "UID": "1000",
}


class WordReader(ABC):
    """Reads words at `at`; what a substitution runs is read by the reader of commands."""

    def __init__(
        self,
        text: str,
        *,
        evaluate: Callable[[Sequence[Command], WordReader], str | None],
        variables: dict[str, str] | None = None,
        depth: int = 0,
        shift: int = 0,
        work: Work | None = None,
    ) -> None:
        self.text = text[:MAX_LENGTH]
        self.end = len(self.text)
        self.at = 0
        self.shift = shift
        self.depth = depth
        self.evaluate = evaluate
        self.variables = dict(HOME_VARIABLES) if variables is None else variables
        self.aliases: dict[str, str] = {}
        self.commands: list[Command] = []
        self.links: dict[str, str] = {}  # symbolic links that the text has made, and their targets
        self.copies: dict[str, str] = {}  # files, and the programs that they are copies of
        self.turns: dict[str, tuple[str, ...]] = {}  # values of the variables of loops
        self.truncated = len(text) > MAX_LENGTH
        self.cwd = ""
        self.unread = self.end  # where the reading stopped
        self.work = Work() if work is None else work  # shared with the texts inside
        self.until = 0  # up to where PowerShell was read
        self.unset: list[str] = []  # variables that were expanded and are not known

    @abstractmethod
    def block(self, stop: str, feed: Sequence[Command] = ()) -> list[Command]:
        """The commands up to the bracket `stop`, which read what `feed` prints."""

    @abstractmethod
    def child(self, text: str, start: int) -> Self:
        """A reader of a text inside this one, which shares its variables and commands."""

    @abstractmethod
    def read(self) -> list[Command]:
        """Every command of the text."""

    def give_up(self) -> list[Command]:
        """Leave the rest unread, and say so."""
        if not self.truncated:
            self.unread = self.at
        self.truncated = True
        self.at = self.end
        return []

    def cut_with(self, inside: WordReader, start: int) -> None:
        """Be truncated where a text inside this one, which begins at `start`, was."""
        if inside.truncated:
            self.unread = min(self.unread, start)
            self.truncated = True

    def word(self) -> list[Word]:
        """The word at the current place, as the words that expansion makes of it."""
        start = self.at
        feeds: list[Command] = []
        pieces = self.pieces(feeds)
        if not pieces:
            return []
        if len(pieces) == 1 and pieces[0].kind == "plain" and "{" not in pieces[0].text:
            piece = pieces[0]
            where = (len(piece.text), piece.start + self.shift, piece.end + self.shift)
            return [
                Word(
                    piece.text, start + self.shift, self.at + self.shift, (where,),
                    glob=_GLOB.search(piece.text) is not None,
                )
            ]  # fmt: skip
        words = self._fields(pieces, start)
        if feeds and words:
            words[0].feeds = tuple(feeds)
        return braces(words, pieces)

    def _fields(self, pieces: list[Piece], start: int) -> list[Word]:
        words: list[Word] = []
        text, where, glob, quoted = "", list[tuple[int, int, int]](), False, False
        begun = False

        def close() -> None:
            nonlocal text, where, glob, quoted, begun
            if begun:
                end = self.at + self.shift
                words.append(Word(text, start + self.shift, end, tuple(where), glob, quoted))
            text, where, glob, quoted, begun = "", [], False, False, False

        for piece in pieces:
            place = (piece.start + self.shift, piece.end + self.shift)
            if piece.kind == "value":
                for index, part in enumerate(self._split(piece.text)[:MAX_FIELDS]):
                    if index:
                        close()
                    if part:
                        text, begun = text + part, True
                        where.append((len(part), *place))
                        glob |= any(char in part for char in "*?")
                continue
            begun = True
            text += piece.text
            where.append((len(piece.text), *place))
            if piece.kind == "plain":
                glob |= any(char in piece.text for char in "*?[")
            else:
                quoted = True
        close()
        if len(words) > 1:
            self.work.steps += PIECE * len(words)
        return words

    def _split(self, text: str) -> list[str]:
        """The fields of an unquoted expansion, by the separators that the text has set."""
        separators = self.variables.get("IFS", " ")
        if separators in (" ", UNKNOWN, ""):
            return re.split(r"\s+", text, maxsplit=MAX_FIELDS)
        return re.split(f"[\\s{re.escape(separators[:10])}]+", text, maxsplit=MAX_FIELDS)

    def pieces(self, feeds: list[Command] | None = None) -> list[Piece]:
        """The pieces of the word at the current place, unexpanded ones beside values."""
        pieces: list[Piece] = []
        work = self.work
        while self.at < self.end:
            work.steps += PIECE
            if len(pieces) >= MAX_PIECES or work.over:
                self.give_up()
                break
            found = _PLAIN.match(self.text, self.at)
            if found:
                pieces.append(Piece(found.group(), self.at, found.end(), "plain"))
                self.at = found.end()
                continue
            if not self._piece(pieces, feeds):
                break
        return merged(pieces)

    def _piece(self, pieces: list[Piece], feeds: list[Command] | None) -> bool:
        char, start = self.text[self.at], self.at
        if char in " \t\n\r\f;|&)":
            return False
        if char == "\\":
            self._backslash(pieces)
        elif char == "'":
            self._single(pieces, start)
        elif char == '"':
            self.at += 1
            self._double(pieces)
        elif char in "$`":
            self.substitution(pieces, quoted=False)
        elif char in "<>":
            if self.text[start + 1 : start + 2] != "(" or feeds is None:
                return False
            self._process(pieces, feeds)
        elif char == "(":
            if not pieces or pieces[-1].text[-1:] not in ("!", "@", "?", "*", "+"):
                return False
            self._extended_glob(pieces)
        else:
            pieces.append(Piece(char, start, start + 1, "plain"))
            self.at += 1
        return True

    def _backslash(self, pieces: list[Piece]) -> None:
        following = self.text[self.at + 1 : self.at + 2]
        if following not in ("", "\n"):
            pieces.append(Piece(following, self.at, self.at + 2, "quoted"))
        self.at = min(self.end, self.at + 2)

    def _single(self, pieces: list[Piece], start: int) -> None:
        close = self.text.find("'", start + 1)
        close = self.end if close < 0 else close
        pieces.append(Piece(self.text[start + 1 : close], start + 1, close, "quoted"))
        self.at = min(self.end, close + 1)

    def _extended_glob(self, pieces: list[Piece]) -> None:
        close = self.text.find(")", self.at)
        close = self.end - 1 if close < 0 else close
        text = self.text[self.at : close + 1]
        pieces.append(Piece(text.replace("(", "*"), self.at, close + 1, "plain"))
        self.at = close + 1

    def _double(self, pieces: list[Piece]) -> None:
        pattern = _IN_DOUBLE
        empty = True
        while self.at < self.end:
            found = pattern.match(self.text, self.at)
            if found:
                pieces.append(Piece(found.group(), self.at, found.end(), "quoted"))
                self.at = found.end()
                empty = False
                continue
            char = self.text[self.at]
            if char == '"':
                if empty:
                    pieces.append(Piece("", self.at, self.at, "quoted"))
                self.at += 1
                return
            empty = False
            if char == "\\":
                following = self.text[self.at + 1 : self.at + 2]
                if following == "\n":
                    pass
                elif following in '$`"\\':
                    pieces.append(Piece(following, self.at, self.at + 2, "quoted"))
                else:
                    pieces.append(Piece("\\" + following, self.at, self.at + 2, "quoted"))
                self.at = min(self.end, self.at + 2)
            else:
                before = self.at
                self.substitution(pieces, quoted=True)
                self.at += self.at == before

    def _process(self, pieces: list[Piece], feeds: list[Command]) -> None:
        start = self.at
        into = self.text[start] == ">"
        self.at += 2
        commands = self.block(")")
        if not into:
            feeds.extend(commands)
        pieces.append(Piece(UNKNOWN, start, self.at, "fixed"))

    # Expansions ----------------------------------------------------------------------------

    def substitution(self, pieces: list[Piece], *, quoted: bool) -> None:
        """Read what begins with a dollar sign or a backtick, and add its value."""
        start = self.at
        kind = "fixed" if quoted else "value"
        if self.text[start] == "`":
            value = self._backtick()
        elif self.text.startswith("$((", start):
            value = self._arithmetic()
        elif self.text.startswith("$(", start):
            self.at += 2
            value = self._output(self.block(")"))
        elif self.text.startswith("${", start):
            kind = "value" if _WHOLE_ARRAY.match(self.text, start) else kind
            self.at += 2
            value = self._parameter()
        elif self.text.startswith("$'", start) and not quoted:
            value, kind = self._ansi(), "quoted"
        elif self.text.startswith('$"', start) and not quoted:
            self.at += 2
            self._double(pieces)
            return
        else:
            found = _NAMED.match(self.text, start + 1)
            if found is None:
                pieces.append(Piece("$", start, start + 1, "quoted"))
                self.at += 1
                return
            name = found.group() if not found.group()[0].isdigit() else found.group()[0]
            kind = "value" if name == "@" else kind
            self.at = start + 1 + len(name)
            value = self._value(name)
        self.work.steps += len(value) // VALUE
        pieces.append(Piece(value[:MAX_VALUE], start, self.at, kind))

    def _value(self, name: str) -> str:
        if name in self.variables:
            return self.variables[name]
        if len(self.unset) < MAX_UNSET:
            self.unset.append(name)
        return UNKNOWN

    def _output(self, commands: Sequence[Command]) -> str:
        if self.text[self.at - 2 : self.at] == "()":
            return ""
        output = self.evaluate(commands, self) if commands else None
        return UNKNOWN if output is None else output.rstrip("\n")

    def _backtick(self) -> str:
        close = self.at + 1
        while close < self.end and self.text[close] != "`":
            close += 2 if self.text[close] == "\\" else 1
        close = min(close, self.end)
        inside = self.text[self.at + 1 : close]
        start, self.at = self.at + 1, min(self.end, close + 1)
        if self.depth >= MAX_DEPTH:
            self.give_up()
            return UNKNOWN
        reader = self.child(re.sub(r"\\([`$\\])", r"\1", inside), start)
        count = len(self.commands)
        reader.read()
        self.cut_with(reader, start)
        return self._output(self.commands[count:])

    def _arithmetic(self) -> str:
        end = self.text.find("))", self.at)
        inside = self.text[self.at + 3 : end] if end >= 0 else ""
        if end < 0 or ";" in inside or "\n" in inside:
            self.at += 2  # `$( (a); b )` without the blank
            self.block(")")
            return UNKNOWN
        if "$(" in inside or "`" in inside:
            return self._calculated()
        self.at = end + 2
        found = _ARITHMETIC.match(inside)
        if found is None or len(inside) > 30:
            return UNKNOWN
        one, operator, two = int(found.group(1)), found.group(2), int(found.group(3) or 0)
        return str({"+": one + two, "-": one - two, "*": one * two, None: one}[operator])

    def _calculated(self) -> str:
        """Arithmetic that holds substitutions: they are read, its value is not known."""
        self.at += 3
        depth, pieces = 2, list[Piece]()
        while self.at < self.end and depth:
            char = self.text[self.at]
            if char in "$`":
                before = self.at
                self.substitution(pieces, quoted=True)
                self.at += self.at == before
                continue
            depth += (char == "(") - (char == ")")
            self.at += 1
        return UNKNOWN

    def _ansi(self) -> str:
        start = self.at + 2
        close = start
        while close < self.end and self.text[close] != "'":
            close += 2 if self.text[close] == "\\" else 1
        close = min(close, self.end)
        self.at = min(self.end, close + 1)
        return unescape(self.text[start:close])

    def _parameter(self) -> str:
        """`${...}` after its opening brace."""
        found = _PARAMETER.match(self.text, self.at)
        if found is None:
            self._close_brace()
            return UNKNOWN
        self.at = found.end()
        name = found.group("name")
        value = self.variables.get(name)
        rest_start = self.at
        rest = self._close_brace()
        if found.group("bang") and value is not None and not rest:
            return self._value(value)
        if found.group("length"):
            return UNKNOWN if value is None or UNKNOWN in value else str(len(value))
        index = found.group("index")
        if index and value is not None and index[1:-1].isdigit() and len(index) < 6:
            items = value.split()
            value = items[int(index[1:-1])] if int(index[1:-1]) < len(items) else ""
        return self._modified(name, value, rest, rest_start)

    def _modified(self, name: str, value: str | None, rest: str, start: int) -> str:
        if name == "IFS":
            return " "
        if not rest:
            return UNKNOWN if value is None else value
        if rest[0] in ":-=+?":
            operator = rest[1:2] if rest[0] == ":" else rest[0]
            word = rest[2:] if rest[0] == ":" else rest[1:]
            if operator in ("-", "="):
                return value if value else self._expanded(word, start)
            if operator == "+":
                return self._expanded(word, start) if value else ("" if value == "" else UNKNOWN)
            if operator == "?":
                return UNKNOWN if value is None else value
            return sliced(value, rest[1:])
        if value is None or UNKNOWN in value:
            return UNKNOWN
        self.work.steps += len(value) // VALUE
        return edited(value, rest)

    def _expanded(self, word: str, start: int) -> str:
        if self.depth >= MAX_DEPTH:
            self.give_up()
            return UNKNOWN
        reader = self.child(word, start)
        text = "".join(piece.text for piece in reader.pieces())
        self.cut_with(reader, start)
        return text

    def _close_brace(self) -> str:
        """Move behind the brace that closes an expansion; the text up to it."""
        start, depth = self.at, 1
        limit = min(self.end, start + MAX_EXPANSION)
        while found := _BRACE_STOP.search(self.text, self.at, limit):
            self.at = found.start()
            char = self.text[self.at]
            if char == "\\":
                self.at += 1
            elif char == "'":
                close = self.text.find("'", self.at + 1)
                if close < 0:
                    break
                self.at = close
            elif char == "{" and self.text[self.at - 1] == "$":
                depth += 1
            elif char == "}":
                depth -= 1
                if depth == 0:
                    self.at += 1
                    return self.text[start : self.at - 1]
            elif char == "\n" and depth == 1 and self.at - start > 2_000:
                break
            self.at += 1
        if limit < self.end:
            self.give_up()
            return self.text[start:limit]
        self.at = self.end
        return self.text[start : self.end]
