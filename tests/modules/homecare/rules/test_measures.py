"""Units, codes and limits of measurements."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from modules.homecare.facts import measures
from modules.homecare.rules.measures import Measured, doubts, faults


def test_that_every_kind_the_day_needs_is_there() -> None:
    assert set(measures()) == {
        "blood-pressure",
        "pulse",
        "temperature",
        "respiration",
        "spo2",
        "weight",
        "glucose",
        "consciousness",
        "oxygen",
    }


def test_that_norwegian_and_international_codes_are_read_and_one_pair_is_written() -> None:
    respiration = measures()["respiration"]
    assert "http://snomed.info/sct|271625008" in respiration.codes
    assert [code for _system, code in respiration.fields[0].written] == ["9279-1", "86290005"]
    pressure = measures()["blood-pressure"]
    assert pressure.codes == ("http://loinc.org|85354-9", "http://snomed.info/sct|75367002")
    assert "http://snomed.info/sct|4471000202106" in pressure.fields[0].accepted


@pytest.mark.parametrize(
    ("measured", "why"),
    [
        (Measured("blood-pressure", (140.0, 80.0)), []),
        (Measured("blood-pressure", (140.0,)), ["count"]),
        (Measured("blood-pressure", (80.0, 140.0)), ["order"]),
        (Measured("blood-pressure", (80.0, 80.0)), ["order"]),
        (Measured("blood-pressure", (1400.0, 5.0)), ["hard", "hard"]),
        (Measured("temperature", (375.0,)), ["hard"]),
        (Measured("temperature", (float("nan"),)), ["hard"]),
        (Measured("consciousness", choice="A"), []),
        (Measured("consciousness", choice="Å"), ["choice"]),
        (Measured("pulse"), ["count"]),
    ],
)
def test_that_what_cannot_be_true_is_a_fault(measured: Measured, why: list[str]) -> None:
    assert [fault.why for fault in faults(measures()[measured.kind], measured)] == why


@pytest.mark.parametrize(
    ("measured", "fields"),
    [
        (Measured("blood-pressure", (200.0, 80.0)), ["systolic"]),
        (Measured("blood-pressure", (140.0, 80.0)), []),
        (Measured("temperature", (40.2,)), ["temperature"]),
        (Measured("temperature", (400.0,)), []),
        (Measured("oxygen", choice="air"), []),
    ],
)
def test_that_the_unusual_is_asked_about_and_the_impossible_is_not(
    measured: Measured, fields: list[str]
) -> None:
    assert [fault.field for fault in doubts(measures()[measured.kind], measured)] == fields


@given(
    st.sampled_from(sorted(measures())), st.lists(st.floats(allow_nan=True), max_size=3), st.text(max_size=2)
)
def test_that_a_value_is_never_both_impossible_and_only_unusual(
    kind: str, values: list[float], choice: str
) -> None:
    measured = Measured(kind, tuple(values), choice)
    assert not (faults(measures()[kind], measured) and doubts(measures()[kind], measured))


def test_that_soft_limits_lie_within_hard_ones() -> None:
    for measure in measures().values():
        for field in measure.fields:
            assert field.hard[0] <= field.soft[0] <= field.soft[1] <= field.hard[1]
