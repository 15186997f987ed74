"""Which people stand behind the name of a group, and whether two names are one person's."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from django.db.models import Q

from axonportal.accounts.models import User


def members(tenant_id: int, groups: Iterable[str]) -> dict[str, list[User]]:
    """By group name, those of its members who could answer in the tenant: active, and members."""
    names = list(groups)
    found: dict[str, list[User]] = {name: [] for name in names}
    people = User.objects.filter(
        is_active=True, memberships__tenant=tenant_id, groups__name__in=names
    ).distinct()
    for person in people.prefetch_related("groups"):
        for group in person.groups.all():
            if group.name in found:
                found[group.name].append(person)
    return found


def empty_groups(tenant_id: int, groups: Sequence[str]) -> dict[str, str]:
    """The groups in which nobody could answer, each with the reason and what would be right."""
    from django.contrib.auth.models import Group

    known = set(Group.objects.filter(name__in=groups).values_list("name", flat=True))
    return {
        name: (
            f"Nobody in the group {name!r} can answer: add an active member of this tenant "
            "under Access > Groups."
            if name in known
            else f"There is no group {name!r}; make it under Access > Groups, with the people who "
            "may approve."
        )
        for name, people in members(tenant_id, groups).items()
        if not people
    }


def names_of(claims: Iterable[str]) -> frozenset[str]:
    """Every name under which the persons of these claims (user names, addresses) are known.

    Two accounts with one e-mail address are one person. Compared in lower case.
    """
    given = {claim.casefold() for claim in claims if claim}
    if not given:
        return frozenset()
    match = Q()
    for name in given:
        match |= Q(username__iexact=name) | Q(email__iexact=name)
    rows = User.objects.filter(match).values_list("username", "email")
    return frozenset(given | {name.casefold() for row in rows for name in row if name})


def bears(person: User, names: frozenset[str]) -> bool:
    """Is the person known under one of the names?"""
    return bool({person.get_username().casefold(), person.email.casefold()} & names)


def one_each(groups: Sequence[str], chances: Sequence[set[str]]) -> bool:
    """Can each group be given a person of its own, by the groups that each person may speak for?

    Augmenting paths (Kuhn).
    """
    taken: dict[int, str] = {}

    def place(group: str, tried: set[int]) -> bool:
        for person, may in enumerate(chances):
            if group in may and person not in tried:
                tried.add(person)
                if person not in taken or place(taken[person], tried):
                    taken[person] = group
                    return True
        return False

    return all(place(group, set()) for group in groups)
