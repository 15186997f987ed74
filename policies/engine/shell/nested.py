"""What a program is given to run or to send: nested texts, by the name of the program."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from policies.engine.findings import Report, View
from policies.engine.shell import execution, programs, sent
from policies.engine.shell.call import SHELLS, Call, after_options
from policies.engine.shell.clients import CLIENTS, statements
from policies.engine.shell.filled import filled
from policies.engine.shell.hits import Hit
from policies.engine.shell.inputs import given
from policies.engine.shell.network import DOWNLOADERS
from policies.engine.shell.reader import Reader
from policies.engine.shell.views import made
from policies.engine.shell.windows import read_windows
from policies.engine.shell.written import recipes

Inside = Callable[[View, Call, Reader | None, Report], Iterable[Hit]]

_EDITORS = "vim vi nvim view ex ed rvim gvim less more man ftp"


def _client(view: View, call: Call, reader: Reader | None, report: Report) -> Iterable[Hit]:
    for nested in statements(view, call, reader):
        report.nest(nested)
    return _program(view, call, reader, report) if call.name in programs.CODE_FLAGS else ()


def _program(view: View, call: Call, reader: Reader | None, report: Report) -> Iterator[Hit]:
    for program in programs.programs(view, call, reader):
        yield from programs.read_program(program, call, report)


def _input(view: View, call: Call, reader: Reader | None, report: Report) -> Iterable[Hit]:
    """A shell without arguments, at and batch: they run what they read."""
    if call.name not in SHELLS or all(text.startswith("-") for text in call.arguments):
        data = given(view, call, reader, "shell")
        if data is not None:
            report.nest(data)
    return ()


def _filled(view: View, call: Call, reader: Reader | None, report: Report) -> Iterable[Hit]:
    line = filled(view, call, reader)
    if line is not None:
        report.nest(line)
    return ()


def _awk(view: View, call: Call, reader: Reader | None, report: Report) -> Iterable[Hit]:
    return programs.awk(view, call, report)


def _sed(view: View, call: Call, reader: Reader | None, report: Report) -> Iterable[Hit]:
    programs.sed(view, call, report)
    return ()


def _sent(view: View, call: Call, reader: Reader | None, report: Report) -> Iterable[Hit]:
    for nested in sent.values(view, call, reader):
        report.nest(nested)
    return ()


def _powershell(view: View, call: Call, reader: Reader | None, report: Report) -> Iterable[Hit]:
    return programs.powershell(view, call, reader, report)


def _prompt(view: View, call: Call, reader: Reader | None, report: Report) -> Iterable[Hit]:
    return programs.command_prompt(view, call, report)


def _editor(view: View, call: Call, reader: Reader | None, report: Report) -> Iterable[Hit]:
    programs.editor(view, call, reader, report)
    return ()


def _make(view: View, call: Call, reader: Reader | None, report: Report) -> Iterable[Hit]:
    """A Makefile that make reads from its input."""
    arguments = call.arguments
    if "-f" in arguments and "-" in arguments[arguments.index("-f") :]:
        data = given(view, call, reader, "shell")
        start, end = call.command.start, call.command.end
        for line in recipes(data.text) if data is not None else ():
            report.nest(made(view, line, start, end, "shell", "make recipe"))
    return ()


def _far_shell(view: View, call: Call, reader: Reader | None, report: Report) -> Iterable[Hit]:
    """ssh and su without a command, or with a shell as one: their input is run there."""
    words = call.words[1 + after_options(call.words[1:], _SSH_VALUED) :]
    rest = [word.text for word in words[1:]]
    if call.name == "su":
        rest = [] if "-c" not in call.arguments else ["-c"]
    if rest and not (rest[0] in SHELLS and all(text.startswith("-") for text in rest[1:])):
        return ()
    data = given(view, call, reader, "shell")
    if data is not None:
        report.nest(data)
        return ()
    return execution.fed(call) if call.command.source else ()


# Programs of Windows whose arguments (backslashes and all) are read as they stand.
_WINDOWS = (
    "certutil",
    "bitsadmin",
    "mshta",
    "regsvr32",
    "rundll32",
    "wmic",
    "msiexec",
    "reg",
    "schtasks",
    "sc",
    "net",
    "netsh",
    "vssadmin",
    "wbadmin",
    "bcdedit",
    "ntdsutil",
    "cipher",
    "fsutil",
    "takeown",
    "icacls",
    "wevtutil",
    "format",
    "diskpart",
    "del",
    "rd",
    "erase",
    "rmdir",
)
MAX_WINDOWS = 500  # characters of such a command


def _windows(view: View, call: Call, reader: Reader | None, report: Report) -> Iterable[Hit]:
    start = call.command.start
    return read_windows(view.text[start : min(call.command.end + 1, start + MAX_WINDOWS)])


_SSH_VALUED = ("-p", "-i", "-l", "-o", "-F", "-J", "-L", "-R", "-D", "-b", "-c", "-e", "-m", "-E")

INSIDE: dict[str, Inside] = {
    **dict.fromkeys(programs.CODE_FLAGS, _program),
    **dict.fromkeys(CLIENTS, _client),
    **dict.fromkeys(SHELLS, _input),
    **dict.fromkeys(("at", "batch"), _input),
    **dict.fromkeys(("xargs", "gxargs", "parallel"), _filled),
    **dict.fromkeys(programs.AWK, _awk),
    **dict.fromkeys(("sed", "gsed"), _sed),
    **dict.fromkeys(DOWNLOADERS, _sent),
    **dict.fromkeys(("powershell", "pwsh"), _powershell),
    "cmd": _prompt,
    **dict.fromkeys(_WINDOWS, _windows),
    **dict.fromkeys(_EDITORS.split(), _editor),
    **dict.fromkeys(("make", "gmake"), _make),
    **dict.fromkeys(("ssh", "su"), _far_shell),
}
