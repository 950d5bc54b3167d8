"""What a layout is: which views stand where on a module's page, and which columns a list shows.

    schema = 1
    id = "nord"
    title = "Sone Nord"

    [[pages]]
    module = "homecare"
    [[pages.panes]]
    view = "homecare.my-day"
    area = "centre"            # centre | left | right | bottom
    share = 0                  # percent of the page for a side

    [[lists]]
    view = "homecare.zone"
    columns = ["name", "start", "title"]

A level says only what it changes: a page or a list that it names replaces that page or list whole.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

SCHEMA: Final = 1
AREAS: Final = ("centre", "left", "right", "bottom")
LEVELS: Final = ("shipped", "municipality", "workplace", "role", "user")
"""From the bottom up; each may replace what those below say."""


@dataclass(frozen=True, slots=True)
class Pane:
    """A view and its place. share: percent of the page for a side, 0 where it does not apply.

    is_placeholder: no installed module has the view; it is shown by its name, never a crash.
    """

    view: str
    area: str = "centre"
    share: int = 0
    is_placeholder: bool = False


@dataclass(frozen=True, slots=True)
class Layer:
    """What one level says."""

    id: str
    title: str
    pages: Mapping[str, tuple[Pane, ...]] = field(default_factory=dict)
    lists: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ListColumn:
    """A column a module offers for a list. is_locked: a safety column, shown whatever a layout says."""

    view: str
    id: str
    is_locked: bool = False


@dataclass(frozen=True, slots=True)
class Layout:
    """All levels as one. origin: page or list → the level that decided it."""

    pages: Mapping[str, tuple[Pane, ...]]
    lists: Mapping[str, tuple[str, ...]]
    origin: Mapping[str, str]
