"""A module's declared settings, put where settings are read."""

from __future__ import annotations

from clinician.modulekit.manifest import Manifest
from clinician.settings import Declared, Settings


def declare_settings(settings: Settings, manifest: Manifest) -> None:
    """Every [[settings]] of a manifest as '<module>.<id>'. Taken back by settings.withdraw(module id)."""
    for one in manifest.settings:
        settings.declare(
            Declared(
                f"{manifest.id}.{one.id}",
                one.kind,
                one.default,
                tuple(one.choices),
                one.minimum,
                one.maximum,
                one.level,
            )
        )
