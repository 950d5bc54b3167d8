"""A module context without a record: one zone's day in memory, commands change it, undo restores it."""

from __future__ import annotations

import copy
import logging
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any

from PySide6.QtCore import QTimer

from clinician import texts
from clinician.access.who import Who
from clinician.clock import FrozenClock
from clinician.commands.act import Done
from clinician.errors import ClinicianError
from clinician.modulekit.context import Kind, ModuleContext, Outcome
from tests.modules.homecare.views.world import NOW, World


class FakeEnding:
    def __init__(self, end: Callable[[], None] | None = None) -> None:
        self._end = end

    def end(self) -> None:
        if self._end is not None:
            self._end()
            self._end = None


class FakeQueries:
    def __init__(self, world: World) -> None:
        self.world = world
        self.watching: list[Callable[[], None]] = []
        self.ran: list[tuple[str, dict[str, Any]]] = []
        self.deferred = False

    def _answer(self, query: Any, kwargs: dict[str, Any]) -> Any:
        name = query.function.__name__
        self.ran.append((name, kwargs))
        return getattr(self.world, name)(**kwargs)

    def _deliver(
        self, query: Any, on_result: Callable[[Any], None], kwargs: dict[str, Any], live: list[bool]
    ) -> None:
        def go() -> None:
            if live:
                on_result(self._answer(query, kwargs))

        if self.deferred:
            QTimer.singleShot(0, go)
        else:
            go()

    def run(
        self, query: Any, on_result: Any, on_problem: Any = None, /, *args: Any, **kwargs: Any
    ) -> FakeEnding:
        live = [True]
        self._deliver(query, on_result, kwargs, live)
        return FakeEnding(live.clear)

    def watch(
        self, query: Any, on_result: Any, on_problem: Any = None, /, *args: Any, **kwargs: Any
    ) -> FakeEnding:
        live = [True]

        def again() -> None:
            self._deliver(query, on_result, kwargs, live)

        self.watching.append(again)
        again()

        def end() -> None:
            live.clear()
            if again in self.watching:
                self.watching.remove(again)

        return FakeEnding(end)

    def now(self, query: Any, /, *args: Any, **kwargs: Any) -> Any:
        return self._answer(query, kwargs)

    def changed(self) -> None:
        for call in list(self.watching):
            call()


class FakeCommands:
    def __init__(self, queries: FakeQueries) -> None:
        self._queries = queries
        self.ran: list[Any] = []
        self.undone: list[Done] = []
        self.refuse: ClinicianError | None = None
        self._before: dict[str, World] = {}

    def run(self, command: Any, on_outcome: Callable[[Outcome], None] | None = None) -> None:
        if self.refuse is not None:
            if on_outcome is not None:
                on_outcome(Outcome(None, (self.refuse,)))
            return
        done = self.now(command)
        if on_outcome is not None:
            on_outcome(Outcome(done))
        self._queries.changed()

    def undo(self, done: Done, on_outcome: Callable[[Outcome], None] | None = None) -> None:
        self.undone.append(done)
        before = self._before.pop(done.group)
        self._queries.world.__dict__.update(before.__dict__)
        if on_outcome is not None:
            on_outcome(Outcome(done))
        self._queries.changed()

    def now(self, command: Any) -> Done:
        group = f"group-{len(self.ran)}"
        self._before[group] = copy.deepcopy(self._queries.world)
        self.ran.append(command)
        self._queries.world.apply(command)
        return Done(group, (group,), frozenset())


@dataclass
class Said:
    text: str
    kind: Kind
    action: str
    on_action: Callable[[], None] | None


class FakeMessages:
    def __init__(self) -> None:
        self.said: list[Said] = []
        self.problems: list[ClinicianError] = []

    def say(
        self,
        text: str,
        kind: Kind = Kind.INFO,
        *,
        action: str = "",
        on_action: Callable[[], None] | None = None,
    ) -> None:
        self.said.append(Said(text, kind, action, on_action))

    def problem(self, problem: ClinicianError) -> None:
        self.problems.append(problem)


class FakePatients:
    def __init__(self, current: str = "") -> None:
        self.current = current
        self._calls: list[Callable[[str], None]] = []

    def choose(self, patient_ref: str) -> None:
        if patient_ref != self.current:
            self.current = patient_ref
            for call in self._calls:
                call(patient_ref)

    def changed(self, call: Callable[[str], None]) -> FakeEnding:
        self._calls.append(call)
        return FakeEnding(lambda: self._calls.remove(call))


class FakeProgress:
    stopped = False

    def step(self, done: int, total: int, words: str = "") -> None: ...


class FakeJobs:
    def __init__(self) -> None:
        self.titles: list[str] = []
        self.held: list[Callable[[], None]] = []
        self.hold = False
        self.answer: Any = None

    def run(self, work: Any, on_result: Any, on_problem: Any = None, *, title: str = "") -> FakeEnding:
        self.titles.append(title)

        def go() -> None:
            try:
                on_result(self.answer if self.answer is not None else work(FakeProgress()))
            except ClinicianError as problem:
                if on_problem is not None:
                    on_problem(problem)

        if self.hold:
            self.held.append(go)
        else:
            go()
        return FakeEnding()


class FakeDrafts:
    def __init__(self) -> None:
        self.kept: dict[tuple[str, str], str] = {}

    def save(self, key: str, patient_ref: str, content: str) -> None:
        if content:
            self.kept[(key, patient_ref)] = content
        else:
            self.kept.pop((key, patient_ref), None)

    def load(self, key: str, patient_ref: str) -> str:
        return self.kept.get((key, patient_ref), "")


@dataclass
class FakePlaces:
    opened: list[tuple[str, dict[str, str]]] = field(default_factory=list)
    saved: list[tuple[str, bytes]] = field(default_factory=list)

    def open(self, view_id: str, **arguments: str) -> None:
        self.opened.append((view_id, arguments))

    def save_file(self, suggested_name: str, content: bytes) -> Path | None:
        self.saved.append((suggested_name, content))
        return Path(suggested_name)


def context(
    world: World | None = None, *, now: datetime = NOW, patient: str = "", drafts: FakeDrafts | None = None
) -> Any:
    """A ModuleContext whose parts are the fakes above."""
    queries = FakeQueries(world or World())
    return ModuleContext(
        module_id="homecare",
        queries=queries,  # type: ignore[arg-type]
        commands=FakeCommands(queries),
        messages=FakeMessages(),
        patients=FakePatients(patient),
        jobs=FakeJobs(),
        drafts=drafts or FakeDrafts(),
        places=FakePlaces(),
        texts=texts.translator("homecare"),
        settings=MappingProxyType({}),
        log=logging.getLogger("test"),
        clock=FrozenClock(now),
        who=Who(
            "Practitioner/kari", "PractitionerRole/kari", "Kari Lunde", "KL", "Organization/nord", "Sone Nord"
        ),
        arguments=MappingProxyType({}),
    )
