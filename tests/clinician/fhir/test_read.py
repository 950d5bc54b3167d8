from __future__ import annotations

from datetime import UTC, date, datetime

from hypothesis import given, settings
from hypothesis import strategies as st

from clinician.fhir import codes, read

PATIENT = {
    "resourceType": "Patient",
    "id": "p",
    "meta": {
        "versionId": "3",
        "lastUpdated": "2026-03-09T06:00:00Z",
        "tag": [{"system": codes.CODE_PRACTICE, "code": "practice"}],
    },
    "identifier": [
        {"system": codes.FNR, "value": "old", "use": "old"},
        {"system": codes.FNR, "value": "01815016536"},
    ],
    "name": [
        {"use": "old", "family": "Gammel"},
        {"use": "official", "given": ["Anna", "Marie"], "family": "Berg"},
    ],
    "birthDate": "1950-03-10",
    "telecom": [
        {"system": "phone", "value": "1", "use": "home"},
        {"system": "phone", "value": "2", "use": "mobile", "period": {"end": "2025"}},
    ],
    "address": [
        {
            "use": "home",
            "line": ["Storgata 1"],
            "postalCode": "7600",
            "city": "Levanger",
            "extension": [
                {
                    "url": codes.EXT_GEO,
                    "extension": [
                        {"url": "latitude", "valueDecimal": 63.7},
                        {"url": "longitude", "valueDecimal": 11.3},
                    ],
                }
            ],
        }
    ],
}
VISIT = {
    "resourceType": "Appointment",
    "status": "booked",
    "start": "2026-03-09T07:30:00+01:00",
    "end": "2026-03-09T08:00:00+01:00",
    "participant": [
        {"actor": {"reference": "Patient/p"}},
        {"actor": {"reference": "http://r/Practitioner/k"}},
        {"actor": {"reference": "Practitioner/l"}},
    ],
    "extension": [{"url": codes.EXT_ROUTE_ORDER, "valuePositiveInt": 2}],
}


def test_that_a_person_is_read_as_a_person_writes() -> None:
    assert read.name_text(PATIENT) == "Anna Marie Berg"
    assert read.name_sorted(PATIENT) == "Berg, Anna Marie"
    assert read.initials(PATIENT) == "AMB"
    assert read.address_text(PATIENT) == "Storgata 1, 7600 Levanger"
    assert read.street_text(PATIENT) == "Storgata 1"
    assert read.position(PATIENT) == (63.7, 11.3)
    assert read.national_number(PATIENT) == "01815016536"
    assert str(read.birth_date(PATIENT)) == "1950-03-10"
    assert (read.age_on(PATIENT, date(2026, 3, 9)), read.age_on(PATIENT, date(2026, 3, 10))) == (75, 76)
    assert read.is_practice(PATIENT)
    assert not read.is_deceased(PATIENT)
    assert read.name_text({"name": "Sone Nord"}) == "Sone Nord"
    assert read.version_of(PATIENT) == "3"
    assert read.last_updated_of(PATIENT) == datetime(2026, 3, 9, 6, tzinfo=UTC)


def test_that_a_mobile_is_rung_first_unless_it_is_no_longer_theirs() -> None:
    assert read.phone(PATIENT) == "2"
    assert read.phone(PATIENT, datetime(2026, 3, 9, tzinfo=UTC)) == "1"


def test_that_a_visit_knows_whom_it_is_for_and_who_goes() -> None:
    assert read.patient_ref_of(VISIT) == "Patient/p"
    assert read.owners_of(VISIT) == ("Practitioner/k", "Practitioner/l")
    assert read.owner_of(VISIT) == "Practitioner/k"
    assert read.start_of(VISIT) == datetime(2026, 3, 9, 6, 30, tzinfo=UTC)
    assert read.end_of(VISIT) == datetime(2026, 3, 9, 7, tzinfo=UTC)
    assert read.status_of(VISIT) == "booked"
    assert read.extension(VISIT, codes.EXT_ROUTE_ORDER) == 2


def test_that_the_patient_is_found_wherever_a_type_keeps_it() -> None:
    ref = {"reference": "Patient/p"}
    for raw in ({"resourceType": "Task", "for": ref}, {"resourceType": "Flag", "subject": ref}, {"resourceType": "AllergyIntolerance", "patient": ref},
                {"resourceType": "Provenance", "target": [{"reference": "Task/t"}, ref]}, {"resourceType": "AuditEvent", "entity": [{"what": ref}]}):  # fmt: skip
        assert read.patient_ref_of(raw) == "Patient/p"
    assert read.patient_ref_of(PATIENT) == "Patient/p"
    assert read.patient_ref_of({"resourceType": "Flag", "subject": {"reference": "Group/g"}}) == ""


def test_that_codes_are_read_from_concepts_codings_and_bare_codes() -> None:
    raw = {
        "code": {"coding": [{"system": "s", "code": "a", "display": "A"}, {"code": 5}], "text": "Alpha"},
        "class": {"system": "v", "code": "HH"},
        "use": "x",
    }
    assert [c.key for c in read.codings(raw, "code")] == ["s|a"]
    assert read.code_of(raw) == ("s", "a", "A")
    assert read.code_in(raw, "class", "v") == "HH"
    assert read.codings(raw, "use") == (("", "x", ""),)
    assert read.has_code(raw, "code", "s", "a") and not read.has_code(raw, "code", "s", "b")
    assert read.title_of(raw) == "Alpha"
    assert read.status_of({"clinicalStatus": {"coding": [{"code": "active"}]}}) == "active"


def test_that_a_day_is_norwegian_and_never_invented() -> None:
    assert read.day_at({"d": "2026-03-08T23:30:00Z"}, "d") == date(2026, 3, 9)
    assert read.day_at({"d": "2026-03"}, "d") is None
    assert read.day_at({"d": "soon"}, "d") is None


def test_that_an_extension_is_set_and_taken_away_without_touching_others() -> None:
    base = {"extension": [{"url": "a", "valueString": "1"}, {"url": "b", "valueString": "2"}]}
    changed = read.with_extension(base, "a", "valueString", "9")
    assert (read.extension(changed, "a"), read.extension(changed, "b"), read.extension(base, "a")) == (
        "9",
        "2",
        "1",
    )
    assert "extension" not in read.with_extension(
        {"extension": [{"url": "a", "valueString": "1"}]}, "a", "valueString", None
    )


def test_that_what_the_record_adds_is_left_out_of_comparisons() -> None:
    assert read.without_meta({"id": "a", "meta": {"versionId": "1"}, "text": {"status": "generated"}}) == {
        "id": "a"
    }
    assert "text" in read.without_meta({"text": {"status": "additional"}})


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=4),
    lambda c: (
        st.lists(c, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "coding",
                    "code",
                    "given",
                    "family",
                    "use",
                    "system",
                    "value",
                    "reference",
                    "period",
                    "start",
                    "end",
                    "url",
                    "extension",
                    "line",
                    "actor",
                    "tag",
                ]
            ),
            c,
            max_size=3,
        )
    ),
    max_leaves=8,
)
READERS = (read.name_text, read.name_sorted, read.initials, read.birth_date, read.is_deceased, read.phone, read.address_text, read.street_text, read.position,
           read.national_number, read.is_practice, read.patient_ref_of, read.owners_of, read.status_of, read.code_of, read.title_of, read.start_of, read.end_of, read.due_of, read.version_of, read.last_updated_of, read.without_meta)  # fmt: skip


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "resourceType",
                "id",
                "meta",
                "name",
                "birthDate",
                "telecom",
                "address",
                "identifier",
                "status",
                "code",
                "subject",
                "for",
                "participant",
                "period",
                "start",
                "extension",
                "clinicalStatus",
                "text",
                "restriction",
                "deceasedBoolean",
            ]
        ),
        JSON,
        max_size=6,
    )
)
@settings(max_examples=200)
def test_that_no_reader_fails_on_a_resource_however_badly_built(raw: dict[str, object]) -> None:
    for reader in READERS:
        reader(raw)
    read.age_on(raw, date(2026, 1, 1))
    read.phone(raw, datetime(2026, 1, 1, tzinfo=UTC))
    read.extensions(raw, "x")
