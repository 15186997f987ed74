"""Filters and tags of the portal's pages."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from django import template
from django.utils.safestring import SafeString
from django.utils.translation import gettext_lazy as _

from axonportal.common import display

register = template.Library()

_VERDICTS = {
    "allow": (_("Allowed"), "good"),
    "deny": (_("Denied"), "bad"),
    "hold": (_("Held"), "wait"),
}
_ACTIONS = {
    "block": (_("block"), "bad"),
    "require_approval": (_("require approval"), "wait"),
    "redact": (_("redact"), "warn"),
    "warn": (_("warn"), "warn"),
    "log": (_("log"), "quiet"),
    "allow": (_("allow"), "good"),
}


@register.filter
def visible(text: Any) -> SafeString:
    """A text of others: escaped, with unseen characters shown."""
    return display.visible(str(text))


@register.filter
def one_line(text: Any) -> SafeString:
    """Its beginning on one line."""
    return display.one_line(str(text))


@register.filter
def ago(moment: datetime | None) -> SafeString | str:
    """How long ago; the full time in the title."""
    return display.moment(moment)


@register.filter
def pretty(value: Any) -> SafeString:
    """JSON laid out for reading."""
    return display.pretty(value)


@register.filter
def verdict(value: str) -> SafeString:
    """The verdict as a word in colour."""
    word, tone = _VERDICTS.get(value, (value, "quiet"))
    return display.badge(str(word), tone)


@register.filter
def action(value: str) -> SafeString:
    """An action as a word in colour."""
    word, tone = _ACTIONS.get(value, (value or _("none"), "quiet"))
    return display.badge(str(word), tone)


@register.filter
def item(mapping: Mapping[Any, Any] | None, key: Any) -> Any:
    """The mapping's value for a key that is a variable; empty when missing."""
    return mapping.get(key, "") if mapping else ""


@register.filter
def short_label(text: Any) -> SafeString:
    """The word before the explanation: `Owner` of `Owner: everything, members included`."""
    return display.visible(str(text).partition(": ")[0])
