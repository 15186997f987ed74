"""Files that one command writes or downloads and a later one runs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from itertools import islice

from policies.engine.findings import Report, View
from policies.engine.shell import budget
from policies.engine.shell.call import SHELLS, Call, base_name
from policies.engine.shell.copied import COPIERS, copied
from policies.engine.shell.execution import INTERPRETERS, fetched_to
from policies.engine.shell.hits import Hit
from policies.engine.shell.model import Command, Word, join
from policies.engine.shell.network import DOWNLOADERS
from policies.engine.shell.output import produced
from policies.engine.shell.reader import Reader
from policies.engine.shell.views import made

MAX_FILES = 500  # files whose contents are remembered
MAX_COPIES = 20  # of one command that are followed
MAX_KEY = 20  # words of a command by which it is known again
MAX_RECIPES = 200  # commands of a Makefile or package.json that are read


@dataclass(frozen=True, slots=True, kw_only=True)
class Run:
    """A file that is run: its content as a view, or the reason when it came from the network."""

    command: Command
    view: View | None = None
    hit: Hit | None = None
    code: bool = False  # a program of another language than shell


@dataclass(frozen=True, slots=True)
class _Written:
    text: str
    start: int
    end: int


_WRAPPED = frozenset(
    ["sudo", "nohup", "time", "timeout", "nice", "exec", "setsid", "env", "command"]
)
# What may make a file without a redirection: tee, and downloads (see `fetched_to`).
_MAKERS = DOWNLOADERS | frozenset(["tee", "sudo", "command", "time", "timeout"])
_UNPACKED = (
    ".tar.gz",
    ".tgz",
    ".zip",
    ".deb",
    ".rpm",
    ".json",
    ".txt",
    ".csv",
    ".pem",
    ".asc",
    ".jar",
)


_MAKES_FILES = re.compile(r">|\btee\b|curl|wget|fetch|aria2c|axel|http")


def runs(view: View, reader: Reader, report: Report) -> Iterator[Run]:
    """Every command of the text that runs a file which an earlier one made.

    What is made is told to the report as well: a later text may run it.
    """
    if _MAKES_FILES.search(reader.text) is None:
        return
    written: dict[str, _Written] = {}
    fetched: set[str] = set()
    ran: set[tuple[str, str]] = set()  # files that were run as they are, and by what
    for command in reader.commands:
        if not command.words:
            continue
        makes = bool(command.redirects) or base_name(command.words[0]) in _MAKERS
        if not (makes or written or fetched):
            continue
        words, place = _run_by(command, written.keys() | fetched)
        if place in fetched:
            yield Run(command=command, hit=_FETCHED)
            fetched.discard(place)
        elif written:
            yield from _again(view, command, words, place, written, ran)
        if _follow(command, words, written, fetched, report):
            ran.clear()
        if not makes or len(written) + len(fetched) >= MAX_FILES:
            continue
        saves = _target(command)
        if target := downloaded(command, saves):
            fetched.add(target)
            report.write(target, None)
        elif saves and (output := _output(command, reader, written.get(saves))) is not None:
            if not _paid(output.text, report):
                return
            written[saves] = output
            ran -= {done for done in ran if done[0] in (saves, "")}
            report.write(saves, output.text)


def _output(command: Command, reader: Reader, earlier: _Written | None) -> _Written | None:
    """What a command writes into a file that holds `earlier`; None where the text does not tell."""
    data = produced(command, reader.text, reader.shift)
    if data is None:
        return None
    text, start = data.decode("utf-8", "replace"), command.start
    if earlier is not None and _appends(command):
        text, start = earlier.text + text, earlier.start
    return _Written(text, start, command.end)


def _run_by(command: Command, known: AbstractSet[str]) -> tuple[list[Word], str]:
    """The words of what a command really runs, and the file that it runs; blank: none."""
    words = _unwrapped(command.words)
    path = _runs(words)
    place = join(command.cwd, path) if path else ""
    if command.program and place not in known:
        first = words[0]
        words = [Word(command.program, first.start, first.end), *words[1:]]
        path = _runs(words)
        place = join(command.cwd, path) if path else ""
    return words, place


def _follow(
    command: Command,
    words: list[Word],
    written: dict[str, _Written],
    fetched: set[str],
    report: Report,
) -> bool:
    """Give what was written or downloaded the names that a command copies it to; whether any."""
    if not (written or fetched) or base_name(words[0]) not in COPIERS:
        return False
    call = Call(base_name(words[0]), words, command)
    follows = False
    for copy in islice(copied(call), MAX_COPIES):
        if not _paid("", report):
            return follows
        report.spent[budget.STEPS] += (len(written) + len(fetched)) // budget.NAMES
        made = [(name, path) for path in (*written, *fetched) for name in copy.landed(path)]
        report.spent[budget.STEPS] += len(made) * budget.NAME
        for name, path in made[: MAX_FILES - len(written) - len(fetched)]:
            known = written.get(path)
            if not _paid(known.text if known else "", report):
                return follows
            follows = True
            if known is None:
                fetched.add(name)
            else:
                written[name] = known
            report.write(name, known.text if known else None)
    return follows


def _again(
    view: View,
    command: Command,
    words: list[Word],
    place: str,
    written: dict[str, _Written],
    ran: set[tuple[str, str]],
) -> Iterator[Run]:
    """What a command runs of the files that were written, unless it ran the same before."""
    known = written.get(place)
    if known is not None and (place, words[0].text) not in ran:
        ran.add((place, words[0].text))
        program = base_name(words[0])
        code = program in _OTHER and program not in SHELLS
        language = "code" if code else "shell"
        yield Run(
            command=command,
            view=made(view, known.text, known.start, known.end, language, "written, then run"),
            code=code,
        )
    yield from _recipes(view, command, words, written, ran)


def _paid(text: str, report: Report) -> bool:
    """Whether the allowance was enough to remember a file; if not, the report says so."""
    report.spent[budget.STEPS] += len(text) // budget.VALUE
    if budget.left(report) >= 0:
        return True
    report.truncated = True
    report.fact("shell.opaque", "truncated")
    return False


def downloaded(command: Command, saves: str = "") -> str:
    """The file that a command downloads and that may be run; blank: none.

    `saves` is the file that its output goes to.
    """
    target = fetched_to(command) or (saves if saves and _downloads(command) else "")
    if not target or target.endswith(_UNPACKED) or target in ("-", "/dev/null"):
        return ""
    return join(command.cwd, target)


_FETCHED = Hit(
    rule="download_execute", reason="Runs a file that it has just downloaded.", confidence=0.8
)
_OTHER = INTERPRETERS | frozenset(["go", "java", "rustc", "cargo", "tsx", "ts-node"])


def _unwrapped(words: list[Word]) -> list[Word]:
    if base_name(words[0]) not in _WRAPPED:
        return words
    at = 0
    while at < len(words) - 1 and base_name(words[at]) in _WRAPPED:
        at += 1
        while at < len(words) - 1 and re.match(r"-|\d+[smh]?\Z|\w+=", words[at].text):
            at += 1
    return words[at:]


def _runs(words: list[Word]) -> str:
    """The file that a command runs; blank when it runs none."""
    name = base_name(words[0])
    if name in SHELLS or name in _OTHER or name in ("source", "."):
        rest = [word.text for word in words[1:] if not word.text.startswith("-")]
        if name in ("go", "deno", "bun") and rest[:1] == ["run"]:
            rest = rest[1:]
        return rest[0] if rest else ""
    if name in ("chmod", "cat", "tar", "unzip"):
        return ""
    text = words[0].text
    return text if "/" in text else ""


def _downloads(command: Command) -> bool:
    return any(
        other.words and base_name(other.words[0]) in ("curl", "wget", "fetch", "http")
        for other in (command, *command.source)
    )


def _target(command: Command) -> str:
    """The file that a command's output goes to."""
    for redirect in command.redirects:
        if redirect.operator in (">", ">>", ">|") and redirect.target is not None:
            return join(command.cwd, redirect.target.text)
    if command.words and command.words[0].text == "tee" and len(command.words) > 1:
        return join(command.cwd, command.words[-1].text)
    return ""


def _appends(command: Command) -> bool:
    if any(redirect.operator == ">>" for redirect in command.redirects):
        return True
    return command.words[0].text == "tee" and any(
        word.text in ("-a", "--append") for word in command.words[1:]
    )


_MAKEFILES = ("Makefile", "makefile", "GNUmakefile")
_MAKES = frozenset(["make", "gmake"])
_SCRIPT_RUNNERS = frozenset(["npm", "pnpm", "yarn", "bun"])


def _recipes(
    view: View,
    command: Command,
    words: list[Word],
    written: dict[str, _Written],
    ran: set[tuple[str, str]],
) -> Iterator[Run]:
    """Commands of a Makefile or package.json that was just written, where make or npm runs them."""
    name = base_name(words[0])
    if name not in _MAKES and name not in _SCRIPT_RUNNERS:
        return
    again = ("", " ".join((command.cwd, *(word.text for word in words[:MAX_KEY]))))
    if again in ran:
        return
    if name in _MAKES:
        for option, following in zip(words[1:], [*words[2:], None], strict=False):
            if option.text in ("-f", "--file") and following is not None:
                known = written.get(join(command.cwd, following.text))
                break
        else:
            known = next(
                filter(None, (written.get(join(command.cwd, n)) for n in _MAKEFILES)), None
            )
        lines = recipes(known.text) if known else ()
    else:
        known = written.get(join(command.cwd, "package.json"))
        lines = _scripts(known.text) if known else ()
    if known is None:
        return
    ran.add(again)
    for line in lines:
        nested = made(view, line, known.start, known.end, "shell", f"{name} recipe")
        yield Run(command=command, view=nested)


def recipes(text: str) -> list[str]:
    """The commands of a Makefile."""
    lines: list[str] = []
    for line in text.splitlines()[: MAX_RECIPES * 5]:
        if line.startswith("\t"):
            lines.append(line.strip().lstrip("@-+"))
        elif re.match(r"[^\s#=]{1,100}\s*:[^=]*;", line):
            lines.append(line.partition(";")[2].strip().lstrip("@-+"))
    return lines[:MAX_RECIPES]


def _scripts(text: str) -> list[str]:
    try:
        scripts = json.loads(text).get("scripts", {})
        return [value for value in scripts.values() if isinstance(value, str)][:MAX_RECIPES]
    except (ValueError, AttributeError, RecursionError):
        return []
