"""Whether a JSON value may stand for a FHIR primitive. Each check answers None or what is wrong.

Stricter than fhir.resources where that lets slips through: "true" is no boolean, "120" no decimal, a
date must be a day that exists, a time needs a zone, text is never empty.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import Final

from clinician import texts
from clinician.fhir.reference import is_id
from clinician.fhir.times import parse_date, parse_datetime, parse_instant
from clinician.texts import Text

L = texts.lazy("fhir")
Check = Callable[[object], Text | None]

_CONTROL: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ud800-\udfff]")
_CODE: Final = re.compile(r"\S+( \S+)*")
_BLANK: Final = re.compile(r"\s")
_TIME: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d:([0-5]\d|60)(\.\d+)?")
_OID: Final = re.compile(r"urn:oid:[0-2](\.(0|[1-9]\d*))+")
_UUID: Final = re.compile(r"urn:uuid:[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_UNSAFE_MARKUP: Final = re.compile(
    r"<\s*/?\s*(script|iframe|object|embed|applet|form|input|button|link|meta|base|style|frame|frameset|svg|math|body|head|html)\b"
    r"|\son[a-z]+\s*=|(href|src|style)\s*=\s*[\"']?[^\"'>]*(javascript|vbscript)\s*:|<!|<\?",
    re.IGNORECASE,
)
_MAX: Final = 2_147_483_647

EMPTY: Final = L("is empty")
_TEXT: Final = L("must be text")
_LETTERS: Final = L("holds control characters")
_BLANKS: Final = L("must not hold blanks")
_TRUE_FALSE: Final = L("must be true or false, not text")
_WHOLE: Final = L("must be a whole number, not text")
_POSITIVE: Final = L("must be 1 or more")
_NOT_NEGATIVE: Final = L("must be 0 or more")
_TOO_LARGE: Final = L("is too large a number")
_NUMBER: Final = L("must be a number, not text")
_ID: Final = L("is no FHIR id: 1–64 of A–Z a–z 0–9 - and .")
_NOT_CODE: Final = L("is no code: no blanks at the ends, single blanks between")
_NOT_DATE: Final = L("is no date that exists (YYYY-MM-DD)")
_NOT_DATETIME: Final = L("is no date and time that exists; a time needs seconds and a zone")
_NOT_INSTANT: Final = L("is no instant: date, time to the second, and zone")
_NOT_TIME: Final = L("is no time of day (hh:mm:ss)")
_NOT_BASE64: Final = L("is no base64")
_NOT_URI: Final = L("is no address of its kind")
_NOT_XHTML: Final = L("must be a <div> of plain XHTML")
_UNSAFE: Final = L("holds markup that may run or reach out (script, form, frame …)")


def string(value: object) -> Text | None:
    """string and markdown: not empty, no control characters."""
    if type(value) is not str:
        return _TEXT
    if not value or value.isspace():
        return EMPTY
    return _LETTERS if _CONTROL.search(value) else None


def code(value: object) -> Text | None:
    """code."""
    if type(value) is not str:
        return _TEXT
    if not value:
        return EMPTY
    return None if _CODE.fullmatch(value) else _NOT_CODE


def code_among(codes: frozenset[str]) -> Check:
    """code under a required binding."""
    one = L("must be one of the codes FHIR allows: {codes}", codes=", ".join(sorted(codes)[:24]))

    def among(value: object) -> Text | None:
        if type(value) is not str:
            return _TEXT
        return None if value in codes else one

    return among


def identifier(value: object) -> Text | None:
    """id."""
    return None if is_id(value) else _ID


def uri(value: object) -> Text | None:
    """uri, url, canonical."""
    if type(value) is not str:
        return _TEXT
    if not value:
        return EMPTY
    return _BLANKS if _BLANK.search(value) else None


def oid(value: object) -> Text | None:
    """oid."""
    return None if isinstance(value, str) and _OID.fullmatch(value) else _NOT_URI


def uuid(value: object) -> Text | None:
    """uuid."""
    return None if isinstance(value, str) and _UUID.fullmatch(value) else _NOT_URI


def boolean(value: object) -> Text | None:
    """boolean."""
    return None if type(value) is bool else _TRUE_FALSE


def integer(value: object) -> Text | None:
    """integer, 32 bits."""
    if type(value) is not int:
        return _WHOLE
    return None if -_MAX - 1 <= value <= _MAX else _TOO_LARGE


def positive_int(value: object) -> Text | None:
    """positiveInt."""
    return integer(value) or (_POSITIVE if isinstance(value, int) and value < 1 else None)


def unsigned_int(value: object) -> Text | None:
    """unsignedInt."""
    return integer(value) or (_NOT_NEGATIVE if isinstance(value, int) and value < 0 else None)


def decimal(value: object) -> Text | None:
    """decimal: a JSON number; infinities and not-a-number are none."""
    kind = type(value)
    if kind is float:
        return None if value - value == 0 else _NUMBER  # type: ignore[operator] # a float, as just asked
    return None if kind is int or kind.__name__ == "Decimal" else _NUMBER


@lru_cache(maxsize=8192)
def _is_date(value: str) -> bool:
    try:
        return bool(parse_date(value))
    except ValueError:
        return False


@lru_cache(maxsize=8192)
def _is_datetime(value: str) -> bool:
    try:
        return bool(parse_datetime(value))
    except (ValueError, OverflowError):
        return False


@lru_cache(maxsize=8192)
def _is_instant(value: str) -> bool:
    try:
        return bool(parse_instant(value))
    except (ValueError, OverflowError):
        return False


def date(value: object) -> Text | None:
    """date."""
    return None if type(value) is str and _is_date(value) else _NOT_DATE


def date_time(value: object) -> Text | None:
    """dateTime."""
    return None if type(value) is str and _is_datetime(value) else _NOT_DATETIME


def instant(value: object) -> Text | None:
    """instant."""
    return None if type(value) is str and _is_instant(value) else _NOT_INSTANT


def time(value: object) -> Text | None:
    """time."""
    return None if type(value) is str and _TIME.fullmatch(value) else _NOT_TIME


def base64_binary(value: object) -> Text | None:
    """base64Binary; blanks inside are allowed."""
    if type(value) is not str or not value.strip():
        return _NOT_BASE64
    try:
        base64.b64decode("".join(value.split()), validate=True)
    except (binascii.Error, ValueError):
        return _NOT_BASE64
    return None


def xhtml(value: object) -> Text | None:
    """Narrative.div: a div without anything that runs or reaches out."""
    if type(value) is not str or not value.lstrip().startswith("<div"):
        return _NOT_XHTML
    return _UNSAFE if _UNSAFE_MARKUP.search(value) else None


CHECKS: Final[Mapping[str, Check]] = {
    "base64Binary": base64_binary,
    "boolean": boolean,
    "canonical": uri,
    "code": code,
    "date": date,
    "dateTime": date_time,
    "decimal": decimal,
    "id": identifier,
    "instant": instant,
    "integer": integer,
    "markdown": string,
    "oid": oid,
    "positiveInt": positive_int,
    "string": string,
    "time": time,
    "unsignedInt": unsigned_int,
    "uri": uri,
    "url": uri,
    "uuid": uuid,
    "xhtml": xhtml,
}
"""FHIR primitive → its check."""
