"""One shell text examined: facts and findings of its commands, and the texts inside them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from itertools import pairwise

from policies.engine.findings import Report, View
from policies.engine.shell import (
    budget,
    environment,
    execution,
    files,
    network,
    programs,
    system,
)
from policies.engine.shell.call import Call, Script, base_name
from policies.engine.shell.calls import calls
from policies.engine.shell.copied import COPIERS, copied
from policies.engine.shell.executed import executed
from policies.engine.shell.facts import facts
from policies.engine.shell.facts.line import line
from policies.engine.shell.hits import Hit, breadth
from policies.engine.shell.model import UNKNOWN, Command, Word
from policies.engine.shell.nested import INSIDE
from policies.engine.shell.output import stdin_of
from policies.engine.shell.reader import Reader
from policies.engine.shell.rules import REFERENCES
from policies.engine.shell.turns import other_turns
from policies.engine.shell.verbs import RULES, checks
from policies.engine.shell.views import joined, made
from policies.engine.shell.windows import read_windows
from policies.engine.shell.words import HOME_VARIABLES
from policies.engine.shell.written import downloaded, runs

_ASSIGNED = re.compile(r"[A-Za-z_]\w*=")
_INVISIBLE = re.compile(
    "[\u200b-\u200f\u2060-\u2064\ufeff\u00ad\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]"
)
_LOOKALIKES = str.maketrans("асеорхуіѕԁɡһјӏмтк", "aceopxyisdghjlmtk")
_VERSION = re.compile(r"(python|perl|ruby|php|lua|node|tclsh|pypy)-?\d[\d.]*\Z")
# Rules about this machine's files, which a container that was just made does not hold.
_OF_THIS_MACHINE = frozenset(["permission_broad", "delete_broad", "system_write"])
_NEW_CONTAINERS = frozenset(["docker run", "podman run", "nerdctl run", "docker-compose run"])
# Programs whose connections their own rule looks at.
_CONNECTING = frozenset(["nc", "ncat", "netcat", "socat", "telnet", "openssl"])
_VARIABLE = re.compile(r"\$\{?([A-Za-z_]\w*)\b\}?")
_TOLD = re.compile(r"[\w./~@:+-]+\Z")
EXAMINED = 1_000  # steps of what wrappers and options of the commands of one text run
MAX_SET = 20  # words of a command that may set variables for it
MAX_TOLD = 10_000  # characters of a script in which variables are replaced
_IDENTIFIER = re.compile(r"[\w:.-]+")
_DESCRIBING = frozenset(["type", "declare", "unset", "export", "command", "which", "echo"])
MAX_NAMED = 2_000  # characters of a word in which names of functions are looked for
MAX_CMDLET = 500  # characters that are read from a cmdlet on
CMDLET = re.compile(r"[A-Z]\w+-[A-Z]\w+\Z")


class Examination:
    """One text, read; what is in it goes to the report."""

    __slots__ = ("_bodies", "_names", "ascii", "mines", "reader", "report", "view")

    def __init__(self, view: View, reader: Reader | None, report: Report) -> None:
        self.view = view
        self.reader = reader
        self.report = report
        self.mines = "stratum" in view.text
        self.ascii = view.text.isascii()
        self._names: set[tuple[str, str]] | None = None
        self._bodies: set[str] = set()

    def found(self, start: int, end: int, hit: Hit) -> None:
        """Report a hit at `[start, end)`."""
        self.report.find(
            self.view,
            max(0, start),
            min(max(start + 1, end), len(self.view.text)),
            kind="shell.dangerous",
            rule=hit.rule,
            reason=hit.reason,
            confidence=hit.confidence,
            reference=REFERENCES.get(hit.rule, ""),
        )

    def plain(self) -> None:
        """A command of plain words, which needs no reader."""
        words: list[Word] = []
        assignments: dict[str, str] = {}
        text, at = self.view.text, 0
        for part in text.split():
            at = text.index(part, at)
            end = at + len(part)
            if not words and "=" in part and _ASSIGNED.match(part):
                name, _, assignments[name] = part.partition("=")
            else:
                words.append(Word(part, at, end, ((len(part), at, end),)))
            at = end
        start = words[0].start if words else 0
        self.report.spent[budget.STEPS] += budget.COMMAND + budget.WORD * len(words)
        command = Command(words=words, start=start, end=at, assignments=assignments)
        self.command(command)
        if words and (target := downloaded(command)):
            self.report.write(target, None)

    def commands(self, commands: Sequence[Command]) -> int | None:
        """All commands of the text; where the first that no step was left for begins, if any."""
        limit = self.report.spent[budget.STEPS] + EXAMINED
        for index, command in enumerate(commands):
            if self.report.spent[budget.STEPS] > limit:
                return min(other.start for other in commands[index:])
            self.command(command)
        return None

    def command(self, command: Command) -> None:
        """One simple command: what it calls, what it is given, what its redirections write."""
        if command.function:
            if not self._called(command.function):
                return
            self._fill(command)
        if not self.ascii:
            _unveil(command)
        if command.assignments:
            self._assignments(command)
        if not command.words:
            call = Call("", (), command)
            self._hits(command, (*files.redirects(call), *files.reads(call)))
            return
        made_calls, scripts = calls(command)
        self.report.spent[budget.STEPS] += budget.CALL * (len(made_calls) - 1)
        for call in made_calls:
            self._call(call)
        if self.reader is not None and not self.report.composed:
            self.report.composed = any(word.contiguous() is None for word in command.words)
        for script in scripts:
            self._script(command, script)
        if command.redirects:
            self._hits(command, files.redirects(made_calls[0]))
            for call in made_calls:
                if call.name not in _CONNECTING:
                    self._hits(command, network.reverse_shell(call))

    def _called(self, function: str) -> bool:
        """Whether a function of the text is called (or named to another program) in it."""
        if self._names is None:
            commands = self.reader.commands if self.reader is not None else ()
            self._names = {
                (command.function, name)
                for command in commands
                if command.words and base_name(command.words[0]) not in _DESCRIBING
                for word in command.words
                for name in _IDENTIFIER.findall(word.text[:MAX_NAMED])
            }
            self._bodies = {name for name, _ in self._names}
        names = self._names
        return any((body, function) in names for body in self._bodies if body != function)

    def _fill(self, command: Command) -> None:
        """Put variables into a function's body that the text sets behind it."""
        for index, word in enumerate(command.words):
            if not word.known:
                text = self._told(self.view.text[word.start : word.end]).strip('"')
                if _TOLD.match(text):
                    place = ((len(text), word.start, word.end),)
                    command.words[index] = Word(text, word.start, word.end, place)

    def _hits(self, command: Command, hits: Iterable[Hit]) -> None:
        for hit in hits:
            self.found(command.start, command.end, hit)

    def _assignments(self, command: Command) -> None:
        self._hits(command, environment.set_for(command))
        for name, value in command.assignments.items():
            if name in environment.PROGRAMS and (" " in value or "/" in value):
                nested = made(self.view, value, command.start, command.end, "shell", name)
                self.report.nest(nested)

    def _named(self, call: Call) -> str:
        """The name under which the rules know the program; blank when the text does not tell."""
        name = call.name
        if UNKNOWN in name or not name:
            self.report.fact("shell.opaque", "command")
            name = name.replace(UNKNOWN, "")  # an unset variable inside a name
            if name not in RULES:
                return ""
        if "[" in name or "?" in name or "*" in name:
            name = _matching(name)
        if not name.isascii():
            name = _folded(name)
            if not name:
                return ""
        self.report.fact("shell.command", name)
        self.report.fact("shell.arguments", line(name, call))
        if name[-1].isdigit() and (version := _VERSION.match(name)):
            name = "python3" if version.group(1) == "python" else version.group(1)
        return name

    def _call(self, call: Call) -> None:
        name = call.name = self._named(call)
        if not name:
            return
        self._facts(call)
        for check in checks(name):
            for hit in check(call):
                if not self._passes(hit, call):
                    self.found(call.command.start, call.command.end, hit)
        if self.mines:
            self._hits(call.command, system.miner(call))
        inside = INSIDE.get(name)
        if inside is not None:
            self._hits(call.command, inside(self.view, call, self.reader, self.report))
        elif CMDLET.match(name):
            start = call.command.start
            self._hits(call.command, read_windows(self.view.text[start : start + MAX_CMDLET]))

    def _facts(self, call: Call) -> None:
        """What a call touches, runs, copies and is told to do, in every turn of a loop."""
        reader = self.reader
        if reader is None:
            self._told_by(call, {})
            return
        self._told_by(call, reader.variables)
        if reader.turns:
            for turn in other_turns(call, reader.turns, self.view.text):
                self.report.spent[budget.STEPS] += budget.TURN
                self.report.fact("shell.arguments", line(call.name, turn))
                self._told_by(turn, reader.variables)

    def _told_by(self, call: Call, variables: Mapping[str, str]) -> None:
        for fact, value in facts(call, variables):
            self.report.fact(fact, value)
        for word, path in executed(call):
            self.report.execute(self.view, word.start, word.end, path)
        if call.name in COPIERS:
            for copy in copied(call):
                self.report.copy(copy)

    def _passes(self, hit: Hit, call: Call) -> bool:
        """Whether a hit does not count here."""
        if hit.rule == "opaque_execute":
            self.report.fact("shell.opaque", "input")
            # What could be worked out is examined by itself.
            reader = self.reader
            return (
                not call.open
                and reader is not None
                and stdin_of(call.command, reader.text, reader.shift) is not None
            )
        return (
            hit.rule in _OF_THIS_MACHINE
            and not _NEW_CONTAINERS.isdisjoint((*call.wrappers, *self.view.layer.split(" > ")))
            and not _deletes_mount(call)
        )

    def _script(self, command: Command, script: Script) -> None:
        """Shell text that a command runs: judged by what makes it, then read itself."""
        inside = [
            other
            for other in command.inner
            if any(word.start <= other.start and other.end <= word.end for word in script.words)
        ]
        hit = execution.opaque_text(script.words, inside)
        if hit is not None:
            self.report.fact("shell.opaque", script.layer)
            if script.layer == "eval" or hit.rule == "download_execute" or inside:
                self.found(command.start, command.end, hit)
        nested = joined(self.view, script.words, "shell", script.layer)
        if " run > " in script.layer and any(
            re.search(
                rf"\brm\s+-\w*r\w*\s+(?:\S+\s+)?{re.escape(mount)}/?\*?(?:\s|;|\Z)", nested.text
            )
            for mount in _mounts(command)
            if mount
        ):
            reason = "Deletes all of a volume that outlives the container."
            self.found(command.start, command.end, Hit(rule="delete_broad", reason=reason))
        if "$" in nested.text and self.reader is not None:
            text = self._told(nested.text, command)
            if text != nested.text:
                start, end = script.words[0].start, script.words[-1].end
                nested = made(self.view, text, start, end, "shell", script.layer)
        if nested.text.strip(UNKNOWN + " "):
            self.report.nest(nested)

    def _told(self, text: str, command: Command | None = None) -> str:
        """A script with the variables that the text around it has set to plain values."""
        known = dict(self.reader.variables) if self.reader is not None else {}
        if command is not None:
            known.update(command.assignments)
            for word in command.words[1:MAX_SET]:  # `env NAME=value sh -c ...`
                if _ASSIGNED.match(word.text):
                    name, _, known[name] = word.text.partition("=")

        def value(found: re.Match[str]) -> str:
            name = found.group(1)
            told = known.get(name, "")
            if told == HOME_VARIABLES.get(name):
                return found.group()
            return told if _TOLD.match(told) else found.group()

        return _VARIABLE.sub(value, text[:MAX_TOLD]) + text[MAX_TOLD:]

    def written_and_run(self) -> None:
        """Files that a command of the text makes and a later one runs."""
        if self.reader is None:
            return
        for run in runs(self.view, self.reader, self.report):
            command = run.command
            if run.hit is not None:
                self.found(command.start, command.end, run.hit)
            if run.view is not None and run.code:
                call = Call(command.words[0].text, command.words, command)
                self._hits(command, programs.read_program(run.view, call, self.report))
            elif run.view is not None:
                self.report.nest(run.view)


# Programs that a pattern in the place of a name may stand for.
_HIDDEN = (
    "rm",
    "dd",
    "sh",
    "bash",
    "zsh",
    "nc",
    "ncat",
    "curl",
    "wget",
    "cat",
    "git",
    "mkfs",
    "chmod",
    "chown",
    "shred",
    "python3",
    "perl",
    "base64",
    "find",
    "kubectl",
    "terraform",
    "aws",
    "docker",
    "systemctl",
    "iptables",
    "crontab",
    "useradd",
    "passwd",
    "sudo",
)


def _matching(pattern: str) -> str:
    """The program that a pattern (`/bin/r[m]`) expands to, if it is one that matters."""
    return next((name for name in _HIDDEN if fnmatchcase(name, pattern[:100])), pattern)


def _mounts(command: Command) -> list[str]:
    """Where volumes and directories of the host are in the container that a command makes."""
    found: list[str] = []
    for option, following in pairwise(word.text for word in command.words[:MAX_SET]):
        mount = following if option in ("-v", "--volume", "--mount") else ""
        if option.startswith(("--volume=", "--mount=")):
            mount = option.partition("=")[2]
        target = re.search(r"(?:dst|target|destination)=([^,]+)", mount)
        parts = mount.split(":")
        source = re.search(r"(?:src|source)=([^,]+)", mount)
        kept = source.group(1) if source else parts[0]
        if "/" in kept and not breadth(Word(kept, 0, 0), command.cwd):
            continue  # a directory of the project: deleting it is no more than that
        if target or len(parts) > 1:
            found.append((target.group(1) if target else parts[1]).rstrip("/"))
    return found


def _deletes_mount(call: Call) -> bool:
    """Whether the whole of a volume is deleted that outlives the container."""
    mounts = _mounts(call.command)
    return bool(mounts) and any(word.text.rstrip("/*") in mounts for word in call.words[1:])


def _unveil(command: Command) -> None:
    """Take the invisible and full-width characters out of the words of a command."""
    for index, word in enumerate(command.words):
        if not word.text.isascii():
            text = unicodedata.normalize("NFKC", _INVISIBLE.sub("", word.text))
            if text != word.text:
                place = ((len(text), word.start, word.end),)
                command.words[index] = Word(
                    text, word.start, word.end, place, word.glob, word.quoted, word.feeds
                )


def _folded(name: str) -> str:
    """A name without invisible characters, and with look-alikes as the letters they imitate."""
    plain = unicodedata.normalize("NFKC", _INVISIBLE.sub("", name))
    return plain.translate(_LOOKALIKES)
