"""What a file is, told by its own bytes; its name and what others say of it count for nothing.

Few kinds are taken: pictures, PDF and plain text. Nothing taken is ever run, and a PDF is never opened in
this program.
"""

from __future__ import annotations

import codecs
from typing import Final

from clinician import texts
from clinician.errors import UserProblem

L = texts.lazy("cache")
JPEG: Final = "image/jpeg"
PNG: Final = "image/png"
HEIC: Final = "image/heic"
PDF: Final = "application/pdf"
TEXT: Final = "text/plain;charset=utf-8"
TAKEN: Final = frozenset({JPEG, PNG, HEIC, PDF, TEXT})
SHOWABLE: Final = frozenset({JPEG, PNG, TEXT})
"""What is shown inside the program; the others are saved as a copy."""
ENDINGS: Final = {JPEG: ".jpg", PNG: ".png", HEIC: ".heic", PDF: ".pdf", TEXT: ".txt"}
_NEEDED: Final = 12
"""Bytes that tell every mark"""
_HEIF_BRANDS: Final = frozenset({b"heic", b"heix", b"heim", b"heis", b"mif1"})
"""ISO/IEC 23008-12, brands of still pictures."""


class Kind:
    """Finds out while the bytes go by. `told` once the first are seen; `finish` when the last are."""

    def __init__(self) -> None:
        self._head = b""
        self._told: str | None = None
        self._reader = codecs.getincrementaldecoder("utf-8")()

    def feed(self, content: bytes) -> None:
        """Look at some more. Raises UserProblem as soon as it can be none of those taken."""
        if self._told is None:
            self._head += content
            if len(self._head) < _NEEDED:
                return
            content = self._head
            self._told = _by_mark(content)
        if self._told == TEXT:
            self._read_text(content, final=False)

    def finish(self) -> str:
        """The content type. Raises UserProblem when it is none of those taken, or there is nothing in it."""
        if not self._head:
            raise UserProblem(L("This file is empty. Nothing was added. Choose another one."), field="file")
        told = self._told or _by_mark(self._head)
        if told == TEXT:
            self._read_text(b"" if self._told else self._head, final=True)
        return told

    def _read_text(self, content: bytes, *, final: bool) -> None:
        try:
            words = self._reader.decode(content, final=final)
        except UnicodeDecodeError:
            raise not_taken() from None
        if any(ord(letter) < 32 and letter not in "\t\n\r\f" for letter in words):
            raise not_taken()


def _by_mark(head: bytes) -> str:
    if head.startswith(b"\xff\xd8\xff"):
        return JPEG
    if head.startswith(b"\x89PNG\r\n\x1a\n"):
        return PNG
    if head.startswith(b"%PDF-"):
        return PDF
    if head[4:8] == b"ftyp" and head[8:12] in _HEIF_BRANDS:
        return HEIC
    return TEXT


def not_taken() -> UserProblem:
    """Another kind of file."""
    return UserProblem(
        L(
            "This kind of file cannot be added; nothing was added. Pictures (JPEG, PNG, HEIC), PDF and plain "
            "text can. Save it as one of those and try again."
        ),
        field="file",
    )


def kind_of(content: bytes) -> str:
    """The content type of whole content. Raises UserProblem."""
    kind = Kind()
    kind.feed(content)
    return kind.finish()


def matches(said: str, content_type: str) -> bool:
    """Whether two content types name the same kind, parameters aside."""
    return said.partition(";")[0].strip().lower() == content_type.partition(";")[0].strip().lower()
