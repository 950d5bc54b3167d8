"""How text is compared in a string search: without case and without accents (FHIR R4 search, string)."""

from __future__ import annotations

import unicodedata
from functools import lru_cache


@lru_cache(maxsize=8192)
def fold(text: str) -> str:
    """Lower case, accents off, runs of space made one. ø and æ stay letters of their own."""
    plain = unicodedata.normalize("NFKD", text).casefold()
    return " ".join("".join(sign for sign in plain if not unicodedata.combining(sign)).split())
