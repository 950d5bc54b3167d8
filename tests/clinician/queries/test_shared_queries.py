"""What every module shows of people, places and unsent work, in words."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import pytest

from clinician import texts
from clinician.cache.acts import ActState, ConflictRow
from clinician.cache.synced import Evidence, Why
from clinician.clock import oslo
from clinician.errors import UserProblem
from clinician.fhir import codes
from clinician.queries import wording
from clinician.queries.differences import in_words
from clinician.queries.outbox import conflict_view, evidence_rows, outbox_rows, sent_rows
from clinician.queries.patients import patient_header, patient_hits
from clinician.queries.places import workplaces
from clinician.queries.staff import staff_of, who_at
from tests.clinician.cache.samples import DAY
from tests.clinician.commands.desk import WHO, Desk, Make, SetStatus

TODAY = date(2026, 3, 3)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    held = Desk(tmp_path / "cache")
    yield held
    held.cache.close()


def ask(desk: Desk, query: Any, **asked: Any) -> Any:
    with desk.cache.reading() as reading:
        return query(reading, **asked)


def astrid(desk: Desk, **rest: Any) -> str:
    raw = desk.make.patient() | {
        "name": [{"use": "official", "family": "Moen", "given": ["Astrid"]}],
        "birthDate": "1942-03-12",
        "gender": "female",
        "identifier": [{"system": codes.FNR, "value": "12034212345"}],
    }
    return desk.synced(raw | rest)


def test_that_the_banner_tells_who_it_is(desk: Desk) -> None:
    ref = astrid(desk)
    desk.synced(desk.make.episode(ref, "214"))
    allergy = {"clinicalStatus": {"coding": [{"code": "active"}]}, "patient": {"reference": ref}}
    for text, more in (
        ("Pollen", {}),
        ("Penicillin", {"criticality": "high"}),
        ("Nøtter", {"verificationStatus": {"coding": [{"code": "refuted"}]}}),
    ):
        desk.synced(desk.make.base("AllergyIntolerance", code={"text": text}, **(allergy | more)))
    for code, text in (("fall-risk", None), ("access", "Nøkkelboks"), ("infection", "MRSA"), ("odd", None)):
        concept: dict[str, Any] = {"coding": [{"system": codes.CODE_FLAG, "code": code, "display": code}]}
        flag = {"status": "active", "code": concept | ({"text": text} if text else {})}
        desk.synced(desk.make.base("Flag", subject={"reference": ref}, **flag))
    header = ask(desk, patient_header, patient_ref=ref, day=TODAY)
    assert (header.key, header.name, header.initials) == (ref, "Astrid Moen", "AM")
    assert (header.birth_text, header.age_text, header.place_text) == ("f. 12.03.1942", "83 år", "rom 214")
    assert (header.identity_text, header.identity_masked) == ("120342 12345", "120342 •••••")
    assert header.gender_text == "kvinne"
    assert header.allergies == ("Penicillin", "Pollen")
    assert set(header.flags) == {"Fallfare", "MRSA", "odd"}
    assert 0 <= header.hue < 360
    assert not header.is_deceased
    assert header.phone
    assert patient_header.audit == "patient_ref"


def test_that_the_banner_shows_the_street_at_home_and_the_given_hue(desk: Desk) -> None:
    hue = [{"url": codes.EXT_PHOTO_HUE, "valueInteger": 400}]
    ref = astrid(desk, address=[{"line": ["Elvegata 11"]}], extension=hue, name=[])
    header = ask(desk, patient_header, patient_ref=ref, day=date(2026, 3, 12))
    assert (header.place_text, header.age_text, header.hue, header.name) == (
        "Elvegata 11",
        "84 år",
        40,
        "Uten navn",
    )


def test_that_a_person_not_on_this_pc_is_told(desk: Desk) -> None:
    with pytest.raises(UserProblem):
        ask(desk, patient_header, patient_ref="Patient/none")


def test_that_a_search_tells_people_of_one_name_apart(desk: Desk) -> None:
    ref = astrid(desk, address=[{"line": ["Elvegata 11"]}], deceasedBoolean=True)
    (hit,) = ask(desk, patient_hits, words=" astrid  moe ")
    assert (hit.key, hit.title, hit.is_deceased) == (ref, "Astrid Moen", True)
    assert hit.detail.startswith("f. 12.03.1942 · ")
    assert hit.detail.endswith("Elvegata 11 · 120342 •••••")
    assert ask(desk, patient_hits, words="ola") == ()


@pytest.mark.parametrize(
    ("raw", "age", "born"),
    [
        ({"birthDate": "2026-01-15"}, "1 måned", "f. 15.01.2026"),
        ({"birthDate": "2024-03-04"}, "23 måneder", "f. 04.03.2024"),
        ({"birthDate": "2024-03-03"}, "2 år", "f. 03.03.2024"),
        ({"birthDate": "1942"}, "84 år", "f. 1942"),
        ({"birthDate": "1942-03"}, "84 år", "f. mars 1942"),
        ({"birthDate": "1942-03-12", "deceasedDateTime": "2020-03-11T23:30:00Z"}, "78 år", "f. 12.03.1942"),
        ({"birthDate": "1942-03-12", "deceasedDateTime": "2020"}, "77 år", "f. 12.03.1942"),
        ({"birthDate": "1942-03-12", "deceasedDateTime": "nonsense"}, "83 år", "f. 12.03.1942"),
        ({"birthDate": "2027-01-01"}, "", "f. 01.01.2027"),
        ({}, "", ""),
        ({"birthDate": "nonsense"}, "", ""),
    ],
)
def test_that_age_is_told_as_people_say_it(raw: Any, age: str, born: str) -> None:
    assert wording.age_text(raw, TODAY) == age
    assert wording.birth_text(raw) == born


def test_that_numbers_are_masked_and_genders_named() -> None:
    assert [wording.masked(n) for n in ("12034212345", "L-7", "")] == ["120342 •••••", "•••••", ""]
    assert wording.number_text("L-7") == "L-7"
    told = [wording.gender_text({"gender": g}) for g in ("female", "male", "other", None)]
    assert len(set(told)) == 4
    texts.set_language("nn")
    assert wording.gender_text({"gender": "female"}) == "kvinne"
    texts.set_language("en")
    assert wording.moment_text(DAY) == "3 Mar 01:00"


# staff and places


def staffed(desk: Desk) -> str:
    place = desk.synced(desk.make.base("Organization", name="Nord", type=[kind("homecare-zone")]))
    for name, code, active in (
        ("Østby", "SP", True),
        ("Aasen", "HF", True),
        ("Berg", "XX", True),
        ("Gone", "SP", False),
    ):
        person = desk.synced(desk.make.base("Practitioner", name=[{"family": name, "given": ["Kari"]}]))
        concepts = [
            {"coding": [{"system": codes.PROFESSION, "code": code}]},
            {"coding": [{"system": codes.CODE_COMPETENCE, "code": "insulin"}]},
            {"coding": [{"system": codes.CODE_FUNCTION, "code": "coordinator"}]},
        ]
        role = {"practitioner": {"reference": person}, "organization": {"reference": place}, "active": active}
        desk.synced(desk.make.base("PractitionerRole", code=concepts, **role))
    return place


def kind(code: str) -> Any:
    return {"coding": [{"system": codes.CODE_UNIT, "code": code}]}


def test_that_staff_come_in_norwegian_order_with_their_profession(desk: Desk) -> None:
    place = staffed(desk)
    rows = ask(desk, staff_of, workplace_ref=place)
    assert [(row.name, row.profession_text) for row in rows] == [
        ("Kari Berg", "XX"),
        ("Kari Østby", "Sykepleier"),
        ("Kari Aasen", "Helsefagarbeider"),
    ]
    assert rows[0].role_ref.startswith("PractitionerRole/")
    assert rows[0].functions == {"coordinator"}


def test_that_a_person_is_what_their_roles_at_the_place_say(desk: Desk) -> None:
    place = staffed(desk)
    rows = ask(desk, staff_of, workplace_ref=place)
    who = ask(desk, who_at, practitioner_ref=rows[1].key, workplace_ref=place)
    assert (who.name, who.initials, who.workplace_name) == ("Kari Østby", "KØ", "Nord")
    assert (who.professions, who.competences, who.functions) == ({"SP"}, {"insulin"}, {"coordinator"})
    assert ask(desk, who_at, practitioner_ref="Practitioner/x", workplace_ref=place) is None
    assert ask(desk, who_at, practitioner_ref=rows[1].key, workplace_ref="Organization/x") is None


def test_that_a_role_without_a_profession_is_an_assistants(desk: Desk) -> None:
    person = desk.synced(desk.make.base("Practitioner", name=[{"family": "Lie"}]))
    role = {"practitioner": {"reference": person}, "organization": {"reference": "Organization/x"}}
    desk.synced(desk.make.base("PractitionerRole", **role))
    (row,) = ask(desk, staff_of, workplace_ref="Organization/x")
    assert row.profession_text == "Assistent"
    who = ask(desk, who_at, practitioner_ref=person, workplace_ref="Organization/x")
    assert who.workplace_name == ""


def test_that_workplaces_are_those_where_people_work(desk: Desk) -> None:
    town = desk.synced(desk.make.base("Organization", name="Solvik", type=[kind("municipality")]))
    part = {"partOf": {"reference": town}}
    nord = desk.synced(desk.make.base("Organization", name="Nord", type=[kind("homecare-zone")], **part))
    desk.synced(desk.make.base("Organization", name="Closed", type=[kind("ward")], active=False))
    desk.synced(desk.make.base("Organization", name="Supplier"))
    odd = desk.synced(desk.make.base("Organization", name="Å-huset", type=[kind("odd")]))
    rows = ask(desk, workplaces)
    assert [(row.key, row.kind, row.parent_name) for row in rows] == [
        (nord, "homecare-zone", "Solvik"),
        (odd, "odd", ""),
    ]
    assert [row.kind_text for row in rows] == ["hjemmetjeneste", "odd"]


# outbox


def test_that_unsent_work_is_told_with_what_can_be_done_about_it(desk: Desk) -> None:
    patient = desk.synced(
        desk.make.patient() | {"id": "p", "name": [{"family": "Moen", "given": ["Astrid"]}]}
    )
    assert patient == "Patient/p"
    ref = desk.synced(desk.make.task(patient, 0))
    first = desk.bus.run(SetStatus(ref, "in-progress"), WHO)
    second = desk.bus.run(SetStatus(ref, "completed"), WHO)
    made = [desk.bus.run(Make((desk.make.observation(patient, 0),)), WHO) for _ in range(5)]
    settled = (ActState.REJECTED, ActState.PARKED, ActState.UNKNOWN, ActState.SENDING, ActState.APPLIED)
    for done, state in zip(made, settled, strict=True):
        desk.send(done.group, settle=state)
    rows = ask(desk, outbox_rows)
    assert [(row.key, row.state) for row in rows] == [
        (made[0].group, "rejected"),
        (made[1].group, "parked"),
        (first.group, "queued"),
        (second.group, "queued"),
        (made[2].group, "unknown"),
        (made[3].group, "sending"),
    ]
    by_state = {row.state: row for row in rows}
    assert [row.can_withdraw for row in rows] == [True, True, False, True, False, False]
    assert [row.can_retry for row in rows] == [True, True, False, False, False, False]
    assert [row.can_export for row in rows] == [True, True, True, False, True, True]
    row = by_state["rejected"]
    assert (row.patient_name, row.who, row.when_text, row.attempts) == (
        "Astrid Moen",
        WHO.name,
        "3. mars 01:00",
        1,
    )
    assert len({row.help_text for row in rows}) == 4
    assert len({row.state_text for row in rows}) == 5
    desk.cache.writer.run(lambda w: w._driver.execute("UPDATE outbox SET last_issue = 'not today'"))
    rows = ask(desk, outbox_rows)
    assert all("not today" in row.help_text for row in rows[:2])


def test_that_sent_is_said_only_of_what_the_record_has_confirmed(desk: Desk) -> None:
    patient = desk.synced(desk.make.patient() | {"id": "p", "name": [{"family": "Moen"}]})
    made = [desk.bus.run(Make((desk.make.observation(patient, 0),)), WHO) for _ in range(4)]
    settled = (ActState.APPLIED, ActState.SENDING, ActState.UNKNOWN, ActState.APPLIED)
    for done, state in zip(made, settled, strict=True):
        desk.send(done.group, settle=state)
    rows = ask(desk, sent_rows, day=oslo(DAY).date())
    assert [row.key for row in rows] == [made[3].group, made[0].group]
    assert {row.state_text for row in rows} == {f"sendt {oslo(DAY):%H:%M}"}
    assert not any(row.can_retry or row.can_withdraw for row in rows)
    assert all(row.help_text and row.patient_name for row in rows)
    waiting = {row.state_text for row in ask(desk, outbox_rows)}
    assert len(waiting) == 2 and not any("sendt 0" in words for words in waiting)
    for other in (-1, 1):
        assert ask(desk, sent_rows, day=oslo(DAY).date() + timedelta(days=other)) == ()


def test_that_drafts_and_conflicts_have_words_too(desk: Desk) -> None:
    ref = desk.synced(desk.make.task("Patient/p", 0))
    done = desk.bus.run(SetStatus(ref, "in-progress"), WHO)
    desk.send(done.group, settle=ActState.CONFLICT)
    raw = desk.get(ref).raw
    conflict = ConflictRow(done.group, ref, "overlap", raw, raw, raw, "2", "", None, None, DAY)
    desk.cache.writer.run(lambda w: w.conflicts.insert(conflict))
    (row,) = ask(desk, outbox_rows)
    assert (row.conflict_ref, row.patient_name, row.can_withdraw) == (ref, "", False)
    desk.cache.writer.run(lambda w: w._driver.execute("UPDATE outbox SET state = 'draft'"))
    (row,) = ask(desk, outbox_rows)
    assert (row.state, row.state_text, row.can_withdraw) == ("draft", "kladd", True)


def conflicting(desk: Desk, **rest: Any) -> str:
    raw = desk.make.task("Patient/p", 0) | {"status": "ready", "owner": {"reference": "Practitioner/o"}}
    ref = desk.synced(raw)
    desk.synced(desk.make.base("Practitioner", name=[{"family": "Lie", "given": ["Ola"]}]) | {"id": "o"})
    done = desk.bus.run(SetStatus(ref, "completed", (("description", "mine"),)), WHO)
    desk.send(done.group, settle=ActState.CONFLICT)
    theirs = raw | {"status": "cancelled", "owner": {"reference": "Practitioner/x", "display": "Per"}}
    mine = raw | {"status": "completed", "description": "mine"}
    fields: dict[str, Any] = {
        "op_id": done.group,
        "ref": ref,
        "kind": "status",
        "base": raw,
        "mine": mine,
        "theirs": theirs,
        "theirs_version": "2",
        "theirs_author": "Practitioner/o",
        "theirs_when": DAY + timedelta(hours=7),
        "merged": None,
        "noticed": DAY,
    }
    desk.cache.writer.run(lambda w: w.conflicts.insert(ConflictRow(**(fields | rest))))
    return done.group


def test_that_a_conflict_is_shown_field_by_field(desk: Desk) -> None:
    view = ask(desk, conflict_view, op_id=conflicting(desk))
    assert (view.theirs_author, view.theirs_when, view.choices) == (
        "Ola Lie",
        "3. mars 08:00",
        ("theirs", "mine"),
    )
    fields = {field.path: field for field in view.fields}
    assert set(fields) == {"status", "description", "owner"}
    assert (fields["status"].base, fields["status"].mine, fields["status"].theirs) == (
        "å gjøre",
        "utført",
        "avlyst",
    )
    assert (fields["owner"].base, fields["owner"].theirs, fields["owner"].label) == (
        "Ola Lie",
        "Per",
        "Ansvarlig",
    )
    assert not any(field.same for field in view.fields)


def test_that_both_may_be_kept_where_they_can_stand_together_and_mine_not_where_it_is_gone(
    desk: Desk,
) -> None:
    merged = conflicting(desk, merged={"resourceType": "Task"}, theirs_author="", theirs_when=None)
    view = ask(desk, conflict_view, op_id=merged)
    assert view.choices == ("theirs", "mine", "merged")
    assert (view.theirs_author, view.theirs_when) == ("en annen", "")
    gone = ask(desk, conflict_view, op_id=conflicting(desk, theirs=None, theirs_author="Practitioner/zz"))
    assert (gone.choices, gone.theirs_author) == (("theirs",), "en annen")
    named = ask(desk, conflict_view, op_id=conflicting(desk, theirs_author="Per Lund"))
    assert named.theirs_author == "Per Lund"


def test_that_several_resources_in_conflict_are_told_apart(desk: Desk) -> None:
    op_id = conflicting(desk)
    raw = desk.make.appointment("Patient/p", 0)
    other = ConflictRow(
        op_id, f"Appointment/{raw['id']}", "x", None, raw, raw | {"status": "x"}, "2", "", None, None, DAY
    )
    desk.cache.writer.run(lambda w: w.conflicts.insert(other))
    view = ask(desk, conflict_view, op_id=op_id)
    assert {"Task.status", "Appointment.status"} <= {field.path for field in view.fields}


def test_that_a_decided_conflict_is_told_as_decided(desk: Desk) -> None:
    op_id = conflicting(desk)
    desk.cache.writer.run(lambda w: w.conflicts.decide(op_id, "theirs", "Practitioner/k", DAY))
    for asked in (op_id, "nobody"):
        with pytest.raises(UserProblem):
            ask(desk, conflict_view, op_id=asked)


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (None, ""),
        (True, "ja"),
        (False, "nei"),
        (72.5, "72,5"),
        ("2026-03-03T07:00:00Z", "3. mars 08:00"),
        ("1942-03-12", "12.03.1942"),
        ("2026-99-99", "2026-99-99"),
        ("Kongens gate", "Kongens gate"),
        ({"start": "2026-03-03T07:00:00Z"}, "3. mars 08:00"),
        ({"start": "2026-03-03T07:00:00Z", "end": "2026-03-03T08:00:00Z"}, "3. mars 08:00 – 3. mars 09:00"),
        ({"value": 72.5, "unit": "kg"}, "72,5 kg"),
        ({"system": "phone", "value": "912"}, "912 phone"),
        ({"text": "Fall"}, "Fall"),
        ({"coding": [{"code": "x", "display": "Fall"}]}, "Fall"),
        ({"family": "Moen", "given": ["Astrid"]}, "Astrid Moen"),
        ([{"actor": {"reference": "Practitioner/x", "display": "Per"}}, {"text": ""}], "Per"),
        ({"individual": {"reference": "Practitioner/x"}}, "Practitioner/x"),
        ({"url": "http://x/visit-route-order", "valuePositiveInt": 3}, "visit-route-order: 3"),
        ({"odd": 1}, '{"odd":1}'),
    ],
)
def test_that_an_element_is_told_in_words(desk: Desk, value: Any, words: str) -> None:
    assert ask(desk, lambda reading: in_words(reading, value)) == words


def test_that_the_reason_something_is_gone_can_be_shown(desk: Desk) -> None:
    for number, why in enumerate(Why):
        ref = desk.synced(desk.make.task("Patient/p", 0))
        evidence = Evidence(
            why, DAY + timedelta(minutes=number), "3" if number else "", 410 if number else None
        )
        desk.cache.writer.run(lambda w, r=ref, e=evidence: w.remove_synced(r, e))
    rows = ask(desk, evidence_rows, patient_ref="Patient/p")
    assert len({row.why_text for row in rows}) == len({row.key for row in rows}) == len(Why)
    assert rows[0].detail == "svar 410 · versjon 3"
    assert rows[-1].detail == ""
    assert ask(desk, evidence_rows) == rows
