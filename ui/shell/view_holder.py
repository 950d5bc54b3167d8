"""Holds one view of a module: made when first seen, kept alive after, rebuilt on a language switch.

A view that fails to be made is shown as broken, in its own place, and stops no other.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QStackedLayout, QWidget
from typing_extensions import override

from clinician.errors import Bug, ClinicianError
from clinician.texts import lazy
from ui.jobs import attempt
from ui.shell.context import ViewContext
from ui.shell.desk import Desk
from ui.shell.offers import ModuleOffer, ViewOffer
from ui.shell.running import Running
from ui.widgets.empty_state import EmptyState
from ui.widgets.words import Words, announce, shown

L = lazy("ui")


class ViewHolder(QWidget):
    """The place of one view."""

    def __init__(
        self,
        desk: Desk,
        running: Running,
        module: ModuleOffer,
        offer: ViewOffer,
        arguments: Mapping[str, str] | None = None,
    ) -> None:
        super().__init__()
        self._desk, self._running, self._module, self.offer = desk, running, module, offer
        self.setObjectName(f"shell.view.{offer.key}")
        self.arguments = dict(arguments or {})
        self.view: QWidget | None = None
        self._context: ViewContext | None = None
        self._state: dict[str, str] = {}
        self._stack = QStackedLayout(self)
        self._empty = EmptyState(
            L("Choose a patient first"),
            L("Press Ctrl+K and type a name, a birth date or a room."),
            icon="user",
        )
        self._stack.addWidget(self._empty)
        if offer.patient == "required":
            desk.patient.changed_to.connect(self._on_patient)

    @property
    def is_failed(self) -> bool:
        """True when the view could not be made."""
        return self._context is None and self.view is not None

    def begin(self) -> None:
        """Make the view if it can be made and has not been."""
        if self.view is None and not (self.offer.patient == "required" and not self._desk.patient.current):
            self._make()

    def open_with(self, arguments: Mapping[str, str]) -> None:
        """The view is wanted with these arguments, open or not."""
        self.arguments |= arguments
        self.begin()
        if arguments and self.view is not None and hasattr(self.view, "open_with"):
            self.view.open_with(dict(arguments))

    def take_focus(self) -> None:
        """Give the view the keyboard where it wants it."""
        self.begin()
        target = self.view or self._empty
        first = target.first_focus() if hasattr(target, "first_focus") else target
        first.setFocus()

    def key_hints(self) -> tuple[tuple[Words, Words], ...]:
        """The keys of the view as its manifest words them."""
        parts = (part.partition("=") for part in shown(self.offer.hint).split("·"))
        return tuple((key.strip(), what.strip()) for key, _eq, what in parts if what)

    def trigger(self, action_id: str) -> bool:
        """Let the view do an action of its module; False when it does not know how."""
        if self.view is None or not hasattr(self.view, "trigger"):
            return False
        return bool(self.view.trigger(action_id))

    def state(self) -> dict[str, str]:
        """What the view wants carried over."""
        if self.view is not None and hasattr(self.view, "view_state"):
            self._state = dict(self.view.view_state())
        return self._state

    def restore(self, state: Mapping[str, str]) -> None:
        """Give the view back its state, now or when it is made."""
        self._state = dict(state)
        if self.view is not None and hasattr(self.view, "restore_view_state"):
            self.view.restore_view_state(self._state)

    def retranslate(self) -> None:
        """The language changed: the view says it anew, or is made anew with its state."""
        view = self.view
        if view is None:
            return
        if self._context is not None and hasattr(view, "retranslate"):
            announce(view)
            view.retranslate()
            self._context.reads.refresh()
            return
        focus: QWidget | None = self.window().focusWidget()
        had_focus = focus is not None and self.isAncestorOf(focus)
        self.state()
        self.end()
        self.begin()
        if had_focus:
            self.take_focus()

    def end(self) -> None:
        """Take the view away with all that was begun through its context."""
        if self._context is not None:
            self._context.end()
            self._context = None
        if self.view is not None:
            self._stack.removeWidget(self.view)
            self.view.hide()
            self.view.deleteLater()
            self.view = None
        self._stack.setCurrentWidget(self._empty)

    def _make(self) -> None:
        who = self._desk.station.who
        if who is None:
            return
        context = ViewContext(
            self._desk,
            self._running,
            self._module.key,
            who,
            arguments=self.arguments,
            settings=self._desk.face.of_module(self._module.key),
            domain=self._module.domain,
        )
        view = attempt(lambda: _checked(self.offer.make()(context.context)))
        if isinstance(view, ClinicianError):
            context.end()
            self._show(_failed(self.offer.title, self._desk, view))
            return
        self._context = context
        self._show(view)
        if self._state:
            self.restore(self._state)

    def _show(self, view: QWidget) -> None:
        self.view = view
        self._stack.addWidget(view)
        self._stack.setCurrentWidget(view)

    def _on_patient(self, patient_ref: str) -> None:
        if not patient_ref:
            self._stack.setCurrentWidget(self._empty)
        elif self.view is not None:
            self._stack.setCurrentWidget(self.view)
        elif self.isVisible():
            self.begin()

    @override
    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self.begin()


def _checked(view: Any) -> QWidget:
    if not isinstance(view, QWidget):
        raise TypeError("a view factory returns a QWidget")
    return view


def _failed(title: Words, desk: Desk, problem: ClinicianError) -> EmptyState:
    state = EmptyState(
        L("“{title}” does not work", title=title),
        L("The rest works, and nothing you have done is lost. Those who run the program need the report."),
        icon="warning",
        action=L("Show report"),
        name="shell.view.report",
    )
    bug = problem if isinstance(problem, Bug) else Bug(problem.text, detail=problem.detail)
    state.acted.connect(lambda: desk.bug_wanted.emit(bug))
    return state


def placeholder(name: str) -> EmptyState:
    """What stands in the place of a view a layout names and nobody has."""
    return EmptyState(
        L("“{name}” is not on this PC", name=name),
        L("The layout of this workplace names a view that no module here has. The rest works as usual."),
        icon="puzzle-piece",
    )
