"""What a policy's `require_approval` asks for: who may answer, how many, and for how long."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

MAX_GROUPS = 20  # of one action, escalation included
MAX_GROUP_CHARS = 150  # a Django group's name
MAX_QUORUM = 20
MAX_ESCALATIONS = 5
MIN_S, MAX_S = 10, 7 * 86_400  # of every duration
EXPIRES_IN_S = 86_400  # a request waits a day
GRANT_LIFE_S = 3_600  # an approval holds an hour
EACH_GROUP = "each_group"
UNANIMOUS = "unanimous"


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """Further groups who may answer once a request has waited `after_s` seconds."""

    after_s: int
    approvers: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How a held operation can be approved, as one policy wants it.

    `approvers` are names of groups; none: the deployment's own (`AXON_APPROVERS`). `quorum` is a
    number of approvers, or `each_group` (one person for each group, no person for two), or
    `unanimous` (every member who may answer). With `one_denial_settles` off, a denial only counts
    as not approving.
    """

    approvers: tuple[str, ...] = ()
    quorum: int | str = 1
    one_denial_settles: bool = True
    approve_needs_reason: bool = False
    expires_in_s: int = EXPIRES_IN_S
    grant_life_s: int = GRANT_LIFE_S
    escalation: tuple[Escalation, ...] = ()

    @property
    def groups(self) -> tuple[str, ...]:
        """Every group that is named, those of later escalations included."""
        later = (name for step in self.escalation for name in step.approvers)
        return tuple(dict.fromkeys((*self.approvers, *later)))


def read_terms(item: Mapping[str, Any]) -> tuple[Terms, list[tuple[str, str]]]:
    """The terms of an action, and every mistake with its path below the action."""
    read = _Reader(item)
    steps = read.steps()
    quorum = read.quorum()
    if quorum == UNANIMOUS and steps:
        read.refuse("escalation", "Unanimous approval has none: who is to agree is fixed.")
    terms = Terms(
        approvers=read.groups("approvers", item.get("approvers", ())),
        quorum=quorum,
        one_denial_settles=read.flag("one_denial_settles", default=True),
        approve_needs_reason=read.flag("approve_needs_reason", default=False),
        expires_in_s=read.seconds("expires_in_s", EXPIRES_IN_S),
        grant_life_s=read.seconds("grant_life_s", GRANT_LIFE_S),
        escalation=steps,
    )
    return terms, list(dict.fromkeys(read.errors))


class _Reader:
    """Reads one action's members, and collects what is wrong with them."""

    def __init__(self, item: Mapping[str, Any]) -> None:
        self.item = item
        self.errors: list[tuple[str, str]] = []

    def refuse(self, path: str, message: str) -> None:
        self.errors.append((path, message))

    def number(self, path: str, value: Any, least: int, most: int) -> int:
        if isinstance(value, int) and not isinstance(value, bool) and least <= value <= most:
            return value
        self.refuse(path, f"A whole number from {least} to {most}.")
        return least

    def seconds(self, key: str, default: int) -> int:
        return self.number(key, self.item.get(key, default), MIN_S, MAX_S)

    def flag(self, key: str, *, default: bool) -> bool:
        if isinstance(value := self.item.get(key, default), bool):
            return value
        self.refuse(key, "true or false.")
        return default

    def groups(self, path: str, value: Any) -> tuple[str, ...]:
        if (
            isinstance(value, list | tuple)
            and len(value) <= MAX_GROUPS
            and all(isinstance(one, str) and 0 < len(one) <= MAX_GROUP_CHARS for one in value)
        ):
            return tuple(dict.fromkeys(value))
        self.refuse(path, f"Give a list of at most {MAX_GROUPS} group names.")
        return ()

    def quorum(self) -> int | str:
        value = self.item.get("quorum", 1)
        if value in (EACH_GROUP, UNANIMOUS):
            return str(value)
        if isinstance(value, str):
            self.refuse("quorum", f"A number, {EACH_GROUP} or {UNANIMOUS}.")
            return 1
        return self.number("quorum", value, 1, MAX_QUORUM)

    def steps(self) -> tuple[Escalation, ...]:
        given = self.item.get("escalation", ())
        if not isinstance(given, list | tuple) or len(given) > MAX_ESCALATIONS:
            self.refuse(
                "escalation",
                f"Give a list of at most {MAX_ESCALATIONS} steps such as "
                '{"after_s": 600, "approvers": ["leads"]}.',
            )
            return ()
        return tuple(self._step(f"escalation.{index}", one) for index, one in enumerate(given))

    def _step(self, path: str, value: Any) -> Escalation:
        if not isinstance(value, Mapping) or set(value) - {"after_s", "approvers"}:
            self.refuse(path, 'Give {"after_s": 600, "approvers": ["leads"]}.')
            return Escalation(after_s=MIN_S, approvers=())
        names = self.groups(f"{path}.approvers", value.get("approvers"))
        if not names:
            self.refuse(f"{path}.approvers", "Name at least one group.")
        after_s = self.number(f"{path}.after_s", value.get("after_s"), MIN_S, MAX_S)
        return Escalation(after_s=after_s, approvers=names)
