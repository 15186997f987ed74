"""Characters that stand for others: full-width, styled and look-alike letters.

Tables only. The look-alikes are those of Unicode's confusables (UTS 39) that a terminal's font
draws like a Latin letter; letters that merely resemble one are no disguise.
"""

from __future__ import annotations

import unicodedata

_CYRILLIC = dict(
    zip(
        "аеорсухіјѕһԁԛԝӏѵкмтгпнвАВЕКМНОРСТУХІЈЅԚԜӀѴЗ",
        "aeopcyxijshdqwlvkmtrnhbABEKMHOPCTYXIJSQWIV3",
        strict=True,
    )
)
_GREEK = dict(
    zip("αγικνορτυχωΑΒΕΖΗΙΚΜΝΟΡΤΥΧϲϳ", "ayiкvoptuxwABEZHIKMNOPTYXcj".replace("к", "k"), strict=True)
)
_ARMENIAN = dict(zip("օոսհցյգքԼՕՍ", "ouuhgjqpLOU".replace("uu", "nu"), strict=True))
_CHEROKEE = dict(zip("ᎪᏴᏟᎠᎬᏀᎻᎥᎫᏦᏞᎷᏢᏒᏚᎢᏙᎳᏃ", "ABCDEGHiJKLMPRSTVWZ", strict=True))
_LATIN = dict(zip("ɑɡɩʀᴀʙᴄᴅᴇɢʜɪᴊᴋʟᴍɴᴏᴘꜱᴛᴜᴠᴡʏᴢ", "agirabcdeghijklmnopstuvwyz", strict=True))

LOOKALIKES: dict[str, str] = _CYRILLIC | _GREEK | _ARMENIAN | _CHEROKEE
FOREIGN = "\u0370-\u03ff\u0400-\u052f\u0530-\u058f\u13a0-\u13ff"  # the alphabets these are of


def _compatible() -> dict[str, str]:
    """Characters that Unicode itself calls another form of ASCII text, and styled letters."""
    ranges = (
        range(0xFF01, 0xFF5F),  # full width
        range(0x1D400, 0x1D800),  # mathematical alphabets
        range(0x2460, 0x24EA),  # in circles and parentheses
        range(0x1F110, 0x1F16A),  # in squares
        range(0xFE50, 0xFE6C),  # small forms
        range(0x2100, 0x2140),  # letterlike
        range(0xFB00, 0xFB07),  # ligatures
    )
    table = {}
    for codes in ranges:
        for character in map(chr, codes):
            plain = unicodedata.normalize("NFKC", character)
            if plain != character and plain.isascii():
                table[character] = plain
    for code in range(0x1F130, 0x1F18A):  # NFKC leaves the filled ones alone
        name = unicodedata.name(chr(code), "")
        if "LATIN CAPITAL LETTER " in name:
            table[chr(code)] = name[-1]
    table.update(_LATIN)
    table.update(dict.fromkeys("\u2044\u2215\u29f8\u2571", "/"))  # slashes by other names
    table.update(dict.fromkeys("\u2010\u2011\u2212", "-"))
    spaces = "\u00a0\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200a\u202f\u205f"
    table.update(dict.fromkeys(spaces + "\u3000", " "))
    return table


COMPATIBLE = _compatible()

# Of these, what ordinary writing holds all the time and what therefore calls for nothing:
# full-width punctuation of Chinese and Japanese, dashes and blanks of typesetting, trade marks.
_ORDINARY = "\uff0c\uff1a\uff1b\uff01\uff1f\uff08\uff09\uff0e\uff5e\u3000\u2122\u2120\u2116\u2121"
CALLING = "".join(
    character
    for character in COMPATIBLE
    if character not in _ORDINARY
    and not 0x2000 <= ord(character) <= 0x205F
    and character not in "\u00a0\u2212\u2044"
    and not 0x2460 <= ord(character) <= 0x249B
)


def one_of(characters: str) -> str:
    """The inside of a character class for `re`, in runs.

    Past U+FFFF `re` tries the members of a class one by one: a run counts as one.
    """
    runs: list[list[int]] = []
    for code in sorted(set(map(ord, characters))):
        if runs and code == runs[-1][1] + 1:
            runs[-1][1] = code
        else:
            runs.append([code, code])
    return "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in runs)
