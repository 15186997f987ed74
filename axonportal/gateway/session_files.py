"""Write, then run: a file that was written in a session answers for what it does when it is run.

The engine says what running a content would do and keeps nothing. Here it is kept with the
session, by path, and handed in again with the session's later operations.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import timedelta
from functools import cached_property
from itertools import chain
from posixpath import isabs, join, normpath
from typing import Any

import msgspec
from django.utils import timezone

from audit.text import storable
from axonportal.gateway import keeping
from axonportal.gateway.caller import Caller, name
from axonportal.gateway.models import SessionFile
from policies.engine.analysis import Analysis
from policies.engine.findings import EXECUTES
from policies.engine.operation import Written
from policies.engine.written import examine

KEPT = timedelta(days=7)  # since it was written; a session that is taken up again lasts that long
MAX_CONTENT = 1_000_000  # characters of a content that are examined; more counts as truncated
MAX_FINDINGS = 50  # kept per file: one would do, the others explain
MAX_FILES = 1_000  # of a session that an operation is compared with, the newest first
# Arguments, by name, that say where something is written and what.
_PATHS = ("file_path", "notebook_path", "path", "filename")
_WHOLE = ("content", "contents", "text")
_PART = ("new_string", "new_source", "insert_text", "new_str")


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

    def __getitem__(self, path: str) -> Written:
        if (found := self._files.get(_digest(path))) is not None:
            return found[1]
        for stored, does in self._files.values():
            if stored == path:
                return does
        raise KeyError(path)

    def __contains__(self, path: object) -> bool:
        return isinstance(path, str) and _digest(path) in self._files

    def __iter__(self) -> Iterator[str]:
        return (path for path, _ in self._files.values())

    def __len__(self) -> int:
        return len(self._files)


def note(caller: Caller, tool_input: Any, analysis: Analysis) -> None:
    """Remember what an allowed call writes into files, by its arguments or as a command.

    The whole content of a file replaces what was known of it; a part adds to it.
    """
    if not caller.session_id:
        return
    for path, content in analysis.written.items():
        _note(caller, path, content, is_part=False)
    if not isinstance(tool_input, Mapping) or not (path := _text(tool_input, _PATHS)):
        return
    if whole := _text(tool_input, _WHOLE):
        _note(caller, path, whole, is_part=False)
    elif part := _text(tool_input, _PART):
        _note(caller, path, part, is_part=True)


def _note(caller: Caller, path: str, content: str | None, *, is_part: bool) -> None:
    path = _absolute(storable(path), caller)
    is_cut = content is not None and len(content) > MAX_CONTENT
    does = _kept(examine(path, content[:MAX_CONTENT] if content else content), is_cut=is_cut)
    known = _rows(caller).filter(path_digest=_digest(path))
    if is_part:
        earlier = known.values_list("does", flat=True).first()
        if earlier is not None:
            does = _joined(msgspec.convert(earlier, Written), does)
    if not (does.findings or does.truncated or EXECUTES in does.facts):
        known.delete()
        return
    SessionFile.objects.update_or_create(
        **_session(caller),
        path_digest=_digest(path),
        defaults={
            "path": keeping.of_text(path),
            "does": msgspec.to_builtins(does),
            "written_at": timezone.now(),
        },
    )


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


def _absolute(path: str, caller: Caller) -> str:
    here = caller.fields()["working_directory"]
    if not isabs(path) and isinstance(here, str) and isabs(here):
        path = join(here, path)
    return normpath(path)


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
    )
