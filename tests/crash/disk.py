"""A disk that remembers every write, and can say what it might hold after the power went at any moment.

What is promised is only what was flushed: a file's bytes by its own sync, a name by a sync of its
folder. Of everything later any part may be there: whole writes, single sectors or pages of them, older
ones over newer ones, or sectors of noise. Noise stays inside what was being written, which is what
SQLite's POWERSAFE_OVERWRITE takes for granted of a disk.
"""

from __future__ import annotations

import random
import threading
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

FOLDER: Final = -1
"""The inode of every folder: only its name matters."""
MODES: Final = ("nothing", "prefix", "writes", "sectors", "pages", "noise", "everything")
_GRAIN: Final = {"sectors": 512, "noise": 512, "pages": 4096}


@dataclass(frozen=True, slots=True)
class Op:
    """One call below the file system. kind: write, cut, sync, names, sync names, said."""

    kind: str
    inode: int = 0
    at: int = 0
    body: bytes = b""
    folder: str = ""
    names: tuple[tuple[str, int | None], ...] = ()
    said: Any = None


@dataclass
class Disk:
    """The log. `names` is what the running program sees: path → inode."""

    log: list[Op] = field(default_factory=list)
    names: dict[str, int] = field(default_factory=dict)
    _lock: Any = field(default_factory=threading.RLock)
    _inodes: int = 0

    def inode(self, path: str) -> int:
        """The file of a path; a new one where there is none."""
        with self._lock:
            if path not in self.names:
                self._inodes += 1
                self.name({path: self._inodes})
            return self.names[path]

    def name(self, names: dict[str, int | None]) -> None:
        """Names of one folder change at once: made, removed, or both in a rename."""
        with self._lock:
            for path, inode in names.items():
                if inode is None:
                    self.names.pop(path, None)
                else:
                    self.names[path] = inode
            folder = str(Path(next(iter(names))).parent)
            self.log.append(Op("names", folder=folder, names=tuple(names.items())))

    def write(self, inode: int, at: int, body: bytes) -> None:
        self.log.append(Op("write", inode, at, body))

    def cut(self, inode: int, size: int) -> None:
        self.log.append(Op("cut", inode, size))

    def sync(self, inode: int) -> None:
        self.log.append(Op("sync", inode))

    def sync_names(self, folder: str) -> None:
        self.log.append(Op("sync names", folder=folder))

    def say(self, what: Any) -> None:
        """The program told a person something; from here on it must be true for ever."""
        self.log.append(Op("said", said=what))


class PowerCut:
    """Goes through a log; at each place it can say what a disk might hold. Only forward."""

    def __init__(self, log: list[Op]) -> None:
        self._log = log
        self._place = 0
        self.said: list[Any] = []
        self._kept: dict[int, bytearray] = defaultdict(bytearray)
        self._open: dict[int, list[Op]] = defaultdict(list)
        self._names: dict[str, int] = {}
        self._open_names: dict[str, list[Op]] = defaultdict(list)
        self._folders: set[str] = set()

    def go(self, place: int) -> None:
        """On to the moment before operation number `place`."""
        for op in self._log[self._place : place]:
            self._take(op)
        self._place = place

    def _take(self, op: Op) -> None:
        match op.kind:
            case "said":
                self.said.append(op.said)
            case "write" | "cut":
                self._open[op.inode].append(op)
            case "sync":
                for done in self._open.pop(op.inode, []):
                    _apply(self._kept[op.inode], done)
            case "names":
                self._open_names[op.folder].append(op)
                self._folders |= {path for path, inode in op.names if inode == FOLDER}
            case "sync names":
                for done in self._open_names.pop(op.folder, []):
                    _rename(self._names, done)

    def found(self, mode: str, dice: random.Random) -> dict[str, bytes]:
        """What the disk holds now: path → content."""
        names = dict(self._names)
        for changes in self._open_names.values():
            for op in _some(changes, mode, dice):
                _rename(names, op)
        return {
            path: self._content(inode, mode, dice)
            for path, inode in names.items()
            if inode != FOLDER and all(str(f) in names for f in Path(path).parents if str(f) in self._folders)
        }

    def _content(self, inode: int, mode: str, dice: random.Random) -> bytes:
        body = bytearray(self._kept[inode])
        for op in _some(self._open.get(inode, []), mode, dice):
            if op.kind == "write" and mode in _GRAIN:
                _tear(body, op, mode, dice)
            else:
                _apply(body, op)
        return bytes(body)


def _some(ops: list[Op], mode: str, dice: random.Random) -> list[Op]:
    """Which of the operations that nobody flushed came to the disk, and in which order."""
    if mode == "nothing":
        return []
    if mode == "everything":
        return ops
    if mode == "prefix":
        return ops[: dice.randint(0, len(ops))]
    share = dice.choice((0.1, 0.5, 0.9))
    chosen = [op for op in ops if dice.random() < share]
    if dice.random() < 0.3:
        dice.shuffle(chosen)
    return chosen


def _apply(body: bytearray, op: Op) -> None:
    if op.kind == "cut":
        del body[op.at :]
        body.extend(bytes(op.at - len(body)))
        return
    if len(body) < op.at:
        body.extend(bytes(op.at - len(body)))
    body[op.at : op.at + len(op.body)] = op.body


def _tear(body: bytearray, op: Op, mode: str, dice: random.Random) -> None:
    """Sector by sector (as the disk counts them): the new one, the old one, or noise."""
    grain = _GRAIN[mode]
    share = dice.choice((0.2, 0.5, 0.9, 1.0))
    at, end = op.at, op.at + len(op.body)
    while at < end:
        stop = min(end, (at // grain + 1) * grain)
        piece = op.body[at - op.at : stop - op.at]
        if dice.random() < share:
            if mode == "noise" and dice.random() < 0.2:
                piece = dice.randbytes(len(piece))
            _apply(body, Op("write", 0, at, piece))
        at = stop


def _rename(names: dict[str, int], op: Op) -> None:
    for path, inode in op.names:
        if inode is None:
            names.pop(path, None)
        else:
            names[path] = inode
