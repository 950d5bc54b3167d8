"""Routes: a Schedule with what the roles say of its person."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

from clinician import texts
from clinician.fhir import codes, read
from clinician.fhir.reference import displays_in
from clinician.fhir.times import day_bounds, earliest_or_none
from clinician.queries.query import Cached, Raw, Reading
from modules.homecare import labels
from modules.homecare.queries.loading import schedules_of
from modules.homecare.rules.planning import Person, Span, overlaps
from modules.homecare.words import clock_text, span_text

_ = texts.translator("homecare")


@dataclass(frozen=True, slots=True)
class Route:
    """A Schedule with what the roles say of its person."""

    ref: str
    name: str
    person: Person
    professions: tuple[str, ...]
    absent_words: str


def routes_of(reading: Reading, workplace_ref: str, day: date) -> tuple[Route, ...]:
    """The routes of a workplace on a day with competence, shift and absence."""
    schedules = schedules_of(reading, workplace_ref, day)
    people = [read.ref_at(one.raw, "actor", "Practitioner") for one in schedules]
    staff = reading.get_many(ref for ref in people if ref)
    roles = _roles(reading, people, workplace_ref)
    return tuple(
        _route(one, staff.get(ref), roles.get(ref, []), day)
        for one, ref in zip(schedules, people, strict=True)
    )


def _roles(reading: Reading, people: Iterable[str], workplace_ref: str) -> Mapping[str, list[Raw]]:
    """Roles at this workplace by person; elsewhere only where there is none here."""
    here: dict[str, list[Raw]] = defaultdict(list)
    elsewhere: dict[str, list[Raw]] = defaultdict(list)
    wanted = {ref for ref in people if ref}
    for role in reading.find("PractitionerRole", owner=wanted, order="id") if wanted else ():
        if role.raw.get("active") is False:
            continue
        at = here if read.ref_at(role.raw, "organization") == workplace_ref else elsewhere
        at[read.ref_at(role.raw, "practitioner")].append(role.raw)
    return {ref: here.get(ref) or elsewhere.get(ref, []) for ref in wanted}


def _route(schedule: Cached, practitioner: Cached | None, roles: list[Raw], day: date) -> Route:
    raw = practitioner.raw if practitioner else {}
    start, end = day_bounds(day)
    shift = (read.start_of(schedule.raw) or start, read.end_of(schedule.raw) or end)
    away = [(span, words) for role in roles for span, words in absences_of(role) if overlaps(span, shift)]
    professions = tuple(
        dict.fromkeys(code for role in roles for code in read.codes_in(role, "code", codes.PROFESSION))
    )
    holds = {code for role in roles for code in read.codes_in(role, "code", codes.CODE_COMPETENCE)}
    gender = raw.get("gender")
    ref = read.ref_at(schedule.raw, "actor", "Practitioner")
    person = Person(
        route_ref=schedule.ref,
        practitioner_ref=ref,
        name=read.name_text(raw) or dict(displays_in(schedule.raw)).get(ref) or _("unknown"),
        gender=gender if gender in ("male", "female") else "",
        holds=frozenset(holds) | frozenset(professions),
        shift=shift,
        absences=tuple(span for span, _words in away),
    )
    return Route(
        schedule.ref, read.text_at(schedule.raw, "comment"), person, professions, _absent_words(away, shift)
    )


def absences_of(role: Raw) -> list[tuple[Span, str]]:
    """When a role is away, and why. An end left open lasts."""
    found = []
    for one in role.get("notAvailable") or ():
        start = earliest_or_none(read.value_at(one, "during.start"))
        if start is None:
            continue
        written = read.value_at(one, "during.end")
        last = read.day_at(one, "during.end") if isinstance(written, str) and "T" not in written else None
        end = day_bounds(last)[1] if last else earliest_or_none(written)
        found.append(((start, end or start + timedelta(days=3650)), read.text_at(one, "description")))
    return found


def _absent_words(away: list[tuple[Span, str]], shift: Span) -> str:
    if not away:
        return ""
    (start, end), words = away[0]
    if start <= shift[0] and end >= shift[1]:
        return _("away: {reason}", reason=words) if words else _("away")
    span = f"{clock_text(max(start, shift[0]))}–{clock_text(min(end, shift[1]))}"
    return _("away {span}: {reason}", span=span, reason=words) if words else _("away {span}", span=span)


def competence_text(needs: Iterable[str]) -> str:
    """'insulin, sykepleier'."""
    return ", ".join(sorted(labels.label(labels.COMPETENCES, code) for code in needs))


def shift_text(person: Person) -> str:
    """'07:30–15:00'."""
    return span_text(*person.shift)
