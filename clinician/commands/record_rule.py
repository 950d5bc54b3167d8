"""What the record itself must be able to do before an act may be recorded (SYNC §1.1, §1.9)."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from clinician import texts
from clinician.cache.writing import Writing
from clinician.commands.act import Act
from clinician.errors import Refused

L = texts.lazy("commands")
GIVEN: Final = "MedicationAdministration"


def refuse_unguarded(writing: Writing, acts: Iterable[Act]) -> None:
    """Raise Refused for medication given, where the record lets two people record the same dose.

    Only what the probe has found counts; a record that was never probed has given this PC nothing to give.
    """
    if not any(change.raw["resourceType"] == GIVEN for act in acts for change in act.changes):
        return
    if writing.guards_updates() is False:
        raise Refused(
            L(
                "Given medication cannot be recorded here: the central record does not stop two people from "
                "recording the same dose. Nothing was saved. Write it down as your workplace does when the "
                "computer is away, and tell the superuser."
            ),
            way_out=L("Ask the superuser"),
            detail="record profile: If-Match is not obeyed alone and in a transaction",
        )
