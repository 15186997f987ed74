"""Who may answer a request, asked anew each time: guardian's permissions, less the subject."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from django.db.models import Q
from guardian.shortcuts import get_groups_with_perms, get_users_with_perms

from approvals.models import ANSWER, ApprovalRequest, Delegation
from approvals.terms import Voice
from axonportal.accounts import approvers
from axonportal.accounts.models import User

CODENAME = ANSWER.partition(".")[2]


@dataclass(frozen=True, slots=True, kw_only=True)
class Person:
    """Somebody who may answer, and in which capacity."""

    user: User
    voice: Voice


def roster(request: ApprovalRequest) -> list[Person]:
    """Everybody who may answer now: active members of the tenant who hold the permission, by a
    group or by themselves, and their delegates; never the subject, however she is called."""
    subject = subject_names(request)
    own = [
        Person(user=user, voice=Voice(name=user.get_username(), groups=groups))
        for user, groups in _holders(request)
        if not approvers.bears(user, subject)
    ]
    return own + _delegates(request, own, subject)


def subject_names(request: ApprovalRequest) -> frozenset[str]:
    """The names of the one who asks: as claimed, and as the credential proves."""
    return approvers.names_of([request.user_id, request.verified_user])


def why_not(request: ApprovalRequest, user: User) -> str:
    """Why this person may not answer, for her to read."""
    if approvers.bears(user, subject_names(request)):
        return "Nobody answers her own request; somebody else of the approver groups must."
    groups = ", ".join(sorted(request.groups.values_list("name", flat=True)))
    return f"{user.get_username()} may not answer this request; it is for members of {groups}."


def _holders(request: ApprovalRequest) -> list[tuple[User, frozenset[str]]]:
    by_group: Any = get_groups_with_perms(request, attach_perms=True)
    by_person: Any = get_users_with_perms(
        request, attach_perms=True, with_superusers=False, with_group_users=False
    )
    groups = {group.pk: group.name for group, held in by_group.items() if CODENAME in held}
    alone = {person.pk for person, held in by_person.items() if CODENAME in held}
    people = (
        User.objects.filter(is_active=True, memberships__tenant=request.tenant_id)
        .filter(Q(groups__in=groups) | Q(pk__in=alone))
        .distinct()
        .order_by("username")
        .prefetch_related("groups")
    )
    every = frozenset(groups.values())
    return [
        (
            person,
            # Permitted by herself, she stands in for any of the groups.
            every
            if person.pk in alone
            else frozenset(group.name for group in person.groups.all() if group.pk in groups),
        )
        for person in people
    ]


def _delegates(
    request: ApprovalRequest, own: list[Person], subject: frozenset[str]
) -> list[Person]:
    """One step, never further; who may answer anyway does so in her own right."""
    rows = (
        Delegation.objects.active()
        .filter(
            tenant_id=request.tenant_id,
            approver__in=[person.user for person in own],
            delegate__is_active=True,
            delegate__memberships__tenant=request.tenant_id,
        )
        .select_related("approver", "delegate")
        .order_by("pk")
    )
    by_name = {person.voice.name: person for person in own}
    found: dict[str, Person] = {}
    for row in rows:
        name = row.delegate.get_username()
        if name in by_name or name in found or approvers.bears(row.delegate, subject):
            continue
        principal = by_name[row.approver.get_username()]
        found[name] = Person(
            user=row.delegate,
            voice=Voice(name=name, groups=principal.voice.groups, stands_for=principal.voice.name),
        )
    return list(found.values())
