"""Transactions and batches: RECORD §1 point 4."""

from __future__ import annotations

from typing import Any

from tests.record.peers import Peer, fresh, observation, patient

SYSTEM = "urn:oid:2.16.578.1.12.4.1.4.1"


def put(raw: dict[str, Any], **request: str) -> dict[str, Any]:
    url = f"{raw['resourceType']}/{raw['id']}"
    return {"resource": raw, "request": {"method": "PUT", "url": url} | request}


def post(raw: dict[str, Any], full_url: str = "", **request: str) -> dict[str, Any]:
    bare = {key: value for key, value in raw.items() if key != "id"}
    entry = {"resource": bare, "request": {"method": "POST", "url": raw["resourceType"]} | request}
    return {"fullUrl": full_url, **entry} if full_url else entry


def test_that_a_transaction_answers_in_the_order_it_was_sent(record: Peer) -> None:
    old, new = patient("Gammel"), patient("Ny")
    record.put(old)
    answer = record.send(
        {"request": {"method": "GET", "url": f"Patient/{new['id']}"}},
        put(new),
        {"request": {"method": "DELETE", "url": f"Patient/{old['id']}"}},
        post(observation(f"Patient/{new['id']}")),
    )
    assert answer.status_code == 200, answer.text
    bundle = answer.json()
    assert bundle["type"] == "transaction-response"
    statuses = [entry["response"]["status"][:3] for entry in bundle["entry"]]
    assert statuses in (["200", "201", "204", "201"], ["200", "201", "200", "201"])
    assert bundle["entry"][0]["resource"]["id"] == new["id"]


def test_that_each_written_entry_tells_location_etag_and_time(record: Peer) -> None:
    raw = patient()
    (entry,) = record.send(put(raw)).json()["entry"]
    assert f"Patient/{raw['id']}/_history/" in entry["response"]["location"]
    assert entry["response"]["etag"].startswith('W/"')
    assert entry["response"]["lastModified"]


def test_that_urn_uuid_links_are_rewritten_everywhere(record: Peer) -> None:
    link, encounter = f"urn:uuid:{fresh()}", f"urn:uuid:{fresh()}"
    extension = {"url": "https://clinician.example/x", "valueReference": {"reference": link}}
    seen = observation(
        link,
        encounter={"reference": encounter},
        extension=[extension],
        performer=[{"reference": link}],
        contained=[
            {
                "resourceType": "Observation",
                "id": "p",
                "status": "final",
                "code": {"text": "del"},
                "subject": {"reference": link},
            }
        ],
        hasMember=[{"reference": "#p"}],
    )
    visit = {
        "resourceType": "Encounter",
        "id": "x",
        "status": "finished",
        "subject": {"reference": link},
        "class": {"system": "http://terminology.hl7.org/CodeSystem/v3-ActCode", "code": "HH"},
    }
    answer = record.send(post(seen), post(patient(), link), post(visit, encounter))
    assert answer.status_code == 200, answer.text
    places = [entry["response"]["location"].split("/_history")[0] for entry in answer.json()["entry"]]
    refs = ["/".join(place.split("/")[-2:]) for place in places]
    stored = record.get(refs[0]).json()
    assert "urn:uuid" not in record.get(refs[0]).text
    assert stored["subject"]["reference"] == refs[1]
    assert stored["encounter"]["reference"] == refs[2]
    assert stored["extension"][0]["valueReference"]["reference"] == refs[1]
    assert stored["performer"][0]["reference"] == refs[1]
    assert stored["contained"][0]["subject"]["reference"] == refs[1]


def test_that_an_identifier_value_is_not_taken_for_a_link(record: Peer) -> None:
    link = f"urn:uuid:{fresh()}"
    identified = patient(identifier=[{"system": "urn:ietf:rfc:3986", "value": link}])
    (entry,) = record.send(post(identified, link)).json()["entry"]
    ref = "/".join(entry["response"]["location"].split("/_history")[0].split("/")[-2:])
    assert record.get(ref).json()["identifier"][0]["value"] == link


def test_that_a_transaction_with_one_bad_entry_leaves_nothing(record: Peer) -> None:
    good, bad = patient(), observation("Patient/x", status=7)
    answer = record.send(put(good), put(bad))
    assert answer.status_code in (400, 422)
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert record.get(f"Patient/{good['id']}").status_code == 404


def test_that_a_stale_if_match_in_a_transaction_undoes_all_of_it(record: Peer) -> None:
    held, new = patient(), patient()
    etag = record.put(held).headers["ETag"]
    record.put(held | {"gender": "male"})
    answer = record.send(put(new), put(held | {"gender": "female"}, ifMatch=etag))
    assert answer.status_code == 412
    assert record.get(f"Patient/{new['id']}").status_code == 404
    assert record.get(f"Patient/{held['id']}").json()["gender"] == "male"


def test_that_the_right_if_match_in_a_transaction_is_taken(record: Peer) -> None:
    held = patient()
    etag = record.put(held).headers["ETag"]
    answer = record.send(put(held | {"gender": "female"}, ifMatch=etag))
    assert answer.status_code == 200, answer.text
    assert record.get(f"Patient/{held['id']}").json()["gender"] == "female"


def test_that_if_none_match_star_holds_in_a_transaction(record: Peer) -> None:
    held, new = patient(), patient()
    record.put(held)
    answer = record.send(put(new), put(held | {"gender": "male"}, ifNoneMatch="*"))
    assert answer.status_code == 412
    assert record.get(f"Patient/{new['id']}").status_code == 404


def test_that_if_none_exist_in_a_transaction_finds_what_is_there(record: Peer) -> None:
    number = fresh()
    held = patient(identifier=[{"system": SYSTEM, "value": number}])
    record.put(held)
    link = f"urn:uuid:{fresh()}"
    answer = record.send(
        post(held, link, ifNoneExist=f"identifier={SYSTEM}|{number}"), post(observation(link))
    )
    assert answer.status_code == 200, answer.text
    found, seen = answer.json()["entry"]
    assert found["response"]["status"].startswith("200")
    ref = "/".join(seen["response"]["location"].split("/_history")[0].split("/")[-2:])
    assert record.get(ref).json()["subject"]["reference"] == f"Patient/{held['id']}"


def test_that_a_conditional_reference_is_resolved(record: Peer) -> None:
    number = fresh()
    held = patient(identifier=[{"system": SYSTEM, "value": number}])
    record.put(held)
    seen = observation(f"Patient?identifier={SYSTEM}|{number}")
    assert record.send(put(seen)).status_code == 200
    assert record.get(f"Observation/{seen['id']}").json()["subject"]["reference"] == f"Patient/{held['id']}"


def test_that_a_conditional_reference_to_nothing_fails_the_transaction(record: Peer) -> None:
    seen = observation(f"Patient?identifier={SYSTEM}|{fresh()}")
    assert record.send(put(seen)).status_code in (400, 404, 412, 422)
    assert record.get(f"Observation/{seen['id']}").status_code == 404


def test_that_a_link_to_nothing_in_the_transaction_fails_it(record: Peer) -> None:
    seen = observation(f"urn:uuid:{fresh()}")
    assert record.send(put(seen)).status_code in (400, 412, 422)


def test_that_the_same_resource_twice_in_a_transaction_is_refused(record: Peer) -> None:
    raw = patient()
    assert record.send(put(raw), put(raw | {"gender": "male"})).status_code in (400, 422)
    assert record.get(f"Patient/{raw['id']}").status_code == 404


def test_that_a_delete_goes_before_a_create_with_the_same_condition(record: Peer) -> None:
    number = fresh()
    old = patient(identifier=[{"system": SYSTEM, "value": number}])
    record.put(old)
    new = patient(identifier=[{"system": SYSTEM, "value": number}])
    answer = record.send(put(new), {"request": {"method": "DELETE", "url": f"Patient/{old['id']}"}})
    assert answer.status_code == 200
    assert record.ids(f"Patient?identifier={SYSTEM}|{number}") == [new["id"]]


def test_that_the_entries_of_a_batch_stand_alone(record: Peer) -> None:
    good, bad = patient(), observation("Patient/x", status=7)
    answer = record.send(
        put(bad), put(good), {"request": {"method": "GET", "url": f"Patient/{fresh()}"}}, kind="batch"
    )
    assert answer.status_code == 200
    bundle = answer.json()
    assert bundle["type"] == "batch-response"
    statuses = [entry["response"]["status"][:3] for entry in bundle["entry"]]
    assert statuses[0] in ("400", "422")
    assert statuses[1:] == ["201", "404"]
    assert bundle["entry"][2]["response"]["outcome"]["resourceType"] == "OperationOutcome"


def test_that_a_batch_of_searches_answers_each_with_its_bundle(record: Peer) -> None:
    raw = patient()
    record.put(raw)
    urls = [f"Patient?_id={raw['id']}", f"Observation?patient={raw['id']}&_sort=_lastUpdated&_count=500"]
    answer = record.send(*({"request": {"method": "GET", "url": url}} for url in urls), kind="batch")
    first, second = answer.json()["entry"]
    assert [entry["resource"]["id"] for entry in first["resource"]["entry"]] == [raw["id"]]
    assert second["resource"]["type"] == "searchset"
    assert not second["resource"].get("entry")


def test_that_numbers_keep_their_digits_through_a_transaction(record: Peer) -> None:
    link, id_ = f"urn:uuid:{fresh()}", fresh()
    raw = (
        f'{{"resourceType":"Observation","id":"{id_}","status":"final","code":{{"text":"vekt"}},'
        f'"subject":{{"reference":"{link}"}},"valueQuantity":{{"value":72.50}}}}'
    )
    body = (
        '{"resourceType":"Bundle","type":"transaction","entry":['
        f'{{"fullUrl":"{link}","resource":{{"resourceType":"Patient"}},'
        '"request":{"method":"POST","url":"Patient"}},'
        f'{{"resource":{raw},"request":{{"method":"PUT","url":"Observation/{id_}"}}}}]}}'
    )
    assert record.post("", body).status_code == 200
    assert '"value":72.50' in record.get(f"Observation/{id_}").text.replace(": ", ":")


def test_that_a_bundle_of_another_kind_is_refused(record: Peer) -> None:
    answer = record.send(put(patient()), kind="collection")
    assert answer.status_code in (400, 422)
    assert answer.json()["resourceType"] == "OperationOutcome"
