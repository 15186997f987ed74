"""Facts of git: what it is told to do, to which remote and which branches."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from policies.engine.language import word_set
from policies.engine.shell.call import Call
from policies.engine.shell.facts.options import Line, arguments_of, known, read
from policies.engine.shell.facts.touched import remote_host

HEAD = "HEAD"  # the branch that is checked out, which the command does not name
ALL = "*"

_BEFORE = word_set(
    "-C -c --git-dir --work-tree --namespace --exec-path --config-env --super-prefix"
)
_VALUED = {
    "push": word_set("-o --push-option --repo --receive-pack --exec"),
    "branch": word_set("-u --set-upstream-to --sort --format --points-at"),
    "checkout": word_set("-b -B --orphan --conflict -U --unified --inter-hunk-context"),
    "switch": word_set("-c -C --create --force-create --orphan --conflict"),
    "merge": word_set("-m -s -X -F --strategy --strategy-option --file --cleanup --into-name"),
    "rebase": word_set("--onto -x --exec -s -X -C --strategy --strategy-option"),
    "clone": word_set(
        "-b --branch -o --origin -u --upload-pack --depth --reference -c --config --template "
        "--separate-git-dir -j --jobs --filter --server-option --shallow-since --shallow-exclude"
    ),
}
_FETCHED = word_set(
    "-s -X --strategy --strategy-option --upload-pack -j --jobs --depth --deepen --shallow-since "
    "--shallow-exclude -o --server-option --refmap --negotiation-tip"
)
# Subcommands with verbs of their own.
_GROUPS = {
    "stash": word_set("push pop apply drop clear list show branch save create store"),
    "remote": word_set(
        "add rename remove rm set-head set-branches get-url set-url show prune update"
    ),
    "worktree": word_set("add list lock move prune remove repair unlock"),
    "submodule": word_set(
        "add status init deinit update set-branch set-url summary foreach sync absorbgitdirs"
    ),
    "reflog": word_set("show list expire delete exists"),
    "bisect": word_set("start good bad new old skip reset visualize replay log run terms"),
    "notes": word_set("list add copy append edit show merge remove prune"),
    "bundle": word_set("create verify list-heads unbundle"),
    "lfs": word_set("install uninstall track untrack fetch pull push prune migrate lock unlock"),
}
_NAMES_REMOTE = frozenset(["push", "pull", "fetch", "ls-remote", "clone"])
_REHEARSES_BY_LETTER = frozenset(["push", "clean", "rm", "mv", "add"])


def git(call: Call, variables: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Operation, remote, and the branches that are named, overwritten or deleted."""
    arguments = arguments_of(call)
    words = known(arguments[_operation(arguments) :])
    if not words:
        return
    verb = words[0].lower() if call.name.isupper() else words[0]
    fetches = verb in ("pull", "fetch")
    valued = _FETCHED if fetches else _VALUED.get(verb, frozenset())
    line = read(words[1:], valued, ends=verb == "checkout")
    operands = line.operands
    if line.has("--help", "-h") or _long(line, "--dry-run", 5):
        return
    if verb in _REHEARSES_BY_LETTER and line.has("-n"):
        return
    second = operands[0] if operands and operands[0] in _GROUPS.get(verb, ()) else ""
    yield "git.operation", f"{verb} {second}" if second else verb
    remotes: list[str] = []
    if verb in _NAMES_REMOTE:
        remotes = operands[:1] or line.values("--repo")
    elif second and verb in ("remote", "submodule"):
        remotes = operands[1:3] if verb == "remote" or second == "add" else []
    for remote in remotes:
        yield "git.remote", remote
        yield from (("host", host) for host in remote_host(remote))
    if verb == "push":
        yield from _push(line)
    elif fetches:
        for refspec in operands[1:]:
            yield "git.branch", _branch(refspec.partition(":")[0])
    else:
        yield from _branches(verb, line, words)


def _operation(arguments: list[str]) -> int:
    """Where the subcommand stands."""
    at = 0
    while at < len(arguments) and arguments[at].startswith("-"):
        at += 2 if arguments[at] in _BEFORE else 1
    return at


def _push(line: Line) -> Iterator[tuple[str, str]]:
    deletes = line.has("-d") or _long(line, "--delete", 5)
    forces = (
        line.has("-f", "--force") or _long(line, "--force-with-lease", 8) or line.has("--mirror")
    )
    refspecs = line.operands[1:]
    if line.has("--mirror", "--all", "--branches"):
        refspecs = [ALL]
    elif not refspecs and not line.has("--tags"):
        refspecs = [HEAD]
    for refspec in refspecs:
        source, colon, target = refspec.removeprefix("+").rpartition(":")
        branch = _branch(target if target else HEAD)
        yield "git.branch", branch
        if forces or refspec.startswith("+"):
            yield "git.force", branch
        if target and (deletes or (colon and not source)):
            yield "git.delete", branch


def _branches(verb: str, line: Line, words: list[str]) -> Iterator[tuple[str, str]]:
    names = line.operands
    if verb == "branch":
        deletes = line.has("-d", "-D") or _long(line, "--delete", 5)
        if deletes:
            yield from (("git.delete", _branch(name)) for name in names)
        elif not line.has("-m", "-M", "-c", "-C", "--move", "--copy"):
            names = names[:1]
    elif verb == "checkout":
        made = line.values("-b", "-B", "--orphan")
        # With several operands, or behind `--`, they are files.
        names = made or (names if len(names) == 1 and "--" not in words else [])
    elif verb == "switch":
        names = line.values("-c", "-C", "--create", "--force-create", "--orphan") or names[:1]
    elif verb == "rebase":
        names = [*line.values("--onto"), *names]
    elif verb != "merge":
        return
    yield from (("git.branch", _branch(name)) for name in names)


def _branch(name: str) -> str:
    name = name.removeprefix("refs/heads/").removeprefix("heads/")
    return HEAD if name == "@" else name


def _long(line: Line, name: str, least: int) -> bool:
    """Whether a long option is given, abbreviated to `least` characters or more."""
    return any(
        name.startswith(given) and len(given) >= least
        for given in line.options
        if given.startswith("--")
    )
