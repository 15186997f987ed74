"""Policies on the wire: every documented spelling in, one shape out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from axonportal.common.errors import Invalid
from policies.models import Policy, PolicyVersion

# What clients of other servers call our fields.
_ALIASES = {"policy_type": "type", "rollout": "rollout_percent"}
_TEXTS = ("name", "description", "type", "category", "severity", "mode")
_NUMBERS = ("priority", "rollout_percent")


def read(body: Mapping[str, Any], *, partial: bool) -> dict[str, Any]:
    """The policy's fields in a request body; what is left out stays (`partial`) or is default.

    `enabled` left out means on: a policy that somebody just wrote is meant to hold.

    Raises:
        Invalid: a field of the wrong type, or a required one missing.
    """
    values: dict[str, Any] = {}
    errors: list[dict[str, str]] = []
    for key, value in body.items():
        name = _ALIASES.get(key, key)
        if value is None:
            continue  # some clients write out what they leave out
        if name in _TEXTS:
            _check(isinstance(value, str), name, "A text.", errors)
        elif name in _NUMBERS:
            _check(_is_number(value), name, "A whole number.", errors)
        elif name == "enabled":
            _check(isinstance(value, bool), name, "true or false.", errors)
        elif name == "tags":
            ok = isinstance(value, list) and all(isinstance(item, str) for item in value)
            _check(ok, name, "A list of texts.", errors)
        elif name not in {"conditions", "actions", "applies_to"}:
            continue  # fields of other products' policies mean nothing here
        values[name] = value.strip() if isinstance(value, str) else value
    if not partial:
        for name, example in (
            ("name", '"no-production"'),
            ("conditions", '[{"field": "query", "operator": "contains", "value": "production"}]'),
            ("actions", '[{"type": "block", "message": "Ask the team first"}]'),
        ):
            _check(bool(values.get(name)), name, f"Required, for example {example}.", errors)
    if errors:
        raise Invalid(
            "; ".join(f"{error['field']}: {error['message']}" for error in errors), errors=errors
        )
    return values


def _check(holds: bool, field: str, message: str, errors: list[dict[str, str]]) -> None:
    if not holds:
        errors.append({"field": field, "message": message})


def _is_number(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= 10_000


def present(policy: Policy) -> dict[str, Any]:
    """A policy as every route answers it."""
    return {
        "id": str(policy.pk),
        "policy_id": policy.builtin or str(policy.pk),
        "name": policy.name,
        "description": policy.description,
        "type": policy.type,
        "policy_type": policy.type,
        "category": policy.category,
        "tier": "system" if policy.builtin else "tenant",
        "severity": policy.severity,
        "priority": policy.priority,
        "enabled": policy.enabled,
        "mode": policy.mode,
        "rollout_percent": policy.rollout_percent,
        "applies_to": policy.applies_to,
        "conditions": policy.conditions,
        "actions": [
            {**action, "config": action.get("config") or _config(action)}
            for action in policy.actions
        ],
        "tags": policy.tags,
        "version": policy.version,
        "tenant_id": policy.tenant.slug,
        "created_at": policy.created_at,
        "updated_at": policy.updated_at,
    }


def _config(action: Mapping[str, Any]) -> dict[str, Any]:
    return {"message": action["message"]} if action.get("message") else {}


def present_version(version: PolicyVersion) -> dict[str, Any]:
    """A version as the API answers it."""
    return {
        "id": str(version.pk),
        "policy_id": str(version.policy_id),
        "version": version.version,
        "snapshot": version.snapshot,
        "change_type": version.change,
        "change_summary": version.note,
        "changed_by": version.author,
        "changed_at": version.created_at,
    }
