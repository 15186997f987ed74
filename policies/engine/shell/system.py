"""Rules about accounts, rights, schedules and the machine itself."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.engine.language import word_set
from policies.engine.shell.call import Call
from policies.engine.shell.hits import Hit, breadth, flags, has, operands
from policies.engine.shell.subcommands import option

_POWERS = frozenset(
    ["sudo", "wheel", "admin", "root", "docker", "0", "lxd", "disk", "shadow", "adm"]
)


def _edits_by_itself(call: Call) -> bool:
    """Whether an editor is set for the command that is no person's."""
    texts = [word.text for word in call.command.words]
    texts += [f"{name}={value}" for name, value in call.command.assignments.items()]
    return any(
        re.match(r"(?:SUDO_)?(?:EDITOR|VISUAL)=(?!\S*(?:vim?|nano|emacs|code)\b)", t) for t in texts
    )


def account(call: Call) -> Iterator[Hit]:
    """Users, groups and passwords."""
    name, words = call.name, call.arguments
    if has(words, "--help", "-h", "--version", "--status", "-S") or (
        "-l" in words and name == "passwd" and len(words) == 1
    ):
        return
    if name == "passwd" and not words:
        return
    if name == "visudo" and (not words or "-c" in words) and not _edits_by_itself(call):
        return
    if (
        name in ("useradd", "adduser")
        and has(words, "-M", "-r", "--system", "-N")
        and (has(words, "-s", "--shell") or any("sh" in text[-4:] for text in words))
    ):
        pass  # a system account that can sign in
    elif name in ("useradd", "adduser", "groupadd", "groupmod", "newusers"):
        groups = {part for text in words for part in re.split(r"[,=:]", text)}
        uid = option(call, "-u", "--uid")
        special = has(words, "-o", "--non-unique", "-p", "--password") or name == "newusers"
        if not groups & _POWERS and uid != "0" and not special:
            return
    yield Hit(rule="privilege_change", reason=f"Changes accounts of the machine ({name}).")


def directory(call: Call) -> Iterator[Hit]:
    """dscl, dseditgroup, sysadminctl, net user: accounts of macOS and Windows."""
    text = " ".join(call.arguments)
    if call.name == "dscl":
        changes = (
            r"-(?:create|append|delete|passwd|change|merge)\b|\b(?:create|append|delete|passwd)\b"
        )
    elif call.name == "dseditgroup":
        changes = r"-o (?:edit|create|delete)"
    elif call.name == "sysadminctl":
        changes = r"-(?:addUser|deleteUser|resetPasswordFor|guestAccount|adminPassword)"
    else:
        changes = (
            r"(?i)(?:user|localgroup|accounts) .*(?:/add|/delete|/active)|user \S+ \S+$|stop \S+"
        )
    if re.search(changes, text):
        yield Hit(rule="privilege_change", reason=f"Changes accounts of the machine ({call.name}).")


def rights(call: Call) -> Iterator[Hit]:
    """setcap, setfacl, chattr: rights that outlive the command."""
    words = operands(call)
    text = " ".join(call.arguments)
    if call.name == "setcap" and re.search(
        r"cap_(?:setuid|setgid|sys_admin|dac_\w+|sys_ptrace|sys_module|chown|fowner|net_raw)|all=|=ep\b",
        text,
    ):
        yield Hit(rule="privilege_change", reason="Gives a program rights of the administrator.")
    elif call.name == "chattr" and re.search(r"(?:^| )[-+=]\w*[ia]", text):
        for word in words:
            if word.text.startswith(("/etc", "/var/log", "/bin", "/usr", "/boot", "/root")):
                yield Hit(
                    rule="defence_off", reason="Changes whether a system file can be changed."
                )
                return
    elif call.name == "setfacl":
        for word in words:
            if word.text.startswith("/") and breadth(word, call.command.cwd) and "-R" in text:
                yield Hit(rule="permission_broad", reason="Changes rights recursively of a path.")
                return


def machine(call: Call) -> Iterator[Hit]:
    """shutdown, reboot, init 0."""
    if call.name in ("init", "telinit"):
        if not has(call.arguments, "0", "6", "1", "s", "S"):
            return
    elif has(call.arguments, "--help", "-c", "--show", "--version", "-k", "--wtmp-only", "/a"):
        return
    yield Hit(rule="machine_stop", reason="Stops or restarts the machine.")


def schedule(call: Call) -> Iterator[Hit]:
    """crontab, schtasks: installed from elsewhere or deleted."""
    letters, _ = flags(call)
    if call.name in ("defaults", "systemd-run"):
        if re.search(
            r"LoginHook|LogoutHook|--on-(?:calendar|boot|active|unit|startup)",
            " ".join(call.arguments),
        ):
            yield Hit(rule="persistence", reason="Has a program run at sign-in or at a time.")
        return
    if call.name == "schtasks":
        if re.search(r"(?i)/(?:create|change|delete)\b", " ".join(call.arguments)):
            yield Hit(rule="persistence", reason="Changes the scheduled jobs.")
        return
    if "l" in letters or "e" in letters:
        return
    if "r" in letters:
        yield Hit(rule="persistence", reason="Deletes every scheduled job.")
    elif call.arguments[-1:] == ["-"] or operands(call) or call.command.source:
        yield Hit(rule="persistence", reason="Replaces the scheduled jobs.")


def debugger(call: Call) -> Iterator[Hit]:
    """gdb attached to a process that is told to call something."""
    text = " ".join(call.arguments)
    if re.search(r"(?:^| )(?:-p|--pid|attach)", text) and re.search(r"call |system\(|dump ", text):
        yield Hit(rule="hidden_execute", reason="Has another process run code.")


def module(call: Call) -> Iterator[Hit]:
    """Kernel modules."""
    words = operands(call)
    if call.name in ("insmod", "rmmod") and call.arguments:
        yield Hit(rule="kernel_change", reason="Loads or unloads a part of the kernel.")
    elif call.name == "modprobe" and words:
        letters, longs = flags(call)
        if ("r" in letters or "--remove" in longs) and "n" not in letters:
            yield Hit(rule="kernel_change", reason="Unloads a part of the kernel.", confidence=0.7)
    elif call.name == "kexec" and call.arguments:
        yield Hit(rule="kernel_change", reason="Starts another kernel.")


def mount(call: Call) -> Iterator[Hit]:
    """mount: a process hidden, the root made writable; umount of what is in use."""
    text = " ".join(call.arguments)
    if call.name == "mount":
        if re.search(r"(?:--bind|-o \S*bind\S*) .*/proc/|hidepid=", text):
            yield Hit(rule="defence_off", reason="Hides a process.")
        elif re.search(r"remount\S*rw", text):
            yield Hit(rule="system_write", reason="Makes a protected file system writable.")
    elif re.search(r"(?:^| )(?:-a|-l|-f|-lf|-fl) ?(?:/(?:home|var|usr|boot)?)?$|^/$", text):
        yield Hit(rule="service_off", reason="Takes away a file system that is in use.")


_MINERS = re.compile(r"(?i)(?:xmrig|minerd|xmr-stak|cpuminer|ccminer|t-rex|ethminer|nbminer)\b")
_MINER = re.compile(r"stratum\+(?:tcp|ssl|tls)://|--coin[ =]|--donate-level|cryptonight|randomx")


_TALKERS = frozenset(["echo", "printf", "grep", "rg", "git", "cat", "sed", "awk"])


def miner(call: Call) -> Iterator[Hit]:
    """Programs that use the machine for somebody else's gain."""
    if _MINERS.match(call.name) or (
        call.name not in _TALKERS and any(_MINER.search(text) for text in call.arguments)
    ):
        yield Hit(rule="miner", reason="Digs for coins on this machine.")


_DUMPERS = re.compile(
    r"(?i)(?:mimikatz|pypykatz|(?:impacket-)?secretsdump|gsecdump|keychaindump|chainbreaker|nanodump|dumpert"
    r"|hashdump|donpapi|firefox_decrypt|hack-?browser-?data|lazagne|linpeas|mimipenguin|swap_digger)(?:\.\w+)?\Z"
)


def dumper(call: Call) -> Iterator[Hit]:
    """Programs that take passwords, by their names; also as a script of python."""
    script = call.arguments[:1] if call.name.startswith("python") else [call.name]
    if any(_DUMPERS.match(name.rpartition("/")[2]) for name in script):
        yield Hit(rule="credential_read", reason="Takes the passwords of a machine.")


def secret_keys(call: Call) -> Iterator[Hit]:
    """gpg told to give its secret keys away, or to delete them."""
    if any(re.match(r"--(?:export|delete)-secret", text) for text in call.arguments):
        yield Hit(rule="credential_read", reason="Exports or deletes the secret keys of a person.")


_CRACKERS = word_set("john hashcat hydra medusa ncrack patator crackmapexec netexec nxc")


def dump(call: Call) -> Iterator[Hit]:
    """Memory and key stores of other programs read out."""
    text = " ".join(call.arguments)
    name = call.name
    if name in (
        "gcore",
        "procdump",
        "memdump",
        "avml",
        "osxpmem",
        "mimipenguin",
        "LaZagne",
        "lazagne",
    ):
        yield Hit(rule="credential_read", reason="Copies the memory of a program or the machine.")
    elif name == "security" and re.search(
        r"^(?:dump-keychain|export|dump-trust)|find-(?:generic|internet)-password .*-\w*[wg]|"
        r"find-(?:generic|internet)-password -\w*[wg]|authorizationdb write"
        r"|unlock-keychain|add-trusted-cert|delete-",
        text,
    ):
        yield Hit(rule="credential_read", reason="Prints passwords of the key chain.")
    elif name == "secret-tool" and re.match(r"(?:lookup|search|clear)\b", text):
        yield Hit(
            rule="credential_read", reason="Prints passwords of the key ring.", confidence=0.8
        )
    elif name == "reg" and re.search(
        r"(?i)^(?:save|export) hklm\\(?:sam|security|system)|^delete", text
    ):
        yield Hit(rule="credential_read", reason="Reads or deletes keys of the registry.")
    elif name == "rundll32" and re.search(r"(?i)comsvcs.*minidump", text):
        yield Hit(rule="credential_read", reason="Copies the memory of a program.")
    elif name == "osascript" and re.search(r"(?i)with hidden answer|display dialog .*passw", text):
        yield Hit(rule="credential_read", reason="Asks a person for a password.")
    elif name == "ssh-keygen" and re.search(r"-p\b.*-N (?:$| |'')|-p -N$", text + " "):
        yield Hit(rule="credential_write", reason="Takes the passphrase of a key away.")
    elif name == "unshadow" or (name in _CRACKERS and call.arguments):
        yield Hit(rule="credential_read", reason="Breaks passwords.", confidence=0.8)
