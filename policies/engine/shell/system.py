"""Rules about accounts, services, the firewall, the machine itself, and the agent's own guard."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.engine.shell.calls import Call
from policies.engine.shell.hits import Hit, flags, has, operands


def account(call: Call) -> Iterator[Hit]:
    """Users, groups and passwords."""
    if (
        has(call.arguments, "--help", "-h", "--version", "--status", "-S", "-l")
        and call.name != "usermod"
    ):
        return
    if call.name == "passwd" and not call.arguments:
        return
    if call.name in ("useradd", "adduser", "groupadd"):
        powers = {"sudo", "wheel", "admin", "root", "docker", "0"}
        groups = {part for text in call.arguments for part in re.split(r"[,=]", text)}
        if not groups & powers:
            return
    yield Hit(rule="privilege_change", reason=f"Changes accounts of the machine ({call.name}).")


def firewall(call: Call) -> Iterator[Hit]:
    """Firewalls switched off or emptied."""
    letters, longs = flags(call)
    words = call.arguments
    if call.name in ("iptables", "ip6tables", "ebtables", "arptables"):
        off = bool(letters & set("FX")) or bool(longs & {"--flush", "--delete-chain"})
        if off or ("-P" in words and "ACCEPT" in words):
            yield Hit(rule="defence_off", reason="Empties or opens the firewall.")
    elif call.name == "nft" and words[:2] == ["flush", "ruleset"]:
        yield Hit(rule="defence_off", reason="Empties the firewall.")
    elif call.name == "ufw" and has(words, "disable", "reset"):
        yield Hit(rule="defence_off", reason="Switches the firewall off.")
    elif call.name == "setenforce" and has(words, "0", "Permissive", "permissive"):
        yield Hit(rule="defence_off", reason="Switches SELinux off.")
    elif (call.name == "auditctl" and has(words, "-D", "-e0")) or (
        call.name == "auditctl" and words[:2] == ["-e", "0"]
    ):
        yield Hit(rule="defence_off", reason="Switches the audit off.")
    elif call.name in ("csrutil", "spctl") and has(
        words, "disable", "--master-disable", "--global-disable"
    ):
        yield Hit(rule="defence_off", reason="Switches a protection of the system off.")


_GUARDS = re.compile(
    r"^(?:firewalld|ufw|iptables|nftables|auditd|apparmor|fail2ban|clamav\S*|falcon-sensor|osqueryd?|"
    r"wazuh\S*|crowdstrike\S*|sentinelone\S*|rsyslog|syslog\S*|selinux\S*|axon\S*)(?:\.service)?$"
)
_VITAL = re.compile(
    r"^(?:sshd?|network\S*|systemd-\S+|dbus|postgresql\S*|mysqld?|mariadb|docker|containerd|kubelet|nginx|redis\S*|cron\S*)(?:\.service)?$"
)


def service(call: Call) -> Iterator[Hit]:
    """Services that guard the machine stopped or switched off."""
    words = [word.text for word in operands(call)]
    if call.name == "service":
        words = [words[1], words[0]] if len(words) > 1 else []
    if not words:
        return
    verb, names = words[0], words[1:]
    if verb in ("stop", "disable", "mask", "kill") and any(_GUARDS.match(name) for name in names):
        yield Hit(rule="defence_off", reason="Stops a service that guards the machine.")
    elif verb in ("disable", "mask") and any(_VITAL.match(name) for name in names):
        yield Hit(rule="service_off", reason="Switches off a service that the machine needs.")
    elif verb in ("poweroff", "reboot", "halt", "kexec", "rescue", "emergency"):
        yield Hit(rule="machine_stop", reason="Stops or restarts the machine.")


def machine(call: Call) -> Iterator[Hit]:
    """shutdown, reboot, init 0."""
    if call.name in ("init", "telinit"):
        if not has(call.arguments, "0", "6", "1"):
            return
    elif has(call.arguments, "--help", "-c", "--show", "--version", "-k", "--wtmp-only"):
        return
    yield Hit(rule="machine_stop", reason="Stops or restarts the machine.")


def kill(call: Call) -> Iterator[Hit]:
    """Signals to everything, or to the guard."""
    words = call.arguments
    if call.name == "kill":
        targets = [word for word in words if not re.fullmatch(r"-(?:\d{1,2}|[A-Z]+|s|l|L)", word)]
        if "-1" in words[1:] or (has(words, "-9", "-KILL", "-SIGKILL") and has(targets, "1", "-1")):
            yield Hit(rule="process_kill", reason="Sends a signal to every process.")
    elif call.name == "killall5" or (
        call.name == "pkill" and has(words, "-u") and has(words, "root")
    ):
        yield Hit(rule="process_kill", reason="Sends a signal to every process.")
    if call.name in ("pkill", "killall") and any(
        re.search(r"axon|claude|auditd|falco|osquery", word) for word in words
    ):
        yield Hit(rule="guard_off", reason="Stops the agent's guard or a monitor.")


def schedule(call: Call) -> Iterator[Hit]:
    """crontab: installed from elsewhere or deleted."""
    letters, _ = flags(call)
    if "l" in letters or "e" in letters:
        return
    if "r" in letters:
        yield Hit(rule="persistence", reason="Deletes every scheduled job.")
    elif call.arguments[-1:] == ["-"] or operands(call):
        yield Hit(rule="persistence", reason="Replaces the scheduled jobs.")


def module(call: Call) -> Iterator[Hit]:
    """Kernel modules and settings."""
    if call.name in ("insmod", "rmmod") and call.arguments:
        yield Hit(rule="kernel_change", reason="Loads or unloads a part of the kernel.")


def agent(call: Call) -> Iterator[Hit]:
    """Ways in which an agent would switch off what watches it."""
    words = call.arguments
    if call.name in ("claude", "codex", "gemini", "cursor-agent") and has(
        words,
        "--dangerously-skip-permissions",
        "--safe-mode",
        "--yolo",
        "--dangerously-bypass-approvals-and-sandbox",
    ):
        yield Hit(rule="agent_settings", reason="Starts an agent with its guards switched off.")
    elif (
        call.name == "git"
        and has(words, "core.hooksPath")
        and has(words, "config")
        and has(words, "/dev/null")
    ):
        yield Hit(rule="agent_settings", reason="Switches the repository's hooks off.")


def logs(call: Call) -> Iterator[Hit]:
    """Traces deleted."""
    words = call.arguments
    if call.name == "history" and any(word.startswith("-") and "c" in word for word in words):
        yield Hit(rule="trace_delete", reason="Deletes the history of commands.", confidence=0.8)
    elif call.name == "journalctl" and any(
        re.match(r"--vacuum-(?:time|size|files)=(?:0|1)\D?$|--vacuum-time=1s", word)
        for word in words
    ):
        yield Hit(rule="trace_delete", reason="Deletes the journal of the system.")
    elif call.name == "wevtutil" and has(words, "cl", "clear-log"):
        yield Hit(rule="trace_delete", reason="Deletes an event log.")


def packages(call: Call) -> Iterator[Hit]:
    """Removal of what the system stands on."""
    words = [word for word in call.arguments if not word.startswith("-")]
    vital = {
        "sudo",
        "systemd",
        "libc6",
        "bash",
        "coreutils",
        "openssh-server",
        "linux-image",
        "python3",
        "kernel",
    }
    if (
        words[:1]
        and words[0] in ("remove", "purge", "erase", "autoremove")
        and vital & set(words[1:])
    ):
        yield Hit(rule="system_remove", reason="Removes a package that the system stands on.")
    elif call.name == "pacman" and any(
        word.startswith("-R") and "dd" in word for word in call.arguments
    ):
        yield Hit(
            rule="system_remove", reason="Removes packages without looking at what needs them."
        )
