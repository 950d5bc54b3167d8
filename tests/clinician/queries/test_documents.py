"""The documents of a patient as a person sees them, and what the outbox says of their attachments."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from clinician import texts
from clinician.cache.attachments import FileState, Wanted
from clinician.queries.documents import Place, patient_documents, size_text
from clinician.queries.outbox import outbox_rows
from tests.clinician.cache.samples import DAY
from tests.clinician.commands.desk import Desk
from tests.clinician.commands.test_documents import NOW, added, patient


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    texts.set_language("nb")
    made = Desk(tmp_path / "cache")
    patient(made)
    yield made
    made.cache.close()


def rows(desk: Desk) -> Any:
    with desk.cache.reading() as reading:
        return patient_documents(reading, patient_ref="Patient/p")


def move(desk: Desk, raw: dict[str, Any], to: FileState, issue: str = "") -> None:
    ref = raw["content"][0]["attachment"]["url"]
    desk.cache.writer.run(lambda writing: writing.attachments.moved(ref, to, issue=issue))


@pytest.mark.parametrize(
    ("state", "place", "words"),
    [
        (FileState.WAITING, Place.WAITING, "venter på å bli sendt"),
        (FileState.REFUSED, Place.REFUSED, "avvist av journalen"),
        (FileState.SENT, Place.SENT, "sendt, dokumentet følger"),
        (FileState.WANTED, Place.COMING, "hentes"),
        (FileState.HERE, Place.HERE, "på denne PC-en"),
        (FileState.WRONG, Place.WRONG, "stemmer ikke"),
        (FileState.ABSENT, Place.ABSENT, "ikke i journalen"),
    ],
)
def test_that_each_document_says_where_its_content_is(
    desk: Desk, state: FileState, place: Place, words: str
) -> None:
    _done, raw = added(desk)
    move(desk, raw, state)
    (row,) = rows(desk)
    assert (row.place, row.place_text) == (place, words)
    assert bool(row.help_text) == (place not in (Place.SENT, Place.HERE))
    assert (row.title, row.kind_text, row.size_text) == ("Sår", "Sårbilde", "1 kB")


def foreign(desk: Desk, id_: str, **attachment: Any) -> None:
    desk.synced(
        {
            "resourceType": "DocumentReference",
            "id": id_,
            "meta": NOW,
            "status": "current",
            "subject": {"reference": "Patient/p"},
            "content": [{"attachment": attachment}],
        }
    )


def test_that_what_others_made_says_where_it_is_too(desk: Desk) -> None:
    foreign(desk, "a", url="Binary/x", contentType="image/png")
    foreign(desk, "b", url="https://elsewhere.example/y.pdf", title="Epikrise")
    foreign(desk, "c", contentType="image/png", data=base64.b64encode(b"x").decode())
    foreign(desk, "d", contentType="text/plain", data=base64.b64encode(b"et notat").decode())
    foreign(desk, "e")
    found = {row.key[-1]: row for row in rows(desk)}
    assert {key: row.place for key, row in found.items()} == {
        "a": Place.RECORD,
        "b": Place.ELSEWHERE,
        "c": Place.HERE,
    }
    assert (found["a"].title, found["a"].kind_text, found["a"].size_text) == ("Uten navn", "Dokument", "")


def test_that_a_document_added_to_a_note_says_which(desk: Desk) -> None:
    note = desk.synced(
        {"resourceType": "DocumentReference", "id": "n", "meta": NOW, "date": "2026-03-03T06:00:00Z"}
    )
    added(desk, about_ref=note)
    (row,) = rows(desk)
    assert row.about_text == "til notatet 3. mars 07:00"


def test_that_a_withdrawn_document_stays_with_its_reason(desk: Desk) -> None:
    foreign(desk, "a", url="Binary/x")
    desk.synced(
        {
            "resourceType": "DocumentReference",
            "id": "a",
            "meta": NOW,
            "status": "entered-in-error",
            "description": "Trukket tilbake: feil",
            "subject": {"reference": "Patient/p"},
            "content": [{"attachment": {"url": "Binary/x"}}],
        },
        "2",
    )
    (row,) = rows(desk)
    assert (row.is_withdrawn, row.place_text, row.help_text) == (
        True,
        "trukket tilbake",
        "Trukket tilbake: feil",
    )


def test_that_the_outbox_says_what_the_act_waits_for_and_how_far_it_is(desk: Desk) -> None:
    done, raw = added(desk)
    ref = raw["content"][0]["attachment"]["url"]

    def far(writing: Any) -> None:
        writing.attachments._set(ref, bytes=50 * 1024 * 1024)
        writing.attachments.progressed(ref, 12 * 1024 * 1024)

    desk.cache.writer.run(far)
    with desk.cache.reading() as reading:
        (row,) = outbox_rows(reading)
    assert (row.state, row.state_text) == ("queued", "venter på vedlegg · 12 av 50 MB")
    assert "50,0 MB" in row.help_text
    assert not row.can_retry
    move(desk, raw, FileState.REFUSED, "for stor")
    with desk.cache.reading() as reading:
        (row,) = outbox_rows(reading)
    assert (row.state, row.state_text, row.can_retry) == ("rejected", "vedlegg avvist", True)
    assert row.help_text.endswith("for stor")
    assert row.can_withdraw
    assert done.op_ids == (row.key,)


def test_that_being_fetched_tells_how_far_it_is(desk: Desk) -> None:
    foreign(desk, "a", url="Binary/x", contentType="image/png")
    wanted = Wanted("Binary/x", "DocumentReference/a", "Patient/p", "image/png", 8 * 1024 * 1024)

    def work(writing: Any) -> None:
        writing.attachments.want(wanted, DAY)
        writing.attachments.progressed("Binary/x", 4 * 1024 * 1024)

    desk.cache.writer.run(work)
    assert rows(desk)[0].place_text == "hentes · 4 av 8 MB"


def test_that_sizes_are_told_as_people_here_write_them() -> None:
    texts.set_language("nb")
    assert [size_text(size) for size in (-1, 0, 2048, 3 * 1024 * 1024 + 200_000)] == [
        "",
        "1 kB",
        "2 kB",
        "3,2 MB",
    ]
