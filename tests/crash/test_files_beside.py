"""What lies beside the database - key, mark, settings, layouts - and its opening, when the power goes."""

from __future__ import annotations

import os
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from clinician.cache import keys
from clinician.cache.attachment_files import AttachmentFiles
from clinician.cache.driver import CACHE_KIB, connect
from clinician.cache.migrations import NEWEST, migrate, version_of
from clinician.cache.open import integrity_problems, open_cache
from clinician.clock import FrozenClock
from clinician.durable import write_whole
from clinician.errors import ClinicianError, WrongKey
from clinician.events import Events
from clinician.layouts.load import publish, take_back
from clinician.settings import Settings
from tests.clinician.cache.conftest import KEY
from tests.clinician.cache.samples import DAY
from tests.crash.disk import MODES, Disk, Op, PowerCut
from tests.crash.fault_vfs import FaultVfs
from tests.crash.os_calls import OsCalls

LAYOUT = 'schema = 1\nid = "solvik"\ntitle = "{}"\n'


def recorded(root: Path, work: Callable[[Callable[[Any], None]], None]) -> list[Op]:
    """Everything below `root`, by SQLite and by Python, in one log."""
    disk = Disk()
    with FaultVfs(disk).installed(), OsCalls(disk, root).logged():
        work(disk.say)
    return disk.log


def lay_out(cut: PowerCut, mode: str, dice: random.Random, root: Path, there: Path) -> None:
    shutil.rmtree(there, ignore_errors=True)
    there.mkdir()
    for path, body in cut.found(mode, dice).items():
        file = there / Path(path).relative_to(root)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)


def places(log: list[Op], cuts: int, dice: random.Random) -> list[int]:
    """Mostly where names change and files outside SQLite are written."""
    marked = [place for place, op in enumerate(log) if op.kind in ("names", "sync names", "said", "sync")]
    near = [place + step for place in marked for step in (0, 1)]
    return sorted(min(dice.choice(near), len(log)) for _ in range(cuts))


def test_that_the_key_is_there_whenever_a_cache_is(tmp_path: Path) -> None:
    root, there, dice = tmp_path / "data", tmp_path / "found", random.Random(4)

    def work(say: Callable[[Any], None]) -> None:
        key = keys.open_key(root, secret="first")
        say(("key", key, "first"))
        open_cache(root / "cache" / "w", key, clock=FrozenClock(DAY), events=Events()).close()
        say(("opened", key, "first"))
        keys.rewrap(root, key, "second")
        say(("rewrapped", key, "second"))

    log = recorded(root, work)
    key = next(op.said[1] for op in log if op.kind == "said")
    cut = PowerCut(log)
    for place in places(log, 24, dice):
        cut.go(place)
        lay_out(cut, dice.choice(MODES), dice, root, there)
        found = _key(there, ["first", "second"])
        if cut.said:
            assert found == key, cut.said[-1][0]
        cached = there / "cache" / "w" / "cache.db"
        if cached.exists() and cached.stat().st_size:
            assert found == key
        with FaultVfs(logs=False).installed():
            open_cache(there / "cache" / "w", found, clock=FrozenClock(DAY), events=Events()).close()


def _key(folder: Path, secrets: list[str]) -> bytes:
    for secret in secrets[:-1]:
        try:
            return keys.open_key(folder, secret=secret)
        except WrongKey:
            continue
    return keys.open_key(folder, secret=secrets[-1])


def test_that_a_migration_is_whole_or_has_not_been(tmp_path: Path) -> None:
    """An older schema with a full outbox, opened by this program, the power gone on the way."""
    root, there, dice = tmp_path / "data", tmp_path / "found", random.Random(5)
    root.mkdir()

    def work(say: Callable[[Any], None]) -> None:
        old = connect(root / "cache.db", KEY, cache_kib=CACHE_KIB)
        old.execute("PRAGMA journal_mode=WAL").fetchone()
        migrate(old, DAY, to=1)
        fill_outbox(old)
        say(("old", 1))
        old.close()
        open_cache(root, KEY, clock=FrozenClock(DAY), events=Events()).close()
        say(("new", NEWEST))

    log = recorded(root, work)
    begun = next(place for place, op in enumerate(log) if op.kind == "said")
    cut, seen = PowerCut(log), set()
    for place in sorted(dice.randrange(begun + 1, len(log) + 1) for _ in range(60)):
        cut.go(place)
        lay_out(cut, dice.choice(MODES), dice, root, there)
        with FaultVfs(logs=False).installed():
            connection = connect(there / "cache.db", KEY, cache_kib=CACHE_KIB)
            before = version_of(connection)
            connection.close()
            assert before in (1, NEWEST) and before >= cut.said[-1][1]
            seen.add(before)
            cache = open_cache(there, KEY, clock=FrozenClock(DAY), events=Events())
            with cache.reading() as reading:
                assert len(reading.acts()) == 50
            cache.close()
            assert integrity_problems(there, KEY) == ()
    assert seen == {1, NEWEST}, "the cuts fell on one side only"


def fill_outbox(connection: Any) -> None:
    names = "op_id, group_id, kind, aggregate, patient, who, who_name, workplace, label, state, created, provenance"
    label = '{"domain":"cache","msgid":"x","params":{},"context":""}'
    for number in range(50):
        values = (f"op{number}", "g", "k", "Patient/p", "Patient/p", "w", "n", "o", label, "queued")
        connection.execute(
            f"INSERT INTO outbox ({names}) VALUES ({','.join('?' * 12)})",
            (*values, "2026-03-03T00:00:00.000000+00:00", b"\0{}"),
        )


def test_that_a_large_document_is_whole_before_any_row_names_it(tmp_path: Path) -> None:
    root, there, dice = tmp_path / "data", tmp_path / "found", random.Random(8)
    root.mkdir()
    bodies = [b"%PDF-1.7\n" + dice.randbytes(90_000) + b"\n%%EOF\n" for _ in range(4)]

    def work(say: Callable[[Any], None]) -> None:
        files = AttachmentFiles(root / "files")
        for body in bodies:
            taken = files.stage([body[:50_000], body[50_000:]], limit=10**6, name_key=KEY)
            say((taken.name, taken.key, body))

    log = recorded(root, work)
    cut = PowerCut(log)
    for place in range(len(log) + 1):
        cut.go(place)
        for mode in MODES:
            lay_out(cut, mode, dice, root, there)
            found = AttachmentFiles(there / "files")
            for name, key, body in cut.said:
                assert b"".join(found.pieces(name, key)) == body
    assert len(cut.said) == 4


def test_that_settings_and_layouts_are_the_old_or_the_new(tmp_path: Path) -> None:
    root, there, dice = tmp_path / "data", tmp_path / "found", random.Random(6)
    layout = root / "layouts" / "municipality.toml"

    def work(say: Callable[[Any], None]) -> None:
        settings = Settings.load(root)
        for number in range(6):
            settings.set("ui.size", number)
            say(("size", number))
            publish(layout, LAYOUT.format(number), views=())
            say(("layout", number))
        take_back(layout)
        say(("layout", 4))

    log = recorded(root, work)
    cut = PowerCut(log)
    for place in range(len(log) + 1):
        cut.go(place)
        for mode in MODES:
            lay_out(cut, mode, dice, root, there)
            told = dict(cut.said)
            settings = Settings.load(there)
            assert settings.problems == []
            assert settings.get("ui.size", -1) >= told.get("size", -1)
            found = there / "layouts" / "municipality.toml"
            whole = [LAYOUT.format(n).encode() for n in range(6)]
            if "layout" in told:
                assert found.read_bytes() in whole
                assert whole.index(found.read_bytes()) in (told["layout"], told["layout"] + 1, 4)
            elif found.exists():
                assert found.read_bytes() == whole[0]


def test_that_a_whole_file_is_the_old_or_the_new_and_a_plain_write_is_not(tmp_path: Path) -> None:
    """The same cuts over `write_whole` and over what it replaced: only one of them may pass."""

    def plain(file: Path, content: bytes) -> None:
        handle = os.open(f"{file}.new", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.write(handle, content)
        os.close(handle)
        Path(f"{file}.new").replace(file)

    assert _faults(tmp_path / "whole", write_whole) == 0
    assert _faults(tmp_path / "plain", plain) > 0


def _faults(root: Path, write: Callable[[Path, bytes], None]) -> int:
    dice, file = random.Random(7), root / "file"
    bodies = [bytes([65 + number]) * 1500 for number in range(4)]

    root.mkdir()

    def work(say: Callable[[Any], None]) -> None:
        for number, body in enumerate(bodies):
            write(file, body)
            say(number)

    log = recorded(root, work)
    cut, faults = PowerCut(log), 0
    for place in range(len(log) + 1):
        cut.go(place)
        for mode in MODES:
            found = cut.found(mode, dice).get(str(file))
            allowed = bodies[cut.said[-1] :] if cut.said else [None, *bodies]
            faults += found not in allowed
    return faults


@pytest.mark.parametrize("kind", ["empty mark", "no mark"])
def test_that_a_mark_that_was_never_finished_does_not_lock_the_cache(tmp_path: Path, kind: str) -> None:
    open_cache(tmp_path, KEY, clock=FrozenClock(DAY), events=Events()).close()
    mark = tmp_path / "cache.mark"
    mark.write_bytes(b"") if kind == "empty mark" else mark.unlink()
    open_cache(tmp_path, KEY, clock=FrozenClock(DAY), events=Events()).close()
    assert mark.stat().st_size
    with pytest.raises(ClinicianError):
        open_cache(tmp_path, bytes(32), clock=FrozenClock(DAY), events=Events())
