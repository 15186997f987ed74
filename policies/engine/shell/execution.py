"""Rules about what comes in and is run: downloads, decoded texts, scripts nobody can see."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from policies.engine.language import word_set
from policies.engine.shell.call import SHELLS, Call, base_name
from policies.engine.shell.flow import upstream
from policies.engine.shell.hits import Hit, has
from policies.engine.shell.model import UNKNOWN, Command, Word
from policies.engine.shell.network import DOWNLOADERS

INTERPRETERS = word_set(
    "python python2 python3 perl ruby node nodejs deno bun php lua pwsh powershell osascript "
    "Rscript julia tclsh iex jshell irb groovy"
)
_DECODERS = word_set(
    "base64 base32 xxd openssl gunzip zcat gzip rev tr uudecode bunzip2 unxz xz gpg hex sed "
    "awk perl python python3 printf echo dd cut od basenc gbase64 bzcat xzcat zstd zstdcat brotli"
)
_INIT = re.compile(
    r"\b(?:init|hook|env|shellenv|shell-init|completions?|activate|ssh-agent|keychain|dircolors|docker-env|"
    r"export|lesspipe|gnome-keyring-daemon|printenv|config-env|podman-env|load|setup|prompt|tset|resize|"
    r"locale|mise|fnm|rbenv|pyenv|direnv|starship|zoxide|thefuck|brew|opam|luarocks|stack|cat|jq|grep|sed|"
    r"ssm|get-caller|configure|set_env|vars|getopt)\b"
)
_TRUSTED_RUN = re.compile(r"https?://(?:localhost|127\.0\.0\.1)\b")


def downloads(commands: Sequence[Command]) -> bool:
    """Whether one of the commands fetches something from the network."""
    return any(base_name(word) in DOWNLOADERS for command in commands for word in command.words[:6])


def executes_input(call: Call) -> Iterator[Hit]:
    """A shell or interpreter that runs what it is handed, where nobody can see what that is."""
    name = call.name
    runs = name in SHELLS or name in ("source", ".") or name in INTERPRETERS
    if not runs and name not in ("eval", "go"):
        return
    for word in call.words[1:]:
        if word.feeds:
            yield from _fed(word.feeds, call)
            return
        if name in ("deno", "go") and word.text.startswith(("https://", "http://")):
            if has(call.arguments, "run", "eval") and not _TRUSTED_RUN.match(word.text):
                yield _downloaded()
            return
    if name in ("source", ".") and has(call.arguments, "/dev/stdin"):
        yield from _input(call)
        return
    if name in ("eval", "source", ".", "go"):
        return
    if call.open and name in SHELLS and _runs_argument(call):
        yield _opaque()
        return
    if _has_program(call):
        made_up = any(word.text.strip().startswith(UNKNOWN) for word in call.words[2:])
        if made_up and name in INTERPRETERS and downloads(call.command.inner):
            yield _downloaded()
        return
    yield from _input(call)


def _downloaded() -> Hit:
    return Hit(rule="download_execute", reason="Runs what it has just downloaded, unread.")


def _input(call: Call) -> Iterator[Hit]:
    for redirect in call.command.redirects:
        if redirect.target is not None and redirect.operator in ("<", "<<<"):
            if redirect.target.feeds:
                yield from _fed(redirect.target.feeds, call)
            elif redirect.operator == "<<<" and not redirect.target.known:
                yield _downloaded() if downloads(call.command.inner) else _opaque()
            return
        if redirect.body:
            return
    if call.command.source:
        yield from _fed(call.command.source, call)


def fed(call: Call) -> Iterator[Hit]:
    """Hits for a call that runs what it reads, whatever it is called."""
    yield from _input(call)


def _runs_argument(call: Call) -> bool:
    """Whether `xargs sh -c` takes its script itself from elsewhere."""
    for index, text in enumerate(call.arguments):
        if re.fullmatch(r"-\w*c", text):
            return call.arguments[index + 1 :] in ([], ["{}"], ["%"], ["_"])
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
    above = upstream(feeds)
    names = [base_name(word) for command in above for word in command.words[:1]]
    if downloads(above):
        yield _downloaded()
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


def _opaque() -> Hit:
    return Hit(
        rule="opaque_execute",
        reason="Runs a text that is made at run time, so nobody can see what it does.",
        confidence=0.85,
    )


def opaque_text(words: Sequence[Word], source: Sequence[Command]) -> Hit | None:
    """For eval and `sh -c`: a script that is not known, judged by what makes it."""
    if not words or all(word.known for word in words):
        return None
    text = " ".join(word.text for word in words).strip()
    if downloads(source):
        return _downloaded()
    if not text.startswith(UNKNOWN) or any(
        _INIT.search(" ".join(word.text for word in made.words)) for made in source
    ):
        return None
    return _opaque() if source or not text.strip(UNKNOWN + " ") else None


_ADDRESS = re.compile(r"\w[./]\w")
# The options that name the file, with the name joined to them.
_ATTACHED = {"curl": r"-[a-zA-Z]*?o([./~\w].+)", "wget": r"-[a-zA-Z]*?O([./~\w].+)"}


def fetched_to(command: Command) -> str:
    """The file that a download is saved as; blank for none."""
    words = command.words
    first = base_name(words[0]) if words else ""
    if first in ("sudo", "command", "time", "timeout"):
        at = next((at for at, word in enumerate(words[:4]) if base_name(word) in DOWNLOADERS), 0)
        words = words[at:]
    elif first not in DOWNLOADERS:
        return ""
    name = base_name(words[0])
    url = next((word.text for word in words[1:] if _ADDRESS.search(word.text)), "")
    for word, following in zip(words[1:], [*words[2:], None], strict=False):
        text = word.text
        if text.startswith(("--output=", "--output-document=")):
            return text.partition("=")[2]
        attached = re.fullmatch(_ATTACHED["curl" if name == "curl" else "wget"], text)
        if attached:
            return attached.group(1)
        named = re.fullmatch(r"-\w*o|--output", text) if name == "curl" else re.fullmatch(
            r"-\w*O|--output-document|--out", text
        )  # fmt: skip
        if named and following is not None:
            return following.text
        if name == "curl" and re.fullmatch(r"-\w*O\w*|--remote-name", text):
            url = next((w.text for w in words[1:] if "/" in w.text and "." in w.text), url)
            return url.partition("?")[0].rpartition("/")[2]
    if name in ("wget", "aria2c", "axel"):
        return url.partition("?")[0].rpartition("/")[2]
    return ""
