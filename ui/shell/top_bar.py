"""The top bar: search, practice word, workplace, person. 48 px."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPoint, QSize, Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QMenu, QSizePolicy
from typing_extensions import override

from clinician.access.who import Who
from clinician.texts import lazy, translator
from ui.shell.avatar import Avatar
from ui.shell.chips import Chip
from ui.shell.desk import Desk
from ui.shell.palette import SearchField
from ui.shell.station import WorkplaceLine
from ui.widgets import theme
from ui.widgets.buttons import Button
from ui.widgets.panes import Ground

L = lazy("ui")
_ = translator("ui")
HEIGHT = 48


class MenuButton(Button):
    """A quiet button that opens a menu beneath itself; words give way when the bar is narrow."""

    @override
    def minimumSizeHint(self) -> QSize:
        return QSize(72, super().minimumSizeHint().height())

    def open_menu(self, menu: QMenu) -> None:
        """Show the menu without stopping the program (no exec)."""
        menu.setObjectName(f"{self.objectName()}.menu")
        menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        menu.popup(self.mapToGlobal(QPoint(0, self.height())))


class TopBar(Ground):
    """Emits what the person wants; the window does it."""

    workplace_wanted = Signal(str)
    lock_wanted = Signal()
    sign_out_wanted = Signal()

    def __init__(self, desk: Desk, search: SearchField) -> None:
        super().__init__("surface")
        self.setObjectName("shell.top")
        self._desk = desk
        self.search = search
        self._practice = Chip("graduation-cap", L("PRACTICE"), "practice")
        self._practice.setObjectName("shell.top.practice")
        if not desk.station.practice:
            self._practice.hide()
        self._workplace = MenuButton("", "shell.top.workplace", icon="buildings", kind="quiet")
        self._workplace.clicked.connect(self._on_workplace)
        self._avatar = Avatar(30)
        self._person = MenuButton("", "shell.top.person", kind="quiet")
        self._person.clicked.connect(self._on_person)
        row = QHBoxLayout(self)
        row.setContentsMargins(16, 4, 12, 4)
        row.setSpacing(theme.current().space(2))
        search.setMaximumWidth(640)
        row.addWidget(search, 3)
        row.addStretch(1)
        row.addWidget(self._practice)
        row.addWidget(self._workplace)
        row.addWidget(self._avatar)
        row.addWidget(self._person)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)
        self._on_theme()
        theme.theme_changed.connect(self._on_theme)

    def show_person(self, who: Who | None) -> None:
        """Show who works here now."""
        for part in (self._workplace, self._avatar, self._person):
            part.setVisible(who is not None)
        if who is not None:
            self._workplace.set_words(who.workplace_name)
            self._workplace.setAccessibleName(_("Workplace: {name}", name=who.workplace_name))
            self._person.set_words(who.name)
            self._person.setAccessibleName(_("Signed in: {name}", name=who.name))
            self._avatar.show_person(who.initials)

    def _on_theme(self) -> None:
        self.setFixedHeight(max(HEIGHT, theme.current().row_height + 12))

    def _on_workplace(self) -> None:
        self._desk.threads.run(self._desk.station.workplaces, self._offer_workplaces)

    def _offer_workplaces(self, workplaces: Sequence[WorkplaceLine]) -> None:
        who = self._desk.station.who
        menu = QMenu(self)
        for place in workplaces:
            action = menu.addAction(place.name)
            action.setCheckable(True)
            action.setChecked(who is not None and place.key == who.workplace_ref)
            action.triggered.connect(lambda _on=False, ref=place.key: self.workplace_wanted.emit(ref))
        self._workplace.open_menu(menu)

    def _on_person(self) -> None:
        menu = QMenu(self)
        menu.addAction(_("Lock\tCtrl+L")).triggered.connect(self.lock_wanted)
        menu.addAction(_("Settings\tCtrl+,")).triggered.connect(lambda: self._desk.open_page("settings"))
        menu.addAction(_("Keys\tF1")).triggered.connect(lambda: self._desk.open_page("help"))
        menu.addSeparator()
        menu.addAction(_("Sign out")).triggered.connect(self.sign_out_wanted)
        self._person.open_menu(menu)

    @override
    def changeEvent(self, event: QEvent) -> None:
        if event.type() == QEvent.Type.LanguageChange and hasattr(self, "_avatar"):
            self.show_person(self._desk.station.who)
        super().changeEvent(event)
