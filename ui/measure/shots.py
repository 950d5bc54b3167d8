"""`clinician shots DIR`: every screen, offscreen, in light, dark, 1366×768, 1920×1080 and 200 % text.

The same practice municipality, day and patient each time, so that two runs can be laid side by side.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, Final

import orjson
from PySide6.QtCore import QBuffer, QByteArray, QPoint, Qt
from PySide6.QtGui import QColor, QImage, QImageWriter, QPainter
from PySide6.QtWidgets import QWidget

from clinician import texts
from clinician.commands.documents import AttachDocument
from clinician.practice.clock import PracticeClock
from clinician.queries.patients import patient_hits
from ui.measure.hand import spin
from ui.measure.script import zone_of
from ui.measure.stage import Stage, another, build, open_stage, sign_in_as
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


def _elsewhere(stage: Stage) -> None:
    """Somebody no zone of this PC knows."""
    ours = {hit.key for hit in stage.station.run_query(patient_hits, words="hansen", limit=100)}
    stranger = next(one for one in stage.station.look_up("hansen") if one.key not in ours)
    stage.hand.key("Escape")
    stage.hand.key("Ctrl+K")
    spin(200)
    stage.hand.type(stranger.name)
    spin(500)
    stage.hand.key("Return")
    spin(700)


def _picture() -> bytes:
    """A drawn wound: nothing real is ever in a picture of the program."""
    image = QImage(1200, 900, QImage.Format.Format_RGB32)
    image.fill(QColor(233, 203, 183))
    painter = QPainter(image)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    for size, colour in (
        (340, QColor(214, 150, 138)),
        (250, QColor(186, 84, 78)),
        (120, QColor(222, 188, 120)),
    ):
        painter.setBrush(colour)
        painter.drawEllipse(QPoint(600, 430), size, round(size * 0.7))
    painter.end()
    buffer = QBuffer()
    buffer.open(QBuffer.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, QByteArray(b"png")).write(image)
    return bytes(buffer.data().data())


def _documents(stage: Stage) -> None:
    """A photo and a letter added, the photo open."""
    station, patient = stage.station, stage.window.shell.desk.patient.current
    for title, kind, content in (
        ("Leggsår venstre legg", "wound-photo", _picture()),
        ("Brev fra fastlegen", "letter", b"Til hjemmetjenesten\n\nBandasjen skiftes annenhver dag."),
    ):
        taken = station.documents.stage(content)
        station.run_command(AttachDocument(patient, title, kind, taken))
        station.documents.settle(taken)
    page: Any = stage.window.findChild(QWidget, "homecare.documents")
    stage.hand.until(lambda: page.table.model().rowCount() == 2, 10)
    stage.hand.key("D")
    stage.hand.key("Down")
    stage.hand.key("Return")
    spin(900)


def _adding(stage: Stage) -> None:
    """What a person is asked when a picture was pasted."""
    stage.hand.key("Escape")
    page: Any = stage.window.findChild(QWidget, "homecare.documents")
    page.add(_picture())
    stage.hand.until(lambda: page.form.taken is not None, 10)
    spin(300)


def _why(stage: Stage) -> None:
    """Another reason asks for its words."""
    for chord in ("Escape", "Alt+1", "Ctrl+1", "Down"):
        stage.hand.key(chord)
        spin(300)
    stage.hand.key("5")
    spin(300)
    stage.hand.type("Hos datteren til fredag")


def _doubt(stage: Stage) -> None:
    """A measurement one asks about before it is signed."""
    for chord in ("Escape", "Return", "M"):
        stage.hand.key(chord)
        spin(500)
    stage.hand.type("236/138")
    stage.hand.key("Return")
    spin(500)


def _suggestion(stage: Stage) -> None:
    """The coordinator records an absence; the search starts by itself."""
    assert stage.station.info is not None
    coordinator = stage.station.info.coordinator_ref
    _in_this_look(stage, lambda: sign_in_as(stage, coordinator))
    for chord in ("Alt+1", "Ctrl+2"):
        stage.hand.key(chord)
        spin(800)
    stage.hand.key("A")
    zone = zone_of(stage)
    stage.hand.until(lambda: zone.panel.isVisible() and zone.panel.accept_button.isVisible(), 30)
    spin(300)


def _modules(stage: Stage) -> None:
    stage.window.shell.desk.open_page("modules")


def _offline(stage: Stage) -> None:
    """The nurse signs with no network; meanwhile somebody else changes the same visit at the record."""
    assert stage.station.info is not None
    nurse = stage.station.info.practitioner_ref
    stage.hand.key("Escape")
    _in_this_look(stage, lambda: sign_in_as(stage, nurse))
    for chord in ("Alt+1", "Ctrl+1"):
        stage.hand.key(chord)
        spin(600)
    _somebody_else_first(stage)
    for wire in stage.station.wires:
        wire.is_cut = True
    stage.hand.key("Space")
    spin(700)
    stage.hand.key("I")
    stage.station.sync_now()
    stage.hand.until(lambda: stage.station.status().offline_since is not None, 10)
    spin(700)


def _somebody_else_first(stage: Stage) -> None:
    """Cancels, at the record, the visit the nurse stands on."""
    found: list[Any] = stage.window.findChildren(QWidget)
    row = next(one for one in found if hasattr(one, "next_open")).current_row()
    client = stage.station.engine.line.client
    if row is None or not row.key.startswith("Appointment/"):
        return
    raw = orjson.loads(client.read(row.key).body)
    theirs = raw | {"status": "cancelled", "comment": "Innlagt på sykehus i natt"}
    client.put(row.key, orjson.dumps(theirs))


def _stale(stage: Stage) -> None:
    """A quarter of an hour later the wire is still cut."""
    assert isinstance(stage.station.clock, PracticeClock)
    stage.station.clock.skip(timedelta(minutes=14))
    stage.station.sync_now()
    stage.hand.until(stage.window.shell.work.stale.isVisible, 20)
    spin(700)


def _health(stage: Stage) -> None:
    """Contact and data, when everything has come again."""
    stage.hand.key("Escape")
    stage.window.shell.desk.open_page("health")
    spin(700)


def _conflict(stage: Stage) -> None:
    """The wire is whole again: two versions of one visit."""
    for wire in stage.station.wires:
        wire.is_cut = False
    stage.station.sync_now()
    stage.hand.until(lambda: stage.station.status().conflicts > 0, 15)
    stage.hand.key("Alt+0")
    spin(700)
    stage.hand.key("Return")
    spin(500)


def _sign_in(stage: Stage) -> None:
    _in_this_look(stage, stage.window.shell.sign_out)
    spin(600)


def _in_this_look(stage: Stage, change: Callable[[], object]) -> None:
    """Whoever comes brings a look of their own; the pictures keep theirs."""
    worn, language = theme.current(), texts.language()
    change()
    stage.window.shell.desk.set_language(language)
    theme.apply(worn)
    spin(400)


SCREENS: Final[dict[str, Callable[[Stage], None]]] = {
    "homecare-my-day": _keys("Alt+1", "Ctrl+1"),
    "homecare-not-home": _keys("I"),
    "homecare-zone": _keys("Ctrl+2"),
    "homecare-user-notes": _keys("Ctrl+1", "Return"),
    "homecare-user-plan": _keys("P"),
    "homecare-user-measurements": _keys("M"),
    "homecare-documents-empty": _keys("Escape", "D"),
    "homecare-documents": _documents,
    "homecare-document-adding": _adding,
    "homecare-ledger": _keys("Escape", "Alt+1", "Ctrl+4"),
    "palette": _palette,
    "palette-elsewhere": _elsewhere,
    "help": _keys("Escape", "F1"),
    "settings": _keys("F1", "Ctrl+,"),
    "modules": _modules,
    "homecare-another-reason": _why,
    "homecare-measurement-doubt": _doubt,
    "homecare-suggestion": _suggestion,
    "homecare-my-day-offline": _offline,
    "stale": _stale,
    "outbox": _keys("Alt+0"),
    "conflict": _conflict,
    "health": _health,
    "lock": _keys("Ctrl+L"),
    "sign-in": _sign_in,
}
"""Shown in this order: each begins where the one before left the window."""
