"""What xargs and parallel run, where their input is known: the input put into their command."""

from __future__ import annotations

import shlex
from collections.abc import Sequence

from policies.engine.findings import View
from policies.engine.shell.call import Call, after_options
from policies.engine.shell.calls import PARALLEL_VALUED, XARGS_VALUED
from policies.engine.shell.output import stdin_of
from policies.engine.shell.reader import Reader
from policies.engine.shell.views import made

MAX_ITEMS = 200  # of the input that are put into the command


def filled(view: View, call: Call, reader: Reader | None) -> View | None:
    """The command with its input in its place; None when the text does not tell the input."""
    parallel = call.name == "parallel"
    if reader is None and not parallel:
        return None
    words = call.words[1:]
    at = after_options(words, PARALLEL_VALUED if parallel else XARGS_VALUED)
    template = [word.text for word in words[at:]]
    items: list[str] = []
    marks = [index for index, text in enumerate(template) if text.startswith(":::")]
    if parallel and marks:
        items = [text for text in template[marks[0] + 1 :] if not text.startswith(":::")]
        template = template[: marks[0]]
    elif reader is not None:
        data = stdin_of(call.command, reader.text, reader.shift)
        items = data.decode("utf-8", "replace").split() if data else []
    items = items[:MAX_ITEMS]
    if not items or (not template and not parallel):
        return None
    start = call.command.source[0].start if call.command.source else call.command.start
    end = max(call.command.end, start)
    mark = "{}" if parallel else _replaced([word.text for word in words[:at]])
    layer = call.name
    if not template:
        return made(view, "\n".join(items), start, end, "shell", layer)
    if mark and any(mark in text for text in template):
        line = " ".join(items)
        texts = [text.replace(mark, line) for text in template]
        text = texts[0] if len(texts) == 1 else " ".join(map(shlex.quote, texts))
    elif mark and not parallel:
        text = " ".join(map(shlex.quote, template))
    else:
        text = " ".join(map(shlex.quote, [*template, *items]))
    return made(view, text, start, end, "shell", layer)


def _replaced(options: Sequence[str]) -> str:
    """The mark that xargs replaces by its input; blank when it appends."""
    for option, following in zip(options, [*options[1:], ""], strict=False):
        if option in ("-I", "-J"):
            return following
        if option.startswith(("-I", "-J")):
            return option[2:]
        if option in ("-i", "--replace", "--replace="):
            return "{}"
        if option.startswith("--replace="):
            return option.partition("=")[2]
    return ""
