"""Shell: the commands a text runs, what they touch, and those that need a person."""

from __future__ import annotations

import base64
import binascii
import re
import shlex
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from policies.engine.family import Sign
from policies.engine.findings import Report, View
from policies.engine.language import Guess, guess
from policies.engine.mapped import Mapped
from policies.engine.operation import Language
from policies.engine.shell import files, network, services, system, versions
from policies.engine.shell.calls import (
    SHELLS,
    XARGS_VALUED,
    Call,
    Script,
    after_options,
    base_name,
    calls,
)
from policies.engine.shell.code import Found, read_code, sed_command
from policies.engine.shell.executed import executed
from policies.engine.shell.facts import facts
from policies.engine.shell.hits import Hit, breadth, is_credential, written_place
from policies.engine.shell.output import output_of, produced, stdin_of
from policies.engine.shell.reader import (
    MAX_LENGTH,
    UNKNOWN,
    Command,
    Reader,
    Word,
    join,
    unescape,
)

MAX_ITEMS = 200  # of the input of xargs that are put into its command

Rule = Callable[[Call], Iterator[Hit]]

REFERENCES = {
    "reverse_shell": "https://attack.mitre.org/techniques/T1059/",
    "raw_socket": "https://attack.mitre.org/techniques/T1095/",
    "download_execute": "https://attack.mitre.org/techniques/T1105/",
    "opaque_execute": "https://attack.mitre.org/techniques/T1027/",
    "delete_broad": "https://attack.mitre.org/techniques/T1485/",
    "disk_overwrite": "https://attack.mitre.org/techniques/T1561/",
    "credential_read": "https://attack.mitre.org/techniques/T1552/",
    "credential_upload": "https://attack.mitre.org/techniques/T1048/",
    "persistence": "https://attack.mitre.org/techniques/T1546/",
    "privilege_change": "https://attack.mitre.org/techniques/T1098/",
    "defence_off": "https://attack.mitre.org/techniques/T1562/",
    "trace_delete": "https://attack.mitre.org/techniques/T1070/",
    "cloud_delete": "https://attack.mitre.org/techniques/T1485/",
}

_RULES: dict[str, tuple[Rule, ...]] = {}


def _rules(names: str, *rules: Rule) -> None:
    for name in names.split():
        _RULES[name] = (*_RULES.get(name, ()), *rules)


_rules("rm rmdir unlink rimraf trash del", files.remove)
_rules("find gfind", files.find)
_rules("dd shred srm wipefs blkdiscard mkswap cryptsetup-erase badblocks", files.overwrite)
_rules("parted sgdisk diskutil gdisk sfdisk", files.partition)
_rules("chmod chown chgrp", files.permissions)
_rules("truncate tee cp mv install ln sed scp", files.truncate)
_rules("rsync", files.rsync)
_rules("tar bsdtar zip", files.archive)
_rules("git", versions.git, system.agent)
_rules("claude codex gemini cursor-agent", system.agent)
_rules(" ".join(sorted(services.TOOLS)), services.cloud)
_rules("docker podman nerdctl docker-compose", services.container)
_rules(
    "rake rails php python python3 ruby manage.py django-admin artisan prisma sequelize "
    "sequelize-cli typeorm mix knex alembic flyway liquibase console drizzle-kit wp drush dotnet "
    "dotnet-ef supabase bench npm pnpm yarn cargo gem dropdb dropuser mysqladmin redis-cli "
    "valkey-cli kafka-topics kafka-topics.sh kafka-delete-records.sh pg_resetwal pg_dropcluster",
    services.framework,
)
_rules(
    "useradd userdel usermod groupadd groupdel gpasswd adduser deluser passwd chpasswd visudo dscl",
    system.account,
)
_rules(
    "iptables ip6tables ebtables arptables nft ufw setenforce auditctl csrutil spctl",
    system.firewall,
)
_rules("systemctl service launchctl rc-service", system.service)
_rules("shutdown reboot halt poweroff init telinit", system.machine)
_rules("kill killall killall5 pkill", system.kill)
_rules("crontab", system.schedule)
_rules("insmod rmmod", system.module)
_rules("history journalctl wevtutil", system.logs)
_rules("apt apt-get dpkg yum dnf pacman zypper", system.packages)
_rules("nc ncat netcat nc.traditional nc.openbsd socat telnet", network.reverse_shell)

_EVERYWHERE: tuple[Rule, ...] = (
    network.upload,
    network.read_credentials,
    network.executes_input,
)

# Clients of databases: options that take a statement, and where else it can stand.
_CLIENTS: dict[str, tuple[str, ...]] = {
    "psql": ("-c", "--command"),
    "pgcli": ("-c",),
    "mysql": ("-e", "--execute"),
    "mariadb": ("-e", "--execute"),
    "mycli": ("-e", "--execute"),
    "sqlite3": ("-cmd",),
    "sqlite": (),
    "duckdb": ("-c", "-s"),
    "clickhouse-client": ("-q", "--query"),
    "clickhouse": ("-q", "--query"),
    "sqlcmd": ("-Q", "-q"),
    "cockroach": ("-e", "--execute"),
    "snowsql": ("-q", "--query"),
    "cqlsh": ("-e", "--execute"),
    "usql": ("-c",),
    "trino": ("--execute",),
    "presto": ("--execute",),
    "beeline": ("-e",),
    "hive": ("-e",),
    "heroku": ("-c", "--command"),
    "d1": ("--command",),
    "wrangler": ("--command",),
    "bq": (),
    "osql": ("-Q", "-q"),
    "isql": (),
    "sqlplus": (),
}
_MONGO = frozenset(["mongo", "mongosh"])
_CODE_FLAGS = {
    "python": "c", "python2": "c", "python3": "c", "perl": "eE", "ruby": "e", "node": "ep",
    "nodejs": "ep", "deno": "", "bun": "e", "php": "r", "lua": "e", "osascript": "e",
    "Rscript": "e", "julia": "eE",
}  # fmt: skip
_AWK = frozenset(["awk", "gawk", "mawk", "nawk"])
_PLAIN = re.compile(r"[\w./=:@%+,-]+(?: [\w./=:@%+,-]+)*\s?\Z")
_FORK_BOMB = re.compile(r"(?P<name>[\w:.]{1,20})\s*\(\)\s*\{\s*(?P=name)\s*\|\s*(?P=name)\s*&")
_INVISIBLE = re.compile(
    "[\u200b-\u200f\u2060-\u2064\ufeff\u00ad\u202a-\u202e\u2066-\u2069\U000e0000-\U000e007f]"
)
_LOOKALIKES = str.maketrans("асеорхуіѕԁɡһјӏмтк", "aceopxyisdghjlmtk")


class Shell:
    """The family `shell`."""

    name = "shell"
    signs: Sequence[Sign] = (
        Sign(name="any", pattern=r"[a-z>:]"),
        Sign(
            name="verb",
            pattern=r"\b(rm|dd|mkfs|shred|git|curl|wget|sudo|bash|sh|zsh|eval|exec|chmod|chown|kubectl|"
            r"terraform|docker|aws|gcloud|az|nc|ssh|python3?|perl|node|find|xargs|psql|mysql|sqlite3|"
            r"dropdb|base64|crontab|iptables|systemctl|cat|tee|mv|cp)\b",
        ),
    )

    def examine(self, view: View, signs: frozenset[str], report: Report) -> None:
        """Report commands, files, hosts and packages as facts; dangerous commands as findings."""
        language = view.language
        if language == Language.AUTO and "verb" in signs:
            language = guess(view.text)
        if language not in (Language.SHELL, Guess.SHELL) or not view.text.strip():
            return
        text = view.text
        if _PLAIN.match(text) and "\n" not in text:
            self._plain(view, report)
            return
        reader = Reader(text, evaluate=output_of)
        for command in reader.read():
            self._command(view, command, reader, report)
        _written_and_run(view, reader, report)
        if reader.truncated or len(text) > MAX_LENGTH:
            report.truncated = True
            report.fact("shell.opaque", "truncated")
        bomb = _FORK_BOMB.search(text[:MAX_LENGTH])
        if bomb:
            hit = Hit(rule="fork_bomb", reason="Starts copies of itself without end.")
            _report(view, bomb.start(), bomb.end(), hit, report)

    def _plain(self, view: View, report: Report) -> None:
        """A command of plain words, which needs no reader."""
        words: list[Word] = []
        at = 0
        for part in view.text.split():
            at = view.text.index(part, at)
            words.append(Word(part, at, at + len(part), ((len(part), at, at + len(part)),)))
            at += len(part)
        while words and re.fullmatch(r"[A-Za-z_]\w*=.*", words[0].text):
            words = words[1:]
        if not words:
            return
        command = Command(words=words, start=words[0].start, end=words[-1].end)
        self._command(view, command, None, report)

    def _command(self, view: View, command: Command, reader: Reader | None, report: Report) -> None:
        if not command.words:
            call = Call("", (), command)
            for hit in files.redirects(call):
                _report(view, command.start, command.end, hit, report)
            return
        made, scripts = calls(command)
        for call in made:
            self._call(view, call, reader, report)
        for script in scripts:
            self._script(view, command, script, reader, report)
        if command.redirects:
            for hit in (*files.redirects(made[0]), *_sockets(made)):
                _report(view, command.start, command.end, hit, report)

    def _call(self, view: View, call: Call, reader: Reader | None, report: Report) -> None:
        name = call.name
        if UNKNOWN in name or not name:
            report.fact("shell.opaque", "command")
            return
        if not name.isascii():
            name = call.name = _folded(name)
        report.fact("shell.command", name)
        for fact, value in facts(call):
            report.fact(fact, value)
        for word, path in executed(call):
            report.execute(view, word.start, word.end, path)
        rules = _RULES.get(name) or _RULES.get(name.lower(), ())  # some file systems fold case
        if name.startswith(("mkfs", "newfs")):
            rules = (files.overwrite,)
        for rule in (*rules, *_EVERYWHERE):
            for hit in rule(call):
                if hit.rule == "opaque_execute":
                    report.fact("shell.opaque", "input")
                    if self._seen_through(view, call, reader, report):
                        continue
                if hit.rule == "permission_broad" and _in_new_container(view, call):
                    continue
                _report(view, call.command.start, call.command.end, hit, report)
        self._nested(view, call, reader, report)

    def _seen_through(self, view: View, call: Call, reader: Reader | None, report: Report) -> bool:
        """Whether what a shell reads could be worked out (it is then examined by itself)."""
        return reader is not None and stdin_of(call.command, reader.text, reader.shift) is not None

    # Nested texts ----------------------------------------------------------------------------

    def _script(
        self, view: View, command: Command, script: Script, reader: Reader | None, report: Report
    ) -> None:
        inside = [
            other
            for other in (reader.commands if reader else ())
            if any(word.start <= other.start and other.end <= word.end for word in script.words)
        ]
        hit = network.opaque_text(script.words, command, inside)
        if hit is not None:
            report.fact("shell.opaque", script.layer)
            if script.layer == "eval" or hit.rule == "download_execute" or inside:
                _report(view, command.start, command.end, hit, report)
        nested = _joined_view(view, script.words, "shell", script.layer)
        if nested.text.strip(UNKNOWN + " "):
            report.nest(nested)

    def _nested(self, view: View, call: Call, reader: Reader | None, report: Report) -> None:
        name = call.name
        if name in SHELLS and not any(not text.startswith("-") for text in call.arguments):
            self._input(view, call, reader, "shell", report)
        elif name in _CLIENTS:
            self._client(view, call, reader, _CLIENTS[name], report)
        elif name in ("xargs", "gxargs") and reader is not None:
            _filled(view, call, reader, report)
        elif name in _MONGO:
            self._mongo(view, call, reader, report)
        elif name in _CODE_FLAGS:
            self._code(view, call, reader, report)
        elif name in _AWK or name in ("sed", "gsed"):
            self._awk_or_sed(view, call, report)
        elif name in network.DOWNLOADERS:
            _parameters(view, call, report)
        elif name in ("powershell", "pwsh"):
            self._powershell(view, call, report)
        elif name in ("at", "batch"):
            self._input(view, call, reader, "shell", report)

    def _input(
        self, view: View, call: Call, reader: Reader | None, language: str, report: Report
    ) -> None:
        """What a program reads, where the text tells it: a here-document, a string, a pipe."""
        if reader is None:
            return
        for redirect in call.command.redirects:
            if redirect.body:
                report.nest(view.part(*redirect.body, language=language, layer="heredoc"))
                return
            if redirect.operator == "<<<" and redirect.target is not None:
                report.nest(_joined_view(view, [redirect.target], language, "here-string"))
                return
        if not call.command.source:
            return
        source = call.command.source
        if (
            len(source) == 1
            and source[0].words
            and source[0].words[0].text == "echo"
            and len(source[0].words) == 2
        ):
            report.nest(_joined_view(view, source[0].words[1:], language, "pipe"))
            return
        data = stdin_of(call.command, reader.text, reader.shift)
        if data:
            start = min(command.start for command in network.upstream(source))
            text = data.decode("utf-8", "replace")
            report.nest(_made_view(view, text, start, call.command.start, language, "pipe"))

    def _client(
        self,
        view: View,
        call: Call,
        reader: Reader | None,
        options: tuple[str, ...],
        report: Report,
    ) -> None:
        words = call.words[1:]
        given = False
        for index, word in enumerate(words):
            if word.text in options and index + 1 < len(words):
                report.nest(
                    _joined_view(view, [words[index + 1]], "sql", f"{call.name} {word.text}")
                )
                given = True
                continue
            for option in options:
                if word.text.startswith(option + "=") or (
                    len(option) == 2 and word.text.startswith(option) and len(word.text) > 3
                ):
                    skip = len(option) + (word.text[len(option) : len(option) + 1] == "=")
                    nested = _joined_view(view, [word], "sql", f"{call.name} {option}")
                    report.nest(nested.part(skip, len(nested.text), language="sql", layer=option))
                    given = True
        if call.name in ("sqlite3", "sqlite", "bq", "duckdb") and not given:
            for word in words[1:]:
                if " " in word.text or word.text.endswith(";"):
                    report.nest(_joined_view(view, [word], "sql", call.name))
                    given = True
        if not given:
            self._input(view, call, reader, "sql", report)

    def _mongo(self, view: View, call: Call, reader: Reader | None, report: Report) -> None:
        words = call.words[1:]
        for index, word in enumerate(words):
            if word.text == "--eval" and index + 1 < len(words):
                report.nest(_joined_view(view, [words[index + 1]], "mongo", "mongosh --eval"))
                return
            if word.text.startswith("--eval="):
                report.nest(_joined_view(view, [word], "mongo", "mongosh --eval"))
                return
        self._input(view, call, reader, "mongo", report)

    # Programs in other languages -------------------------------------------------------------

    def _code(self, view: View, call: Call, reader: Reader | None, report: Report) -> None:
        letters = _CODE_FLAGS[call.name]
        words = call.words[1:]
        for index, word in enumerate(words):
            text = word.text
            if text == "--" or not text.startswith("-"):
                if call.name == "deno" and text == "eval" and index + 1 < len(words):
                    self._program(
                        view,
                        _joined_view(view, [words[index + 1]], "code", "deno eval"),
                        call,
                        report,
                    )
                    return
                break
            named = text in ("--eval", "--print", "--run")
            if (
                named or (not text.startswith("--") and text[-1:] in letters and letters)
            ) and index + 1 < len(words):
                program = _joined_view(view, [words[index + 1]], "code", f"{call.name} {text}")
                self._program(view, program, call, report)
                return
            if not text.startswith("--") and text[1:2] in letters and letters and len(text) > 3:
                program = _joined_view(view, [word], "code", f"{call.name} {text[:2]}")
                self._program(view, program, call, report)
                return
        for redirect in call.command.redirects:
            if redirect.body:
                program = view.part(*redirect.body, language="code", layer="heredoc")
                self._program(view, program, call, report)
                return
            if redirect.operator == "<<<" and redirect.target is not None:
                program = _joined_view(view, [redirect.target], "code", "here-string")
                self._program(view, program, call, report)
                return
        if (
            reader is not None
            and call.command.source
            and not any(not text.startswith("-") for text in call.arguments)
        ):
            data = stdin_of(call.command, reader.text, reader.shift)
            if data:
                text = data.decode("utf-8", "replace")
                start, end = call.command.source[0].start, call.command.start
                program = _made_view(view, text, start, end, "code", "pipe")
                self._program(view, program, call, report)

    def _program(self, view: View, program: View, call: Call, report: Report) -> None:
        for found in read_code(program.text):
            if found.kind in ("shell", "sql"):
                if found.whole and "\\" not in found.text:
                    layer = call.name
                    report.nest(
                        program.part(found.start, found.end, language=found.kind, layer=layer)
                    )
                else:
                    text = re.sub(r"\\([^\n])", r"\1", unescape(found.text))
                    report.nest(_spread(program, text, found, found.kind, call.name))
                continue
            hit = _program_hit(found, call)
            if hit is not None:
                _report(view, call.command.start, call.command.end, hit, report)
            elif found.kind == "data":
                _decoded_program(program, found, call, report)
            elif found.kind in ("read", "write"):
                report.fact(f"file.{found.kind}", found.text)

    def _awk_or_sed(self, view: View, call: Call, report: Report) -> None:
        words = [word for word in call.words[1:] if not word.text.startswith("-")][:1]
        if not words:
            return
        if call.name in _AWK:
            program = _joined_view(view, words, "code", call.name)
            self._program(view, program, call, report)
            for found in re.finditer(
                r'"([^"]{1,400})"\s*\|\s*getline|print\s+"([^"]{1,400})"\s*\|\s*"(?:ba|z)?sh"',
                program.text,
            ):
                group = found.lastindex or 1
                report.nest(program.part(*found.span(group), language="shell", layer=call.name))
            return
        for word in call.words[1:]:
            command = sed_command(word.text)
            if command:
                at = word.text.find(command)
                whole = _joined_view(view, [word], "shell", "sed e")
                report.nest(whole.part(at, at + len(command), language="shell", layer="sed e"))

    def _powershell(self, view: View, call: Call, report: Report) -> None:
        words = call.words[1:]
        for word, following in pairwise(words):
            option = word.text.lower()
            if option.startswith(("-e", "/e")) and "-encodedcommand".startswith(
                option.replace("/", "-")
            ):
                try:
                    text = base64.b64decode(following.text, validate=False).decode(
                        "utf-16-le", "replace"
                    )
                except (ValueError, binascii.Error):
                    report.fact("shell.opaque", "encoded command")
                    continue
                nested = _made_view(
                    view, text, following.start, following.end, "shell", "encoded command"
                )
                report.nest(nested)
            elif option in ("-c", "-command", "/c"):
                report.nest(_joined_view(view, [following], "shell", "powershell"))


def _filled(view: View, call: Call, reader: Reader, report: Report) -> None:
    """What xargs runs, where its input is known: the input put into its command."""
    data = stdin_of(call.command, reader.text, reader.shift)
    at = 1 + after_options(call.words[1:], XARGS_VALUED)
    template = [word.text for word in call.words[at:]]
    if not data or not template or not call.command.source:
        return
    items = data.decode("utf-8", "replace").split()[:MAX_ITEMS]
    options = [word.text for word in call.words[1:at]]
    mark = _replaced(options)
    if mark:
        line = " ".join(items)
        filled = " ".join(shlex.quote(text.replace(mark, line)) for text in template)
    else:
        filled = " ".join(shlex.quote(text) for text in [*template, *items])
    start, end = call.command.source[0].start, call.command.end
    report.nest(_made_view(view, filled, start, end, "shell", "xargs"))


def _replaced(options: Sequence[str]) -> str:
    """The mark that xargs replaces by its input; blank when it appends."""
    for option, following in zip(options, [*options[1:], ""], strict=False):
        if option in ("-I", "-J"):
            return following
        if option.startswith(("-I", "-J")):
            return option[2:]
        if option in ("-i", "--replace", "--replace="):
            return "{}"
        if option.startswith("--replace="):
            return option.partition("=")[2]
    return ""


def _written_and_run(view: View, reader: Reader, report: Report) -> None:
    """A file that a command writes with known content and a later one runs."""
    written: dict[str, tuple[str, int, int]] = {}
    for command in reader.commands:
        name = base_name(command.words[0]) if command.words else ""
        runs = (
            command.words[0].text if "/" in (command.words[0].text if command.words else "") else ""
        )
        if name in SHELLS or name in ("source", "."):
            runs = next(
                (word.text for word in command.words[1:] if not word.text.startswith("-")), ""
            )
        known = written.get(join(command.cwd, runs)) if runs else None
        if known is not None:
            report.nest(_made_view(view, *known, "shell", "written and run"))
        path = _target(command)
        if path and (data := produced(command, reader.text, reader.shift)):
            text = data.decode("utf-8", "replace")
            written[path] = (text, command.start, command.end)


def _target(command: Command) -> str:
    """The file that a command's output goes to."""
    for redirect in command.redirects:
        if redirect.operator in (">", ">>", ">|") and redirect.target is not None:
            return join(command.cwd, redirect.target.text)
    if command.words and command.words[0].text == "tee" and len(command.words) > 1:
        return join(command.cwd, command.words[-1].text)
    return ""


def _sockets(made: Sequence[Call]) -> Iterator[Hit]:
    for call in made:
        if call.name not in ("nc", "ncat", "netcat", "socat", "telnet"):
            yield from network.reverse_shell(call)


def _in_new_container(view: View, call: Call) -> bool:
    """Whether the call runs in a container that `docker run` has just made."""
    return any(name.endswith(" run") for name in (*call.wrappers, *view.layer.split(" > ")))


def _program_hit(found: Found, call: Call) -> Hit | None:
    if found.kind == "delete":
        why = breadth(Word(found.text, 0, 0), call.command.cwd)
        return (
            Hit(rule="delete_broad", reason=f"A program deletes recursively {why}.")
            if why
            else None
        )
    if found.kind == "socket":
        return Hit(rule="reverse_shell", reason="A program ties a shell to a network connection.")
    if found.kind == "fetch":
        return Hit(rule="download_execute", reason="A program runs what it has just downloaded.")
    if found.kind == "write":
        rule, reason = written_place(found.text)
        return Hit(rule=rule, reason=reason) if rule else None
    if found.kind == "read" and is_credential(found.text):
        return Hit(rule="credential_read", reason="A program reads a file of credentials.")
    return None


def _decoded_program(program: View, found: Found, call: Call, report: Report) -> None:
    """Data that a program decodes and runs: read as a program and as a command."""
    data = found.text
    try:
        raw = (
            bytes.fromhex(data)
            if re.fullmatch(r"(?:[0-9a-fA-F]{2})+", data)
            else base64.b64decode(data)
        )
    except (ValueError, binascii.Error):
        report.fact("shell.opaque", "encoded program")
        return
    text = raw.decode("utf-8", "replace")
    for inner in read_code(text):
        if inner.kind == "shell":
            report.nest(_spread(program, inner.text, found, "shell", f"{call.name} decode"))
    report.nest(_spread(program, text, found, "shell", f"{call.name} decode"))


def _parameters(view: View, call: Call, report: Report) -> None:
    """Values in URLs and bodies that are sent: they may carry an injection."""
    words = call.words[1:]
    for index, word in enumerate(words):
        text = word.text
        before = words[index - 1].text if index else ""
        if before in ("-H", "--header", "-A", "--user-agent", "-o", "-u"):
            continue
        if text.startswith(("{", "[")):
            report.nest(_joined_view(view, [word], "auto", "request body"))
        elif (
            "=" in text
            and not text.startswith("-")
            and (
                "?" in text
                or call.name in ("http", "https", "xh")
                or before
                in (
                    "-d",
                    "--data",
                    "--data-raw",
                    "--data-urlencode",
                    "--data-binary",
                    "-F",
                    "--form",
                    "--form-string",
                    "--post-data",
                    "--url-query",
                )
            )
        ):
            report.nest(_joined_view(view, [word], "url", "request"))


def _joined_view(view: View, words: Sequence[Word], language: str, layer: str) -> View:
    """The texts of `words`, joined by blanks, with the place of each character."""
    if len(words) == 1 and (start := words[0].contiguous()) is not None:
        return view.part(start, start + len(words[0].text), language=language, layer=layer)
    places: list[int] = []
    for word in words:
        if places:
            places[-1] = min(places[-1], word.start)
        places.extend(word.offsets())
    text = " ".join(word.text for word in words)
    return _mapped(view, text, places, language, layer)


def _made_view(view: View, text: str, start: int, end: int, language: str, layer: str) -> View:
    """A text that was worked out of `[start, end)`: every part of it is placed on the whole.

    Which characters a part was made of is not known, and less than all may leave some of it.
    """
    count = len(text)
    made = Mapped(text=text, starts=[start] * count, ends=[end] * count)
    return view.derived(made, language=language, layer=layer)


def _spread(program: View, text: str, found: Found, language: str, layer: str) -> View:
    return _made_view(program, text, found.start, found.end, language, layer)


def _mapped(view: View, text: str, places: list[int], language: str, layer: str) -> View:
    limit = len(view.text)
    places = [min(place, limit) for place in places]
    # A character reaches to the next one, over the quotes between them.
    ends = [min(limit, max(here + 1, following)) for here, following in pairwise(places)]
    made = Mapped(text=text, starts=places[:-1], ends=ends)
    return view.derived(made, language=language, layer=layer)


def _folded(name: str) -> str:
    """A name without invisible characters, and with look-alikes as the letters they imitate."""
    plain = unicodedata.normalize("NFKC", _INVISIBLE.sub("", name))
    return plain.translate(_LOOKALIKES)


def _report(view: View, start: int, end: int, hit: Hit, report: Report) -> None:
    report.find(
        view,
        max(0, start),
        min(max(start + 1, end), len(view.text)),
        kind="shell.dangerous",
        rule=hit.rule,
        reason=hit.reason,
        confidence=hit.confidence,
        reference=REFERENCES.get(hit.rule, ""),
    )
