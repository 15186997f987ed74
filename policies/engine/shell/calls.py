"""From a simple command to what really runs: wrappers taken off, nested scripts handed on."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from policies.engine.language import word_set
from policies.engine.shell.call import (
    SHELLS,
    Call,
    Script,
    after_options,
    base_name,
    tail,
    wrapped_call,
)
from policies.engine.shell.model import UNKNOWN, Command, Word
from policies.engine.shell.remote import REMOTE, git, remote
from policies.engine.shell.wrappers import RUNNERS, WRAPPERS, Wrapper

MAX_OPTIONS = 100  # words in which options that run a command are looked for
MAX_WRAPPERS = 20  # taken off one command


_CONTAINERS = word_set("docker podman nerdctl docker-compose kubectl oc lxc crictl")
_CONTAINER_VALUED = word_set(
    "-e --env -u --user -w --workdir -v --volume --name -p --publish --network --net "
    "--entrypoint --mount -l --label --env-file -n --namespace -c --container --context "
    "--kubeconfig --rm=false -f --file --project-name --platform -m --memory --cpus "
    "--hostname -h --add-host --pull"
)
_SSH_VALUED = word_set("-p -i -l -o -F -J -L -R -D -b -c -e -m -O -Q -S -W -w -E -B -I")
XARGS_VALUED = word_set(
    "-n -I -J -R -P -L -d -E -s -a -i --max-args --max-procs --delimiter --replace --arg-file "
    "--max-lines"
)  # fmt: skip
PARALLEL_VALUED = word_set(
    "-j -P -a -S -I -n -N -L --jobs --colsep --arg-file --delay --timeout --joblog --results "
    "--tagstring --retries -d --delimiter"
)  # fmt: skip


def calls(command: Command) -> tuple[list[Call], list[Script]]:
    """The calls that a command makes, wrappers first, and the scripts that it runs."""
    made: list[Call] = []
    scripts: list[Script] = []
    words = command.words
    if words[0].text == UNKNOWN and len(words) > 1 and not words[1].text.startswith("-"):
        # `$SUDO rm x`: what the variable holds may be nothing, or a wrapper.
        made.append(Call("", words, command))
        words = words[1:]
    first = Call(command.program or base_name(words[0]), words, command)
    if first.name not in _RUNS_OTHERS:
        return [*made, first], scripts
    todo = [first]
    while todo and len(made) < MAX_WRAPPERS:
        call = todo.pop()
        made.append(call)
        for inner in _inside(call):
            if isinstance(inner, Script):
                layer = " > ".join((*call.wrappers, inner.layer))
                scripts.append(Script(words=inner.words, layer=layer))
            elif inner.words and inner.words[0].text:
                todo.append(inner)
    return made, scripts


def _inside(call: Call) -> Iterator[Call | Script]:
    name = call.name
    if name in SHELLS:
        yield from _shell(call)
    elif name == "env":
        yield from _env(call)
    elif name in REMOTE and (command := remote(call)) is not None:
        yield command
    elif name in _OPTION_RUNS:
        yield from _by_option(call, _OPTION_RUNS[name])
    elif name in WRAPPERS:
        yield from _wrapped(call, WRAPPERS[name])
    elif name in RUNNERS:
        yield from _runner(call, RUNNERS[name])
    elif name in _SPECIAL:
        yield from _SPECIAL[name](call)
    elif name in _CONTAINERS:
        yield from _container(call)


# Options that take a command line.
_OPTION_RUNS: dict[str, tuple[str, ...]] = {
    "man": ("-P", "--pager"),
    "rsync": ("-e", "--rsh", "--rsync-path"),
    "scp": ("-S",),
    "sftp": ("-S",),
    "nix-shell": ("--run", "--command"),
    "zip": ("-TT", "--unzip-command"),
    "sort": ("--compress-program",),
    "split": ("--filter",),
    "rg": ("--pre",),
    "fzf": ("--preview", "--bind"),
    "tcpdump": ("-z",),
    "dmesg": ("--pager",),
    "wget": ("--use-askpass",),
    "tar": ("-I", "--to-command", "--use-compress-program", "--rsh-command"),
}


def _by_option(call: Call, options: tuple[str, ...]) -> Iterator[Script]:
    words = call.words[1:]
    for index, word in enumerate(words[:MAX_OPTIONS]):
        option, equals, _ = word.text.partition("=")
        if word.text in options and index + 1 < len(words):
            yield Script(words=[words[index + 1]], layer=f"{call.name} {word.text}")
        elif equals and option in options:
            yield Script(words=[tail(word, len(option) + 1)], layer=f"{call.name} {option}")


def _wrapped(call: Call, wrapper: Wrapper) -> Iterator[Call | Script]:
    words = call.words[1:]
    if call.name == "command" and words and words[0].text in ("-v", "-V"):
        return
    at = after_options(words, wrapper.valued.split()) + wrapper.skip
    rest = words[at:]
    if rest and rest[0].text == "--":
        rest = rest[1:]
    while wrapper.assignments and rest and "=" in rest[0].text and not rest[0].text.startswith("="):
        rest = rest[1:]
    option = next(
        (index for index, word in enumerate(words) if word.text in ("-c", "--command")), -1
    )
    if call.name == "script" and option < 0:
        option = next((i for i, w in enumerate(words) if re.fullmatch(r"-[a-z]*c", w.text)), -1)
    if call.name in (
        "flock",
        "script",
        "runuser",
        "unshare",
        "sg",
        "wsl",
        "npx",
        "pnpx",
        "bunx",
    ) and (0 <= option < len(words) - 1):
        yield Script(words=[words[option + 1]], layer=call.name)
    elif call.name == "hyperfine":
        for word in rest:
            yield Script(words=[word], layer="hyperfine")
    elif call.name == "watch" and rest:
        yield Script(words=rest, layer="watch")
    elif rest:
        shell_flag = call.name == "sudo" and any(word.text in ("-s", "-i") for word in words[:at])
        yield Script(words=rest, layer="sudo") if shell_flag else wrapped_call(call, rest)


def _env(call: Call) -> Iterator[Call | Script]:
    for index, word in enumerate(call.words[1:], 1):
        if word.text in ("-S", "--split-string") and index + 1 < len(call.words):
            yield Script(words=call.words[index + 1 :], layer="env -S")
            return
        if word.text.startswith(("-S", "--split-string=")) and len(word.text) > 2:
            head = "--split-string=" if word.text.startswith("--") else "-S"
            yield Script(words=[tail(word, len(head)), *call.words[index + 1 :]], layer="env -S")
            return
        if word.text.startswith("-vS") and index + 1 < len(call.words):
            yield Script(words=call.words[index + 1 :], layer="env -S")
            return
        if not word.text.startswith("-") and "=" not in word.text:
            break
    yield from _wrapped(call, WRAPPERS["env"])


def _shell(call: Call) -> Iterator[Call | Script]:
    """`sh -c TEXT`, with flags joined to the c and further options before it."""
    words = call.words[1:]
    index = 0
    while index < len(words):
        text = words[index].text
        if not text.startswith(("-", "+")) or text in ("-", "--"):
            return
        flags = text[1:] if not text.startswith("--") else ""
        if "c" in flags and not text.startswith("+"):
            index += 1
            while (
                index < len(words)
                and words[index].text.startswith("-")
                and len(words[index].text) > 1
            ):
                index += 1
            if index < len(words):
                yield Script(words=[words[index]], layer=f"{call.name} -c")
                yield from _positional(call, words[index], words[index + 1 :])
            return
        index += 2 if text in ("-o", "+o", "-O", "--rcfile", "--init-file") else 1


def _positional(call: Call, script: Word, arguments: Sequence[Word]) -> Iterator[Call]:
    """`sh -c '"$@"' x rm -rf /`: the arguments are the command."""
    text = script.text.strip().strip('"').removeprefix("exec ").strip('"')
    if text in ("$@", "$*", UNKNOWN) and len(arguments) > 1:
        yield wrapped_call(call, arguments[1:])
    if text.startswith(("$0", UNKNOWN + " ")) and arguments:
        yield wrapped_call(call, arguments)


_RUNNER_VALUED = ("-p", "--package", "-w", "--with", "-n", "--env-file")


def _runner(call: Call, words: tuple[str, ...]) -> Iterator[Call | Script]:
    arguments = call.words[1:]
    for index, word in enumerate(arguments[:6]):
        if word.text in words:
            yield from _run_by(call, arguments[index + 1 :])
            return
        if not word.text.startswith("-"):
            if call.name in ("yarn", "pnpm", "bun") and word.text in _TOOLS_OF_PROJECTS:
                yield wrapped_call(call, arguments[index:])
            return


_TOOLS_OF_PROJECTS = word_set(
    "prisma sequelize sequelize-cli typeorm knex drizzle-kit mikro-orm rimraf supabase wrangler "
    "vercel netlify firebase cdk sls serverless pulumi"
)


def _module(call: Call) -> Iterator[Call]:
    """`python -m NAME`: the module is the program."""
    words = call.words
    if len(words) > 2 and words[1].text == "-m":
        yield wrapped_call(call, words[2:])


def _run_by(call: Call, rest: Sequence[Word]) -> Iterator[Call | Script]:
    """What stands behind the verb of a runner: a command, or an option that takes one."""
    for index, word in enumerate(rest[:-1]):
        if word.text == "--":
            yield wrapped_call(call, rest[index + 1 :])
            return
        if word.text in ("-c", "--call", "--command"):
            if call.name in ("npm", "pnpm", "yarn", "bun"):
                yield Script(words=[rest[index + 1]], layer=f"{call.name} exec")
            else:
                yield wrapped_call(call, rest[index + 1 :])
            return
    at = after_options(rest, _RUNNER_VALUED) + (call.name == "rustup")
    if rest[at:]:
        yield wrapped_call(call, rest[at:])


def _xargs(call: Call) -> Iterator[Call]:
    words = call.words[1:]
    rest = words[after_options(words, XARGS_VALUED) :]
    if rest:
        yield wrapped_call(call, rest, open_=True)


def _parallel(call: Call) -> Iterator[Call | Script]:
    words = call.words[1:]
    words = words[after_options(words, PARALLEL_VALUED) :]
    marks = [index for index, word in enumerate(words) if word.text.startswith(":::")]
    template = words[: marks[0]] if marks else words
    inputs = list(words[marks[0] + 1 :]) if marks else []
    if not template:
        for word in inputs[:50]:
            yield Script(words=[word], layer="parallel")
    elif len(template) == 1 and " " in template[0].text:
        yield Script(words=[*template, *inputs[:20]], layer="parallel")
    else:
        filled = [word for word in template if word.text != "{}"]
        yield wrapped_call(call, [*filled, *inputs[:20]], open_=not inputs)


_EXECS = word_set("-exec -execdir -ok -okdir -x -X --exec --exec-batch")


def _find(call: Call) -> Iterator[Call]:
    words = call.words
    index = 0
    while index < len(words):
        if words[index].text in _EXECS:
            end = index + 1
            while end < len(words) and words[end].text not in (";", "\\;"):
                end += 1
            inner = [other for other in words[index + 1 : end] if other.text not in ("{}", "+")]
            if inner:
                yield wrapped_call(call, inner, open_=True)
            index = end
        index += 1


_SSH_RUNS = re.compile(r"(?i)(?:-o)?\s*(?:ProxyCommand|LocalCommand|KnownHostsCommand)\s*[= ]\s*")


def _ssh(call: Call) -> Iterator[Script]:
    words = call.words[1:]
    at = after_options(words, _SSH_VALUED) + 1
    for option, word in pairwise((*words[: at + 1], *words[:0])):
        joined_option = option.text.startswith("-o") and len(option.text) > 2
        setting = option if joined_option else word if option.text == "-o" else None
        if setting is not None and (found := _SSH_RUNS.match(setting.text)):
            yield Script(words=[tail(setting, found.end())], layer="ssh -o")
    rest = words[at:]
    rest = rest[after_options(rest, _SSH_VALUED) :]
    if rest:
        yield Script(words=rest, layer="ssh")


def _container(call: Call) -> Iterator[Call]:
    words = call.words[1:]
    verbs = {"exec", "run", "debug"} if call.name != "crictl" else {"exec"}
    at = next((index for index, word in enumerate(words[:12]) if word.text in verbs), -1)
    if at < 0:
        return
    rest = words[at + 1 :]
    dashes = next((index for index, word in enumerate(rest) if word.text == "--"), -1)
    entry = next((index for index, word in enumerate(rest) if word.text == "--entrypoint"), -1)
    inner = (
        rest[dashes + 1 :] if dashes >= 0 else rest[after_options(rest, _CONTAINER_VALUED) + 1 :]
    )
    if inner:
        made = wrapped_call(call, inner)
        made.wrappers = (*call.wrappers, f"{call.name} {words[at].text}")
        yield made
        if 0 <= entry < len(rest) - 1 and dashes < 0:
            yield wrapped_call(call, [rest[entry + 1], *inner])


def _su(call: Call) -> Iterator[Script]:
    for index, word in enumerate(call.words[:-1]):
        if word.text in ("-c", "--command", "-lc") or word.text.startswith("--command="):
            yield Script(words=[call.words[index + 1]], layer="su")
            return


def _eval(call: Call) -> Iterator[Script]:
    if len(call.words) > 1:
        yield Script(words=call.words[1:], layer="eval")


def _first_script(call: Call) -> Iterator[Script]:
    rest = call.words[1 + after_options(call.words[1:], ()) :]
    if rest:
        yield Script(words=rest[:1], layer=call.name)


def _applet(call: Call) -> Iterator[Call]:
    """busybox, entr: the rest is a command."""
    rest = call.words[1 + after_options(call.words[1:], ()) :]
    if rest:
        yield wrapped_call(call, rest)


_TERMINAL_VERBS = word_set(
    "new new-session new-window neww split-window respawn-pane send-keys send run-shell run -dm "
    "-dmS -X -e --"
)


def _terminal(call: Call) -> Iterator[Script]:
    words = call.words[1:]
    for index, word in enumerate(words):
        if word.text in _TERMINAL_VERBS:
            rest = words[index + 1 :]
            rest = rest[after_options(rest, ("-s", "-n", "-t", "-c", "-x", "-y")) :]
            if word.text == "-dmS":
                rest = rest[1:]
            if rest and rest[0].text == "stuff":
                rest = rest[1:]
            if rest:
                yield Script(words=rest, layer=call.name)
            return


_SPECIAL = {
    "xargs": _xargs,
    "gxargs": _xargs,
    "parallel": _parallel,
    "find": _find,
    "gfind": _find,
    "fd": _find,
    "fdfind": _find,
    "ssh": _ssh,
    "autossh": _ssh,
    "su": _su,
    "eval": _eval,
    "trap": _first_script,
    "entr": _applet,
    "tmux": _terminal,
    "screen": _terminal,
    "xterm": _terminal,
    "gnome-terminal": _terminal,
    "konsole": _terminal,
    "zellij": _terminal,
    "python": _module,
    "python3": _module,
    "git": git,
    "busybox": _applet,
}
_RUNS_OTHERS = frozenset(
    [*SHELLS, "env", *REMOTE, *_OPTION_RUNS, *WRAPPERS, *RUNNERS, *_SPECIAL, *_CONTAINERS]
)
