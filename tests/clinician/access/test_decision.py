from __future__ import annotations

import dataclasses
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from clinician.access.decision import REASONS, Opening, Reason, decide
from clinician.access.table import SHIPPED, read, shipped
from clinician.access.who import Who
from clinician.errors import MissingTable

NOW = datetime(2026, 3, 9, 7, 0, tzinfo=UTC)


def person(
    *professions: str,
    functions: tuple[str, ...] = (),
    competences: tuple[str, ...] = (),
    role: str = "PractitionerRole/r",
) -> Who:
    return Who(
        "Practitioner/k",
        role,
        "Kari",
        "K",
        "Organization/z",
        "Sone",
        frozenset(professions),
        frozenset(competences),
        frozenset(functions),
    )


NURSE, CARER, DOCTOR, ASSISTANT = person("SP"), person("HF"), person("LE"), person("XX")
OFFICE = person(functions=("case-worker",))

MATRIX = [  # who, action, allowed
    (NURSE, "Appointment.u", True),
    (NURSE, "Appointment.c", True),
    (NURSE, "CarePlan.cu", True),
    (NURSE, "MedicationRequest.c", False),
    (NURSE, "PractitionerRole.u", False),
    (NURSE, "ServiceRequest.c", False),
    (CARER, "Appointment.u", True),
    (CARER, "Encounter.cu", True),
    (CARER, "Task.u", True),
    (CARER, "Observation.c", True),
    (CARER, "DocumentReference.c", True),
    (CARER, "Flag.c", False),
    (CARER, "CarePlan.u", False),
    (CARER, "MedicationAdministration.c", False),
    (person("HF", competences=("medication",)), "MedicationAdministration.c", True),
    (ASSISTANT, "Task.u", True),
    (ASSISTANT, "AllergyIntolerance.c", False),
    (DOCTOR, "MedicationRequest.cu", True),
    (person("FT"), "ChargeItem.c", True),
    (CARER, "ChargeItem.c", False),
    (person("HF", functions=("coordinator",)), "PractitionerRole.u", True),
    (person("HF", functions=("coordinator",)), "Appointment.cu", True),
    (OFFICE, "ServiceRequest.cu", True),
    (OFFICE, "Observation.c", False),
    (person(functions=("superuser",)), "Basic.u", True),
    (person(functions=("superuser",)), "Observation.c", False),
    (person(), "Patient.rs", True),
    (person(), "Task.u", False),
    (person(), "Composition.r", False),
    (person(), "Substance.r", False),
]


@pytest.mark.parametrize(
    ("who", "action", "allowed"),
    MATRIX,
    ids=[f"{sorted(w.professions | w.functions | w.competences)} {a}" for w, a, _ in MATRIX],
)
def test_that_each_role_may_do_what_its_grant_says_and_no_more(who: Who, action: str, allowed: bool) -> None:
    decision = decide(who, action, "Patient/p")
    assert decision.allowed is allowed
    assert bool(decision.grant) is allowed
    assert (decision.way_out is None) is allowed
    assert decision.reason.render("en")


def test_that_nobody_deletes_and_the_way_out_is_named() -> None:
    for who in (NURSE, DOCTOR, person(functions=("superuser",))):
        decision = decide(who, "Task.d")
        assert not decision.allowed and decision.way_out is not None
    assert not any("d" in letters for grant in shipped().grants for letters in grant.allows.values())


def test_that_a_refusal_names_the_thing_and_who_can_help() -> None:
    decision = decide(CARER, "CarePlan.u")
    assert decision.reason.render(
        "en"
    ) == "Your role here does not let you change care plans." or "care plans" in str(decision.reason)
    assert decision.way_out is not None and decision.way_out.msgid == "Ask a nurse."
    assert decide(person(), "Substance.r").way_out is not None


def test_that_a_person_without_a_role_may_do_nothing() -> None:
    assert not decide(person("SP", role=""), "Patient.r").allowed


@pytest.mark.parametrize("action", ["", "Task", "Task.", "Task.x", "Task.rx"])
def test_that_an_action_that_is_none_is_a_mistake_of_the_program(action: str) -> None:
    with pytest.raises(ValueError):
        decide(NURSE, action)


def test_that_a_patient_outside_the_workplace_is_closed_until_opened_with_a_reason() -> None:
    opening = Opening("Practitioner/k", "Patient/p", Reason.EMERGENCY, NOW)
    closed = decide(NURSE, "Patient.r", "Patient/p", in_scope=False)
    assert not closed.allowed and closed.way_out is not None
    opened = decide(NURSE, "Patient.r", "Patient/p", in_scope=False, opening=opening, now=NOW)
    assert opened.allowed and opened.by_opening
    assert not decide(NURSE, "Patient.r", "Patient/p", in_scope=False, opening=opening).allowed


def test_that_an_opening_is_for_one_person_one_patient_and_a_time() -> None:
    opening = Opening("Practitioner/k", "Patient/p", Reason.EMERGENCY, NOW)

    def allowed(who: Who, ref: str, now: datetime) -> bool:
        return decide(who, "Patient.r", ref, in_scope=False, opening=opening, now=now).allowed

    assert allowed(NURSE, "Patient/p", opening.until - timedelta(seconds=1))
    assert not allowed(NURSE, "Patient/p", opening.until)
    assert not allowed(NURSE, "Patient/p", NOW - timedelta(seconds=1))
    assert not allowed(NURSE, "Patient/other", NOW)
    assert not allowed(dataclasses.replace(NURSE, practitioner_ref="Practitioner/other"), "Patient/p", NOW)


def test_that_an_opening_lets_read_never_write() -> None:
    opening = Opening("Practitioner/k", "Patient/p", Reason.PHONE, NOW)
    assert decide(NURSE, "Observation.rs", "Patient/p", in_scope=False, opening=opening, now=NOW).allowed
    assert not decide(NURSE, "Observation.c", "Patient/p", in_scope=False, opening=opening, now=NOW).allowed


def test_that_an_opening_never_gives_more_than_the_role() -> None:
    opening = Opening("Practitioner/k", "Patient/p", Reason.PHONE, NOW)
    assert not decide(CARER, "Composition.r", "Patient/p", in_scope=False, opening=opening, now=NOW).allowed


def test_that_a_reason_of_ones_own_needs_words() -> None:
    bare = Opening("Practitioner/k", "Patient/p", Reason.OTHER, NOW, "  x ")
    assert bare.problem() is not None
    assert not decide(NURSE, "Patient.r", "Patient/p", in_scope=False, opening=bare, now=NOW).allowed
    told = dataclasses.replace(bare, words="pårørende ringer")
    assert told.problem() is None
    assert decide(NURSE, "Patient.r", "Patient/p", in_scope=False, opening=told, now=NOW).allowed
    assert set(REASONS) == set(Reason)


def test_that_what_is_about_no_patient_needs_no_scope() -> None:
    assert decide(NURSE, "Organization.r", "Organization/x", in_scope=False).allowed
    assert decide(NURSE, "Patient.r", "Patient/p", in_scope=True).allowed


@pytest.mark.parametrize(
    "body",
    [
        "not toml =",
        "version = '1'",
        "version='1'\nvalid_from=2026-01-01\npatient_types=[]\n[[grants]]\nid='x'\nallows=['Task.d']",
        "version='1'\nvalid_from=2026-01-01\npatient_types=[]\n[[grants]]\nid='x'\nallows=['Tusk.r']",
        "version='1'\nvalid_from=2026-01-01\npatient_types=[]\n[[grants]]\nid='x'\nallows=['Task.']",
        "version='1'\nvalid_from=2026-01-01\npatient_types=[]\ngrants=5",
    ],
)
def test_that_a_table_with_a_mistake_grants_nothing_and_says_so(tmp_path: Path, body: str) -> None:
    path = tmp_path / "access.toml"
    path.write_text(body, "utf-8")
    with pytest.raises(MissingTable) as caught:
        read(path)
    assert caught.value.table == "access"
    with pytest.raises(MissingTable):
        read(tmp_path / "absent.toml")


def test_that_the_shipped_table_reads_and_says_since_when() -> None:
    table = read(SHIPPED)
    assert table.valid_from.year == 2026 and table.version
    assert len({grant.id for grant in table.grants}) == len(table.grants)
    assert decide(NURSE, "Task.u", table=table).allowed
