"""Attachments as rows: which document each belongs to, where its content lies, how far it has come.

    waiting ──▶ sent          added here; the act that names it waits until it is at the record
       ▲ └────▶ refused ──▶ waiting | (gone with its act)
       └──────────┘
    wanted ──▶ here | wrong | absent          at the record; fetched, and proved before anybody sees it

What is not yet at the record (waiting, refused) is never evicted. A sent or fetched one may be, for it can be
fetched again.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

import sqlalchemy as sa

from clinician.cache import tables
from clinician.cache.acts import TERMINAL, ActState
from clinician.cache.attachment_files import Taken, part_name
from clinician.cache.sealed import new_key

ATTACHMENT: Final = "Attachment"
"""The type under which a moved attachment is announced, as 'Attachment/<id of the Binary>'."""
_TABLE: Final = tables.attachment
_NAME_KEY: Final = "attachments.name_key"


class FileState(StrEnum):
    """How far the content of a document has come."""

    WAITING = "waiting"
    REFUSED = "refused"
    SENT = "sent"
    WANTED = "wanted"
    HERE = "here"
    WRONG = "wrong"
    ABSENT = "absent"


UNSENT: Final = frozenset({FileState.WAITING, FileState.REFUSED})
READABLE: Final = UNSENT | {FileState.SENT, FileState.HERE}
"""Whose content lies here, proved."""


@dataclass(frozen=True, slots=True)
class NewFile:
    """Content taken in, for the document of an act. ref: the 'Binary/<uuid>' it becomes."""

    ref: str
    document_ref: str
    taken: Taken


@dataclass(frozen=True, slots=True)
class FileRow:
    """One attachment. size, done: bytes; done: of the upload or download under way. used: UTC."""

    ref: str
    document_ref: str
    patient_ref: str
    op_id: str
    content_type: str
    size: int
    sha256: str
    sha1: str
    state: FileState
    name: str
    attempts: int
    done: int
    last_status: int | None
    last_issue: str
    used: datetime


@dataclass(frozen=True, slots=True)
class Wanted:
    """Content to fetch, as its document describes it. size -1, sha '': the document does not say."""

    ref: str
    document_ref: str
    patient_ref: str
    content_type: str
    size: int
    sha1: str = ""
    sha256: str = ""


class AttachmentReader:
    """Reads the rows on any connection."""

    def __init__(self, connection: sa.Connection) -> None:
        self._connection = connection

    def get(self, ref: str) -> FileRow | None:
        """One attachment by its 'Binary/…'."""
        found = self._rows(_TABLE.c.ref == ref)
        return found[0] if found else None

    def of_patient(self, patient_ref: str) -> tuple[FileRow, ...]:
        """Everything of one patient that has a row here."""
        return self._rows(_TABLE.c.patient == patient_ref)

    def in_state(self, *states: FileState) -> tuple[FileRow, ...]:
        """Rows in these states, those used longest ago first."""
        return self._rows(_TABLE.c.state.in_(sorted(states)))

    def unsent(self) -> tuple[FileRow, ...]:
        """What is not yet at the record."""
        return self._rows(sa.text("state IN ('waiting', 'refused')"))

    def content(self, ref: str) -> tuple[bytes | None, bytes]:
        """(the content where it lies in the row, the key of its file where not)."""
        row = self._connection.execute(
            sa.select(_TABLE.c.content, _TABLE.c.file_key).where(_TABLE.c.ref == ref)
        ).one()
        return row.content, row.file_key

    def _rows(self, *wanted: Any) -> tuple[FileRow, ...]:
        columns = [column for column in _TABLE.c if column.name not in ("content", "file_key")]
        asked = sa.select(*columns).where(*wanted).order_by(_TABLE.c.used, _TABLE.c.ref)
        return tuple(_row(row) for row in self._connection.execute(asked))


class Attachments(AttachmentReader):
    """Moves the rows, inside the writer."""

    def __init__(self, connection: sa.Connection, note: Callable[[Iterable[str]], None]) -> None:
        super().__init__(connection)
        self._note = note

    def name_key(self) -> bytes:
        """The key of file names, made once and kept in the database."""
        kv = tables.kv
        held = self._connection.execute(sa.select(kv.c.value).where(kv.c.key == _NAME_KEY)).scalar()
        if held is None:
            held = secrets.token_hex(32)
            self._connection.execute(sa.insert(kv).values(key=_NAME_KEY, value=held))
        return bytes.fromhex(held)

    def add(self, new: NewFile, *, op_id: str, patient_ref: str, now: datetime) -> None:
        """Content that waits to be sent, in the transaction of the act that names it."""
        taken = new.taken
        self._insert(
            ref=new.ref,
            document=new.document_ref,
            patient=patient_ref,
            op_id=op_id,
            content_type=taken.content_type,
            bytes=taken.size,
            sha256=taken.sha256,
            sha1=taken.sha1,
            state=FileState.WAITING.value,
            name=taken.name,
            file_key=taken.key,
            content=taken.content,
            used=now,
        )

    def want(self, wanted: Wanted, now: datetime) -> FileState:
        """Have it fetched, unless it is here, on its way, or waits to be sent; the state it has then."""
        held = self.get(wanted.ref)
        if held is not None and held.state not in (FileState.WRONG, FileState.ABSENT):
            self._set(wanted.ref, used=now)
            return held.state
        self._connection.execute(sa.delete(_TABLE).where(_TABLE.c.ref == wanted.ref))
        self._insert(
            ref=wanted.ref,
            document=wanted.document_ref,
            patient=wanted.patient_ref,
            op_id="",
            content_type=wanted.content_type,
            bytes=wanted.size,
            sha256=wanted.sha256,
            sha1=wanted.sha1,
            state=FileState.WANTED.value,
            name="",
            file_key=new_key(),
            content=None,
            used=now,
        )
        return FileState.WANTED

    def fetched(self, ref: str, taken: Taken) -> None:
        """All of it is here and is what its document says."""
        self._set(
            ref,
            state=FileState.HERE.value,
            bytes=taken.size,
            sha256=taken.sha256,
            sha1=taken.sha1,
            name=taken.name,
            content=taken.content,
            done=taken.size,
            last_issue="",
        )

    def moved(
        self, ref: str, to: FileState | None = None, *, status: int | None = None, issue: str = ""
    ) -> None:
        """Another state, or the same (None) with what was seen. `attempts` counts tries that began."""
        values: dict[str, Any] = {"last_status": status, "last_issue": issue[:2000], "done": 0}
        if to is not None:
            values["state"] = to.value
        self._set(ref, **values)

    def began(self, ref: str) -> bool:
        """A try begins: its fate is unknown until an answer. False: its act was taken back meanwhile."""
        self.drop_withdrawn()
        self._set(ref, attempts=_TABLE.c.attempts + 1)
        return self.get(ref) is not None

    def progressed(self, ref: str, done: int) -> None:
        """So many bytes have gone over."""
        self._set(ref, done=done)

    def touch(self, ref: str, now: datetime) -> None:
        """Somebody looked at it."""
        self._connection.execute(sa.update(_TABLE).where(_TABLE.c.ref == ref).values(used=now))

    def retry(self, op_id: str) -> bool:
        """A person wants what the record refused to be sent again."""
        rows = [row for row in self.unsent() if row.op_id == op_id and row.state is FileState.REFUSED]
        for row in rows:
            self.moved(row.ref, FileState.WAITING)
        return bool(rows)

    def drop(self, ref: str) -> None:
        """Forget it here; its file is swept."""
        self._connection.execute(sa.delete(_TABLE).where(_TABLE.c.ref == ref))
        self._announce(ref)

    def drop_patient(self, patient_ref: str) -> None:
        """Purged; its files are swept. Only when nothing of the patient is pending."""
        for row in self.of_patient(patient_ref):
            self.drop(row.ref)

    def drop_fetched(self, patient_ref: str) -> None:
        """What came from the record may not lie here any more; what was made here stays to be sent."""
        for row in self.of_patient(patient_ref):
            if row.state not in UNSENT | {FileState.SENT}:
                self.drop(row.ref)

    def drop_withdrawn(self) -> int:
        """Unsent content whose act was taken back, and that nobody will ever send."""
        box = tables.outbox
        gone = [
            row.ref
            for row in self.unsent()
            if self._connection.execute(sa.select(box.c.state).where(box.c.op_id == row.op_id)).scalar()
            in (None, ActState.WITHDRAWN.value)
        ]
        for ref in gone:
            self.drop(ref)
        return len(gone)

    def evict(self, budget: int) -> int:
        """Drop what was used longest ago until the rest fits into `budget` bytes; how many went.

        Only what can be fetched again goes: never unsent content, nor that of an act not yet confirmed.
        """
        held = self.in_state(*READABLE)
        over = sum(row.size for row in held) - budget
        gone = 0
        for row in held:
            if over <= 0:
                break
            if row.state not in UNSENT and not self._is_acted(row.op_id):
                self.drop(row.ref)
                over -= row.size
                gone += 1
        return gone

    def held_bytes(self) -> int:
        """Bytes of content that lie here or are wanted."""
        return sum(max(row.size, 0) for row in self.in_state(*READABLE, FileState.WANTED))

    def names(self) -> frozenset[str]:
        """Files that belong to a row."""
        key = self.name_key()
        found = self._connection.execute(sa.select(_TABLE.c.name, _TABLE.c.ref, _TABLE.c.state))
        return frozenset(
            part_name(key, row.ref) if row.state == FileState.WANTED else row.name for row in found
        ) - {""}

    def _is_acted(self, op_id: str) -> bool:
        box = tables.outbox
        asked = sa.select(box.c.op_id).where(box.c.op_id == op_id, box.c.state.not_in(sorted(TERMINAL)))
        return self._connection.execute(asked).first() is not None

    def _insert(self, **values: Any) -> None:
        told = {"attempts": 0, "done": 0, "last_status": None, "last_issue": ""}
        self._connection.execute(sa.insert(_TABLE).values(**told, **values))
        self._announce(values["ref"])

    def _set(self, ref: str, **values: Any) -> None:
        self._connection.execute(sa.update(_TABLE).where(_TABLE.c.ref == ref).values(**values))
        self._announce(ref)

    def _announce(self, ref: str) -> None:
        self._note({f"{ATTACHMENT}/{ref.partition('/')[2]}"})


def waiting_acts(connection: sa.Connection) -> frozenset[str]:
    """Acts that must not be sent yet: an attachment they name is not at the record."""
    asked = sa.select(_TABLE.c.op_id).where(sa.text("state IN ('waiting', 'refused')"))
    return frozenset(connection.execute(asked).scalars())


def _row(row: Any) -> FileRow:
    return FileRow(
        ref=row.ref,
        document_ref=row.document,
        patient_ref=row.patient,
        op_id=row.op_id,
        content_type=row.content_type,
        size=row.bytes,
        sha256=row.sha256,
        sha1=row.sha1,
        state=FileState(row.state),
        name=row.name,
        attempts=row.attempts,
        done=row.done,
        last_status=row.last_status,
        last_issue=row.last_issue,
        used=row.used,
    )
