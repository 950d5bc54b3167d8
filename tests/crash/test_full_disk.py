"""The disk takes no more, at any write: what is being done happens whole or not at all, and is said so."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clinician import texts
from clinician.cache import keys
from clinician.cache.driver import CACHE_KIB, connect
from clinician.cache.migrations import migrate
from clinician.cache.open import open_cache
from clinician.clock import FrozenClock
from clinician.durable import write_whole
from clinician.errors import DiskFull
from clinician.events import Events
from clinician.layouts.load import publish
from clinician.settings import Settings
from tests.clinician.cache.conftest import KEY
from tests.clinician.cache.samples import DAY
from tests.crash.fault_vfs import FULL, IO_FSYNC, IO_WRITE, OK, FaultVfs
from tests.crash.os_calls import OsCalls
from tests.crash.test_files_beside import LAYOUT, fill_outbox
from tests.crash.work import Work, look


class Full:
    """A disk that is full from the n-th call on, until room is made. Or one whose flushes fail."""

    def __init__(self) -> None:
        self.left = -1
        self.code = OK
        self.hit = False

    def arm(self, left: int, code: int) -> None:
        self.left, self.code, self.hit = left, code, False

    def make_room(self) -> None:
        self.code = OK

    def __call__(self, what: str, path: str) -> int:
        if self.code == OK or (what == "sync") != (self.code == IO_FSYNC):
            return OK
        self.left -= 1
        self.hit = self.hit or self.left < 0
        return self.code if self.hit else OK


@pytest.fixture
def nb() -> Any:
    before = texts.language()
    texts.set_language("nb")
    yield
    texts.set_language(before)


def is_plain(problem: DiskFull) -> bool:
    """Said in a person's words: what happened, what is safe, what to do."""
    words = str(problem.text)
    return all(part in words for part in ("Disken på denne PC-en er full", "lagret", "Frigjør plass"))


CODES = (FULL, IO_WRITE, IO_FSYNC)


def sweep(work: Work, full: Full, do: Callable[[], None], most: int, step: int = 1) -> tuple[int, int]:
    """Do the same thing again and again, the disk full at each of its calls; (refused, done)."""
    refused = done = 0
    for code in CODES:
        for left in range(0, most, step):
            full.arm(left, code)
            try:
                do()
                done += 1
            except DiskFull as problem:
                assert full.hit and is_plain(problem)
                refused += 1
            finally:
                full.make_room()
            if not full.hit:
                break
    do()
    return refused, done


@pytest.mark.usefixtures("nb")
def test_that_acts_drafts_and_pages_are_whole_or_not_at_any_write(tmp_path: Path) -> None:
    full, said = Full(), []
    with FaultVfs(fault=full, logs=False).installed():
        work = Work(tmp_path / "cache", random.Random(1), said.append)
        work.open()
        for _ in range(6):
            work.act()
            work.page()
            work.draft()
        for do in (work.act, lambda: _page(work), work.draft, work.claim, work.settle, work.withdraw):
            work.act()
            work.claim()
            work.act()
            refused, _ = sweep(work, full, do, 200)
            assert refused >= 3
        work.close()
        loss = look(work.folder, said)
    assert not loss, loss


def _page(work: Work) -> None:
    """A page that did not come in comes again: the mark has not moved."""
    before = work.pages
    try:
        work.page()
    except DiskFull:
        work.pages = before
        raise


@pytest.mark.usefixtures("nb")
def test_that_a_checkpoint_on_a_full_disk_harms_nothing(tmp_path: Path) -> None:
    full, said = Full(), []
    with FaultVfs(fault=full, logs=False).installed():
        work = Work(tmp_path / "cache", random.Random(2), said.append)
        work.open()
        for _ in range(10):
            work.act()
            work.page()
        sweep(work, full, work.checkpoint, 60, 2)
        work.act()
        for left in (0, 1, 5, 20):
            work.act()
            full.arm(left, FULL)
            work.close()  # says nothing to a person: the log is kept and folded in next time
            full.make_room()
            work.open()
        work.close()
        loss = look(work.folder, said)
    assert not loss, loss


@pytest.mark.usefixtures("nb")
@pytest.mark.parametrize("start", ["new", "schema 1"])
def test_that_opening_on_a_full_disk_is_refused_and_works_when_there_is_room(
    tmp_path: Path, start: str
) -> None:
    full, refused = Full(), 0
    with FaultVfs(fault=full, logs=False).installed():
        for code in CODES:
            for left in range(0, 400, 1 if code == IO_FSYNC else 11):
                folder = tmp_path / f"{code}-{left}"
                folder.mkdir()
                if start == "schema 1":
                    _old(folder)
                full.arm(left, code)
                try:
                    open_cache(folder, KEY, clock=FrozenClock(DAY), events=Events()).close()
                except DiskFull as problem:
                    assert is_plain(problem)
                    refused += 1
                full.make_room()
                cache = open_cache(folder, KEY, clock=FrozenClock(DAY), events=Events())
                with cache.reading() as reading:
                    assert len(reading.acts()) == (0 if start == "new" else 50)
                cache.close()
                if not full.hit:
                    break
    assert refused >= 6


def _old(folder: Path) -> None:
    connection = connect(folder / "cache.db", KEY, cache_kib=CACHE_KIB)
    connection.execute("PRAGMA journal_mode=WAL").fetchone()
    migrate(connection, DAY, to=1)
    fill_outbox(connection)
    connection.close()


@pytest.mark.usefixtures("nb")
def test_that_key_settings_and_layouts_say_so_and_keep_what_stood(tmp_path: Path) -> None:
    folder, layout = tmp_path / "data", tmp_path / "data" / "layouts" / "municipality.toml"
    calls = OsCalls(FaultVfs().disk, tmp_path)
    with calls.logged():
        calls.is_full = True
        with pytest.raises(DiskFull) as refused:
            keys.open_key(folder, secret="first")
        assert is_plain(refused.value)
        calls.is_full = False
        key = keys.open_key(folder, secret="first")
        settings = Settings.load(folder)
        settings.set("ui.size", 1)
        publish(layout, LAYOUT.format(1), views=())
        calls.is_full = True
        for write in (
            lambda: keys.rewrap(folder, key, "second"),
            lambda: settings.set("ui.size", 2),
            lambda: publish(layout, LAYOUT.format(2), views=()),
        ):
            with pytest.raises(DiskFull) as refused:
                write()
            assert "Frigjør plass på disken" in str(refused.value.text)
        calls.is_full = False
    assert keys.open_key(folder, secret="first") == key
    assert settings.get("ui.size") == Settings.load(folder).get("ui.size") == 1
    assert layout.read_text() == LAYOUT.format(1)
    assert sorted(folder.rglob("*.new")) == [], "nothing half-written is left to take up room"
    write_whole(layout, b"x")


def test_that_a_real_small_disk_may_fill_and_be_emptied(tmp_path: Path) -> None:
    """A tmpfs of 4 MiB in a mount namespace of its own; skipped where one may not be made."""
    (tmp_path / "disk").mkdir()
    mounted = f"mount -t tmpfs -o size=4m tmpfs {tmp_path}/disk"
    allowed = subprocess.run(["unshare", "-m", "sh", "-c", mounted], capture_output=True, check=False)
    if allowed.returncode:
        pytest.skip("no mount namespace may be made here")
    child = f"{mounted} && exec {sys.executable} -m tests.crash.small_disk {tmp_path}/disk"
    done = subprocess.run(
        ["unshare", "-m", "sh", "-c", child],
        capture_output=True,
        check=False,
        timeout=280,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert done.returncode == 0, done.stderr.decode()[-2000:]
    found = json.loads(done.stdout)
    assert found["refused"] >= 3 and found["told"] >= 20
    assert found["lost"] == found["torn"] == found["broken"] == []
