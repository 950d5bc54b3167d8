"""Work off the GUI thread: every answer comes home once, on the GUI thread, or not at all."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any

import pytest

from clinician.errors import Bug, ClinicianError, UserProblem
from clinician.texts import lazy
from ui.jobs import Pool, Several, Threads, as_problem, attempt, places_of

L = lazy("ui")


@pytest.fixture
def routed() -> list[ClinicianError]:
    return []


@pytest.fixture
def threads(qapp: Any, routed: list[ClinicianError]) -> Iterator[Threads]:
    found = Threads(routed.append)
    yield found
    found.close()


def test_that_every_answer_comes_home_once_and_on_the_gui_thread(threads: Threads, qtbot: Any) -> None:
    got: list[tuple[int, bool]] = []
    here = threading.get_ident()
    for number in range(200):
        pool = (Pool.QUERY, Pool.COMMAND, Pool.JOB)[number % 3]
        threads.run(
            lambda number=number: number,
            lambda n: got.append((n, threading.get_ident() == here)),
            pool=pool,
        )
    qtbot.waitUntil(lambda: len(got) == 200)
    assert sorted(got) == [(number, True) for number in range(200)]
    assert threads.busy == 0


def test_that_acts_are_done_in_the_order_asked(threads: Threads, qtbot: Any) -> None:
    done: list[int] = []
    for number in range(50):
        threads.run(lambda number=number: done.append(number), lambda _none: None, pool=Pool.COMMAND)
    qtbot.waitUntil(lambda: len(done) == 50)
    assert done == list(range(50))


def test_that_an_ended_ticket_tells_nothing(threads: Threads, qtbot: Any) -> None:
    gate = threading.Event()
    got: list[object] = []
    ticket = threads.run(lambda: gate.wait(60), got.append, got.append)
    ticket.end()
    ticket.end()
    gate.set()
    qtbot.waitUntil(lambda: threads.busy == 0)
    assert got == []


def test_that_a_problem_goes_to_who_asked_and_else_to_the_router(
    threads: Threads, routed: list[ClinicianError], qtbot: Any
) -> None:
    problem = UserProblem(L("Too high"))
    mine: list[ClinicianError] = []

    def fail() -> None:
        raise problem

    threads.run(fail, print, mine.append)
    threads.run(fail, print)
    qtbot.waitUntil(lambda: bool(mine and routed))
    assert mine == routed == [problem]


def test_that_a_fault_of_ours_becomes_a_bug_without_its_words_in_the_log(
    threads: Threads, routed: list[ClinicianError], qtbot: Any, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[ClinicianError] = []

    def fail() -> None:
        raise KeyError("Astrid Moen 12034250042")

    threads.run(fail, print, asked.append)
    qtbot.waitUntil(lambda: bool(routed and asked))
    assert isinstance(routed[0], Bug)
    assert asked == routed
    assert "KeyError" in caplog.text
    assert "Astrid" not in caplog.text + "\n".join(places_of(routed[0]))


def test_that_several_problems_stay_several() -> None:
    inside = [UserProblem(L("One")), UserProblem(L("Two"))]
    found = as_problem(ExceptionGroup("", inside))
    assert isinstance(found, Several)
    assert found.problems == tuple(inside)
    assert isinstance(as_problem(ExceptionGroup("", [ValueError()])), Bug)


def test_that_a_strangers_failure_comes_back_as_a_problem() -> None:
    assert attempt(lambda: 3) == 3
    assert isinstance(attempt(lambda: 1 // 0), Bug)


def test_that_progress_is_told_and_stop_is_seen(threads: Threads, qtbot: Any) -> None:
    steps: list[tuple[int, int, str]] = []
    over = threading.Event()

    def work(ticket: Any) -> int:
        ticket.step(1, 3, "reads")
        while not ticket.stopped:
            pass
        over.set()
        return 0

    got: list[int] = []
    ticket = threads.run_long(work, got.append, on_progress=lambda *step: steps.append(step))
    qtbot.waitUntil(lambda: bool(steps))
    ticket.end()
    qtbot.waitUntil(over.is_set)
    qtbot.waitUntil(lambda: threads.busy == 0)
    assert (steps, got) == ([(1, 3, "reads")], [])


def test_that_closing_leaves_no_thread_and_loses_no_act(qapp: Any) -> None:
    before = set(threading.enumerate())
    threads = Threads(print)
    done: list[int] = []
    for number in range(20):
        threads.run(lambda number=number: done.append(number), print, pool=Pool.COMMAND)
    threads.close()
    assert done == list(range(20))
    assert set(threading.enumerate()) <= before
    assert threads.run(lambda: 1, print).ended
