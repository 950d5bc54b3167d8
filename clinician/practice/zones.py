"""What a home-care zone is made of: users, visit slots, routes, events; and who stands where each day."""

from __future__ import annotations

from dataclasses import dataclass, field

from clinician.practice.persons import Kin, Person
from clinician.practice.staff import Staff
from clinician.practice.town import Spot
from clinician.practice.units import Unit
from clinician.practice.world import NOBODY, Named


@dataclass(slots=True)
class User:
    """A home-care user of a zone."""

    key: str
    person: Person
    profile: str
    flags: tuple[str, ...] = ()
    access: int | None = None
    """index of a way in (profiles.toml), None = drawn"""
    is_new: bool = False
    is_unplanned: bool = False
    relation: str = ""
    """the first next of kin must be this (names.toml), '' = drawn"""
    kin: Kin | None = None
    doctor: Named = NOBODY
    services: dict[str, str] = field(default_factory=dict)
    """KPR code → 'ServiceRequest/…'"""
    plan: str = ""


@dataclass(frozen=True, slots=True)
class Slot:
    """A visit that comes again. Minutes of the day, Norwegian wall clock."""

    user: User
    route: str
    start: int
    length: int
    measures: tuple[str, ...]
    weekdays: frozenset[int] | None
    """0 = Monday; None = every day"""
    competences: frozenset[str] = frozenset()
    profession: str = ""
    fixed: bool = False
    window: tuple[int, int] | None = None
    """earliest and latest start"""
    second: str = ""
    """route of the second person of a double-staffed visit"""
    wish: str = ""
    firm: bool = False
    later: str = ""
    """route from the day after the practice day"""
    title: str = ""
    comment: str = ""

    @property
    def end(self) -> int:
        """The minute after the visit."""
        return self.start + self.length

    def falls_on(self, weekday: int) -> bool:
        """Whether the slot is visited on a weekday (0 = Monday)."""
        return self.weekdays is None or weekday in self.weekdays


@dataclass(frozen=True, slots=True)
class Route:
    """A working day: its name, its shift, who drives it on each day from world.PAST on."""

    key: str
    name: str
    shift: tuple[int, int]
    drivers: tuple[Staff, ...]


@dataclass(frozen=True, slots=True)
class Event:
    """Something that made a visit other than planned and done (nord.toml [[event]])."""

    outcome: str
    text: str = ""
    extra: tuple[str, ...] = ()


@dataclass(slots=True)
class Zone:
    """A zone with everything its six days are made from."""

    unit: Unit
    base: Spot
    staff: list[Staff]
    users: list[User]
    routes: dict[str, Route]
    slots: list[Slot]
    events: dict[tuple[int, str, int], Event]
    """(days from the practice day, user key, start minute) → what happened"""
    changed: dict[tuple[str, int], str] = field(default_factory=dict)
    """(user key, start minute) → why the visit was changed on the morning of the practice day"""

    @property
    def coordinator(self) -> Staff:
        """Who holds the plan."""
        return next(s for s in self.staff if "coordinator" in s.functions)


@dataclass(slots=True)
class Visit:
    """One slot on one day."""

    slot: Slot
    offset: int
    route: str
    staff: tuple[Staff, ...]
    order: int
    travel: int
    outcome: str
    """done, open, or what an Event says"""
    text: str = ""
    replaces: str = ""
    changed: str = ""
    measures: tuple[str, ...] = ()
    actual: tuple[int, int] = (0, 0)
    """minutes of the day the visit was really made"""
