"""The facade as a person meets it: open, sign in, work, close, come back."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson
import pytest

from clinician.cache.synced import AuditRow
from clinician.errors import CacheDamaged, CacheInUse, Refused, WrongKey
from clinician.events import Link
from clinician.health import Mood
from clinician.practice.info import PracticeInfo
from clinician.queries.patients import patient_hits
from clinician.upkeep import examine, rescue_unsent
from clinician.workstation import PRACTICE_PIN, PRACTICE_SECRET, Options, Workstation
from tests.clinician.conftest import DAY


@pytest.fixture
def station(folder: Path) -> Iterator[Workstation]:
    with Workstation.open(Options(folder)) as opened:
        yield opened


def info_of(station: Workstation) -> PracticeInfo:
    assert station.info is not None
    return station.info


def sign_in(station: Workstation) -> None:
    info = info_of(station)
    station.sign_in(info.practitioner_ref, info.workplace_ref, PRACTICE_PIN)


def my_day(station: Workstation) -> Any:
    assert station.who is not None
    query = station.registry.resolve("homecare", "modules.homecare.queries:my_day")
    return station.run_query(
        query,
        practitioner_ref=station.who.practitioner_ref,
        workplace_ref=station.who.workplace_ref,
        day=station.clock.today(),
        now=station.clock.now(),
    )


def complete(station: Workstation, visit: str) -> Any:
    command = station.registry.resolve("homecare", "modules.homecare.commands:CompleteVisit")
    return station.run_command(command(visit))


def test_that_the_practice_day_is_the_day_of_the_municipality_and_begins_in_the_morning(
    station: Workstation,
) -> None:
    assert station.practice
    assert station.clock.today() == DAY
    assert my_local_hour(station) == 7


def my_local_hour(station: Workstation) -> int:
    from clinician.clock import oslo

    return oslo(station.clock.now()).hour


def test_that_a_wrong_pin_lets_nobody_in_and_five_close_the_door(station: Workstation) -> None:
    info = info_of(station)
    for _try in range(5):
        with pytest.raises(Refused):
            station.sign_in(info.practitioner_ref, info.workplace_ref, "0000")
    with pytest.raises(Refused):
        station.sign_in(info.practitioner_ref, info.workplace_ref, PRACTICE_PIN)
    assert station.who is None


def test_that_nobody_acts_without_having_signed_in(station: Workstation) -> None:
    with pytest.raises(Refused):
        complete(station, "Appointment/none")


def test_that_an_act_waits_and_is_sent_and_the_status_says_so(station: Workstation) -> None:
    sign_in(station)
    for wire in station.wires:
        wire.is_cut = True
    day = my_day(station)
    complete(station, day.next_key)
    offline = station.sync_once()
    assert offline.link is Link.OFFLINE
    assert (offline.waiting, offline.all_sent) == (1, False)
    for wire in station.wires:
        wire.is_cut = False
    online = station.sync_once()
    assert online.waiting == 0
    station.sync_once()
    assert station.status().all_sent
    assert my_day(station).sums.done == day.sums.done + 1


def test_that_undo_puts_the_day_back_before_and_after_it_was_sent(station: Workstation) -> None:
    sign_in(station)
    for is_sent in (False, True):
        day = my_day(station)
        done = complete(station, day.next_key)
        assert my_day(station).sums.done == day.sums.done + 1
        if is_sent:
            station.sync_once()
        station.undo(done)
        assert my_day(station).sums == day.sums
        station.sync_once()
        assert my_day(station).sums == day.sums


def test_that_drafts_and_unsent_acts_are_there_after_a_restart(folder: Path) -> None:
    with Workstation.open(Options(folder)) as station:
        sign_in(station)
        for wire in station.wires:
            wire.is_cut = True
        day = my_day(station)
        complete(station, day.next_key)
        station.drafts.save("note", day.rows[0].patient_ref, "Halvferdig")
    with Workstation.open(Options(folder)) as station:
        assert station.sync_once().waiting == 0
        sign_in(station)
        assert [draft.content for draft in station.drafts.all() if draft.key == "note"] == ["Halvferdig"]
        assert my_day(station).sums.done == day.sums.done + 1


def test_that_drafts_are_each_persons_own(station: Workstation) -> None:
    sign_in(station)
    station.drafts.save("note", "Patient/x", "mitt")
    info = info_of(station)
    station.sign_in(info.coordinator_ref, info.workplace_ref, PRACTICE_PIN)
    assert station.drafts.load("note", "Patient/x") == ""
    assert station.drafts.all() == ()


def test_that_a_module_switched_off_stays_off_and_comes_back_whole(folder: Path) -> None:
    with Workstation.open(Options(folder)) as station:
        station.registry.switch("homecare", False)
        assert station.registry.manifests() == ()
    with Workstation.open(Options(folder)) as station:
        assert station.registry.manifests() == ()
        station.registry.switch("homecare", True)
        assert [manifest.id for manifest in station.registry.manifests()] == ["homecare"]


def test_that_a_second_program_on_one_cache_is_told(station: Workstation, folder: Path) -> None:
    with pytest.raises(CacheInUse):
        Workstation.open(Options(folder))


def test_that_a_wrong_key_opens_nothing_and_changes_nothing(folder: Path) -> None:
    file = next(folder.glob("cache/*/cache.db"))
    before = file.read_bytes()
    with pytest.raises(WrongKey) as caught:
        Workstation.open(Options(folder, secret="feil"))
    assert str(caught.value.text)
    assert file.read_bytes() == before


def test_that_a_damaged_cache_is_kept_and_named_by_the_doctor(folder: Path) -> None:
    file = next(folder.glob("cache/*/cache.db"))
    body = bytearray(file.read_bytes())
    body[200:9000] = bytes(8800)
    file.write_bytes(body)
    with pytest.raises((CacheDamaged, WrongKey)) as caught:
        Workstation.open(Options(folder))
    assert str(caught.value.text)
    assert file.read_bytes() == bytes(body)
    findings = list(examine(folder, "", PRACTICE_SECRET))
    assert any(not row.good and row.serious for row in findings)


def test_that_reading_a_patient_is_recorded_and_sent(station: Workstation) -> None:
    sign_in(station)
    patient = next(row.patient_ref for row in my_day(station).rows if row.patient_ref)
    card = station.registry.resolve("homecare", "modules.homecare.queries:user_card")
    station.run_query(card, patient_ref=patient, now=station.clock.now())
    station.cache.writer.run(lambda writing: None)
    waiting = station.cache.writer.run(lambda writing: writing.audit.waiting())
    assert any(patient.encode() in bytes(row.body) for row in waiting)
    station.sync_once()
    assert station.cache.writer.run(lambda writing: writing.audit.waiting()) == ()


def test_that_what_the_record_refused_of_the_log_is_said_counted_and_can_be_saved(
    folder: Path, station: Workstation
) -> None:
    sign_in(station)
    writer = station.cache.writer
    row = AuditRow("e1", station.clock.now(), b'{"resourceType":"AuditEvent","id":"e1"}')
    told = {line.key: line for line in station.health()}
    assert (told["audit"].detail, told["audit"].mood) == ("0", Mood.GOOD)
    writer.run(lambda writing: writing.audit.add(row))
    writer.run(lambda writing: writing.audit.set_aside({"e1": 403}))
    told = {line.key: line for line in station.health()}
    assert (told["audit"].detail, told["audit"].mood) == ("1 × svar 403", Mood.BAD)
    saved = {"id": "e1", "status": 403, "resource": {"resourceType": "AuditEvent", "id": "e1"}}
    assert orjson.loads(station.export_all())["audit"] == [saved]
    station.close()
    found = [line for line in examine(folder, "", PRACTICE_SECRET) if not line.good]
    assert [line.title for line in found] == ["Logg over lesing og skriving"]
    assert "1 " in found[0].detail and not found[0].serious
    rescued = rescue_unsent(folder, secret=PRACTICE_SECRET)
    assert orjson.loads(rescued.content)["audit"] == [{"status": 403, "resource": saved["resource"]}]


def test_that_practice_time_goes_on_from_where_it_was_left(folder: Path) -> None:
    with Workstation.open(Options(folder)) as station:
        left = station.clock.now()
    with Workstation.open(Options(folder)) as station:
        assert timedelta(0) <= station.clock.now() - left < timedelta(minutes=2)


def test_that_what_was_not_sent_is_rescued_from_a_cache_that_does_not_open(
    folder: Path, station: Workstation
) -> None:
    sign_in(station)
    station.wires[0].is_cut = True
    command = station.registry.resolve("homecare", "modules.homecare.commands:StartVisit")
    row = next(row for row in my_day(station).rows if row.kind == "visit" and row.visit_state == "open")
    station.run_command(command(row.key))
    station.close()
    (file,) = folder.glob("cache/*/cache.db")
    body = bytearray(file.read_bytes())
    page = 4096
    pages = len(body) // page
    for number in range(pages // 2, pages // 2 + 40):
        body[number * page + 7 : number * page + 90] = bytes(83)
    file.write_bytes(bytes(body))
    before = file.read_bytes()
    found = rescue_unsent(folder, secret=PRACTICE_SECRET)
    assert found.count == 1
    (act,) = orjson.loads(found.content)["acts"]
    assert (act["who"], act["state"]) == (info_of(station).practitioner_ref, "queued")
    assert act["resources"]
    assert file.read_bytes() == before


def test_that_nothing_is_rescued_without_the_key_and_nothing_is_touched(
    folder: Path, station: Workstation
) -> None:
    station.close()
    files = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    assert rescue_unsent(folder, secret="another").count == 0
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == files


def test_that_nobody_looks_people_up_at_the_record_unless_signed_in(station: Workstation) -> None:
    with pytest.raises(Refused):
        station.look_up("Moen")
    with pytest.raises(Refused):
        station.request_patients(("Patient/x",))


def test_that_a_person_of_another_zone_is_found_fetched_and_the_asking_recorded(
    station: Workstation,
) -> None:
    sign_in(station)
    here = {hit.key for hit in station.run_query(patient_hits, words="hansen", limit=100)}
    found = [one for one in station.look_up("hansen") if one.key not in here]
    assert found
    station.request_patients((found[0].key,))
    for _round in range(4):
        station.sync_once()
    assert found[0].key in {hit.key for hit in station.run_query(patient_hits, words=found[0].name)}


def test_that_after_a_restore_only_a_superuser_lets_sending_go_on(folder: Path, station: Workstation) -> None:
    sign_in(station)
    station.sync_once()
    station.close()
    copy = {name: (folder / name).read_bytes() for name in ("record.sqlite",)}
    with Workstation.open(Options(folder)) as later:
        sign_in(later)
        complete(later, my_day(later).next_key)
        later.sync_once()
        assert not later.sync_once().restored
    for name, body in copy.items():
        (folder / name).write_bytes(body)
    with Workstation.open(Options(folder)) as after:
        with pytest.raises(Refused):
            after.resume_sync()
        assert after.sync_once().restored
        sign_in(after)
        complete(after, my_day(after).next_key)
        with pytest.raises(Refused):
            after.resume_sync()
        assert (status := after.sync_once()).restored and status.waiting == 1
        chief = next(one for one in after.staff() if "superuser" in one.functions)
        after.sign_in(chief.key, info_of(after).workplace_ref, PRACTICE_PIN)
        after.resume_sync()
        assert not (status := after.sync_once()).restored and status.waiting == 0
