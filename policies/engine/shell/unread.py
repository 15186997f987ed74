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
_GRAVE = re.compile(
    r"(?P<delete_broad>\brm\s+-\w*[rR]\w*\s+(?:-\w+\s+)*[\"']?(?:/|~|\$|\*|\.\.)|\bfind\s+/\S*\s[^\n;|]{0,80}-delete\b)"
    r"|(?P<disk_overwrite>\bmkfs\S*\s+\S|\bof=/dev/(?!null)|>\s*/dev/(?:sd|nvme|vd|disk))"
    r"|(?P<download_execute>\b(?:curl|wget)\b[^\n;]{0,200}\|\s*(?:sudo\s+)?(?:ba|z|da)?sh\b)"
    r"|(?P<opaque_execute>\bbase64\s+-\w*[dD]\w*[^\n;]{0,80}\|\s*(?:ba|z|da)?sh\b)"
    r"|(?P<reverse_shell>/dev/tcp/|\bnc\b[^\n;]{0,60}\s-\w*e\b)"
    r"|(?P<git_push_force>\bgit\s+push\b[^\n;]{0,80}\s(?:-f|--force)\b)"
    r"|(?P<git_discard>\bgit\s+(?:reset\s+--hard|clean\s+-\w*f)\b)"
    r"|(?P<cloud_delete>\b(?:terraform|tofu|pulumi)\s+destroy\b|\bkubectl\s+delete\b)"
    r"|(?P<credential_read>\.ssh/id_\w+|\.aws/credentials|/etc/shadow)"
    r"|(?P<persistence>>>\s*\S{0,80}(?:authorized_keys|\.bashrc|\.zshrc|/etc/cron))"
)


def scan(text: str, start: int) -> Iterator[tuple[int, int, Hit]]:
    """Signs of grave commands from `start` on, each with its place."""
    for count, found in enumerate(_GRAVE.finditer(text, start)):
        if count >= MAX_HITS:
            return
        rule = found.lastgroup or ""
        reason = "Looks like a grave command, in a part of the text that was not read."
        yield found.start(), found.end(), Hit(rule=rule, reason=reason, confidence=_CONFIDENCE)
