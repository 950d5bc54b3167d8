"""Attachments on their way down: resumed, proved, never more than there is room for."""

from __future__ import annotations

import base64
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import orjson
import pytest

from clinician.cache.attachments import FileState
from clinician.clock import oslo
from clinician.errors import DiskFull
from clinician.fhir.documents import EXT_SHA256
from clinician.record.transfer import put_binary
from clinician.sync.attachment_down import fetch, wanted_of, wanted_today
from clinician.sync.attachments import FileLimits
from tests.clinician.sync.files import (
    LARGE,
    Clinic,
    ask,
    attach,
    binary_of,
    content,
    files,
    new_ref,
    picture,
    row,
    stage,
    state,
)
from tests.clinician.sync.test_attachments import again, on_binary
from tests.clinician.sync.world import START, new_id, outside

Inner = Callable[[], httpx.Response]


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    made = Clinic(tmp_path)
    yield made
    made.world.close()


def document(clinic: Clinic, binary_ref: str, held: bytes, **told: Any) -> dict[str, Any]:
    """A document somebody else made; `told` replaces what its attachment says."""
    import hashlib

    says = {
        "url": binary_ref,
        "contentType": "image/png",
        "size": len(held),
        "hash": base64.b64encode(hashlib.sha1(held).digest()).decode(),
        "title": "Sår",
    } | told
    return {
        "resourceType": "DocumentReference",
        "id": new_id(),
        "status": "current",
        "subject": {"reference": clinic.patient},
        "date": "2026-03-03T05:00:00Z",
        "content": [{"attachment": {key: value for key, value in says.items() if value is not None}}],
    }


def lay(clinic: Clinic, held: bytes, at: str = "", **told: Any) -> tuple[str, str]:
    """(document, Binary) at the record, as another program puts them there."""
    ref = at or new_ref()
    put_binary(clinic.world.direct, ref, iter((held,)), content_type="image/png", size=len(held))
    raw = document(clinic, ref, held, **told)
    clinic.world.load([raw])
    return f"DocumentReference/{raw['id']}", ref


def test_that_two_workstations_see_the_same_document(clinic: Clinic) -> None:
    one, other = clinic.station("a"), clinic.station("b")
    done = attach(one, clinic.patient, picture(LARGE))
    one.step()
    again(other)
    ref = binary_of(other, done)
    again(other)
    assert state(other, ref) is FileState.HERE
    assert content(other, ref) == picture(LARGE)
    assert {file.name for file in files(one)}.isdisjoint(file.name for file in files(other))


def test_that_small_content_is_kept_in_its_row(clinic: Clinic) -> None:
    _document, ref = lay(clinic, picture(500))
    station = clinic.station()
    again(station)
    assert (state(station, ref), files(station)) == (FileState.HERE, [])
    assert content(station, ref) == picture(500)


def test_that_only_documents_of_todays_people_come_by_themselves(clinic: Clinic) -> None:
    station = clinic.station()
    today = oslo(START).date()
    _document, ref = lay(clinic, picture(500))
    again(station)
    with station.cache.reading() as reading:
        assert [wanted.ref for wanted in wanted_today(reading, today)] == [ref]
        assert list(wanted_today(reading, today.replace(year=2027))) == []
    for raw in station.all("Appointment"):
        station.act({**raw, "status": "cancelled"})
    with station.cache.reading() as reading:
        assert list(wanted_today(reading, today)) == []


def test_that_what_was_withdrawn_lies_inside_or_elsewhere_is_not_fetched(clinic: Clinic) -> None:
    station = clinic.station()
    held = picture(300)
    raws = [
        document(clinic, new_ref(), held) | {"status": "entered-in-error"},
        document(clinic, new_ref(), held, url=None, data=base64.b64encode(held).decode()),
        document(clinic, new_ref(), held, url="https://elsewhere.example/x.png"),
    ]
    clinic.world.load(raws)
    again(station)
    for raw in raws:
        with station.cache.reading() as reading:
            found = reading.get(f"DocumentReference/{raw['id']}")
        assert found is not None
        assert wanted_of(found) is None


def test_that_nothing_is_fetched_ahead_beyond_the_budget(clinic: Clinic) -> None:
    station = clinic.station()
    station.engine.attachments.limits = FileLimits(budget=2 * LARGE + 5)
    for _ in range(3):
        lay(clinic, picture(LARGE))
    again(station)
    again(station)
    rows = station.write(lambda writing: writing.attachments.in_state(*FileState))
    assert [one.state for one in rows] == [FileState.HERE] * 2


def cut_after(count: int) -> Callable[[httpx.Request, Inner], httpx.Response]:
    """Let `count` bytes through, then the wire is gone."""

    def fault(request: httpx.Request, inner: Inner) -> httpx.Response:
        answer = inner()

        class Cut(httpx.SyncByteStream):
            def __iter__(self) -> Iterator[bytes]:
                gone = 0
                for piece in answer.stream:  # type: ignore[union-attr]
                    left = count - gone
                    if left <= 0:
                        raise httpx.ReadError("cut")
                    yield piece[:left]
                    gone += len(piece)
                raise httpx.ReadError("cut")

        return httpx.Response(answer.status_code, headers=answer.headers, stream=Cut())

    return fault


@pytest.mark.parametrize("restarted", [False, True])
def test_that_an_interrupted_download_goes_on_where_it_was(clinic: Clinic, restarted: bool) -> None:
    station = clinic.station()
    _document, ref = lay(clinic, picture(LARGE))
    on_binary(station, cut_after(2_500_000), "GET")
    again(station)
    again(station)
    assert state(station, ref) is FileState.WANTED
    ranges: list[str] = []

    def note(request: httpx.Request, inner: Inner) -> httpx.Response:
        ranges.append(request.headers.get("range", ""))
        return inner()

    if restarted:
        station.restart()
    on_binary(station, note, "GET")
    again(station)
    assert ranges == [f"bytes={2 * 1024 * 1024}-"]
    assert content(station, ref) == picture(LARGE)
    assert [file.name[:5] for file in files(station)] != ["part-"]


def test_that_stopping_breaks_off_a_download_and_the_next_start_goes_on(clinic: Clinic) -> None:
    station = clinic.station()
    _document, ref = lay(clinic, picture(LARGE))
    again(station)

    def stop(request: httpx.Request, inner: Inner) -> httpx.Response:
        station.engine.line.stopped.set()
        return inner()

    on_binary(station, stop, "GET")
    station.engine.attachments.turn()
    assert state(station, ref) is FileState.WANTED
    station.wire.fault = None
    station.restart()
    again(station)
    assert content(station, ref) == picture(LARGE)


@pytest.mark.parametrize("how", ["ignores", "refuses", "lies"])
def test_that_a_record_without_ranges_is_asked_anew(clinic: Clinic, how: str) -> None:
    station = clinic.station()
    _document, ref = lay(clinic, picture(LARGE))
    on_binary(station, cut_after(2_500_000), "GET")
    again(station)
    again(station)

    def odd(request: httpx.Request, inner: Inner) -> httpx.Response:
        if "range" not in request.headers:
            return inner()
        if how == "refuses":
            return outside(416)
        if how == "lies":
            return outside(206, b"x", **{"content-range": "bytes 0-0/9", "content-type": "image/png"})
        del request.headers["range"]
        return station.wire.inner.handle_request(request)

    on_binary(station, odd, "GET")
    again(station)
    if how == "lies":
        assert state(station, ref) is FileState.WANTED
        station.wire.fault = None
    again(station)
    assert content(station, ref) == picture(LARGE)


@pytest.mark.parametrize(
    "told",
    [
        {"hash": base64.b64encode(bytes(20)).decode()},
        {"size": 12},
        {"extension": [{"url": EXT_SHA256, "valueString": "0" * 64}]},
    ],
)
@pytest.mark.parametrize("size", [500, LARGE])
def test_that_a_lie_is_said_and_never_kept(clinic: Clinic, told: dict[str, Any], size: int) -> None:
    _document, ref = lay(clinic, picture(size), **told)
    station = clinic.station()
    again(station)
    assert state(station, ref) is FileState.WRONG
    assert files(station) == []
    held, _key = station.write(lambda writing: writing.attachments.content(ref))
    assert held is None


def test_that_a_document_that_says_nothing_of_its_content_is_still_fetched(clinic: Clinic) -> None:
    _document, ref = lay(clinic, picture(LARGE), hash=None, size=None)
    station = clinic.station()
    again(station)
    assert state(station, ref) is FileState.HERE


def test_that_one_that_came_in_two_goes_and_does_not_match_is_fetched_whole_first(clinic: Clinic) -> None:
    """The content was replaced between the two halves; the whole of the new one is what the document says."""
    station = clinic.station()
    new, old = picture(LARGE, seed=2), picture(LARGE, seed=1)
    ref = new_ref()
    put_binary(clinic.world.direct, ref, iter((old,)), content_type="image/png", size=len(old))
    clinic.world.load([document(clinic, ref, new)])
    on_binary(station, cut_after(2_500_000), "GET")
    again(station)
    again(station)
    put_binary(clinic.world.direct, ref, iter((new,)), content_type="image/png", size=len(new))
    station.wire.fault = None
    again(station)
    assert state(station, ref) is FileState.WANTED
    again(station)
    assert content(station, ref) == new


@pytest.mark.parametrize("status", [404, 410, 403])
def test_that_what_the_record_does_not_hand_out_is_said_and_may_be_asked_for_again(
    clinic: Clinic, status: int
) -> None:
    station = clinic.station()
    document_ref, ref = lay(clinic, picture(500))
    body = b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","diagnostics":"borte"}]}'
    on_binary(station, lambda r, i: outside(status, body, **{"content-type": "application/fhir+json"}), "GET")
    again(station)
    again(station)
    held = row(station, ref)
    assert held is not None
    assert (held.state, held.last_status, held.last_issue) == (FileState.ABSENT, status, "borte")
    station.wire.fault = None
    ask(station, document_ref)
    again(station)
    assert state(station, ref) is FileState.HERE


def test_that_content_that_comes_as_json_is_understood(clinic: Clinic) -> None:
    station = clinic.station()
    _document, ref = lay(clinic, picture(LARGE))
    raw = {"resourceType": "Binary", "contentType": "image/png"}
    body = orjson.dumps(raw | {"data": base64.b64encode(picture(LARGE)).decode()})
    on_binary(station, lambda r, i: outside(200, body, **{"content-type": "application/fhir+json"}), "GET")
    again(station)
    again(station)
    assert content(station, ref) == picture(LARGE)


@pytest.mark.parametrize(
    "headers",
    [{"content-type": "application/fhir+json"}, {"content-type": "image/png", "content-encoding": "br"}],
)
def test_that_an_answer_that_cannot_be_read_is_asked_for_again(
    clinic: Clinic, headers: dict[str, str]
) -> None:
    station = clinic.station()
    _document, ref = lay(clinic, picture(500))
    on_binary(station, lambda r, i: outside(200, b"[1,2", **headers), "GET")
    again(station)
    again(station)
    assert state(station, ref) is FileState.WANTED


def test_that_too_large_a_document_is_not_fetched(clinic: Clinic) -> None:
    station = clinic.station()
    document_ref, ref = lay(clinic, picture(LARGE), size=None, hash=None)
    station.engine.attachments.limits = FileLimits(budget=-1)
    again(station)
    ask(station, document_ref)
    held = row(station, ref)
    assert held is not None
    fetch(station.engine.line, held, largest=2 * 1024 * 1024)
    assert state(station, ref) is FileState.ABSENT
    assert files(station) == []


@contextmanager
def small_disk(size: int) -> Iterator[None]:
    """No file may grow beyond `size` bytes: a write then fails as on a full disk (EFBIG)."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_that_a_full_disk_waits_and_goes_on_when_there_is_room(clinic: Clinic) -> None:
    station = clinic.station()
    document_ref, ref = lay(clinic, picture(2 * LARGE))
    station.engine.attachments.limits = FileLimits(budget=-1)
    again(station)
    ask(station, document_ref)
    station.engine.attachments.limits = FileLimits()
    with small_disk(5_000_000):
        station.engine.attachments.turn()
    assert state(station, ref) is FileState.WANTED
    assert station.engine.attachments.next_try() is not None
    again(station)
    assert content(station, ref) == picture(2 * LARGE)


def test_that_a_full_disk_while_adding_leaves_nothing_and_says_so(clinic: Clinic) -> None:
    station = clinic.station()
    with small_disk(5_000_000), pytest.raises(DiskFull) as met:
        stage(station, picture(2 * LARGE))
    assert "full" in met.value.text.msgid
    assert files(station) == []


def test_that_opening_what_is_here_keeps_it_longest(clinic: Clinic) -> None:
    station = clinic.station()
    refs = []
    for seed in range(3):
        document_ref, ref = lay(clinic, picture(LARGE, seed))
        refs.append((document_ref, ref))
        again(station)
        again(station)
    ask(station, refs[0][0])
    station.engine.attachments.limits = FileLimits(budget=2 * LARGE)
    station.engine.attachments.heard(["Attachment"])
    station.engine.attachments.turn()
    assert [state(station, ref) for _, ref in refs] == [FileState.HERE, None, FileState.HERE]
    assert len(files(station)) == 2
