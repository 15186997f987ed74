"""Rules about what guards a machine: firewalls, protections, monitors, logs and histories."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.engine.shell import environment
from policies.engine.shell.call import Call
from policies.engine.shell.hits import Hit, flags, has, operands
from policies.engine.shell.subcommands import flag, rehearses, starts


def firewall(call: Call) -> Iterator[Hit]:
    """Firewalls switched off, emptied or opened."""
    letters, longs = flags(call)
    words = call.arguments
    text = " ".join(words)
    name = call.name
    if name in ("iptables", "ip6tables", "ebtables", "arptables"):
        off = bool(letters & set("FXD")) or bool(longs & {"--flush", "--delete-chain", "--delete"})
        if off or (("-P" in words or "--policy" in words) and "ACCEPT" in words):
            yield Hit(rule="defence_off", reason="Empties or opens the firewall.")
    elif (name == "iptables-restore" and "/dev/null" in text) or (
        name == "nft" and re.match(r"(?:flush|delete|destroy) ", text)
    ):
        yield Hit(rule="defence_off", reason="Empties the firewall.")
    elif name == "ufw" and (
        has(words, "disable", "reset", "delete")
        or starts(words, "default allow")
        or re.search(r"\ballow (?:from any|in|proto \w+ from any)\b", text)
    ):
        yield Hit(rule="defence_off", reason="Switches the firewall off or opens it.")
    elif name == "firewall-cmd" and re.search(
        r"--(?:add|remove)-(?!lockdown)|--panic|--set-default-zone=trusted|--complete-reload", text
    ):
        yield Hit(rule="defence_off", reason="Opens the firewall.", confidence=0.8)
    elif (
        (name == "pfctl" and (flag(call, "-d") or "-F" in words))
        or (name == "netsh" and re.search(r"(?i)firewall .*(?:off|disable|delete)|state off", text))
        or (name == "socketfilterfw" and "off" in words)
    ):
        yield Hit(rule="defence_off", reason="Switches the firewall off.")


_PROTECTIONS = (
    ("setenforce", r"(?i)0|permissive", "Switches SELinux off."),
    ("auditctl", r"(?:.* )?(?:-D|-e ?0|-d|-W)\b", "Switches the audit off."),
    ("csrutil", r"(?:disable|authenticated-root disable|clear)", "Switches a protection off."),
    ("spctl", r".*(?:--master-disable|--global-disable|--disable|kext-consent disable)",
     "Switches a protection off."),
    ("fdesetup", r"disable|removeusers", "Switches the encryption of the disk off."),
    ("tccutil", r"reset", "Resets what programs may do."),
    ("aa-disable aa-teardown aa-remove-unknown", r"", "Switches AppArmor off."),
    ("apparmor_parser", r".*(?:-R|--remove)\b", "Switches a profile of AppArmor off."),
    ("semodule", r".*(?:-d|-r)\b", "Takes a policy of SELinux away."),
    ("semanage", r"permissive .*(?:-a|--add)\b", "Switches SELinux off in part."),
    ("defaults", r"write .*(?:LSQuarantine|com\.apple\.screensaver askForPassword|alf globalstate)",
     "Switches a protection off."),
    ("xattr", r".*com\.apple\.quarantine", "Takes the mark of a download away."),
    ("sysctl", (r".*(?:randomize_va_space|ptrace_scope|kptr_restrict|dmesg_restrict"
     r"|unprivileged_bpf"
     r"_disabled|modules_disabled|protected_\w+|rp_filter|tcp_syncookies|kexec_load_disabled"
     r"|core_pattern)="), "Switches a protection of the kernel off."),
    ("nvram", r"boot-args=|.*csr-active-config", "Changes how the machine starts."),
    ("kextload kmutil", r"(?!showloaded|inspect|find)", "Loads a part of the kernel."),
    ("profiles", r"(?:-R|remove)\b", "Takes a managed profile away."),
    ("systemsetup", r"-setremotelogin on|-setremoteappleevents on", "Opens the machine."),
    ("pam-auth-update", r".*(?:--remove|--disable|--force)", "Changes how people sign in."),
    ("authconfig authselect", r".*(?:--disable|disable-feature|select minimal)",
     "Changes how people sign in."),
    ("bpftool", r"(?:prog (?:detach|load)|cgroup detach)", "Changes what the kernel watches."),
    ("mokutil", r"--disable-validation", "Switches the check at start-up off."),
    ("bcdedit", r"(?i).*(?:recoveryenabled|bootstatuspolicy|testsigning|nointegritychecks)",
     "Changes how the machine starts."),
    ("vssadmin wbadmin", r"(?i)delete", "Deletes what the machine could be restored from."),
    ("wmic", r"(?i).*(?:shadowcopy|delete|call create)", "Deletes or starts something by WMI."),
    ("fsutil", r"(?i)usn deletejournal", "Deletes the journal of a disk."),
    ("Set-MpPreference Add-MpPreference", r"(?i).*-(?:Disable|Exclusion)",
     "Switches the virus scanner off."),
    ("Stop-Service Disable-WindowsOptionalFeature", r"(?i).*(?:defender|windefend|eventlog)",
     "Stops a service that guards the machine."),
)  # fmt: skip
_PROTECTION = {
    name: (re.compile(pattern), reason)
    for names, pattern, reason in _PROTECTIONS
    for name in names.split()
}
PROTECTIONS = " ".join(_PROTECTION)


def protection(call: Call) -> Iterator[Hit]:
    """A protection of the system switched off."""
    if has(call.arguments, "--help", "-h", "--status", "status", "--version"):
        return
    pattern, reason = _PROTECTION[call.name]
    if pattern.match(" ".join(call.arguments)[:1000]):
        yield Hit(rule="defence_off", reason=reason)


_GUARDS = re.compile(
    r"(?i)^(?:firewalld|ufw|iptables|nftables|audit(?:d|beat)|apparmor|fail2ban|clamav\S*|clamd|falcon\S*|"
    r"osqueryd?|wazuh\S*|ossec\S*|crowdstrike\S*|sentinel\S*|rsyslog\S*|syslog\S*|systemd-journald|"
    r"selinux\S*|axon\S*|falco|sysmon|carbonblack|cbagentd|mdatp|defender\S*|tripwire|aide|snort|suricata|"
    r"mcafee\S*|sophos\S*|sav-\S*|symantec\S*|nessus\S*|auditbeat|filebeat|splunk\S*|datadog-agent|cbdaemon"
    r"|com\.(?:crowdstrike|carbonblack|sentinelone|jamf|microsoft\.wdav|objective-see)\S*)(?:\.service)?$"
)
_VITAL = re.compile(
    r"^(?:sshd?|network\S*|systemd-\S+|dbus|postgresql\S*|mysqld?|mariadb|docker|containerd|kubelet|nginx|redis\S*|cron\S*)(?:\.service)?$"
)


def service(call: Call) -> Iterator[Hit]:
    """Services that guard the machine stopped or switched off."""
    words = [word.text for word in operands(call)]
    if call.name in ("service", "rc-service", "invoke-rc.d"):
        words = [words[1], words[0]] if len(words) > 1 else []
    elif call.name in ("update-rc.d", "chkconfig") and len(words) > 1:
        off = {"off": "disable", "remove": "disable"}
        words = [off.get(words[1], words[1]), words[0]]
    if not words:
        return
    verb, names = words[0], [name.rpartition("/")[2] for name in words[1:]]
    names += [name.removesuffix(".plist") for name in names]
    if verb in ("stop", "disable", "mask", "kill", "unload", "bootout", "remove") and any(
        _GUARDS.match(name) for name in names
    ):
        yield Hit(rule="defence_off", reason="Stops a service that guards the machine.")
    elif verb in ("disable", "mask") and any(_VITAL.match(name) for name in names):
        yield Hit(rule="service_off", reason="Switches off a service that the machine needs.")
    elif verb in ("poweroff", "reboot", "halt", "kexec", "rescue", "emergency"):
        yield Hit(rule="machine_stop", reason="Stops or restarts the machine.")
    elif verb == "submit" and call.name == "launchctl":
        yield Hit(rule="persistence", reason="Has a program run and started again for ever.")
    elif (
        verb in ("edit", "link", "enable", "start", "load", "bootstrap", "submit")
        and any(
            text.startswith(("/tmp/", "/dev/shm/", "/var/tmp/"))  # noqa: S108
            for text in words[1:]
        )
    ):
        yield Hit(rule="persistence", reason="Starts a service from a place open to everybody.")


def kill(call: Call) -> Iterator[Hit]:
    """Signals to everything, or to the guard."""
    words = call.arguments
    text = " ".join(words)
    if call.name == "kill":
        targets = [word for word in words if not re.fullmatch(r"-(?:\d{1,2}|[A-Z]+|s|l|L)", word)]
        if "-1" in words[1:] or (has(words, "-9", "-KILL", "-SIGKILL") and has(targets, "1", "-1")):
            yield Hit(rule="process_kill", reason="Sends a signal to every process.")
    elif call.name == "killall5" or (
        re.search(r"(?:-u|-U|--uid|--euid|--user)[ =]?(?:root|0|\ue000|\S*\ue000)(?: |$)", text)
        or re.fullmatch(r"(?:-\w+ )*(?:-f )?(?:\.|\.\*|\^|'')", text)
    ):
        yield Hit(rule="process_kill", reason="Sends a signal to every process.")
    if call.name in ("pkill", "killall", "taskkill", "Stop-Process") and any(
        re.search(
            r"(?i)axon|claude|audit|falco|osquery|wazuh|ossec|syslog|sysmon|clam|defender", word
        )
        or _GUARDS.match(word)
        for word in words
    ):
        yield Hit(rule="guard_off", reason="Stops the agent's guard or a monitor.")


def logs(call: Call) -> Iterator[Hit]:
    """Traces deleted."""
    words = call.arguments
    text = " ".join(words)
    name = call.name
    if name == "history" and any(re.match(r"-\w*[cd]", word) for word in words):
        yield Hit(rule="trace_delete", reason="Deletes the history of commands.", confidence=0.8)
    elif name == "fc" and "-p" in words and "/dev/null" in words:
        yield Hit(rule="trace_delete", reason="Deletes the history of commands.")
    elif name == "set" and re.search(r"\+o history", text):
        yield Hit(rule="trace_delete", reason="Keeps commands out of the history.")
    elif name == "journalctl" and re.search(
        r"--vacuum-(?:time|size|files)[= ](?:0|1)[a-zA-Z]?\b", text
    ):
        yield Hit(rule="trace_delete", reason="Deletes the journal of the system.")
    elif name == "wevtutil" and has(words, "cl", "clear-log", "sl"):
        yield Hit(rule="trace_delete", reason="Deletes an event log.")
    elif name == "log" and words[:1] == ["erase"]:
        yield Hit(rule="trace_delete", reason="Deletes the log of the system.")
    elif name in ("Clear-EventLog", "Clear-History", "Remove-EventLog"):
        yield Hit(rule="trace_delete", reason="Deletes an event log.")
    elif name == "tmutil" and re.match(r"delete|deletelocalsnapshots|disable", text):
        yield Hit(rule="trace_delete", reason="Deletes backups of the machine.")
    elif name == "touch" and re.search(
        r"(?:-\w*r|--reference=?) ?/(?:bin|usr|sbin|etc|lib)/", text
    ):
        yield Hit(rule="trace_delete", reason="Gives a file the age of a system file.")


def variables(call: Call) -> Iterator[Hit]:
    """export, unset and their relatives: what the variables change."""
    for text in call.arguments:
        if text.startswith("-"):
            continue
        name, equals, value = text.partition("=")
        hit = environment.variable(name, value if equals else None)
        if hit is not None and (equals or call.name == "unset"):
            yield hit
            return


def packages(call: Call) -> Iterator[Hit]:
    """Removal of what the system stands on."""
    if rehearses(call) or flag(call, "-s", "--just-print", "--no-act", "--recon"):
        return
    words = [word.text for word in operands(call)]
    if call.name in ("dpkg", "rpm"):
        if not flag(call, "-P", "-e", "--purge", "--remove", "-r", "--erase"):
            return
    elif words[:1] and words[0] in (
        "remove",
        "purge",
        "erase",
        "autoremove",
        "delete",
        "uninstall",
    ):
        words = words[1:]
    else:
        words = []
    if any(_PACKAGE.match(word) for word in words):
        yield Hit(rule="system_remove", reason="Removes a package that the system stands on.")
    elif call.name == "pacman" and any(
        word.startswith("-R") and "dd" in word for word in call.arguments
    ):
        yield Hit(
            rule="system_remove", reason="Removes packages without looking at what needs them."
        )


_PACKAGE = re.compile(
    r"(?:\*|sudo|systemd|libc6|glibc|bash|coreutils|openssh-server|linux-image\S*|linux-generic|python3|kernel\S*"
    r"|auditd|rsyslog|ufw|apparmor|selinux\S*|clamav\S*|falcon-sensor|crowdstrike\S*|wazuh\S*|osquery|apt|dpkg"
    r"|rpm|grub\S*|initramfs-tools|passwd|login|util-linux|firewalld|fail2ban)\Z"
)
