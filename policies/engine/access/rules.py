"""The rules of the family: what each finds, and where that is described."""

from __future__ import annotations

from policies.engine.rules import Rule

_ATTACK = "https://attack.mitre.org/techniques/"

_FINDS: tuple[tuple[str, str, str], ...] = (
    ("credential_read", "A tool reads keys, credentials, password stores or histories.",
     _ATTACK + "T1552/"),
    ("credential_write", "A tool overwrites a file of credentials.", _ATTACK + "T1098/"),
    ("persistence", "A tool writes a file that is run or trusted later: start-up, jobs, keys.",
     _ATTACK + "T1546/"),
    ("agent_settings", "A tool changes the settings or hooks that govern the agent itself.",
     _ATTACK + "T1562/001/"),
    ("system_write", "A tool writes into a directory of the operating system.",
     _ATTACK + "T1565/"),
    ("disk_overwrite", "A tool writes straight onto a disk.", _ATTACK + "T1561/"),
    ("machine_stop", "A tool tells the kernel to stop.", _ATTACK + "T1529/"),
    ("trace_delete", "A tool overwrites a history or a log.", _ATTACK + "T1070/"),
    ("metadata_read", "A tool asks the cloud machine's metadata service.",
     _ATTACK + "T1552/005/"),
)  # fmt: skip
RULES: tuple[Rule, ...] = tuple(
    Rule(kind="access.sensitive", name=name, finds=finds, reference=reference)
    for name, finds, reference in _FINDS
)
