"""Patients as the banner and the search show them."""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from clinician import texts
from clinician.cache.indexer import room_of
from clinician.clock import SystemClock
from clinician.errors import UserProblem
from clinician.fhir import codes, read
from clinician.queries.query import Cached, Raw, Reading, query
from clinician.queries.wording import age_text, birth_text, gender_text, masked, number_text

_ = texts.translator("queries")
L = texts.lazy("queries")
_NOT_FLAGS: Final = frozenset({"access", "wish"})
"""Key information has its own place and its own log; a wish is no warning."""


@dataclass(frozen=True, slots=True)
class PatientHeader:
    """Who it is. hue: 0-359, the colour of the initials. place_text: the room, else the street.

    identity_text is the whole number, identity_masked what is shown until asked for.
    """

    key: str
    name: str
    birth_text: str
    age_text: str
    identity_text: str
    identity_masked: str
    gender_text: str
    place_text: str
    initials: str
    hue: int
    allergies: tuple[str, ...]
    flags: tuple[str, ...]
    is_deceased: bool
    phone: str


@dataclass(frozen=True, slots=True)
class PatientHit:
    """One line of a search. title: the name; detail: what tells them from others of that name."""

    key: str
    title: str
    detail: str
    initials: str
    hue: int
    is_deceased: bool


@query(
    watches=("Patient", "EpisodeOfCare", "AllergyIntolerance", "Flag"),
    audit="patient_ref",
)
def patient_header(reading: Reading, *, patient_ref: str, day: date | None = None) -> PatientHeader:
    """The banner. day: on which the age is told (today). UserProblem when the patient is not on this PC."""
    found = reading.get(patient_ref)
    if found is None:
        raise UserProblem(
            L("This person is not on this PC. Nothing is lost. Search for the person, or synchronise.")
        )
    raw = found.raw
    number = read.national_number(raw)
    return PatientHeader(
        key=found.ref,
        name=name_of(raw),
        birth_text=birth_text(raw),
        age_text=age_text(raw, day or SystemClock().today()),
        identity_text=number_text(number),
        identity_masked=masked(number),
        gender_text=gender_text(raw),
        place_text=_place(reading, found),
        initials=read.initials(raw),
        hue=hue_of(raw),
        allergies=_allergies(reading.find("AllergyIntolerance", patient=found.ref)),
        flags=_flags(reading.find("Flag", patient=found.ref, status="active")),
        is_deceased=read.is_deceased(raw),
        phone=read.phone(raw),
    )


@query(watches=("Patient", "EpisodeOfCare"))
def patient_hits(reading: Reading, *, words: str, limit: int = 20) -> tuple[PatientHit, ...]:
    """People on this PC whose name, number, birth date, phone, address or room begin with every word."""
    today = SystemClock().today()
    found = reading.search_patients(words.split(), limit=limit)
    return tuple(_hit(reading, one, today) for one in found)


def _hit(reading: Reading, found: Cached, today: date) -> PatientHit:
    raw = found.raw
    parts = (birth_text(raw), age_text(raw, today), _place(reading, found), masked(read.national_number(raw)))
    return PatientHit(
        found.ref,
        name_of(raw),
        " · ".join(part for part in parts if part),
        read.initials(raw),
        hue_of(raw),
        read.is_deceased(raw),
    )


def name_of(raw: Raw) -> str:
    """The name, or that there is none."""
    return read.name_text(raw) or _("Without a name")


def patient_names(reading: Reading, refs: Iterable[str]) -> dict[str, str]:
    """Names of those of `refs` that are on this PC."""
    return {ref: name_of(found.raw) for ref, found in reading.get_many(set(refs)).items()}


def hue_of(raw: Raw) -> int:
    """A colour that stays a person's own."""
    given = read.extension(raw, codes.EXT_PHOTO_HUE)
    if isinstance(given, int):
        return given % 360
    return zlib.crc32(str(raw.get("id")).encode("utf-8")) % 360


def _place(reading: Reading, found: Cached) -> str:
    stays = reading.find("EpisodeOfCare", patient=found.ref)
    room = next((room for stay in stays if (room := room_of(stay.raw))), "")
    return _("room {room}", room=room) if room else read.street_text(found.raw)


def _allergies(found: Iterable[Cached]) -> tuple[str, ...]:
    """Those that hold, the dangerous first."""
    held = [one.raw for one in found if _holds(one.raw)]
    held.sort(key=lambda raw: raw.get("criticality") != "high")
    return tuple(dict.fromkeys(text for raw in held if (text := read.text_of(raw.get("code")))))


def _holds(raw: Raw) -> bool:
    over = {"inactive", "resolved", "entered-in-error", "refuted"}
    stated = {c.code for path in ("clinicalStatus", "verificationStatus") for c in read.codings(raw, path)}
    return over.isdisjoint(stated)


def _flags(found: Iterable[Cached]) -> tuple[str, ...]:
    held = (one.raw for one in found if read.code_in(one.raw, "code", codes.CODE_FLAG) not in _NOT_FLAGS)
    return tuple(dict.fromkeys(text for raw in held if (text := _flag_text(raw))))


def _flag_text(raw: Raw) -> str:
    known = {
        "fall-risk": _("Fall risk"),
        "infection": _("Infection"),
        "two-persons": _("Two persons"),
        "new-user": _("New user"),
        "pet": _("Pet"),
        "smoker": _("Smoker"),
    }
    written = read.text_at(raw, "code.text")
    return written or known.get(read.code_in(raw, "code", codes.CODE_FLAG)) or read.text_of(raw.get("code"))
