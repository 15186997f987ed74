"""Rules about what goes out, what comes in and is run, and shells handed to others."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from policies.engine.language import word_set
from policies.engine.shell.calls import SHELLS, Call, base_name
from policies.engine.shell.hits import Hit, has, is_credential, is_secret, operands
from policies.engine.shell.reader import UNKNOWN, Command, Word, join

DOWNLOADERS = word_set("curl wget fetch aria2c http https httpie xh lynx w3m axel lwp-request GET")
_UPLOADERS = DOWNLOADERS | word_set(
    "nc ncat netcat socat ftp tftp telnet sendmail mail mailx mutt scp rsync sftp aws gsutil "
    "rclone ssh"
)
READERS = word_set(
    "cat less more head tail tac nl od xxd hexdump strings base64 base32 grep egrep fgrep rg "
    "awk sed cut sort uniq cp mv scp rsync tar zip gzip bat view vim vi nano emacs code jq yq "
    "source openssl gpg diff tee dd paste rev fold column"
)
INTERPRETERS = word_set(
    "python python2 python3 perl ruby node nodejs deno bun php lua pwsh powershell osascript "
    "Rscript julia tclsh iex"
)
_DECODERS = word_set(
    "base64 base32 xxd openssl gunzip zcat gzip rev tr uudecode bunzip2 unxz xz gpg hex sed "
    "awk perl python python3 printf echo dd cut od"
)
_REVERSE = re.compile(r"/dev/(?:tcp|udp)/")
_INIT = re.compile(
    r"\b(?:init|hook|env|shellenv|shell-init|completions?|activate|ssh-agent|keychain|dircolors|docker-env|"
    r"export|lesspipe|gnome-keyring-daemon|printenv|config-env|podman-env|load|setup|prompt|tset|resize|"
    r"locale|mise|fnm|rbenv|pyenv|direnv|starship|zoxide|thefuck|brew|opam|luarocks|stack|cat|jq|grep|sed|"
    r"ssm|get-caller|configure|set_env|vars|getopt)\b"
)


def downloads(commands: Sequence[Command]) -> bool:
    """Whether one of the commands fetches something from the network."""
    return any(base_name(word) in DOWNLOADERS for command in commands for word in command.words[:6])


def upload(call: Call) -> Iterator[Hit]:
    """Credentials and secret files given to a program that sends."""
    if call.name in _UPLOADERS:
        for path in _sent_files(call):
            if is_secret(path):
                yield Hit(
                    rule="credential_upload",
                    reason="Sends a file of credentials to another machine.",
                )
                return
        for source in call.command.source:
            names = [word.text for word in source.words[1:]]
            if source.words and any(is_secret(name.removeprefix("if=")) for name in names):
                yield Hit(
                    rule="credential_upload",
                    reason="Sends what it read from a file of credentials.",
                )
                return
            if (
                source.words
                and source.words[0].text in ("env", "printenv", "set")
                and len(source.words) == 1
            ):
                yield Hit(
                    rule="credential_upload", reason="Sends the environment, where secrets are."
                )
                return
    if call.name in DOWNLOADERS and any(
        re.search(
            r"https?://169\.254\.169\.254|metadata\.google\.internal|/latest/meta-data/iam", text
        )
        for text in call.arguments
    ):
        yield Hit(
            rule="credential_read",
            reason="Reads the credentials of the cloud machine (metadata service).",
        )


def _sent_files(call: Call) -> Iterator[str]:
    arguments = call.arguments
    for index, text in enumerate(arguments):
        following = arguments[index + 1] if index + 1 < len(arguments) else ""
        if text in ("-T", "--upload-file", "--post-file", "--body-file"):
            yield following
        elif text.startswith(("--upload-file=", "--post-file=", "--body-file=")):
            yield text.partition("=")[2]
        elif "@" in text and call.name in DOWNLOADERS:
            yield text.rpartition("@")[2].partition(";")[0]
        elif text.startswith("-T") and len(text) > 2:
            yield text[2:]
    if call.name in ("scp", "rsync", "aws", "gsutil", "rclone", "sftp"):
        words = [word.text for word in operands(call)]
        if words and (re.match(r"[\w.@-]+:|s3://|gs://|[\w-]+://", words[-1])):
            yield from words[:-1]
    for redirect in call.command.redirects:
        if redirect.operator == "<" and redirect.target is not None:
            yield redirect.target.text


def read_credentials(call: Call) -> Iterator[Hit]:
    """Keys and passwords of a person printed or copied."""
    if call.name not in READERS:
        return
    for word in call.words[1:]:
        path = join(call.command.cwd, word.text.removeprefix("if="))
        if is_credential(path) and not path.endswith(".pub"):
            if call.name in ("cp", "mv", "scp", "rsync", "tee") and word is call.words[-1]:
                continue
            if call.name in ("sed",) and call.arguments[:1] == ["-i"]:
                continue
            yield Hit(
                rule="credential_read", reason="Reads a file of credentials.", confidence=0.85
            )
            return


def reverse_shell(call: Call) -> Iterator[Hit]:
    """A shell tied to a socket."""
    command = call.command
    for redirect in command.redirects:
        if redirect.target is not None and _REVERSE.match(redirect.target.text):
            if call.name in SHELLS or call.name == "exec" or call.name in ("cat", "0<&196"):
                yield Hit(rule="reverse_shell", reason="Ties a shell to a network connection.")
            else:
                yield Hit(
                    rule="raw_socket",
                    reason="Sends or reads through a raw network connection.",
                    confidence=0.8,
                )
            return
    if call.name in ("nc", "ncat", "netcat", "nc.traditional", "nc.openbsd"):
        flags = "".join(text[1:] for text in call.arguments if re.fullmatch(r"-[a-zA-Z]+", text))
        if (
            "e" in flags
            or has(call.arguments, "--exec", "--sh-exec", "-c")
            or any(text.startswith(("--exec=", "--sh-exec=")) for text in call.arguments)
        ) or (
            command.source
            and any(
                base_name(source.words[0]) in SHELLS for source in command.source if source.words
            )
        ):
            yield Hit(rule="reverse_shell", reason="Hands a shell to a network connection.")
        elif command.piped and "l" not in flags:
            yield Hit(
                rule="raw_socket",
                reason="Reads commands from a raw network connection.",
                confidence=0.6,
            )
    elif call.name == "socat" and any(
        re.match(r"(?i)(?:exec|system|shell):", text) for text in call.arguments
    ):
        if any(
            re.match(r"(?i)(?:tcp|udp|openssl|ssl)\d?(?:-\w+)?:", text) for text in call.arguments
        ):
            yield Hit(rule="reverse_shell", reason="Hands a shell to a network connection.")
    elif call.name in ("telnet",) and command.source and command.piped:
        yield Hit(rule="reverse_shell", reason="Hands a shell to a network connection.")


def executes_input(call: Call) -> Iterator[Hit]:
    """A shell or interpreter that runs what it is handed, where nobody can see what that is."""
    runs = call.name in SHELLS or call.name in ("source", ".") or call.name in INTERPRETERS
    if not runs and call.name != "eval":
        return
    for word in call.words[1:]:
        if word.feeds:
            yield from _fed(word.feeds, call)
            return
    if call.name == "eval" or call.name in ("source", "."):
        return
    if call.open and call.name in SHELLS and _runs_argument(call):
        yield _opaque()
        return
    if _has_program(call):
        return
    yield from _input(call)


def _input(call: Call) -> Iterator[Hit]:
    for redirect in call.command.redirects:
        if redirect.target is not None and redirect.operator in ("<", "<<<"):
            if redirect.target.feeds:
                yield from _fed(redirect.target.feeds, call)
            elif redirect.operator == "<<<" and not redirect.target.known:
                yield _opaque()
            return
        if redirect.body:
            return
    if call.command.source:
        yield from _fed(call.command.source, call)


def _runs_argument(call: Call) -> bool:
    """Whether `xargs sh -c` takes its script itself from elsewhere."""
    for index, text in enumerate(call.arguments):
        if re.fullmatch(r"-\w*c", text):
            return call.arguments[index + 1 :] in ([], ["{}"], ["%"])
    return False


def _has_program(call: Call) -> bool:
    """Whether the program is given on the command line, so that input is only data."""
    for text in call.arguments:
        if text in ("-", "-s", "/dev/stdin", "--stdin", "-i"):
            return False
        if (
            not text.startswith("-")
            or text
            in ("-c", "-e", "-m", "-p", "-r", "-n", "-ne", "-pe", "-lc", "-E", "-ec", "-Command")
            or re.fullmatch(r"-\w*[ce]", text)
        ):
            return True
    return has(call.arguments, "--version", "--help", "-V", "-v", "--eval", "--print")


def _fed(feeds: Sequence[Command], call: Call) -> Iterator[Hit]:
    names = [base_name(word) for command in upstream(feeds) for word in command.words[:1]]
    if downloads(upstream(feeds)):
        yield Hit(rule="download_execute", reason="Runs what it has just downloaded, unread.")
        return
    if any(name in _DECODERS for name in names) and not all(
        name in ("echo", "printf", "sed", "awk", "cut", "tr") for name in names
    ):
        yield _opaque()
        return
    if (
        call.name in ("source", ".")
        or names[-1:] in (["cat"], ["kubectl"], ["docker"])
        or call.name in INTERPRETERS
    ):
        return
    if all(name in ("echo", "printf", "cat") for name in names) and all(
        word.known for command in feeds for word in command.words
    ):
        return
    if any(_INIT.search(" ".join(word.text for word in command.words)) for command in feeds):
        return
    yield _opaque()


def upstream(feeds: Sequence[Command]) -> list[Command]:
    found = list(feeds)
    for command in found:
        if len(found) < 20:
            found.extend(command.source)
    return found


def _opaque() -> Hit:
    return Hit(
        rule="opaque_execute",
        reason="Runs a text that is made at run time, so nobody can see what it does.",
        confidence=0.85,
    )


def opaque_text(words: Sequence[Word], command: Command, source: Sequence[Command]) -> Hit | None:
    """For eval and `sh -c`: a script that is not known, judged by what makes it."""
    if not words or all(word.known for word in words):
        return None
    text = " ".join(word.text for word in words).strip()
    if downloads(source):
        return Hit(rule="download_execute", reason="Runs what it has just downloaded, unread.")
    if not text.startswith(UNKNOWN) or any(
        _INIT.search(" ".join(word.text for word in made.words)) for made in source
    ):
        return None
    return _opaque() if source or not text.strip(UNKNOWN + " ") else None
