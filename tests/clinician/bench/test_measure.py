"""Rows and percentiles."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from clinician.bench.measure import Measure, percentile, spread


def test_that_a_row_holds_exactly_what_the_command_line_promises() -> None:
    row = Measure("x", 3.0, "ms", 2.0).as_row()
    assert row == {"bench": "x", "value": 3.0, "unit": "ms", "floor": 2.0, "ratio": 1.5}


def test_that_no_floor_gives_no_ratio() -> None:
    assert Measure("x", 3.0, "ms", 0.0).as_row()["ratio"] == 0.0


@given(st.lists(st.floats(0, 10), min_size=1, max_size=50), st.integers(1, 100))
def test_that_a_percentile_is_a_sample_with_that_share_at_or_below_it(
    samples: list[float], share: int
) -> None:
    found = percentile(samples, share)
    assert found in samples
    assert sum(one <= found for one in samples) * 100 >= share * len(samples)


@pytest.mark.parametrize("samples", [[0.001], [0.002, 0.001, 0.003]])
def test_that_a_spread_names_its_percentiles_in_milliseconds(samples: list[float]) -> None:
    low, high = spread("list", samples, samples)
    assert (low.bench, high.bench) == ("list p50", "list p95")
    assert low.value <= high.value == max(samples) * 1e3
    assert high.as_row()["ratio"] == 1.0
