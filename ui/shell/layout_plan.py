"""Which view stands where on a module's page: from a layout of the workplace, else from the manifest."""

from __future__ import annotations

from dataclasses import dataclass

from ui.shell.offers import ModuleOffer

AREAS = ("centre", "left", "right", "bottom")
_SHARES = {"left": 30, "right": 34, "bottom": 30}


@dataclass(frozen=True, slots=True)
class PanePlan:
    """A view ('module.view') and its place. share: percent of the page for a side, 0 in the centre."""

    view: str
    area: str = "centre"
    share: int = 0


def plan_of(offer: ModuleOffer) -> tuple[PanePlan, ...]:
    """The plan a manifest asks for: its pages in the centre, its panes at their sides, no sheets."""
    shown = [view for view in offer.views if view.kind != "sheet"]
    centre = [view for view in shown if view.area not in _SHARES]
    sides = [view for view in shown if view.area in _SHARES]
    return tuple(
        [PanePlan(view.key) for view in centre]
        + [PanePlan(view.key, view.area, _SHARES[view.area]) for view in sides]
    )
