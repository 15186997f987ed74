"""What a person pastes to connect a client: the hook's configuration and a first call."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import Any

from django.conf import settings

HOOK_EVENTS = ("PreToolUse", "PostToolUse", "PostToolUseFailure")
HOOK_TIMEOUT_S = 10
TOKEN = "AXON_TOKEN"  # noqa: S105 (the variable's name)


@dataclass(frozen=True, slots=True, kw_only=True)
class Connecting:
    """Texts to copy: `export` is empty where no secret is needed or shown."""

    export: str
    hook: str
    curl: str


def connecting(*, client_id: str, secret: str = "", open_demo: bool = False) -> Connecting:
    """How to connect `client_id`; the hook reads the secret from the environment, so that the
    settings file can be shared. `open_demo`: callers on this machine need no secret."""
    url = settings.AXON_PUBLIC_URL
    headers = {"X-Axon-Entrypoint": "$CLAUDE_CODE_ENTRYPOINT"}
    variables = ["CLAUDE_CODE_ENTRYPOINT"]
    if not open_demo:
        headers = {"Authorization": f"Bearer ${TOKEN}"} | headers
        variables.insert(0, TOKEN)
    hook: dict[str, Any] = {
        "type": "http",
        "url": f"{url}/api/v1/hooks/claude-code",
        "timeout": HOOK_TIMEOUT_S,
        "onFailure": "block",
        "headers": headers,
        "allowedEnvVars": variables,
    }
    body = json.dumps({"client_id": client_id, "query": "DROP TABLE users"})
    authorization = "" if open_demo else f'  -H "Authorization: Bearer ${TOKEN}" \\\n'
    return Connecting(
        export=f"export {TOKEN}={shlex.quote(secret)}" if secret else "",
        hook=json.dumps({"hooks": {event: [{"hooks": [hook]}] for event in HOOK_EVENTS}}, indent=2),
        curl=f"curl -s {url}/api/policy/pre-check \\\n{authorization}"
        f"  -H 'Content-Type: application/json' \\\n  -d {shlex.quote(body)}",
    )
