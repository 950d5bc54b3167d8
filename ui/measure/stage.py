"""A stage for measuring: a practice municipality with a filled cache, and the real window on it.

The stage is built once a run and copied for every script, so that each starts from the same state.
"""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from pathlib import Path
from typing import Final

from PySide6.QtWidgets import QApplication

from clinician.practice.create import create
from clinician.workstation import PRACTICE_PIN, Options, Workstation
from ui.app import MainWindow, application
from ui.measure.counting import Counter
from ui.measure.hand import Hand, spin

SLOW_S: Final = 5.0
DAY: Final = date(2026, 11, 18)
"""A Wednesday outside every holiday."""


class Network(StrEnum):
    """The three states every script runs in."""

    ONLINE = "online"
    SLOW = "slow"
    NONE = "none"


def build(folder: Path, *, people: int = 720, day: date = DAY) -> Path:
    """A practice municipality and a cache that has seen all of it."""
    create(folder, seed=1, people=people, day=day)
    with Workstation.open(Options(folder)) as station:
        station.sync_once()
        station.cache.maintain()
    return folder


def another(template: Path, folder: Path) -> Path:
    """A copy of a built stage."""
    shutil.copytree(template, folder)
    return folder


@dataclass(slots=True)
class Stage:
    """The window and everything behind it."""

    station: Workstation
    window: MainWindow
    counter: Counter
    hand: Hand
    application: QApplication

    def close(self) -> None:
        """Let the window and the workstation go."""
        for wire in self.station.wires:
            wire.delay_s = 0.0
        self.window.close()
        spin(10)
        self.station.close()
        self.window.deleteLater()
        spin(10)


def open_stage(
    folder: Path,
    *,
    network: Network = Network.ONLINE,
    size: tuple[int, int] = (1366, 768),
    who: str = "",
) -> Stage:
    """Open the window on `folder`, signed in as `who` (the practice default) at the module's first page."""
    app = application()
    station = Workstation.open(Options(folder))
    assert station.info is not None
    for wire in station.wires:
        wire.delay_s = SLOW_S if network is Network.SLOW else 0.0
        wire.is_cut = network is Network.NONE
    window = MainWindow(lambda _progress: station)
    window.resize(*size)
    window.show()
    window.attach(station)
    window.activateWindow()
    counter = Counter(app)
    stage = Stage(station, window, counter, Hand(window, counter), app)
    sign_in_as(stage, who or station.info.practitioner_ref)
    return stage


def sign_in_as(stage: Stage, practitioner_ref: str) -> None:
    """From the sign-in page, with the keyboard; somebody signed in leaves first."""
    window, station = stage.window, stage.station
    if window.shell.is_open:
        window.shell.sign_out()
    name = next((row.name for row in station.staff() if row.key == practitioner_ref), "")
    hand = Hand(window)
    hand.until(window.shell.sign_in_page.isVisible)
    hand.until(lambda: window.shell.desk.threads.busy == 0)
    spin(150)
    hand.type(name)
    spin(100)
    hand.key("Return")
    spin(100)
    hand.type(PRACTICE_PIN)
    hand.until(lambda: station.who is not None and window.shell.is_open, 15)
    spin(400)
