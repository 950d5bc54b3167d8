"""Who takes it from here: the keys walk among the names, and only Enter (or a click) hands it over."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, Qt, QTimer, Signal
from PySide6.QtGui import QFocusEvent, QKeyEvent
from PySide6.QtWidgets import QVBoxLayout
from typing_extensions import override

from clinician import texts
from clinician.modulekit.context import ModuleContext
from clinician.queries.staff import StaffRow, staff_of
from ui.widgets import theme
from ui.widgets.fields import ChoiceField
from ui.widgets.labels import Label
from ui.widgets.panes import Ground

_ = texts.translator("homecare")
L = texts.lazy("homecare")
Staff = tuple[tuple[str, str], ...]
"""(Practitioner/…, name): the person signed in first, then by name"""


def ask_staff(ctx: ModuleContext, call: Callable[[Staff], None]) -> None:
    """Hand `call` everybody at the workplace who may own a follow-up."""
    me = ctx.who

    def on_staff(rows: Sequence[StaffRow]) -> None:
        others = tuple((row.key, row.name) for row in rows if row.key != me.practitioner_ref)
        call(((me.practitioner_ref, me.name), *others))

    ctx.queries.run(staff_of, on_staff, None, workplace_ref=me.workplace_ref)


class OwnerChoice(ChoiceField):
    """The owner of one follow-up. What is only walked past is never written."""

    handed = Signal(str)
    left = Signal()

    def __init__(self, name: str) -> None:
        self._owner, self._is_walking = "", False
        super().__init__(L("Owner"), name)
        self.box.setToolTip(str(L("Arrows or letters choose, Enter hands over")))
        self.box.installEventFilter(self)

    def show_owner(self, owner_ref: str, owner_text: str, staff: Staff) -> None:
        """Show who owns it now; one being chosen with the keys is left alone."""
        self._owner = owner_ref
        if self.box.hasFocus() and self._choices:
            return
        known = dict(staff)
        if owner_ref not in known:
            staff = ((owner_ref, owner_text or _("nobody owns it")), *staff)
        self.set_choices(staff)
        self.set_value(owner_ref)

    def take_cursor(self) -> None:
        """Keyboard into the names."""
        self.box.setFocus(Qt.FocusReason.ShortcutFocusReason)

    @override
    def _on_activated(self, _index: int) -> None:
        if not self._is_walking:
            self._hand()

    def _hand(self) -> None:
        if self.value and self.value != self._owner:
            self.handed.emit(self.value)
        else:
            self.left.emit()

    @override
    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            return self._on_key(event)
        if isinstance(event, QFocusEvent):
            self._on_focus(event)
        return False

    def _on_focus(self, event: QFocusEvent) -> None:
        if event.lostFocus() and event.reason() != Qt.FocusReason.PopupFocusReason:
            self.set_value(self._owner)

    def _on_key(self, event: QKeyEvent) -> bool:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
            if not event.isAutoRepeat():
                self._hand()
            return True
        if event.key() == Qt.Key.Key_Escape:
            self.set_value(self._owner)
            self.left.emit()
            return True
        self._is_walking = True
        QTimer.singleShot(0, self, self._stand)
        return False

    def _stand(self) -> None:
        self._is_walking = False


class HandOverLine(Ground):
    """Asks who takes one follow-up; hidden while nothing is asked."""

    handed = Signal(str, str, str)
    """(Task/…, Practitioner/…, name)"""
    left = Signal()

    def __init__(self, ctx: ModuleContext, view: str) -> None:
        super().__init__("now_soft")
        self._ctx, self._task = ctx, ""
        self._staff: Staff = ()
        self._about = Label("", weight=600, wrap=True)
        self.owner = OwnerChoice(f"homecare.{view}.hand_over_owner")
        self.owner.handed.connect(self._on_handed)
        self.owner.left.connect(self._leave)
        space = theme.current().space
        column = QVBoxLayout(self)
        column.setContentsMargins(space(3), space(2), space(3), space(3))
        column.setSpacing(space(1))
        column.addWidget(self._about)
        column.addWidget(self.owner)
        self.hide()

    def ask(self, task_ref: str, about: str) -> None:
        """Ask who takes it."""
        self._task = task_ref
        self._about.set_words(_("Hand over: {about}", about=about))
        self.show()
        ask_staff(self._ctx, self._on_staff)

    def _on_staff(self, staff: Staff) -> None:
        self._staff = staff
        self.owner.show_owner("", "–", staff)
        self.owner.take_cursor()

    def _on_handed(self, owner_ref: str) -> None:
        self.hide()
        self.handed.emit(self._task, owner_ref, dict(self._staff).get(owner_ref, ""))

    def _leave(self) -> None:
        self.hide()
        self.left.emit()
