"""The day list and the zone list from the cache."""

from __future__ import annotations

import io

import pypdf

from clinician.fhir import codes
from clinician.queries.query import Raw
from modules.homecare import queries as q
from modules.homecare.commands import CompleteVisit, MoveVisit
from modules.homecare.reports import day_list_pdf, key_sheet_pdf, zone_list_pdf
from modules.homecare.rows import Sheet
from tests.modules.homecare.memory import DAY, NOW, Desk, MemoryReading, at, task, visit, zone

NORD = "Organization/nord"


def _flag(key: str, code: str, text: str = "", **more: object) -> Raw:
    return {
        "resourceType": "Flag",
        "id": key,
        "status": "active",
        "subject": {"reference": "Patient/ola"},
        "code": {"coding": [{"system": codes.CODE_FLAG, "code": code}], **({"text": text} if text else {})},
        **more,
    }


def world() -> MemoryReading:
    return zone(
        visit("v1", travel=5),
        task("t1"),
        visit("v2", "09:00", of="eva", who=("kari", "me"), staff=2, route="r-kari", fixed=True),
        task("t2", focus="v2", of="eva", measure="shower"),
        visit("v3", "10:00", who=(), status="pending"),
        visit("v4", "11:00"),
        _flag(
            "f1", "access", "Nøkkelboks", extension=[{"url": codes.EXT_ACCESS, "valueString": "kode 4711"}]
        ),
        _flag("f2", "pet", "Katt"),
        _flag("f3", "infection", "MRSA"),
        {
            "resourceType": "AllergyIntolerance",
            "id": "a",
            "patient": {"reference": "Patient/ola"},
            "clinicalStatus": {"coding": [{"system": codes.ALLERGY_CLINICAL, "code": "active"}]},
            "code": {"text": "Penicillin"},
        },
    )


def text_of(pdf: bytes) -> str:
    return "\n".join(page.extract_text() for page in pypdf.PdfReader(io.BytesIO(pdf)).pages)


def day_sheet(reading: MemoryReading, *, with_access: bool = False) -> Sheet:
    return q.day_sheet(
        reading,
        practitioner_ref="Practitioner/me",
        workplace_ref=NORD,
        day=DAY,
        now=NOW,
        with_access=with_access,
    )


def test_that_the_day_list_holds_my_day_and_no_secret() -> None:
    sheet = day_sheet(world(), with_access=True)
    text = text_of(day_list_pdf(sheet, printed_at=NOW, printed_by="Silje Nygård"))
    for wanted in (
        "Silje Nygård",
        "Ola Berg",
        "født 12.03.1942",
        "Eva Moe",
        "Kari Lunde",
        "Insulin",
        "Nøkkelboks",
        "! Allergi: Penicillin",
        "! MRSA",
        "to personer · fast tid",
    ):
        assert wanted in text, wanted
    assert "4711" not in text
    assert "! Katt" not in text
    assert "Dagsliste" in text


def test_that_the_key_sheet_is_its_own_paper_and_only_when_asked_for() -> None:
    assert day_sheet(world()).access == ()
    sheet = day_sheet(world(), with_access=True)
    text = text_of(key_sheet_pdf(sheet, printed_at=NOW, printed_by="Silje Nygård"))
    assert "kode 4711" in text
    assert "FORTROLIG" in text


def test_that_the_zone_list_has_everybody_and_the_unassigned_first() -> None:
    sheet = q.zone_sheet(world(), workplace_ref=NORD, day=DAY, now=NOW)
    assert [route.title for route in sheet.routes][:2] == ["Ufordelt", "Håkon Vatne"]
    printed = [line.key for route in sheet.routes for line in route.visits]
    assert sorted(set(printed)) == [f"Appointment/v{n}" for n in range(1, 5)]
    tasks = [line.tasks for route in sheet.routes for line in route.visits]
    assert all(len(set(one)) == len(one) for one in tasks)
    assert "Soneliste" in text_of(zone_list_pdf(sheet, printed_at=NOW, printed_by="Marte"))


def test_that_moved_visits_are_not_driven_and_unsent_ones_are_counted() -> None:
    reading = world()
    desk = Desk(reading, at("08:25"))
    desk.do(CompleteVisit("Appointment/v1"))
    desk.do(MoveVisit("Appointment/v4", at("13:00"), "lege"))
    sheet = day_sheet(reading)
    keys = [line.key for route in sheet.routes for line in route.visits]
    assert "Appointment/v4" not in keys
    assert len(keys) == 3
    assert sheet.waiting == 2
    text = text_of(day_list_pdf(sheet, printed_at=NOW, printed_by="Silje"))
    assert "utført 08:00–08:25 (ikke sendt ennå)" in text


def test_that_a_visit_on_no_route_is_on_the_zone_list_too() -> None:
    reading = world()
    reading.put(visit("v9", "12:00", who=("gone",), route=""))
    sheet = q.zone_sheet(reading, workplace_ref=NORD, day=DAY, now=NOW)
    assert sheet.routes[-1].title == "Uten rute"
