"""A person's own password for opening this PC where the network, or the key store, does not help."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from clinician.access.who import Who
from clinician.cache.keys import drop_slot, set_slot, slots


class Unlocking:
    """Of one data folder whose key is known because it is open. Passwords are never kept."""

    def __init__(self, folder: Path, key: bytes, person: Callable[[], Who]) -> None:
        self._folder, self._key, self._person = folder, key, person

    @property
    def is_set(self) -> bool:
        """Whether the person signed in has a password for this PC."""
        return self._person().practitioner_ref in {slot.user for slot in slots(self._folder)}

    def set_password(self, secret: str) -> None:
        """Choose one, in place of an earlier one. Raises UserProblem for a short one, DiskFull."""
        who = self._person()
        set_slot(self._folder, self._key, user=who.practitioner_ref, name=who.name, secret=secret)

    def forget(self) -> None:
        """The person opens this PC no longer."""
        drop_slot(self._folder, self._person().practitioner_ref)
