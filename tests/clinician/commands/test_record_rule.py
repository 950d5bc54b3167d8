"""Medication is not recorded on a record that would let two people record the same dose."""

from __future__ import annotations

from typing import Any

import pytest

from clinician.errors import Refused
from clinician.record.profile import ServerProfile
from tests.clinician.commands.desk import WHO, Desk, Make

GIVEN: dict[str, Any] = {
    "resourceType": "MedicationAdministration",
    "id": "5f0c9a52-6f0f-4f43-9f6e-0d9c3c2a1b11",
    "status": "completed",
    "medicationCodeableConcept": {"text": "insulin"},
    "subject": {"reference": "Patient/p"},
    "effectiveDateTime": "2026-03-03T08:00:00Z",
}
WHOLE = ServerProfile(if_match_alone=True, if_match_in_transaction=True, transaction_atomic=True)


def probed(desk: Desk, profile: ServerProfile) -> None:
    desk.cache.writer.run(lambda writing: writing.marks.set_profile(profile.as_raw()))


def given(desk: Desk) -> bool:
    with desk.cache.reading() as reading:
        return reading.get(f"MedicationAdministration/{GIVEN['id']}") is not None


@pytest.mark.parametrize("lacking", ["if_match_alone", "if_match_in_transaction", "transaction_atomic"])
def test_that_medication_is_refused_with_the_reason_and_nothing_is_kept(desk: Desk, lacking: str) -> None:
    raw = WHOLE.as_raw()
    raw[lacking] = False
    desk.cache.writer.run(lambda writing: writing.marks.set_profile(raw))
    with pytest.raises(Refused) as told:
        desk.bus.run(Make((GIVEN,)), WHO)
    assert "same dose" in told.value.text.msgid and told.value.way_out is not None
    assert not given(desk)


def test_that_medication_is_recorded_where_the_record_guards_it(desk: Desk) -> None:
    probed(desk, WHOLE)
    desk.bus.run(Make((GIVEN,)), WHO)
    assert given(desk)


def test_that_everything_else_is_recorded_all_the_same(desk: Desk) -> None:
    probed(desk, ServerProfile())
    note = {**GIVEN, "resourceType": "Observation", "id": "5f0c9a52-6f0f-4f43-9f6e-0d9c3c2a1b12"}
    desk.bus.run(Make((note,)), WHO)


def test_that_a_record_not_probed_yet_stops_nothing(desk: Desk) -> None:
    desk.bus.run(Make((GIVEN,)), WHO)
    assert given(desk)
