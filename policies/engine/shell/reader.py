"""A reader of shell: commands with resolved words, pipelines, redirections and here-documents.

One pass from left to right with a bounded depth, so that its time is linear for any input; it
resolves quotes, assigned variables, substitutions whose output is known, braces and ANSI-C strings
while it reads. What it cannot know stands in a word as `UNKNOWN`. It accepts bash, and what sh and
zsh share with it; what is no shell at all still gives commands, which the rules then do not know.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from policies.engine.language import word_set

UNKNOWN = "\ue000"  # in a word: a piece whose value the text does not tell

MAX_LENGTH = 300_000  # characters of one script; the rest is left out
MAX_DEPTH = 40  # substitutions inside substitutions
MAX_COMMANDS = 5_000  # of one script
MAX_FIELDS = 2_000  # words that expansion makes out of one
MAX_TEST = 2_000  # characters of a [[ ... ]]
MAX_BRACES = 200  # words that the braces of one word make
MAX_BRACED = 1_000  # characters of a word whose braces are expanded
MAX_VALUE = 20_000  # characters of a variable's value

_PLAIN = re.compile(r"[\w./=:@%+,^\]\x7f-\uffff-]+")
_BLANK = re.compile(r"(?:[ \t\r\f]|\\\r?\n)+")
_NAME = re.compile(r"[A-Za-z_]\w*")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(\[[^\]]*\])?(\+?)=")
_REDIRECT = re.compile(r"(\d*)(<<<|<<-|<<|<>|<&|<|>>|>&|>\||>)|(&>>|&>)")
_PARAMETER = re.compile(r"(?P<length>#)?(?P<bang>!)?(?P<name>\w+|[@*#?$!_-])(?P<index>\[[^\]]*\])?")
_ESCAPE = re.compile(
    r"\\(?:x([0-9a-fA-F]{1,2})|u([0-9a-fA-F]{1,4})|U([0-9a-fA-F]{1,8})|([0-7]{1,3})|c(.)|(.))",
    re.DOTALL,
)
_CONTROL = {"n": "\n", "t": "\t", "r": "\r", "a": "\a", "b": "\b", "e": "\x1b", "E": "\x1b",
            "f": "\f", "v": "\v"}  # fmt: skip
_SKIPPED = word_set("if then else elif fi while until do done ! time esac } coproc")  # fmt: skip
_BLOCK_ENDS = frozenset(["fi", "done", "esac", "}"])
_ARITHMETIC = re.compile(r"\s*(-?\d+)\s*(?:([-+*])\s*(\d+)\s*)?\Z")

HOME_VARIABLES = {
    "HOME": "~",
    "PWD": ".",
    "TMPDIR": "/tmp",  # noqa: S108 - the place a command names, nothing is written
    "TMP": "/tmp",  # noqa: S108
    "TEMP": "/tmp",  # noqa: S108
    "RUNNER_TEMP": "/tmp",  # noqa: S108
    "GITHUB_WORKSPACE": ".",
    "IFS": " ",
}


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

    def offsets(self) -> list[int]:
        """Where each character (and the end) stood in the source."""
        places: list[int] = []
        for length, start, end in self.pieces:
            if end - start == length:
                places.extend(range(start, end))
            else:
                places.extend(start + index * (end - start) // length for index in range(length))
        places.append(self.end)
        return places

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


@dataclass(slots=True)
class _Piece:
    text: str
    start: int
    end: int
    kind: str  # plain, quoted, value (unquoted expansion: is split), fixed (quoted expansion)


class Reader:
    """Reads `text`; `commands` holds every simple command, those in substitutions first."""

    def __init__(
        self,
        text: str,
        *,
        evaluate: Callable[[Sequence[Command], Reader], str | None],
        variables: dict[str, str] | None = None,
        depth: int = 0,
        shift: int = 0,
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
        self.truncated = len(text) > MAX_LENGTH
        self.cwd = ""
        self._pending: list[tuple[Redirect, str, bool]] = []

    # Lists and pipelines -------------------------------------------------------------------

    def read(self) -> list[Command]:
        """Every command of the text."""
        while self.at < self.end and not self._full():
            before = self.at
            self._list("")
            if self.at == before:
                self.at += 1  # a closing bracket that nobody opened
        return self.commands

    def _full(self) -> bool:
        if len(self.commands) >= MAX_COMMANDS:
            self.truncated = True
            self.at = self.end
        return self.truncated and self.at >= self.end

    def _list(self, stop: str) -> list[Command]:
        """Commands up to the character `stop` (consumed); returns those at this level."""
        found: list[Command] = []
        stage: list[Command] = []
        source: Sequence[Command] = ()
        while self.at < self.end and not self._full():
            self._blank()
            char = self.text[self.at : self.at + 1]
            if not char:
                break
            if char == stop and stop:
                self.at += 1
                break
            if char in ")}" and stop and char != stop and char == ")":
                break
            if char == "|" and self.text[self.at : self.at + 2] != "||":
                self.at += 2 if self.text[self.at : self.at + 2] == "|&" else 1
                for command in stage:
                    command.piped = True
                source, stage = tuple(stage), []
                continue
            if char in ";&|\n":
                self._separator(char)
                source, stage = (), []
                continue
            if char == ")":
                break
            made = self._element(source)
            if made is None:
                break
            if len(made) == 1 and made[0].loop and not made[0].words:
                stage = [*stage, *found[-20:], *made]  # a block ended: all of it feeds the pipe
                continue
            stage = [*stage, *made] if made and stage and not source else (made or stage)
            found.extend(made)
        return found

    def _separator(self, char: str) -> None:
        if char == "\n":
            self.at += 1
            self._bodies()
            return
        self.at += 1
        while self.at < self.end and self.text[self.at] in ";&|":
            self.at += 1

    def _blank(self) -> None:
        while found := _BLANK.match(self.text, self.at):
            self.at = found.end()
        if self.text.startswith("#", self.at) and (
            self.at == 0 or self.text[self.at - 1] in " \t\n;|&("
        ):
            end = self.text.find("\n", self.at)
            self.at = self.end if end < 0 else end

    def _element(self, source: Sequence[Command]) -> list[Command] | None:
        """One command, or the commands of a block."""
        char = self.text[self.at]
        if char == "(":
            self.at += 1
            if self.text.startswith("(", self.at):  # (( arithmetic ))
                return self._skip_arithmetic()
            return self._block(")")
        if char == "{" and self.text[self.at + 1 : self.at + 2] in (" ", "\n", "\t"):
            self.at += 1
            return self._block("}")
        return self._simple(source)

    def _block(self, stop: str) -> list[Command]:
        if self.depth >= MAX_DEPTH:
            return self._give_up()
        self.depth += 1
        cwd = self.cwd
        found = self._list(stop)
        if stop == ")":
            self.cwd = cwd
        self.depth -= 1
        return found

    def _give_up(self) -> list[Command]:
        self.truncated = True
        self.at = self.end
        return []

    def _skip_arithmetic(self) -> list[Command]:
        end = self.text.find("))", self.at)
        self.at = self.end if end < 0 else end + 2
        return []

    # Simple commands -----------------------------------------------------------------------

    def _simple(self, source: Sequence[Command]) -> list[Command]:
        command = Command(words=[], start=self.at, end=self.at, source=source, cwd=self.cwd)
        while self.at < self.end:
            self._blank()
            char = self.text[self.at : self.at + 1]
            if (
                not char
                or char in ";|\n)"
                or (char == "&" and self.text[self.at + 1 : self.at + 2] != ">")
            ):
                break
            if char == "(":
                if not self._function(command):
                    break
                return []
            redirect = _REDIRECT.match(self.text, self.at)
            process = char in "<>" and self.text[self.at + 1 : self.at + 2] == "("
            if redirect and not process:
                self._redirect(command, redirect)
                continue
            if not command.words and self._assignment(command):
                continue
            before = self.at
            command.words.extend(self._word())
            if self.at == before:
                self.at += 1
            command.end = self.at
            if len(command.words) == 1 and (done := self._keyword(command)) is not None:
                return done
        return self._finish(command)

    def _keyword(self, command: Command) -> list[Command] | None:
        """What to do when the first word is a reserved one; None for an ordinary command."""
        word = command.words[0]
        if word.quoted:
            return None
        if word.text in _SKIPPED:
            if word.text in _BLOCK_ENDS:
                command.words.clear()
                command.loop = True
                return [command]
            command.words.clear()
            command.start = self.at
            return None
        if word.text in ("for", "select"):
            return self._for()
        if word.text == "case":
            return self._case()
        if word.text == "function":
            self._blank()
            self._word()
            return []
        if word.text == "[[":
            return self._test()
        return None

    def _for(self) -> list[Command]:
        self._blank()
        if self.text.startswith("((", self.at):
            return self._skip_arithmetic()
        name = _NAME.match(self.text, self.at)
        if name is None:
            return []
        self.at = name.end()
        self._blank()
        values: list[Word] = []
        if self.text.startswith("in", self.at):
            self.at += 2
            while self.at < self.end:
                self._blank()
                if self.text[self.at : self.at + 1] in ("", ";", "\n", ")", "&", "|"):
                    break
                before = self.at
                values.extend(self._word())
                self.at += self.at == before
        self.variables[name.group()] = values[0].text if len(values) == 1 else UNKNOWN
        if values and len(values) < 50 and all(value.known for value in values):
            # Each turn is another value: the broadest one is what the rules must see.
            self.variables[name.group()] = min((value.text for value in values), key=_breadth)
        return []

    def _case(self) -> list[Command]:
        self._blank()
        self._word()
        self._blank()
        if self.text.startswith("in", self.at):
            self.at += 2
        self._pattern()
        return []

    def _pattern(self) -> None:
        """Skip the pattern of a case branch, up to its bracket."""
        found = re.compile(r"[\s(]*(?:esac\b|[^)\n;&]*\))").match(self.text, self.at)
        if found and not found.group().strip().startswith("esac"):
            self.at = found.end()

    def _test(self) -> list[Command]:
        end = self.text.find("]]", self.at, self.at + MAX_TEST)
        newline = self.text.find("\n", self.at, self.at + MAX_TEST)
        if end < 0 or 0 <= newline < end:
            return []
        inside = self.text[self.at : end]
        if "$(" in inside or "`" in inside:
            self._nested(inside, self.at)
        self.at = end + 2
        return []

    def _function(self, command: Command) -> bool:
        """`name() ...`: the body is read as commands where it stands."""
        if len(command.words) == 1 and re.compile(r"\(\s*\)").match(self.text, self.at):
            self.at = self.text.index(")", self.at) + 1
            return True
        return False

    def _finish(self, command: Command) -> list[Command]:
        if not command.words and not command.redirects:
            self.variables.update(command.assignments)
            return []
        if len(self.commands) < MAX_COMMANDS:
            command.start += self.shift
            command.end += self.shift
            self._alias(command)
            self.commands.append(command)
            self._effects(command)
        else:
            self.truncated = True
        return [command]

    def _alias(self, command: Command) -> None:
        value = self.aliases.get(command.words[0].text) if command.words else None
        if value:
            first = command.words[0]
            made = [
                Word(part, first.start, first.end, ((len(part), first.start, first.end),))
                for part in value.split()
            ]
            command.words[:1] = made

    def _effects(self, command: Command) -> None:
        """What a command changes for those after it: directory, variables, aliases."""
        words = command.words
        while words and words[0].text in ("builtin", "command"):
            words = words[1:]
        name = words[0].text if words else ""
        if name in ("cd", "pushd") and not command.piped:
            target = next((word.text for word in words[1:] if not word.text.startswith("-")), "~")
            self.cwd = join(self.cwd, target)
        elif name in ("export", "declare", "local", "readonly", "typeset", "alias", "set", "env"):
            for word in words[1:]:
                key, equals, value = word.text.partition("=")
                if equals and name == "alias":
                    self.aliases[key] = value
                elif equals and name not in ("env", "set"):
                    self.variables[key] = value[:MAX_VALUE]
        elif name == "read":
            for word in words[1:]:
                self.variables[word.text] = UNKNOWN
        elif name == "unset":
            for word in words[1:]:
                self.variables.pop(word.text, None)

    def _assignment(self, command: Command) -> bool:
        found = _ASSIGNMENT.match(self.text, self.at)
        if found is None:
            return False
        name, self.at = found.group(1), found.end()
        if self.text.startswith("(", self.at):
            value = " ".join(word.text for word in self._array())
        else:
            value = "".join(piece.text for piece in self.pieces())
        old = self.variables.get(name, "") if found.group(3) else ""
        command.assignments[name] = (old + value)[:MAX_VALUE]
        if name in HOME_VARIABLES:
            # The shell would still expand the old value here; the new one is what the author means.
            self.variables[name] = command.assignments[name]
        command.end = self.at
        return True

    def _array(self) -> list[Word]:
        self.at += 1
        words: list[Word] = []
        while self.at < self.end and len(words) < MAX_FIELDS:
            self._blank()
            char = self.text[self.at : self.at + 1]
            if char == ")":
                self.at += 1
                break
            before = self.at
            words.extend(self._word())
            self.at += self.at == before
        return words

    # Redirections --------------------------------------------------------------------------

    def _redirect(self, command: Command, found: re.Match[str]) -> None:
        operator = found.group(2) or found.group(3)
        self.at = found.end()
        self._blank()
        redirect = Redirect(operator=operator, descriptor=found.group(1) or "")
        words = self._word()
        if operator in ("<<", "<<-"):
            quoted = bool(words and words[0].quoted)
            mark = words[0].text if words else ""
            redirect.expands = not quoted
            self._pending.append((redirect, mark, operator == "<<-"))
        elif words:
            redirect.target = words[0]
        command.redirects.append(redirect)
        command.end = self.at

    def _bodies(self) -> None:
        """Read the here-documents that begin on this line."""
        pending, self._pending = self._pending, []
        for redirect, mark, tabs in pending:
            start = self.at
            while True:
                end = self.text.find("\n", self.at)
                line = self.text[self.at : self.end if end < 0 else end]
                stripped = line.lstrip("\t") if tabs else line
                if stripped.rstrip("\r") == mark or end < 0:
                    body_end = self.at if stripped.rstrip("\r") == mark else self.end
                    self.at = self.end if end < 0 else end + 1
                    break
                self.at = end + 1
            redirect.body = (start + self.shift, body_end + self.shift)
            inside = self.text[start:body_end]
            if redirect.expands and ("$(" in inside or "`" in inside):
                self._nested(inside, start)

    def _nested(self, inside: str, start: int) -> None:
        """Read the substitutions of a text that is no command itself."""
        reader = self._child(inside, start)
        pieces: list[_Piece] = []
        while reader.at < reader.end:
            if reader.text[reader.at] in "$`":
                before = reader.at
                reader.substitution(pieces, quoted=True)
                reader.at += reader.at == before
            else:
                reader.at += 1

    def _child(self, text: str, start: int) -> Reader:
        reader = Reader(
            text,
            evaluate=self.evaluate,
            variables=self.variables,
            depth=self.depth + 1,
            shift=self.shift + start,
        )
        reader.commands, reader.cwd, reader.aliases = self.commands, self.cwd, self.aliases
        return reader

    # Words ---------------------------------------------------------------------------------

    def _word(self) -> list[Word]:
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
                    glob=any(char in piece.text for char in "*?["),
                )
            ]  # fmt: skip
        words = self._fields(pieces, start)
        if feeds and words:
            words[0].feeds = tuple(feeds)
        return _braces(words, pieces)

    def _fields(self, pieces: list[_Piece], start: int) -> list[Word]:
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
                for index, part in enumerate(re.split(r"\s+", piece.text)[:MAX_FIELDS]):
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
        return words

    def pieces(self, feeds: list[Command] | None = None) -> list[_Piece]:
        pieces: list[_Piece] = []
        while self.at < self.end:
            found = _PLAIN.match(self.text, self.at)
            if found:
                pieces.append(_Piece(found.group(), self.at, found.end(), "plain"))
                self.at = found.end()
                continue
            if not self._piece(pieces, feeds):
                break
        return _merged(pieces)

    def _piece(self, pieces: list[_Piece], feeds: list[Command] | None) -> bool:
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
            pieces.append(_Piece(char, start, start + 1, "plain"))
            self.at += 1
        return True

    def _backslash(self, pieces: list[_Piece]) -> None:
        following = self.text[self.at + 1 : self.at + 2]
        if following not in ("", "\n"):
            pieces.append(_Piece(following, self.at, self.at + 2, "quoted"))
        self.at = min(self.end, self.at + 2)

    def _single(self, pieces: list[_Piece], start: int) -> None:
        close = self.text.find("'", start + 1)
        close = self.end if close < 0 else close
        pieces.append(_Piece(self.text[start + 1 : close], start + 1, close, "quoted"))
        self.at = min(self.end, close + 1)

    def _extended_glob(self, pieces: list[_Piece]) -> None:
        close = self.text.find(")", self.at)
        close = self.end - 1 if close < 0 else close
        text = self.text[self.at : close + 1]
        pieces.append(_Piece(text.replace("(", "*"), self.at, close + 1, "plain"))
        self.at = close + 1

    def _double(self, pieces: list[_Piece]) -> None:
        pattern = _IN_DOUBLE
        empty = True
        while self.at < self.end:
            found = pattern.match(self.text, self.at)
            if found:
                pieces.append(_Piece(found.group(), self.at, found.end(), "quoted"))
                self.at = found.end()
                empty = False
                continue
            char = self.text[self.at]
            if char == '"':
                if empty:
                    pieces.append(_Piece("", self.at, self.at, "quoted"))
                self.at += 1
                return
            empty = False
            if char == "\\":
                following = self.text[self.at + 1 : self.at + 2]
                if following == "\n":
                    pass
                elif following in '$`"\\':
                    pieces.append(_Piece(following, self.at, self.at + 2, "quoted"))
                else:
                    pieces.append(_Piece("\\" + following, self.at, self.at + 2, "quoted"))
                self.at = min(self.end, self.at + 2)
            else:
                before = self.at
                self.substitution(pieces, quoted=True)
                self.at += self.at == before

    def _process(self, pieces: list[_Piece], feeds: list[Command]) -> None:
        start = self.at
        into = self.text[start] == ">"
        self.at += 2
        commands = self._block(")")
        if not into:
            feeds.extend(commands)
        pieces.append(_Piece(UNKNOWN, start, self.at, "fixed"))

    # Expansions ----------------------------------------------------------------------------

    def substitution(self, pieces: list[_Piece], *, quoted: bool) -> None:
        start = self.at
        kind = "fixed" if quoted else "value"
        if self.text[start] == "`":
            value = self._backtick()
        elif self.text.startswith("$((", start):
            value = self._arithmetic()
        elif self.text.startswith("$(", start):
            self.at += 2
            value = self._output(self._block(")"))
        elif self.text.startswith("${", start):
            self.at += 2
            value = self._parameter()
        elif self.text.startswith("$'", start) and not quoted:
            value, kind = self._ansi(), "quoted"
        elif self.text.startswith('$"', start) and not quoted:
            self.at += 2
            self._double(pieces)
            return
        else:
            found = re.compile(r"\w+|[@*#?$!-]").match(self.text, start + 1)
            if found is None:
                pieces.append(_Piece("$", start, start + 1, "quoted"))
                self.at += 1
                return
            name = found.group() if not found.group()[0].isdigit() else found.group()[0]
            self.at = start + 1 + len(name)
            value = self._value(name)
        pieces.append(_Piece(value[:MAX_VALUE], start, self.at, kind))

    def _value(self, name: str) -> str:
        if name in self.variables:
            return self.variables[name]
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
            self._give_up()
            return UNKNOWN
        reader = self._child(re.sub(r"\\([`$\\])", r"\1", inside), start)
        count = len(self.commands)
        reader.read()
        self.truncated |= reader.truncated
        return self._output(self.commands[count:])

    def _arithmetic(self) -> str:
        end = self.text.find("))", self.at)
        inside = self.text[self.at + 3 : end] if end >= 0 else ""
        if end < 0 or "$(" in inside or "`" in inside:
            self.at += 2
            self._block(")")
            return UNKNOWN
        self.at = end + 2
        found = _ARITHMETIC.match(inside)
        if found is None or len(inside) > 30:
            return UNKNOWN
        one, operator, two = int(found.group(1)), found.group(2), int(found.group(3) or 0)
        return str({"+": one + two, "-": one - two, "*": one * two, None: one}[operator])

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
            return _slice(value, rest[1:])
        if value is None or UNKNOWN in value:
            return UNKNOWN
        return _edited(value, rest)

    def _expanded(self, word: str, start: int) -> str:
        if self.depth >= MAX_DEPTH:
            self._give_up()
            return UNKNOWN
        reader = self._child(word, start)
        return "".join(piece.text for piece in reader.pieces())

    def _close_brace(self) -> str:
        """Move behind the brace that closes an expansion; the text up to it."""
        start, depth = self.at, 1
        while self.at < self.end:
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
        self.at = self.end
        return self.text[start : self.end]


_IN_DOUBLE = re.compile(r'[^"\\$`]+')


def _breadth(path: str) -> int:
    return len(path.strip("/").split("/")) if path.strip("/.") else 0


def _merged(pieces: list[_Piece]) -> list[_Piece]:
    """Neighbours of the same kind as one, so that a plain word has one piece."""
    if len(pieces) < 2:
        return pieces
    merged = [pieces[0]]
    for piece in pieces[1:]:
        last = merged[-1]
        exact = last.end - last.start == len(last.text) and last.end == piece.start
        if piece.kind == last.kind == "plain" and exact:
            merged[-1] = _Piece(last.text + piece.text, last.start, piece.end, "plain")
        elif (
            piece.kind == last.kind == "quoted"
            and exact
            and piece.end - piece.start == len(piece.text)
        ):
            merged[-1] = _Piece(last.text + piece.text, last.start, piece.end, "quoted")
        else:
            merged.append(piece)
    return merged


def _slice(value: str | None, rest: str) -> str:
    """`${name:offset:length}`."""
    if value is None or UNKNOWN in value:
        return UNKNOWN
    found = re.match(r"\s*\(?(-?\d+)\)?(?::(-?\d+))?\Z", rest)
    if found is None:
        return UNKNOWN
    tail = value[int(found.group(1)) :]
    return tail[: int(found.group(2))] if found.group(2) else tail


def _edited(value: str, rest: str) -> str:
    """`${name#x}`, `${name%x}`, `${name/x/y}`, `${name^^}` and `${name,,}`."""
    if rest in ("^^", "^"):
        return value.upper() if rest == "^^" else value[:1].upper() + value[1:]
    if rest in (",,", ","):
        return value.lower() if rest == ",," else value[:1].lower() + value[1:]
    if rest in ("@Q", "@E", "@P"):
        return value
    if rest[0] == "/" and "*" not in rest and "?" not in rest and "[" not in rest:
        old, _, new = rest.lstrip("/").partition("/")
        return value.replace(old, new, -1 if rest.startswith("//") else 1) if old else value
    pattern = rest.lstrip("#%")
    if rest[0] == "#" and not any(char in pattern for char in "*?["):
        return value.removeprefix(pattern)
    if rest[0] == "%" and set(pattern) == {"?"}:
        return value[: -len(pattern)]
    if rest[0] == "%" and not any(char in pattern for char in "*?["):
        return value.removesuffix(pattern)
    if rest[0] == "#" and set(pattern) == {"?"}:
        return value[len(pattern) :]
    return UNKNOWN


def _braces(words: list[Word], pieces: list[_Piece]) -> list[Word]:
    """Brace expansion of words with an unquoted `{a,b}`; one level of nesting."""
    if not any(piece.kind == "plain" and "{" in piece.text for piece in pieces):
        return words
    expanded: list[Word] = []
    for word in words:
        texts = _brace(word.text)
        if texts == [word.text]:
            expanded.append(word)
            continue
        for text in texts[:MAX_FIELDS]:
            where = ((len(text), word.start, word.end),)
            expanded.append(Word(text, word.start, word.end, where, word.glob, word.quoted))
    return expanded


def _brace(text: str) -> list[str]:
    done: list[str] = []
    todo = [text]
    while todo and len(text) <= MAX_BRACED and len(done) + len(todo) < MAX_BRACES:
        current = todo.pop(0)
        found = re.search(r"\{([^{}\s]*,[^{}\s]*)\}", current)
        span = re.search(r"\{(\d{1,4}|[a-zA-Z])\.\.(\d{1,4}|[a-zA-Z])\}", current)
        if found:
            head, tail = current[: found.start()], current[found.end() :]
            todo.extend(head + option + tail for option in found.group(1).split(","))
        elif span:
            head, tail = current[: span.start()], current[span.end() :]
            todo.extend(head + option + tail for option in (span.group(1), span.group(2)))
        else:
            done.append(current)
    return [part for part in done + todo if part] or [text]


def unescape(text: str) -> str:
    """ANSI-C escapes (`\\x72`, `\\162`, `\\n`), as in `$'...'`, `printf` and `echo -e`."""

    def replace(found: re.Match[str]) -> str:
        for group, base in ((1, 16), (2, 16), (3, 16), (4, 8)):
            if found.group(group):
                code = int(found.group(group), base)
                return chr(code) if code < 0x110000 else ""
        if found.group(5):
            return chr(ord(found.group(5)[0]) & 0x1F)
        return _CONTROL.get(
            found.group(6), found.group(6) if found.group(6) in "\\'\"?" else "\\" + found.group(6)
        )

    return _ESCAPE.sub(replace, text)


def join(cwd: str, path: str) -> str:
    """`path` as seen from `cwd`, normalised; `..` stays where it leads out of a relative one."""
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
