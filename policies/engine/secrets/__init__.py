"""Secrets: what issuers made recognisable, what structure shows, what a name says."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from policies.engine.family import Sign
from policies.engine.findings import Report, View
from policies.engine.pii.shapes import words
from policies.engine.rules import Rule
from policies.engine.secrets import assignments, commands, structures
from policies.engine.secrets.providers import SHAPE_SIGNS, SHAPES
from policies.engine.secrets.rules import RULES
from policies.engine.secrets.scan import Scan
from policies.engine.secrets.shape import Shape
from policies.engine.secrets.strength import is_filler

_SIGNS = (
    Sign(name="private_key", pattern=r"private key(?: block)?-----|private-lines:"),
    Sign(name="jwt", pattern=r"eyj[\w-]{8,}\.eyj"),
    Sign(name="url", pattern=r"://[^\s/:@]{0,128}:[^\s/@]{1,256}@"),
    Sign(name="key_in_base64", pattern=r"ls0tls1crudjti"),
    Sign(
        name="header", pattern=r"bearer\s|basic\s|\"_?auth\\?\"\s{0,4}:|authorization|_auth\s{0,4}="
    ),
    Sign(name="signature", pattern=r"[?&;]sig=[a-z0-9%+/=]{40}"),
    Sign(name="pgpass", pattern=r":(?:5432|5433|6432|\*):[^\s:]{1,64}:[^\s:]{1,64}:\S"),
    Sign(
        name="word",
        pattern=(
            r"passw|passphrase|passcode|pwd|secret|token|credential|requirepass|masterauth|\bpsk\b"
            r"|\bpw\b|[a-z]pw\b|[a-z][ _-]?key|[_a-z]pass\b"
            r"|\bpass[\"'`\])\\]{0,3}\s{0,8}[:=]|[_-]auth\b"
            r"|kennwort|contrase|senha|haslo|wachtwoord|parola|heslo|jelsz|mot[ _]?de[ _]?passe"
            # In Cyrillic, Polish, Swedish, Chinese, Japanese, Korean and Devanagari.
            r"|\xd0\xb0\xd1\x80\xd0\xbe\xd0\xbb\xd1\x8c|has\xc5\x82o|l\xc3\xb6senord"
            r"|\xe5\xaf\x86\xe7[\xa0\xa2][\x81\xbc]|\xe3\x83\x91\xe3\x82\xb9\xe3\x83\xaf"
            r"|\xeb\xb9\x84\xeb\xb0\x80|\xe0\xa4\xaa\xe0\xa4\xbe\xe0\xa4\xb8\xe0\xa4\xb5"
        ),
    ),
    Sign(
        name="command",
        pattern=(
            r"\s-u ?[\"']?[^\s:\"'/@]{1,64}:\S|\s--user[ =]|\s--auth[ =]"
            r"|\s-h?[aknpwx]\s?[\"']?\S{3}|\s-pw\s|\s--pass[ =]|\s/r?p[: ]|\bpass:\S"
            r"|chpasswd|rabbitmqctl|htpasswd|sshpass|sqlplus"
            r"|\s-u ?[\"']?[^\s%,\"']{1,64}[%,]\S"
            r"|passwd\s|\bnet\s{1,4}user?\s|\brman\s|\b(?:exp|imp)dp\s|wpa_passphrase\s|\s-auth\s"
            r"|secret set|secret create|secret put|gcloud secrets|--secret-string|securestring"
            r"|keyvault|encrypt_string|mysqladmin"
        ),
    ),
    Sign(
        name="piped",
        pattern=(
            r"\|[^|\n]{0,200}(?:chpasswd|--password-stdin|passwd|sudo|kinit|secrets? |login|vault"
            r"|cryptsetup|keyvault)|<<<"
        ),
    ),
    Sign(
        name="sign_in",
        pattern=(
            r"(?:creds|credentials?|login|user/pass|username/password|log in with)"
            r"[^\n]{1,80}?[:/] ?[\"'`]?[^\s\"'`/]{8}"
        ),
    ),
    Sign(name="statement", pattern=r"identified\s|machine\s"),
    Sign(
        name="call",
        pattern=(
            r"(?:getconnection|mysqli(?:_connect)?|mysql_connect|pdo|sequelize|auth|\.login"
            r"|credentials?|auth\s?=\s?)\("
        ),
    ),
    Sign(name="account", pattern=r"\bac[0-9a-f]{32}"),
)


_BY_SIGN = {sign.name: shape for sign, shape in zip(SHAPE_SIGNS, SHAPES, strict=True)}
# What runs when one of its signs is there. The more telling a rule, the earlier: the first to
# claim a stretch names it.
_DETECTORS: tuple[tuple[frozenset[str], Callable[[Scan], None]], ...] = tuple(
    (words(signs), find)
    for signs, find in (
        ("jwt", structures.find_jwts),
        ("url", structures.find_url_passwords),
        ("header", structures.find_headers),
        ("key_in_base64", structures.find_keys_in_base64),
        ("signature", structures.find_signatures),
        ("pgpass", structures.find_pgpass),
        ("statement word", commands.find_in_statements),
        ("word", assignments.find_named),
        ("command", commands.find_in_commands),
        ("piped", commands.find_piped),
        ("sign_in", commands.find_sign_ins),
        ("call", commands.find_in_calls),
        ("shape.0", commands.find_access_pairs),
        ("account", commands.find_account_pairs),
    )
)


class Secrets:
    """Findings `secret.<kind>`: the span is the secret value alone, every occurrence."""

    name = "secrets"
    rules: Sequence[Rule] = RULES
    signs: Sequence[Sign] = (*_SIGNS, *commands.SIGNS, *SHAPE_SIGNS)

    def examine(self, view: View, signs: frozenset[str], report: Report) -> None:
        """Report the secrets in `view`; see `Family.examine`."""
        if not signs:
            return
        scan = Scan(view, report, signs)
        if "private_key" in signs:
            structures.find_private_keys(scan)
        for sign, shape in _BY_SIGN.items():
            if sign in signs:
                _find_shape(scan, shape)
        for calling, find in _DETECTORS:
            if not signs.isdisjoint(calling):
                find(scan)


def _find_shape(scan: Scan, shape: Shape) -> None:
    for match in shape.pattern.finditer(scan.text):
        start, end = match.start() - shape.before, match.end()
        if scan.begins_word(start) and not is_filler(scan.text[start:end]):
            scan.claim(
                start,
                end,
                kind=shape.kind,
                rule=shape.rule,
                confidence=0.98,
                reason=f"A credential in the shape that {shape.issuer} issues.",
            )
