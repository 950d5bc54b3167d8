"""What the outbox page says of an act that waits for its attachment to be at the record."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from clinician import texts
from clinician.cache.acts import ActState
from clinician.cache.attachments import FileRow, FileState
from clinician.queries.documents import progress_text, size_text

_ = texts.translator("queries")
NEEDS_A_PERSON: Final = ActState.REJECTED.value
"""An act whose attachment is refused stands as a refused one: a person decides."""


def by_act(files: Iterable[FileRow]) -> Mapping[str, FileRow]:
    """The attachment an act waits for; of several the one that was refused."""
    ordered = sorted(files, key=lambda file: file.state is FileState.REFUSED)
    return {file.op_id: file for file in ordered}


def is_refused(file: FileRow | None) -> bool:
    """Whether it waits for a person."""
    return file is not None and file.state is FileState.REFUSED


def state_text(file: FileRow) -> str:
    """'waiting for the attachment · 12 of 50 MB'."""
    if is_refused(file):
        return _("attachment refused")
    progress = progress_text(file)
    return _("waiting for the attachment") + (f" · {progress}" if progress else "")


def help_text(file: FileRow) -> str:
    """What it means and what to do."""
    if is_refused(file):
        told = _(
            "The record did not take the attachment, so the document is not sent. Both are kept here, and "
            "everything else goes on. Send it again, or take it back and add another file."
        )
    else:
        told = _(
            "The document is sent when its attachment ({size}) is at the record. Both are safe on this PC; "
            "everything else is sent meanwhile.",
            size=size_text(file.size),
        )
    return f"{told} {file.last_issue}".strip()
