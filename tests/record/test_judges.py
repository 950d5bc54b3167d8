"""What outside judges count may not fall."""

from __future__ import annotations

import pytest

from tests.record import judges
from tests.record.peers import UnavailableError

SEKMET_STEPS = 92
PYROFILE_CHECKS = 24


def test_that_no_scenario_of_sekmet_fails_and_no_step_is_lost() -> None:
    try:
        with judges.served() as base:
            verdicts = judges.ask_sekmet(base)
    except UnavailableError as why:
        pytest.skip(str(why))
    told = judges.table(verdicts)
    assert len(verdicts) == 14, told
    assert not [v for v in verdicts if v.status == "failed"], told
    assert sum(v.passed for v in verdicts) >= SEKMET_STEPS, told
    assert {v.scenario for v in verdicts if v.skipped} <= judges.EXPLAINED.keys(), told


def test_that_pyrofile_finds_no_fault_in_plain_r4_behaviour() -> None:
    with judges.served() as base:
        verdicts = judges.ask_pyrofile(base)
    told = judges.table(verdicts)
    assert {v.status for v in verdicts} == {"passed"}, told
    assert sum(v.passed for v in verdicts) >= PYROFILE_CHECKS, told
