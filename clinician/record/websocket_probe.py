"""How long the record takes from a write to its ping, tried out on scratch (SYNC §1.1)."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, Final

import orjson

from clinician.errors import Offline, RecordTrouble
from clinician.record.client import RecordClient
from clinician.record.websocket import Open, PushSocket, open_bound, websocket_of

_SYSTEM: Final = "https://clinician.example/fhir/CodeSystem/probe"
PATIENCE: Final = 15.0
"""Seconds. HAPI FHIR takes up to five to make a Subscription active, five more for a ping (HAPI #6394)."""
_RETRY: Final = 0.25


def ping_seconds(
    client: RecordClient,
    capability: Mapping[str, Any],
    *,
    patience: float = PATIENCE,
    open_socket: Open = open_bound,
) -> float | None:
    """Seconds from a write to its ping; None where no websocket is named, or none rang within `patience`.

    The scratch Subscription and resource are deleted again. Raises nothing for the record's sake.
    """
    url = websocket_of(capability, client.base_url)
    if not url:
        return None
    subscription, scratch = f"Subscription/ws-probe-{uuid.uuid4()}", f"Basic/{uuid.uuid4()}"
    until = time.monotonic() + patience
    try:
        held = _bound(client, subscription, partial(open_socket, client, url), until)
        return _rung(client, held, scratch, until) if held is not None else None
    except (Offline, RecordTrouble):
        return None
    finally:
        for ref in (scratch, subscription):
            client.delete(ref)


def _bound(
    client: RecordClient, subscription: str, bind: Callable[[str], PushSocket], until: float
) -> PushSocket | None:
    """A socket on a scratch Subscription, which is refused until the record has made it active."""
    if not client.put(subscription, orjson.dumps(_subscription(subscription))).is_ok:
        return None
    while True:
        try:
            return bind(subscription.partition("/")[2])
        except Offline:
            if time.monotonic() + _RETRY > until:
                return None
            time.sleep(_RETRY)


def _rung(client: RecordClient, held: PushSocket, scratch: str, until: float) -> float | None:
    try:
        started = time.monotonic()
        client.put(scratch, orjson.dumps(_scratch(scratch)))
        while (left := until - time.monotonic()) > 0:
            if held.heard(left):
                return time.monotonic() - started
        return None
    finally:
        held.hang_up()


def _subscription(ref: str) -> dict[str, Any]:
    return {
        "resourceType": "Subscription",
        "id": ref.partition("/")[2],
        "status": "requested",
        "reason": "Clinician probes whether changes are told of",
        "criteria": f"Basic?code={_SYSTEM}|probe",
        "channel": {"type": "websocket"},
    }


def _scratch(ref: str) -> dict[str, Any]:
    coding = {"system": _SYSTEM, "code": "probe"}
    return {"resourceType": "Basic", "id": ref.partition("/")[2], "code": {"coding": [coding]}}
