"""What happened, as rows that are only ever added.

Names and ids are copied by value: a record outlives the client, policy or person it names.
`docs/reference/audit.md` describes each column.

The tables are made by SQL in the first migration, because Django knows neither partitions nor a
primary key that the admin could work with and that holds the time as well: in the database it is
(tenant_id, created_at, id), as a partitioned table requires, and it serves "the newest of a
tenant" too. Here the id alone stands as the primary key; it carries `created_at` (see `ids`), so
every lookup by id can, and should, name both (`by_context_id`).
"""

from __future__ import annotations

from django.contrib.postgres.fields import ArrayField
from django.contrib.postgres.indexes import BrinIndex
from django.db import models
from django.db.models import Q
from django.utils.translation import gettext_lazy as _

from audit.querysets import (
    AuditEventQuerySet,
    GatewayContextQuerySet,
    LlmCallQuerySet,
    ToolCallQuerySet,
)

# The tables' names, which the guide and the wire know.
GATEWAY_CONTEXTS = "gateway_contexts"
TOOL_CALLS = "tool_calls"
LLM_CALLS = "llm_call_audits"
AUDIT_EVENTS = "audit_events"

# Names are indexed, and an index entry of PostgreSQL ends at 2,704 bytes.
NAME_LENGTH = 255
ID_LENGTH = 64
NO_TENANT = 0  # of an act that belongs to no tenant, such as a failed sign-in


class Record(models.Model):
    """A row of the trail; the database refuses UPDATE, DELETE and TRUNCATE."""

    tenant_id = models.BigIntegerField(_("tenant number"))
    tenant = models.CharField(_("tenant"), max_length=NAME_LENGTH, default="")
    created_at = models.DateTimeField(_("at"))

    class Meta:
        abstract = True

    def __str__(self) -> str:
        return str(self.pk)


class GatewayContext(Record):
    """The record of one decision, before (or after) one operation."""

    class Phase(models.TextChoices):
        BEFORE = "before", _("Before it ran")
        AFTER = "after", _("After it ran")

    class Verdict(models.TextChoices):
        ALLOW = "allow", _("Allowed")
        DENY = "deny", _("Denied")
        HOLD = "hold", _("Held for approval")

    class Action(models.TextChoices):
        NONE = "", _("None")
        ALLOW = "allow", _("Allow")
        LOG = "log", _("Log")
        WARN = "warn", _("Warn")
        REDACT = "redact", _("Redact")
        REQUIRE_APPROVAL = "require_approval", _("Require approval")
        BLOCK = "block", _("Block")

    context_id = models.CharField(_("decision id"), max_length=ID_LENGTH, primary_key=True)
    client_id = models.CharField(_("client"), max_length=NAME_LENGTH)
    credential = models.CharField(_("credential"), max_length=ID_LENGTH, default="")
    user_id = models.CharField(_("user"), max_length=NAME_LENGTH, default="")
    verified_user = models.CharField(_("verified user"), max_length=NAME_LENGTH, default="")
    agent = models.CharField(_("agent"), max_length=ID_LENGTH, default="")
    session_id = models.CharField(_("session"), max_length=NAME_LENGTH, default="")
    tool_use_id = models.CharField(_("tool use"), max_length=NAME_LENGTH, default="")
    tool = models.CharField(_("tool"), max_length=NAME_LENGTH, default="")
    phase = models.CharField(_("phase"), max_length=10, choices=Phase, default=Phase.BEFORE)
    query = models.TextField(_("query"))
    query_sha256 = models.BinaryField(_("query digest"), default=b"")
    context = models.JSONField(_("context"), default=dict)
    data_sources = ArrayField(models.TextField(), verbose_name=_("data sources"), default=list)
    verdict = models.CharField(_("verdict"), max_length=10, choices=Verdict)
    action = models.CharField(_("action"), max_length=20, choices=Action, default=Action.NONE)
    approved = models.BooleanField(_("approved"))
    block_reason = models.TextField(_("reason"), default="")
    triggered_policies = ArrayField(models.TextField(), verbose_name=_("policies"), default=list)
    requires_redaction = models.BooleanField(_("requires redaction"), default=False)
    snapshot = models.JSONField(_("snapshot"), default=dict)
    policy_revision = models.BigIntegerField(_("policy revision"), default=0)
    engine_version = models.CharField(_("engine version"), max_length=ID_LENGTH, default="")
    duration_us = models.BigIntegerField(_("duration in µs"), default=0)
    expires_at = models.DateTimeField(_("expires"), null=True)

    objects = GatewayContextQuerySet.as_manager()

    class Meta:
        db_table = GATEWAY_CONTEXTS
        verbose_name = _("decision")
        verbose_name_plural = _("decisions")
        ordering = ["-created_at", "-context_id"]
        constraints = [
            # One, and short: PostgreSQL reads a check's expression anew for each statement.
            models.CheckConstraint(
                name="gateway_context_approved_iff_allow",
                condition=Q(approved=Q(verdict="allow")),
            ),
        ]
        indexes = [
            # Across tenants and over time; a few kilobytes.
            BrinIndex("created_at", name="gateway_context_time"),
            models.Index(
                "tenant_id",
                "client_id",
                models.F("created_at").desc(),
                name="gateway_context_client",
            ),
            models.Index(
                "tenant_id", "user_id", models.F("created_at").desc(), name="gateway_context_user"
            ),
            models.Index(
                "tenant_id",
                "session_id",
                "created_at",
                name="gateway_context_session",
                condition=~Q(session_id=""),
            ),
            # What was refused is asked for most and is the smaller part.
            models.Index(
                "tenant_id",
                models.F("created_at").desc(),
                name="gateway_context_refused",
                condition=Q(approved=False),
            ),
        ]


class ToolCall(Record):
    """What a post hook or an SDK reported of a tool that ran."""

    tool_call_id = models.CharField(_("tool call id"), max_length=ID_LENGTH, primary_key=True)
    # Of the decision before it; empty where none is known, which is worth a look.
    context_id = models.CharField(_("decision id"), max_length=ID_LENGTH, default="")
    client_id = models.CharField(_("client"), max_length=NAME_LENGTH)
    credential = models.CharField(_("credential"), max_length=ID_LENGTH, default="")
    user_id = models.CharField(_("user"), max_length=NAME_LENGTH, default="")
    verified_user = models.CharField(_("verified user"), max_length=NAME_LENGTH, default="")
    agent = models.CharField(_("agent"), max_length=ID_LENGTH, default="")
    session_id = models.CharField(_("session"), max_length=NAME_LENGTH, default="")
    tool_use_id = models.CharField(_("tool use"), max_length=NAME_LENGTH, default="")
    tool_name = models.CharField(_("tool"), max_length=NAME_LENGTH)
    caller_name = models.CharField(_("caller"), max_length=NAME_LENGTH, default="")
    workflow_id = models.CharField(_("workflow"), max_length=NAME_LENGTH, default="")
    step_id = models.CharField(_("step"), max_length=NAME_LENGTH, default="")
    input = models.JSONField(_("input"), default=dict)
    output = models.TextField(_("output"), default="")
    success = models.BooleanField(_("success"), default=True)
    error_message = models.TextField(_("error"), default="")
    duration_ms = models.BigIntegerField(_("duration in ms"), null=True)
    policies_applied = ArrayField(models.TextField(), verbose_name=_("policies"), default=list)
    snapshot = models.JSONField(_("snapshot"), default=dict)

    objects = ToolCallQuerySet.as_manager()

    class Meta:
        db_table = TOOL_CALLS
        verbose_name = _("tool call")
        verbose_name_plural = _("tool calls")
        ordering = ["-created_at", "-tool_call_id"]
        indexes = [
            BrinIndex("created_at", name="tool_call_time"),
            models.Index(
                "tenant_id", "client_id", models.F("created_at").desc(), name="tool_call_client"
            ),
            models.Index(
                "tenant_id",
                "session_id",
                "created_at",
                name="tool_call_session",
                condition=~Q(session_id=""),
            ),
            models.Index(
                "tenant_id", "context_id", name="tool_call_context", condition=~Q(context_id="")
            ),
        ]


class LlmCall(Record):
    """A call of a language model, reported by the client that asked before it.

    A retried report must be one row, and a unique key over partitions holds the time. So the id
    is derived from the client, the gateway context and the report itself, and `created_at` is the
    context's: both tries have the same key. `recorded_at` says when it was reported.
    """

    audit_id = models.CharField(_("audit id"), max_length=ID_LENGTH, primary_key=True)
    context_id = models.CharField(_("decision id"), max_length=ID_LENGTH)
    client_id = models.CharField(_("client"), max_length=NAME_LENGTH)
    user_id = models.CharField(_("user"), max_length=NAME_LENGTH, default="")
    provider = models.CharField(_("provider"), max_length=NAME_LENGTH)
    model = models.CharField(_("model"), max_length=NAME_LENGTH)
    prompt_tokens = models.BigIntegerField(_("prompt tokens"), default=0)
    completion_tokens = models.BigIntegerField(_("completion tokens"), default=0)
    total_tokens = models.BigIntegerField(_("tokens"), default=0)
    latency_ms = models.BigIntegerField(_("latency in ms"), default=0)
    estimated_cost_usd = models.DecimalField(
        _("estimated cost in USD"), max_digits=14, decimal_places=6, null=True
    )
    response_summary = models.TextField(_("response summary"), default="")
    metadata = models.JSONField(_("metadata"), default=dict)
    recorded_at = models.DateTimeField(_("reported"))

    objects = LlmCallQuerySet.as_manager()

    class Meta:
        db_table = LLM_CALLS
        verbose_name = _("model call")
        verbose_name_plural = _("model calls")
        ordering = ["-created_at", "-audit_id"]
        indexes = [
            BrinIndex("created_at", name="llm_call_time"),
            models.Index(
                "tenant_id", "client_id", models.F("created_at").desc(), name="llm_call_client"
            ),
        ]


class AuditEvent(Record):
    """One act of a person, a client or the portal itself."""

    class ActorKind(models.TextChoices):
        PERSON = "person", _("Person")
        CLIENT = "client", _("Client")
        SYSTEM = "system", _("System")

    event_id = models.CharField(_("event id"), max_length=ID_LENGTH, primary_key=True)
    kind = models.CharField(_("event"), max_length=NAME_LENGTH)
    actor = models.CharField(_("actor"), max_length=NAME_LENGTH)
    actor_kind = models.CharField(
        _("kind of actor"), max_length=10, choices=ActorKind, default=ActorKind.PERSON
    )
    target_type = models.CharField(_("kind of target"), max_length=NAME_LENGTH, default="")
    target_id = models.CharField(_("target id"), max_length=NAME_LENGTH, default="")
    target = models.TextField(_("target"), default="")
    detail = models.JSONField(_("detail"), default=dict)
    address = models.CharField(_("address"), max_length=NAME_LENGTH, default="")

    objects = AuditEventQuerySet.as_manager()

    class Meta:
        db_table = AUDIT_EVENTS
        verbose_name = _("audit event")
        verbose_name_plural = _("audit events")
        ordering = ["-created_at", "-event_id"]
        constraints = [
            models.CheckConstraint(
                name="audit_event_actor_kind",
                condition=Q(actor_kind__in=["person", "client", "system"]),
            ),
        ]
        indexes = [
            BrinIndex("created_at", name="audit_event_time"),
            models.Index(
                "tenant_id", "actor", models.F("created_at").desc(), name="audit_event_actor"
            ),
            models.Index(
                "tenant_id",
                "target_type",
                "target_id",
                models.F("created_at").desc(),
                name="audit_event_target",
            ),
        ]


RECORDS: dict[str, type[Record]] = {
    GATEWAY_CONTEXTS: GatewayContext,
    TOOL_CALLS: ToolCall,
    LLM_CALLS: LlmCall,
    AUDIT_EVENTS: AuditEvent,
}
