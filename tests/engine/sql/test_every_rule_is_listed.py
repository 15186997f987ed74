"""The list of rules against the samples: what is found is listed, what is listed is found."""

import pytest

from policies.engine.analysis import Analysis, analyse
from policies.engine.operation import Language, Operation, Part
from policies.engine.sql import Sql
from policies.engine.sql.rules import REFERENCES, RULES
from policies.engine.sql.samples import SAMPLES, Sample
from policies.engine.sql.signatures import SIGNATURES

SIGNATURE_CASES = {
    "union_select": ("SELECT a FROM b UNION ALL SELECT c FROM d", "SELECT 'union select'"),
    "union_injection": ("SELECT a FROM b WHERE c = 'x' UNION SELECT 4", "SELECT 'x' AS union_"),
    "or_true": ("SELECT a FROM b WHERE c = 3 OR 4=5", "SELECT a FROM b WHERE c = 3 OR d = 5"),
    "or_string": ("SELECT a FROM b WHERE c = 3 OR 'x'='y'", "SELECT a FROM b WHERE c = 'x'"),
    "and_false": ("SELECT a FROM b WHERE c = 3 AND 4=5", "SELECT a FROM b WHERE c BETWEEN 3 AND 5"),
    "sleep": ("SELECT SLEEP(3)", "SELECT sleep FROM nights"),
    "waitfor": ("WAITFOR DELAY '0:0:3'", "SELECT waitfor FROM jobs"),
    "pg_sleep": ("SELECT pg_sleep(3)", "SELECT 'pg_sleep(3)'"),
    "benchmark": ("SELECT BENCHMARK(9, MD5('a'))", "SELECT benchmark FROM runs"),
    "extractvalue": ("SELECT extractvalue(a, '/b') FROM c", "SELECT extract(year FROM a) FROM c"),
    "updatexml": ("SELECT updatexml(a, '/b', 'c') FROM d", "SELECT 'updatexml'"),
    "convert_int": ("SELECT CONVERT(INT, a) FROM b", "SELECT CONVERT(date, a) FROM b"),
    "stacked_drop": ("SELECT 1; DROP TABLE a", "DROP TABLE a"),
    "stacked_delete": ("SELECT 1; DELETE FROM a WHERE b = 3", "DELETE FROM a WHERE b = 3"),
    "stacked_update": ("SELECT 1; UPDATE a SET b = 3 WHERE c = 4", "UPDATE a SET b = 3"),
    "stacked_insert": ("SELECT 1; INSERT INTO a VALUES (3)", "INSERT INTO a VALUES (3)"),
    "stacked_exec": ("SELECT 1; EXEC(@q)", "EXEC sp_who"),
    "inline_comment": ("/* x */ SELECT 1", "SELECT /* x */ 1"),
    "line_comment_mysql": ("SELECT 1 # drop it", "SELECT 1 # note"),
    "line_comment_dash": ("SELECT 1 -- drop it", "SELECT 1 -- note"),
    "select_from": ("INSERT INTO a VALUES ('x'); SELECT b FROM c", "SELECT b FROM c"),
    "admin_bypass": ("SELECT a FROM b WHERE c = 3 OR d=d--", "SELECT a FROM b -- OR d=d"),
    "hex_encoding": ("SELECT 0x41424344", "SELECT 0x41"),
    "char_function": ("SELECT CHAR(65,66)", "CREATE TABLE a (b CHAR(65))"),
    "concat_select": ("SELECT CONCAT((SELECT a FROM b), 'x')", "SELECT CONCAT(a, 'x') FROM b"),
    "information_schema": (
        "SELECT table_name FROM information_schema.tables",
        "SELECT 'information_schema'",
    ),
    "sys_tables": ("SELECT name FROM sysobjects", "SELECT name FROM systems"),
    "load_file": ("SELECT LOAD_FILE('a.csv')", "SELECT load_file_name FROM imports"),
    "into_outfile": ("SELECT a FROM b INTO OUTFILE 'c.csv'", "SELECT outfile FROM exports"),
    "drop_table": ("DROP TABLE a", "DROP INDEX a"),
    "drop_database": ("DROP DATABASE a", "CREATE DATABASE a"),
    "truncate": ("TRUNCATE TABLE a", "SELECT truncate(a, 2) FROM b"),
    "alter_table": ("ALTER TABLE a ADD b int", "ALTER INDEX a RENAME TO b"),
    "delete_no_where": ("DELETE FROM a", "DELETE FROM a WHERE b = 3"),
    "create_user": ("CREATE USER kim", "CREATE ROLE kim"),
    "grant": ("GRANT SELECT ON a TO kim", "SELECT grant_id FROM grants"),
    "revoke": ("REVOKE SELECT ON a FROM kim", "SELECT revoked FROM grants"),
}


def examined(text: str, language: str = "sql") -> Analysis:
    part = Part(start=0, end=len(text), language=Language(language))
    return analyse(Operation(text=text, parts=(part,)))


def found(sample: Sample) -> set[tuple[str, str]]:
    findings = examined(sample.attack, sample.language).findings
    return {(finding.kind, finding.rule) for finding in findings if finding.kind[:4] == "sql."}


def test_the_family_shows_its_rules():
    assert Sql.rules == RULES
    assert len({rule.id for rule in RULES}) == len(RULES)
    assert all(rule.reference.startswith("https://") and rule.finds for rule in RULES)


def test_whatever_the_samples_find_is_listed():
    reported = set().union(*(found(sample) for sample in SAMPLES))

    assert reported <= set(REFERENCES)


def test_each_listed_rule_has_a_sample_and_a_twin():
    assert set(REFERENCES) == {(sample.kind, sample.rule) for sample in SAMPLES}
    assert all(sample.attack and sample.twin for sample in SAMPLES)


def test_a_finding_carries_the_reference_of_its_rule():
    for finding in examined("DROP TABLE a; -- x' AND b").findings:
        assert finding.reference == REFERENCES[finding.kind, finding.rule]


def test_each_signature_has_a_case():
    assert {signature.name for signature in SIGNATURES} == set(SIGNATURE_CASES)
    assert len(SIGNATURES) == len(SIGNATURE_CASES) == 37
    assert all(signature.reference.startswith("https://") for signature in SIGNATURES)


@pytest.mark.parametrize("name", SIGNATURE_CASES)
def test_a_signature_is_a_fact_of_its_form_and_not_of_its_twin(name: str):
    hit, twin = SIGNATURE_CASES[name]

    assert name in examined(hit).facts.get("sql.signature", ())
    assert name not in examined(twin).facts.get("sql.signature", ())
