"""No input makes the SQL family fail, or take more than a bounded time."""

import json
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.engine.findings import Report, View
from policies.engine.sql import Sql
from policies.engine.sql.budget import LIMITS, Work

BUDGET_S = 3.0  # for 100 kB on a busy machine; alone it takes a tenth
ALL_SIGNS = frozenset(sign.name for sign in Sql.signs)
UNITS = [
    "(",
    "'",
    '"',
    "/*",
    "--",
    "select (",
    "union select ",
    "where a or ",
    "delete (",
    "not ",
    "1+",
    "%27",
    '{"a":"',
    '"\\',
    "case when ",
    "substr((select ",
    "a.",
    ";",
    "$$",
    "\x00",
    "/**/",
    "/*! */",
    "1=1=",
    "where x = 'a' b ",
    "union select 1,2,",
    "sleep(",
    "a[",
    "chr(65)||",
    "select 1;",
    "1",
    " ",
    "\u2003",
]


def examine(text: str, language: str) -> Report:
    report = Report()
    Sql().examine(View(text=text, offset=0, language=language), ALL_SIGNS, report)
    return report


@pytest.mark.parametrize("language", ["sql", "auto", "url"])
@pytest.mark.parametrize("unit", UNITS)
def test_a_hundred_kilobytes_of_one_thing_take_bounded_time(unit: str, language: str):
    text = unit * (100_000 // len(unit))

    start = time.perf_counter()
    examine(text, language)

    assert time.perf_counter() - start < BUDGET_S


def test_a_text_past_the_limit_is_reported_as_truncated():
    report = examine("SELECT 1, " * 50_000, "sql")

    assert report.truncated


@settings(max_examples=150, deadline=None)
@given(
    st.text(alphabet=st.sampled_from("'\"()-/*#;%=<>| \\\n\x00orandselct1Ａ\u200b"), max_size=120)
)
def test_any_text_gives_findings_inside_itself(text: str):
    for language in ("sql", "auto", "url"):
        for finding in examine(text, language).findings:
            assert 0 <= finding.start <= finding.end <= len(text)


@pytest.mark.parametrize("unit", ["1+", "' or '", "case when 1 ", "x' || ", "/**/", "/*! */"])
def test_many_dense_values_of_one_text_take_bounded_time(unit: str):
    text = json.dumps([unit * (3_900 // len(unit)) for _ in range(25)])

    start = time.perf_counter()
    examine(text, "auto")

    assert time.perf_counter() - start < BUDGET_S


def spent_on(report: Report, work: Work) -> int:
    return report.spent.get(work, 0)


@pytest.mark.parametrize("unit", ["1+", "select a from b; ", "x' or 'a'='a", "drop table a;", "("])
def test_the_views_of_an_operation_share_one_budget(unit: str):
    # Counts and not seconds: a busy machine changes nothing about them.
    report, text = Report(), unit * (3_900 // len(unit))

    for language in ("sql", "auto", "url") * 30:
        Sql().examine(View(text=text, offset=0, language=language), ALL_SIGNS, report)

    assert spent_on(report, Work.READ) <= LIMITS[Work.READ]
    assert spent_on(report, Work.JUDGED) <= LIMITS[Work.JUDGED]
    assert spent_on(report, Work.VALUES) <= LIMITS[Work.VALUES]
    assert report.truncated


def test_a_text_is_read_in_proportion_to_its_length():
    # Twice the text, twice the tokens: nothing is read again and again.
    once, twice = (examine("select a from b where c = 'd'; " * count, "sql") for count in (50, 100))

    assert spent_on(twice, Work.READ) == 2 * spent_on(once, Work.READ)
    assert spent_on(twice, Work.JUDGED) == 2 * spent_on(once, Work.JUDGED)


@pytest.mark.parametrize(
    ("last", "rule"),
    [
        ("DROP TABLE invoices;", "drop_table"),
        ("drop /* now */ database shop;", "drop_database"),
        ("DROP SCHEMA old CASCADE", "drop_schema"),
        ("DROP OWNED BY app", "drop_owned"),
        ("TRUNCATE TABLE invoices;", "truncate"),
        ("TRUNCATE invoices", "truncate"),
        ("DELETE FROM shop.invoices;", "delete_all"),
        ("EXEC xp_cmdshell 'dir'", "server_program"),
        ("COPY t TO PROGRAM 'sh'", "server_program"),
        ("SELECT 1 INTO OUTFILE '/srv/www/a.php'", "server_file"),
    ],
)
def test_past_the_budget_destruction_is_still_found_by_its_words(last: str, rule: str):
    report = examine("SELECT a FROM b WHERE c = 1;\n" * 3_000 + last, "sql")

    assert report.truncated
    assert {found.rule for found in report.findings} == {rule}


def test_past_the_budget_harmless_statements_are_not_reported():
    report = examine(
        "SELECT a FROM b WHERE c = 1;\n" * 3_000
        + "DELETE FROM b WHERE a = 1; SELECT truncate(a, 2) FROM b; COPY b FROM STDIN;",
        "sql",
    )

    assert report.truncated
    assert not report.findings


def test_long_prose_in_a_document_is_read_to_its_end():
    text = json.dumps(["The harbour's oldest tug and her crew; " * 90 for _ in range(25)])

    report = examine(text, "auto")

    assert not report.truncated
    assert not report.findings
