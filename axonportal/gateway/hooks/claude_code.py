"""`POST /api/v1/hooks/claude-code`: Claude Code's own events in, its own answers out.

What the client makes of an answer decides its shape: only 2xx with valid JSON counts, `{}` means
"no opinion" (the person's own permission prompt goes on), a null anywhere voids the answer, and
`updatedInput` replaces the whole input. See docs/explanation/hooks.md.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from axonportal.accounts.authentication import Principal, authenticate
from axonportal.accounts.models import Scope
from axonportal.common.api import CallView, answer
from axonportal.common.body import read_object
from axonportal.common.errors import Invalid
from axonportal.gateway import operations, services, session_files
from axonportal.gateway.caller import Caller
from axonportal.gateway.failing import CannotDecide, fails_open, guarded
from axonportal.gateway.services import Checked
from policies.engine.analysis import analyse
from policies.engine.decision import Decision, Verdict
from policies.engine.findings import Finding
from policies.engine.operation import Operation
from policies.engine.policy import ActionType
from policies.engine.redaction_rounds import redact_parts
from policies.engine.written import WRITTEN_EARLIER

AGENT = "claude-code"
MAX_NOTE_CHARS = 2_000  # the client spills longer texts to a file
# Of the event, what is kept beside the tool's input: claims, as the client made them.
_CONTEXT = (
    "hook_event_name",
    "cwd",
    "permission_mode",
    "transcript_path",
    "prompt_id",
    "agent_id",
    "agent_type",
    "mcp_server",
)
_WITHHELD = "[withheld by policy]"

JSON = dict[str, Any]


class ClaudeCodeHookView(CallView):
    """Answer one event of Claude Code."""

    def post(self, request: HttpRequest) -> HttpResponse:
        try:
            principal = guarded(lambda: authenticate(request))
        except CannotDecide as error:
            # Whose fail mode it would be is not known, so it is closed.
            return answer(_failed(read_object(request), error, opens=False))
        principal.require(Scope.DECIDE)
        event = read_object(request)
        kind = event.get("hook_event_name")
        if not isinstance(kind, str):
            raise Invalid(
                "hook_event_name is missing: send the event as Claude Code made it.",
                errors=[{"field": "hook_event_name", "message": "Required, a text."}],
            )
        caller = _caller(event, principal, request)
        handler = _HANDLERS.get(kind)
        if handler is None:
            return answer({})  # an event that nothing is decided on
        try:
            return answer(guarded(lambda: handler(caller, event)))
        except CannotDecide as error:
            return answer(_failed(event, error, opens=fails_open(principal)))


def _caller(event: JSON, principal: Principal, request: HttpRequest) -> Caller:
    context = {key: event[key] for key in _CONTEXT if event.get(key) not in (None, "")}
    if entrypoint := request.META.get("HTTP_X_AXON_ENTRYPOINT"):
        context["entrypoint"] = entrypoint
    return Caller(
        principal=principal,
        agent=AGENT,
        user_id=principal.user or _text(request.META.get("HTTP_X_AXON_USER")),
        session_id=_text(event.get("session_id")),
        tool_use_id=_text(event.get("tool_use_id")),
        context=context,
    )


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


# --- Before a tool runs ---------------------------------------------------------------------


def _pre_tool_use(caller: Caller, event: JSON) -> JSON:
    tool, tool_input = _text(event.get("tool_name")), event.get("tool_input")
    operation = operations.of_tool_input(
        tool, tool_input, fields=caller.fields(), inherited=session_files.of(caller)
    )
    checked = services.check(caller, operation, arguments=tool_input)
    decision = checked.decision
    if decision.verdict != Verdict.ALLOW:
        return _specific(
            "PreToolUse",
            permissionDecision="deny",
            permissionDecisionReason=_reason(checked, operation),
        )
    session_files.note(caller, tool_input, decision.analysis)
    answered: JSON = {}
    notes = [f"Axon Portal: {text}." for text in decision.messages(ActionType.WARN)]
    replaced = _replaced(operation, decision)
    if replaced and isinstance(tool_input, Mapping):
        answered["updatedInput"] = operations.written_back(tool_input, replaced)
        notes.append(_redaction_note(checked, "input"))
    if decision.allows_outright:
        answered["permissionDecision"] = "allow"
        answered["permissionDecisionReason"] = f"Axon Portal: allowed by policy {_who(checked)}."
    if notes:
        answered["additionalContext"] = " ".join(notes)[:MAX_NOTE_CHARS]
    return _specific("PreToolUse", **answered)


def _reason(checked: Checked, operation: Operation) -> str:
    """What the model reads: what, why, which policy, the decision's id, what to do instead."""
    decision = checked.decision
    why = " ".join(dict.fromkeys(map(_said, _deciding(checked))))
    held = decision.verdict == Verdict.HOLD
    return " ".join(
        part
        for part in (
            f"Axon Portal {'holds' if held else 'denied'} this {operation.tool or 'call'}:",
            decision.reason if decision.reason.endswith(".") else f"{decision.reason}.",
            f"({why})" if why else "",
            f"Policy: {_who(checked)}. Decision: {checked.context_id}.",
            "Do not try to reach the same effect another way; tell the user that a person must "
            "approve it first."
            if held
            else "Do not retry it or reach the same effect another way; choose a narrower "
            "operation, or ask the user to have the security team look at the decision.",
        )
        if part
    )[:MAX_NOTE_CHARS]


def _said(found: Finding) -> str:
    """Why, and where, if the call's own text does not show it."""
    layer = found.layer.partition(" > ")[0]
    return f"{found.reason} [{layer}]" if layer.startswith(WRITTEN_EARLIER) else found.reason


def _deciding(checked: Checked) -> list[Finding]:
    """The findings that the deciding policies rest on."""
    decision = checked.decision
    kinds = {
        evidence.kind
        for match in decision.matches
        if match.action == decision.action
        for evidence in match.evidence
    }
    return [found for found in decision.analysis.findings if found.kind in kinds]


def _who(checked: Checked) -> str:
    decision = checked.decision
    return ", ".join(match.policy for match in decision.matches if match.action == decision.action)


def _redaction_note(checked: Checked, what: str) -> str:
    kinds = sorted({found.kind for found in checked.decision.redactions})
    return (
        f"Axon Portal replaced values in the {what} ({', '.join(kinds)}); the placeholders stand "
        f"for them. Decision: {checked.context_id}."
    )


# --- After a tool ran -----------------------------------------------------------------------


def _post_tool_use(caller: Caller, event: JSON) -> JSON:
    result = event.get("tool_response")
    operation = _of_result(event, caller.fields())
    checked = services.check_result(
        caller,
        operation,
        tool_input=event.get("tool_input"),
        duration_ms=event.get("duration_ms"),
    )
    decision = checked.decision
    if decision.verdict != Verdict.ALLOW:
        # The tool has run; what can still be kept back is what the model would read.
        return {
            "decision": "block",
            "reason": _reason(checked, operation),
            **_specific("PostToolUse", updatedToolOutput=_withheld(result, operation)),
        }
    answered: JSON = {}
    notes = [f"Axon Portal: {text}." for text in decision.messages(ActionType.WARN)]
    replaced = _replaced(operation, decision)
    if replaced:
        answered["updatedToolOutput"] = operations.written_back(result, replaced)
        notes.append(_redaction_note(checked, "result"))
    if notes:
        answered["additionalContext"] = " ".join(notes)[:MAX_NOTE_CHARS]
    return _specific("PostToolUse", **answered)


def _replaced(operation: Operation, decision: Decision) -> dict[tuple[str | int, ...], str]:
    """The parts that redaction changes, each place in the style that its policy names."""
    return redact_parts(
        operation,
        decision.redactions,
        find=lambda after: decision.left_over(analyse(after).findings),
        style=decision.styles,
        # The same value has the same digest in all of a deployment's answers, and in no other's.
        key=f"redaction:{settings.AXON_CREDENTIAL_KEY}".encode(),
    )


def _of_result(event: JSON, fields: Mapping[str, Any]) -> Operation:
    """Of an own tool, the client takes a replacement in the result's exact shape only."""
    tool = _text(event.get("tool_name"))
    return operations.of_tool_result(
        tool,
        event.get("tool_response"),
        fields=fields,
        keep_shape=not tool.startswith("mcp__"),
    )


def _withheld(result: Any, operation: Operation) -> Any:
    return operations.written_back(result, {part.path: _WITHHELD for part in operation.parts})


def _post_tool_use_failure(caller: Caller, event: JSON) -> JSON:
    error = _text(event.get("error"))
    operation = operations.of_tool_result(
        _text(event.get("tool_name")), error, fields=caller.fields()
    )
    services.check_result(
        caller,
        operation,
        tool_input=event.get("tool_input"),
        duration_ms=event.get("duration_ms"),
        failed=True,
    )
    return {}  # the client takes no replacement for the text of a failed tool


_HANDLERS = {
    "PreToolUse": _pre_tool_use,
    "PostToolUse": _post_tool_use,
    "PostToolUseFailure": _post_tool_use_failure,
}


def _specific(event: str, **answered: Any) -> JSON:
    """The answer for an event; nothing to say is `{}`, and never a null."""
    said = {key: value for key, value in answered.items() if value is not None}
    return {"hookSpecificOutput": {"hookEventName": event, **said}} if said else {}


def _failed(event: JSON, error: CannotDecide, *, opens: bool) -> JSON:
    """The portal failed: what the client's fail mode says, in the agent's language."""
    kind = event.get("hook_event_name")
    if kind not in _HANDLERS:
        return {}
    if opens:
        note = f"Axon Portal: not checked, because this client fails open. {error.detail}"
        return _specific(kind, additionalContext=note) if kind != "PostToolUseFailure" else {}
    if kind == "PreToolUse":
        return _specific(
            kind,
            permissionDecision="deny",
            permissionDecisionReason=f"Axon Portal: {error.detail}",
        )
    answered = {"decision": "block", "reason": f"Axon Portal: {error.detail}", "continue": False}
    if kind == "PostToolUse" and (operation := _of_result(event, {})).parts:
        result = _withheld(event.get("tool_response"), operation)
        answered |= _specific(kind, updatedToolOutput=result)
    return answered
