"""What a hostile or broken client sends, and a full disk: always an OperationOutcome, never the end."""

from __future__ import annotations

import gzip
import io
import json
import sqlite3
import sys
import tracemalloc
from typing import Any

import httpx
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from clinician.embedded.request import MAX_BODY
from clinician.embedded.server import RecordApp

JSON = {"Content-Type": "application/fhir+json"}


def lives(http: httpx.Client, answer: httpx.Response, *statuses: int) -> None:
    assert answer.status_code in statuses, answer.text
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert http.get("metadata").status_code == 200


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.binary(max_size=200))
def test_that_any_bytes_at_all_are_refused_politely(http: httpx.Client, body: bytes) -> None:
    for path in ("Patient", ""):
        answer = http.post(path, content=body, headers=JSON)
        assert answer.status_code in (400, 422)


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                (
                    "entry",
                    "resource",
                    "request",
                    "method",
                    "url",
                    "id",
                    "meta",
                    "fullUrl",
                    "name",
                    "identifier",
                    "reference",
                    "extension",
                    "contained",
                )
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=20,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(ODD, st.sampled_from(("transaction", "batch")))
def test_that_any_json_in_the_place_of_a_resource_never_ends_in_a_server_error(
    http: httpx.Client, odd: Any, kind: str
) -> None:
    for raw in (
        {"resourceType": "Bundle", "type": kind, "entry": odd},
        {"resourceType": "Bundle", "type": kind, "entry": [odd]},
        {
            "resourceType": "Bundle",
            "type": kind,
            "entry": [{"resource": odd, "request": {"method": "POST", "url": "Patient"}}],
        },
    ):
        assert http.post("", content=json.dumps(raw), headers=JSON).status_code < 500
    for element in ("meta", "identifier", "name", "birthDate", "managingOrganization", "id"):
        raw = {"resourceType": "Patient", element: odd}
        assert http.post("Patient", content=json.dumps(raw), headers=JSON).status_code < 500


WORDS = st.text(alphabet="abc:.,|-_$%&=ge0123456789'\"\\æ ", max_size=20)


@settings(max_examples=200, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.sampled_from(
        (
            "_sort",
            "_count",
            "_include",
            "_has:Observation:patient:code",
            "birthdate",
            "name",
            "identifier",
            "_lastUpdated",
            "_cursor",
            "_page",
            "general-practitioner",
            "organization.name",
            "_elements",
            "_summary",
            "_total",
            "deceased",
            "address:contains",
        )
    ),
    WORDS,
)
def test_that_no_search_value_ends_in_a_server_error(http: httpx.Client, name: str, value: str) -> None:
    assert http.get("Patient", params={name: value}).status_code < 500
    assert http.get("Patient/_history", params={name: value}).status_code < 500


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(WORDS)
def test_that_no_parameter_name_or_path_ends_in_a_server_error(http: httpx.Client, word: str) -> None:
    assert http.get("Patient", params={word: "1"}).status_code < 500
    for method in ("GET", "PUT", "DELETE", "POST"):
        answer = http.request(
            method, httpx.URL("http://record.test/", path=f"/Patient/{word}"), content=b"{}", headers=JSON
        )
        assert answer.status_code < 500


def test_that_a_host_header_cannot_break_the_json(app: RecordApp) -> None:
    with httpx.Client(transport=httpx.WSGITransport(app), base_url="http://record.test/") as http:
        answer = http.get("Patient", headers={"Host": 'x","evil":"'})
    assert answer.status_code in (200, 400)
    answer.json()


def test_that_a_number_of_five_hundred_digits_does_no_harm(http: httpx.Client) -> None:
    for number in ("9" * 500, "1e999", "-" + "9" * 5000):
        body = (
            '{"resourceType":"Observation","status":"final","code":{"text":"x"},"valueQuantity":{"value":'
            + number
            + "}}"
        )
        assert http.post("Observation", content=body, headers=JSON).status_code < 500
    assert http.get("Observation?value-quantity=gt1").status_code == 200


PACKED = JSON | {"Content-Encoding": "gzip"}


def test_that_a_packed_body_is_read_wherever_a_body_is(http: httpx.Client) -> None:
    raw = {"resourceType": "Patient", "id": "packed", "birthDate": "1940-01-02"}
    put = http.put("Patient/packed", content=gzip.compress(json.dumps(raw).encode()), headers=PACKED)
    assert put.status_code == 201 and http.get("Patient/packed").json()["birthDate"] == "1940-01-02"
    form = {"Content-Type": "application/x-www-form-urlencoded", "Content-Encoding": "GZIP"}
    found = http.post("Patient/_search", content=gzip.compress(b"birthdate=1940-01-02"), headers=form)
    assert [entry["resource"]["id"] for entry in found.json()["entry"]] == ["packed"]
    said = http.get("metadata").json()["rest"][0]["documentation"]
    assert "Content-Encoding: gzip" in said


def test_that_a_packed_bomb_is_refused_before_it_has_gone_off(http: httpx.Client) -> None:
    bomb = gzip.compress(b" " * (MAX_BODY + 2), mtime=0)
    assert len(bomb) < 100_000
    tracemalloc.start()
    answer = http.post("Patient", content=bomb, headers=PACKED)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    lives(http, answer, 413)
    assert peak < 3 * MAX_BODY


def _whole(body: bytes = b'{"resourceType":"Patient"}') -> bytes:
    return gzip.compress(body, mtime=0)


@pytest.mark.parametrize(
    "body",
    [b"", b"\x1f\x8b", b"not gzip", _whole()[:-3], _whole()[:-8] + bytes(8), _whole() + b"more"],
)
def test_that_broken_gzip_is_told(http: httpx.Client, body: bytes) -> None:
    lives(http, http.post("Patient", content=body, headers=PACKED), 400)


def test_that_another_encoding_is_refused_and_the_one_we_take_is_named(http: httpx.Client) -> None:
    answer = http.post("Patient", content=b"{}", headers=JSON | {"Content-Encoding": "br"})
    lives(http, answer, 415)
    assert answer.headers["Accept-Encoding"] == "gzip"


def test_that_more_entries_than_allowed_are_refused(http: httpx.Client) -> None:
    bundle = {"resourceType": "Bundle", "type": "batch", "entry": [{}] * 5001}
    lives(http, http.post("", json=bundle), 413)


def test_that_a_body_longer_than_it_says_is_cut_off(app: RecordApp) -> None:
    statuses: list[str] = []
    environ = {
        "REQUEST_METHOD": "POST",
        "PATH_INFO": "/Patient",
        "QUERY_STRING": "",
        "SERVER_NAME": "x",
        "SERVER_PORT": "80",
        "HTTP_HOST": "x",
        "SCRIPT_NAME": "",
        "CONTENT_TYPE": "application/fhir+json",
        "CONTENT_LENGTH": "99999999999",
        "wsgi.url_scheme": "http",
        "wsgi.input": io.BytesIO(b"{}"),
        "wsgi.errors": sys.stderr,
        "wsgi.version": (1, 0),
    }
    body = b"".join(app(environ, lambda status, _: statuses.append(status)))
    assert statuses[0].startswith("413")
    assert json.loads(body)["resourceType"] == "OperationOutcome"


def test_that_a_full_disk_is_told_and_nothing_of_the_request_is_kept(
    app: RecordApp, http: httpx.Client
) -> None:
    http.put("Patient/p", json={"resourceType": "Patient", "id": "p"}).raise_for_status()
    pages = app.store.limit_pages(0)
    big = {"resourceType": "Binary", "contentType": "text/plain", "data": "QUJD" * 200_000}
    answer = http.post("Binary", json=big)
    assert answer.status_code == 507
    assert answer.json()["resourceType"] == "OperationOutcome"
    app.store.limit_pages(pages)
    assert http.get("Binary?_summary=count").json()["total"] == 0
    assert http.post("Binary", json=big).status_code == 201


def test_that_a_record_locked_by_another_program_asks_for_patience(
    app: RecordApp, http: httpx.Client
) -> None:
    app.store.set_patience(0)
    with sqlite3.connect(app.store.path, isolation_level=None) as other:
        other.execute("BEGIN IMMEDIATE")
        answer = http.post("Patient", json={"resourceType": "Patient"})
        other.execute("ROLLBACK")
    other.close()
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "1"
    assert http.post("Patient", json={"resourceType": "Patient"}).status_code == 201


@pytest.mark.parametrize(
    "path",
    ["Patient/../Patient", "%2e%2e/etc/passwd", "Patient/%00", "Patient/x/_history/99999999999999999999"],
)
def test_that_odd_addresses_are_not_found(http: httpx.Client, path: str) -> None:
    assert http.get(path).status_code in (400, 404, 200 if path == "Patient/../Patient" else 404)
