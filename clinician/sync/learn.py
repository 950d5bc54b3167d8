"""What the record can do: the stored profile, or a new probe where that is stale (SYNC §1.1)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from clinician.record.probe import probe
from clinician.record.profile import ServerProfile, epoch_of, from_raw, version_of
from clinician.record.websocket import websocket_of
from clinician.record.websocket_probe import PATIENCE, ping_seconds
from clinician.sync.line import Line
from clinician.sync.rounds import Cadence
from clinician.sync.together import side_by_side

FIRST_PATIENCE: Final = 2.0
"""Seconds a first start waits for a scratch ping; a slow one is measured at night."""


def learn(line: Line, cadence: Cadence) -> ServerProfile:
    """The profile this line goes by from now on. A new epoch is noted in line.older: it was restored."""
    stored = line.write(lambda writing: writing.marks.profile())
    profile = from_raw(stored) if stored else None
    capability = line.client.capability()
    told = (version_of(capability), epoch_of(capability))
    if profile is not None and profile.epoch != told[1]:
        line.older.add("epoch")
    if profile is None or (profile.version, profile.epoch) != told or cadence.probe_due():
        profile = _probed(line, FIRST_PATIENCE if profile is None else PATIENCE)
        cadence.probed()
    profile = replace(profile, websocket_url=websocket_of(capability, line.client.base_url))
    line.profile = profile
    line.client.packs = profile.gzip_requests and line.client.is_remote
    return profile


def _probed(line: Line, patience: float) -> ServerProfile:
    listen = partial(ping_seconds, patience=patience)
    profile = probe(line.client, together=side_by_side, listen=listen)
    raw = profile.as_raw()
    line.write(lambda writing: writing.marks.set_profile(raw))
    return profile
