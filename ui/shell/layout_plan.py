"""Which view stands where on a module's page: from the layouts of the workplace, else from the manifest."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from clinician.access.who import Who
from clinician.errors import UserProblem
from clinician.layouts.layout import Pane
from clinician.layouts.load import Place, load
from ui.shell.offers import ModuleOffer

_SHARES = {"left": 30, "right": 34, "bottom": 30}
_ORDER = ("centre", "left", "right", "bottom")
Plans = Mapping[str, tuple[Pane, ...]]


def plan_of(offer: ModuleOffer) -> tuple[Pane, ...]:
    """The plan a manifest asks for: its pages in the centre, its panes at their sides, no sheets."""
    shown = [view for view in offer.views if view.kind != "sheet"]
    centre = [view for view in shown if view.area not in _SHARES]
    sides = [view for view in shown if view.area in _SHARES]
    return tuple(
        [Pane(view.key) for view in centre]
        + [Pane(view.key, view.area, _SHARES[view.area]) for view in sides]
    )


def in_order(panes: tuple[Pane, ...]) -> list[Pane]:
    """The centre first, the bottom last: so the docks nest as the layout means."""
    return sorted(panes, key=lambda pane: _ORDER.index(pane.area))


def shares(panes: tuple[Pane, ...]) -> tuple[list[int], list[int]]:
    """Percents of left, centre, right (those there are), and of what lies above and at the bottom."""
    share = {pane.area: pane.share or _SHARES.get(pane.area, 0) for pane in reversed(panes)}
    sides = [share[area] for area in ("left", "right") if area in share]
    middle = max(20, 100 - sum(sides))
    across = [
        share[area] if area != "centre" else middle for area in ("left", "centre", "right") if area in share
    ]
    down = [100 - share["bottom"], share["bottom"]] if "bottom" in share else []
    return across, down


def load_plans(
    folder: Path, who: Who, offers: tuple[ModuleOffer, ...]
) -> tuple[Plans, tuple[UserProblem, ...]]:
    """The layout in force for this person here, and what could not be read of it."""
    place = Place(
        workplace_id=who.workplace_ref.rpartition("/")[2], user_id=who.practitioner_ref.rpartition("/")[2]
    )
    views = [view.key for offer in offers for view in offer.views]
    loaded = load(folder / "layouts", place, views=views)
    return loaded.layout.pages, loaded.problems
