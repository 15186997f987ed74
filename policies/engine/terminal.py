"""A text and its analysis for a person at a terminal, where a hostile text must change nothing."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from policies.engine.decision import Decision
from policies.engine.findings import Finding

MAX_WIDTH = 100  # cells of a text's line that are shown around a finding
MAX_LINES = 6  # lines of a finding that are shown; the rest is counted
MAX_VALUES = 12  # values of a fact that are shown; the rest is counted
_LEAD = 24  # cells that are kept before a finding in a long line
_SHORT = {"\t": "\\t", "\r": "\\r", "\0": "\\0", "\x1b": "\\e", "\n": "\\n"}
_WORDS = {"allow": "32", "deny": "1;31", "hold": "1;33"}
# Marks that stack on the letter before (Mn, Me), and all that is unseen or steers: controls,
# formats (bidi, zero-width, tags), surrogates, private and unassigned, other separators.
_HIDDEN = frozenset(["Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp", "Mn", "Me"])


def visible(text: str) -> str:
    """The text with every character that is not seen, or moves others, written as an escape.

    `\\e` for ESC, `\\u202e` for a bidi override, `\\u{e0041}` for a tag; a backslash stays as it
    is, so the result is for reading, not for parsing.
    """
    return "".join(map(_character, text))


def _character(char: str) -> str:
    if " " <= char <= "~":
        return char
    if char in _SHORT:
        return _SHORT[char]
    # A white space that is no plain blank would be taken for one.
    if unicodedata.category(char) not in _HIDDEN and not char.isspace():
        return char
    point = ord(char)
    if point <= 0xFF:
        return f"\\x{point:02x}"
    return f"\\u{point:04x}" if point <= 0xFFFF else f"\\u{{{point:x}}}"


def _cells(shown: str) -> int:
    return sum(2 if unicodedata.east_asian_width(char) in "WF" else 1 for char in shown)


@dataclass(frozen=True, slots=True)
class Painter:
    """Colours, where the terminal takes them."""

    colour: bool

    def paint(self, text: str, code: str) -> str:
        """The text in a colour (an SGR code such as `1;31`)."""
        return f"\x1b[{code}m{text}\x1b[0m" if self.colour and text else text


def underlined(text: str, start: int, end: int, painter: Painter) -> Iterator[str]:
    """The lines of `text` that `[start, end)` lies in, each with that stretch underlined."""
    at = text.rfind("\n", 0, start) + 1
    shown = 0
    while at <= max(start, end - 1) and at <= len(text):
        following = text.find("\n", at)
        stop = len(text) if following < 0 else following
        first, last = max(at, start), min(stop, end)
        if shown == MAX_LINES:
            yield f"    … and {text.count(chr(10), at, end) + 1} more lines"
            return
        yield from _line(text, (at, stop), (first, max(first, last)), painter)
        shown += 1
        at = stop + 1


def _line(
    text: str, line: tuple[int, int], found: tuple[int, int], painter: Painter
) -> Iterator[str]:
    """One line and its underline, cut to about MAX_WIDTH around what was found."""
    left = line[0]
    if min(found[1], line[1]) - left > MAX_WIDTH:
        left = max(left, found[0] - _LEAD)
    right = min(line[1], max(found[0] + MAX_WIDTH - _LEAD, left + MAX_WIDTH))
    before = ("…" if left > line[0] else "") + visible(text[left : found[0]])
    inside = visible(text[found[0] : min(found[1], right)])
    after = visible(text[min(found[1], right) : right]) + ("…" if right < line[1] else "")
    yield f"    {before}{painter.paint(inside, '1;33')}{after}"
    yield f"    {' ' * _cells(before)}{painter.paint('^' * max(1, _cells(inside)), '33')}"


def report(
    text: str, decision: Decision, times: Sequence[tuple[str, float]], painter: Painter
) -> Iterator[str]:
    """The lines of the whole report; `times` are stages with their microseconds."""
    word = painter.paint(decision.verdict.value, _WORDS[decision.verdict.value])
    action = f" ({decision.action.value})" if decision.action else ""
    yield f"{painter.paint('Decision', '1')}  {word}{action}  {visible(decision.reason)}".rstrip()
    for match in decision.matches:
        by = "" if match.decided_by == "policy" else f" by {match.decided_by}"
        yield f"  {match.action.value}{by}: {visible(match.policy)}: {visible(match.message)}"
    yield ""
    yield from _findings(text, decision.analysis.findings, painter)
    yield painter.paint("Facts", "1")
    for name, values in sorted(decision.analysis.facts.items()):
        listed = ", ".join(visible(value) for value in values[:MAX_VALUES])
        more = f" … and {len(values) - MAX_VALUES} more" if len(values) > MAX_VALUES else ""
        yield f"  {name:<18} {listed}{more}"
    if decision.analysis.truncated:
        yield painter.paint("  A limit cut the analysis short: what follows it was not read.", "33")
    yield ""
    yield painter.paint("Times", "1")
    for name, microseconds in times:
        yield f"  {name:<18} {microseconds:>10,.0f} µs"


def _findings(text: str, findings: Sequence[Finding], painter: Painter) -> Iterator[str]:
    yield painter.paint(f"Findings  {len(findings)}", "1")
    for finding in findings:
        layer = f"  under {visible(finding.layer)}" if finding.layer else ""
        yield (
            f"  {painter.paint(f'{finding.kind}/{finding.rule}', '1;36')}"
            f"  {finding.start}-{finding.end}  confidence {finding.confidence:.2f}{layer}"
        )
        yield from underlined(text, finding.start, finding.end, painter)
        yield f"    {visible(finding.reason)}"
        if finding.reference:
            yield f"    {visible(finding.reference)}"
    yield ""
