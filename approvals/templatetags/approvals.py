"""Filters of the pages of approvals."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from django import template
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from approvals import quality
from approvals.models import Answer, ApprovalRequest
from approvals.page import spelled
from axonportal.common import display

register = template.Library()

_STATES = {
    "pending": (_("Waiting"), "wait"),
    "approved": (_("Approved"), "good"),
    "denied": (_("Denied"), "bad"),
    "expired": (_("Expired, so denied"), "bad"),
}
_ANSWERS = {
    Answer.Choice.APPROVE: (_("approved"), "good"),
    Answer.Choice.DENY: (_("denied"), "bad"),
}
_TONES = {"critical": "bad", "high": "wait", "medium": "warn", "low": "quiet"}


@register.filter
def state(value: str) -> SafeString:
    """How it stands with a request, as a word in colour."""
    word, tone = _STATES.get(value, (value, "quiet"))
    return display.badge(str(word), tone)


@register.filter
def severity(value: str) -> SafeString:
    """How grave it is, as a word in colour."""
    word = dict(ApprovalRequest.Severity.choices).get(value, value)
    return display.badge(str(word), _TONES.get(value, "quiet"))


@register.filter
def answered(value: str) -> SafeString:
    """An answer as a word in colour."""
    word, tone = _ANSWERS.get(Answer.Choice(value), (value, "quiet"))
    return display.badge(str(word), tone)


@register.filter
def since(value: datetime | None) -> SafeString | str:
    """How long ago, to stand in a sentence: `5 min ago`, `on 2026-01-31`."""
    if value is None:
        return ""
    age = display.short_age(value)
    told = _("on %(date)s") if age[:4].isdecimal() else _("%(date)s ago")
    return format_html(
        '<time datetime="{}" title="{}">{}</time>',
        value.isoformat(),
        f"{value:%Y-%m-%d %H:%M:%S} UTC",
        told % {"date": age},
    )


@register.filter
def seconds(value: float | None) -> str:
    """A span of seconds as people say it: `4 s`, `12 min`; nothing if it is not known."""
    if value is None:
        return ""
    if value < 120:
        return spelled(timedelta(seconds=round(value)))
    if value < 2 * 3_600:
        return spelled(timedelta(minutes=round(value / 60)))
    return spelled(timedelta(hours=round(value / 3_600)))


@register.filter
def share(value: float | None) -> str:
    """A part of a whole in percent; a dash where there is no whole."""
    return "-" if value is None else f"{value:.0%}"


@register.simple_tag
def always_approved(policy: Any) -> quality.PolicyFigures | None:
    """The figures of a policy that everybody always approves; None for any other."""
    return quality.always_approved(policy.tenant_id, str(policy.pk)) if policy else None
