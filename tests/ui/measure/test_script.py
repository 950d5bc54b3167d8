"""The task scripts on the real window: bars from the design, equal counts in every network state."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

import pytest

from ui.measure.script import run_scripts

BARS = {"T3": 10, "T9": 2, "H1": 20}


@pytest.fixture(scope="module")
def rows() -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in run_scripts(list(BARS), ["online", "slow", "none"]):
        found[row["script"]].append(row)
    return found


@pytest.mark.window
@pytest.mark.parametrize("name", list(BARS))
def test_that_a_task_takes_few_actions_whatever_the_network(
    rows: dict[str, list[dict[str, Any]]], name: str
) -> None:
    runs = rows[name]
    assert [run["ok"] for run in runs] == [True, True, True]
    assert {run["actions"] for run in runs} == {runs[0]["actions"]}
    assert runs[0]["actions"] <= BARS[name]
    assert [run["modals"] for run in runs] == [0, 0, 0]
