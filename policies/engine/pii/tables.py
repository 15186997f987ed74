"""Which column a place in a text belongs to: CSV, psql and Markdown tables, INSERT statements."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Callable, Iterator

from policies.engine.findings import Report

MAX_HEADER = 4_000  # characters of a header line; longer lines are data
MAX_ROW = 10_000  # characters of a row in which columns are counted
MAX_CELL = 64  # characters of a column's name

_RULER = frozenset("|-+: =\t")
_QUOTED = re.compile(r'"[^"\n]*"')
_NAME = re.compile(r"[^\W\d][\w.\-/#]*(?: [\w.\-/#]+){0,3}(?: ?\([^()]*\))?\Z")
_REDACTED = re.compile(r"[a-z_]{2,40}_[a-p]{16}")  # `Style.TOKEN` of the redaction
_ALONE = re.compile(r"[^\W\d][\w\-]*(?: [\w\-]+){0,2}\.?\Z")  # a column's name on its own line
# What pg_dump writes: the rows follow, with tabs between their cells.
_COPY = re.compile(r"copy\s[\w.\"]{1,200}\s?\(([^()]{1,4000})\)\sfrom\sstdin", re.IGNORECASE)
_ROUND_A_CELL = " \t\r\"'`"
_INSERT = re.compile(
    r"\binsert\s{1,20}into\s{1,20}[\w.\"`\[\]]{1,200}\s{0,20}"
    r"\(([^()]{1,4000})\)\s{0,20}values\b",
    re.IGNORECASE,
)
_INSERT_TOKEN = re.compile(r"'[^']*+(?:''[^']*+)*'|[(),;]")


def tables_of(text: str, report: Report) -> Tables:
    """The tables in `text`, read once for an operation."""
    known = report.tables.get(text)
    if known is None:
        known = report.tables[text] = Tables(text)
    return known


class Tables:
    """The tables in one text; reading it takes one pass, when the first question is asked."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._line_starts: list[int] = []
        self._headers: list[tuple[str, list[str]] | None] = []
        self._cell_starts: list[int] = []
        self._cell_names: list[str] = []
        self._read_lines()
        if "nsert" in text or "NSERT" in text:
            self._read_inserts()
        self._any = bool(self._cell_starts) or any(header is not None for header in self._headers)

    def column(self, place: int) -> str:
        """The name of the column that `place` stands under; empty when it is in no table."""
        if not self._any:
            return ""
        if self._cell_starts:
            at = bisect_right(self._cell_starts, place) - 1
            if at >= 0 and self._cell_names[at]:
                return self._cell_names[at]
        row = bisect_right(self._line_starts, place) - 1
        header = self._headers[row]
        if header is None:
            return ""
        delimiter, names = header
        if place - self._line_starts[row] > MAX_ROW:
            return ""
        before = self._text[self._line_starts[row] : place]
        if delimiter == "," and '"' in before:
            before = _QUOTED.sub("", before)
        index = before.count(delimiter) if delimiter else 0
        return names[index] if index < len(names) else ""

    def cells(self, wanted: Callable[[str], bool]) -> Iterator[tuple[str, int, int]]:
        """Name, start and end of every cell under a column whose name is `wanted`.

        Blanks and quotes round the cell are left out; empty cells are skipped.
        """
        for row, header in enumerate(self._headers):
            if header is None or not any(map(wanted, header[1])):
                continue
            start = self._line_starts[row]
            last = row + 1 == len(self._line_starts)
            end = len(self._text) if last else self._line_starts[row + 1] - 1
            if end - start <= MAX_ROW:
                yield from self._cells_of(header, start, end, wanted)
        for at, name in enumerate(self._cell_names):
            if name and wanted(name):
                following = self._cell_starts[at + 1 : at + 2] or [self._cell_starts[at] + 1]
                yield from self._cell_in(name, self._cell_starts[at], following[0] - 1)

    def _cells_of(
        self, header: tuple[str, list[str]], start: int, end: int, wanted: Callable[[str], bool]
    ) -> Iterator[tuple[str, int, int]]:
        delimiter, names = header
        line = self._text[start:end]
        if delimiter == "," and '"' in line:  # a comma in quotes is none
            line = _QUOTED.sub(lambda quoted: quoted[0].replace(",", " "), line)
        for name, cell in zip(names, line.split(delimiter) if delimiter else [line], strict=False):
            if name and wanted(name):
                yield from self._cell_in(name, start, start + len(cell))
            start += len(cell) + 1

    def _cell_in(self, name: str, start: int, end: int) -> Iterator[tuple[str, int, int]]:
        cell = self._text[start:end]
        stripped = cell.strip(_ROUND_A_CELL)
        if stripped:
            start += len(cell) - len(cell.lstrip(_ROUND_A_CELL))
            yield name, start, start + len(stripped)

    def _read_lines(self) -> None:
        start, header = 0, None
        shape: tuple[str, int] | None = None
        fresh = True  # nothing stands above: a name alone on its line may head a column
        for line in self._text.split("\n"):
            self._line_starts.append(start)
            start += len(line) + 1
            copied = _COPY.match(line) if line[:5] in ("COPY ", "copy ") else None
            if copied is not None:
                names = [name.strip(' \t"') for name in copied[1].split(",")]
                shape, header, fresh = ("\t", len(names) - 1), ("\t", names), False
                self._headers.append(None)
                continue
            found = _shape(line)
            if found is None:
                bare = line.strip().strip("\"'`")
                if not bare:
                    shape = header = None
                elif (
                    fresh
                    and len(bare) <= MAX_CELL
                    and _ALONE.match(bare)
                    and not _REDACTED.fullmatch(bare)
                ):
                    shape, header = None, ("", [bare])
                    self._headers.append(None)
                    fresh = False
                    continue
                alone = header is not None and not header[0]
                if alone and not _RULER.issuperset(bare) and not _is_value(bare):
                    header, alone = None, False
                self._headers.append(header if alone else None)
                fresh = not bare
                continue
            fresh = False
            if found == shape:
                self._headers.append(header)
                continue
            self._headers.append(None)
            heads = _names(line, found[0]) if len(line) <= MAX_HEADER else None
            if heads is not None and not _RULER.issuperset(line):
                shape, header = found, (found[0], heads)

    def _read_inserts(self) -> None:
        text, position = self._text, 0
        while (insert := _INSERT.search(text, position)) is not None:
            names = [name.strip(' \t\r\n"`[]') for name in insert[1].split(",")]
            depth, column, position = 0, 0, insert.end()
            for token in _INSERT_TOKEN.finditer(text, insert.end()):
                mark, position = token[0], token.end()
                if mark == ";" and depth == 0:
                    break
                if mark == "(":
                    depth += 1
                    if depth == 1:
                        column = 0
                        self._cell(token.end(), names, column)
                elif mark == ")":
                    depth -= 1
                    if depth == 0:
                        self._cell(token.end(), names, len(names))
                elif mark == "," and depth == 1:
                    column += 1
                    self._cell(token.end(), names, column)

    def _cell(self, start: int, names: list[str], column: int) -> None:
        self._cell_starts.append(start)
        self._cell_names.append(names[column] if column < len(names) else "")


def may_head(line: str) -> bool:
    """Whether `line` may name columns."""
    shape = _shape(line)
    if shape is None:
        return _ALONE.match(line.strip().strip("\"'`")) is not None
    return _names(line, shape[0]) is not None


def _is_value(bare: str) -> bool:
    """Whether a line may be the only cell of its row: one word, or groups of digits."""
    if len(bare) > MAX_CELL:
        return False
    return " " not in bare or sum(map(str.isdigit, bare)) * 2 > len(bare)


def _shape(line: str) -> tuple[str, int] | None:
    for delimiter in "|\t":
        if delimiter in line:
            return delimiter, line.count(delimiter)
    if "," in line:
        return ",", (_QUOTED.sub("", line) if '"' in line else line).count(",")
    semicolons = line.count(";")
    if semicolons == 1 and line.rstrip()[-1:] == ";":
        return None  # the end of a statement
    return (";", semicolons) if semicolons else None


def _names(line: str, delimiter: str) -> list[str] | None:
    """The names in a header line, or None when the line looks like data."""
    if delimiter == "," and (line[:1].isspace() or not line.rstrip()[-1:].strip(",;(")):
        return None  # indented, or going on: a list in code
    names = [name.strip().strip("\"'`*").strip() for name in line.split(delimiter)]
    filled = [name for name in names if name]
    if not filled or any(len(name) > MAX_CELL or not _NAME.match(name) for name in filled):
        return None
    if any("_" in name and _REDACTED.fullmatch(name) for name in filled):
        return None  # a row of which a redaction left only words
    return names
