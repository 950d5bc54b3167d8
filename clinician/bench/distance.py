"""A record farther away: `python -m clinician.bench.distance HOST PORT SECONDS` passes bytes on, later.

A process of its own, so that its work is not counted as the client's. Prints the port it listens on.
"""

from __future__ import annotations

import asyncio
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Final
from urllib.parse import urlsplit

from clinician.bench.served import environment

_PIECE: Final = 65536


@contextmanager
def far(base_url: str, round_trip_s: float) -> Iterator[str]:
    """The record at `base_url` as if a round trip took this long; its address. Ends with the block."""
    there = urlsplit(base_url)
    command = [sys.executable, "-m", "clinician.bench.distance", str(there.hostname), str(there.port)]
    process = subprocess.Popen(  # noqa: S603  this very program
        [*command, str(round_trip_s / 2)], env=environment(), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        yield f"http://127.0.0.1:{process.stdout.readline().strip()}"
    finally:
        process.terminate()
        process.wait(timeout=20)
        process.stdout.close()


async def _later(source: asyncio.StreamReader, sink: asyncio.StreamWriter, seconds: float) -> None:
    loop = asyncio.get_running_loop()
    with suppress(OSError):
        while piece := await source.read(_PIECE):
            loop.call_later(seconds, sink.write, piece)
    loop.call_later(seconds, sink.close)


async def _serve(host: str, port: int, seconds: float) -> None:
    async def joined(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        far_reader, far_writer = await asyncio.open_connection(host, port)
        await asyncio.gather(_later(reader, far_writer, seconds), _later(far_reader, writer, seconds))

    server = await asyncio.start_server(joined, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await server.serve_forever()


if __name__ == "__main__":
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(sys.argv[1], int(sys.argv[2]), float(sys.argv[3])))
