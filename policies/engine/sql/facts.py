"""The facts of a text of SQL: what policies can ask for besides findings."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from policies.engine.findings import MAX_FACT_VALUES, Report
from policies.engine.language import word_set
from policies.engine.sql.conditions import ConditionReader, truth
from policies.engine.sql.effects import effects
from policies.engine.sql.evidence import Tokens
from policies.engine.sql.names import names
from policies.engine.sql.signatures import signatures
from policies.engine.sql.statements import Statement, top_level

MAX_NAMES = 50  # tables, and functions, that one statement adds to the facts
MAX_CONDITION = 2_000  # tokens of a statement whose WHERE is read once more for the facts
MAX_DIALECT = 2_000  # tokens that are looked at for the dialect

_DIALECTS = {
    "mysql": word_set(
        "auto_increment straight_join sql_calc_found_rows low_priority group_concat ifnull "
        "unix_timestamp rlike dumpfile outfile infile"
    ),
    "postgresql": word_set(
        "ilike returning plpgsql generate_series string_agg array_agg pg_catalog jsonb bigserial "
        "serial pg_stat_activity date_trunc tsvector"
    ),
    "sqlserver": word_set(
        "nvarchar getdate nolock sp_executesql xp_cmdshell sysobjects waitfor go isnull top "
        "identity datediff dateadd"
    ),
    "oracle": word_set(
        "dual rownum nvl sysdate varchar2 dbms_output dbms_lock connect_by_root nvl2"
    ),
    "sqlite": word_set(
        "pragma sqlite_master sqlite_schema autoincrement randomblob glob sqlite_version"
    ),
}
_MARKS = {
    "postgresql": frozenset(["::", "->>", "@>", "<@", "#>>"]),
}


def note(statements: Sequence[Statement], tokens: Tokens, report: Report) -> None:
    """Write the facts of the statements to the report."""
    texts: frozenset[str] = frozenset().union(*(statement.words for statement in statements))
    if len(statements) > 1:
        report.fact("sql.stacked", str(len(statements)))
    for index, statement in enumerate(statements):
        if statement.verb:
            report.fact("sql.statement", statement.verb.upper())
        # A wide table is no reason to call the analysis cut short: the first names are kept.
        room = MAX_FACT_VALUES - len(report.facts.get("sql.column", ()))
        found = names(statement, columns=room > 0)
        for table in found.tables[:MAX_NAMES]:
            report.fact("sql.table", table)
        for function in found.functions[:MAX_NAMES]:
            report.fact("sql.function", function)
        for column in found.columns[:room]:
            report.fact("sql.column", column)
        alone = len(statements) == 1 or (index > 0 and statement.verb == "end")
        for effect in effects(statement, found.functions, alone=alone):
            report.fact("sql.effect", effect)
        if statement.verb and _always_true(statement):
            report.fact("sql.tautology", statement.verb.upper())
    for signature in signatures(tokens, statements, words=texts):
        report.fact("sql.signature", signature)
    if any(token.kind == "comment" and token.text.startswith("/*!") for token in tokens):
        report.fact("sql.effect", "versioned_comment")
    for dialect in _dialects(texts, tokens):
        report.fact("sql.dialect", dialect)


def _always_true(statement: Statement) -> bool:
    """Whether the WHERE of the statement itself lets every row through."""
    tokens = statement.tokens
    if "where" not in statement.words or len(tokens) > MAX_CONDITION:
        return False
    where = next(
        (at for at in top_level(tokens, 0, len(tokens)) if tokens[at].text == "where"), None
    )
    return where is not None and truth(ConditionReader(tokens, where + 1).read()) is True


def _dialects(texts: frozenset[str], tokens: Tokens) -> Iterator[str]:
    backtick = any(
        token.kind == "quoted" and token.text.startswith("`") for token in tokens[:MAX_DIALECT]
    )
    for dialect, words in _DIALECTS.items():
        marks = _MARKS.get(dialect, frozenset())
        if texts & words or texts & marks or (dialect == "mysql" and backtick):
            yield dialect
