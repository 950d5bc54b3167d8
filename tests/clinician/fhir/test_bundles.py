from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinician.errors import RecordTrouble
from clinician.fhir import bundles

ID = "3f1c1d5e-0000-4000-8000-000000000001"


def page(*entry: Any, **more: Any) -> bytes:
    return json.dumps({"resourceType": "Bundle", "type": "searchset", "entry": list(entry), **more}).encode()


def test_that_a_resource_keeps_the_very_bytes_it_came_in() -> None:
    body = b'{"resourceType":"Observation","id":"a","meta":{"versionId":"3","lastUpdated":"2026-03-09T06:00:00.120Z"} , "valueQuantity":{"value":72.50}}'
    whole = (
        b'{"resourceType":"Bundle","total":9,"link":[{"relation":"next","url":"http://r/x?p=2"}],"entry":[{"resource":'
        + body
        + b',"search":{"mode":"match"}}]}'
    )
    cut = bundles.slices(whole)
    assert cut.entries == [("Observation", "a", "3", "2026-03-09T06:00:00.120Z", body, "match", False)]
    assert (cut.next_url, cut.total, cut.refused) == ("http://r/x?p=2", 9, [])
    assert cut.entries[0].ref == "Observation/a"


@pytest.mark.parametrize(
    ("answer", "detail"),
    [
        (b"<!DOCTYPE html><title>Sign in</title>", "markup instead of JSON"),
        (b"\n <OperationOutcome/>", "markup instead of JSON"),
        (b"", "empty body"),
        (b'{"resourceType":"Bundle","entry":[{"resource":{"resourceT', "JSON does not read"),
        (b'{"resourceType":"Bundle","entry":{"resource":1}}', "JSON does not read"),
        (b'{"resourceType":"Bundle","total":"many"}', "JSON does not read"),
        (b"[1,2]", "JSON does not read"),
        (b"null", "JSON does not read"),
        (b'{"resourceType":"Bundle","entry":' + b"[" * 5000 + b"]" * 5000 + b"}", "JSON does not read"),
        (b'{"resourceType":"OperationOutcome"}', "expected Bundle, got OperationOutcome"),
    ],
)
def test_that_what_is_no_bundle_is_trouble_with_the_record_in_plain_words(answer: bytes, detail: str) -> None:
    with pytest.raises(RecordTrouble) as caught:
        bundles.slices(answer)
    assert caught.value.detail == detail
    assert len(str(caught.value.text)) > 40


@pytest.mark.parametrize(
    "bad",
    [
        5,
        {},
        {"resource": 5},
        {"resource": {"id": "x"}},
        {"resource": {"resourceType": "Task"}},
        {"resource": {"resourceType": "Task", "id": "under_score"}},
        {"resource": {"resourceType": "Task", "id": 7}},
        {"resource": {"resourceType": "Task", "id": "t", "meta": [1]}},
        {"request": {"method": "GET", "url": "Task/1"}},
        {"request": {"method": "DELETE", "url": "Task"}},
    ],
)
def test_that_one_bad_entry_is_set_aside_and_the_rest_read(bad: Any) -> None:
    good = {"resource": {"resourceType": "Task", "id": "good"}}
    cut = bundles.slices(page(good, bad, good))
    assert [e.id for e in cut.entries] == ["good", "good"]
    assert [r.position for r in cut.refused] == [1]


def test_that_a_refused_entry_is_named_when_its_name_can_be_seen() -> None:
    cut = bundles.slices(page({"resource": {"resourceType": "Task", "id": "t-1", "meta": "x"}}))
    assert [(r.type, r.id) for r in cut.refused] == [("Task", "t-1")]


def test_that_half_characters_stop_only_the_entry_that_holds_them() -> None:
    whole = page(
        {"resource": {"resourceType": "Task", "id": "a"}},
        {"resource": {"resourceType": "Task", "id": "b", "description": "\ud800"}},
    )
    cut = bundles.slices(whole)
    assert [e.id for e in cut.entries] == ["a"]
    assert [r.id for r in cut.refused] == ["b"]


def test_that_bytes_that_are_no_text_stop_only_their_entry() -> None:
    whole = b'{"resourceType":"Bundle","entry":[{"resource":{"resourceType":"Task","id":"a","x":"\xff"}},{"resource":{"resourceType":"Task","id":"b"}}]}'
    cut = bundles.slices(whole)
    assert ([e.id for e in cut.entries], [r.id for r in cut.refused]) == (["b"], ["a"])


def test_that_deletions_in_a_history_are_told_apart() -> None:
    gone = {
        "fullUrl": "http://r/Task/a",
        "request": {"method": "DELETE", "url": "Task/a"},
        "response": {"status": "204", "etag": 'W/"4"', "lastModified": "2026-01-01T00:00:00Z"},
    }
    cut = bundles.slices(
        page(
            gone,
            {
                "fullUrl": "http://r/Task/b",
                "request": {"method": "DELETE", "url": "http://r/Task/b/_history/5"},
            },
            type="history",
        )
    )
    assert cut.deleted == [("Task", "a", "4", "2026-01-01T00:00:00Z"), ("Task", "b", "", "")]


def test_that_answers_of_a_batch_come_in_order_with_their_bodies() -> None:
    inner = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": {"resourceType": "Task", "id": "a"}}],
    }
    cut = bundles.slices(page({"response": {"status": "200 OK"}, "resource": inner}, {"response": {"status": "412", "outcome": {"resourceType": "OperationOutcome"}}},
                              {"response": {"status": "201 Created", "location": "Task/x/_history/1"}}, {"response": {}}, type="batch-response"))  # fmt: skip
    assert [r.status for r in cut.responses] == [200, 412, 201, 0]
    assert bundles.slices(cut.responses[0].body).entries[0].id == "a"
    assert cut.responses[2].version == "1"
    assert b"OperationOutcome" in cut.responses[1].outcome


def test_that_outcomes_and_partial_resources_are_marked() -> None:
    partial = {"resourceType": "Task", "id": "a", "meta": {"tag": [{"code": "SUBSETTED"}]}}
    cut = bundles.slices(
        page(
            {"resource": partial},
            {"resource": {"resourceType": "OperationOutcome"}, "search": {"mode": "outcome"}},
        )
    )
    assert cut.entries[0].subsetted
    assert len(cut.outcomes) == 1


def test_that_a_page_without_entries_is_empty_not_wrong() -> None:
    assert bundles.slices(b'{"resourceType":"Bundle"}').entries == []


def test_that_an_update_carries_the_version_it_was_made_from() -> None:
    raw = {"resourceType": "Task", "id": ID}
    made = bundles.transaction(
        [bundles.put_entry(raw, "7"), bundles.put_entry({"resourceType": "Basic", "id": "x"})]
    )
    first, second = made["entry"]
    assert first == {
        "fullUrl": f"urn:uuid:{ID}",
        "resource": raw,
        "request": {"method": "PUT", "url": f"Task/{ID}", "ifMatch": 'W/"7"'},
    }
    assert second == {
        "resource": {"resourceType": "Basic", "id": "x"},
        "request": {"method": "PUT", "url": "Basic/x"},
    }
    assert bundles.entries(made) == [raw, {"resourceType": "Basic", "id": "x"}]


def test_that_batches_hold_reads_creates_and_deletes() -> None:
    made = bundles.batch(
        [
            bundles.get_entry("Task?_count=1"),
            bundles.post_entry({"resourceType": "Task"}, full_url="urn:uuid:1", if_none_exist="identifier=x"),
            bundles.delete_entry("Task/1"),
        ]
    )
    assert [e["request"]["method"] for e in made["entry"]] == ["GET", "POST", "DELETE"]
    assert made["entry"][1]["request"]["ifNoneExist"] == "identifier=x"


def test_that_etags_hold_opaque_versions() -> None:
    assert bundles.version_of_etag('W/"a-b"') == bundles.version_of_etag('"a-b"') == "a-b"
    assert bundles.version_of_etag(None) == ""


def test_that_a_concept_reads_as_text_then_display_then_code() -> None:
    assert bundles.text_of({"text": "Insulin", "coding": [{"display": "x"}]}) == "Insulin"
    assert bundles.text_of({"coding": [{"code": "a"}, {"display": "B"}]}) == "B"
    assert bundles.text_of({"coding": [{"code": "a"}]}) == "a"
    assert bundles.text_of({"code": "c"}) == "c"
    assert bundles.text_of(None) == bundles.text_of({"coding": "x"}) == bundles.text_of({"coding": [5]}) == ""


def test_that_the_head_is_read_without_the_rest() -> None:
    assert bundles.head(b'{"resourceType":"Task","id":"a","x":{"y":[1]}}').id == "a"
    with pytest.raises(RecordTrouble):
        bundles.head(b"{}")


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(),
        lambda c: (
            st.lists(c, max_size=3)
            | st.dictionaries(
                st.sampled_from(
                    ["resourceType", "id", "meta", "resource", "request", "response", "search", "tag"]
                ),
                c,
                max_size=4,
            )
        ),
        max_leaves=12,
    )
)
@settings(max_examples=300)
def test_that_no_entry_however_odd_stops_its_neighbours(odd: Any) -> None:
    good = {"resource": {"resourceType": "Task", "id": "good"}}
    cut = bundles.slices(page(good, odd, good))
    assert [e.id for e in cut.entries if e.id == "good"][:2] == ["good", "good"]
    assert (
        len(cut.entries) + len(cut.refused) + len(cut.outcomes) + len(cut.deleted) + len(cut.responses) == 3
    )


_words = st.text(max_size=8)
_meta = st.fixed_dictionaries(
    {},
    optional={
        "versionId": st.none() | _words,
        "lastUpdated": st.none() | _words,
        "tag": st.lists(
            st.fixed_dictionaries({"code": st.sampled_from(["SUBSETTED", "other", None])}), max_size=2
        ),
    },
)
_resource = st.fixed_dictionaries(
    {"resourceType": st.sampled_from(["Task", "Patient", "OperationOutcome", "T4sk"])},
    optional={"id": st.sampled_from(["a", "b.c", "æ", "", None]), "meta": st.none() | _meta, "text": _words},
)
_entry = st.fixed_dictionaries(
    {"resource": _resource},
    optional={
        "search": st.fixed_dictionaries({"mode": st.sampled_from(["match", "include", "outcome", None])})
    },
)


@given(st.lists(_entry, max_size=5))
@settings(max_examples=150, deadline=None)
def test_that_one_bad_entry_changes_nothing_about_how_the_others_are_read(made: list[Any]) -> None:
    """A page of whole resources is cut in one pass, any other entry by entry: both read the same."""
    alone = bundles.slices(page(*made))
    beside = bundles.slices(page(*made, 5))
    assert beside.entries == alone.entries and beside.outcomes == alone.outcomes
    assert beside.refused[:-1] == alone.refused
