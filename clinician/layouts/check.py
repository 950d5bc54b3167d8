"""Whether a layout file holds: every fault in words, at once."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator
from typing import Any, Final

from clinician import texts
from clinician.errors import UserProblem
from clinician.layouts.layout import AREAS, SCHEMA, Layer, ListColumn, Pane
from clinician.texts import Joined, Text

L = texts.lazy("layouts")
_VIEW: Final = re.compile(r"[a-z][a-z0-9_]*\.[a-z][a-z0-9-]*")
_LARGEST: Final = 64
"""More panes on a page than this is a mistake."""


def parse(text: str) -> Layer:
    """A layer from TOML. Raises UserProblem with every fault in words."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise UserProblem(L("it is not valid TOML: {problem}", problem=problem)) from problem
    faults = tuple(_faults(raw))
    if faults:
        words = L("it has mistakes ({faults})", faults=Joined(faults))
        raise UserProblem(words, detail=f"{len(faults)} faults")
    pages = {page["module"]: tuple(_pane(p) for p in page["panes"]) for page in raw.get("pages", ())}
    lists = {one["view"]: tuple(one["columns"]) for one in raw.get("lists", ())}
    return Layer(raw["id"], raw["title"], pages, lists)


def _pane(raw: dict[str, Any]) -> Pane:
    return Pane(raw["view"], raw.get("area", "centre"), raw.get("share", 0))


def _faults(raw: dict[str, Any]) -> Iterator[Text]:
    if raw.get("schema") != SCHEMA:
        yield L("it is made for another version (form {found}, this one reads {known})",
                found=raw.get("schema", "?"), known=SCHEMA)  # fmt: skip
    for key in sorted(set(raw) - {"schema", "id", "title", "pages", "lists"}):
        yield L("{key} is not known", key=key)
    for key in ("id", "title"):
        if not isinstance(raw.get(key), str) or not raw[key]:
            yield L("{key} is missing", key=key)
    yield from _page_faults(raw.get("pages", []))
    yield from _list_faults(raw.get("lists", []))


def _rows(value: object) -> Iterable[dict[str, Any]] | None:
    if isinstance(value, list) and all(isinstance(row, dict) for row in value):
        return value
    return None


def _page_faults(value: object) -> Iterator[Text]:
    pages = _rows(value)
    if pages is None:
        yield L("pages must be a list of tables")
        return
    seen: set[str] = set()
    for page in pages:
        module, panes = page.get("module"), _rows(page.get("panes"))
        if not isinstance(module, str) or panes is None or set(page) - {"module", "panes"}:
            yield L("a page needs a module and its panes, and nothing else")
            continue
        if module in seen:
            yield L("the page of {module} is there twice", module=module)
        seen.add(module)
        yield from _pane_faults(module, list(panes))


def _pane_faults(module: str, panes: list[dict[str, Any]]) -> Iterator[Text]:
    if not any(pane.get("area", "centre") == "centre" for pane in panes) or len(panes) > _LARGEST:
        yield L("the page of {module} needs a pane in the centre", module=module)
    for pane in panes:
        view, share = pane.get("view"), pane.get("share", 0)
        if not isinstance(view, str) or not _VIEW.fullmatch(view):
            yield L("a pane of {module} names no view", module=module)
        if set(pane) - {"view", "area", "share"} or pane.get("area", "centre") not in AREAS:
            yield L("a pane of {module} has a place that is not known", module=module)
        if not isinstance(share, int) or isinstance(share, bool) or not 0 <= share <= 80:
            yield L("a pane of {module} has a share outside 0–80 percent", module=module)


def _list_faults(value: object) -> Iterator[Text]:
    rows = _rows(value)
    if rows is None:
        yield L("lists must be a list of tables")
        return
    for row in rows:
        view, columns = row.get("view"), row.get("columns")
        names = columns if isinstance(columns, list) else []
        is_named = bool(names) and all(isinstance(name, str) and name for name in names)
        is_view = isinstance(view, str) and _VIEW.fullmatch(view) is not None
        if not is_view or not is_named or set(row) - {"view", "columns"}:
            yield L("a list needs a view and its columns, and nothing else")
        elif len(set(names)) < len(names):
            yield L("the list {view} has a column twice", view=view)


def publishing_problems(
    layer: Layer, views: Iterable[str], columns: Iterable[ListColumn]
) -> tuple[Text, ...]:
    """Why a superuser may not publish a layer: unknown views or columns, a safety column left out."""
    known, offered = frozenset(views), tuple(columns)
    found: list[Text] = []
    for panes in layer.pages.values():
        found += [
            L("{view} is a view that is not installed", view=p.view) for p in panes if p.view not in known
        ]
    for view, shown in layer.lists.items():
        of_view = {column.id: column for column in offered if column.view == view}
        found += [
            L("{column} is no column of {view}", column=c, view=view) for c in shown if c not in of_view
        ]
        found += [
            L("{column} is a safety column of {view} and cannot be taken away", column=c.id, view=view)
            for c in of_view.values()
            if c.is_locked and c.id not in shown
        ]
    return tuple(found)
