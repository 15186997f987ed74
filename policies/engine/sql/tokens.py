"""SQL cut into tokens: tolerant of every dialect, of fragments and of unfinished text.

The detectors read tokens and not text, so that a comment marker inside a string is no comment. A
full parser is not used here: what matters most (spliced text) does not parse by its nature, and a
lexer has a cost that is linear in the length for any input.
"""

from __future__ import annotations

import re
from itertools import islice
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


_STRING = r"(?:[nbxe]|u&)?'(?:[^']++|'')*+(?P<closed>')?"
_ESCAPED = r"(?:[nbxe]|u&)?'(?:[^'\\]++|''|\\.)*+(?P<closed>')?"
# What stands most often is tried first; a word that is the head of a string is left to it. Every
# repeat gives nothing back, and blanks at the end match too: else each would be tried as a start.
_PATTERN = r"""
  [\s\u00a0\u200b\ufeff]*+(?:
    (?P<word>(?!(?:[nbxe]|u&)')[^\W\d][\w$]*+)
  | (?P<mark>[(),;\[\]{}\\])
  | (?P<equal>=(?!=))
  | (?P<string>STRING)
  | (?P<number>(?:\d++(?:\.\d*+)?|\.\d++)(?:e\d*+|d)?(?=union\b) | 0x[0-9a-f]+
      | \d+(?:\.\d*)?(?:e[+-]?\d+)?(?![a-z_]) | \.\d+ | \d+)
  | (?P<line>--[^\n]*)
  | (?P<hash>\#(?![>\-])[^\n]*)
  | (?P<hint>/\*!\d*)
  | (?P<hintend>\*/)
  | (?P<block>/\*(?:[^*]|\*(?!/))*+(?P<blockend>\*/)?)
  | (?P<dollar>\$(?P<tag>[A-Za-z_]*)\$)
  | (?P<quoted>"(?:[^"]|"")*+(?P<quotedend>")?)
  | (?P<back>`[^`]*+(?P<backend>`)?)
  | (?P<variable>@@?[\w$.]+ | (?<![:\w]):[a-z_]\w* | \$\d+ | \?(?!\|(?!\|)|&(?!&))
      | %[sIL]\b | %\(\w+\)s)
  | (?P<operator><=>|<>|!=|==|>=|<=|\|\||&&|::|:=|\#>>|\#>|\#-|->>|->|@>|<@|\?[|&]
      |!~\*?|~\*|[-+*/%=<>!~^&|])
  | (?P<punctuation>.)
  | (?P<end>\Z)
  )
"""


def _compile(string: str) -> re.Pattern[str]:
    pattern = _PATTERN.replace("STRING", string)
    return re.compile(pattern, re.VERBOSE | re.IGNORECASE | re.DOTALL)


_STANDARD, _BACKSLASH = _compile(_STRING), _compile(_ESCAPED)


def tokenize(text: str, limit: int = MAX_TOKENS) -> tuple[list[Token], bool]:
    """The tokens of `text`, at most `limit`, and whether all of it was read.

    A backslash escapes nothing in standard SQL and a quote in MySQL's: the standard reading is
    taken, unless it leaves a string open that the other closes.
    """
    tokens, complete = _tokenize(text, _STANDARD, limit, [])
    if "\\" in text and any(token.open for token in tokens):
        # Up to the first string with a backslash both readings are the same.
        same = next((at for at, token in enumerate(tokens) if _escapes(token)), len(tokens))
        others, whole = _tokenize(text, _BACKSLASH, limit, tokens[:same])
        if not any(token.open for token in others):
            return others, whole
    return tokens, complete


def _escapes(token: Token) -> bool:
    return token.kind == "string" and "\\" in token.text


def _tokenize(
    text: str, pattern: re.Pattern[str], limit: int, tokens: list[Token]
) -> tuple[list[Token], bool]:
    """Adds the tokens behind the last of `tokens`."""
    add, new = tokens.append, tuple.__new__
    at, end = tokens[-1].end if tokens else 0, min(len(text), MAX_LENGTH)
    while at < end:
        resumed = at
        for found in islice(pattern.finditer(text, at, end), limit - len(tokens)):
            kind = found.lastgroup or ""
            part, stop = found[kind], found.end()
            at = stop - len(part)
            if kind in _PLAIN:  # made without the constructor, which takes longer than the rest
                add(new(Token, (_PLAIN[kind], part, at, stop, False)))
            elif kind == "word":
                add(new(Token, (kind, part.lower(), at, stop, False)))
            elif kind == "dollar" and (token := _dollar_quoted(text, found, end)):
                add(token)
                at = token.end
                break
            elif kind == "hash" and _is_temporary_table(tokens, part):
                add(Token("word", "#", at, at + 1))
                at += 1
                break
            elif kind in ("hint", "hintend"):  # MySQL runs what stands in /*! ... */
                add(Token("comment", part, at, stop))
            elif kind != "end":
                add(_delimited(found, part, at, stop))
            at = stop
        else:
            full = len(tokens) >= limit and bool(text[at:end].strip())
            return tokens, end == len(text) and not full
        if at == resumed:
            break
    return tokens, end == len(text)


# The groups of the pattern that are tokens as they stand, with their kinds.
_PLAIN = {
    "mark": "punctuation",
    "equal": "operator",
    "operator": "operator",
    "punctuation": "punctuation",
    "number": "number",
    "variable": "variable",
}


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
