"""The user page and the ledger."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from PySide6.QtWidgets import QApplication

from clinician import texts
from clinician.texts import Text
from modules.homecare.commands import (
    CompleteTask,
    ExceptTask,
    HandOverFollowUp,
    RecordMeasurements,
    WithdrawNote,
    WriteNote,
)
from modules.homecare.rows import MeasurementPoint, NotDone
from modules.homecare.views import ledger, user
from modules.homecare.views.curves import band_of, series_of
from tests.modules.homecare.views.conftest import Press, Show
from tests.modules.homecare.views.context import context
from tests.modules.homecare.views.test_my_day import assert_named
from tests.modules.homecare.views.world import NOW
from ui.widgets import theme
from ui.widgets.labels import Label

Typing = Callable[[str], None]


def words_of(widget: Any) -> str:
    return " | ".join(label.text() for label in widget.findChildren(Label) if not label.isHidden())


def test_that_facts_stand_with_their_source_warnings_first(ctx: Any, show: Show) -> None:
    view: Any = show(user.make(ctx))
    words = words_of(view.facts)
    assert words.index("Penicillin") < words.index("Diabetes type 2")
    assert "Fastlege Hansen, 12.05.2019" in words


def test_that_what_is_missing_is_said_on_top(ctx: Any, show: Show) -> None:
    view: Any = show(user.make(ctx))
    assert view._missing_words.label.text().startswith("Ikke registrert: Ernæringskartlegging")


def test_that_no_patient_gives_a_page_that_says_what_to_do(show: Show) -> None:
    view: Any = show(user.make(context()))
    assert view._loading._stack.currentWidget() is view._loading._empty


def test_that_the_page_follows_the_patient(ctx: Any, show: Show) -> None:
    view: Any = show(user.make(ctx))
    ctx.patients.choose("Patient/4")
    assert view._card.name == "Per Lund"


def test_that_letters_lead_to_the_parts(ctx: Any, show: Show, press: Press) -> None:
    view: Any = show(user.make(ctx))
    places = []
    for key in ("P", "O", "T", "M"):
        press("Escape", key)
        places.append(view.tabs.currentIndex())
    assert places == [1, 2, 3, 3]
    assert QApplication.focusWidget().objectName() == "homecare.user.measure_blood_pressure"


def test_that_a_note_is_written_and_withdrawn_with_a_reason(
    ctx: Any, show: Show, press: Press, type_text: Typing
) -> None:
    view: Any = show(user.make(ctx))
    press("N")
    type_text("Nytt notat")
    press("Ctrl+Return")
    assert ctx.commands.ran == [WriteNote("Patient/3", "Nytt notat")]
    item = next(iter(view.notes._items.values()))
    item._withdraw.click()
    item.reason.line.returnPressed.emit()
    assert len(ctx.commands.ran) == 1
    assert item.reason.problem
    item.reason.set_text("Feil bruker")
    item.reason.line.returnPressed.emit()
    assert isinstance(ctx.commands.ran[1], WithdrawNote)
    assert ctx.commands.ran[1].reason == "Feil bruker"


def test_that_measurements_are_recorded_and_the_curve_is_read_in_words(
    ctx: Any, show: Show, press: Press, type_text: Typing
) -> None:
    view: Any = show(user.make(ctx))
    press("M")
    type_text("118/76")
    press("Return")
    assert isinstance(ctx.commands.ran[0], RecordMeasurements)
    assert QApplication.focusWidget() is view.curves.plot
    press("Home")
    assert view.curves.plot.reading.startswith("128/72 mmHg · Overtrykk · ons 3. des")
    press("T")
    assert view.curves.plot.is_table


def test_that_tasks_are_ticked_on_the_user_page_too(ctx: Any, show: Show, press: Press) -> None:
    view: Any = show(user.make(ctx))
    press("O")
    view.tasks.choose("Task/3-0")
    press("Space")
    view.tasks.choose("Task/3-1")
    press("4")
    assert ctx.commands.ran == [CompleteTask("Task/3-0"), ExceptTask("Task/3-1", NotDone.NOT_NEEDED)]


def test_that_news2_is_shown_from_whole_sets_only(ctx: Any, show: Show) -> None:
    view: Any = show(user.make(ctx))
    assert view.curves._score.label.text().startswith("NEWS2 2 · Lav")
    card = ctx.queries.world.user_card(patient_ref="Patient/3")
    view._show("Patient/3", replace(card, news2=()))
    assert "ingen hele sett" in view.curves._score.label.text()


def test_that_a_panel_is_read_as_one_value() -> None:
    points = (
        MeasurementPoint("Observation/1#systolic", "systolic", NOW, 142, "mmHg", "142 mmHg", "K"),
        MeasurementPoint("Observation/1#diastolic", "diastolic", NOW, 88, "mmHg", "88 mmHg", "K"),
    )
    assert {p.value_text for s in series_of(points) for p in s.points} == {"142/88 mmHg"}


def test_that_only_kinds_news2_judges_have_a_band() -> None:
    assert band_of("weight") is None
    pulse = band_of("pulse")
    assert pulse is not None
    assert (pulse.low, pulse.high) == (51, 90)


def test_that_the_ledger_shows_an_equation_that_holds(ctx: Any, show: Show) -> None:
    view: Any = show(ledger.make(ctx))
    assert view.equation.accessibleName().startswith("62 planlagt = 24 utført")
    assert "Summen stemmer." in view._holds.label.text()


def test_that_a_ledger_that_does_not_add_up_says_so(ctx: Any, show: Show) -> None:
    good = ctx.queries.world.ledger()
    ctx.queries.world.ledger = lambda **_kw: replace(good, sums=replace(good.sums, open=30))
    view: Any = show(ledger.make(ctx))
    assert "4 besøk" in view._holds.label.text()


def test_that_broken_links_have_a_name_and_an_owner_and_open_the_user(
    ctx: Any, show: Show, press: Press
) -> None:
    view: Any = show(ledger.make(ctx))
    assert view.broken.checks.rows[0].detail.endswith("eier Kari Lunde")
    press("Down", "Return")
    assert ctx.places.opened == [("homecare.user", {"patient": "Patient/8"})]


def test_that_planned_granted_and_actual_time_are_three_numbers(ctx: Any, show: Show) -> None:
    view: Any = show(ledger.make(ctx))
    words = view._minutes.text()
    assert all(
        part in words
        for part in ("Planlagt tid 26 t", "Innvilget tid 28 t 30 min", "Faktisk tid 13 t 32 min")
    )


@pytest.mark.parametrize("module", [user, ledger])
def test_that_every_control_is_named(ctx: Any, show: Show, module: Any) -> None:
    assert_named(show(module.make(ctx)))


@pytest.mark.parametrize("module", [user, ledger])
@pytest.mark.parametrize("scale", [100, 200])
def test_that_a_page_fits_a_cart_laptop_at_twice_the_text(
    ctx: Any, show: Show, module: Any, scale: int
) -> None:
    theme.apply(theme.Theme("light", "normal", scale))
    view: Any = show(module.make(ctx))
    assert view.minimumSizeHint().width() <= 1294
    theme.apply(theme.Theme())


def test_that_h_gives_an_ownerless_follow_up_to_somebody(ctx: Any, show: Show, press: Press) -> None:
    view: Any = show(ledger.make(ctx))
    key = next(key for key, row in view._broken_rows.items() if row.key == "Task/f1")
    view.broken.setFocus()
    view.broken.choose(key)
    press("H")
    assert QApplication.focusWidget() is view.hand_over.owner.box
    press("Down", "Return")
    assert ctx.commands.ran == [HandOverFollowUp("Task/f1", "Practitioner/kari")]
    assert view.hand_over.isHidden()


def test_that_h_is_nothing_on_a_link_that_is_no_follow_up(ctx: Any, show: Show, press: Press) -> None:
    view: Any = show(ledger.make(ctx))
    view.broken.setFocus()
    view.broken.choose(next(iter(view._broken_rows)))
    press("H")
    assert view.hand_over.isHidden()


def test_that_a_task_on_the_user_page_asks_for_the_words_of_another_reason(
    ctx: Any, show: Show, press: Press, type_text: Typing
) -> None:
    view: Any = show(user.make(ctx))
    press("O", "5")
    type_text("sover")
    press("Return")
    assert [(type(c), c.reason, c.text) for c in ctx.commands.ran] == [(ExceptTask, NotDone.OTHER, "sover")]
    assert QApplication.focusWidget() is view.tasks


@pytest.mark.parametrize("language", ["nb", "nn", "en"])
def test_that_the_manifest_tells_the_same_keys_as_the_views(ctx: Any, show: Show, language: str) -> None:
    import tomllib
    from pathlib import Path

    from modules.homecare.views import my_day, zone

    texts.set_language(language)
    manifest = tomllib.loads(Path("modules/homecare/manifest.toml").read_text(encoding="utf-8"))
    hints = {view["id"]: Text("homecare", view["hint"]).render() for view in manifest["views"]}
    made = {"my-day": my_day, "zone": zone, "user": user, "ledger": ledger}
    for name, module in made.items():
        view: Any = show(module.make(ctx))
        assert " · ".join(f"{key} = {what}" for key, what in view.key_hints()) == hints[name]
