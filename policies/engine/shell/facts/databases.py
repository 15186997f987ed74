"""Facts of database clients: which client, and host, database and user that it connects to."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from policies.engine.language import word_set
from policies.engine.shell.call import Call
from policies.engine.shell.facts.options import Line, arguments_of, read, setting
from policies.engine.shell.model import UNKNOWN

ALL = "*"


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """How the arguments of a client name what it connects to.

    `valued`: options that take a value, besides those for host, name and user. `operands` says
    what the operands are: the database, an address (or a database), the host, a command, nothing.
    """

    host: tuple[str, ...] = ("-h", "--host")
    name: tuple[str, ...] = ()
    user: tuple[str, ...] = ("-u", "--user")
    valued: frozenset[str] = frozenset()
    joined: frozenset[str] = frozenset()
    operands: str = ""
    settings: tuple[tuple[str, str], ...] = ()
    long_dash: bool = False


_POSTGRES_SET = (("PGHOST", "host"), ("PGHOSTADDR", "host"), ("PGDATABASE", "name"),
                 ("PGUSER", "user"))  # fmt: skip
_MYSQL_SET = (("MYSQL_HOST", "host"),)
_PSQL = Client(
    name=("-d", "--dbname"), user=("-U", "--username"), operands="address",
    settings=_POSTGRES_SET,
    valued=word_set("-p --port -c --command -f --file -v --set --variable -o --output -F "
                    "--field-separator -R --record-separator -P --pset -T --table-attr -L "
                    "--log-file"),
)  # fmt: skip
_PG_TOOL = Client(
    name=("-d", "--dbname"), user=("-U", "--username"), operands="address",
    settings=_POSTGRES_SET,
    valued=word_set("-p --port -f --file -F --format -j --jobs -n --schema -N --exclude-schema "
                    "-t --table -T --exclude-table -E --encoding -O --owner -D --tablespace "
                    "-Z --compress -S --superuser -l --locale --maintenance-db --role"),
)  # fmt: skip
_PG_RESTORE = Client(
    name=("-d", "--dbname"), user=("-U", "--username"), settings=_POSTGRES_SET,
    valued=_PG_TOOL.valued | word_set("-I --index -L --use-list -P --function --filter"),
)  # fmt: skip
_MYSQL = Client(
    name=("-D", "--database"), operands="name", joined=frozenset(["-p", "--password"]),
    settings=_MYSQL_SET,
    valued=word_set("-P --port -S --socket -e --execute --protocol --defaults-file "
                    "--defaults-extra-file --defaults-group-suffix --login-path --init-command "
                    "--default-character-set --ssl-ca --ssl-cert --ssl-key --ssl-mode --delimiter "
                    "--prompt --tee --pager --where -w --result-file -r --tab -T"),
)  # fmt: skip
_MYSQL_TOOL = Client(joined=_MYSQL.joined, valued=_MYSQL.valued, settings=_MYSQL_SET)
_MONGO = Client(
    host=("--host", "-h"), name=("--db", "-d", "--dbAddress"), user=("-u", "--username"),
    operands="address",
    valued=word_set("-p --password --port --eval --file -f --authenticationDatabase "
                    "--authenticationMechanism --uri -c --collection -o --out --tlsCAFile "
                    "--tlsCertificateKeyFile -q --query --archive --nsInclude --nsExclude"),
)  # fmt: skip
_REDIS = Client(
    name=("-n",), user=("--user",),
    valued=word_set("-p -a -u -s -r -i --pass --cacert --cert --key --pattern -d -D --eval"),
)  # fmt: skip
_FILE = Client(
    host=(), user=(), operands="file", long_dash=True,
    valued=word_set("--cmd --init --separator --newline --nullvalue --vfs --maxsize --mmap --c "
                    "--s --f --pagecache --lookaside"),
)  # fmt: skip
CLIENTS: dict[str, Client] = {
    "psql": _PSQL, "pgcli": _PSQL, "ysqlsh": _PSQL, "vsql": _PSQL, "gsql": _PSQL,
    "pg_dump": _PG_TOOL, "pg_dumpall": _PG_TOOL, "createdb": _PG_TOOL, "dropdb": _PG_TOOL,
    "vacuumdb": _PG_TOOL, "reindexdb": _PG_TOOL, "pg_restore": _PG_RESTORE,
    "mysql": _MYSQL, "mariadb": _MYSQL, "mycli": _MYSQL, "mysqldump": _MYSQL,
    "mariadb-dump": _MYSQL, "mysqladmin": _MYSQL_TOOL, "mariadb-admin": _MYSQL_TOOL,
    "mysqlimport": _MYSQL, "mysqlsh": _MYSQL,
    "mongosh": _MONGO, "mongo": _MONGO, "mongodump": _MONGO, "mongorestore": _MONGO,
    "mongoexport": _MONGO, "mongoimport": _MONGO,
    "redis-cli": _REDIS, "valkey-cli": _REDIS, "keydb-cli": _REDIS,
    "sqlite3": _FILE, "sqlite": _FILE, "duckdb": _FILE, "litecli": _FILE, "sqlcipher": _FILE,
    "sqlcmd": Client(host=("-S",), name=("-d",), user=("-U",),
                     valued=word_set("-P -Q -q -i -o -s -w -l -t -h -v -m -H")),
    "mssql-cli": Client(host=("-S", "--server"), name=("-d", "--database"), user=("-U",),
                        valued=word_set("-P -Q -q -i -o")),
    "clickhouse-client": Client(name=("-d", "--database"), valued=word_set(
        "--port --password -q --query --config-file -f --format --queries-file")),
    "cqlsh": Client(host=(), name=("-k", "--keyspace"), user=("-u", "--username"),
                    operands="host", valued=word_set("-p --password -e --execute -f --file")),
    "cockroach": Client(host=("--host",), name=("-d", "--database"), operands="command",
                        valued=word_set("-p --port -e --execute --url --certs-dir -f --file")),
    "snowsql": Client(host=("-a", "--accountname"), name=("-d", "--dbname"),
                      user=("-u", "--username"),
                      valued=word_set("-s --schemaname -w --warehouse -r --rolename -q --query "
                                      "-f --filename -o --option -c --connection")),
    "usql": Client(host=(), user=(), operands="address", valued=word_set("-c -f -o -v -P -F")),
}  # fmt: skip

_ADDRESS = re.compile(
    r"[a-z][a-z0-9+.-]{1,30}://(?:(?P<user>[^:@/?#\s]*)(?::[^@/\s]*)?@)?"
    r"(?P<hosts>[^/?#\s]*)(?:/(?P<name>[^?#\s]*))?",
    re.IGNORECASE,
)
# `host=prod-db dbname=app`, also behind the `?` of an address.
_PAIR = re.compile(r"\b(host|hostaddr|dbname|user)\s?=\s?('[^']*'|[^\s&']+)")
_PAIRS = {"host": "host", "hostaddr": "host", "dbname": "name", "user": "user"}
_PORT = re.compile(r"(?::\d+|,\d+|\\\w+)+\Z")  # of SQL Server also an instance


def database(call: Call, variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """The client, and the hosts, databases and users that it is given."""
    program = call.name.lower()
    client = CLIENTS[program]
    named = (*client.host, *client.name, *client.user)
    line = read(
        arguments_of(call),
        client.valued.union(named),
        joined=client.joined,
        long_dash=client.long_dash,
    )
    if line.has("--help", "--version") and not line.operands:
        return
    yield "database.client", program
    for kind, value in _given(client, line, call, variables):
        if kind == "host":
            host = _host(value)
            yield "database.host", host
            if not host.startswith(("/", UNKNOWN)):  # a socket of this machine
                yield "host", host
        elif value:
            yield f"database.{kind}", value


def _host(value: str) -> str:
    """A host without its port, and without the protocol of SQL Server."""
    value = value.removeprefix("tcp:").lower()
    if value.count(":") > 1 and "]" not in value:
        return value  # an IPv6 address
    return _PORT.sub("", value)


def _given(
    client: Client, line: Line, call: Call, variables: Mapping[str, str]
) -> Iterator[tuple[str, str]]:
    for kind, names in (("host", client.host), ("name", client.name), ("user", client.user)):
        for value in line.values(*names):
            yield from _read(kind, value)
    for value in line.values("--uri", "--url", "-u"):
        if _ADDRESS.match(value):
            yield from _read("name", value)
    for variable, kind in client.settings:
        for value in setting(call, variables, variable):
            yield from _read(kind, value)
    yield from _operands(client, line, call.name.lower())


def _operands(client: Client, line: Line, program: str) -> Iterator[tuple[str, str]]:
    words = line.operands
    if client.operands == "name" and line.has("-A", "--all-databases"):
        yield "name", ALL
    elif client.operands == "name" and line.has("--databases"):
        yield from (("name", word) for word in words)
    elif client.operands in ("name", "file"):
        yield from _read("name", words[0] if words else "")
    elif client.operands == "host":
        yield from (("host", word) for word in words[:1])
    elif client.operands == "address" and words:
        yield from _operand(words, program)


def _operand(words: list[str], program: str) -> Iterator[tuple[str, str]]:
    """The database, or an address of one; behind it psql takes the user."""
    first = words[0]
    if program.startswith("mongo") and "://" not in first:
        if first.endswith((".js", ".mongodb")):
            return
        host, slash, name = first.rpartition("/")
        if slash:
            yield "host", host
        yield "name", name
        return
    yield from _read("name", first)
    if program in ("psql", "pgcli"):
        yield from (("user", word) for word in words[1:2])


def _read(kind: str, value: str) -> Iterator[tuple[str, str]]:
    """What a value names: an address or a list of pairs names more than its option says."""
    address = _ADDRESS.match(value)
    if address is not None:
        for host in address["hosts"].split(","):
            if host:
                yield "host", host
        yield "name", address["name"] or ""
        yield "user", address["user"] or ""
        value = value.partition("?")[2]
    elif "=" not in value:
        values = _PORT.sub("", value).split(",") if kind == "host" else (value,)
        yield from ((kind, one) for one in values)
        return
    for pair in _PAIR.finditer(value):
        yield _PAIRS[pair[1]], pair[2].strip("'")
