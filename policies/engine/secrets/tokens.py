"""Credentials for samples and tests, made up at run time: no stored line looks like one."""

from __future__ import annotations

import random
import re
import string

_HEX = "0123456789abcdef"
_ALPHABETS = {
    "A": string.ascii_letters + string.digits,
    "B": string.ascii_uppercase + "234567",
    "C": string.ascii_uppercase + string.digits,
    "D": string.digits,
    "H": _HEX,
    "L": string.ascii_lowercase + string.digits,
    "N": "123456789",
    "Q": "QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L",  # of bech32
    "U": string.ascii_letters + string.digits + "-_",
    "S": string.ascii_letters + string.digits + "+/",
}
_PIECE = re.compile(r"<([A-Z])([0-9]{0,3})>")
_UUID_GROUPS = (8, 4, 4, 4, 12)


def made_up(pattern: str, seed: int = 0) -> str:
    """`pattern` with random characters in its gaps, the same for the same seed.

    `<A36>` are 36 letters and digits; further alphabets: B base32, C capitals and digits, D
    digits, H hexadecimal, L small letters and digits, N digits without zero, Q bech32, S base64,
    U base64 of URLs. `<G>` is a UUID.
    """
    rng = random.Random(f"{pattern}:{seed}")  # noqa: S311 (the same samples in every run)

    def fill(piece: re.Match[str]) -> str:
        alphabet, length = piece.groups()
        if alphabet == "G":
            return "-".join("".join(rng.choices(_HEX, k=size)) for size in _UUID_GROUPS)
        return "".join(rng.choices(_ALPHABETS[alphabet], k=int(length)))

    return _PIECE.sub(fill, pattern)


def masked(pattern: str) -> str:
    """`pattern` as a manual prints it: every gap filled with one character that it allows."""
    return _PIECE.sub(
        lambda piece: (
            "-".join("0" * size for size in _UUID_GROUPS)
            if piece[1] == "G"
            else _ALPHABETS[piece[1]][-1] * int(piece[2])
        ),
        pattern,
    )
