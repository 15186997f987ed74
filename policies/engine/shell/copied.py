"""What a call copies, moves, links, packs or unpacks: the files go by other names then."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from policies.engine.copies import Copied
from policies.engine.language import word_set
from policies.engine.shell.call import Call, base_name
from policies.engine.shell.facts.options import Line, read
from policies.engine.shell.model import UNKNOWN, Command, join

_INTO = ("-t", "--target-directory")
_VALUED = {
    "cp": word_set("-t --target-directory -S --suffix"),
    "install": word_set("-t --target-directory -S --suffix -m --mode -o --owner -g --group"),
    "rsync": word_set(
        "-e --rsh --exclude --include --filter -f --files-from --exclude-from --include-from "
        "--log-file --chmod --chown --rsync-path --backup-dir --suffix --max-size --min-size "
        "--partial-dir --timeout --bwlimit --port --password-file"
    ),
    "scp": word_set("-P -i -o -F -l -c -S -J -D -X"),
    "ditto": word_set("--arch --bom"),
}
_REMOTE = re.compile(r"[^/]*:")
# Programs that print a file that they are given, whole or for the greater part.
_PRINTERS = word_set("cat head tail tac sed envsubst tr nl")
_OUTPUTS = frozenset([">", ">>", ">|", "&>", "&>>"])


def copied(call: Call) -> Iterator[Copied]:
    """Sources and targets of a call, seen from where it runs."""
    reader = _READERS.get(call.name)
    if reader is not None:
        for copy in reader(call):
            if copy.source and copy.target and UNKNOWN not in copy.source + copy.target:
                yield copy


def _pairs(call: Call, line: Line, operands: Sequence[str], cwd: str) -> Iterator[Copied]:
    """`SOURCE... TARGET`, or all of them into the target of an option."""
    into = next(iter(line.values(*_INTO)), "")
    sources, target = (operands, into) if into else (operands[:-1], "".join(operands[-1:]))
    inside: bool | None = None
    if into or target.endswith("/") or target in (".", "..") or len(sources) > 1:
        inside = True
    elif line.has("-T", "--no-target-directory"):
        inside = False
    for source in sources:
        yield Copied(source=_directory(cwd, source), target=_directory(cwd, target), inside=inside)


def _directory(cwd: str, path: str) -> str:
    """A path as seen from `cwd`; the directory of the command itself is `.`."""
    return join(cwd, path) or "."


def _copies(call: Call) -> Iterator[Copied]:
    line = read(call.arguments, _VALUED.get(call.name, _VALUED["cp"]))
    if call.name == "install" and line.has("-d", "--directory"):
        return
    yield from _pairs(call, line, line.operands, call.command.cwd)


def _synchronises(call: Call) -> Iterator[Copied]:
    """rsync, scp: between paths of this machine; a `/` behind a source means what is in it."""
    line = read(call.arguments, _VALUED[call.name])
    operands = line.operands
    if len(operands) < 2 or any(_REMOTE.match(operand) for operand in operands):
        return
    cwd, target = call.command.cwd, _directory(call.command.cwd, operands[-1])
    for source in operands[:-1]:
        inside = False if call.name == "rsync" and source.endswith("/") else None
        yield Copied(source=_directory(cwd, source), target=target, inside=inside)


def _links(call: Call) -> Iterator[Copied]:
    line = read(call.arguments, _VALUED["cp"])
    operands, cwd = line.operands, call.command.cwd
    if len(operands) == 1 and not line.values(*_INTO):
        operands = [*operands, "."]
    soft = line.has("-s", "--symbolic")
    for copy in _pairs(call, line, operands, cwd):
        if not soft:
            yield Copied(source=copy.source, target=copy.target, inside=copy.inside, link=True)
    if soft:
        yield from _soft(call, line, operands)


def _soft(call: Call, line: Line, operands: Sequence[str]) -> Iterator[Copied]:
    """What a symbolic link names is seen from where the link lies."""
    for copy in _pairs(call, line, operands, ""):
        target = _directory(call.command.cwd, copy.target)
        if copy.inside is not True:
            place = target.rpartition("/")[0] if "/" in target else ""
            yield Copied(source=join(place, copy.source), target=target, inside=False, link=True)
        if copy.inside is not False:
            place = "" if target == "." else target
            yield Copied(source=join(place, copy.source), target=target, inside=True, link=True)


def _git(call: Call) -> Iterator[Copied]:
    if "mv" not in call.arguments:
        return
    at = call.arguments.index("mv")
    before = read(call.arguments[:at], word_set("-C -c --git-dir --work-tree"))
    if before.operands:
        return  # another subcommand, of which `mv` is an argument
    cwd = call.command.cwd
    for directory in before.values("-C"):
        cwd = join(cwd, directory)
    line = read(call.arguments[at + 1 :], frozenset())
    yield from _pairs(call, line, line.operands, cwd)


def _prints(call: Call) -> Iterator[Copied]:
    """`cat a > b`: the content of one file becomes that of another."""
    cwd = call.command.cwd
    targets = [
        redirect.target.text
        for redirect in call.command.redirects
        if redirect.operator in _OUTPUTS and redirect.target is not None
    ]
    for target in targets:
        for source in _printed(call.command, call.arguments):
            yield Copied(source=source, target=join(cwd, target), inside=False)


def _printed(command: Command, arguments: Sequence[str]) -> Iterator[str]:
    """The files that a command prints: those it is given, and its input."""
    for text in arguments:
        if not text.startswith("-") and " " not in text:
            yield join(command.cwd, text)
    for redirect in command.redirects:
        if redirect.operator == "<" and redirect.target is not None:
            yield join(command.cwd, redirect.target.text)


def _tee(call: Call) -> Iterator[Copied]:
    """`cat a | tee b`, `tee b < a`."""
    sources = list(_printed(call.command, ()))
    for command in call.command.source:
        if command.words and base_name(command.words[0]) in _PRINTERS:
            sources.extend(_printed(command, [word.text for word in command.words[1:]]))
    for target in read(call.arguments, frozenset()).operands:
        for source in sources:
            yield Copied(source=source, target=join(call.command.cwd, target), inside=False)


def _dd(call: Call) -> Iterator[Copied]:
    named = dict(text.split("=", 1) for text in call.arguments if "=" in text)
    if "if" in named and "of" in named:
        cwd = call.command.cwd
        yield Copied(source=join(cwd, named["if"]), target=join(cwd, named["of"]), inside=False)


_TAR_VALUED = word_set(
    "-f -C -T -X -I -b --file --directory --files-from --exclude --exclude-from --transform "
    "--use-compress-program --owner --group --mode --strip-components"
)


def _tar(call: Call) -> Iterator[Copied]:
    arguments = call.arguments
    if arguments and re.fullmatch(r"[a-zA-Z]+", arguments[0]):
        arguments = ["-" + arguments[0], *arguments[1:]]  # `tar xzf`: the old way of options
    line = read(arguments, _TAR_VALUED)
    archives = line.values("-f", "--file")
    cwd = call.command.cwd
    place = _directory(cwd, next(iter(line.values("-C", "--directory")), ""))
    for archive in archives[:1]:
        packed = join(cwd, archive)
        if line.has("-x", "--extract", "--get"):
            yield Copied(source=packed, target=place, inside=False)
        elif line.has("-c", "-r", "-u", "--create", "--append", "--update"):
            yield from _packed(line.operands, place, packed)


def _packed(members: Sequence[str], place: str, archive: str) -> Iterator[Copied]:
    for member in members:
        name = join("", member).lstrip("/")
        source = join("" if place == "." else place, member)
        yield Copied(source=source or ".", target=join(archive, name), inside=False)


def _zip(call: Call) -> Iterator[Copied]:
    operands = read(call.arguments, word_set("-x -i -P -b -t -n")).operands
    if operands:
        archive = operands[0] if "." in operands[0] else f"{operands[0]}.zip"
        yield from _packed(operands[1:], call.command.cwd or ".", join(call.command.cwd, archive))


def _unzip(call: Call) -> Iterator[Copied]:
    line = read(call.arguments, word_set("-d -x -P"))
    cwd = call.command.cwd
    place = _directory(cwd, next(iter(line.values("-d")), ""))
    for archive in line.operands[:1]:
        yield Copied(source=join(cwd, archive), target=place, inside=False)


_READERS: dict[str, Callable[[Call], Iterator[Copied]]] = {
    **dict.fromkeys(["cp", "mv", "install", "ditto", "gcp", "gmv", "ginstall"], _copies),
    **dict.fromkeys(["rsync", "scp"], _synchronises),
    **dict.fromkeys(["ln", "gln"], _links),
    **dict.fromkeys(_PRINTERS, _prints),
    **dict.fromkeys(["tar", "gtar", "bsdtar"], _tar),
    "git": _git,
    "tee": _tee,
    "dd": _dd,
    "zip": _zip,
    "unzip": _unzip,
}
COPIERS = frozenset(_READERS)
