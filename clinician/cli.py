"""The command line. Without a command it opens the window.

Imports are lazy: the window must not pay for what it does not use.
"""

from __future__ import annotations

import argparse
import json
import logging
import sys
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from clinician import texts
from clinician.errors import ClinicianError

if TYPE_CHECKING:
    from clinician.modulekit.context import Progress
    from clinician.practice.info import PracticeInfo
    from clinician.workstation import Workstation

_ = texts.translator("core")
Step = Callable[[int, int, str], None]


def default_folder() -> Path:
    """Where the practice municipality of this person lies when no folder is named."""
    from platformdirs import user_data_path

    return user_data_path("clinician", appauthor=False) / "practice"


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="clinician", description=_("Workstation for municipal health care"))
    parser.add_argument("--data", type=Path, default=None, help=_("data folder"))
    parser.add_argument("--record", default="", help=_("address of the central FHIR R4 record"))
    parser.add_argument("--workplace", default="", help=_("reference of the workplace, Organization/…"))
    parser.add_argument(
        "--secret-file", type=Path, default=None, help=_("file with the password of a PC without a key store")
    )
    parser.add_argument("--language", choices=texts.LANGUAGES, default="")
    parser.add_argument(
        "--people", type=int, default=720, help=_("inhabitants of a new practice municipality")
    )
    commands = parser.add_subparsers(dest="command")

    practice = commands.add_parser("practice", help=_("make a practice municipality"))
    inner = practice.add_subparsers(dest="action", required=True)
    create = inner.add_parser("create")
    create.add_argument("--data", type=Path, default=argparse.SUPPRESS)
    create.add_argument("--seed", type=int, default=1)
    create.add_argument("--people", type=int, default=720)
    create.add_argument("--date", type=date.fromisoformat, default=None)

    record = commands.add_parser("record", help=_("serve or fill the embedded central record"))
    inner = record.add_subparsers(dest="action", required=True)
    serve = inner.add_parser("serve")
    serve.add_argument("--host", default="127.0.0.1")
    serve.add_argument("--port", type=int, default=8080)
    serve.add_argument("--data", type=Path, default=argparse.SUPPRESS)
    load = inner.add_parser("import")
    load.add_argument("--data", type=Path, default=argparse.SUPPRESS)
    load.add_argument("--workplace", default=argparse.SUPPRESS)
    load.add_argument("paths", type=Path, nargs="+")

    sync = commands.add_parser("sync", help=_("fetch and send once, without a window"))
    sync.add_argument("--data", type=Path, default=argparse.SUPPRESS)
    doctor = commands.add_parser("doctor", help=_("say how this workstation is"))
    doctor.add_argument("--data", type=Path, default=argparse.SUPPRESS)
    doctor.add_argument("--probe", default="", metavar="URL", help=_("profile a FHIR R4 server"))
    doctor.add_argument(
        "--export", type=Path, default=None, metavar="FILE", help=_("save what was not sent to a new file")
    )
    bench = commands.add_parser("bench", help=_("measure against floors of the same run"))
    bench.add_argument("names", nargs="*")
    bench.add_argument("--json", action="store_true")
    bench.add_argument("--small", action="store_true", help=_("a quick run with small numbers"))
    script = commands.add_parser("script", help=_("drive the window and count actions"))
    script.add_argument("names", nargs="+")
    script.add_argument("--network", choices=["online", "slow", "none", "all"], default="all")
    script.add_argument("--json", action="store_true")
    shots = commands.add_parser("shots", help=_("pictures of every screen"))
    shots.add_argument("folder", type=Path)
    return parser


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command; the return value is the exit code."""
    given = _parser().parse_args(arguments)
    if given.language:
        texts.set_language(given.language)
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        return _COMMANDS[given.command](given)
    except ClinicianError as problem:
        print(problem.text, file=sys.stderr)
        if problem.way_out is not None:
            print(problem.way_out, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130


def _window(given: argparse.Namespace) -> int:
    from ui.app import run

    folder = given.data or default_folder()
    return run(lambda progress: _open(given, folder, progress), folder=folder)


def _open(given: argparse.Namespace, folder: Path, progress: Progress) -> Workstation:
    """Behind the start page: make the practice municipality on first start, open, begin to sync."""
    from clinician.practice.info import is_practice
    from clinician.workstation import Options, Workstation

    has_record = (folder / "record.sqlite").exists() or is_practice(folder)
    if not given.record and not has_record:
        _create(folder, 1, given.people, None, progress.step)
    station = Workstation.open(Options(folder, given.record, given.workplace))
    station.start_sync()
    return station


def _practice(given: argparse.Namespace) -> int:
    folder = given.data or default_folder()
    if (folder / "practice.toml").exists():
        print(_("There is a practice municipality in {folder} already; nothing was changed.", folder=folder))
        return 1

    def progress(done: int, total: int, words: str) -> None:
        print(f"\r{words} {done}/{total}\033[K", end="", file=sys.stderr, flush=True)

    info = _create(folder, given.seed, given.people, given.date, progress if sys.stderr.isatty() else None)
    print(
        _(
            "Practice municipality ready in {folder}: {people} inhabitants, {day}.",
            folder=folder,
            people=info.people,
            day=info.day,
        )
    )
    return 0


def _create(folder: Path, seed: int, people: int, day: date | None, progress: Step | None) -> PracticeInfo:
    from clinician.clock import SystemClock
    from clinician.practice.create import create

    return create(folder, seed=seed, people=people, day=day or SystemClock().today(), progress=progress)


def _record(given: argparse.Namespace) -> int:
    folder = given.data or default_folder()
    return _serve(given, folder) if given.action == "serve" else _import(given, folder)


def _serve(given: argparse.Namespace, folder: Path) -> int:
    from clinician.embedded.serve import serve_forever

    print(_("The record answers on http://{host}:{port}", host=given.host, port=given.port), flush=True)
    serve_forever(given.host, given.port, folder)
    return 0


def _import(given: argparse.Namespace, folder: Path) -> int:
    from clinician.upkeep import import_into_record

    return import_into_record(folder, given.paths, workplace_ref=given.workplace, say=print)


def _sync(given: argparse.Namespace) -> int:
    from clinician.workstation import Options, Workstation

    options = Options(
        given.data or default_folder(),
        record=given.record,
        workplace_ref=given.workplace,
        secret=_secret(given, ""),
    )
    with Workstation.open(options) as station:
        status = station.sync_once()
        print(
            _(
                "{waiting} waiting, {conflicts} conflicts, {refused} refused.",
                waiting=status.waiting,
                conflicts=status.conflicts,
                refused=status.refused,
            )
        )
    return 0


def _secret(given: argparse.Namespace, default: str) -> str:
    """Never an argument itself: those of a program are seen by everybody on the PC."""
    file: Path | None = given.secret_file
    return file.read_text("utf-8").strip("\n") if file is not None else default


def _doctor(given: argparse.Namespace) -> int:
    from clinician.upkeep import examine, profile_of
    from clinician.workstation import PRACTICE_SECRET

    folder = given.data or default_folder()
    if given.export is not None:
        return _export(folder, given.export, _secret(given, PRACTICE_SECRET))
    secret = _secret(given, PRACTICE_SECRET)
    rows = list(profile_of(given.probe) if given.probe else examine(folder, given.record, secret))
    for row in rows:
        print(f"{'✓' if row.good else '✗'} {row.title}: {row.detail}")
    return 0 if all(row.good or not row.serious for row in rows) else 1


def _export(folder: Path, file: Path, secret: str) -> int:
    from clinician.upkeep import rescue_unsent

    found = rescue_unsent(folder, secret=secret)
    try:
        with file.open("xb") as out:
            out.write(found.content)
    except OSError as fault:
        print(
            _(
                "{file} could not be written ({kind}). Nothing was changed.",
                file=file,
                kind=type(fault).__name__,
            )
        )
        return 1
    print(
        _.n(
            "{n} act that was not sent is in {file}.",
            "{n} acts that were not sent are in {file}.",
            found.count,
            file=file,
        )
    )
    return 0


def _print_rows(rows: Sequence[dict[str, object]], as_json: bool) -> None:
    if as_json:
        for row in rows:
            print(json.dumps(row, ensure_ascii=False))
        return
    titles = list(dict.fromkeys(key for row in rows for key in row))
    table = [titles, *[[_cell(row.get(title, "")) for title in titles] for row in rows]]
    widths = [max(len(line[column]) for line in table) for column in range(len(titles))]
    for line in table:
        print("  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip())


def _cell(value: object) -> str:
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _bench(given: argparse.Namespace) -> int:
    from ui.measure.bench import run_benches

    rows = run_benches(given.names, small=given.small)
    _print_rows(rows, given.json)
    return 0


def _script(given: argparse.Namespace) -> int:
    from ui.measure.script import run_scripts

    networks = ["online", "slow", "none"] if given.network == "all" else [given.network]
    rows = run_scripts(given.names, networks)
    _print_rows(rows, given.json)
    return 0 if all(row["ok"] for row in rows) else 1


def _shots(given: argparse.Namespace) -> int:
    from ui.measure.shots import take_all

    for path in take_all(given.folder):
        print(path)
    return 0


_COMMANDS = {
    None: _window,
    "practice": _practice,
    "record": _record,
    "sync": _sync,
    "doctor": _doctor,
    "bench": _bench,
    "script": _script,
    "shots": _shots,
}
