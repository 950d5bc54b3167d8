"""Language, colours, row height and text size: seen at once, kept for the next time."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtWidgets import QButtonGroup, QHBoxLayout, QVBoxLayout, QWidget

from clinician import texts
from clinician.texts import lazy
from ui.shell.access_settings import ColleagueCode, OwnPassword
from ui.shell.desk import Desk
from ui.widgets import theme
from ui.widgets.buttons import Button
from ui.widgets.labels import Label
from ui.widgets.panes import Ground, Pane, Scrolled
from ui.widgets.words import Words

L = lazy("ui")

_LANGUAGES: tuple[tuple[str, Words], ...] = (("nb", "Bokmål"), ("nn", "Nynorsk"), ("en", "English"))
_THEMES: tuple[tuple[str, Words], ...] = (
    ("light", L("Light")),
    ("dark", L("Dark")),
    ("contrast", L("High contrast")),
)
_DENSITIES: tuple[tuple[str, Words], ...] = (("normal", L("Normal")), ("glove", L("Gloves")))
_SCALES: tuple[tuple[str, Words], ...] = tuple((str(size), f"{size} %") for size in theme.TEXT_SCALES)


class Segments(QWidget):
    """A few choices side by side, one of them taken. Tab reaches each; Space takes it."""

    def __init__(
        self, label: Words, name: str, choices: tuple[tuple[str, Words], ...], chosen: Callable[[str], None]
    ) -> None:
        super().__init__()
        self._buttons: dict[str, Button] = {}
        group = QButtonGroup(self)
        row = QHBoxLayout()
        row.setSpacing(theme.current().space(1))
        for value, words in choices:
            button = Button(words, f"{name}.{value}")
            button.setCheckable(True)
            button.clicked.connect(lambda _on=False, value=value: chosen(value))
            group.addButton(button)
            self._buttons[value] = button
            row.addWidget(button)
        row.addStretch(1)
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.current().space(1))
        column.addWidget(Label(label, weight=600))
        column.addLayout(row)

    def mark(self, value: str) -> None:
        """Show what is in force."""
        if value in self._buttons:
            self._buttons[value].setChecked(True)

    def focus_on(self, value: str) -> None:
        """Give a choice the keyboard."""
        if value in self._buttons:
            self._buttons[value].setFocus()


class SettingsPage(Ground):
    """The person's own settings; those of workplace and municipality come with the layout editor."""

    def __init__(self, desk: Desk) -> None:
        super().__init__("surface")
        self.setObjectName("shell.settings")
        self._desk = desk
        self.language = Segments(L("Language"), "shell.settings.language", _LANGUAGES, desk.set_language)
        self.theme = Segments(L("Colours"), "shell.settings.theme", _THEMES, self.choose_theme)
        self.density = Segments(L("Row height"), "shell.settings.density", _DENSITIES, self._on_density)
        self.scale = Segments(L("Text size"), "shell.settings.scale", _SCALES, self._on_scale)
        pane = Pane(L("Settings"))
        pane.body.setSpacing(theme.current().space(5))
        pane.body.addWidget(Label(L("They follow you and take effect at once."), tone="ink_quiet", wrap=True))
        for part in (self.language, self.theme, self.density, self.scale):
            pane.body.addWidget(part)
        modules = Button(L("Modules"), "shell.settings.modules", icon="puzzle-piece")
        modules.clicked.connect(lambda: desk.open_page("modules"))
        health = Button(L("Contact and data"), "shell.settings.health", icon="pulse")
        health.clicked.connect(lambda: desk.open_page("health"))
        row = QHBoxLayout()
        row.setSpacing(theme.current().space(2))
        row.addWidget(modules)
        row.addWidget(health)
        row.addStretch(1)
        pane.body.addLayout(row)
        self.password, self.code = OwnPassword(desk), ColleagueCode(desk)
        pane.body.addWidget(self.password)
        pane.body.addWidget(self.code)
        pane.body.addStretch(1)
        outer = QVBoxLayout(self)
        space = theme.current().space
        outer.setContentsMargins(space(3), space(3), space(3), space(3))
        outer.addWidget(Scrolled(pane))

    def begin(self) -> None:
        """Show what is in force."""
        now = theme.current()
        self.language.mark(texts.language())
        self.theme.mark(now.name)
        self.density.mark(now.density)
        self.scale.mark(str(now.text_scale))
        self.password.begin()
        self.code.begin()
        self.language.focus_on(texts.language())

    def choose_theme(self, name: str) -> None:
        """Dress in other colours and remember it."""
        theme.change(name=name)
        self._desk.remember(theme=name)

    def _on_density(self, density: str) -> None:
        theme.change(density=density)
        self._desk.remember(density=density)

    def _on_scale(self, scale: str) -> None:
        theme.change(text_scale=int(scale))
        self._desk.remember(text_scale=int(scale))
