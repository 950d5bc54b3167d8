"""Sends the content of one document to Binary/{id}; the act that names it goes after it (SYNC §1.13).

Identical bytes under an id of our own may be sent again and again. So that no second version appears, the
record is asked not to overwrite where it can be (If-None-Match), and after a try of unknown fate it is read
first.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from hashlib import sha256
from typing import Final

from clinician import texts
from clinician.cache.attachments import FileRow, FileState
from clinician.cache.sealed import Unsealable
from clinician.record.answer import Answer
from clinician.record.client import Busy
from clinician.record.transfer import get_binary, put_binary
from clinician.sync.line import Line, Stopped

_ = texts.translator("sync")
TELL_EVERY: Final = 2 * 1024 * 1024
"""Bytes between two notes of progress."""
_REFUSALS: Final = frozenset({400, 403, 404, 405, 410, 415, 422})


def send(line: Line, row: FileRow) -> bool:
    """Send it, or see that it is there; False when it was refused and waits for a person, or was taken back.

    Raises Environment when its fate is not known or the record is away; then it is tried again.
    """
    try:
        if row.attempts and (same := is_there(line, row)) is not None:
            return _settled(line, row, same)
        if not line.write(lambda writing: writing.attachments.began(row.ref), durable=True):
            return False
        answer = put_binary(
            line.client,
            row.ref,
            _told(line, row, content_of(line, row)),
            content_type=row.content_type,
            size=row.size,
            only_new=line.profile.put_if_none_match,
        )
    except Unsealable:
        damaged = _("The file is damaged on this PC. Withdraw the document and add it once more.")
        return _refused(line, row, None, damaged)
    return _judge(line, row, answer)


def _judge(line: Line, row: FileRow, answer: Answer) -> bool:
    if 200 <= answer.status < 300:
        return _settled(line, row, True)
    if answer.status in (409, 412) and (same := is_there(line, row)) is not None:
        return _settled(line, row, same)
    if answer.status == 413:
        told = _("The record does not take files as large as this one. Withdraw it, make it smaller, add it.")
        return _refused(line, row, 413, told)
    if answer.status in _REFUSALS and answer.is_json:
        return _refused(line, row, answer.status, "; ".join(answer.reasons()) or f"HTTP {answer.status}")
    issue = "; ".join(answer.reasons()) or f"HTTP {answer.status}"
    line.write(lambda writing: writing.attachments.moved(row.ref, status=answer.status, issue=issue))
    raise Busy(answer)


def is_there(line: Line, row: FileRow) -> bool | None:
    """Whether the record has these very bytes (True), others (False) or nothing (None) under this id."""
    with get_binary(line.client, row.ref, content_type=row.content_type) as got:
        if got.status in (404, 410):
            return None
        if got.status != 200:
            raise Busy(got.answer)
        digest = sha256()
        for piece in got.pieces:
            digest.update(piece)
    return digest.hexdigest() == row.sha256


def _settled(line: Line, row: FileRow, same: bool) -> bool:
    if not same:
        return _refused(line, row, None, _("The record holds something else under this document's name."))
    line.write(lambda writing: writing.attachments.moved(row.ref, FileState.SENT), durable=True)
    return True


def _refused(line: Line, row: FileRow, status: int | None, issue: str) -> bool:
    line.write(
        lambda writing: writing.attachments.moved(row.ref, FileState.REFUSED, status=status, issue=issue),
        durable=True,
    )
    return False


def content_of(line: Line, row: FileRow) -> Iterator[bytes]:
    """The content, piece by piece, from its row or its file. Raises Unsealable."""
    content, key = line.write(lambda writing: writing.attachments.content(row.ref))
    return iter((content,)) if content is not None else line.cache.files.pieces(row.name, key)


def _told(line: Line, row: FileRow, pieces: Iterator[bytes]) -> Iterator[bytes]:
    return counted(line, pieces, lambda done: line.cache.writer.submit(_note(row.ref, done)))


def _note(ref: str, done: int) -> Callable[..., None]:
    return lambda writing: writing.attachments.progressed(ref, done)


def counted(line: Line, pieces: Iterator[bytes], tell: Callable[[int], object]) -> Iterator[bytes]:
    """The same pieces, told of now and then; ends with Stopped when sync is stopped."""
    done = told = 0
    for piece in pieces:
        if line.stopped.is_set():
            raise Stopped
        yield piece
        done += len(piece)
        if done - told >= TELL_EVERY:
            tell(done)
            told = done
