"""What a colleague does while you practise: one change on demand, a new version in the record."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Final

import msgspec

from clinician.clock import oslo
from clinician.embedded import body as bodies
from clinician.embedded.server import RecordApp
from clinician.embedded.writing import Writing, current
from clinician.fhir import codes
from clinician.fhir.reference import Raw, split_ref
from clinician.practice import notes
from clinician.practice.days import visit_key
from clinician.practice.municipality import Municipality
from clinician.practice.records import reply
from clinician.practice.world import concept, extension, minutes, stamp
from clinician.practice.zones import Zone


class Colleague:
    """Makes the changes of one practice day in zone Nord; seed, people and day are those of the record."""

    def __init__(self, app: RecordApp, *, seed: int, people: int, day: date) -> None:
        self._app = app
        self._whole = Municipality(seed, people, day)
        self._zone: Zone = self._whole.zones[0]

    def change(self, name: str, now: datetime) -> str:
        """Do one of CHANGES. The reference of what was written; '' when the visit is no longer open."""
        return _DOING[name](self, oslo(now).replace(microsecond=0))

    def _visit(self, user: str, start: str) -> str:
        day = self._whole.world.day.isoformat()
        return self._whole.world.ref("Appointment", *visit_key(self._zone, user, day, minutes(start)))

    def _put(self, writing: Writing, raw: Raw) -> str:
        tail = bodies.tail_of_raw(raw)
        writing.put(raw["resourceType"], raw["id"], tail, bodies.plain(tail))
        return f"{raw['resourceType']}/{raw['id']}"

    def _write(self, raw: Raw) -> str:
        with self._app.store.writing() as writing:
            return self._put(writing, raw)

    def _amend(self, ref: str, change: Callable[[Raw], None]) -> str:
        with self._app.store.writing() as writing:
            row = current(writing.connection, *split_ref(ref))
            if row is None or row.deleted:
                return ""
            raw: Raw = msgspec.json.decode(row.body)
            if raw["status"] != "booked":
                return ""
            change(raw)
            return self._put(writing, raw)

    def moved(self, _now: datetime) -> str:
        """A visit of the default nurse is pushed ten minutes."""

        def later(raw: Raw) -> None:
            world, words = self._whole.world, "Flyttet ti minutter, laboratoriet kom først."
            raw["start"], raw["end"] = world.stamp(0, minutes("10:40")), world.stamp(0, minutes("11:00"))
            raw["comment"] = words
            kept = [e for e in raw["extension"] if e["url"] != codes.EXT_MOVE_REASON]
            raw["extension"] = [*kept, extension(codes.EXT_MOVE_REASON, valueString=words)]

        return self._amend(self._visit("u12", "10:30"), later)

    def cancelled(self, _now: datetime) -> str:
        """A next of kin calls a visit off."""

        def off(raw: Raw) -> None:
            raw["status"] = "cancelled"
            raw["cancelationReason"] = concept(codes.CODE_CANCEL, "by-next-of-kin", "Avbestilt av pårørende")

        return self._amend(self._visit("u14", "12:00"), off)

    def answered(self, now: datetime) -> str:
        """The doctor answers."""
        user = next(u for u in self._zone.users if u.key == "u16")
        return self._write(
            reply(
                self._whole.world,
                ("live", "reply", stamp(now)),
                user.doctor,
                self._whole.default.named,
                patient=user.person.ref,
                text="Ja, øk støttedosen som avtalt. Jeg ringer pårørende i ettermiddag.",
                sent=stamp(now),
                received="",
            )
        )

    def noted(self, now: datetime) -> str:
        """A colleague writes a note about one of the default nurse's users."""
        user = next(u for u in self._zone.users if u.key == "u08")
        author = next(s for s in self._zone.staff if s.key == "nord-anita")
        text = "Traff henne på butikken, tyngre i pusten enn sist uke. Følg med på vekt og hevelse i dag."
        key = ("live", "note", stamp(now))
        world = self._whole.world
        return self._write(notes.note(world, key, user.person, author, stamp(now), "daily-note", text))


_DOING: Final[dict[str, Callable[[Colleague, datetime], str]]] = {
    "moved": Colleague.moved,
    "cancelled": Colleague.cancelled,
    "answered": Colleague.answered,
    "noted": Colleague.noted,
}
CHANGES: Final = tuple(_DOING)
"""The changes a colleague can make."""
