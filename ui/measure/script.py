"""`clinician script NAME…`: drives the real window, counts, and checks the outcome in the cache.

Every script starts unlocked on its module's first screen and runs online, with five seconds of
server latency, and with no network; the counts must be equal. A script whose outcome is wrong fails
whatever it counted.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any, Final

from clinician.errors import UserProblem
from clinician.fhir.codes import CODE_TASK
from clinician.fhir.read import codes_in, end_of, owner_of, start_of, status_of
from clinician.texts import lazy
from ui.measure.counting import Count
from ui.measure.hand import spin
from ui.measure.stage import Network, Stage, another, build, open_stage

L = lazy("ui")
Play = Callable[[Stage], bool]
OPEN_STATES: Final = frozenset({"booked", "pending", "arrived"})


def run_scripts(names: Sequence[str], networks: Sequence[str]) -> list[dict[str, Any]]:
    """A row per script and network. Raises UserProblem for a name nobody knows."""
    unknown = [name for name in names if name not in SCRIPTS]
    if unknown:
        raise UserProblem(
            L("There is no script {name}. There are: {known}.", name=unknown[0], known=", ".join(SCRIPTS))
        )
    rows: list[dict[str, Any]] = []
    with tempfile.TemporaryDirectory(prefix="clinician-script-") as made:
        template = build(Path(made) / "template")
        for name in names:
            for network in networks:
                folder = another(template, Path(made) / f"{name}-{network}")
                rows.append(_run(name, Network(network), folder))
    return rows


def _run(name: str, network: Network, folder: Path) -> dict[str, Any]:
    who, play = SCRIPTS[name]
    stage = open_stage(folder, network=network, who=_person(folder, who))
    try:
        good, count = _counted(stage, play)
    finally:
        stage.close()
    return {
        "script": name,
        "network": network.value,
        "actions": count.actions,
        "chars": count.chars,
        "modals": count.modals,
        "klm_s": round(count.klm_s, 1),
        "wait_s": round(count.wait_s, 2),
        "longest_wait_s": round(count.longest_wait_s, 2),
        "ok": good and count.modals == 0,
    }


def _person(folder: Path, who: str) -> str:
    from clinician.practice.info import read

    info = read(folder)
    return {"nurse": info.practitioner_ref, "coordinator": info.coordinator_ref}[who]


def _counted(stage: Stage, play: Play) -> tuple[bool, Count]:
    stage.counter.start()
    good = play(stage)
    return good, stage.counter.stop()


# what the cache says ------------------------------------------------------------------------------


def _visits(stage: Stage, *, back: int = 0) -> dict[str, dict[str, Any]]:
    """The visits of the zone by reference: today's, and those of `back` days before."""
    day = stage.station.clock.today()
    first, last = day - timedelta(days=back), day + timedelta(days=1)
    with stage.station.cache.reading() as reading:
        found = reading.find("Appointment", start_from=first, start_before=last)
        return {cached.ref: cached.raw for cached in found}


def _chain(stage: Stage) -> list[dict[str, Any]]:
    with stage.station.cache.reading() as reading:
        tasks = [found.raw for found in reading.find("Task")]
    kinds = {"follow-up", "call-next-of-kin", "try-again"}
    return [task for task in tasks if kinds & set(codes_in(task, "code", CODE_TASK))]


def _acts(stage: Stage) -> int:
    with stage.station.cache.reading() as reading:
        return len(reading.acts())


def _people(raw: dict[str, Any]) -> set[str]:
    actors = (part.get("actor", {}).get("reference", "") for part in raw.get("participant", ()))
    return {ref for ref in actors if ref.startswith("Practitioner/")}


# the scripts --------------------------------------------------------------------------------------


def h1(stage: Stage) -> bool:
    """Ten visits of a day: seven as planned, two with an exception, one not home."""
    before, chain = _visits(stage, back=7), {task["id"] for task in _chain(stage)}
    view = stage.window.shell
    strokes = ["Space", "Space", "1", "Space", "Space", "I", "Space", "4", "Space", "Space"]
    done = 0
    for stroke in strokes:
        if not stage.hand.until(lambda: _on_open_visit(stage), 10):
            return False
        acts = _acts(stage)
        stage.hand.key(stroke)
        if not stage.hand.until(partial(_has_more_acts, stage, acts), 10):
            return False
        done += 1
        if stroke == "I":
            stage.hand.until(lambda: len(_chain(stage)) > len(chain), 10)
            stage.hand.until(lambda: not _on_open_visit(stage), 10)
            _next_visit(stage)
    after = _visits(stage, back=7)
    changed = [ref for ref, raw in after.items() if raw["status"] != before[ref]["status"]]
    states = sorted(after[ref]["status"] for ref in changed)
    made = [task for task in _chain(stage) if task["id"] not in chain]
    owned = bool(made) and all(owner_of(task) for task in made)
    expected = sorted(["fulfilled"] * 7 + ["cancelled"] * 2 + ["noshow"])
    return done == 10 and states == expected and len(after) == len(before) and owned and view.is_open


def _has_more_acts(stage: Stage, before: int) -> bool:
    return _acts(stage) > before


def _list(stage: Stage) -> Any:
    from PySide6.QtWidgets import QWidget

    found = stage.window.findChildren(QWidget)
    return next((one for one in found if hasattr(one, "next_open") and hasattr(one, "current_row")), None)


def _on_open_visit(stage: Stage) -> bool:
    listed = _list(stage)
    row = listed.current_row() if listed is not None else None
    return row is not None and row.kind == "visit" and row.section != "done" and row.visit_state == "open"


def _next_visit(stage: Stage) -> None:
    """The card of the visit nobody opened stays; one key takes the next visit."""
    for _ in range(6):
        if _on_open_visit(stage):
            return
        stage.hand.key("Down")
        spin(30)


def t3(stage: Stage) -> bool:
    """Kari is ill: her six visits are given out, the staff told."""
    info = stage.station.info
    assert info is not None
    stage.hand.key("Ctrl+2")
    if not stage.hand.until(
        lambda: zone_of(stage) is not None and bool(zone_of(stage).grid.current_lane()), 10
    ):
        return False
    zone = zone_of(stage)
    before = _visits(stage)
    hers = [ref for ref, raw in before.items() if info.absent_ref in _people(raw)]
    absent = next(row.name for row in stage.station.staff() if row.key == info.absent_ref)
    for _lane in range(9):
        if absent in zone.absent_button.accessibleName() + zone.absent_button.text():
            break
        stage.hand.key("Right")
    stage.hand.key("A")
    if not stage.hand.until(lambda: zone.panel.isVisible() and zone.panel.accept_button.isVisible(), 30):
        return False
    stage.hand.key("Return")
    if not stage.hand.until(zone.panel.notify_button.isVisible, 10):
        return False
    stage.hand.key("Return")
    acts = _acts(stage)
    stage.hand.until(lambda: _acts(stage) > acts or not zone.panel.isVisible(), 5)
    spin(200)
    after = _visits(stage)
    left = [ref for ref in hers if info.absent_ref in _people(after[ref])]
    owned = all(_people(after[ref]) for ref in hers)
    same = after.keys() == before.keys() and all(status_of(raw) in OPEN_STATES for raw in after.values())
    return len(hers) == 6 and not left and owned and same and not _double_booked(after)


def zone_of(stage: Stage) -> Any:
    """The zone page."""
    from PySide6.QtWidgets import QWidget

    found = stage.window.findChildren(QWidget, "homecare.zone")
    return next((one for one in found if hasattr(one, "grid")), None)


def _double_booked(visits: dict[str, dict[str, Any]]) -> bool:
    """Whether anybody is at two places at once."""
    by_person: dict[str, list[tuple[datetime, datetime]]] = {}
    for raw in visits.values():
        start, end = start_of(raw), end_of(raw)
        for person in _people(raw):
            if start is not None and end is not None:
                by_person.setdefault(person, []).append((start, end))
    return any(
        second[0] < first[1]
        for spans in by_person.values()
        for first, second in zip(sorted(spans), sorted(spans)[1:], strict=False)
    )


def t9(stage: Stage) -> bool:
    """With an unsigned draft in a patient's chart: to another module and back."""
    from PySide6.QtWidgets import QPlainTextEdit

    shell, hand = stage.window.shell, stage.hand
    stage.counter.stop()
    hand.until(lambda: _on_open_visit(stage), 5)
    hand.key("Return")
    hand.until(lambda: _note(stage) is not None, 5)
    note = _note(stage)
    assert isinstance(note, QPlainTextEdit)
    note.setFocus()
    hand.type("Halvferdig notat")
    spin(200)
    patient = shell.desk.patient.current
    stage.counter.start()
    other = (
        "Alt+2" if len([key for key in shell.work.rail.keys if key.startswith("module:")]) > 1 else "Alt+0"
    )
    hand.key(other)
    hand.until(lambda: shell.place != "module:homecare", 5)
    away = shell.place != "module:homecare" and shell.desk.patient.current == patient
    hand.key("Alt+1")
    hand.until(lambda: shell.place == "module:homecare" and note.isVisible(), 5)
    kept = note.toPlainText() == "Halvferdig notat" and shell.desk.patient.current == patient
    return bool(patient) and away and kept


def _note(stage: Stage) -> Any:
    """The note field of the user page, once it is on the screen."""
    from PySide6.QtWidgets import QPlainTextEdit

    found = stage.window.findChild(QPlainTextEdit, "homecare.user.note")
    return found if found is not None and found.isVisible() else None


SCRIPTS: Final[dict[str, tuple[str, Play]]] = {
    "T3": ("coordinator", t3),
    "T9": ("nurse", t9),
    "H1": ("nurse", h1),
}
