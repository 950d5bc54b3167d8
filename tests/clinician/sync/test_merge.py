"""Pure rules: three-way merge, and whether a resource belongs to a search."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinician.cache.acts import ConflictRow
from clinician.sync.conflict import _moved
from clinician.sync.matching import fits
from clinician.sync.merge import Kind, apply_changes, changed_paths, content, three_way
from clinician.sync.settle import Theirs
from tests.clinician.sync.world import START

VISIT = {
    "resourceType": "Appointment",
    "id": "a",
    "status": "booked",
    "comment": "x",
    "extension": [{"url": "u", "valueString": "1"}],
}
ELEMENTS = st.dictionaries(
    st.sampled_from(["comment", "description", "priority"]), st.integers(0, 3) | st.none(), max_size=3
)


def with_(base: dict[str, Any], **elements: Any) -> dict[str, Any]:
    made = {**base, **elements}
    return {key: value for key, value in made.items() if value is not None}


@given(ELEMENTS, ELEMENTS)
@settings(max_examples=200)
def test_that_a_clean_merge_holds_both_sides_changes_and_nothing_else(
    mine: dict[str, Any], theirs: dict[str, Any]
) -> None:
    me, they = with_(VISIT, **mine), with_(VISIT, **theirs)
    merge = three_way(VISIT, me, they)
    if merge.kind is Kind.CLEAN:
        assert merge.merged is not None
        for path in changed_paths(VISIT, me):
            assert merge.merged.get(path) == me.get(path)
        for path in changed_paths(VISIT, they):
            assert merge.merged.get(path) == they.get(path)
    else:
        assert merge.kind is Kind.OVERLAP and merge.clashes and merge.merged is None


def test_that_a_status_brings_its_own_reason_and_takes_the_other_ones_away() -> None:
    """A visit I begin over somebody's cancellation keeps no reason for cancelling (app-4)."""
    reason = {"cancelationReason": {"text": "ville ikke"}}
    begun, cancelled = with_(VISIT, status="arrived"), with_(VISIT, status="cancelled", **reason)
    mine = apply_changes(cancelled, begun, changed_paths(VISIT, begun))
    assert (mine["status"], "cancelationReason" in mine) == ("arrived", False)
    over = apply_changes(begun, cancelled, changed_paths(VISIT, cancelled))
    assert (over["status"], over["cancelationReason"]) == ("cancelled", reason["cancelationReason"])


def test_that_a_new_reason_never_stands_beside_another_ones_status() -> None:
    base = with_(VISIT, status="cancelled", cancelationReason={"text": "syk"})
    mine = with_(base, cancelationReason={"text": "reist"})
    merge = three_way(base, mine, with_(VISIT, status="booked"))
    assert (merge.kind, merge.merged) == (Kind.STATUS, None)


def test_that_what_the_record_writes_itself_is_no_change() -> None:
    there = {**VISIT, "meta": {"versionId": "9"}, "text": {"div": "x"}}
    merge = three_way(VISIT, with_(VISIT, comment="y"), there)
    assert merge.kind is Kind.CLEAN and not merge.theirs
    assert (merge.merged or {})["meta"] == {"versionId": "9"}
    assert three_way(VISIT, VISIT, VISIT).merged == VISIT and content(there) == VISIT


def test_that_extensions_merge_one_by_one() -> None:
    mine = with_(VISIT, extension=[{"url": "u", "valueString": "2"}])
    theirs = with_(VISIT, extension=[{"url": "u", "valueString": "1"}, {"url": "v", "valueString": "3"}])
    merged = three_way(VISIT, mine, theirs).merged or {}
    assert merged["extension"] == [{"url": "u", "valueString": "2"}, {"url": "v", "valueString": "3"}]
    gone = three_way(VISIT, with_(VISIT, extension=None), with_(VISIT, comment="y")).merged or {}
    assert "extension" not in gone and gone["comment"] == "y"


def test_that_an_array_without_usable_keys_is_taken_whole() -> None:
    twice = with_(VISIT, extension=[{"url": "u", "valueString": "2"}, {"url": "u", "valueString": "3"}])
    assert changed_paths(VISIT, twice) == {"extension"}
    added = with_(VISIT, extension=[*VISIT["extension"], {"url": "v"}])  # type: ignore[misc]  # a list of dicts
    merge = three_way(VISIT, twice, added)
    assert merge.kind is Kind.OVERLAP and merge.clashes == {"extension"}
    reordered = with_(VISIT, extension=[{"url": "w"}, *VISIT["extension"]])  # type: ignore[misc]  # a list of dicts
    again = with_(reordered, extension=list(reversed(reordered["extension"])))
    assert changed_paths(reordered, again) == {"extension"}


def test_that_demographics_agreeing_exactly_need_nobody() -> None:
    base = {"resourceType": "Patient", "id": "p", "gender": "male"}
    both = {**base, "gender": "female"}
    assert three_way(base, both, {**both, "meta": {"versionId": "2"}}).kind is Kind.CLEAN
    assert three_way(base, {**base, "gender": "other"}, both).kind is Kind.OVERLAP


def test_that_an_element_that_changed_its_shape_clashes() -> None:
    merge = three_way(
        VISIT, with_(VISIT, extension="odd"), with_(VISIT, extension=[{"url": "u", "valueString": "9"}])
    )
    assert merge.kind is Kind.OVERLAP


def test_that_changes_can_be_laid_on_anything() -> None:
    assert apply_changes({"a": 1}, {"b": 2}, frozenset({"a", "b"})) == {"b": 2}


TASK = {
    "resourceType": "Task",
    "id": "t",
    "status": "ready",
    "for": {"reference": "Patient/p"},
    "lastModified": "2026-03-03T06:00:00Z",
    "code": {"coding": [{"system": "s", "code": "c"}]},
}


@pytest.mark.parametrize(
    ("query", "belongs"),
    [
        ([("status", "ready,draft")], True),
        ([("status", "completed")], False),
        ([("code", "s|c")], True),
        ([("code", "other|c")], False),
        ([("patient", "x,p")], True),
        ([("patient", "Patient/p")], True),
        ([("patient", "Group/p")], False),
        ([("modified", "ge2026-03-03")], True),
        ([("modified", "ge2026-03-05")], False),
        ([("modified", "le2026-03-02")], False),
        ([("modified", "eq2026-03-03")], None),
        ([("modified", "genever")], None),
        ([("_id", "t"), ("owner:missing", "true")], None),
        ([("_id", "u")], False),
        ([("status", "ready"), ("_has:X:y:z", "1")], None),
    ],
)
def test_that_belonging_is_judged_without_the_records_index(
    query: list[tuple[str, str]], belongs: bool | None
) -> None:
    assert fits(TASK, query) is belongs


@given(ELEMENTS, ELEMENTS, ELEMENTS)
@settings(max_examples=200)
def test_that_keeping_mine_stands_on_the_fresh_version_and_meets_no_second_conflict(
    base: dict[str, Any], mine: dict[str, Any], theirs: dict[str, Any]
) -> None:
    """No loop of 412: what goes on names their version, keeps what I changed, and is clean against it."""
    before, me, they = with_(VISIT, **base), with_(VISIT, **mine), with_(VISIT, **theirs)
    row = ConflictRow("op", "Appointment/a", "overlap", before, me, they, "7", "", None, None, START)
    moved = _moved(row, Theirs(they, "8", None, 200), "mine", {})
    assert (moved.version, moved.base) == ("8", they)
    my_paths = changed_paths(before, me)
    assert all(moved.raw.get(path) == me.get(path) for path in my_paths)
    assert all(moved.raw.get(key) == they.get(key) for key in they.keys() - my_paths)
    assert three_way(they, moved.raw, they).kind is Kind.CLEAN
