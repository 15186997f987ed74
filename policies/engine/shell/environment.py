"""What a variable set for a command changes: programs that are run, traces, libraries loaded."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.engine.language import word_set
from policies.engine.shell import guard
from policies.engine.shell.hits import Hit
from policies.engine.shell.model import UNKNOWN, Command

# Variables whose value is a command line that another program runs.
PROGRAMS = word_set(
    "GIT_SSH_COMMAND GIT_SSH GIT_EXTERNAL_DIFF GIT_PAGER PAGER MANPAGER EDITOR VISUAL GIT_EDITOR "
    "GIT_SEQUENCE_EDITOR GIT_ASKPASS SSH_ASKPASS SUDO_ASKPASS LESSOPEN LESSCLOSE BROWSER "
    "PROMPT_COMMAND RSYNC_RSH CVS_RSH TAR_OPTIONS MAKE SHELL_COMMAND FZF_DEFAULT_COMMAND "
    "GIT_PROXY_COMMAND SYSTEMD_EDITOR HGEDITOR CRONTAB_EDITOR PSQL_EDITOR LESSEDIT"
)
_LIBRARIES = word_set("LD_PRELOAD LD_AUDIT LD_LIBRARY_PATH DYLD_INSERT_LIBRARIES DYLD_LIBRARY_PATH")
_PRELOADS = word_set("LD_PRELOAD LD_AUDIT DYLD_INSERT_LIBRARIES")
_SYSTEM_LIBRARY = re.compile(r"(?:/usr/lib|/lib|/opt/|/nix/|lib\w+\.so|\$|\Z)")
_START_FILES = word_set("BASH_ENV ENV PERL5OPT RUBYOPT PYTHONSTARTUP ZDOTDIR")
_WRITABLE = re.compile(r"(?:/tmp/|/var/tmp/|/dev/shm/|\./|~/)")
_KEPT = re.compile(r"HIST(?:FILE|SIZE|FILESIZE|CONTROL)\Z|SAVEHIST\Z")
WATCHED = _LIBRARIES | _START_FILES | word_set(
    "HISTFILE HISTSIZE HISTFILESIZE HISTCONTROL SAVEHIST"
)  # fmt: skip


def set_for(command: Command) -> Iterator[Hit]:
    """Variables before a command, or set on their own."""
    for name, value in command.assignments.items():
        hit = variable(name, value)
        if hit is not None:
            yield hit
            return
    key = command.assignments.get("GIT_CONFIG_KEY_0")
    if key and re.match(r"(?i)alias\.|core\.(?:pager|editor|sshcommand|fsmonitor|hookspath)", key):
        yield Hit(rule="hidden_execute", reason="A setting given to git runs a program.")


def variable(name: str, value: str | None) -> Hit | None:
    """Why setting `name` (or unsetting it, `value` None) needs a person; None when it does not."""
    if _KEPT.match(name) and _forgets(name, value):
        return Hit(rule="trace_delete", reason="Keeps commands out of the history.")
    if name in _PRELOADS and value and not _SYSTEM_LIBRARY.match(value):
        return Hit(rule="hidden_execute", reason="Loads a library of its own into every program.")
    if name in _LIBRARIES and value and value.startswith(("/tmp", "/dev/shm")):  # noqa: S108
        return Hit(rule="hidden_execute", reason="Loads libraries from a place open to everybody.")
    if name in _START_FILES and value and _WRITABLE.match(value):
        return Hit(rule="hidden_execute", reason="Has a file run before every script.")
    return guard.environment(name, value)


def _forgets(name: str, value: str | None) -> bool:
    if name in ("HISTFILE",):
        return value is None or value in ("", "/dev/null")
    if name == "HISTCONTROL":
        return value in ("ignoreboth", "ignorespace", "ignoreboth:erasedups")
    return value is not None and value in ("0", "") and UNKNOWN not in value
