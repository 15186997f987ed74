"""Why a decision fell: the stored snapshot, put into words and places for a person."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from django.urls import NoReverseMatch, reverse
from django.utils.safestring import SafeString
from django.utils.translation import gettext as _

from audit.models import GatewayContext
from axonportal.common.display import Span, marked

MAX_ROWS = 500  # findings listed; all of them are marked in the text


@dataclass(frozen=True, slots=True, kw_only=True)
class FindingRow:
    """A finding, or what a policy's own pattern hit, under the number it has in the text."""

    number: int
    kind: str
    family: str
    reason: str
    rule: str
    start: int
    end: int
    confidence: float | None
    layer: str
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchRow:
    """A policy that matched, what it did and what decided that."""

    policy: str
    url: str
    versions_url: str
    version: int
    severity: str
    action: str
    written_action: str
    decided_by: str
    message: str
    numbers: Sequence[int]  # of the findings it rests on
    paths: Sequence[str]  # of the conditions that held
    decided: bool  # its action is the decision's


@dataclass(frozen=True, slots=True, kw_only=True)
class Explanation:
    """The parts of the page that says why."""

    text: SafeString
    findings: Sequence[FindingRow]
    unlisted: int  # findings that are marked in the text but not listed
    matches: Sequence[MatchRow]
    facts: Mapping[str, Sequence[str]]
    truncated: bool


def explain(context: GatewayContext) -> Explanation:
    """Read the snapshot of a decision; one that an older engine wrote may lack parts."""
    snapshot: Mapping[str, Any] = context.snapshot
    rows, matches = read(snapshot, action=context.action)
    return Explanation(
        text=highlighted(context.query, rows),
        findings=rows[:MAX_ROWS],
        unlisted=max(0, len(rows) - MAX_ROWS),
        matches=matches,
        facts=snapshot.get("facts", {}),
        truncated=bool(snapshot.get("truncated")),
    )


def read(
    snapshot: Mapping[str, Any], *, action: str = ""
) -> tuple[list[FindingRow], list[MatchRow]]:
    """The numbered findings of a snapshot and its matches."""
    rows = [
        _finding(number, finding) for number, finding in enumerate(snapshot.get("findings", ()), 1)
    ]
    numbers = {(row.kind, row.start, row.end): row.number for row in rows}
    matches = []
    for match in snapshot.get("matches", ()):
        hits: list[int] = []
        for evidence in match.get("evidence", ()):
            if evidence["start"] < 0:
                continue
            key = (evidence["kind"], evidence["start"], evidence["end"])
            if key not in numbers and not evidence["kind"]:
                numbers[key] = len(rows) + 1
                rows.append(_pattern_hit(len(rows) + 1, match["policy"], evidence))
            if key in numbers and numbers[key] not in hits:
                hits.append(numbers[key])
        matches.append(_match(match, hits, action))
    return rows, matches


def highlighted(text: str, rows: Sequence[FindingRow]) -> SafeString:
    """The whole text as HTML with the findings marked and numbered."""
    return marked(
        text,
        (
            Span(number=row.number, start=row.start, end=row.end, name=row.kind, family=row.family)
            for row in rows
        ),
    )


def _finding(number: int, finding: Mapping[str, Any]) -> FindingRow:
    kind = str(finding.get("kind", ""))
    return FindingRow(
        number=number,
        kind=kind,
        family=kind.partition(".")[0],
        reason=finding.get("reason", ""),
        rule=finding.get("rule", ""),
        start=finding.get("start", 0),
        end=finding.get("end", 0),
        confidence=finding.get("confidence"),
        layer=finding.get("layer", ""),
        reference=finding.get("reference", ""),
    )


def _pattern_hit(number: int, policy: str, evidence: Mapping[str, Any]) -> FindingRow:
    return FindingRow(
        number=number,
        kind=_("pattern of %(policy)s") % {"policy": policy},
        family="policy",
        reason=_("The text that the condition %(path)s looks for.") % {"path": evidence["path"]},
        rule=evidence["path"],
        start=evidence["start"],
        end=evidence["end"],
        confidence=None,
        layer="",
        reference="",
    )


def _match(match: Mapping[str, Any], numbers: Sequence[int], action: str) -> MatchRow:
    return MatchRow(
        policy=match["policy"],
        url=_url("change", match.get("policy_id", "")),
        versions_url=_url("versions", match.get("policy_id", "")),
        version=match.get("version", 0),
        severity=match.get("severity", ""),
        action=match["action"],
        written_action=match.get("written_action", match["action"]),
        decided_by=decided_by(match),
        message=match.get("message", ""),
        numbers=numbers,
        paths=list(dict.fromkeys(evidence["path"] for evidence in match.get("evidence", ()))),
        decided=bool(action) and match["action"] == action,
    )


def decided_by(match: Mapping[str, Any]) -> str:
    """What set the action of a match, as a sentence."""
    who, written = match.get("decided_by", "policy"), match.get("written_action", "")
    if who == "policy":
        return _("As the policy says.")
    if who == "observe mode":
        return _("Observe mode: recorded only. Enforced, the policy would %(action)s.") % {
            "action": _words(written)
        }
    if who.startswith("rollout"):
        return _("Outside the %(rollout)s: recorded only. Inside, the policy would %(action)s.") % {
            "rollout": who,
            "action": _words(written),
        }
    return _("The setting %(name)s of this deployment. The policy itself says: %(action)s.") % {
        "name": who,
        "action": _words(written),
    }


def _words(action: str) -> str:
    return action.replace("_", " ")


def _url(page: str, policy_id: str) -> str:
    try:
        return reverse(f"admin:policies_policy_{page}", args=[policy_id])
    except NoReverseMatch:
        return ""
