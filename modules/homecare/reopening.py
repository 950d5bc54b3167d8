"""What was typed in an act that came back: the note, the numbers, the reason, ready to be put right."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Final

from clinician.fhir import codes, read
from clinician.modulekit.reopening import Refill, Reopened
from clinician.queries.query import Raw, Reading
from modules.homecare import facts
from modules.homecare.queries.notes import note_text
from modules.homecare.rules.measures import Measure
from modules.homecare.words import number_text

_USER: Final = "homecare.user"
_MY_DAY: Final = "homecare.my-day"


def note(reading: Reading, raws: Sequence[Raw]) -> Reopened | None:
    """A note goes back into the editor of the user, still about the visit it was written in."""
    raw = next((one for one in raws if one["resourceType"] == "DocumentReference"), None)
    if raw is None or "text/plain" not in read.text_at(raw, "content.attachment.contentType"):
        return None
    visit_ref = read.ref_at(raw, "context.related", "Appointment")
    return _at_user(read.ref_at(raw, "subject"), visit_ref, "note", note_text(raw))


def measurements(reading: Reading, raws: Sequence[Raw]) -> Reopened | None:
    """Numbers go back into their fields as they were typed."""
    typed = {key: text for raw in raws for key, text in _typed(raw)}
    if not typed:
        return None
    patient_ref = next(read.ref_at(raw, "subject") for raw in raws)
    encounter = reading.get(next((ref for raw in raws if (ref := read.ref_at(raw, "encounter"))), ""))
    visit_ref = read.ref_at(encounter.raw, "appointment") if encounter is not None else ""
    return _at_user(patient_ref, visit_ref, "measurements", json.dumps(typed, ensure_ascii=False))


def _at_user(patient_ref: str, visit_ref: str, what: str, content: str) -> Reopened:
    key = f"homecare.{what}:{visit_ref or patient_ref}"
    arguments = {"patient": patient_ref, "visit": visit_ref, "reopen": what}
    return Reopened(_USER, arguments, (Refill(key, patient_ref, content),), is_typed=True)


def _typed(raw: Raw) -> list[tuple[str, str]]:
    for key, measure in facts.measures().items():
        if set(measure.codes) & {f"{one.system}|{one.code}" for one in read.codings(raw, "code")}:
            return [(key, text)] if (text := _as_typed(measure, raw)) else []
    return []


def _as_typed(measure: Measure, raw: Raw) -> str:
    if measure.choices:
        chosen = {one.code for one in read.codings(raw, "valueCodeableConcept")}
        return next((c.key for c in measure.choices if c.code in chosen), "")
    parts = [one.get("valueQuantity") for one in raw.get("component", ())] or [raw.get("valueQuantity")]
    values = [part["value"] for part in parts if isinstance(part, dict) and "value" in part]
    if len(values) != len(measure.fields):
        return ""
    pairs = zip(values, measure.fields, strict=True)
    return "/".join(number_text(value, field.decimals) for value, field in pairs)


def visit(reading: Reading, raws: Sequence[Raw]) -> Reopened | None:
    """A visit is chosen again in my day; the words of 'another reason' stand in their field."""
    raw = next((one for one in raws if one["resourceType"] == "Appointment"), None)
    if raw is None:
        return None
    is_other = read.has_code(raw, "cancelationReason", codes.CODE_NOT_DONE, "other")
    told = read.text_at(raw, "cancelationReason.text") if is_other else ""
    arguments = {"visit": f"Appointment/{raw['id']}", "why": told}
    return Reopened(_MY_DAY, arguments, is_typed=bool(told))
