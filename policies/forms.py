"""The form of a policy, with the trial of its draft."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from django import forms
from django.core.exceptions import ValidationError
from django.utils.translation import gettext_lazy as _

from policies import answering, services
from policies.editors import ActionsEditor, ConditionsEditor, EditorField, SelectorEditor
from policies.engine.conditions import ConditionsError
from policies.engine.operation import Language, Operation, Part, Phase
from policies.errors import PolicyInvalid
from policies.models import Policy
from policies.trials import MAX_TRIAL_CHARS, Trial, try_policy

# A draft is checked with these in place of parts that are no JSON, to name other mistakes too.
_STAND_INS: dict[str, Any] = {
    "conditions": [{"field": "tool", "operator": "exists", "value": True}],
    "actions": [{"type": "log"}],
    "applies_to": {},
}
STRUCTURED = tuple(_STAND_INS)


class PolicyForm(forms.ModelForm):
    """A policy as an author writes it. Mistakes in its structured parts are told at their node.

    With `trying`, it is never valid: the draft is evaluated instead of saved.
    """

    trying = False
    trial: Trial | None = None
    node_errors: Sequence[tuple[str, str]] = ()

    applies_to = EditorField(label=_("Applies to"), widget=SelectorEditor, empty=dict)
    conditions = EditorField(label=_("Conditions"), widget=ConditionsEditor, empty=list)
    actions = EditorField(label=_("Actions"), widget=ActionsEditor, empty=list)
    note = forms.CharField(
        label=_("Why"),
        max_length=500,
        required=False,
        help_text=_("Kept with this version, for whoever asks later."),
    )

    class Meta:
        model = Policy
        fields = (
            "tenant",
            "name",
            "description",
            "category",
            "severity",
            "priority",
            "enabled",
            "mode",
            "rollout_percent",
            "applies_to",
            "conditions",
            "actions",
            "tags",
        )
        widgets = {
            "description": forms.Textarea(attrs={"rows": 2}),
            "mode": forms.RadioSelect,
            "name": forms.TextInput(attrs={"size": 50}),
        }
        help_texts = {
            "category": _("Groups policies in lists, for example production."),
            "tags": _("Separated by commas."),
            "enabled": _("Switched off, it is not evaluated at all."),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        fields: Any = self.fields
        if "actions" in fields:
            chosen = fields["tenant"].queryset if "tenant" in fields else [self.instance.tenant]
            fields["actions"].widget.groups = answering.groups_of([one.pk for one in chosen])

    def clean(self) -> dict[str, Any]:
        cleaned: dict[str, Any] = super().clean() or {}
        tenant = cleaned.get("tenant") or getattr(self.instance, "tenant", None)
        values = {
            name: cleaned.get(name, _STAND_INS.get(name, getattr(self.instance, name, None)))
            for name in services.EDITABLE
            if name in self.fields
        }
        draft = Policy(pk=self.instance.pk, tenant=tenant, builtin=self.instance.builtin, **values)
        self._name_is_free(draft)
        try:
            services.validate(draft, changed=self._changed(values))
        except PolicyInvalid as error:
            self._add_node_errors([(e["field"], e["message"]) for e in error.errors])
        if self.trying and not self.errors:
            self.trial = self._try(draft)
        return cleaned

    def _changed(self, values: Mapping[str, Any]) -> list[str] | None:
        """The fields that differ from the saved policy; None for a new one."""
        if self.instance._state.adding:  # noqa: SLF001 (documented)
            return None
        return [name for name, value in values.items() if getattr(self.instance, name) != value]

    def is_valid(self) -> bool:
        return super().is_valid() and not self.trying

    def _name_is_free(self, draft: Policy) -> None:
        if draft.tenant_id is None or not draft.name:
            return
        others = Policy.objects.for_tenant(draft.tenant_id).filter(name=draft.name)
        if others.exclude(pk=self.instance.pk).exists():
            self.add_error("name", _("There is a policy of this name."))

    def _add_node_errors(self, errors: list[tuple[str, str]]) -> None:
        self.node_errors = [error for error in errors if error[0].partition(".")[0] in STRUCTURED]
        for name in STRUCTURED:
            own = [(path, text) for path, text in errors if path.partition(".")[0] == name]
            self.fields[name].widget.node_errors = own
            if own and name not in self.errors:
                self.add_error(name, self._at_field(name, own))
        for path, text in errors:
            if path not in self.errors and path.partition(".")[0] not in STRUCTURED:
                self.add_error(path if path in self.fields else None, text)

    def _at_field(self, name: str, errors: Sequence[tuple[str, str]]) -> list[ValidationError]:
        """The messages above an editor: whole beside JSON, short where rows show them."""
        if self.data.get(f"{name}_as") == "json":
            return [ValidationError(f"{path}: {text}") for path, text in errors]
        rows = [path for path, _text in errors if path.count(".") > 0]
        messages = [text for path, text in errors if path == name]
        if rows:
            marked = _("Not right where it is marked: %(paths)s.") % {"paths": ", ".join(rows)}
            messages.append(str(marked))
        return [ValidationError(text) for text in messages]

    def _try(self, draft: Policy) -> Trial | None:
        sample = SampleForm(self.data)
        if not sample.is_valid():
            self.add_error(None, _("Give a text to try the policy on."))
            return None
        operation = sample.operation(tenant=draft.tenant.slug)
        try:
            return try_policy(
                draft.spec(), operation, tenant_id=draft.tenant_id, enabled=draft.enabled
            )
        except ConditionsError as error:  # a pattern that only the compiler refuses
            raise ValidationError(str(error)) from None


class SampleForm(forms.Form):
    """An operation to try a draft on."""

    try_text = forms.CharField(
        label=_("Text"),
        max_length=MAX_TRIAL_CHARS,
        strip=False,
        widget=forms.Textarea(attrs={"rows": 4, "class": "code", "spellcheck": "false"}),
    )
    try_tool = forms.CharField(
        label=_("Tool"),
        max_length=200,
        required=False,
        initial="Bash",
        widget=forms.TextInput(attrs={"list": "known-tools"}),
    )
    try_phase = forms.ChoiceField(
        label=_("Phase"),
        choices=[(str(Phase.BEFORE), _("before it runs")), (str(Phase.AFTER), _("its result"))],
    )
    try_client = forms.CharField(
        label=_("Client"), max_length=100, required=False, initial="claude-code"
    )
    try_user = forms.CharField(label=_("User"), max_length=200, required=False)

    def operation(self, *, tenant: str) -> Operation:
        """The operation as the engine takes it; what Bash gets is shell."""
        values = self.cleaned_data
        text = values["try_text"].replace("\r\n", "\n")
        shell = values["try_tool"] == "Bash" and values["try_phase"] == Phase.BEFORE
        return Operation(
            text=text,
            tool=values["try_tool"],
            phase=Phase(values["try_phase"]),
            parts=(
                Part(start=0, end=len(text), language=Language.SHELL if shell else Language.AUTO),
            ),
            fields={
                "client_id": values["try_client"],
                "user_id": values["try_user"],
                "tenant": tenant,
                "context": {},
            },
        )
