"""What a shell rule answers, and the words the rules share."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from policies.engine.language import word_set
from policies.engine.shell.call import Call
from policies.engine.shell.model import UNKNOWN, Word, join


@dataclass(frozen=True, slots=True, kw_only=True)
class Hit:
    """A rule that holds for a call."""

    rule: str
    reason: str
    confidence: float = 0.95


_SAFE_ROOTS = ("/tmp/", "/var/tmp/", "/private/tmp/", "/dev/shm/", "~/.cache/", "/var/cache/",  # noqa: S108
               "/private/var/folders/", "/var/folders/")  # fmt: skip
# What tools make again by themselves: deleting it loses time, not work.
_REBUILT = word_set(
    "node_modules dist build target out .next .nuxt .cache .venv venv __pycache__ "
    ".pytest_cache .mypy_cache .ruff_cache coverage htmlcov .tox .nox .gradle .terraform "
    ".parcel-cache .turbo bin obj tmp temp .eggs vendor Pods DerivedData .svelte-kit .angular "
    "cache logs log site storybook-static public/build .output cmake-build-debug _build "
    ".serverless"
)


def operands(call: Call) -> list[Word]:
    """The arguments that are no options; all of them behind `--`."""
    words: list[Word] = []
    literal = False
    for word in call.words[1:]:
        if not literal and word.text == "--":
            literal = True
        elif literal or not word.text.startswith("-") or word.text == "-":
            words.append(word)
    return words


def flags(call: Call) -> tuple[set[str], set[str]]:
    """The letters of short options and the long options (without their values)."""
    letters: set[str] = set()
    longs: set[str] = set()
    for text in call.arguments:
        if text == "--":
            break
        if text.startswith("--"):
            longs.add(text.partition("=")[0])
        elif text.startswith("-"):
            letters.update(text[1:])
    return letters, longs


def breadth(word: Word, cwd: str) -> str:
    """Why a path is too broad to delete or change as a whole; empty when it is not."""
    raw = word.text
    if raw.startswith(UNKNOWN):
        return "a path that the command does not tell"
    # A name below a directory that is not known is still a name below a working directory.
    path = join("" if cwd.startswith(UNKNOWN) else cwd, raw)
    if path in ("", ".") or raw in ("*", "./*", "./", ".*", "*/"):
        if cwd and not cwd.startswith((".", "~", UNKNOWN)):
            # All of a directory that was entered: the same as that directory by its name.
            return _absolute(cwd) if cwd.startswith("/") else ""
        return "the whole working directory"
    if path.startswith(UNKNOWN):
        return "a path that the command does not tell"
    if path.startswith(".."):
        return "something outside the working directory"
    if path == "/" or path.startswith("/*"):
        return "the whole file system"
    if path.startswith("~"):
        return _home(path)
    if path.startswith("/"):
        return _absolute(path)
    name = path.rpartition("/")[2]
    if name in (".git", ".hg", ".svn", ".jj"):
        return "the history of the repository"
    return ""


def _home(path: str) -> str:
    rest = path.partition("/")[2]
    if path.startswith(("~/.cache/", "~/tmp/", "~/.npm/", "~/.gradle/caches")):
        return ""
    if rest.rpartition("/")[2] in _REBUILT:
        return ""
    if not rest or rest in ("*", ".*"):
        return "the whole home directory"
    return "something in the home directory"


# Below a place for temporary files, but nothing says below what.
_UNNAMED = re.compile(rf"/(?:private/)?(?:var/)?(?:tmp|cache|folders|dev/shm)/?(?:{UNKNOWN}|\*|\Z)")


def _absolute(path: str) -> str:
    if (path + "/").startswith(_SAFE_ROOTS) and ".." not in path and not _UNNAMED.match(path):
        return ""
    parts = path.strip("/").split("/")
    if len(parts) > 2 and parts[-1] in _REBUILT:
        return ""
    return "an absolute path"


_DEVICE = re.compile(
    r"/dev/(?:sd|hd|vd|xvd|nvme|mmcblk|disk|rdisk|md|dm-|mapper/|sr|loop|device|stratis|ram|zvol)"
)


def is_device(path: str) -> bool:
    """Whether a path is a disk or partition."""
    return _DEVICE.match(path) is not None


# What is read to take over an account, wherever it lies.
_CREDENTIALS = re.compile(
    r"(?:^|/)(?:\.ssh/(?:id_[a-z0-9]+|identity|[\w.-]*key|[\w.-]+\.pem|\*)(?![\w.]*\.pub)|\.aws(?:/(?:credentials|config|\*))?/?$"
    r"|\.netrc|\.pgpass|\.my\.cnf|\.npmrc|\.pypirc|\.docker/config\.json|\.kube(?:/config)?/?$|\.git-credentials"
    r"|\.gnupg(?:/|$)|\.config/gcloud(?:/|$)|\.azure(?:/|$)|\.config/gh/hosts\.yml|\.vault-token"
    r"|\.claude/\.credentials\.json|\.codex/auth\.json|\.terraform\.d/credentials[\w.]*|\.ssh/?$"
    r"|\.config/hub|\.boto|\.s3cfg|\.rclone\.conf|rclone/rclone\.conf|\.cargo/credentials[\w.]*"
    r"|id_(?:rsa|dsa|ecdsa|ed25519)(?!\.pub)|Login Data|Cookies$|cookies\.sqlite|key[34]\.db"
    r"|logins\.json|wallet\.dat"
    r"|\.mozilla/firefox|Library/Keychains|\.electrum|\.password-store|\.databrickscfg|\.snowflake|\.fly/config\.yml"
    r"|\.config/(?:doctl|heroku|op|stripe|hcloud|linode-cli|Signal|Slack|Bitwarden)|\.gem/credentials|\.oci/config"
    r"|Google/Chrome[\w /-]*/(?:Default|Profile \d+)|google-chrome|BraveSoftware"
    r"|\.local/share/keyrings|\.ethereum/keystore"
    r"|\.(?:bash|zsh|sh|mysql|psql|python|node_repl|rediscli|sqlite)_history|\.histfile)"
    r"|^/etc/(?:shadow|gshadow|sudoers(?!\.d/README)|krb5\.keytab|ssh/ssh_host_\w+_key(?!\.pub)|master\.passwd|security/opasswd)"
    r"|^/proc/(?:self|\d+|1|\*|\ue000)/(?:environ|mem)|^/dev/k?mem$|^(?:/var)?/run/secrets|^/var/lib/sss/db"
    r"|^/etc/kubernetes/(?:admin\.conf|pki)|^/root/\.ssh|^/var/lib/kubelet/(?:pki|config)|^/etc/rancher/k3s/k3s\.yaml"
)
_SECRET_FILES = re.compile(
    r"(?:^|[/:])(?:\.env(?:\.(?!example|sample|template|dist|test)[\w.-]+)?|secrets?\.(?:ya?ml|json|toml|env|txt)"
    r"|credentials(?:\.json)?|service-account[\w-]*\.json|[\w.*-]+\.(?:pem|p12|pfx|keytab|kdbx|jks|ppk)|etc/passwd"
    r"|passwords?\.(?:txt|csv|kdbx)|terraform\.tfstate|\.htpasswd|wp-config\.php|[\w.-]*_(?:rsa|ed25519)|private\.key)$"
)
_PATH_LIKE = re.compile(r"[./~\ue000]|id_|key\d|wallet|Login|Cookies|cookies|credential|secret|etc")


def is_credential(path: str) -> bool:
    """Whether a path holds credentials of a person or machine."""
    return (
        _PATH_LIKE.search(path) is not None
        and _CREDENTIALS.search(path) is not None
        and not path.endswith((".pub", ".example", ".sample"))
    )


def is_secret(path: str) -> bool:
    """Whether a path holds secrets, those of a project included."""
    return is_credential(path) or _SECRET_FILES.search(path) is not None


_SYSTEM_WRITE = re.compile(
    r"^/(?:etc(?:/|$)|boot(?:/|$)|usr/(?!local/(?:share|src)/)|bin(?:/|$)|sbin(?:/|$)|lib(?:64)?(?:/|$)"
    r"|System(?:/|$)|Library/Launch|proc/(?:sys|\d+)|sys/)"
)
_PERSISTENCE = re.compile(
    r"(?:^|/)(?:\.ssh/(?:authorized_keys2?|config|rc|environment)|\.bashrc|\.bash_profile|\.bash_login|\.bash_logout|\.profile"
    r"|\.zshrc|\.zshenv|\.zprofile|\.zlogin|\.bash_aliases|\.git/hooks/[\w-]+|\.git/config|\.gitconfig"
    r"|\.config/systemd/user(?:/[\w.@-]+)?|\.config/autostart(?:/[\w.-]+)?|Library/Launch(?:Agents|Daemons)(?:/[\w.-]+)?"
    r"|\.config/fish/(?:config\.fish|conf\.d/\S+|functions/\S+)|\.pam_environment|\.xprofile|\.xinitrc|\.xsession(?:rc)?"
    r"|\.inputrc|sitecustomize\.py|usercustomize\.py"
    r"|StartupItems/[\w.-]+|Microsoft\.PowerShell_profile\.ps1"
    r"|Start Menu/Programs/Startup/.+)(?![\w.-])"
    r"|^/etc/(?:cron|systemd|rc\.\w+|rc\d\.d|profile|bash\.bashrc|bashrc|zsh|ld\.so\.(?:preload|conf)|init\.d|init/|pam\.d|sudoers"
    r"|passwd|shadow|group|hosts|ssh/sshd?_config|update-motd\.d|udev/rules\.d|xdg/autostart|at\.allow|anacrontab|inittab"
    r"|environment|security/|modules|modprobe\.d|apt/apt\.conf\.d|NetworkManager/dispatcher\.d|emond\.d|periodic)"
    r"|^/var/spool/(?:cron|at)|^/var/at/|^/(?:usr/)?lib(?:64)?/(?:systemd/(?:system|user)|security)/|^/usr/share/polkit"
)
_AGENT_SETTINGS = re.compile(
    r"(?:^|/)(?:\.claude/(?:settings(?:\.local)?\.json|hooks(?:/|$)|managed-settings\.json|plugins/)|\.codex/(?:config\.toml|hooks\.json)"
    r"|\.cursor/(?:hooks(?:\.json|/)|mcp\.json|cli-config\.json|permissions\.json)|\.gemini/settings\.json"
    r"|managed-settings\.json|\.claude\.json|\.mcp\.json|\.github/copilot[\w-]*/|\.vscode/mcp\.json"
    r"|\.config/axon/|\.axon/|\.windsurf/\S*hooks\.json|\.copilot/(?:config|mcp-config)\.json|\.qwen/settings\.json)"
    r"|^~/\.claude/CLAUDE\.md$|^/etc/claude-code/|^~/\.codex/AGENTS\.md$"
)
_TRACES = re.compile(
    r"(?:^|/)\.(?:bash|zsh|sh|mysql|psql|python|node_repl)_history$|(?:^|/)\.histfile$|fish_history$"
    r"|^/var/log/?$|^/var/log/(?:auth\.log|syslog|messages|secure|wtmp|btmp|lastlog|utmp|faillog|kern\.log|audit(?:/|$)|journal(?:/|$)"
    r"|maillog|cron|dmesg|boot\.log|system\.log|install\.log|asl(?:/|$)|\*|$)|^/var/(?:run|adm)/utmp|^/var/(?:audit|spool/mail)(?:/|$)"
    r"|^/run/log/journal|^~?/?Library/Logs/?$|^/root/\.\w*_?history"
)
_HOOKS = re.compile(r"(?:^|/)\.(?:git/hooks|husky)(?:/(?!\S*\.sample)|$)")


def guarded(path: str) -> tuple[str, str]:
    """The rule and reason when a path must not be deleted or emptied; else two blanks."""
    if _TRACES.search(path):
        return "trace_delete", "Deletes a record of what was done."
    if _AGENT_SETTINGS.search(path):
        return "agent_settings", "Takes the settings or hooks away that govern the agent itself."
    if _HOOKS.search(path):
        return "guard_off", "Takes the hooks of the repository away."
    return "", ""


def written_place(path: str) -> tuple[str, str]:
    """The rule and reason when a path should not be written without a person; else two blanks."""
    if "/" not in path and not path.startswith("."):
        return "", ""
    if _AGENT_SETTINGS.search(path):
        return "agent_settings", "Changes the settings or hooks that govern the agent itself."
    if is_device(path):
        return "disk_overwrite", "Writes straight onto a disk."
    if path == "/proc/sysrq-trigger":
        return "machine_stop", "Tells the kernel to stop at once."
    if _TRACES.search(path):
        return "trace_delete", "Overwrites a record of what was done."
    if _PERSISTENCE.search(path):
        return "persistence", "Writes a file that is run or trusted later (start-up, keys, jobs)."
    if _SYSTEM_WRITE.search(path):
        return "system_write", "Writes into a directory of the operating system."
    return "", ""


def has(arguments: Sequence[str], *wanted: str) -> bool:
    """Whether one of the words stands among the arguments."""
    return any(argument in wanted for argument in arguments)
