"""What is asked, and by which policies it is judged: the same for every run, and diverse.

A repeated text flatters engines that cache what they have seen (up to 100 times), so no two
bodies of a mix are alike. Nothing here is anybody's data: words from lists, numbers from a seed.
"""

from __future__ import annotations

import json
import random
from typing import Any

SEED = 20_260_101
LONG_SHARE = 0.15  # of the bodies carry `LONG_CHARS` rather than a line or two
LONG_CHARS = 4_000
FLAGGED_SHARE = 0.05  # hold something that a built-in policy matches
SESSIONS = 200  # of agents, each with its user and directory; a session makes many calls
CLIENT = "bench"
APPROVER = "bench-approver"
APPROVERS = "bench-approvers"
HELD_WORD = "zzneedsapproval"  # in no body of a mix
APPROVAL = {
    "name": "bench-approval",
    "conditions": [{"field": "query", "operator": "contains", "value": HELD_WORD}],
    "actions": [{"type": "require_approval", "approvers": [APPROVERS]}],
}

_WORDS = """
    account address agent amount archive backup batch branch budget build cache catalogue chart
    claim cluster column commit config contract counter currency customer dashboard dataset delay
    delivery deploy device digest document engine entry error event export feature field filter
    folder forecast gateway group handler header history image import index invoice item journal
    label layout ledger limit listing locale mailbox manifest margin market member merge message
    metric migration module monitor network notice object offer option order outline package page
    panel partner payment period pipeline plan policy portal price product profile project quota
    rate receipt record region release report request response result review role route rule
    sample schedule schema segment service session setting shipment signal snapshot source stage
    status storage stream summary supplier table target task tax team template tenant ticket
    timeline token topic total trace transfer trigger update upload usage vendor version view
""".split()  # noqa: SIM905 (a hundred lines otherwise)
_VERBS = (
    "build",
    "check",
    "collect",
    "create",
    "fetch",
    "filter",
    "format",
    "load",
    "merge",
    "read",
)


def _word(rng: random.Random) -> str:
    return rng.choice(_WORDS)


def _path(rng: random.Random) -> str:
    return f"src/{_word(rng)}/{_word(rng)}_{rng.randrange(1000)}.py"


def shell(rng: random.Random) -> str:
    """One plain command, as an agent runs it."""
    path, number = _path(rng), rng.randrange(10_000)
    return rng.choice(
        (
            f"git log --oneline -n {number % 50} -- {path}",
            f"git diff HEAD~{number % 9} -- {path} | head -n {number % 200}",
            f"grep -rn '{_word(rng)}_{number}' {path} --include='*.py'",
            f"pytest tests/{_word(rng)} -k 'test_{_word(rng)}_{number}' -x -q",
            f"npm run build -- --filter={_word(rng)}-{number}",
            f"ls -la {path} && wc -l {path}",
            f"python -m {_word(rng)}.{_word(rng)} --limit {number} > out_{number}.json",
            f"docker compose logs --tail={number % 500} {_word(rng)}-{_word(rng)}",
            f"sed -n '{number},{number + 40}p' {path}",
            f"find . -name '*{_word(rng)}*' -newer {path} -not -path './node_modules/*'",
        )
    )


def _sql(rng: random.Random) -> str:
    table, column, number = _word(rng), _word(rng), rng.randrange(100_000)
    return rng.choice(  # The statements are texts to look at; none is run.
        (
            f"SELECT id, {column}, created_at FROM {table}s WHERE id = {number}",  # noqa: S608
            f"SELECT {column}, count(*) FROM {table}s GROUP BY {column} LIMIT {number % 100}",  # noqa: S608
            f"UPDATE {table}s SET {column} = {number} WHERE id = {number}",  # noqa: S608
            f"INSERT INTO {table}s ({column}, amount) VALUES ('{_word(rng)}', {number})",  # noqa: S608
        )
    )


def prose(rng: random.Random, chars: int) -> str:
    """Sentences of about `chars` characters, as in a prompt or a document."""
    sentences: list[str] = []
    length = 0
    while length < chars:
        sentence = " ".join(_word(rng) for _ in range(rng.randint(6, 14)))
        sentences.append(f"The {sentence} of {_word(rng)} {rng.randrange(1000)}.")
        length += len(sentences[-1]) + 1
    return " ".join(sentences)[:chars]


def source(rng: random.Random, chars: int) -> str:
    """Program text of about `chars` characters, as an agent writes it into a file."""
    pieces: list[str] = []
    length = 0
    while length < chars:
        name, other, verb = _word(rng), _word(rng), rng.choice(_VERBS)
        pieces.append(
            f"def {verb}_{name}_{rng.randrange(1000)}({other}, *, limit={rng.randrange(500)}):\n"
            f'    """The {name} of each {other}, at most `limit` of them."""\n'
            f"    rows = [row.{name} for row in {other}.{verb}(limit) if row.{_word(rng)}]\n"
            f"    return {{'{name}': rows, '{_word(rng)}': len(rows)}}\n\n"
        )
        length += len(pieces[-1])
    return "".join(pieces)[:chars]


def _flagged(rng: random.Random) -> tuple[str, str]:
    person = f"{_word(rng)}.{_word(rng)}{rng.randrange(1000)}@{_word(rng)}.example"
    return rng.choice(
        (
            ("Bash", f"mail -s '{_word(rng)}' {person} < {_path(rng)}"),
            ("mcp__postgres__query", f"SELECT * FROM {_word(rng)}s WHERE email = '{person}'"),  # noqa: S608
            ("mcp__postgres__query", f"DROP TABLE {_word(rng)}s_{rng.randrange(1000)}"),
        )
    )


def operation(rng: random.Random) -> tuple[str, str]:
    """A tool and its text, in the proportions of the mix."""
    if rng.random() < LONG_SHARE:
        text = source(rng, LONG_CHARS) if rng.random() < 0.7 else prose(rng, LONG_CHARS)
        return "Write", text
    if rng.random() < FLAGGED_SHARE:
        return _flagged(rng)
    kind = rng.random()
    if kind < 0.6:
        return "Bash", shell(rng)
    if kind < 0.8:
        return "mcp__postgres__query", _sql(rng)
    return "WebSearch", prose(rng, rng.randint(60, 300))


def bodies(count: int, *, seed: int = SEED) -> list[str]:
    """`count` different pre-check bodies, in the shape that the hook of the guide sends."""
    rng = random.Random(seed)  # noqa: S311 (a reproducible mix, not a secret)
    sessions = [
        (
            f"{_word(rng)}-{number}",
            f"{rng.getrandbits(128):032x}",
            f"/home/{_word(rng)}/{_word(rng)}",
        )
        for number in range(SESSIONS)
    ]
    made = []
    for _ in range(count):
        user, session, directory = rng.choice(sessions)
        tool, text = operation(rng)
        context = {"tool": tool, "session_id": session, "cwd": directory}
        body = {"user_token": user, "client_id": CLIENT, "query": text, "context": context}
        made.append(json.dumps(body))
    return made


def policies(count: int, *, seed: int = SEED) -> list[dict[str, Any]]:
    """`count` policies as authors write them: mostly one text to find, half within a tool."""
    rng = random.Random(seed)  # noqa: S311
    return [_policy(rng, number) for number in range(count)]


def _policy(rng: random.Random, number: int) -> dict[str, Any]:
    name, other = _word(rng), _word(rng)
    operator, value, sample = _text_to_find(number, name, other)
    conditions = [_leaf("sql.table" if operator == "in" else "query", operator, value)]
    if number % 2:
        conditions.append(_leaf("tool", "in", ["Bash", "Write", "mcp__postgres__query"]))
    if number % 10 == 0:
        conditions.append(_leaf("user_id", "not_equals", f"{name}-{number}"))
    action = rng.choice(("block", "warn", "log", "redact"))
    return {
        "name": f"bench {number} {name} {other}",
        "description": f"Finds for example: {sample}",
        "severity": rng.choice(("low", "medium", "high")),
        "priority": rng.randint(1, 1000),
        "conditions": conditions,
        "actions": [{"type": action, "message": f"Policy of {name} {number}"}],
    }


def _text_to_find(number: int, name: str, other: str) -> tuple[str, Any, str]:
    """Operator, value, and a text that it finds."""
    match number % 8:
        case 0 | 1 | 2:
            text = f"{name}-{other}-{number} restricted"
            return "contains", text, text
        case 3:
            hosts = [f"{name}{number}.internal", f"{other}-{number}.corp"]
            return "contains_any", hosts, hosts[1]
        case 4:
            pattern = rf"\b{name}[-_ ]?{number}\s+(?:key|code)s?\b"
            return "matches", pattern, f"{name}_{number} keys"
        case 5:
            pattern = rf"(?:copy|upload|send).{{1,40}}{other}-{number}"
            return "matches", pattern, f"send the {other}-{number}"
        case 6:
            tables = [f"{name}_{number}", f"{other}_{number}_private"]
            return "in", tables, f"SELECT 1 FROM {tables[0]}"  # noqa: S608
        case _:
            pattern = rf"{name.upper()}-[0-9]{{4}}-{number}\b"
            return "matches", pattern, f"{name}-2031-{number}"


def sample(policy: dict[str, Any]) -> str:
    """A text that the policy finds."""
    text: str = policy["description"].partition(": ")[2]
    return text


def _leaf(field: str, operator: str, value: Any) -> dict[str, Any]:
    return {"field": field, "operator": operator, "value": value}
