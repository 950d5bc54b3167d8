"""Lists of the user page that write over what they showed: nothing of the user before may stay."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PySide6.QtWidgets import QApplication

from clinician.cache.reading import RowState
from modules.homecare.rows import FactRow, NoteRow, ValueRow
from modules.homecare.views import user
from modules.homecare.views.fact_list import GROUPS, FactList
from modules.homecare.views.note_list import NoteItem, NoteList
from tests.modules.homecare.views.conftest import Show
from ui.widgets.labels import Label

_WORD = st.sampled_from(["Penicillin", "Fallfare", "Diabetes", "Anne Moen", "Hjemmesykepleie"])
_OR_NONE = st.sampled_from(["", "moderat", "Fastlege Hansen, 12.05.2019"])
_STATE = st.sampled_from(list(RowState))
_FACTS = st.lists(
    st.builds(
        FactRow, _WORD, st.sampled_from([*GROUPS, "other"]), _WORD, _OR_NONE, _OR_NONE, st.booleans(), _STATE
    ),
    max_size=6,
).map(tuple)
_VALUES = st.lists(st.builds(ValueRow, _WORD, _WORD, _WORD, _OR_NONE, _OR_NONE), max_size=2).map(tuple)
_NOTES = st.lists(
    st.builds(
        NoteRow,
        st.integers(0, 9).map(lambda n: f"DocumentReference/{n}"),
        _WORD,
        _WORD,
        _OR_NONE,
        _WORD,
        _STATE,
        st.booleans(),
    ),
    unique_by=lambda row: row.key,
    max_size=5,
).map(tuple)
_A_FEW = settings(
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
    derandomize=True,
)


def laid_out(widget: Any) -> None:
    widget.resize(420, 2000)
    widget.show()
    QApplication.processEvents()


def seen(widget: Any) -> list[tuple[str, str, int, bool]]:
    """What one reads from the top: words, colour, size, boldness."""
    labels = [one for one in widget.findChildren(Label) if one.isVisible() and one.text()]
    labels.sort(
        key=lambda one: (one.mapTo(widget, one.rect().topLeft()).y(), one.mapTo(widget, one.pos()).x())
    )
    return [(one.text(), one.property("tone"), one.font().pixelSize(), one.font().bold()) for one in labels]


@pytest.mark.usefixtures("qtbot")
@_A_FEW
@given(st.lists(st.tuples(_FACTS, _VALUES), min_size=2, max_size=3))
def test_that_facts_written_over_others_read_as_in_a_new_list(rounds: Any) -> None:
    used, new = FactList(), FactList()
    for facts, values in rounds:
        used.show_facts(facts, values)
        laid_out(used)
    new.show_facts(*rounds[-1])
    laid_out(new)
    assert seen(used) == seen(new)
    for one in (used, new):
        one.deleteLater()


@pytest.mark.usefixtures("qtbot")
@_A_FEW
@given(st.lists(_NOTES, min_size=2, max_size=3))
def test_that_notes_written_over_others_read_as_in_a_new_list(rounds: Any) -> None:
    used, new = NoteList(), NoteList()
    for rows in rounds:
        used.show_rows(rows)
        laid_out(used)
    new.show_rows(rounds[-1])
    laid_out(new)
    assert seen(used) == seen(new)
    for one in (used, new):
        one.deleteLater()


def test_that_a_reason_begun_on_one_note_is_never_about_another(ctx: Any, show: Show) -> None:
    view: Any = show(user.make(ctx))
    item: NoteItem = next(iter(view.notes._items.values()))
    item._withdraw.click()
    item.reason.set_text("Feil bruker")
    row = NoteRow(
        "DocumentReference/99", "i dag", "Mette Hauge", "", "Et annet notat", RowState.CONFIRMED, False
    )
    view.notes.show_rows((row,))
    (again,) = view.notes._items.values()
    assert again is item
    assert not item.reason.isVisible() and item.reason.text == ""
    withdrawn: list[tuple[str, str]] = []
    item.withdrawn.connect(lambda key, reason: withdrawn.append((key, reason)))
    item._withdraw.click()
    item.reason.line.returnPressed.emit()
    assert withdrawn == []


def test_that_a_reason_being_written_stays_when_another_note_arrives(ctx: Any, show: Show) -> None:
    view: Any = show(user.make(ctx))
    rows = tuple(ctx.queries.world.notes)
    view.notes.show_rows(rows)
    item: NoteItem = view.notes._items[rows[0].key]
    item._withdraw.click()
    item.reason.set_text("Feil bru")
    newer = NoteRow("DocumentReference/99", "i dag", "Mette Hauge", "", "Nytt", RowState.QUEUED, False)
    view.notes.show_rows((newer, *rows))
    assert view.notes._items[rows[0].key] is item
    assert item.reason.text == "Feil bru" and not item.reason.isHidden()


def test_that_a_user_chosen_and_opened_in_one_breath_is_read_once(ctx: Any, show: Show) -> None:
    view: Any = show(user.make(ctx))
    ctx.queries.ran.clear()
    ctx.patients.choose("Patient/4")
    view.open_with({"patient": "Patient/4"})
    assert [name for name, _asked in ctx.queries.ran].count("user_card") == 1
    assert view._card.name == "Per Lund"
