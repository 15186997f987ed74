"""The forms of the pages about who asks and who decides."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import Any

from django import forms
from django.contrib.admin.forms import AdminAuthenticationForm
from django.contrib.auth.models import AbstractBaseUser
from django.core.exceptions import ValidationError
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from axonportal.accounts.models import HOOK_SCOPES, Client, Membership, Scope, Team, User

CREDENTIAL_LIFETIME = timedelta(days=365)  # suggested; a person may choose another or none


class SignInForm(AdminAuthenticationForm):
    """Members of a tenant sign in, whether or not they are Django's "staff"."""

    error_messages = {
        **AdminAuthenticationForm.error_messages,
        "invalid_login": _("User name or password is wrong; both mind upper and lower case."),
    }

    def confirm_login_allowed(self, user: AbstractBaseUser) -> None:
        if not may_sign_in(user):
            raise ValidationError(
                _(
                    "The name and password are right, but you belong to no tenant. Ask an owner "
                    "of one to make you a member."
                ),
                code="no_membership",
            )


def may_sign_in(user: Any) -> bool:
    """Active, and a member of some tenant or in charge of all."""
    return bool(
        user.is_active
        and user.is_authenticated
        and (user.is_superuser or user.is_staff or user.memberships.exists())
    )


class CredentialForm(forms.Form):
    """What a new credential is for, and what it may do."""

    client = forms.ModelChoiceField(
        Client.objects.none(),
        label=_("Client"),
        empty_label=None,
        help_text=_("The program that will send it."),
    )
    name = forms.CharField(
        label=_("Name"),
        max_length=100,
        help_text=_("Where it is used, for example the name of a laptop or a pipeline."),
    )
    user = forms.ModelChoiceField(
        User.objects.none(),
        label=_("Person"),
        required=False,
        empty_label=_("Nobody in particular"),
        help_text=_(
            "Bound to a person, every decision names her as verified. Unbound, the user that a "
            "call names is only a claim."
        ),
    )
    scopes = forms.MultipleChoiceField(
        label=_("Scopes"),
        choices=Scope.choices,
        initial=HOOK_SCOPES,
        widget=forms.CheckboxSelectMultiple,
        help_text=_("A hook needs the first two. None lets a credential answer an approval."),
    )
    expires = forms.DateField(
        label=_("Expires"),
        required=False,
        widget=forms.DateInput(attrs={"type": "date"}, format="%Y-%m-%d"),
        help_text=_("At the end of that day, UTC. Empty: never."),
    )

    def __init__(self, *args: Any, clients: Any, tenants: list[int], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        fields["client"].queryset = clients
        fields["user"].queryset = User.objects.filter(
            memberships__tenant__in=tenants, is_active=True
        ).distinct()
        fields["expires"].initial = (timezone.now() + CREDENTIAL_LIFETIME).date()

    def clean_expires(self) -> datetime | None:
        day = self.cleaned_data["expires"]
        if day is None:
            return None
        moment = datetime.combine(day, time.max, tzinfo=UTC)
        if moment <= timezone.now():
            raise ValidationError(_("That day is over; choose a later one."))
        return moment

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        client, user = cleaned.get("client"), cleaned.get("user")
        if client and user and not user.memberships.filter(tenant=client.tenant_id).exists():
            self.add_error("user", _("This person does not belong to the client's tenant."))
        return cleaned


class ClientForm(forms.ModelForm):
    """A client; its team is of its own tenant."""

    class Meta:
        model = Client
        fields = (
            "tenant",
            "client_id",
            "name",
            "description",
            "team",
            "fail_mode",
            "region",
            "is_active",
        )
        widgets = {"description": forms.Textarea(attrs={"rows": 3})}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        tenant = cleaned.get("tenant") or getattr(self.instance, "tenant", None)
        team = cleaned.get("team")
        if tenant and team and team.tenant_id != tenant.pk:
            self.add_error("team", _("This team is of another tenant."))
        return cleaned


class TeamForm(forms.ModelForm):
    """A team; its members belong to its tenant."""

    class Meta:
        model = Team
        fields = ("tenant", "name", "members")
        widgets = {"members": forms.CheckboxSelectMultiple}

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        tenant = cleaned.get("tenant") or getattr(self.instance, "tenant", None)
        members = cleaned.get("members")
        if tenant and members is not None:
            inside = set(Membership.objects.filter(tenant=tenant).values_list("user", flat=True))
            strangers = [str(user) for user in members if user.pk not in inside]
            if strangers:
                self.add_error(
                    "members",
                    _("Not of this tenant: %(names)s.") % {"names": ", ".join(strangers)},
                )
        return cleaned


class MembershipForm(forms.ModelForm):
    """A person's role in a tenant; the person is named, so that no list of all users is shown."""

    username = forms.CharField(
        label=_("User name"), help_text=_("Exactly as she signs in."), max_length=150
    )

    class Meta:
        model = Membership
        fields = ("tenant", "role")
        widgets = {"role": forms.RadioSelect}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        if self.instance.pk:
            del self.fields["username"]

    def clean_username(self) -> str:
        name: str = self.cleaned_data["username"]
        user = User.objects.filter(username=name).first()
        if user is None:
            raise ValidationError(
                _("There is no user of that name. A superuser adds people under Access > Users.")
            )
        self.instance.user = user
        return name

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        tenant, user = cleaned.get("tenant"), getattr(self.instance, "user", None)
        if not self.instance.pk and tenant and user:
            if Membership.objects.filter(tenant=tenant, user=user).exists():
                self.add_error("username", _("She is a member already; change her role instead."))
        elif (
            self.instance.pk
            and cleaned.get("role") != Membership.Role.OWNER
            and is_last_owner(self.instance)
        ):
            self.add_error("role", _("The tenant's last owner stays one; name another first."))
        return cleaned


def is_last_owner(membership: Membership) -> bool:
    """Would the tenant be without an owner, if this one were none?"""
    owners = Membership.objects.filter(
        tenant=membership.tenant_id, role=Membership.Role.OWNER
    ).values_list("pk", flat=True)
    return list(owners) == [membership.pk]
