"""The password that opens what is stored on a PC without a key store: whose, and what; or a first one."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QLineEdit, QVBoxLayout, QWidget

from clinician.errors import SecretNeeded
from clinician.texts import lazy
from ui.widgets import theme
from ui.widgets.fields import ChoiceField, LineField

L = lazy("ui")


def hidden_line() -> QLineEdit:
    """A line that shows dots."""
    line = QLineEdit()
    line.setEchoMode(QLineEdit.EchoMode.Password)
    return line


class SecretPanel(QWidget):
    """`given(user, secret)` when it is complete; user is '' for the PC's own."""

    given = Signal(str, str)

    def __init__(self) -> None:
        super().__init__()
        self._least = 0
        self._people: tuple[tuple[str, str], ...] = ()
        self._who = ChoiceField(L("Who are you?"), "shell.start.who")
        self.secret = LineField(L("Password for this PC"), "shell.start.secret", line=hidden_line())
        self.again = LineField(L("The same once more"), "shell.start.secret_again", line=hidden_line())
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.current().space(2))
        for part in (self._who, self.secret, self.again):
            column.addWidget(part)
        self.secret.entered.connect(self._on_entered)
        self.again.entered.connect(self.give)
        self.hide()

    def ask(self, wanted: SecretNeeded) -> None:
        """Show what is needed."""
        self._least = wanted.new_least
        if wanted.people != self._people:
            self._people = wanted.people
            self._who.set_choices((*wanted.people, ("", L("The one who keeps this PC"))))
            self._who.set_value(wanted.people[0][0] if wanted.people else "")
        self._who.setVisible(bool(wanted.people))
        self.again.setVisible(wanted.is_new)
        self.clear()
        self.show()

    def clear(self) -> None:
        """Nothing typed is kept."""
        for field in (self.secret, self.again):
            field.set_text("")
        self.secret.setFocus()

    def _on_entered(self) -> None:
        if self._least and not self.again.line.text():
            self.again.setFocus()
        else:
            self.give()

    def give(self) -> None:
        """Hand it over, or say what is missing."""
        secret = self.secret.line.text()
        if not secret or len(secret) < self._least:
            self.secret.set_problem(
                L(
                    "Choose a password of at least {least} characters; three or four words do.",
                    least=self._least,
                )
                if self._least
                else L("Write the password.")
            )
            self.secret.setFocus()
        elif self._least and secret != self.again.line.text():
            self.again.set_problem(L("The two are not the same."))
            self.again.setFocus()
        else:
            self.given.emit(self._who.value if not self._least else "", secret)
