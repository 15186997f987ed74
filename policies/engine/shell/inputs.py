"""What a program reads, where the text tells it: a here-document, a string, a pipe."""

from __future__ import annotations

from policies.engine.findings import View
from policies.engine.shell.call import Call
from policies.engine.shell.network import upstream
from policies.engine.shell.output import stdin_of
from policies.engine.shell.reader import Reader
from policies.engine.shell.views import joined, made


def given(view: View, call: Call, reader: Reader | None, language: str) -> View | None:
    """The input of `call` as a view; None when it has none, or the text does not tell it."""
    if reader is None:
        return None
    command = call.command
    for redirect in command.redirects:
        if redirect.body:
            return view.part(*redirect.body, language=language, layer="heredoc")
        if redirect.operator == "<<<" and redirect.target is not None:
            return joined(view, [redirect.target], language, "here-string")
        if redirect.operator == "<" and redirect.target is not None and redirect.target.feeds:
            data = stdin_of(command, reader.text, reader.shift)
            if data:
                text = data.decode("utf-8", "replace")
                target = redirect.target
                return made(view, text, target.start, target.end, language, "process")
    source = command.source
    if not source:
        return None
    only = source[0].words if len(source) == 1 else []
    if len(only) == 2 and only[0].text == "echo":
        return joined(view, only[1:], language, "pipe")
    data = stdin_of(command, reader.text, reader.shift)
    if not data:
        return None
    start = min(other.start for other in upstream(source))
    text = data.decode("utf-8", "replace")
    return made(view, text, start, max(start, command.start), language, "pipe")
