"""A practice folder: whole or not at all, recognisable, and alive on demand."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path

import msgspec
import pytest

from clinician.clock import OSLO, FrozenClock
from clinician.embedded.server import RecordApp
from clinician.embedded.writing import current
from clinician.errors import CacheDamaged, UserProblem
from clinician.fhir.reference import Raw, split_ref
from clinician.fhir.validation import quick_problems
from clinician.practice.create import create
from clinician.practice.day_live import CHANGES, Colleague
from clinician.practice.info import is_practice, read
from clinician.practice.municipality import FEWEST, municipality

DAY = date(2026, 3, 3)
MORNING = datetime(2026, 3, 3, 7, 10, tzinfo=OSLO)


def stored(app: RecordApp, ref: str) -> Raw:
    with app.store.reading() as connection:
        row = current(connection, *split_ref(ref))
    assert row is not None
    found: Raw = msgspec.json.decode(row.body)
    return found


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    create(tmp_path / "practice", seed=1, people=FEWEST, day=DAY)
    return tmp_path / "practice"


def test_that_the_record_holds_every_resource_of_the_municipality(folder: Path) -> None:
    made = list(municipality(1, FEWEST, DAY))
    assert read(folder).resources == len(made)
    app = RecordApp(folder / "record.sqlite", clock=FrozenClock(MORNING))
    try:
        for raw in made[::37]:
            found = stored(app, f"{raw['resourceType']}/{raw['id']}")
            found.pop("meta"), raw.pop("meta")
            assert found == raw
    finally:
        app.close()


def test_that_the_description_reads_back_and_points_at_real_people(folder: Path) -> None:
    info = read(folder)
    assert (info.seed, info.people, info.day, info.municipality) == (1, FEWEST, DAY, "Fjordvik kommune")
    app = RecordApp(folder / "record.sqlite", clock=FrozenClock(MORNING))
    try:
        assert stored(app, info.workplace_ref)["name"] == info.workplace_name == "Nord"
        assert stored(app, info.practitioner_ref)["name"][0]["text"] == info.practitioner_name
        assert stored(app, info.absent_ref)["name"][0]["given"] == ["Kari"]
        assert stored(app, info.coordinator_ref)["resourceType"] == "Practitioner"
    finally:
        app.close()


def test_that_this_mornings_changes_are_versions_of_their_own_with_their_clock(folder: Path) -> None:
    app = RecordApp(folder / "record.sqlite", clock=FrozenClock(MORNING))
    try:
        changed = [
            stored(app, f"Appointment/{raw['id']}")
            for raw in municipality(1, FEWEST, DAY)
            if raw["resourceType"] == "Appointment"
            and raw["start"].startswith("2026-03-03")
            and any(e["url"].endswith("visit-move-reason") for e in raw.get("extension", ()))
        ]
    finally:
        app.close()
    clocks = sorted(
        datetime.fromisoformat(raw["meta"]["lastUpdated"]).astimezone(OSLO).strftime("%H:%M")
        for raw in changed
    )
    assert clocks == ["06:48", "06:55", "07:02"]
    assert {raw["meta"]["versionId"] for raw in changed} == {"2"}


def test_that_nothing_is_stamped_later_than_the_morning(folder: Path) -> None:
    app = RecordApp(folder / "record.sqlite", clock=FrozenClock(MORNING))
    try:
        assert app.store.position()[1] < MORNING.timestamp() * 1000
    finally:
        app.close()


def test_that_a_folder_with_a_record_is_not_touched(folder: Path) -> None:
    before = (folder / "record.sqlite").read_bytes()
    with pytest.raises(UserProblem):
        create(folder, seed=2, people=FEWEST, day=DAY)
    assert (folder / "record.sqlite").read_bytes() == before


def test_that_a_town_out_of_range_is_refused_with_the_field_named(tmp_path: Path) -> None:
    with pytest.raises(UserProblem) as caught:
        create(tmp_path, people=FEWEST - 1, day=DAY)
    assert caught.value.field == "people"
    assert str(FEWEST) in str(caught.value.text)


def test_that_a_creation_cut_short_leaves_no_practice_folder_and_can_be_made_again(tmp_path: Path) -> None:
    class Cut(Exception):
        pass

    def stop(done: int, _total: int, _words: str) -> None:
        if done:
            raise Cut

    with pytest.raises(Cut):
        create(tmp_path, seed=1, people=FEWEST, day=DAY, progress=stop)
    assert not is_practice(tmp_path)
    assert list(tmp_path.iterdir()) == []
    create(tmp_path, seed=1, people=FEWEST, day=DAY)
    assert is_practice(tmp_path)


def test_that_remains_of_a_killed_creation_are_in_nobodys_way(tmp_path: Path) -> None:
    (tmp_path / ".making").mkdir()
    (tmp_path / ".making" / "record.sqlite").write_bytes(b"torn")
    create(tmp_path, seed=1, people=FEWEST, day=DAY)
    assert is_practice(tmp_path)
    assert not (tmp_path / ".making").exists()


def test_that_progress_rises_to_the_whole_and_never_passes_it(tmp_path: Path) -> None:
    told: list[tuple[int, int, str]] = []
    create(tmp_path, seed=1, people=FEWEST, day=DAY, progress=lambda *told_now: told.append(told_now))
    assert [done for done, _t, _w in told] == sorted(done for done, _t, _w in told)
    assert all(done <= total and words for done, total, words in told)
    assert told[-1][0] == told[-1][1]


@pytest.mark.parametrize("text", ["", "seed = ", "seed = 1", 'version = "x"\nunknown = 1'])
def test_that_a_description_that_lies_is_explained(tmp_path: Path, text: str) -> None:
    (tmp_path / "practice.toml").write_text(text, "utf-8")
    with pytest.raises(CacheDamaged):
        read(tmp_path)
    assert not is_practice(tmp_path)


@pytest.mark.parametrize("name", CHANGES)
def test_that_a_colleague_makes_a_valid_change_on_demand(folder: Path, name: str) -> None:
    app = RecordApp(folder / "record.sqlite", clock=FrozenClock(MORNING))
    try:
        before = app.store.position()
        ref = Colleague(app, seed=1, people=FEWEST, day=DAY).change(name, MORNING)
        raw = stored(app, ref)
        assert app.store.position() > before
    finally:
        app.close()
    assert not quick_problems(raw)


def test_that_a_colleague_leaves_a_closed_visit_alone(folder: Path) -> None:
    app = RecordApp(folder / "record.sqlite", clock=FrozenClock(MORNING))
    try:
        colleague = Colleague(app, seed=1, people=FEWEST, day=DAY)
        assert colleague.change("cancelled", MORNING)
        assert colleague.change("cancelled", MORNING) == ""
    finally:
        app.close()
