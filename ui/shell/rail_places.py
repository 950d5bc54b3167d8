"""The places on the rail: the modules that are on, and the shell's own pages."""

from __future__ import annotations

from collections.abc import Sequence

from clinician.texts import lazy
from ui.shell.offers import ModuleOffer
from ui.shell.rail import RailEntry

L = lazy("ui")


def own_places() -> tuple[RailEntry, ...]:
    """Outbox and settings."""
    return (
        RailEntry("page:outbox", L("Outbox"), "tray", "Alt+0"),
        RailEntry("page:settings", L("Settings"), "gear", "Ctrl+,"),
    )


def module_places(offers: Sequence[ModuleOffer]) -> tuple[RailEntry, ...]:
    """The modules that are on, and the broken ones, with Alt+1 … Alt+9."""
    on = [offer for offer in offers if offer.is_on or offer.is_broken]
    return tuple(
        RailEntry(
            f"module:{offer.key}", offer.title, offer.icon, f"Alt+{at}" if at < 10 else "", offer.is_broken
        )
        for at, offer in enumerate(on, start=1)
    )
