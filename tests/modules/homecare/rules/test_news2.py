"""NEWS2 by the published table and vectors."""

from __future__ import annotations

import csv
from datetime import date, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.homecare.facts import news2_table
from modules.homecare.rules import news2
from tests.modules.homecare.memory import NOW

VECTORS = Path(__file__).parents[1] / "data" / "news2-testvectors.csv"
WELL = {
    "respiration": 16.0,
    "spo2": 97.0,
    "oxygen": "air",
    "systolic": 120.0,
    "pulse": 70.0,
    "consciousness": "A",
    "temperature": 37.0,
}


def _vectors() -> list[dict[str, str]]:
    with VECTORS.open(encoding="utf-8") as source:
        return list(csv.DictReader(source))


@pytest.mark.parametrize("row", _vectors(), ids=lambda row: ",".join(list(row.values())[:8]))
def test_that_the_published_vectors_come_out(row: dict[str, str]) -> None:
    values: dict[str, news2.Value] = {
        "respiration": float(row["rr"]),
        "spo2": float(row["spo2"]),
        "oxygen": "oxygen" if row["oxygen"] == "1" else "air",
        "systolic": float(row["sbp"]),
        "pulse": float(row["pulse"]),
        "consciousness": row["acvpu"],
        "temperature": float(row["temp"]),
    }
    score = news2.score(news2_table(), values, scale2=row["scale"] == "2")
    points = dict(score.parts)
    wanted = [int(row[f"s_{name}"]) for name in ("rr", "spo2", "ox", "sbp", "pulse", "acvpu", "temp")]
    order = ("respiration", "spo2", "oxygen", "systolic", "pulse", "consciousness", "temperature")
    assert [points[name] for name in order] == wanted
    assert score.total == int(row["total"])
    assert (max(points.values()) == 3) == (row["single_3"] == "1")


@pytest.mark.parametrize("part", news2.PARTS)
def test_that_there_is_no_score_from_a_partial_set(part: str) -> None:
    with pytest.raises(ValueError, match=part):
        news2.score(news2_table(), {k: v for k, v in WELL.items() if k != part}, scale2=False)


@pytest.mark.parametrize(
    ("changed", "band"),
    [
        ({}, "low"),
        ({"respiration": 9.0}, "low"),
        ({"respiration": 8.0}, "low-medium"),
        ({"respiration": 21.0, "pulse": 131.0}, "medium"),
        ({"respiration": 25.0, "pulse": 131.0, "oxygen": "oxygen"}, "high"),
    ],
)
def test_that_the_band_follows_the_total_and_a_single_three(changed: dict[str, float], band: str) -> None:
    assert news2.score(news2_table(), WELL | changed, scale2=False).band == band


def test_that_scale_2_depends_on_oxygen() -> None:
    air = news2.score(news2_table(), WELL, scale2=True)
    given_oxygen = news2.score(news2_table(), WELL | {"oxygen": "oxygen"}, scale2=True)
    assert dict(air.parts)["spo2"] == 0
    assert dict(given_oxygen.parts)["spo2"] == 3


@pytest.mark.parametrize("changed", [{"consciousness": "X"}, {"oxygen": "?"}, {"pulse": float("nan")}])
def test_that_what_cannot_be_read_is_refused(changed: dict[str, news2.Value]) -> None:
    with pytest.raises((ValueError, ArithmeticError)):
        news2.score(news2_table(), WELL | changed, scale2=False)


def test_that_a_table_with_a_hole_is_refused() -> None:
    table = news2_table()
    holed = news2.Table(
        (news2.Band(0, 10, 1),),
        table.spo2_scale1,
        table.spo2_scale2_air,
        table.spo2_scale2_oxygen,
        table.oxygen,
        table.systolic,
        table.pulse,
        table.consciousness,
        table.temperature,
    )
    with pytest.raises(ValueError, match="no band"):
        news2.score(holed, WELL, scale2=False)


@given(st.floats(20, 45, allow_nan=False))
@settings(max_examples=200)
def test_that_every_temperature_lies_in_exactly_one_band(value: float) -> None:
    shown = news2.rounded(value, 1)
    assert sum(band.holds(shown) for band in news2_table().temperature) == 1


@given(
    st.integers(1, 90),
    st.integers(1, 100),
    st.integers(1, 300),
    st.integers(1, 250),
    st.booleans(),
    st.booleans(),
)
@settings(max_examples=200)
def test_that_any_complete_set_gets_a_score(
    rr: int, spo2: int, sbp: int, pulse: int, oxygen: bool, scale2: bool
) -> None:
    values = WELL | {
        "respiration": float(rr),
        "spo2": float(spo2),
        "systolic": float(sbp),
        "pulse": float(pulse),
        "oxygen": "oxygen" if oxygen else "air",
    }
    score = news2.score(news2_table(), values, scale2=scale2)
    assert score.total == sum(points for _part, points in score.parts)
    assert 0 <= score.total <= 20


@pytest.mark.parametrize(
    ("born", "is_adult"),
    [(None, False), (date(2010, 3, 4), False), (date(2010, 3, 3), True), (date(1940, 1, 1), True)],
)
def test_that_it_is_for_adults_with_a_known_birth_date(born: date | None, is_adult: bool) -> None:
    assert news2.is_adult(born, date(2026, 3, 3)) is is_adult


def test_that_measurements_within_an_hour_are_one_set_and_the_last_counts() -> None:
    def sign(part: str, value: news2.Value, minutes: int) -> news2.Sign:
        return news2.Sign(part, value, NOW + timedelta(minutes=minutes))

    found = news2.sets(
        [sign("pulse", 70, 0), sign("pulse", 80, 60), sign("spo2", 95, 30), sign("pulse", 60, 61)]
    )
    assert [(len(one.signs), one.signs["pulse"].value) for one in found] == [(2, 80), (1, 60)]
    assert found[0].missing == ("respiration", "oxygen", "systolic", "consciousness", "temperature")
    assert news2.sets([]) == ()
