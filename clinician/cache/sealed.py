"""Files sealed chunk by chunk: 50 MB go through 1 MiB of memory; no part can be changed, left out or moved.

The scheme is STREAM (Hoang, Reyhanitabar, Rogaway, Vizár: Online Authenticated-Encryption and its Nonce-Reuse
Misuse-Resistance, CRYPTO 2015, eprint.iacr.org/2015/189) over AES-256-GCM. A file is

    b"CLA1" ‖ prefix (7 random bytes) ‖ chunk 0 ‖ chunk 1 ‖ … ‖ last chunk

and the nonce of a chunk is prefix ‖ its number (4 bytes) ‖ 1 for the last chunk, else 0. A chunk moved has
the wrong number; a file cut at a chunk's edge ends with one that was not sealed as the last. Each file has a
random key of its own; the header is authenticated with every chunk.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterator
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

CHUNK: Final = 1024 * 1024
"""Bytes of content in every chunk but the last."""
TAG: Final = 16
KEY_BYTES: Final = 32
_MAGIC: Final = b"CLA1"
_PREFIX: Final = 7
HEADER: Final = len(_MAGIC) + _PREFIX


class Unsealable(Exception):
    """The file does not open with this key: changed, cut, mixed up, or another's."""


def new_key() -> bytes:
    """A key for one file."""
    return secrets.token_bytes(KEY_BYTES)


def sealed_size(size: int) -> int:
    """Bytes of the sealed file that holds `size` bytes."""
    chunks = max(1, -(-size // CHUNK))
    return HEADER + size + chunks * TAG


class Sealer:
    """Seals what it is fed and hands the sealed bytes to `write`; `finish` seals the last chunk.

    resumed: (header, how many chunks are written already), to go on with a file that was left off.
    """

    def __init__(
        self, write: Callable[[bytes], object], key: bytes, *, resumed: tuple[bytes, int] | None = None
    ) -> None:
        self._write = write
        self._cipher = AESGCM(key)
        self._held = bytearray()
        if resumed is None:
            self._header, self._number = _MAGIC + secrets.token_bytes(_PREFIX), 0
            write(self._header)
        else:
            self._header, self._number = resumed

    def feed(self, content: bytes) -> None:
        """Take some content, of any length."""
        self._held += content
        while len(self._held) > CHUNK:
            self._seal(bytes(memoryview(self._held)[:CHUNK]), last=False)
            del self._held[:CHUNK]

    def finish(self) -> None:
        """Seal what is left as the last chunk; without this the file never opens."""
        self._seal(bytes(self._held), last=True)
        self._held.clear()

    def _seal(self, content: bytes, *, last: bool) -> None:
        nonce = _nonce(self._header, self._number, last=last)
        self._write(self._cipher.encrypt(nonce, content, self._header))
        self._number += 1


def _nonce(header: bytes, number: int, *, last: bool) -> bytes:
    return header[len(_MAGIC) :] + number.to_bytes(4, "big") + bytes([last])


def unseal(source: BinaryIO, key: bytes) -> Iterator[bytes]:
    """The content, chunk by chunk, each proved before it is given. Raises Unsealable.

    That the file was cut is known only at its end: nothing may be shown before the iteration has ended.
    """
    header = _header_of(source)
    cipher = AESGCM(key)
    held, number = source.read(CHUNK + TAG), 0
    while True:
        following = source.read(CHUNK + TAG)
        yield _opened(cipher, _nonce(header, number, last=not following), held, header)
        if not following:
            return
        held, number = following, number + 1


def resume(source: BinaryIO, key: bytes, feed: Callable[[bytes], object]) -> tuple[bytes, int]:
    """What of an unfinished file is whole: (header, chunks); their content goes to `feed`. Raises Unsealable.

    The first chunk that does not open ends it; whoever goes on cuts the file there (`place_of`).
    """
    header = _header_of(source)
    cipher = AESGCM(key)
    number = 0
    while len(held := source.read(CHUNK + TAG)) == CHUNK + TAG:
        try:
            feed(_opened(cipher, _nonce(header, number, last=False), held, header))
        except Unsealable:
            break
        number += 1
    return header, number


def place_of(chunk: int) -> int:
    """Where in the sealed file a chunk begins."""
    return HEADER + chunk * (CHUNK + TAG)


def _header_of(source: BinaryIO) -> bytes:
    header = source.read(HEADER)
    if len(header) != HEADER or not header.startswith(_MAGIC):
        raise Unsealable("no header")
    return header


def _opened(cipher: AESGCM, nonce: bytes, content: bytes, header: bytes) -> bytes:
    try:
        return cipher.decrypt(nonce, content, header)
    except InvalidTag:
        raise Unsealable("a chunk does not open") from None
