"""What a person reads once the portal is up."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

_RULE = "=" * 72
EVENTS = ("PreToolUse", "PostToolUse", "PostToolUseFailure")


@dataclass(frozen=True, slots=True, kw_only=True)
class Welcome:
    """The facts of one start; `admin_password` only at the admin's creation, and if generated."""

    public_url: str
    policy_port: int
    data_dir: Path
    environment: Path
    demo: bool
    admin_password: str | None


def hook_configuration(public_url: str) -> str:
    """Claude Code's `settings.json`: ask before each tool call, report after it."""
    hook = {
        "type": "http",
        "url": f"{public_url}/api/v1/hooks/claude-code",
        "timeout": 10,
        "onFailure": "block",
        "headers": {"X-Axon-Client": "claude-code"},
    }
    events = {event: [{"hooks": [hook]}] for event in EVENTS}
    return json.dumps({"hooks": events}, indent=2)


def block(welcome: Welcome) -> str:
    """The whole text, to be printed without a prefix so that it can be copied."""
    lines = ["", _RULE, f"Axon Portal is up: {welcome.public_url}/"]
    if welcome.policy_port:
        lines.append(f"The same portal answers policy calls on port {welcome.policy_port}.")
    if welcome.demo:
        lines += ["", *_admin(welcome), "", *_demo(welcome)]
    lines += [
        "",
        f"Data: {welcome.data_dir}",
        f"For manage.py in another shell:  . {welcome.environment}",
        "Stop with Ctrl-C.",
        _RULE,
        "",
    ]
    return "\n".join(lines)


def _admin(welcome: Welcome) -> list[str]:
    if welcome.admin_password:
        return [
            "Sign in as admin with this password, which is shown this once:",
            f"    {welcome.admin_password}",
        ]
    return ["Sign in as admin (forgotten password: manage.py changepassword admin)."]


def _demo(welcome: Welcome) -> list[str]:
    host = urlsplit(welcome.public_url).hostname
    body = json.dumps({"client_id": "claude-code", "query": "DROP TABLE users"})
    return [
        "DEMO: callers on this machine (loopback) need no credentials; the guide's printed ones",
        "(claude-code:your-secret, client-id:client-secret) count here too, and nowhere else.",
        "",
        f"Try a pre-check from {host}:",
        f"    curl -s {welcome.public_url}/api/policy/pre-check \\",
        f"      -H 'Content-Type: application/json' -d '{body}'",
        "",
        "Let Claude Code ask here before each tool call; put this into .claude/settings.json:",
        hook_configuration(welcome.public_url),
    ]
