"""If-Match, If-None-Match, If-None-Exist, conditional PUT: RECORD §1 point 3."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from tests.record.peers import Peer, fresh, patient

SYSTEM = "urn:oid:2.16.578.1.12.4.1.4.1"


def numbered(value: str) -> dict[str, object]:
    return {"identifier": [{"system": SYSTEM, "value": value}]}


def test_that_a_put_with_the_right_if_match_is_taken(record: Peer) -> None:
    raw = patient()
    etag = record.put(raw).headers["ETag"]
    assert record.put(raw | {"gender": "male"}, If_Match=etag).status_code == 200


def test_that_a_put_with_a_stale_if_match_is_refused_and_changes_nothing(record: Peer) -> None:
    raw = patient()
    etag = record.put(raw).headers["ETag"]
    record.put(raw | {"gender": "male"})
    answer = record.put(raw | {"gender": "female"}, If_Match=etag)
    assert answer.status_code == 412
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert record.get(f"Patient/{raw['id']}").json()["gender"] == "male"


def test_that_if_match_on_what_is_not_there_is_refused(record: Peer) -> None:
    raw = patient()
    assert record.put(raw, If_Match='W/"1"').status_code == 412
    assert record.get(f"Patient/{raw['id']}").status_code == 404


def test_that_a_delete_with_a_stale_if_match_is_refused(record: Peer) -> None:
    raw = patient()
    etag = record.put(raw).headers["ETag"]
    record.put(raw | {"gender": "male"})
    assert record.delete(f"Patient/{raw['id']}", If_Match=etag).status_code == 412
    assert record.get(f"Patient/{raw['id']}").status_code == 200


def test_that_a_read_with_a_known_version_answers_304(record: Peer) -> None:
    raw = patient()
    etag = record.put(raw).headers["ETag"]
    answer = record.get(f"Patient/{raw['id']}", If_None_Match=etag)
    assert answer.status_code == 304
    assert answer.content == b""
    record.put(raw | {"gender": "male"})
    assert record.get(f"Patient/{raw['id']}", If_None_Match=etag).status_code == 200


def test_that_if_none_match_star_creates_and_never_overwrites(record: Peer) -> None:
    raw = patient()
    assert record.put(raw, If_None_Match="*").status_code == 201
    assert record.put(raw | {"gender": "male"}, If_None_Match="*").status_code == 412
    assert "gender" not in record.get(f"Patient/{raw['id']}").json()


def test_that_if_none_exist_creates_once_and_then_finds(record: Peer) -> None:
    number = fresh()
    body = {"resourceType": "Patient", **numbered(number)}
    first = record.post("Patient", body, If_None_Exist=f"identifier={SYSTEM}|{number}")
    second = record.post("Patient", body, If_None_Exist=f"identifier={SYSTEM}|{number}")
    assert (first.status_code, second.status_code) == (201, 200)
    assert record.ids(f"Patient?identifier={SYSTEM}|{number}") == [first.json()["id"]]


def test_that_if_none_exist_with_two_matches_is_refused(record: Peer) -> None:
    number = fresh()
    for _ in range(2):
        record.put(patient(**numbered(number)))
    body = {"resourceType": "Patient", **numbered(number)}
    answer = record.post("Patient", body, If_None_Exist=f"identifier={SYSTEM}|{number}")
    assert answer.status_code == 412


def test_that_eight_racing_conditional_creates_make_one(record: Peer) -> None:
    number = fresh()
    body = {"resourceType": "Patient", **numbered(number)}

    def create(_: int) -> int:
        return record.post("Patient", body, If_None_Exist=f"identifier={SYSTEM}|{number}").status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(create, range(8)))
    assert statuses == [200] * 7 + [201]


def test_that_of_eight_racing_updates_of_one_version_one_wins(record: Peer) -> None:
    raw = patient()
    etag = record.put(raw).headers["ETag"]

    def update(at: int) -> int:
        return record.put(raw | {"name": [{"family": f"nr {at}"}]}, If_Match=etag).status_code

    with ThreadPoolExecutor(8) as pool:
        statuses = sorted(pool.map(update, range(8)))
    assert statuses == [200] + [412] * 7


def test_that_a_conditional_put_creates_then_updates_the_one_match(record: Peer) -> None:
    number = fresh()
    body = {"resourceType": "Patient", **numbered(number)}
    path = f"Patient?identifier={SYSTEM}|{number}"
    headers = {"Content-Type": "application/fhir+json"}
    first = record.http.put(path, json=body, headers=headers)
    second = record.http.put(path, json=body | {"gender": "other"}, headers=headers)
    assert (first.status_code, second.status_code) == (201, 200)
    assert second.json()["id"] == first.json()["id"]
    assert second.json()["gender"] == "other"


def test_that_a_conditional_put_with_two_matches_is_refused(record: Peer) -> None:
    number = fresh()
    for _ in range(2):
        record.put(patient(**numbered(number)))
    answer = record.http.put(
        f"Patient?identifier={SYSTEM}|{number}",
        json={"resourceType": "Patient", **numbered(number)},
        headers={"Content-Type": "application/fhir+json"},
    )
    assert answer.status_code == 412
