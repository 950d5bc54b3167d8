"""Reads an answer within bounds: a huge page or a compressed bomb is refused, not read into memory."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import Final

from clinician.record.answer import broken_answer

LARGEST: Final = 32 * 1024 * 1024
"""Bytes of one answer after unpacking. A page of 500 resources is about 0.7 MB."""
_STEP: Final = 1024 * 1024


def read_bounded(chunks: Iterable[bytes], encoding: str, largest: int = LARGEST) -> bytes:
    """The unpacked body. Raises RecordTrouble when it is larger than `largest` or damaged."""
    parts: list[bytes] = []
    size = 0
    for part in _unpacked(chunks, encoding.strip().lower(), largest):
        size += len(part)
        if size > largest:
            raise broken_answer(f"the answer is larger than {largest} bytes")
        parts.append(part)
    return b"".join(parts)


def _unpacked(chunks: Iterable[bytes], encoding: str, largest: int) -> Iterator[bytes]:
    if encoding in ("", "identity"):
        return iter(chunks)
    if encoding == "gzip":
        return _gunzip(chunks, largest)
    raise broken_answer(f"content-encoding {encoding!r} was not asked for")


def _gunzip(chunks: Iterable[bytes], largest: int) -> Iterator[bytes]:
    """Unpacks at most 1 MB at a time, so that a bomb is met before it has gone off."""
    unpacker = zlib.decompressobj(wbits=31)
    try:
        for chunk in chunks:
            waiting = chunk
            while waiting and not unpacker.eof:
                yield unpacker.decompress(waiting, min(_STEP, largest + 1))
                waiting = unpacker.unconsumed_tail
        yield unpacker.flush(_STEP)
    except zlib.error as fault:
        raise broken_answer(f"gzip: {fault}") from fault
    if not unpacker.eof:
        raise broken_answer("gzip: the answer ends too early")
