"""Facts of a call: files, hosts, packages, git."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.engine.language import word_set
from policies.engine.shell.call import Call
from policies.engine.shell.hits import operands
from policies.engine.shell.model import UNKNOWN, join
from policies.engine.shell.network import DOWNLOADERS, READERS
from policies.engine.shell.versions import subcommand

_URL = re.compile(
    r"\b[a-z][a-z0-9+.-]{1,12}://(?:[^@/\s'\"]*@)?(\[[0-9a-fA-F:]+\]|[\w.-]+)", re.IGNORECASE
)
_REMOTE = re.compile(r"^(?:[\w.-]+@)?([\w-]+(?:\.[\w-]+)*):(?!//)\S")
_WRITERS = frozenset(["cp", "mv", "install", "ln", "rsync", "scp"])
_CHANGES = word_set("rm rmdir unlink shred truncate touch mkdir tee chmod chown")
_PATTERN_FIRST = word_set("grep egrep fgrep rg awk sed jq yq tr cut")
_INSTALL = ("install", "add", "i", "in", "get", "require", "-S", "-Sy", "-Syu")
_INSTALLERS = word_set(
    "pip pip3 npm pnpm yarn bun apt apt-get apk yum dnf brew gem cargo go composer pacman conda uv "
    "poetry pipx zypper snap choco winget"
)


def facts(call: Call) -> Iterator[tuple[str, str]]:
    """Names and values of facts."""
    name = call.name
    if name == "git":
        verb = subcommand(call)
        if verb:
            yield "git", verb
    yield from _hosts(call)
    yield from _packages(call)
    for path in _read(call):
        yield "file.read", path
    for path in _written(call):
        yield "file.write", path


def _path(call: Call, text: str) -> str:
    return join(call.command.cwd, text).replace(UNKNOWN, "$?")


def _read(call: Call) -> Iterator[str]:
    for redirect in call.command.redirects:
        if redirect.operator == "<" and redirect.target is not None and not redirect.target.feeds:
            yield _path(call, redirect.target.text)
    if call.name not in READERS:
        return
    words = operands(call)
    if call.name in _WRITERS:
        words = words[:-1]
    elif call.name in _PATTERN_FIRST:
        words = words[1:]
    for word in words:
        if word.text and " " not in word.text:
            yield _path(call, word.text.removeprefix("if="))


def _written(call: Call) -> Iterator[str]:
    for redirect in call.command.redirects:
        if (
            redirect.operator in (">", ">>", ">|", "&>", "&>>", "<>")
            and redirect.target is not None
            and not redirect.target.text.startswith(("/dev/null", "/dev/std", "&"))
        ):
            yield _path(call, redirect.target.text)
    words = operands(call)
    if call.name in _WRITERS and len(words) > 1:
        yield _path(call, words[-1].text)
    elif call.name in _CHANGES:
        start = 1 if call.name in ("chmod", "chown") else 0
        for word in words[start:]:
            yield _path(call, word.text)
    elif call.name == "sed" and any(
        text.startswith(("-i", "--in-place")) for text in call.arguments
    ):
        for word in words[1:]:
            yield _path(call, word.text)
    elif call.name == "dd":
        for text in call.arguments:
            if text.startswith("of="):
                yield _path(call, text[3:])


def _hosts(call: Call) -> Iterator[tuple[str, str]]:
    for text in call.arguments:
        for found in _URL.finditer(text):
            yield "host", found.group(1).lower()
    if call.name in ("ssh", "scp", "rsync", "sftp", "git"):
        for word in operands(call):
            remote = _REMOTE.match(word.text)
            if remote:
                yield "host", remote.group(1).lower()
    if call.name in ("ssh", "nc", "ncat", "netcat", "telnet", "ftp", "ping"):
        words = operands(call)
        if words and UNKNOWN not in words[0].text:
            yield "host", words[0].text.rpartition("@")[2].lower()
    elif call.name in DOWNLOADERS:
        for word in operands(call):
            if re.fullmatch(r"(?:[\w-]+\.)+[a-z]{2,}(?:/\S*)?", word.text):
                yield "host", word.text.partition("/")[0].lower()


def _packages(call: Call) -> Iterator[tuple[str, str]]:
    arguments = call.arguments
    if call.name in ("python", "python3") and arguments[:2] == ["-m", "pip"]:
        arguments = arguments[2:]
    elif call.name not in _INSTALLERS:
        return
    for index, text in enumerate(arguments[:4]):
        if text in _INSTALL:
            for package in arguments[index + 1 :]:
                if not package.startswith("-") and UNKNOWN not in package:
                    yield "package.install", package
            return
