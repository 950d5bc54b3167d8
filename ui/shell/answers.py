"""What the palette answers besides people: commands and places, from the shell and the modules."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from clinician.texts import lazy
from ui.shell.palette import Answer, answer
from ui.widgets import theme

if TYPE_CHECKING:
    from ui.shell.window import Shell

L = lazy("ui")


class Catalogue:
    """Made anew at every look, in the language in force."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def answers(self) -> tuple[Answer, ...]:
        """Places first, then commands."""
        return (*self._views(), *self._actions(), *self._own())

    def _views(self) -> list[Answer]:
        shell = self._shell
        return [
            answer(
                f"view {view.key}",
                view.title,
                view.icon,
                partial(shell.desk.open_view, view.key),
                detail=offer.title,
            )
            for offer in shell.rooms.offers
            for view in offer.views
            if view.kind != "sheet"
        ]

    def _actions(self) -> list[Answer]:
        shell = self._shell
        return [
            answer(
                f"action {action.key}",
                action.title,
                action.icon,
                partial(self._do, action.key, action.view),
                detail=offer.title,
                hint=action.shortcut,
            )
            for offer in shell.rooms.offers
            for action in offer.actions
            if "palette" in action.places and self._may(action.enabled_when)
        ]

    def _may(self, conditions: frozenset[str]) -> bool:
        return "patient" not in conditions or bool(self._shell.desk.patient.current)

    def _do(self, key: str, view: str) -> None:
        shell = self._shell
        if view:
            shell.desk.open_view(view)
        elif not shell.rooms.trigger(key):
            shell.desk.messages.say(L("Choose what it concerns in the list first, then do it."))

    def _own(self) -> list[Answer]:
        shell, desk = self._shell, self._shell.desk
        other = {"light": "dark", "dark": "contrast", "contrast": "light"}[theme.current().name]
        return [
            answer("own outbox", L("Outbox"), "tray", lambda: shell.go("page:outbox"), hint="Alt+0"),
            answer("own settings", L("Settings"), "gear", lambda: shell.go("page:settings"), hint="Ctrl+,"),
            answer("own modules", L("Modules"), "puzzle-piece", lambda: desk.open_page("modules")),
            answer("own health", L("Contact and data"), "pulse", lambda: desk.open_page("health")),
            answer("own keys", L("Keys"), "keyboard", shell.show_keys, hint="F1"),
            answer(
                "own sync",
                L("Send and fetch now"),
                "arrows-clockwise",
                lambda: desk.act(desk.station.sync_now),
            ),
            answer("own undo", L("Undo"), "arrow-u-up-left", desk.writes.undo_last, hint="Ctrl+Z"),
            answer("own aside", L("Lay this patient aside"), "user-minus", lambda: desk.patient.choose("")),
            answer(
                "own colours",
                L("Other colours"),
                "circle-half",
                lambda: shell.settings_page.choose_theme(other),
            ),
            answer("own lock", L("Lock"), "lock", shell.lock, hint="Ctrl+L"),
            answer("own out", L("Sign out"), "sign-out", shell.sign_out),
        ]
