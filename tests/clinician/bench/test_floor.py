"""The floors do the same work as what they are set against, and nothing else."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path

import orjson

from clinician.bench.floor import BareStore, EmptyPoll, download, parsed, sliced
from clinician.bench.people import patients
from clinician.embedded.serve import serve
from clinician.embedded.server import RecordApp
from clinician.fhir.times import to_instant


def _page(people: int) -> bytes:
    entries = [{"resource": raw, "search": {"mode": "match"}} for raw in patients(people)]
    link = [{"relation": "self", "url": "x"}, {"relation": "next", "url": "y"}]
    return orjson.dumps({"resourceType": "Bundle", "type": "searchset", "entry": entries, "link": link})


def test_that_both_floors_read_the_same_rows_and_the_same_next_link() -> None:
    page = _page(7)
    assert parsed(page) == sliced(page)
    assert parsed(page)[1] == "y"
    assert len(parsed(page)[0]) == 7


def test_that_a_page_without_entries_ends_the_walk() -> None:
    page = orjson.dumps({"resourceType": "Bundle", "type": "searchset"})
    assert parsed(page) == sliced(page) == ([], "")


def test_that_the_floor_downloads_every_page(tmp_path: Path) -> None:
    app = RecordApp(tmp_path / "record.sqlite")
    app.store.load(patients(25))
    server = serve(app)
    try:
        base_url = f"http://127.0.0.1:{server.port}"
        for number, parse in enumerate((parsed, sliced)):
            store = BareStore(tmp_path / f"bare-{number}.db")
            run = download([("Patient", "_sort=_lastUpdated&_count=10")], base_url, store, parse)
            assert (run.resources, store.size()[0]) == (25, 25)
            assert run.per_second > 0
            assert run.per_cpu_second > 0
            store.close()
        poll = EmptyPoll(base_url, to_instant(datetime.now(UTC) + timedelta(hours=1)))
        poll()
        assert poll.bytes > 0
        poll.close()
    finally:
        server.stop()
        app.close()


def test_that_the_bare_store_gives_back_what_was_put(tmp_path: Path) -> None:
    store = BareStore(tmp_path / "bare.db")
    raws = {f"Patient/{raw['id']}": raw for raw in patients(3)}
    store.put([(ref, orjson.dumps(raw)) for ref, raw in raws.items()], durable=True)
    assert store.read([*raws, "Patient/none"]) == list(raws.values())
    store.close()
