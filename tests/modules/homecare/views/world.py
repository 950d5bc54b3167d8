"""A believable day in the zone Nord, tirsdag 3. mars 2026 kl. 09.12. No real person."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from clinician.clock import OSLO
from clinician.queries.query import RowState
from clinician.queries.staff import StaffRow
from modules.homecare import commands as c
from modules.homecare.rows import (
    BrokenLink,
    BrokenRow,
    Candidate,
    ChangeRow,
    DayRow,
    DaySums,
    FactRow,
    ItemKind,
    Ledger,
    MeasurementField,
    MeasurementKind,
    MeasurementPoint,
    Move,
    MyDay,
    News2Row,
    NotDone,
    NoteRow,
    PlanRow,
    QuickText,
    RemovalRow,
    Section,
    Sheet,
    Suggestion,
    TaskRow,
    UserCard,
    ValueRow,
    VisitCard,
    VisitState,
    ZoneDay,
    ZoneRoute,
    ZoneVisit,
)
from modules.homecare.rules.planning import PlanningProblem

NOW = datetime(2026, 3, 3, 9, 12, 7, tzinfo=OSLO)
PEOPLE = (
    ("Ola Berg", "Elvegata 3", "07:30", "Morgenstell · Medisiner", 20),
    ("Solveig Brekke", "Skolevegen 9", "08:00", "Støttestrømper · Frokost", 20),
    ("Torleif Aasen", "Moavegen 14 B", "08:30", "Insulin · Blodsukker", 15),
    ("Astrid Moen", "Kongens gate 4, 2. etg", "09:10", "Morgenstell · Insulin · BT", 30),
    ("Per Lund", "Elvegata 11", "09:50", "Støttestrømper · Dusj", 30),
    ("Kari Nygård", "Fjordgata 22", "10:30", "Sårstell", 25),
    ("Magnhild Ødegård", "Prestegardsvegen 1", "11:10", "Medisiner · Lunsj", 20),
    ("Ingeborg Sæther", "Storgata 40", "11:50", "BT · Vekt", 15),
    ("Johan Vangen", "Bakkevegen 5", "12:30", "Kateterstell", 30),
    ("Eldbjørg Rønning", "Kyrkjevegen 18", "13:20", "Medisindosett", 20),
)
STAFF = (
    ("Kari Lunde", "Sykepleier", "KL"),
    ("Jon Vik", "Helsefagarbeider", "JV"),
    ("Mette Hauge", "Sykepleier", "MH"),
    ("Lars Foss", "Helsefagarbeider", "LF"),
    ("Nina Strand", "Helsefagarbeider", "NS"),
    ("Eva Dahl", "Vernepleier", "ED"),
    ("Tor Lie", "Helsefagarbeider", "TL"),
    ("Siv Bakke", "Sykepleier", "SB"),
    ("Odd Eide", "Assistent", "OE"),
)


def at(text: str) -> datetime:
    hour, minute = text.split(":")
    return NOW.replace(hour=int(hour), minute=int(minute), second=0)


def span(start: datetime, minutes: int) -> str:
    return f"{start:%H:%M}–{start + timedelta(minutes=minutes):%H:%M}"


class World:
    """The state; `apply` changes it as the commands would, queries read it."""

    def __init__(self) -> None:
        self.states: dict[str, tuple[VisitState, str]] = {}
        self.row_states: dict[str, RowState] = {}
        self.tasks: dict[str, list[TaskRow]] = {}
        self.follow_ups: list[DayRow] = []
        self.overdue: set[str] = {"Appointment/2"}
        self.notes: list[NoteRow] = [
            NoteRow(
                "DocumentReference/1",
                "i går 09:40",
                "Mette Hauge",
                "Besøksnotat",
                "Spist godt til frokost. Litt vondt i hoften ved forflytning, bruker rullator inne. "
                "Avtalt at datter følger til legen torsdag.",
                RowState.CONFIRMED,
                False,
            ),
            NoteRow(
                "DocumentReference/2",
                "lør 28. feb 08:50",
                "Jon Vik",
                "Besøksnotat",
                "Hud under høyre bryst rød og litt sår. Vasket og smurt.",
                RowState.QUEUED,
                False,
            ),
            NoteRow(
                "DocumentReference/3",
                "fre 27. feb 08:55",
                "Lars Foss",
                "Besøksnotat",
                "Notat skrevet på feil bruker.",
                RowState.CONFIRMED,
                True,
            ),
        ]
        self.moved: dict[str, tuple[str, datetime, datetime]] = {}
        self.absent: set[str] = set()
        self.notified: tuple[Move, ...] = ()
        self.is_empty = False
        for n in range(len(PEOPLE)):
            self.tasks[f"Appointment/{n}"] = self._tasks(n)
        for n in (0, 1):
            self.states[f"Appointment/{n}"] = (
                VisitState.DONE,
                f"utført {span(at(PEOPLE[n][2]), PEOPLE[n][4] - 3)}",
            )
            self._answer(f"Appointment/{n}")
        self.row_states["Appointment/1"] = RowState.QUEUED

    def _tasks(self, n: int) -> list[TaskRow]:
        words = PEOPLE[n][3].split(" · ")
        measures = {"BT": "blood-pressure", "Blodsukker": "glucose", "Vekt": "weight"}
        details = {
            "Insulin": "Novorapid 8 E før frokost, etter blodsukker",
            "Morgenstell": "Selv ansikt og hender",
            "BT": "Ukentlig, tirsdag",
            "Sårstell": "Legg venstre: Mepilex, skift annenhver dag",
        }
        return [
            TaskRow(
                f"Task/{n}-{i}",
                {"BT": "Måle blodtrykk"}.get(word, word),
                details.get(word, ""),
                "ready",
                "",
                "",
                measures.get(word, ""),
                RowState.CONFIRMED,
                True,
                "utført i går 08:12 av Mette Hauge",
            )
            for i, word in enumerate(words)
        ]

    def _answer(self, key: str) -> None:
        self.tasks[key] = [
            replace(t, status="completed", status_text="utført", is_open=False) if t.is_open else t
            for t in self.tasks[key]
        ]

    # -- queries ---------------------------------------------------------------------------------

    def my_day(self, **_kw: Any) -> MyDay:
        if self.is_empty:
            return MyDay((), DaySums(0, 0, 0, 0, 0, 0, 0), "", NOW, True)
        rows: list[DayRow] = [*self.follow_ups]
        following = False
        next_key = ""
        for n, (name, address, start, title, minutes) in enumerate(PEOPLE):
            key = f"Appointment/{n}"
            state, words = self.states.get(key, (VisitState.OPEN, ""))
            if state not in (VisitState.OPEN, VisitState.IN_PROGRESS):
                section = Section.DONE
            elif key in self.overdue:
                section = Section.OVERDUE
            elif not next_key and not following:
                section, following, next_key = Section.NOW, True, key
            elif following:
                section, following = Section.NEXT, False
            else:
                section = Section.LATER
            rows.append(
                DayRow(
                    key,
                    ItemKind.VISIT,
                    section,
                    f"Patient/{n}",
                    name,
                    start,
                    title,
                    address,
                    f"{4 + n % 5 * 3} min",
                    "Nøkkelboks" if n % 3 == 0 else "",
                    n in (4, 8),
                    27 if section is Section.OVERDUE else 0,
                    "endret 07:40" if n == 5 else "",
                    words,
                    state,
                    self.row_states.get(key, RowState.CONFIRMED),
                    at(start),
                    at(start) + timedelta(minutes=minutes),
                    f"900 12 34{n}",
                    "Jon Vik" if n == 4 else "",
                    n == 7,
                    sum(t.is_open for t in self.tasks[key]),
                    len(self.tasks[key]),
                )
            )
        rows.append(
            DayRow(
                "Communication/1",
                ItemKind.REPLY,
                Section.LATER,
                "Patient/5",
                "Kari Nygård",
                "08:47",
                "Fastlegen svarer om sårstellet: fortsett som nå, ny vurdering fredag",
                "",
                "",
                "",
                False,
                0,
                "",
                "",
                None,
                RowState.CONFIRMED,
                at("8:47"),
                None,
                "",
                "Legekontoret",
                False,
                0,
                0,
            )
        )
        seen = {"done": VisitState.DONE, "not_done": VisitState.NOT_DONE}
        visits = [r for r in rows if r.kind is ItemKind.VISIT]
        done = sum(r.visit_state is seen["done"] for r in visits)
        open_ = sum(r.section is not Section.DONE for r in visits)
        sums = DaySums(
            len(visits),
            done,
            len(visits) - done - open_,
            0,
            0,
            open_,
            sum(r.section is Section.OVERDUE for r in visits),
        )
        return MyDay(tuple(rows), sums, next_key, NOW, True)

    def visit_card(self, *, appointment_ref: str, **_kw: Any) -> VisitCard | None:
        n = int(appointment_ref.split("/")[1])
        name, address, start, _title, minutes = PEOPLE[n]
        state, words = self.states.get(appointment_ref, (VisitState.OPEN, ""))
        changes = (
            (
                ChangeRow("Task/x", "i går 14:20", "Insulin endret fra 6 til 8 E av lege", "Mette Hauge"),
                ChangeRow("Flag/x", "man 2. mars", "Ny nøkkelboks, kode byttet", "Siv Bakke"),
            )
            if n == 3
            else ()
        )
        return VisitCard(
            appointment_ref,
            f"Patient/{n}",
            name,
            "12.03.1942",
            state,
            self.row_states.get(appointment_ref, RowState.CONFIRMED),
            span(at(start), minutes),
            words.removeprefix("utført ") if state is VisitState.DONE else "",
            f"{minutes} min",
            address,
            f"900 12 34{n}",
            "Nøkkelboks ved inngangsdøra" if n % 3 == 0 else "",
            f"Flag/{n}" if n % 3 == 0 else "",
            "Jon Vik" if n == 4 else "",
            "Anne Moen (datter)",
            "911 22 333",
            tuple(self.tasks[appointment_ref]),
            changes,
            self.values(),
            "Hører dårlig på venstre øre." if n == 3 else "",
            state is VisitState.IN_PROGRESS,
        )

    def values(self) -> tuple[ValueRow, ...]:
        return (
            ValueRow("v1", "Blodtrykk", "142/88 mmHg", "tir 24. feb 09:20", "+6/+2"),
            ValueRow("v2", "Puls", "76 /min", "tir 24. feb 09:20", "−4"),
            ValueRow("v3", "Blodsukker", "8,4 mmol/l", "i går 09:15", "+0,6"),
            ValueRow("v4", "Vekt", "67,2 kg", "søn 1. mars 08:30", "−0,4"),
        )

    def access_detail(self, **_kw: Any) -> str:
        return "Nøkkelboks til høyre for døra, kode 4711"

    def quick_texts(self) -> tuple[QuickText, ...]:
        return (
            QuickText("ikke", "Ikke hjemme", "Ringte på, ingen åpnet. Ringte telefon uten svar."),
            QuickText("hud", "Hud", "Hud hel og fin."),
            QuickText("ernaering", "Ernæring", "Spist og drukket godt."),
        )

    def measurement_kinds(self) -> tuple[MeasurementKind, ...]:
        def one(
            key: str,
            label: str,
            unit: str,
            decimals: int,
            hard: tuple[float, float],
            soft: tuple[float, float],
        ) -> MeasurementKind:
            return MeasurementKind(key, label, (MeasurementField(key, label, unit, decimals, *hard, *soft),))

        return (
            MeasurementKind(
                "blood-pressure",
                "Blodtrykk",
                (
                    MeasurementField("systolic", "Overtrykk", "mmHg", 0, 50, 300, 90, 180),
                    MeasurementField("diastolic", "Undertrykk", "mmHg", 0, 20, 200, 50, 110),
                ),
            ),
            one("pulse", "Puls", "/min", 0, (20, 250), (45, 120)),
            one("temperature", "Temperatur", "°C", 1, (30, 43), (35, 38.5)),
            one("respiration", "Respirasjon", "/min", 0, (4, 60), (10, 24)),
            one("spo2", "Oksygenmetning", "%", 0, (50, 100), (92, 100)),
            one("weight", "Vekt", "kg", 1, (20, 300), (35, 180)),
            one("glucose", "Blodsukker", "mmol/l", 1, (0.5, 50), (4, 20)),
            MeasurementKind(
                "consciousness",
                "Bevissthet",
                (
                    MeasurementField(
                        "consciousness",
                        "Bevissthet",
                        "",
                        0,
                        0,
                        0,
                        0,
                        0,
                        (
                            ("A", "Våken"),
                            ("C", "Nyoppstått forvirring"),
                            ("V", "Reagerer på tale"),
                            ("P", "Reagerer på smerte"),
                            ("U", "Reagerer ikke"),
                        ),
                    ),
                ),
            ),
            MeasurementKind(
                "oxygen",
                "Oksygentilførsel",
                (
                    MeasurementField(
                        "oxygen",
                        "Oksygentilførsel",
                        "",
                        0,
                        0,
                        0,
                        0,
                        0,
                        (("air", "Romluft"), ("oxygen", "Oksygen")),
                    ),
                ),
            ),
        )

    def measurement_doubts(self, *, values: Any, **_kw: Any) -> tuple[str, ...]:
        return (
            ("Overtrykk 210 er uvanlig høyt. Stemmer det?",)
            if any(v.values and v.values[0] > 200 for v in values)
            else ()
        )

    def measurement_points(self, *, kind: str, **_kw: Any) -> tuple[MeasurementPoint, ...]:
        series = {
            "blood-pressure": (("systolic", 138, "mmHg"), ("diastolic", 82, "mmHg")),
            "weight": (("weight", 67, "kg"),),
            "pulse": (("pulse", 74, "/min"),),
        }.get(kind, ())
        out = []
        for day in range(20):
            when = NOW - timedelta(days=(20 - day) * 4.5)
            for name, middle, unit in series:
                value = middle + (day * 7 % 11 - 5) * (0.3 if unit == "kg" else 2)
                shown = f"{value:.1f}".replace(".", ",") if unit == "kg" else f"{value:.0f}"
                out.append(
                    MeasurementPoint(
                        f"Observation/{day}#{name}",
                        name,
                        when,
                        value,
                        unit,
                        f"{shown} {unit}",
                        STAFF[day % 4][0],
                    )
                )
        return tuple(out)

    def staff_of(self, **_kw: Any) -> tuple[StaffRow, ...]:
        return tuple(
            StaffRow(f"Practitioner/{n}", name, initials, 20, profession, "", frozenset(), frozenset())
            for n, (name, profession, initials) in enumerate(STAFF)
        )

    def zone_day(self, **_kw: Any) -> ZoneDay:
        routes, loose = [], []
        placed = {(r, k): v for r, k, v in self._plan()}
        for n, (name, profession, initials) in enumerate(STAFF):
            key = f"Schedule/{n}"
            mine = tuple(sorted((v for (r, _k), v in placed.items() if r == key), key=lambda v: v.start))
            away = f"Practitioner/{n}" in self.absent
            routes.append(
                ZoneRoute(
                    key,
                    f"Practitioner/{n}",
                    name,
                    initials,
                    profession,
                    at("7:30"),
                    at("15:00"),
                    away,
                    "syk fra 09:12" if away else "",
                    f"{len(mine) * 35 // 60} t {len(mine) * 35 % 60} min av 7 t 30 min",
                    mine,
                )
            )
        loose = [v for (r, _k), v in placed.items() if not r]
        done = sum(v.visit_state is VisitState.DONE for v in placed.values())
        keys = {k for _r, k in placed}
        done = len({v.key for v in placed.values() if v.visit_state is VisitState.DONE})
        return ZoneDay(
            tuple(routes), tuple(loose), DaySums(len(keys), done, 0, 0, 0, len(keys) - done, 1), NOW, True
        )

    def _plan(self) -> list[tuple[str, str, ZoneVisit]]:
        out = []
        number = 0
        for n in range(len(STAFF)):
            start = at("7:40")
            for order in range(7):
                name = PEOPLE[(n * 3 + order) % len(PEOPLE)]
                minutes = (20, 30, 15, 45, 25)[(n + order) % 5]
                key = f"Appointment/z{number}"
                number += 1
                route, begin, end = self.moved.get(
                    key, (f"Schedule/{n}", start, start + timedelta(minutes=minutes))
                )
                done = end <= NOW - timedelta(minutes=20)
                late = not done and end < NOW
                visit = ZoneVisit(
                    key,
                    f"Patient/{number % 10}",
                    name[0],
                    name[3],
                    begin,
                    end,
                    route,
                    order,
                    8,
                    order == 3 and n in (0, 1),
                    order == 1,
                    "insulin" if "Insulin" in name[3] else "",
                    VisitState.DONE if done else VisitState.OPEN,
                    RowState.CONFIRMED,
                    12 if late else 0,
                    "",
                )
                out.append((route, key, visit))
                start = start + timedelta(minutes=minutes + 15)
        if "Appointment/z3" not in self.moved:
            double = next(v for r, k, v in out if k == "Appointment/z3")
            out.append(("Schedule/1", "Appointment/z3", replace(double, route_key="Schedule/1")))
        if "Appointment/z99" not in self.moved:
            out.append(
                (
                    "",
                    "Appointment/z99",
                    ZoneVisit(
                        "Appointment/z99",
                        "Patient/8",
                        "Johan Vangen",
                        "Kateterstell",
                        at("12:30"),
                        at("13:00"),
                        "",
                        0,
                        0,
                        False,
                        False,
                        "kateter",
                        VisitState.UNASSIGNED,
                        RowState.CONFIRMED,
                        0,
                        "",
                    ),
                )
            )
        else:
            route, begin, end = self.moved["Appointment/z99"]
            out.append(
                (
                    route,
                    "Appointment/z99",
                    ZoneVisit(
                        "Appointment/z99",
                        "Patient/8",
                        "Johan Vangen",
                        "Kateterstell",
                        begin,
                        end,
                        route,
                        0,
                        0,
                        False,
                        False,
                        "kateter",
                        VisitState.OPEN,
                        RowState.CONFIRMED,
                        0,
                        "",
                    ),
                )
            )
        return out

    def candidates(self, *, appointment_ref: str, **_kw: Any) -> tuple[Candidate, ...]:
        visit = next(v for _r, k, v in self._plan() if k == appointment_ref)
        return tuple(
            Candidate(f"Schedule/{n}", f"Practitioner/{n}", STAFF[n][0], note, visit.start)
            for n, note in (
                (0, "kjenner brukeren · 4 min kjøring"),
                (2, "7 min kjøring"),
                (7, "11 min kjøring"),
            )
            if f"Practitioner/{n}" not in self.absent and f"Schedule/{n}" != visit.route_key
        )

    def planning_problem(self, **_kw: Any) -> PlanningProblem:
        import inspect

        parameters = [
            p for p in inspect.signature(PlanningProblem).parameters.values() if p.default is p.empty
        ]
        return PlanningProblem(*(() for _p in parameters))

    def suggestion(self, practitioner_ref: str) -> Suggestion:
        n = int(practitioner_ref.split("/")[1])
        mine = [v for r, _k, v in self._plan() if r == f"Schedule/{n}" and v.visit_state is VisitState.OPEN]
        moves, unplaced = [], []
        for place, visit in enumerate(mine):
            to = (n + 1 + place % 3) % len(STAFF)
            common: dict[str, Any] = {
                "appointment_ref": visit.key,
                "patient_name": visit.patient_name,
                "title": visit.title,
                "from_name": STAFF[n][0],
                "start": visit.start,
                "end": visit.end,
                "order": place,
                "travel_minutes": 7,
            }
            if place == len(mine) - 1:
                unplaced.append(
                    Move(
                        to_route_key="",
                        to_name="",
                        to_practitioner_refs=(),
                        reason="Ønsker mann, og ingen ledig mann har insulinkompetanse",
                        **common,
                    )
                )
            else:
                moves.append(
                    Move(
                        to_route_key=f"Schedule/{to}",
                        to_name=STAFF[to][0],
                        to_practitioner_refs=(f"Practitioner/{to}",),
                        reason=(
                            "kjenner brukeren, 4 min lenger kjøring",
                            "eneste ledige sykepleier",
                            "ligger på veien",
                        )[place % 3],
                        **common,
                    )
                )
        return Suggestion(tuple(moves), tuple(unplaced), 214, 231, 1.4, f"{STAFF[n][0]} er borte")

    def user_card(self, *, patient_ref: str, **_kw: Any) -> UserCard:
        n = int(patient_ref.split("/")[1])
        good = RowState.CONFIRMED
        return UserCard(
            patient_ref,
            PEOPLE[n][0],
            (
                FactRow(
                    "AllergyIntolerance/1",
                    "allergy",
                    "Penicillin",
                    "Utslett, høy risiko",
                    "Fastlege Hansen, 12.05.2019",
                    True,
                    good,
                ),
                FactRow(
                    "Flag/1", "flag", "Fallfare", "To fall siste år", "Mette Hauge, man 2. mars", True, good
                ),
                FactRow(
                    "Condition/1",
                    "condition",
                    "Diabetes type 2",
                    "Insulinbehandlet siden 2018",
                    "Fastlege Hansen, 03.02.2018",
                    False,
                    good,
                ),
                FactRow("Condition/2", "condition", "Hjertesvikt", "", "St. Olav, 14.11.2022", False, good),
                FactRow(
                    "MedicationRequest/1",
                    "medication",
                    "Novorapid 100 E/ml",
                    "8 E før frokost",
                    "Fastlege Hansen, i går 14:20",
                    False,
                    RowState.QUEUED,
                ),
                FactRow(
                    "MedicationRequest/2",
                    "medication",
                    "Metoprolol 50 mg",
                    "1 tablett morgen",
                    "Fastlege Hansen, 10.01.2025",
                    False,
                    good,
                ),
                FactRow(
                    "RelatedPerson/1",
                    "kin",
                    "Anne Moen, datter",
                    "911 22 333",
                    "Kari Lunde, 01.02.2026",
                    False,
                    good,
                ),
                FactRow(
                    "ServiceRequest/1",
                    "service",
                    "Helsetjenester i hjemmet",
                    "3 timer per uke til 01.09.2026",
                    "Tildelingskontoret, vedtak 14.01.2026",
                    False,
                    good,
                ),
            ),
            (
                PlanRow(
                    "CarePlan/1#0",
                    "Insulin",
                    "Hver dag kl. 08:00 og 18:00",
                    "Helsetjenester i hjemmet",
                    "utført i går 18:04",
                    "i dag 18:00",
                    False,
                ),
                PlanRow(
                    "CarePlan/1#1",
                    "Måle blodtrykk",
                    "Hver tirsdag",
                    "Helsetjenester i hjemmet",
                    "utført tir 24. feb 09:20",
                    "i dag 09:10",
                    False,
                ),
                PlanRow(
                    "CarePlan/1#2",
                    "Dusj",
                    "Mandag og torsdag",
                    "Praktisk bistand",
                    "ikke utført siden 19. februar",
                    "tor 5. mars 10:00",
                    True,
                ),
            ),
            tuple(self.tasks[f"Appointment/{n}"]),
            tuple(self.notes),
            self.values(),
            (
                News2Row(
                    "News2/1",
                    NOW - timedelta(days=7),
                    "tir 24. feb 09:20",
                    2,
                    "low",
                    "Lav",
                    "Respirasjon 1 · Puls 1",
                ),
                News2Row(
                    "News2/2",
                    NOW - timedelta(days=21),
                    "tir 10. feb 09:05",
                    5,
                    "medium",
                    "Middels",
                    "SpO₂ 2 · Respirasjon 2 · Puls 1",
                ),
            ),
            ("Ernæringskartlegging mangler (sist 09.2024)", "Fast lege er ikke bekreftet"),
            NOW,
            True,
        )

    def ledger(self, **_kw: Any) -> Ledger:
        good = RowState.CONFIRMED
        sums = DaySums(62, 24, 2, 1, 1, 34, 3)
        return Ledger(
            "tirsdag 3. mars 2026",
            sums,
            tuple(
                (name, DaySums(7, 3 if n else 2, 0 if n else 1, 0, 0, 4, n % 2))
                for n, (name, _p, _i) in enumerate(STAFF)
            ),
            (
                BrokenRow(
                    "Appointment/2",
                    BrokenLink.PAST_DUE,
                    "Over tiden",
                    "Patient/2",
                    "Torleif Aasen",
                    "Insulin · Blodsukker",
                    "Kari Lunde",
                    "27 min",
                    good,
                ),
                BrokenRow(
                    "ServiceRequest/9",
                    BrokenLink.GRANTED_NOT_PLANNED,
                    "Innvilget, ikke planlagt",
                    "Patient/8",
                    "Johan Vangen",
                    "Kateterstell 2 × uke",
                    "Siv Bakke (koordinator)",
                    "siden fre 27. feb",
                    good,
                ),
                BrokenRow(
                    "CarePlan/1#2",
                    BrokenLink.PLANNED_NOT_DOCUMENTED,
                    "Planlagt, ikke dokumentert",
                    "Patient/3",
                    "Astrid Moen",
                    "Dusj",
                    "Jon Vik",
                    "siden tor 26. feb",
                    good,
                ),
                BrokenRow(
                    "Task/f1",
                    BrokenLink.NO_OWNER,
                    "Uten eier",
                    "Patient/4",
                    "Per Lund",
                    "Ring pårørende",
                    "ingen",
                    "siden i går 14:10",
                    RowState.CONFLICT,
                ),
            ),
            (
                RemovalRow(
                    "e1",
                    "i dag 07:02",
                    "Besøk hos Gunnar Dale gikk ut av lista: flyttet til tor 5. mars av Siv Bakke",
                    "Siv Bakke",
                ),
                RemovalRow(
                    "e2",
                    "i går 15:40",
                    "Oppgave «Hente medisin» gikk ut av lista: avlyst av bruker",
                    "Mette Hauge",
                ),
            ),
            1560,
            1710,
            812,
            NOW,
            True,
        )

    def day_sheet(self, **_kw: Any) -> Sheet:
        return Sheet("tirsdag 3. mars 2026", "Sone Nord", (), (), NOW, True, True, 0)

    zone_sheet = day_sheet

    # -- commands ------------------------------------------------------------------------------------

    def apply(self, command: Any) -> None:
        handler = getattr(self, f"_on_{type(command).__name__}", None)
        if handler is not None:
            handler(command)

    def _on_CompleteVisit(self, command: c.CompleteVisit) -> None:
        self.states[command.appointment_ref] = (VisitState.DONE, f"utført {NOW:%H:%M}")
        self.row_states[command.appointment_ref] = RowState.QUEUED
        self._answer(command.appointment_ref)

    def _on_RecordNotHome(self, command: c.RecordNotHome) -> None:
        key = command.appointment_ref
        self.states[key] = (VisitState.NOT_HOME, "ikke hjemme 09:12")
        common: dict[str, Any] = {
            "status": "ready",
            "status_text": "",
            "reason_text": "",
            "measure": "",
            "state": RowState.QUEUED,
            "is_open": True,
            "history_text": "",
            "is_follow_up": True,
            "owner_ref": "Practitioner/kari",
            "owner_text": "Kari Lunde",
        }
        self.tasks[key] = [
            replace(
                t, status="cancelled", status_text="ikke utført", reason_text="ikke hjemme", is_open=False
            )
            for t in self.tasks[key]
        ] + [
            TaskRow(
                key=f"Task/{key}-call",
                title="Ring pårørende",
                detail="Anne Moen (datter)",
                phone="911 22 333",
                due=at("9:42"),
                due_text="09:42",
                **common,
            ),
            TaskRow(
                key=f"Task/{key}-again",
                title="Prøv besøket på nytt",
                detail="",
                due=at("11:00"),
                due_text="11:00",
                **common,
            ),
        ]

    def _on_ExceptVisit(self, command: c.ExceptVisit) -> None:
        words = {NotDone.REFUSED: "avslått", NotDone.POSTPONED: "utsatt"}.get(command.reason, "ikke utført")
        self.states[command.appointment_ref] = (VisitState.NOT_DONE, f"ikke utført: {words}")

    def _set_task(self, ref: str, **changes: Any) -> None:
        for key, rows in self.tasks.items():
            self.tasks[key] = [replace(t, **changes) if t.key == ref else t for t in rows]

    def _on_CompleteTask(self, command: c.CompleteTask) -> None:
        self._set_task(command.task_ref, status="completed", status_text="utført", is_open=False)

    def _on_ExceptTask(self, command: c.ExceptTask) -> None:
        self._set_task(
            command.task_ref,
            status="rejected",
            status_text="ikke utført",
            reason_text=str(command.reason),
            is_open=False,
        )

    def _on_HandOverFollowUp(self, command: c.HandOverFollowUp) -> None:
        self._set_task(command.task_ref, owner_ref=command.owner_ref, due=command.due)

    def _on_CloseFollowUp(self, command: c.CloseFollowUp) -> None:
        self._set_task(command.task_ref, status="completed", status_text="utført", is_open=False)

    def _on_WriteNote(self, command: c.WriteNote) -> None:
        self.notes.insert(
            0,
            NoteRow(
                f"DocumentReference/n{len(self.notes)}",
                "09:12",
                "Kari Lunde",
                "Besøksnotat",
                command.text,
                RowState.QUEUED,
                False,
            ),
        )

    def _on_WithdrawNote(self, command: c.WithdrawNote) -> None:
        self.notes = [replace(n, is_withdrawn=True) if n.key == command.note_ref else n for n in self.notes]

    def _on_AssignVisits(self, command: c.AssignVisits) -> None:
        for move in command.moves:
            self.moved[move.appointment_ref] = (move.to_route_key, move.start, move.end)

    def _on_MoveVisit(self, command: c.MoveVisit) -> None:
        route, _key, visit = next(p for p in self._plan() if p[1] == command.appointment_ref)
        self.moved[command.appointment_ref] = (
            route,
            command.start,
            command.start + (visit.end - visit.start),
        )

    def _on_RecordAbsence(self, command: c.RecordAbsence) -> None:
        self.absent.add(command.practitioner_ref)

    def _on_NotifyStaff(self, command: c.NotifyStaff) -> None:
        self.notified = command.moves
