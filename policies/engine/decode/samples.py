"""What decoded views must bring to light, and what must pass: checked by the tests, row by row."""

from __future__ import annotations

import base64
import html
import json
from dataclasses import dataclass
from urllib.parse import quote

from policies.engine.operation import Language


@dataclass(frozen=True, slots=True, kw_only=True)
class Sample:
    """A text, and the finding it must lead to: kind, layer and the stretch that is marked.

    `kind` blank: there must be none. `layer` None: any, as a family may see through it too.
    `facts` are the facts `text.*` that it must have, and no others.
    """

    name: str
    text: str
    language: Language = Language.AUTO
    kind: str = ""
    layer: str | None = ""
    covers: str = ""
    facts: tuple[tuple[str, tuple[str, ...]], ...] = ()


HARM = "rm -rf /srv/data"
DROP = "DROP TABLE invoices"
SPLICE = "x' OR '1'='1"
SSN = "536-22-8726"
PERSON = f"her SSN is {SSN}."


def _base64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _percent(text: str) -> str:
    return "".join(f"%{octet:02X}" for octet in text.encode())


def _entities(text: str) -> str:
    return "".join(f"&#x{ord(character):x};" for character in text)


def _letters(text: str) -> str:
    return "".join(f"\\u{ord(character):04x}" for character in text)


def _wide(text: str) -> str:
    return "".join(chr(ord(c) + 0xFEE0) if "!" <= c <= "~" else c for c in text)


def _tags(text: str) -> str:
    return "".join(chr(0xE0000 + ord(character)) for character in text)


def _selectors(text: str) -> str:
    return "".join(chr(0xE0100 + ord(character) - 16) for character in text)


def _hit(
    name: str,
    text: str,
    kind: str,
    layer: str | None,
    covers: str = "",
    language: Language = Language.AUTO,
    **facts: str,
) -> Sample:
    return Sample(
        name=name,
        text=text,
        language=language,
        kind=kind,
        layer=layer,
        covers=covers or text,
        facts=tuple((f"text.{fact}", tuple(values.split())) for fact, values in facts.items()),
    )


def _miss(name: str, text: str, language: Language = Language.AUTO) -> Sample:
    return Sample(name=name, text=text, language=language)


_SECRET = f"apiVersion: v1\nkind: Secret\ndata:\n  note: {_base64(PERSON)}\n  size: bWVkaXVt\n"
_ARGUMENTS = json.dumps({"arguments": json.dumps({"command": HARM})})
_SSN_GROUPS = _base64(PERSON)[12:32]  # the groups of four that hold the number

HITS = (
    _hit("Cyrillic rm", "rм -rf /srv/data", "shell.dangerous", None,
         language=Language.SHELL, homoglyph="rm"),
    _hit("whole word imitated", "гм -rf /srv/data", "shell.dangerous", None,
         language=Language.SHELL, homoglyph="rm"),
    _hit("Greek omicron", "DRΟP TABLE invoices", "sql.destructive", "unicode",
         language=Language.SQL, homoglyph="DROP"),
    _hit("full width", _wide(DROP), "sql.destructive", "unicode", language=Language.SQL),
    _hit("full width splice", _wide(SPLICE), "sql.injection", None, covers=_wide("'")),
    _hit("zero width", "r\u200bm -r\u2060f /srv/data", "shell.dangerous", None,
         language=Language.SHELL, hidden="zero-width"),
    _hit("override", "rm\u202e -rf /srv/data", "shell.dangerous", None,
         language=Language.SHELL, hidden="bidi"),
    _hit("tags", "Thanks 👍" + _tags(HARM), "shell.dangerous", "invisible characters",
         covers=_tags(HARM), language=Language.TEXT, hidden="tag"),
    _hit("selectors", "Thanks 👍" + _selectors(HARM), "shell.dangerous", "invisible characters",
         covers=_selectors(HARM), language=Language.TEXT, hidden="selector"),
    _hit("hidden in a number", "her SSN is 536-2\u200b2-8726.", "pii.ssn", "unicode",
         covers="536-2\u200b2-8726", language=Language.TEXT, hidden="zero-width"),
    _hit("percent", _percent(HARM), "shell.dangerous", "url"),
    _hit("percent twice", quote(_percent(HARM)), "shell.dangerous", "url > url"),
    _hit("percent u", "x%u0027 OR %u00271%u0027=%u00271", "sql.injection", "url", covers="OR"),
    _hit("blanks of a form", "5'+union+select+a,b+from+t+--+x", "sql.injection", "form",
         covers="union+select"),
    _hit("form in full width", "５％２７＋ｕｎｉｏｎ＋ｓｅｌｅｃｔ＋ａ，ｂ＋ｆｒｏｍ＋ｔ",
         "sql.injection", "unicode > url+form", covers="ｕｎｉｏｎ＋ｓｅｌｅｃｔ"),
    _hit("quote in two bytes", "x%C0%A7 union select a, b from t--", "sql.injection", None,
         covers="union select"),
    _hit("struck out", "".join(f"{c}\u0336" for c in DROP), "sql.destructive", "unicode",
         covers="D\u0336R\u0336O", language=Language.SQL),
    _hit("piped in a script",
         f"#!/bin/sh\necho {_base64(PERSON)} | base64 -d > note.txt\n", "pii.ssn", "base64",
         covers=_SSN_GROUPS, language=Language.TEXT),
    _hit("PowerShell in a script",
         f"powershell -NoProfile -enc {base64.b64encode(PERSON.encode('utf-16-le')).decode()}",
         "pii.ssn", "base64", language=Language.TEXT,
         covers=base64.b64encode(PERSON.encode("utf-16-le")).decode()[28:52]),
    _hit("stray percent", "1' %u%n%i%o%n %s%e%l%e%c%t a, b %f%r%o%m t--", "sql.injection", "asp",
         covers="u%n%i%o%n"),
    _hit("percent in a text", f"q=her%20SSN%20is%20{_percent(SSN)}.", "pii.ssn", "url",
         covers=_percent(SSN), language=Language.TEXT),
    _hit("cookie of a command",
         "curl -b 'sid=1; id=1%27%20UNION%20SELECT%2071%2C72--%20a' https://shop.test/",
         "sql.injection", None, covers="UNION", language=Language.SHELL),
    _hit("entities", _entities(DROP), "sql.destructive", "html"),
    _hit("entities in percent", _percent(_entities(DROP)), "sql.destructive", "url > html"),
    _hit("config map", f"kind: ConfigMap\ndata:\n  note: {_base64(PERSON)}\n", "pii.ssn", "base64",
         covers=_base64(PERSON), language=Language.TEXT),
    _hit("base64 in prose", f"her note: {_base64(PERSON)}.", "pii.ssn", "base64",
         covers=_base64(PERSON), language=Language.TEXT),
    _hit("wrapped base64", f"note\n{_base64('.' * 45 + PERSON)[:60]}\n"
         f"{_base64('.' * 45 + PERSON)[60:]}\nend", "pii.ssn", "base64", language=Language.TEXT,
         covers=_base64(PERSON)),
    _hit("base64 in a command", f"curl -d {_base64(PERSON)} https://x.test/", "pii.ssn", "base64",
         covers=_base64(PERSON), language=Language.SHELL),
    _hit("value of base64", _base64(SPLICE), "sql.injection", "base64", covers=_base64(SPLICE)[8:]),
    _hit("command of base64", f" {_base64(HARM)}\n", "shell.dangerous", "base64",
         covers=_base64(HARM)[:8]),
    _hit("JSON in prose", f'run this: {{"cmd": "{HARM}"}}', "shell.dangerous", "json", covers=HARM),
    _hit("literal in prose", f"run this: {{'a': 1, 'cmd': '{HARM}'}}", "shell.dangerous", "json",
         covers=HARM),
    _hit("statement in prose", f'please run {{"sql": "{DROP}"}} now', "sql.destructive", "json",
         covers=DROP),
    _hit("letters in prose", f'run {{"cmd": "{_letters(HARM)}"}}', "shell.dangerous", "json",
         covers=_letters(HARM)),
    _hit("letters of JSON", f'{{"note": "{_letters(PERSON)}"}}', "pii.ssn", "json",
         covers=_letters(SSN), language=Language.TEXT),
    _hit("command in JSON", json.dumps({"command": HARM}), "shell.dangerous", "json", HARM),
    _hit("command of letters", f'{{"command": "{_letters(HARM)}"}}', "shell.dangerous",
         "json", covers=_letters(HARM)),
    _hit("JSON in JSON", _ARGUMENTS, "shell.dangerous", "json > json", covers=HARM),
    _hit("Basic", f"Authorization: Basic {_base64(f'jane:{PERSON}')}", "pii.ssn", "base64",
         language=Language.TEXT),
    _hit("data URL", f"see data:text/plain;base64,{_base64(PERSON)} there", "pii.ssn", "data url",
         covers=_SSN_GROUPS, language=Language.TEXT),
    _hit("Kubernetes", _SECRET, "pii.ssn", "kubernetes secret", covers=_SSN_GROUPS,
         language=Language.TEXT),
    _hit("Kubernetes in JSON",
         json.dumps({"kind": "Secret", "data": {"password": _base64("vT9kq2LmZ8pQw4")}}),
         "secret.password_assignment", "", covers=_base64("vT9kq2LmZ8pQw4"),
         language=Language.TEXT),
    _hit("b64decode", f"x = base64.b64decode('{_base64(PERSON)}')", "pii.ssn", "base64",
         covers=_SSN_GROUPS, language=Language.TEXT),
    _hit("atob, run", f"eval(atob('{_base64(DROP)}'))", "sql.destructive", "base64"),
    _hit("fromhex", f"bytes.fromhex('{PERSON.encode().hex()}')", "pii.ssn", "hex",
         covers=SSN.encode().hex(), language=Language.TEXT),
    _hit("mail", "Content-Transfer-Encoding: quoted-printable\n\nSSN 536=2D22=2D=\n8726.",
         "pii.ssn", "mail", covers="536=2D22=2D=\n8726", language=Language.TEXT),
)  # fmt: skip

MISSES = (
    _miss("Russian", "Привет! Удали старые файлы, пожалуйста: rm здесь не нужен."),
    _miss("Russian message", "git commit -m 'Исправить опечатку в README'", Language.SHELL),
    _miss("short Russian", "echo Нет > ответ.txt", Language.SHELL),
    _miss("Russian endings", "SQLа и CSSа в PDFе не было, PDFы есть"),
    _miss("Greek", "Καλημέρα κόσμε, τι κάνεις σήμερα;"),
    _miss("units", "5 μm ± 2 kΩ, Δt = 3 μs, TNFα and IFNγ"),
    _miss("Arabic with marks", "مرحبا بالعالم \u200f(v1.2)\u200f مع English\u200e."),
    _miss("isolates in Hebrew", "שלום \u2067README.md\u2069 עולם"),
    _miss("Persian joiner", "می\u200cخواهم این را ببینم"),
    _miss("Hindi joiner", "नमस्ते दुनिया क्\u200dष"),
    _miss("Thai breaks", "สวัสดี\u200bครับ\u200bทุกคน"),
    _miss("emoji", "👨\u200d👩\u200d👧 and 🏳️\u200d🌈 flag, 👩🏽\u200d💻 dev, 1️⃣ ✔️"),
    _miss("flag in tags", "🏴\U000e0067\U000e0062\U000e0065\U000e006e\U000e0067\U000e007f goal"),
    _miss("Japanese", "全角テスト：２０２６年１１月、お願いします（確認）ｅ－ｍａｉｌ"),
    _miss("byte order mark", "\ufeffname,value\na,1\n"),
    _miss("soft hyphen in prose", "The soft\u00adhyphen of a web page"),
    _miss("styled letters", "𝐇𝐞𝐥𝐥𝐨 𝐰𝐨𝐫𝐥𝐝, Ⓗⓔⓛⓛⓞ"),
    _miss("format of a date", "date +%d%m%y%H", Language.SHELL),
    _miss("search for a command", "curl 'https://x.test/find?q=rm%20-rf%20%2F'", Language.SHELL),
    _miss("encoded semicolon", "curl 'https://x.test/?q=a%3Brm%20-rf%20%2F'", Language.SHELL),
    _miss("sums", "(a)+(b)+cost+tax+2+shipping"),
    _miss("searched words", "https://x.test/?q=select+a+union+from+the+list%21"),
    _miss("pattern of LIKE", "SELECT a FROM t WHERE b LIKE '%27%' AND c = 1", Language.SQL),
    _miss("page", "<p>Tom &amp; Jerry &lt;3 &quot;cheese&quot; &#8212; rm -rf / &hellip;</p>",
          Language.TEXT),
    _miss("query like entities", "a&b&copy=1&lt=2"),
    _miss("harmless arguments", json.dumps({"args": json.dumps({"command": "ls -la"})})),
    _miss("escaped page", '{"html": "\\u003cb\\u003e \\u0026 it\\u0027s"}'),
    _miss("picture", f'<img src="data:image/png;base64,{_base64(PERSON)}">', Language.TEXT),
    _miss("long word", f"integrity: sha512-{_base64(PERSON * 2)}", Language.TEXT),
    _miss("wrapped digest", "integrity sha512-" + _base64(PERSON * 4), Language.TEXT),
    _miss("signed token", f"{_base64(PERSON)}.{_base64(PERSON)}.c2ln", Language.TEXT),
    _miss("path of short words", "/usr/local/lib/python3/site/packages/Users/Data/Text"),
    _miss("names of a program", "readDataFromUserInputStreamAndWrite(UserDataFromFile)"),
    _miss("command in base64 in a text", f"note {_base64(HARM)} end"),
    _miss("harmless base64", _base64("the quick brown fox jumps over the lazy dog")),
    _miss("query in prose", 'a field {"query": "drop by and see us"} of the form'),
    _miss("command for a host", """http POST api.example/run '{"cmd": "rm -rf /"}'"""),
    _miss("command in prose of a file", f'run this: {{"cmd": "{HARM}"}}', Language.TEXT),
    _miss("harmless secret", "kind: Secret\ndata:\n  greeting: aGVsbG8=\n", Language.TEXT),
    _miss("command in a file", f"X = base64.b64decode('{_base64(HARM)}')", Language.TEXT),
    _miss("escaped source", html.escape("if (a < b && c > d) { run('rm'); }"), Language.TEXT),
)  # fmt: skip
