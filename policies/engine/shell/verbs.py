"""Which rules look at which program."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from policies.engine.shell import (
    clouds,
    clusters,
    databases,
    defence,
    execution,
    files,
    guard,
    network,
    system,
    versions,
)
from policies.engine.shell.call import SHELLS, Call
from policies.engine.shell.hits import Hit

Check = Callable[[Call], Iterator[Hit]]

_TABLE: tuple[tuple[str, tuple[Check, ...]], ...] = (
    ("rm rmdir unlink rimraf trash del", (files.remove, guard.removed)),
    ("find gfind", (files.find,)),
    (("dd shred srm wipefs blkdiscard mkswap badblocks nvme hdparm cryptsetup mdadm pvremove "
     "tune2fs e2fsck debugfs flashrom"), (files.overwrite,)),
    ("parted sgdisk diskutil gdisk sfdisk fdisk cfdisk", (files.partition,)),
    ("format diskpart cipher", (files.windows_disk,)),
    ("chmod chown chgrp", (files.permissions, guard.removed)),
    ("truncate tee cp mv install ln sed scp touch", (files.truncate,)),
    ("mv truncate shred", (guard.removed,)),
    ("rsync", (files.rsync,)),
    ("tar bsdtar zip unzip 7z", (files.archive,)),
    ("git", (versions.git, guard.git_hooks, network.git_reads)),
    (guard.AGENTS, (guard.agent,)),
    (" ".join(sorted(clouds.TOOLS)), (clouds.cloud,)),
    (("rclone restic borg zfs zpool lvremove vgremove lvreduce btrfs lvm kopia duplicity snapper "
     "timeshift rsnapshot stratis lvconvert vgreduce"), (clouds.storage,)),
    ("lvremove vgremove vgreduce lvreduce pvremove", (files.volumes,)),
    ("kubectl oc k microk8s.kubectl k3s", (clusters.kubernetes,)),
    ("terraform tofu terragrunt cdktf", (clusters.terraform,)),
    ("ansible salt salt-call pdsh dsh clush", (clusters.fleet,)),
    ("docker podman nerdctl docker-compose crictl ctr podman-compose", (clusters.container,)),
    ("nsenter chroot capsh debugfs", (clusters.namespaces,)),
    (databases.PROGRAMS, (databases.resets,)),
    ("php python python3 ruby rails", (databases.resets,)),
    (("useradd userdel usermod groupadd groupdel groupmod gpasswd adduser deluser delgroup passwd "
     "chpasswd visudo vipw vigr newusers chage pwconv chsh pw"), (system.account,)),
    ("dscl dseditgroup sysadminctl net net1", (system.directory,)),
    ("setcap chattr setfacl", (system.rights,)),
    (("iptables ip6tables ebtables arptables iptables-restore nft ufw firewall-cmd pfctl netsh "
     "socketfilterfw"), (defence.firewall,)),
    (defence.PROTECTIONS, (defence.protection,)),
    ("systemctl service launchctl rc-service invoke-rc.d update-rc.d chkconfig sc",
     (defence.service,)),
    ("shutdown reboot halt poweroff init telinit", (system.machine,)),
    ("kill killall killall5 pkill taskkill", (defence.kill,)),
    ("crontab schtasks defaults systemd-run", (system.schedule,)),
    ("gdb", (system.debugger,)),
    ("insmod rmmod modprobe kexec", (system.module,)),
    ("mount umount", (system.mount,)),
    ("history fc set journalctl wevtutil log tmutil touch Clear-EventLog Clear-History",
     (defence.logs,)),
    ("export declare typeset readonly unset local setx", (defence.variables,)),
    ("apt apt-get dpkg rpm yum dnf pacman zypper apk brew", (defence.packages,)),
    (("gcore procdump memdump avml osxpmem mimipenguin lazagne LaZagne security secret-tool reg "
     "rundll32 osascript ssh-keygen unshadow john hashcat"), (system.dump,)),
    ("hydra medusa ncrack patator crackmapexec netexec nxc", (system.dump,)),
    (("nc ncat netcat nc.traditional nc.openbsd cryptcat sbd dbd rcat rustcat pwncat pwncat-cs "
     "gs-netcat socat telnet openssl xterm ztcp zmodload"), (network.reverse_shell,)),
    ("xmrig minerd xmr-stak cpuminer ccminer ethminer nbminer t-rex", (system.miner,)),
)  # fmt: skip
# What looks at a program by what it does, whatever it is called.
_GROUPS: tuple[tuple[frozenset[str], Check], ...] = (
    (frozenset(network.SENDERS), network.upload),
    (frozenset(network.DOWNLOADERS), network.metadata),
    (frozenset(network.DOWNLOADERS), guard.portal),
    (frozenset(network.DOWNLOADERS), clouds.http),
    (frozenset(network.READERS), network.read_credentials),
    (
        SHELLS | execution.INTERPRETERS | {"source", ".", "eval", "go"},
        execution.executes_input,
    ),
)


def _built() -> dict[str, tuple[Check, ...]]:
    rules: dict[str, tuple[Check, ...]] = {}
    for names, checks in _TABLE:
        for name in names.split():
            rules[name] = (
                *rules.get(name, ()),
                *(c for c in checks if c not in rules.get(name, ())),
            )
    for group, check in _GROUPS:
        for name in group:
            rules[name] = (*rules.get(name, ()), check)
    return rules


RULES = _built()
_FORMATS = ("mkfs", "newfs")


def checks(name: str) -> tuple[Check, ...]:
    """The rules for a program; what nobody has described is read by its subcommands."""
    found = RULES.get(name)
    if found is None and name.endswith((".sh", ".py", ".pl", ".rb")):
        found = RULES.get(name[:-3])
    if found is None and not name.islower():
        found = RULES.get(name.lower())  # some file systems fold case
    if found is not None:
        return found
    return (files.overwrite,) if name.startswith(_FORMATS) else (clouds.unknown,)
