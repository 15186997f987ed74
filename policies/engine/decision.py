"""From an operation and a tenant's policies to the whole answer.

Every policy that matches is reported and the most restrictive action wins; nothing hides
anything: a `log` never shields a `block`, whatever their priorities.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from policies.engine import analysis as analysis_module
from policies.engine.analysis import Analysis, analyse
from policies.engine.approval import Terms
from policies.engine.findings import MAX_FINDINGS, Finding
from policies.engine.nodes import Evidence, Inputs
from policies.engine.operation import Operation
from policies.engine.policy import RANK, Action, ActionType, CompiledPolicy, Mode
from policies.engine.policyset import PolicySet
from policies.engine.redaction import Style, stricter

SNAPSHOT_VERSION = 1
MAX_SHOWN_EVIDENCE = 100  # places per match that a snapshot keeps
MAX_REASONS = 3  # sentences in a block reason; `policies` names every match all the same

_NOT_A_WORD = re.compile(r"\W+")


class Verdict(StrEnum):
    """The one word of an answer."""

    ALLOW = "allow"
    DENY = "deny"
    HOLD = "hold"


@dataclass(frozen=True, slots=True, kw_only=True)
class Match:
    """A policy that matched. `decided_by` names what set the action: the policy itself, its
    observe mode, its rollout, or a deployment's setting such as `PII_ACTION`."""

    policy_id: str
    policy: str
    version: int
    category: str
    severity: str
    priority: int
    action: ActionType
    written_action: ActionType
    decided_by: str
    message: str
    style: Style | None = None
    terms: Terms | None = None
    evidence: tuple[Evidence, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Decision:
    """The whole answer; `redactions` are the findings that must not pass for an allow to stand,
    and `styles` says what is to stand in their places, by kind (see `redaction.redact`)."""

    verdict: Verdict
    action: ActionType | None
    reason: str
    matches: tuple[Match, ...]
    redactions: tuple[Finding, ...]
    analysis: Analysis
    policy_revision: int
    styles: Mapping[str, Style] = field(default_factory=dict)
    engine_version: str = analysis_module.VERSION

    @property
    def requires_redaction(self) -> bool:
        return any(match.action == ActionType.REDACT for match in self.matches)

    @property
    def policies(self) -> list[str]:
        """The names of all policies that matched, the deciding ones first."""
        return [match.policy for match in self.matches]

    @property
    def allows_outright(self) -> bool:
        """Does a policy say `allow`, and nothing more than `log` stand against it?"""
        return self.action in {ActionType.ALLOW, ActionType.LOG} and any(
            match.action == ActionType.ALLOW for match in self.matches
        )

    def left_over(self, findings: Iterable[Finding]) -> list[Finding]:
        """What of a second look, at the redacted text, has to go too.

        That is what is of a kind that was taken out, and data that only the redaction has brought
        together. A kind that the text had before and that no policy took out may stay.
        """
        redacted = {finding.kind for finding in self.redactions}
        stays = {finding.kind for finding in self.analysis.findings} - redacted
        families = {kind.partition(".")[0] for kind in redacted}
        return [
            finding
            for finding in findings
            if finding.kind not in stays and finding.kind.partition(".")[0] in families
        ]

    def messages(self, action: ActionType) -> list[str]:
        """What the matching policies with this action have to say, each once."""
        return list(
            dict.fromkeys(match.message for match in self.matches if match.action == action)
        )


def decide(
    operation: Operation,
    policies: PolicySet,
    *,
    category_actions: Mapping[str, str] | None = None,
) -> Decision:
    """Evaluate all policies. `category_actions` holds a deployment's switches, by their names."""
    found = analyse(operation)
    inputs = Inputs(operation, found)
    matches = [
        match
        for policy in policies.candidates(inputs)
        if (match := _match(policy, inputs, category_actions or {})) is not None
    ]
    matches.sort(key=lambda match: (-RANK[match.action], -match.priority, match.policy))
    action = matches[0].action if matches else None
    return Decision(
        verdict=_VERDICTS.get(action, Verdict.ALLOW) if action else Verdict.ALLOW,
        action=action,
        reason=_reason(action, matches),
        matches=tuple(matches),
        redactions=_redactions(matches, found, len(operation.text)),
        styles=_styles(matches),
        analysis=found,
        policy_revision=policies.revision,
    )


_VERDICTS = {
    ActionType.BLOCK: Verdict.DENY,
    ActionType.REQUIRE_APPROVAL: Verdict.HOLD,
}


def _match(
    policy: CompiledPolicy, inputs: Inputs, category_actions: Mapping[str, str]
) -> Match | None:
    operation = inputs.operation
    if policy.selector is not None and not policy.selector(operation):
        return None
    written = policy.action(operation.phase)
    if written is None or not policy.node.test(inputs):
        return None
    action, decided_by = _effective(policy, written, operation, category_actions)
    spec = policy.spec
    return Match(
        policy_id=spec.id,
        policy=spec.name,
        version=spec.version,
        category=spec.category,
        severity=spec.severity,
        priority=spec.priority,
        action=action,
        written_action=written.type,
        decided_by=decided_by,
        message=written.message or f"Policy {spec.name} matched.",
        style=written.style,
        terms=(written.terms or Terms()) if action == ActionType.REQUIRE_APPROVAL else None,
        evidence=tuple(policy.node.evidence(inputs)),
    )


def _effective(
    policy: CompiledPolicy,
    written: Action,
    operation: Operation,
    category_actions: Mapping[str, str],
) -> tuple[ActionType, str]:
    """The action in force and what decided it."""
    spec = policy.spec
    if spec.mode == Mode.OBSERVE:
        return ActionType.LOG, "observe mode"
    subject = str(operation.fields.get("user_id") or operation.fields.get("client_id") or "")
    if not policy.rolled_out_to(subject):
        return ActionType.LOG, f"rollout of {spec.rollout_percent} %"
    if switched := category_actions.get(spec.category_setting):
        return ActionType(switched), spec.category_setting
    return written.type, "policy"


def _reason(action: ActionType | None, matches: Sequence[Match]) -> str:
    """The sentence of a denial or hold; empty when the operation may run."""
    if action not in _VERDICTS:
        return ""
    sentences = list(dict.fromkeys(match.message for match in matches if match.action == action))
    reason = "; ".join(sentences[:MAX_REASONS])
    if action == ActionType.REQUIRE_APPROVAL:
        groups = sorted(
            {name for match in matches if match.terms for name in match.terms.approvers}
        )
        return f"require_approval: {reason}" + (
            f" Approvers: {', '.join(groups)}." if groups else ""
        )
    return reason


def complete(findings: Sequence[Finding], length: int) -> list[Finding]:
    """The findings that a redaction may work on: a list that was cut stands for the whole text."""
    if len(findings) < MAX_FINDINGS:
        return list(findings)
    return [
        Finding(
            kind="policy.withheld",
            rule="too-many",
            start=0,
            end=length,
            confidence=1.0,
            reason=f"The text holds more than {MAX_FINDINGS} things to find.",
        )
    ]


def _redactions(matches: Sequence[Match], found: Analysis, length: int) -> tuple[Finding, ...]:
    """What the redacting policies matched on, as findings to take out of the text."""
    kinds: set[str] = set()
    spans: dict[tuple[int, int], Match] = {}
    for match in matches:
        if match.action != ActionType.REDACT:
            continue
        for evidence in match.evidence:
            if evidence.kind:
                kinds.add(evidence.kind)
            elif evidence.start >= 0:
                spans[evidence.start, evidence.end] = match
    findings = complete(found.findings, length) if kinds else []
    by_kind = [finding for finding in findings if finding.kind in {*kinds, "policy.withheld"}]
    by_span = [
        Finding(
            kind=_kind_of(match),
            rule="match",
            start=start,
            end=end,
            confidence=1.0,
            reason=match.message,
        )
        for (start, end), match in spans.items()
    ]
    return tuple(by_kind + by_span)


def _styles(matches: Sequence[Match]) -> dict[str, Style]:
    """What stands in the redacted places, by kind, as far as policies name a style; of several
    the strictest counts. The rest gets placeholders."""
    styles: dict[str, Style] = {}
    for match in matches:
        if match.action != ActionType.REDACT or match.style is None:
            continue
        for evidence in match.evidence:
            kind = evidence.kind or _kind_of(match)
            styles[kind] = stricter(styles.get(kind, match.style), match.style)
    return styles


def _kind_of(match: Match) -> str:
    # The name stands in the placeholder, which must not break the text around it.
    return f"policy.{_NOT_A_WORD.sub('_', match.policy)}"


def snapshot(decision: Decision) -> dict[str, Any]:
    """What is stored with a decision, for the page that explains it and for replays.

    Holds no text of the operation: kinds, places, names and versions only. Facts are included
    as read; whoever stores them redacts them with the text.
    """
    return {
        "v": SNAPSHOT_VERSION,
        "engine": decision.engine_version,
        "policies": decision.policy_revision,
        "truncated": decision.analysis.truncated,
        "facts": {name: list(values) for name, values in decision.analysis.facts.items()},
        "findings": [
            {
                "kind": finding.kind,
                "rule": finding.rule,
                "start": finding.start,
                "end": finding.end,
                "confidence": round(finding.confidence, 3),
                "reason": finding.reason,
                "layer": finding.layer,
                "reference": finding.reference,
            }
            for finding in decision.analysis.findings
        ],
        "matches": [
            {
                "policy": match.policy,
                "policy_id": match.policy_id,
                "version": match.version,
                "category": match.category,
                "severity": match.severity,
                "action": match.action.value,
                "written_action": match.written_action.value,
                "decided_by": match.decided_by,
                "message": match.message,
                "evidence": [
                    {
                        "path": evidence.path,
                        "start": evidence.start,
                        "end": evidence.end,
                        "kind": evidence.kind,
                    }
                    for evidence in match.evidence[:MAX_SHOWN_EVIDENCE]
                ],
            }
            for match in decision.matches
        ],
    }
