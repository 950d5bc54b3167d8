"""What is done to a workstation rather than with it: importing into its record, and looking it over."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

import orjson

from clinician import texts
from clinician.cache.keys import open_key, system_key_store
from clinician.cache.open import integrity_problems
from clinician.cache.salvage import Salvaged, refused_audit, salvage_outbox
from clinician.embedded.importing import import_paths
from clinician.embedded.server import RecordApp
from clinician.errors import ClinicianError
from clinician.findings import Finding, profile_lines
from clinician.practice.clock import PracticeClock
from clinician.practice.create import create
from clinician.practice.info import RECORD, is_practice, read
from clinician.record.client import RecordClient
from clinician.record.probe import probe
from clinician.record.websocket_probe import ping_seconds
from clinician.sync.together import side_by_side

_ = texts.translator("core")


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
        if not faults:
            yield from _refused_log(file.parent, open_key(folder, secret=secret))
    if record:
        yield from profile_of(record)


def _refused_log(cache: Path, key: bytes) -> Iterator[Finding]:
    """What the record refused of the log of reading and writing; nothing where nothing was refused."""
    count = len(refused_audit(cache, key))
    if count:
        words = _.n(
            "The record refused {n} entry. It is kept here. Save it with --export and tell support.",
            "The record refused {n} entries. They are kept here. Save them with --export and tell support.",
            count,
        )
        yield Finding(_("Log of reading and writing"), words, good=False)


@dataclass(frozen=True, slots=True)
class Rescue:
    """What was not sent and could be read. count: acts; content: a JSON file with all of them.

    The file holds too what the record refused of the log of reading and writing.
    """

    count: int
    content: bytes


def rescue_unsent(folder: Path, *, secret: str = "", user: str = "") -> Rescue:
    """Read the unsent acts out of the caches of a data folder that does not open. Nothing is written.

    A cache that does not open even for that is passed over; count is 0 when nothing could be read.
    """
    acts: list[Salvaged] = []
    log: list[dict[str, object]] = []
    for file in sorted(folder.glob("cache/*/cache.db")):
        store = None if is_practice(folder) else system_key_store()
        try:
            key = open_key(folder, keyring=store, secret=secret, user=user)
            acts += salvage_outbox(file.parent, key)
            log += [{"status": status, "resource": raw} for status, raw in refused_audit(file.parent, key)]
        except ClinicianError:
            continue
    held = {"clinician": "unsent acts", "acts": [_rescued(act) for act in acts], "audit": log}
    return Rescue(len(acts), orjson.dumps(held, option=orjson.OPT_INDENT_2))


def _rescued(act: Salvaged) -> dict[str, object]:
    """bundle: the frozen FHIR transaction, text for text, so that its sha256 still holds."""
    return {
        "op_id": act.op_id,
        "kind": act.kind,
        "patient": act.patient_ref,
        "who": act.who_ref,
        "who_name": act.who_name,
        "state": act.state,
        "created": act.created,
        "whole": act.is_whole,
        "sha256": act.sha256,
        "bundle": act.bundle.decode("utf-8"),
        "resources": list(act.resources),
    }


def profile_of(url: str) -> Iterator[Finding]:
    """The profile of any FHIR R4 server, check by check; scratch resources are removed again."""
    with RecordClient(url) as client:
        found = probe(client, together=side_by_side, listen=ping_seconds)
    yield from profile_lines(found)
