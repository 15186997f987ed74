"""Passwords where commands, statements and calls take them: by position, not by a name."""

from __future__ import annotations

import re
from dataclasses import dataclass

from policies.engine.family import Sign
from policies.engine.secrets.scan import Scan
from policies.engine.secrets.strength import (
    Written,
    is_password,
    is_strong_password,
    is_token,
    may_be_password,
)
from policies.engine.stretches import matches

MAX_COMMAND = 2_000  # characters of a command in which its flags are looked for
AFTER_ACCESS_KEY = 160  # characters after an access key in which its secret is looked for

_COMMAND_END = re.compile(r"(?<!\\)[\n|;]|&&|\s&\s")
_ARGUMENT = r"[\"']?([^\s\"'|;&]{3,128})"
_TO_THE_QUOTE = r"([^\s\"']{3,128})"
_USER = r"[\"']?[^\s:\"'/@]{1,64}"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Command:
    """Commands that take a password by the same flag; group 1 of `flag` is the password."""

    names: tuple[str, ...]
    flag: re.Pattern[str]
    needs: str = ""


def _command(names: str, flag: str, value: str = _ARGUMENT, *, needs: str = "") -> _Command:
    return _Command(names=tuple(names.split()), flag=re.compile(flag + value), needs=needs)


_SHORT_P = "docker podman buildah nerdctl skopeo helm az oc"  # of their `login`
# Each as its manual says.
_COMMANDS = (
    _command("curl wget http https xh ab", rf"\s(?:-u|--user)[ =]?{_USER}:", _TO_THE_QUOTE),
    _command("http https xh", rf"\s(?:-a|--auth)[ =]{_USER}:", _TO_THE_QUOTE),
    _command(
        "mysql mysqldump mysqladmin mysqlimport mysqlsh mysqlcheck mariadb mariadb-dump", r"\s-p"
    ),
    _command("mysqladmin", r"\spassword\s{1,4}"),
    _command("sshpass", r"\s-p\s{0,4}"),
    _command("redis-cli valkey-cli", r"\s(?:-a\s{0,4}|--pass[ =])"),
    _command(_SHORT_P, r"\s-p\s{0,4}", needs="login"),
    _command(
        "twine mongo mongosh mongodump mongorestore mongoexport mongoimport cqlsh influx "
        "cypher-shell beeline snowsql ncftpput ncftpget rdesktop winrm evil-winrm crackmapexec "
        "netexec nxc psexec PsExec PsExec64 mssql-cli",
        r"\s-p\s{0,4}",
    ),
    _command("ldapsearch ldapmodify ldapadd ldapdelete ldappasswd ldapwhoami", r"\s-w\s{0,4}"),
    _command(
        "sqlcmd bcp isql tsql osql zip unzip mosquitto_pub mosquitto_sub ipmitool p4",
        r"\s-P\s{0,2}",
    ),
    _command("7z 7za 7zz rar unrar", r"\s-h?p"),
    _command("openssl", r"\s[\"']?pass:"),
    _command("openssl", r"\s-k\s{1,4}", needs="enc"),
    _command("ssh-keygen", r"\s-[NP]\s{0,4}"),
    _command("ansible-vault", r"\sencrypt_string\s{1,4}"),
    _command("useradd usermod", r"\s(?:-p|--password)\s{1,4}"),
    _command("smbclient rpcclient net", r"\s-U\s{0,2}[\"']?[^\s%\"']{1,64}%"),
    _command("lftp ncftp", r"\s-u\s{0,2}[\"']?[^\s,\"']{1,64},"),
    _command("plink pscp psftp", r"\s-pw\s{1,4}"),
    _command("snmpwalk snmpget snmpset", r"\s-[AX]\s{1,4}"),
    _command("xfreerdp wfreerdp", r"\s/p:"),
    _command("schtasks", r"\s/rp\s{1,4}"),
    _command("sqlplus rman", r"\s[\"']?[\w$#]{1,60}/", r"([^\s\"'@/]{3,64})(?=@|\s{1,4}as\s)"),
    _command("expdp impdp", r"\s[\"']?[\w$#]{1,60}/", r"([^\s\"'@/]{3,64})"),
    _command("rabbitmqctl", r"\s(?:add_user|change_password)\s{1,4}\S{1,64}\s{1,4}"),
    _command("htpasswd", r"\s-\w{0,4}b\w{0,4}\s{1,4}\S{1,128}\s{1,4}\S{1,64}\s{1,4}"),
    _command("net", r"\suser\s{1,4}\S{1,64}\s{1,4}(?!/)"),
    _command("net", r"\suse\s{1,4}[^\n]{1,200}?/user:\S{1,64}\s{1,4}(?!/)"),
    _command("net", r"\suse\s{1,4}(?:\S{1,10}\s{1,4})?\\\\\S{1,128}\s{1,4}(?!/)", needs="/user:"),
    _command("wpa_passphrase", r"\s{1,4}\S{1,64}\s{1,4}"),
    _command("jenkins-cli jenkins-cli.jar", rf"\s-auth\s{{1,4}}{_USER}:"),
    _command("gh", r"\s(?:--body|-b)[ =]", needs="secret set"),
    _command("aws", r"\s--secret-string[ =]", needs="secretsmanager"),
    _command("aws", r"\s--value[ =]", needs="SecureString"),
    _command("az", r"\s--value[ =]", needs="keyvault"),
    _command("ConvertTo-SecureString", r"\s{1,4}(?:-String\s{1,4})?", needs="-AsPlainText"),
)
SIGNS = tuple(
    Sign(
        name=f"tool.{number}",
        pattern=rf"\b(?:{'|'.join(map(re.escape, command.names))})[ \t\\]",
    )
    for number, command in enumerate(_COMMANDS)
)
# What reads a secret from its standard input: `echo … | docker login --password-stdin`.
_READS = (
    r"(?:[\w\-]{1,20} login\b[^|\n]{0,200}--password-stdin|sudo\s{1,4}(?:-\w{1,4}\s{1,4}){0,3}-S\b"
    r"|kinit\b|passwd\b|(?:docker|podman) secret create|wrangler secret put|gcloud secrets"
    r"|vault (?:login|kv)|cryptsetup\b|gh (?:secret set|auth login)|az keyvault)"
)
# `echo 'root:…' | chpasswd` and the like; `kinit bob <<< …`.
_ECHO = r"\s{1,4}(?:-\w\s{1,4})?"
_PRINTS = ("echo", "printf")
_PIPED = (
    re.compile(rf"{_ECHO}{_USER}:{_TO_THE_QUOTE}(?=[\"']?\s{{0,4}}\|[^|\n]{{0,40}}chpasswd)"),
    re.compile(rf"{_ECHO}{_ARGUMENT}(?=[\"']?\s{{0,4}}\|\s{{0,4}}(?:sudo\s{{1,4}})?{_READS})"),
)
_HERE = "<<<"
_HERE_STRING = re.compile(rf"\b{_READS}[^\n|;]{{0,200}}?<<<\s{{0,4}}\$?{_ARGUMENT}")
REACH_OF_HERE = 500  # characters round its mark that a here-string and its command take
# From `identified` or `password` on.
_IDENTIFIED = re.compile(
    r"(?:identified\s{1,8}(?:with\s{1,8}[\w']{1,40}\s{1,8})?by(?:\s{1,8}password)?\s{1,8}"
    r"|password\s{1,8}for\s{1,8}\S{1,128}\s{0,8}=\s{0,8}(?:password\s{0,4}\(\s{0,4})?"
    r"|password\s{1,8}(?:=\s{0,4})?(?:\(\s{0,4})?|password(?:=\s{0,4}|\(\s{0,4}))n?"
    r"'((?:[^'\\]|''|\\.){1,128})'"
)
_NETRC = re.compile(
    r"machine(?<!\wmachine)\s{1,8}\S{1,200}\s{1,8}login\s{1,8}\S{1,128}\s{1,8}password\s{1,8}(\S{4,200})"
)
_STRING = r"(?:\"[^\"\n]{0,200}\"|'[^'\n]{0,200}')"
# Calls whose last string is a password: `DriverManager.getConnection(url, "app", "…")`.
_CALLS = (
    *("getConnection", "mysqli", "mysqli_connect", "mysql_connect", "PDO", "Sequelize", "Auth"),
    *("Credentials", "NetworkCredential", ".login", ".auth", "auth=", "auth = "),
)
_ARGUMENTS = re.compile(
    rf"\(\s{{0,8}}(?:(?:{_STRING}|[\w.:/$]{{1,100}})\s{{0,2}},\s{{0,8}}){{1,3}}"
    r"(?:\"([^\"\n]{4,128})\"|'([^'\n]{4,128})')(?=\s{0,8}[,)])"
)
_SIGN_IN_WORDS = ("creds", "credential", "login", "user/pass", "username/password", "log in with")
_SIGN_IN = re.compile(
    r"(?:s|word)?(?: for [\w .\-]{1,30}?)?\s{0,3}(?:is|are|:|=|with)?\s{1,3}"
    r"[\"'`]?[\w.@+\-]{2,40}[\"'`]?(?::|\s{1,2}[:/])\s{0,2}[\"'`]?([^\s\"'`/]{8,64})(?![/:])"
)
_CLOSING = ".,;:)]"
_AFTER_KEY = re.compile(r"(?<![A-Za-z0-9+/])[A-Za-z0-9+/]{40}(?![A-Za-z0-9+/=])")
_ACCESS_KEY = re.compile(r"A(?:KIA|SIA)[A-Z2-7]{16}")
_ACCOUNT_SID = re.compile(r"AC(?<!\wAC)[0-9a-f]{32}(?!\w)")
_AUTH_TOKEN = re.compile(r"(?<!\w)[0-9a-f]{32}(?!\w)")


def find_in_commands(scan: Scan) -> None:
    """Passwords where a command's flags take them."""
    text = scan.text
    for sign, command in zip(SIGNS, _COMMANDS, strict=True):
        for name in command.names if sign.name in scan.signs else ():
            position = text.find(name)
            while position >= 0:
                end = position + len(name)
                if _is_command(text, position, end):
                    stop = _COMMAND_END.search(text, end, end + MAX_COMMAND)
                    last = stop.start() if stop else min(len(text), end + MAX_COMMAND)
                    if not command.needs or text.find(command.needs, end, last) >= 0:
                        for match in command.flag.finditer(text, end, last):
                            _claim_password(scan, *match.span(1), rule="command.password")
                    end = last
                position = text.find(name, end)


def find_piped(scan: Scan) -> None:
    """Passwords that a command reads from another's output, or from a here-string."""
    text = scan.text
    for pattern in _PIPED if "|" in text else ():
        for name in _PRINTS:
            position = text.find(name)
            while position >= 0:
                end = position + len(name)
                if _begins(text, position) and (match := pattern.match(text, end)):
                    _claim_password(scan, *match.span(1), rule="command.password")
                    end = match.end()
                position = text.find(name, end)
    for match in matches(_HERE_STRING, text, (_HERE,), REACH_OF_HERE):
        _claim_password(scan, *match.span(1), rule="command.password")


def find_in_statements(scan: Scan) -> None:
    """Passwords in SQL that creates or changes users, and in .netrc files."""
    lower = scan.lower
    for word in ("identified", "password"):
        position = lower.find(word)
        while position >= 0:
            match = _IDENTIFIED.match(lower, position)
            if match is not None and not lower[position - 1 : position].isalnum():
                _claim_password(scan, *match.span(match.lastindex or 1), rule="sql.password")
            position = lower.find(word, position + len(word))
    if "machine" in lower:
        for match in _NETRC.finditer(scan.text):
            _claim_password(scan, *match.span(1), rule="file.netrc")


def find_in_calls(scan: Scan) -> None:
    """The password that a call for a connection or a sign-in takes as its last string."""
    text = scan.text
    for call in _CALLS:
        position = text.find(call)
        while position >= 0:
            end = position + len(call)
            match = _ARGUMENTS.match(text, end)
            if match is not None:
                start, end = match.span(match.lastindex or 1)
                _claim_in_call(scan, start, end)
            position = text.find(call, end)


def find_sign_ins(scan: Scan) -> None:
    """User name and password as people write them: `creds: ann / …`, `login ann:…`."""
    lower = scan.lower
    for word in _SIGN_IN_WORDS:
        position = lower.find(word)
        while position >= 0:
            end = position + len(word)
            match = _SIGN_IN.match(scan.text, end)
            if match is not None and is_strong_password(match[1].rstrip(_CLOSING)):
                start = match.start(1)
                scan.claim(
                    start,
                    start + len(match[1].rstrip(_CLOSING)),
                    kind="password_assignment",
                    rule="sentence",
                    confidence=0.7,
                    reason="A password written out in a sentence.",
                )
            position = lower.find(word, end)


def find_access_pairs(scan: Scan) -> None:
    """The secret that stands beside an AWS access key, as in a file of credentials."""
    for key in _ACCESS_KEY.finditer(scan.text):
        beside = _AFTER_KEY.search(scan.text, key.end(), key.end() + AFTER_ACCESS_KEY)
        if beside is not None and is_token(beside[0]):
            scan.claim(
                *beside.span(),
                kind="aws_secret_key",
                rule="aws.pair",
                confidence=0.9,
                reason="The secret beside an AWS access key.",
            )


def find_account_pairs(scan: Scan) -> None:
    """The token that stands beside the identifier of a Twilio account."""
    for account in _ACCOUNT_SID.finditer(scan.text):
        beside = _AUTH_TOKEN.search(scan.text, account.end(), account.end() + AFTER_ACCESS_KEY)
        if beside is not None and is_token(beside[0]):
            scan.claim(
                *beside.span(),
                kind="twilio_token",
                rule="twilio.pair",
                confidence=0.85,
                reason="The token beside the identifier of a Twilio account.",
            )


def _claim_in_call(scan: Scan, start: int, end: int) -> None:
    if is_password(scan.text[start:end], Written.QUOTED):
        scan.claim(
            start,
            end,
            kind="password_assignment",
            rule="code.call",
            confidence=0.8,
            reason="A password written out in a call that signs in.",
        )


def _begins(text: str, start: int) -> bool:
    left = text[start - 1 : start]
    return not (left.isalnum() or left == "_")


def _is_command(text: str, start: int, end: int) -> bool:
    left, right = text[start - 1 : start], text[end : end + 1]
    return not (left.isalnum() or left in ("_", "-", ".")) and right in (" ", "\t", "\\")


def _claim_password(scan: Scan, start: int, end: int, *, rule: str) -> None:
    value = scan.text[start:end]
    if not scan.may_judge():
        taken = may_be_password(value)
    else:
        taken = is_password(value, Written.QUOTED) or is_token(value)
    if taken:
        scan.claim(
            start,
            end,
            kind="password_assignment",
            rule=rule,
            confidence=0.9,
            reason="A password written out in a command or statement.",
        )
