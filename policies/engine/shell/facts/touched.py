"""Facts of a call: files, hosts, packages."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator

from policies.engine.language import word_set
from policies.engine.shell.call import Call
from policies.engine.shell.hits import operands
from policies.engine.shell.model import UNKNOWN, join
from policies.engine.shell.network import DOWNLOADERS, READERS

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

_HOST_FIRST = word_set("ssh nc ncat netcat telnet ftp ping")
_CONNECTS = DOWNLOADERS | _HOST_FIRST | word_set("scp rsync sftp")
_TOUCHES = _WRITERS | _CHANGES | word_set("sed dd")
_OUTPUTS = frozenset([">", ">>", ">|", "&>", "&>>", "<>"])


def touched(call: Call) -> Iterator[tuple[str, str]]:
    """Names and values of facts."""
    name = call.name
    for word in call.words:
        if "://" in word.text:
            for found in _URL.finditer(word.text):
                yield "host", found.group(1).lower()
    for redirect in call.command.redirects:
        if redirect.target is not None and not redirect.target.feeds:
            yield from _redirected(call, redirect.operator, redirect.target.text)
    for fact, read in _FACTS.get(name, ()):
        for value in read(call):
            yield fact, value


def _redirected(call: Call, operator: str, path: str) -> Iterator[tuple[str, str]]:
    if operator == "<":
        yield "file.read", _path(call, path)
    elif operator in _OUTPUTS and not path.startswith(("/dev/null", "/dev/std", "&")):
        yield "file.write", _path(call, path)


def _path(call: Call, text: str) -> str:
    return join(call.command.cwd, text).replace(UNKNOWN, "$?")


def _read(call: Call) -> Iterator[str]:
    words = operands(call)
    if call.name in _WRITERS:
        words = words[:-1]
    elif call.name in _PATTERN_FIRST:
        words = words[1:]
    for word in words:
        if word.text and " " not in word.text:
            yield _path(call, word.text.removeprefix("if="))


def _written(call: Call) -> Iterator[str]:
    name = call.name
    words = operands(call)
    if name in _WRITERS:
        words = words[-1:] if len(words) > 1 else []
    elif name in ("chmod", "chown"):
        words = words[1:]
    elif name == "sed":
        if not any(text.startswith(("-i", "--in-place")) for text in call.arguments):
            return
        words = words[1:]
    elif name == "dd":
        words = [word for word in words if word.text.startswith("of=")]
    for word in words:
        yield _path(call, word.text.removeprefix("of="))


_BARE_HOST = re.compile(r"(?:[\w-]+\.)+[a-z]{2,}(?:/\S*)?\Z")


def remote_host(text: str) -> Iterator[str]:
    """The host of `user@host:path`, if it is one."""
    if (remote := _REMOTE.match(text)) is not None:
        yield remote.group(1).lower()


def _hosts(call: Call) -> Iterator[str]:
    words = operands(call)
    if call.name in ("ssh", "scp", "rsync", "sftp"):
        for word in words:
            yield from remote_host(word.text)
    if call.name in _HOST_FIRST:
        if words and UNKNOWN not in words[0].text:
            yield words[0].text.rpartition("@")[2].lower()
    elif call.name in DOWNLOADERS:
        for word in words:
            if _BARE_HOST.match(word.text):
                yield word.text.partition("/")[0].lower()


def _packages(call: Call) -> Iterator[str]:
    arguments = call.arguments
    if call.name in ("python", "python3"):
        if arguments[:2] != ["-m", "pip"]:
            return
        arguments = arguments[2:]
    for index, text in enumerate(arguments[:4]):
        if text in _INSTALL:
            for package in arguments[index + 1 :]:
                if not package.startswith("-") and UNKNOWN not in package:
                    yield package
            return


_KINDS: tuple[tuple[str, Callable[[Call], Iterator[str]], Iterable[str]], ...] = (
    ("host", _hosts, _CONNECTS),
    ("package.install", _packages, _INSTALLERS | {"python", "python3"}),
    ("file.read", _read, READERS),
    ("file.write", _written, _TOUCHES),
)
_FACTS: dict[str, list[tuple[str, Callable[[Call], Iterator[str]]]]] = {}
for _fact, _reader, _names in _KINDS:
    for _name in _names:
        _FACTS.setdefault(_name, []).append((_fact, _reader))
