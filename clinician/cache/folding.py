"""How names are made alike for searching: 'Åse', 'Aase' and 'Ase' are found by any of the three.

FTS5's own folding leaves ø and æ alone and knows no aa, so the same folding is applied to what is
stored and to what is typed. Sámi letters fold to their plain ones.
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import Final

_LETTERS: Final = str.maketrans(
    {
        "æ": "ae",
        "ä": "ae",
        "ø": "o",
        "ö": "o",
        "å": "a",
        "đ": "d",
        "ð": "d",
        "ŋ": "n",
        "ŧ": "t",
        "þ": "th",
        "ł": "l",
        "ß": "ss",
        "ı": "i",
        "œ": "o",
        "'": "",
        "’": "",
    }
)
_DOUBLES: Final = re.compile(r"aa|oe")
_WORD: Final = re.compile(r"[^\W_]+")
_DAY: Final = re.compile(r"(\d{1,2})[./](\d{1,2})(?:[./](\d{2}|\d{4}))?\.?")
_ISO_DAY: Final = re.compile(r"(\d{4})-(\d{2})-(\d{2})")


@lru_cache(maxsize=16384)
def fold(text: str) -> str:
    """Lower case, one spelling for each letter, no accents."""
    lower = text.casefold().translate(_LETTERS)
    if not lower.isascii():
        lower = unicodedata.normalize("NFKD", lower)
        lower = "".join(c for c in lower if not unicodedata.combining(c)).translate(_LETTERS)
    return _DOUBLES.sub(lambda found: found[0][0], lower)


def words_of(text: str) -> list[str]:
    """The folded words of a text."""
    return _WORD.findall(fold(text))


def typed_words(words: list[str]) -> list[str]:
    """What a person typed, as folded prefixes; days become their digits ('12.3.1942' -> '12031942')."""
    found: list[str] = []
    for part in " ".join(words).split():
        if day := _ISO_DAY.fullmatch(part):
            found.append(f"{day[3]}{day[2]}{day[1]}")
        elif day := _DAY.fullmatch(part):
            found.append(f"{int(day[1]):02}{int(day[2]):02}{day[3] or ''}")
        else:
            found.extend(words_of(part))
    return found


def day_words(iso: str) -> list[str]:
    """The ways a birth date is typed: ddmmyyyy, ddmmyy and the year. [] when no whole day is known."""
    day = _ISO_DAY.match(iso)
    return [f"{day[3]}{day[2]}{day[1]}", f"{day[3]}{day[2]}{day[1][2:]}", day[1]] if day else []
