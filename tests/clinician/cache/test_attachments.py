"""Attachments as rows and files: nothing half-made is named, nothing unsent is lost, names tell nothing."""

from __future__ import annotations

import hashlib
import multiprocessing
import os
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from clinician.cache.attachment_files import AttachmentFiles, Taken, read_file
from clinician.cache.attachments import UNSENT, FileState, NewFile, Wanted
from clinician.cache.open import Cache, open_cache
from clinician.cache.sealed import CHUNK, new_key
from clinician.clock import FrozenClock
from clinician.errors import UserProblem
from clinician.events import Events
from tests.clinician.cache.conftest import KEY
from tests.clinician.cache.samples import DAY

NAME_KEY = b"n" * 32
PNG = b"\x89PNG\r\n\x1a\n"
LARGE = PNG + bytes(200_000)


def taken_of(size: int, name: str = "") -> Taken:
    content = None if name else b"x" * min(size, 10)
    return Taken(size, "s", "s", "image/png", content, name, new_key())


@given(
    rows=st.lists(
        st.tuples(st.integers(1, 500), st.sampled_from(list(FileState)), st.booleans()), max_size=12
    ),
    budget=st.integers(0, 2000),
)
@settings(max_examples=60, deadline=None)
def test_that_eviction_fits_the_budget_and_never_takes_what_is_unsent(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[int, FileState, bool]], budget: int
) -> None:
    cache = shared(tmp_path_factory)

    def work(writing: Any) -> None:
        attachments = writing.attachments
        for row in attachments.in_state(*FileState):
            attachments.drop(row.ref)
        kept = set()
        for number, (size, state, is_large) in enumerate(rows):
            ref = f"Binary/{number}"
            new = NewFile(ref, "DocumentReference/d", taken_of(size, f"f{number}" if is_large else ""))
            attachments.add(new, op_id=f"op{number}", patient_ref="Patient/p", now=DAY)
            attachments.moved(ref, state)
            if state in UNSENT:
                kept.add(ref)
        attachments.evict(budget)
        left = attachments.in_state(*FileState)
        assert kept <= {row.ref for row in left}
        evictable = [row for row in left if row.state in (FileState.SENT, FileState.HERE)]
        held = sum(row.size for row in left if row.state in UNSENT or row in evictable)
        assert not evictable or held <= budget

    cache.writer.run(work)


_shared: list[Cache] = []


def shared(factory: pytest.TempPathFactory) -> Cache:
    if not _shared:
        _shared.append(open_cache(factory.mktemp("lru"), KEY, clock=FrozenClock(DAY), events=Events()))
    return _shared[0]


@pytest.fixture(scope="module", autouse=True)
def closed_afterwards() -> Iterator[None]:
    yield
    for cache in _shared:
        cache.close()
    _shared.clear()


def test_that_content_of_an_unconfirmed_act_is_not_evicted(cache: Cache) -> None:
    from clinician.cache.acts import ActState

    def work(writing: Any) -> None:
        writing.attachments.add(
            NewFile("Binary/b", "DocumentReference/d", taken_of(5000)), op_id="op", patient_ref="", now=DAY
        )
        writing.attachments.moved("Binary/b", FileState.SENT)
        writing._connection.exec_driver_sql(
            "INSERT INTO outbox (op_id, group_id, kind, aggregate, patient, who, who_name, workplace, label, "
            "state, created, provenance) VALUES ('op','op','k','a','','','','','', ?, '2026-03-03', x'00')",
            (ActState.QUEUED.value,),
        )
        assert writing.attachments.evict(0) == 0
        writing._connection.exec_driver_sql("UPDATE outbox SET state = 'applied'")
        assert writing.attachments.evict(0) == 1

    cache.writer.run(work)


# taking in ----------------------------------------------------------------------------------


@pytest.mark.parametrize("at", ["fsync", "replace", "sync_folder", "write"])
def test_that_a_break_at_any_step_of_taking_in_leaves_nothing_a_row_could_name(
    tmp_path: Path, at: str
) -> None:
    """A real process dies at the step; whoever comes after finds nothing but what the sweep removes."""
    child = multiprocessing.get_context("spawn").Process(target=die_while_staging, args=(tmp_path, at))
    child.start()
    child.join(60)
    assert child.exitcode == 9
    files = AttachmentFiles(tmp_path / "files")
    assert len(list(files.folder.iterdir())) == 1
    assert files.sweep(lambda: ()) == 1
    taken = files.stage([LARGE], limit=10**7, name_key=NAME_KEY)
    assert b"".join(files.pieces(taken.name, taken.key)) == LARGE


def die_while_staging(folder: Path, at: str) -> None:
    """Dies as by SIGKILL at one system call of taking in."""
    import sys

    def stop(event: str, args: tuple[Any, ...]) -> None:
        if at == "replace" and event == "os.rename":
            os._exit(9)

    sys.addaudithook(stop)
    files = AttachmentFiles(folder / "files")

    def pieces() -> Iterator[bytes]:
        yield LARGE
        yield bytes(2 * CHUNK)
        if at == "write":
            os._exit(9)

    real, count = os.fsync, [0]
    deadly = {"fsync": 2, "sync_folder": 3}.get(at, 0)  # the first flushes the folder above the new one

    def flush(handle: int) -> None:
        count[0] += 1
        if count[0] == deadly:
            os._exit(9)
        real(handle)

    os.fsync = flush  # type: ignore[assignment]
    files.stage(pieces(), limit=10**8, name_key=NAME_KEY)


@pytest.mark.parametrize(
    ("pieces", "limit", "said"),
    [
        ([LARGE], 1000, "too large"),
        ([PNG, bytes(100)], 50, "too large"),
        ([b""], 1000, "empty"),
        ([], 1000, "empty"),
        ([b"MZ" + bytes(200_000)], 10**7, "cannot be added"),
        ([b"a" * 200_000, b"\0"], 10**7, "cannot be added"),
    ],
)
def test_that_what_is_not_taken_leaves_nothing_behind(
    tmp_path: Path, pieces: list[bytes], limit: int, said: str
) -> None:
    files = AttachmentFiles(tmp_path / "files")
    with pytest.raises(UserProblem) as met:
        files.stage(pieces, limit=limit, name_key=NAME_KEY)
    assert said in met.value.text.msgid
    assert not files.folder.exists() or list(files.folder.iterdir()) == []


def test_that_a_file_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    with pytest.raises(UserProblem, match="FileNotFoundError"):
        list(read_file(tmp_path / "gone"))
    (tmp_path / "here").write_bytes(LARGE)
    assert b"".join(read_file(tmp_path / "here")) == LARGE


def test_that_names_and_files_tell_nothing_of_what_is_in_them(tmp_path: Path) -> None:
    """Somebody who has the document and the folder, but not the database, cannot see that it is there."""
    files = AttachmentFiles(tmp_path / "files")
    one = files.stage([LARGE], limit=10**7, name_key=NAME_KEY)
    two = files.stage([LARGE], limit=10**7, name_key=NAME_KEY)
    assert one.name != two.name
    for digest in (hashlib.sha256, hashlib.sha1, hashlib.md5):
        assert digest(LARGE).hexdigest() not in one.name
    assert bytes(64) not in (files.folder / one.name).read_bytes()
    assert oct((files.folder / one.name).stat().st_mode & 0o777) == "0o600"


def test_that_fifty_megabytes_go_through_a_few(tmp_path: Path) -> None:
    """Sealing and opening hold a handful of chunks, whatever the size."""
    files = AttachmentFiles(tmp_path / "files")
    source = tmp_path / "source"
    with source.open("wb") as out:
        out.write(PNG)
        for _ in range(50):
            out.write(bytes(CHUNK))
    tracemalloc.start()
    taken = files.stage(read_file(source), limit=64 * CHUNK, name_key=NAME_KEY)
    size = sum(len(piece) for piece in files.pieces(taken.name, taken.key))
    _now, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert size == 50 * CHUNK + len(PNG)
    assert peak < 10 * CHUNK


def test_that_a_row_wanted_twice_is_one_and_a_wrong_one_begins_anew(cache: Cache) -> None:
    wanted = Wanted("Binary/b", "DocumentReference/d", "Patient/p", "image/png", 7)

    def work(writing: Any) -> None:
        files = writing.attachments
        assert files.want(wanted, DAY) is FileState.WANTED
        key = files.content("Binary/b")[1]
        files.began("Binary/b")
        assert files.want(wanted, DAY) is FileState.WANTED
        assert files.content("Binary/b")[1] == key
        assert files.held_bytes() == 7
        assert len(files.names()) == 1
        files.moved("Binary/b", FileState.WRONG)
        assert files.names() == frozenset()
        assert files.want(wanted, DAY) is FileState.WANTED
        row = files.get("Binary/b")
        assert (row.attempts, row.state) == (0, FileState.WANTED)
        assert files.content("Binary/b")[1] != key

    cache.writer.run(work)


def test_that_a_moved_attachment_is_announced(cache: Cache, changes: list[Any]) -> None:
    wanted = Wanted("Binary/b", "DocumentReference/d", "Patient/p", "image/png", 7)
    cache.writer.run(lambda writing: writing.attachments.want(wanted, DAY))
    assert changes[-1].refs == {"Attachment/b"}
