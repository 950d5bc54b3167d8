"""The numbers and tables of the search parameters."""

from __future__ import annotations

from clinician.embedded import parameters
from clinician.embedded.query import MODIFIERS


def test_that_no_two_parameters_share_a_number() -> None:
    pairs = [(t, code) for t in parameters.served_types() for code in parameters.indexed(t)]
    numbers = {parameters.pid(*pair) for pair in pairs}
    assert len(pairs) > 1500
    assert len(numbers) == len(pairs)


def test_that_every_kind_kept_has_a_table_and_its_modifiers() -> None:
    assert parameters.TABLE_OF_KIND.keys() == MODIFIERS.keys()


def test_that_the_parameters_the_workstation_asks_by_are_kept() -> None:
    wanted = {
        "EpisodeOfCare": {"organization", "patient", "status"},
        "Appointment": {"patient", "practitioner", "actor", "date", "status"},
        "Task": {"patient", "owner", "status", "focus", "code"},
        "Observation": {"patient", "code", "date", "category"},
        "Provenance": {"target", "patient"},
        "DocumentReference": {"patient", "date", "type"},
    }
    for type_, codes in wanted.items():
        assert codes <= parameters.indexed(type_).keys()
