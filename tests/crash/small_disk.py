"""Works on a disk that is really full, until it is not: `python -m tests.crash.small_disk FOLDER`.

FOLDER is a file system of a few MiB with nothing else on it. Prints what was told and what is there.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from clinician import texts
from clinician.cache import keys
from clinician.embedded.server import RecordApp
from clinician.errors import DiskFull
from clinician.settings import Settings
from tests.crash.work import Work, look


class SmallDisk:
    """One file beside the data takes up the room that is to be missing."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._ballast = folder / "ballast"
        self.refused = 0

    def leave(self, room: int) -> None:
        """So many bytes and no more."""
        self.make_room()
        free = shutil.disk_usage(self._folder).free
        self._ballast.write_bytes(bytes(max(0, free - room)))

    def make_room(self) -> None:
        self._ballast.unlink(missing_ok=True)

    def until_full(self, do: Callable[[], Any], most: int) -> None:
        """The same thing until it is refused, in plain words."""
        for _ in range(most):
            try:
                do()
            except DiskFull as problem:
                assert "Frigjør plass på disken" in str(problem.text), str(problem.text)
                self.refused += 1
                return


def main() -> None:
    texts.set_language("nb")
    folder, said = Path(sys.argv[1]), list[tuple[Any, ...]]()
    disk = SmallDisk(folder)
    work = Work(folder / "data" / "cache", random.Random(3), said.append)
    opening(disk, work, folder)
    own_record(disk, folder)
    for room in (60_000, 150_000, 400_000):
        for do in (work.act, work.draft, lambda: paged(work), work.checkpoint):
            disk.leave(room)
            disk.until_full(do, 60)
            disk.make_room()
            work.act()
        disk.leave(0)
        disk.until_full(work.act, 60)
        work.close()
        disk.make_room()
        work.open()
    work.close()
    loss = look(work.folder, said)
    told = sum(kind == "act" for kind, *_ in said)
    json.dump(
        {"told": told, "refused": disk.refused, "lost": loss.lost, "torn": loss.torn, "broken": loss.broken},
        sys.stdout,
    )


def opening(disk: SmallDisk, work: Work, folder: Path) -> None:
    """No room for a key, a lock or a database; then room."""
    for room in (0, 4096, 8192, 20_000, 60_000, 120_000):
        disk.leave(room)
        disk.until_full(lambda: keys.open_key(folder / "data", secret="s"), 1)
        disk.until_full(lambda: Settings.load(folder / "data").set("ui.size", 1), 1)
        disk.until_full(lambda: opened(work), 1)
    disk.make_room()
    key = keys.open_key(folder / "data", secret="s")
    assert keys.open_key(folder / "data", secret="s") == key
    work.open()


def own_record(disk: SmallDisk, folder: Path) -> None:
    """The record of one PC, which is a file on the same disk: a full one is not told as damage."""
    file = folder / "record.sqlite"
    RecordApp(file).close()
    before = disk.refused
    for room in (0, 8192):
        disk.leave(room)
        disk.until_full(lambda: RecordApp(file).close(), 1)
    disk.make_room()
    assert disk.refused == before + 2, "a record opened without room"
    RecordApp(file).close()
    for left in folder.glob("record.*"):
        left.unlink()


def opened(work: Work) -> None:
    work.open()
    work.close()


def paged(work: Work) -> None:
    before = work.pages
    try:
        work.page()
    except DiskFull:
        work.pages = before
        raise


if __name__ == "__main__":
    main()
