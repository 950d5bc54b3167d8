"""One model for every list: what changes is told, what stays is left alone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from PySide6.QtCore import QPersistentModelIndex, Qt
from PySide6.QtTest import QSignalSpy

from ui.models.rows import ICON_NAME, KEY, ROW, TONE, Column, RowModel, kept_in_order


@dataclass(frozen=True)
class Line:
    key: str
    name: str = ""


def model() -> RowModel[Line]:
    return RowModel(
        [
            Column[Line]("name", "Navn", lambda line: line.name or line.key, icon=lambda _line: "user"),
            Column[Line]("key", "Nøkkel", lambda line: line.key, tone=lambda _line: "danger", right=True),
        ]
    )


def lines(keys: str) -> list[Line]:
    return [Line(key) for key in keys]


def test_that_the_model_keeps_qts_own_rules(qtmodeltester: Any) -> None:
    rows = model()
    rows.set_rows(lines("abc"))
    qtmodeltester.check(rows, force_py=False)
    rows.set_rows(lines("cxb"))
    qtmodeltester.check(rows, force_py=True)


def test_that_a_refresh_never_resets() -> None:
    rows = model()
    rows.set_rows(lines("abcd"))
    resets, layouts = QSignalSpy(rows.modelReset), QSignalSpy(rows.layoutChanged)
    for keys in ("abd", "dab", "", "xyz", "zyxw"):
        rows.set_rows(lines(keys))
        assert "".join(rows.keys()) == keys
    assert (resets.count(), layouts.count()) == (0, 0)


def test_that_only_what_changed_is_told() -> None:
    rows = model()
    rows.set_rows(lines("abcd"))
    changed, moved = QSignalSpy(rows.dataChanged), QSignalSpy(rows.rowsMoved)
    inserted, removed = QSignalSpy(rows.rowsInserted), QSignalSpy(rows.rowsRemoved)
    now = lines("abcd")
    now[2] = replace(now[2], name="Kari")
    rows.set_rows(now)
    assert (changed.count(), moved.count(), inserted.count(), removed.count()) == (1, 0, 0, 0)
    assert changed.at(0)[0].row() == changed.at(0)[1].row() == 2


@settings(max_examples=40, deadline=None)
@given(st.sets(st.integers(0, 39), min_size=1, max_size=20))
def test_that_scattered_changes_are_all_told_in_few_messages(places: set[int]) -> None:
    """A list that fits its rows measures every row at each message; many messages cost 450 ms once."""
    rows = model()
    before = [Line(f"k{number}") for number in range(40)]
    rows.set_rows(before)
    changed = QSignalSpy(rows.dataChanged)
    now = [replace(line, name="Kari") if at in places else line for at, line in enumerate(before)]
    rows.set_rows(now)
    told = {
        at
        for number in range(changed.count())
        for at in range(changed.at(number)[0].row(), changed.at(number)[1].row() + 1)
    }
    assert changed.count() <= 4
    assert places <= told <= set(range(min(places), max(places) + 1))
    assert [rows.index(at, 0).data() for at in range(40)] == [line.name or line.key for line in now]
    assert {changed.at(number)[1].column() for number in range(changed.count())} == {1}


def test_that_equal_rows_are_silent() -> None:
    rows = model()
    rows.set_rows(lines("abcd"))
    spies = [QSignalSpy(s) for s in (rows.dataChanged, rows.rowsMoved, rows.rowsInserted, rows.rowsRemoved)]
    rows.set_rows(lines("abcd"))
    assert [spy.count() for spy in spies] == [0, 0, 0, 0]


def test_that_one_row_moved_to_the_end_is_one_move() -> None:
    rows = model()
    rows.set_rows(lines("abcdef"))
    moved = QSignalSpy(rows.rowsMoved)
    rows.set_rows(lines("bcdefa"))
    assert moved.count() == 1


def test_that_a_row_that_comes_twice_is_shown_once(caplog: Any) -> None:
    rows = model()
    rows.set_rows(lines("aba"))
    assert rows.keys() == ("a", "b")
    assert "1 rows came twice" in caplog.text


def test_that_roles_carry_row_key_icon_tone_and_what_is_read_aloud() -> None:
    rows = model()
    rows.set_rows([Line("a", "Astrid")])
    first, second = rows.index(0, 0), rows.index(0, 1)
    assert first.data(ROW) == Line("a", "Astrid")
    assert (first.data(KEY), first.data(ICON_NAME), second.data(TONE)) == ("a", "user", "danger")
    assert first.data(Qt.ItemDataRole.AccessibleTextRole) == "Astrid, a"
    assert rows.headerData(1, Qt.Orientation.Horizontal) == "Nøkkel"
    assert rows.data(rows.index(5, 0)) is None


KEYS = st.lists(st.sampled_from("abcdefghij"), unique=True, max_size=10)


@settings(max_examples=150)
@given(st.lists(st.tuples(KEYS, st.sampled_from("ABC")), min_size=1, max_size=5))
def test_that_any_row_of_lists_ends_as_asked_and_persistent_indexes_follow_their_rows(
    steps: list[tuple[list[str], str]],
) -> None:
    rows = model()
    for keys, name in steps:
        held = {key: QPersistentModelIndex(rows.index_of(key)) for key in tuple(rows.keys())}
        wanted = [Line(key, name) for key in keys]
        rows.set_rows(wanted)
        assert rows.rows == tuple(wanted)
        for key, index in held.items():
            assert index.isValid() == (key in keys)
            if index.isValid():
                assert index.data(KEY) == key


@settings(max_examples=25)
@given(st.permutations(range(120)))
def test_that_a_wholly_new_order_keeps_the_indexes_too(order: list[int]) -> None:
    rows = model()
    rows.set_rows([Line(f"{n:03}") for n in range(120)])
    held = QPersistentModelIndex(rows.index_of("007"))
    wanted = [Line(f"{n:03}") for n in order]
    rows.set_rows(wanted)
    assert rows.rows == tuple(wanted)
    assert held.data(KEY) == "007"


@given(st.permutations(range(9)))
def test_that_the_rows_that_stay_are_a_longest_rising_run(order: list[int]) -> None:
    kept = kept_in_order(order)
    seen = [value for value in order if value in kept]
    assert seen == sorted(seen)
    best = [1] * len(order)
    for at, value in enumerate(order):
        best[at] = 1 + max([best[b] for b in range(at) if order[b] < value], default=0)
    assert len(kept) == max(best, default=0)
