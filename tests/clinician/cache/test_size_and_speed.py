"""Bounds that hold on any machine: how large the cache is, and which index answers a question."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest

from clinician.cache.body import Press, shipped_dictionary, train
from clinician.cache.open import Cache, open_cache
from clinician.clock import FrozenClock
from clinician.events import Events
from tests.clinician.cache.conftest import KEY
from tests.clinician.cache.samples import DAY, Maker, row
from tests.clinician.cache.test_synced_rows import put


def test_that_a_cache_with_its_indexes_is_smaller_than_the_raw_json(tmp_path: Path) -> None:
    held = open_cache(tmp_path, KEY, clock=FrozenClock(DAY), events=Events())
    raws = list(Maker(31).workplace(60, 4))
    for at in range(0, len(raws), 500):
        put(held, *map(row, raws[at : at + 500]))
    held.close()
    raw = sum(len(orjson.dumps(one)) for one in raws)
    assert (tmp_path / "cache.db").stat().st_size <= 0.8 * raw


@pytest.mark.parametrize(
    ("question", "index"),
    [
        ("type = 139 AND owner IN (?) AND start >= ? AND start < ? ORDER BY start", "resource_owner"),
        ("type = 139 AND patient IN (?) ORDER BY start", "resource_patient"),
        ("type = 5 AND start >= ? AND start < ? ORDER BY start", "resource_start"),
        ("type = 139 AND link = ? ", "resource_link"),
        ("type = 99 AND ident = ?", "resource_ident"),
        ("type = 99 AND sort_key IS NOT NULL ORDER BY sort_key LIMIT 50", "resource_sort"),
        ("type = 99 AND id IN (?)", "sqlite_autoindex_resource_1"),
    ],
)
def test_that_a_question_is_answered_by_its_index(cache: Cache, question: str, index: str) -> None:
    for at in range(4):
        put(cache, *map(row, Maker(at).workplace(20, 2)))
    cache.maintain()
    with cache.reading() as reading:
        values = ["x"] * question.count("?")
        plan = reading._execute(
            f"EXPLAIN QUERY PLAN SELECT rid FROM resource WHERE {question}", values
        ).fetchall()
    assert index in plan[0][3], plan


def test_that_a_first_sync_gathers_statistics_by_itself(tmp_path: Path) -> None:
    held = open_cache(tmp_path, KEY, clock=FrozenClock(DAY), events=Events())
    rows = [row(raw) for raw in Maker(3).workplace(50, 10)]
    assert len(rows) > 5000
    put(held, *rows)
    held.writer.run(lambda w: None)
    with held.reading() as reading:
        assert reading._execute("SELECT count(*) FROM sqlite_stat1").fetchone()[0] > 5
    held.close()


def test_that_bodies_of_an_older_dictionary_and_plain_ones_still_open() -> None:
    number, shipped = shipped_dictionary()
    bodies = [orjson.dumps(raw) for raw in Maker(3).workplace(4, 2)]
    old = Press({number: shipped})
    packed = old.pack(bodies[0])
    new = Press({number: shipped, number + 1: train(bodies * 5, 2048)})
    assert new.unpack(packed) == bodies[0]
    assert new.unpack(new.pack(bodies[1])) == bodies[1]
    assert new.pack(bodies[1])[0] == number + 1
    assert new.unpack(b"\0{}") == b"{}"
