"""A port that stays free while a test has nobody on it."""

from __future__ import annotations

import errno
import random
import socket
from typing import Final

_BELOW: Final = (20_000, 32_000)
"""Below what Linux hands out (ip_local_port_range): no connection of another test gets one of these by chance."""


def free_port() -> int:
    """One for a server that is started later, or stopped and started again on the same port."""
    dice = random.SystemRandom()  # two workers of one run have the same seed
    while True:
        port = dice.randrange(*_BELOW)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError as taken:
                if taken.errno != errno.EADDRINUSE:
                    raise
            else:
                return port
