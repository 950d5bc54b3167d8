"""The rhythm of a Timing: its repeat, or what its code stands for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from clinician.fhir.reference import Raw

DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_CODED: Final[Mapping[str, Raw]] = {
    "QD": {"frequency": 1, "period": 1, "periodUnit": "d"},
    "QOD": {"frequency": 1, "period": 2, "periodUnit": "d"},
    "BID": {"frequency": 2, "period": 1, "periodUnit": "d"},
    "TID": {"frequency": 3, "period": 1, "periodUnit": "d"},
    "QID": {"frequency": 4, "period": 1, "periodUnit": "d"},
    "AM": {"when": ["MORN"], "frequency": 1, "period": 1, "periodUnit": "d"},
    "PM": {"when": ["AFT"], "frequency": 1, "period": 1, "periodUnit": "d"},
    "BED": {"when": ["HS"], "frequency": 1, "period": 1, "periodUnit": "d"},
    "WK": {"frequency": 1, "period": 1, "periodUnit": "wk"},
    "MO": {"frequency": 1, "period": 1, "periodUnit": "mo"},
    **{f"Q{n}H": {"frequency": 1, "period": n, "periodUnit": "h"} for n in (1, 2, 3, 4, 6, 8)},
}
"""GTSAbbreviation codes; Timing.repeat goes before Timing.code."""


def named_in(value: object) -> list[str]:
    """The texts of a list; [] for anything else."""
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []


def rhythm_of(timing: Raw) -> Raw | None:
    """Timing.repeat when it has a rhythm, else what Timing.code stands for, else None."""
    repeat = timing.get("repeat")
    if isinstance(repeat, dict):
        rhythm = ("frequency", "period", "periodUnit", "timeOfDay", "when", "dayOfWeek")
        return repeat if any(repeat.get(key) for key in rhythm) else None
    concept = timing.get("code")
    held = concept.get("coding") if isinstance(concept, dict) else None
    found = (
        _CODED.get(str(c.get("code")))
        for c in (held if isinstance(held, list) else ())
        if isinstance(c, dict)
    )
    return next((r for r in found if r), None)
