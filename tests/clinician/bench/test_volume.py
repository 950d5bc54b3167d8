"""What is added to a practice town is of the same kind, of other ids, and whole."""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path

import pytest

from clinician.bench.people import patients, register
from clinician.bench.touched import Touched
from clinician.bench.volume import age, crowd, everything, town
from clinician.fhir.identity import check
from clinician.fhir.reference import references_in
from clinician.workstation import Options, Workstation


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made: Path = tmp_path_factory.mktemp("town")
    town(made, people=720, day=date(2026, 11, 18))
    return made


def test_that_history_lies_before_the_day_and_is_over(folder: Path) -> None:
    with Workstation.open(Options(folder)) as station:
        before = {row.ref for row in everything(station)}
        lists = _open_visits(station)
        added = age(station, len(before) + 4000)
        after = everything(station)
        new = [row for row in after if row.ref not in before]
        assert len(new) == added > 0
        assert not {row.raw.get("status") for row in new} & {"booked", "requested", "in-progress"}
        assert _open_visits(station) == lists


def _open_visits(station: Workstation) -> list[str]:
    with station.cache.reading() as reading:
        return sorted(found.ref for found in reading.find("Appointment", status=("booked", "arrived")))


def test_that_a_crowd_is_of_the_workplace_and_refers_to_itself(tmp_path: Path) -> None:
    info = crowd(tmp_path / "record", 1)
    with Workstation.open(Options(tmp_path / "record")) as station:
        station.sync_once()
        rows = everything(station)
    kinds = Counter(row.type for row in rows)
    assert kinds["Patient"] % 2 == 0
    assert info.workplace_ref in {row.ref for row in rows}
    people = {row.ref for row in rows if row.type == "Patient"}
    subjects = {ref for row in rows for _, ref in references_in(row.raw) if ref.startswith("Patient/")}
    assert subjects <= people


def test_that_people_are_the_same_for_a_seed_and_synthetic() -> None:
    first, again = list(patients(20)), list(patients(20))
    assert first == again
    numbers = [raw["identifier"][0]["value"] for raw in first]
    assert len(set(numbers)) == 20
    assert all(str(check(number, synthetic=True)) for number in numbers)


def test_that_touched_remembers_what_was_handed_out_and_changes_nothing(tmp_path: Path) -> None:
    cache = register(tmp_path, 5)
    with cache.reading() as reading:
        touched = Touched(reading)
        found = [one.ref for one in touched.find("Patient", order="id")]
        assert found == [one.ref for one in reading.find("Patient", order="id")]
        assert list(touched.refs) == found
        one = Touched(reading)
        assert one.get(found[0]) == reading.get(found[0])
        assert set(one.get_many(found[1:3])) == set(found[1:3])
        assert set(one.refs) == set(found[:3])
        assert one.count("Patient") == 5
    cache.close()
