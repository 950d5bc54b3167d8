"""Write a note: quick text by abbreviation or from a list, a draft that survives, one key to sign."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from clinician import texts
from clinician.modulekit.context import ModuleContext
from modules.homecare.commands import WriteNote
from modules.homecare.queries import quick_texts
from modules.homecare.rows import QuickText
from modules.homecare.views.acting import Acting
from modules.homecare.views.draft import Draft, Restored
from ui.widgets import theme
from ui.widgets.buttons import Button
from ui.widgets.fields import ChoiceField, TextField
from ui.widgets.labels import Label

_ = texts.translator("homecare")
L = texts.lazy("homecare")
_ABBREVIATION: Final = re.compile(r"(?:^|(?<=\s))\.([^\s.]{2,40})[ \n]$")


def slug(label: str) -> str:
    """A label as one types it after the full stop: 'Spiste godt' → 'spistegodt'."""
    return re.sub(r"\W", "", label.casefold())


def shortest(slugs: Sequence[str], of: str) -> str:
    """The shortest beginning, of three letters or more, that is of one slug only."""
    for length in range(3, len(of)):
        if sum(other.startswith(of[:length]) for other in slugs) == 1:
            return of[:length]
    return of


def expanded(before: str, texts_by_key: dict[str, str]) -> str | None:
    """The text before the cursor with a finished '.abbreviation' replaced; None when there is none.

    The beginning of a key is enough when it is the beginning of one key only.
    """
    found = _ABBREVIATION.search(before)
    if found is None:
        return None
    typed = found[1].casefold()
    fits = [key for key in texts_by_key if key.casefold() == typed]
    fits = fits or [key for key in texts_by_key if key.casefold().startswith(typed)]
    if len(fits) != 1:
        return None
    return before[: found.start()] + texts_by_key[fits[0]] + before[-1]


class NoteEditor(QWidget):
    """One note at a time. `left` when it is signed."""

    left = Signal()
    thrown_away = Signal()

    def __init__(self, ctx: ModuleContext, acting: Acting, view: str, *, lines: int = 3) -> None:
        super().__init__()
        self._ctx, self._acting = ctx, acting
        self._patient, self._appointment, self._name = "", "", ""
        self._quick: dict[str, str] = {}
        self.field = TextField(
            L("Note"),
            f"homecare.{view}.note",
            lines=lines,
            hint=L("What happened, what you saw, what is agreed. Quick text: a full stop and the beginning."),
        )
        self._restored = Restored(f"homecare.{view}.note_throw")
        self._pick = ChoiceField(L("Quick text"), f"homecare.{view}.quick_text", show_label=False)
        self._sign = Button(
            L("Sign note"),
            f"homecare.{view}.note_sign",
            icon="pencil-simple",
            signs=True,
            hint=L("Ctrl+Enter"),
        )
        self._who = Label("", size=12, tone="ink_quiet", wrap=True)
        self._lines = lines
        self._build()
        self._size()
        theme.theme_changed.connect(self._size)
        self._draft = Draft(ctx, self, lambda: self.field.text)
        self._connect()
        ctx.queries.run(quick_texts, self._on_quick)

    def _build(self) -> None:
        space = theme.current().space
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(space(1.5))
        tools = QHBoxLayout()
        tools.setSpacing(space(2))
        tools.addWidget(self._pick, 1)
        tools.addWidget(self._sign)
        column.addWidget(self.field)
        column.addWidget(self._restored)
        column.addLayout(tools)
        column.addWidget(self._who)

    def _size(self) -> None:
        self.field.edit.setMaximumHeight(round((self._lines + 2) * theme.current().px(13) * 1.45) + 20)

    def _connect(self) -> None:
        self.field.changed.connect(self._on_changed)
        self.field.entered.connect(self.sign)
        self._sign.clicked.connect(self.sign)
        self._pick.chosen.connect(self._insert)
        self._restored.thrown_away.connect(self._throw_away)

    def _on_quick(self, found: tuple[QuickText, ...]) -> None:
        self._quick = {slug(row.label): row.text for row in found}
        slugs = tuple(self._quick)
        choices = tuple(
            (slug(row.label), f"{row.label}  ·  .{shortest(slugs, slug(row.label))}") for row in found
        )
        self._pick.set_choices((("", L("Quick text …")), *choices))
        self._pick.setVisible(bool(found))

    def open(self, *, patient_ref: str, name: str, appointment_ref: str = "") -> None:
        """Turn to a user, or to one visit of hers; what was left unsigned comes back and says so."""
        if (patient_ref, appointment_ref) == (self._patient, self._appointment):
            return
        left = self._draft.open(f"homecare.note:{appointment_ref or patient_ref}", patient_ref)
        self._patient, self._appointment, self._name = patient_ref, appointment_ref, name
        self.field.set_text(left)
        self._draft.flush()
        self._restored.setVisible(bool(left))
        who = _("Signed by {who} about {name}", who=self._ctx.who.name, name=name)
        self._who.set_words(who)
        self._sign.setAccessibleDescription(who)

    def again(self) -> None:
        """What is kept may be another now: the next opening reads it anew."""
        self._draft.flush()
        self._patient = self._appointment = ""

    @property
    def has_draft(self) -> bool:
        """Whether something is typed and not signed."""
        return bool(self.field.text.strip())

    def take_cursor(self) -> None:
        """Put the cursor at the end of the text."""
        self.field.edit.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.field.edit.moveCursor(self.field.edit.textCursor().MoveOperation.End)

    def _on_changed(self, _text: str) -> None:
        self._draft.touch()
        cursor = self.field.edit.textCursor()
        before = self.field.text[: cursor.position()]
        new = expanded(before, self._quick)
        if new is not None:
            cursor.movePosition(cursor.MoveOperation.Start, cursor.MoveMode.KeepAnchor)
            cursor.insertText(new)

    def _insert(self, key: str) -> None:
        if key in self._quick:
            cursor = self.field.edit.textCursor()
            ahead = (
                " "
                if cursor.positionInBlock() and not self.field.text[: cursor.position()].endswith(" ")
                else ""
            )
            cursor.insertText(ahead + self._quick[key])
        self._pick.set_value("")
        self.take_cursor()

    def _throw_away(self) -> None:
        self.field.set_text("")
        self._draft.forget()
        self.thrown_away.emit()
        self.take_cursor()

    def sign(self) -> None:
        """Sign what is written; an empty note says what is missing."""
        text = self.field.text.strip()
        if not text or not self._patient:
            self.field.set_problem(L("The note is empty. Write it first, then sign."))
            return
        draft_key = (self._patient, self._appointment)
        command = WriteNote(patient_ref=self._patient, text=text, appointment_ref=self._appointment)
        said = _("Note signed: {name}", name=self._name)
        self._acting.run(command, said, lambda _done: self._on_signed(draft_key, text))

    def _on_signed(self, of: tuple[str, str], text: str) -> None:
        if of == (self._patient, self._appointment) and self.field.text.strip() == text:
            self.field.set_text("")
            self._draft.forget()
            self._restored.hide()
            self.left.emit()
        else:
            self._ctx.drafts.save(f"homecare.note:{of[1] or of[0]}", of[0], "")
