"""Secrets: what issuers made recognisable, what structure shows, what a name says."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from policies.engine.family import Sign
from policies.engine.findings import Report, View
from policies.engine.secrets import assignments, structures
from policies.engine.secrets.providers import SHAPE_SIGNS, SHAPES, Shape
from policies.engine.secrets.scan import Scan
from policies.engine.secrets.strength import is_filler

_SIGNS = (
    Sign(name="private_key", pattern=r"private key(?: block)?-----|private-lines:"),
    Sign(name="jwt", pattern=r"eyj[\w-]{8,}\.eyj"),
    Sign(name="url", pattern=r"://[^\s/:@]{0,128}:[^\s/@]{1,256}@"),
    Sign(name="header", pattern=r"bearer\s|basic\s|\"_?auth\\?\"\s{0,4}:"),
    Sign(name="signature", pattern=r"[?&;]sig=[a-z0-9%+/=]{40}"),
    Sign(name="pgpass", pattern=r":(?:5432|5433|6432|\*):[^\s:]{1,64}:[^\s:]{1,64}:\S"),
    Sign(
        name="word",
        pattern=(
            r"passw|passphrase|pwd|secret|token|api[_ -]?key|credential|requirepass|masterauth"
            r"|[a-z][_-]?key[\"'`\])\\]{0,3}\s{0,8}[:=]|pass[\"'`\]\\]{0,3}\s{0,8}[:=]|_pass\b"
        ),
    ),
    Sign(
        name="command",
        pattern=(
            r"\s-u ?[\"']?[^\s:\"'/@]{1,64}:\S|\s--user[ =]|\s-[apw] ?[\"']?\S{3}|\bpass:\S"
            r"|identified\s|chpasswd|rabbitmqctl|htpasswd|sshpass|machine\s"
        ),
    ),
)


_BY_SIGN = {sign.name: shape for sign, shape in zip(SHAPE_SIGNS, SHAPES, strict=True)}
# The more telling a rule, the earlier: the first to claim a stretch names it.
_DETECTORS: tuple[tuple[str, Callable[[Scan], None]], ...] = (
    ("jwt", structures.find_jwts),
    ("url", structures.find_url_passwords),
    ("header", structures.find_headers),
    ("signature", structures.find_signatures),
    ("pgpass", structures.find_pgpass),
    ("word", assignments.find_assignments),
    ("word", assignments.find_in_columns),
    ("word", assignments.find_in_statements),
    ("command", assignments.find_in_commands),
    ("command", assignments.find_in_statements),
    ("shape.0", assignments.find_aws_pairs),
)


class Secrets:
    """Findings `secret.<kind>`: the span is the secret value alone, every occurrence."""

    name = "secrets"
    signs: Sequence[Sign] = (*_SIGNS, *SHAPE_SIGNS)

    def examine(self, view: View, signs: frozenset[str], report: Report) -> None:
        """Report the secrets in `view`; see `Family.examine`."""
        if not signs:
            return
        scan = Scan(view, report)
        if "private_key" in signs:
            structures.find_private_keys(scan)
        for sign, shape in _BY_SIGN.items():
            if sign in signs:
                _find_shape(scan, shape)
        for sign, find in _DETECTORS:
            if sign in signs:
                find(scan)


def _find_shape(scan: Scan, shape: Shape) -> None:
    for match in shape.pattern.finditer(scan.text):
        if scan.begins_word(match.start()) and not is_filler(match[0]):
            scan.claim(
                *match.span(),
                kind=shape.kind,
                rule=f"shape.{shape.kind}",
                confidence=0.98,
                reason=f"A credential in the shape that {shape.issuer} issues.",
            )
