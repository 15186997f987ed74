"""Who could answer what a policy asks, as things stand now."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from django.conf import settings
from django.contrib.auth.models import Group as DjangoGroup
from django.db.models import Q

from axonportal.accounts import approvers
from axonportal.accounts.models import User
from policies import durations
from policies.engine.approval import EACH_GROUP, UNANIMOUS, Terms
from policies.engine.policy import Action


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """A group of approvers, and those of its members who could answer."""

    name: str
    people: Sequence[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """One action that asks people: whom at first, whom later, and what stands in the way.

    `problems` are pairs of the node, such as `actions.0.quorum`, and what would be right.
    """

    terms: Terms
    groups: Sequence[Group]
    later: Sequence[tuple[str, Sequence[Group]]]
    by_setting: bool  # the policy names no group, so those of AXON_APPROVERS are asked
    problems: Sequence[tuple[str, str]]

    @property
    def needs(self) -> str:
        """How many have to approve, in words that end "of <groups>"."""
        quorum = self.terms.quorum
        if quorum == UNANIMOUS:
            return "everybody"
        if quorum == EACH_GROUP:
            return "one person of each"
        return "1 person" if quorum == 1 else f"{quorum} people"

    @property
    def expires(self) -> str:
        return durations.written(self.terms.expires_in_s)

    @property
    def holds(self) -> str:
        return durations.written(self.terms.grant_life_s)


def groups_of(tenant_ids: Sequence[int]) -> list[Group]:
    """The groups that a policy of these tenants may name: those with people of theirs, and the
    deployment's own; no group that only other tenants have people in."""
    own = DjangoGroup.objects.filter(
        Q(user__memberships__tenant__in=tenant_ids) | Q(name__in=settings.AXON_APPROVERS)
    )
    names = list(own.order_by("name").values_list("name", flat=True).distinct())
    found: dict[str, set[str]] = {name: set() for name in names}
    for tenant_id in tenant_ids:
        for name, people in approvers.members(tenant_id, names).items():
            found[name] |= {person.get_username() for person in people}
    return [Group(name=name, people=sorted(people)) for name, people in found.items()]


def asked_by(tenant_id: int, actions: Sequence[Action]) -> list[Asked]:
    """Those of a policy's actions that ask people, in order."""
    return [
        _asked(tenant_id, f"actions.{index}", action.terms)
        for index, action in enumerate(actions)
        if action.terms is not None
    ]


def unanswerable(tenant_id: int, actions: Sequence[Action]) -> list[tuple[str, str]]:
    """Why nobody could answer: a request would wait in vain, so it is better never made."""
    return [problem for asked in asked_by(tenant_id, actions) for problem in asked.problems]


def _asked(tenant_id: int, path: str, terms: Terms) -> Asked:
    first = terms.approvers or tuple(settings.AXON_APPROVERS)
    names = list(dict.fromkeys((*first, *terms.groups)))
    people = approvers.members(tenant_id, names)
    empty = approvers.empty_groups(tenant_id, names)
    named = [(f"{path}.approvers", first)] + [
        (f"{path}.escalation.{index}.approvers", step.approvers)
        for index, step in enumerate(terms.escalation)
    ]
    problems = [(place, empty[name]) for place, groups in named for name in groups if name in empty]
    if not first:
        problems.append(
            (f"{path}.approvers", "Name a group of approvers; AXON_APPROVERS is empty, too.")
        )
    elif not set(first) & empty.keys() and (too_few := _too_few(terms, first, people)):
        problems.append((f"{path}.quorum", too_few))
    return Asked(
        terms=terms,
        groups=_groups(first, people),
        later=[
            (durations.written(step.after_s), _groups(step.approvers, people))
            for step in terms.escalation
        ],
        by_setting=not terms.approvers,
        problems=problems,
    )


def _groups(names: Iterable[str], people: Mapping[str, Sequence[User]]) -> list[Group]:
    return [
        Group(name=name, people=sorted(person.get_username() for person in people[name]))
        for name in names
    ]


def _too_few(
    terms: Terms, groups: Sequence[str], people: Mapping[str, Sequence[User]]
) -> str | None:
    """What would be right, if those who could answer now cannot meet the quorum together."""
    able = {person.pk: person.get_username() for name in groups for person in people[name]}
    who = ", ".join(sorted(able.values()))
    where = ", ".join(groups)
    if terms.quorum == EACH_GROUP:
        members = {name: {person.pk for person in people[name]} for name in groups}
        belongs = [{name for name in groups if key in members[name]} for key in able]
        if approvers.one_each(groups, belongs):
            return None
        return (
            f"Each group needs a person of its own, as nobody speaks for two, and {where} have "
            f"{who} together: add people, or name fewer groups."
        )
    if not isinstance(terms.quorum, int) or len(able) >= terms.quorum:
        return None
    return (
        f"{terms.quorum} have to approve, and only {len(able)} could ({who}): add active members "
        f"of this tenant to {where}, or ask for {len(able)}."
    )
