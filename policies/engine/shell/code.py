"""Light reading of one-liners in other languages: the commands, deletes and SQL inside them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice

MAX_CODE = 20_000  # characters of a program that are read
MAX_CALLS = 100  # of one program

_EXECUTES = (
    r"(?:os\.system|os\.popen|subprocess\.\w+|\bpopen|\bsystem|\bshell_exec|\bpassthru|\bproc_open|\bexec[lv]?p?e?"
    r"|\bexecSync|\bexecFileSync|\bexecFile|\bspawnSync|\bspawn|\bgetoutput|\bgetstatusoutput|\bcheck_output"
    r"|\bcheck_call|\.run|\.call|\.Popen|\bpty\.spawn|\bos\.exec\w+|do\s+shell\s+script|\(?shell-command|\bIO\.popen|\bOpen3\.\w+|\$\$?|\bsh)"
)
_LITERAL = r"""(?P<quote>"{3}|'{3}|["'`])(?P<text>(?:\\.|(?!(?P=quote)).){0,4000})(?P=quote)"""
_CALL = re.compile(rf"(?:{_EXECUTES})\s*\(?\s*[rbuf]?{_LITERAL}", re.DOTALL)
_LIST = re.compile(
    r"""(?:subprocess\.\w+|\.(?:run|call|Popen)|spawnSync|spawn|execFileSync|execFile|check_output|check_call|execvp?e?|system|exec)\s*\(\s*(?:["'][\w/.-]+["']\s*,\s*)?\[(?P<items>[^\]]{1,2000})\]"""
)
_ARGV = re.compile(
    r"""\b(?:system|exec|execlp?|spawn)\s*\(?\s*(?P<items>["'][^"']{1,80}["']\s*(?:,\s*["'][^"']{0,200}["']\s*){1,20})"""
)
_ITEM = re.compile(r"""["']([^"']{0,400})["']""")
_BACKTICK = re.compile(
    r"`([^`]{1,2000})`|%x[({\[|]([^)}\]|]{1,2000})[)}\]|]|\bqx[({\[/|]([^)}\]/|]{1,2000})[)}\]/|]"
)
_DELETE = re.compile(
    r"""(?:rmtree|rmSync|rm_rf|rm_r\b|remove_dir_all|rimraf(?:\.sync)?|remove_entry_secure|rmdirSync|rm_tree|deltree|rmdir_r|fs\.rm|removeSync|remove_tree)\s*\(?\s*(?:path\.expanduser\(|os\.path\.expanduser\(|Path\()?\s*["'](?P<path>[^"']{1,400})["']"""
)
_DELETE_UNKNOWN = re.compile(
    r"(?:rmtree|rm_rf|rmSync)\s*\(\s*(?:Path\.home\(\)|os\.environ\[?.?['\"]HOME|os\.path\.expanduser\(['\"]~['\"]\)|os\.homedir\(\)|process\.env\.HOME|ENV\[?.?['\"]HOME|Dir\.home)"
)
_SQL = re.compile(
    rf"\.(?:execute|executescript|executemany|query|raw|exec|run)\s*\(\s*[rf]?{_LITERAL}", re.DOTALL
)
_DECODED = re.compile(
    r"""(?:b64decode|fromhex|atob|decode_base64|unhexlify|base64_decode)\s*\(\s*b?["'](?P<data>[A-Za-z0-9+/=_\-\s]{8,20000})["']"""
    r"""|Buffer\.from\(\s*["'](?P<buffer>[A-Za-z0-9+/=]{8,20000})["']\s*,\s*["']base64"""
)
_RUNS_DATA = re.compile(
    r"\b(?:exec|eval|system|popen|execSync|spawn|run|call|Popen|compile|Function|loads)\b"
)
_FETCH = re.compile(
    r"(?:urlopen|requests\.get|urllib\.request|https?\.get|fetch\(|open-uri|URI\.open|LWP::|HTTP::Tiny"
    r"|file_get_contents\(\s*['\"]https?|curl_exec|Net::HTTP|httpx\.get|axios|\bget\s*\(?\s*['\"]https?:|(?:include|require)\s*\(?['\"]https?:)"
)
_RUNS_FETCHED = re.compile(
    r"\b(?:exec|eval|system|os\.system|execSync|Function|instance_eval|class_eval|load|loads|vm\.run\w+)\b\s*[\(\"'`]"
    r"|\beval\b|(?:include|require)\s*\(?['\"]https?:|\bdo\s+shell\b"
)
_SENDS = re.compile(
    r"(?:urlopen|requests\.(?:post|put|get|request)|http\.client|HTTPConnection|httpx\.|axios|fetch\(|Net::HTTP|LWP::|HTTP::Tiny"
    r"|curl_exec|socket\.|TCPSocket|fsockopen|smtplib|ftplib|paramiko|https?\.request)"
)
_SOCKET = re.compile(
    r"(?i)(?:socket\.socket|\bsocket\s*[(.]|TCPSocket|TCPServer|net\.(?:connect|Socket|createConnection|createServer)"
    r"|\bp?fsockopen|stream_socket_(?:client|server)|IO::Socket|inet_aton|sockaddr_in|net\.Dial|net\.Listen|Sockets\.TcpClient"
    r"|/inet/(?:tcp|udp)|create_connection|\[\s*socket\s|TcpStream|TcpListener|new\s+Socket\(|ServerSocket|gen_tcp|Socket\.connect"
    r"|socket\.tcp|require\W{0,3}socket|s\.socket\(\)|import\s+socket|netcat|asyncio\.open_connection)"
)
_CONNECTS = re.compile(
    r"(?i)(?:connect|\.accept\(|\baccept\(|listen|fsockopen|TCPSocket|dial|/inet/|\[\s*socket\s|TcpClient|stream_socket|IO::Socket|new\s+Socket\("
    r"|TcpStream|gen_tcp|pty\.spawn|dup2)"
)
_SHELL_OF_IT = re.compile(
    r"(?:dup2|pty\.spawn|/bin/(?:ba|z|da|k|tc|c)?sh\b|[\"'`\s](?:ba|z|da|k)?sh(?:[\"'`]|\s+-i|\s*[<>]&)|cmd(?:\.exe)?[\"']|powershell"
    r"|child_process|<&3|proc_open|popen\w*\W{1,3}[a-z_$]\w*\s*[,)]|shell\s*=\s*True|STDIN->fdopen|\bsystem\s*\$_|exec\s+\$"
    r"|exec\s*\(?\$_|IO\.popen|\|&\s*getline|Process\.(?:start|run)|ProcessBuilder|Command::new|exec\.Command|getRuntime|\[eval\s"
    r"|`\$|\b(?:shell_exec|exec|eval|system|passthru|popen|spawn|qx|subprocess\.\w+)\s*\(?\s*[$@]?[a-z_][\w.>-]*\s*[(),;])"
)
_JOINED = re.compile(r"""(["'])\s*(?:\+|\.\.?|<>)\s*\1""")
_ALIASED = re.compile(rf"\b\w{{1,12}}\(\s*{_LITERAL}", re.DOTALL)
_SWEEP = re.compile(
    r"""(?:rmtree|unlink|remove|rm_rf|rm_r|rmSync|unlinkSync|rmdirSync)\b[^;\n]{0,80}?(?:listdir|glob|walk|readdirSync|iterdir|Dir\.\w+|Dir\[|scandir)\s*[(\[]?\s*["'](?P<path>[^"']{1,200})["']"""
    r"""|(?:listdir|glob|walk|readdirSync|iterdir|scandir)\s*\(\s*["'](?P<other>[^"']{1,200})["'][^;\n]{0,80}(?:rmtree|unlink|remove|rm_rf|rmSync)"""
)
_OPEN_WRITE = re.compile(
    r"""(?:\bopen|writeFileSync|writeFile|appendFileSync|File\.write|file_put_contents)\s*\(\s*["'](?P<path>[^"']{1,300})["']\s*,\s*["'](?P<mode>[^"']{0,200})["']"""
)
_OPEN_READ = re.compile(
    r"""(?:\bopen|readFileSync|readFile|File\.read|file_get_contents|read_text|Path)\s*\(\s*["'](?P<path>[^"']{1,300})["']"""
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Something in a program: `kind` is shell, sql, delete, write, read, fetch, sends, socket, "
    "data."""

    kind: str
    text: str
    start: int
    end: int
    whole: bool = False  # the text stands as it is at [start, end)


def read_code(code: str) -> Iterator[Found]:
    """What a program does to the outside, as far as its literals tell."""
    code = code[:MAX_CODE]
    folded = _JOINED.sub("", code)
    if folded != code:  # strings put together: what they make is placed over the whole program
        for found in islice(_literals(folded), MAX_CALLS):
            yield Found(kind=found.kind, text=found.text, start=0, end=len(code))
    for count, found in enumerate(_literals(code)):
        if count >= MAX_CALLS:
            return
        yield found
    if _SOCKET.search(code) and _CONNECTS.search(code) and _SHELL_OF_IT.search(code):
        yield Found(kind="socket", text="", start=0, end=len(code))
    if _FETCH.search(code) and _RUNS_FETCHED.search(code):
        yield Found(kind="fetch", text="", start=0, end=len(code))
    if _SENDS.search(code):
        yield Found(kind="sends", text="", start=0, end=len(code))


def _literals(code: str) -> Iterator[Found]:
    said = [found.span(1) for found in islice(_SAID.finditer(code), MAX_CALLS)]
    for item in islice(chain(_commands(code), _files(code)), MAX_CALLS * 2):
        if not any(start <= item.start and item.end <= end for start, end in said):
            yield item
    if _RUNS_DATA.search(code):
        for found in _DECODED.finditer(code):
            data = found.group("data") or found.group("buffer")
            yield Found(kind="data", text=data, start=found.start(), end=found.end())


# Strings that a program only prints or measures: what stands in them is no code.
_SAID = re.compile(
    r"""\b(?:print|println|console\.log|puts|len|logging\.\w+|logger\.\w+|echo)\s*\(?\s*[rbf]?("(?:[^"\\\n]|\\.){0,2000}"|'(?:[^'\\\n]|\\.){0,2000}')"""
)


def _commands(code: str) -> Iterator[Found]:
    for found in _CALL.finditer(code):
        start, end = found.span("text")
        yield Found(kind="shell", text=found.group("text"), start=start, end=end, whole=True)
    for pattern in (_LIST, _ARGV):
        for found in pattern.finditer(code):
            items = _ITEM.findall(found.group("items"))
            words = " ".join(f"'{item}'" for item in items)
            yield Found(kind="shell", text=words, start=found.start(), end=found.end())
    for found in _BACKTICK.finditer(code):
        group = found.lastindex or 1
        start, end = found.span(group)
        yield Found(kind="shell", text=found.group(group), start=start, end=end, whole=True)
    if "child_process" in code or "getattr" in code or "__import__" in code:
        for found in _ALIASED.finditer(code):
            start, end = found.span("text")
            yield Found(kind="shell", text=found.group("text"), start=start, end=end, whole=True)
    for found in _SQL.finditer(code):
        start, end = found.span("text")
        yield Found(kind="sql", text=found.group("text"), start=start, end=end, whole=True)


def _files(code: str) -> Iterator[Found]:
    for found in _DELETE.finditer(code):
        yield Found(kind="delete", text=found.group("path"), start=found.start(), end=found.end())
    for found in _DELETE_UNKNOWN.finditer(code):
        yield Found(kind="delete", text="~", start=found.start(), end=found.end())
    for found in _SWEEP.finditer(code):
        path = found.group("path") or found.group("other")
        yield Found(kind="delete", text=path, start=found.start(), end=found.end())
    for found in _OPEN_WRITE.finditer(code):
        if re.match(r"[wax]", found.group("mode")) or "write" in found.group().lower():
            yield Found(
                kind="write", text=found.group("path"), start=found.start(), end=found.end()
            )
    for found in _OPEN_READ.finditer(code):
        yield Found(kind="read", text=found.group("path"), start=found.start(), end=found.end())


_SED_RUNS = re.compile(r"\s*(?:\d+|\$|/[^/]{0,200}/)?\s*e\s*(?P<command>.*)$")
_SED_SUBSTITUTES = re.compile(
    r"\s*(?:\d+|\$|/[^/]{0,200}/)?\s*s(?P<mark>[/|,#:!])(?:\\.|(?!(?P=mark)).)*(?P=mark)"
    r"(?P<new>(?:\\.|(?!(?P=mark)).)*)(?P=mark)[gpiI\d]*e"
)
MAX_SED = 10  # commands of a sed script that are looked at


def sed_command(script: str) -> str | None:
    """The command that a sed script runs: its text, blank for an unknown one, None for none."""
    at = 0
    for _ in range(MAX_SED):
        found = _SED_RUNS.match(script, at)
        if found:
            return found.group("command")
        found = _SED_SUBSTITUTES.match(script, at)
        if found:
            return found.group("new")
        at = script.find(";", at) + 1
        if not at:
            return None
    return None
