"""A password of one's own for this PC; and, for a superuser, a code for a colleague's new PIN."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QVBoxLayout, QWidget

from clinician.errors import ClinicianError
from clinician.modulekit.context import Kind
from clinician.texts import lazy
from ui.shell.desk import Desk
from ui.shell.secret_panel import hidden_line
from ui.shell.station import StaffLine
from ui.widgets import theme
from ui.widgets.buttons import Button
from ui.widgets.fields import ChoiceField, LineField
from ui.widgets.labels import Label
from ui.widgets.panes import row

L = lazy("ui")
_WIDE = 420


class OwnPassword(QWidget):
    """Chosen twice; opens the PC where its key store, or the network, does not help."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._secret = LineField(L("Password for this PC"), "shell.settings.secret", line=hidden_line())
        self._again = LineField(L("The same once more"), "shell.settings.secret_again", line=hidden_line())
        keep = Button(L("Keep the password"), "shell.settings.secret_keep", icon="lock-key")
        keep.clicked.connect(self._on_keep)
        self._again.entered.connect(self._on_keep)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.current().space(2))
        column.addWidget(Label(L("Your own password for this PC"), size=15, weight=600))
        column.addWidget(
            Label(
                L("It opens what is stored here when nothing else can. Three or four words do."),
                tone="ink_quiet",
                wrap=True,
            )
        )
        for field in (self._secret, self._again):
            field.setMaximumWidth(_WIDE)
            column.addWidget(field)
        column.addWidget(row(keep))

    def begin(self) -> None:
        """Nothing typed is kept."""
        for field in (self._secret, self._again):
            field.set_text("")

    def _on_keep(self) -> None:
        secret = self._secret.line.text()
        if secret != self._again.line.text():
            self._again.set_problem(L("The two are not the same."))
            return
        self._desk.act(
            lambda: self._desk.station.unlocking.set_password(secret), self._on_kept, self._on_refused
        )

    def _on_kept(self) -> None:
        self.begin()
        self._desk.messages.say(L("Your password opens this PC from now on."), Kind.DONE)

    def _on_refused(self, problem: ClinicianError) -> None:
        self._secret.set_problem(problem.text)
        self._secret.setFocus()


class ColleagueCode(QWidget):
    """A code for a new PIN, read to the colleague face to face. Only for a superuser."""

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._who = ChoiceField(L("Colleague"), "shell.settings.colleague")
        self._who.setMaximumWidth(_WIDE)
        self._who.chosen.connect(self._on_other)
        make = Button(L("Make a code"), "shell.settings.code_make", icon="key")
        make.clicked.connect(self._on_make)
        self.code: Label = Label("", size=24, weight=600)
        self.code.setObjectName("shell.settings.code")
        self.code.setTextInteractionFlags(Qt.TextInteractionFlag.NoTextInteraction)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.current().space(2))
        column.addWidget(Label(L("A new PIN for a colleague"), size=15, weight=600))
        column.addWidget(
            Label(
                L("The code is good once, for half an hour, on this PC. Tell it face to face; it is logged."),
                tone="ink_quiet",
                wrap=True,
            )
        )
        column.addWidget(self._who)
        column.addWidget(row(make, self.code, spacing=4))

    def begin(self) -> None:
        """Who may get one; shown only to who may hand it out."""
        who = self._desk.station.who
        self.code.set_words("")
        self.setVisible(who is not None and who.is_superuser)
        if who is not None and who.is_superuser:
            self._desk.threads.run(lambda: self._desk.station.staff(who.workplace_ref), self._on_staff)

    def _on_other(self, _key: str) -> None:
        self.code.set_words("")

    def _on_staff(self, staff: Sequence[StaffLine]) -> None:
        self._who.set_choices(tuple((line.key, line.name) for line in staff))

    def _on_make(self) -> None:
        who = self._who.value
        if who:
            self._desk.threads.run(
                lambda: self._desk.station.pins.issue_code(who), self._on_code, self._desk.messages.problem
            )

    def _on_code(self, code: str) -> None:
        self.code.set_words(f"{code[:3]} {code[3:]}")
