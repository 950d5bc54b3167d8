"""A visit that is moved takes along what others did to it, and stands once however often it is moved."""

from __future__ import annotations

from typing import Any

import pytest

from clinician.cache.acts import ActState
from clinician.errors import UserProblem
from clinician.fhir.codes import CODE_CANCEL, EXT_REPLACES
from tests.clinician.sync.test_conflict import Two, conflicts
from tests.clinician.sync.world import NURSE, Station, World, new_id

OTHER = {"actor": {"reference": "Practitioner/00000000-0000-4000-8000-0000000000aa"}, "status": "accepted"}
MOVED = {"coding": [{"system": CODE_CANCEL, "code": "moved"}], "text": "sykehus"}


@pytest.fixture
def two(world: World) -> Two:
    return Two(world)


def move(station: Station, visit: str, start: str = "2026-03-03T12:00:00Z", **more: Any) -> tuple[str, str]:
    """As MoveVisit does: the old one ends as moved, a new one stands for it. Gives op_id and the new visit."""
    old = station.get(visit)
    assert old is not None
    link = {"url": EXT_REPLACES, "valueReference": {"reference": visit}}
    new = {key: value for key, value in old.items() if key != "meta"}
    new |= {"id": new_id(), "start": start, "end": start[:14] + "20:00Z", "extension": [link]} | more
    op = station.act({**old, "status": "cancelled", "cancelationReason": MOVED}, new, kind="move-visit")
    return op, f"Appointment/{new['id']}"


def standing(two: Two) -> list[str]:
    """Visits of the person that are to be made, by what the record holds."""
    page = two.world.direct.search("Appointment", f"patient={two.patient}&_count=100").raw()
    found = [entry["resource"] for entry in page.get("entry", [])]
    return [f"Appointment/{raw['id']}" for raw in found if raw["status"] == "booked"]


def test_that_a_handing_over_goes_with_the_visit_to_its_new_time(two: Two) -> None:
    old = two.there(two.visit)
    _op, new = move(two.a, two.visit)
    two.b.change(two.visit, participant=[old["participant"][0], OTHER])
    two.b.step()
    two.world.tick()
    two.a.step()
    two.settle()
    assert two.there(new)["participant"][1] == OTHER
    assert two.there(new)["start"].startswith("2026-03-03T12:00")
    assert two.there(two.visit)["status"] == "cancelled" and standing(two) == [new]
    assert not conflicts(two.a) and two.a.engine.status().all_sent


def test_that_what_cannot_follow_to_the_new_time_is_for_a_person(two: Two) -> None:
    op, new = move(two.a, two.visit)
    two.b.change(two.visit, start="2026-03-03T09:30:00Z", end="2026-03-03T09:50:00Z")
    two.b.step()
    two.a.step()
    assert two.a.state(op) == ActState.CONFLICT
    [row] = conflicts(two.a)
    assert row.kind == "overlap" and row.merged is None
    two.a.engine.decide(op, "mine", NURSE)
    two.settle()
    assert standing(two) == [new]


def test_that_a_visit_deleted_under_a_move_is_for_a_person(two: Two) -> None:
    op, _new = move(two.a, two.visit)
    two.world.direct.delete(two.visit)
    two.a.step()
    assert two.a.state(op) == ActState.CONFLICT and conflicts(two.a)[0].kind == "deleted"
    two.a.engine.decide(op, "theirs", NURSE)
    two.settle()
    assert standing(two) == []


@pytest.mark.parametrize("choice", ["mine", "theirs"])
def test_that_a_visit_moved_by_two_stands_once_whichever_is_chosen(two: Two, choice: str) -> None:
    op, mine = move(two.a, two.visit, "2026-03-03T12:00:00Z")
    _theirs_op, theirs = move(two.b, two.visit, "2026-03-03T14:00:00Z")
    two.b.step()
    two.world.tick()
    two.a.step()
    assert two.a.state(op) == ActState.CONFLICT
    assert conflicts(two.a)[0].kind == "duplicate"
    with pytest.raises(UserProblem):
        two.a.engine.decide(op, "merged", NURSE)
    two.settle()
    two.a.engine.decide(op, choice, NURSE)
    two.settle()
    assert standing(two) == [mine if choice == "mine" else theirs]
    assert two.a.engine.status().all_sent and two.b.get(mine if choice == "mine" else theirs) is not None


def test_that_mine_is_not_open_where_somebody_has_already_gone_to_theirs(two: Two) -> None:
    op, _mine = move(two.a, two.visit)
    _theirs_op, theirs = move(two.b, two.visit, "2026-03-03T14:00:00Z")
    two.b.step()
    two.b.change(theirs, status="arrived")
    two.b.step()
    two.a.step()
    with pytest.raises(UserProblem, match="already begun"):
        two.a.engine.decide(op, "mine", NURSE)
    assert two.a.state(op) == ActState.CONFLICT and conflicts(two.a, op)


def test_that_a_visit_moved_without_words_closes_the_other_without_words(two: Two) -> None:
    old = two.there(two.visit)
    op, mine = move(two.a, two.visit)
    link = {"url": EXT_REPLACES, "valueReference": {"reference": two.visit}}
    other = {**{k: v for k, v in old.items() if k != "meta"}, "id": new_id(), "extension": [link]}
    two.world.load([{**old, "status": "noshow"}, other])
    two.a.step()
    two.settle()
    assert two.a.state(op) == ActState.CONFLICT
    two.a.engine.decide(op, "mine", NURSE)
    two.settle()
    assert standing(two) == [mine]


def test_that_the_author_of_their_version_is_named_not_of_the_newest_word(two: Two) -> None:
    """B's clock is an hour behind; and somebody without a Provenance wrote last."""
    mine = two.a.change(two.visit, comment="mitt")
    two.b.change(two.visit, comment="deres")
    two.b.step()
    later = {"resourceType": "Provenance", "id": new_id(), "recorded": "2026-03-03T23:00:00Z"}
    agent = {"who": {"reference": NURSE, "display": "Somebody else"}}
    two.world.tick(5)
    two.world.load([later | {"target": [{"reference": two.visit}], "agent": [agent]}])
    two.a.step()
    [row] = conflicts(two.a, mine)
    assert row.theirs_author == "Nora at b"


def test_that_a_provenance_that_names_the_version_is_believed(two: Two) -> None:
    mine = two.a.change(two.visit, comment="mitt")
    two.world.load([{**two.there(two.visit), "comment": "deres"}])
    version = two.there(two.visit)["meta"]["versionId"]
    two.world.tick(60)
    said = {"resourceType": "Provenance", "id": new_id(), "recorded": "2026-03-03T06:00:00Z"}
    agent = {"who": {"reference": NURSE, "display": "Kari by hand"}}
    target = [{"reference": f"{two.visit}/_history/{version}"}]
    two.world.load([said | {"target": target, "agent": [agent]}])
    two.a.step()
    [row] = conflicts(two.a, mine)
    assert row.theirs_author == "Kari by hand"


def test_that_nobody_is_named_where_nobody_told(two: Two) -> None:
    mine = two.a.change(two.visit, comment="mitt")
    two.world.tick(60)
    two.world.load([{**two.there(two.visit), "comment": "deres"}])
    two.a.step()
    [row] = conflicts(two.a, mine)
    assert (row.theirs_author, row.theirs_when) == ("", None)
