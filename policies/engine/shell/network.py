"""Rules about what goes out: credentials, secrets and shells handed to other machines."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from policies.engine.language import word_set
from policies.engine.shell.call import SHELLS, Call, base_name
from policies.engine.shell.flow import found_name, sought, upstream
from policies.engine.shell.hits import Hit, breadth, has, is_credential, is_secret, operands
from policies.engine.shell.model import Command, Word, join
from policies.engine.shell.subcommands import flag, starts, verbs

DOWNLOADERS = word_set(
    "curl wget fetch aria2c http https httpie xh lynx w3m axel lwp-request GET POST curlie wget2 "
    "hurl"
)
_NETCATS = word_set(
    "nc ncat netcat nc.traditional nc.openbsd cryptcat sbd dbd rcat rustcat pwncat pwncat-cs "
    "gs-netcat"
)
_NAME_SERVERS = word_set("dig nslookup host drill delv kdig ping ping6 getent")
_UPLOADERS = DOWNLOADERS | _NETCATS | word_set(
    "socat ftp lftp tftp ncftpput telnet sendmail mail mailx mutt swaks scp rsync sftp aws "
    "gsutil gcloud "
    "rclone ssh azcopy mc s3cmd s5cmd croc wormhole magic-wormhole transfer.sh ffsend smbclient gh "
    "websocat grpcurl openssl"
)  # fmt: skip
SENDERS = _UPLOADERS | _NAME_SERVERS
READERS = word_set(
    "cat less more head tail tac nl od xxd hexdump strings base64 base32 grep egrep fgrep rg "
    "awk sed cut sort uniq cp mv scp rsync tar zip 7z 7za gzip bat view vim vi nano emacs code "
    "jq yq "
    "source openssl gpg diff tee dd paste rev fold column install ln bsdtar cpio pr fmt expand "
    "join "
    "comm look shuf split xz bzip2 zstd ditto pbcopy xclip sqlite3 perl ruby mapfile readarray "
    "busybox unshadow batcat hd uuencode qpdf pandoc dotenv"
)
_SOCKET = re.compile(r"/dev/(?:tcp|udp)/")


# Commands that print a credential.
_PRINTS_SECRET = re.compile(
    r"aws configure export-credentials|aws (?:sts|secretsmanager|ssm) .*(?:get-|assume-)"
    r"|gcloud auth print-|gh auth token|kubectl config view .*--raw|kubectl get secrets?|op read"
    r"|vault (?:kv get|read|print)|pass (?:show )?\w|az account get-access-token|security find-"
    r"|heroku auth:token|doctl auth|bw get"
)


def _source_is_secret(source: Command) -> bool:
    """Whether a command reads credentials, secrets, or the environment as a whole."""
    for redirect in source.redirects:
        if redirect.operator == "<" and redirect.target and is_secret(redirect.target.text):
            return True
    if not source.words:
        return False
    name = base_name(source.words[0])
    if name in ("env", "printenv", "set", "export") and len(source.words) == 1:
        return True
    texts = [word.text for word in source.words[1:]]
    if _PRINTS_SECRET.match(" ".join((name, *texts[:6]))):
        return True
    if name in ("echo", "printf", "ls", "find", "stat", "test", "["):
        return False
    return any(is_secret(join(source.cwd, text.removeprefix("if="))) for text in texts)


def upload(call: Call) -> Iterator[Hit]:
    """Credentials and secret files given to a program that sends."""
    name = call.name
    if name not in SENDERS or (name == "gcloud" and "cp" not in call.arguments):
        return
    if name == "openssl" and call.arguments[:1] != ["s_client"]:
        return
    if any(is_secret(path) for path in _sent_files(call)):
        yield Hit(
            rule="credential_upload", reason="Sends a file of credentials to another machine."
        )
        return
    if call.open and any(is_secret(found_name(name)) for name in _sought(call)):
        yield Hit(rule="credential_upload", reason="Sends the credentials that it finds.")
        return
    command = call.command
    feeding = upstream(command.source) if command.source else []
    if any(_source_is_secret(source) for source in (*feeding, *command.inner)):
        yield Hit(rule="credential_upload", reason="Sends what it read from a file of credentials.")
        return
    if (
        name in DOWNLOADERS
        and any(_SECRET_VARIABLE.match(value) for value in command.expanded)
        and _sends_data(call)
    ):
        yield Hit(
            rule="credential_upload",
            reason="Sends a secret of the environment to another machine.",
            confidence=0.7,
        )
        return
    if any(map(_captures, feeding)):
        yield Hit(
            rule="data_upload",
            reason="Sends what it captures of this machine to another.",
            confidence=0.8,
        )
    elif name not in ("ssh", "scp", "rsync") and any(map(_packs_a_home, feeding)):
        yield Hit(
            rule="data_upload",
            reason="Sends a home or system directory to another machine.",
            confidence=0.8,
        )


_HOMES = ("~", "/home", "/root", "/etc", "/Users")


_CAPTURES = word_set("tcpdump tshark dumpcap arecord screencapture xwd scrot pbpaste xclip xsel")


def _captures(source: Command) -> bool:
    """Whether a command records traffic, sound, the screen or the clipboard."""
    return bool(source.words) and base_name(source.words[0]) in _CAPTURES


def _packs_a_home(source: Command) -> bool:
    """Whether a command archives a home or system directory."""
    if not source.words or base_name(source.words[0]) not in ("tar", "zip", "bsdtar"):
        return False
    return any(
        word.text.startswith(_HOMES) and breadth(word, source.cwd) != ""
        for word in source.words[1:]
    )


_SECRET_VARIABLE = re.compile(
    r"(?:\w+_)?(?:SECRET(?:_ACCESS)?(?:_KEY)?|PASSWORD|PASSWD|PRIVATE_KEY|DATABASE_URL|CREDENTIALS)\Z"
)


def _sends_data(call: Call) -> bool:
    """Whether a secret variable stands in the data itself, not in a header that signs in."""
    return has(
        call.arguments, "-d", "--data", "--data-raw", "--data-binary", "-F", "--form"
    ) and not (has(call.arguments, "-u", "-H", "--header", "--user"))


def _sent_files(call: Call) -> Iterator[str]:
    arguments = call.arguments
    cwd = call.command.cwd
    for index, text in enumerate(arguments):
        following = arguments[index + 1] if index + 1 < len(arguments) else ""
        if text in ("-T", "--upload-file", "--post-file", "--body-file"):
            yield join(cwd, following)
        elif text.startswith(("--upload-file=", "--post-file=", "--body-file=")):
            yield join(cwd, text.partition("=")[2])
        elif "@" in text and call.name in DOWNLOADERS and "://" not in text:
            yield join(cwd, text.rpartition("@")[2].partition(";")[0])
        elif text.startswith("-T") and len(text) > 2:
            yield join(cwd, text[2:])
        elif call.name in ("openssl", "socat") and text.startswith("FILE:"):
            yield text[5:].partition(",")[0]
    if call.name in (
        "scp",
        "rsync",
        "aws",
        "gsutil",
        "rclone",
        "sftp",
        "gcloud",
        "azcopy",
        "mc",
        "s3cmd",
    ):
        words = [word.text for word in operands(call)]
        if words and (re.match(r"[\w.@-]+:|s3://|gs://|[\w-]+://", words[-1])):
            yield from (join(cwd, word) for word in words[:-1] if " " not in word)
    elif call.name in ("gh", "croc", "ffsend", "wormhole", "transfer.sh", "mutt", "mail") and (
        starts(verbs(call), "gist create", "send", "upload", "release upload") or "-a" in arguments
    ):
        yield from (join(cwd, word.text) for word in operands(call))
    for redirect in call.command.redirects:
        if redirect.operator == "<" and redirect.target is not None:
            yield join(cwd, redirect.target.text)


_METADATA = re.compile(
    r"169\.254\.169\.254|metadata\.google\.internal|169\.254\.170\.2|100\.100\.100\.200|\[?fd00:ec2::254\]?"
    r"|/latest/meta-data/iam|metadata\.azure|0xa9fea9fe|2852039166|169\.254\.170\.23",
    re.IGNORECASE,
)


def is_metadata(text: str) -> bool:
    """Whether a text names the metadata service of a cloud machine."""
    return _METADATA.search(text) is not None


def metadata(call: Call) -> Iterator[Hit]:
    """The credentials of the cloud machine."""
    if call.name in DOWNLOADERS and any(map(is_metadata, call.arguments)):
        yield Hit(
            rule="credential_read",
            reason="Reads the credentials of the cloud machine (metadata service).",
        )


_HUNTED = re.compile(
    r"(?i)\b(?:passw(?:or)?ds?|passwd|secret|api_?key|access_?key|private_?key|credential"
    r"|token)s?\b|BEGIN \w* ?PRIVATE"
)


def read_credentials(call: Call) -> Iterator[Hit]:
    """Keys and passwords of a person printed or copied."""
    if call.name not in READERS:
        return
    if _reads_credential(call):
        yield Hit(rule="credential_read", reason="Reads a file of credentials.", confidence=0.85)
    elif call.open and any(is_secret(found_name(name)) for name in _sought(call)):
        yield Hit(rule="credential_read", reason="Reads the credentials that it finds.")
    elif call.name in ("grep", "egrep", "rg") and _hunts(call):
        yield Hit(
            rule="credential_read",
            reason="Searches a whole machine or home for passwords.",
            confidence=0.7,
        )


def git_reads(call: Call) -> Iterator[Hit]:
    """git told to show a file of credentials, or to take one in by force."""
    if call.arguments[:1] == ["add"] and flag(call, "-f", "--force"):
        if any(is_secret(word.text) for word in operands(call)):
            yield Hit(
                rule="credential_upload", reason="Puts a file of secrets into the repository."
            )
        return
    if any(is_credential(word.text.rpartition(":")[2]) for word in call.words[2:]) and has(
        call.arguments[:4], "diff", "show", "hash-object", "grep", "blame", "cat-file"
    ):
        yield Hit(rule="credential_read", reason="Reads a file of credentials.", confidence=0.85)


def _reads_credential(call: Call) -> bool:
    words = call.words[1:]
    if call.name in ("perl", "ruby"):
        return False
    for redirect in call.command.redirects:
        if (
            redirect.operator == "<"
            and redirect.target is not None
            and is_credential(join(call.command.cwd, redirect.target.text))
        ):
            return True
    for word in words:
        path = join(call.command.cwd, word.text.removeprefix("if="))
        if not is_credential(path):
            continue
        if call.name in ("cp", "mv", "scp", "rsync", "tee", "install", "ln") and word is words[-1]:
            continue
        if call.name == "sed" and call.arguments[:1] == ["-i"]:
            continue
        if call.name in ("grep", "rg", "awk", "sed") and word is words[0]:
            continue
        if call.name == "scp" and word.text.startswith("-"):
            continue
        if call.name == "rsync" and _option_value(words, word):
            continue
        return True
    return False


def _option_value(words: Sequence[Word], word: Word) -> bool:
    at = list(words).index(word)
    return at > 0 and words[at - 1].text in ("-e", "--rsh", "-i", "--exclude", "--exclude-from")


def _sought(call: Call) -> Iterator[str]:
    """The names that find looks for, where a call is given what it finds."""
    yield from sought((call.command, *upstream(call.command.source)))


def _hunts(call: Call) -> bool:
    words = operands(call)
    if len(words) < 2 or (not flag(call, "-r", "-R", "--recursive") and call.name != "rg"):
        return False
    wide = any(
        word.text.rstrip("/*")
        in ("", "~", "/home", "/root", "/etc", "/var", "/Users", "/opt", "/srv")
        for word in words[1:]
    )
    return wide and _HUNTED.search(words[0].text) is not None


def _shell_feeds(command: Command) -> bool:
    return any(
        base_name(source.words[0]) in SHELLS for source in upstream(command.source) if source.words
    )


def reverse_shell(call: Call) -> Iterator[Hit]:
    """A shell tied to a socket."""
    command = call.command
    for redirect in command.redirects:
        if redirect.target is not None and _SOCKET.match(redirect.target.text):
            reads = redirect.operator in ("<", "<>") and call.name == "cat"
            if reads or call.name in SHELLS or call.name in ("exec", "script"):
                yield Hit(rule="reverse_shell", reason="Ties a shell to a network connection.")
            else:
                yield Hit(
                    rule="raw_socket",
                    reason="Sends or reads through a raw network connection.",
                    confidence=0.8,
                )
            return
    if call.name in _NETCATS:
        yield from _netcat(call)
    elif call.name == "socat":
        opened = " ".join(call.arguments)
        if re.search(r"(?i)(?:^| |!!)(?:exec|system|shell):", opened) and re.search(
            r"(?i)(?:tcp|udp|openssl|ssl|sctp|proxy|socks)\d?\w*(?:-\w+)?:", opened
        ):
            yield Hit(rule="reverse_shell", reason="Hands a shell to a network connection.")
    elif call.name == "telnet" or (call.name == "openssl" and call.arguments[:1] == ["s_client"]):
        if command.source and (command.piped or _shell_feeds(command)):
            yield Hit(rule="reverse_shell", reason="Hands a shell to a network connection.")
    elif call.name == "xterm":
        if re.search(r"-display [\w.\[\]]+\.[\w.]+:\d", " ".join(call.arguments)):
            yield Hit(rule="reverse_shell", reason="Shows a terminal on another machine.")
    elif call.name == "ztcp" or (call.name == "zmodload" and "zsh/net/tcp" in call.arguments):
        yield Hit(rule="raw_socket", reason="Opens a raw network connection.", confidence=0.8)


def _netcat(call: Call) -> Iterator[Hit]:
    command, arguments = call.command, call.arguments
    letters = "".join(text[1:] for text in arguments if re.fullmatch(r"-[a-zA-Z]+", text))
    program = any(base_name(word) in SHELLS or word.text == "cmd.exe" for word in call.words[1:])
    if (
        "e" in letters
        or has(arguments, "--exec", "--sh-exec", "--lua-exec", "-c")
        or any(re.match(r"--(?:sh-|lua-)?exec=|-e/", text) for text in arguments)
        or program
        or _shell_feeds(command)
    ):
        yield Hit(rule="reverse_shell", reason="Hands a shell to a network connection.")
    elif command.piped and "l" not in letters and "z" not in letters:
        yield Hit(
            rule="raw_socket",
            reason="Reads commands from a raw network connection.",
            confidence=0.6,
        )
