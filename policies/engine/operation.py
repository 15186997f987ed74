"""What the engine is asked about, and how a place in a text is named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from policies.engine.findings import Finding


class Phase(StrEnum):
    """Before the tool ran (its input is checked) or after (its result is checked)."""

    BEFORE = "before"
    AFTER = "after"


class Language(StrEnum):
    """What a text is written in, as far as its caller knows."""

    AUTO = "auto"
    SHELL = "shell"
    SQL = "sql"
    PATH = "path"  # of a file that is written, or of which nobody knows whether
    READ_PATH = "read_path"  # of a file that is only read
    URL = "url"
    TEXT = "text"


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """One string of a tool's input or result, as a stretch of `Operation.text`.

    `start` and `end` are character offsets; `path` leads to the string in the caller's own
    object (keys and indexes), so that a redaction can be written back where it belongs.
    """

    start: int
    end: int
    path: tuple[str | int, ...] = ()
    language: Language = Language.AUTO


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """What running a file would do that was written earlier: see `written.examine`.

    Plain values only, so that it can be kept with a session (`msgspec` writes and reads it).
    `link`: the absolute path of another file that this one is a link to.
    """

    findings: tuple[Finding, ...] = ()
    facts: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    truncated: bool = False
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """What a subject wants to do (or what came of it), in the engine's terms.

    `text` is what the policies call `query` (before) or `response` (after). `fields` holds what
    else policies may ask for: `client_id`, `user_id`, `context` and so on; see `conditions`.
    `inherited` holds, by absolute path, what files do that were written earlier in the session;
    an operation that runs one of them answers for it. Relative paths of a command are taken from
    `fields["working_directory"]`.
    """

    text: str
    tool: str = ""
    phase: Phase = Phase.BEFORE
    parts: tuple[Part, ...] = ()
    fields: Mapping[str, Any] = field(default_factory=dict)
    inherited: Mapping[str, Written] = field(default_factory=dict)

    def all_parts(self) -> tuple[Part, ...]:
        """The parts, or the whole text as the only one."""
        return self.parts or (Part(start=0, end=len(self.text)),)
