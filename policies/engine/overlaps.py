"""One finding for one thing: data that was seen as written and again in a decoded view."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from policies.engine.findings import Finding


def settled(
    findings: Iterable[Finding], decoded: Mapping[Finding, str], text: str
) -> list[Finding]:
    """`findings` without those that say of the same characters what another says already.

    `decoded` holds the findings in decoded views with the value found there. Of two of one kind
    the one that stands plainly in `text` counts if it is the same value, else the one that covers
    more, so that nothing of the value is left when it is taken out.
    """
    ordered = sorted(findings, key=lambda found: (found.kind, found.start, -found.end))
    kept: list[Finding] = []
    for finding in ordered:
        last = kept[-1] if kept else None
        if last is None or last.kind != finding.kind or finding.end > last.end:
            kept.append(finding)
        elif finding not in decoded and last in decoded:
            # `finding` lies inside `last`, as the sorting says.
            if decoded[last] == text[finding.start : finding.end]:
                kept[-1] = finding
            elif 2 * (finding.end - finding.start) < last.end - last.start:
                kept.append(finding)  # another value, in what a pipeline was made of
        elif finding not in decoded:
            kept.append(finding)
    return kept
