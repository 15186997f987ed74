"""Access: the files and hosts that a tool names, and those that need a person.

Tools that take a path or an address say themselves what they touch; what a shell command touches
is read by the family `shell`, which judges places by the same lists.
"""

from __future__ import annotations

from collections.abc import Sequence
from posixpath import normpath
from urllib.parse import urlsplit

from policies.engine.access.rules import RULES
from policies.engine.family import Sign
from policies.engine.findings import Report, View
from policies.engine.operation import Language
from policies.engine.rules import Rule
from policies.engine.shell.hits import is_credential, written_place
from policies.engine.shell.network import is_metadata

MAX_PATH = 4_096  # characters, as file systems have it
KIND = "access.sensitive"
_REFERENCES = {rule.name: rule.reference for rule in RULES}


class Access:
    """The family `access`."""

    name = "access"
    rules: Sequence[Rule] = RULES
    signs: Sequence[Sign] = ()

    def examine(self, view: View, signs: frozenset[str], report: Report) -> None:
        """Report paths and hosts as facts; sensitive ones as findings."""
        language = view.language
        if language in (Language.PATH, Language.READ_PATH):
            self._path(view, report)
        elif language == Language.URL:
            self._url(view, report)

    def _path(self, view: View, report: Report) -> None:
        path = normal(view.text[:MAX_PATH])
        if not path:
            return
        if view.language == Language.READ_PATH:
            report.fact("file.read", path)
            if is_credential(path):
                self._find(view, "credential_read", "Reads a file of credentials.", report)
            return
        report.fact("file.write", path)
        rule, reason = written_place(path)
        if not rule and is_credential(path):
            rule, reason = "credential_write", "Overwrites a file of credentials."
        if rule:
            self._find(view, rule, reason, report)

    def _url(self, view: View, report: Report) -> None:
        text = view.text.strip()[:MAX_PATH]
        try:
            parts = urlsplit(text)
            host = parts.hostname or ""
        except ValueError:  # brackets that hold no address
            host = ""
        if host:
            report.fact("host", host)
        if is_metadata(text):
            self._find(view, "metadata_read", "Reads the credentials of the cloud machine.", report)
        elif text.lower().startswith("file:") and is_credential(normal(parts.path)):
            self._find(view, "credential_read", "Reads a file of credentials.", report)

    def _find(self, view: View, rule: str, reason: str, report: Report) -> None:
        report.find(
            view,
            0,
            len(view.text),
            kind=KIND,
            rule=rule,
            reason=reason,
            confidence=0.95,
            reference=_REFERENCES.get(rule, ""),
        )


def normal(path: str) -> str:
    """The path in one spelling: `/` between names, nothing doubled, no `..` that can be resolved.

    The home directories of people are `~`, as shells write them.
    """
    path = path.strip().replace("\\", "/")
    if not path:
        return ""
    path = normpath(path)
    if path.startswith("//"):
        path = path[1:]
    return path
