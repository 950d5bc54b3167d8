"""A follow-up or a reply opened beside the list."""

from __future__ import annotations

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout

from clinician import texts
from clinician.modulekit.context import ModuleContext
from modules.homecare.rows import DayRow, ItemKind, Section
from modules.homecare.views import states
from modules.homecare.views.owner_choice import OwnerChoice, Staff, ask_staff
from ui.widgets import theme
from ui.widgets.buttons import Button
from ui.widgets.labels import Label, StateLabel
from ui.widgets.panes import Pane

_ = texts.translator("homecare")
L = texts.lazy("homecare")


class FollowUpCard(Pane):
    """What is to be done, about whom, and the one key that closes it."""

    closed = Signal()
    user_wanted = Signal()
    handed_over = Signal(str, str)
    """(Practitioner/…, name)"""
    back = Signal()

    def __init__(self, ctx: ModuleContext) -> None:
        super().__init__()
        self.setObjectName("homecare.follow_up.card")
        self._ctx, self._who = ctx, ctx.who.name
        self._staff: Staff = ((ctx.who.practitioner_ref, ctx.who.name),)
        self._asked = False
        self._name = Label("", size=18, weight=600, wrap=True)
        self._state = StateLabel("phone-call", "", "accent")
        self._title = Label("", size=15, wrap=True)
        self._detail = Label("", tone="ink_quiet", wrap=True)
        self._phone = StateLabel("phone", "", "ink", wrap=True)
        self._close = Button(
            L("Done"), "homecare.follow_up.close", icon="check", kind="primary", signs=True, hint=L("Space")
        )
        self._user = Button(
            L("Open the user (Enter)"), "homecare.follow_up.open_user", kind="quiet", icon="user-circle"
        )
        self.owner = OwnerChoice("homecare.follow_up.owner")
        self.owner.handed.connect(lambda ref: self.handed_over.emit(ref, dict(self._staff).get(ref, "")))
        self.owner.left.connect(self.back)
        self._signature = Label("", size=12, tone="ink_quiet", wrap=True)
        row = QHBoxLayout()
        row.setSpacing(theme.current().space(2))
        row.addWidget(self._close)
        row.addWidget(self._user)
        row.addStretch(1)
        body = self.body
        for part in (self._name, self._state, self._title, self._detail, self._phone):
            body.addWidget(part)
        body.addLayout(row)
        body.addWidget(self._signature)
        body.addWidget(self.owner)
        body.addStretch(1)
        self._close.clicked.connect(self.closed)
        self._user.clicked.connect(self.user_wanted)

    def show_row(self, row: DayRow) -> None:
        """Show it."""
        self._row = row
        self._show_owner()
        mark = states.day_row(row)
        self._name.set_words(row.patient_name or _("About the work"))
        self._state.set_state(mark.icon, " · ".join(p for p in (row.time_text, mark.words) if p), mark.role)
        self._title.set_words(row.title)
        self._detail.set_words(" · ".join(p for p in (row.status_text, row.colleague_text, row.address) if p))
        self._phone.set_state("phone", row.phone, "ink")
        self._phone.setVisible(bool(row.phone))
        self._close.set_words(L("Read") if row.kind is ItemKind.REPLY else L("Done"))
        self._close.setVisible(row.section is not Section.DONE)
        self._user.setVisible(bool(row.patient_ref))
        words = _("Signed by {who} about {name}", who=self._who, name=row.patient_name or row.title)
        self._signature.set_words(words)
        self._close.setAccessibleDescription(words)

    def hand_over(self) -> bool:
        """Keyboard into the owner; False when nothing here can be handed over."""
        if self.owner.isHidden():
            return False
        self.owner.take_cursor()
        return True

    def _show_owner(self) -> None:
        row = self._row
        self.owner.setVisible(row.kind is ItemKind.FOLLOW_UP and row.section is not Section.DONE)
        self.owner.show_owner(self._ctx.who.practitioner_ref, self._who, self._staff)
        if not self._asked:
            self._asked = True
            ask_staff(self._ctx, self._on_staff)

    def _on_staff(self, staff: Staff) -> None:
        self._staff = staff
        self._show_owner()
