"""A record that went back in time: freeze, fetch everything anew, wait for a superuser (SYNC §1.4.5)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from clinician.cache.writing import Writing
from clinician.sync.line import Line

_KEY: Final = "sync.frozen"


def begin(line: Line, ready_marks: Callable[[Writing], None]) -> None:
    """Freeze and forget every mark; older versions are taken as they come until `end`."""

    def work(writing: Writing) -> None:
        writing.keep.set(_KEY, "restored")
        writing.begin_restored("the record shows older versions")
        for mark in writing.marks.watermarks():
            writing.marks.drop_watermark(mark.key)
        ready_marks(writing)

    line.write(work, durable=True)


def end(writing: Writing) -> None:
    """Everything has been fetched anew; sending stays frozen."""
    writing.end_restored()


def is_frozen(writing: Writing) -> bool:
    """Whether sending waits for a superuser."""
    return writing.keep.get(_KEY) is not None


def thaw(writing: Writing) -> None:
    """A superuser has looked: sending may go on."""
    writing.keep.drop(_KEY)
