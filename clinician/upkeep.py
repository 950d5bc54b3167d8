"""What is done to a workstation rather than with it: importing into its record, and looking it over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from clinician import texts
from clinician.cache.keys import open_key
from clinician.cache.open import integrity_problems
from clinician.embedded.importing import import_paths
from clinician.embedded.server import RecordApp
from clinician.errors import ClinicianError
from clinician.practice.clock import PracticeClock
from clinician.practice.create import create
from clinician.practice.info import RECORD, is_practice, read
from clinician.record.client import RecordClient
from clinician.record.profile import probe

_ = texts.translator("core")


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor. serious: work is not safe before it is mended."""

    title: str
    detail: str
    good: bool
    serious: bool = False


def import_into_record(
    folder: Path, paths: Iterable[Path], *, workplace_ref: str, say: Callable[[str], object]
) -> int:
    """Import into the embedded record of a folder; a practice municipality is made where there is none.

    Returns the exit code: 0 unless nothing was taken.
    """
    if not (folder / RECORD).exists():
        create(folder)
    clock = PracticeClock(folder, read(folder).day) if is_practice(folder) else None
    app = RecordApp(folder / RECORD, clock=clock)
    try:
        report = import_paths(app, paths, workplace_ref=workplace_ref or None, report=say)
    finally:
        app.close()
    return 0 if report.taken or not report.refused else 1


def examine(folder: Path, record: str, secret: str) -> Iterator[Finding]:
    """How the workstation of a folder is. The program must be closed."""
    caches = sorted(folder.glob("cache/*/cache.db"))
    if not caches:
        yield Finding(_("Cache"), _("None yet; it is made when the workstation is first opened."), good=True)
    for file in caches:
        try:
            faults = integrity_problems(file.parent, open_key(folder, secret=secret))
        except ClinicianError as problem:
            yield Finding(_("Cache"), str(problem.text), good=False, serious=True)
            continue
        words = _("Whole; every page has the right seal.") if not faults else "; ".join(faults[:5])
        yield Finding(_("Cache"), words, good=not faults, serious=bool(faults))
    if record:
        yield from profile_of(record)


def profile_of(url: str) -> Iterator[Finding]:
    """The profile of any FHIR R4 server, check by check; scratch resources are removed again."""
    with RecordClient(url) as client:
        found = probe(client)
    for name, value in found.as_raw().items():
        yield Finding(name, str(value), good=value is not False)
