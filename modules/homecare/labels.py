"""What codes are called on the screen. A code without a label is shown by the text that came with it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from clinician import texts
from clinician.texts import Text

L = texts.lazy("homecare")

MEASURES: Final[Mapping[str, Text]] = {
    "blood-pressure": L("Blood pressure"),
    "pulse": L("Pulse"),
    "temperature": L("Temperature"),
    "respiration": L("Respiration"),
    "spo2": L("Oxygen saturation"),
    "weight": L("Weight"),
    "glucose": L("Glucose"),
    "consciousness": L("Consciousness"),
    "oxygen": L("Oxygen supply"),
}
FIELDS: Final[Mapping[str, Text]] = {
    **MEASURES,
    "systolic": L("Systolic"),
    "diastolic": L("Diastolic"),
}
CHOICES: Final[Mapping[str, Text]] = {
    "A": L("Alert"),
    "C": L("New confusion"),
    "V": L("Responds to voice"),
    "P": L("Responds to pain"),
    "U": L("Unresponsive"),
    "air": L("Room air"),
    "oxygen": L("Oxygen"),
}
VISIT_STATES: Final[Mapping[str, Text]] = {
    "unassigned": L("unassigned"),
    "open": L("open"),
    "in-progress": L("in progress"),
    "done": L("done"),
    "not-home": L("not home"),
    "not-done": L("not done"),
    "moved": L("moved"),
    "cancelled": L("cancelled"),
}
NOT_DONE: Final[Mapping[str, Text]] = {
    "refused": L("refused"),
    "not-home": L("not home"),
    "postponed": L("postponed"),
    "not-needed": L("not needed"),
    "other": L("other reason"),
}
CANCEL: Final[Mapping[str, Text]] = {
    "moved": L("moved"),
    "by-user": L("cancelled by the user"),
    "by-next-of-kin": L("cancelled by next of kin"),
    "by-service": L("cancelled by the service"),
    "hospital": L("in hospital"),
    "died": L("died"),
}
TASK_KINDS: Final[Mapping[str, Text]] = {
    "follow-up": L("Follow-up"),
    "call-next-of-kin": L("Call next of kin"),
    "try-again": L("Try the visit again"),
    "reply": L("Reply"),
    "sync-conflict": L("Two have changed the same thing"),
    "reassignment-notice": L("Your visits have changed"),
}
TASK_STATUS: Final[Mapping[str, Text]] = {
    "completed": L("done"),
    "rejected": L("refused"),
    "cancelled": L("not done"),
    "on-hold": L("postponed"),
    "in-progress": L("begun"),
    "failed": L("not done"),
    "entered-in-error": L("entered in error"),
}
FLAGS: Final[Mapping[str, Text]] = {
    "fall-risk": L("Fall risk"),
    "infection": L("Infection"),
    "two-persons": L("Two persons"),
    "access": L("Access to the home"),
    "wish": L("Wish"),
    "new-user": L("New user"),
    "pet": L("Pet in the home"),
    "smoker": L("Smokes in the home"),
    "spo2-scale-2": L("NEWS2: SpO₂ scale 2 decided"),
}
COMPETENCES: Final[Mapping[str, Text]] = {
    "medication": L("medication"),
    "insulin": L("insulin"),
    "injection": L("injection"),
    "wound": L("wound care"),
    "catheter": L("catheter"),
    "palliative": L("palliative care"),
    "SP": L("nurse"),
    "HF": L("health care worker"),
    "VP": L("social educator"),
    "LE": L("doctor"),
    "FT": L("physiotherapist"),
    "ET": L("occupational therapist"),
}
NEWS2_BANDS: Final[Mapping[str, Text]] = {
    "low": L("low"),
    "low-medium": L("low, but one measure is 3"),
    "medium": L("medium"),
    "high": L("high"),
}


def label(table: Mapping[str, Text], code: str, otherwise: str = "") -> str:
    """The words for a code in the language in force; else `otherwise`, else the code itself."""
    found = table.get(code)
    return found.render() if found is not None else otherwise or code
