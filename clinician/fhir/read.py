"""Tolerant readers over raw resources.

They never raise on a resource that is wrongly built: what cannot be read is absent. Paths are dotted
element names; lists on the way are walked ('participant.actor.reference').
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime
from typing import Any, Final, NamedTuple

from clinician.clock import OSLO
from clinician.fhir import codes
from clinician.fhir.bundles import text_of
from clinician.fhir.reference import Raw, relative, type_of
from clinician.fhir.times import PartialDate, earliest_or_none, parse_datetime

__all__ = ["text_of"]

_PATIENT_PATHS: Final = ("subject", "patient", "for", "beneficiary", "entity.what", "target")
_OWNER_PATHS: Final = {
    "Task": ("owner",),
    "Appointment": ("participant.actor",),
    "Schedule": ("actor",),
    "Encounter": ("participant.individual",),
    "PractitionerRole": ("practitioner",),
    "EpisodeOfCare": ("careManager",),
    "DocumentReference": ("author",),
    "Observation": ("performer",),
    "Communication": ("sender",),
    "ServiceRequest": ("performer",),
}
_START_PATHS: Final = (
    "start",
    "period.start",
    "executionPeriod.start",
    "effectiveDateTime",
    "effectivePeriod.start",
    "effectiveInstant",
    "occurrenceDateTime",
    "occurrencePeriod.start",
    "performedDateTime",
    "performedPeriod.start",
    "planningHorizon.start",
    "onsetDateTime",
    "sent",
    "recorded",
    "date",
    "authoredOn",
    "issued",
)
_END_PATHS: Final = (
    "end",
    "period.end",
    "executionPeriod.end",
    "effectivePeriod.end",
    "occurrencePeriod.end",
    "performedPeriod.end",
    "planningHorizon.end",
    "abatementDateTime",
)
_CODE_PATHS: Final = ("code", "type", "medicationCodeableConcept", "vaccineCode", "category", "class")


class Coded(NamedTuple):
    """One coding. Absent parts are ''."""

    system: str
    code: str
    display: str

    @property
    def key(self) -> str:
        """'system|code'."""
        return f"{self.system}|{self.code}"


def values_at(raw: object, path: str) -> Iterator[Any]:
    """Every value at a dotted path; lists on the way are walked."""
    if isinstance(raw, list):
        for one in raw:
            yield from values_at(one, path)
        return
    if not path:
        if raw is not None:
            yield raw
        return
    if isinstance(raw, dict):
        name, _, rest = path.partition(".")
        if name in raw:
            yield from values_at(raw[name], rest)


def value_at(raw: object, path: str) -> Any:
    """The first value at a dotted path, or None."""
    return next(values_at(raw, path), None)


def text_at(raw: object, path: str) -> str:
    """The first string at a dotted path, or ''."""
    return next((v for v in values_at(raw, path) if isinstance(v, str)), "")


def codings(raw: object, path: str = "") -> tuple[Coded, ...]:
    """All codings at a path: of CodeableConcepts, Codings, and bare codes (system '')."""
    found: list[Coded] = []
    for value in values_at(raw, path):
        inner = value.get("coding") if isinstance(value, dict) else None
        held = inner if isinstance(inner, list) else [value]
        for one in held:
            if isinstance(one, str):
                found.append(Coded("", one, ""))
            elif isinstance(one, dict) and isinstance(one.get("code"), str):
                found.append(Coded(_text(one.get("system")), one["code"], _text(one.get("display"))))
    return tuple(found)


def code_in(raw: object, path: str, system: str) -> str:
    """The first code of `system` at a path, or ''."""
    return next((c.code for c in codings(raw, path) if c.system == system), "")


def codes_in(raw: object, path: str, system: str) -> tuple[str, ...]:
    """Every code of `system` at a path."""
    return tuple(c.code for c in codings(raw, path) if c.system == system)


def has_code(raw: object, path: str, system: str, code: str) -> bool:
    """Whether a path holds a coding."""
    return any(c.system == system and c.code == code for c in codings(raw, path))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _extension_value(one: Raw) -> Any:
    return next((v for k, v in one.items() if k.startswith("value") and len(k) > 5), None)


def extensions(raw: object, url: str) -> tuple[Any, ...]:
    """The value[x] of every extension with this address."""
    held = raw.get("extension") if isinstance(raw, dict) else None
    if not isinstance(held, list):
        return ()
    found = (_extension_value(e) for e in held if isinstance(e, dict) and e.get("url") == url)
    return tuple(v for v in found if v is not None)


def extension(raw: object, url: str) -> Any:
    """The value[x] of the first extension with this address, or None."""
    return next(iter(extensions(raw, url)), None)


def with_extension(raw: Raw, url: str, value_key: str, value: Any) -> Raw:
    """A copy of `raw` where the extension has this value; None takes it away.

    value_key: 'valueString', 'valueReference' …
    """
    kept = [e for e in raw.get("extension") or [] if e.get("url") != url]
    if value is not None:
        kept.append({"url": url, value_key: value})
    rest = {k: v for k, v in raw.items() if k != "extension"}
    return rest | {"extension": kept} if kept else rest


def refs(raw: object, path: str) -> tuple[str, ...]:
    """References ('Type/id') of every Reference at a path; `path` ends before '.reference'."""
    found = (v.get("reference") for v in values_at(raw, path) if isinstance(v, dict))
    return tuple(relative(r) for r in found if isinstance(r, str))


def ref_at(raw: object, path: str, type_: str = "") -> str:
    """The first reference at a path (of a type, if given), or ''."""
    return next((r for r in refs(raw, path) if not type_ or type_of(r) == type_), "")


def patient_ref_of(raw: Raw) -> str:
    """'Patient/…' a resource is about, or ''. A Patient is about itself; an Appointment by participant."""
    kind = raw.get("resourceType")
    if kind == "Patient":
        return f"Patient/{raw.get('id', '')}" if raw.get("id") else ""
    if kind in ("Appointment", "AppointmentResponse"):
        path = "participant.actor" if kind == "Appointment" else "actor"
        return ref_at(raw, path, "Patient")
    return next((r for p in _PATIENT_PATHS if (r := ref_at(raw, p, "Patient"))), "")


def owner_of(raw: Raw) -> str:
    """'Practitioner/…' (or a role or organization) that has the thing in hand, or ''."""
    return next(iter(owners_of(raw)), "")


def owners_of(raw: Raw) -> tuple[str, ...]:
    """All who have the thing in hand: two for a double-staffed visit. Patients and places left out."""
    kinds = ("Practitioner", "PractitionerRole", "Organization", "CareTeam")
    paths = _OWNER_PATHS.get(str(raw.get("resourceType")), ())
    return tuple(r for p in paths for r in refs(raw, p) if type_of(r) in kinds)


def status_of(raw: Raw) -> str:
    """`status`, or the clinical status of a condition or allergy, or ''."""
    status = raw.get("status")
    if isinstance(status, str):
        return status
    return next((c.code for c in codings(raw, "clinicalStatus")), "")


def code_of(raw: Raw) -> Coded | None:
    """The first coding that says what the resource is about."""
    return next((c for p in _CODE_PATHS for c in codings(raw, p)), None)


def title_of(raw: Raw) -> str:
    """What the resource is about, in words: description, title, or the text of its code; or ''."""
    plain = text_at(raw, "description") or text_at(raw, "title")
    return plain or next((t for p in _CODE_PATHS if (t := text_of(value_at(raw, p)))), "")


def _first_time(raw: Raw, paths: tuple[str, ...]) -> datetime | None:
    return next((w for p in paths if (w := earliest_or_none(value_at(raw, p))) is not None), None)


def start_of(raw: Raw) -> datetime | None:
    """When it begins or was done (UTC); the first instant of a date without a time."""
    return _first_time(raw, _START_PATHS)


def end_of(raw: Raw) -> datetime | None:
    """When it ends (UTC), if written."""
    return _first_time(raw, _END_PATHS)


def due_of(raw: Raw) -> datetime | None:
    """A Task's due time: restriction.period.end."""
    return earliest_or_none(value_at(raw, "restriction.period.end"))


def when_at(raw: object, path: str) -> datetime | None:
    """The instant at a path (UTC), or None."""
    return earliest_or_none(value_at(raw, path))


def day_at(raw: object, path: str) -> date | None:
    """The Norwegian day at a path, None where less than a day was written."""
    text = value_at(raw, path)
    if not isinstance(text, str):
        return None
    try:
        found = parse_datetime(text)
    except ValueError:
        return None
    return found.exact if isinstance(found, PartialDate) else found.astimezone(OSLO).date()


def version_of(raw: Raw) -> str | None:
    """meta.versionId."""
    version = value_at(raw, "meta.versionId")
    return version if isinstance(version, str) else None


def last_updated_of(raw: Raw) -> datetime | None:
    """meta.lastUpdated."""
    return earliest_or_none(value_at(raw, "meta.lastUpdated"))


def _holds(period: object, now: datetime | None) -> bool:
    if now is None or not isinstance(period, dict):
        return True
    start, end = earliest_or_none(period.get("start")), earliest_or_none(period.get("end"))
    return (start is None or start <= now) and (end is None or now < end)


def _names(raw: Raw) -> list[Raw]:
    held = raw.get("name")
    return [n for n in (held if isinstance(held, list) else [held]) if isinstance(n, dict)]


def name_parts(raw: Raw) -> tuple[str, str]:
    """(given, family) of the official name, else of the usual one, else of the first in use."""
    order = {
        "official": 0,
        "usual": 1,
        "": 2,
        "temp": 3,
        "nickname": 4,
        "anonymous": 5,
        "maiden": 6,
        "old": 7,
    }
    best = min(_names(raw), key=lambda n: order.get(_text(n.get("use")), 5), default={})
    given = " ".join(g for g in values_at(best, "given") if isinstance(g, str))
    return given, _text(best.get("family")) or (_text(best.get("text")) if not given else "")


def name_text(raw: Raw) -> str:
    """'Anna Berg'; Organization and Location by their name; '' when nameless."""
    if isinstance(raw.get("name"), str):
        return str(raw["name"])
    return " ".join(part for part in name_parts(raw) if part)


def name_sorted(raw: Raw) -> str:
    """'Berg, Anna', as lists of inhabitants are sorted."""
    given, family = name_parts(raw)
    return f"{family}, {given}" if family and given else family or given


def initials(raw: Raw) -> str:
    """'AB'; at most three letters."""
    given, family = name_parts(raw)
    letters = [p[0] for p in [*given.replace("-", " ").split()[:2], family] if p]
    return "".join(letters).upper()


def birth_date(raw: Raw) -> PartialDate | None:
    """Patient.birthDate at the precision written. Never read from the identity number."""
    text = raw.get("birthDate")
    try:
        found = parse_datetime(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return found if isinstance(found, PartialDate) else None


def age_on(raw: Raw, day: date) -> int | None:
    """Whole years on a day, None when no birth year is known."""
    born = birth_date(raw)
    if born is None:
        return None
    return day.year - born.first.year - ((day.month, day.day) < (born.first.month, born.first.day))


def is_deceased(raw: Raw) -> bool:
    """Patient.deceased[x] says so."""
    return raw.get("deceasedBoolean") is True or isinstance(raw.get("deceasedDateTime"), str)


def telecom(raw: Raw, system: str, now: datetime | None = None) -> str:
    """The best contact point of a system: by rank, then mobile before home before work.

    now: leave out those whose period does not hold at that instant.
    """
    order: dict[str, int] = {"mobile": 0, "home": 1, "work": 2}
    held = [t for t in values_at(raw, "telecom") if isinstance(t, dict)]
    usable = [
        t
        for t in held
        if t.get("system") == system
        and _text(t.get("value"))
        and t.get("use") != "old"
        and _holds(t.get("period"), now)
    ]
    best = min(usable, key=lambda t: (_rank(t.get("rank")), order.get(_text(t.get("use")), 3)), default={})
    return _text(best.get("value"))


def _rank(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 99


def phone(raw: Raw, now: datetime | None = None) -> str:
    """A telephone number to ring, or ''."""
    return telecom(raw, "phone", now)


def _address(raw: Raw) -> Raw:
    held = [a for a in values_at(raw, "address") if isinstance(a, dict) and a.get("use") != "old"]
    order: dict[str, int] = {"temp": 0, "home": 1, "": 2}
    return min(held, key=lambda a: order.get(_text(a.get("use")), 3), default={})


def address_text(raw: Raw) -> str:
    """'Storgata 1, 7600 Levanger'. A temporary address goes before the home: that is where they are."""
    best = _address(raw)
    lines = [line for line in values_at(best, "line") if isinstance(line, str)]
    town = " ".join(p for p in (_text(best.get("postalCode")), _text(best.get("city"))) if p)
    return ", ".join([*lines, town] if town else lines) or _text(best.get("text"))


def street_text(raw: Raw) -> str:
    """'Storgata 1' alone."""
    return next((line for line in values_at(_address(raw), "line") if isinstance(line, str)), "")


def position(raw: Raw) -> tuple[float, float] | None:
    """(latitude, longitude) in degrees (WGS 84) of the address, from the geolocation extension."""
    held = values_at(_address(raw), "extension")
    spot = next((e for e in held if isinstance(e, dict) and e.get("url") == codes.EXT_GEO), None)
    latitude, longitude = extension(spot, "latitude"), extension(spot, "longitude")
    if isinstance(latitude, int | float) and isinstance(longitude, int | float):
        return float(latitude), float(longitude)
    return None


def identifier(raw: Raw, system: str) -> str:
    """The value of the first identifier of a system, '' when there is none. Old ones are left out."""
    held = [i for i in values_at(raw, "identifier") if isinstance(i, dict)]
    return next(
        (_text(i.get("value")) for i in held if i.get("system") == system and i.get("use") != "old"), ""
    )


def national_number(raw: Raw) -> str:
    """The person's fødselsnummer, else D-number, else felles hjelpenummer, else ''."""
    return next((n for s in (codes.FNR, codes.DNR, codes.FHN) if (n := identifier(raw, s))), "")


def is_practice(raw: Raw) -> bool:
    """Tagged as synthetic (meta.tag CODE_PRACTICE)."""
    return any(c.system == codes.CODE_PRACTICE for c in codings(raw, "meta.tag"))


def without_meta(raw: Raw) -> Raw:
    """The resource without what the record adds (meta, generated narrative): for comparing content."""
    text = raw.get("text")
    generated = isinstance(text, dict) and text.get("status") == "generated"
    return {k: v for k, v in raw.items() if k != "meta" and not (k == "text" and generated)}
