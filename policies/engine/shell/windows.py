"""PowerShell and cmd read lightly: what their commands do, once the disguises are off."""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.engine.shell.hits import Hit

MAX_TEXT = 8_000  # characters of a command that are read

_FOLD = re.compile(r"(['\"])\s*\+\s*\1")
_FETCHES = (
    r"(?:downloadstring|downloadfile|downloaddata|invoke-webrequest|invoke-restmethod|\biwr\b|\birm\b"
    r"|net\.webclient|start-bitstransfer|\bcurl\b|\bwget\b)"
)
_RUNS = r"(?:\biex\b|invoke-expression|invoke-command|scriptblock\]::create|&\s*\(|start-process)"
_BROAD = (
    r"(?:[a-z]:[\\/]?(?:\*|\s|['\"]|$|[\w$ %.-]+)|[\\/](?!tmp\b)|~|\$env:(?!temp)|\$home|\$\w*home|"
    r"%(?!temp)\w+%|\*(?:\s|$|['\"])|\.\.)"
)
_RULES: tuple[tuple[str, re.Pattern[str], str], ...] = tuple(
    (rule, re.compile(pattern, re.IGNORECASE), reason)
    for rule, pattern, reason in (
        ("reverse_shell", r"sockets\.tcp(?:client|listener)|new-object\s+\S*tcpclient",
         "Ties a shell to a network connection."),
        ("download_execute", (rf"{_RUNS}[^|;]{{0,200}}{_FETCHES}"
         rf"|{_FETCHES}[^;]{{0,200}}\|\s*{_RUNS}"),
         "Runs what it has just downloaded, unread."),
        ("opaque_execute", (rf"{_RUNS}[^;]{{0,200}}frombase64string"
         rf"|frombase64string[^;]{{0,200}}{_RUNS}"),
         "Runs a text that is made at run time, so nobody can see what it does."),
        ("delete_broad",
         (rf"\b(?:rd|rmdir|del|erase)\b(?:\s+/[a-z])*\s+/s\b(?:\s+/[a-z])*\s+['\"]?{_BROAD}"
         rf"|\b(?:rd|rmdir|del|erase)\b\s+['\"]?{_BROAD}\S*\s+(?:/[a-z]\s+)*/s\b"),
         "Deletes recursively a broad path."),
        ("delete_broad",
         (rf"remove-item\b(?=[^|;]{{0,200}}-r)[^|;]{{0,80}}?\s['\"]?{_BROAD}"
         r"|get-childitem[^;]{0,120}-recurse[^;]{0,80}\|\s*remove-item"
         rf"|&\s*\(\s*['\"]remove-item['\"]\s*\)[^|;]{{0,80}}?\s['\"]?{_BROAD}"),
         "Deletes recursively a broad path."),
        ("disk_overwrite", (r"\bformat(?:\.com)?\s+[a-z]:|format-volume|clear-disk|initialize-disk"
         r"|remove-partition|\bcipher\s+/w|\bdiskpart\b\s+/s"), "Destroys what a disk holds."),
        ("defence_off", (r"(?:set|add)-mppreference[^;|]{0,80}-(?:disable|exclusion)"
         r"|set-netfirewallprofile[^;|]{0,80}false|netsh\s+(?:adv)?firewall[^;|]{0,80}(?:off|disable)"
         r"|vssadmin(?:\.exe)?\s+delete|wbadmin\s+delete|shadowcopy\s+delete|bcdedit[^;|]{0,80}(?:recoveryenabled\s+no|ignoreall)"
         r"|stop-service[^;|]{0,40}(?:windefend|eventlog|sense)|sc(?:\.exe)?\s+(?:stop|config)\s+(?:windefend|wuauserv|eventlog)"
         r"|amsiutils|amsiinitfailed|set-executionpolicy\s+(?:-\w+\s+)*(?:bypass|unrestricted)"),
         "Switches a protection of the system off."),
        ("trace_delete", (r"clear-eventlog|wevtutil(?:\.exe)?\s+(?:cl|clear-log)|clear-history"
         r"|consolehost_history"
         r"|fsutil\s+usn\s+deletejournal"), "Deletes a record of what was done."),
        ("credential_read", (r"mimikatz|sekurlsa|lsass|comsvcs\.dll|vaultcmd"
         r"|\breg(?:\.exe)?\s+save\s+hklm|ntdsutil"
         r"|invoke-(?:kerberoast|mimikatz)|get-gpppassword"
         r"|dpapi"), "Reads passwords of the machine."),
        ("download_execute",
         (r"certutil(?:\.exe)?\s[^|;]{0,80}-(?:urlcache|verifyctl)"
          r"|bitsadmin(?:\.exe)?\s[^|;]{0,80}/transfer"
          r"|mshta(?:\.exe)?\s+['\"]?(?:https?|javascript|vbscript):"
          r"|regsvr32(?:\.exe)?\s[^|;]{0,80}https?:|rundll32(?:\.exe)?\s[^|;]{0,80}javascript:"
          r"|msiexec(?:\.exe)?\s[^|;]{0,80}https?:|wmic(?:\.exe)?\s+process\s+call\s+create"),
         "Fetches or runs something by a program of the system."),
        ("persistence", (r"register-scheduledtask|schtasks(?:\.exe)?\s+/(?:create|change)"
         r"|new-service\b"
         r"|currentversion\\+(?:run|policies\\+explorer\\+run)|\bsc(?:\.exe)?\s+create|__eventfilter"),
         "Has something run later."),
        ("privilege_change", (r"\bnet1?\s+(?:user|localgroup)\b[^;|]{0,80}/(?:add|delete|active)"
         r"|(?:new|set|remove|add)-local(?:user|groupmember)|add-adgroupmember"),
         "Changes accounts of the machine."),
        ("registry_delete", (r"\breg(?:\.exe)?\s+delete\s+hk|remove-itemproperty\s[^"
         r"|;]{0,60}hk(?:lm|cu):"),
         "Deletes keys of the registry."),
        ("machine_stop", r"\b(?:stop|restart)-computer\b", "Stops or restarts the machine."),
    )
)  # fmt: skip


# What is only printed, up to the end of its command.
_SAID = re.compile(
    r"(?i)(?:(?<=[;&|\n'\"({])|\A)\s*(?:echo|write-(?:output|host|warning)|rem)\b[^;|&\n]*(?![^\n;]{0,200}\biex\b)"
)


def plain(text: str) -> str:
    """A command without carets, backticks and split strings."""
    text = text[:MAX_TEXT].replace("^", "").replace("`", "")
    return _FOLD.sub("", text)


def read_windows(text: str) -> Iterator[Hit]:
    """What a PowerShell or cmd command does that needs a person, once per rule."""
    seen: set[str] = set()
    text = _SAID.sub(" ", plain(text))
    for rule, pattern, reason in _RULES:
        if rule not in seen and pattern.search(text):
            seen.add(rule)
            yield Hit(rule=rule, reason=reason, confidence=0.9)
