"""What a statement does besides answering rows: for policies that allow nothing but reading.

Each is a value of the fact `sql.effect` and no finding: a migration may use all of them. The list
of functions cannot be complete (every server and extension adds to it), so a policy that must be
safe names the functions that it allows (`sql.function`) and not those that it forbids.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.engine.language import word_set
from policies.engine.sql.evidence import Tokens, text_at
from policies.engine.sql.statements import Statement
from policies.engine.sql.tokens import Token

_WRITES = word_set(
    "insert update delete merge replace upsert truncate drop create alter rename copy load grant "
    "revoke import reindex cluster vacuum refresh lock comment unload put remove undrop"
)
_SESSION = frozenset(["set", "reset", "alter", "begin", "start", "pragma"])
_CHANGES = frozenset(["insert", "update", "delete", "merge"])
_STORES = frozenset(["insert", "update", "merge", "replace", "upsert", "with"])
_DYNAMIC = frozenset(["do", "execute", "exec", "prepare", "deallocate"])
_LIMITS = word_set(
    "statement_timeout lock_timeout idle_in_transaction_session_timeout transaction_timeout "
    "max_execution_time max_statement_time temp_file_limit work_mem max_join_size sql_select_limit "
    "interactive_timeout wait_timeout query_governor_cost_limit row_security max_rows rowcount"
)
_READ_ONLY = word_set(
    "default_transaction_read_only transaction_read_only read_only super_read_only"
)
# Functions that change something, reach files or other servers, or hold the server up.
SIDE_EFFECTS = word_set(
    "pg_read_file pg_read_binary_file pg_ls_dir pg_stat_file pg_write_file pg_file_write lo_import "
    "lo_export lo_create lo_unlink lo_put lo_from_bytea dblink dblink_exec dblink_connect "
    "dblink_send_query pg_sleep pg_sleep_for pg_sleep_until pg_terminate_backend pg_cancel_backend "
    "set_config nextval setval pg_notify pg_reload_conf pg_rotate_logfile pg_switch_wal pg_promote "
    "pg_create_restore_point pg_advisory_lock pg_advisory_xact_lock pg_try_advisory_lock "
    "pg_create_logical_replication_slot pg_drop_replication_slot pg_logical_emit_message "
    "query_to_xml query_to_xml_and_xmlschema table_to_xml database_to_xml schema_to_xml ts_stat "
    "pg_stat_reset pg_stat_statements_reset get_lock release_lock release_all_locks sleep "
    "benchmark load_file load_extension master_pos_wait sys_exec sys_eval writefile readfile edit "
    "last_insert_id xp_cmdshell xp_dirtree xp_regread openrowset opendatasource openquery "
    "utl_http.request utl_file.fopen dbms_scheduler.create_job dbms_lock.sleep "
    "dbms_pipe.receive_message dbms_xslprocessor.read2clob httpuritype http_get http_post "
    "system$cancel_query system$abort_session system$wait"
)


def effects(statement: Statement, functions: list[str], *, alone: bool) -> Iterator[str]:
    """The names of the effects; `alone`: it is the only statement of its text."""
    words, verb = statement.words, statement.verb
    if verb in _WRITES:
        yield "write"
    if verb in _DYNAMIC or "sp_executesql" in words or words >= {"execute", "immediate"}:
        yield "dynamic"
    if verb == "call":
        yield "call"
    if verb in ("commit", "rollback", "end") and not alone:
        yield "end_of_transaction"
    if verb in ("attach", "detach"):
        yield "attach"
    if words & {"outfile", "dumpfile"}:
        yield "server_file"
    if verb == "copy":
        yield "server_program" if "program" in words else "copy"
    if verb in ("select", "with", "explain"):
        yield from _hidden_writes(statement.tokens, words, verb)
    if verb in _SESSION or "set_config" in words:
        yield from _session(statement.tokens, words, verb)
    if verb in _STORES and any(_is_mask(token) for token in statement.tokens):
        yield "writes_mask"
    if any(name in SIDE_EFFECTS or name.rpartition(".")[2] in SIDE_EFFECTS for name in functions):
        yield "side_effect_function"


def _is_mask(token: Token) -> bool:
    """Whether a literal is what a redaction leaves: storing it destroys the value it stood for."""
    return token.kind == "string" and _MASK.match(token.text) is not None


# What `redaction` puts in place of a value, and the stars of others.
_MASK = re.compile(
    r"(?:[nbe]|u&)?'(?:\[[A-Z_]{2,40}(?::\w{1,60})?\]|[a-z_]{2,40}_[a-p]{16}"
    r"|[-+ *().xX/]*(?:\*{3}|[xX]{4})[-+ *().xX/]*\w{0,4}|<?(?:redacted|masked|hidden)>?)'\Z",
    re.IGNORECASE,
)


def _hidden_writes(tokens: Tokens, words: frozenset[str], verb: str) -> Iterator[str]:
    """What changes something though it begins as a question."""
    if verb == "with" and words & _CHANGES and _clause(tokens):
        yield "writable_cte"
    if verb == "explain" and _runs(tokens) and words & _CHANGES:
        yield "explain_write"
    if verb == "select" and _selects_into(tokens):
        yield "select_into"
    if "for" in words and _locks(tokens):
        yield "row_lock"


def _clause(tokens: Tokens) -> bool:
    """Whether a changing verb begins a part of the statement, and is no column's name."""
    return any(
        token.text in _CHANGES and text_at(tokens, index - 1) in ("(", ")")
        for index, token in enumerate(tokens)
    )


def _runs(tokens: Tokens) -> bool:
    """EXPLAIN ANALYZE, that runs what it explains."""
    for index in range(1, min(len(tokens), 8)):
        if tokens[index].text == "analyze":
            return text_at(tokens, index + 1) not in ("false", "off", "0")
    return False


def _selects_into(tokens: Tokens) -> bool:
    for index, token in enumerate(tokens):
        if token.kind == "word" and token.text == "from":
            return False
        if token.kind == "word" and token.text == "into" and index > 1:
            return not text_at(tokens, index + 1).startswith("@")
    return False


def _locks(tokens: Tokens) -> bool:
    return any(
        token.text == "for" and text_at(tokens, index + 1) in ("update", "share", "no", "key")
        for index, token in enumerate(tokens)
    )


def _session(tokens: Tokens, words: frozenset[str], verb: str) -> Iterator[str]:
    """Rights and limits of the session that it changes for itself."""
    quoted = {token.text.strip("'\"").lower() for token in tokens if token.kind == "string"}
    if verb in ("set", "reset") and (
        text_at(tokens, 1) == "role"
        or "authorization" in words
        or {text_at(tokens, 1), text_at(tokens, 2)} == {"local", "role"}
    ):
        yield "set_role"
    if (words | quoted) & _LIMITS:
        yield "lifts_limit"
    writes = "read" in words and "write" in words
    if (words | quoted) & _READ_ONLY or (writes and verb in ("set", "begin", "start")):
        yield "lifts_read_only"
