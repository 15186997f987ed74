"""All policies of a tenant, indexed so that the cost follows the hits, not the policies."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from policies.engine.nodes import Inputs, as_text
from policies.engine.policy import CompiledPolicy
from policies.engine.prefilter import Prefilter, build


class PolicySet:
    """An immutable set of compiled policies at one revision.

    Each policy waits behind its anchor: a finding's kind, a text pattern, or a field's value.
    Only policies whose anchor is there are tested; those without one always are. Patterns that
    the prefilter does not know (policies newer than it) count as there, so that a change is in
    force at once while the prefilter is rebuilt.
    """

    def __init__(
        self,
        policies: Iterable[CompiledPolicy],
        *,
        revision: int = 0,
        prefilter: Prefilter | None = None,
    ) -> None:
        self.policies: Sequence[CompiledPolicy] = tuple(policies)
        self.revision = revision
        self.prefilter = prefilter
        self.is_complete = False  # True once a prefilter was built for exactly these policies
        known = frozenset(prefilter.patterns) if prefilter is not None else frozenset()
        self._always: list[int] = []
        self._by_kind: dict[str, list[int]] = defaultdict(list)
        self._by_pattern: dict[str, list[int]] = defaultdict(list)
        self._by_value: dict[tuple[str, ...], dict[str, list[int]]] = defaultdict(
            lambda: defaultdict(list)
        )
        for index, policy in enumerate(self.policies):
            anchor = policy.anchor
            if anchor is None:
                self._always.append(index)
            elif anchor.kind:
                self._by_kind[anchor.kind].append(index)
            elif anchor.pattern:
                if anchor.pattern in known:
                    self._by_pattern[anchor.pattern].append(index)
                else:
                    self._always.append(index)
            else:
                for value in anchor.values:
                    self._by_value[anchor.path][value].append(index)

    def wanted_patterns(self) -> tuple[str, ...]:
        """The text patterns that a complete prefilter would hold."""
        return tuple(
            sorted({policy.anchor.pattern for policy in self.policies if policy.anchor} - {""})
        )

    def with_prefilter(self) -> PolicySet:
        """The same set behind a newly built prefilter; takes up to seconds, so not on a call."""
        complete = PolicySet(
            self.policies, revision=self.revision, prefilter=build(self.wanted_patterns())
        )
        complete.is_complete = True
        return complete

    def candidates(self, inputs: Inputs) -> list[CompiledPolicy]:
        """The policies that can match, in their order."""
        found = set(self._always)
        if self._by_kind:
            for kind in inputs.kinds & self._by_kind.keys():
                found.update(self._by_kind[kind])
        if self.prefilter is not None and self._by_pattern:
            for pattern in self.prefilter.scan(inputs.data):
                found.update(self._by_pattern.get(pattern, ()))
        for path, by_value in self._by_value.items():
            for value in inputs.values(path):
                found.update(by_value.get(as_text(value), ()))
        return [self.policies[index] for index in sorted(found)]
