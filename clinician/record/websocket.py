"""Where the record rings, and how one listens: `bind id`, `bound id`, then `ping id` at a change (FHIR R4).

A ping has no content and is only a hint. Servers allow one bind a socket (HAPI FHIR), so each Subscription
has a socket of its own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, Protocol
from urllib.parse import urljoin, urlsplit

from clinician.record.client import RecordClient

EXTENSION: Final = "http://hl7.org/fhir/StructureDefinition/capabilitystatement-websocket"
_SCHEMES: Final = {"http": "ws", "https": "wss", "ws": "ws", "wss": "wss"}


class PushSocket(Protocol):
    """A bound socket, as sync uses it."""

    def heard(self, seconds: float) -> bool:
        """Wait so long for a ping. Raises AnswerLost when the socket is gone or the other end is silent."""

    def hang_up(self) -> None:
        """Cut it at once, from any thread; who waits in `heard` meets AnswerLost."""


Open = Callable[[RecordClient, str, str], PushSocket]
"""(client, address of the websocket, id of the Subscription) → a bound socket, as `open_bound`."""


def open_bound(client: RecordClient, url: str, subscription_id: str) -> PushSocket:
    """A socket of `client`'s record, bound. Raises NotSent (no connection) or AnswerLost (not bound)."""
    from clinician.record.bound_socket import opened  # 25 ms that only records with websockets cost

    return opened(client, url, subscription_id)


def websocket_of(capability: Mapping[str, Any], base_url: str) -> str:
    """Where the record has its websocket; '' where it names none, or one at another host than its own.

    HAPI FHIR gives a path ('/websocket'), others a whole address; http becomes ws, https wss.
    """
    rest = capability.get("rest")
    for part in rest if isinstance(rest, list) else []:
        extensions = part.get("extension") if isinstance(part, dict) else None
        for extension in extensions if isinstance(extensions, list) else []:
            if isinstance(extension, dict) and extension.get("url") == EXTENSION:
                return _address(str(extension.get("valueUri") or extension.get("valueUrl") or ""), base_url)
    return ""


def _address(said: str, base_url: str) -> str:
    try:
        base, found = urlsplit(base_url), urlsplit(urljoin(base_url.rstrip("/") + "/", said))
    except ValueError:
        return ""
    scheme = _SCHEMES.get(found.scheme, "")
    is_safe = scheme == "wss" or base.scheme == "http"
    if not said or not scheme or not is_safe or found.hostname != base.hostname:
        return ""
    return found._replace(scheme=scheme).geturl()
