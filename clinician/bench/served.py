"""A record in a process of its own, so that its work is not counted as the client's."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import httpx

import clinician

_ROOT: Final = Path(clinician.__file__).resolve().parent.parent
_PATIENCE_S: Final = 30.0


def environment() -> dict[str, str]:
    """That of this process, with this very source tree first."""
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}


def _free_port() -> int:
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        return int(held.getsockname()[1])


@contextmanager
def served(folder: Path) -> Iterator[str]:
    """The record of `folder` over loopback HTTP; its base address. Ends with the block."""
    port = _free_port()
    command = [
        sys.executable,
        "-m",
        "clinician",
        "record",
        "serve",
        "--data",
        str(folder),
        "--port",
        str(port),
    ]
    process = subprocess.Popen(  # noqa: S603  this very program
        command, env=environment(), stdout=subprocess.DEVNULL
    )
    try:
        base_url = f"http://127.0.0.1:{port}"
        _await(base_url, process)
        yield base_url
    finally:
        process.terminate()
        process.wait(timeout=20)


def _await(base_url: str, process: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + _PATIENCE_S
    while True:
        try:
            httpx.get(f"{base_url}/metadata", timeout=5).raise_for_status()
            return
        except httpx.HTTPError:
            if process.poll() is not None or time.monotonic() > deadline:
                raise
            time.sleep(0.05)
