"""The documents of a user on the screen: added, opened, withdrawn, with the keyboard alone."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import QMimeData, QUrl
from PySide6.QtGui import QColor, QGuiApplication, QImage
from PySide6.QtWidgets import QWidget
from pytestqt.qtbot import QtBot

from clinician.cache.attachment_files import Taken
from clinician.errors import UserProblem
from clinician.queries.documents import Content, DocumentRow, Place
from clinician.queries.query import RowState
from clinician.texts import lazy
from modules.homecare.views import document_sheet
from modules.homecare.views.acting import Acting
from modules.homecare.views.documents import DocumentsPage, content_in
from tests.modules.homecare.views.context import FakeEnding, context
from tests.modules.homecare.views.world import World

L = lazy("homecare")
Press = Callable[..., None]


def row(key: str, **other: Any) -> DocumentRow:
    told = {
        "key": key,
        "when": None,
        "when_text": "3. mars 07:00",
        "title": f"Sår {key}",
        "kind_text": "Sårbilde",
        "author": "Kari Lunde",
        "size_text": "27 kB",
        "content_type": "image/png",
        "place": Place.HERE,
        "place_text": "på denne PC-en",
        "help_text": "",
        "state": RowState.CONFIRMED,
        "op_id": "",
        "is_withdrawn": False,
        "about_text": "",
    }
    return DocumentRow(**(told | other))


class Store:
    """Hands out and takes in; remembers what was asked."""

    def __init__(self) -> None:
        self.staged: list[Any] = []
        self.settled: list[Taken] = []
        self.asked: list[str] = []
        self.refuse: UserProblem | None = None
        self.content: dict[str, Content] = {}

    def stage(self, source: Any, on_taken: Any, on_problem: Any = None) -> FakeEnding:
        self.staged.append(source)
        if self.refuse is not None:
            on_problem(self.refuse)
        else:
            on_taken(Taken(2048, "s", "s", "image/png", b"x"))
        return FakeEnding()

    def settle(self, taken: Taken) -> None:
        self.settled.append(taken)

    def read(self, document_ref: str, on_content: Any, on_problem: Any = None) -> FakeEnding:
        self.asked.append(document_ref)
        if self.refuse is not None:
            on_problem(self.refuse)
        elif document_ref in self.content:
            on_content(self.content[document_ref])
        return FakeEnding()


class Papers(World):
    rows: tuple[DocumentRow, ...] = ()

    def patient_documents(self, *, patient_ref: str) -> tuple[DocumentRow, ...]:
        return self.rows if patient_ref == "Patient/3" else ()

    def apply(self, command: Any) -> None:
        self.applied = command


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def page(store: Store, qtbot: QtBot) -> Iterator[DocumentsPage]:
    world = Papers()
    world.rows = (row("a"), row("b"))
    ctx = replace(context(world, patient="Patient/3"), documents=store)
    made = DocumentsPage(ctx, Acting(ctx), lambda _letter: True)
    made.ask_for_file = lambda: ""
    qtbot.addWidget(made)
    made.resize(860, 500)
    made.show()
    made.activateWindow()
    made.open("Patient/3", "Ola Dahl", (("DocumentReference/n", "3. mars · Kari Lunde"),))
    made.take_cursor()
    qtbot.wait(40)
    yield made


def png(width: int = 40, height: int = 30) -> bytes:
    image = QImage(width, height, QImage.Format.Format_RGB32)
    image.fill(QColor("red"))
    data = QMimeData()
    data.setImageData(image)
    found = content_in(data)
    assert isinstance(found, bytes)
    return found


def said(page: DocumentsPage) -> list[str]:
    return [one.text for one in page._ctx.messages.said]  # type: ignore[attr-defined]


def test_that_a_picture_opens_beside_the_list(page: DocumentsPage, store: Store, press: Press) -> None:
    store.content["a"] = Content("a", "Sår a", "image/png", png(), True, ".png")
    press("Return")
    assert store.asked == ["a"]
    assert page.sheet.picture.isVisible()
    assert not page.sheet.picture.pixmap().isNull()
    assert page.sheet.picture.accessibleName() == "Bilde: Sår a"
    press("Escape")
    assert not page.sheet.isVisible()
    assert page.table.hasFocus()


def test_that_what_is_being_fetched_is_shown_as_soon_as_it_came(
    page: DocumentsPage, store: Store, press: Press
) -> None:
    world: Any = page._ctx.queries.world  # type: ignore[attr-defined]
    world.rows = (row("a", place=Place.RECORD, place_text="i journalen"),)
    page._ctx.queries.changed()  # type: ignore[attr-defined]
    press("Return")
    assert not page.sheet.picture.isVisible()
    store.content["a"] = Content("a", "Sår a", "image/png", png(), True, ".png")
    world.rows = (row("a"),)
    page._ctx.queries.changed()  # type: ignore[attr-defined]
    assert page.sheet.picture.isVisible()


def test_that_a_text_is_read_and_a_pdf_is_only_saved_as_a_copy(
    page: DocumentsPage, store: Store, press: Press
) -> None:
    store.content["a"] = Content("a", "Brev", "text/plain;charset=utf-8", "Hei på deg".encode(), True, ".txt")
    store.content["b"] = Content("b", "Brev: <1>", "application/pdf", b"%PDF", False, ".pdf")
    press("Return")
    assert page.sheet.text.text() == "Hei på deg"
    press("Down", "S")
    assert not page.sheet.text.isVisible()
    assert "ikke inne i programmet" in page.sheet._help.text()
    assert page._ctx.places.saved == [("Brev: <1>.pdf", b"%PDF")]  # type: ignore[attr-defined]
    assert "ikke låst" in said(page)[-1]


def test_that_a_pasted_picture_asks_what_it_is_and_is_signed_with_enter(
    page: DocumentsPage, store: Store, press: Press
) -> None:
    image = QImage(8, 8, QImage.Format.Format_RGB32)
    image.fill(QColor("blue"))
    QGuiApplication.clipboard().setImage(image)
    press("Ctrl+V")
    assert page.form.isVisible()
    assert page.form.title.text.startswith("Sårbilde ")
    assert page.form.title.line.hasFocus()
    page.form.note.set_value("DocumentReference/n")
    press("Return")
    command = page._ctx.queries.world.applied  # type: ignore[attr-defined]
    assert (command.patient_ref, command.kind, command.about_ref) == (
        "Patient/3",
        "wound-photo",
        "DocumentReference/n",
    )
    assert store.settled == [command.taken]
    assert not page.form.isVisible()
    assert page.table.hasFocus()


def test_that_a_dropped_or_chosen_file_is_taken_without_its_name(
    page: DocumentsPage, store: Store, press: Press, tmp_path: Path
) -> None:
    file = tmp_path / "Ola Dahl 010170.png"
    data = QMimeData()
    data.setUrls([QUrl.fromLocalFile(str(file))])
    assert content_in(data) == file
    page.ask_for_file = lambda: str(file)
    press("A")
    assert store.staged == [file]
    assert "Ola" not in page.form.title.text
    press("Escape")
    assert len(store.settled) == 1
    assert not page.form.isVisible()


def test_that_what_is_no_file_is_said(page: DocumentsPage, store: Store, press: Press) -> None:
    QGuiApplication.clipboard().setText("bare tekst")
    press("Ctrl+V")
    assert store.staged == []
    assert said(page) == ["Det er ikke noe bilde eller noen fil å legge til."]
    remote = QMimeData()
    remote.setUrls([QUrl("https://elsewhere.example/x.png")])
    assert content_in(remote) is None


def test_that_a_file_that_is_not_taken_says_why_and_asks_nothing(page: DocumentsPage, store: Store) -> None:
    store.refuse = UserProblem(L("Kind"))
    page.add(b"MZ")
    assert page._ctx.messages.problems == [store.refuse]  # type: ignore[attr-defined]
    assert not page.form.isVisible()


def test_that_a_document_needs_a_name(page: DocumentsPage, store: Store, press: Press) -> None:
    page.add(b"x")
    page.form.title.set_text("")
    press("Return")
    assert page.form.isVisible()
    assert store.settled == []


def test_that_withdrawing_asks_why(
    page: DocumentsPage, press: Press, type_text: Callable[[str], None]
) -> None:
    press("R")
    type_text("feil person")
    press("Return")
    command = page._ctx.queries.world.applied  # type: ignore[attr-defined]
    assert (command.document_ref, command.reason) == ("a", "feil person")


def test_that_another_user_sees_nothing_of_the_one_before(
    page: DocumentsPage, store: Store, press: Press
) -> None:
    store.content["a"] = Content("a", "Sår a", "image/png", png(), True, ".png")
    press("Return")
    page.add(b"x")
    page.open("Patient/4", "Kari")
    assert not page.sheet.isVisible()
    assert not page.sheet.has_content
    assert not page.form.isVisible()
    assert len(store.settled) == 1
    assert page.empty.isVisible()


def test_that_a_picture_that_says_it_is_enormous_is_not_decoded() -> None:
    assert document_sheet.decoded(png(40, 30), most_pixels=1000).isNull()
    assert document_sheet.decoded(b"no picture").isNull()


def test_that_a_large_picture_is_brought_down_while_it_is_read() -> None:
    image = document_sheet.decoded(png(3200, 400))
    assert (image.width(), image.height()) == (1600, 200)


def test_that_a_picture_that_cannot_be_read_is_said(page: DocumentsPage, store: Store, press: Press) -> None:
    store.content["a"] = Content("a", "Sår a", "image/png", b"\x89PNG\r\n\x1a\nbroken", True, ".png")
    press("Return")
    assert "kan ikke leses" in page.sheet._help.text()


def test_that_every_control_has_a_name(page: DocumentsPage) -> None:
    page.add(b"x")
    for widget in page.findChildren(QWidget):
        if widget.objectName().startswith("homecare.documents.") and widget.isVisible():
            assert widget.accessibleName() or widget.objectName().endswith(("picture", "sheet", "viewport"))
