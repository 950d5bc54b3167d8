"""How sync fares is told line by line, truly, and without a name."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from clinician import texts
from clinician.cache.synced import Quarantined
from clinician.events import Link, Push, SyncStatus
from clinician.health import HealthLine, Mood
from clinician.queries.patients import patient_hits
from clinician.workstation import Options, Workstation


@pytest.fixture
def station(untouched_town: Path, tmp_path: Path) -> Iterator[Workstation]:
    import shutil

    with Workstation.open(Options(Path(shutil.copytree(untouched_town, tmp_path / "pc")))) as opened:
        yield opened


def line(station: Workstation, key: str) -> HealthLine:
    return next(one for one in station.health() if one.key == key)


def test_that_before_the_first_round_nothing_is_claimed(station: Workstation) -> None:
    assert line(station, "contact").mood is Mood.NOTE
    assert line(station, "record").detail == "Ikke laget ennå"
    assert line(station, "Task").mood is Mood.NOTE


def test_that_a_filled_cache_in_contact_is_in_order(station: Workstation) -> None:
    station.sync_once()
    found = station.health()
    assert [one for one in found if one.mood is Mood.BAD] == []
    assert line(station, "contact").detail == "Svarer"
    with station.cache.reading() as reading:
        assert line(station, "Patient").detail.startswith(f"{reading.count('Patient')} · per ")
    assert {one.title for one in found if one.group == "Det journalen gjør"} >= {
        "Nekter å overskrive en nyere versjon"
    }


def test_that_a_cut_wire_is_told_with_since_when(station: Workstation) -> None:
    station.sync_once()
    for wire in station.wires:
        wire.is_cut = True
    station.sync_once()
    told = line(station, "contact")
    assert told.mood is Mood.BAD
    assert told.detail.startswith("Ingen kontakt siden ")


def test_that_what_could_not_be_read_is_named_by_its_id(station: Workstation) -> None:
    row = Quarantined("Observation/odd", "3", "no code", station.clock.now(), b"{}")
    station.cache.writer.run(lambda writing: writing.trail.quarantine(row))
    told = line(station, "aside Observation/odd")
    assert (told.title, told.mood) == ("Observation/odd", Mood.BAD)


def test_that_late_commits_are_counted_and_the_worst_named(station: Workstation) -> None:
    station.cache.writer.run(lambda writing: writing.marks.add_lateness("Task", 100))
    told = line(station, "late Task")
    assert told.mood is Mood.NOTE
    assert "2 min" in told.detail
    station.cache.writer.run(lambda writing: writing.marks.add_lateness("Task", 200_000))
    assert "et døgn" in line(station, "late Task").detail


@pytest.mark.parametrize("push", Push)
def test_that_how_news_come_is_told(station: Workstation, push: Push) -> None:
    station.engine.board.current = SyncStatus(Link.FRESH, push=push)
    told = line(station, "push")
    assert told.detail
    assert (told.mood is Mood.GOOD) == (push in (Push.LIVE, Push.NONE))


def test_that_the_report_names_nobody(station: Workstation) -> None:
    station.sync_once()
    report = station.health_report().decode("utf-8")
    for hit in station.run_query(patient_hits, words="hansen", limit=20):
        assert hit.title not in report
    assert "+ Kontakt" in report


@pytest.mark.parametrize("language", texts.LANGUAGES)
def test_that_every_line_has_words_in_every_language(station: Workstation, language: str) -> None:
    texts.set_language(language)
    station.sync_once()
    assert all(one.title and one.detail and one.group for one in station.health())


def test_that_an_old_list_is_worth_knowing(station: Workstation) -> None:
    from clinician.practice.clock import PracticeClock

    station.sync_once()
    assert isinstance(station.clock, PracticeClock)
    station.clock.skip(timedelta(minutes=11))
    assert line(station, "Task").mood is Mood.NOTE
