"""A reader of shell: commands with resolved words, pipelines, redirections and here-documents.

One pass from left to right with a bounded depth, so that its time is linear for any input; it
resolves quotes, assigned variables, substitutions whose output is known, braces and ANSI-C strings
while it reads. What it cannot know stands in a word as `UNKNOWN`. It accepts bash, and what sh and
zsh share with it; what is no shell at all still gives commands, which the rules then do not know.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from typing import Self

from policies.engine.language import word_set
from policies.engine.shell.budget import CHILD, COMMAND, MAX_CHILDREN, PIECE, WORD, Work
from policies.engine.shell.expansion import MAX_FIELDS
from policies.engine.shell.flow import found_secret
from policies.engine.shell.model import UNKNOWN, Command, Piece, Redirect, Word, join
from policies.engine.shell.words import (
    HOME_VARIABLES,
    MAX_DEPTH,
    MAX_VALUE,
    WordReader,
)

MAX_COMMANDS = 1_000  # of one script
MAX_ELEMENTS = 10_000  # steps of one list: commands, separators, blocks
MAX_WORDS = 2_000  # of one command
MAX_REDIRECTS = 300  # of one command
MAX_NAMES = 500  # links and copies that are remembered
MAX_TEST = 2_000  # characters of a [[ ... ]]

_PLAIN_WORD = re.compile(r"[ \t]*([\w./:@%+,^=-]+)(?=[ \t\n;|)&]|\Z)")
_EMPTY_BRACKETS = re.compile(r"\(\s*\)[ \t\r\n]*")
_CASE_PATTERN = re.compile(r"[\s(]*(?:esac\b|[^)\n;&]{0,500}\))")
_SUBSTITUTION = re.compile(r"[$`]")
_BLANK = re.compile(r"(?:[ \t\r\f]|\\\r?\n)+")
_BEGINS_BLANK = " \t\r\f\\#"
_NAME = re.compile(r"[A-Za-z_]\w*")
_ASSIGNMENT = re.compile(r"([A-Za-z_]\w*)(\[[^\]]*\])?(\+?)=")
_REDIRECT = re.compile(r"(\d*)(<<<|<<-|<<|<>|<&|<|>>|>&|>\||>)|(&>>|&>)")
_BEGINS_REDIRECT = frozenset("0123456789<>&")
_SKIPPED = word_set("if then else elif fi while until do done ! time esac }")  # fmt: skip
RESERVED = _SKIPPED | frozenset(["for", "select", "case", "function", "[[", "coproc"])
_BLOCK_ENDS = frozenset(["fi", "done", "esac", "}"])


class Reader(WordReader):
    """Reads `text`; `commands` holds every simple command, those in substitutions first."""

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
        super().__init__(
            text, evaluate=evaluate, variables=variables, depth=depth, shift=shift, work=work
        )
        self._pending: list[tuple[Redirect, str, bool]] = []
        self._elements = 0
        self._cases = 0  # that are open

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
        self._elements += 1
        if len(self.commands) >= MAX_COMMANDS or self._elements > MAX_ELEMENTS or self.work.over:
            self.give_up()
        return self.truncated and self.at >= self.end

    def _list(self, stop: str, feed: Sequence[Command] = ()) -> list[Command]:
        """Commands up to the character `stop` (consumed); returns those at this level.

        `feed` are the commands whose output the whole block reads.
        """
        found: list[Command] = []
        stage: list[Command] = []
        source = feed
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
                source, stage = feed, []
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
        start = self.at
        self.at += 1
        while self.at < self.end and self.text[self.at] in ";&|":
            self.at += 1
        if self._cases and self.text.startswith((";;", ";&"), start):
            self._pattern()

    def _blank(self) -> None:
        text, at = self.text, self.at
        if at >= self.end or text[at] not in _BEGINS_BLANK:
            return
        if found := _BLANK.match(text, at):
            self.at = at = found.end()
        if text.startswith("#", at) and (at == 0 or text[at - 1] in " \t\n;|&("):
            end = text.find("\n", at)
            self.at = self.end if end < 0 else end

    def _element(self, source: Sequence[Command]) -> list[Command] | None:
        """One command, or the commands of a block."""
        char = self.text[self.at]
        if char == "(":
            self.at += 1
            if self.text.startswith("(", self.at) and self._is_arithmetic():
                return self._skip_arithmetic()
            return self.block(")", source)
        if char == "{" and self.text[self.at + 1 : self.at + 2] in (" ", "\n", "\t"):
            self.at += 1
            return self.block("}", source)
        return self._simple(source)

    def block(self, stop: str, feed: Sequence[Command] = ()) -> list[Command]:
        """The commands up to the bracket `stop`, which read what `feed` prints."""
        if self.depth >= MAX_DEPTH:
            return self.give_up()
        self.depth += 1
        cwd = self.cwd
        found = self._list(stop, feed)
        if stop == ")":
            self.cwd = cwd
        self.depth -= 1
        return found

    def _is_arithmetic(self) -> bool:
        """Whether `((` begins arithmetic; else it is a subshell in a subshell."""
        end = self.text.find("))", self.at, self.at + MAX_TEST)
        inside = self.text[self.at + 1 : end] if end >= 0 else ";"
        return not (";" in inside or "\n" in inside) and inside.count("(") == inside.count(")")

    def _skip_arithmetic(self) -> list[Command]:
        end = self.text.find("))", self.at)
        self.at = self.end if end < 0 else end + 2
        return []

    # Simple commands -----------------------------------------------------------------------

    def _simple(self, source: Sequence[Command]) -> list[Command]:
        command = Command(words=[], start=self.at, end=self.at, source=source, cwd=self.cwd)
        first, unset = len(self.commands), len(self.unset)
        words, text, shift = command.words, self.text, self.shift
        while self.at < self.end:
            # Most words are plain: one match finds the word, and that nothing joins it.
            plain = _PLAIN_WORD.match(text, self.at)
            if plain and (words or "=" not in plain[1]):
                value, end = plain[1], plain.end()
                start, last = plain.start(1) + shift, end + shift
                words.append(Word(value, start, last, ((last - start, start, last),)))
                self.at = command.end = end if len(words) < MAX_WORDS else self._cut(end)
                if len(words) == 1 and value in RESERVED:
                    done = self._keyword(command)
                    if done is not None:
                        return done
                continue
            self._blank()
            char = self.text[self.at : self.at + 1]
            if self._ends(char):
                break
            if char == "(":
                if not self._function(command):
                    break
                return []
            if char in _BEGINS_REDIRECT and self._redirect(command):
                continue
            if not command.words and self._assignment(command):
                continue
            before = self.at
            command.words.extend(self.word())
            if self.at == before:
                self.at += 1
            command.end = self.at
            if len(words) == 1 and (done := self._keyword(command)) is not None:
                return done
        command.inner = self.commands[first:]
        command.expanded = self.unset[unset:]
        return self._finish(command)

    def _cut(self, at: int) -> int:
        """Leave the rest of the text unread from `at` on; the end of the text."""
        self.at = at
        self.give_up()
        return self.end

    def _ends(self, char: str) -> bool:
        """Whether a simple command ends before `char`."""
        if char == "&":
            return self.text[self.at + 1 : self.at + 2] != ">"
        return not char or char in ";|\n)"

    def _keyword(self, command: Command) -> list[Command] | None:
        """What to do when the first word is a reserved one; None for an ordinary command."""
        word = command.words[0]
        self._elements += 1
        self.work.steps += WORD
        if word.quoted:
            return None
        if self._elements > MAX_ELEMENTS:
            return self.give_up()
        if word.text in _SKIPPED:
            if word.text in _BLOCK_ENDS:
                self._cases -= self._cases > 0 and word.text == "esac"
                command.words.clear()
                command.loop = True
                return [command]
            command.words.clear()
            command.start = self.at
            return self._opened(command)
        if word.text in ("for", "select"):
            return self._for()
        if word.text == "case":
            return self._case()
        if word.text == "function":
            self._blank()
            self.word()
            return []
        if word.text == "[[":
            return self._test()
        if word.text == "coproc":
            command.words.clear()
            self._coprocess()
            return self._opened(command)
        return None

    def _opened(self, command: Command) -> list[Command] | None:
        """A block behind a reserved word (`then { ...; }`, `! ( ... )`)."""
        self._blank()
        char, following = self.text[self.at : self.at + 1], self.text[self.at + 1 : self.at + 2]
        if char == "(" or (char == "{" and following in (" ", "\n", "\t")):
            return self._element(command.source)
        return None

    def _coprocess(self) -> None:
        """`coproc NAME { ...; }`: the name is no command, but `coproc rm x` runs rm."""
        self._blank()
        named = re.compile(r"[A-Za-z_]\w*[ \t]*(?=[{(])").match(self.text, self.at)
        if named:
            self.at = named.end()

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
        first = len(self.commands)
        if self.text.startswith("in", self.at):
            self.at += 2
            while self.at < self.end:
                self._blank()
                if self.text[self.at : self.at + 1] in ("", ";", "\n", ")", "&", "|"):
                    break
                before = self.at
                values.extend(self.word())
                self.at += self.at == before
        self.variables[name.group()] = values[0].text if len(values) == 1 else UNKNOWN
        if secret := found_secret(self.commands[first:]):
            self.variables[name.group()] = secret
        if values and len(values) < 50 and all(value.known for value in values):
            # Each turn is another value: the broadest one is what the rules must see.
            self.variables[name.group()] = min((value.text for value in values), key=_breadth)
            self.turns[name.group()] = tuple(dict.fromkeys(value.text for value in values))
        return []

    def _case(self) -> list[Command]:
        self._blank()
        self.word()
        self._blank()
        if self.text.startswith("in", self.at):
            self.at += 2
        self._cases += 1
        self._pattern()
        return []

    def _pattern(self) -> None:
        """Skip the pattern of a case branch, up to its bracket."""
        found = _CASE_PATTERN.match(self.text, self.at)
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
        """`name() ...`: the body is read where it stands, and marked with the name."""
        brackets = _EMPTY_BRACKETS.match(self.text, self.at) if len(command.words) == 1 else None
        if brackets is None:
            return False
        self.at = brackets.end()
        name, first = command.words[0].text, len(self.commands)
        if self.text.startswith("{", self.at):
            self.at += 1
            self.block("}")
            for inside in self.commands[first:]:
                inside.function = inside.function or name
        return True

    def _finish(self, command: Command) -> list[Command]:
        if not command.words and not command.redirects:
            self.variables.update(command.assignments)
            return []
        self.work.steps += COMMAND + WORD * len(command.words)
        if len(self.commands) < MAX_COMMANDS:
            command.start += self.shift
            command.end += self.shift
            if self.aliases or self.links or self.copies:
                self._alias(command)
            self.commands.append(command)
            self._effects(command)
        else:
            self.unread = min(self.unread, command.start)
            self.truncated = True
        return [command]

    def _alias(self, command: Command) -> None:
        """Put in what an alias or a link stands for, and tell what a copy is one of."""
        if not command.words:
            return
        first = command.words[0]
        value = self.aliases.get(first.text)
        if value:
            command.words[:1] = [
                Word(part, first.start, first.end, ((len(part), first.start, first.end),))
                for part in value.split()
            ]
        elif "/" in first.text and (program := self.copies.get(join(self.cwd, first.text))):
            command.program = program
        if self.links:
            for index, word in enumerate(command.words[1:], 1):
                link, slash, rest = word.text.partition("/")
                target = self.links.get(join(self.cwd, link)) if link else None
                if target is not None and slash:
                    command.words[index] = _renamed(word, target.rstrip("/") + slash + rest)

    def _effects(self, command: Command) -> None:
        """What a command changes for those after it: directory, variables, aliases, links."""
        words = command.words
        while words and words[0].text in ("builtin", "command"):
            words = words[1:]
        name = words[0].text if words else ""
        if name in ("cd", "pushd") and not command.piped:
            target = next((word.text for word in words[1:] if not word.text.startswith("-")), "~")
            self.cwd = join(self.cwd, target)
        elif name in ("export", "declare", "local", "readonly", "typeset", "alias"):
            for word in words[1:]:
                key, equals, value = word.text.partition("=")
                if equals:
                    known = self.aliases if name == "alias" else self.variables
                    known[key] = value[:MAX_VALUE]
        elif name == "set" and any(word.text == "--" for word in words[1:]):
            at = next(index for index, word in enumerate(words) if word.text == "--")
            self._positional([word.text for word in words[at + 1 :]])
        elif name == "read":
            self._read_into(command, [word.text for word in words[1:]])
        elif name == "printf" and len(words) > 3 and words[1].text == "-v":
            made = Command(words=[words[0], *words[3:]], start=command.start, end=command.end)
            told = self.evaluate([made], self)
            self.variables[words[2].text] = UNKNOWN if told is None else told[:MAX_VALUE]
        elif name == "unset":
            for word in words[1:]:
                self.variables.pop(word.text, None)
        elif name in ("ln", "cp", "install", "mv"):
            self._another_name(name, words[1:])

    def _read_into(self, command: Command, names: list[str]) -> None:
        """`read NAME`: known where it reads a string that the text tells."""
        names = [name for name in names if not name.startswith("-")]
        told = UNKNOWN
        for redirect in command.redirects:
            if redirect.operator == "<<<" and redirect.target is not None and len(names) == 1:
                told = redirect.target.text[:MAX_VALUE]
        if told == UNKNOWN:
            told = found_secret(command.source) or UNKNOWN
        for name in names:
            self.variables[name] = told

    def _another_name(self, name: str, words: list[Word]) -> None:
        """A program or directory that gets a second name: later commands may use that one."""
        operands = [word.text for word in words if not word.text.startswith("-")]
        if len(operands) != 2 or len(self.links) + len(self.copies) >= MAX_NAMES:
            return
        source, target = operands
        if target.endswith("/"):
            target += source.rpartition("/")[2]
        self.copies[join(self.cwd, target)] = source.rpartition("/")[2]
        if name == "ln" and any(word.text.startswith("-") and "s" in word.text for word in words):
            self.links[join(self.cwd, target)] = source

    def _positional(self, values: list[str]) -> None:
        """`set -- ...`: the arguments that `$@` and `$1` stand for."""
        self.variables["@"] = self.variables["*"] = " ".join(values)[:MAX_VALUE]
        for number, value in enumerate(values[:9], 1):
            self.variables[str(number)] = value

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
            words.extend(self.word())
            self.at += self.at == before
        return words

    # Redirections --------------------------------------------------------------------------

    def _redirect(self, command: Command) -> bool:
        found = _REDIRECT.match(self.text, self.at)
        if found is None or self.text.startswith(("<(", ">("), self.at):
            return False
        operator = found.group(2) or found.group(3)
        self.at = found.end()
        self._blank()
        redirect = Redirect(operator=operator, descriptor=found.group(1) or "")
        words = self.word()
        if operator in ("<<", "<<-"):
            quoted = bool(words and words[0].quoted)
            mark = words[0].text if words else ""
            redirect.expands = not quoted
            self._pending.append((redirect, mark, operator == "<<-"))
        elif len(words) > 1 and operator == "<<<":
            text = " ".join(word.text for word in words)  # a here-string is not split
            redirect.target = _renamed(words[0], text)
        elif words:
            redirect.target = words[0]
        command.redirects.append(redirect)
        if len(command.redirects) > MAX_REDIRECTS:
            self.give_up()
        command.end = self.at
        return True

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
        reader = self.child(inside, start)
        pieces: list[Piece] = []
        while reader.at < reader.end:
            found = _SUBSTITUTION.search(inside, reader.at)
            if found is None:
                break
            reader.at = before = found.start()
            self.work.steps += PIECE
            reader.substitution(pieces, quoted=True)
            reader.at += reader.at == before
        self.cut_with(reader, start)

    def child(self, text: str, start: int) -> Self:
        work = self.work
        work.children += 1
        work.steps += CHILD
        if work.children > MAX_CHILDREN or work.over:
            self.give_up()
            text = ""
        reader = type(self)(
            text,
            evaluate=self.evaluate,
            variables=self.variables,
            depth=self.depth + 1,
            shift=self.shift + start,
            work=work,
        )
        reader.commands, reader.cwd, reader.aliases = self.commands, self.cwd, self.aliases
        reader.unset, reader.links, reader.copies = self.unset, self.links, self.copies
        reader.turns = self.turns
        return reader


def _breadth(path: str) -> int:
    return len(path.strip("/").split("/")) if path.strip("/.") else 0


def _renamed(word: Word, text: str) -> Word:
    """`word` with another text in its place."""
    return Word(text, word.start, word.end, ((len(text), word.start, word.end),), word.glob)
