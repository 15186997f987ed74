"""What can be done with policies; each act keeps a version, records an event and takes effect."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from contextlib import suppress
from typing import Any

from django.conf import settings
from django.core.exceptions import ValidationError
from django.db import IntegrityError, transaction
from django.utils import timezone

from audit.actors import PORTAL, Actor
from audit.services import record_event
from axonportal.accounts.models import Tenant
from axonportal.common import changes
from policies import answering
from policies.active import TOPIC, active
from policies.builtin import BUILTINS
from policies.engine import decision as engine
from policies.engine import prefilter
from policies.engine.conditions import ConditionsError, text_patterns
from policies.engine.decision import Decision
from policies.engine.operation import Operation
from policies.engine.policy import CompiledPolicy
from policies.errors import BuiltinPolicyKept, PolicyInvalid, PolicyNameTaken, PolicyNotFound
from policies.models import Policy, PolicyVersion

# What an author sets; the rest is kept by the services.
EDITABLE = (
    "name",
    "description",
    "type",
    "category",
    "severity",
    "priority",
    "enabled",
    "mode",
    "rollout_percent",
    "applies_to",
    "conditions",
    "actions",
    "tags",
)

_VERBS = {
    PolicyVersion.Change.CREATED: "create",
    PolicyVersion.Change.UPDATED: "update",
    PolicyVersion.Change.DELETED: "delete",
}


def decide(tenant_id: int, operation: Operation) -> Decision:
    """Evaluate the tenant's current policies; records nothing.

    Every entry point decides here: pre-check, hooks, gateway, simulator.
    """
    return engine.decide(
        operation,
        active.of(tenant_id),
        category_actions=settings.AXON_CATEGORY_ACTIONS,
    )


def current(tenant_id: int) -> Sequence[CompiledPolicy]:
    """The tenant's policies that are evaluated now."""
    return active.of(tenant_id).policies


@transaction.atomic
def create_policy(
    tenant: Tenant,
    values: Mapping[str, Any],
    *,
    actor: Actor | str,
    note: str = "",
    builtin: str = "",
) -> tuple[Policy, bool]:
    """Save a new policy; answers it and whether it is new.

    A POST repeated after a time-out finds the policy that it made the first time.

    Raises:
        PolicyInvalid: what is wrong with it, field by field.
        PolicyNameTaken: another policy has the name.
    """
    policy = Policy(tenant=tenant, builtin=builtin, **_known(values))
    if errors := _unstorable(policy.name, "name"):
        raise _invalid(errors)
    existing = Policy.objects.for_tenant(tenant.pk).filter(name=policy.name).first()
    if existing is not None:
        if all(getattr(existing, name) == getattr(policy, name) for name in EDITABLE):
            return existing, False
        raise PolicyNameTaken(
            f"There is a policy {policy.name!r} already ({existing.pk}); change it with PUT, or "
            "choose another name.",
            extra={"id": str(existing.pk)},
        )
    validate(policy)
    try:
        with transaction.atomic():
            policy.save(force_insert=True)
    except IntegrityError:
        raise PolicyNameTaken(f"There is a policy {policy.name!r} already.") from None
    _keep(policy, PolicyVersion.Change.CREATED, actor=actor, note=note)
    return policy, True


@transaction.atomic
def update_policy(
    policy: Policy, values: Mapping[str, Any], *, actor: Actor | str, note: str = ""
) -> Policy:
    """Change a policy; what `values` leaves out stays. Nothing changed: no new version.

    Raises:
        PolicyInvalid, PolicyNameTaken: as for `create_policy`.
    """
    policy = _locked(policy)
    changed = [name for name, value in _known(values).items() if getattr(policy, name) != value]
    if not changed:
        return policy
    for name in changed:
        setattr(policy, name, values[name])
    validate(policy, changed=changed)
    policy.version += 1
    policy.updated_at = timezone.now()
    try:
        with transaction.atomic():
            policy.save()
    except IntegrityError:
        raise PolicyNameTaken(f"There is another policy {policy.name!r}.") from None
    _keep(policy, PolicyVersion.Change.UPDATED, actor=actor, note=note, changed=changed)
    return policy


@transaction.atomic
def delete_policy(policy: Policy, *, actor: Actor | str, note: str = "") -> None:
    """End a policy; its versions stay.

    Raises:
        BuiltinPolicyKept: it is built in; switch it off instead.
    """
    policy = _locked(policy)
    if policy.builtin:
        raise BuiltinPolicyKept(
            f"{policy.name} is built in. Switch it off (enabled: false) or let it observe."
        )
    policy.version += 1
    policy.enabled = False
    policy.updated_at = policy.deleted_at = timezone.now()
    policy.save()
    _keep(policy, PolicyVersion.Change.DELETED, actor=actor, note=note)


def _locked(policy: Policy) -> Policy:
    """The row as it is now, for this transaction alone.

    Raises:
        PolicyNotFound: somebody has deleted it meanwhile.
    """
    current = Policy.objects.select_for_update().existing().filter(pk=policy.pk).first()
    if current is None:
        raise PolicyNotFound(f"The policy {policy.name!r} has been deleted.")
    return current


def add_builtin_policies(tenant: Tenant) -> None:
    """Give the tenant the built-in policies that it does not have yet.

    A policy of the tenant's own that bears the name of one stays, and takes its place.
    """
    own = Policy.objects.filter(tenant=tenant).values_list("builtin", "name")
    present = {name for names in own for name in names}
    for builtin in BUILTINS:
        if builtin.name not in present:
            create_policy(
                tenant,
                {
                    "name": builtin.name,
                    "description": builtin.description,
                    "category": builtin.category,
                    "severity": builtin.severity,
                    "priority": builtin.priority,
                    "conditions": builtin.conditions,
                    "actions": builtin.actions,
                    "applies_to": builtin.applies_to,
                },
                actor=PORTAL,
                builtin=builtin.name,
            )


def validate(policy: Policy, *, changed: Collection[str] | None = None) -> None:
    """Refuse what could not be evaluated, and what nobody could answer, naming each node.

    `changed` are the fields that differ from the policy as it is in force; None: it is new. A
    change that asks nobody anew is not held up by a group that has become empty meanwhile.

    Raises:
        PolicyInvalid: with `errors` such as `{"field": "conditions.2.value", "message": ...}`.
    """
    errors = [error for name in EDITABLE for error in _unstorable(getattr(policy, name), name)]
    if errors:
        raise _invalid(errors)
    try:
        policy.full_clean(validate_unique=False, validate_constraints=False)
    except ValidationError as error:
        errors += [
            (field, " ".join(messages))
            for field, messages in error.message_dict.items()
            if field not in {"conditions", "actions", "applies_to"}
        ]
    try:
        compiled = CompiledPolicy(policy.spec())
    except ConditionsError as error:
        errors += error.errors
    else:
        errors += _refused_patterns(policy.conditions)
        if _asks_anew(policy, changed):
            errors += answering.unanswerable(policy.tenant_id, compiled.actions)
    if errors:
        raise _invalid(errors)


def _asks_anew(policy: Policy, changed: Collection[str] | None) -> bool:
    """Does saving it make it ask people whom it did not ask before?

    One that is off asks nobody; switching off, or to observing, must always be possible.
    """
    if not policy.enabled:
        return False
    if changed is None or "actions" in changed or "enabled" in changed:
        return True
    return "mode" in changed and policy.mode == Policy.Mode.ENFORCE


def _invalid(errors: list[tuple[str, str]]) -> PolicyInvalid:
    return PolicyInvalid(
        "; ".join(f"{field}: {message}" for field, message in errors),
        errors=[{"field": field, "message": message} for field, message in errors],
    )


def _refused_patterns(conditions: Any) -> list[tuple[str, str]]:
    """The first pattern that takes too long to compile; mostly all pass together."""
    patterns = list(dict.fromkeys(text_patterns(conditions)))
    if len(patterns) > 1:
        with suppress(prefilter.CompileRefusedError):
            prefilter.build(patterns, seconds=prefilter.COMPILE_S)
            return []
    for pattern in patterns:
        try:
            prefilter.admit(pattern)
        except prefilter.CompileRefusedError as error:
            return [("conditions", f"The pattern {pattern:.80}: {error}")]
    return []


def _unstorable(value: Any, path: str) -> list[tuple[str, str]]:
    """What PostgreSQL takes neither in a text nor in JSON."""
    if isinstance(value, str):
        return [(path, "A NUL character cannot be stored.")] if "\0" in value else []
    if isinstance(value, float):
        return [] if math.isfinite(value) else [(path, "The number is too large.")]
    if isinstance(value, Mapping):
        return [
            error
            for key, item in value.items()
            for error in (*_unstorable(key, path), *_unstorable(item, f"{path}.{key}"))
        ]
    if isinstance(value, list | tuple):
        return [
            error
            for index, item in enumerate(value)
            for error in _unstorable(item, f"{path}.{index}")
        ]
    return []


def _known(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name in EDITABLE}


def _keep(
    policy: Policy,
    change: PolicyVersion.Change,
    *,
    actor: Actor | str,
    note: str,
    changed: list[str] | None = None,
) -> None:
    """What every save leaves behind: a version, an event, and word to all processes."""
    PolicyVersion.objects.create(
        policy=policy,
        tenant_id=policy.tenant_id,
        version=policy.version,
        snapshot={name: getattr(policy, name) for name in EDITABLE},
        change=change,
        note=note,
        author=str(actor),
    )
    record_event(
        f"policy.{_VERBS[change]}",
        actor=actor,
        target=policy,
        tenant_id=policy.tenant_id,
        tenant=policy.tenant.slug,
        detail={"version": policy.version, "changed": changed or [], "note": note},
    )
    changes.publish(f"{TOPIC}{policy.tenant_id}")
