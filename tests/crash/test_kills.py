"""A whole workstation, killed at random while it works, sends and fetches: nothing that was told is lost."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.crash.siege import Siege, Tally

pytestmark = pytest.mark.skipif(
    not hasattr(os, "fork"), reason="workstations are forked from one that has imported"
)
KILLS = int(os.environ.get("KILLS", "500"))


def besieged(home: Path, kills: int, seed: int) -> Tally:
    siege = Siege(home, seed)
    try:
        return siege.kill(kills)
    finally:
        siege.close()


def holds(tally: Tally, kills: int) -> None:
    assert tally.kills == kills
    assert (tally.lost, tally.torn, tally.broken) == ([], [], [])
    assert tally.applied >= tally.acts > kills


def test_that_thirty_kills_lose_no_act_no_draft_and_tear_no_pair(tmp_path: Path) -> None:
    holds(besieged(tmp_path, 30, 1), 30)


@pytest.mark.soak
def test_that_kills_without_number_lose_nothing(tmp_path: Path) -> None:
    """500, or as many as KILLS says."""
    holds(besieged(tmp_path, KILLS, 2), KILLS)
