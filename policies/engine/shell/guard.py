"""Rules about the agent's own guard: settings, hooks, the portal that answers for it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.engine.language import word_set
from policies.engine.shell.call import Call
from policies.engine.shell.hits import Hit, guarded, has, operands
from policies.engine.shell.model import join
from policies.engine.shell.network import DOWNLOADERS

_AGENTS = word_set("claude codex gemini cursor-agent copilot aider opencode goose amp")
_UNGUARDED = word_set(
    "--dangerously-skip-permissions --allow-dangerously-skip-permissions --safe-mode --yolo "
    "--dangerously-bypass-approvals-and-sandbox --full-auto --no-sandbox --allow-all-tools "
    "--approval-mode=yolo --permission-mode=bypassPermissions --yes-always"
)
# Where a decision of a person, or a rule, is changed by a call (this portal and others like it).
_APPROVALS = re.compile(
    r"/(?:hitl|approvals?|approval-requests?|requests?/[\w-]{1,64}/(?:approve|answer))\b"
    r"|/(?:static-|dynamic-)?policies\b|/(?:approve|override|unblock|bypass)\b"
)
_CHANGES = re.compile(r"(?i)(?:post|put|patch|delete)\Z")
_DATA = word_set(
    "-d --data --data-raw --data-binary --data-urlencode --json -F --form --post-data "
    "--post-file -T"
)
_LOCAL_HOST = re.compile(
    r"(?i)(?:\bhttps?://)?(?:localhost|127\.\d+\.\d+\.\d+|\[::1\]|0\.0\.0\.0|(?=:\d)|axon[\w.-]*|[\w.-]*portal[\w.-]*)"
    r"(?::(?:8080|8081|\d{2,5}))?/"
)


def agent(call: Call) -> Iterator[Hit]:
    """An agent started without its guards, or with a server nobody has looked at."""
    words = call.arguments
    if has(words, *_UNGUARDED) or "bypassPermissions" in words:
        yield Hit(rule="agent_settings", reason="Starts an agent with its guards switched off.")
    elif words[:2] in (["mcp", "add"], ["mcp", "add-json"], ["mcp", "remove"]) or words[:2] in (
        ["config", "set"],
        ["hooks", "disable"],
    ):
        yield Hit(
            rule="agent_settings", reason="Changes the settings of the agent.", confidence=0.8
        )


def git_hooks(call: Call) -> Iterator[Hit]:
    """git told to leave its hooks out."""
    words = call.arguments
    if has(words, "core.hooksPath") and has(words, "config") and not has(words, "--get", "--unset"):
        if has(words, "/dev/null", "") or words[-1].startswith(("/tmp", "/dev")):  # noqa: S108
            yield Hit(rule="agent_settings", reason="Switches the repository's hooks off.")
    elif words[:1] in (["commit"], ["push"], ["merge"], ["am"]) and _without_hooks(words):
        yield Hit(
            rule="guard_off", reason="Leaves the checks of the repository out.", confidence=0.7
        )


def _without_hooks(words: list[str]) -> bool:
    if words[0] == "commit" and any(re.fullmatch(r"-[aqsv]*n[aqsv]*m?", word) for word in words):
        return True
    return "--no-verify" in words


_TAKES = re.compile(r"[ugoa]*-[rwx]+\Z|0?[0-6][0-6][0-6]\Z")


def removed(call: Call) -> Iterator[Hit]:
    """rm, mv, chmod, truncate of what guards the agent or tells what was done."""
    words = operands(call)
    if call.name in ("chmod", "chown"):
        modes = [text for text in call.arguments if _TAKES.match(text)]
        if not modes:
            return
        words = [
            word
            for word in words
            if guarded(join(call.command.cwd, word.text))[0] != "trace_delete"
        ]
    elif call.name == "mv":
        words = words[:-1]
    if call.open and "find" in call.wrappers:
        words = [*words, *call.command.words[1:2]]
    for word in words:
        rule, reason = guarded(join(call.command.cwd, word.text))
        if rule:
            yield Hit(rule=rule, reason=reason)
            return


def portal(call: Call) -> Iterator[Hit]:
    """A call that answers an approval or changes a policy from the agent's own shell."""
    if call.name not in DOWNLOADERS:
        return
    words = call.arguments
    changes = any(word.partition("=")[0] in _DATA for word in words) or any(
        _CHANGES.match(word.removeprefix("-X").removeprefix("--request=").removeprefix("--method="))
        for word in words
    )
    if not changes:
        return
    for word in words:
        if _APPROVALS.search(word) and _LOCAL_HOST.match(word):
            yield Hit(
                rule="approval_call",
                reason="Answers an approval or changes a policy from the agent's own shell.",
                confidence=0.9,
            )
            return


_OWN = re.compile(r"(?:AXON|CLAUDE_CODE|CLAUDE_HOOK|CODEX_SANDBOX|CURSOR_HOOK)_?[A-Z_]*\Z")
_SWITCH = re.compile(
    r"(?:DISABLE|SKIP|BYPASS|ALLOW|NO)_?\w*(?:HOOK|GUARD|SAFETY|VERIFY|POLICY)\w*\Z"
)


def environment(name: str, value: str | None) -> Hit | None:
    """A variable set (or unset, `value` None) that the agent's guard reads."""
    if name.startswith("AXON_") or (_OWN.match(name) and value is None):
        return Hit(
            rule="guard_off", reason="Changes what the agent's guard is told.", confidence=0.85
        )
    if _SWITCH.match(name) and value not in (None, "", "0", "false"):
        return Hit(rule="guard_off", reason="Switches a check off.", confidence=0.7)
    return None


AGENTS = " ".join(sorted(_AGENTS))
