"""Functions that answer an attacker's question: by a delay, an error, a request or a bit."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise

from policies.engine.language import word_set
from policies.engine.sql.evidence import (
    COMPARISONS,
    Evidence,
    Tokens,
    kind_at,
    text_at,
)
from policies.engine.sql.statements import Statement, closing, top_level
from policies.engine.sql.unions import PROBES

MAX_PROBES = 60  # calls of probing functions that are looked at in one statement
HEAVY_COUNT = 100_000  # rows of a series, or bytes of a blob, that only serve to take time
HEAVY_SOURCES = 3  # times that one FROM names the same catalogue table
MAX_NEAR = 60  # tokens round FLOOR(RAND()) that are looked at for the grouping
MIN_CHAIN = 2  # characters by their code that are strung together

_TIME = word_set(
    "sleep pg_sleep pg_sleep_for pg_sleep_until benchmark randomblob zeroblob get_lock "
    "dbms_pipe.receive_message dbms_lock.sleep dbms_session.sleep user_lock.sleep "
    "regexp_instr_delay sleepforseconds"
)
_OUT_OF_BAND = word_set(
    "utl_http.request utl_inaddr.get_host_address utl_inaddr.get_host_name "
    "utl_tcp.open_connection utl_smtp.open_connection dbms_ldap.init httpuritype xp_dirtree "
    "xp_fileexist xp_subdirs xp_getfiledetails dblink_connect dblink_send_query openrowset "
    "opendatasource dbms_xslprocessor.read2clob fn_xe_file_target_read_file fn_get_audit_file "
    "fn_trace_gettable dblink qcmdexc"
)
_ERROR = word_set(
    "extractvalue updatexml xmltype gtid_subset gtid_subtract geometrycollection multipoint "
    "polygon multipolygon linestring multilinestring ctxsys.drithsx.sn "
    "dbms_utility.sqlid_to_sqlhash json_keys ctxsys.ctx_report.token_type "
    "ordsys.ord_dicom.getmappingxpath analyse exp pow "
    "dbms_xdb_version.checkin dbms_xdb_version.makeversioned st_latfromgeohash st_longfromgeohash "
    "st_pointfromgeohash query_to_xml database_to_xml dbms_xmlgen.getxml regexp_substring "
    "export_set name_const"
)
_PIECES = word_set(
    "substring substr mid ascii ord unicode char_length left right hex strcmp lpad locate "
    "instr bit_length bin regexp_like"
)
_NUMBERS = frozenset(["int", "integer", "numeric", "signed", "float", "bigint", "decimal"])
_DOTTED = _TIME | _OUT_OF_BAND | _ERROR
_BATCH = frozenset(["exec", "execute", "declare", "xp_cmdshell"])
_BY_CODE = frozenset(["chr", "char", "nchar"])
_BEHIND_CALL = word_set(
    "and or xor from as is like in limit order group union then end when else between not div "
    "having rlike where procedure into for waitfor"
)
_CONDITIONS = frozenset(["where", "union", "having"])
# Characters that people write by their code, as they are hard to see or to quote.
_PLAIN_CODES = frozenset(["0", "9", "10", "13", "32", "34", "39", "160", "254", "255"])


def probes(statement: Statement, *, value: bool) -> Iterator[Evidence]:
    """Calls of the statement that only make sense as a question."""
    tokens = statement.tokens
    if tokens[0].text in ("create", "grant", "revoke", "comment", "alter"):
        return
    if statement.words & _NAMES:
        yield from _calls(tokens, value=value)
    if "from" in statement.words and statement.words & _CATALOGUE:
        yield from _heavy(tokens, value=value)
    if statement.words & _BY_CODE:
        yield from _encoded(tokens, value=value)


def _calls(tokens: Tokens, *, value: bool) -> Iterator[Evidence]:
    plain = set() if value else set(_projection(tokens))
    budget = MAX_PROBES
    behind = value  # whether a condition has begun, in which the rest stands
    for index in range(len(tokens)):
        if tokens[index].text in _CONDITIONS:
            behind = True
        name = _called(tokens, index)
        if not name or (name in _TIME and (index in plain or _holds_prose(tokens, index))):
            continue
        if name in _BATCH:
            outside = index > 3 and tokens[index - 1].text != "."  # and not pattern.exec('x')
            if value and outside and _names_procedure(tokens, index):
                yield _probe("stacked", "A value brings a procedure call with it.", tokens, index)
                return
            continue
        for names, rule, holds, reason in _RULES:
            if name not in names:
                continue
            budget -= 1
            if budget < 0:
                return
            if holds(tokens, index, behind):
                text = reason.format(name.upper())
                yield _probe(rule, text, tokens, index)
                break


def _probe(rule: str, reason: str, tokens: Tokens, index: int) -> Evidence:
    end = closing(tokens, index + 1) if text_at(tokens, index + 1) == "(" else index + 2
    return Evidence(
        rule=rule,
        reason=reason,
        start=tokens[index].start,
        end=tokens[min(end, len(tokens) - 1)].end,
    )


def time_call(tokens: Tokens, index: int) -> bool:
    """Whether a function that takes time is called at `index`."""
    return _called(tokens, index) in _TIME


def _called(tokens: Tokens, index: int) -> str:
    token = tokens[index]
    if token.kind != "word":
        return ""
    following = text_at(tokens, index + 1)
    if token.text in _BATCH or token.text in ("waitfor", "xp_dirtree"):
        return token.text if following else ""
    if following != "(":
        return ""
    name, at = token.text, index
    while text_at(tokens, at - 1) == "." and at >= 2 and tokens[at - 2].kind == "word":
        at -= 2
        name = f"{tokens[at].text}.{name}"
    if at == index or name in _DOTTED:
        return name
    return "" if token.text in ("sleep", "benchmark") else token.text  # Thread.sleep(1)


def _projection(tokens: Tokens) -> Iterator[int]:
    """Where a statement that only calls functions calls them: SELECT pg_sleep(1)."""
    words = [tokens[at].text for at in top_level(tokens, 0, len(tokens))]
    if (
        words[:1]
        and words[0] in ("select", "call", "do", "perform", "with", "set")
        and not _CONDITIONS & set(words)
    ):
        last = next(
            (
                at
                for at in top_level(tokens, 0, len(tokens))
                if tokens[at].text in ("order", "group")
            ),
            len(tokens),
        )
        nested = 0
        for at in range(last):
            nested += tokens[at].text == "select" and at > 0
            if not nested:
                yield at


def _leaks(tokens: Tokens, index: int) -> bool:
    name = tokens[index].text
    inside = tokens[index + 1 : closing(tokens, index + 1)]
    if name in ("exp", "pow"):
        return any(
            token.text == "~" and following.text in ("(", "0")
            for token, following in pairwise(inside)
        )
    if name == "export_set":
        return any(token.text.startswith("@") for token in inside)
    return any(
        token.text in ("select", "concat", "concat_ws", "chr", "char", "~", "extractvalue")
        or token.text in PROBES
        or token.text.lower().startswith(("0x7e", "0x5c", "0x3a"))
        or (token.kind == "string" and "<!entity" in token.text.lower())
        for token in inside
    )


def _casts_query(tokens: Tokens, index: int) -> bool:
    end = closing(tokens, index + 1)
    inside = [token.text for token in tokens[index + 2 : end]]
    query = {"select", "char", "chr"} & set(inside) or any(
        word in PROBES and word.startswith("@@") for word in inside
    )
    beside = {text_at(tokens, index - 1), text_at(tokens, end + 1)} & (
        COMPARISONS | {"and", "or", "limit"}
    )
    return bool(_NUMBERS & set(inside) and query and beside)


def _picks_apart(tokens: Tokens, index: int, behind: bool) -> bool:
    end = closing(tokens, index + 1)
    inside = [token.text for token in tokens[index + 2 : end]]
    called = [
        word
        for word, following in zip(inside, [*inside[1:], ""], strict=False)
        if word in PROBES and (following == "(" or word.startswith("@@") or "_" in word)
    ]
    if behind and _walks_document(inside):
        return True
    if not ("select" in inside or called):
        return False
    compared = text_at(tokens, end + 1) in COMPARISONS | {"between", "in", "like", ")"} or text_at(
        tokens, index - 1
    ) in COMPARISONS | {"("}
    return compared and behind


def _walks_document(inside: Sequence[str]) -> bool:
    """`password/text()`: a step of XPath, which takes the same conditions as SQL."""
    return any(inside[at : at + 3] == ["/", "text", "("] for at in range(len(inside)))


# The tokens, the place of the call, and whether it stands in a condition or a bare value.
Check = Callable[[Tokens, int, bool], bool]

_RULES: tuple[tuple[frozenset[str], str, Check, str], ...] = (
    (
        frozenset(["waitfor"]),
        "time_probe",
        lambda tokens, index, _: index > 0 and text_at(tokens, index + 1) in ("delay", "time"),
        "Waits inside another statement (WAITFOR).",
    ),
    (
        _TIME,
        "time_probe",
        lambda tokens, index, behind: (
            behind
            or tokens[index].text not in ("randomblob", "zeroblob")
            or _is_large(tokens, index)
        ),
        "{} is called where a condition stands: a delay answers a question.",
    ),
    (
        _OUT_OF_BAND,
        "out_of_band",
        lambda tokens, index, behind: behind or _calls_out(tokens, index),
        "{} sends data out through the server.",
    ),
    (
        _ERROR,
        "error_probe",
        lambda tokens, index, _: _leaks(tokens, index),
        "{} is made to fail with data in its message.",
    ),
    (
        frozenset(["convert", "cast"]),
        "error_probe",
        lambda tokens, index, _: _casts_query(tokens, index),
        "A query is cast to a number to make the error tell its result.",
    ),
    (
        _PIECES,
        "blind_probe",
        _picks_apart,
        "A secret is compared piece by piece.",
    ),
    (
        frozenset(["floor"]),
        "error_probe",
        lambda tokens, index, _: (
            text_at(tokens, index + 2) == "rand"
            and any(token.text == "group" for token in tokens[index : index + MAX_NEAR])
            and any(
                token.text.startswith("concat")
                for token in tokens[max(0, index - MAX_NEAR) : index]
            )
        ),
        "FLOOR(RAND()) in a grouping makes MySQL fail with data.",
    ),
)


def _names_procedure(tokens: Tokens, index: int) -> bool:
    word, following = tokens[index].text, text_at(tokens, index + 1)
    if word == "declare":
        return following.startswith("@") or text_at(tokens, index + 2) in ("varchar", "int")
    if following == "(":
        inside = text_at(tokens, index + 2)
        return kind_at(tokens, index + 2) in ("string", "variable") or inside in ("char", "chr")
    return following.startswith(("sp_", "xp_", "@")) or following in ("immediate", "master")


def _holds_prose(tokens: Tokens, index: int) -> bool:
    """Whether the brackets hold words, or nothing: sleep (8 hours), how sleep() works."""
    if text_at(tokens, index + 1) != "(":
        return False
    if text_at(tokens, index + 2) == ")" or _is_arrow(tokens, index - 2):
        return True
    first, second = kind_at(tokens, index + 2), text_at(tokens, index + 3)
    if first == "word":  # sleep(x, n)
        return second in (",", ")")
    if first == "number" and second == ")":  # sleep(8) hours
        behind = index + 4
        return kind_at(tokens, behind) == "word" and tokens[behind].text not in _BEHIND_CALL
    return first == "number" and kind_at(tokens, index + 3) == "word"


def _is_arrow(tokens: Tokens, index: int) -> bool:
    """`() => sleep(5)`: a function of JavaScript."""
    pair = (text_at(tokens, index), text_at(tokens, index + 1))
    return pair == ("=", ">") and text_at(tokens, index - 1) in (")", "async")


_NAMES = (
    frozenset(part for names, *_ in _RULES for name in names for part in name.split("."))
    | _BATCH
    | {"waitfor", "xp_dirtree"}
)


def _is_large(tokens: Tokens, index: int) -> bool:
    digits = text_at(tokens, index + 2)
    return digits.isdigit() and int(digits[:12]) >= HEAVY_COUNT


def _calls_out(tokens: Tokens, index: int) -> bool:
    """A request in any place of a query, those excepted that administrators make."""
    name = tokens[index].text
    return not (
        tokens[0].text in ("exec", "execute", "call", "values")
        or name in ("dblink", "openrowset", "opendatasource")
        or name.startswith("fn_")
    )


_CATALOGUE = word_set(
    "generate_series all_users all_tables all_objects sysusers sysobjects syscolumns systables "
    "columns tables dba_objects user_objects sysibm.systables rdb$fields rdb$types rdb$functions "
    "rdb$collations syspaths sysmaster sqlite_master domain systypes sysindexes "
)  # fmt: skip


def _heavy(tokens: Tokens, *, value: bool) -> Iterator[Evidence]:
    """A query in a condition that counts a large series, or a table joined with itself often."""
    condition = value
    for index, token in enumerate(tokens):
        if token.kind != "word":
            continue
        if token.text in ("where", "having"):
            condition = True
        if not condition or token.text != "from":
            continue
        reason = ""
        if text_at(tokens, index + 1) == "generate_series":
            end = closing(tokens, index + 2)
            numbers = [part.text for part in tokens[index + 3 : end] if part.text.isdigit()]
            if any(int(number[:12]) >= HEAVY_COUNT for number in numbers):
                reason = "A condition counts a series of many rows: it only takes time."
        elif _repeats_source(tokens, index + 1):
            reason = "A condition joins a table of the catalogue with itself: it only takes time."
        if reason:
            yield Evidence(rule="time_probe", reason=reason, start=token.start, end=tokens[-1].end)
            return


def _repeats_source(tokens: Tokens, first: int) -> bool:
    seen: dict[str, int] = {}
    depth = 0
    for index in range(first, min(len(tokens), first + 60)):
        text = tokens[index].text
        depth += (text == "(") - (text == ")")
        if depth < 0 or text in ("where", "group", "order", "limit"):
            break
        if text in _CATALOGUE and text_at(tokens, index + 1) != ".":
            seen[text] = seen.get(text, 0) + 1
    return max(seen.values(), default=0) >= HEAVY_SOURCES


def _encoded(tokens: Tokens, *, value: bool) -> Iterator[Evidence]:
    """CHR(113)||CHR(98): a word spelled by the codes of its characters, so without quotes."""
    chain, first, condition = 0, 0, value
    for index, token in enumerate(tokens):
        if token.kind == "word" and token.text in ("where", "having", "union"):
            condition = True
        if token.text not in _BY_CODE or text_at(tokens, index + 1) != "(":
            continue
        code, close = text_at(tokens, index + 2), text_at(tokens, index + 3)
        if not condition or kind_at(tokens, index + 2) != "number" or code in _PLAIN_CODES:
            chain = 0
            continue
        if close == ",":
            chain += MIN_CHAIN * (kind_at(tokens, index + 4) == "number")
        elif text_at(tokens, index - 1) in ("||", "+", ",") and chain:
            chain += 1
        else:
            chain, first = 1, index
        if chain >= MIN_CHAIN:
            first = min(first or index, index)
            yield Evidence(
                rule="encoded_text",
                reason="A text is spelled by the codes of its characters.",
                start=tokens[first].start,
                end=tokens[min(index + 3, len(tokens) - 1)].end,
            )
            return
