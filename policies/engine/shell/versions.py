"""Rules about git: what discards work or history, and what runs other programs."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from policies.engine.language import word_set
from policies.engine.shell.call import Call
from policies.engine.shell.hits import Hit, has
from policies.engine.shell.model import UNKNOWN, Word

_VALUED = word_set(
    "-C -c --git-dir --work-tree --namespace --exec-path --config-env --super-prefix"
)
_RUNS = re.compile(
    r"(?i)^(?:alias\.[\w-]+=!|core\.(?:pager|editor|sshcommand|fsmonitor|hookspath|askpass)=|"
    r"(?:sequence\.editor|diff\.external|credential\.helper|pager\.\w+|gpg\.program|"
    r"filter\.\w+\.(?:clean|smudge|process))=)(?P<value>.*)"
)
_HARMLESS = re.compile(
    r"(?:(?:cat|less|more|true|false|:|vim?|nano|emacs|code|delta|ssh|store|cache|osxkeychain"
    r"|\S*\.githooks?)(?: .{0,20})?)?\Z"
)


def git(call: Call) -> Iterator[Hit]:
    """Discards of work and history, forced pushes, and options that run a program."""
    index, configured = _subcommand(call.words)
    for value in configured:
        found = _RUNS.match(value)
        if found and not _HARMLESS.match(found.group("value")):
            yield Hit(rule="hidden_execute", reason="A setting given to git runs a program.")
            return
    if index >= len(call.words):
        return
    name = call.words[index].text
    if call.name.isupper():
        name = name.lower()  # a file system that folds case runs GIT as git
    arguments = [word.text for word in call.words[index + 1 :]]
    if has(_options(arguments), "--help", "-h"):
        return
    check = _RULES.get(name)
    if check is not None:
        reason = check(arguments, call)
        if reason:
            yield Hit(rule="git_discard" if name != "push" else "git_push_force", reason=reason)


def _subcommand(words: Sequence[Word]) -> tuple[int, list[str]]:
    configured: list[str] = []
    index = 1
    while index < len(words) and words[index].text.startswith("-"):
        text = words[index].text
        if text == "-c" and index + 1 < len(words):
            configured.append(words[index + 1].text)
        index += 2 if text in _VALUED else 1
    return index, configured


def _options(arguments: Sequence[str]) -> list[str]:
    before = arguments[: arguments.index("--")] if "--" in arguments else arguments
    return [argument for argument in before if argument.startswith("-") and argument != "-"]


def _letters(arguments: Sequence[str]) -> set[str]:
    return {
        letter
        for option in _options(arguments)
        if not option.startswith("--")
        for letter in option[1:]
    }


def _long(arguments: Sequence[str], name: str, least: int = 4) -> bool:
    """Whether a long option is given, abbreviated as git allows."""
    return any(
        option.startswith("--")
        and len(option) - 2 >= least
        and name.startswith(option[2:].partition("=")[0])
        for option in _options(arguments)
    )


def _operands(arguments: Sequence[str]) -> list[str]:
    return [argument for argument in arguments if not argument.startswith("-") or argument == "-"]


def _reset(arguments: Sequence[str], call: Call) -> str:
    if _long(arguments, "hard", 2):
        return "Throws away every uncommitted change (git reset --hard)."
    if _long(arguments, "merge", 3) and "--merge" in arguments:
        return "Throws away uncommitted changes (git reset --merge)."
    return ""


def _checkout(arguments: Sequence[str], call: Call) -> str:
    letters = _letters_until_value(arguments, "bBU")
    if "f" in letters or _long(arguments, "force"):
        return "Throws away uncommitted changes (git checkout --force)."
    if letters & set("bBt") or _long(arguments, "orphan") or _long(arguments, "track"):
        return ""
    if _long(arguments, "pathspec-from-file", 8):
        return "Overwrites changed files with another version (git checkout of paths)."
    operands = _operands(arguments)
    if "--" in arguments:
        after = arguments[arguments.index("--") + 1 :]
        return (
            "Overwrites changed files with another version (git checkout of paths)."
            if after or call.open
            else ""
        )
    values = sum(
        argument in ("--conflict", "--unified", "--inter-hunk-context", "-U")
        for argument in arguments
    )
    if operands and (operands[-1] in (".", "./", "*", ":/") or operands[0] in (".", ":/")):
        return "Overwrites every changed file (git checkout .)."
    if len(operands) - values >= 2 and "--ours" not in arguments and "--theirs" not in arguments:
        return "Overwrites changed files with another version (git checkout of paths)."
    return ""


def _letters_until_value(arguments: Sequence[str], valued: str) -> set[str]:
    """Short flags, up to one that takes the rest of its word as a value."""
    found: set[str] = set()
    for option in _options(arguments):
        if option.startswith("--"):
            continue
        for letter in option[1:]:
            found.add(letter)
            if letter in valued:
                break
    return found


def _restore(arguments: Sequence[str], call: Call) -> str:
    letters = _letters_until_value(arguments, "sU")
    staged = "S" in letters or _long(arguments, "staged")
    worktree = "W" in letters or _long(arguments, "worktree")
    if staged and not worktree:
        return ""
    if not _operands(arguments) and not _long(arguments, "pathspec-from-file", 8) and not call.open:
        return ""
    return "Overwrites changed files with another version (git restore)."


def _clean(arguments: Sequence[str], call: Call) -> str:
    letters = _letters_until_value(arguments, "e")
    if "n" in letters or _long(arguments, "dry-run", 3):
        return ""
    if "f" in letters or _long(arguments, "force", 1):
        return "Deletes files that git does not know (git clean -f)."
    return ""


def _push(arguments: Sequence[str], call: Call) -> str:
    if _long(arguments, "dry-run", 3) or "n" in _letters(arguments):
        return ""
    lease = any(option.startswith("--force-with-lease") for option in _options(arguments))
    if "f" in _letters_until_value(arguments, "o") or "--force" in arguments:
        forced = any(option == "--force" for option in _options(arguments)[-1:])
        return (
            ""
            if lease and not forced
            else "Overwrites the history of a remote branch (git push --force)."
        )
    if _long(arguments, "mirror") or _long(arguments, "prune"):
        return "Deletes remote branches that are not here (git push --mirror)."
    if "d" in _letters_until_value(arguments, "o") or _long(arguments, "delete", 3):
        return "Deletes a remote branch (git push --delete)."
    for refspec in _operands(arguments)[1:]:
        if refspec.startswith("+"):
            return "Overwrites the history of a remote branch (a refspec with +)."
        if refspec.startswith(":") and len(refspec) > 1:
            return "Deletes a remote branch (an empty source in the refspec)."
    return ""


def _branch(arguments: Sequence[str], call: Call) -> str:
    letters = _letters_until_value(arguments, "u")
    force = "f" in letters or _long(arguments, "force")
    delete = "d" in letters or _long(arguments, "delete")
    if "D" in letters or (force and delete):
        return "Deletes a branch without looking whether it is merged (git branch -D)."
    return ""


def _stash(arguments: Sequence[str], call: Call) -> str:
    if arguments[:1] in (["drop"], ["clear"]) or (arguments and arguments[0].startswith(UNKNOWN)):
        return "Deletes stashed work (git stash drop or clear)."
    return ""


def _switch(arguments: Sequence[str], call: Call) -> str:
    letters = _letters_until_value(arguments, "cC")
    if "f" in letters or _long(arguments, "force") or _long(arguments, "discard-changes", 4):
        return "Throws away uncommitted changes (git switch --force)."
    return ""


def _worktree(arguments: Sequence[str], call: Call) -> str:
    if arguments[:1] == ["remove"] and ("f" in _letters(arguments) or _long(arguments, "force", 1)):
        return "Deletes a work tree with its uncommitted changes."
    return ""


def _reflog(arguments: Sequence[str], call: Call) -> str:
    if arguments[:1] not in (["expire"], ["delete"]) or _long(arguments, "dry-run"):
        return ""
    now = any(re.search(r"expire(?:-unreachable)?=(?:now|all|0)", word) for word in arguments)
    if arguments[0] == "delete" or now or "--all" in arguments:
        return "Deletes the reflog, the last way back to lost commits."
    return ""


def _history(arguments: Sequence[str], call: Call) -> str:
    return "Rewrites the history of the repository."


def _gc(arguments: Sequence[str], call: Call) -> str:
    if any(re.match(r"--prune=(?:now|all|0)", word) for word in arguments):
        return "Deletes unreachable commits at once (git gc --prune=now)."
    return ""


def _update_ref(arguments: Sequence[str], call: Call) -> str:
    return (
        "Deletes a reference." if "d" in _letters(arguments) or _long(arguments, "delete") else ""
    )


def _rm(arguments: Sequence[str], call: Call) -> str:
    letters = _letters(arguments)
    if _long(arguments, "cached", 3) or _long(arguments, "dry-run", 3) or "n" in letters:
        return ""
    broad = {".", "*", "./", ":/"} & set(_operands(arguments))
    if broad and ("f" in letters or "r" in letters or _long(arguments, "force", 3)):
        return "Deletes every tracked file (git rm)."
    return ""


def _submodule(arguments: Sequence[str], call: Call) -> str:
    if arguments[:1] == ["foreach"]:
        return ""
    if arguments[:1] == ["deinit"] and ("f" in _letters(arguments) or _long(arguments, "force", 3)):
        return "Deletes a submodule's work tree with its changes."
    return ""


def _read_tree(arguments: Sequence[str], call: Call) -> str:
    if _long(arguments, "reset") and "u" in _letters(arguments):
        return "Overwrites changed files with another version (git read-tree --reset)."
    return ""


def _checkout_index(arguments: Sequence[str], call: Call) -> str:
    letters = _letters(arguments)
    if ("f" in letters or _long(arguments, "force")) and (
        "a" in letters or _long(arguments, "all")
    ):
        return "Overwrites changed files with those of the index (git checkout-index)."
    return ""


_RULES = {
    "read-tree": _read_tree,
    "checkout-index": _checkout_index,
    "reset": _reset,
    "checkout": _checkout,
    "restore": _restore,
    "clean": _clean,
    "push": _push,
    "branch": _branch,
    "stash": _stash,
    "switch": _switch,
    "worktree": _worktree,
    "reflog": _reflog,
    "filter-branch": _history,
    "filter-repo": _history,
    "gc": _gc,
    "update-ref": _update_ref,
    "rm": _rm,
    "submodule": _submodule,
}
