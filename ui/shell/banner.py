"""The patient banner: who it is about, on every page, never scrolled away."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QEvent
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QBoxLayout, QHBoxLayout, QSizePolicy, QVBoxLayout, QWidget
from typing_extensions import override

from clinician.errors import ClinicianError
from clinician.texts import lazy
from ui.shell.avatar import Avatar
from ui.shell.chips import Chip
from ui.shell.desk import Desk
from ui.shell.reads import Watch
from ui.widgets import theme
from ui.widgets.buttons import IconButton
from ui.widgets.labels import ElidedLabel, Label
from ui.widgets.panes import Ground

if TYPE_CHECKING:
    from clinician.queries.patients import PatientHeader

L = lazy("ui")
HEIGHT = 56


class Banner(Ground):
    """Shows the patient in context. The identity number is masked until asked for."""

    def __init__(self, desk: Desk) -> None:
        super().__init__("surface_raised")
        self.setObjectName("shell.banner")
        self._desk = desk
        self._header: PatientHeader | None = None
        self._revealed = False
        self._watch: Watch | None = None
        self._build()
        self._show_nobody()
        desk.patient.changed_to.connect(self._on_patient)
        theme.theme_changed.connect(self._arrange)

    @property
    def header(self) -> PatientHeader | None:
        """What is shown now."""
        return self._header

    def _build(self) -> None:
        self._avatar = Avatar()
        self.name = Label(size=15, weight=600)
        self._age = Label(size=13)
        self.detail = ElidedLabel(size=12, tone="ink_quiet")
        self._eye = IconButton("eye", L("Show the identity number"), "shell.banner.reveal", role="ink_quiet")
        self._eye.clicked.connect(self._toggle_identity)
        self._aside = IconButton("x", L("Lay this patient aside"), "shell.banner.close", role="ink_quiet")
        self._aside.clicked.connect(lambda: self._desk.patient.choose(""))
        who = QVBoxLayout()
        who.setSpacing(0)
        first = QHBoxLayout()
        first.setSpacing(theme.current().space(2))
        first.addWidget(self.name)
        first.addWidget(self._age)
        first.addStretch(1)
        who.addStretch(1)
        who.addLayout(first)
        who.addWidget(self.detail)
        who.addStretch(1)
        self._left = QWidget()
        left = QHBoxLayout(self._left)
        left.setContentsMargins(0, 0, 0, 0)
        left.setSpacing(theme.current().space(3))
        left.addWidget(self._avatar)
        left.addLayout(who, 1)
        left.addWidget(self._eye)
        self._chips = QWidget()
        self._chip_row = QHBoxLayout(self._chips)
        self._chip_row.setContentsMargins(0, 0, 0, 0)
        self._chip_row.setSpacing(theme.current().space(1.5))
        self._middle = QBoxLayout(QBoxLayout.Direction.LeftToRight)
        self._middle.setSpacing(theme.current().space(2))
        self._middle.addWidget(self._left, 1)
        self._middle.addWidget(self._chips)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 4, 12, 4)
        row.addLayout(self._middle, 1)
        row.addWidget(self._aside)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def _on_patient(self, patient_ref: str) -> None:
        if self._watch is not None:
            self._watch.end()
            self._watch = None
        self._revealed = False
        if not patient_ref:
            self._show_nobody()
            return
        from clinician.queries.patients import patient_header

        self._watch = self._desk.reads.watch(
            patient_header,
            self._show_header,
            self._on_problem,
            patient_ref=patient_ref,
            day=self._desk.station.clock.today(),
        )

    def _on_problem(self, problem: ClinicianError) -> None:
        self._show_nobody()
        self._desk.messages.problem(problem)

    def _show_nobody(self) -> None:
        self._header = None
        self._avatar.show_person("")
        self.name.set_words(L("No patient chosen"))
        self.name.set_tone("ink_quiet")
        self._age.set_words("")
        self.detail.set_words(L("Press Ctrl+K and type a name, a birth date or a room"))
        self._set_chips((), ())
        self._eye.hide()
        self._aside.hide()
        self._arrange()

    def _show_header(self, header: PatientHeader) -> None:
        self._header = header
        self._avatar.show_person(header.initials, header.hue)
        self.name.set_words(header.name)
        self.name.set_tone("ink")
        self._show_lines()
        self._set_chips(header.allergies, header.flags)
        self._eye.show()
        self._aside.show()
        self._arrange()

    def _show_lines(self) -> None:
        header = self._header
        if header is None:
            return
        first = [header.age_text, header.birth_text, str(L("deceased")) if header.is_deceased else ""]
        self._age.set_words(" · ".join(part for part in first if part))
        number = header.identity_text if self._revealed else header.identity_masked
        second = [number, header.gender_text, header.place_text, header.phone]
        self.detail.set_words(" · ".join(part for part in second if part))

    def _set_chips(self, allergies: tuple[str, ...], flags: tuple[str, ...]) -> None:
        while self._chip_row.count():
            item = self._chip_row.takeAt(0)
            widget = item.widget() if item else None
            if widget is not None:
                widget.hide()
                widget.setParent(None)
                widget.deleteLater()
        for text in allergies:
            self._chip_row.addWidget(Chip("warning", text, "danger"))
        for text in flags:
            self._chip_row.addWidget(Chip("flag", text, "warn"))
        self._chip_row.addStretch(1)
        self._chips.setAccessibleName(", ".join((*allergies, *flags)))
        self._chips.setVisible(bool(allergies or flags))

    def _toggle_identity(self) -> None:
        self._revealed = not self._revealed
        words = L("Hide the identity number") if self._revealed else L("Show the identity number")
        self._eye.set_icon("eye-slash" if self._revealed else "eye", words)
        self._show_lines()

    def _arrange(self) -> None:
        """Chips beside the name, or beneath it when they would crowd it out: never hidden."""
        chips = self._chips.sizeHint().width() if self._chips.isVisibleTo(self) else 0
        name = self.name.sizeHint().width() + self._age.sizeHint().width() + 140
        beside = chips + name <= self.width() - 60 or not chips
        way = QBoxLayout.Direction.LeftToRight if beside else QBoxLayout.Direction.TopToBottom
        if self._middle.direction() != way:
            self._middle.setDirection(way)
        lines = round(theme.current().px(15) * 1.3) + round(theme.current().px(12) * 1.4) + 12
        height = max(HEIGHT, lines)
        if not beside:
            height += self._chips.sizeHint().height() + 8
        self.setFixedHeight(height)

    @override
    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    @override
    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange and self._header is not None:
            self._show_lines()
        super().changeEvent(event)
