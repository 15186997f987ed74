"""Shell: the commands a text runs, what they touch, and those that need a person."""

from __future__ import annotations

import re
from collections.abc import Sequence

from policies.engine.family import Sign
from policies.engine.findings import Report, View
from policies.engine.language import Guess, guess
from policies.engine.operation import Language
from policies.engine.rules import Rule
from policies.engine.shell import unread
from policies.engine.shell.examination import Examination
from policies.engine.shell.hits import Hit
from policies.engine.shell.output import output_of
from policies.engine.shell.reader import RESERVED, Reader
from policies.engine.shell.rules import RULES
from policies.engine.shell.words import MAX_LENGTH

# Words and blanks, and nothing that the shell would expand, join or redirect.
_PLAIN = re.compile(r"[\w./=:@%+, -]+\Z")
_FORK_BOMB = re.compile(r"(?P<name>[\w:.]{1,20})\s*\(\)\s*\{\s*(?P=name)\s*\|\s*(?P=name)\s*&")


class Shell:
    """The family `shell`."""

    name = "shell"
    rules: Sequence[Rule] = RULES
    signs: Sequence[Sign] = (
        Sign(name="any", pattern=r"[a-z>:]"),
        Sign(
            name="verb",
            pattern=r"\b(rm|dd|mkfs|shred|git|curl|wget|sudo|bash|sh|zsh|eval|exec|chmod|chown|kubectl|"
            r"terraform|docker|aws|gcloud|az|nc|ssh|python3?|perl|node|find|xargs|psql|mysql|sqlite3|"
            r"dropdb|base64|crontab|iptables|systemctl|cat|tee|mv|cp)\b",
        ),
    )

    def examine(self, view: View, signs: frozenset[str], report: Report) -> None:
        """Report commands, files, hosts and packages as facts; dangerous commands as findings."""
        language = view.language
        if language == Language.AUTO and "verb" in signs:
            language = guess(view.text)
        if language not in (Language.SHELL, Guess.SHELL) or not view.text.strip():
            return
        text = view.text
        if (
            len(text) <= MAX_LENGTH
            and _PLAIN.match(text)
            and text.split(maxsplit=1)[0] not in RESERVED
        ):
            Examination(view, None, report).plain()
            return
        reader = Reader(text, evaluate=output_of)
        examination = Examination(view, reader, report)
        for command in reader.read():
            examination.command(command)
        examination.written_and_run()
        if reader.truncated or len(text) > MAX_LENGTH:
            report.truncated = True
            report.fact("shell.opaque", "truncated")
            for start, end, hit in unread.scan(text, min(reader.unread, MAX_LENGTH)):
                examination.found(start, end, hit)
        bomb = _FORK_BOMB.search(text[:MAX_LENGTH]) if "()" in text else None
        if bomb:
            hit = Hit(rule="fork_bomb", reason="Starts copies of itself without end.")
            examination.found(bomb.start(), bomb.end(), hit)
