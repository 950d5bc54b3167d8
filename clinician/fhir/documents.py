"""What a DocumentReference says of its content: where it lies, what it is, and what it must hash to.

R4 Attachment.hash is SHA-1 in base64. SHA-1 no longer withstands somebody who makes two files that hash
alike, so ours carry SHA-256 too, in an extension; where both are given both must hold.
"""

from __future__ import annotations

import base64
import binascii
from dataclasses import dataclass
from typing import Final

from clinician.fhir.reference import Raw, relative

EXT_SHA256: Final = "https://clinician.example/fhir/StructureDefinition/attachment-sha256"
"""Attachment, valueString: SHA-256 of the content, hex"""
CODE_DOCUMENT: Final = "https://clinician.example/fhir/CodeSystem/document-kind"
"""wound-photo, letter, consent, drawing, other"""


@dataclass(frozen=True, slots=True)
class Attached:
    """The first content of a document. ref: 'Binary/…', '' where it lies inside or elsewhere.

    size in bytes, -1 where it is not told; sha1 base64, sha256 hex, '' where not told. inside: what lies in
    the resource itself; None when nothing does.
    """

    ref: str
    content_type: str
    title: str
    size: int
    sha1: str
    sha256: str
    inside: bytes | None = None


def attached(document: Raw) -> Attached | None:
    """The content of a document; None when it names none. Odd values are taken as not told."""
    contents = document.get("content")
    first = contents[0] if isinstance(contents, list) and contents else {}
    told = first.get("attachment") if isinstance(first, dict) else None
    if not isinstance(told, dict):
        return None
    url = relative(str(told.get("url", "")))
    size = told.get("size")
    return Attached(
        ref=url if url.startswith("Binary/") and url.count("/") == 1 else "",
        content_type=str(told.get("contentType") or "application/octet-stream"),
        title=str(told.get("title") or ""),
        size=size if isinstance(size, int) and not isinstance(size, bool) and size >= 0 else -1,
        sha1=str(told.get("hash") or ""),
        sha256=_extension(told),
        inside=_inside(told.get("data")),
    )


def _extension(told: Raw) -> str:
    for one in told.get("extension") or ():
        if isinstance(one, dict) and one.get("url") == EXT_SHA256:
            return str(one.get("valueString") or "")
    return ""


def _inside(data: object) -> bytes | None:
    if not isinstance(data, str):
        return None
    try:
        return base64.b64decode(data, validate=True)
    except binascii.Error:
        return None
