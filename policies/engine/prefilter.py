"""Which text patterns of a tenant's policies can match: one Vectorscan pass for all of them.

The database is compiled in a child process with limits on time and memory, because compiling
can be bombed (`.{1,8000}x.{1,8000}y` takes over 20 s) and would hold the interpreter's lock.
It only says which policies are worth testing; RE2 decides. What Vectorscan cannot compile, or
might not find where RE2 does, is simply always tested.
"""

from __future__ import annotations

import re
import resource
import subprocess
import sys
import threading
from collections.abc import Sequence
from pathlib import Path
from shutil import which

import hyperscan
import msgspec

COMPILE_S = 2  # processor seconds for one pattern's admission
REBUILD_S = 30  # processor seconds for a whole tenant
COMPILE_BYTES = 768 * 2**20  # address space of the child, interpreter included
REBUILD_NICENESS = 15  # a rebuild takes a core for a second; answers come first
_CHILD = "import sys; from policies.engine import prefilter; prefilter.child(int(sys.argv[1]))"
# PREFILTER lets Vectorscan widen what it cannot match exactly; UTF8 keeps `.` a character.
_FLAGS = (
    hyperscan.HS_FLAG_CASELESS
    | hyperscan.HS_FLAG_DOTALL
    | hyperscan.HS_FLAG_SINGLEMATCH
    | hyperscan.HS_FLAG_ALLOWEMPTY
    | hyperscan.HS_FLAG_UTF8
    | hyperscan.HS_FLAG_PREFILTER
)


class CompileRefusedError(ValueError):
    """Vectorscan could not compile a pattern within the limits."""


class Prefilter:
    """A compiled database over patterns; answers which of them may match."""

    def __init__(self, patterns: Sequence[str], serialized: bytes) -> None:
        self.patterns = tuple(patterns)
        self._database = hyperscan.loadb(serialized, mode=hyperscan.HS_MODE_BLOCK)
        self._scratch = hyperscan.Scratch(self._database)
        self._local = threading.local()

    def scan(self, data: bytes) -> set[str]:
        """The patterns that may occur in the UTF-8 text `data`."""
        found: set[str] = set()
        patterns = self.patterns

        def on_match(index: int, _start: int, _end: int, _flags: int, _context: object) -> None:
            found.add(patterns[index])

        scratch = getattr(self._local, "scratch", None)
        if scratch is None:
            scratch = self._local.scratch = self._scratch.clone()
        self._database.scan(data, match_event_handler=on_match, scratch=scratch)
        return found


def build(patterns: Sequence[str], *, seconds: int = REBUILD_S) -> Prefilter | None:
    """A prefilter over those of `patterns` that Vectorscan compiles; None without any."""
    if not patterns:
        return None
    kept, serialized = _in_child(patterns, seconds=seconds, niceness=REBUILD_NICENESS)
    return Prefilter([patterns[index] for index in kept], serialized) if kept else None


def admit(pattern: str) -> bool:
    """Can Vectorscan compile `pattern`? False: it runs on RE2 alone.

    Raises:
        CompileRefusedError: trying took more than the limits.
    """
    kept, _ = _in_child([pattern], seconds=COMPILE_S, niceness=0)
    return bool(kept)


def _in_child(patterns: Sequence[str], *, seconds: int, niceness: int) -> tuple[list[int], bytes]:
    root = Path(__file__).resolve().parents[2]
    # Nice from its first instruction: an interpreter's start is part of the work.
    nicely = [nice, "-n", str(niceness)] if niceness and (nice := which("nice")) else []
    try:
        done = subprocess.run(  # noqa: S603 (our own interpreter and module)
            [*nicely, sys.executable, "-c", _CHILD, str(seconds)],
            input=msgspec.json.encode(list(patterns)),
            capture_output=True,
            timeout=seconds * 4 + 10,  # the machine may be busy; the child's own limit is CPU time
            cwd=root,
            check=True,
        )
    except (subprocess.TimeoutExpired, subprocess.CalledProcessError):
        raise CompileRefusedError(
            f"Compiling takes more than {seconds} s or {COMPILE_BYTES >> 20} MB; shorten the "
            "pattern's repeats."
        ) from None
    head, _, serialized = done.stdout.partition(b"\n")
    return msgspec.json.decode(head, type=list[int]), serialized


def child(seconds: int) -> None:
    """The child process: patterns as JSON on standard input, kept indexes and database out."""
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_AS, (COMPILE_BYTES, COMPILE_BYTES))
    patterns = msgspec.json.decode(sys.stdin.buffer.read(), type=list[str])
    kept = [index for index, pattern in enumerate(patterns) if widened(pattern) is not None]
    if not kept:
        sys.stdout.buffer.write(b"[]\n")
        return
    try:
        serialized = _compile([patterns[index] for index in kept])
    except hyperscan.error:
        # One that it cannot compile fails them all: find out which, one by one.
        kept = [index for index in kept if _compiles(patterns[index])]
        serialized = _compile([patterns[index] for index in kept]) if kept else b""
    sys.stdout.buffer.write(msgspec.json.encode(kept) + b"\n" + serialized)


def _compile(patterns: Sequence[str]) -> bytes:
    database = hyperscan.Database(mode=hyperscan.HS_MODE_BLOCK)
    database.compile(
        expressions=[(widened(pattern) or "").encode("utf-8", "replace") for pattern in patterns],
        ids=list(range(len(patterns))),
        elements=len(patterns),
        flags=[_FLAGS] * len(patterns),
    )
    return bytes(hyperscan.dumpb(database))


# Vectorscan's case folding is of an older Unicode: past Latin it misses letters that RE2 finds
# (Cyrillic, Georgian, Cherokee, ...; tried letter by letter). So do its character properties.
# RE2 looks for `\B` between the bytes of one character, too.
_LAST_FOLDED = "\u024f"
_RE2_ALONE = re.compile(rf"[^\x00-{_LAST_FOLDED}]|\\(?:[pPQCB]|x\{{)")
_PIECE = re.compile(
    r"(?P<set>\[\^?\]?(?:\[:\^?[a-z]+:\]|\\.|[^\]\\])*\])|(?P<escape>\\.)|[^\\\[]+", re.DOTALL
)


def widened(pattern: str) -> str | None:
    """`pattern`, which RE2 admits, for Vectorscan: finding at least what RE2 finds.

    RE2's `\\s` has no vertical tab and its `\\v` is nothing else. A long bounded repeat of any
    character loses its bounds: they are most of the time of compiling. None: only RE2 can tell.
    """
    if _RE2_ALONE.search(pattern):
        return None
    pieces = []
    for piece in _PIECE.finditer(pattern):
        text = piece.group()
        if piece["set"]:
            if "\\s-" in text or "\\v-" in text or "-\\v" in text:
                return None
            text = _ESCAPE.sub(lambda found: _IN_SET.get(found.group(), found.group()), text)
        elif piece["escape"]:
            text = _OUTSIDE.get(text, text)
        else:
            text = _LONG_REPEAT.sub(".*", text)
        pieces.append(text)
    return "".join(pieces)


_ESCAPE = re.compile(r"\\.", re.DOTALL)
_LONG_REPEAT = re.compile(r"\.\{(?:\d{1,3},(?:\d{2,3})?|\d{2,3})\}")
_OUTSIDE = {r"\s": r"[\t\n\f\r\x20]", r"\S": r"[^\t\n\f\r\x20]", r"\v": r"\x0b"}
_IN_SET = {r"\s": r"\t\n\f\r\x20", r"\S": r"\S\x0b", r"\v": r"\x0b"}


def _compiles(pattern: str) -> bool:
    try:
        _compile([pattern])
    except hyperscan.error:
        return False
    return True
