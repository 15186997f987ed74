"""What a text is written in, where its caller does not know: cheap, and careful with prose."""

from __future__ import annotations

import re
from enum import StrEnum
from functools import lru_cache

MAX_HEAD = 400  # characters that the guess looks at
MAX_REMEMBERED = 2_048  # guesses that are kept


def word_set(text: str) -> frozenset[str]:
    """A set of words, written as one text."""
    return frozenset(text.split())


class Guess(StrEnum):
    """The answer of `guess`."""

    SQL = "sql"
    SHELL = "shell"
    JSON = "json"
    VALUE = "value"  # short; may be the value of a parameter
    TEXT = "text"  # prose or source code


_NAME = r"""[\w$."`\[\]@#\-]+"""
_END = r"\s*(?:;|\Z|--|/\*|,|\b(?:cascade|restrict|purge)\b|\#)"
# The shape behind the verb is part of it: "Drop table support in the next release" is prose.
_SQL = re.compile(
    rf"""\s*+(?:(?:--[^\n]*+\n|/\*(?:[^*]|\*(?!/))*+\*/)\s*+)*+\(?\s*+(?:
      select\b(?=\s*(?:[*'"(@\d-]|distinct\b|top\b|all\b|null\b|/\*|case\b
        |{_NAME}\s*(?:,|\(|from\b|as\b|;|\Z|\+|\|\|)))
    | select\b(?=.{{1,300}}?\bfrom\s+[\w"`\[(])
    | with\s+(?:recursive\s+)?{_NAME}\s*(?:\([^)]*\)\s*)?as\s*
        (?:(?:not\s+)?materialized\s*)?\(
    | insert\s+(?:ignore\s+|overwrite\s+)?into\s+(?:table\s+)?{_NAME}\s*
        (?:\(|values\b|select\b|default\b|as\b|with\b|{_NAME}\s)
    | update\s+(?:only\s+|low_priority\s+|ignore\s+)*{_NAME}(?:\s+(?:as\s+)?\w+)?
        \s+set\s+{_NAME}\s*=
    | delete\s+(?:{_NAME}\s+)?from\s+(?:only\s+)?{_NAME}\s*(?:;|\Z|--|/\*|\#
        |(?:as\s+)?(?:\w+\s+)?(?:where|using|limit|order|join|returning)\b)
    | truncate\s+(?:table\s+)?(?:only\s+)?{_NAME}(?:\s+(?:restart|continue)\s+identity)?{_END}
    | drop\s+(?:external\s+|temporary\s+|foreign\s+|materialized\s+)?
        (?:table|database|schema|view|index|user|role|function|procedure|trigger|sequence|type
        |extension|owned\s+by|keyspace|tablespace|login|policy)\s+
        (?:concurrently\s+)?(?:if\s+exists\s+)?{_NAME}(?:\s*\([^)]*\))?(?:\s+on\s+{_NAME})?{_END}
    | create\s+(?:or\s+replace\s+)?
        (?:temp\w*\s+|unique\s+|materialized\s+|external\s+|unlogged\s+|global\s+|local\s+)*
        (?:table|view|index|database|schema|user|role|function|procedure|trigger|sequence|type
        |extension|login)\s+(?:if\s+not\s+exists\s+)?{_NAME}\s*
        (?:\(|as\b|on\b|with\b|;|\Z|identified\b|for\b|returns\b|login\b|password\b|superuser\b
        |start\b|before\b|after\b)
    | alter\s+(?:table|database|schema|role|user|system|sequence|index|view|type|login)\s+
        (?:if\s+exists\s+|only\s+)*{_NAME}\s*
        (?:add|drop|alter|rename|set|reset|modify|change|with|owner|to
        |superuser|login|nosuperuser|enable|disable|attach|detach|=)\b
    | (?:grant|revoke)\s+[\w,\s()*."]{{1,200}}?\s(?:on\s+.{{1,200}}?\s)?(?:to|from)\s+{_NAME}
    | declare\s+@
    | (?:explain|prepare|declare)\s+.{{0,80}}?\b(?:select|delete|update|insert|with|table|cursor)\b
    | (?:exec|execute|call)\s+(?:immediate\b|{_NAME}\s*(?:\(|'|@|;|\Z|\d)|\()
    | copy\s+(?:{_NAME}|\()[^;]{{0,300}}?\b(?:from|to)\s+(?:program\b|'|stdin\b|stdout\b)
    | do\s+(?:language\s+\w+\s+)?(?:\$\w*\$|')
    | merge\s+into\s+{_NAME}
    | (?:begin|commit|rollback|start\s+transaction)\s*(?:transaction\s*)?;
    | (?:show|describe|desc)\s+(?:tables|databases|create\s+table|columns|index(?:es)?
        |processlist|full|variables|status|grants|{_NAME}{_END})
    | vacuum\b(?:\s+(?:full|analyze|verbose|\(|{_NAME}))?{_END}
    | set\s+(?:session|global|local|role|@?[\w.]+\s*(?:=|to\b))
    | shutdown\s*(?:;|\Z|--|with\s+nowait|immediate\b|abort\b)
    | (?:attach|detach)\s+(?:database\s+)?['"\w]
    | pragma\s+\w+ | use\s+\w+\s*; | flush\s+(?:privileges|tables|logs)
    | reassign\s+owned\b | refresh\s+materialized\b | lock\s+tables?\b
    | (?:load\s+data|backup\s+database|restore\s+database|purge\s+(?:binary|master)\s+logs)\b
    | waitfor\s+delay\b
    )""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
_SQL_FIRST = re.compile(r"[\s(]*(?:--|/\*|[a-z]{2,9}\b)", re.IGNORECASE)
_SHELL_NAME = re.compile(
    r"\s*(?:[A-Za-z_]\w*=(?:'[^']*'|\"[^\"]*\"|[^\s;|&]*)\s+)*\(?\{?\s*"
    r"(?P<name>(?:\.{0,2}/|~/|\\)?[\w./+\-]*[\w+\-])(?=[\s;|&)>]|\Z)(?P<rest>.*)",
    re.DOTALL,
)
# Commands that are no English words, or hardly begin a sentence.
_COMMANDS = word_set(
    "7z adb alias ansible ansible-playbook apk apt apt-get awk aws az base64 bash basename "
    "brew bun bunx bundle busybox cargo cd certbot chgrp chmod chown chroot clang cmake "
    "composer conda cp crontab curl dash dd deno df diff dig dirname dnf docker docker- "
    "compose doas dpkg dropdb du echo egrep env eslint eval export fdisk fgrep flask gcc "
    "gcloud gem gh git go gpg gradle grep gsutil gunzip gzip head helm heroku history "
    "hostname htop iptables java javac journalctl jq kill killall ksh kubectl ldconfig ln ls "
    "lsof mkdir mkfs mktemp mongo mongosh mount mv mvn mysql mysqladmin mysqldump nc ncat "
    "netcat netstat nginx nice node nohup npm npx nslookup openssl passwd perl pg_dump "
    "pg_restore pgrep php pip pip3 pipx pkill pnpm podman poetry popd printenv printf ps psql "
    "pulumi pushd pwd pytest python python2 python3 rails rake readlink realpath redis-cli rg "
    "rm rmdir rsync ruby ruff rustc scp sed service setsid sftp sh shred shutdown socat "
    "source sqlite3 ssh ssh-keygen stat su sudo supervisorctl systemctl tail tar tee telnet "
    "terraform tofu touch tr truncate tsc ufw umount uname uniq unlink unset unzip useradd "
    "userdel usermod uv uvx vagrant vault vim virsh wc wget whoami xargs xxd yarn yum zip zsh "
    "zfs zpool wipefs mkswap lvremove vgremove launchctl osascript defaults diskutil pwsh "
    "powershell fish nsenter rclone restic s3cmd doctl flyctl"
)
# Commands that are words too: they need something behind them that prose has not.
_WORDS = word_set(
    "at batch builtin cat command crash cut date exec expand file find install join kill last "
    "less link locate look make man more move nice open parallel paste patch read reboot "
    "screen script set sleep sort split strings sudo tail test time timeout top touch trap "
    "type wait watch which who write halt poweroff flock for if while case function until"
)
_EITHER = _COMMANDS | _WORDS
# Words that a disguise is worth putting on: commands, and verbs of SQL.
NAMES = _EITHER | word_set(
    "alter copy create delete drop execute grant insert merge revoke select union update"
)
_SHELLISH = re.compile(
    r"(?:\A|\s)--?[A-Za-z]|[|&]{1,2}|;|>|<|\$[\w({]|`|(?:\A|\s)(?:\.{0,2}/|~)|\*|\b\w+=|\w/\w"
)
_PIPED_TO_SHELL = re.compile(r"[|;&]\s*(?:sudo\s+)?(?:ba|z|da)?sh\b|&&\s*\w")
_PROSE = re.compile(r"(?:[A-Za-z]{2,},? ){5}")


@lru_cache(maxsize=MAX_REMEMBERED)
def _guess(head: str, length: int) -> Guess:
    stripped = head.lstrip()
    if not stripped:
        return Guess.TEXT
    if stripped[0] in "{[" and stripped[1:2] in tuple("\"'{[ \n\t]}0123456789tfn-"):
        return Guess.JSON
    if _SQL_FIRST.match(head) and _SQL.match(head):
        return Guess.SQL
    if _is_shell(head):
        return Guess.SHELL
    return Guess.VALUE if length <= MAX_HEAD * 10 else Guess.TEXT


def starts_sql(text: str) -> bool:
    """Whether a statement of SQL begins here, by its verb and what stands behind it."""
    return _SQL.match(text[:MAX_HEAD]) is not None


def guess(text: str) -> Guess:
    """What `text` looks like, from its beginning; the same for the same text."""
    return _guess(text[:MAX_HEAD], len(text))


def _is_shell(head: str) -> bool:
    found = _SHELL_NAME.match(head)
    if found is None:
        return False
    name, rest = found.group("name"), found.group("rest")
    if name.startswith(("./", "/", "~/", "../")):
        return "\n" not in head[: found.start("name")]
    if name.rpartition("/")[2] not in _EITHER and not name.startswith("mkfs."):
        return _PIPED_TO_SHELL.search(rest) is not None
    if _SHELLISH.search(rest):
        return True
    return name not in _WORDS and not _PROSE.search(rest)
