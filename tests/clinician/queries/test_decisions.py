"""A decision is told afterwards: what stood against what, who decided, and when."""

from __future__ import annotations

from datetime import timedelta

from clinician.clock import oslo
from clinician.queries.outbox import conflict_view, decided_rows, outbox_rows
from tests.clinician.cache.samples import DAY
from tests.clinician.commands.desk import Desk
from tests.clinician.queries.test_shared_queries import ask, conflicting, desk

__all__ = ["desk"]
TODAY = oslo(DAY).date()


def test_that_a_decision_says_who_when_and_between_what(desk: Desk) -> None:
    desk.synced(desk.make.base("Practitioner", name=[{"family": "Berg", "given": ["Kari"]}]) | {"id": "k"})
    op_id = conflicting(desk)
    view = ask(desk, conflict_view, op_id=op_id)
    assert ask(desk, decided_rows, day=TODAY) == ()
    desk.cache.writer.run(lambda w: w.conflicts.decide(op_id, "theirs", "Practitioner/k", DAY))
    (row,) = ask(desk, decided_rows, day=TODAY)
    assert row.state == "decided"
    assert row.state_text == f"avgjort {oslo(DAY):%H:%M}"
    assert row.who == "Kari Berg"
    assert row.help_text.splitlines()[0] == "Kari Berg avgjorde: den andres ble beholdt."
    for field in view.fields:
        if not field.same:
            assert field.label in row.help_text
            assert (field.mine or "—") in row.help_text
            assert (field.theirs or "—") in row.help_text
    assert not (row.can_retry or row.can_withdraw or row.can_export)


def test_that_yesterdays_decision_is_not_todays(desk: Desk) -> None:
    op_id = conflicting(desk)
    desk.cache.writer.run(
        lambda w: w.conflicts.decide(op_id, "mine", "Practitioner/nobody", DAY - timedelta(days=2))
    )
    assert ask(desk, decided_rows, day=TODAY) == ()
    (row,) = ask(desk, decided_rows, day=TODAY - timedelta(days=2))
    assert row.who == "en annen"
    assert "din ble beholdt" not in row.help_text
    assert "min ble beholdt" in row.help_text


def test_that_what_is_not_decided_is_no_decision(desk: Desk) -> None:
    conflicting(desk)
    assert ask(desk, decided_rows, day=TODAY) == ()
    assert ask(desk, outbox_rows)
