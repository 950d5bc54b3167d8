"""What the record can do: the stored profile, or a new probe where that is stale (SYNC §1.1)."""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final

from clinician.fhir.times import parse_instant
from clinician.record.probe import probe
from clinician.record.profile import ServerProfile, epoch_of, from_raw, version_of
from clinician.record.websocket import Open, open_bound, websocket_of
from clinician.record.websocket_probe import ping_seconds
from clinician.sync import restored
from clinician.sync.line import Line
from clinician.sync.rounds import NIGHTLY, Cadence
from clinician.sync.together import side_by_side

FIRST_PATIENCE: Final = 2.0
LATER_PATIENCE: Final = 5.0
"""Seconds a round waits for a scratch ping; `clinician doctor --probe` has more of them."""


def learn(line: Line, cadence: Cadence, open_socket: Open = open_bound) -> ServerProfile:
    """The profile this line goes by from now on. Another epoch than before: the record was restored."""
    stored = line.write(lambda writing: writing.marks.profile())
    profile = from_raw(stored) if stored else None
    capability = line.client.capability()
    told = (version_of(capability), epoch_of(capability))
    if profile is not None and profile.epoch != told[1]:
        restored.begin(line, lambda writing: None)  # before anything is sent or the new epoch is known here
    if profile is None or (profile.version, profile.epoch) != told or cadence.probe_due():
        profile = _probed(line, FIRST_PATIENCE if profile is None else LATER_PATIENCE, open_socket)
        cadence.probed()
    else:
        cadence.probed(ago=_age(line, profile))
    profile = replace(profile, websocket_url=websocket_of(capability, line.client.base_url))
    line.profile = profile
    line.client.packs = profile.gzip_requests and line.client.is_remote
    return profile


def _age(line: Line, profile: ServerProfile) -> float:
    """Seconds since a stored profile was made; a PC that is started every morning must ask again too."""
    if not profile.checked_at:
        return NIGHTLY
    return (line.clock.now() - parse_instant(profile.checked_at)).total_seconds()


def _probed(line: Line, patience: float, open_socket: Open) -> ServerProfile:
    listen = partial(ping_seconds, patience=patience, open_socket=open_socket)
    profile = probe(line.client, together=side_by_side, listen=listen)
    raw = profile.as_raw()
    line.write(lambda writing: writing.marks.set_profile(raw))
    return profile
