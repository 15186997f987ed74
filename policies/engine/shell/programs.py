"""Programs in other languages on the command line: read lightly for what they run and delete."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator
from itertools import pairwise

from policies.engine.findings import Report, View
from policies.engine.shell.call import Call
from policies.engine.shell.code import Found, read_code, sed_command
from policies.engine.shell.expansion import unescape
from policies.engine.shell.hits import Hit, breadth, is_credential, is_secret, written_place
from policies.engine.shell.inputs import given
from policies.engine.shell.model import Word
from policies.engine.shell.reader import Reader
from policies.engine.shell.views import joined, made
from policies.engine.shell.windows import MAX_TEXT, plain, read_windows

# The letters of options that take a program.
_FLAGS = (
    ("c", "python python2 python3 pypy ipython guile expect xonsh"),
    ("e", ("ruby bun lua luajit osascript Rscript R groovy elixir scala swift dart raku "
           "jrunscript ghc rustup clojure bb racket tsx ts-node kotlin rust-script mruby")),
    ("eE", "perl julia"),
    ("ep", "node nodejs"),
    ("rBR", "php"),
    ("", ("deno tclsh erl jshell irb crystal sbcl emacs gdb nim octave wolframscript "
           "java go")),
)  # fmt: skip
CODE_FLAGS = {name: letters for letters, names in _FLAGS for name in names.split()}
AWK = frozenset(["awk", "gawk", "mawk", "nawk", "original-awk"])
_NAMED = frozenset(
    [
        "--eval",
        "--print",
        "--run",
        "--execute",
        "-eval",
        "--evaluate",
        "--source",
        "-ex",
        "--batch-eval",
    ]
)


def programs(view: View, call: Call, reader: Reader | None) -> Iterator[View]:
    """The programs that an interpreter is given by option or as its input."""
    letters = CODE_FLAGS[call.name]
    words = call.words[1:]
    given_one = False
    for index, word in enumerate(words):
        text = word.text
        following = words[index + 1] if index + 1 < len(words) else None
        if text == "eval" and call.name in ("deno", "crystal") and following is not None:
            yield joined(view, [following], "code", f"{call.name} eval")
            return
        if text == "--" or not text.startswith("-"):
            if call.name not in ("emacs", "rustup", "gdb"):
                break
            continue
        if following is not None and (
            text in _NAMED or (not text.startswith("--") and text[-1:] in letters and letters)
        ):
            yield joined(view, [following], "code", f"{call.name} {text}")
            given_one = True
            if call.name not in ("osascript", "perl", "ruby", "emacs", "gdb"):
                return
        elif not text.startswith("--") and text[1:2] in letters and letters and len(text) > 3:
            yield joined(view, [word], "code", f"{call.name} {text[:2]}")
            return
    if given_one or any(
        not text.startswith("-") for text in call.arguments if text not in ("-", "/dev/stdin")
    ):
        return
    if (data := given(view, call, reader, "code")) is not None:
        yield data


def read_program(program: View, call: Call, report: Report) -> Iterator[Hit]:
    """What a program does; the commands and statements in it are nested."""
    secret, sends = False, False
    for found in read_code(program.text):
        if found.kind in ("shell", "sql"):
            if found.whole and "\\" not in found.text:
                report.nest(
                    program.part(found.start, found.end, language=found.kind, layer=call.name)
                )
            else:
                text = re.sub(r"\\([^\n])", r"\1", unescape(found.text))
                report.nest(made(program, text, found.start, found.end, found.kind, call.name))
            continue
        secret |= found.kind == "read" and is_secret(found.text)
        sends |= found.kind == "sends"
        hit = _hit(found, call)
        if hit is not None:
            yield hit
        elif found.kind == "data":
            _decoded(program, found, call, report)
        elif found.kind in ("read", "write"):
            report.fact(f"file.{found.kind}", found.text)
    if secret and sends:
        yield Hit(rule="credential_upload", reason="A program sends a file of credentials.")
    _request_values(program, report)
    if call.name in _UNQUOTED:
        for command in _UNQUOTED_COMMAND.finditer(program.text[:MAX_SENT]):
            start, end = command.span("command")
            report.nest(program.part(start, end, language="shell", layer=call.name))
    bare = _BARE.match(program.text)
    if bare:  # a command where a program should stand
        report.nest(
            program.part(bare.start("command"), len(program.text), language="shell", layer="")
        )


# Languages in which a command to run stands without quotes.
_UNQUOTED = frozenset(["expect", "tclsh", "gdb"])
_UNQUOTED_COMMAND = re.compile(
    r"(?m)(?:^|[;{\[])\s*(?:spawn|exec|shell|!)\s+(?P<command>[a-z/][^\n;\]}]{1,400})"
)
_BARE = re.compile(
    r"\s*(?P<command>(?:sudo\s+)?(?:rm\s+-\w*[rf]|dd\s+if=|mkfs\S*\s+/dev|chmod\s+-R)\s?)"
)
_SENT = re.compile(
    r"\b(?:requests|httpx|session|client|axios|aiohttp)\.(?:get|post|put|request)\s*\(|urlopen\(|\bfetch\("
)
_STRING = re.compile(r""""((?:[^"\\\n]|\\.){0,400})"|'((?:[^'\\\n]|\\.){0,400})'""")
MAX_SENT = 4_000  # characters of a call that are looked through for values


def _request_values(program: View, report: Report) -> None:
    """Strings that a program sends by HTTP: they may carry an injection."""
    sent = _SENT.search(program.text)
    if sent is None:
        return
    for found in _STRING.finditer(program.text, sent.end(), sent.end() + MAX_SENT):
        text = found.group(1) or found.group(2) or ""
        if len(text) < 4:
            continue
        start, end = found.span(1 if found.group(1) else 2)
        language = "url" if "://" in text else "value"
        report.nest(program.part(start, end, language=language, layer="request"))


def _hit(found: Found, call: Call) -> Hit | None:
    if found.kind == "delete":
        why = breadth(Word(found.text, 0, 0), call.command.cwd)
        return (
            Hit(rule="delete_broad", reason=f"A program deletes recursively {why}.")
            if why
            else None
        )
    if found.kind == "socket":
        return Hit(rule="reverse_shell", reason="A program ties a shell to a network connection.")
    if found.kind == "fetch":
        return Hit(rule="download_execute", reason="A program runs what it has just downloaded.")
    if found.kind == "write":
        rule, reason = written_place(found.text)
        return Hit(rule=rule, reason=reason) if rule else None
    if found.kind == "read" and is_credential(found.text):
        return Hit(rule="credential_read", reason="A program reads a file of credentials.")
    return None


def _decoded(program: View, found: Found, call: Call, report: Report) -> None:
    """Data that a program decodes and runs: read as a program and as a command."""
    data = found.text
    try:
        raw = (
            bytes.fromhex(data)
            if re.fullmatch(r"(?:[0-9a-fA-F]{2})+", data)
            else base64.b64decode(data)
        )
    except (ValueError, binascii.Error):
        report.fact("shell.opaque", "encoded program")
        return
    text = raw.decode("utf-8", "replace")
    layer = f"{call.name} decode"
    for inner in read_code(text):
        if inner.kind == "shell":
            report.nest(made(program, inner.text, found.start, found.end, "shell", layer))
    report.nest(made(program, text, found.start, found.end, "shell", layer))


_AWK_RUNS = re.compile(
    r'"([^"]{1,400})"\s*\|&?\s*getline|print\s+"([^"]{1,400})"\s*\|&?\s*"(?:ba|z)?sh"'
)


def awk(view: View, call: Call, report: Report) -> Iterator[Hit]:
    """The program of awk: what it runs through system, getline and pipes."""
    words = [word for word in call.words[1:] if not word.text.startswith("-")][:1]
    if not words:
        return
    program = joined(view, words, "code", call.name)
    yield from read_program(program, call, report)
    for found in _AWK_RUNS.finditer(program.text):
        group = found.lastindex or 1
        report.nest(program.part(*found.span(group), language="shell", layer=call.name))


MAX_SCRIPTS = 20  # words of sed that are looked at for a command


def sed(view: View, call: Call, report: Report) -> None:
    """The command that a script of sed runs (`e`)."""
    for word in call.words[1:MAX_SCRIPTS]:
        command = sed_command(word.text)
        if command:
            at = word.text.find(command)
            whole = joined(view, [word], "shell", "sed e")
            report.nest(whole.part(at, at + len(command), language="shell", layer="sed e"))


def powershell(view: View, call: Call, reader: Reader | None, report: Report) -> Iterator[Hit]:
    """The command of PowerShell: encoded, as text, or as the rest of the line."""
    words = call.words[1:]
    for word, following in pairwise(words):
        option = word.text.lower().replace("/", "-").replace("\u2013", "-")
        if (option.startswith("-e") and "-encodedcommand".startswith(option)) or option == "-ec":
            try:
                text = base64.b64decode(following.text, validate=False).decode(
                    "utf-16-le", "replace"
                )
            except (ValueError, binascii.Error):
                report.fact("shell.opaque", "encoded command")
                yield Hit(
                    rule="opaque_execute", reason="Runs an encoded command that cannot be read."
                )
                return
            report.nest(
                made(view, text, following.start, following.end, "shell", "encoded command")
            )
            yield from read_windows(text)
            return
    # The brackets of PowerShell end a command of other shells, so the text itself is read.
    start = call.command.start
    end = view.text.find("\n", start, start + MAX_TEXT)
    text = view.text[start : end if end >= 0 else start + MAX_TEXT]
    for index, word in enumerate(words):
        if word.text.lower() in ("-c", "-command", "/c") and words[index + 1 :]:
            report.nest(joined(view, words[index + 1 :], "shell", "powershell"))
            break
    # One reading of a line serves all its commands.
    if reader is None or start >= reader.until:
        if reader is not None:
            reader.until = start + len(text)
        yield from read_windows(text)


def command_prompt(view: View, call: Call, report: Report) -> Iterator[Hit]:
    """`cmd /c TEXT`, with its carets taken out."""
    words = call.words[1:]
    at = next((i for i, word in enumerate(words) if word.text.lower() in ("/c", "/k", "/r")), -1)
    if at < 0 or not words[at + 1 :]:
        return
    text = plain(" ".join(word.text for word in words[at + 1 :]))
    start, end = words[at + 1].start, words[-1].end
    report.nest(made(view, text, start, end, "shell", "cmd /c"))
    yield from read_windows(text)


_EDITORS = re.compile(
    r"(?:^|\|)\s*:?\s*!\s*(?P<command>.+)|(?:^|:)\s*(?:silent\s+)?!\s*(?P<other>.+)|system\(['\"](?P<called>[^'\"]+)"
)


def editor(view: View, call: Call, reader: Reader | None, report: Report) -> None:
    """vim, ed and others told to run a command (`-c ':!…'`, `!…` in their input)."""
    for word in call.words[1:]:
        text = word.text.removeprefix("+").removeprefix("-c")
        found = _EDITORS.match(text.strip()) if "!" in text or "system(" in text else None
        if found:
            command = next(filter(None, found.groups()))
            whole = joined(view, [word], "shell", call.name)
            at = word.text.find(command)
            report.nest(whole.part(at, at + len(command), language="shell", layer="!"))
    data = given(view, call, reader, "shell")
    if data is not None:
        for line in re.finditer(r"(?m)^\s*!\s*(.+)$", data.text[:10_000]):
            report.nest(data.part(*line.span(1), language="shell", layer="!"))
