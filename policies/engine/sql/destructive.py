"""Statements that destroy data, hand over the server, or widen rights; told by their structure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from policies.engine.language import word_set
from policies.engine.sql.conditions import ConditionReader, truth
from policies.engine.sql.statements import (
    Statement,
    clause_end,
    clause_starts,
    name_at,
    top_level,
)
from policies.engine.sql.tokens import Token, inner


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A rule that holds for the tokens `[first, last)` of a statement."""

    rule: str
    reason: str
    first: int
    last: int
    confidence: float = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Dynamic:
    """Stretches of the text that together hold SQL which the statement executes."""

    parts: tuple[tuple[int, int], ...]
    layer: str
    more: bool = False  # something that is not known follows, for example the name of a table


Tokens = Sequence[Token]

MAX_LISTED = 40  # tokens of a list of tables
MIN_DYNAMIC = 4  # characters of a string that can be a statement

_DROPS = {
    "table": ("drop_table", "Drops the table {}: its rows and its definition are lost."),
    "tables": ("drop_table", "Drops the tables {}: rows and definitions are lost."),
    "database": ("drop_database", "Drops the database {} with everything in it."),
    "schema": ("drop_schema", "Drops the schema {} with what is in it."),
    "keyspace": ("drop_database", "Drops the keyspace {} with everything in it."),
    "tablespace": ("drop_database", "Drops the tablespace {} with everything in it."),
    "owned": ("drop_owned", "Drops everything that a role owns."),
}
_FILE_FUNCTIONS = {
    "pg_read_file": "reads a file of the database server",
    "pg_read_binary_file": "reads a file of the database server",
    "pg_ls_dir": "lists a directory of the database server",
    "pg_write_file": "writes a file on the database server",
    "pg_file_write": "writes a file on the database server",
    "lo_import": "reads a file of the database server",
    "lo_export": "writes a file on the database server",
    "load_file": "reads a file of the database server",
    "load_extension": "loads a program library into the database",
    "sys_exec": "runs a program on the database server",
    "sys_eval": "runs a program on the database server",
    "dblink_exec": "runs a statement on another connection, outside this transaction",
    "writefile": "writes a file on the machine",
    "readfile": "reads a file of the machine",
    "edit": "starts an editor on the machine",
}
_PROCEDURES = {
    "xp_cmdshell": "runs a program on the database server",
    "xp_regwrite": "writes the registry of the database server",
    "xp_regdeletekey": "writes the registry of the database server",
    "sp_oacreate": "runs a program on the database server",
    "sp_addsrvrolemember": "hands out a server role",
}
_BLANKET = word_set(
    "all superuser super dba sysadmin sysdba securityadmin serveradmin pg_read_server_files "
    "pg_write_server_files pg_execute_server_program rds_superuser"
)  # fmt: skip
_UNTRUSTED = frozenset(["plpythonu", "plpython3u", "plpython2u", "plperlu", "pltclu", "c"])


def hits(statement: Statement) -> Iterator[Hit]:
    """What is destructive in `statement`, those parts included that stand in a CTE or a block."""
    tokens = statement.tokens
    if _only_explained(tokens):
        return
    for index in clause_starts(tokens):
        rule = _RULES.get(tokens[index].text)
        if rule is not None:
            yield from rule(tokens, index)
    if statement.words & _REACH:
        yield from _server_reach(tokens)


def dynamic(statement: Statement) -> Iterator[Dynamic]:
    """Strings of the statement that it executes as SQL; strings joined to one are one."""
    tokens = statement.tokens
    words = {token.text for token in tokens[:3]}
    if statement.verb == "do" or "sp_executesql" in words:
        layer = "do" if statement.verb == "do" else "exec"
    elif statement.verb in ("exec", "execute", "prepare"):
        layer = statement.verb
    elif statement.verb in ("declare", "set") and any(word.startswith("@") for word in words):
        layer = "variable"  # a batch that builds a statement runs it in its next one
    else:
        layer = "execute" if _executes(tokens) else ""
    if not layer:
        return
    index = 0
    while index < len(tokens):
        token = tokens[index]
        index += 1
        if token.kind != "string":
            continue
        parts = [inner(token)]
        listed = _text(tokens, index - 2) == "(" and _text(tokens, index - 3) == "concat"
        while (
            _text(tokens, index) in ("||", "+", "," if listed else "+")
            and index + 1 < len(tokens)
            and tokens[index + 1].kind == "string"
        ):
            parts.append(inner(tokens[index + 1]))
            index += 2
        if sum(end - start for start, end in parts) > MIN_DYNAMIC:
            more = _text(tokens, index) in ("||", "+")
            yield Dynamic(parts=tuple(parts), layer=layer, more=more)


def _executes(tokens: Tokens) -> bool:
    return any(
        token.text in ("execute", "exec", "dblink_exec", "dblink", "query_to_xml", "immediate")
        and following.kind in ("string", "word", "punctuation")
        and following.text not in ("on", "procedure", "function", "as", "to")
        for token, following in pairwise(tokens)
        if token.kind == "word"
    ) and tokens[0].text not in ("create", "grant", "revoke", "alter")


def _only_explained(tokens: Tokens) -> bool:
    """EXPLAIN without ANALYZE shows a plan and runs nothing."""
    if tokens[0].text != "explain":
        return False
    for index, token in enumerate(tokens[1:8], start=1):
        if token.text == "analyze" and _text(tokens, index + 1) not in ("false", "off", "0"):
            return False
        if token.text in ("select", "insert", "update", "delete", "with", "merge"):
            return True
    return True


def _text(tokens: Tokens, index: int) -> str:
    return tokens[index].text if 0 <= index < len(tokens) else ""


def _skip(tokens: Tokens, index: int, words: frozenset[str]) -> int:
    while _text(tokens, index) in words:
        index += 1
    return index


_NOISE = word_set(
    "if exists only temporary temp external concurrently table foreign low_priority quick "
    "ignore from top transient global"
)  # fmt: skip


def _drop(tokens: Tokens, index: int) -> Iterator[Hit]:
    at = index + 1
    if _text(tokens, at) in ("temporary", "temp"):
        return  # gone with the session anyway
    at = _skip(tokens, at, frozenset(["external", "foreign", "transient", "if", "exists"]))
    found = _DROPS.get(_text(tokens, at))
    if found is None:
        return
    rule, reason = found
    name, after = _bracketed(tokens, _skip(tokens, at + 1, frozenset(["if", "exists"])))
    if not name or name.startswith("#") or _text(tokens, after) in ("=", "is", "was"):
        return
    yield Hit(rule=rule, reason=reason.format(name), first=index, last=clause_end(tokens, index))


def _bracketed(tokens: Tokens, index: int) -> tuple[str, int]:
    """The name at `index`, SQL Server's [dbo].[Orders] included, and the index after it."""
    if _text(tokens, index) != "[":
        return name_at(tokens, index)
    parts: list[str] = []
    while _text(tokens, index) == "[" and _text(tokens, index + 2) == "]":
        parts.append(tokens[index + 1].text)
        index += 3
        if _text(tokens, index) != ".":
            break
        index += 1
    return ".".join(parts), index


def _truncate(tokens: Tokens, index: int) -> Iterator[Hit]:
    if _text(tokens, index + 1) == "(" or _text(tokens, index - 1) == "(":
        return  # the number function, or a column of that name
    name, _ = _bracketed(tokens, _skip(tokens, index + 1, _NOISE))
    if name:
        yield Hit(
            rule="truncate",
            reason=f"Empties the table {name}: TRUNCATE takes every row and cannot be filtered.",
            first=index,
            last=clause_end(tokens, index),
        )


def _delete(tokens: Tokens, index: int) -> Iterator[Hit]:
    if _text(tokens, index - 1) == "then":
        yield from _merged(tokens, index)
        return
    at = _skip(tokens, index + 1, _NOISE)
    if _text(tokens, at) == "(" and _text(tokens, at - 1) == "top":
        share, at = _text(tokens, at + 1), at + 3
        if _text(tokens, at) == "percent":
            if share != "100":
                return
            at += 1
        elif share.isdigit():
            return  # a number of rows
        at = _skip(tokens, at, _NOISE)
    name, after = _bracketed(tokens, at)
    if _text(tokens, after - 1) == "." or _text(tokens, after) in (",", "."):
        after = _listed(tokens, after)  # DELETE a.*, b.* FROM a, b
    if not name or tokens[at].kind == "string" or _text(tokens, after) == "(":
        return
    if "from" not in (_text(tokens, index + 1), _text(tokens, at - 1), _text(tokens, after)):
        following = _text(tokens, after)
        if following not in ("", "where", ")", "limit", ","):
            return
    yield from _unbounded(tokens, index, after, "delete", f"Deletes every row of {name}: DELETE")


def _listed(tokens: Tokens, index: int) -> int:
    """The index of the FROM behind a list of tables, or `index` where there is none."""
    for at in range(index, min(len(tokens), index + MAX_LISTED)):
        if tokens[at].text == "from":
            return at
        if tokens[at].kind == "word" and tokens[at].text in ("where", "set", "using"):
            break
    return index


def _merged(tokens: Tokens, index: int) -> Iterator[Hit]:
    """WHEN MATCHED THEN DELETE, where the ON before it is always true."""
    if tokens[0].text != "merge" and "merge" not in (_text(tokens, at) for at in range(index)):
        return
    on = next((at for at in top_level(tokens, 0, index) if tokens[at].text == "on"), None)
    if on is not None and truth(ConditionReader(tokens, on + 1).read()) is True:
        yield Hit(
            rule="delete_all",
            reason="Deletes every row: MERGE joins on a condition that is always true.",
            first=0,
            last=len(tokens),
        )


def _update(tokens: Tokens, index: int) -> Iterator[Hit]:
    if _text(tokens, index - 1) in ("then", "do", "key", "for", "on"):
        return
    name, after = _bracketed(tokens, _skip(tokens, index + 1, _NOISE))
    end = clause_end(tokens, index)
    words = [tokens[at].text for at in top_level(tokens, after, min(end, after + 40))]
    if not name or "set" not in words or "join" in words[: words.index("set")]:
        return
    yield from _unbounded(tokens, index, after, "update", f"Changes every row of {name}: UPDATE")


def _unbounded(tokens: Tokens, index: int, after: int, verb: str, reason: str) -> Iterator[Hit]:
    end = clause_end(tokens, index)
    where = next((at for at in top_level(tokens, after, end) if tokens[at].text == "where"), None)
    if where is None:
        words = {tokens[at].text for at in top_level(tokens, after, end)}
        joined = words & {"join", "using"} and (words & {"on"} or verb == "update")
        if not joined and not words & {"limit", "rownum"}:
            yield Hit(rule=f"{verb}_all", reason=f"{reason} has no WHERE.", first=index, last=end)
        return
    if truth(ConditionReader(tokens, where + 1).read()) is True:
        yield Hit(
            rule=f"{verb}_all",
            reason=f"{reason} has a WHERE that is always true.",
            first=index,
            last=end,
        )


def _alter(tokens: Tokens, index: int) -> Iterator[Hit]:
    what = _text(tokens, index + 1)
    end = clause_end(tokens, index)
    words = [token.text for token in tokens[index:end]]
    if what == "system" and set(words) & {"set", "reset"}:
        yield Hit(
            rule="alter_system",
            reason="Changes the configuration of the whole database server (ALTER SYSTEM).",
            first=index,
            last=end,
        )
    elif what == "table":
        yield from _alter_table(tokens, index, end)
    elif what == "server" and "add" in words and set(words) & _BLANKET:
        yield Hit(
            rule="grant_superuser",
            reason="Makes a login an administrator of the whole server.",
            first=index,
            last=end,
        )
    elif what in ("role", "user", "login") and set(words) & {"superuser", "sysadmin", "bypassrls"}:
        yield Hit(
            rule="grant_superuser",
            reason="Makes a database user an administrator of the whole server.",
            first=index,
            last=end,
        )


_NOT_A_COLUMN = word_set(
    "constraint index key primary foreign check default not identity expression statistics "
    "partition if trigger distkey sortkey feature rules"
)


def _alter_table(tokens: Tokens, index: int, end: int) -> Iterator[Hit]:
    name, after = name_at(tokens, _skip(tokens, index + 2, _NOISE))
    for at in top_level(tokens, after, end):
        if tokens[at].text not in ("drop", "truncate"):
            continue
        before, following = _text(tokens, at - 1), _text(tokens, at + 1)
        if following == "partition":
            rule, what = "drop_partition", "a partition"
        elif following in _NOT_A_COLUMN and following != "if":
            continue
        elif (
            tokens[at].text == "drop"
            and before not in ("column", ".")
            and _begins(tokens, at, after)
        ):
            rule, what = "drop_column", "a column"
        else:
            continue
        yield Hit(
            rule=rule,
            reason=f"Drops {what} of {name} with its data.",
            first=index,
            last=end,
        )
        return


def _begins(tokens: Tokens, at: int, after: int) -> bool:
    """Whether an action of ALTER TABLE begins at `at`, and not ALTER COLUMN x DROP DEFAULT."""
    return at == after or _text(tokens, at - 1) == ","


def _grant(tokens: Tokens, index: int) -> Iterator[Hit]:
    end = clause_end(tokens, index)
    words = [token.text for token in tokens[index + 1 : end]]
    if "to" not in words:
        return
    granted = words[: words.index("to")]
    target = words[words.index("to") + 1 :]
    blanket = granted[:1] == ["all"] or bool(set(granted) & (_BLANKET - {"all"}))
    public = "public" in target[:1] and granted[:1] != ["usage"] and granted[:1] != ["connect"]
    if blanket or (public and "all" in granted):
        yield Hit(
            rule="grant_all",
            reason="Hands out every right, or the rights of an administrator.",
            first=index,
            last=end,
        )


def _create(tokens: Tokens, index: int) -> Iterator[Hit]:
    end = clause_end(tokens, index)
    words = [token.text for token in tokens[index:end]]
    if set(words[:4]) & {"user", "role", "login"} and set(words) & {"superuser", "bypassrls"}:
        yield Hit(
            rule="grant_superuser",
            reason="Creates a database user that is an administrator of the whole server.",
            first=index,
            last=end,
        )
    if "soname" in words:
        yield Hit(
            rule="untrusted_language",
            reason="Loads a program library into the database server (SONAME).",
            first=index,
            last=end,
        )
    if set(words[:5]) & {"function", "procedure", "extension", "language", "assembly"}:
        languages = {
            tokens[at + 1].text.strip("'\"").lower()
            for at in range(index, end - 1)
            if tokens[at].text in ("language", "extension", "exists")
        }
        if languages & _UNTRUSTED:
            yield Hit(
                rule="untrusted_language",
                reason="Brings in code that runs with the rights of the database server.",
                first=index,
                last=end,
            )


def _simple(
    rule: str, reason: str, follow: frozenset[str]
) -> Callable[[Tokens, int], Iterator[Hit]]:
    def check(tokens: Tokens, index: int) -> Iterator[Hit]:
        following = _text(tokens, index + 1)
        if following in follow or (index + 1 >= len(tokens) and "" in follow):
            yield Hit(rule=rule, reason=reason, first=index, last=clause_end(tokens, index))

    return check


def _copy(tokens: Tokens, index: int) -> Iterator[Hit]:
    end = clause_end(tokens, index)
    for at in top_level(tokens, index, end):
        if tokens[at].text == "program":
            yield Hit(
                rule="server_program",
                reason="Runs a program on the database server (COPY ... PROGRAM).",
                first=index,
                last=end,
            )
            return
        if tokens[at].text == "from" and at + 1 < end and tokens[at + 1].kind == "string":
            path = tokens[at + 1].text.strip("'")
            if path.startswith(("/etc/", "/proc/", "/root/", "/home/", "/var/lib/")):
                yield Hit(
                    rule="server_file",
                    reason="Reads a file of the database server that is not a data file.",
                    first=index,
                    last=end,
                )
                return


def _load(tokens: Tokens, index: int) -> Iterator[Hit]:
    """LOAD DATA INFILE of a file that is no data file."""
    for at in range(index + 1, min(len(tokens) - 1, index + 8)):
        if tokens[at].text != "infile":
            continue
        if tokens[at + 1].text.strip("'\"").lower().startswith(_SYSTEM_PATHS):
            yield Hit(
                rule="server_file",
                reason="Reads a file that is no data file into a table (LOAD DATA).",
                first=index,
                last=clause_end(tokens, index),
            )
        return


def _set(tokens: Tokens, index: int) -> Iterator[Hit]:
    """SET GLOBAL general_log_file: the server then writes statements into a file of choice."""
    end = min(clause_end(tokens, index), index + 8)
    if any(tokens[at].text.endswith(_LOG_FILES) for at in range(index + 1, end)):
        yield Hit(
            rule="server_file",
            reason="Points a log of the database server at another file.",
            first=index,
            last=end,
        )


_LOG_FILES = ("general_log_file", "slow_query_log_file")


def _install(tokens: Tokens, index: int) -> Iterator[Hit]:
    if _text(tokens, index + 1) in ("plugin", "component", "soname"):
        yield Hit(
            rule="untrusted_language",
            reason="Loads a program library into the database server.",
            first=index,
            last=clause_end(tokens, index),
        )


_SYSTEM_PATHS = ("/etc/", "/root/", "/home/", "/var/spool/", "/usr/", "/bin/", "c:\\windows")


def _attach(tokens: Tokens, index: int) -> Iterator[Hit]:
    """ATTACH of a file in a folder of the system: it is made where it does not exist."""
    at = _skip(tokens, index + 1, frozenset(["database"]))
    path = _text(tokens, at).strip("'\"").lower()
    named = at < len(tokens) and tokens[at].kind in ("string", "quoted")
    if named and (path.startswith(_SYSTEM_PATHS) or path.endswith((".php", ".jsp", ".aspx"))):
        yield Hit(
            rule="server_file",
            reason="Makes a database file in a folder of the system (ATTACH).",
            first=index,
            last=clause_end(tokens, index),
        )


_RULES: dict[str, Callable[[Tokens, int], Iterator[Hit]]] = {
    "drop": _drop,
    "truncate": _truncate,
    "delete": _delete,
    "update": _update,
    "alter": _alter,
    "grant": _grant,
    "create": _create,
    "copy": _copy,
    "load": _load,
    "set": _set,
    "install": _install,
    "attach": _attach,
    "shutdown": _simple(
        "shutdown",
        "Stops the database server.",
        frozenset(["", "with", "immediate", "abort", "normal", "transactional"]),
    ),
    "reassign": _simple("reassign_owned", "Moves everything a role owns.", frozenset(["owned"])),
    "purge": _simple(
        "purge_logs",
        "Deletes the binary logs that recovery needs.",
        frozenset(["binary", "master"]),
    ),
    "reset": _simple("reset_master", "Deletes the binary logs.", frozenset(["master"])),
    "flushall": _simple("flush", "Deletes every key.", frozenset(["", "async", "sync"])),
    "flushdb": _simple(
        "flush", "Deletes every key of the database.", frozenset(["", "async", "sync"])
    ),
}


_REACH = frozenset(["openrowset", "into", "sp_configure", *_FILE_FUNCTIONS, *_PROCEDURES])


def _server_reach(tokens: Tokens) -> Iterator[Hit]:
    """Files and programs of the server, reached by functions or procedures anywhere in it."""
    if tokens[0].text in ("create", "comment", "drop", "grant", "revoke", "alter"):
        return  # defines or permits, does not call
    for index, token in enumerate(tokens):
        if token.kind != "word":
            continue
        following = _text(tokens, index + 1)
        if token.text == "openrowset" and following == "(" and _text(tokens, index + 2) == "bulk":
            what = "reads a file of the database server"
        elif token.text == "into" and following in ("outfile", "dumpfile"):
            what = "writes a file on the database server"
        elif following == "(" and token.text in _FILE_FUNCTIONS:
            what = _FILE_FUNCTIONS[token.text]
        elif token.text in _PROCEDURES and _text(tokens, 0) in (
            "exec",
            "execute",
            "declare",
            token.text,
            "master",
        ):
            what = _PROCEDURES[token.text]
        elif token.text == "sp_configure" and any("xp_cmdshell" in other.text for other in tokens):
            what = "opens the server to running programs"
        else:
            continue
        if what:
            yield Hit(
                rule="server_file" if "file" in what or "lists" in what else "server_program",
                reason=f"It {what} ({token.text.upper()}).",
                first=0,
                last=len(tokens),
            )
            return
