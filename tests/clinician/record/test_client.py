"""The client against an httpx transport that answers whatever a test wants."""

from __future__ import annotations

import gzip
import json
import logging
from collections.abc import Iterator

import httpx
import pytest

from clinician.errors import RecordTrouble, Refused
from clinician.record.client import (
    HEADERS,
    AnswerLost,
    BatchEntry,
    Busy,
    NotSent,
    RecordClient,
    Timeouts,
    expect,
    form,
    in_process,
)

JSON = {"content-type": "application/fhir+json"}
PATIENT = {"resourceType": "Patient", "id": "a"}


class Wire(httpx.BaseTransport):
    def __init__(self, *answers: httpx.Response | Exception) -> None:
        self.answers = list(answers)
        self.requests: list[httpx.Request] = []

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        request.read()
        self.requests.append(request)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        if answer.is_closed:  # made with content: hand it out as it would come over a wire
            return httpx.Response(
                answer.status_code,
                headers=answer.headers,
                stream=Dripping([answer.content] if answer.content else []),
            )
        return answer


class Dripping(httpx.SyncByteStream):
    def __init__(self, chunks: list[bytes]) -> None:
        self.chunks = chunks

    def __iter__(self) -> Iterator[bytes]:
        yield from self.chunks


def client(*answers: httpx.Response | Exception, **more: object) -> tuple[RecordClient, Wire]:
    wire = Wire(*answers)
    return RecordClient("https://record.example/fhir/", transport=wire, **more), wire  # type: ignore[arg-type]  # a test passes any of the keywords


def ok(body: object = PATIENT, **headers: str) -> httpx.Response:
    return httpx.Response(200, headers={**JSON, **headers}, content=json.dumps(body).encode())


def test_that_a_read_tells_version_times_and_body() -> None:
    record, wire = client(
        ok(
            etag='W/"7"',
            date="Tue, 03 Mar 2026 07:00:00 GMT",
            **{"last-modified": "Mon, 02 Mar 2026 07:00:00 GMT"},
        )
    )
    answer = record.read("Patient/a", if_none_match="6")
    assert (answer.status, answer.version_id, answer.raw()["id"]) == (200, "7", "a")
    assert answer.date is not None and answer.date.isoformat() == "2026-03-03T07:00:00+00:00"
    assert answer.last_modified is not None and answer.last_modified.day == 2
    assert wire.requests[0].headers["if-none-match"] == 'W/"6"'


def test_that_every_request_carries_the_headers_of_the_design() -> None:
    record, wire = client(ok(), headers={"Accept-Encoding": HEADERS["Accept-Encoding"]})
    record.read("Patient/a")
    sent = wire.requests[0].headers
    assert sent["accept"] == "application/fhir+json"
    assert sent["accept-encoding"] == "gzip"
    assert sent["cache-control"] == "no-cache"
    assert len(sent["x-request-id"]) == 36


def test_that_identifiers_travel_in_the_body_of_a_search() -> None:
    record, wire = client(ok({"resourceType": "Bundle", "type": "searchset"}))
    record.search("Task", form([("patient", "a,b"), ("_lastUpdated", "ge2026-03-03T07:00:00.000Z")]))
    request = wire.requests[0]
    assert str(request.url) == "https://record.example/fhir/Task/_search"
    assert request.content == b"patient=a,b&_lastUpdated=ge2026-03-03T07:00:00.000Z"
    assert request.headers["prefer"] == "handling=strict"


def test_that_a_next_link_that_repeats_the_search_goes_as_a_post() -> None:
    record, wire = client(ok(), ok(), ok())
    record.follow("https://record.example/fhir/Task?patient=a&_after=3", within="Task")
    record.follow("https://record.example/fhir?_getpages=x&_getpagesoffset=5", within="Task")
    record.follow("http://inside:8080/fhir/Task/_search?patient=a", within="Task")
    assert [(r.method, str(r.url)) for r in wire.requests] == [
        ("POST", "https://record.example/fhir/Task/_search"),
        ("GET", "https://record.example/fhir?_getpages=x&_getpagesoffset=5"),
        ("POST", "https://record.example/fhir/Task/_search"),
    ]


def test_that_a_next_link_never_leads_to_another_place() -> None:
    record, wire = client()
    with pytest.raises(RecordTrouble):
        record.follow("https://evil.example/other", within="Task")
    assert not wire.requests


def test_that_a_page_larger_than_the_limit_is_refused_before_it_is_read() -> None:
    stream = Dripping([b"x" * 100] * 50)
    told = httpx.Response(200, headers={**JSON, "content-length": "5000"}, stream=Dripping([]))
    untold = httpx.Response(200, headers=JSON, stream=stream)
    record, _ = client(told, untold, largest=1000)
    for _try in range(2):
        with pytest.raises(RecordTrouble):
            record.read("Patient/a")


def test_that_a_gzip_bomb_is_met_before_it_has_gone_off() -> None:
    bomb = gzip.compress(b"0" * 50_000_000, mtime=0)
    record, _ = client(
        httpx.Response(200, headers={**JSON, "content-encoding": "gzip"}, stream=Dripping([bomb])),
        largest=2_000_000,
    )
    with pytest.raises(RecordTrouble, match="larger"):
        record.read("Patient/a")


def test_that_packed_answers_are_unpacked() -> None:
    packed = gzip.compress(json.dumps(PATIENT).encode())
    halves = [packed[:10], packed[10:]]
    record, _ = client(
        httpx.Response(200, headers={**JSON, "content-encoding": "gzip"}, stream=Dripping(halves))
    )
    assert record.read("Patient/a").raw() == PATIENT


@pytest.mark.parametrize("body", [gzip.compress(b"{}" * 500, mtime=0)[:-20], b"not gzip at all"])
def test_that_a_damaged_packed_answer_is_trouble(body: bytes) -> None:
    record, _ = client(
        httpx.Response(200, headers={**JSON, "content-encoding": "gzip"}, stream=Dripping([body]))
    )
    with pytest.raises(RecordTrouble):
        record.read("Patient/a")


def test_that_an_encoding_nobody_asked_for_is_trouble() -> None:
    record, _ = client(
        httpx.Response(200, headers={**JSON, "content-encoding": "br"}, stream=Dripping([b"x"]))
    )
    with pytest.raises(RecordTrouble):
        record.read("Patient/a")


def test_that_a_dripping_answer_does_not_hold_the_line() -> None:
    record, _ = client(
        httpx.Response(200, headers=JSON, stream=Dripping([b"{}"])), timeout=Timeouts(whole=-1.0)
    )
    with pytest.raises(AnswerLost):
        record.read("Patient/a")


@pytest.mark.parametrize(
    "fault", [httpx.ConnectError("no"), httpx.ConnectTimeout("no"), httpx.PoolTimeout("no")]
)
def test_that_a_request_that_never_left_is_told_apart(fault: Exception) -> None:
    record, _ = client(fault)
    with pytest.raises(NotSent):
        record.transaction(b"{}")


@pytest.mark.parametrize(
    "fault",
    [
        httpx.ReadTimeout("no"),
        httpx.ReadError("reset"),
        httpx.RemoteProtocolError("half"),
        httpx.WriteError("no"),
    ],
)
def test_that_a_lost_answer_has_an_unknown_fate(fault: Exception) -> None:
    record, _ = client(fault)
    with pytest.raises(AnswerLost):
        record.transaction(b"{}")


def html(status: int) -> httpx.Response:
    return httpx.Response(status, headers={"content-type": "text/html"}, content=b"<html>Bad Gateway</html>")


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (html(200), RecordTrouble),
        (html(502), AnswerLost),
        (html(404), RecordTrouble),
        (httpx.Response(401, headers=JSON), Refused),
        (httpx.Response(403, headers=JSON), Refused),
        (httpx.Response(429, headers=JSON), Busy),
        (httpx.Response(503, headers={**JSON, "retry-after": "7"}), Busy),
        (httpx.Response(404, headers=JSON), RecordTrouble),
        (httpx.Response(500, headers=JSON), RecordTrouble),
    ],
)
def test_that_what_is_no_success_becomes_the_error_that_fits(
    answer: httpx.Response, error: type[Exception]
) -> None:
    record, _ = client(answer)
    with pytest.raises(error) as met:
        record.search("Task", "")
    if isinstance(met.value, Busy) and answer.status_code == 503:
        assert met.value.retry_after == 7.0


def test_that_retry_after_as_a_date_is_measured_on_the_records_clock() -> None:
    headers = {
        **JSON,
        "date": "Tue, 03 Mar 2026 07:00:00 GMT",
        "retry-after": "Tue, 03 Mar 2026 07:00:30 GMT",
    }
    record, _ = client(httpx.Response(503, headers=headers))
    assert record.read("Patient/a").retry_after == 30.0


@pytest.mark.parametrize("value", ["soon", "Tue, 03 Mar 2026 07:00:30 GMT"])
def test_that_an_unusable_retry_after_is_none(value: str) -> None:
    record, _ = client(httpx.Response(503, headers={**JSON, "retry-after": value}))
    assert record.read("Patient/a").retry_after is None


def test_that_half_a_json_body_is_trouble_and_not_a_crash() -> None:
    record, _ = client(httpx.Response(200, headers=JSON, content=b'{"resourceType": "Pat'), ok([1]), ok())
    for _try in range(2):
        with pytest.raises(RecordTrouble):
            record.read("Patient/a").raw()


def test_that_a_batch_is_packed_only_where_the_record_takes_it() -> None:
    record, wire = client(ok(), ok())
    many = [BatchEntry("GET", f"Task/{n}", {"ifNoneMatch": 'W/"1"'}) for n in range(50)]
    record.batch(many)
    record.packs = True
    record.batch(many)
    plain, packed = (request.content for request in wire.requests)
    assert gzip.decompress(packed) == plain
    assert json.loads(plain)["entry"][0]["request"] == {
        "method": "GET",
        "url": "Task/0",
        "ifNoneMatch": 'W/"1"',
    }
    assert wire.requests[1].headers["content-encoding"] == "gzip"


def test_that_a_batch_goes_plain_from_the_first_refusal_of_a_packed_one_on() -> None:
    record, wire = client(httpx.Response(415, headers=JSON), ok(), ok())
    record.packs = True
    for _try in range(2):
        record.batch([BatchEntry("GET", f"Task/{n}") for n in range(50)])
    assert [r.headers.get("content-encoding") for r in wire.requests] == ["gzip", None, None]
    assert not record.packs


def test_that_writes_carry_their_conditions() -> None:
    record, wire = client(ok(), ok(), ok())
    record.put("Basic/a", b"{}", if_match="3")
    record.put("Basic/a", b"{}", if_none_match="*")
    record.delete("Basic/a")
    assert [r.headers.get("if-match") for r in wire.requests] == ['W/"3"', None, None]
    assert wire.requests[1].headers["if-none-match"] == "*"
    assert wire.requests[2].method == "DELETE"


def test_that_reasons_are_plain_and_worst_first() -> None:
    outcome = {
        "resourceType": "OperationOutcome",
        "issue": [
            {"severity": "warning", "code": "x", "diagnostics": "odd"},
            {
                "severity": "error",
                "code": "y",
                "details": {"text": "status is missing"},
                "expression": ["Task"],
            },
            "nonsense",
            {"severity": "strange"},
        ],
    }
    record, _ = client(httpx.Response(422, headers=JSON, content=json.dumps(outcome).encode()))
    assert record.read("Task/a").reasons() == ("Task: status is missing", "odd")


def test_that_reasons_inside_a_batch_answer_are_found() -> None:
    inner = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "conflict"}]}
    bundle = {"resourceType": "Bundle", "entry": [{"response": {"status": "412", "outcome": inner}}, {}]}
    record, _ = client(ok(bundle), html(500), ok([]), ok({"resourceType": "Patient"}))
    assert record.read("x").reasons() == ("conflict",)
    assert [record.read("x").reasons() for _ in range(3)] == [(), (), ()]


def test_that_nothing_personal_is_logged(caplog: pytest.LogCaptureFixture) -> None:
    record, _ = client(ok(), httpx.ReadError("x"))
    with caplog.at_level(logging.DEBUG):
        record.request("GET", "Patient?name=Kari&identifier=12345678901")
        with pytest.raises(AnswerLost):
            record.read("Patient/secret-id")
    assert "Kari" not in caplog.text and "12345678901" not in caplog.text and "secret-id" not in caplog.text


def test_that_a_record_in_process_answers_without_a_port() -> None:
    def app(environ, start):  # type: ignore[no-untyped-def]  # WSGI
        assert environ["HTTP_ACCEPT_ENCODING"] == "identity"
        start("200 OK", [("Content-Type", "application/fhir+json"), ("X-Change-Sequence", "12")])
        return [b'{"resourceType":"CapabilityStatement"}']

    with in_process(app) as record:
        assert record.capability()["resourceType"] == "CapabilityStatement"
        assert record.wait_for_change("_history", 1.0).sequence == 12


def test_that_expect_lets_304_pass() -> None:
    record, _ = client(httpx.Response(304))
    assert expect(record.read("Patient/a")).status == 304
