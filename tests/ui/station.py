"""A workstation made of plain Python for tests of the shell: the same doors, nothing behind them."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from clinician.access.who import Who
from clinician.clock import FrozenClock
from clinician.commands.act import Done
from clinician.errors import ClinicianError, Refused, UserProblem
from clinician.events import CacheChanged, Events, Link, SignedIn, SignedOut, SyncStatus
from clinician.health import HealthLine
from clinician.modulekit.manifest import Manifest, parse
from clinician.modulekit.registry import Entry, ModuleState
from clinician.modulekit.reopening import Reopened
from clinician.pin_desk import PinState
from clinician.texts import lazy
from tests.ui import views

L = lazy("ui")
NOW = datetime(2026, 3, 3, 9, 42, 7, tzinfo=UTC)
PIN = "1234"


@dataclass(frozen=True)
class Workplace:
    key: str
    name: str


@dataclass(frozen=True)
class Staff:
    key: str
    name: str
    initials: str
    profession_text: str
    functions: frozenset[str] = frozenset()


@dataclass(frozen=True)
class Hit:
    key: str
    title: str
    detail: str


@dataclass(frozen=True)
class Candidate:
    key: str
    name: str
    birth_text: str


@dataclass(frozen=True)
class Header:
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
    allergies: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()
    is_deceased: bool = False
    phone: str = ""


@dataclass(frozen=True)
class OutboxRow:
    key: str
    when_text: str
    label: str
    who: str
    patient_name: str
    state: str
    state_text: str
    help_text: str = ""
    attempts: int = 0
    can_retry: bool = False
    can_withdraw: bool = False
    can_export: bool = True
    group: str = ""
    conflict_ref: str = ""


@dataclass(frozen=True)
class FieldDiff:
    path: str
    label: str
    base: str
    mine: str
    theirs: str
    same: bool


@dataclass(frozen=True)
class ConflictView:
    op_id: str
    title: str
    patient_name: str
    fields: tuple[FieldDiff, ...]
    theirs_author: str
    theirs_when: str
    choices: tuple[str, ...]
    patient_ref: str = ""


@dataclass(frozen=True)
class Draft:
    key: str
    patient_ref: str
    content: str


ASTRID = Header(
    "Patient/astrid", "Astrid Moen", "f. 12.03.1942", "84 år", "120342 50042", "120342 •••••", "kvinne",
    "Kongens gate 4, 2. etg", "AM", 20, ("Penicillin",), ("Fallfare",), phone="900 12 345",
)  # fmt: skip
PER = Header(
    "Patient/per", "Per Lund", "f. 02.11.1938", "87 år", "021138 50013", "021138 •••••", "mann",
    "Elvegata 11", "PL", 200,
)  # fmt: skip

OUTBOX = (
    OutboxRow("op-1", "10:41", "Besøk utført", "Kari Nygård", "Astrid Moen", "conflict", "Må avgjøres",
              "Noen andre har endret det samme besøket. Begge utgavene er tatt vare på.", 1,
              can_withdraw=True, conflict_ref="Appointment/a"),
    OutboxRow("op-2", "10:39", "Blodtrykk målt", "Kari Nygård", "Per Lund", "rejected", "Avvist",
              "Journalen godtok ikke målingen: enheten mangler. Ta den tilbake, rett den og send på nytt.", 2,
              can_retry=True, can_withdraw=True),
    OutboxRow("op-3", "10:38", "Notat skrevet", "Kari Nygård", "Astrid Moen", "queued", "Venter",
              "Sendes av seg selv når journalen svarer.", can_withdraw=True),
    OutboxRow("op-4", "10:30", "Besøk utført", "Kari Nygård", "Ola Berg", "applied", "Sendt 10:31",
              "Journalen har bekreftet den.", 1),
)  # fmt: skip

CONFLICT = ConflictView(
    "op-1", "Besøk utført", "Astrid Moen",
    (FieldDiff("status", "Tilstand", "planlagt", "utført", "avlyst", False),
     FieldDiff("end", "Slutt", "08:30", "08:24", "08:30", False),
     FieldDiff("start", "Start", "08:00", "08:00", "08:00", True)),
    "Grete Lie", "10:37", ("merged", "mine", "theirs"),
)  # fmt: skip


class Settings:
    """Values in memory."""

    def __init__(self) -> None:
        self.values: dict[str, Any] = {}
        self.problems: list[UserProblem] = []
        self.locked: set[str] = set()
        self.user = ""

    def of_user(self, user_id: str) -> None:
        self.user = user_id

    def get(self, key: str, default: Any = None) -> Any:
        return self.values.get(key, default)

    def set(self, key: str, value: Any) -> None:
        if key in self.locked:
            raise UserProblem(L("{words}", words="låst av kommunen"))
        self.values[key] = value

    def of_module(self, module: str) -> dict[str, Any]:
        return {}


class Drafts:
    """Drafts per person, in memory."""

    def __init__(self, station: FakeStation) -> None:
        self._station = station
        self.kept: dict[tuple[str, str, str], str] = {}

    def _person(self) -> str:
        return self._station.who.practitioner_ref if self._station.who else ""

    def save(self, key: str, patient_ref: str, content: str) -> None:
        place = (self._person(), key, patient_ref)
        if content:
            self.kept[place] = content
        else:
            self.kept.pop(place, None)

    def load(self, key: str, patient_ref: str) -> str:
        return self.kept.get((self._person(), key, patient_ref), "")

    def all(self) -> tuple[Draft, ...]:
        return tuple(
            Draft(key, ref, content)
            for (person, key, ref), content in self.kept.items()
            if person == self._person()
        )


class FakeRegistry:
    """The registry's own entries and manifests; factories are looked up in tests/ui/views.py."""

    def __init__(self, *entries: Entry) -> None:
        self.found = {entry.id: entry for entry in entries}

    def entries(self) -> tuple[Entry, ...]:
        return tuple(self.found.values())

    def manifests(self) -> tuple[Manifest, ...]:
        return tuple(e.manifest for e in self.entries() if e.manifest and e.state is ModuleState.CHECKED)

    def resolve(self, module_id: str, dotted: str) -> Any:
        return getattr(views, dotted.partition(":")[2])

    def switch(self, module_id: str, on: bool) -> None:
        self.found[module_id].state = ModuleState.CHECKED if on else ModuleState.OFF


def module(text: str) -> Entry:
    """An entry whose manifest is `text`."""
    manifest = parse(f'schema = 1\nversion = "1.0.0"\nowner = "test"\n{text}')
    return Entry(manifest.id, manifest.id, "test", ModuleState.CHECKED, manifest)


def home_care() -> Entry:
    """A module of four views and two actions."""
    return module(
        """
        id = "homecare"
        title = "Hjemme\u00adtjeneste"
        summary = "Dagen, sonen og brukeren"
        icon = "house"
        [[views]]
        id = "my-day"
        title = "Min dag"
        icon = "sun"
        factory = "tests.ui.views:make_day"
        [[views]]
        id = "zone"
        title = "Sonen"
        icon = "map-trifold"
        factory = "tests.ui.views:make_zone"
        [[views]]
        id = "user"
        title = "Brukeren"
        icon = "user"
        factory = "tests.ui.views:make_user"
        patient = "required"
        [[views]]
        id = "visit"
        title = "Besøk"
        icon = "clipboard-text"
        factory = "tests.ui.views:make_note"
        kind = "pane"
        area = "right"
        [[actions]]
        id = "go-zone"
        title = "Vis sonen"
        view = "zone"
        places = ["palette"]
        [[actions]]
        id = "tick"
        title = "Utført"
        icon = "check"
        command = "tests.ui.views:Tick"
        shortcut = "Space"
        places = ["palette", "row"]
        """
    )


def physio() -> Entry:
    """A second module with one view."""
    return module(
        """
        id = "physio"
        title = "Fysio"
        summary = "Grupper og takster"
        icon = "barbell"
        [[views]]
        id = "today"
        title = "I dag"
        factory = "tests.ui.views:make_zone"
        """
    )


def sick() -> Entry:
    """A module that does not work."""
    return Entry(
        "quickboard", "quickboard", "test", ModuleState.BROKEN,
        problem=L("{words}", words="Manifestet nevner en visning som ikke finnes."),
    )  # fmt: skip


def crashing() -> Entry:
    """A module whose only view cannot be made."""
    return module(
        """
        id = "casework"
        title = "Saker"
        summary = "Vedtak"
        icon = "briefcase"
        [[views]]
        id = "cases"
        title = "Saker"
        factory = "tests.ui.views:make_nothing"
        """
    )


LAYOUT = """
schema = 1
id = "test"
title = "Test"
[[pages]]
module = "homecare"
[[pages.panes]]
view = "homecare.my-day"
[[pages.panes]]
view = "homecare.zone"
[[pages.panes]]
view = "homecare.user"
[[pages.panes]]
view = "homecare.visit"
area = "right"
share = 40
"""


class FakePins:
    """The desk of PINs: who has one, who may choose, the one code that is good."""

    CODE = "483201"

    def __init__(self, station: FakeStation) -> None:
        self._station = station
        self.states: dict[str, PinState] = {}
        self.chosen: dict[str, str] = {}

    def state(self, practitioner_ref: str) -> PinState:
        return self.states.get(practitioner_ref, PinState.HAS)

    def choose(self, practitioner_ref: str, pin: str, code: str = "") -> None:
        if self.state(practitioner_ref) is PinState.CODE and code != self.CODE:
            raise Refused(L("{words}", words="Koden er feil."))
        self.chosen[practitioner_ref] = pin
        self.states.pop(practitioner_ref, None)

    def issue_code(self, practitioner_ref: str) -> str:
        self._station.calls.append(("issue_code", practitioner_ref))
        return self.CODE


class FakeUnlocking:
    """Passwords for the PC."""

    def __init__(self) -> None:
        self.is_set = False
        self.passwords: list[str] = []

    def set_password(self, secret: str) -> None:
        if len(secret) < 12:
            raise UserProblem(L("{words}", words="For kort."), field="secret")
        self.passwords.append(secret)
        self.is_set = True

    def forget(self) -> None:
        self.is_set = False


class FakeStation:
    """Implements `ui.shell.station.Station`."""

    def __init__(self, folder: Path, *, practice: bool = True) -> None:
        self.folder = folder
        (folder / "layouts").mkdir(exist_ok=True)
        (folder / "layouts" / "municipality.toml").write_text(LAYOUT, encoding="utf-8")
        self.events = Events()
        self.clock = FrozenClock(NOW)
        self.registry = FakeRegistry(home_care(), physio(), sick())
        self.practice = practice
        self.settings = Settings()
        self.who: Who | None = None
        self.drafts = Drafts(self)
        self.state = SyncStatus(Link.FRESH, as_of=NOW, all_sent=True)
        self.calls: list[tuple[Any, ...]] = []
        self.troubled: set[str] = set()
        self.asked_for_people: list[int] = []
        """How much had been called at each asking"""
        self.pins: Any = FakePins(self)
        self.decided: tuple[OutboxRow, ...] = ()
        self.unlocking: Any = FakeUnlocking()
        self.healthy: tuple[HealthLine, ...] = ()
        self.outbox: tuple[OutboxRow, ...] = OUTBOX
        self.sent: tuple[OutboxRow, ...] = ()
        self.reopened: Reopened | None = None
        self.conflict = CONFLICT
        self.answers: dict[str, Callable[..., Any]] = {}
        self.refuse: ClinicianError | None = None
        self.central = (Candidate("Patient/berit", "Berit Solheim", "1950-05-02"),)
        self.arrived: tuple[Hit, ...] = ()
        self.people = self._people()
        self.hold = threading.Event()
        self.hold.set()

    def status(self) -> SyncStatus:
        return self.state

    def tell(self, status: SyncStatus) -> None:
        self.state = status
        self.events.publish(status)

    def change(self, *types: str) -> None:
        self.events.publish(CacheChanged(frozenset(), frozenset(types)))

    def start_sync(self) -> None:
        self.calls.append(("start_sync",))

    def sync_now(self) -> None:
        self.calls.append(("sync_now",))

    def watched(self, is_visible: bool) -> None:
        self.is_watched = is_visible

    def close(self) -> None:
        self.calls.append(("close",))

    def _look(self, what: str) -> None:
        if what in self.troubled:
            raise UserProblem(L("Disken svarer ikke"))

    def workplaces(self) -> Sequence[Workplace]:
        self._look("workplaces")
        return (
            Workplace("Organization/sol", "Solbakken hjemmetjeneste"),
            Workplace("Organization/nord", "Nordsia hjemmetjeneste"),
        )

    def staff(self, workplace_ref: str) -> Sequence[Staff]:
        self._look("staff")
        self.asked_for_people.append(len(self.calls))
        return self.people

    @staticmethod
    def _people() -> tuple[Staff, ...]:
        return (
            Staff("Practitioner/kari", "Kari Nygård", "KN", "Sykepleier"),
            Staff("Practitioner/aase", "Åse Myhre", "ÅM", "Helsefagarbeider"),
            Staff("Practitioner/grete", "Grete Lie", "GL", "Sykepleier, koordinator"),
            Staff("Practitioner/jonas", "Jonas Hauge", "JH", "Vernepleier", frozenset({"superuser"})),
        )

    def sign_in(self, practitioner_ref: str, workplace_ref: str, pin: str) -> Who:
        if pin != self.pins.chosen.get(practitioner_ref, PIN):
            raise Refused(L("The PIN is not right. Try again; nothing is lost."))
        person = next(s for s in self.staff(workplace_ref) if s.key == practitioner_ref)
        place = next(w for w in self.workplaces() if w.key == workplace_ref)
        self.who = Who(
            person.key,
            "PractitionerRole/x",
            person.name,
            person.initials,
            place.key,
            place.name,
            functions=person.functions,
        )
        self.events.publish(SignedIn(person.key))
        return self.who

    def sign_out(self) -> None:
        if self.who is not None:
            self.events.publish(SignedOut(self.who.practitioner_ref))
        self.who = None

    def run_query(self, query: Any, /, *args: Any, **kwargs: Any) -> Any:
        self.hold.wait(60)
        name = query.name.rpartition(".")[2]
        known: dict[str, Callable[..., Any]] = {
            "patient_header": self._header,
            "patient_hits": self._hits,
            "outbox_rows": lambda: self.outbox,
            "sent_rows": lambda day: self.sent,
            "decided_rows": lambda day: self.decided,
            "conflict_view": lambda op_id: self.conflict,
        } | self.answers
        if name in known:
            return known[name](*args, **kwargs)
        return query.function(None, *args, **kwargs)

    def _header(self, patient_ref: str, day: Any = None) -> Header:
        known = {
            "Patient/astrid": ASTRID,
            "Patient/per": PER,
            "Patient/arne": replace(PER, key="Patient/arne"),
            "Patient/berit": replace(PER, key="Patient/berit", name="Berit Solheim"),
        }
        if patient_ref not in known:
            raise problem("Denne personen er ikke på denne PC-en.")
        return known[patient_ref]

    def _hits(self, words: Any, limit: int = 20) -> tuple[Hit, ...]:
        typed = (words if isinstance(words, str) else " ".join(words)).casefold()
        hits = (
            Hit("Patient/astrid", "Astrid Moen", "f. 12.03.1942 · Kongens gate 4"),
            Hit("Patient/arne", "Arne Moen", "f. 01.02.1940 · Kongens gate 4"),
            Hit("Patient/per", "Per Lund", "f. 02.11.1938 · Elvegata 11"),
            *self.arrived,
        )
        numbers = {
            "Patient/astrid": "12034250042",
            "Patient/per": "02113850013",
            "Patient/arne": "01024050011",
        }
        return tuple(
            hit
            for hit in hits
            if numbers.get(hit.key) == typed.replace(" ", "")
            or all(any(p.startswith(w) for p in hit.title.casefold().split()) for w in typed.split())
        )

    def run_command(self, command: Any) -> Done:
        self.calls.append(("command", command))
        if self.refuse is not None:
            raise self.refuse
        return Done("g1", ("op-9",), frozenset({"Task/t"}), L("Saved"))

    def undo(self, done: Done) -> Done:
        self.calls.append(("undo", done.group))
        return Done("g2", (), frozenset(), L("Undone."))

    def retry(self, op_id: str) -> None:
        self.calls.append(("retry", op_id))

    def withdraw(self, op_id: str) -> None:
        self.calls.append(("withdraw", op_id))
        self.outbox = tuple(row for row in self.outbox if row.key != op_id)
        self.change("Outbox")

    def export(self, op_id: str) -> bytes:
        self.calls.append(("export", op_id))
        return b"{}"

    def resume_sync(self) -> None:
        self.calls.append(("resume_sync",))

    def health(self) -> tuple[HealthLine, ...]:
        return self.healthy

    def health_report(self) -> bytes:
        self.calls.append(("health_report",))
        return b"rapport"

    def examine_all(self) -> None:
        self.calls.append(("examine_all",))

    def warm_up(self) -> None:
        self.calls.append(("warm_up",))

    def look_up(self, words: str) -> tuple[Candidate, ...]:
        self.calls.append(("look_up", words))
        if self.refuse is not None:
            raise self.refuse
        return tuple(one for one in self.central if words.casefold() in one.name.casefold())

    def request_patients(self, patient_refs: Sequence[str]) -> None:
        self.calls.append(("request_patients", tuple(patient_refs)))

    def export_all(self) -> bytes:
        self.calls.append(("export_all",))
        return b"{}"

    def take_back(self, op_id: str) -> Reopened | None:
        self.withdraw(op_id)
        return self.reopened

    def take_over(self, task_ref: str) -> str:
        self.calls.append(("take_over", task_ref))
        return "op-1"

    def decide(self, op_id: str, choice: str, picks: Mapping[str, str] | None = None) -> None:
        self.calls.append(("decide", op_id, choice, *([picks] if picks else ())))
        self.outbox = tuple(row for row in self.outbox if row.key != op_id)
        self.change("Outbox")


def offline_since(minutes: int, waiting: int) -> SyncStatus:
    """A status as when the cable was pulled."""
    return SyncStatus(
        Link.OFFLINE, as_of=NOW - timedelta(minutes=minutes), offline_since=NOW - timedelta(minutes=minutes),
        waiting=waiting,
    )  # fmt: skip


def problem(words: str) -> UserProblem:
    """A problem in words."""
    return UserProblem(L("{words}", words=words))
