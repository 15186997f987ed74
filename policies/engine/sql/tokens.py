"""SQL cut into tokens: tolerant of every dialect, of fragments and of unfinished text.

The detectors read tokens and not text, so that a comment marker inside a string is no comment. A
full parser is not used here: what matters most (spliced text) does not parse by its nature, and a
lexer has a cost that is linear in the length for any input.
"""

from __future__ import annotations

import re
from typing import NamedTuple

MAX_TOKENS = 20_000  # of one text; the rest is left out and reported as truncated
MAX_LENGTH = 200_000  # characters of one text


class Token(NamedTuple):
    """One token (a tuple, as a statement makes hundreds and a dataclass takes three times as long).

    `kind` is one of word, quoted (an identifier, or a MySQL string, in double quotes), string,
    number, variable, operator, punctuation, comment. `text` is as written, for words in lower case.
    """

    kind: str
    text: str
    start: int
    end: int
    open: bool = False  # a string, quoted name or comment that never ends


_STRING = r"(?:[nbxe]|u&)?'(?:[^']|'')*(?P<closed>')?"
_ESCAPED = r"(?:[nbxe]|u&)?'(?:[^'\\]|''|\\.)*(?P<closed>')?"
_PATTERN = r"""
  [\s\u00a0\u200b\ufeff]*+(?:
    (?P<word>(?!(?:[nbxe]|u&)')[^\W\d][\w$]*)
  | (?P<line>--[^\n]*)
  | (?P<hash>\#(?![>\-])[^\n]*)
  | (?P<hint>/\*!\d*)
  | (?P<hintend>\*/)
  | (?P<block>/\*(?:[^*]|\*(?!/))*(?P<blockend>\*/)?)
  | (?P<dollar>\$(?P<tag>[A-Za-z_]*)\$)
  | (?P<string>STRING)
  | (?P<quoted>"(?:[^"]|"")*(?P<quotedend>")?)
  | (?P<back>`[^`]*(?P<backend>`)?)
  | (?P<number>(?:\d+\.?\d*|\.\d+)(?:e\d*|d)?(?=union\b) | 0x[0-9a-f]+
      | \d+(?:\.\d*)?(?:e[+-]?\d+)?(?![a-z_]) | \.\d+ | \d+)
  | (?P<variable>@@?[\w$.]+ | (?<![:\w]):[a-z_]\w* | \$\d+ | \? | %[sIL]\b | %\(\w+\)s)
  | (?P<operator><=>|<>|!=|==|>=|<=|\|\||&&|::|:=|\#>>|\#>|\#-|->>|->|@>|<@
      |!~\*?|~\*|[-+*/%=<>!~^&|])
  | (?P<punctuation>.)
  )
"""


def _compile(string: str) -> re.Pattern[str]:
    pattern = _PATTERN.replace("STRING", string)
    return re.compile(pattern, re.VERBOSE | re.IGNORECASE | re.DOTALL)


_STANDARD, _BACKSLASH = _compile(_STRING), _compile(_ESCAPED)


def tokenize(text: str) -> tuple[list[Token], bool]:
    """The tokens of `text`, and whether all of it was read.

    A backslash escapes nothing in standard SQL and a quote in MySQL's: the standard reading is
    taken, unless it leaves a string open that the other closes.
    """
    tokens, complete = _tokenize(text, _STANDARD)
    if "\\" in text and any(token.open for token in tokens):
        others, complete = _tokenize(text, _BACKSLASH)
        if not any(token.open for token in others):
            return others, complete
    return tokens, complete


def _tokenize(text: str, pattern: re.Pattern[str]) -> tuple[list[Token], bool]:
    tokens: list[Token] = []
    add, match = tokens.append, pattern.match
    at, end = 0, min(len(text), MAX_LENGTH)
    while at < end:
        if len(tokens) >= MAX_TOKENS:
            return tokens, False
        found = match(text, at, end)
        if found is None:
            break  # only blanks are left
        kind = found.lastgroup or ""
        at, stop = found.span(kind)
        if kind == "word":
            add(Token(kind, text[at:stop].lower(), at, stop))
        elif kind in _PLAIN:
            add(Token(kind, text[at:stop], at, stop))
        elif kind == "dollar" and (token := _dollar_quoted(text, found, end)):
            add(token)
            stop = token.end
        elif kind == "hash" and _is_temporary_table(tokens, found.group(kind)):
            add(Token("word", "#", at, at + 1))
            stop = at + 1
        elif kind in ("hint", "hintend"):  # MySQL runs what stands in /*! ... */
            add(Token("comment", text[at:stop], at, stop))
        else:
            add(_delimited(found, text[at:stop], at, stop))
        at = stop
    return tokens, end == len(text)


_PLAIN = frozenset(["operator", "punctuation", "number", "variable"])


def _delimited(found: re.Match[str], text: str, start: int, stop: int) -> Token:
    if found.group("string") is not None:
        return Token("string", text, start, stop, found.group("closed") is None)
    if found.group("quoted") is not None:
        return Token("quoted", text, start, stop, found.group("quotedend") is None)
    if found.group("block") is not None:
        return Token("comment", text, start, stop, found.group("blockend") is None)
    if found.group("back") is not None:
        return Token("quoted", text, start, stop, found.group("backend") is None)
    return Token("comment" if found.group("dollar") is None else "word", text, start, stop)


def _dollar_quoted(text: str, found: re.Match[str], end: int) -> Token | None:
    mark = found.group("dollar")
    close = text.find(mark, found.end(), end)
    if close < 0:
        return None
    stop = close + len(mark)
    start = found.start("dollar")
    return Token("string", text[start:stop], start, stop)


def _is_temporary_table(tokens: list[Token], text: str) -> bool:
    # SQL Server names temporary tables #name; MySQL starts a comment with #.
    before = tokens[-1].text if tokens else ""
    return before in ("from", "into", "table", "join", "exists", "update") and text[1:2].isalpha()


def inner(token: Token) -> tuple[int, int]:
    """Where the content of a string or quoted token stands, without its quotes."""
    text = token.text
    if text.startswith("$"):
        mark = text.index("$", 1) + 1
        return token.start + mark, token.end - mark
    quote = text[-1] if not token.open else ("'" if "'" in text[:3] else text[:1])
    first = text.find(quote) + 1
    return token.start + first, token.end - (0 if token.open else 1)
