"""A slice of the hazard matrix; the whole is `make soak HAZARDS=200`."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tests.hazards.matrix import CAUGHT, CELLS, FURTHER, Job, faults, run, table
from tests.hazards.rules import NAIVE, NO_OVERLAP, Naive
from tests.hazards.simulation import Cell

MINUTES = 10
NAMED = {cell.name: cell for cell in (*CELLS, *FURTHER)}


def short(cell: Cell) -> Cell:
    return replace(cell, minutes=MINUTES)


@pytest.mark.parametrize("name", NAMED)
def test_that_our_rule_misses_nothing_and_leaves_no_ghost(name: str) -> None:
    jobs = [Job(short(NAMED[name]), seed) for seed in range(2)]
    outcomes = [run(job) for job in jobs]
    assert faults(table(jobs, outcomes)) == []
    assert all(outcome.rows > 1000 for outcome in outcomes)


@pytest.mark.parametrize("rule", NAIVE, ids=lambda rule: rule.name)
def test_that_each_naive_rule_loses_updates_where_all_hazards_meet(rule: Naive) -> None:
    outcomes = [run(Job(short(NAMED["all"]), seed, rule)) for seed in range(3)]
    assert any(outcome.missed for outcome in outcomes)
    assert not any(outcome.missed_compared for outcome in outcomes)


def test_that_a_naive_rule_is_not_caught_without_a_hazard() -> None:
    """The matrix finds the hazard, not merely the rule."""
    assert run(Job(short(NAMED["none"]), 0, NO_OVERLAP)).missed == 0


def test_that_every_cell_and_rule_of_the_design_is_expected_somewhere() -> None:
    assert set(CAUGHT) == {cell.name for cell in CELLS}
    assert {rule for rules in CAUGHT.values() for rule in rules} == set(NAIVE)
