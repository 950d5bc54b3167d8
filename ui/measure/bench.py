"""`clinician bench [NAME…]`: what we cost beside the cheapest way to do the same, in the same run.

Nothing here asserts a second. Read the ratios; the seconds belong to the machine.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any, Final

from clinician.bench.latency import LatencyBench, Samples
from clinician.bench.measure import Measure
from clinician.bench.search import search
from clinician.bench.sync import SyncBench
from clinician.bench.volume import crowd, fill_up, town
from clinician.bench.work import WorkBench
from clinician.bench.workplace import WorkplaceBench
from clinician.errors import UserProblem
from clinician.texts import lazy

L = lazy("ui")
DAY: Final = date(2026, 11, 18)
"""A Wednesday outside every holiday."""
PEOPLE: Final = 720


@dataclass(frozen=True, slots=True)
class Scale:
    """How much. copies: of the people of zone Nord; resources: in the cache behind the lists."""

    copies: int
    rounds: int
    registers: tuple[int, ...]
    samples: int
    resources: int
    rest_s: float
    between: Samples


FULL: Final = Scale(3, 5, (10_000, 100_000), 60, 50_000, 5.0, Samples(40, 20, 200))
SMALL: Final = Scale(0, 1, (200,), 4, 0, 0.5, Samples(2, 1, 8))


def run_benches(names: Sequence[str], *, small: bool) -> list[dict[str, Any]]:
    """Rows {"bench", "value", "unit", "floor", "ratio"} of the named benches, of all when none is named.

    Some also have a "goal" and an "anchor": what others were measured at.

    small: a quick run that shows every row; its numbers say little. Raises UserProblem for a name
    nobody knows.
    """
    unknown = [name for name in names if name not in BENCHES]
    if unknown:
        raise UserProblem(
            L("There is no bench {name}. There are: {known}.", name=unknown[0], known=", ".join(BENCHES))
        )
    _without_a_screen()
    scale = SMALL if small else FULL
    with tempfile.TemporaryDirectory(prefix="clinician-bench-", ignore_cleanup_errors=True) as made:
        return [row for name in names or BENCHES for row in _rows(name, scale, Path(made) / name)]


def _without_a_screen() -> None:
    """Where there is no screen, and nobody said otherwise, the window is painted in memory."""
    has_screen = os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY")
    if sys.platform.startswith("linux") and not has_screen:
        os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")


def _rows(name: str, scale: Scale, folder: Path) -> Iterator[dict[str, Any]]:
    folder.mkdir()
    for measure in BENCHES[name](scale, folder):
        yield measure.as_row()


def _sync(scale: Scale, folder: Path) -> Iterator[Measure]:
    record = folder / "record"
    crowd(record, scale.copies)
    fill_up(record, scale.resources)
    yield from SyncBench(folder, record, rounds=scale.rounds).run()
    yield from WorkplaceBench(folder / "far", record).run()
    yield from LatencyBench(folder / "between", record, scale.between).run()


def _search(scale: Scale, folder: Path) -> Iterator[Measure]:
    for number in scale.registers:
        yield from search(folder / str(number), number, scale.samples * 5)


def _work(scale: Scale, folder: Path) -> Iterator[Measure]:
    info = town(folder, people=PEOPLE, day=DAY)
    return WorkBench(folder, info, resources=scale.resources, samples=scale.samples).run()


def _window(scale: Scale, folder: Path) -> Iterator[Measure]:
    from ui.measure.painting import painting

    town(folder, people=PEOPLE, day=DAY)
    return painting(folder, scale.samples // 2)


def _stall(scale: Scale, folder: Path) -> Iterator[Measure]:
    from ui.measure.stalling import stalling

    return stalling(folder, copies=scale.copies * 3, rest_s=scale.rest_s)


def _start(scale: Scale, folder: Path) -> Iterator[Measure]:
    from ui.measure.starting import starting

    town(folder, people=PEOPLE, day=DAY)
    return starting(folder, scale.rounds)


BENCHES: Final[dict[str, Callable[[Scale, Path], Iterator[Measure]]]] = {
    "sync": _sync,
    "search": _search,
    "work": _work,
    "window": _window,
    "stall": _stall,
    "start": _start,
}
