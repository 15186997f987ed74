"""Notifications by webhook: signed JSON, or a message for a Slack-compatible channel."""

from __future__ import annotations

import re
import time
from typing import Any

import orjson

from approvals import links
from approvals.models import ApprovalRequest
from approvals.notifications import egress, targets, wording
from approvals.notifications.errors import Never, NotNow
from approvals.notifications.models import Event, Notification, WebhookTarget
from axonportal.common import display

MAX_JSON_TEXT_CHARS = 200_000  # of an operation; `original_query_left_out` tells the rest
MAX_CHAT_TEXT_CHARS = 3_000  # Slack shows about 4,000 characters of a message
# As AxonFlow has it: the receiver has said that it will not have this, and not why to come again.
_FINAL = frozenset({400, 401, 403, 404, 405, 410, 413, 422})
_MENTION = re.compile(r"@(?=(?:channel|here|everyone|all|group)\b)", re.IGNORECASE)
_FENCE = re.compile(r"`{3,}")


def send(row: Notification) -> None:
    """Post one notification.

    Raises:
        Never: the address may not be connected to, or its owner does not want this.
        NotNow: it did not answer, or asks to come later.
    """
    url, kind, key = _where(row)
    if not url:
        raise Never("The request has no address to tell.")
    if kind == WebhookTarget.Kind.SLACK:
        body, headers = orjson.dumps(chat(row)), {"Content-Type": "application/json"}
    else:
        body = orjson.dumps(payload(row))
        headers = signed(row, body, key)
    try:
        answer = egress.post(url, body, headers)
    except egress.Refused as error:
        raise Never(str(error)) from None
    except egress.Unreachable as error:
        raise NotNow(str(error)) from None
    _judge(answer)


def _where(row: Notification) -> tuple[str, str, str]:
    """The address, the kind and the signing secret; no secret where the tenant has none."""
    if row.target is not None:
        return row.target.url, row.target.kind, targets.secret(row.target)
    signer = WebhookTarget.objects.filter(
        tenant=row.tenant_id, kind=WebhookTarget.Kind.NOTIFY_URL, is_active=True
    ).first()
    key = targets.secret(signer) if signer is not None else ""
    return row.request.notify_url, WebhookTarget.Kind.GENERIC, key


def _judge(answer: egress.Answer) -> None:
    if 200 <= answer.status < 300:
        return
    said = f"It answers {answer.status}"
    if answer.excerpt:
        said += f": {answer.excerpt}"
    if 300 <= answer.status < 400:
        raise Never(f"It answers {answer.status}, a redirect, which is not followed.")
    if answer.status in _FINAL:
        raise Never(said)
    raise NotNow(said, after_s=answer.retry_after_s)


def signed(row: Notification, body: bytes, key: str) -> dict[str, str]:
    """The headers of a generic delivery: AxonFlow's names and our own."""
    timestamp = str(int(time.time()))
    headers = {
        "Content-Type": "application/json",
        "X-AxonFlow-Request-Id": row.request_id,
        "X-AxonFlow-Delivery-Id": row.pk,
        "X-AxonFlow-Event": f"hitl.{row.facts['status']}",
        "X-Axon-Delivery-Id": row.pk,
        "X-Axon-Event": f"approval.{row.event}",
        "X-Axon-Timestamp": timestamp,
    }
    if key:
        headers["X-AxonFlow-Signature"] = f"sha256={targets.signature(key, body)}"
        in_time = targets.signature_in_time(key, timestamp, body)
        headers["X-Axon-Signature"] = f"v1={in_time}"
    return headers


def payload(row: Notification) -> dict[str, Any]:
    """The body of a generic delivery; the same each time, though the link in it is made anew."""
    request, then = row.request, row.facts
    text = request.text
    return {
        "delivery_id": row.pk,
        "event": f"approval.{row.event}",
        "approval_id": request.pk,
        "status": then["status"],
        "decided_by": then["decided_by"],
        "decided_at": then["decided_at"],
        "outcome": then["outcome"],
        "original_query": text[:MAX_JSON_TEXT_CHARS],
        "original_query_left_out": max(0, len(text) - MAX_JSON_TEXT_CHARS),
        "request_type": request_type(request),
        "severity": request.severity,
        "policies": [
            {key: policy.get(key, "") for key in ("policy_id", "policy", "version", "message")}
            for policy in request.policies
        ],
        "tenant": request.tenant.slug,
        "client_id": request.client_id,
        "user_id": request.user_id,
        "verified_user": request.verified_user,
        "agent": request.agent,
        "session_id": request.session_id,
        "tool": request.tool,
        "target": request.target,
        "context_id": request.context_id,
        "created_at": request.created_at.isoformat(),
        "expires_at": request.expires_at.isoformat(),
        "reviewed_by": then["reviewed_by"],
        "url": links.link_for(request),
    }


def request_type(request: ApprovalRequest) -> str:
    """What kind of thing waits: as its creator said, else the tool."""
    said = request.context.get("request_type")
    return said if isinstance(said, str) and said else request.tool or "operation"


def chat(row: Notification) -> dict[str, Any]:
    """A message as Slack and what is compatible with it take it: one text, nothing in it a
    command, a link of somebody else's making, or a mention of everybody."""
    said = wording.say(row)
    request, then = row.request, row.facts
    lines = [f"*{_inert(said.headline)}*"]
    if row.event not in {Event.REQUESTED, Event.ESCALATED} and then["outcome"]:
        lines.append(_inert(then["outcome"]))
    if row.event == Event.REVIEWED:
        lines.append(f"{_inert(then['reviewed_by'])}: {_inert(then['review'])}")
    lines += [f"{_inert(policy)}: {_inert(why)}" for policy, why in said.reasons]
    lines.append(_fenced(request.text))
    lines.append(f"<{said.link}|Open {request.pk}>")
    return {"text": "\n".join(lines), "unfurl_links": False, "unfurl_media": False}


def _inert(text: str) -> str:
    """One line of words."""
    return _escaped(wording.one_line(text, MAX_CHAT_TEXT_CHARS))


def _fenced(text: str) -> str:
    shown = _FENCE.sub(lambda match: "'" * len(match[0]), text[:MAX_CHAT_TEXT_CHARS])
    rest = len(text) - MAX_CHAT_TEXT_CHARS
    more = f"\n… {rest} more characters on its page." if rest > 0 else ""
    return f"```\n{_escaped(display.spelled(shown))}\n```{more}"


def _escaped(text: str) -> str:
    """https://api.slack.com/reference/surfaces/formatting#escaping"""
    broken = _MENTION.sub("(at)", text)
    return broken.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
