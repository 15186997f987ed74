"""From what a caller sent to the engine's operation: which strings count, and as what.

A tool's input becomes one text with parts, each knowing the path of its string, so that a finding
can be shown in the text and a redaction written back into the object.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from types import MappingProxyType
from typing import Any

from policies.engine.operation import Language, Operation, Part, Phase, Written

Path = tuple[str | int, ...]

# The arguments of Claude Code's own tools that carry what will happen; other arguments describe
# it (`description`) or must stay as they are for the tool to work (`old_string`).
TOOL_ARGUMENTS: dict[str, tuple[tuple[str, Language], ...]] = {
    "Bash": (("command", Language.SHELL),),
    "Monitor": (("command", Language.SHELL), ("ws", Language.URL)),
    "Write": (("file_path", Language.PATH), ("content", Language.TEXT)),
    "Edit": (("file_path", Language.PATH), ("new_string", Language.TEXT)),
    "NotebookEdit": (("notebook_path", Language.PATH), ("new_source", Language.TEXT)),
    "Read": (("file_path", Language.READ_PATH),),
    "Grep": (("path", Language.READ_PATH), ("pattern", Language.TEXT)),
    "Glob": (("path", Language.READ_PATH), ("pattern", Language.READ_PATH)),
    "LS": (("path", Language.READ_PATH),),
    "WebFetch": (("url", Language.URL), ("prompt", Language.TEXT)),
    "WebSearch": (("query", Language.TEXT),),
    "Agent": (("prompt", Language.TEXT),),
    "Task": (("prompt", Language.TEXT),),
}
# What an argument of any other tool is, by its name.
_ARGUMENT_LANGUAGES = {
    "sql": Language.SQL,
    "statement": Language.SQL,
    "command": Language.SHELL,
    "cmd": Language.SHELL,
    "url": Language.URL,
    "uri": Language.URL,
    "path": Language.PATH,
    "file_path": Language.PATH,
    "filename": Language.PATH,
}
# A tool with one of these arguments beside a path writes the file; without, it reads it.
_CONTENTS = ("content", "contents", "text", "new_string", "new_source", "insert_text", "new_str")
# A tool with both moves or copies a file.
_MOVED: dict[str | int, Language] = {"source": Language.READ_PATH, "destination": Language.PATH}
_SQL_SERVERS = ("postgres", "mysql", "mariadb", "sqlite", "mssql", "oracle", "snowflake", "sql")
_SEPARATOR = "\n"
# In results of Claude Code's own tools: one of a few words each, checked by the client.
_SHAPE_KEYS = frozenset({"type", "status"})


def tool_language(tool: str) -> Language:
    """What a bare text given with a tool's name is written in."""
    arguments = TOOL_ARGUMENTS.get(tool)
    if arguments is not None:
        return arguments[-1][1]
    name = tool.lower()
    if name.startswith("mcp__") and any(server in name for server in _SQL_SERVERS):
        return Language.SQL
    return Language.AUTO


def of_query(
    query: str,
    *,
    tool: str,
    fields: Mapping[str, Any],
    inherited: Mapping[str, Written] = MappingProxyType({}),
) -> Operation:
    """The operation of a pre-check: one text. For `inherited` see `Operation`."""
    part = Part(start=0, end=len(query), language=tool_language(tool))
    return Operation(text=query, tool=tool, parts=(part,), fields=fields, inherited=inherited)


def of_tool_input(
    tool: str,
    tool_input: Any,
    *,
    fields: Mapping[str, Any],
    inherited: Mapping[str, Written] = MappingProxyType({}),
) -> Operation:
    """The operation of a tool call that is about to happen. For `inherited` see `Operation`."""
    arguments = TOOL_ARGUMENTS.get(tool)
    strings: Iterator[tuple[Path, str, Language]]
    if arguments is not None and isinstance(tool_input, Mapping):
        strings = (
            ((*path, *inner), text, language)
            for name, language in arguments
            if name in tool_input
            for path in ((name,),)
            for inner, text in leaves(tool_input[name])
        )
    else:
        server_is_sql = tool_language(tool) == Language.SQL
        writes = isinstance(tool_input, Mapping) and any(name in tool_input for name in _CONTENTS)
        moves = isinstance(tool_input, Mapping) and _MOVED.keys() <= tool_input.keys()
        strings = (
            (
                path,
                text,
                _MOVED[path[0]]
                if moves and path[0] in _MOVED and len(text.split()) == 1
                else _argument_language(path, server_is_sql=server_is_sql, writes=writes),
            )
            for path, text in leaves(tool_input)
        )
    operation = _operation(strings, tool=tool, phase=Phase.BEFORE, fields=fields)
    return replace(operation, inherited=inherited)


def of_tool_result(
    tool: str, result: Any, *, fields: Mapping[str, Any], keep_shape: bool = False
) -> Operation:
    """The operation of a result that the model is about to see.

    `keep_shape` leaves out what may not be replaced by another text: numbers and the words that
    say which shape it is.
    """
    strings = ((path, text, Language.TEXT) for path, text in leaves(result, keep_shape=keep_shape))
    return _operation(strings, tool=tool, phase=Phase.AFTER, fields=fields)


def of_json(value: Any) -> Operation:
    """Any object as texts: to find what must not be stored in it."""
    strings = ((path, text, Language.TEXT) for path, text in leaves(value))
    return _operation(strings, tool="", phase=Phase.AFTER, fields={})


def written_back(value: Any, replaced: Mapping[Path, str]) -> Any:
    """A copy of `value` with the strings at those paths replaced; nothing else differs."""
    if () in replaced:
        return replaced[()]
    result = copy.deepcopy(value)
    for path, text in replaced.items():
        node = result
        for key in path[:-1]:
            node = node[key]
        node[path[-1]] = text
    return result


def _operation(
    strings: Iterator[tuple[Path, str, Language]],
    *,
    tool: str,
    phase: Phase,
    fields: Mapping[str, Any],
) -> Operation:
    texts: list[str] = []
    parts: list[Part] = []
    position = 0
    for path, text, language in strings:
        parts.append(Part(start=position, end=position + len(text), path=path, language=language))
        texts.append(text)
        position += len(text) + len(_SEPARATOR)
    return Operation(
        text=_SEPARATOR.join(texts), tool=tool, phase=phase, parts=tuple(parts), fields=fields
    )


def leaves(value: Any, path: Path = (), *, keep_shape: bool = False) -> Iterator[tuple[Path, str]]:
    """Every string (and number: a card number may come as one) with its path."""
    if isinstance(value, str):
        if value:
            yield path, value
    elif isinstance(value, Mapping):
        for key, item in value.items():
            if not (keep_shape and key in _SHAPE_KEYS):
                yield from leaves(item, (*path, key), keep_shape=keep_shape)
    elif isinstance(value, Sequence):
        for index, item in enumerate(value):
            yield from leaves(item, (*path, index), keep_shape=keep_shape)
    elif isinstance(value, int | float) and not isinstance(value, bool) and not keep_shape:
        yield path, str(value)


def _argument_language(path: Path, *, server_is_sql: bool, writes: bool) -> Language:
    name = next((key for key in reversed(path) if isinstance(key, str)), "").lower()
    if server_is_sql and name == "query":
        return Language.SQL
    language = _ARGUMENT_LANGUAGES.get(name, Language.AUTO)
    return Language.READ_PATH if language == Language.PATH and not writes else language
