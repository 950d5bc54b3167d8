"""Closes the parameters of a POST search into the next link, so that no patient id stands in a URL."""

from __future__ import annotations

import base64
import binascii
import json
import secrets
import zlib

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from clinician.embedded.outcome import RequestError

_NONCE = 12


class Seal:
    """Seals with a key of the record's own; a link lives as long as the record does."""

    def __init__(self, secret: bytes) -> None:
        self._cipher = AESGCM(secret)

    def close(self, pairs: list[tuple[str, str]]) -> str:
        """The parameters as an opaque word fit for a URL."""
        nonce = secrets.token_bytes(_NONCE)
        packed = zlib.compress(json.dumps(pairs).encode(), 1)
        return (
            base64.urlsafe_b64encode(nonce + self._cipher.encrypt(nonce, packed, None)).decode().rstrip("=")
        )

    def open(self, word: str) -> list[tuple[str, str]]:
        """The parameters again. RequestError 410 when the word is not one of ours."""
        try:
            held = base64.urlsafe_b64decode(word + "=" * (-len(word) % 4))
            packed = self._cipher.decrypt(held[:_NONCE], held[_NONCE:], None)
        except (InvalidTag, ValueError, binascii.Error):
            raise RequestError(410, "expired", "this page is no longer here: search again") from None
        return [(str(name), str(value)) for name, value in json.loads(zlib.decompress(packed))]
