"""One writer: in order, acts before pages, whole or not at all, also when the program is killed."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import threading
import time
from concurrent.futures import CancelledError
from pathlib import Path

import pytest

from clinician.cache.open import Cache, integrity_problems, open_cache
from clinician.clock import FrozenClock
from clinician.events import CacheChanged, Events
from tests.clinician.cache.conftest import KEY
from tests.clinician.cache.samples import DAY, Maker, row
from tests.clinician.cache.test_synced_rows import get, ref


def test_that_what_people_do_goes_before_pages_that_wait(cache: Cache) -> None:
    gate, order = threading.Event(), []
    first = cache.writer.submit(lambda w: gate.wait(60))
    futures = [cache.writer.submit(lambda w, n=n: order.append(f"page{n}")) for n in range(3)]
    futures += [cache.writer.submit(lambda w, n=n: order.append(f"act{n}"), durable=True) for n in range(2)]
    gate.set()
    for future in [first, *futures]:
        future.result(60)
    assert order == ["act0", "act1", "page0", "page1", "page2"]


def test_that_acts_are_flushed_to_the_disk_and_pages_need_not_be(cache: Cache) -> None:
    def mode(writing) -> int:
        return writing._driver.execute("PRAGMA synchronous").fetchone()[0]

    assert cache.writer.run(mode, durable=True) == 2
    assert cache.writer.run(mode) == 1


def test_that_the_event_is_out_before_the_caller_goes_on_and_tells_its_origin(
    cache: Cache, make: Maker, changes: list[CacheChanged]
) -> None:
    raw = make.patient()

    def work(writing) -> None:
        writing.origin = "op"
        writing.put_synced([row(raw)])

    cache.writer.run(work)
    assert changes == [CacheChanged(frozenset({ref(raw)}), frozenset({"Patient"}), "op")]


def test_that_a_listener_sees_what_was_written(cache: Cache, events: Events, make: Maker) -> None:
    raw, seen = make.patient(), []
    events.subscribe(CacheChanged, lambda event: seen.append(get(cache, next(iter(event.refs)))))
    cache.writer.run(lambda w: w.put_synced([row(raw)]))
    assert seen[0].raw == raw


def test_that_the_writer_does_not_wait_for_itself(cache: Cache) -> None:
    with pytest.raises(RuntimeError, match="itself"):
        cache.writer.run(lambda w: cache.writer.run(lambda inner: None))


def test_that_a_cancelled_job_is_passed_over_and_a_closed_writer_takes_none(cache: Cache) -> None:
    gate = threading.Event()
    first = cache.writer.submit(lambda w: gate.wait(60))
    second = cache.writer.submit(lambda w: w.keep.set("a", "b"))
    assert second.cancel()
    gate.set()
    first.result(60)
    with pytest.raises(CancelledError):
        second.result(60)
    assert cache.writer.run(lambda w: w.keep.get("a")) is None
    cache.writer.close()
    cache.writer.close()
    with pytest.raises(RuntimeError, match="closed"):
        cache.writer.run(lambda w: None)


def test_that_readers_and_writer_do_not_hinder_one_another(cache: Cache) -> None:
    maker = Maker(8)
    pages = [[row(raw) for raw in maker.workplace(2, 1)] for _ in range(15)]
    problems: list[BaseException] = []

    def read() -> None:
        try:
            for _ in range(40):
                with cache.reading() as reading:
                    count = reading.count("Patient")
                    assert len(list(reading.find("Patient", order="id"))) == count
                    assert len(reading.search_patients(["0"])) <= 50
        except Exception as problem:  # noqa: BLE001
            problems.append(problem)

    threads = [threading.Thread(target=read) for _ in range(5)]
    for thread in threads:
        thread.start()
    for page in pages:
        cache.writer.run(lambda w, page=page: w.put_synced(page))
    for thread in threads:
        thread.join()
    assert problems == []


KILLED = """
import sys
from pathlib import Path
from clinician.cache.keep import Draft
from clinician.cache.open import open_cache
from clinician.clock import SystemClock
from clinician.events import Events
from tests.clinician.cache.conftest import KEY
from tests.clinician.cache.samples import DAY, Maker
from tests.clinician.cache.test_outbox import entry, insert, new_act

cache = open_cache(Path(sys.argv[1]), KEY, clock=SystemClock(), events=Events())
maker, begin = Maker(int(sys.argv[2])), int(sys.argv[2]) * 100000
for number in range(begin, begin + 100000):
    raws = [maker.note("Patient/p", 0) for _ in range(3)]
    insert(cache, new_act(*(entry(raw) for raw in raws), op_id=f"act-{number}", patient=f"Patient/{number}"))
    draft = Draft("Practitioner/k", "Patient/p", "note", f"typed {number}", DAY)
    cache.writer.run(lambda w: w.keep.set_draft(draft), durable=True)
    print(number, flush=True)
"""


def kill_while_writing(folder: Path, turn: int, seconds: float) -> list[int]:
    """Start a program that acts without end, kill it, and give the acts it said were done."""
    program = [sys.executable, "-c", KILLED, str(folder), str(turn)]
    root = Path(__file__).resolve().parents[3]
    with subprocess.Popen(program, stdout=subprocess.PIPE, cwd=root) as running:
        assert running.stdout is not None
        first = running.stdout.readline()
        time.sleep(seconds)
        os.kill(running.pid, signal.SIGKILL)
        rest = running.stdout.read().splitlines()
        running.wait()
    return [int(line) for line in [first, *rest] if line.strip().isdigit()]


def check_after_kills(folder: Path, told: list[int]) -> None:
    assert integrity_problems(folder, KEY) == ()
    cache = open_cache(folder, KEY, clock=FrozenClock(DAY), events=Events())
    with cache.reading() as reading:
        acts = {act.op_id: act for act in reading.acts()}
        assert {f"act-{number}" for number in told} <= set(acts)
        run = reading._execute
        assert run("SELECT count(*) FROM outbox WHERE bundle IS NULL").fetchone() == (0,)
        laid = run("SELECT op_id, count(*) FROM overlay GROUP BY op_id").fetchall()
        signed = run("SELECT op_id, count(*) FROM outbox_ref GROUP BY op_id").fetchall()
        assert dict(laid) == dict(signed) == dict.fromkeys(acts, 3)
    draft = cache.writer.run(lambda w: w.keep.draft("Practitioner/k", "Patient/p", "note"))
    assert int(draft.removeprefix("typed ")) >= told[-1]
    cache.close()


def test_that_what_was_told_as_done_survives_kill_and_no_pair_is_torn(tmp_path: Path) -> None:
    told: list[int] = []
    dice = random.Random(1)
    for turn in range(3):
        told += kill_while_writing(tmp_path, turn, dice.random() * 0.3)
        check_after_kills(tmp_path, told)


@pytest.mark.soak
def test_that_a_hundred_kills_lose_nothing(tmp_path: Path) -> None:
    told: list[int] = []
    dice = random.Random(2)
    for turn in range(100):
        told += kill_while_writing(tmp_path, turn, dice.random() * 0.4)
        check_after_kills(tmp_path, told)
