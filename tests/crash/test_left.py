"""The look after a kill can fail: each kind of loss, made by hand, is seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from clinician.cache.keep import Draft
from tests.clinician.cache.samples import DAY
from tests.clinician.commands.desk import WHO, Desk
from tests.crash.left import Left, look_at
from tests.crash.work import visit

HARM = {
    "an act is gone": "DELETE FROM outbox WHERE seq = 2",
    "a resource of an act is gone": "DELETE FROM outbox_ref WHERE op_id = (SELECT max(op_id) FROM outbox)",
    "an overlay is gone": "DELETE FROM overlay WHERE number = 1",
    "an overlay too many": "UPDATE outbox SET state = 'applied' WHERE seq = 1",
    "an overlay of nothing": "UPDATE overlay SET op_id = 'x' WHERE number = 1",
    "an audit is gone": "DELETE FROM audit WHERE number = 1",
    "a draft is old": "UPDATE draft SET content = '3'",
    "a draft is gone": "DELETE FROM draft",
}


def left_after(folder: Path, harm: str) -> Left:
    desk = Desk(folder)
    told = [["act", visit(desk)] for _ in range(3)]
    draft = Draft(WHO.practitioner_ref, "Patient/p", "note", "4", DAY)
    desk.cache.writer.run(lambda w: w.keep.set_draft(draft), durable=True)
    told.append(["draft", "Patient/p", "4"])
    if harm:
        desk.cache.writer.run(lambda w: w._driver.execute(harm))
    left = look_at(desk.cache, told, WHO.practitioner_ref)
    desk.cache.close()
    return left


def test_that_nothing_is_missed_where_nothing_is_missing(tmp_path: Path) -> None:
    left = left_after(tmp_path, "")
    assert (left.lost, left.torn, left.broken, len(left.states)) == ([], [], [], 3)


@pytest.mark.parametrize("kind", HARM)
def test_that_each_loss_is_seen(tmp_path: Path, kind: str) -> None:
    left = left_after(tmp_path, HARM[kind])
    assert left.lost if kind.startswith("a draft") or kind == "an act is gone" else left.torn
