"""Tolerant reading of people and places: names, birth date, telephone, address, identifiers."""

from __future__ import annotations

from datetime import date, datetime

from clinician.fhir import codes
from clinician.fhir.elements import as_text, extension, values_at
from clinician.fhir.reference import Raw
from clinician.fhir.times import PartialDate, earliest_or_none, parse_datetime


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
    best = min(_names(raw), key=lambda n: order.get(as_text(n.get("use")), 5), default={})
    given = " ".join(g for g in values_at(best, "given") if isinstance(g, str))
    return given, as_text(best.get("family")) or (as_text(best.get("text")) if not given else "")


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
        and as_text(t.get("value"))
        and t.get("use") != "old"
        and _holds(t.get("period"), now)
    ]
    best = min(usable, key=lambda t: (_rank(t.get("rank")), order.get(as_text(t.get("use")), 3)), default={})
    return as_text(best.get("value"))


def _rank(value: object) -> int:
    return value if isinstance(value, int) and not isinstance(value, bool) else 99


def phone(raw: Raw, now: datetime | None = None) -> str:
    """A telephone number to ring, or ''."""
    return telecom(raw, "phone", now)


def _address(raw: Raw) -> Raw:
    held = [a for a in values_at(raw, "address") if isinstance(a, dict) and a.get("use") != "old"]
    order: dict[str, int] = {"temp": 0, "home": 1, "": 2}
    return min(held, key=lambda a: order.get(as_text(a.get("use")), 3), default={})


def address_text(raw: Raw) -> str:
    """'Storgata 1, 7600 Levanger'. A temporary address goes before the home: that is where they are."""
    best = _address(raw)
    lines = [line for line in values_at(best, "line") if isinstance(line, str)]
    town = " ".join(p for p in (as_text(best.get("postalCode")), as_text(best.get("city"))) if p)
    return ", ".join([*lines, town] if town else lines) or as_text(best.get("text"))


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
        (as_text(i.get("value")) for i in held if i.get("system") == system and i.get("use") != "old"), ""
    )


def national_number(raw: Raw) -> str:
    """The person's fødselsnummer, else D-number, else felles hjelpenummer, else ''."""
    return next((n for s in (codes.FNR, codes.DNR, codes.FHN) if (n := identifier(raw, s))), "")
