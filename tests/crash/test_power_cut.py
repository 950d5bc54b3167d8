"""The power goes at any moment: what a person was told is there, whole; the file opens with its key."""

from __future__ import annotations

import os
import random
import shutil
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clinician.errors import ClinicianError
from tests.crash.disk import MODES, Disk, Op, PowerCut
from tests.crash.fault_vfs import FaultVfs
from tests.crash.work import Loss, Work, look

CUTS = int(os.environ.get("CUTS", "8000"))
Twist = Callable[[Work], None]


def record(
    folder: Path, seed: int, steps: int, twist: Twist = lambda work: None, *, lies: bool = False
) -> list[Op]:
    """Work on a disk that remembers; its log."""
    disk = Disk()
    vfs = FaultVfs(disk)
    vfs.lies = lies
    with vfs.installed():
        work = Work(folder / "cache", random.Random(seed), disk.say)
        work.open()
        twist(work)
        for _ in range(steps):
            work.step()
        work.close()
    return disk.log


def after(cut: PowerCut, mode: str, dice: random.Random, root: Path) -> Loss:
    """Lay out what the disk holds in a folder of its own and look at it."""
    shutil.rmtree(root, ignore_errors=True)
    home = root / "cache"
    home.mkdir(parents=True)
    for path, body in cut.found(mode, dice).items():
        (home / Path(path).name).write_bytes(body)
    try:
        return look(home, cut.said)
    except ClinicianError as problem:
        return Loss(broken=[f"{type(problem).__name__}: {problem.detail}"])


def sweep(log: list[Op], cuts: int, seed: int, root: Path) -> Counter[str]:
    """Cut the power at many places; what went wrong, and how often."""
    dice = random.Random(seed)
    told = [place + 1 for place, op in enumerate(log) if op.kind == "said"]
    places = sorted(
        dice.choice(told) if dice.random() < 0.3 else dice.randrange(len(log) + 1) for _ in range(cuts)
    )
    cut, wrong = PowerCut(log), Counter[str]()
    with FaultVfs(logs=False).installed():
        for place in places:
            cut.go(place)
            mode = dice.choice(MODES)
            loss = after(cut, mode, dice, root)
            wrong["acts told"] += sum(kind == "act" for kind, *_ in cut.said)
            wrong["lost"] += len(loss.lost)
            wrong["torn"] += len(loss.torn)
            wrong["broken"] += len(loss.broken)
            if loss:
                wrong[f"{mode} at {place}: {(loss.broken + loss.torn + loss.lost)[0]}"] += 1
    return wrong


def test_that_a_power_cut_at_any_moment_loses_nothing_that_was_told(tmp_path: Path) -> None:
    log = record(tmp_path, seed=1, steps=70)
    wrong = sweep(log, 220, 2, tmp_path / "found")
    assert (wrong["lost"], wrong["torn"], wrong["broken"]) == (0, 0, 0), wrong
    assert wrong["acts told"] > 220


class Hasty:
    """A writer that does not flush for people either: everything as pages are written."""

    def __init__(self, work: Work) -> None:
        self._writer = work.desk.cache.writer

    def run(self, function: Callable[[Any], Any], *, durable: bool = False) -> Any:
        return self._writer.run(function)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._writer, name)


class Split(Hasty):
    """A writer that commits in the middle of an act: what a torn pair comes from."""

    def run(self, function: Callable[[Any], Any], *, durable: bool = False) -> Any:
        def work(writing: Any) -> Any:
            insert = writing.outbox.insert

            def halfway(*given: Any) -> Any:
                made = insert(*given)
                writing._driver.execute("COMMIT")
                writing._driver.execute("BEGIN IMMEDIATE")
                return made

            writing.outbox.insert = halfway
            return function(writing)

        return self._writer.run(work, durable=durable)


def always(kind: type[Hasty]) -> Twist:
    """Puts the other writer in at every opening."""

    def twist(work: Work) -> None:
        usual = work.open

        def open_() -> None:
            usual()
            work.desk.cache.writer = kind(work)  # type: ignore[assignment]  # a mutant

        work.open = open_  # type: ignore[method-assign]  # a mutant
        work.desk.cache.writer = kind(work)  # type: ignore[assignment]  # a mutant

    return twist


def test_that_the_simulation_catches_a_disk_that_lies_or_synchronous_off(tmp_path: Path) -> None:
    wrong = sweep(record(tmp_path, 1, 60, lies=True), 40, 3, tmp_path / "found")
    assert wrong["lost"] or wrong["broken"], "synchronous=OFF went unseen"


def test_that_the_simulation_catches_acts_written_like_pages(tmp_path: Path) -> None:
    wrong = sweep(record(tmp_path, 1, 60, always(Hasty)), 40, 3, tmp_path / "found")
    assert wrong["lost"] and not wrong["torn"] and not wrong["broken"], wrong


def test_that_the_simulation_catches_an_act_in_two_transactions(tmp_path: Path) -> None:
    wrong = sweep(record(tmp_path, 1, 60, always(Split)), 60, 3, tmp_path / "found")
    assert wrong["torn"] and not wrong["lost"], wrong


@pytest.mark.soak
@pytest.mark.parametrize("seed", range(10, 18))
def test_that_thousands_of_power_cuts_lose_nothing(tmp_path: Path, seed: int) -> None:
    """CUTS in all (8,000 by default), over eight days of work."""
    wrong = sweep(record(tmp_path, seed, 150), CUTS // 8, seed, tmp_path / "found")
    print(f"\npower cuts {CUTS // 8}, acts told before them {wrong['acts told']}, {_found(wrong)}")
    assert (wrong["lost"], wrong["torn"], wrong["broken"]) == (0, 0, 0), wrong


def _found(wrong: Counter[str]) -> str:
    return ", ".join(f"{kind} {wrong[kind]}" for kind in ("lost", "torn", "broken"))
