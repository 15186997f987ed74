"""What is kept of an operation: its text and facts without personal data and secrets.

Whatever the policies say (log, warn, observe), the trail never holds an original: what the
detectors find is replaced before a row is written.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from axonportal.gateway import operations
from policies.engine.analysis import analyse
from policies.engine.decision import Decision, complete, snapshot
from policies.engine.findings import Finding
from policies.engine.operation import Language, Operation, Part, Phase
from policies.engine.redaction_rounds import Moved, redact_operation, redact_parts

_SENSITIVE = ("pii.", "secret.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Kept:
    """The text as it is stored, and the snapshot whose places refer to that text."""

    text: str
    snapshot: dict[str, Any]


def of_operation(operation: Operation, decision: Decision) -> Kept:
    """The operation's text and the decision's snapshot, fit for the trail."""
    shot = snapshot(decision)
    length = len(operation.text)
    # What a tenant's own policy takes out is no more for the trail than what the detectors find.
    sensitive = _sensitive(decision.analysis.findings, length) + [
        finding for finding in decision.redactions if finding.kind.startswith("policy.")
    ]
    if not sensitive:
        if decision.analysis.composed:
            shot["facts"] = of_json(shot["facts"])
        return Kept(text=operation.text, snapshot=shot)
    redacted = redact_operation(operation, sensitive, find=_found)
    place = Moved(redacted.spans)
    for entry in (*shot["findings"], *(e for match in shot["matches"] for e in match["evidence"])):
        if entry["start"] >= 0:
            entry["start"], entry["end"] = place.start(entry["start"]), place.end(entry["end"])
    originals = {
        operation.text[finding.start : finding.end]: f"[{finding.kind}]" for finding in sensitive
    }
    for finding in shot["findings"]:
        finding["layer"] = _without(finding["layer"], originals)  # it may name a file
    # A fact may hold a value that the text has in another spelling, so facts are looked at too.
    shot["facts"] = of_json(
        {
            name: [_without(value, originals) for value in values]
            for name, values in shot["facts"].items()
        }
    )
    return Kept(text=redacted.text, snapshot=shot)


def of_text(text: str) -> str:
    """A text that comes with a report, without what must not be stored."""
    if not text:
        return text
    operation = Operation(
        text=text,
        phase=Phase.AFTER,
        parts=(Part(start=0, end=len(text), language=Language.TEXT),),
    )
    return redact_operation(operation, _found(operation), find=_found).text


def of_json(value: Mapping[str, Any]) -> dict[str, Any]:
    """An object that comes with a call, without what must not be stored, in its keys too."""
    if all(_is_known(key, item) for key, item in value.items()):
        return dict(value)
    kept: dict[str, Any] = dict(value)
    operation = operations.of_json(value)
    if sensitive := _found(operation):
        kept = operations.written_back(value, redact_parts(operation, sensitive, find=_found))
    else:
        _remember(value)
    if telling := {key for key in _keys(kept) if not _PLAIN_KEY.fullmatch(key)}:
        kept = _renamed(kept, {key: of_text(key) for key in telling})
    return kept


# A session's calls repeat most of their context (directory, session, mode), so what was found to
# hold nothing sensitive is not read again: under the same key, which detectors look at, too.
_clean: set[tuple[str, str]] = set()
_MAX_CLEAN = 10_000  # texts
_MAX_CLEAN_CHARS = 200  # of one; longer ones hardly repeat


def _is_known(key: str, item: Any) -> bool:
    """Was this member found clean before, its key included?"""
    if isinstance(item, str):
        return (key, item) in _clean
    if isinstance(item, Mapping):
        return (key, "") in _clean and all(_is_known(*member) for member in item.items())
    if item is None or isinstance(item, int | float):
        return (key, str(item)) in _clean
    return False  # lists are read each time


def _remember(value: Mapping[str, Any]) -> None:
    """Keep the members of an object in which nothing was found."""
    if len(_clean) >= _MAX_CLEAN:
        _clean.clear()
    for key, item in value.items():
        if not _PLAIN_KEY.fullmatch(key):
            continue
        if isinstance(item, Mapping):
            _clean.add((key, ""))
            _remember(item)
        elif item is None or isinstance(item, str | int | float):
            text = str(item)
            if len(text) <= _MAX_CLEAN_CHARS:
                _clean.add((key, text))


# A key that holds neither digits nor an address, and is too short for a secret.
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z_. -]{0,31}")


def _keys(value: Any) -> Iterator[str]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            yield key
            yield from _keys(item)
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _keys(item)


def _renamed(value: Any, names: Mapping[str, str]) -> Any:
    if isinstance(value, Mapping):
        return {names.get(key, key): _renamed(item, names) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_renamed(item, names) for item in value]
    return value


def _found(operation: Operation) -> list[Finding]:
    return _sensitive(analyse(operation).findings, len(operation.text))


def _sensitive(findings: Sequence[Finding], length: int) -> list[Finding]:
    return [
        finding
        for finding in complete(findings, length)
        if finding.kind.startswith((*_SENSITIVE, "policy."))
    ]


def _without(value: str, originals: Mapping[str, str]) -> str:
    for original, placeholder in originals.items():
        if original and original in value:
            value = value.replace(original, placeholder)
    return value
