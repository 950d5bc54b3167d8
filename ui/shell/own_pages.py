"""The pages of the shell itself, made once and shown by name."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from PySide6.QtWidgets import QStackedWidget, QWidget

from ui.shell.conflict_page import ConflictPage
from ui.shell.desk import Desk
from ui.shell.health_page import HealthPage
from ui.shell.modules_page import ModulesPage
from ui.shell.outbox_page import OutboxPage
from ui.shell.settings_page import SettingsPage

_RAIL: Final = {"conflict": "outbox", "health": "settings", "modules": "settings"}
"""A page without a place of its own on the rail stands under the one that leads to it."""


class OwnPages:
    """outbox, conflict, settings, modules and health, each on the stack of pages."""

    def __init__(self, desk: Desk, stack: QStackedWidget) -> None:
        self._stack = stack
        self.outbox = OutboxPage(desk)
        self.conflict = ConflictPage(desk)
        self.settings = SettingsPage(desk)
        self.modules = ModulesPage()
        self.health = HealthPage(desk)
        for page in (self.outbox, self.conflict, self.settings, self.modules, self.health):
            stack.addWidget(page)

    def show(self, name: str, arguments: Mapping[str, str]) -> None:
        """Bring a page to the front. An unknown name raises KeyError."""
        op_id = arguments.get("op_id", "")
        pages: dict[str, tuple[QWidget, Callable[[], object]]] = {
            "outbox": (self.outbox, lambda: self.outbox.begin(op_id)),
            "conflict": (self.conflict, lambda: self.conflict.begin(op_id)),
            "settings": (self.settings, self.settings.begin),
            "modules": (self.modules, self.modules.setFocus),
            "health": (self.health, self.health.begin),
        }
        page, begin = pages[name]
        self._stack.setCurrentWidget(page)
        begin()

    def rail_place(self, name: str) -> str:
        """The place on the rail that is marked while the page is shown."""
        return f"page:{_RAIL.get(name, name)}"
