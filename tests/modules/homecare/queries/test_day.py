"""My day, the visit, the zone, candidates and the ledger."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest

from clinician import texts
from clinician.cache.synced import EvidenceRow, Why
from clinician.fhir import codes
from clinician.fhir.times import to_instant
from clinician.queries.query import Raw, RowState
from modules.homecare import queries as q
from modules.homecare.commands import CompleteVisit, ExceptVisit, MoveVisit, RecordNotHome, StartVisit
from modules.homecare.rows import BrokenLink, DayRow, ItemKind, MyDay, NotDone, Section, VisitState
from tests.modules.homecare.memory import (
    DAY,
    NOW,
    Desk,
    MemoryReading,
    at,
    episode,
    patient,
    practitioner,
    role,
    task,
    visit,
    zone,
)

ME, NORD = "Practitioner/me", "Organization/nord"


def flag(key: str, code: str, of: str = "ola", text: str = "", **more: object) -> Raw:
    return {
        "resourceType": "Flag",
        "id": key,
        "status": "active",
        "subject": {"reference": f"Patient/{of}"},
        "code": {"coding": [{"system": codes.CODE_FLAG, "code": code}], **({"text": text} if text else {})},
        **more,
    }


def my_day(reading: MemoryReading, now: datetime = NOW) -> MyDay:
    return q.my_day(reading, practitioner_ref=ME, workplace_ref=NORD, day=DAY, now=now)


def by_key(day: MyDay) -> dict[str, DayRow]:
    return {row.key.split("/")[1]: row for row in day.rows}


def test_that_the_day_is_mine_in_order_with_one_that_stands_out() -> None:
    reading = zone(
        visit("v1", "08:00"),
        visit("v2", "09:00", of="eva"),
        visit("v3", "08:30", who=("kari",), route="r-kari"),
        visit("v4", "07:20", status="fulfilled", of="eva"),
    )
    day = my_day(reading)
    assert [(row.key.split("/")[1], row.section) for row in day.rows] == [
        ("v1", Section.NEXT),
        ("v2", Section.LATER),
        ("v4", Section.DONE),
    ]
    assert day.next_key == "Appointment/v1"
    assert (day.sums.planned, day.sums.done, day.sums.open) == (3, 1, 2)
    assert (day.as_of, day.complete) == (NOW, True)


def test_that_what_is_left_from_earlier_days_lies_on_top_until_closed() -> None:
    yesterday = DAY - timedelta(days=1)
    reading = zone(visit("old", "08:00", day=yesterday), visit("v1", "08:00"))
    day = my_day(reading)
    assert day.rows[0].key == "Appointment/old"
    assert day.rows[0].section is Section.OVERDUE
    assert day.sums.overdue == 1
    assert day.next_key == "Appointment/v1"
    Desk(reading).do(ExceptVisit("Appointment/old", NotDone.NOT_NEEDED))
    assert [row.key for row in my_day(reading).rows] == ["Appointment/v1"]


def test_that_a_double_staffed_visit_is_in_both_lists_and_names_the_other() -> None:
    reading = zone(visit("v1", who=("kari", "me"), staff=2, route="r-kari"), visit("v2", "09:00", staff=2))
    rows = by_key(my_day(reading))
    assert (rows["v1"].two_persons, rows["v1"].colleague_text) == (True, "Kari Lunde")
    assert rows["v2"].colleague_text == "1 person mangler"


def test_that_who_looks_is_no_colleague_of_their_own() -> None:
    reading = zone(visit("v1"), visit("v2", "09:00", who=("me", "kari"), staff=2))

    def card(key: str, who: str) -> str:
        found = q.visit_card(reading, appointment_ref=f"Appointment/{key}", now=NOW, practitioner_ref=who)
        assert found is not None
        return found.colleague_text

    assert card("v1", "Practitioner/me") == ""
    assert card("v2", "Practitioner/me") == "Kari Lunde"
    assert card("v2", "") == "Silje Nygård, Kari Lunde"


def test_that_a_sender_this_pc_does_not_have_keeps_the_name_the_message_gives() -> None:
    reply: Raw = {
        "resourceType": "Communication",
        "id": "c1",
        "status": "completed",
        "subject": {"reference": "Patient/eva"},
        "sender": {"reference": "Practitioner/gp", "display": "Lege Unni Aas"},
        "recipient": [{"reference": NORD}],
        "payload": [{"contentString": "Ring meg"}],
        "sent": to_instant(at("07:00")),
    }
    nameless = {**reply, "id": "c2", "sender": {"reference": "Practitioner/x"}}
    rows = by_key(my_day(zone(visit("v1"), reply, nameless), at("08:30")))
    assert rows["c1"].title == "Lege Unni Aas: Ring meg"
    assert rows["c2"].title == "ukjent: Ring meg"


def test_that_a_row_tells_what_is_needed_at_the_door() -> None:
    changed = {"versionId": "2", "lastUpdated": to_instant(at("07:02"))}
    reading = zone(
        visit("v1", travel=10, meta=changed),
        task("t1", measure="insulin"),
        task("t2", status="completed", measure="wound"),
        flag(
            "f1",
            "access",
            text="Nøkkelboks",
            extension=[{"url": codes.EXT_ACCESS, "valueString": "kode 4711"}],
        ),
        flag("f2", "new-user"),
    )
    row = by_key(my_day(reading))["v1"]
    assert (row.access_hint, row.travel_text, row.is_new_user) == ("Nøkkelboks", "10 min", True)
    assert (row.address, row.phone) == ("Elvegata 3, 7600 Levanger", "90000000")
    assert (row.tasks_open, row.tasks_total) == (1, 2)
    assert row.changed_text == "endret 07:02"
    assert "4711" not in str(my_day(reading))


def test_that_late_and_past_due_are_told_apart() -> None:
    reading = zone(visit("v1", "08:00", 60))
    assert by_key(my_day(reading, at("08:40")))["v1"].late_minutes == 40
    assert by_key(my_day(reading, at("08:40")))["v1"].section is Section.NOW
    assert by_key(my_day(reading, at("09:01")))["v1"].section is Section.OVERDUE


def test_that_states_are_told_in_words() -> None:
    reading = zone(*(visit(f"v{n}", f"{8 + n:02d}:00") for n in range(5)))
    desk = Desk(reading, at("10:00"))
    desk.do(CompleteVisit("Appointment/v0"))
    desk.do(RecordNotHome("Appointment/v1"))
    desk.do(ExceptVisit("Appointment/v2", NotDone.REFUSED, "sov"))
    desk.do(MoveVisit("Appointment/v3", at("14:00"), "frisør"))
    desk.do(StartVisit("Appointment/v4"))
    rows = by_key(my_day(reading, at("10:05")))
    assert rows["v0"].status_text == "utført 08:00–08:20"
    assert rows["v1"].status_text == "ikke hjemme"
    assert rows["v2"].status_text == "ønsket ikke: sov"
    assert rows["v3"].status_text == "flyttet: frisør"
    assert rows["v4"].status_text == "startet 10:00"
    assert rows["v4"].section is Section.NOW
    assert my_day(reading, at("10:05")).next_key == "Appointment/v4"
    assert all(rows[key].state is RowState.QUEUED for key in ("v0", "v1", "v2", "v3", "v4"))


def test_that_follow_ups_and_replies_are_in_the_same_list() -> None:
    reply = {
        "resourceType": "Communication",
        "id": "c1",
        "status": "in-progress",
        "subject": {"reference": "Patient/eva"},
        "sender": {"reference": "Practitioner/kari"},
        "recipient": [{"reference": NORD}],
        "payload": [{"contentString": "Ring meg"}],
        "sent": to_instant(at("07:00")),
    }
    reading = zone(
        visit("v1"),
        reply,
        {**reply, "id": "c2", "received": to_instant(at("07:05"))},
        {**reply, "id": "c3", "priority": "urgent"},
        {**reply, "id": "c4", "recipient": [{"reference": "Practitioner/kari"}]},
        {**reply, "id": "c5", "status": "entered-in-error"},
    )
    Desk(reading, at("08:05")).do(RecordNotHome("Appointment/v1"))
    rows = by_key(my_day(reading, at("08:30")))
    assert {key for key, row in rows.items() if row.kind is ItemKind.REPLY} == {"c1", "c3"}
    assert rows["c3"].section is Section.NOW
    assert rows["c1"].title == "Kari Lunde: Ring meg"
    chain = [row for row in rows.values() if row.kind is ItemKind.FOLLOW_UP]
    assert [row.section for row in sorted(chain, key=lambda r: r.start or NOW)] == [
        Section.OVERDUE,
        Section.LATER,
        Section.LATER,
    ]
    assert {row.patient_name for row in chain} == {"Ola Berg"}


def test_that_a_closed_follow_up_stays_among_the_done_for_the_day() -> None:
    from modules.homecare.commands import CloseFollowUp

    reading = zone(visit("v1"))
    desk = Desk(reading, at("08:05"))
    desk.do(RecordNotHome("Appointment/v1"))
    first = next(row for row in my_day(reading, at("08:06")).rows if row.kind is ItemKind.FOLLOW_UP)
    desk.do(CloseFollowUp(first.key))
    row = by_key(my_day(reading, at("08:10")))[first.key.split("/")[1]]
    assert (row.section, row.tasks_open) == (Section.DONE, 0)
    tomorrow = q.my_day(
        reading, practitioner_ref=ME, workplace_ref=NORD, day=DAY + timedelta(days=1), now=at("08:00")
    )
    assert first.key not in {one.key for one in tomorrow.rows}


def test_that_other_services_stay_out() -> None:
    physio = visit("p1", serviceType=[{"coding": [{"system": codes.CODE_UNIT, "code": "physio"}]}])
    home = visit("h1", serviceType=[{"coding": [{"system": codes.CODE_UNIT, "code": "homecare-zone"}]}])
    assert set(by_key(my_day(zone(physio, home)))) == {"h1"}


# the visit


def test_that_the_card_holds_the_visit_and_what_changed_since_last_time() -> None:
    reading = zone(
        visit("v1", service="s1"),
        task("t1"),
        task(
            "t0",
            focus="v0",
            status="completed",
            day=DAY - timedelta(days=1),
            owner={"reference": "Practitioner/kari"},
        ),
        flag(
            "f1",
            "access",
            text="Nøkkelboks",
            extension=[{"url": codes.EXT_ACCESS, "valueString": "kode 4711"}],
        ),
        {
            "resourceType": "ServiceRequest",
            "id": "s1",
            "status": "active",
            "code": {"text": "Helsetjenester i hjemmet"},
            "subject": {"reference": "Patient/ola"},
            "extension": [{"url": codes.EXT_GRANTED, "valueDecimal": 210}],
        },
        {
            "resourceType": "RelatedPerson",
            "id": "k1",
            "patient": {"reference": "Patient/ola"},
            "name": [{"given": ["Eva"], "family": "Berg"}],
            "relationship": [{"text": "datter"}],
            "telecom": [{"system": "phone", "value": "91111111"}],
        },
        {
            "resourceType": "MedicationRequest",
            "id": "m1",
            "status": "active",
            "subject": {"reference": "Patient/ola"},
            "medicationCodeableConcept": {"text": "Metoprolol 50 mg"},
            "authoredOn": to_instant(at("06:30")),
            "requester": {"reference": "Practitioner/haakon"},
        },
    )
    card = q.visit_card(reading, appointment_ref="Appointment/v1", now=NOW)
    assert card is not None
    assert card.planned_text == "08:00–08:20 (20 min)"
    assert card.granted_text == "Helsetjenester i hjemmet: 3,5 t per uke"
    assert card.actual_text == ""
    assert (card.next_of_kin_text, card.next_of_kin_phone) == ("Eva Berg (datter)", "91111111")
    assert (card.access_hint, card.access_flag_ref) == ("Nøkkelboks", "Flag/f1")
    assert card.birth_text == "12.03.1942"
    (row,) = card.tasks
    assert row.measure == "insulin"
    assert row.history_text == "utført i går 08:00 av Kari Lunde"
    assert [(change.text, change.author) for change in card.changes] == [
        ("Legemiddel: Metoprolol 50 mg", "Håkon Vatne")
    ]
    assert q.access_detail(reading, flag_ref="Flag/f1") == "kode 4711"
    assert q.access_detail(reading, flag_ref="Flag/x") == ""


def test_that_the_chain_hangs_on_the_card_with_whom_to_call() -> None:
    reading = zone(visit("v1"))
    Desk(reading, at("08:05")).do(RecordNotHome("Appointment/v1"))
    card = q.visit_card(reading, appointment_ref="Appointment/v1", now=at("08:06"))
    assert card is not None
    chain = [row for row in card.tasks if row.is_follow_up]
    assert [row.due for row in chain] == sorted(row.due for row in chain if row.due)
    assert {row.owner_text for row in chain} == {"Silje Nygård"}
    assert chain[1].phone == "90000000"


def test_that_actual_and_planned_are_two_numbers() -> None:
    reading = zone(visit("v1"))
    Desk(reading, at("09:00")).do(CompleteVisit("Appointment/v1", at("08:05"), at("08:40")))
    card = q.visit_card(reading, appointment_ref="Appointment/v1", now=at("09:01"))
    assert card is not None
    assert card.planned_text == "08:00–08:20 (20 min)"
    assert card.actual_text == "utført 08:05–08:40 (35 min)"


def test_that_what_is_not_a_visit_has_no_card() -> None:
    assert q.visit_card(zone(), appointment_ref="Appointment/x", now=NOW) is None
    assert q.visit_card(zone(), appointment_ref="Patient/ola", now=NOW) is None


# the zone


def test_that_the_zone_has_a_lane_per_person_and_what_nobody_has_on_top() -> None:
    reading = zone(
        visit("v1", travel=5),
        visit("v2", "09:00", who=("kari",), route="r-kari", of="eva"),
        visit("v3", "10:00", who=(), status="pending", needs=("wound", "SP")),
        visit("v4", "11:00", staff=2),
        visit("v5", "12:00", who=("gone",), route="r-gone"),
    )
    reading.put(practitioner("gone", "Per Borte"))
    day = q.zone_day(reading, workplace_ref=NORD, day=DAY, now=NOW)
    lanes = {lane.name: lane for lane in day.routes}
    assert set(lanes) == {"Silje Nygård", "Kari Lunde", "Jonas Bakken", "Håkon Vatne", "Per Borte"}
    assert [v.key for v in lanes["Silje Nygård"].visits] == ["Appointment/v1", "Appointment/v4"]
    assert lanes["Silje Nygård"].load_text == "45 min av 7 t 45 min"
    assert lanes["Silje Nygård"].initials == "SN"
    assert lanes["Jonas Bakken"].profession_text == "helsefagarbeider"
    assert [v.key for v in day.unassigned] == ["Appointment/v3", "Appointment/v4"]
    assert day.unassigned[0].why_text == ""
    assert day.unassigned[0].competence_text == "sykepleier, sårstell"
    assert day.sums.planned == 5


def test_that_a_visit_nobody_can_take_says_why() -> None:
    reading = zone(visit("v3", "10:00", who=(), status="pending", needs=("palliative",)))
    (left,) = q.zone_day(reading, workplace_ref=NORD, day=DAY, now=NOW).unassigned
    assert left.why_text == "Ingen på vakt i dag har det som kreves: lindrende pleie"


def test_that_absence_shows_on_the_lane() -> None:
    whole = {"description": "syk", "during": {"start": "2026-03-03", "end": "2026-03-03"}}
    part = {
        "description": "kurs",
        "during": {"start": to_instant(at("12:00")), "end": to_instant(at("14:00"))},
    }
    other = {"during": {"start": to_instant(at("20:00"))}}
    reading = zone(visit("v1"))
    reading.put(role("kari", "insulin") | {"notAvailable": [whole]})
    reading.put(role("haakon", "insulin") | {"notAvailable": [part, other, {"description": "?"}]})
    lanes = {lane.name: lane for lane in q.zone_day(reading, workplace_ref=NORD, day=DAY, now=NOW).routes}
    assert lanes["Kari Lunde"].absent_text == "borte: syk"
    assert lanes["Håkon Vatne"].absent_text == "borte 12:00–14:00: kurs"
    assert not lanes["Silje Nygård"].is_absent


def test_that_only_those_who_can_are_candidates_and_the_known_face_comes_first() -> None:
    known = {
        "resourceType": "Encounter",
        "id": "e1",
        "status": "finished",
        "subject": {"reference": "Patient/ola"},
        "participant": [{"individual": {"reference": "Practitioner/haakon"}}],
        "period": {"start": to_instant(at("08:00", DAY - timedelta(days=3)))},
    }
    reading = zone(visit("v1", needs=("insulin",)), known)
    found = q.candidates(reading, appointment_ref="Appointment/v1", now=NOW)
    assert [one.name for one in found] == ["Håkon Vatne", "Kari Lunde"]
    assert found[0].note.startswith("kjenner brukeren")
    assert found[0].start == at("08:00")


@pytest.mark.parametrize(
    ("raw", "names"),
    [
        (visit("v1", wish="male", firm=True), {"Jonas Bakken", "Håkon Vatne"}),
        (visit("v1", wish="male"), {"Kari Lunde", "Jonas Bakken", "Håkon Vatne"}),
        (visit("v1", "05:00", fixed=True), set()),
        (visit("v1", status="fulfilled"), set()),
        (visit("v1", status="arrived"), set()),
    ],
)
def test_that_wishes_and_times_filter(raw: Raw, names: set[str]) -> None:
    found = q.candidates(zone(raw), appointment_ref="Appointment/v1", now=NOW)
    assert {one.name for one in found} == names


# the ledger


def test_that_each_broken_link_is_a_named_item_with_an_owner() -> None:
    service = {
        "resourceType": "ServiceRequest",
        "id": "s1",
        "status": "active",
        "category": [{"coding": [{"system": codes.KPR_SERVICE, "code": "15"}]}],
        "code": {"text": "Helsetjenester i hjemmet"},
        "subject": {"reference": "Patient/eva"},
        "performer": [{"reference": NORD}],
        "extension": [{"url": codes.EXT_GRANTED, "valueDecimal": 210}],
        "occurrencePeriod": {"start": "2026-02-22"},
    }
    alarm = {**service, "id": "s2", "category": [{"coding": [{"system": codes.KPR_SERVICE, "code": "6"}]}]}
    ended = {**service, "id": "s3", "occurrencePeriod": {"start": "2026-01-01", "end": "2026-02-01"}}
    follow = task(
        "t5", code={"coding": [{"system": codes.CODE_TASK, "code": "follow-up"}]}, description="Ring"
    )
    reading = zone(
        visit("old", "08:00", day=DAY - timedelta(days=1)),
        visit("none", "10:00", who=(), status="pending"),
        visit("bare", "07:15", status="fulfilled"),
        visit("forgot", "07:16", status="arrived"),
        visit("ok", "11:00"),
        task("t1", focus="ok", status="on-hold"),
        service,
        alarm,
        ended,
        follow,
        {
            **follow,
            "id": "t6",
            "owner": {"reference": ME},
            "restriction": {"period": {"end": to_instant(at("07:00"))}},
        },
        {
            **follow,
            "id": "t7",
            "owner": {"reference": ME},
            "restriction": {"period": {"end": to_instant(at("15:00"))}},
        },
        {**follow, "id": "t8", "for": {"reference": "Patient/elsewhere"}},
    )
    found = q.ledger(reading, workplace_ref=NORD, day=DAY, now=at("10:00"))
    broken = {(row.key.split("/")[1], row.link) for row in found.broken}
    assert broken == {
        ("old", BrokenLink.PAST_DUE),
        ("none", BrokenLink.NO_OWNER),
        ("bare", BrokenLink.PLANNED_NOT_DOCUMENTED),
        ("forgot", BrokenLink.PLANNED_NOT_DOCUMENTED),
        ("t1", BrokenLink.NO_OWNER),
        ("t5", BrokenLink.NO_OWNER),
        ("t6", BrokenLink.FOLLOW_UP_LATE),
        ("s1", BrokenLink.GRANTED_NOT_PLANNED),
    }
    assert all(row.owner_text and row.link_text for row in found.broken)
    by = {row.key: row for row in found.broken}
    assert by["ServiceRequest/s1"].since_text == "22. feb. 2026"


def test_that_a_postponed_task_with_an_owned_follow_up_is_whole() -> None:
    from modules.homecare.commands import ExceptTask

    reading = zone(visit("v1"), task("t1"))
    Desk(reading).do(ExceptTask("Task/t1", NotDone.POSTPONED))
    assert q.ledger(reading, workplace_ref=NORD, day=DAY, now=NOW).broken == ()


def test_that_three_times_are_three_numbers() -> None:
    reading = zone(visit("v1"), visit("v2", "09:00", 40), visit("v3", "10:00", 60, status="cancelled"))
    reading.put(
        {
            "resourceType": "ServiceRequest",
            "id": "s1",
            "status": "active",
            "subject": {"reference": "Patient/ola"},
            "extension": [{"url": codes.EXT_GRANTED, "valueDecimal": 700}],
        }
    )
    Desk(reading, at("09:00")).do(CompleteVisit("Appointment/v1", at("08:00"), at("08:33")))
    found = q.ledger(reading, workplace_ref=NORD, day=DAY, now=at("09:00"))
    assert (found.planned_minutes, found.granted_minutes, found.actual_minutes) == (60, 100, 33)


def test_that_what_left_a_list_left_evidence() -> None:
    reading = zone(visit("v1"), visit("v2", "09:00"), visit("v3", "10:00"))
    reading.put(
        {
            "resourceType": "Provenance",
            "id": "p1",
            "target": [{"reference": "Appointment/v2"}],
            "recorded": to_instant(at("07:30")),
            "agent": [{"who": {"reference": "Practitioner/kari"}}],
        }
    )
    desk = Desk(reading)
    desk.do(MoveVisit("Appointment/v1", at("14:00"), "frisør"))
    desk.do(ExceptVisit("Appointment/v2", NotDone.REFUSED))
    desk.do(RecordNotHome("Appointment/v3"))
    found = q.ledger(reading, workplace_ref=NORD, day=DAY, now=at("10:00"))
    lines = {row.key.split("/")[1]: row for row in found.removed}
    assert lines["v1"].text == "08:00 Ola Berg: flyttet: frisør → 14:00"
    assert (lines["v2"].text, lines["v2"].who) == ("09:00 Ola Berg: ønsket ikke", "Kari Lunde")
    assert lines["v3"].text == "10:00 Ola Berg: ikke hjemme"


def test_that_what_sync_took_off_this_pc_is_explained() -> None:
    reading = zone(visit("v1"))
    gone = EvidenceRow("Appointment/x", "Patient/ola", Why.DELETED, NOW, "3", 410, "")
    reading.trail = [gone, replace(gone, ref="Observation/y")]
    (line,) = q.ledger(reading, workplace_ref=NORD, day=DAY, now=NOW).removed
    assert line.text == "Besøk: slettet i journalen"
    assert "410" in line.who


def test_that_a_user_of_another_workplace_is_not_counted_here() -> None:
    reading = zone(visit("v1"), visit("v2", "09:00", who=("kari",), of="per", route=""))
    reading.put(patient("per", "Per Sør"))
    reading.put(episode("per", "Organization/south"))
    found = q.ledger(reading, workplace_ref=NORD, day=DAY, now=NOW)
    assert found.sums.planned == 1
    assert [name for name, _sums in found.per_route][-1].startswith("Nord ")


def test_that_the_words_follow_the_language() -> None:
    reading = zone(visit("v1"))
    Desk(reading, at("08:05")).do(RecordNotHome("Appointment/v1"))
    try:
        texts.set_language("nn")
        assert by_key(my_day(reading, at("08:06")))["v1"].status_text == "ikkje heime"
    finally:
        texts.set_language("nb")
    assert by_key(my_day(reading, at("08:06")))["v1"].visit_state is VisitState.NOT_HOME
