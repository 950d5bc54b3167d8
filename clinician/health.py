"""How sync fares on this PC, in plain words: for the page of the shell and for the doctor.

Nothing here names a person: refs of set-aside resources are types and ids, never names.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final, Protocol

from clinician import texts
from clinician.cache.open import Cache
from clinician.cache.writing import Writing
from clinician.clock import Clock, oslo
from clinician.events import Link, Push, SyncStatus
from clinician.findings import profile_lines
from clinician.record.profile import from_raw
from clinician.sync.engine import SyncEngine

_ = texts.translator("core")
_MOST_ASIDE: Final = 50
_OLD: Final = timedelta(minutes=10)


class Mood(StrEnum):
    """How a line is to be taken."""

    GOOD = "good"
    NOTE = "note"
    BAD = "bad"


@dataclass(frozen=True, slots=True)
class HealthLine:
    """One fact. help_text: what it means and what one may do; '' where the fact says it all."""

    key: str
    group: str
    title: str
    detail: str
    mood: Mood = Mood.GOOD
    help_text: str = ""


class Examined(Protocol):
    """What is looked over: a workstation."""

    clock: Clock
    cache: Cache
    engine: SyncEngine

    def status(self) -> SyncStatus: ...


def examine_sync(station: Examined) -> tuple[HealthLine, ...]:
    """Every line, what needs a person first within each group."""
    status, now = station.status(), station.clock.now()

    def read(writing: Writing) -> tuple[HealthLine, ...]:
        return (
            *_contact(status, now),
            *_outbox(status),
            *_record(writing),
            *_data(writing, station, now + status.clock_ahead),
            *_late(writing, station),
            *_aside(writing),
            *_refused_log(writing),
        )

    return station.cache.writer.run(read)


def as_text(lines: tuple[HealthLine, ...], now: datetime) -> str:
    """A report to send to support: no names, no identity numbers."""
    marks = {Mood.GOOD: "+", Mood.NOTE: "!", Mood.BAD: "X"}
    rows = [f"{marks[line.mood]} {line.group} · {line.title}: {line.detail}" for line in lines]
    return "\n".join([f"Clinician · {oslo(now):%Y-%m-%d %H:%M}", *rows, ""])


def _contact(status: SyncStatus, now: datetime) -> Iterator[HealthLine]:
    group = _("Contact")
    if status.link is Link.OFFLINE:
        since = status.offline_since
        words = _("No contact since {time}", time=_moment(since, now)) if since else _("Not tried yet")
        yield HealthLine(
            "contact",
            group,
            _("Central record"),
            words,
            Mood.BAD if since else Mood.NOTE,
            _("What you do is kept on this PC and is sent by itself when the record answers again."),
        )
    else:
        yield HealthLine("contact", group, _("Central record"), _("Answers"))
    if status.disk_full:
        yield HealthLine(
            "disk",
            group,
            _("Disk of this PC"),
            _("Full"),
            Mood.BAD,
            _("What was kept before is safe. Make room on the disk; it goes on by itself."),
        )
    yield _push(status.push, group)
    if status.restored:
        yield HealthLine(
            "restored",
            group,
            _("Sending"),
            _("Paused: the record was brought back from a backup"),
            Mood.BAD,
            _("A superuser looks whether the newest visits are there, and then lets sending go on."),
        )
    ahead = status.clock_ahead
    yield HealthLine(
        "clock",
        group,
        _("Clock of this PC"),
        _clock_words(ahead),
        Mood.NOTE if ahead else Mood.GOOD,
        _("Ages of lists are told by the record's clock. What you sign has this PC's time: set it right.")
        if ahead
        else "",
    )


def _push(push: Push, group: str) -> HealthLine:
    words = {
        Push.LIVE: _("The record tells of them at once"),
        Push.NONE: _("The record is asked every half minute"),
        Push.AWAY: _("The record tells of them, but is not connected now; it is asked instead"),
        Push.SICK: _("Changes came that were not told of; the record is asked every ten seconds"),
    }
    return HealthLine(
        "push",
        group,
        _("News from others"),
        words[push],
        Mood.NOTE if push in (Push.AWAY, Push.SICK) else Mood.GOOD,
        _("Nothing is missed: it only takes some seconds longer. Tell support if it lasts.")
        if push is Push.SICK
        else "",
    )


def _clock_words(ahead: timedelta) -> str:
    seconds = round(ahead.total_seconds())
    if not seconds:
        return _("As the record's")
    span = _("{n} s", n=abs(seconds)) if abs(seconds) < 120 else _("{n} min", n=abs(seconds) // 60)
    return _("{span} slow", span=span) if seconds > 0 else _("{span} fast", span=span)


def _outbox(status: SyncStatus) -> Iterator[HealthLine]:
    group = _("Outbox")
    yield HealthLine(
        "waiting",
        group,
        _("Waits to be sent"),
        str(status.waiting),
        Mood.BAD if status.overdue else Mood.GOOD,
        _("The oldest has waited for more than 15 minutes although the record answers. See the outbox.")
        if status.overdue
        else "",
    )
    todo = status.conflicts + status.refused
    yield HealthLine(
        "decide",
        group,
        _("Needs a decision"),
        str(todo),
        Mood.BAD if todo else Mood.GOOD,
        _("Nothing of this is lost, but nobody else sees it before somebody decides. See the outbox.")
        if todo
        else "",
    )
    yield HealthLine(
        "confirmed",
        group,
        _("Everything sent is confirmed by the record"),
        _("yes") if status.all_sent else _("not yet"),
        Mood.GOOD if status.all_sent else Mood.NOTE,
    )


def _record(writing: Writing) -> Iterator[HealthLine]:
    group = _("What the record does")
    stored = writing.marks.profile()
    if stored is None:
        yield HealthLine("record", group, _("Profile"), _("Not made yet"), Mood.NOTE)
        return
    for finding in profile_lines(from_raw(stored)):
        mood = Mood.GOOD if finding.good else Mood.BAD if finding.serious else Mood.NOTE
        yield HealthLine(f"record {finding.title}", group, finding.title, finding.detail, mood)


def _data(writing: Writing, station: Examined, now: datetime) -> Iterator[HealthLine]:
    group = _("Data on this PC")
    words = _type_words()
    types = sorted(station.engine.line.plan.types, key=lambda type_: words.get(type_, type_))
    for type_ in types:
        fresh = writing.reading.freshness([type_])
        count = writing.reading.count(type_)
        title = words.get(type_, type_)
        if fresh.as_of is None or not fresh.complete:
            yield HealthLine(
                type_, group, title, _("{n} · not whole yet", n=count), Mood.NOTE, _("It is being fetched.")
            )
            continue
        mood = Mood.NOTE if now - fresh.as_of > _OLD else Mood.GOOD
        when = _moment(fresh.as_of, now, seconds=True)
        yield HealthLine(type_, group, title, _("{n} · as of {time}", n=count, time=when), mood)


def _late(writing: Writing, station: Examined) -> Iterator[HealthLine]:
    group = _("Late commits")
    overlap = station.engine.line.overlap(writing)
    yield HealthLine(
        "overlap", group, _("Asked for again each time"), _("{n} s back", n=round(overlap.total_seconds()))
    )
    words = _type_words()
    for type_, buckets in sorted(writing.marks.lateness().items()):
        worst = max(buckets)
        late = worst > overlap.total_seconds() / 2
        yield HealthLine(
            f"late {type_}",
            group,
            words.get(type_, type_),
            _("{n} came late, at most {span}", n=sum(buckets.values()), span=_bucket(worst)),
            Mood.NOTE if late else Mood.GOOD,
            _("The record shows changes long after it stamped them. The comparison of all ids finds them.")
            if late
            else "",
        )


def _bucket(seconds: int) -> str:
    if seconds > 86_400:
        return _("more than a day")
    return _("{n} s", n=seconds) if seconds < 120 else _("{n} min", n=seconds // 60)


def _aside(writing: Writing) -> Iterator[HealthLine]:
    group = _("Set aside")
    found = writing.trail.quarantined()
    if not found:
        yield HealthLine("aside", group, _("Resources that could not be read"), "0")
    for row in found[:_MOST_ASIDE]:
        yield HealthLine(
            f"aside {row.ref}",
            group,
            row.ref,
            row.reason,
            Mood.BAD,
            _("The record sent this in a form that cannot be read. It is kept as it came; tell its owner."),
        )
    if len(found) > _MOST_ASIDE:
        yield HealthLine("aside more", group, _("And more"), str(len(found) - _MOST_ASIDE), Mood.BAD)


def _refused_log(writing: Writing) -> Iterator[HealthLine]:
    refusals = writing.audit.refusals()
    answers = ", ".join(_("{n} × answer {status}", n=n, status=status) for status, n in refusals.items())
    yield HealthLine(
        "audit",
        _("Set aside"),
        _("Log of reading and writing that the record refused"),
        answers or "0",
        Mood.BAD if refusals else Mood.GOOD,
        _(
            "It is kept on this PC and later entries go on. “Examine everything now” offers it to the record "
            "again; if that does not help, support saves it with “clinician doctor --export”."
        )
        if refusals
        else "",
    )


def _moment(when: datetime | None, now: datetime, *, seconds: bool = False) -> str:
    if when is None:
        return ""
    local = oslo(when)
    if local.date() != oslo(now).date():
        return f"{local:%d.%m. %H:%M}"
    return f"{local:%H:%M:%S}" if seconds else f"{local:%H:%M}"


def _type_words() -> dict[str, str]:
    return {
        "AllergyIntolerance": _("Allergies"),
        "Appointment": _("Visits and appointments"),
        "AuditEvent": _("Log of reading and writing"),
        "Basic": _("Set-up of the workplace"),
        "CarePlan": _("Care plans"),
        "Communication": _("Messages"),
        "Condition": _("Conditions"),
        "Consent": _("Consents"),
        "Device": _("Equipment"),
        "DocumentReference": _("Notes and documents"),
        "Encounter": _("Visits carried out"),
        "EpisodeOfCare": _("People in the service"),
        "Flag": _("Flags"),
        "Goal": _("Goals"),
        "HealthcareService": _("Services"),
        "List": _("Lists"),
        "Location": _("Places"),
        "Medication": _("Medicines"),
        "MedicationAdministration": _("Medicines given"),
        "MedicationRequest": _("Medicine orders"),
        "MedicationStatement": _("Medicines in use"),
        "Observation": _("Measurements"),
        "Organization": _("Workplaces"),
        "Patient": _("People"),
        "Practitioner": _("Staff"),
        "PractitionerRole": _("Roles of staff"),
        "Procedure": _("Procedures"),
        "Provenance": _("Who did what"),
        "RelatedPerson": _("Next of kin"),
        "Schedule": _("Routes"),
        "ServiceRequest": _("Granted services"),
        "Slot": _("Free times"),
        "Task": _("Tasks"),
    }
