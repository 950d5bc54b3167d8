"""What came back to be put right: the visit each note and form is about, until signed or thrown away."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Final

_STATE: Final = "reopened"


class Reopened:
    """Per user and editor ('note', 'measurements') the visits whose text came back, the latest last.

    '' is a text about no visit. Kept with the state of the view, so that nothing taken back is out of
    sight after another user, another language or another sign-in.
    """

    def __init__(self) -> None:
        self._visits: dict[str, list[str]] = {}
        self._cursor = ""

    def came(self, patient_ref: str, what: str, visit_ref: str) -> None:
        """The text of a visit came back; the cursor belongs in it."""
        held = self._visits.setdefault(f"{patient_ref} {what}", [])
        if visit_ref in held:
            held.remove(visit_ref)
        held.append(visit_ref)
        self._cursor = what

    def visit(self, patient_ref: str, what: str) -> str:
        """The visit the editor is about, '' for none."""
        held = self._visits.get(f"{patient_ref} {what}", [])
        return held[-1] if held else ""

    def done(self, patient_ref: str, what: str) -> None:
        """It is signed, or thrown away: the one before it is next."""
        held = self._visits.pop(f"{patient_ref} {what}", [])[:-1]
        if held:
            self._visits[f"{patient_ref} {what}"] = held

    def cursor(self) -> str:
        """The editor that waits for the cursor; asked once."""
        wanted, self._cursor = self._cursor, ""
        return wanted

    def state(self) -> dict[str, str]:
        """For `view_state`."""
        return {_STATE: json.dumps(self._visits)} if self._visits else {}

    def restore(self, state: Mapping[str, str]) -> bool:
        """From `restore_view_state`; False when there is nothing to go on with."""
        try:
            raw = json.loads(state.get(_STATE, "{}"))
            self._visits = {str(key): [str(ref) for ref in refs] for key, refs in raw.items()}
        except (ValueError, TypeError, AttributeError):
            self._visits = {}
        return bool(self._visits)
