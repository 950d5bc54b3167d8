"""The order of change: versions, stamps, history, snapshots, waiting, epoch."""

from __future__ import annotations

import contextlib
import threading
import time
import uuid
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinician.clock import FrozenClock
from clinician.embedded import body as bodies
from clinician.embedded.serve import Server, serve
from clinician.embedded.server import RecordApp
from clinician.embedded.store import Store
from clinician.errors import CacheDamaged

IDS = [str(uuid.UUID(int=at)) for at in range(4)]


def write(store: Store, id_: str, gender: str) -> None:
    raw = {"resourceType": "Patient", "id": id_, "gender": gender}
    with store.writing() as writing:
        writing.put("Patient", id_, bodies.tail_of_raw(raw), raw)


Step = tuple[str, int, Any]
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("put"), st.integers(0, 3), st.sampled_from(("male", "female"))),
        st.tuples(st.just("delete"), st.integers(0, 3), st.none()),
        st.tuples(st.just("clock"), st.integers(-5, 5), st.none()),
        st.tuples(st.just("fail"), st.integers(0, 3), st.sampled_from(("male", "female"))),
    ),
    max_size=25,
)


@settings(max_examples=40, deadline=None)
@given(STEPS)
def test_that_history_only_grows_and_stamps_never_fall_whatever_the_clock_does(steps: list[Step]) -> None:
    from datetime import UTC, datetime

    clock = FrozenClock(datetime(2026, 3, 2, 7, 0, tzinfo=UTC))
    app = RecordApp(None, clock=clock)
    model: dict[str, list[str | None]] = {id_: [] for id_ in IDS}
    try:
        with httpx.Client(transport=httpx.WSGITransport(app), base_url="http://record.test/") as http:
            for kind, at, value in steps:
                _apply(app, clock, model, kind, at, value)
            _compare(http, model)
            _same_after_reindex(app)
    finally:
        app.close()


class Stop(Exception):
    pass


def _apply(
    app: RecordApp, clock: FrozenClock, model: dict[str, list[str | None]], kind: str, at: int, value: Any
) -> None:
    if kind == "clock":
        clock.at += timedelta(milliseconds=at)
        return
    id_ = IDS[at]
    held = model[id_]
    if kind == "put":
        write(app.store, id_, value)
        if not held or held[-1] != value:
            held.append(value)
    elif kind == "delete":
        with app.store.writing() as writing:
            writing.delete("Patient", id_)
        if held and held[-1] is not None:
            held.append(None)
    else:
        with pytest.raises(Stop), app.store.writing() as writing:
            raw = {"resourceType": "Patient", "id": id_, "gender": value}
            writing.put("Patient", id_, bodies.tail_of_raw(raw), raw)
            raise Stop


def _compare(http: httpx.Client, model: dict[str, list[str | None]]) -> None:
    for id_, held in model.items():
        answer = http.get(f"Patient/{id_}/_history")
        if not held:
            assert answer.status_code == 404
            continue
        entries = answer.json()["entry"]
        shown = [entry.get("resource", {}).get("gender") for entry in entries]
        assert shown == held[::-1]
        versions = [entry["response"]["etag"] for entry in entries]
        assert versions == [f'W/"{n}"' for n in range(len(held), 0, -1)]
        assert http.get(f"Patient/{id_}").status_code == (200 if held[-1] else 410)
    stamps = [e["response"]["lastModified"] for e in http.get("_history?_count=1000").json().get("entry", [])]
    assert stamps == sorted(stamps, reverse=True)
    assert len(stamps) == sum(map(len, model.values()))
    for gender in ("male", "female"):
        expected = sorted(id_ for id_, held in model.items() if held and held[-1] == gender)
        found = http.get(f"Patient?gender={gender}").json().get("entry", [])
        assert sorted(entry["resource"]["id"] for entry in found) == expected


def _index(app: RecordApp) -> dict[str, list[Any]]:
    tables = ("ref", "token", "word", "moment", "quantity", "chart")
    with app.store.reading() as connection:
        return {t: sorted(connection.execute(f"SELECT * FROM {t}").fetchall()) for t in tables}


def _same_after_reindex(app: RecordApp) -> None:
    kept = _index(app)
    app.store.reindex()
    assert _index(app) == kept


def test_that_a_snapshot_sees_nothing_written_after_it(app: RecordApp) -> None:
    with app.store.reading() as connection:
        before = connection.execute("SELECT count(*) FROM resource").fetchone()
        write(app.store, IDS[0], "male")
        assert connection.execute("SELECT count(*) FROM resource").fetchone() == before


def test_that_the_time_of_a_page_never_passes_a_write_under_way(app: RecordApp, clock: FrozenClock) -> None:
    begun = int(clock.now().timestamp() * 1000)
    with app.store.writing():
        clock.advance(timedelta(seconds=30))
        assert app.store.as_of() == begun
    assert app.store.as_of() == begun + 30_000


def test_that_a_wait_ends_with_the_write_it_waits_for(app: RecordApp) -> None:
    write(app.store, IDS[0], "male")
    seen: list[bool] = []
    seq = app.store.seq
    waiter = threading.Thread(target=lambda: seen.append(app.store.wait_beyond(seq, 90)))
    waiter.start()
    write(app.store, IDS[1], "male")
    waiter.join(60)
    assert seen == [True]


def test_that_more_waiters_than_there_is_room_for_are_sent_away_at_once(
    app: RecordApp, http: httpx.Client
) -> None:
    write(app.store, IDS[0], "male")
    app.store.max_waiters = 0
    started = time.monotonic()
    answer = http.get(f"_history?_after={app.store.seq}&_wait=20")
    assert time.monotonic() - started < 20
    assert answer.status_code == 429
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["resourceType"] == "OperationOutcome"
    assert http.get("_history?_after=0&_wait=20").status_code == 200


def test_that_a_history_waits_for_what_is_newer_and_then_shows_it(app: RecordApp) -> None:
    server = serve(app, "127.0.0.1", 0)
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{server.port}", timeout=90) as http:
            seq = http.get("metadata").headers["X-Change-Sequence"]
            writer = threading.Timer(0.05, write, (app.store, IDS[0], "male"))
            writer.start()
            entries = http.get(f"_history?_after={seq}&_wait=20").json()["entry"]
            writer.join()
        assert [entry["resource"]["id"] for entry in entries] == [IDS[0]]
    finally:
        server.stop()


def test_that_stopping_a_server_lets_those_who_wait_go(app: RecordApp) -> None:
    server = serve(app, "127.0.0.1", 0)
    ended = threading.Event()

    def wait() -> None:
        address = f"http://127.0.0.1:{server.port}/_history?_after={app.store.seq}&_wait=50"
        with contextlib.suppress(httpx.TransportError):
            httpx.get(address, timeout=60)
        ended.set()

    thread = threading.Thread(target=wait)
    thread.start()
    until = time.monotonic() + 60
    while not app.store.waiting and time.monotonic() < until:
        time.sleep(0.01)
    server.stop()
    assert ended.wait(40), "sooner than it had asked to wait"
    thread.join(60)


def _wait_for_news(port: int, seq: int, statuses: list[int]) -> None:
    with contextlib.suppress(httpx.TransportError):
        statuses.append(httpx.get(f"http://127.0.0.1:{port}/_history?_after={seq}&_wait=50").status_code)


def test_that_a_server_stopped_while_waits_end_answers_them_and_logs_no_fault(
    app: RecordApp, caplog: pytest.LogCaptureFixture
) -> None:
    for _round in range(8):
        server = serve(app, "127.0.0.1", 0)
        statuses: list[int] = []
        waiters = [
            threading.Thread(target=_wait_for_news, args=(server.port, app.store.seq, statuses))
            for _ in range(6)
        ]
        for waiter in waiters:
            waiter.start()
        until = time.monotonic() + 60
        while app.store.waiting < len(waiters) and time.monotonic() < until:
            time.sleep(0.005)
        server.stop()
        for waiter in waiters:
            waiter.join(60)
        server.stop()
        assert set(statuses) <= {200}
    assert not caplog.records


class Told(RecordApp):
    """Tells when a request has reached it."""

    def __init__(self) -> None:
        super().__init__(None)
        self.reached = threading.Event()

    def __call__(self, environ: dict[str, Any], start_response: Any) -> Any:
        self.reached.set()
        return super().__call__(environ, start_response)


def test_that_a_request_which_outlasts_the_stop_does_no_harm(caplog: pytest.LogCaptureFixture) -> None:
    app = Told()
    server = Server(app, "127.0.0.1", 0, patience=0.1).start()
    address = f"http://127.0.0.1:{server.port}/Patient/{IDS[0]}"
    held = threading.Thread(target=_put_quietly, args=(address, {"resourceType": "Patient", "id": IDS[0]}))
    with app.store.writing():
        held.start()
        assert app.reached.wait(60)
        server.stop()
    held.join(60)
    server.stop()
    app.close()
    assert "Exception" not in caplog.text and "Error" not in caplog.text


def _put_quietly(address: str, raw: dict[str, Any]) -> None:
    with contextlib.suppress(httpx.TransportError):
        httpx.put(address, json=raw, timeout=60)


def test_that_a_server_which_never_ran_can_be_stopped(app: RecordApp) -> None:
    Server(app, "127.0.0.1", 0).stop()


def test_that_a_restored_copy_is_told_from_the_record_it_was_copied_from(tmp_path: Path) -> None:
    path = tmp_path / "record.sqlite"
    app = RecordApp(path)
    write(app.store, IDS[0], "male")
    epoch = app.store.epoch
    app.close()
    copy = path.read_bytes()
    app = RecordApp(path)
    assert app.store.epoch == epoch
    write(app.store, IDS[0], "female")
    app.close()
    path.write_bytes(copy)
    app = RecordApp(path)
    assert app.store.epoch != epoch
    with httpx.Client(transport=httpx.WSGITransport(app), base_url="http://record.test/") as http:
        assert http.get("metadata").json()["url"] == f"urn:uuid:{app.store.epoch}"
        assert http.get("metadata").headers["X-Record-Epoch"] == app.store.epoch
    app.close()


def test_that_a_record_opened_again_holds_what_was_written(tmp_path: Path) -> None:
    app = RecordApp(tmp_path / "record.sqlite")
    write(app.store, IDS[0], "male")
    app.close()
    app.close()
    app = RecordApp(tmp_path / "record.sqlite")
    with httpx.Client(transport=httpx.WSGITransport(app), base_url="http://record.test/") as http:
        assert http.get(f"Patient/{IDS[0]}").json()["gender"] == "male"
        assert http.get("Patient?gender=male").json()["total"] == 1
    app.close()


def test_that_a_file_that_is_no_record_is_kept_and_explained(tmp_path: Path) -> None:
    path = tmp_path / "record.sqlite"
    path.write_bytes(b"not a database at all, but somebody's file" * 100)
    before = path.read_bytes()
    with pytest.raises(CacheDamaged) as told:
        RecordApp(path)
    assert path.read_bytes() == before
    assert told.value.text.render("en") != told.value.text.render("nb")


def test_that_a_record_without_a_path_leaves_nothing_behind() -> None:
    app = RecordApp(None)
    folder = app.store.path.parent
    assert folder.exists()
    app.close()
    assert not folder.exists()


def test_that_all_entries_of_a_transaction_share_one_stamp(http: httpx.Client) -> None:
    entries = [
        {
            "resource": {"resourceType": "Patient", "id": id_},
            "request": {"method": "PUT", "url": f"Patient/{id_}"},
        }
        for id_ in IDS
    ]
    http.post("", json={"resourceType": "Bundle", "type": "transaction", "entry": entries}).raise_for_status()
    assert len({http.get(f"Patient/{id_}").json()["meta"]["lastUpdated"] for id_ in IDS}) == 1
