"""The trail's tables, made by SQL.

Django makes neither partitioned tables nor a primary key of several columns that its admin could
work with; so the database gets the SQL below and Django's state the models as they stand in
`audit/models.py`. `tests/audit/test_tables.py` compares the two.

There is no way back on purpose: it would be the one statement that deletes the whole trail.
"""

import django.contrib.postgres.fields
import django.contrib.postgres.indexes
from django.db import migrations, models

# Columns stand by alignment: 8 bytes, 1 byte, then what brings its own length.
TABLES = """
CREATE TABLE gateway_contexts (
    tenant_id bigint NOT NULL,
    created_at timestamptz NOT NULL,
    expires_at timestamptz,
    policy_revision bigint NOT NULL,
    duration_us bigint NOT NULL,
    approved boolean NOT NULL,
    requires_redaction boolean NOT NULL,
    context_id varchar(64) NOT NULL,
    tenant varchar(255) NOT NULL,
    client_id varchar(255) NOT NULL,
    credential varchar(64) NOT NULL,
    user_id varchar(255) NOT NULL,
    verified_user varchar(255) NOT NULL,
    agent varchar(64) NOT NULL,
    session_id varchar(255) NOT NULL,
    tool_use_id varchar(255) NOT NULL,
    tool varchar(255) NOT NULL,
    phase varchar(10) NOT NULL,
    query text NOT NULL,
    query_sha256 bytea NOT NULL,
    context jsonb NOT NULL,
    data_sources text[] NOT NULL,
    verdict varchar(10) NOT NULL,
    action varchar(20) NOT NULL,
    block_reason text NOT NULL,
    triggered_policies text[] NOT NULL,
    snapshot jsonb NOT NULL,
    engine_version varchar(64) NOT NULL,
    CONSTRAINT gateway_contexts_pkey PRIMARY KEY (tenant_id, created_at, context_id),
    CONSTRAINT gateway_context_approved_iff_allow
        CHECK ((approved AND verdict = 'allow') OR (NOT approved AND verdict IN ('deny', 'hold'))),
    CONSTRAINT gateway_context_phase CHECK (phase IN ('before', 'after'))
) PARTITION BY RANGE (created_at);
CREATE INDEX gateway_context_time ON gateway_contexts USING brin (created_at);
CREATE INDEX gateway_context_client ON gateway_contexts (tenant_id, client_id, created_at DESC);
CREATE INDEX gateway_context_user ON gateway_contexts (tenant_id, user_id, created_at DESC);
CREATE INDEX gateway_context_session ON gateway_contexts (tenant_id, session_id, created_at)
    WHERE NOT session_id = '';
CREATE INDEX gateway_context_refused ON gateway_contexts (tenant_id, created_at DESC)
    WHERE NOT approved;

CREATE TABLE tool_calls (
    tenant_id bigint NOT NULL,
    created_at timestamptz NOT NULL,
    duration_ms bigint,
    success boolean NOT NULL,
    tool_call_id varchar(64) NOT NULL,
    context_id varchar(64) NOT NULL,
    tenant varchar(255) NOT NULL,
    client_id varchar(255) NOT NULL,
    credential varchar(64) NOT NULL,
    user_id varchar(255) NOT NULL,
    verified_user varchar(255) NOT NULL,
    agent varchar(64) NOT NULL,
    session_id varchar(255) NOT NULL,
    tool_use_id varchar(255) NOT NULL,
    tool_name varchar(255) NOT NULL,
    caller_name varchar(255) NOT NULL,
    workflow_id varchar(255) NOT NULL,
    step_id varchar(255) NOT NULL,
    input jsonb NOT NULL,
    output text NOT NULL,
    error_message text NOT NULL,
    policies_applied text[] NOT NULL,
    snapshot jsonb NOT NULL,
    CONSTRAINT tool_calls_pkey PRIMARY KEY (tenant_id, created_at, tool_call_id)
) PARTITION BY RANGE (created_at);
CREATE INDEX tool_call_time ON tool_calls USING brin (created_at);
CREATE INDEX tool_call_client ON tool_calls (tenant_id, client_id, created_at DESC);
CREATE INDEX tool_call_session ON tool_calls (tenant_id, session_id, created_at)
    WHERE NOT session_id = '';
CREATE INDEX tool_call_context ON tool_calls (tenant_id, context_id) WHERE NOT context_id = '';

CREATE TABLE llm_call_audits (
    tenant_id bigint NOT NULL,
    created_at timestamptz NOT NULL,
    recorded_at timestamptz NOT NULL,
    prompt_tokens bigint NOT NULL,
    completion_tokens bigint NOT NULL,
    total_tokens bigint NOT NULL,
    latency_ms bigint NOT NULL,
    audit_id varchar(64) NOT NULL,
    context_id varchar(64) NOT NULL,
    tenant varchar(255) NOT NULL,
    client_id varchar(255) NOT NULL,
    user_id varchar(255) NOT NULL,
    provider varchar(255) NOT NULL,
    model varchar(255) NOT NULL,
    estimated_cost_usd numeric(14, 6),
    response_summary text NOT NULL,
    metadata jsonb NOT NULL,
    CONSTRAINT llm_call_audits_pkey PRIMARY KEY (tenant_id, created_at, audit_id)
) PARTITION BY RANGE (created_at);
CREATE INDEX llm_call_time ON llm_call_audits USING brin (created_at);
CREATE INDEX llm_call_client ON llm_call_audits (tenant_id, client_id, created_at DESC);

CREATE TABLE audit_events (
    tenant_id bigint NOT NULL,
    created_at timestamptz NOT NULL,
    event_id varchar(64) NOT NULL,
    tenant varchar(255) NOT NULL,
    kind varchar(255) NOT NULL,
    actor varchar(255) NOT NULL,
    actor_kind varchar(10) NOT NULL,
    target_type varchar(255) NOT NULL,
    target_id varchar(255) NOT NULL,
    target text NOT NULL,
    detail jsonb NOT NULL,
    address varchar(255) NOT NULL,
    CONSTRAINT audit_events_pkey PRIMARY KEY (tenant_id, created_at, event_id),
    CONSTRAINT audit_event_actor_kind CHECK (actor_kind IN ('person', 'client', 'system'))
) PARTITION BY RANGE (created_at);
CREATE INDEX audit_event_time ON audit_events USING brin (created_at);
CREATE INDEX audit_event_actor ON audit_events (tenant_id, actor, created_at DESC);
CREATE INDEX audit_event_target
    ON audit_events (tenant_id, target_type, target_id, created_at DESC);
"""

FUNCTIONS = r"""
CREATE FUNCTION audit_refuse() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION '% is append-only: % is refused', TG_TABLE_NAME, TG_OP
        USING ERRCODE = 'restrict_violation',
              HINT = 'Records of the past are never changed; add a record that corrects them.';
END $$;

-- Row triggers reach every partition by themselves, TRUNCATE triggers have to be put on each.
-- ALWAYS: session_replication_role = replica does not switch them off.
CREATE FUNCTION audit_guard(guarded regclass) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
    IF NOT EXISTS (
        SELECT FROM pg_trigger
        WHERE tgrelid = guarded AND tgname = 'append_only_truncate'
    ) THEN
        EXECUTE format(
            'CREATE TRIGGER append_only_truncate BEFORE TRUNCATE ON %s '
            'FOR EACH STATEMENT EXECUTE FUNCTION audit_refuse()', guarded);
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER append_only_truncate', guarded);
    END IF;
END $$;

-- The partition of the month (UTC) that holds the given day; true if it was made now.
--
-- ATTACH takes no lock that waits for readers or writers of the parent, unlike CREATE TABLE ..
-- PARTITION OF. Rows of the month that meanwhile went to the default partition stand in the way
-- of it; then that table is taken off, replaced by an empty one and its rows are added anew to
-- where they belong. That does lock the parent, for as long as those rows take.
CREATE FUNCTION audit_make_partition(parent regclass, day date) RETURNS boolean
LANGUAGE plpgsql AS $$
DECLARE
    first date := date_trunc('month', day);
    low timestamptz := first::timestamp AT TIME ZONE 'UTC';
    high timestamptz := (first + interval '1 month') AT TIME ZONE 'UTC';
    own text;
    space text;
    part text;
    spare regclass;
    old text;
    misplaced boolean;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtextextended('audit_make_partition', 0));
    SELECT relname, nspname INTO own, space
        FROM pg_class JOIN pg_namespace ON pg_namespace.oid = relnamespace
        WHERE pg_class.oid = parent;
    part := format('%I.%I', space, own || '_' || to_char(first, 'YYYY_MM'));
    IF to_regclass(part) IS NOT NULL THEN
        PERFORM audit_guard(to_regclass(part));
        RETURN false;
    END IF;
    EXECUTE format('CREATE TABLE %s (LIKE %s INCLUDING ALL EXCLUDING INDEXES)', part, parent);
    PERFORM audit_guard(part::regclass);
    spare := (SELECT partdefid FROM pg_partitioned_table WHERE partrelid = parent);
    EXECUTE format('SELECT EXISTS (SELECT FROM %s WHERE created_at >= $1 AND created_at < $2)',
                   spare) INTO misplaced USING low, high;
    IF misplaced THEN
        EXECUTE format('ALTER TABLE %s DETACH PARTITION %s', parent, spare);
        old := own || '_default_until_' || to_char(clock_timestamp(), 'YYYYMMDDHH24MISSUS');
        EXECUTE format('ALTER TABLE %s RENAME TO %I', spare, old);
        EXECUTE format('CREATE TABLE %I.%I PARTITION OF %s DEFAULT', space, own || '_default', parent);
        PERFORM audit_guard(format('%I.%I', space, own || '_default')::regclass);
    END IF;
    EXECUTE format('ALTER TABLE %s ATTACH PARTITION %s FOR VALUES FROM (%L) TO (%L)',
                   parent, part, low, high);
    IF misplaced THEN
        EXECUTE format('INSERT INTO %s SELECT * FROM %I.%I', parent, space, old);
        EXECUTE format('DROP TABLE %I.%I', space, old);
    END IF;
    RETURN true;
END $$;

-- The words of a text. Punctuation parts words: PostgreSQL's parser would else take
-- public.users for a host and /etc/passwd for a file, found only whole. The cut keeps the vector
-- under its limit of 1 MB, past which to_tsvector fails.
CREATE FUNCTION audit_words(body text) RETURNS tsvector
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT to_tsvector('simple'::regconfig, translate(
        left(body, 100000),
        $t$.,:;!?'"`()[]{}<>|/\@#$%&*+-=~^_$t$,
        repeat(' ', 64)))
$$;

CREATE FUNCTION audit_holds(body text, wanted text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
    SELECT audit_words(body) @@ to_tsquery('simple'::regconfig, wanted)
$$;
"""

GUARDS = """
DO $$
DECLARE
    parent regclass;
    ahead integer;
BEGIN
    FOREACH parent IN ARRAY ARRAY[
        'gateway_contexts', 'tool_calls', 'llm_call_audits', 'audit_events'
    ]::regclass[] LOOP
        EXECUTE format(
            'CREATE TRIGGER append_only BEFORE UPDATE OR DELETE ON %s '
            'FOR EACH ROW EXECUTE FUNCTION audit_refuse()', parent);
        EXECUTE format('ALTER TABLE %s ENABLE ALWAYS TRIGGER append_only', parent);
        PERFORM audit_guard(parent);
        -- No insert ever fails for want of a partition.
        EXECUTE format('CREATE TABLE %s PARTITION OF %s DEFAULT', parent || '_default', parent);
        PERFORM audit_guard((parent || '_default')::regclass);
        FOR ahead IN 0..2 LOOP
            PERFORM audit_make_partition(
                parent, ((now() AT TIME ZONE 'UTC') + ahead * interval '1 month')::date);
        END LOOP;
    END LOOP;
END $$;
"""


class Migration(migrations.Migration):
    initial = True
    dependencies: list[tuple[str, str]] = []

    operations = [
        migrations.RunSQL(FUNCTIONS),
        migrations.SeparateDatabaseAndState(
            database_operations=[migrations.RunSQL(TABLES), migrations.RunSQL(GUARDS)],
            state_operations=[
                migrations.CreateModel(
                    name="AuditEvent",
                    fields=[
                        ("tenant_id", models.BigIntegerField(verbose_name="tenant number")),
                        (
                            "tenant",
                            models.CharField(default="", max_length=255, verbose_name="tenant"),
                        ),
                        ("created_at", models.DateTimeField(verbose_name="at")),
                        (
                            "event_id",
                            models.CharField(
                                max_length=64,
                                primary_key=True,
                                serialize=False,
                                verbose_name="event id",
                            ),
                        ),
                        ("kind", models.CharField(max_length=255, verbose_name="event")),
                        ("actor", models.CharField(max_length=255, verbose_name="actor")),
                        (
                            "actor_kind",
                            models.CharField(
                                choices=[
                                    ("person", "Person"),
                                    ("client", "Client"),
                                    ("system", "System"),
                                ],
                                default="person",
                                max_length=10,
                                verbose_name="kind of actor",
                            ),
                        ),
                        (
                            "target_type",
                            models.CharField(
                                default="", max_length=255, verbose_name="kind of target"
                            ),
                        ),
                        (
                            "target_id",
                            models.CharField(default="", max_length=255, verbose_name="target id"),
                        ),
                        ("target", models.TextField(default="", verbose_name="target")),
                        ("detail", models.JSONField(default=dict, verbose_name="detail")),
                        (
                            "address",
                            models.CharField(default="", max_length=255, verbose_name="address"),
                        ),
                    ],
                    options={
                        "verbose_name": "audit event",
                        "verbose_name_plural": "audit events",
                        "db_table": "audit_events",
                        "ordering": ["-created_at", "-event_id"],
                        "indexes": [
                            django.contrib.postgres.indexes.BrinIndex(
                                models.F("created_at"), name="audit_event_time"
                            ),
                            models.Index(
                                models.F("tenant_id"),
                                models.F("actor"),
                                models.OrderBy(models.F("created_at"), descending=True),
                                name="audit_event_actor",
                            ),
                            models.Index(
                                models.F("tenant_id"),
                                models.F("target_type"),
                                models.F("target_id"),
                                models.OrderBy(models.F("created_at"), descending=True),
                                name="audit_event_target",
                            ),
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    ("actor_kind__in", ["person", "client", "system"])
                                ),
                                name="audit_event_actor_kind",
                            )
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="GatewayContext",
                    fields=[
                        ("tenant_id", models.BigIntegerField(verbose_name="tenant number")),
                        (
                            "tenant",
                            models.CharField(default="", max_length=255, verbose_name="tenant"),
                        ),
                        ("created_at", models.DateTimeField(verbose_name="at")),
                        (
                            "context_id",
                            models.CharField(
                                max_length=64,
                                primary_key=True,
                                serialize=False,
                                verbose_name="decision id",
                            ),
                        ),
                        ("client_id", models.CharField(max_length=255, verbose_name="client")),
                        (
                            "credential",
                            models.CharField(default="", max_length=64, verbose_name="credential"),
                        ),
                        (
                            "user_id",
                            models.CharField(default="", max_length=255, verbose_name="user"),
                        ),
                        (
                            "verified_user",
                            models.CharField(
                                default="", max_length=255, verbose_name="verified user"
                            ),
                        ),
                        (
                            "agent",
                            models.CharField(default="", max_length=64, verbose_name="agent"),
                        ),
                        (
                            "session_id",
                            models.CharField(default="", max_length=255, verbose_name="session"),
                        ),
                        (
                            "tool_use_id",
                            models.CharField(default="", max_length=255, verbose_name="tool use"),
                        ),
                        ("tool", models.CharField(default="", max_length=255, verbose_name="tool")),
                        (
                            "phase",
                            models.CharField(
                                choices=[("before", "Before it ran"), ("after", "After it ran")],
                                default="before",
                                max_length=10,
                                verbose_name="phase",
                            ),
                        ),
                        ("query", models.TextField(verbose_name="query")),
                        (
                            "query_sha256",
                            models.BinaryField(default=b"", verbose_name="query digest"),
                        ),
                        ("context", models.JSONField(default=dict, verbose_name="context")),
                        (
                            "data_sources",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.TextField(),
                                default=list,
                                size=None,
                                verbose_name="data sources",
                            ),
                        ),
                        (
                            "verdict",
                            models.CharField(
                                choices=[
                                    ("allow", "Allowed"),
                                    ("deny", "Denied"),
                                    ("hold", "Held for approval"),
                                ],
                                max_length=10,
                                verbose_name="verdict",
                            ),
                        ),
                        (
                            "action",
                            models.CharField(
                                choices=[
                                    ("", "None"),
                                    ("allow", "Allow"),
                                    ("log", "Log"),
                                    ("warn", "Warn"),
                                    ("redact", "Redact"),
                                    ("require_approval", "Require approval"),
                                    ("block", "Block"),
                                ],
                                default="",
                                max_length=20,
                                verbose_name="action",
                            ),
                        ),
                        ("approved", models.BooleanField(verbose_name="approved")),
                        ("block_reason", models.TextField(default="", verbose_name="reason")),
                        (
                            "triggered_policies",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.TextField(),
                                default=list,
                                size=None,
                                verbose_name="policies",
                            ),
                        ),
                        (
                            "requires_redaction",
                            models.BooleanField(default=False, verbose_name="requires redaction"),
                        ),
                        ("snapshot", models.JSONField(default=dict, verbose_name="snapshot")),
                        (
                            "policy_revision",
                            models.BigIntegerField(default=0, verbose_name="policy revision"),
                        ),
                        (
                            "engine_version",
                            models.CharField(
                                default="", max_length=64, verbose_name="engine version"
                            ),
                        ),
                        (
                            "duration_us",
                            models.BigIntegerField(default=0, verbose_name="duration in µs"),
                        ),
                        ("expires_at", models.DateTimeField(null=True, verbose_name="expires")),
                    ],
                    options={
                        "verbose_name": "decision",
                        "verbose_name_plural": "decisions",
                        "db_table": "gateway_contexts",
                        "ordering": ["-created_at", "-context_id"],
                        "indexes": [
                            django.contrib.postgres.indexes.BrinIndex(
                                models.F("created_at"), name="gateway_context_time"
                            ),
                            models.Index(
                                models.F("tenant_id"),
                                models.F("client_id"),
                                models.OrderBy(models.F("created_at"), descending=True),
                                name="gateway_context_client",
                            ),
                            models.Index(
                                models.F("tenant_id"),
                                models.F("user_id"),
                                models.OrderBy(models.F("created_at"), descending=True),
                                name="gateway_context_user",
                            ),
                            models.Index(
                                models.F("tenant_id"),
                                models.F("session_id"),
                                models.F("created_at"),
                                condition=models.Q(("session_id", ""), _negated=True),
                                name="gateway_context_session",
                            ),
                            models.Index(
                                models.F("tenant_id"),
                                models.OrderBy(models.F("created_at"), descending=True),
                                condition=models.Q(("approved", False)),
                                name="gateway_context_refused",
                            ),
                        ],
                        "constraints": [
                            models.CheckConstraint(
                                condition=models.Q(
                                    models.Q(("approved", True), ("verdict", "allow")),
                                    models.Q(
                                        ("approved", False), ("verdict__in", ["deny", "hold"])
                                    ),
                                    _connector="OR",
                                ),
                                name="gateway_context_approved_iff_allow",
                            ),
                            models.CheckConstraint(
                                condition=models.Q(("phase__in", ["before", "after"])),
                                name="gateway_context_phase",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="LlmCall",
                    fields=[
                        ("tenant_id", models.BigIntegerField(verbose_name="tenant number")),
                        (
                            "tenant",
                            models.CharField(default="", max_length=255, verbose_name="tenant"),
                        ),
                        ("created_at", models.DateTimeField(verbose_name="at")),
                        (
                            "audit_id",
                            models.CharField(
                                max_length=64,
                                primary_key=True,
                                serialize=False,
                                verbose_name="audit id",
                            ),
                        ),
                        ("context_id", models.CharField(max_length=64, verbose_name="decision id")),
                        ("client_id", models.CharField(max_length=255, verbose_name="client")),
                        (
                            "user_id",
                            models.CharField(default="", max_length=255, verbose_name="user"),
                        ),
                        ("provider", models.CharField(max_length=255, verbose_name="provider")),
                        ("model", models.CharField(max_length=255, verbose_name="model")),
                        (
                            "prompt_tokens",
                            models.BigIntegerField(default=0, verbose_name="prompt tokens"),
                        ),
                        (
                            "completion_tokens",
                            models.BigIntegerField(default=0, verbose_name="completion tokens"),
                        ),
                        ("total_tokens", models.BigIntegerField(default=0, verbose_name="tokens")),
                        (
                            "latency_ms",
                            models.BigIntegerField(default=0, verbose_name="latency in ms"),
                        ),
                        (
                            "estimated_cost_usd",
                            models.DecimalField(
                                decimal_places=6,
                                max_digits=14,
                                null=True,
                                verbose_name="estimated cost in USD",
                            ),
                        ),
                        (
                            "response_summary",
                            models.TextField(default="", verbose_name="response summary"),
                        ),
                        ("metadata", models.JSONField(default=dict, verbose_name="metadata")),
                        ("recorded_at", models.DateTimeField(verbose_name="reported")),
                    ],
                    options={
                        "verbose_name": "model call",
                        "verbose_name_plural": "model calls",
                        "db_table": "llm_call_audits",
                        "ordering": ["-created_at", "-audit_id"],
                        "indexes": [
                            django.contrib.postgres.indexes.BrinIndex(
                                models.F("created_at"), name="llm_call_time"
                            ),
                            models.Index(
                                models.F("tenant_id"),
                                models.F("client_id"),
                                models.OrderBy(models.F("created_at"), descending=True),
                                name="llm_call_client",
                            ),
                        ],
                    },
                ),
                migrations.CreateModel(
                    name="ToolCall",
                    fields=[
                        ("tenant_id", models.BigIntegerField(verbose_name="tenant number")),
                        (
                            "tenant",
                            models.CharField(default="", max_length=255, verbose_name="tenant"),
                        ),
                        ("created_at", models.DateTimeField(verbose_name="at")),
                        (
                            "tool_call_id",
                            models.CharField(
                                max_length=64,
                                primary_key=True,
                                serialize=False,
                                verbose_name="tool call id",
                            ),
                        ),
                        (
                            "context_id",
                            models.CharField(default="", max_length=64, verbose_name="decision id"),
                        ),
                        ("client_id", models.CharField(max_length=255, verbose_name="client")),
                        (
                            "credential",
                            models.CharField(default="", max_length=64, verbose_name="credential"),
                        ),
                        (
                            "user_id",
                            models.CharField(default="", max_length=255, verbose_name="user"),
                        ),
                        (
                            "verified_user",
                            models.CharField(
                                default="", max_length=255, verbose_name="verified user"
                            ),
                        ),
                        (
                            "agent",
                            models.CharField(default="", max_length=64, verbose_name="agent"),
                        ),
                        (
                            "session_id",
                            models.CharField(default="", max_length=255, verbose_name="session"),
                        ),
                        (
                            "tool_use_id",
                            models.CharField(default="", max_length=255, verbose_name="tool use"),
                        ),
                        ("tool_name", models.CharField(max_length=255, verbose_name="tool")),
                        (
                            "caller_name",
                            models.CharField(default="", max_length=255, verbose_name="caller"),
                        ),
                        (
                            "workflow_id",
                            models.CharField(default="", max_length=255, verbose_name="workflow"),
                        ),
                        (
                            "step_id",
                            models.CharField(default="", max_length=255, verbose_name="step"),
                        ),
                        ("input", models.JSONField(default=dict, verbose_name="input")),
                        ("output", models.TextField(default="", verbose_name="output")),
                        ("success", models.BooleanField(default=True, verbose_name="success")),
                        ("error_message", models.TextField(default="", verbose_name="error")),
                        (
                            "duration_ms",
                            models.BigIntegerField(null=True, verbose_name="duration in ms"),
                        ),
                        (
                            "policies_applied",
                            django.contrib.postgres.fields.ArrayField(
                                base_field=models.TextField(),
                                default=list,
                                size=None,
                                verbose_name="policies",
                            ),
                        ),
                        ("snapshot", models.JSONField(default=dict, verbose_name="snapshot")),
                    ],
                    options={
                        "verbose_name": "tool call",
                        "verbose_name_plural": "tool calls",
                        "db_table": "tool_calls",
                        "ordering": ["-created_at", "-tool_call_id"],
                        "indexes": [
                            django.contrib.postgres.indexes.BrinIndex(
                                models.F("created_at"), name="tool_call_time"
                            ),
                            models.Index(
                                models.F("tenant_id"),
                                models.F("client_id"),
                                models.OrderBy(models.F("created_at"), descending=True),
                                name="tool_call_client",
                            ),
                            models.Index(
                                models.F("tenant_id"),
                                models.F("session_id"),
                                models.F("created_at"),
                                condition=models.Q(("session_id", ""), _negated=True),
                                name="tool_call_session",
                            ),
                            models.Index(
                                models.F("tenant_id"),
                                models.F("context_id"),
                                condition=models.Q(("context_id", ""), _negated=True),
                                name="tool_call_context",
                            ),
                        ],
                    },
                ),
            ],
        ),
    ]
