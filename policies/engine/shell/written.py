"""Files that one command writes or downloads and a later one runs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from policies.engine.findings import Report, View
from policies.engine.shell.call import SHELLS, base_name
from policies.engine.shell.execution import INTERPRETERS, fetched_to
from policies.engine.shell.hits import Hit
from policies.engine.shell.model import Command, Word, join
from policies.engine.shell.output import produced
from policies.engine.shell.reader import Reader
from policies.engine.shell.views import made

MAX_FILES = 500  # files whose contents are remembered
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
    for command in reader.commands:
        if not command.words:
            continue
        words = _unwrapped(command.words)
        path = _runs(words)
        place = join(command.cwd, path) if path else ""
        if place in fetched:
            yield Run(command=command, hit=_FETCHED)
            fetched.discard(place)
        elif place in written:
            known = written[place]
            program = base_name(words[0])
            code = program in _OTHER and program not in SHELLS
            language = "code" if code else "shell"
            yield Run(
                command=command,
                view=made(view, known.text, known.start, known.end, language, "written, then run"),
                code=code,
            )
        if written:
            yield from _recipes(view, command, words, written)
        if len(written) + len(fetched) >= MAX_FILES:
            continue
        saves = _target(command)
        if target := downloaded(command, saves):
            fetched.add(target)
            report.write(target, None)
        elif (target := saves) and (
            data := produced(command, reader.text, reader.shift)
        ) is not None:
            text = data.decode("utf-8", "replace")
            start = command.start
            if _appends(command) and (earlier := written.get(target)) is not None:
                text, start = earlier.text + text, earlier.start
            written[target] = _Written(text, start, command.end)
            report.write(target, text)


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
_SCRIPT_RUNNERS = frozenset(["npm", "pnpm", "yarn", "bun"])


def _recipes(
    view: View, command: Command, words: list[Word], written: dict[str, _Written]
) -> Iterator[Run]:
    """Commands of a Makefile or package.json that was just written, where make or npm runs them."""
    name = base_name(words[0])
    if name in ("make", "gmake"):
        for option, following in zip(words[1:], [*words[2:], None], strict=False):
            if option.text in ("-f", "--file") and following is not None:
                known = written.get(join(command.cwd, following.text))
                break
        else:
            known = next(
                filter(None, (written.get(join(command.cwd, n)) for n in _MAKEFILES)), None
            )
        lines = recipes(known.text) if known else ()
    elif name in _SCRIPT_RUNNERS:
        known = written.get(join(command.cwd, "package.json"))
        lines = _scripts(known.text) if known else ()
    else:
        return
    if known is None:
        return
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
