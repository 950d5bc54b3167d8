"""A day's work in small, told as it is done, and the look afterwards at what is still there."""

from __future__ import annotations

import random
import uuid
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import orjson

from clinician.cache.acts import ActState
from clinician.cache.keep import Draft
from clinician.cache.open import Cache, integrity_problems, open_cache
from clinician.cache.synced import Watermark
from clinician.clock import FrozenClock
from clinician.commands.act import Act, Change, Stamp
from clinician.events import Events
from clinician.texts import lazy
from tests.clinician.cache.conftest import KEY
from tests.clinician.cache.samples import DAY, Maker, row
from tests.clinician.commands.desk import WHO, Any_, Desk

L = lazy("commands")
PAGE = 12
Say = Callable[[tuple[Any, ...]], None]


def visit(desk: Desk, parts: int = 2) -> str:
    """One act of new resources; its op_id. What was told is durable."""
    raws = [desk.make.note("Patient/p", 0) for _ in range(parts)]

    def build(_reading: Any, _stamp: Stamp) -> tuple[Act, ...]:
        return (Act("visit", "Patient/p", tuple(Change(raw) for raw in raws), L("Visit")),)

    (op_id,) = desk.bus.run(Any_(build, needs=("*.cu",)), WHO).op_ids
    return op_id


@dataclass
class Work:
    """Acts, drafts, pages, sending and checkpoints in any order, as the dice fall. `say` hears what was told."""

    folder: Path
    dice: random.Random
    say: Say
    desk: Desk = field(init=False)
    pages: int = 0
    drafts: int = 0
    _queued: list[str] = field(default_factory=list)
    _sent: list[str] = field(default_factory=list)

    def open(self) -> None:
        self.desk = Desk(self.folder)
        self.desk.make = Maker(self.dice.getrandbits(60))
        self.say(("opened",))

    def close(self) -> None:
        self.desk.cache.close()

    def step(self) -> None:
        kinds = {
            self.act: 8,
            self.draft: 5,
            self.page: 5,
            self.claim: 3,
            self.settle: 3,
            self.withdraw: 1,
            self.checkpoint: 1,
            self.reopen: 0.5,
        }
        self.dice.choices(list(kinds), list(kinds.values()))[0]()

    def act(self) -> None:
        op_id = visit(self.desk, self.dice.randint(1, 3))
        self._queued.append(op_id)
        self.say(("act", op_id))

    def draft(self) -> None:
        self.drafts += 1
        words = f"typed {self.drafts}"
        draft = Draft(WHO.practitioner_ref, "Patient/p", "note", words, DAY)
        self.desk.cache.writer.run(lambda w: w.keep.set_draft(draft), durable=True)
        self.say(("draft", self.drafts))

    def page(self) -> None:
        """As a download stores one: rows and mark in one transaction that nobody waits for."""
        number = self.pages = self.pages + 1
        rows = [row(page_row(number, place)) for place in range(PAGE)]
        mark = Watermark("pages", "Observation", DAY + timedelta(seconds=number))

        def work(writing: Any) -> None:
            writing.put_synced(rows)
            writing.marks.set_watermark(mark)

        self.desk.cache.writer.run(work)

    def claim(self) -> None:
        """As upload does before a request leaves: from now on the record may have it."""
        if self._queued:
            op_id = self._queued.pop(0)
            self.desk.cache.writer.run(
                lambda w: w.outbox.transition(op_id, ActState.QUEUED, ActState.SENDING, sent_at=DAY),
                durable=True,
            )
            self._sent.append(op_id)
            self.say(("sent", op_id))

    def settle(self) -> None:
        if self._sent:
            op_id = self._sent.pop(0)

            def work(writing: Any) -> None:
                entries = writing.outbox.entries(op_id)
                writing.put_synced([row(entry.raw, "2", DAY) for entry in entries])
                writing.outbox.applied(op_id, {entry.ref: "2" for entry in entries})

            self.desk.cache.writer.run(work, durable=True)
            self.say(("applied", op_id))

    def withdraw(self) -> None:
        if self._queued:
            op_id = self._queued.pop()
            self.desk.bus.withdraw(op_id, WHO)
            self.say(("withdrawn", op_id))

    def checkpoint(self) -> None:
        self.desk.cache.maintain()

    def reopen(self) -> None:
        self.close()
        self.open()


def page_row(page: int, place: int) -> dict[str, Any]:
    """A resource of a page; the same whenever it is asked for."""
    raw = Maker(page * 1000 + place).observation("Patient/p", 0)
    return raw | {"id": str(uuid.UUID(int=page << 64 | place, version=4))}


@dataclass
class Loss:
    """What should be there and is not; every list empty is the promise kept."""

    lost: list[str] = field(default_factory=list)
    torn: list[str] = field(default_factory=list)
    broken: list[str] = field(default_factory=list)

    def __bool__(self) -> bool:
        return bool(self.lost or self.torn or self.broken)


def look(folder: Path, said: Iterable[tuple[Any, ...]]) -> Loss:
    """Open what was left with our own code and compare it with what was told. The wrong-key and salvage
    ways are not for this: whatever the opening raises is raised.
    """
    loss = Loss()
    cache = open_cache(folder, KEY, clock=FrozenClock(DAY), events=Events())
    try:
        _compare(cache, list(said), loss)
        _go_on(cache, loss)
    finally:
        cache.close()
    loss.broken += integrity_problems(folder, KEY)
    return loss


def _compare(cache: Cache, said: list[tuple[Any, ...]], loss: Loss) -> None:
    with cache.reading() as reading:
        run = reading._execute  # type: ignore[attr-defined]  # the tables themselves are looked at here
        states = dict(run("SELECT op_id, state FROM outbox").fetchall())
        signed = _by_op(run("SELECT op_id, ref FROM outbox_ref").fetchall())
        laid = Counter(op for (op,) in run("SELECT op_id FROM overlay").fetchall())
        audits = Counter(ref for (body,) in run("SELECT body FROM audit") for ref in _created(body))
    _told(said, states, loss)
    if set(signed) != set(states):
        loss.torn.append("acts without resources, or resources without an act")
    loss.torn += [f"overlay of no act: {op}" for op in set(laid) - set(states)]
    for op_id, refs in signed.items():
        over = states.get(op_id) not in ("applied", "withdrawn")
        if laid[op_id] != (len(refs) if over else 0):
            loss.torn.append(f"{laid[op_id]} overlays for {len(refs)} resources, {states.get(op_id)}")
        if any(audits.pop(ref, 0) != 1 for ref in refs):
            loss.torn.append("an act without its audit")
    if audits:
        loss.torn.append("an audit without its act")
    cache.writer.run(lambda writing: _drafts_and_marks(writing, said, loss))


def _by_op(rows: list[tuple[str, str]]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for op_id, ref in rows:
        found.setdefault(op_id, []).append(ref)
    return found


def _created(body: bytes) -> list[str]:
    event = orjson.loads(body)
    if event.get("action") != "C":
        return []
    refs = [str(entity.get("what", {}).get("reference", "")) for entity in event.get("entity", [])]
    return [ref for ref in refs if ref.startswith("DocumentReference/")]


_AT_LEAST = {
    "act": frozenset(ActState),
    "sent": frozenset(ActState) - {ActState.QUEUED, ActState.DRAFT},
    "applied": frozenset({ActState.APPLIED}),
    "withdrawn": frozenset({ActState.WITHDRAWN}),
}


def _told(said: list[tuple[Any, ...]], states: dict[str, str], loss: Loss) -> None:
    for kind, *rest in said:
        if kind in _AT_LEAST and states.get(rest[0]) not in _AT_LEAST[kind]:
            loss.lost.append(f"{kind}: {states.get(rest[0])}")


def _drafts_and_marks(writing: Any, said: list[tuple[Any, ...]], loss: Loss) -> None:
    typed = writing.keep.draft(WHO.practitioner_ref, "Patient/p", "note")
    told = max((rest[0] for kind, *rest in said if kind == "draft"), default=0)
    if int(typed.removeprefix("typed ") or 0) < told:
        loss.lost.append(f"draft {told}, found {typed!r}")
    mark = writing.marks.watermark("pages")
    pages = 0 if mark is None else int((mark.mark - DAY).total_seconds())
    for page in range(1, pages + 1):
        missing = [
            p for p in range(PAGE) if writing.version_of(f"Observation/{page_row(page, p)['id']}") is None
        ]
        if missing:
            loss.torn.append(f"the mark stands past page {page}, of which {len(missing)} rows are missing")
    if len(writing.versions("Observation")) != pages * PAGE:
        loss.torn.append("rows without their mark")


def _go_on(cache: Cache, loss: Loss) -> None:
    """And work goes on: one more draft."""
    draft = Draft(WHO.practitioner_ref, "Patient/q", "after", "on", DAY)
    cache.writer.run(lambda w: w.keep.set_draft(draft), durable=True)
