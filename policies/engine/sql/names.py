"""Names in a statement: the tables it touches, the columns it mentions, the functions it calls.

Aliases lead to their table, names of common table expressions are left out. What no reader without
a schema can tell (whether a bare name is a column or a variable) is taken for a column.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from policies.engine.language import word_set
from policies.engine.sql.statements import VERBS, Statement
from policies.engine.sql.tokens import Token

MAX_TABLES = 200  # places of one statement at which a table is read
MAX_HEAD = 4  # words before the table that a statement is about
MAX_COLUMNS = 400  # names of one statement that are taken for columns

# What brings a table, and which of them can bring several with commas between.
_TABLE_WORDS = word_set(
    "from join into update table truncate using view describe desc copy references"
)
_LISTS = word_set("table update truncate using")
# What ends the tables of a FROM.
_FROM_END = word_set(
    "where group order having limit union intersect except minus select set returning window "
    "fetch offset for qualify connect start values"
)
_NOISE = word_set(
    "if not exists only table lateral low_priority quick ignore concurrently external foreign "
    "transient temporary temp unlogged global local overwrite as ordinality extended formatted"
)
_NO_TABLES = word_set(
    "select where set values dual on skip of nowait outfile dumpfile stdin stdout rows "
    "unnest with case left right inner outer cross natural full join order group limit into "
    "returning key default"
)
# Their FROM belongs to the call: EXTRACT(year FROM day).
_OWN_FROM = word_set("extract substring trim overlay position normalize ltrim rtrim mid")
_NO_ALIAS = word_set(
    "where set on using join left right inner outer cross natural full group order limit having "
    "union intersect except minus window fetch offset for returning values select lateral when "
    "then with default cascade restrict add drop alter rename to from as force use ignore "
    "partition tablesample into start connect qualify pivot unpivot asof anti semi any and or "
    "not matched do nothing procedure lock in option restart continue if exists is modify change "
    "owner enable disable cluster read write straight_join primary references foreign check unique"
)
_KEYWORDS = (
    VERBS
    | _NO_ALIAS
    | word_set(
        "all distinct by asc desc null true false case when else end between like ilike rlike "
        "regexp glob similar escape over rows range preceding following unbounded current row "
        "nulls first last interval date time timestamp day month year hour minute second week "
        "quarter exists some any cast int integer bigint smallint text varchar char numeric "
        "decimal float double precision boolean bool real json jsonb uuid bytea blob "
        "timestamptz zone at view index column constraint key rollup cube grouping sets "
        "filter within array of only recursive materialized temporary temp top percent ties "
        "no action language function procedure trigger returns return immutable stable "
        "volatile role user password superuser login schema database collate dual both "
        "leading trailing div mod xor groups exclude others if elseif elsif loop while "
        "iterate leave declare handler conflict duplicate immediate nowait skip locked share "
        "current_date current_time current_timestamp current_user session_user localtime "
        "sysdate rownum distinctrow sql_calc_found_rows high_priority outfile dumpfile infile "
        "local charset character engine auto_increment identity serial bigserial unsigned "
        "separator verbose isolation level committed repeatable serializable transaction "
        "savepoint privileges usage next value sequence generated always stored virtual "
        "comment extension type enum domain"
    )
)
_NOT_FUNCTIONS = word_set(
    "in and or not as on from where values exists any all some over using having when then "
    "else case by union except intersect limit key unique index references check primary into "
    "join is like between partition within filter interval offset returning recursive "
    "materialized rollup cube sets top varchar char numeric decimal nvarchar table lateral if"
)
_NAMES = ("word", "quoted")


@dataclass(slots=True, kw_only=True)
class Names:
    """What a statement names, in the order in which it does."""

    tables: list[str] = field(default_factory=list)
    columns: list[str] = field(default_factory=list)
    functions: list[str] = field(default_factory=list)


def names(statement: Statement, *, columns: bool = True) -> Names:
    """The tables, columns (if they are asked for) and functions of a statement, each once."""
    found = Names()
    if statement.verb in ("set", "show", "grant", "revoke", "begin", "commit", "use", "kill"):
        found.functions = list(dict.fromkeys(_functions(statement.tokens)))
        if statement.verb in ("grant", "revoke"):
            found.tables = _granted(statement.tokens)
        return found
    reader = _Reader(statement)
    found.tables = list(dict.fromkeys(reader.tables))
    if columns:
        found.columns = list(dict.fromkeys(reader.columns()))
    found.functions = list(dict.fromkeys(_functions(statement.tokens)))
    return found


def _granted(tokens: Sequence[Token]) -> list[str]:
    """GRANT SELECT ON shop.orders, shop.lines TO ..."""
    at = next((place for place, token in enumerate(tokens) if token.text == "on"), len(tokens)) + 1
    if at < len(tokens) and tokens[at].text == "table":
        at += 1
    granted: list[str] = []
    while at < len(tokens) and len(granted) < MAX_TABLES:
        name, after = dotted(tokens, at)
        kinds = ("schema", "database", "all", "function", "sequence", "language")
        if (
            not name
            or name in kinds
            or (after < len(tokens) and tokens[after].text not in (",", "to", "from"))
        ):
            break
        granted.append(name)
        if after >= len(tokens) or tokens[after].text != ",":
            break
        at = after + 1
    return granted


def dotted(tokens: Sequence[Token], index: int) -> tuple[str, int]:
    """The (dotted) name at `index` without quotes or brackets, and the index after it."""
    parts: list[str] = []
    if index < len(tokens) and (token := tokens[index]).kind in _NAMES:  # most are one word
        after = index + 1
        if after == len(tokens) or tokens[after].text != ".":
            return token.text.strip('"`'), after
    while index < len(tokens):
        token = tokens[index]
        if token.kind in _NAMES or (token.kind == "variable" and token.text[0] in "@:"):
            parts.append(token.text.strip('"`'))
            index += 1
        elif (
            token.text == "["
            and index + 2 < len(tokens)
            and tokens[index + 1].kind in _NAMES
            and tokens[index + 2].text == "]"
        ):
            parts.append(tokens[index + 1].text)
            index += 3
        elif parts and token.text == "*":
            return ".".join((*parts, "*")), index + 1
        else:
            break
        dots = index
        while index < len(tokens) and tokens[index].text == ".":
            index += 1
        if index == dots:
            break
    return ".".join(parts), index


class _Reader:
    """Reads the tables with their aliases, then the columns."""

    def __init__(self, statement: Statement) -> None:
        self.tokens = statement.tokens
        self.tables: list[str] = []
        self.aliases: dict[str, str] = {}
        self.taken: set[int] = set()  # tokens that are part of a table's name or alias
        self.defined = self._defined()
        self._read()

    def _text(self, index: int) -> str:
        return self.tokens[index].text if 0 <= index < len(self.tokens) else ""

    def _defined(self) -> set[str]:
        """Names of common table expressions: `x AS (`, `x (a, b) AS (`."""
        if not any(token.text == "with" for token in self.tokens[:60]):
            return set()
        found: set[str] = set()
        for index in range(1, len(self.tokens) - 1):
            if self.tokens[index].text != "as":
                continue
            at = index + 1
            while self._text(at) in ("materialized", "not"):
                at += 1
            if self._text(at) != "(":
                continue
            name = index - 1
            if self._text(name) == ")":
                while name > 0 and self._text(name) != "(":
                    name -= 1
                name -= 1
            if name >= 0 and self.tokens[name].kind in _NAMES:
                before = self._text(name - 1)
                if before in ("with", "recursive", ",") or name == 0:
                    found.add(self.tokens[name].text.strip('"`').lower())
                    self.taken.add(name)
        return found

    def _read(self) -> None:
        budget = MAX_TABLES
        calls = [""]  # what each open bracket belongs to
        listing = [False]  # whether a comma in it brings a table: FROM a, b
        indexed = self._text(0) == "create" and any(t.text == "index" for t in self.tokens[:4])
        for index, token in enumerate(self.tokens):
            word = token.text
            if word == "(":
                calls.append(self._text(index - 1))
                listing.append(False)
            elif word == ")" and len(calls) > 1:
                calls.pop()
                listing.pop()
            elif word == "," and listing[-1]:
                budget -= 1
                self._tables_at(index, "join")
            elif token.kind == "word":
                if word in _FROM_END:
                    listing[-1] = False
                if not self._brings_table(index, word, calls[-1], indexed=indexed):
                    continue
                budget -= 1
                listing[-1] = listing[-1] or word == "from"
                self._tables_at(index, word)
            if budget < 0:
                return

    def _brings_table(self, index: int, word: str, call: str, *, indexed: bool) -> bool:
        if word == "on" and indexed:
            return True
        if word not in _TABLE_WORDS:
            return False
        before = self._text(index - 1)
        if word == "from":
            return before not in (".", "distinct") and call not in _OWN_FROM
        if word == "update":
            return before not in ("key", "on", "for", "do")
        if word in ("truncate", "copy"):
            return index == 0 or before in ("then", "begin", "do")
        if word == "using" and self._text(index + 1) == "(":
            return self._text(index + 2) == "select"  # JOIN b USING (id)
        return index <= MAX_HEAD or word in ("join", "into", "using", "references")

    def _tables_at(self, index: int, word: str) -> None:
        at = index + 1
        while at < len(self.tokens):
            while self._text(at) in _NOISE:
                at += 1
            if self._text(at) == "(" and self._text(at + 1) not in ("select", "with", "values"):
                at += 1  # FROM (a JOIN b ON ...)
                continue
            if self._text(at) == "(":
                after = self._closing(at)
            else:
                name, after = dotted(self.tokens, at)
                if not name or name in _NO_TABLES or self._is_program(at):
                    return
                named = word in ("into", "references", "copy") or self._text(0) == "create"
                if self._text(after) == "(" and not named:
                    after = self._closing(after)  # a function that returns rows
                else:
                    self._add(name, at, after)
            after = self._alias(at, after)
            if word not in _LISTS or self._text(after) != ",":
                return
            at = after + 1

    def _is_program(self, at: int) -> bool:
        """COPY t FROM PROGRAM '...'"""
        last = at + 1 < len(self.tokens)
        return self._text(at) == "program" and last and self.tokens[at + 1].kind == "string"

    def _add(self, name: str, first: int, last: int) -> None:
        self.taken.update(range(first, last))
        plain = name.lower()
        if plain in self.defined or name.startswith(("@", ":")):
            return
        self.tables.append(name)
        self.aliases.setdefault(plain.rpartition(".")[2], name)

    def _alias(self, first: int, after: int) -> int:
        """Notes the alias behind a table, and answers the index after it."""
        at = after + (self._text(after) == "as")
        if at >= len(self.tokens) or self.tokens[at].kind not in _NAMES:
            return after
        alias = self.tokens[at].text.strip('"`').lower()
        if alias in _NO_ALIAS:
            return after
        self.taken.add(at)
        name, end = dotted(self.tokens, first)
        known = end in (after, at) and name and name.lower() not in self.defined
        self.aliases[alias] = name if known else ""
        if self._text(at + 1) == "(":  # AS t(a, b)
            return self._closing(at + 1)
        return at + 1

    def _closing(self, opening: int) -> int:
        depth = 0
        for index in range(opening, min(len(self.tokens), opening + MAX_CLOSING)):
            text = self.tokens[index].text
            depth += (text == "(") - (text == ")")
            if depth == 0:
                return index + 1
        return len(self.tokens)

    def columns(self) -> Iterator[str]:
        """Names that stand where values do, with their table where an alias tells it."""
        tokens, taken, budget, past = self.tokens, self.taken, MAX_COLUMNS, 0
        for index, token in enumerate(tokens):
            if index < past or token.kind not in _NAMES or index in taken:
                continue
            if token.kind == "word" and token.text in _KEYWORDS and self._text(index + 1) != ".":
                continue
            name, past = dotted(tokens, index)
            before = self._text(index - 1)
            if self._text(past) != "(" and before not in ("as", "::", "@", "$") and name:
                budget -= 1
                yield from self._resolved(name)
                if not budget:
                    return

    def _resolved(self, name: str) -> Iterator[str]:
        table, dot, column = name.rpartition(".")
        if not dot:
            yield name
        elif column != "*":
            known = self.aliases.get(table.lower(), table)
            yield f"{known}.{column}" if known else column


MAX_CLOSING = 4_000  # tokens between a pair of brackets


def _functions(tokens: Sequence[Token]) -> Iterator[str]:
    """The names that are followed by an opening bracket, keywords left out."""
    for index in range(len(tokens) - 1):
        if tokens[index + 1].text == "(" and tokens[index].kind == "word":
            name = tokens[index].text
            if name in _NOT_FUNCTIONS or (name in VERBS and name not in ("replace", "load", "end")):
                continue
            before = tokens[index - 1].text if index else ""
            if before in ("into", "table", "update", "references", "on", "as", "index"):
                continue  # INSERT INTO t (a, b)
            dotted_name = index >= 2 and before == "." and tokens[index - 2].kind in _NAMES
            yield f"{tokens[index - 2].text}.{name}" if dotted_name else name
