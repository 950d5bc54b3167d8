"""The documents of a user: what there is, where its content is, and a way to add a picture or a letter.

Enter opens · A adds a file · Ctrl+V adds what was copied · a file may be dropped on the list · S saves a
copy · R withdraws. Made when it is first shown; nothing is read before.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMimeData, Qt, QTimer
from PySide6.QtGui import (
    QDragEnterEvent,
    QDropEvent,
    QGuiApplication,
    QImage,
    QImageWriter,
    QKeyEvent,
    QKeySequence,
    QResizeEvent,
)
from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QSplitter, QVBoxLayout, QWidget
from typing_extensions import override

from clinician import texts
from clinician.clock import oslo
from clinician.commands.documents import AttachDocument, WithdrawDocument
from clinician.errors import ClinicianError
from clinician.modulekit.context import Ending, Kind, ModuleContext
from clinician.queries.documents import DocumentRow, Place, patient_documents
from modules.homecare.views.acting import Acting
from modules.homecare.views.document_form import DocumentForm
from modules.homecare.views.document_sheet import DocumentSheet
from modules.homecare.views.live import Live
from modules.homecare.views.why_line import WhyLine
from ui.models.rows import Column, RowModel
from ui.widgets import theme
from ui.widgets.buttons import Button
from ui.widgets.empty_state import EmptyState, Loading
from ui.widgets.labels import ElidedLabel
from ui.widgets.panes import Scrolled
from ui.widgets.row_table import RowTable

if TYPE_CHECKING:
    from clinician.modulekit.context import Content, Documents, Taken

_ = texts.translator("homecare")
L = texts.lazy("homecare")
FACES: Final = {
    Place.RECORD: ("cloud", "ink_quiet"),
    Place.COMING: ("download-simple", "offline"),
    Place.HERE: ("check-circle", "ink_quiet"),
    Place.WAITING: ("hourglass", "offline"),
    Place.REFUSED: ("x-circle", "danger"),
    Place.SENT: ("cloud-check", "done"),
    Place.WRONG: ("warning-octagon", "danger"),
    Place.ABSENT: ("cloud-slash", "warn"),
    Place.ELSEWHERE: ("link", "ink_quiet"),
}
"""Glyph and role of where the content is; the word comes with the row."""
_SIDE_BY_SIDE: Final = 620
"""Pixels at 100 % text that list and document need beside each other"""


def face(row: DocumentRow) -> tuple[str, str]:
    """(icon, role) of a row."""
    return ("prohibit", "warn") if row.is_withdrawn else FACES[row.place]


class DocumentsPage(QWidget):
    """One user's documents: the list, and beside it the one that is open."""

    def __init__(self, ctx: ModuleContext, acting: Acting, letter: Callable[[str], bool]) -> None:
        super().__init__()
        self.setObjectName("homecare.documents")
        self._ctx, self._acting, self._letter = ctx, acting, letter
        self._patient, self._name, self._open = "", "", ""
        self._notes: tuple[tuple[str, str], ...] = ()
        self._rows: tuple[DocumentRow, ...] = ()
        self._reading: Ending | None = None
        self.ask_for_file: Callable[[], str] = self._ask_for_file
        """Swapped where no file can be chosen on a screen"""
        self._model: RowModel[DocumentRow] = RowModel(self._columns())
        self._build()
        self._live = Live(self, self._watch)
        self.setAcceptDrops(True)

    @property
    def _documents(self) -> Documents:
        assert self._ctx.documents is not None
        return self._ctx.documents

    # building -----------------------------------------------------------------------------------

    def _columns(self) -> list[Column[DocumentRow]]:
        return [
            Column("when", L("When"), lambda row: row.when_text, width=104),
            Column(
                "title",
                L("Document"),
                lambda row: row.title,
                tone=lambda row: "ink_quiet" if row.is_withdrawn else "ink",
                weight=lambda _row: 600,
            ),
            Column(
                "state",
                L("Content"),
                lambda row: row.place_text,
                width=190,
                icon=lambda row: face(row)[0],
                tone=lambda row: face(row)[1],
                tip=lambda row: row.help_text,
            ),
            Column("kind", L("Kind"), lambda row: row.kind_text, width=120, may_hide=True),
            Column("author", L("By"), lambda row: row.author, width=130, may_hide=True),
        ]

    def _build(self) -> None:
        space = theme.current().space
        self.table = RowTable(self._model, "homecare.documents.list", L("Documents"))
        self.table.take_keys("A", "S", "R", "N", "P", "O", "M", "T")
        self.table.opened.connect(self.open_document)
        self.table.key_pressed.connect(lambda text, _key: self._on_key(text))
        self.empty = EmptyState(
            L("No documents yet"),
            L("Add a picture of a wound, a letter or a drawing: A, Ctrl+V, or drop a file here."),
            icon="file-text",
        )
        self._loading = Loading(self.table, self.empty)
        self.add_button = Button(
            L("Add document"), "homecare.documents.add", icon="plus", hint=L("A, Ctrl+V or drop a file")
        )
        self.add_button.clicked.connect(self.choose_file)
        self.form = DocumentForm()
        self.form.signed.connect(self._sign)
        self.form.left.connect(self._leave_form)
        self.why = WhyLine("documents")
        self.why.left.connect(self.take_cursor)
        self.sheet = DocumentSheet(self._ctx)
        self.sheet.copied.connect(self._say_copied)
        self.sheet.withdrawn.connect(lambda: self.withdraw(self._open))
        top = QHBoxLayout()
        top.addWidget(self.add_button)
        keys = ElidedLabel(
            L("Enter opens · A adds · S saves a copy · R withdraws"), size=12, tone="ink_quiet"
        )
        top.addWidget(keys, 1)
        left = QWidget()
        column = QVBoxLayout(left)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(space(2))
        column.addLayout(top)
        for part in (self.form, self.why):
            column.addWidget(part)
        column.addWidget(self._loading, 1)
        self._split = QSplitter(Qt.Orientation.Horizontal)
        self._split.setChildrenCollapsible(False)
        self._split.setHandleWidth(space(2))
        self._split.addWidget(left)
        self._split.addWidget(self.sheet)
        self._split.setStretchFactor(0, 3)
        self._split.setStretchFactor(1, 2)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        # Where the text is large the page itself scrolls: nothing is squeezed to a slit.
        self._scroll = Scrolled(self._split)
        whole.addWidget(self._scroll)
        self.sheet.hide()

    # reading ------------------------------------------------------------------------------------

    def open(self, patient_ref: str, name: str, notes: tuple[tuple[str, str], ...] = ()) -> None:
        """Turn to a user; what was open of another is gone from the screen at once. notes: (key, words)."""
        self._notes = notes
        if patient_ref == self._patient and self._live.is_fresh:
            return
        if patient_ref != self._patient:
            self._forget()
            self._loading.wait()
        self._patient, self._name = patient_ref, name
        self._live.again()

    def _forget(self) -> None:
        self._end_reading()
        self._leave_form()
        self.why.put_away()
        self.sheet.clear()
        self._open = ""

    def _watch(self) -> Ending:
        patient_ref = self._patient
        return self._ctx.queries.watch(
            patient_documents, lambda rows: self._show(patient_ref, rows), None, patient_ref=patient_ref
        )

    def _show(self, patient_ref: str, rows: tuple[DocumentRow, ...]) -> None:
        if patient_ref != self._patient:
            return
        before = self._row(self._open)
        self._rows = rows
        self._model.set_rows(rows)
        self._loading.show_content(bool(rows))
        row = self._row(self._open)
        if row is not None and row != before:
            self.sheet.show_row(row)
            if before is not None and row.place is not before.place and not self.sheet.has_content:
                self._read(row)

    def _row(self, key: str) -> DocumentRow | None:
        return next((row for row in self._rows if row.key == key), None)

    # opening ------------------------------------------------------------------------------------

    def open_document(self, key: str) -> None:
        """Show one beside the list; what is not here is fetched, and comes by itself."""
        row = self._row(key)
        if row is None:
            return
        self._open = key
        self.sheet.clear()
        self.sheet.show_row(row)
        self.sheet.show()
        if not row.is_withdrawn:
            self._read(row)

    def _read(self, row: DocumentRow) -> None:
        self._end_reading()
        self._reading = self._documents.read(row.key, self._on_content, self._on_unreadable)

    def _end_reading(self) -> None:
        if self._reading is not None:
            self._reading.end()
            self._reading = None

    def _on_content(self, content: Content) -> None:
        if content.document_ref == self._open and content.content is not None:
            self.sheet.show_content(content)
            QTimer.singleShot(0, self, self._reveal)

    def _reveal(self) -> None:
        """Where the document lies under the list, go down to it."""
        if self._split.orientation() == Qt.Orientation.Vertical and self.sheet.isVisible():
            self._scroll.ensureWidgetVisible(self.sheet, 0, 0)

    def _on_unreadable(self, problem: ClinicianError) -> None:
        self.sheet.show_problem(problem.text)

    def _say_copied(self) -> None:
        self._ctx.messages.say(
            _("The copy lies outside the record and is not locked. Delete it when you no longer need it."),
            Kind.WARN,
        )

    # adding -------------------------------------------------------------------------------------

    def choose_file(self) -> None:
        """Ask which file."""
        name = self.ask_for_file()
        if name:
            self.add(Path(name))

    def _ask_for_file(self) -> str:
        kinds = _("Pictures, PDF and text") + " (*.jpg *.jpeg *.png *.heic *.pdf *.txt)"
        name, _chosen = QFileDialog.getOpenFileName(self, _("Add document"), "", kinds)
        return name

    def add(self, source: Path | bytes) -> None:
        """Take it in, then ask what it is. A file's own name is not used: it may say too much."""
        if not self._patient:
            return
        patient_ref = self._patient
        self.form.wait()
        self._documents.stage(source, lambda taken: self._on_taken(patient_ref, taken), self._on_not_taken)

    def _on_taken(self, patient_ref: str, taken: Taken) -> None:
        if patient_ref != self._patient:
            self._documents.settle(taken)
            return
        self._leave_form()
        day = oslo(self._ctx.clock.now()).date()
        self.form.ask(taken, _("About {name}", name=self._name), day, self._notes)

    def _on_not_taken(self, problem: ClinicianError) -> None:
        self.form.put_away()
        self._ctx.messages.problem(problem)
        self.take_cursor()

    def _sign(self, taken: Taken, title: str, kind: str, note: str) -> None:
        command = AttachDocument(self._patient, title, kind, taken, note)

        def done(_done: object) -> None:
            self._documents.settle(taken)
            self.form.put_away()
            self.take_cursor()

        def problems(found: tuple[ClinicianError, ...]) -> None:
            self.form.show_problems(found)

        self._acting.run(command, _("Document added: {title}", title=title), done, problems)

    def _leave_form(self) -> None:
        taken = self.form.taken
        self.form.put_away()
        if taken is not None:
            self._documents.settle(taken)

    # withdrawing --------------------------------------------------------------------------------

    def withdraw(self, key: str) -> None:
        """Ask why, then mark it as entered in error."""
        row = self._row(key)
        if row is None or row.is_withdrawn:
            return

        def sign(reason: str) -> None:
            said = _("The document is withdrawn and stays in the list as such.")
            self._acting.run(WithdrawDocument(key, reason), said)
            self.sheet.clear()
            self.take_cursor()

        self.why.ask(key, row.title, sign)

    # keys, clipboard, drops -----------------------------------------------------------------------

    def take_cursor(self) -> None:
        """Keyboard to the list, or to the button while there is none."""
        target: QWidget = self.table if self._rows else self.add_button
        target.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def _on_key(self, text: str) -> None:
        key = self.table.current_key()
        if text == "A":
            self.choose_file()
        elif text == "S":
            if self._open != key:
                self.open_document(key)
            self.sheet.save_copy()
        elif text == "R":
            self.withdraw(key)
        else:
            self._letter(text)

    @override
    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.matches(QKeySequence.StandardKey.Paste):
            self._take_mime(QGuiApplication.clipboard().mimeData())
        elif event.text().upper() == "A" and not event.modifiers() and not event.isAutoRepeat():
            self.choose_file()
        elif event.key() == Qt.Key.Key_Escape and self.sheet.isVisible():
            self.sheet.clear()
            self._open = ""
            self.take_cursor()
        else:
            super().keyPressEvent(event)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._settle()

    def _settle(self) -> None:
        """Side by side where there is room for both, else one under the other."""
        tokens = theme.current()
        room = self.width() >= round(_SIDE_BY_SIDE * tokens.text_scale / 100)
        self._split.setOrientation(Qt.Orientation.Horizontal if room else Qt.Orientation.Vertical)
        self._loading.setMinimumHeight(5 * tokens.row_height)

    @override
    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        if content_in(event.mimeData()) is not None:
            event.acceptProposedAction()

    @override
    def dropEvent(self, event: QDropEvent) -> None:
        if self._take_mime(event.mimeData()):
            event.acceptProposedAction()

    def _take_mime(self, data: QMimeData) -> bool:
        found = content_in(data)
        if found is None:
            self._ctx.messages.say(_("There is no picture or file to add."), Kind.INFO)
            return False
        self.add(found)
        return True


def content_in(data: QMimeData) -> Path | bytes | None:
    """The file or picture that was copied or dragged; None when it is neither. Only files of this PC."""
    files = [url.toLocalFile() for url in data.urls() if url.isLocalFile()]
    if files:
        return Path(files[0])
    if not data.hasImage():
        return None
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    QImageWriter(buffer, QByteArray(b"png")).write(QImage(data.imageData()))
    return bytes(buffer.data().data())
