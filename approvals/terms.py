"""When a request is decided: the terms of each policy that asked, against the answers given.

All terms must be met; each is met by answers of people of its own groups.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from approvals.models import Answer, ApprovalRequest
from axonportal.accounts import approvers

EACH_GROUP = "each_group"
UNANIMOUS = "unanimous"


@dataclass(frozen=True, slots=True, kw_only=True)
class Voice:
    """Somebody who may answer: in her own right, or in the place of `stands_for`."""

    name: str
    groups: frozenset[str]
    stands_for: str = ""

    @property
    def counts_as(self) -> str:
        """Whose voice it is."""
        return self.stands_for or self.name


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One escalation: the groups of one policy that may answer from then on."""

    after_s: int
    policy: int  # index in `ApprovalRequest.policies`
    groups: tuple[str, ...]


def steps(policies: Sequence[Mapping[str, Any]]) -> list[Step]:
    """All escalations of a request, the earliest first."""
    found = [
        Step(after_s=one["after_s"], policy=index, groups=tuple(one["approvers"]))
        for index, policy in enumerate(policies)
        for one in policy.get("escalation", ())
    ]
    return sorted(found, key=lambda step: step.after_s)


def groups_of(policies: Sequence[Mapping[str, Any]], index: int, escalated: int) -> frozenset[str]:
    """The groups that may answer for one policy now."""
    later = steps(policies)[:escalated]
    added = [name for step in later if step.policy == index for name in step.groups]
    return frozenset([*policies[index]["approvers"], *added])


def needs(policy: Mapping[str, Any]) -> str:
    """How many have to approve, in words that end "of <groups>"."""
    quorum = policy["quorum"]
    if quorum == UNANIMOUS:
        return "everybody"
    return "one of each" if quorum == EACH_GROUP else f"{quorum}"


def outcome(
    request: ApprovalRequest, answers: Iterable[Answer], voices: Sequence[Voice]
) -> ApprovalRequest.Status | None:
    """How the answers decide the request; None: not yet.

    Only those of people who may still answer count. One denial settles it, unless the policy has
    it otherwise; then it is denied as soon as the terms can no longer be met.
    """
    by_name = {voice.name: voice for voice in voices}
    given = [
        (by_name[answer.approver_name], answer.choice)
        for answer in answers
        if answer.approver_name in by_name
    ]
    approving = [voice for voice, choice in given if choice == Answer.Choice.APPROVE]
    denying = [voice for voice, choice in given if choice == Answer.Choice.DENY]
    silent_or_approving = [voice for voice in voices if voice not in denying]
    is_met = True
    for index, policy in enumerate(request.policies):
        groups = groups_of(request.policies, index, request.escalated)
        refused = [voice for voice in denying if voice.groups & groups]
        if refused and policy["one_denial_settles"]:
            return ApprovalRequest.Status.DENIED
        if refused and not _is_met(policy, groups, silent_or_approving, voices):
            return ApprovalRequest.Status.DENIED
        is_met = is_met and _is_met(policy, groups, approving, voices)
    return ApprovalRequest.Status.APPROVED if is_met else None


def is_met(
    request: ApprovalRequest, index: int, answers: Iterable[Answer], voices: Sequence[Voice]
) -> bool:
    """Have enough people approved for this one policy?"""
    approved = {one.approver_name for one in answers if one.choice == Answer.Choice.APPROVE}
    approving = [voice for voice in voices if voice.name in approved]
    groups = groups_of(request.policies, index, request.escalated)
    return _is_met(request.policies[index], groups, approving, voices)


def can_be_met(request: ApprovalRequest, voices: Sequence[Voice]) -> bool:
    """Could the request be approved, if everybody who may answer did?"""
    return all(
        _is_met(policy, groups_of(request.policies, index, request.escalated), voices, voices)
        for index, policy in enumerate(request.policies)
    )


def _is_met(
    policy: Mapping[str, Any],
    groups: frozenset[str],
    approving: Sequence[Voice],
    voices: Sequence[Voice],
) -> bool:
    theirs = [voice for voice in approving if voice.groups & groups]
    quorum: int | str = policy["quorum"]
    if quorum == EACH_GROUP:
        # A person speaks for one group; who came later by escalation, for whichever is missing.
        own = frozenset(policy["approvers"])
        chances = [
            {name for name in own if name in voice.groups or voice.groups & (groups - own)}
            for voice in theirs
        ]
        return approvers.one_each(sorted(own), chances)
    if quorum == UNANIMOUS:
        wanted = {voice.counts_as for voice in voices if voice.groups & groups}
        return bool(wanted) and wanted <= {voice.counts_as for voice in theirs}
    return len({voice.counts_as for voice in theirs}) >= int(quorum)
