"""Clients of databases: the statements that they are given."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from policies.engine.findings import View
from policies.engine.shell.call import Call
from policies.engine.shell.inputs import given
from policies.engine.shell.model import Word
from policies.engine.shell.reader import Reader
from policies.engine.shell.views import joined

# The options that take a statement.
_SQL: dict[str, tuple[str, ...]] = {
    "psql": ("-c", "--command"),
    "pgcli": ("-c",),
    "mysql": ("-e", "--execute", "--init-command"),
    "mariadb": ("-e", "--execute", "--init-command"),
    "mycli": ("-e", "--execute"),
    "mysqlsh": ("-e", "--execute"),
    "sqlite3": ("-cmd",),
    "sqlite": (),
    "litecli": ("-e",),
    "sqlcipher": (),
    "duckdb": ("-c", "-s"),
    "clickhouse-client": ("-q", "--query"),
    "clickhouse": ("-q", "--query"),
    "clickhouse-local": ("-q", "--query"),
    "sqlcmd": ("-Q", "-q"),
    "mssql-cli": ("-Q", "-q"),
    "cockroach": ("-e", "--execute"),
    "snowsql": ("-q", "--query"),
    "snow": ("-q", "--query"),
    "cqlsh": ("-e", "--execute"),
    "usql": ("-c",),
    "trino": ("--execute",),
    "presto": ("--execute",),
    "beeline": ("-e",),
    "hive": ("-e",),
    "impala-shell": ("-q", "--query"),
    "spark-sql": ("-e",),
    "heroku": ("-c", "--command"),
    "d1": ("--command",),
    "wrangler": ("--command",),
    "databricks": ("--statement", "--query"),
    "aws": ("--sql", "--query-string", "--statement"),
    "az": ("--query-text", "--querytext"),
    "gcloud": ("--sql",),
    "turso": (),
    "bq": (),
    "osql": ("-Q", "-q"),
    "isql": (),
    "sqlplus": (),
    "dbt": ("--inline",),
    "rails": (),
    "ysqlsh": ("-c", "--command"),
    "gsql": ("-c",),
    "vsql": ("-c", "--command"),
    "influx": ("-execute",),
    "questdb": (),
    "ksql": ("--execute", "-e"),
    "dolt": ("-q", "--query"),
    "tsql": (),
    "dbaccess": (),
    "db2": (),
    "odbc": (),
    "libsql": (),
}
_POSITIONAL = frozenset(
    [
        "sqlite3",
        "sqlite",
        "bq",
        "duckdb",
        "turso",
        "sqlcipher",
        "db2",
        "libsql",
        "litecli",
        "supabase",
        "rails",
    ]
)
_MONGO = frozenset(["mongo", "mongosh"])
CLIENTS = _SQL.keys() | _MONGO


def statements(view: View, call: Call, reader: Reader | None) -> Iterator[View]:
    """The statements that a client is given by option, as an argument, or as its input."""
    if call.name in _MONGO:
        yield from _mongo(view, call, reader)
        return
    words = call.words[1:]
    found = list(_by_option(view, call, words))
    if call.name in _POSITIONAL and not found:
        found = [
            joined(view, [word], "sql", call.name)
            for word in words
            if " " in word.text or word.text.endswith(";")
        ]
    yield from found
    if call.name in ("sqlite3", "sqlite"):
        yield from _sqlite_shell(view, words)
    if not found and (data := given(view, call, reader, "sql")) is not None:
        yield data


def _by_option(view: View, call: Call, words: Sequence[Word]) -> Iterator[View]:
    options = _SQL[call.name]
    for index, word in enumerate(words):
        text = word.text
        if index + 1 < len(words) and (text in options or _joined_letters(text, options)):
            yield joined(view, [words[index + 1]], "sql", f"{call.name} {text}")
            continue
        for option in options:
            if text.startswith(option + "=") or (
                len(option) == 2 and text.startswith(option) and len(text) > 3
            ):
                skip = len(option) + (text[len(option) : len(option) + 1] == "=")
                whole = joined(view, [word], "sql", f"{call.name} {option}")
                yield whole.part(skip, len(whole.text), language="sql", layer=option)
                break


def _sqlite_shell(view: View, words: Sequence[Word]) -> Iterator[View]:
    for word in words:
        shell = re.match(r"\s*\.(?:shell|system)\s+", word.text)
        if shell:
            whole = joined(view, [word], "shell", "sqlite3 .shell")
            yield whole.part(shell.end(), len(whole.text), language="shell", layer=".shell")


def _joined_letters(text: str, options: tuple[str, ...]) -> bool:
    """`-tAc`, `-NBe`: letters without values before the one that takes the statement."""
    letters = "".join(option[1] for option in options if len(option) == 2)
    return bool(letters) and re.fullmatch(rf"-[A-Za-z]{{1,6}}[{letters}]", text) is not None


def _mongo(view: View, call: Call, reader: Reader | None) -> Iterator[View]:
    words = call.words[1:]
    for index, word in enumerate(words):
        if word.text == "--eval" and index + 1 < len(words):
            yield joined(view, [words[index + 1]], "mongo", "mongosh --eval")
            return
        if word.text.startswith("--eval="):
            yield joined(view, [word], "mongo", "mongosh --eval")
            return
    if (data := given(view, call, reader, "mongo")) is not None:
        yield data
