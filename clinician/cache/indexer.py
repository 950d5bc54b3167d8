"""From one parsed resource to its columns and tokens. Pure; tolerant of any shape.

The paths of `declared` are made once into short closures; this runs for every resource that
comes down, so it allocates little and never validates.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache, partial
from typing import Any, Final, NamedTuple

from clinician.cache import declared
from clinician.cache.declared import Declared, Path
from clinician.cache.folding import day_words, fold, words_of
from clinician.cache.reading import Raw
from clinician.clock import OSLO
from clinician.fhir import codes as codes_
from clinician.fhir.reference import relative

Token = tuple[str, str]


class Columns(NamedTuple):
    """What of a resource can be asked for. References are 'Type/id', times UTC milliseconds.

    codes: 'system|code', the first is the column, the others tokens. owners likewise.
    """

    patient: str
    status: str | None
    start: int | None
    end: int | None
    codes: tuple[str, ...]
    owners: tuple[str, ...]
    link: str
    ident: str | None
    sort_key: str | None
    """Of a named type the ranked name, of an EpisodeOfCare the room."""
    tokens: tuple[Token, ...]


Pluck = Callable[[Raw], Any]
Extract = Callable[[Raw], Columns]


def walk(value: Any, path: Path, at: int = 0) -> Iterator[Any]:
    """Every value at a path; lists on the way and at its end are walked."""
    if isinstance(value, list):
        for one in value:
            yield from walk(one, path, at)
    elif at == len(path):
        if value is not None:
            yield value
    elif isinstance(value, dict):
        inner = value.get(path[at])
        if inner is not None:
            yield from walk(inner, path, at + 1)


def columns_of(raw: Raw) -> Columns:
    """The columns of a resource of any shape; raises ValueError only without a resourceType."""
    type_ = raw.get("resourceType")
    if not isinstance(type_, str):
        raise ValueError("a resource without a type")
    return _extractor(type_)(raw)


@lru_cache(maxsize=256)
def _extractor(type_: str) -> Extract:
    known = declared.of(type_)
    patients, statuses, starts = _plucks(known.patient), _plucks(known.status), _plucks(known.start)
    ends, owners, coded = _plucks(known.end), _plucks(known.owners), _plucks(known.codes)
    link, tokens = _link_reader(known), _token_reader(known)
    is_patient, is_task, is_stay = (type_ == name for name in ("Patient", "Task", "EpisodeOfCare"))
    named = known.named

    def extract(raw: Raw) -> Columns:
        first_identifier, extra = _identifiers(raw) if "identifier" in raw else (None, ())
        links = link(raw)
        return Columns(
            f"Patient/{raw.get('id')}" if is_patient else _first_patient(raw, patients),
            _status(raw, statuses),
            _first_time(raw, starts),
            _first_time(raw, ends),
            _codes(raw, coded, kind_first=is_task),
            _owners(raw, owners),
            links[0] if links else "",
            first_identifier,
            sort_key(raw) if named else (room_of(raw) or None) if is_stay else None,
            tokens(raw, links[1:]) + extra,
        )

    return extract


def _plucks(paths: tuple[Path, ...]) -> tuple[Pluck, ...]:
    return tuple(_pluck(path) for path in paths)


def _pluck(path: Path) -> Pluck:
    """What lies at a path: None, one value, or a list of them. The common short shapes cost one look each."""
    name, rest = path[0], path[1:]

    def one(raw: Raw) -> Any:
        return raw.get(name)

    def deeper(raw: Raw) -> Any:
        value = raw.get(name)
        if value is None:
            return None
        return value.get(rest[0]) if type(value) is dict and len(rest) == 1 else list(walk(value, rest))

    return deeper if rest else one


def _each(value: Any) -> Iterable[Any]:
    if value is None:
        return ()
    return value if type(value) is list else (value,)


def _ref(value: Any) -> str:
    """'Type/id' of a Reference, '' when it holds none."""
    if type(value) is not dict:
        return ""
    reference = value.get("reference")
    if type(reference) is not str:
        return ""
    return reference if reference.count("/") == 1 else relative(reference)


def _first_patient(raw: Raw, plucks: tuple[Pluck, ...]) -> str:
    for pluck in plucks:
        found = pluck(raw)
        for value in (found,) if type(found) is dict else _each(found):
            if (ref := _ref(value)).startswith("Patient/"):
                return ref
    return ""


def _status(raw: Raw, plucks: tuple[Pluck, ...]) -> str | None:
    for pluck in plucks:
        found = pluck(raw)
        if type(found) is str:
            return found
        for value in _each(found):
            if isinstance(value, str):
                return value
            if isinstance(value, bool):
                return "active" if value else "inactive"
    return None


def _first_time(raw: Raw, plucks: tuple[Pluck, ...]) -> int | None:
    for pluck in plucks:
        for value in _each(pluck(raw)):
            if (found := milliseconds(value)) is not None:
                return found
    return None


def milliseconds(value: Any) -> int | None:
    """A FHIR date or time as UTC milliseconds: its first instant, days and naive times Norwegian."""
    return _milliseconds(value) if type(value) is str else None


@lru_cache(maxsize=8192)
def _milliseconds(value: str) -> int | None:
    """Remembered, for visits, their tasks and what was measured in them share their times."""
    text = value if len(value) >= 10 else f"{value}-01" if len(value) == 7 else f"{value}-01-01"
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        return None
    if when.tzinfo is None:
        when = when.replace(tzinfo=OSLO)
    return to_ms(when)


_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


def to_ms(when: datetime) -> int:
    """UTC milliseconds of an aware instant; what is below a millisecond is cut."""
    apart = when - _EPOCH
    return (apart.days * 86_400 + apart.seconds) * 1000 + apart.microseconds // 1000


def _codes(raw: Raw, plucks: tuple[Pluck, ...], *, kind_first: bool) -> tuple[str, ...]:
    found: list[str] = []
    for pluck in plucks:
        for value in _each(pluck(raw)):
            if type(value) is not dict:
                continue
            coding = value.get("coding")
            for one in coding if type(coding) is list else (value,):
                if type(one) is dict and type(code := one.get("code")) is str:
                    system = one.get("system")
                    found.append(f"{system if type(system) is str else ''}|{code}")
    if len(found) < 2:
        return tuple(found)
    if kind_first:
        found.sort(key=lambda key: not key.startswith(codes_.CODE_TASK))
    return tuple(dict.fromkeys(found))


def _owners(raw: Raw, plucks: tuple[Pluck, ...]) -> tuple[str, ...]:
    found = [
        ref for pluck in plucks for value in _each(pluck(raw)) if (ref := _ref(value)).startswith(_OWNERS)
    ]
    return tuple(dict.fromkeys(found)) if len(found) > 1 else tuple(found)


_OWNERS: Final = tuple(f"{type_}/" for type_ in sorted(declared.OWNER_TYPES))


def _link_reader(known: Declared) -> Callable[[Raw], tuple[str, ...]]:
    if known.link is not None:
        return partial(_links, _pluck(known.link[1]))
    if known.link_extension is not None:
        url = known.link_extension[1]
        return lambda raw: _extension_refs(raw, url)
    return lambda raw: ()


def _links(pluck: Pluck, raw: Raw) -> tuple[str, ...]:
    value = pluck(raw)
    if type(value) is dict:
        ref = _ref(value)
        return (ref,) if ref else ()
    return tuple(dict.fromkeys(ref for one in _each(value) if (ref := _ref(one))))


def _extension_refs(raw: Raw, url: str) -> tuple[str, ...]:
    held = raw.get("extension")
    if not isinstance(held, list):
        return ()
    found = (
        _ref(one.get("valueReference")) for one in held if isinstance(one, dict) and one.get("url") == url
    )
    return tuple(dict.fromkeys(ref for ref in found if ref))


def _token_reader(known: Declared) -> Callable[[Raw, tuple[str, ...]], tuple[Token, ...]]:
    held = known.link or known.link_extension
    link_name = held[0] if held else ""
    paths = tuple((name, _pluck(path)) for name, path in known.tokens)
    extensions = known.extensions

    def read(raw: Raw, more_links: tuple[str, ...]) -> tuple[Token, ...]:
        found = [(link_name, ref) for ref in more_links]
        found += [(name, ref) for name, pluck in paths for value in _each(pluck(raw)) if (ref := _ref(value))]
        if extensions and "extension" in raw:
            found += [(name, ref) for name, url in extensions for ref in _extension_refs(raw, url)]
        return tuple(dict.fromkeys(found)) if found else ()

    return read


_NATIONAL: Final = (codes_.FNR, codes_.DNR, codes_.FHN, codes_.HPR, codes_.ORGNR)


def _identifiers(raw: Raw) -> tuple[str | None, tuple[Token, ...]]:
    """(the column, the others as tokens): a national number first. Values are kept without their system."""
    found: list[tuple[int, str]] = []
    for one in walk(raw.get("identifier"), ()):
        value = one.get("value") if isinstance(one, dict) else None
        if isinstance(value, str) and value:
            system = one.get("system")
            found.append((_NATIONAL.index(system) if system in _NATIONAL else len(_NATIONAL), value))
    found.sort(key=lambda pair: pair[0])
    values = tuple(dict.fromkeys(value for _, value in found))
    return (values[0], tuple(("identifier", v) for v in values[1:])) if values else (None, ())


def _names(raw: Raw) -> Iterator[dict[str, Any]]:
    return (name for name in walk(raw.get("name"), ()) if isinstance(name, dict))


def sort_key(raw: Raw) -> str:
    """Folded 'family given' (or the plain name of an organization); '' without a name.

    Norwegian order of the alphabet is kept by the letters' own rank: æ, ø, å after z.
    """
    plain = raw.get("name")
    if isinstance(plain, str):
        return _ranked(plain)
    best = min(_names(raw), key=_name_rank, default=None)
    if best is None:
        return ""
    given = " ".join(part for part in walk(best.get("given"), ()) if isinstance(part, str))
    family = best.get("family")
    text = f"{family if isinstance(family, str) else ''} {given}".strip()
    spelled = best.get("text")
    return _ranked(text or (spelled if isinstance(spelled, str) else ""))


_ORDER: Final = str.maketrans({"æ": "{", "ä": "{", "ø": "|", "ö": "|", "å": "}"})


def _ranked(text: str) -> str:
    lower = text.casefold().replace("aa", "å").translate(_ORDER)
    return lower if lower.isascii() else fold(lower)


_NAME_USES: Final = ("official", "usual")


def _name_rank(name: dict[str, Any]) -> int:
    use = name.get("use")
    if use is None:
        return len(_NAME_USES)
    return _NAME_USES.index(use) if use in _NAME_USES else len(_NAME_USES) + (use == "old") + 1


_TYPED_ELEMENTS: Final = ("family", "given", "text")


def words_of_patient(raw: Raw, rooms: tuple[str, ...]) -> str:
    """What a patient is found by: names, numbers, birth date, phones, address, room."""
    found: list[str] = []
    for name in _names(raw):
        for element in _TYPED_ELEMENTS:
            for part in walk(name.get(element), ()):
                if isinstance(part, str):
                    found.extend(words_of(part))
    for one in walk(raw.get("identifier"), ("value",)):
        found.extend(words_of(one) if isinstance(one, str) else ())
    birth = raw.get("birthDate")
    found.extend(day_words(birth) if isinstance(birth, str) else ())
    for one in walk(raw.get("telecom"), ("value",)):
        found += ["".join(c for c in one if c.isdigit())] if isinstance(one, str) else []
    for path in (("address", "line"), ("address", "city"), ("address", "postalCode")):
        for one in walk(raw, path):
            found.extend(words_of(one) if isinstance(one, str) else ())
    for room in rooms:
        found.extend(words_of(room))
    return " ".join(dict.fromkeys(word for word in found if word))


def room_of(raw: Raw) -> str:
    """The room of a resident, from an EpisodeOfCare that is not over; '' for anything else."""
    if raw.get("resourceType") != "EpisodeOfCare" or raw.get("status") in _OVER:
        return ""
    for one in walk(raw.get("extension"), ()):
        if isinstance(one, dict) and one.get("url") == codes_.EXT_ROOM:
            value = one.get("valueString")
            return value if isinstance(value, str) else ""
    return ""


_OVER: Final = frozenset({"finished", "cancelled", "entered-in-error"})
