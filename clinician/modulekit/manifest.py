"""What a module declares in its manifest.toml (ARCHITECTURE §5).

Read without importing anything of the module. Unknown keys are refused. Callables are dotted strings
'package.module:name', resolved at first use. Texts are English source strings of the module's own
gettext domain (`texts`, the module's id unless told otherwise).

    schema = 1
    id = "homecare"
    version = "1.0.0"
    title = "Home care"
    summary = "My day, the zone's routes, …"
    icon = "house"
    owner = "…"

    [needs]                                # feeds permissions, sync plan and the consent page
    record = ["Appointment.rus", "Task.crus"]     # FHIR type . SMART v2 letters
    optional = ["Device.r"]
    server = ["transaction"]

    [[sync]]
    type = "Task"
    search = "status=ready,requested&owner={organization}"   # {organization_id}, {practitioner}, {date}
    window = 14                            # days back; 0 = all
    priority = 10                          # lower first
    repeats = false                        # true: an earlier search of the type finds most of it too

    [[views]]
    id = "my-day"                          # 'homecare.my-day' everywhere else
    title = "My day"
    icon = "sun"
    factory = "modules.homecare.views.my_day:make"
    kind = "page"                          # page (in the rail's place) | pane (dockable) | sheet
    patient = "none"                       # required | optional | none
    area = "centre"                        # centre | left | right | bottom
    many = false                           # may be open more than once

    [[actions]]
    id = "complete-visit"
    title = "Visit done"
    icon = "check"
    command = "modules.homecare.commands.visits:CompleteVisit"   # or: view = "my-day"
    shortcut = "Space"
    places = ["row", "palette"]            # menu | toolbar | row | palette
    enabled_when = ["one_row", "signed_in"]   # patient | one_row | rows | online | signed_in
    confirm = ""

    [[columns]], [[jobs]], [[reports]], [[reopens]], [[settings]], [[layouts]]   # see the classes below
"""

from __future__ import annotations

import re
import tomllib
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError, model_validator

from clinician import texts
from clinician.errors import UserProblem
from clinician.fhir.structure import resource_types
from clinician.texts import Joined, Text

L = texts.lazy("modulekit")

SCHEMA: Final = 1
"""The manifest form this workstation reads."""
PLACEHOLDERS: Final = frozenset({"organization", "organization_id", "practitioner", "date"})
"""What a search may leave to the workplace: 'Organization/…', its id alone, 'Practitioner/…', a day."""

Id = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9]*(-[a-z0-9]+)*$", max_length=40)]
ModuleId = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$", max_length=40)]
Dotted = Annotated[str, StringConstraints(pattern=r"^[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*$")]
Permission = Annotated[str, StringConstraints(pattern=r"^[A-Z][A-Za-z]+\.[cruds]{1,5}$")]
Version = Annotated[str, StringConstraints(pattern=r"^\d+\.\d+(\.\d+)?([a-z]+\d+)?$")]
Words = Annotated[str, StringConstraints(min_length=1, max_length=200, strip_whitespace=True)]
Shortcut = Annotated[
    str, StringConstraints(pattern=r"^((Ctrl|Alt|Shift|Meta)\+)*([A-Z0-9]|F\d{1,2}|[A-Z][a-z]+|[+\-.,/])?$")
]
Place = Literal["menu", "toolbar", "row", "palette"]
Condition = Literal["patient", "one_row", "rows", "online", "signed_in"]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=False)


class Needs(_Part):
    """What the module asks of the record. `record` it cannot do without, `optional` it can."""

    record: list[Permission] = []
    optional: list[Permission] = []
    server: list[Literal["transaction", "history", "if-match", "search", "subscription"]] = []


class Sync(_Part):
    """One search that is kept on this PC. window: days back, 0 for all. priority: lower first.

    repeats: an earlier search of the type has brought most of what this one finds.
    """

    type: str
    search: str = ""
    window: Annotated[int, Field(ge=0, le=3650)] = 0
    priority: Annotated[int, Field(ge=0, le=100)] = 50
    repeats: bool = False


class View(_Part):
    """Something to look at. factory(ctx: ModuleContext) -> QWidget."""

    id: Id
    title: Words
    icon: str = ""
    factory: Dotted
    kind: Literal["page", "pane", "sheet"] = "page"
    patient: Literal["required", "optional", "none"] = "none"
    area: Literal["centre", "left", "right", "bottom"] = "centre"
    many: bool = False
    hint: str = ""
    """Key hints for the status strip, in words"""


class Action(_Part):
    """Something to do: a command class, or a view to open."""

    id: Id
    title: Words
    icon: str = ""
    command: Dotted | None = None
    view: Id | None = None
    shortcut: Shortcut = ""
    places: list[Place] = ["palette"]
    enabled_when: list[Condition] = []
    confirm: str = ""
    hint: str = ""

    @model_validator(mode="after")
    def _one_of_both(self) -> Action:
        if (self.command is None) == (self.view is None):
            raise ValueError("either command or view")
        return self


class Column(_Part):
    """A column a superuser may place. field: of the row. locked: a safety column, never removed."""

    id: Id
    title: Words
    field: Annotated[str, StringConstraints(pattern=r"^[a-z_][a-z0-9_]*$")]
    view: Id | None = None
    width: Annotated[int, Field(ge=16, le=1200)] = 120
    locked: bool = False


class Job(_Part):
    """Long work off the GUI thread: function(…, progress)."""

    id: Id
    title: Words
    function: Dotted


class Report(_Part):
    """A finished document: function(…) -> bytes."""

    id: Id
    title: Words
    function: Dotted
    icon: str = ""
    patient: Literal["required", "optional", "none"] = "none"


class Reopen(_Part):
    """How acts of these kinds are edited when they come back: function(reading, raws) -> Reopened | None."""

    id: Id
    acts: list[Id]
    function: Dotted


class Setting(_Part):
    """A setting of the module: '<module>.<id>'. level: the lowest level that may set it."""

    id: Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]*$")]
    title: Words
    level: Literal["machine", "municipality", "workplace", "user"] = "workplace"
    kind: Literal["text", "number", "yes_no", "choice"] = "text"
    default: str | int | float | bool = ""
    choices: list[str] = []
    minimum: float | None = None
    maximum: float | None = None
    shareable: bool = False
    """May be handed to another workplace; never for anything personal"""
    hint: str = ""


class LayoutFile(_Part):
    """A layout the module ships: a TOML file beside the manifest."""

    id: Id
    title: Words
    file: Annotated[str, StringConstraints(pattern=r"^[\w\-./]+\.toml$")]


class Manifest(_Part):
    """A module's manifest.toml as a whole."""

    schema_: Annotated[int, Field(alias="schema")]
    id: ModuleId
    version: Version
    title: Words
    summary: Words
    icon: str = ""
    owner: Words
    texts: ModuleId | None = None
    """gettext domain; the id unless told otherwise"""
    needs: Needs = Needs()
    sync: list[Sync] = []
    views: list[View] = []
    actions: list[Action] = []
    columns: list[Column] = []
    jobs: list[Job] = []
    reports: list[Report] = []
    reopens: list[Reopen] = []
    settings: list[Setting] = []
    layouts: list[LayoutFile] = []

    @property
    def domain(self) -> str:
        """The gettext domain of its texts."""
        return self.texts or self.id

    def title_text(self, msgid: str) -> Text:
        """One of the manifest's texts, translated when shown."""
        return Text(self.domain, msgid)

    def callables(self) -> Iterator[tuple[str, str]]:
        """(where, dotted string) of everything that is resolved at first use."""
        yield from ((f"views.{v.id}", v.factory) for v in self.views)
        yield from ((f"actions.{a.id}", a.command) for a in self.actions if a.command)
        yield from ((f"jobs.{j.id}", j.function) for j in self.jobs)
        yield from ((f"reports.{r.id}", r.function) for r in self.reports)
        yield from ((f"reopens.{r.id}", r.function) for r in self.reopens)

    def view(self, view_id: str) -> View | None:
        """A view by its own id ('my-day'), None when there is none."""
        return next((v for v in self.views if v.id == view_id), None)


def parse(text: str) -> Manifest:
    """A manifest from TOML. Raises UserProblem with every fault in words; `field` names the first."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise UserProblem(
            L("The manifest is not valid TOML: {problem}", problem=problem), detail="manifest: TOML"
        ) from problem
    if raw.get("schema") != SCHEMA:
        raise UserProblem(
            L(
                "The module is made for another version of the workstation "
                "(form {found}, this one reads {known}).",
                found=raw.get("schema", "?"),
                known=SCHEMA,
            ),
            field="schema",
            detail="manifest: schema",
        )
    try:
        manifest = Manifest.model_validate(raw)
    except ValidationError as problem:
        raise _in_words(problem) from problem
    faults = [*_faults(manifest)]
    if faults:
        raise UserProblem(
            L("The manifest does not hold together: {faults}", faults=Joined(tuple(f for _, f in faults))),
            field=faults[0][0],
            detail="manifest: " + ", ".join(where for where, _ in faults),
        )
    return manifest


_REASONS: Final = {
    "extra_forbidden": L("is not known"),
    "missing": L("is missing"),
    "string_pattern_mismatch": L("is not written as it should be"),
    "string_too_short": L("is empty"),
    "string_too_long": L("is too long"),
    "literal_error": L("is not one of the words that are allowed"),
    "value_error": L("names both or neither of command and view"),
}


def _in_words(problem: ValidationError) -> UserProblem:
    faults = problem.errors(include_url=False, include_input=False, include_context=False)
    named = [(".".join(str(p) for p in f["loc"]), f["type"]) for f in faults]
    otherwise = L("has the wrong kind of value")
    words = tuple(
        L("{where}: {fault}", where=where or "manifest", fault=_REASONS.get(kind, otherwise))
        for where, kind in named
    )
    return UserProblem(
        L("The manifest has faults: {faults}", faults=Joined(words)),
        field=named[0][0],
        detail="manifest: " + ", ".join(f"{where} {kind}" for where, kind in named),
    )


def _doubles(names: Iterable[str]) -> list[str]:
    return [name for name, count in Counter(names).items() if count > 1]


def _faults(manifest: Manifest) -> Iterator[tuple[str, Text]]:
    sections: dict[str, list[Any]] = {
        "views": manifest.views,
        "actions": manifest.actions,
        "columns": manifest.columns,
        "jobs": manifest.jobs,
        "reports": manifest.reports,
        "reopens": manifest.reopens,
        "settings": manifest.settings,
        "layouts": manifest.layouts,
    }
    for section, rows in sections.items():
        for name in _doubles(row.id for row in rows):
            yield f"{section}.{name}", L("{name} is there twice in {section}", name=name, section=section)
    for key in _doubles(a.shortcut for a in manifest.actions if a.shortcut and "row" not in a.places):
        yield "actions.shortcut", L("the key {key} has two actions", key=key)
    known = {view.id for view in manifest.views}
    owners = [(a.id, a.view) for a in manifest.actions] + [(c.id, c.view) for c in manifest.columns]
    for name, view in owners:
        if view is not None and view not in known:
            yield f"{name}.view", L("{name} names the view {view}, which is not there", name=name, view=view)
    yield from _type_faults(manifest)
    yield from _setting_faults(manifest)


def _type_faults(manifest: Manifest) -> Iterator[tuple[str, Text]]:
    granted: dict[str, str] = {}
    for permission in (*manifest.needs.record, *manifest.needs.optional):
        type_, _, letters = permission.partition(".")
        granted[type_] = granted.get(type_, "") + letters
        if type_ not in resource_types() or len(set(letters)) < len(letters):
            yield "needs", L("{name} is no permission on a FHIR type", name=permission)
    for rule in manifest.sync:
        if rule.type not in resource_types():
            yield "sync", L("{name} is no FHIR type", name=rule.type)
        elif not set("rs") <= set(granted.get(rule.type, "")):
            yield "sync", L("{name} is fetched without a permission to read and search it", name=rule.type)
        for placeholder in re.findall(r"\{(\w*)\}", rule.search):
            if placeholder not in PLACEHOLDERS:
                yield "sync", L("the search for {name} has an unknown placeholder", name=rule.type)


def _setting_faults(manifest: Manifest) -> Iterator[tuple[str, Text]]:
    kinds: dict[str, tuple[type, ...]] = {
        "text": (str,),
        "number": (int, float),
        "yes_no": (bool,),
        "choice": (str,),
    }
    for setting in manifest.settings:
        value = setting.default
        wrong = not isinstance(value, kinds[setting.kind]) or (
            setting.kind == "number" and isinstance(value, bool)
        )
        if wrong or (setting.kind == "choice" and value not in setting.choices):
            yield f"settings.{setting.id}", L("{name} has a default that does not fit", name=setting.id)
