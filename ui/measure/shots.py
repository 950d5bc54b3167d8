"""`clinician shots DIR`: every screen, offscreen, in light, dark, 1366×768, 1920×1080 and 200 % text.

The same practice municipality, day and patient each time, so that two runs can be laid side by side.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from clinician import texts
from ui.measure.hand import spin
from ui.measure.script import zone_of
from ui.measure.stage import Stage, another, build, open_stage
from ui.widgets import theme

SMALL: Final = (1366, 768)
LARGE: Final = (1920, 1080)


@dataclass(frozen=True, slots=True)
class Look:
    """One way to look at the program."""

    name: str
    theme: str = "light"
    scale: int = 100
    size: tuple[int, int] = SMALL
    language: str = "nb"


LOOKS: Final = (
    Look("light"),
    Look("dark", theme="dark"),
    Look("contrast", theme="contrast"),
    Look("large", size=LARGE),
    Look("text200", scale=200),
    Look("nn", language="nn"),
    Look("en", language="en"),
)


def take_all(folder: Path) -> Iterator[Path]:
    """Make every picture in every look; yields each file as it is written."""
    with tempfile.TemporaryDirectory(prefix="clinician-shots-") as made:
        template = build(Path(made) / "template")
        for look in LOOKS:
            yield from take(template, look, folder)


def take(template: Path, look: Look, folder: Path) -> Iterator[Path]:
    """Every screen in one look, on a copy of a built stage."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="clinician-shots-") as made:
        stage = open_stage(another(template, Path(made) / look.name), size=look.size)
        try:
            yield from _take(stage, look, folder)
        finally:
            stage.close()
            texts.set_language("nb")
            theme.apply(theme.Theme())


def _take(stage: Stage, look: Look, folder: Path) -> Iterator[Path]:
    stage.window.shell.desk.set_language(look.language)
    theme.apply(theme.Theme(look.theme, "normal", look.scale))
    spin(400)
    for name, show in SCREENS.items():
        show(stage)
        spin(500)
        path = folder / f"{name}-{look.name}.png"
        stage.window.grab().save(str(path))
        yield path


def _keys(*chords: str) -> Callable[[Stage], None]:
    def show(stage: Stage) -> None:
        for chord in chords:
            stage.hand.key(chord)
            spin(250)

    return show


def _palette(stage: Stage) -> None:
    stage.hand.key("Ctrl+K")
    spin(200)
    stage.hand.type("sig")
    spin(600)


def _suggestion(stage: Stage) -> None:
    for chord in ("Alt+1", "Ctrl+2"):
        stage.hand.key(chord)
        spin(800)
    stage.hand.key("A")
    stage.hand.until(zone_of(stage).panel.isVisible, 30)
    spin(300)


def _offline(stage: Stage) -> None:
    for wire in stage.station.wires:
        wire.is_cut = True
    stage.station.sync_now()
    stage.hand.until(lambda: stage.station.status().offline_since is not None, 10)
    for chord in ("Escape", "Alt+1", "Ctrl+1"):
        stage.hand.key(chord)
        spin(400)
    stage.hand.key("Space")
    spin(700)


def _sign_in(stage: Stage) -> None:
    stage.window.shell.sign_out()
    spin(600)


SCREENS: Final[dict[str, Callable[[Stage], None]]] = {
    "homecare-my-day": _keys("Alt+1", "Ctrl+1"),
    "homecare-not-home": _keys("I"),
    "homecare-zone": _keys("Ctrl+2"),
    "homecare-user-notes": _keys("Ctrl+1", "Return"),
    "homecare-user-plan": _keys("P"),
    "homecare-user-measurements": _keys("M"),
    "homecare-ledger": _keys("Escape", "Alt+1", "Ctrl+4"),
    "palette": _palette,
    "help": _keys("Escape", "F1"),
    "settings": _keys("F1", "Ctrl+,"),
    "homecare-suggestion": _suggestion,
    "homecare-my-day-offline": _offline,
    "outbox": _keys("Alt+0"),
    "lock": _keys("Ctrl+L"),
    "sign-in": _sign_in,
}
