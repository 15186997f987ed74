"""The rules of the family: what each finds, and where that is described."""

from __future__ import annotations

from policies.engine.rules import Rule

_ATTACK = "https://attack.mitre.org/techniques/"
_GIT = "https://git-scm.com/docs/"

_FINDS: tuple[tuple[str, str, str], ...] = (
    ("delete_broad", "A recursive delete of a broad, absolute, home or unknown path.",
     _ATTACK + "T1485/"),
    ("disk_overwrite", "A write onto a disk or partition, a file system made anew, data shredded.",
     _ATTACK + "T1561/"),
    ("storage_delete", "Volumes, pools, snapshots or backups deleted.", _ATTACK + "T1490/"),
    ("git_discard", "Uncommitted work or history thrown away.", _GIT + "git-reset"),
    ("git_push_force", "The history of a remote branch overwritten, or the branch deleted.",
     _GIT + "git-push"),
    ("download_execute", "Something from the network run unread.", _ATTACK + "T1105/"),
    ("opaque_execute", "A text run that is made at run time and cannot be seen.",
     _ATTACK + "T1027/"),
    ("hidden_execute", "A program run by an option, a setting or a library that hides it.",
     _ATTACK + "T1574/"),
    ("reverse_shell", "A shell tied to a network connection.", _ATTACK + "T1059/"),
    ("raw_socket", "A raw network connection of the shell.", _ATTACK + "T1095/"),
    ("credential_read", "Credentials, keys, password stores or memory read.", _ATTACK + "T1552/"),
    ("credential_write", "A file of credentials overwritten.", _ATTACK + "T1098/"),
    ("credential_upload", "Credentials or secrets sent to another machine.", _ATTACK + "T1048/"),
    ("data_upload", "A home or system directory sent to another machine.", _ATTACK + "T1048/"),
    ("persistence", "A file that is run or trusted later: start-up, jobs, keys, sign-in.",
     _ATTACK + "T1546/"),
    ("system_write", "A write into a directory of the operating system.", _ATTACK + "T1565/"),
    ("privilege_change", "Accounts, groups, passwords or rights changed.", _ATTACK + "T1098/"),
    ("permission_broad", "Owner or rights changed recursively, or given to everybody.",
     _ATTACK + "T1222/"),
    ("defence_off", "A firewall, audit, protection or monitor switched off.", _ATTACK + "T1562/"),
    ("service_off", "A service or file system that the machine needs taken away.",
     _ATTACK + "T1489/"),
    ("trace_delete", "Histories, logs or their timestamps deleted or kept from being written.",
     _ATTACK + "T1070/"),
    ("machine_stop", "The machine stopped or restarted.", _ATTACK + "T1529/"),
    ("process_kill", "A signal to every process, or to all of the administrator's.",
     _ATTACK + "T1489/"),
    ("kernel_change", "A part of the kernel loaded or unloaded.", _ATTACK + "T1547/006/"),
    ("system_remove", "A package removed that the system stands on.", _ATTACK + "T1489/"),
    ("registry_delete", "Keys of the registry of Windows deleted.", _ATTACK + "T1112/"),
    ("fork_bomb", "A function that starts copies of itself without end.", _ATTACK + "T1499/"),
    ("miner", "A program that digs for coins.", _ATTACK + "T1496/"),
    ("cloud_delete", "Resources of a cloud, cluster or service deleted or stopped.",
     _ATTACK + "T1485/"),
    ("exposure", "Stored data, a network or a repository opened to everybody.",
     _ATTACK + "T1530/"),
    ("fleet_change", "Something deleted or stopped on many machines at once.",
     _ATTACK + "T1072/"),
    ("container_delete", "Volumes, or every container or image, deleted.", _ATTACK + "T1485/"),
    ("container_escape", "A container with a way into its host.", _ATTACK + "T1611/"),
    ("database_reset", "A database dropped or reset, a queue emptied, a release taken back.",
     _ATTACK + "T1485/"),
    ("agent_settings", "The settings or hooks that govern the agent itself changed.",
     _ATTACK + "T1562/001/"),
    ("guard_off", "A check of the repository, a guard of the agent or a monitor stopped.",
     _ATTACK + "T1562/001/"),
    ("approval_call", "An approval answered, or a policy changed, from the agent's own shell.", ""),
)  # fmt: skip
RULES: tuple[Rule, ...] = tuple(
    Rule(kind="shell.dangerous", name=name, finds=finds, reference=reference)
    for name, finds, reference in _FINDS
)
REFERENCES = {rule.name: rule.reference for rule in RULES}
