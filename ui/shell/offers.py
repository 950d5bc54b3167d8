"""What the registry of modules offers the window, as frozen rows the shell can show.

The only file of the shell that knows how the registry and a manifest look.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from clinician.texts import Text
from ui.widgets import icons
from ui.widgets.words import Words


@dataclass(frozen=True, slots=True)
class ViewOffer:
    """A view one may open. key: 'module.view'. kind: page, pane or sheet."""

    key: str
    title: Words
    icon: str
    make: Callable[[], Callable[[Any], Any]] = field(compare=False, repr=False)
    """The factory itself, resolved at the call; raises Refused with the reason"""
    kind: str = "page"
    patient: str = "none"
    area: str = "centre"
    many: bool = False
    hint: Words = ""
    """'Space = done · N = note': the keys of the view, in words"""


@dataclass(frozen=True, slots=True)
class ActionOffer:
    """Something to do from the palette. key: 'module.action'; view: 'module.view' or ''."""

    key: str
    title: Words
    icon: str
    shortcut: str
    view: str
    places: frozenset[str]
    enabled_when: frozenset[str] = frozenset()
    hint: Words = ""


@dataclass(frozen=True, slots=True)
class ModuleOffer:
    """A module as the window knows it. reason: why it does not work, '' when it does."""

    key: str
    title: Words
    summary: Words
    icon: str
    version: str
    domain: str
    is_on: bool = True
    is_broken: bool = False
    reason: Words = ""
    views: tuple[ViewOffer, ...] = ()
    actions: tuple[ActionOffer, ...] = ()
    manifest: Any = field(default=None, compare=False, repr=False)

    def view(self, key: str) -> ViewOffer | None:
        """A view by 'module.view'."""
        return next((view for view in self.views if view.key == key), None)


def of_manifest(manifest: Any, registry: Any, *, is_on: bool = True) -> ModuleOffer:
    """What a checked manifest offers."""

    def text(msgid: str) -> Words:
        return Text(manifest.domain, msgid) if msgid else ""

    def icon(wanted: str, other: str) -> str:
        """An icon a stranger names may not be among ours."""
        own = manifest.icon if manifest.icon in icons.names() else other
        return wanted if wanted in icons.names() else own

    views = tuple(
        ViewOffer(
            f"{manifest.id}.{view.id}",
            text(view.title),
            icon(view.icon, "squares-four"),
            partial(registry.resolve, manifest.id, view.factory),
            view.kind,
            view.patient,
            view.area,
            view.many,
            text(view.hint),
        )
        for view in manifest.views
    )
    actions = tuple(
        ActionOffer(
            f"{manifest.id}.{action.id}",
            text(action.title),
            icon(action.icon, "circle"),
            action.shortcut,
            f"{manifest.id}.{action.view}" if action.view else "",
            frozenset(action.places),
            frozenset(action.enabled_when),
            text(action.hint),
        )
        for action in manifest.actions
    )
    return ModuleOffer(
        manifest.id,
        text(manifest.title),
        text(manifest.summary),
        icon(manifest.icon, "puzzle-piece"),
        manifest.version,
        manifest.domain,
        is_on=is_on,
        views=views,
        actions=actions,
        manifest=manifest,
    )


def broken(key: str, reason: Words, *, title: Words = "", version: str = "") -> ModuleOffer:
    """A module that does not work, with its reason."""
    return ModuleOffer(key, title or key, "", "warning", version, key, is_broken=True, reason=reason)


def collect(registry: Any) -> tuple[ModuleOffer, ...]:
    """Every module the registry knows: those that work, those switched off, those broken with the reason."""
    allowed = {manifest.id for manifest in registry.manifests()}
    found: list[ModuleOffer] = []
    for entry in registry.entries():
        if entry.problem is not None or entry.manifest is None:
            title = entry.manifest.title_text(entry.manifest.title) if entry.manifest else entry.id
            found.append(broken(entry.id, entry.problem or "", title=title))
        elif entry.id in allowed or str(entry.state) == "off":
            found.append(of_manifest(entry.manifest, registry, is_on=entry.id in allowed))
    return tuple(found)
