"""Commands that other programs are told to run: on other machines, and by git."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from policies.engine.language import word_set
from policies.engine.shell.call import Call, Script, after_options, tail
from policies.engine.shell.model import Word

# Programs that run a command elsewhere: the words that must be among the first (none: any), and
# the options or words that the command stands behind.
_OPTIONS: dict[str, tuple[frozenset[str], tuple[str, ...]]] = {
    "ansible": (word_set(""), ("-a", "--args")),
    "salt": (word_set(""), ("cmd.run", "cmd.shell", "cmd.run_all")),
    "salt-call": (word_set(""), ("cmd.run", "cmd.shell", "cmd.run_all")),
    "gcloud": (word_set("ssh"), ("--command",)),
    "vagrant": (word_set("ssh"), ("-c", "--command")),
    "fly": (word_set("ssh console"), ("-C", "--command")),
    "flyctl": (word_set("ssh console"), ("-C", "--command")),
    "railway": (word_set("ssh"), ("-c", "--command")),
    "colima": (word_set("ssh"), ("-c", "--command")),
    "az": (word_set("run-command"), ("--scripts",)),
}
# Programs whose last arguments are the command, and how many arguments lead up to it.
_TRAILING = {"pdsh": 0, "dsh": 0, "clush": 0, "mosh": 1, "knife": 2}
_VALUED = ("-w", "-g", "-l", "-u", "-f", "-m", "-x")
_SHELL_MODULES = re.compile(r"(?:shell|command|raw|script)$")
REMOTE = _OPTIONS.keys() | _TRAILING.keys() | {"aws"}


def remote(call: Call) -> Script | None:
    """`gcloud compute ssh --command`, `ansible -m shell -a`, `salt x cmd.run`, `vagrant ssh -c`."""
    words = call.words[1:]
    texts = [word.text for word in words]
    if call.name in _TRAILING:
        rest = words[after_options(words, _VALUED) + _TRAILING[call.name] :]
        return Script(words=rest, layer=call.name) if rest else None
    if call.name == "aws":
        return _sent_by_aws(words, texts)
    needed, wanted = _OPTIONS[call.name]
    if needed and not needed.intersection(texts[:4]):
        return None
    if call.name == "ansible" and not _runs_shell(texts):
        return None
    for index, text in enumerate(texts):
        if text in wanted and index + 1 < len(words):
            return Script(words=[words[index + 1]], layer=call.name)
        option, equals, _ = text.partition("=")
        if equals and option in wanted:
            return Script(words=[tail(words[index], len(option) + 1)], layer=call.name)
    return None


def _sent_by_aws(words: Sequence[Word], texts: Sequence[str]) -> Script | None:
    """`aws ssm send-command --parameters commands=...`."""
    if "send-command" not in texts:
        return None
    for word in words:
        if word.text.startswith("commands="):
            text = word.text[9:].lstrip("[\"'")
            return Script(words=[tail(word, len(word.text) - len(text))], layer="aws ssm")
    return None


def _runs_shell(texts: Sequence[str]) -> bool:
    """Whether ansible is given a module that runs commands, and not only asked to tell."""
    if "--check" in texts or "-C" in texts:
        return False
    return all(
        _SHELL_MODULES.search(module) for option, module in pairwise(texts) if option == "-m"
    )


MAX_GIT = 200  # words of a git command in which commands are looked for
_SETTING_NAME = re.compile(r"[\w.-]+=!?")
_GIT_SETTING = re.compile(
    r"(?i)(?:alias\.[\w-]+|core\.(?:pager|editor|sshcommand|fsmonitor|askpass)|sequence\.editor|diff\.external"
    r"|pager\.\w+|credential\.helper|filter\.\w+\.(?:clean|smudge))"
)


def git(call: Call) -> Iterator[Script]:
    """Commands that git is told to run: aliases, settings, `rebase --exec`, `bisect run`."""
    words = call.words[1:]
    seen: set[str] = set()
    before = ""
    for index, word in enumerate(words[:MAX_GIT]):
        text = word.text
        following = words[index + 1] if index + 1 < len(words) else None
        if text.startswith(("-x", "--exec=")) and "rebase" in seen and text != "-x":
            yield Script(words=[tail(word, 7 if "=" in text else 2)], layer="git --exec")
        elif following is not None:
            yield from _git_words(words, index, before, seen)
        seen.add(text)
        before = text


def _git_words(words: Sequence[Word], index: int, before: str, seen: set[str]) -> Iterator[Script]:
    text, following = words[index].text, words[index + 1]
    if text == "-c" and (found := _SETTING_NAME.match(following.text)):
        if _GIT_SETTING.match(following.text) and " " in following.text:
            yield Script(words=[tail(following, found.end())], layer="git -c")
    elif text in ("-x", "--exec") and "rebase" in seen:
        yield Script(words=[following], layer="git --exec")
    elif text == "run" and before == "bisect":
        yield Script(words=words[index + 1 :], layer="git bisect run")
    elif text == "foreach" and before == "submodule":
        rest = words[index + 1 :]
        yield Script(words=rest[after_options(rest, ()) :], layer="git submodule foreach")
    elif text.endswith("-filter") and "filter-branch" in seen:
        yield Script(words=[following], layer="git filter-branch")
    elif (
        "config" in seen
        and _GIT_SETTING.fullmatch(text)
        and (following.text.startswith("!") or not text.startswith("alias"))
    ):
        skip = 1 if following.text.startswith("!") else 0
        yield Script(words=[tail(following, skip)], layer="git config")
