"""What a draft of a policy would do to a text; nothing is saved or recorded."""

from __future__ import annotations

from dataclasses import dataclass

from django.conf import settings

from policies.active import active
from policies.engine import decision as engine
from policies.engine.decision import Decision
from policies.engine.operation import Operation
from policies.engine.policy import CompiledPolicy, PolicySpec
from policies.engine.policyset import PolicySet

MAX_TRIAL_CHARS = 20_000  # of the text that is tried


@dataclass(frozen=True, slots=True, kw_only=True)
class Trial:
    """The draft alone, and the draft among the tenant's other policies in force."""

    operation: Operation
    alone: Decision
    together: Decision


def try_policy(
    spec: PolicySpec, operation: Operation, *, tenant_id: int, enabled: bool = True
) -> Trial:
    """Evaluate a draft in place of the saved policy of its id.

    Raises:
        ConditionsError: the draft cannot be evaluated.
    """
    draft = CompiledPolicy(spec)
    others = [policy for policy in active.of(tenant_id).policies if policy.spec.id != spec.id]
    return Trial(
        operation=operation,
        alone=_decide(operation, [draft]),
        together=_decide(operation, [*others, draft] if enabled else others),
    )


def _decide(operation: Operation, policies: list[CompiledPolicy]) -> Decision:
    return engine.decide(
        operation, PolicySet(policies), category_actions=settings.AXON_CATEGORY_ACTIONS
    )
