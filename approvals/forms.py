"""What people type on the pages of approvals."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from approvals.models import Answer
from approvals.services import MAX_REASON_CHARS


def _reason(label: Any, **options: Any) -> forms.CharField:
    return forms.CharField(
        label=label,
        max_length=MAX_REASON_CHARS,
        widget=forms.Textarea(attrs={"rows": 3}),
        **options,
    )


class AnswerForm(forms.Form):
    """Yes or no; whether a reason is needed the policies say."""

    prefix = "answer"
    choice = forms.ChoiceField(choices=Answer.Choice.choices)
    reason = _reason(_("Reason"), required=False)
    # When the page came to be, signed; `approvals.page.seal`.
    seen = forms.CharField(required=False, widget=forms.HiddenInput)


class BreakGlassForm(forms.Form):
    """Why it cannot wait."""

    prefix = "glass"
    reason = _reason(
        _("Why can it not wait?"),
        error_messages={"required": _("Say why it cannot wait: everybody who was asked reads it.")},
    )


class ReviewForm(forms.Form):
    """What came of looking at a broken glass."""

    prefix = "review"
    note = _reason(
        _("What did the review find?"),
        error_messages={"required": _("Say what the review found.")},
    )


class BulkDenyForm(forms.Form):
    """One reason for all of them."""

    reason = _reason(
        _("Reason for denying"),
        error_messages={"required": _("Say why they are denied: the requesters are told.")},
    )
