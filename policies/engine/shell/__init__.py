"""Shell: the commands a text runs, what they touch, and those that need a person."""

from __future__ import annotations

import re
from collections.abc import Sequence

from policies.engine.family import Sign
from policies.engine.findings import Report, View
from policies.engine.language import Guess, guess
from policies.engine.operation import Language
from policies.engine.rules import Rule
from policies.engine.shell import budget, unread
from policies.engine.shell.examination import Examination
from policies.engine.shell.hits import Hit
from policies.engine.shell.output import output_of
from policies.engine.shell.reader import RESERVED, Reader
from policies.engine.shell.rules import RULES
from policies.engine.shell.sent import SENT
from policies.engine.shell.words import MAX_LENGTH

MAX_SCANNED = 200_000  # characters of texts left out of one text that are scanned
MAX_CHEAP = 200  # characters of a text in another language that is examined in any case
MAX_PLAIN = 10_000  # characters of a command of plain words
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
        if view.layer and SENT in view.layer:
            return  # what is sent to a host is run by nobody here, whatever its values look like
        if language == Language.AUTO and "verb" in signs:
            language = guess(view.text)
        if language not in (Language.SHELL, Guess.SHELL) or not view.text.strip():
            return
        text = view.text
        left = budget.left(report)
        report.spent[budget.STEPS] += budget.VIEW
        examination = Examination(view, None, report)
        first = len(report.nested)
        if left <= 0:
            _unread(examination, 0)
            return
        if (
            len(text) <= MAX_PLAIN
            and _PLAIN.match(text)
            and text.split(maxsplit=1)[0] not in RESERVED
        ):
            examination.plain()
            _nested(examination, first)
            return
        work = budget.Work(left * budget.SHARE // 100)
        reader = examination.reader = Reader(text, evaluate=output_of, work=work)
        commands = reader.read()
        report.spent[budget.STEPS] += work.steps
        cut = examination.commands(commands)
        examination.written_and_run()
        if cut is not None or reader.truncated or len(text) > MAX_LENGTH:
            _unread(examination, min(reader.unread, len(text) if cut is None else cut))
        _nested(examination, first)
        bomb = _FORK_BOMB.search(text[:MAX_LENGTH]) if "()" in text else None
        if bomb:
            hit = Hit(rule="fork_bomb", reason="Starts copies of itself without end.")
            examination.found(bomb.start(), bomb.end(), hit)


def _nested(examination: Examination, first: int) -> None:
    """Leave out the texts inside this one, from the one at `first` on, that no step is left for."""
    report = examination.report
    kept: list[View] = []
    left_out: list[View] = []
    for view in report.nested[first:]:
        cost = len(view.text) // budget.CHARACTERS
        # A statement or an address that is short costs the other families little.
        cheap = view.language != Language.SHELL and len(view.text) <= MAX_CHEAP
        if cheap or cost <= budget.left(report):
            report.spent[budget.STEPS] += cost
            kept.append(view)
        else:
            left_out.append(view)
    report.nested[first:] = kept
    scanned = 0
    for view in left_out:
        scanned += len(view.text)
        if scanned > MAX_SCANNED:
            break
        _unread(Examination(view, None, report), 0)


def _unread(examination: Examination, start: int) -> None:
    """Scan what was not read, from `start` on, and say that it was not."""
    report = examination.report
    report.truncated = True
    report.fact("shell.opaque", "truncated")
    for first, last, hit in unread.scan(examination.view.text, start):
        examination.found(first, last, hit)
