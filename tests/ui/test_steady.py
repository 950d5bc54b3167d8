"""Threads and memory give way to the window: what `keep_steady` changes for the whole process."""

from __future__ import annotations

import gc
import sys
from collections.abc import Iterator
from typing import Any

import pytest

from tests.ui.conftest import sign_in
from tests.ui.station import FakeStation
from ui.app import keep_steady


@pytest.fixture
def put_back() -> Iterator[None]:
    """What keep_steady changes belongs to the whole process."""
    interval, thresholds = sys.getswitchinterval(), gc.get_threshold()
    yield
    sys.setswitchinterval(interval)
    gc.set_threshold(*thresholds)


class Knot:
    """Garbage only the collector can take."""

    taken = 0

    def __init__(self) -> None:
        self.itself = self

    def __del__(self) -> None:
        Knot.taken += 1


@pytest.mark.usefixtures("put_back")
def test_that_garbage_is_taken_while_one_works_but_never_all_of_memory_gone_through() -> None:
    whole: list[int] = []

    def note(phase: str, info: dict[str, int]) -> None:
        if phase == "start" and info["generation"] == 2:
            whole.append(info["generation"])

    keep_steady()
    gc.collect()
    Knot.taken = 0
    gc.callbacks.append(note)
    try:
        for _ in range(200_000):
            Knot()
    finally:
        gc.callbacks.remove(note)
    assert Knot.taken > 150_000
    assert whole == []


@pytest.mark.usefixtures("put_back")
def test_that_a_thread_that_computes_gives_way_to_the_window_within_a_millisecond() -> None:
    keep_steady()
    assert 0 < sys.getswitchinterval() <= 0.001


@pytest.mark.window
def test_that_memory_is_gone_through_when_nobody_is_there(
    station: FakeStation, open_window: Any, qtbot: Any
) -> None:
    window = open_window(station)
    sign_in(window, qtbot)
    gc.disable()
    try:
        Knot.taken = 0
        Knot()
        window.shell.idle.idle.emit()
        assert Knot.taken == 1
    finally:
        gc.enable()
