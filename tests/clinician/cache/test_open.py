"""Opening: a file that does not open is kept and explained, never made anew."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from clinician.cache import declared
from clinician.cache import open as opening
from clinician.cache.acts import ActState
from clinician.cache.driver import CACHE_KIB, connect
from clinician.cache.migrations import NEWEST, STEPS, CacheTooNew, migrate, version_of
from clinician.cache.open import Cache, integrity_problems, open_cache
from clinician.cache.packing import NUMBER
from clinician.cache.salvage import salvage_outbox
from clinician.cache.tables import METADATA
from clinician.clock import FrozenClock
from clinician.errors import CacheDamaged, CacheInUse, DiskFull, WrongKey
from clinician.events import Events
from tests.clinician.cache.conftest import KEY
from tests.clinician.cache.samples import DAY, Maker, row
from tests.clinician.cache.test_outbox import entry, insert, move, new_act
from tests.clinician.cache.test_synced_rows import get, put, ref

OTHER = bytes(32)


def reopen(folder: Path, key: bytes = KEY) -> Cache:
    return open_cache(folder, key, clock=FrozenClock(DAY), events=Events())


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A closed cache with one synced patient and one unsent act."""
    held = reopen(tmp_path / "c")
    maker = Maker(2)
    put(held, *(row(raw) for raw in maker.workplace(3, 1)))
    insert(held, new_act(entry(maker.observation("Patient/p", 0)), op_id="act-1"))
    held.close()
    return tmp_path / "c"


def test_that_everything_is_there_again_after_closing(folder: Path) -> None:
    held = reopen(folder)
    with held.reading() as reading:
        assert reading.count("Patient") == 3
        assert [act.op_id for act in reading.acts()] == ["act-1"]
    held.close()
    held.close()


def test_that_nothing_readable_lies_on_the_disk(tmp_path: Path) -> None:
    held = reopen(tmp_path)
    raw = Maker(2).patient() | {"name": [{"family": "Readablesen", "given": ["Kjennelig"]}]}
    put(held, row(raw))
    held.writer.run(lambda w: w.keep.set("note", "Readablesen"), durable=True)
    files = [path for path in tmp_path.iterdir() if path.is_file()]
    assert {"cache.db", "cache.db-wal"} <= {path.name for path in files}
    whole = b"".join(path.read_bytes() for path in files)
    for trace in (b"Readablesen", b"readablesen", b"Kjennelig", b"SQLite format", raw["id"].encode(), KEY):
        assert trace not in whole
    held.close()


def test_that_a_wrong_key_is_told_and_the_file_is_untouched(folder: Path) -> None:
    before = (folder / "cache.db").read_bytes()
    with pytest.raises(WrongKey):
        reopen(folder, OTHER)
    (folder / "cache.mark").unlink()
    with pytest.raises(WrongKey):
        reopen(folder, OTHER)
    assert (folder / "cache.db").read_bytes() == before
    reopen(folder).close()
    assert (folder / "cache.mark").exists()


def test_that_a_key_has_thirty_two_bytes(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="32"):
        reopen(tmp_path, b"short")


def test_that_two_programs_cannot_hold_one_cache_and_a_dead_one_holds_none(folder: Path) -> None:
    held = reopen(folder)
    with pytest.raises(CacheInUse):
        reopen(folder)
    held.close()
    code = (
        "import sys, os; from pathlib import Path; from clinician.cache.lock import CacheLock;"
        "lock = CacheLock(Path(sys.argv[1])); print('held', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", code, str(folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        assert other.stdout.readline().strip() == b"held"
        with pytest.raises(CacheInUse):
            reopen(folder)
        other.kill()
        other.wait()
    reopen(folder).close()


@pytest.mark.parametrize("kind", ["first page", "cut short", "empty", "gone", "noise"])
def test_that_a_damaged_file_is_kept_as_it_is(folder: Path, kind: str) -> None:
    file = folder / "cache.db"
    content = bytearray(file.read_bytes())
    if kind == "first page":
        content[100] ^= 255
    elif kind == "cut short":
        content = content[: len(content) // 3]
    elif kind == "noise":
        content = bytearray(b"\0" * len(content))
    elif kind == "empty":
        content = bytearray()
    file.write_bytes(content)
    if kind == "gone":
        file.unlink()
    with pytest.raises(CacheDamaged):
        held = reopen(folder)
        try:
            with held.reading() as reading:
                list(reading.find("Patient"))
                list(reading.find("Appointment"))
                reading.acts()
        finally:
            held.close()
    assert file.exists() == (kind != "gone")
    if kind != "cut short":
        assert not file.exists() or file.read_bytes() == bytes(content)


def test_that_a_newer_schema_is_told_and_left_alone(folder: Path) -> None:
    connection = connect(folder / "cache.db", KEY, cache_kib=CACHE_KIB)
    connection.execute(f"PRAGMA user_version={NEWEST + 1}")
    connection.close()
    with pytest.raises(CacheTooNew):
        reopen(folder)
    assert [act.op_id for act in salvage_outbox(folder, KEY)] == ["act-1"]


def test_that_damage_inside_is_found_by_the_doctor(folder: Path) -> None:
    assert integrity_problems(folder, KEY) == ()
    file = folder / "cache.db"
    content = bytearray(file.read_bytes())
    content[len(content) // 2] ^= 255
    file.write_bytes(content)
    assert integrity_problems(folder, KEY)
    content[20] ^= 255
    file.write_bytes(content)
    assert integrity_problems(folder, KEY)


def test_that_the_doctor_says_when_there_is_no_schema(tmp_path: Path) -> None:
    connect(tmp_path / "cache.db", KEY, cache_kib=CACHE_KIB).execute("CREATE TABLE x (y)").connection.close()
    assert integrity_problems(tmp_path, KEY) == ("no schema",)


# salvage


def test_that_unsent_acts_are_rescued_without_writing_to_the_file(folder: Path) -> None:
    before = (folder / "cache.db").read_bytes()
    (act,) = salvage_outbox(folder, KEY)
    assert (act.op_id, act.state, act.who_name, act.is_whole) == ("act-1", "queued", "Kari", True)
    assert b'"transaction"' in act.bundle
    assert act.resources[0]["resourceType"] == "Observation"
    assert (folder / "cache.db").read_bytes() == before
    with pytest.raises(WrongKey):
        (folder / "cache.mark").unlink()
        salvage_outbox(folder, OTHER)


def test_that_finished_acts_are_not_rescued_and_half_of_an_act_is_told_as_half(folder: Path) -> None:
    held = reopen(folder)
    move(held, "act-1", ActState.SENDING, ActState.APPLIED)
    insert(held, new_act(entry(Maker(4).observation("Patient/p", 0)), op_id="act-2"))
    held.writer.run(lambda w: w._driver.execute("DELETE FROM outbox_ref WHERE op_id = 'act-2'"))
    held.close()
    (act,) = salvage_outbox(folder, KEY)
    assert (act.op_id, act.is_whole) == ("act-2", False)


def test_that_acts_are_rescued_from_a_file_with_a_damaged_page(tmp_path: Path) -> None:
    held = reopen(tmp_path)
    maker = Maker(4)
    for number in range(120):
        raws = [maker.note("Patient/p", 0) for _ in range(3)]
        insert(held, new_act(*(entry(raw) for raw in raws), op_id=f"act-{number:03}"))
    held.close()
    file = tmp_path / "cache.db"
    pages = len(file.read_bytes()) // 8192
    rescued: list[int] = []
    for page in range(1, pages, 7):
        content = bytearray(file.read_bytes())
        content[page * 8192 + 4000] ^= 255
        copy = tmp_path / f"copy{page}"
        copy.mkdir()
        (copy / "cache.db").write_bytes(content)
        (copy / "cache.mark").write_bytes((tmp_path / "cache.mark").read_bytes())
        try:
            acts = salvage_outbox(copy, KEY)
        except CacheDamaged:  # a page of the schema itself
            rescued.append(0)
            continue
        assert all(act.resources or not act.is_whole for act in acts)
        rescued.append(len(acts))
    assert max(rescued) == 120
    assert sorted(rescued)[len(rescued) // 2] >= 90  # a page holds about twenty acts


# a full disk


def test_that_a_full_disk_undoes_the_whole_act_and_work_goes_on_when_there_is_room(folder: Path) -> None:
    held = reopen(folder)
    maker = Maker(9)
    pages = held.writer.run(lambda w: w._driver.execute("PRAGMA page_count").fetchone()[0])
    held.writer.run(lambda w: w._driver.execute(f"PRAGMA max_page_count={pages + 2}").fetchone())

    def act(writing: Any) -> None:
        writing.keep.set("half", "done")
        for _ in range(400):
            raw = maker.note("Patient/p", 0)
            act = new_act(entry(raw))
            writing.outbox.insert(act)
            writing.put_overlay(ref(raw), act.op_id, raw)

    with pytest.raises(DiskFull):
        held.writer.run(act, durable=True)
    with held.reading() as reading:
        assert [one.op_id for one in reading.acts()] == ["act-1"]
        assert list(reading.find("DocumentReference", status="current", patient="Patient/p")) == []
    assert held.writer.run(lambda w: w.keep.get("half")) is None
    held.writer.run(lambda w: w._driver.execute("PRAGMA max_page_count=1000000").fetchone())
    held.writer.run(act, durable=True)
    with held.reading() as reading:
        assert len(reading.acts()) == 401
    held.close()
    assert integrity_problems(folder, KEY) == ()


# migrations


def columns(connection: Any, table: str) -> dict[str, tuple[str, bool]]:
    rows = connection.execute(f"PRAGMA table_info({table})").fetchall()
    return {row[1]: (row[2], bool(row[5])) for row in rows}


def test_that_the_tables_as_described_are_the_tables_that_are_made(folder: Path) -> None:
    connection = connect(folder / "cache.db", KEY, cache_kib=CACHE_KIB)
    for table in METADATA.sorted_tables:
        made = columns(connection, table.name)
        assert list(made) == [column.name for column in table.columns], table.name
        for column in table.columns:
            assert made[column.name][1] == column.primary_key, f"{table.name}.{column.name}"
    (sql,) = connection.execute("SELECT sql FROM sqlite_master WHERE name = 'resource_open'").fetchone()
    assert f"type = {NUMBER['Task']}" in sql
    connection.close()


@pytest.mark.parametrize("start", range(1, NEWEST))
def test_that_each_schema_is_reached_from_the_one_before_with_a_full_outbox(
    tmp_path: Path, start: int
) -> None:
    connection = connect(tmp_path / "cache.db", KEY, cache_kib=CACHE_KIB)
    connection.execute("PRAGMA journal_mode=WAL").fetchone()
    assert migrate(connection, DAY, to=start) == 0
    names = "op_id, group_id, kind, aggregate, patient, who, who_name, workplace, label, state, created, provenance, bundle"
    label = '{"domain":"cache","msgid":"x","params":{},"context":""}'
    for number in range(200):
        values = (f"op{number}", "g", "k", "Patient/p", "Patient/p", "w", "n", "o", label, "queued")
        connection.execute(
            f"INSERT INTO outbox ({names}) VALUES ({','.join('?' * 13)})",
            (*values, "2026-03-03T00:00:00.000000+00:00", b"\0{}", b"bytes"),
        )
    for number in range(start + 1, NEWEST + 1):
        assert migrate(connection, DAY, to=number) == number - 1
        assert version_of(connection) == number
        assert connection.execute("SELECT count(*) FROM outbox WHERE bundle = ?", (b"bytes",)).fetchone() == (
            200,
        )
    connection.close()
    held = reopen(tmp_path)
    with held.reading() as reading:
        assert len(reading.acts()) == 200
    held.close()


def test_that_a_step_that_fails_leaves_the_file_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = connect(tmp_path / "cache.db", KEY, cache_kib=CACHE_KIB)
    migrate(connection, DAY, to=1)
    connection.execute("CREATE INDEX outbox_patient ON kv (key)")
    with pytest.raises(Exception, match="already exists"):
        migrate(connection, DAY)
    assert version_of(connection) == 1
    assert connection.execute("SELECT max(version) FROM schema_version").fetchone() == (1,)
    connection.close()
    assert len(STEPS) == NEWEST


def test_that_an_older_index_is_built_anew_at_opening(folder: Path) -> None:
    held = reopen(folder)
    held.writer.run(lambda w: (w._driver.execute("DELETE FROM fts"), w.keep.set("index_version", "0")))
    with held.reading() as reading:
        assert reading.search_patients(["1"]) == []
    held.close()
    held = reopen(folder)
    with held.reading() as reading:
        assert reading.search_patients(["1"])
    assert held.writer.run(lambda w: w.keep.get("index_version")) == declared.INDEX_VERSION
    held.close()


def test_that_maintenance_gathers_statistics(folder: Path) -> None:
    held = reopen(folder)
    held.maintain()
    with held.reading() as reading:
        assert reading._execute("SELECT count(*) FROM sqlite_stat1").fetchone()[0] > 5
    held.close()
    assert opening.FILE == "cache.db"
    assert get is not None
