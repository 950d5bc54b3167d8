"""The loop on the test's own thread: what it calls, in which order, and what wakes it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from clinician.sync.loop import Loop


class Script:
    """Does the next thing of a list whenever the loop is about to sleep; then stops it."""

    def __init__(self, *waking: Callable[[Loop], object]) -> None:
        self.called: list[str] = []
        self.is_whole_due = True
        self._waking = list(waking)
        self.loop = Loop(self._round, self._send, self._pause, threading.Event(), lambda: self.is_whole_due)

    def _round(self) -> None:
        self.called.append("round")

    def _send(self) -> None:
        self.called.append("send")
        self.loop.acts.clear()

    def _pause(self) -> float:
        next_ = self._waking.pop(0) if self._waking else Loop.stop
        next_(self.loop)
        return 0.0


def test_that_it_begins_with_a_round_and_ends_when_stopped() -> None:
    script = Script()
    script.loop.run()
    assert script.called == ["round"]


def test_that_an_act_is_sent_without_a_round() -> None:
    script = Script(Loop.acted, Loop.acted)
    script.loop.run()
    assert script.called == ["round", "send", "send"]


def test_that_time_and_news_bring_a_round() -> None:
    script = Script(lambda loop: None, Loop.wake)
    script.loop.run()
    assert script.called == ["round", "round", "round"]


def test_that_what_was_announced_brings_a_small_round_and_not_a_whole_one() -> None:
    script = Script(lambda loop: None, Loop.look_again)
    script.is_whole_due = False
    script.loop.run()
    assert script.called == ["round", "send", "send"]


def test_that_a_round_comes_before_sending_alone_since_it_sends_too() -> None:
    script = Script(lambda loop: (loop.acted(), loop.wake()))
    script.loop.run()
    assert script.called == ["round", "round"]


def test_that_joining_a_loop_that_never_ran_is_no_wait() -> None:
    script = Script()
    script.loop.stop()
    script.loop.join(lambda: script.called.append("cut"))
    assert script.called == []


def test_that_a_round_whose_answer_hangs_is_cut_when_the_loop_is_to_end() -> None:
    asked, answer = threading.Event(), threading.Event()

    def hang() -> None:
        asked.set()
        answer.wait(90)

    loop = Loop(hang, hang, lambda: 0.0, threading.Event())
    loop.start()
    assert asked.wait(90)
    loop.stop()
    loop.join(answer.set)
    assert answer.is_set() and not any(thread.name == "sync" for thread in threading.enumerate())
