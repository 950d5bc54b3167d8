"""Attachments on their way up: before their act, beside everybody else's, once."""

from __future__ import annotations

import shutil
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from clinician.cache.acts import ActState
from clinician.cache.attachments import FileState
from clinician.cache.synced import Evidence, Why
from clinician.sync.attachments import FileLimits
from tests.clinician.sync.files import (
    LARGE,
    Clinic,
    attach,
    binary_of,
    content,
    document_of,
    files,
    picture,
    row,
    stage,
    state,
)
from tests.clinician.sync.world import Station, outside

Inner = Callable[[], httpx.Response]


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Clinic]:
    made = Clinic(tmp_path)
    yield made
    made.world.close()


def on_binary(
    station: Station, answer: Callable[[httpx.Request, Inner], httpx.Response], method: str = "PUT"
) -> list[str]:
    """Let `answer` stand between the station and Binary; the calls it got."""
    calls: list[str] = []

    def fault(request: httpx.Request, inner: Inner) -> httpx.Response:
        if "/Binary/" in request.url.path and request.method == method:
            calls.append(request.method)
            return answer(request, inner)
        return inner()

    station.wire.fault = fault
    return calls


def again(station: Station) -> None:
    station.world.tick(400)
    station.step()


@pytest.mark.parametrize("size", [900, 64 * 1024, 64 * 1024 + 1, LARGE])
def test_that_a_document_reaches_the_record_with_its_content_first(clinic: Clinic, size: int) -> None:
    station = clinic.station()
    done = attach(station, clinic.patient, picture(size))
    ref = binary_of(station, done)
    station.wire.log.clear()
    station.step()
    assert clinic.stored(ref) == picture(size)
    assert station.state(done.op_ids[0]) == "applied"
    assert state(station, ref) is FileState.SENT
    writes = [(method, path) for method, path in station.wire.log if method in ("PUT", "POST")]
    at_binary = next(i for i, (_, path) in enumerate(writes) if "/Binary/" in path)
    assert at_binary < next(i for i, (method, path) in enumerate(writes) if method == "POST" and path == "/")
    assert bool(files(station)) == (size > 64 * 1024)


def test_that_the_document_says_what_its_content_must_hash_to(clinic: Clinic) -> None:
    """R4 Attachment.hash is SHA-1 in base64; SHA-256 stands beside it."""
    import base64
    import hashlib

    station = clinic.station()
    done = attach(station, clinic.patient, picture())
    station.step()
    told = (clinic.world.there(document_of(done)) or {})["content"][0]["attachment"]
    assert told["hash"] == base64.b64encode(hashlib.sha1(picture()).digest()).decode()
    assert told["extension"][0]["valueString"] == hashlib.sha256(picture()).hexdigest()
    assert (told["size"], told["contentType"], told["title"]) == (2000, "image/png", "Sår venstre legg")


def test_that_an_attachment_that_fails_holds_its_own_act_only(clinic: Clinic) -> None:
    station = clinic.station()
    on_binary(station, lambda request, inner: outside(500, b"<html>", **{"content-type": "text/html"}))
    done = attach(station, clinic.patient, picture(LARGE))
    note = station.act(
        {
            "resourceType": "Communication",
            "id": "00000000-0000-4000-8000-0000000000c1",
            "status": "completed",
            "subject": {"reference": clinic.patient},
        }
    )
    station.step()
    assert station.state(note) == "applied"
    assert station.state(done.op_ids[0]) == "queued"
    assert state(station, binary_of(station, done)) is FileState.WAITING
    station.wire.fault = None
    again(station)
    assert station.state(done.op_ids[0]) == "applied"
    assert clinic.world.history(binary_of(station, done)) == 1


def test_that_one_bad_attachment_does_not_hold_another(clinic: Clinic) -> None:
    station = clinic.station()
    bad = attach(station, clinic.patient, picture(LARGE, seed=2))
    bad_ref = binary_of(station, bad)
    station.world.tick()
    good = attach(station, clinic.patient, picture(LARGE, seed=3))
    on_binary(
        station,
        lambda request, inner: outside(500) if bad_ref in request.url.path else inner(),
    )
    station.step()
    assert state(station, bad_ref) is FileState.WAITING
    assert station.state(good.op_ids[0]) == "applied"


@pytest.mark.parametrize(
    ("status", "body"),
    [
        (413, b"<html>413</html>"),
        (422, b'{"resourceType":"OperationOutcome","issue":[{"severity":"error","diagnostics":"nei"}]}'),
        (415, b'{"resourceType":"OperationOutcome","issue":[]}'),
    ],
)
def test_that_a_refused_attachment_is_said_kept_and_may_be_sent_again(
    clinic: Clinic, status: int, body: bytes
) -> None:
    station = clinic.station()
    kind = "application/fhir+json" if body.startswith(b"{") else "text/html"
    on_binary(station, lambda request, inner: outside(status, body, **{"content-type": kind}))
    done = attach(station, clinic.patient, picture(LARGE))
    ref = binary_of(station, done)
    again(station)
    refused = row(station, ref)
    assert refused is not None
    assert (refused.state, refused.last_status) == (FileState.REFUSED, status)
    assert refused.last_issue
    assert content(station, ref) == picture(LARGE)
    again(station)
    told = station.engine.status()
    assert (told.waiting, told.refused, told.all_sent) == (0, 1, False)
    station.wire.fault = None
    assert station.write(lambda writing: writing.attachments.retry(done.op_ids[0]))
    again(station)
    assert station.state(done.op_ids[0]) == "applied"
    assert not station.write(lambda writing: writing.attachments.retry(done.op_ids[0]))


def test_that_a_refused_attachment_goes_with_its_withdrawn_act(clinic: Clinic) -> None:
    station = clinic.station()
    on_binary(station, lambda request, inner: outside(413))
    done = attach(station, clinic.patient, picture(LARGE))
    ref = binary_of(station, done)
    station.step()
    move = (done.op_ids[0], ActState.QUEUED, ActState.WITHDRAWN)
    station.write(lambda writing: writing.outbox.transition(*move))
    station.step()
    assert row(station, ref) is None
    assert files(station) == []


def test_that_a_lost_answer_makes_no_second_version(clinic: Clinic) -> None:
    station = clinic.station()

    def lose(request: httpx.Request, inner: Inner) -> httpx.Response:
        inner()
        raise httpx.ReadError("cut")

    calls = on_binary(station, lose)
    done = attach(station, clinic.patient, picture(LARGE))
    ref = binary_of(station, done)
    station.step()
    assert state(station, ref) is FileState.WAITING
    station.wire.fault = None
    again(station)
    assert (len(calls), clinic.world.history(ref)) == (1, 1)
    assert station.state(done.op_ids[0]) == "applied"


def test_that_a_kill_in_the_middle_of_uploading_is_made_good(clinic: Clinic) -> None:
    """The wire is cut while the bytes go; the program ends and comes back; the record has it once."""
    station = clinic.station()

    def cut(request: httpx.Request, inner: Inner) -> httpx.Response:
        raise httpx.WriteError("killed")

    on_binary(station, cut)
    done = attach(station, clinic.patient, picture(LARGE))
    ref = binary_of(station, done)
    station.step()
    station.restart()
    station.wire.fault = None
    again(station)
    assert clinic.stored(ref) == picture(LARGE)
    assert clinic.world.history(ref) == 1
    assert station.state(done.op_ids[0]) == "applied"


@pytest.mark.parametrize("same", [True, False])
def test_that_412_is_believed_only_when_the_record_holds_these_bytes(clinic: Clinic, same: bool) -> None:
    station = clinic.station()
    done = attach(station, clinic.patient, picture(LARGE))
    ref = binary_of(station, done)
    from clinician.record.transfer import put_binary

    other = picture(LARGE) if same else picture(LARGE, seed=9)
    put_binary(clinic.world.direct, ref, iter((other,)), content_type="image/png", size=len(other))
    station.step()
    assert state(station, ref) is (FileState.SENT if same else FileState.REFUSED)
    assert clinic.world.history(ref) == 1
    assert station.state(done.op_ids[0]) == ("applied" if same else "queued")


def test_that_412_without_anything_there_is_tried_again(clinic: Clinic) -> None:
    station = clinic.station()
    on_binary(station, lambda request, inner: outside(412))
    done = attach(station, clinic.patient, picture(LARGE))
    station.step()
    assert state(station, binary_of(station, done)) is FileState.WAITING


def test_that_a_check_that_gets_no_answer_sends_nothing(clinic: Clinic) -> None:
    station = clinic.station()
    on_binary(station, lambda request, inner: outside(500))
    done = attach(station, clinic.patient, picture(LARGE))
    station.step()
    calls = on_binary(station, lambda request, inner: inner())
    gets = on_binary(station, lambda request, inner: outside(503, **{"retry-after": "30"}), method="GET")
    again(station)
    assert (calls, len(gets)) == ([], 1)
    assert state(station, binary_of(station, done)) is FileState.WAITING


def test_that_a_damaged_file_is_said_and_never_sent(clinic: Clinic) -> None:
    station = clinic.station()
    done = attach(station, clinic.patient, picture(LARGE))
    (file,) = files(station)
    held = bytearray(file.read_bytes())
    held[-1] ^= 1
    file.write_bytes(bytes(held))
    station.step()
    ref = binary_of(station, done)
    assert state(station, ref) is FileState.REFUSED
    assert clinic.stored(ref) is None
    assert station.state(done.op_ids[0]) == "queued"


def test_that_a_lost_file_is_said(clinic: Clinic) -> None:
    station = clinic.station()
    done = attach(station, clinic.patient, picture(LARGE))
    shutil.rmtree(station.cache.files.folder)
    station.step()
    assert state(station, binary_of(station, done)) is FileState.REFUSED


def test_that_a_record_that_is_away_ends_the_turn_and_a_pause_stands(clinic: Clinic) -> None:
    station = clinic.station()
    for seed in (1, 2):
        attach(station, clinic.patient, picture(LARGE, seed))
        station.world.tick()

    def away(request: httpx.Request, inner: Inner) -> httpx.Response:
        raise httpx.ConnectError("unplugged")

    calls = on_binary(station, away)
    station.step()
    assert len(calls) == 1
    assert station.engine.attachments.next_try() is not None
    station.step()
    assert len(calls) == 1
    station.engine.attachments.hurry()
    station.engine.attachments.turn()
    assert len(calls) == 2
    again(station)
    station.wire.fault = None
    again(station)
    assert station.engine.attachments.next_try() is None
    assert all(state is FileState.SENT for state in states(station))


def states(station: Station) -> list[FileState]:
    rows = station.write(lambda writing: writing.attachments.in_state(*FileState))
    return [one.state for one in rows]


def test_that_nothing_is_sent_to_a_record_that_was_restored(clinic: Clinic) -> None:
    from clinician.sync import restored

    station = clinic.station()
    attach(station, clinic.patient, picture(LARGE))
    restored.begin(station.engine.line, lambda writing: None)
    station.engine.attachments.turn()
    assert states(station) == [FileState.WAITING]


def test_that_stopping_ends_an_upload_at_its_next_piece(clinic: Clinic) -> None:
    station = clinic.station()
    done = attach(station, clinic.patient, picture(LARGE))
    from clinician.sync.attachment_up import content_of, counted
    from clinician.sync.line import Stopped

    held = row(station, binary_of(station, done))
    assert held is not None
    going = counted(station.engine.line, content_of(station.engine.line, held), lambda done: None)
    next(going)
    station.engine.line.stopped.set()
    with pytest.raises(Stopped):
        next(going)
    station.engine.attachments.turn()
    assert states(station) == [FileState.WAITING]
    station.engine.line.stopped.clear()


def test_that_progress_is_told_while_it_goes(clinic: Clinic) -> None:
    station = clinic.station()
    done = attach(station, clinic.patient, picture(2 * LARGE))
    seen: list[int] = []

    def look(request: httpx.Request, inner: Inner) -> httpx.Response:
        ref = binary_of(station, done)
        held = station.cache.writer.run(lambda writing: writing.attachments.get(ref))  # behind the notes
        assert held is not None
        seen.append(held.done)
        return inner()

    on_binary(station, look)
    station.step()
    assert seen[0] >= 2 * 1024 * 1024


def test_that_a_purge_takes_the_files_and_leaves_what_is_pending(clinic: Clinic) -> None:
    station = clinic.station()
    ref = binary_of(station, attach(station, clinic.patient, picture(LARGE)))
    station.step()
    evidence = Evidence(Why.PURGED, station.world.clock.now())
    attach(station, clinic.patient, picture(LARGE, seed=4))
    assert station.write(lambda writing: writing.purge_patient(clinic.patient, evidence)) == -1
    assert len(files(station)) == 2
    station.step()
    assert station.write(lambda writing: writing.purge_patient(clinic.patient, evidence)) > 0
    station.engine.attachments.turn()
    assert files(station) == []
    assert row(station, ref) is None


def test_that_files_nobody_names_are_swept_and_those_being_made_are_not(clinic: Clinic) -> None:
    station = clinic.station()
    taken = stage(station, picture(LARGE))
    stray = station.cache.files.folder / "new-stray"
    stray.write_bytes(b"left by a kill")
    station.engine.attachments.heard(["Attachment"])
    station.engine.attachments.turn()
    assert [file.name for file in files(station)] == [taken.name]
    station.cache.files.release(taken.name)
    station.engine.attachments.heard(["Attachment", "Task"])
    station.engine.attachments.turn()
    assert files(station) == []


def test_that_with_threads_an_attachment_goes_by_itself(clinic: Clinic) -> None:
    """Nobody steps the engine: the person's act wakes the attachments, and they wake the act."""
    import threading

    station = clinic.station()
    applied = threading.Event()

    def heard(event: object) -> None:
        if state_of_act(station, done.op_ids) == "applied":
            applied.set()

    station.engine.start()
    done = attach(station, clinic.patient, picture(LARGE))
    from clinician.events import CacheChanged

    station.events.subscribe(
        CacheChanged, lambda event: threading.Thread(target=heard, args=(event,)).start()
    )
    heard(None)
    assert applied.wait(90)
    station.engine.stop()
    assert clinic.stored(binary_of(station, done)) == picture(LARGE)


def state_of_act(station: Station, op_ids: tuple[str, ...]) -> str:
    return station.state(op_ids[0])


def test_that_limits_are_those_of_the_settings() -> None:
    assert FileLimits().largest == 50 * 1024 * 1024
    assert FileLimits().budget == 1024 * 1024 * 1024
