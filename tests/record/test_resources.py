"""read, vread, create, update, delete, revive: RECORD §1 points 1, 2 and 9."""

from __future__ import annotations

from tests.record.peers import FHIR_JSON, Peer, fresh, patient


def test_that_metadata_says_r4_and_lists_what_a_client_uses(record: Peer) -> None:
    statement = record.get("metadata").json()
    assert statement["fhirVersion"] == "4.0.1"
    (rest,) = statement["rest"]
    types = {resource["type"]: resource for resource in rest["resource"]}
    assert {"Patient", "Task", "Appointment", "Encounter", "Observation"} <= types.keys()
    offered = {one["code"] for one in types["Task"]["interaction"]}
    assert {"read", "vread", "create", "update", "delete", "search-type"} <= offered
    assert {"transaction", "batch", "history-system"} <= {one["code"] for one in rest["interaction"]}


def test_that_metadata_names_no_subscription_it_would_not_honour(record: Peer) -> None:
    (rest,) = record.get("metadata").json()["rest"]
    assert "Subscription" not in {resource["type"] for resource in rest["resource"]}


def test_that_a_create_answers_with_an_id_a_version_and_where_it_is(record: Peer) -> None:
    answer = record.post("Patient", {"resourceType": "Patient", "gender": "female"})
    assert answer.status_code == 201
    raw = answer.json()
    assert raw["meta"]["versionId"]
    assert raw["meta"]["lastUpdated"]
    assert answer.headers["ETag"] == f'W/"{raw["meta"]["versionId"]}"'
    assert answer.headers["Last-Modified"]
    assert answer.headers["Location"].endswith(f"Patient/{raw['id']}/_history/{raw['meta']['versionId']}")


def test_that_a_put_under_an_id_of_the_clients_creates(record: Peer) -> None:
    raw = patient()
    assert record.put(raw).status_code == 201
    assert record.get(f"Patient/{raw['id']}").json()["name"] == raw["name"]


def test_that_an_update_makes_a_version_and_the_old_one_stays_readable(record: Peer) -> None:
    raw = patient("Før")
    first = record.put(raw).json()["meta"]["versionId"]
    second = record.put(raw | {"name": [{"family": "Etter"}]})
    assert second.status_code == 200
    assert second.json()["meta"]["versionId"] != first
    old = record.get(f"Patient/{raw['id']}/_history/{first}")
    assert old.status_code == 200
    assert old.json()["name"] == [{"family": "Før"}]


def test_that_a_put_that_says_nothing_new_keeps_the_version(record: Peer) -> None:
    raw = patient()
    first = record.put(raw).json()["meta"]["versionId"]
    assert record.put(raw).json()["meta"]["versionId"] == first


def test_that_a_deleted_resource_is_gone_and_can_be_revived(record: Peer) -> None:
    raw = patient()
    record.put(raw)
    assert record.delete(f"Patient/{raw['id']}").status_code in (200, 204)
    gone = record.get(f"Patient/{raw['id']}")
    assert gone.status_code == 410
    assert gone.json()["resourceType"] == "OperationOutcome"
    assert record.put(raw).status_code == 201
    assert record.get(f"Patient/{raw['id']}").status_code == 200


def test_that_deleting_twice_is_no_error(record: Peer) -> None:
    raw = patient()
    record.put(raw)
    record.delete(f"Patient/{raw['id']}")
    assert record.delete(f"Patient/{raw['id']}").status_code in (200, 204)


def test_that_the_version_that_is_a_deletion_reads_as_gone(record: Peer) -> None:
    raw = patient()
    version = int(record.put(raw).json()["meta"]["versionId"])
    record.delete(f"Patient/{raw['id']}")
    assert record.get(f"Patient/{raw['id']}/_history/{version + 1}").status_code == 410


def test_that_an_unknown_id_and_an_unknown_version_are_404(record: Peer) -> None:
    raw = patient()
    record.put(raw)
    for path in (f"Patient/{fresh()}", f"Patient/{raw['id']}/_history/77"):
        answer = record.get(path)
        assert answer.status_code == 404
        assert answer.json()["resourceType"] == "OperationOutcome"


def test_that_a_decimal_comes_back_with_the_digits_it_was_sent_with(record: Peer) -> None:
    id_ = fresh()
    body = (
        f'{{"resourceType":"Observation","id":"{id_}","status":"final","code":{{"text":"vekt"}},'
        '"valueQuantity":{"value":72.50,"unit":"kg"}}'
    )
    record.http.put(f"Observation/{id_}", content=body, headers=FHIR_JSON)
    assert '"value":72.50' in record.get(f"Observation/{id_}").text.replace(": ", ":")


def test_that_what_a_client_sends_as_meta_stamps_is_overwritten_and_tags_stay(record: Peer) -> None:
    tag = {"system": "https://clinician.example/fhir/CodeSystem/practice", "code": "practice"}
    raw = patient(meta={"versionId": "99", "lastUpdated": "1999-01-01T00:00:00Z", "tag": [tag]})
    stored = record.put(raw).json()
    assert stored["meta"]["versionId"] != "99"
    assert not stored["meta"]["lastUpdated"].startswith("1999")
    assert stored["meta"]["tag"] == [tag]


def test_that_return_minimal_leaves_the_body_out(record: Peer) -> None:
    answer = record.put(patient(), Prefer="return=minimal")
    assert answer.status_code == 201
    assert answer.content == b""
    assert answer.headers["ETag"]


def test_that_answers_are_compressed_when_asked(record: Peer) -> None:
    answer = record.get("metadata", Accept_Encoding="gzip")
    assert answer.headers.get("Content-Encoding") == "gzip"
    assert answer.json()["resourceType"] == "CapabilityStatement"


def test_that_every_answer_tells_the_time_of_the_record(record: Peer) -> None:
    assert record.get("metadata").headers["Date"].endswith("GMT")


def test_that_norwegian_letters_survive(record: Peer) -> None:
    raw = patient("Bjørnstjerne Ærlig Ås")
    record.put(raw)
    assert record.get(f"Patient/{raw['id']}").json()["name"] == raw["name"]
