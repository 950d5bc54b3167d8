"""What a round costs the line when nothing is new: each patient is named once a type."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence

import httpx
import pytest

from clinician.cache.synced import Watermark
from clinician.cache.writing import Writing
from clinician.sync.delta import TOGETHER, delta
from clinician.sync.plan import Key, SyncRule
from tests.clinician.sync.test_download import Answer
from tests.clinician.sync.world import START, Station, World, new_id

TASK, ALL_TASKS, FLAG, TOWN = (
    SyncRule("Task", "status=ready"),
    SyncRule("Task"),
    SyncRule("Flag"),
    SyncRule("Location"),
)


def asked(a: Station, chunks: Mapping[str, Sequence[str]], keys: Sequence[Key]) -> list[str]:
    """The searches of one delta over keys that all have a mark."""
    sent: list[bytes] = []

    def fault(request: httpx.Request, go_on: Answer) -> httpx.Response:
        sent.append(request.content)
        return go_on()

    a.wire.fault = fault
    delta(a.engine.line, chunks, keys)
    return [entry["request"]["url"] for entry in json.loads(sent[0])["entry"]] if sent else []


def marked(a: Station, keys: Sequence[Key]) -> None:
    def work(writing: Writing) -> None:
        for key in keys:
            writing.marks.set_watermark(Watermark(key.name, key.rule.type, START))

    a.write(work)


@pytest.mark.parametrize("sizes", [[1], [50, 50, 50, 2], [50] * 9, [TOGETHER, 1], [TOGETHER + 7, 3], [0, 3]])
def test_that_a_delta_names_each_patient_once_a_type(world: World, sizes: list[int]) -> None:
    a = world.station()
    chunks = {f"c{number}": [new_id() for _ in range(size)] for number, size in enumerate(sizes)}
    keys = [Key(rule, chunk) for rule in (TASK, ALL_TASKS, FLAG) for chunk in chunks] + [Key(TOWN)]
    marked(a, keys)
    urls = asked(a, chunks, keys)
    for type_ in ("Task", "Flag"):
        named = [re.findall("[0-9a-f-]{36}", url) for url in urls if url.startswith(f"{type_}?")]
        assert all(0 < len(ids) <= max(TOGETHER, *sizes) for ids in named)
        assert Counter(id_ for ids in named for id_ in ids) == Counter(
            id_ for ids in chunks.values() for id_ in ids
        )
        assert len(named) <= sum(sizes) // TOGETHER + 2
    assert sum(url.startswith("Location?") for url in urls) == 1


def test_that_people_whose_first_lists_are_not_here_yet_are_not_asked_for(world: World) -> None:
    a = world.station()
    chunks = {"c1": [new_id()], "c2": [new_id()]}
    marked(a, [Key(FLAG, "c1")])
    [url] = asked(a, chunks, [Key(FLAG, "c1"), Key(FLAG, "c2"), Key(TOWN)])
    assert chunks["c1"][0] in url and chunks["c2"][0] not in url
    assert asked(a, chunks, [Key(FLAG, "c2")]) == []
