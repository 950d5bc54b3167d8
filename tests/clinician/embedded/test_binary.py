"""Binary as raw content: as it was sent, in parts, within bounds (R4 §2.35)."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator

import httpx
import orjson
import pytest

from clinician.embedded.binary import LARGEST
from clinician.embedded.server import RecordApp
from clinician.record.in_process import InProcess

PNG = {"Content-Type": "image/png"}
RAW = {"Accept": "image/png"}
JSON = {"Accept": "application/fhir+json"}
CONTENT = b"\x89PNG" + bytes(range(256)) * 9000


@pytest.fixture
def http() -> Iterator[httpx.Client]:
    app = RecordApp(None)
    with httpx.Client(transport=InProcess(app), base_url="http://record.local") as client:
        yield client
    app.close()


def test_that_content_comes_back_as_it_was_sent(http: httpx.Client) -> None:
    assert http.put("/Binary/a", content=CONTENT, headers=PNG).status_code == 201
    answer = http.get("/Binary/a", headers=RAW)
    assert (answer.status_code, answer.content) == (200, CONTENT)
    assert answer.headers["content-type"] == "image/png"
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["etag"] == 'W/"1"'
    assert http.get("/Binary/a", headers={"Accept": "*/*"}).content == CONTENT
    assert http.head("/Binary/a", headers=RAW).headers["content-length"] == str(len(CONTENT))


def test_that_the_resource_holds_the_same_content_in_base64(http: httpx.Client) -> None:
    http.put("/Binary/a", content=CONTENT, headers=PNG)
    for address, headers in (("/Binary/a", JSON), ("/Binary/a?_format=json", {"Accept": "*/*"})):
        raw = http.get(address, headers=headers).json()
        assert base64.b64decode(raw["data"]) == CONTENT
        assert (raw["resourceType"], raw["contentType"], raw["meta"]["versionId"]) == (
            "Binary",
            "image/png",
            "1",
        )
        assert "_data" not in raw


def test_that_what_came_as_a_resource_goes_out_raw_too(http: httpx.Client) -> None:
    held = {"resourceType": "Binary", "id": "j", "contentType": "image/png"}
    body = orjson.dumps(held | {"data": base64.b64encode(CONTENT[:500]).decode()})
    http.put("/Binary/j", content=body, headers={"Content-Type": "application/fhir+json"})
    assert http.get("/Binary/j", headers=RAW).content == CONTENT[:500]
    answer = http.get("/Binary/j", headers=RAW | {"Range": "bytes=10-19"})
    assert (answer.status_code, answer.content) == (206, CONTENT[10:20])


def test_that_the_same_content_again_makes_no_version_and_other_content_does(http: httpx.Client) -> None:
    for content, status, version in ((CONTENT, 201, "1"), (CONTENT, 200, "1"), (CONTENT[:-1], 200, "2")):
        answer = http.put("/Binary/a", content=content, headers=PNG)
        assert (answer.status_code, answer.headers["etag"]) == (status, f'W/"{version}"')
    assert http.get("/Binary/a", headers=RAW).content == CONTENT[:-1]


def test_that_preconditions_hold(http: httpx.Client) -> None:
    assert http.put("/Binary/a", content=CONTENT, headers=PNG | {"If-Match": 'W/"1"'}).status_code == 412
    http.put("/Binary/a", content=CONTENT, headers=PNG)
    assert http.put("/Binary/a", content=b"x", headers=PNG | {"If-None-Match": "*"}).status_code == 412
    assert http.get("/Binary/a", headers=RAW | {"If-None-Match": 'W/"1"'}).status_code == 304
    assert http.get("/Binary/a", headers=RAW).content == CONTENT


@pytest.mark.parametrize(
    ("asked", "first", "end"),
    [("bytes=0-0", 0, 1), ("bytes=786431-786433", 786431, 786434), ("bytes=2000000-", 2_000_000, None)],
)
def test_that_a_part_may_be_asked_for(http: httpx.Client, asked: str, first: int, end: int | None) -> None:
    http.put("/Binary/a", content=CONTENT, headers=PNG)
    answer = http.get("/Binary/a", headers=RAW | {"Range": asked})
    wanted = CONTENT[first:end]
    assert (answer.status_code, answer.content) == (206, wanted)
    last = first + len(wanted) - 1
    assert answer.headers["content-range"] == f"bytes {first}-{last}/{len(CONTENT)}"


@pytest.mark.parametrize("asked", ["bytes=9999999-", "bytes=5-2"])
def test_that_a_part_that_is_not_there_is_refused(http: httpx.Client, asked: str) -> None:
    http.put("/Binary/a", content=CONTENT, headers=PNG)
    answer = http.get("/Binary/a", headers=RAW | {"Range": asked})
    assert answer.status_code == 416
    assert answer.headers["content-range"] == f"bytes */{len(CONTENT)}"


def test_that_an_odd_range_is_passed_over(http: httpx.Client) -> None:
    http.put("/Binary/a", content=CONTENT, headers=PNG)
    assert http.get("/Binary/a", headers=RAW | {"Range": "lines=1-2"}).content == CONTENT


@pytest.mark.parametrize(
    ("headers", "content", "status"),
    [
        ({"Content-Type": "image/png", "Content-Length": str(LARGEST + 1)}, b"x", 413),
        ({"Content-Type": "image/png", "Content-Length": "100"}, b"too short", 400),
        ({"Content-Type": "image/png", "Content-Encoding": "gzip"}, b"x", 415),
        ({"Content-Type": "image\x0b/png; ="}, b"x", 415),
    ],
)
def test_that_what_cannot_be_taken_is_refused_and_nothing_is_kept(
    http: httpx.Client, headers: dict[str, str], content: bytes, status: int
) -> None:
    answer = http.put("/Binary/a", content=content, headers=headers)
    assert answer.status_code == status
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert http.get("/Binary/a", headers=RAW).status_code == 404


def test_that_more_than_was_told_is_refused_while_it_comes() -> None:
    """No length told: the record stops taking at its bound."""
    app = RecordApp(None)

    def endless() -> Iterator[bytes]:
        for _ in range(LARGEST // 2**20 + 1):
            yield bytes(2**20)

    with httpx.Client(transport=InProcess(app), base_url="http://record.local") as client:
        headers = PNG | {"Content-Length": str(LARGEST + 2**20)}
        assert client.put("/Binary/a", content=endless(), headers=headers).status_code == 413
    app.close()


def test_that_a_deleted_one_is_gone_and_may_be_sent_anew(http: httpx.Client) -> None:
    http.put("/Binary/a", content=CONTENT, headers=PNG)
    http.delete("/Binary/a")
    assert http.get("/Binary/a", headers=RAW).status_code == 410
    assert http.put("/Binary/a", content=CONTENT, headers=PNG).status_code == 201
    assert (
        hashlib.sha256(http.get("/Binary/a", headers=RAW).content).digest()
        == hashlib.sha256(CONTENT).digest()
    )


def test_that_an_id_that_is_none_is_refused(http: httpx.Client) -> None:
    assert http.put(f"/Binary/{'x' * 65}", content=b"x", headers=PNG).status_code == 400
