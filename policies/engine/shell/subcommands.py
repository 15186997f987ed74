"""How a command line with subcommands is read: the words that name what it does."""

from __future__ import annotations

import re

from policies.engine.language import word_set
from policies.engine.shell.call import Call

MAX_SUBCOMMANDS = 8  # words of a command line that are read as its subcommands

# Options that stand alone: the word behind one of them is no value of it.
_SWITCHES = word_set(
    "-f --force -y --yes -q --quiet --quiet=true -v --verbose -vv -A --all -a -r -R --recursive "
    "--debug --json --no-cli-pager --no-prompt --non-interactive --no-input --auto-approve "
    "-auto-approve --no-confirm --confirm -i --interactive -m --trace --no-color --silent -s "
    "--assume-yes --cascade --purge --insecure -k --now --wait --no-wait --delete --dry-run "
    "--help -h --version --no-paginate --no-sign-request --no-cli-auto-prompt --log-http "
    "--only-show-errors --no-user-output-enabled --no-verify-ssl --tls --admin --global "
    "-g -it -t -T -d -x"
)
_DRY = word_set(
    "--dry-run --dryrun --dry-run=client --dry-run=server --dry-run=true --help -help -h "
    "--preview --preview-only --what-if --whatif --noop --check --simulate --just-print "
    "--plan --usage -n=true"
)


# What is no value of an option that nobody has described, but the subcommand behind it.
_VERB = re.compile(r"(?:delete|destroy|remove|rm|purge|uninstall|drop|terminate)\b")


def verbs(call: Call, limit: int = MAX_SUBCOMMANDS) -> list[str]:
    """The words that are no options and no values of options, in their order.

    A word behind an option that is no known switch is its value (`--region x s3 rb`), except for
    a verb before any subcommand.
    """
    found: list[str] = []
    before = ""
    for text in call.arguments:
        if text == "--":
            break
        if text.startswith("-"):
            before = text
            continue
        value = before and "=" not in before and before not in _SWITCHES
        before = ""
        if (value and (found or not _VERB.match(text))) or not text or " " in text:
            continue
        found.append(text)
        if len(found) >= limit:
            break
    return found


def rehearses(call: Call) -> bool:
    """Whether the command only tells what it would do, or how it is used."""
    arguments = call.arguments
    return arguments[-1:] == ["help"] or any(text in _DRY for text in arguments)


def starts(words: list[str], *wanted: str) -> bool:
    """Whether the words begin with one of the given phrases."""
    return any(words[: phrase.count(" ") + 1] == phrase.split() for phrase in wanted)


def option(call: Call, *names: str) -> str | None:
    """The value of the first of these options that is given, joined to it or behind it."""
    arguments = call.arguments
    for index, text in enumerate(arguments):
        for name in names:
            if text == name:
                return arguments[index + 1] if index + 1 < len(arguments) else ""
            if text.startswith(name + "="):
                return text[len(name) + 1 :]
            if len(name) == 2 and text.startswith(name) and not text.startswith("--"):
                return text[2:]
    return None


def flag(call: Call, *names: str) -> bool:
    """Whether one of these options is given, alone, with a value, or among joined letters."""
    letters = [name[1] for name in names if len(name) == 2]
    for text in call.arguments:
        if text in names or text.partition("=")[0] in names:
            return True
        if (
            letters
            and re.fullmatch(r"-[A-Za-z]{2,6}", text)
            and any(letter in text for letter in letters)
        ):
            return True
    return False
