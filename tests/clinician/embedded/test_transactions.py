"""A transaction happens whole or not at all, also when many arrive at once."""

from __future__ import annotations

import uuid
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinician.embedded.server import RecordApp

IDS = [str(uuid.UUID(int=at)) for at in range(5)]
ENTRY = st.one_of(
    st.tuples(st.just("PUT"), st.sampled_from(IDS), st.sampled_from(("male", "female"))),
    st.tuples(st.just("DELETE"), st.sampled_from(IDS), st.none()),
    st.tuples(st.just("PUT"), st.sampled_from(IDS), st.just("nonsense")),
    st.tuples(st.just("STALE"), st.sampled_from(IDS), st.sampled_from(("male", "female"))),
)


def entry(kind: str, id_: str, gender: str | None) -> dict[str, Any]:
    if kind == "DELETE":
        return {"request": {"method": "DELETE", "url": f"Patient/{id_}"}}
    request = {"method": "PUT", "url": f"Patient/{id_}"}
    if kind == "STALE":
        request["ifMatch"] = 'W/"9999"'
    return {"resource": {"resourceType": "Patient", "id": id_, "gender": gender}, "request": request}


def everything(http: httpx.Client) -> dict[str, Any]:
    found = http.get("Patient?_count=1000").json().get("entry", [])
    return {
        one["resource"]["id"]: (one["resource"]["gender"], one["resource"]["meta"]["versionId"])
        for one in found
    }


@pytest.fixture(scope="module")
def shared() -> Any:
    app = RecordApp(None)
    with httpx.Client(transport=httpx.WSGITransport(app), base_url="http://record.test/") as http:
        yield http
    app.close()


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.lists(ENTRY, min_size=1, max_size=5))
def test_that_a_transaction_is_applied_whole_or_not_at_all(shared: httpx.Client, steps: list[Any]) -> None:
    before = everything(shared)
    history = shared.get("_history?_count=0").json()["total"]
    bundle = {"resourceType": "Bundle", "type": "transaction", "entry": [entry(*step) for step in steps]}
    answer = shared.post("", json=bundle)
    after = everything(shared)
    ids = [step[1] for step in steps]
    sound = len(set(ids)) == len(ids) and all(k != "STALE" and g != "nonsense" for k, _, g in steps)
    if not sound:
        assert 400 <= answer.status_code < 500
        assert after == before
        assert shared.get("_history?_count=0").json()["total"] == history
        return
    assert answer.status_code == 200
    for kind, id_, gender in steps:
        assert (id_ in after) == (kind == "PUT")
        assert kind == "DELETE" or after[id_][0] == gender
    assert {id_: after[id_] for id_ in after if id_ not in ids} == {
        i: v for i, v in before.items() if i not in ids
    }


def test_that_writers_with_if_match_count_every_turn_once(app: RecordApp) -> None:
    """Ten threads, each adds one to a counter until it has won five times; nothing is lost or doubled."""
    id_ = IDS[0]

    def client() -> httpx.Client:
        return httpx.Client(transport=httpx.WSGITransport(app), base_url="http://record.test/")

    def resource(n: int) -> dict[str, Any]:
        return {"resourceType": "Basic", "id": id_, "code": {"text": str(n)}}

    with client() as http:
        http.put(f"Basic/{id_}", json=resource(0)).raise_for_status()

    def turn(_: int) -> None:
        with client() as http:
            won = 0
            while won < 5:
                read = http.get(f"Basic/{id_}")
                n = int(read.json()["code"]["text"])
                put = http.put(
                    f"Basic/{id_}", json=resource(n + 1), headers={"If-Match": read.headers["ETag"]}
                )
                assert put.status_code in (200, 412)
                won += put.status_code == 200

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(turn, range(10)))
    with client() as http:
        assert http.get(f"Basic/{id_}").json()["code"]["text"] == "50"
        assert http.get(f"Basic/{id_}/_history").json()["total"] == 51


def test_that_readers_see_whole_transactions_only(app: RecordApp) -> None:
    """While a writer moves a mark between two resources, no reader ever sees both or neither marked."""
    first, second = IDS[:2]

    def bundle(marked: str) -> dict[str, Any]:
        entries = [entry("PUT", id_, "male" if id_ == marked else "female") for id_ in (first, second)]
        return {"resourceType": "Bundle", "type": "transaction", "entry": entries}

    def client() -> httpx.Client:
        return httpx.Client(transport=httpx.WSGITransport(app), base_url="http://record.test/")

    with client() as http:
        http.post("", json=bundle(first)).raise_for_status()

    def read(_: int) -> set[int]:
        with client() as http:
            return {len(http.get("Patient?gender=male").json().get("entry", [])) for _ in range(40)}

    def write(_: int) -> set[int]:
        with client() as http:
            for turn in range(40):
                http.post("", json=bundle((first, second)[turn % 2])).raise_for_status()
        return {1}

    with ThreadPoolExecutor(4) as pool:
        seen = list(pool.map(lambda job: job(0), [write, read, read, read]))
    assert set().union(*seen) == {1}
