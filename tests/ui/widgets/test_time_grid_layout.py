"""Where blocks lie: no two overlap, the clock survives both directions, nothing falls off the grid."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from clinician.clock import OSLO
from ui.widgets.time_grid_layout import Scale, place
from ui.widgets.time_grid_rows import Block, Lane
from ui.widgets.time_grid_steps import neighbour

DAY = date(2026, 3, 3)
SCALE = Scale(lane_width=130, minute=1.5, first_hour=7, last_hour=23, chip_width=232, chip_height=40)
LANES = tuple(Lane(f"lane{n}", f"Lane {n}") for n in range(4))


def at(minutes: int) -> datetime:
    return datetime(2026, 3, 3, 7, 0, tzinfo=OSLO) + timedelta(minutes=minutes)


blocks_strategy = st.lists(
    st.tuples(st.integers(0, 5), st.integers(0, 170), st.integers(1, 24)), max_size=40
).map(
    lambda rows: [
        Block(f"b{i}", f"lane{lane}", at(start * 5), at(start * 5 + length * 5), f"Person {i}")
        for i, (lane, start, length) in enumerate(rows)
    ]
)


@settings(max_examples=60, deadline=None)
@given(blocks_strategy)
def test_that_every_block_has_one_place_and_unknown_lanes_go_to_the_pool(blocks: list[Block]) -> None:
    placed = place(DAY, LANES, blocks, SCALE, pool_width=900)
    known = {lane.key for lane in LANES}
    assert set(placed.rects) == {b.key for b in blocks if b.lane_key in known}
    assert set(placed.chips) == {b.key for b in blocks if b.lane_key not in known}


@settings(max_examples=60, deadline=None)
@given(blocks_strategy)
def test_that_visits_at_the_same_time_stand_beside_each_other(blocks: list[Block]) -> None:
    placed = place(DAY, LANES, blocks, SCALE, pool_width=900)
    for one in blocks:
        for two in blocks:
            is_pair = one.key < two.key and one.lane_key == two.lane_key and one.key in placed.rects
            if is_pair and one.start < two.end and two.start < one.end:
                assert not placed.rects[one.key].intersects(placed.rects[two.key])


@settings(max_examples=40, deadline=None)
@given(blocks_strategy)
def test_that_chips_of_the_pool_never_overlap(blocks: list[Block]) -> None:
    placed = place(DAY, (), blocks, SCALE, pool_width=700)
    rects = list(placed.chips.values())
    assert all(not a.intersects(b) for i, a in enumerate(rects) for b in rects[i + 1 :])
    assert all(rect.bottom() < placed.pool_height for rect in rects)


@given(st.integers(0, 191))
def test_that_a_place_on_the_grid_is_a_time_and_back(fives: int) -> None:
    placed = place(DAY, LANES, (), SCALE, pool_width=900)
    assert placed.when_at(placed.y_of(at(fives * 5))) == at(fives * 5)


def test_that_a_drop_outside_the_hours_stays_inside_them() -> None:
    placed = place(DAY, LANES, (), SCALE, pool_width=900)
    assert placed.when_at(-500) == at(0)
    assert placed.when_at(99_999) == at(16 * 60 - 5)


def test_that_the_clock_is_the_wall_clock_on_a_daylight_saving_day() -> None:
    placed = place(date(2026, 3, 29), LANES, (), SCALE, pool_width=900)
    eight = datetime(2026, 3, 29, 8, 0, tzinfo=OSLO)
    assert placed.y_of(eight) == 90
    assert placed.when_at(90) == eight


@settings(max_examples=40, deadline=None)
@given(blocks_strategy)
def test_that_arrow_keys_always_lead_to_a_block_that_is_there(blocks: list[Block]) -> None:
    placed = place(DAY, LANES, blocks, SCALE, pool_width=900)
    keys = {b.key for b in blocks}
    for block in blocks:
        for dx, dy in ((0, 1), (0, -1), (1, 0), (-1, 0)):
            assert neighbour(placed, blocks, block.key, "lane0", dx, dy) in keys | {""}
    assert (neighbour(placed, blocks, "", "lane0", 0, 0) in keys) == bool(blocks)
