"""Redaction until a second look finds nothing: then a second redaction changes nothing."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace

from policies.engine.findings import Finding
from policies.engine.operation import Operation, Part
from policies.engine.redaction import Redacted, RedactedSpan, Style, redact

MAX_ROUNDS = 6  # looks at one text; past that all of it goes

# What is to be taken out of an operation, with its places in the operation's text.
Find = Callable[[Operation], Iterable[Finding]]


def redact_operation(
    operation: Operation,
    findings: Iterable[Finding],
    *,
    find: Find,
    style: Style | Mapping[str, Style] = Style.PLACEHOLDER,
    key: bytes = b"",
) -> Redacted:
    """The operation's text without `findings`, nor what `find` then finds in it.

    What a redacted place stood between may say something together: after DROP two halves of a
    number, or a word and a number that it now names. So the result is looked at again until there
    is nothing to take out; what never settles goes as a whole. The spans are places in the text as
    it came. See `redact`.
    """
    redacted = redact(operation.text, findings, style=style, key=key)
    if not redacted.spans:
        return redacted
    for _ in range(MAX_ROUNDS):
        after = _moved(operation, redacted)
        left = list(find(after))
        again = redact(after.text, left, style=style, key=key)
        if not again.spans:
            return redacted
        redacted = _composed(redacted, again)
    whole = Finding(
        kind="policy.withheld",
        rule="unsettled",
        start=0,
        end=len(operation.text),
        confidence=1.0,
        reason="What is left after a redaction keeps saying something new.",
    )
    return redact(operation.text, [whole])


def redact_parts(
    operation: Operation,
    findings: Iterable[Finding],
    *,
    find: Find,
    style: Style | Mapping[str, Style] = Style.PLACEHOLDER,
    key: bytes = b"",
) -> dict[tuple[str | int, ...], str]:
    """The parts of `operation` that redaction changes, by their path in the caller's object.

    A finding that reaches over the border of a part is redacted in both. `find` is asked about
    one part at a time. See `redact_operation`.
    """
    parts = sorted(operation.all_parts(), key=lambda part: part.start)
    starts = [part.start for part in parts]
    by_part: dict[int, list[Finding]] = {}
    for finding in findings:
        at = max(0, bisect_right(starts, finding.start) - 1)
        while at < len(parts) and parts[at].start < finding.end:
            part = parts[at]
            first, last = max(finding.start, part.start), min(finding.end, part.end)
            if first < last:
                own = replace(finding, start=first - part.start, end=last - part.start)
                by_part.setdefault(at, []).append(own)
            at += 1
    changed: dict[tuple[str | int, ...], str] = {}
    for at, own_findings in by_part.items():
        part = parts[at]
        text = operation.text[part.start : part.end]
        alone = replace(
            operation, text=text, parts=(replace(part, start=0, end=len(text)),), inherited={}
        )
        redacted = redact_operation(alone, own_findings, find=find, style=style, key=key)
        if redacted.spans:
            changed[part.path] = redacted.text
    return changed


class Moved:
    """Where a place in the text as it came stands in the redacted one."""

    def __init__(self, spans: Sequence[RedactedSpan]) -> None:
        self._spans = spans
        self._starts = [span.start for span in spans]
        self._new_starts: list[int] = []
        moved = 0
        for span in spans:
            self._new_starts.append(span.start + moved)
            moved += _width(span)

    def start(self, place: int) -> int:
        """Of the first character; inside a replaced value: the placeholder's first."""
        return self._place(place, at_end=False)

    def end(self, place: int) -> int:
        """One past the last; inside a replaced value: past the placeholder."""
        return self._place(place, at_end=True)

    def _place(self, place: int, *, at_end: bool) -> int:
        at = bisect_right(self._starts, place - at_end) - 1
        if at < 0:
            return place
        span, new_start = self._spans[at], self._new_starts[at]
        new_end = new_start + len(span.replacement)
        if place < span.end:
            return new_end if at_end else new_start
        return place - span.end + new_end


def _moved(operation: Operation, redacted: Redacted) -> Operation:
    """The operation as it would be with the redacted text."""
    moved = Moved(redacted.spans)
    parts: tuple[Part, ...] = tuple(
        replace(part, start=moved.start(part.start), end=moved.end(part.end))
        for part in operation.parts
    )
    return replace(operation, text=redacted.text, parts=parts, inherited={})


def _composed(first: Redacted, second: Redacted) -> Redacted:
    """Two redactions one after the other as one, with the places in the text before both."""
    spans: list[RedactedSpan] = []
    own = list(first.spans)
    at = shift = 0  # the next span of `first`; how far the text before it has moved
    for span in second.spans:
        while at < len(own) and _end(own[at], shift) <= span.start:
            spans.append(own[at])
            shift += _width(own[at])
            at += 1
        start, end = span.start - shift, span.end
        head = tail = ""
        if at < len(own) and own[at].start + shift < span.start:
            head = own[at].replacement[: span.start - own[at].start - shift]
            start = own[at].start
        while at < len(own) and own[at].start + shift < end:
            overlap = _end(own[at], shift) - end
            tail = own[at].replacement[-overlap:] if overlap > 0 else ""
            shift += _width(own[at])
            at += 1
        stop = end + len(tail) - shift
        standing = f"{head}{span.replacement}{tail}"
        spans.append(replace(span, start=start, end=stop, replacement=standing))
    return Redacted(text=second.text, spans=(*spans, *own[at:]))


def _width(span: RedactedSpan) -> int:
    return len(span.replacement) - (span.end - span.start)


def _end(span: RedactedSpan, shift: int) -> int:
    return span.start + shift + len(span.replacement)
