"""The part of a text that is past the reader's limits: scanned for the gravest commands.

A scan sees words, not commands, so what it reports has a low confidence; that the text was cut is
a fact of its own (`shell.opaque`), and this only keeps the rest from passing in silence.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from policies.engine.shell.hits import Hit

MAX_HITS = 20  # of one text
_CONFIDENCE = 0.5
# Rules, and the letters that a sign of each begins with (apart, so that the search can skip to
# them; `(?<!\w.)` is what a word boundary before them would be). Every repeat is bounded.
_SIGNS = (
    (
        "delete_broad",
        r"r(?<!\w.)m\s+-\w{0,10}[rR]\w{0,10}\s+(?:-\w+\s+){0,5}[\"']?(?:/|~|\$|\*|\.\.)",
    ),
    ("delete_broad", r"f(?<!\w.)ind\s+/\S*\s[^\n;|]{0,80}-delete\b"),
    ("disk_overwrite", r"m(?<!\w.)kfs\S{0,20}\s+\S"),
    ("disk_overwrite", r"o(?<!\w.)f=/dev/(?!null)"),
    ("disk_overwrite", r">\s*/dev/(?:sd|nvme|vd|disk)"),
    ("download_execute", r"c(?<!\w.)url\b[^\n;]{0,120}\|\s*(?:sudo\s+)?(?:ba|z|da)?sh\b"),
    ("download_execute", r"w(?<!\w.)get\b[^\n;]{0,120}\|\s*(?:sudo\s+)?(?:ba|z|da)?sh\b"),
    ("opaque_execute", r"b(?<!\w.)ase64\s+-\w{0,10}[dD]\w{0,10}[^\n;]{0,80}\|\s*(?:ba|z|da)?sh\b"),
    ("reverse_shell", r"/dev/tcp/"),
    ("reverse_shell", r"n(?<!\w.)c\b[^\n;]{0,40}\s-\w{0,10}e\b"),
    ("git_push_force", r"g(?<!\w.)it\s+push\b[^\n;]{0,80}\s(?:-f|--force)\b"),
    ("git_discard", r"g(?<!\w.)it\s+(?:reset\s+--hard|clean\s+-\w{0,10}f)\b"),
    ("cloud_delete", r"t(?<!\w.)(?:erraform|ofu)\s+destroy\b"),
    ("cloud_delete", r"p(?<!\w.)ulumi\s+destroy\b"),
    ("cloud_delete", r"k(?<!\w.)ubectl\s+delete\b"),
    ("credential_read", r"\.(?:ssh/id_\w|aws/credentials)"),
    ("credential_read", r"/etc/shadow"),
    ("persistence", r">>\s*\S{0,80}(?:authorized_keys|\.bashrc|\.zshrc|/etc/cron)"),
)
# An empty group behind each says which it was: in front it would hide the letter from the search.
_GRAVE = re.compile("|".join(f"{pattern}()" for _, pattern in _SIGNS))


def scan(text: str, start: int) -> Iterator[tuple[int, int, Hit]]:
    """Signs of grave commands from `start` on, each with its place."""
    for count, found in enumerate(_GRAVE.finditer(text, start)):
        if count >= MAX_HITS:
            return
        rule = _SIGNS[(found.lastindex or 1) - 1][0]
        reason = "Looks like a grave command, in a part of the text that was not read."
        yield found.start(), found.end(), Hit(rule=rule, reason=reason, confidence=_CONFIDENCE)
