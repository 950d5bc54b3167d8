"""The table of `clinician bench --small` is whole. No second is asserted."""

from __future__ import annotations

import json
from typing import Any

import pytest

from clinician.cli import main
from clinician.errors import UserProblem
from ui.measure.bench import BENCHES, run_benches

ROWS = {
    "sync": {
        "sync initial, wall",
        "sync initial, wall, unparsed floor",
        "sync initial, client CPU",
        "sync initial, client CPU, unparsed floor",
        "sync no-op requests",
        "sync no-op client CPU",
        "sync no-op bytes",
        "cache bytes per resource",
        "sync initial, rows moved",
        "work list usable, 4k at 50 ms round trip",
        "everything, 4k at 50 ms round trip",
        "delta by push p50",
        "delta by push p95",
        "delta by poll p95",
        "full manifest, client CPU for 50k",
        "outbox at 50 ms round trip",
        "8 acts after a night offline, 50 ms round trip",
    },
    "search": {
        f"{what} p{share}"
        for what in (
            "name search 200",
            "name search 200, one letter",
            "name search 200, as the palette shows it",
            "identifier 200",
        )
        for share in (50, 95)
    },
    "work": {"act, the first"}
    | {
        f"{what} p{share}"
        for what in ("work list, my day", "work list, the zone", "patient open", "act, durable here")
        for share in (50, 95)
    },
    "window": {"page switch painted, first visit", "patient open painted, the first"}
    | {
        f"{what} painted{rest} p{share}"
        for what, rest in (
            ("module switch", ""),
            ("work list", ", my day"),
            ("work list", ", the zone"),
            ("patient open", ""),
            ("search letter", ""),
        )
        for share in (50, 95)
    },
    "stall": {"stall while a first sync runs, p99", "stall while a first sync runs, longest"},
    "start": {
        "cold start, window painted",
        "cold start, people to choose from",
        "memory, window after sync",
    },
}


def test_that_every_bench_has_its_rows_listed() -> None:
    assert set(ROWS) == set(BENCHES)


@pytest.mark.window
@pytest.mark.parametrize("name", list(ROWS))
def test_that_a_bench_gives_every_row_with_value_floor_and_ratio(name: str) -> None:
    rows: list[dict[str, Any]] = run_benches([name], small=True)
    assert {row["bench"] for row in rows} == ROWS[name]
    for row in rows:
        assert list(row)[:5] == ["bench", "value", "unit", "floor", "ratio"]
        assert set(row) - {"bench", "value", "unit", "floor", "ratio"} in (set(), {"goal", "anchor"})
        assert row["value"] >= 0
        assert row["unit"] in {"ms", "s", "MB", "bytes", "requests", "rows", "resources/s", "acts/s"}


def test_that_an_unknown_bench_is_named_with_those_there_are() -> None:
    with pytest.raises(UserProblem) as raised:
        run_benches(["nonsense"], small=True)
    assert "nonsense" in str(raised.value.text)
    assert "sync" in str(raised.value.text)


def test_that_json_is_one_object_a_line(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["bench", "search", "--small", "--json"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert {json.loads(line)["bench"] for line in lines} == ROWS["search"]
