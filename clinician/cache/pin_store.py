"""Where access keeps its PINs: the cache of this PC."""

from __future__ import annotations

from clinician.cache.open import Cache


class PinStore:
    """Loads and saves the hashed PIN of a person."""

    def __init__(self, cache: Cache) -> None:
        self._cache = cache

    def load(self, user_ref: str) -> str | None:
        """The hash with its count of wrong tries, or None."""
        return self._cache.writer.run(lambda writing: writing.keep.pin(user_ref))

    def save(self, user_ref: str, body: str) -> None:
        """Keep it, durably."""
        self._cache.writer.run(lambda writing: writing.keep.set_pin(user_ref, body), durable=True)
