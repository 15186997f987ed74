"""Write, then run: a file that was written in a session answers for what it does when it is run.

The engine says what running a content would do and keeps nothing. Here it is kept with the
session, by path, and handed in again with the session's later operations.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from functools import cached_property
from itertools import chain
from typing import Any

import msgspec
from django.utils import timezone

from audit.text import storable
from axonportal.gateway import keeping
from axonportal.gateway.caller import Caller, name
from axonportal.gateway.models import SessionFile
from policies.engine.analysis import Analysis
from policies.engine.copies import Copied, absolute
from policies.engine.findings import EXECUTES
from policies.engine.operation import Written
from policies.engine.written import examine

KEPT = timedelta(days=7)  # since it was written; a session that is taken up again lasts that long
MAX_CONTENT = 1_000_000  # characters of a content that are examined; more counts as truncated
MAX_FINDINGS = 50  # kept per file: one would do, the others explain
MAX_FILES = 1_000  # of a session that an operation is compared with, the newest first
MAX_COPIES = 50  # copies, moves and links of one call that are followed
MAX_COPIED = 200  # notes that they leave
MAX_LINKS = 10  # through which one content is written
# Arguments, by name, that say where something is written and what.
_PATHS = ("file_path", "notebook_path", "path", "filename")
_WHOLE = ("content", "contents", "text")
_PART = ("new_string", "new_source", "insert_text", "new_str")
_SOURCE, _DESTINATION = "source", "destination"  # of a tool that moves or copies a file


def of(caller: Caller) -> Mapping[str, Written]:
    """The files of the caller's session; asks the database when somebody wants to know."""
    return SessionFiles(caller) if caller.session_id else {}


class SessionFiles(Mapping[str, Written]):
    """What files do that were written in one session, by absolute path; read at the first use.

    A path is found by its digest. Those that are listed are as they are stored: without what
    must not be.
    """

    def __init__(self, caller: Caller) -> None:
        self._caller = caller

    @cached_property
    def _files(self) -> dict[bytes, tuple[str, Written]]:
        rows = _rows(self._caller).order_by("-written_at")
        return {
            bytes(digest): (path, msgspec.convert(does, Written))
            for digest, path, does in rows.values_list("path_digest", "path", "does")[:MAX_FILES]
        }

    @cached_property
    def _stored(self) -> dict[str, Written]:
        return dict(self._files.values())

    def __getitem__(self, path: str) -> Written:
        found = self._files.get(_digest(path))
        return found[1] if found is not None else self._stored[path]

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and (_digest(path) in self._files or path in self._stored)

    def __iter__(self) -> Iterator[str]:
        return (path for path, _ in self._files.values())

    def __len__(self) -> int:
        return len(self._files)


def note(caller: Caller, tool_input: Any, analysis: Analysis) -> None:
    """Remember what an allowed call writes into files, by its arguments or as a command.

    The whole content of a file replaces what was known of it; a part adds to it, and so does what
    is copied or moved there. A move leaves what is known of the source: it may yet fail.
    """
    if not caller.session_id:
        return
    copied = analysis.copied[:MAX_COPIES]
    if isinstance(tool_input, Mapping) and (source := _text(tool_input, (_SOURCE,))):
        target = _text(tool_input, (_DESTINATION,))
        copied = (*copied, Copied(source=source, target=target)) if target else copied
    if copied:
        _follow(caller, copied)
    for path, content in analysis.written.items():
        _note(caller, path, content, is_part=False)
    if not isinstance(tool_input, Mapping) or not (path := _text(tool_input, _PATHS)):
        return
    if whole := _text(tool_input, _WHOLE):
        _note(caller, path, whole, is_part=False)
    elif part := _text(tool_input, _PART):
        _note(caller, path, part, is_part=True)


def _follow(caller: Caller, copied: Iterable[Copied]) -> None:
    """Note what is known of files under the names that they get, in the order of the commands."""
    here = caller.fields()["working_directory"]
    files: Mapping[str, Written] = SessionFiles(caller)
    added: dict[str, Written] = {}
    for one in copied:
        plain = replace(one, source=storable(one.source), target=storable(one.target))
        copy = plain.absolute(here)
        if copy.link:
            found = [(copy.source, Written(link=keeping.of_text(copy.source)))]
        else:
            found = _within(copy.source, added) + _within(copy.source, files)
        for path, does in found:
            for copied_to in copy.landed(path):
                if len(added) >= MAX_COPIED:
                    return
                added[copied_to] = does
                _keep(caller, copied_to, does, is_part=True)


def _within(source: str, files: Mapping[str, Written]) -> list[tuple[str, Written]]:
    """What is known of the file `source`, and of those in it if it is a directory."""
    found = [(source, files[source])] if source in files else []
    start = source.rstrip("/") + "/"
    return found + [(path, files[path]) for path in files if path.startswith(start)]


def _note(caller: Caller, path: str, content: str | None, *, is_part: bool) -> None:
    path = absolute(storable(path), caller.fields()["working_directory"])
    is_cut = content is not None and len(content) > MAX_CONTENT
    does = _kept(examine(path, content[:MAX_CONTENT] if content else content), is_cut=is_cut)
    link = _keep(caller, path, does, is_part=is_part)
    for _ in range(MAX_LINKS):
        if not link:
            return
        # Through a link, unless that was replaced: so nothing is taken back.
        link = _keep(caller, link, does, is_part=True)


def _keep(caller: Caller, path: str, does: Written, *, is_part: bool) -> str:
    """Store what running the file at an absolute path does; what it was a link to, if it was."""
    known = _rows(caller).filter(path_digest=_digest(path))
    stored = known.values_list("does", flat=True).first()
    earlier = Written() if stored is None else msgspec.convert(stored, Written)
    if is_part:
        does = _joined(earlier, does)
    elif earlier.link:
        does = replace(does, link=earlier.link)
    if not (does.findings or does.truncated or does.link or EXECUTES in does.facts):
        known.delete()
        return ""
    SessionFile.objects.update_or_create(
        **_session(caller),
        path_digest=_digest(path),
        defaults={
            "path": keeping.of_text(path),
            "does": msgspec.to_builtins(does),
            "written_at": timezone.now(),
        },
    )
    return earlier.link


def forget() -> int:
    """Delete what is older than `KEPT`; how many."""
    deleted, _ = SessionFile.objects.filter(written_at__lt=timezone.now() - KEPT).delete()
    return deleted


def _session(caller: Caller) -> dict[str, Any]:
    principal = caller.principal
    return {
        "tenant_id": principal.tenant_id,
        "client_id": principal.client_id,
        "session_id": name(storable(caller.session_id)),
    }


def _rows(caller: Caller) -> Any:
    return SessionFile.objects.filter(**_session(caller))


def _digest(path: str) -> bytes:
    return hashlib.sha256(path.encode("utf-8", "replace")).digest()


def _text(tool_input: Mapping[str, Any], names: tuple[str, ...]) -> str:
    values = (tool_input.get(one) for one in names)
    return next((value for value in values if isinstance(value, str) and value), "")


def _kept(does: Written, *, is_cut: bool) -> Written:
    """What is stored of it: no values that must not be, and not more than explains it."""
    distinct = {(found.kind, found.rule): found for found in reversed(does.findings)}
    facts = keeping.of_json({fact: list(values) for fact, values in does.facts.items()})
    return Written(
        findings=tuple(distinct.values())[:MAX_FINDINGS],
        facts={storable(fact): tuple(map(storable, values)) for fact, values in facts.items()},
        truncated=does.truncated or is_cut,
    )


def _joined(earlier: Written, later: Written) -> Written:
    facts = {
        fact: tuple(dict.fromkeys(chain(earlier.facts.get(fact, ()), later.facts.get(fact, ()))))
        for fact in {**earlier.facts, **later.facts}
    }
    findings = {(found.kind, found.rule): found for found in (*later.findings, *earlier.findings)}
    return Written(
        findings=tuple(findings.values())[:MAX_FINDINGS],
        facts=facts,
        truncated=earlier.truncated or later.truncated,
        link=later.link or earlier.link,
    )
