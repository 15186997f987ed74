"""A policy as the engine knows it: validated, then compiled once."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import Any, TypeVar

from policies.engine.approval import Terms, read_terms
from policies.engine.conditions import ConditionsError, compile_conditions
from policies.engine.nodes import Anchor, Node
from policies.engine.operation import Operation, Phase
from policies.engine.patterns import Pattern, compile_pattern
from policies.engine.redaction import Style

MAX_ACTIONS = 10  # per policy
MAX_MESSAGE_CHARS = 1_000
MAX_SELECTORS = 100  # entries of one list of `applies_to`
MAX_SELECTOR_CHARS = 200


class ActionType(StrEnum):
    """What a policy does when it matches, from the least to the most restrictive."""

    ALLOW = "allow"
    LOG = "log"
    WARN = "warn"
    REDACT = "redact"
    REQUIRE_APPROVAL = "require_approval"
    BLOCK = "block"


RANK = {action: rank for rank, action in enumerate(ActionType)}


class Mode(StrEnum):
    """Enforced, or observed: matched and recorded, nothing else."""

    ENFORCE = "enforce"
    OBSERVE = "observe"


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """One action; `phase` limits it to inputs (before) or results (after).

    `style` says what stands in the redacted places; None leaves that to other policies.
    """

    type: ActionType
    message: str = ""
    phase: Phase | None = None
    terms: Terms | None = None  # of require_approval alone
    style: Style | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicySpec:
    """What a stored policy says; the raw parts are as the author wrote them.

    `category_setting` names the deployment's switch for the policy's category (`PII_ACTION`),
    for built-in policies.
    """

    id: str
    name: str
    version: int = 1
    description: str = ""
    category: str = ""
    severity: str = "medium"
    priority: int = 100
    mode: str = Mode.ENFORCE
    rollout_percent: int = 100
    category_setting: str = ""
    conditions: Any = field(default_factory=list)
    actions: Sequence[Mapping[str, Any]] = ()
    applies_to: Mapping[str, Any] = field(default_factory=dict)


T = TypeVar("T")
Selector = Callable[[Operation], bool]
_SELECTED = {
    "tools": "tool",
    "clients": "client_id",
    "teams": "team",
    "users": "user_id",
    "phases": "phase",
}
_SELECTORS = ("tools", "not_tools", "clients", "not_clients", "teams", "users", "phases")


def compile_actions(raw: Any) -> tuple[Action, ...]:
    """Validate and read a policy's actions, in the spellings that clients use.

    `message` may stand beside `type` or in `config` (there also as `reason`).

    Raises:
        ConditionsError: every mistake with its path, such as `actions.0.type`.
    """
    errors: list[tuple[str, str]] = []
    actions: list[Action] = []
    if not isinstance(raw, Sequence) or isinstance(raw, str) or not raw:
        raise ConditionsError([("actions", 'Give a list such as [{"type": "block"}].')])
    if len(raw) > MAX_ACTIONS:
        raise ConditionsError([("actions", f"A policy has at most {MAX_ACTIONS} actions.")])
    for index, item in enumerate(raw):
        path = f"actions.{index}"
        if not isinstance(item, Mapping):
            errors.append((path, 'An action is an object such as {"type": "block"}.'))
            continue
        kind = "warn" if item.get("type") == "alert" else item.get("type")
        if not isinstance(kind, str) or kind not in RANK:
            errors.append((f"{path}.type", f"Types are {', '.join(ActionType)}; got {kind!r:.80}."))
            continue
        message = _message(item)
        if not isinstance(message, str) or len(message) > MAX_MESSAGE_CHARS:
            errors.append((f"{path}.message", f"A text of at most {MAX_MESSAGE_CHARS} characters."))
            continue
        phase = item.get("phase")
        if phase is not None and phase not in list(Phase):
            errors.append((f"{path}.phase", f"Phases are {', '.join(Phase)}."))
            continue
        terms, mistaken = read_terms(item)
        if mistaken:
            errors += [(f"{path}.{place}", said) for place, said in mistaken]
            continue
        style = item.get("style")
        if "style" in item and style not in list(Style):
            errors.append((f"{path}.style", f"Styles are {', '.join(Style)}; got {style!r:.80}."))
            continue
        if "style" in item and kind != ActionType.REDACT:
            errors.append((f"{path}.style", "Only redact has a style."))
            continue
        actions.append(
            Action(
                type=ActionType(kind),
                style=Style(style) if style else None,
                message=message,
                phase=Phase(phase) if phase else None,
                terms=terms if kind == ActionType.REQUIRE_APPROVAL else None,
            )
        )
    if errors:
        raise ConditionsError(errors)
    return tuple(actions)


def _message(item: Mapping[str, Any]) -> Any:
    config = item.get("config")
    inner = config if isinstance(config, Mapping) else {}
    return item.get("message") or inner.get("message") or inner.get("reason") or ""


def compile_selector(raw: Any) -> Selector | None:
    """What `applies_to` lets through; None: everything.

    Lists of names, compared without case and with `*` as a wildcard: `tools`, `not_tools`,
    `clients`, `not_clients`, `teams`, `users`; and `phases`. All that are given must hold.
    """
    if not raw:
        return None
    if not isinstance(raw, Mapping):
        raise ConditionsError([("applies_to", 'An object such as {"tools": ["Bash"]}.')])
    errors = [
        (f"applies_to.{key}", f"Keys are {', '.join(_SELECTORS)}.")
        for key in raw
        if key not in _SELECTORS
    ]
    checks: list[Selector] = []
    for key in _SELECTORS:
        names = raw.get(key)
        if not names:
            continue
        if (
            not isinstance(names, list | tuple)
            or len(names) > MAX_SELECTORS
            or not all(
                isinstance(name, str) and 0 < len(name) <= MAX_SELECTOR_CHARS for name in names
            )
        ):
            errors.append((f"applies_to.{key}", f"A list of at most {MAX_SELECTORS} short names."))
            continue
        if key == "phases" and not set(names) <= set(Phase):
            errors.append(("applies_to.phases", f"Phases are {', '.join(Phase)}."))
            continue
        checks.append(_selector(key, names))
    if errors:
        raise ConditionsError(errors)
    return (lambda operation: all(check(operation) for check in checks)) if checks else None


def _selector(key: str, names: Sequence[str]) -> Selector:
    negated = key.startswith("not_")
    exact = frozenset(name.casefold() for name in names if "*" not in name)
    globs = [_glob(name) for name in names if "*" in name]
    field_name = _SELECTED[key.removeprefix("not_")]

    def check(operation: Operation) -> bool:
        if field_name in {"tool", "phase"}:
            name = str(getattr(operation, field_name))
        else:
            name = str(operation.fields.get(field_name, ""))
        data = name.encode("utf-8", "replace")
        found = name.casefold() in exact or any(glob.regex.search(data) for glob in globs)
        return found != negated

    return check


def _glob(name: str) -> Pattern:
    pieces = ("".join(f"\\x{{{ord(char):x}}}" for char in piece) for piece in name.split("*"))
    return compile_pattern(r"\A" + ".*".join(pieces) + r"\z")


def _collect(errors: list[tuple[str, str]], compiler: Callable[[Any], T], raw: Any) -> T | None:
    try:
        return compiler(raw)
    except ConditionsError as error:
        errors += error.errors
        return None


class CompiledPolicy:
    """A policy ready to be tested; made once per version."""

    __slots__ = ("actions", "anchor", "node", "selector", "spec")

    def __init__(self, spec: PolicySpec) -> None:
        """Raises ConditionsError with every mistake of conditions, actions and applies_to."""
        errors: list[tuple[str, str]] = []
        node = _collect(errors, compile_conditions, spec.conditions)
        actions = _collect(errors, compile_actions, spec.actions)
        selector = _collect(errors, compile_selector, spec.applies_to)
        if errors or node is None or actions is None:
            raise ConditionsError(errors)
        self.spec: PolicySpec = spec
        self.node: Node = node
        self.actions: tuple[Action, ...] = actions
        self.selector: Selector | None = selector
        self.anchor: Anchor | None = node.anchor()

    @classmethod
    def of(cls, spec: PolicySpec) -> CompiledPolicy:
        """A stored policy. One that this version of the engine cannot read any more blocks what
        it may have applied to, saying so: ignoring it would open what it guarded."""
        try:
            return cls(spec)
        except ConditionsError as error:
            message = f"Policy {spec.name} cannot be read ({error}); an editor must correct it."
            return cls(
                replace(
                    spec,
                    conditions=[{"field": "phase", "operator": "exists", "value": True}],
                    actions=[{"type": "block", "message": message[:MAX_MESSAGE_CHARS]}],
                    applies_to={},
                )
            )

    def action(self, phase: Phase) -> Action | None:
        """The most restrictive action that this phase has; None: the policy does not apply."""
        candidates = [action for action in self.actions if action.phase in {None, phase}]
        return max(candidates, key=lambda action: RANK[action.type], default=None)

    def rolled_out_to(self, subject: str) -> bool:
        """Is the subject within the rollout's share? The same subject always gets the same."""
        if self.spec.rollout_percent >= 100:
            return True
        seed = hashlib.sha256(f"{self.spec.id}:{subject}".encode("utf-8", "replace")).digest()
        return int.from_bytes(seed[:4], "big") % 100 < self.spec.rollout_percent
