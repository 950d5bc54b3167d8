"""Documents of a workstation: files in, proved content out, and nothing shown that is not what it says."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from clinician.attaching import Documents, limits_of
from clinician.cache.attachments import FileState, Wanted
from clinician.errors import UserProblem
from clinician.settings import Settings
from clinician.sync.attachments import MEBIBYTE, FileLimits
from tests.clinician.cache.samples import DAY
from tests.clinician.commands.desk import WHO, Desk
from tests.clinician.commands.test_documents import added, patient
from tests.clinician.queries.test_documents import foreign

PNG = b"\x89PNG\r\n\x1a\n"
LARGE = PNG + bytes(200_000)


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "cache")
    patient(made)
    yield made
    made.cache.close()


def documents(desk: Desk, limits: FileLimits | None = None) -> Documents:
    return Documents(desk.cache, desk.bus, lambda: WHO, desk.clock, limits or FileLimits())


def add(desk: Desk, content: bytes) -> str:
    """The document of content added by a person."""
    taken = documents(desk).stage(content)
    done, _raw = added(desk, taken=taken)
    documents(desk).settle(taken)
    (ref,) = done.refs
    return str(ref)


def state_of(desk: Desk, ref: str) -> FileState:
    with desk.cache.reading() as reading:
        held = {row.document_ref: row for row in reading.attachments("Patient/p")}
    return held[ref].state


@pytest.mark.parametrize("content", [PNG + b"small", LARGE])
def test_that_what_was_added_is_shown_before_it_is_sent(desk: Desk, content: bytes, tmp_path: Path) -> None:
    (tmp_path / "wound.png").write_bytes(content)
    taken = documents(desk).stage(tmp_path / "wound.png")
    done, _raw = added(desk, taken=taken)
    (ref,) = done.refs
    shown = documents(desk).read(ref)
    assert (shown.content, shown.showable, shown.ending) == (content, True, ".png")


def test_that_reading_a_document_is_logged(desk: Desk) -> None:
    ref = add(desk, LARGE)
    documents(desk).read(ref)
    (read,) = [event for event in desk.audit() if event["action"] == "R"]
    assert read["entity"][0]["what"]["reference"] == "Patient/p"
    assert ref in read["entity"][-1]["name"]


def test_that_what_is_not_here_is_asked_for_and_shown_when_it_came(desk: Desk) -> None:
    foreign(desk, "a", url="Binary/x", contentType="image/png", title="Sår")
    assert documents(desk).read("DocumentReference/a").content is None
    assert state_of(desk, "DocumentReference/a") is FileState.WANTED
    from clinician.cache.attachment_files import Taken

    taken = Taken(len(PNG) + 1, "s", "s", "image/png", PNG + b"x")
    desk.cache.writer.run(lambda writing: writing.attachments.fetched("Binary/x", taken))
    assert documents(desk).read("DocumentReference/a").content == PNG + b"x"


@pytest.mark.parametrize(
    ("said", "content", "showable"),
    [
        ("image/png", b"%PDF-1.7 hidden", False),
        ("image/png", b"MZ\x90\0 a program", False),
        ("text/plain", "Blåbær".encode(), True),
        ("application/pdf", b"%PDF-1.7", False),
    ],
)
def test_that_only_what_is_what_it_says_is_shown_inside_the_program(
    desk: Desk, said: str, content: bytes, showable: bool
) -> None:
    from base64 import b64encode

    foreign(desk, "a", contentType=said, data=b64encode(content).decode())
    shown = documents(desk).read("DocumentReference/a")
    assert (shown.content, shown.showable) == (content, showable)


def spoil(desk: Desk) -> None:
    (file,) = desk.cache.files.folder.iterdir()
    held = bytearray(file.read_bytes())
    held[40] ^= 1
    file.write_bytes(bytes(held))


def test_that_a_damaged_file_is_fetched_again_where_the_record_has_it(desk: Desk) -> None:
    ref = add(desk, LARGE)
    with desk.cache.reading() as reading:
        (row,) = reading.attachments("Patient/p")
    desk.cache.writer.run(lambda writing: writing.attachments.moved(row.ref, FileState.SENT))
    spoil(desk)
    assert documents(desk).read(ref).content is None
    assert state_of(desk, ref) is FileState.WANTED


def test_that_a_damaged_file_that_is_nowhere_else_is_said(desk: Desk) -> None:
    ref = add(desk, LARGE)
    spoil(desk)
    with pytest.raises(UserProblem) as met:
        documents(desk).read(ref)
    assert "damaged" in met.value.text.msgid
    assert state_of(desk, ref) is FileState.WAITING


def test_that_what_cannot_be_shown_says_why(desk: Desk) -> None:
    foreign(desk, "b", url="https://elsewhere.example/y.pdf")
    desk.synced(
        {
            "resourceType": "DocumentReference",
            "id": "w",
            "meta": {"lastUpdated": "2026-03-03T06:00:00+00:00"},
            "status": "entered-in-error",
            "content": [{"attachment": {"url": "Binary/x"}}],
        }
    )
    for ref, said in (("b", "another system"), ("w", "withdrawn"), ("gone", "no longer")):
        with pytest.raises(UserProblem) as met:
            documents(desk).read(f"DocumentReference/{ref}")
        assert said in met.value.text.msgid


def test_that_the_limit_of_the_municipality_holds_and_is_said(desk: Desk, tmp_path: Path) -> None:
    folder = tmp_path / "settings"
    folder.mkdir()
    (folder / "municipality.toml").write_text(
        '[values]\n"attachments.largest_mb" = 2\n"attachments.budget_mb" = 64\n', "utf-8"
    )
    limits = limits_of(Settings.load(tmp_path))
    assert (limits.largest, limits.budget) == (2 * MEBIBYTE, 64 * MEBIBYTE)
    with pytest.raises(UserProblem) as met:
        documents(desk, limits).stage(PNG + bytes(2 * MEBIBYTE))
    assert met.value.text.params == {"limit": 2}
    assert limits_of(Settings.load(tmp_path / "none")) == FileLimits()


def test_that_looking_at_it_keeps_it_from_being_the_oldest(desk: Desk) -> None:
    def work(writing: Any) -> None:
        for name in ("old", "new"):
            wanted = Wanted(f"Binary/{name}", f"DocumentReference/{name}", "Patient/p", "image/png", 1)
            writing.attachments.want(wanted, DAY)

    desk.cache.writer.run(work)
    foreign(desk, "old", url="Binary/old")
    desk.clock.advance(timedelta(hours=1))
    documents(desk).read("DocumentReference/old")
    with desk.cache.reading() as reading:
        rows = reading.attachments("Patient/p")
    assert [row.ref for row in rows] == ["Binary/new", "Binary/old"]
