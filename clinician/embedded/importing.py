"""`clinician record import`: takes what is sound, reports the rest with its reason, safe to run twice."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from clinician import texts
from clinician.embedded import body as bodies
from clinician.embedded import parameters
from clinician.embedded.content import Content, check_resource, content_of
from clinician.embedded.outcome import RequestError
from clinician.embedded.parameters import served_types
from clinician.embedded.relink import derived_id, new_id, relinked
from clinician.embedded.server import RecordApp
from clinician.embedded.sources import Piece, Refusal, files_in, read_file
from clinician.embedded.store import Store
from clinician.embedded.writing import Writing
from clinician.fhir.codes import CODE_UNIT
from clinician.fhir.reference import Raw

_ = texts.translator("embedded")
L = texts.lazy("embedded")
Say = Callable[[str], object]
_BATCH: Final = 1000


@dataclass(slots=True)
class ImportReport:
    """What an import led to. unchanged: already in the record exactly so."""

    files: int = 0
    created: int = 0
    changed: int = 0
    unchanged: int = 0
    refused: list[Refusal] = field(default_factory=list)
    episodes: int = 0
    """Patients nobody was responsible for, who were given to the workplace"""
    workplace_ref: str = ""

    @property
    def taken(self) -> int:
        """Resources now in the record."""
        return self.created + self.changed + self.unchanged

    def lines(self) -> Iterator[str]:
        """The report in the person's language, refusals not included (they were told as they came)."""
        yield _.n("{n} file read", "{n} files read", self.files)
        yield _(
            "{created} new, {changed} changed, {unchanged} already there, {refused} refused",
            created=self.created,
            changed=self.changed,
            unchanged=self.unchanged,
            refused=len(self.refused),
        )
        if self.episodes:
            yield _.n(
                "{n} patient had no service and was given to {place}",
                "{n} patients had no service and were given to {place}",
                self.episodes,
                place=self.workplace_ref,
            )


def import_paths(
    app: RecordApp, paths: Iterable[Path], *, workplace_ref: str | None = None, report: Say = lambda _: None
) -> ImportReport:
    """Import files and folders into the record. report: called with each line as it becomes known.

    workplace_ref: the Organization that gets patients no EpisodeOfCare names; by default the first home
    care zone of the record, and when there is none a zone for imported people is made.
    """
    run = _Run(app.store, ImportReport(), report)
    for found in files_in(paths):
        if isinstance(found, Refusal):
            run.refuse(found)
        else:
            run.take_file(found)
    run.give_patients_a_workplace(workplace_ref)
    for line in run.report.lines():
        report(line)
    return run.report


@dataclass(slots=True)
class _Run:
    store: Store
    report: ImportReport
    say: Say
    _seen: dict[tuple[str, str], int] = field(default_factory=dict)
    _patients: dict[str, bool] = field(default_factory=dict)

    def refuse(self, refusal: Refusal) -> None:
        self.report.refused.append(refusal)
        named = f"{refusal.where} ({refusal.ref})" if refusal.ref else refusal.where
        self.say(_("Refused: {where}: {reason}", where=named, reason=refusal.reason))

    def take_file(self, path: Path) -> None:
        self.report.files += 1
        pieces: list[Piece] = []
        for found in read_file(path):
            if isinstance(found, Refusal):
                self.refuse(found)
            elif found.group and pieces and found.group != pieces[-1].group and len(pieces) >= _BATCH:
                self._take(pieces)
                pieces = [found]
            else:
                pieces.append(found)
        self._take(pieces)

    def _take(self, pieces: list[Piece]) -> None:
        for _group, members in itertools.groupby(pieces, key=lambda piece: piece.group):
            self._take_group(list(members))

    def _take_group(self, pieces: list[Piece]) -> None:
        read = [(piece, raw) for piece in pieces if (raw := self._read(piece)) is not None]
        links: dict[str, str] = {}
        for piece, raw in read:
            if piece.full_url:
                type_ = raw["resourceType"]
                links[piece.full_url] = f"{type_}/{new_id(type_, raw.get('id'), piece.full_url, piece.body)}"
        contents = [(piece, content) for piece, raw in read if (content := self._content(piece, raw, links))]
        for at in range(0, len(contents), _BATCH):
            with self.store.writing() as writing:
                for piece, content in contents[at : at + _BATCH]:
                    self._write(writing, piece, content)

    def _read(self, piece: Piece) -> Raw | None:
        try:
            raw = bodies.read_json(piece.body)
        except RequestError as problem:
            self.refuse(
                Refusal(piece.where, L("not readable as FHIR JSON: {problem}", problem=problem.diagnostics))
            )
            return None
        type_ = raw.get("resourceType")
        if not isinstance(type_, str) or type_ not in served_types():
            self.refuse(Refusal(piece.where, L("not a resource type this record keeps")))
            return None
        return raw

    def _content(self, piece: Piece, raw: Raw, links: dict[str, str]) -> Content | None:
        type_, given = raw["resourceType"], raw.get("id")
        id_ = new_id(type_, given, piece.full_url, piece.body)
        ref = f"{type_}/{id_}"
        try:
            body = relinked(piece.body, type_, id_, given, links)
            fresh = bodies.read_json(body)
            check_resource(fresh, type_)
        except RequestError as problem:
            self.refuse(Refusal(piece.where, L("{problem}", problem=problem.diagnostics), ref))
            return None
        return content_of(fresh, body, type_)

    def _write(self, writing: Writing, piece: Piece, content: Content) -> None:
        key, digest = (content.type, content.id), hash(content.tail)
        if key in self._seen and self._seen[key] != digest:
            self.refuse(
                Refusal(
                    piece.where,
                    L("the same id stands twice with different content; the first was kept"),
                    "/".join(key),
                )
            )
            return
        again = key in self._seen
        self._seen[key] = digest
        written = writing.put(content.type, content.id, content.tail, content.raw)
        if not again:
            self.report.created += written.created
            self.report.changed += written.changed and not written.created
            self.report.unchanged += not written.changed
        if content.type == "Patient":
            self._patients[content.id] = bool(
                content.raw.get("deceasedBoolean") or content.raw.get("deceasedDateTime")
            )

    # ------------------------------------------------------------------- nobody without an owner
    def give_patients_a_workplace(self, workplace_ref: str | None) -> None:
        """An EpisodeOfCare for each imported patient without any (NEEDS R-03: nothing lands nowhere)."""
        with self.store.writing() as writing:
            pid = parameters.pid("EpisodeOfCare", "patient")
            without = [id_ for id_ in self._patients if not _has_episode(writing.connection, pid, id_)]
            if not without:
                return
            place = workplace_ref or self._first_zone(writing.connection) or self._new_zone(writing)
            self.report.workplace_ref = place
            for id_ in without:
                _put(writing, self._episode(id_, place))
                self.report.episodes += 1

    def _episode(self, patient_id: str, place: str) -> Raw:
        return {
            "resourceType": "EpisodeOfCare",
            "id": derived_id(f"EpisodeOfCare of Patient/{patient_id} at {place}"),
            "status": "finished" if self._patients[patient_id] else "active",
            "patient": {"reference": f"Patient/{patient_id}"},
            "managingOrganization": {"reference": place},
            "period": {"start": self.store.clock.today().isoformat()},
        }

    def _first_zone(self, connection: sqlite3.Connection) -> str:
        pid = parameters.pid("Organization", "type")
        row = connection.execute(
            "SELECT r.id FROM token t JOIN resource r ON r.rid=t.rid"
            " WHERE t.pid=? AND t.code='homecare-zone' AND t.system=? ORDER BY r.rid LIMIT 1",
            (pid, CODE_UNIT),
        ).fetchone()
        return f"Organization/{row[0]}" if row else ""

    def _new_zone(self, writing: Writing) -> str:
        zone: dict[str, Any] = {
            "resourceType": "Organization",
            "id": derived_id("zone for imported people"),
            "active": True,
            "type": [{"coding": [{"system": CODE_UNIT, "code": "homecare-zone"}]}],
            "name": _("Imported people"),
        }
        _put(writing, zone)
        return f"Organization/{zone['id']}"


def _put(writing: Writing, raw: Raw) -> None:
    writing.put(raw["resourceType"], raw["id"], bodies.tail_of_raw(raw), raw)


def _has_episode(connection: sqlite3.Connection, pid: int, patient_id: str) -> bool:
    row = connection.execute("SELECT 1 FROM ref WHERE pid=? AND target=?", (pid, f"Patient/{patient_id}"))
    return row.fetchone() is not None
