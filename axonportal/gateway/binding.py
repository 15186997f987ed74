"""What an approval is for: one digest of exactly what would run, for whom, where, asked by whom.

Change one byte and it is another request. The versions of the policies that asked are part of it,
so a new version makes old approvals worthless.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from collections.abc import Mapping
from typing import Any

import orjson
from django.conf import settings

from axonportal.gateway.caller import Caller
from policies.engine.decision import Decision
from policies.engine.operation import Operation
from policies.engine.policy import ActionType

VERSION = 1
# Of the context, what names a single call or event: it differs when the same thing is asked again.
VOLATILE = frozenset(
    {
        "tool_use_id",
        "transcript_path",
        "prompt_id",
        "request_id",
        "trace_id",
        "span_id",
        "timestamp",
        "wait_s",
    }
)
_QUOTED = re.compile(r"\"[^\"]*\"|'[^']*'")
_VALUE = re.compile(r"\b(?=\w*\d)\w+\b")


def digest(caller: Caller, operation: Operation, arguments: Any, decision: Decision) -> bytes:
    """HMAC-SHA256 over the canonical form; 32 bytes. Keyed, as what it covers may hold secrets."""
    return hmac.digest(
        f"approval:{settings.AXON_CREDENTIAL_KEY}".encode(),
        canonical(caller, operation, arguments, decision),
        "sha256",
    )


def original(text: str) -> bytes:
    """HMAC-SHA256 of an original text, to recognise it again without keeping it; 32 bytes."""
    return hmac.digest(
        settings.AXON_CREDENTIAL_KEY.encode(), text.encode("utf-8", "replace"), "sha256"
    )


def canonical(caller: Caller, operation: Operation, arguments: Any, decision: Decision) -> bytes:
    """JSON with sorted keys: the same bytes for the same operation, other bytes for any other.

    Members are length-checked by JSON itself, so nothing can move from one to the next.
    """
    fields = caller.fields()
    bound = {
        "v": VERSION,
        "tenant": caller.principal.tenant_id,
        "client": caller.principal.client_id,
        "subject": [caller.user_id, caller.principal.user],
        "agent": caller.agent,
        "session": caller.session_id,
        "directory": fields["working_directory"],
        "target": target_of(caller, operation),
        "tool": operation.tool,
        "text": operation.text,
        "arguments": arguments,
        "context": {key: item for key, item in caller.context.items() if key not in VOLATILE},
        # What the text does with what it finds in place: files of the session may have changed.
        "facts": {name: sorted(values) for name, values in decision.analysis.facts.items()},
        "findings": sorted(
            [found.kind, found.rule, found.layer] for found in decision.analysis.findings
        ),
        "policies": sorted(
            [match.policy_id, match.version]
            for match in decision.matches
            if match.action == ActionType.REQUIRE_APPROVAL
        ),
    }
    return _bytes(bound)


def target_of(caller: Caller, operation: Operation) -> str:
    """The connector or MCP server that the operation goes to."""
    context = caller.context
    for key in ("connector", "mcp_server", "server"):
        if isinstance(value := context.get(key), str) and value:
            return value
    if operation.tool.startswith("mcp__"):
        return operation.tool.split("__")[1]
    return ", ".join(caller.data_sources)


def shape(operation: Operation) -> str:
    """What operations have in common that differ in values only; 32 hexadecimal digits."""
    text = _VALUE.sub("0", _QUOTED.sub("''", operation.text))
    seen = f"{operation.tool}\0{' '.join(text.split())}".encode("utf-8", "replace")
    return hashlib.sha256(seen).hexdigest()[:32]


def _bytes(value: Mapping[str, Any]) -> bytes:
    try:
        return orjson.dumps(value, option=orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS)
    except orjson.JSONEncodeError:
        # Lone surrogates, huge integers, too many levels: Python's repr tells all apart.
        return repr(_ordered(value)).encode("utf-8", "backslashreplace")


def _ordered(value: Any) -> Any:
    if isinstance(value, Mapping):
        return [(key, _ordered(value[key])) for key in sorted(value)]
    return [_ordered(item) for item in value] if isinstance(value, list | tuple) else value
