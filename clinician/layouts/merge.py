"""Five levels become one layout: shipped < municipality < workplace < role < user."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from clinician.layouts.layout import LEVELS, Layer, Layout, ListColumn, Pane


def merge(layers: Mapping[str, Layer], *, views: Iterable[str], columns: Iterable[ListColumn] = ()) -> Layout:
    """One layout. layers: level → what it says; levels may be missing.

    views: every 'module.view' installed; a pane of any other becomes a placeholder. columns: what the
    modules offer; a column nobody offers is left out, a locked one is put back where it was left out.
    """
    known, offered = frozenset(views), tuple(columns)
    pages: dict[str, tuple[Pane, ...]] = {}
    lists: dict[str, tuple[str, ...]] = {}
    origin: dict[str, str] = {}
    for level in LEVELS:
        layer = layers.get(level)
        if layer is not None:
            pages.update(layer.pages)
            lists.update(layer.lists)
            origin.update(dict.fromkeys([*layer.pages, *layer.lists], level))
    shown = {module: tuple(_named(pane, known) for pane in panes) for module, panes in pages.items()}
    return Layout(shown, {view: _columns(view, ids, offered) for view, ids in lists.items()}, origin)


def _named(pane: Pane, known: frozenset[str]) -> Pane:
    return replace(pane, is_placeholder=pane.view not in known)


def _columns(view: str, wanted: tuple[str, ...], offered: tuple[ListColumn, ...]) -> tuple[str, ...]:
    of_view = [column for column in offered if column.view == view]
    locked = [column.id for column in of_view if column.is_locked and column.id not in wanted]
    usable = {column.id for column in of_view}
    return (*locked, *(column for column in wanted if column in usable))
