"""Bad input is refused with an OperationOutcome and the record lives on: RECORD §1 point 8."""

from __future__ import annotations

import json

import pytest

from tests.record.peers import FHIR_JSON, Peer, fresh, patient


def refused(record: Peer, answer_status: int, text: str, *allowed: int) -> None:
    assert answer_status in allowed, text
    assert json.loads(text)["resourceType"] == "OperationOutcome"
    assert record.get("metadata").status_code == 200


def test_that_html_is_refused(record: Peer) -> None:
    answer = record.post("Patient", b"<html><body>500</body></html>", Content_Type="text/html")
    refused(record, answer.status_code, answer.text, 400, 415)


@pytest.mark.parametrize(
    "body", [b"", b"{", b'{"resourceType":"Patient"', b"null", b"[]", b'"x"', b"\xff\xfe"]
)
def test_that_broken_json_is_refused(record: Peer, body: bytes) -> None:
    answer = record.post("Patient", body)
    refused(record, answer.status_code, answer.text, 400, 422)


def test_that_a_key_standing_twice_is_refused(record: Peer) -> None:
    answer = record.post("Patient", b'{"resourceType":"Patient","gender":"male","gender":"female"}')
    refused(record, answer.status_code, answer.text, 400, 422)


@pytest.mark.parametrize("depth", [200, 100_000])
def test_that_deep_nesting_is_refused(record: Peer, depth: int) -> None:
    inner = b'{"url":"u","extension":[' * depth + b"]}" * depth
    answer = record.post("Patient", b'{"resourceType":"Patient","extension":[' + inner + b"]}")
    refused(record, answer.status_code, answer.text, 400, 422)


def test_that_half_a_character_is_refused(record: Peer) -> None:
    answer = record.post("Patient", b'{"resourceType":"Patient","name":[{"family":"\\ud800"}]}')
    refused(record, answer.status_code, answer.text, 400, 422)


def test_that_fifty_megabytes_are_refused(record: Peer) -> None:
    raw = {"resourceType": "Binary", "contentType": "image/png", "data": "QUJD" * (50 * 2**18)}
    answer = record.post("Binary", raw)
    refused(record, answer.status_code, answer.text, 400, 413, 422)


@pytest.mark.parametrize("id_", ["x" * 65, "a_b", "å"])
def test_that_an_id_fhir_does_not_allow_is_refused(record: Peer, id_: str) -> None:
    answer = record.put(patient() | {"id": id_})
    refused(record, answer.status_code, answer.text, 400, 422)


def test_that_another_id_than_the_urls_is_refused(record: Peer) -> None:
    raw = patient()
    answer = record.http.put(f"Patient/{fresh()}", content=json.dumps(raw), headers=FHIR_JSON)
    refused(record, answer.status_code, answer.text, 400, 422)


def test_that_another_type_than_the_urls_is_refused(record: Peer) -> None:
    answer = record.post("Observation", patient())
    refused(record, answer.status_code, answer.text, 400, 422)


def test_that_an_unknown_type_is_refused(record: Peer) -> None:
    answer = record.post("Pasient", {"resourceType": "Pasient"})
    refused(record, answer.status_code, answer.text, 400, 404, 422)


@pytest.mark.parametrize(
    "wrong",
    [
        {"notAnElement": 1},
        {"gender": ["female"]},
        {"name": {"family": "x"}},
        {"active": "true"},
        {"birthDate": "17.05.1940"},
        {"name": []},
        {"gender": None},
        {"deceasedBoolean": True, "deceasedDateTime": "2020-01-01"},
    ],
    ids=lambda wrong: "+".join(wrong),
)
def test_that_what_fhir_has_no_room_for_is_refused(record: Peer, wrong: dict[str, object]) -> None:
    answer = record.post("Patient", {"resourceType": "Patient"} | wrong)
    refused(record, answer.status_code, answer.text, 400, 422)


def test_that_a_code_outside_a_required_set_is_refused(record: Peer) -> None:
    answer = record.post("Patient", {"resourceType": "Patient", "gender": "kvinne"})
    refused(record, answer.status_code, answer.text, 400, 422)


def test_that_a_missing_required_element_is_refused(record: Peer) -> None:
    answer = record.post("Task", {"resourceType": "Task", "intent": "order"})
    refused(record, answer.status_code, answer.text, 400, 422)


def test_that_an_unknown_address_is_404(record: Peer) -> None:
    answer = record.get("Patient/x/y/z")
    refused(record, answer.status_code, answer.text, 400, 404)


def test_that_a_method_that_is_not_offered_is_refused(record: Peer) -> None:
    raw = patient()
    record.put(raw)
    answer = record.http.request("PATCH", f"Patient/{raw['id']}", content=b"[]", headers=FHIR_JSON)
    assert 400 <= answer.status_code < 500
    assert record.get(f"Patient/{raw['id']}").json()["meta"]["versionId"] == "1"


def test_that_xml_is_not_promised(record: Peer) -> None:
    raw = patient()
    record.put(raw)
    answer = record.get(f"Patient/{raw['id']}", Accept="application/fhir+xml")
    assert answer.status_code == 406
