"""What people type on the pages of approvals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from approvals.models import Answer
from approvals.services import MAX_REASON_CHARS
from axonportal.accounts.models import Tenant, User


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


class _Moment(forms.DateTimeInput):
    input_type = "datetime-local"

    def __init__(self) -> None:
        super().__init__(format="%Y-%m-%dT%H:%M")


class DelegationForm(forms.Form):
    """Who answers in her place, and for how long; times are UTC, as everywhere in the portal."""

    tenant = forms.ModelChoiceField(Tenant.objects.none(), label=_("Tenant"), empty_label=None)
    delegate = forms.ModelChoiceField(
        User.objects.none(),
        label=_("Who answers in my place"),
        help_text=_("A member of the tenant. What was delegated to her she cannot pass on."),
    )
    starts_at = forms.DateTimeField(label=_("From (UTC)"), widget=_Moment)
    ends_at = forms.DateTimeField(label=_("Until (UTC)"), widget=_Moment)
    reason = forms.CharField(
        label=_("Reason"),
        max_length=200,
        required=False,
        help_text=_("For those who wonder, for example: on leave."),
    )

    def __init__(self, *args: Any, user: User, tenants: Sequence[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        rows = Tenant.objects.filter(pk__in=tenants)
        self.fields["tenant"].queryset = rows  # type: ignore[attr-defined]
        if len(tenants) == 1:
            self.fields["tenant"].widget = forms.HiddenInput()
            self.fields["tenant"].initial = tenants[0]
        people = User.objects.filter(is_active=True, memberships__tenant__in=tenants)
        self.fields["delegate"].queryset = (  # type: ignore[attr-defined]
            people.exclude(pk=user.pk).distinct().order_by("username")
        )
