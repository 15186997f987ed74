"""Every rule of the SQL family: what it finds, and who describes it."""

from __future__ import annotations

from policies.engine.rules import Rule

_WSTG = (
    "https://owasp.org/www-project-web-security-testing-guide/latest/4-Web_Application_Security_"
    "Testing/07-Input_Validation_Testing/05-Testing_for_SQL_Injection"
)
_BLIND = "https://owasp.org/www-community/attacks/Blind_SQL_Injection"
_INJECTION = "https://owasp.org/www-community/attacks/SQL_Injection"
_CWE = "https://cwe.mitre.org/data/definitions/89.html"
_EVASION = "https://owasp.org/www-community/attacks/SQL_Injection_Bypassing_WAF"
_CAPEC_COMMENT = "https://capec.mitre.org/data/definitions/66.html"
_SECURE = "https://cheatsheetseries.owasp.org/cheatsheets/Database_Security_Cheat_Sheet.html"
_POSTGRES = "https://www.postgresql.org/docs/current"
_MYSQL = "https://dev.mysql.com/doc/refman/8.0/en"
_MSSQL = "https://learn.microsoft.com/en-us/sql"
_REDIS = "https://redis.io/docs/latest/commands/flushall/"
_MONGO = "https://www.mongodb.com/docs/manual/reference"


def _injection(name: str, finds: str, reference: str = _WSTG) -> Rule:
    return Rule(kind="sql.injection", name=name, finds=finds, reference=reference)


def _destructive(name: str, finds: str, reference: str = _SECURE) -> Rule:
    return Rule(kind="sql.destructive", name=name, finds=finds, reference=reference)


RULES: tuple[Rule, ...] = (
    _injection(
        "tautology",
        "A condition that no row decides stands beside OR or AND, where nobody needs one.",
    ),
    _injection(
        "conditional_probe",
        "IF, CASE, ELT or the like chooses by a comparison of constants.",
        _BLIND,
    ),
    _injection("union_select", "A UNION SELECT comes out of a value, or counts columns."),
    _injection(
        "time_probe", "A delay, or a query that only takes time, answers a question.", _BLIND
    ),
    _injection("out_of_band", "A query sends data out through the database server.", _INJECTION),
    _injection("error_probe", "A function is made to fail with data in its message.", _INJECTION),
    _injection("blind_probe", "A secret is compared piece by piece.", _BLIND),
    _injection("encoded_text", "A text is spelled by the codes of its characters.", _EVASION),
    _injection("stacked", "A second statement follows a value in the same line."),
    _injection("inline_comment", "Comments stand for blanks, or hold keywords.", _EVASION),
    _injection("comment_tail", "A comment cuts off the rest of a statement.", _CAPEC_COMMENT),
    _injection("misplaced_clause", "A clause stands where a value belongs.", _CWE),
    _injection("open_quote", "A quote is left open behind a condition.", _CWE),
    _injection("breakout", "A value ends its place and goes on as SQL.", _CWE),
    _injection(
        "lone_statement",
        "Where nothing says that SQL is expected, a statement or call reaches for the server's "
        "accounts, files or programs, or only waits.",
        _INJECTION,
    ),
    _injection("concatenation", "A value joins an expression to its string.", _CWE),
    _destructive("drop_table", "DROP TABLE.", f"{_POSTGRES}/sql-droptable.html"),
    _destructive(
        "drop_database",
        "DROP of a database, keyspace or tablespace.",
        f"{_POSTGRES}/sql-dropdatabase.html",
    ),
    _destructive("drop_schema", "DROP SCHEMA.", f"{_POSTGRES}/sql-dropschema.html"),
    _destructive("drop_owned", "DROP OWNED.", f"{_POSTGRES}/sql-drop-owned.html"),
    _destructive("truncate", "TRUNCATE.", f"{_POSTGRES}/sql-truncate.html"),
    _destructive(
        "delete_all",
        "DELETE or MERGE of every row: no condition, or one that is always true.",
        f"{_POSTGRES}/sql-delete.html",
    ),
    _destructive(
        "update_all",
        "UPDATE of every row: no condition, or one that is always true.",
        f"{_POSTGRES}/sql-update.html",
    ),
    _destructive("drop_column", "ALTER TABLE ... DROP COLUMN.", f"{_POSTGRES}/sql-altertable.html"),
    _destructive(
        "drop_partition",
        "ALTER TABLE ... DROP or TRUNCATE PARTITION.",
        f"{_MYSQL}/alter-table-partition-operations.html",
    ),
    _destructive("alter_system", "ALTER SYSTEM.", f"{_POSTGRES}/sql-altersystem.html"),
    _destructive("grant_all", "A GRANT of all rights, or an administrator's.", _SECURE),
    _destructive("grant_superuser", "A user or role becomes administrator.", _SECURE),
    _destructive(
        "untrusted_language",
        "Code that runs with the rights of the database server.",
        f"{_POSTGRES}/sql-createlanguage.html",
    ),
    _destructive(
        "server_program",
        "A program runs on the database server.",
        f"{_MSSQL}/relational-databases/system-stored-procedures/xp-cmdshell-transact-sql",
    ),
    _destructive(
        "server_file",
        "A file of the database server is read or written.",
        f"{_POSTGRES}/functions-admin.html",
    ),
    _destructive(
        "shutdown",
        "SHUTDOWN of the server.",
        f"{_MSSQL}/t-sql/language-elements/shutdown-transact-sql",
    ),
    _destructive("reassign_owned", "REASSIGN OWNED.", f"{_POSTGRES}/sql-reassign-owned.html"),
    _destructive("purge_logs", "PURGE BINARY LOGS.", f"{_MYSQL}/purge-binary-logs.html"),
    _destructive("reset_master", "RESET MASTER.", f"{_MYSQL}/reset-master.html"),
    _destructive("flush", "FLUSHALL or FLUSHDB.", _REDIS),
    _destructive("mongo_drop_database", "dropDatabase.", f"{_MONGO}/method/db.dropDatabase/"),
    _destructive("mongo_drop", "drop of a collection.", f"{_MONGO}/method/db.collection.drop/"),
    _destructive(
        "mongo_delete_all",
        "A delete with an empty filter.",
        f"{_MONGO}/method/db.collection.deleteMany/",
    ),
    _destructive(
        "mongo_update_all",
        "An update with an empty filter.",
        f"{_MONGO}/method/db.collection.updateMany/",
    ),
    _destructive("mongo_code", "JavaScript in the server.", f"{_MONGO}/operator/query/where/"),
    _destructive("mongo_shutdown", "shutdown.", f"{_MONGO}/method/db.shutdownServer/"),
    _destructive("mongo_drop_user", "dropAllUsers.", f"{_MONGO}/method/db.dropAllUsers/"),
)

REFERENCES = {(rule.kind, rule.name): rule.reference for rule in RULES}
