"""Suggestions: nothing is lost, no rule is broken, and the checker is believed over the solver."""

from __future__ import annotations

import threading
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from modules.homecare.jobs import NoProgress, build_routes, plan_faults, suggest_redistribution
from modules.homecare.jobs.check import after
from modules.homecare.jobs.stops import leaving
from modules.homecare.jobs.suggesting import checked, greedy
from modules.homecare.queries.planning import planning_problem
from modules.homecare.rows import Move, Suggestion
from modules.homecare.rules.planning import Call, Person, PlanningProblem
from tests.modules.homecare.memory import DAY, NOW, at, visit, zone

SHIFT = (at("07:15"), at("15:00"))
EVERYTHING = frozenset({"SP", "insulin", "medication"})
WHERE = [(63.75 + 0.002 * n, 11.30 + 0.003 * n) for n in range(8)]


def person(key: str, *, holds: frozenset[str] = EVERYTHING, gender: str = "female", **more: object) -> Person:
    made = Person(f"Schedule/{key}", f"Practitioner/{key}", key.capitalize(), gender, holds, SHIFT)
    return replace(made, **more)  # type: ignore[arg-type]  # keyword values of any field


def call(key: str, clock: str, who: tuple[str, ...] = ("kari",), minutes: int = 20, **more: object) -> Call:
    start = at(clock)
    made = Call(
        ref=f"Appointment/{key}",
        patient_ref=f"Patient/{key}",
        patient_name=key,
        title="",
        start=start,
        minutes=minutes,
        window=(start - timedelta(minutes=30), start + timedelta(minutes=60)),
        is_fixed=False,
        staff_count=1,
        needs=frozenset(),
        wish="",
        is_wish_firm=False,
        position=WHERE[sum(map(ord, key)) % len(WHERE)],
        route_ref=f"Schedule/{who[0]}" if who else "",
        practitioner_refs=tuple(f"Practitioner/{one}" for one in who),
        is_pinned=False,
    )
    return replace(made, **more)  # type: ignore[arg-type]  # keyword values of any field


def t3() -> PlanningProblem:
    """SCRIPTS T3: insulin, double-staffed, fixed 08:00, key-box, new user, male wish decided."""
    eight = at("08:00")
    calls = (
        call("insulin", "07:40", needs=frozenset({"insulin", "SP"})),
        call("fixed", "08:00", is_fixed=True, window=(eight, eight)),
        call("double", "09:00", ("kari", "nina"), minutes=30, staff_count=2),
        call("keybox", "10:00"),
        call("new", "12:00", minutes=45),
        call("male", "13:15", wish="male", is_wish_firm=True),
        call("s1", "07:20", ("silje",)),
        call("s2", "10:30", ("silje",)),
        call("a1", "08:40", ("anita",)),
        call("n1", "08:00", ("nina",)),
        call("j1", "09:00", ("jonas",)),
    )
    helper = frozenset({"HF", "medication"})
    people = (
        person("kari"),
        person("silje"),
        person("anita", holds=helper),
        person("nina", holds=helper),
        person("jonas", holds=helper, gender="male"),
    )
    return PlanningProblem(NOW, people, calls, WHERE[0])


def holds_together(problem: PlanningProblem, suggestion: Suggestion) -> None:
    assert plan_faults(problem, suggestion.moves) == ()
    before = sorted(one.ref for one in problem.calls)
    assert sorted(one.ref for one in after(problem, suggestion.moves)) == before
    named = [m.appointment_ref for m in (*suggestion.moves, *suggestion.unplaced)]
    assert len(named) == len(set(named))
    assert all(m.reason for m in (*suggestion.moves, *suggestion.unplaced))


def test_that_kari_ill_gives_all_six_away_without_breaking_a_rule() -> None:
    problem = t3()
    found = suggest_redistribution(problem, "Practitioner/kari", NoProgress())
    holds_together(problem, found)
    assert len(found.moves) == 6
    assert found.unplaced == ()
    by = {move.appointment_ref.split("/")[1]: move for move in found.moves}
    assert by["insulin"].to_practitioner_refs == ("Practitioner/silje",)
    assert by["male"].to_practitioner_refs == ("Practitioner/jonas",)
    assert by["fixed"].start == at("08:00")
    assert by["double"].to_practitioner_refs[0] == "Practitioner/nina"
    assert len(by["double"].to_practitioner_refs) == 2
    assert by["double"].start == at("09:00")


def test_that_the_others_keep_their_day_when_there_is_room() -> None:
    found = suggest_redistribution(t3(), "Practitioner/kari", NoProgress())
    assert {m.appointment_ref for m in found.moves} <= {c.ref for c in leaving(t3(), "Practitioner/kari")[0]}


def test_that_nobody_with_the_competence_leaves_the_visit_red_with_the_reason() -> None:
    problem = t3()
    people = tuple(replace(p, holds=p.holds - {"insulin"}) for p in problem.persons)
    found = suggest_redistribution(replace(problem, persons=people), "Practitioner/kari", NoProgress())
    (left,) = found.unplaced
    assert left.appointment_ref == "Appointment/insulin"
    assert left.to_route_key == ""
    assert "insulin" in left.reason
    holds_together(replace(problem, persons=people), found)


def test_that_a_visit_whose_time_has_passed_is_told() -> None:
    early = replace(t3(), now=at("09:00"))
    found = suggest_redistribution(early, "Practitioner/kari", NoProgress())
    assert {"Appointment/fixed"} <= {m.appointment_ref for m in found.unplaced}
    holds_together(early, found)


def test_that_an_absence_of_two_hours_moves_only_what_lies_in_it() -> None:
    problem = t3()
    away = (at("09:30"), at("12:30"))
    people = tuple(
        replace(p, absences=(away,)) if p.practitioner_ref == "Practitioner/kari" else p
        for p in problem.persons
    )
    part = replace(problem, persons=people)
    found = suggest_redistribution(part, "Practitioner/kari", NoProgress())
    assert {m.appointment_ref for m in found.moves} <= {"Appointment/keybox", "Appointment/new"}
    holds_together(part, found)


def test_that_others_shift_a_little_only_when_it_makes_room() -> None:
    people = (person("kari"), person("silje"))
    calls = (
        call("x", "08:00", window=(at("08:00"), at("08:10")), position=WHERE[0]),
        call("y", "08:00", ("silje",), window=(at("07:45"), at("09:00")), position=WHERE[0]),
    )
    problem = PlanningProblem(NOW, people, calls)
    found = suggest_redistribution(problem, "Practitioner/kari", NoProgress())
    holds_together(problem, found)
    assert found.unplaced == ()
    shifted = [m for m in found.moves if m.appointment_ref == "Appointment/y"]
    assert all(m.to_practitioner_refs == ("Practitioner/silje",) for m in shifted)


def test_that_what_is_begun_or_done_is_never_touched() -> None:
    problem = t3()
    calls = tuple(replace(c, is_pinned=c.ref == "Appointment/keybox") for c in problem.calls)
    pinned = replace(problem, calls=calls)
    for found in (
        suggest_redistribution(pinned, "Practitioner/kari", NoProgress()),
        build_routes(pinned, NoProgress()),
    ):
        holds_together(pinned, found)
        assert "Appointment/keybox" not in {m.appointment_ref for m in (*found.moves, *found.unplaced)}


def test_that_nothing_to_do_is_no_plan() -> None:
    problem = PlanningProblem(NOW, (person("kari"),), ())
    for found in (
        suggest_redistribution(problem, "Practitioner/kari", NoProgress()),
        suggest_redistribution(problem, "Practitioner/stranger", NoProgress()),
        build_routes(problem, NoProgress()),
    ):
        assert (found.moves, found.unplaced) == ((), ())


def test_that_a_whole_day_hands_out_what_nobody_has() -> None:
    problem = t3()
    loose = replace(
        problem, calls=(*problem.calls, call("loose", "11:00", ()), call("two", "13:30", (), staff_count=2))
    )
    found = build_routes(loose, NoProgress())
    holds_together(loose, found)
    by = {m.appointment_ref: m for m in found.moves}
    assert by["Appointment/loose"].to_route_key
    assert len(by["Appointment/two"].to_practitioner_refs) == 2
    assert found.unplaced == ()


def test_that_a_whole_day_mends_what_breaks_a_rule_today() -> None:
    """Kari has the visit somebody decided a man must make."""
    problem = t3()
    found = build_routes(problem, NoProgress())
    holds_together(problem, found)
    by = {m.appointment_ref: m for m in found.moves}
    assert by["Appointment/male"].to_practitioner_refs == ("Practitioner/jonas",)


class Stopped(NoProgress):
    """The person said stop before it began."""

    @property
    def stopped(self) -> bool:
        return True


def test_that_a_stopped_day_plan_still_hands_out_what_nobody_rightly_has() -> None:
    problem = replace(t3(), calls=(*t3().calls, call("loose", "11:00", ())))
    found = build_routes(problem, Stopped())
    holds_together(problem, found)
    assert {m.appointment_ref for m in found.moves} == {"Appointment/male", "Appointment/loose"}


def test_that_when_stopped_at_once_the_one_by_one_way_still_helps() -> None:
    problem = t3()
    found = suggest_redistribution(problem, "Practitioner/kari", Stopped())
    holds_together(problem, found)
    assert len(found.moves) + len(found.unplaced) == 6
    assert len(found.moves) >= 4


def test_that_the_one_by_one_way_leaves_pairs_to_the_solver() -> None:
    problem = PlanningProblem(NOW, t3().persons, (call("two", "13:30", (), staff_count=2),))
    assert greedy(problem, problem.calls, "", frozenset())[1] == list(problem.calls)


def _move(problem: PlanningProblem, ref: str, who: tuple[str, ...], start: str) -> Move:
    held = next(c for c in problem.calls if c.ref == ref)
    people = tuple(f"Practitioner/{one}" for one in who)
    begin = at(start)
    return Move(
        ref,
        "",
        "",
        "",
        f"Schedule/{who[0]}",
        "",
        people,
        begin,
        begin + timedelta(minutes=held.minutes),
        1,
        0,
        "x",
    )


@pytest.mark.parametrize(
    ("ref", "who", "start", "rule"),
    [
        ("insulin", ("anita",), "07:40", "competence"),
        ("male", ("anita",), "13:15", "wish"),
        ("fixed", ("anita",), "08:05", "fixed"),
        ("keybox", ("anita",), "12:00", "window"),
        ("keybox", ("nobody",), "10:00", "staff"),
        ("double", ("nina",), "09:00", "staff"),
        ("double", ("nina", "nina"), "09:00", "staff"),
        ("keybox", ("silje",), "10:20", "clash"),
        ("keybox", ("silje",), "10:10", "travel"),
        ("insulin", ("silje",), "07:05", "past"),
    ],
)
def test_that_the_checker_sees_each_broken_rule(
    ref: str, who: tuple[str, ...], start: str, rule: str
) -> None:
    problem = t3()
    wide = tuple(
        replace(c, window=(at("07:00"), c.window[1])) if c.ref == "Appointment/insulin" else c
        for c in problem.calls
    )
    problem = replace(problem, calls=wide)
    found = plan_faults(problem, [_move(problem, f"Appointment/{ref}", who, start)])
    assert rule in {fault.rule for fault in found}, found


def test_that_the_checker_sees_shift_absence_pinned_and_sums() -> None:
    problem = t3()
    late = tuple(
        replace(c, window=(c.window[0], at("15:00")), is_pinned=True) if c.ref == "Appointment/male" else c
        for c in problem.calls
    )
    people = tuple(
        replace(p, absences=((at("14:30"), at("15:00")),)) if p.name == "Jonas" else p
        for p in problem.persons
    )
    problem = replace(problem, calls=late, persons=people)
    move = _move(problem, "Appointment/male", ("jonas",), "14:50")
    rules = {fault.rule for fault in plan_faults(problem, [move, move])}
    assert {"shift", "absent", "pinned", "sum"} <= rules
    stranger = replace(move, appointment_ref="Appointment/x")
    assert {f.rule for f in plan_faults(problem, [stranger])} == {"sum"}


def test_that_a_move_the_checker_refuses_is_taken_out() -> None:
    problem = t3()
    bad = _move(problem, "Appointment/insulin", ("anita",), "07:40")
    good = _move(problem, "Appointment/keybox", ("anita",), "10:00")
    moves, unplaced = checked(problem, [bad, good], [])
    assert moves == [good]
    assert [one.ref for one in unplaced] == ["Appointment/insulin"]


class FirstSearch(NoProgress):
    """Tells when the solver is let go and when it is back for the first time, and stops it then."""

    def __init__(self) -> None:
        self.begun, self.over = threading.Event(), threading.Event()

    def step(self, done: int, total: int, words: str = "") -> None:
        (self.over if done else self.begun).set()

    @property
    def stopped(self) -> bool:
        return self.over.is_set()


def test_that_the_window_stays_alive_while_the_solver_works() -> None:
    """CP-SAT lets Python's lock go; the routing library would not (docs/decisions/homecare.md).

    Two seconds in the solver: this thread has some 400 turns meanwhile, and one or two if it is shut out.
    """
    more = (call(f"m{n}", f"{8 + n % 6:02d}:{7 * n % 60:02d}", ("silje",), 15 + n) for n in range(12))
    problem = replace(t3(), calls=(*t3().calls, *more))
    found: list[Suggestion] = []
    search, turns = FirstSearch(), 0
    worker = threading.Thread(target=lambda: found.append(build_routes(problem, search)))
    worker.start()
    assert search.begun.wait(60)
    while not search.over.wait(0.005):
        turns += 1
    worker.join(60)
    assert found
    assert turns >= 20


@given(
    st.lists(
        st.tuples(
            st.integers(7 * 60 + 20, 14 * 60),
            st.integers(10, 45),
            st.sampled_from(["kari", "silje", "anita", ""]),
            st.booleans(),
            st.sampled_from(["", "insulin", "medication"]),
            st.sampled_from(["", "male"]),
        ),
        max_size=9,
    )
)
@settings(max_examples=15, deadline=None)
def test_that_no_suggestion_ever_loses_a_visit_or_breaks_a_rule(
    rows: list[tuple[int, int, str, bool, str, str]],
) -> None:
    calls = []
    for number, (minute, length, who, fixed, need, wish) in enumerate(rows):
        one = call(f"c{number}", f"{minute // 60:02d}:{minute % 60:02d}", (who,) if who else (), length)
        window = (one.start, one.start) if fixed else one.window
        calls.append(
            replace(
                one,
                is_fixed=fixed,
                window=window,
                needs=frozenset({need} - {""}),
                wish=wish,
                is_wish_firm=bool(wish) and fixed,
            )
        )
    people = (
        person("kari"),
        person("silje"),
        person("anita", holds=frozenset({"medication"}), gender="male"),
    )
    problem = PlanningProblem(NOW, people, tuple(calls), WHERE[0])
    found = suggest_redistribution(problem, "Practitioner/kari", NoProgress())
    holds_together(problem, found)
    given = {m.appointment_ref for m in (*found.moves, *found.unplaced)}
    assert {c.ref for c in leaving(problem, "Practitioner/kari")[0]} <= given
    assert not any("Practitioner/kari" in m.to_practitioner_refs for m in found.moves)


def test_that_the_problem_of_a_day_is_read_from_the_record() -> None:
    reading = zone(
        visit("v1", needs=("insulin",)), visit("v2", "09:00", of="eva", who=("kari",), route="r-kari")
    )
    problem = planning_problem(reading, workplace_ref="Organization/nord", day=DAY, now=NOW)
    assert {p.name for p in problem.persons} == {"Silje Nygård", "Kari Lunde", "Jonas Bakken", "Håkon Vatne"}
    found = suggest_redistribution(problem, "Practitioner/me", NoProgress())
    holds_together(problem, found)
    assert {m.to_name for m in found.moves} <= {"Kari Lunde", "Håkon Vatne"}
