"""A record over HTTP as a process of its own: `python -m tests.scenarios.record_process FILE PORT`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

from clinician.embedded.serve import serve
from clinician.embedded.server import RecordApp


def main() -> None:
    app = RecordApp(Path(sys.argv[1]))
    server = serve(app, "127.0.0.1", int(sys.argv[2]))
    print(json.dumps({"port": server.port}), flush=True)
    sys.stdin.read()
    server.stop()
    app.close()


if __name__ == "__main__":
    main()
