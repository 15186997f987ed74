"""Write, then run: what a file does that was written earlier counts when it is run.

The engine keeps nothing. Whoever keeps the session calls `examine` when a file is written and
hands the answer in as `Operation.inherited` with every later operation of the session; `inherit`
adds it to an operation that runs or sources the file, as the fact `shell.executes` tells.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import PurePosixPath
from posixpath import dirname, isabs, normpath

from policies.engine.copies import absolute, from_home
from policies.engine.findings import DATA_FAMILIES, EXECUTES, Finding, Report, View
from policies.engine.operation import Language, Operation, Part, Written

WRITTEN_EARLIER = "written earlier: "  # how the layer of an inherited finding begins
MAX_FILES = 50  # that one operation inherits from: files run files
MAX_INHERITED = 1_000  # findings that one operation inherits
MAX_NAMES = 1_000  # names that the copies of one operation give to files written earlier
MAX_COPIES = 50  # of one operation that are followed
MAX_ABOVE = 40  # directories above a file that may be links

_SHEBANG = re.compile(r"#!\s{0,4}\S*?(?:/env\s+(?:-\S+\s+)*)?([\w.+-]+)\s*(?:\n|\Z|\s)")
_INTERPRETERS = {
    "py": "python3", "js": "node", "mjs": "node", "cjs": "node", "ts": "node", "pl": "perl",
    "rb": "ruby", "php": "php", "lua": "lua", "ps1": "pwsh",
}  # fmt: skip
_PROGRAMS = frozenset(["python", "python2", "python3", "node", "perl", "ruby", "php", "lua"])
_VERSION = re.compile(r"[\d.]+\Z")
_DELIMITER = "END_OF_PROGRAM"
_DOWNLOADED = Finding(
    kind="shell.dangerous",
    rule="download_execute",
    start=0,
    end=0,
    confidence=0.8,
    reason="Runs a file that was downloaded earlier.",
    reference="https://attack.mitre.org/techniques/T1105/",
)
# What is said of the text itself and not of what it does.
_OWN_FACTS = frozenset(["analysis", "text.hidden", "text.homoglyph"])


def as_run(path: str, content: str) -> Operation:
    """The operation that running the file is: its content in the language it would run in.

    A `#!` line decides, then the extension; anything else is what a shell makes of it.
    """
    first = content[:200]
    found = _SHEBANG.match(first)
    extension = PurePosixPath(path).suffix[1:].lower()
    if found is not None:
        program = _VERSION.sub("", found[1]) or found[1]
    elif extension == "sql":
        return _whole(content, Language.SQL)
    else:
        program = _INTERPRETERS.get(extension, "")
    if program in _PROGRAMS and _DELIMITER not in content:
        # The shell family reads programs where they stand in a command.
        return _whole(f"{program} <<'{_DELIMITER}'\n{content}\n{_DELIMITER}\n", Language.SHELL)
    return _whole(content, Language.SHELL)


def _whole(text: str, language: Language) -> Operation:
    return Operation(text=text, parts=(Part(start=0, end=len(text), language=language),))


def examine(path: str, content: str | None) -> Written:
    """What running the file `path` with this content would do; None: it was downloaded.

    Personal data and secrets are left out: they are in the file, not in what runs it. Places of
    the findings are those in `as_run`, and are replaced when they are inherited.
    """
    from policies.engine.analysis import analyse

    if content is None:
        return Written(findings=(_DOWNLOADED,))
    found = analyse(as_run(path, content))
    findings = tuple(
        finding for finding in found.findings if not finding.kind.startswith(DATA_FAMILIES)
    )
    return Written(
        findings=findings[:MAX_INHERITED],
        facts={name: values for name, values in found.facts.items() if name not in _OWN_FACTS},
        truncated=found.truncated or len(findings) > MAX_INHERITED,
    )


def inherit(operation: Operation, report: Report) -> None:
    """Add what the files that the operation runs do, once the operation itself is examined.

    The findings keep kind, rule and confidence; their place is that of the path in the command,
    their layer begins with `written earlier: PATH`. A file that runs another file that was
    written hands on what that one does, and so does a link. What the operation copies counts by
    its new names as well.
    """
    files = _Files(operation, report)
    queue = [
        (path, report.executed.get(name) or _place_of(name, operation.text))
        for name in report.facts.get(EXECUTES, ())
        for path in files.meant(name)
    ]
    done: set[str] = set()
    count = 0
    while queue:
        path, place = queue.pop(0)
        if path in done:
            continue
        if len(done) >= MAX_FILES:
            report.truncated = True
            return
        done.add(path)
        earlier = operation.inherited[path]
        report.truncated |= earlier.truncated
        for name, values in earlier.facts.items():
            for value in values:
                report.fact(name, value)
        for finding in earlier.findings:
            count += 1
            if count > MAX_INHERITED:
                report.truncated = True
                return
            report.adopt(_inherited(finding, path, place))
        for name in earlier.facts.get(EXECUTES, ()):
            queue.extend((other, place) for other in files.meant(name, path))


def _inherited(finding: Finding, path: str, place: tuple[int, int]) -> Finding:
    layer = f"{WRITTEN_EARLIER}{path}"
    if finding.layer:
        layer = f"{layer} > {finding.layer}"
    return replace(finding, start=place[0], end=place[1], layer=layer)


class _Files:
    """The inherited files by all their names: also those that the operation gives them."""

    def __init__(self, operation: Operation, report: Report) -> None:
        self._here = operation.fields.get("working_directory")
        self._inherited = operation.inherited
        self._copies: dict[str, list[str]] = {}  # what a new name may stand for
        report.truncated |= len(report.copied) > MAX_COPIES
        for copied in report.copied[:MAX_COPIES]:
            copy = copied.absolute(self._here)
            names = [(new, path) for path in self._names(copy.source) for new in copy.landed(path)]
            if copy.link:
                names.extend((new, copy.source) for new in copy.landed(copy.source))
            for new, path in names:
                if len(self._copies) >= MAX_NAMES:
                    report.truncated = True
                    return
                self._copies.setdefault(new, []).append(path)

    def meant(self, name: str, runner: str = "") -> Iterator[str]:
        """The inherited paths that `name` may mean, as the operation or `runner` has it."""
        bases = [self._here, dirname(runner)] if runner else [self._here]
        names = [absolute(name, base) for base in bases if base] or [normpath(name)]
        hits = [path for one in names for path in self._resolved(one)]
        if not hits and not isabs(name):
            hits = [path for one in self._like(normpath(name)) for path in self._resolved(one)]
        yield from dict.fromkeys(hits)

    def _like(self, name: str) -> list[str]:
        """The files that a name may mean where it is not known for sure in which directory."""
        known = [*self._inherited, *self._copies]
        if name.startswith("~"):
            return [path for path in known if from_home(path) == name]
        tail = "/" + name.lstrip("./")
        return [path for path in known if path.endswith(tail)]

    def _names(self, source: str) -> Iterator[str]:
        """What is known by the name `source` or by one in that directory, links included."""
        if self._is_known(source):
            yield source
        within = source.rstrip("/") + "/"
        for path in (*self._inherited, *self._copies):
            if path.startswith(within):
                yield path

    def _is_known(self, path: str) -> bool:
        return path in self._inherited or path in self._copies

    def _resolved(self, path: str) -> Iterator[str]:
        """The inherited files that `path` stands for, by copies, links, and links on the way."""
        todo, seen = [path], {path}
        while todo and len(seen) <= MAX_NAMES:
            path = todo.pop(0)
            others = list(self._copies.get(path, ()))
            if path in self._inherited:
                does = self._inherited[path]
                yield path
                others += [does.link] if does.link else []
            others += self._by_way(path)
            for other in others:
                if other not in seen:
                    seen.add(other)
                    todo.append(other)

    def _by_way(self, path: str) -> Iterator[str]:
        """The path behind links to directories that it leads through."""
        if (spelt := from_home(path)) and self._is_known(spelt):
            yield spelt
        above = path
        for _ in range(MAX_ABOVE):
            above = above[: max(0, above.rfind("/"))]
            if not above:
                return
            links = self._copies.get(above, ())
            if above in self._inherited and (link := self._inherited[above].link):
                links = (*links, link)
            yield from (link + path[len(above) :] for link in links)


def _place_of(name: str, text: str) -> tuple[int, int]:
    """Where the text names the file, else all of it."""
    for written in (name, PurePosixPath(name).name):
        at = text.find(written) if written else -1
        if at >= 0:
            return at, at + len(written)
    return View(text=text, offset=0, language=Language.TEXT).place(0, len(text))
