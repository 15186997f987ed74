"""The families of published bypasses Q01 to Q18: each variant is seen, its benign twins pass.

What is asked of a family is what a statement shows: a finding where it destroys or was spliced, a
fact where only a policy can decide. Q09 to Q11, Q13 to Q15 and Q17 are about rows, labels, the size
of bodies and settings; what of them a statement shows (the columns, the functions, the places where
a column is inferred from) are facts too, and asked for here.
"""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from policies.engine.analysis import Analysis, analyse
from policies.engine.operation import Language, Operation, Part

# (family, what is expected, text). Expected: `kind/rule` of a finding, or `fact=value`.
VARIANTS = [
    ("Q01", "sql.effect=end_of_transaction", "COMMIT; SELECT name FROM crew"),
    ("Q01", "sql.effect=end_of_transaction", "SELECT 4; ROLLBACK; SELECT name FROM crew"),
    ("Q01", "sql.destructive/drop_schema", "COMMIT; DROP SCHEMA harbour CASCADE;"),
    ("Q01", "sql.stacked=2", "SELECT name FROM crew; INSERT INTO crew VALUES (4)"),
    ("Q01", "sql.destructive/delete_all", "SELECT 1;DELETE FROM crew"),
    ("Q01", "sql.destructive/truncate", "END; TRUNCATE crew"),
    ("Q01", "sql.statement=UPDATE", "SELECT 1; UPDATE crew SET rank = 4 WHERE id = 3"),
    ("Q02", "sql.destructive/drop_table", "/* monthly */ DROP TABLE crew"),
    ("Q02", "sql.destructive/drop_table", "-- monthly\nDROP TABLE crew"),
    ("Q02", "sql.destructive/drop_table", "\n\n\t DROP TABLE crew"),
    ("Q02", "sql.destructive/delete_all", "/* select */ DELETE FROM crew"),
    ("Q02", "sql.destructive/drop_table", "/* a /* b */ c */ DROP TABLE crew"),
    ("Q02", "sql.destructive/truncate", "-- select 1\r\n/**/truncate crew"),
    ("Q03", "sql.injection/inline_comment", "SELECT a FROM b WHERE c = 4/*!50000union*/select 5,6"),
    ("Q03", "sql.destructive/drop_table", "dRoP/**/tAbLe crew"),
    ("Q03", "sql.injection/tautology", "SELECT a FROM b WHERE c = 4 oR/**/0x34=0x34"),
    ("Q03", "sql.injection/encoded_text", "SELECT a FROM b WHERE c = CHAR(99)+CHAR(114)"),
    ("Q03", "sql.effect=versioned_comment", "/*!40001 SELECT */ name FROM crew"),
    ("Q03", "sql.injection/union_select", "SELECT a FROM b WHERE c = 4 uNiOn(sElEcT 1,2)"),
    ("Q03", "sql.destructive/drop_table", "/*!50000 DROP TABLE */ crew"),
    (
        "Q04",
        "sql.effect=writable_cte",
        "WITH x AS (DELETE FROM crew WHERE id = 4 RETURNING *) TABLE x",
    ),
    ("Q04", "sql.destructive/delete_all", "WITH x AS (DELETE FROM crew RETURNING id) SELECT 4"),
    ("Q04", "sql.effect=explain_write", "EXPLAIN ANALYZE UPDATE crew SET rank = 4 WHERE id = 3"),
    ("Q04", "sql.destructive/delete_all", "EXPLAIN (ANALYZE, BUFFERS) DELETE FROM crew"),
    ("Q04", "sql.effect=select_into", "SELECT * INTO crew_copy FROM crew"),
    (
        "Q04",
        "sql.effect=writable_cte",
        "WITH x AS (INSERT INTO crew VALUES (4) RETURNING id) SELECT 4",
    ),
    (
        "Q04",
        "sql.effect=writable_cte",
        "WITH x AS (MERGE INTO crew c USING n ON n.id = c.id WHEN MATCHED THEN DELETE) SELECT 4",
    ),
    ("Q05", "sql.destructive/server_file", "SELECT pg_read_file('postgresql.conf')"),
    ("Q05", "sql.destructive/server_program", "SELECT dblink_exec('host=b', 'SELECT 4')"),
    ("Q05", "sql.destructive/server_file", "SELECT lo_export(41, '/tmp/out')"),
    ("Q05", "sql.effect=side_effect_function", "SELECT pg_terminate_backend(4107)"),
    ("Q05", "sql.effect=side_effect_function", "SELECT nextval('crew_id')"),
    ("Q05", "sql.effect=side_effect_function", "SELECT pg_notify('deck', 'all hands')"),
    ("Q05", "sql.effect=side_effect_function", "SELECT GET_LOCK('deck', 40)"),
    ("Q05", "sql.function=pg_sleep", "SELECT pg_sleep(40)"),
    (
        "Q05",
        "sql.effect=side_effect_function",
        "SELECT pg_catalog.set_config('role', 'boss', false)",
    ),
    ("Q06", "sql.destructive/server_program", "COPY crew TO PROGRAM 'gzip > /tmp/crew'"),
    ("Q06", "sql.destructive/server_program", "COPY (SELECT 4) TO PROGRAM 'cat'"),
    ("Q06", "sql.destructive/server_file", "SELECT name FROM crew INTO OUTFILE '/tmp/crew.csv'"),
    ("Q06", "sql.destructive/server_file", "SELECT LOAD_FILE('/etc/hosts')"),
    ("Q06", "sql.destructive/server_program", "EXEC xp_cmdshell 'whoami'"),
    ("Q06", "sql.destructive/server_program", "SELECT load_extension('./mine')"),
    ("Q06", "sql.effect=attach", "ATTACH DATABASE 'other.db' AS other"),
    ("Q07", "sql.destructive/drop_table", "DO $$ BEGIN EXECUTE 'DROP TABLE crew'; END $$"),
    ("Q07", "sql.destructive/truncate", "PREPARE p AS TRUNCATE crew"),
    ("Q07", "sql.destructive/drop_table", "EXEC sp_executesql N'DROP TABLE crew'"),
    ("Q07", "sql.destructive/delete_all", "EXECUTE IMMEDIATE 'DELETE FROM ' || 'crew'"),
    ("Q07", "sql.effect=dynamic", "EXECUTE p(4, 5)"),
    ("Q07", "sql.effect=call", "CALL refit(4)"),
    ("Q07", "sql.function=refit", "SELECT refit(4)"),
    ("Q08", "sql.effect=set_role", "SET ROLE captain"),
    ("Q08", "sql.effect=set_role", "SET LOCAL ROLE captain"),
    ("Q08", "sql.effect=set_role", "SET SESSION AUTHORIZATION captain"),
    ("Q08", "sql.effect=set_role", "RESET ROLE"),
    ("Q08", "sql.effect=lifts_read_only", "SET default_transaction_read_only = off"),
    ("Q08", "sql.effect=lifts_read_only", "SET TRANSACTION READ WRITE"),
    ("Q08", "sql.effect=lifts_read_only", "BEGIN READ WRITE"),
    (
        "Q08",
        "sql.effect=lifts_read_only",
        "SELECT set_config('transaction_read_only', 'off', true)",
    ),
    ("Q09", "sql.column=crew.pin", "SELECT c.pin AS p FROM crew c"),
    ("Q09", "sql.column=pin", "SELECT 'x' || pin FROM crew"),
    ("Q09", "sql.function=row_to_json", "SELECT row_to_json(c) FROM crew c"),
    ("Q09", "sql.column=pin", "SELECT array_agg(pin) FROM crew"),
    ("Q09", "sql.column=pin", "SELECT id FROM ports UNION SELECT pin::text FROM crew"),
    ("Q09", "sql.column=pin", "SELECT substr(pin, 1, 2) FROM crew"),
    ("Q10", "sql.column=pin", "SELECT id FROM crew WHERE pin LIKE '4%'"),
    ("Q10", "sql.column=crew.pin", "SELECT id FROM crew c ORDER BY c.pin"),
    ("Q10", "sql.column=pin", "SELECT CASE WHEN pin > '4' THEN 1 ELSE 0 END FROM crew"),
    ("Q10", "sql.column=pin", "SELECT rank FROM crew GROUP BY rank HAVING max(pin) > '4'"),
    ("Q10", "sql.column=crew.pin", "SELECT p.id FROM ports p JOIN crew c ON c.pin = p.code"),
    (
        "Q10",
        "sql.injection/blind_probe",
        "SELECT 4 FROM a WHERE ascii(substr((SELECT pin FROM crew),1,1))>52",
    ),
    ("Q12", "sql.destructive/delete_all", "DELETE FROM crew"),
    ("Q12", "sql.destructive/delete_all", "DELETE FROM crew WHERE 4 = 4"),
    ("Q12", "sql.destructive/update_all", "UPDATE crew SET rank = 4 WHERE id IS NOT NULL"),
    ("Q12", "sql.destructive/delete_all", "DELETE FROM crew WHERE rank = rank"),
    ("Q12", "sql.destructive/delete_all", "DELETE FROM crew WHERE EXISTS (SELECT 4)"),
    ("Q12", "sql.destructive/update_all", "UPDATE crew SET rank = 4 WHERE name LIKE '%'"),
    ("Q12", "sql.destructive/delete_all", "DELETE FROM crew WHERE NOT (4 = 5)"),
    ("Q12", "sql.tautology=DELETE", "DELETE FROM crew WHERE 5 > 4 OR id = 3"),
    ("Q14", "sql.destructive/drop_table", "SELECT 4;" * 400 + "DROP TABLE crew"),
    (
        "Q14",
        "sql.destructive/drop_table",
        "SELECT " + "(" * 300 + "4" + ")" * 300 + "; DROP TABLE crew",
    ),
    ("Q14", "sql.destructive/truncate", "/*" + "x" * 20_000 + "*/ TRUNCATE crew"),
    ("Q14", "sql.destructive/delete_all", "SELECT '" + "x" * 20_000 + "'; DELETE FROM crew"),
    ("Q14", "analysis=truncated", "SELECT 4, " * 30_000),
    ("Q14", "sql.destructive/drop_table", "SELECT " + "4+" * 2_000 + "4; DROP TABLE crew"),
    ("Q16", "sql.destructive/drop_table", "shell: psql -c 'DROP TABLE crew'"),
    ("Q16", "sql.destructive/delete_all", 'shell: mysql -e "DELETE FROM crew"'),
    ("Q16", "sql.destructive/drop_table", "shell: sqlite3 app.db 'drop table crew'"),
    ("Q16", "sql.destructive/truncate", "shell: echo 'TRUNCATE crew' | psql"),
    ("Q16", "sql.destructive/truncate", "shell: psql <<'EOF'\nTRUNCATE crew;\nEOF"),
    (
        "Q16",
        "sql.injection/tautology",
        "shell: psql -c \"SELECT a FROM b WHERE c = '' OR '4'='4'\"",
    ),
    ("Q18", "sql.effect=lifts_limit", "SELECT set_config('statement_timeout', '0', false)"),
    ("Q18", "sql.effect=lifts_limit", "SET statement_timeout = 0"),
    ("Q18", "sql.effect=lifts_limit", "SET SESSION max_execution_time = 0"),
    ("Q18", "sql.effect=lifts_limit", "SET LOCAL lock_timeout TO 0"),
    (
        "Q18",
        "sql.effect=lifts_limit",
        "DO $$ BEGIN PERFORM set_config('statement_timeout','0',true); END $$",
    ),
    ("Q18", "sql.effect=lifts_limit", "ALTER ROLE kim SET statement_timeout = 0"),
]

TWINS = [
    ("Q01", "SELECT name FROM crew; SELECT name FROM ports"),
    ("Q01", "SELECT 'COMMIT; DROP SCHEMA harbour' AS note"),
    ("Q02", "/* DROP TABLE crew */ SELECT 4"),
    ("Q02", "-- drop table crew\nSELECT 4"),
    ("Q03", "SELECT /*+ INDEX(crew) */ name FROM crew"),
    ("Q03", "/*!40101 SET NAMES utf8mb4 */"),
    ("Q04", "WITH x AS (SELECT id FROM crew) SELECT * FROM x"),
    ("Q04", "EXPLAIN DELETE FROM crew"),
    ("Q04", "EXPLAIN (ANALYZE false) DELETE FROM crew"),
    ("Q05", "SELECT 'pg_read_file(x)' AS topic"),
    ("Q05", "SELECT lower(name), now() FROM crew"),
    ("Q06", "COPY crew FROM STDIN"),
    ("Q06", "SELECT program FROM evenings WHERE outfile = 4"),
    ("Q07", "DO $$ BEGIN RAISE NOTICE 'nothing'; END $$"),
    ("Q07", "PREPARE p AS SELECT 4"),
    ("Q08", "SET search_path TO harbour"),
    ("Q08", "SHOW default_transaction_read_only"),
    ("Q10", "SELECT id FROM crew WHERE name LIKE '4%'"),
    ("Q12", "DELETE FROM crew WHERE id = 4"),
    ("Q12", "UPDATE crew SET rank = 4 WHERE id IN (SELECT id FROM gone)"),
    ("Q14", "SELECT 4;" * 400),
    ("Q14", "SELECT " + "(" * 300 + "4" + ")" * 300),
    ("Q16", "shell: psql -c 'SELECT name FROM crew'"),
    ("Q16", "shell: git commit -m 'Drop table crew from the docs'"),
    ("Q18", "SHOW statement_timeout"),
]

# Effects that the twin of a family must not have.
NOT_OF_TWINS = frozenset(
    [
        *("end_of_transaction", "writable_cte", "explain_write", "select_into", "set_role"),
        *("lifts_limit", "lifts_read_only", "side_effect_function", "server_program", "attach"),
    ]
)
FAMILIES = {family for family, _, _ in VARIANTS}


def examined(text: str) -> Analysis:
    language = Language.SQL
    if text.startswith("shell: "):
        language, text = Language.SHELL, text.removeprefix("shell: ")
    return analyse(Operation(text=text, parts=(Part(start=0, end=len(text), language=language),)))


def ids(rows: Sequence[tuple[str, ...]]) -> list[str]:
    return [f"{row[0]}-{index}" for index, row in enumerate(rows)]


@pytest.mark.parametrize(("family", "expected", "text"), VARIANTS, ids=ids(VARIANTS))
def test_a_variant_is_seen(family: str, expected: str, text: str):
    analysis = examined(text)

    fact, equals, value = expected.partition("=")
    if equals:
        assert value in analysis.facts.get(fact, ())
    else:
        assert expected in {f"{finding.kind}/{finding.rule}" for finding in analysis.findings}


@pytest.mark.parametrize(("family", "text"), TWINS, ids=ids(TWINS))
def test_a_twin_passes(family: str, text: str):
    analysis = examined(text)

    assert not [found for found in analysis.findings if found.kind.startswith(("sql.", "shell."))]
    assert not NOT_OF_TWINS & set(analysis.facts.get("sql.effect", ()))


def test_each_family_that_a_statement_shows_has_six_variants():
    counts = {family: sum(row[0] == family for row in VARIANTS) for family in FAMILIES}

    assert min(counts.values()) >= 6
    # Q11, Q13, Q15 and Q17 are about rows, labels and settings: no statement shows them.
    unseen = {"Q11", "Q13", "Q15", "Q17"}
    assert {f"Q{number:02}" for number in range(1, 19)} - unseen == FAMILIES
