"""What a workstation is opened with: its folder, clock, workplace and modules."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import orjson

from clinician import texts
from clinician.cache.driver import keep_file
from clinician.cache.keys import open_key, system_key_store
from clinician.cache.open import Cache, open_cache
from clinician.clock import Clock, SystemClock
from clinician.embedded.server import RecordApp
from clinician.errors import Environment, UserProblem
from clinician.events import Events
from clinician.fhir.bundles import slices
from clinician.fhir.codes import CODE_UNIT
from clinician.fhir.read import is_practice as tagged
from clinician.fhir.read import text_at
from clinician.fhir.reference import ref_of, split_ref
from clinician.modulekit.manifest import Manifest
from clinician.modulekit.module_settings import declare_settings
from clinician.modulekit.registry import Registry
from clinician.practice.clock import PracticeClock
from clinician.practice.info import PracticeInfo, is_practice, read
from clinician.practice.secret import PRACTICE_SECRET
from clinician.record.client import RecordClient, expect
from clinician.record.wire import Wire, wire_to
from clinician.settings import Settings
from clinician.sync.plan import SyncRule

L = texts.lazy("core")
_HOME: Final = "http://record.invalid"
_LAST: Final = "workplace"
_OFF: Final = "modules.off"


@dataclass(frozen=True, slots=True)
class Options:
    """How to open a workstation.

    folder: data folder of this PC. record: address of a FHIR R4 record; '' for the embedded one in
    the folder. workplace_ref: 'Organization/…'; '' for the one this PC had last, or the practice default.
    secret: unlocks the key where the machine has no key store; user: whose, '' for the PC's own.
    """

    folder: Path
    record: str = ""
    workplace_ref: str = ""
    clock: Clock | None = None
    secret: str = ""
    user: str = ""


@dataclass(frozen=True, slots=True)
class Parts:
    """What a workstation is put together from.

    clients: for what is asked, and for the held request of the hint. wires: to the embedded record; () over
    HTTP. is_practice: what is shown is synthetic.
    """

    folder: Path
    key: bytes
    clock: Clock
    events: Events
    cache: Cache
    clients: tuple[RecordClient, RecordClient]
    record_app: RecordApp | None
    wires: tuple[Wire, ...]
    registry: Registry
    workplace_ref: str
    info: PracticeInfo | None
    settings: Settings
    is_practice: bool


def open_parts(options: Options, events: Events, undo: ExitStack) -> Parts:
    """Open record and cache; `undo` closes what was opened when a later step raises.

    Raises WrongKey, CacheDamaged, CacheInUse, DiskFull, UserProblem.
    """
    folder = options.folder
    info = read(folder) if is_practice(folder) else None
    clock = options.clock or clock_for(options, info)
    app = None if options.record else RecordApp(folder / "record.sqlite", clock=clock)
    if app is not None:
        undo.callback(app.close)
    wires = () if app is None else (wire_to(app), wire_to(app))
    client, hint_client = (
        undo.enter_context(RecordClient(options.record or _HOME, transport=wire))
        for wire in wires or (None, None)
    )
    workplace_ref = workplace_for(options, info, client)
    store = None if info is not None else system_key_store()
    secret = options.secret or (PRACTICE_SECRET if info is not None else "")
    key = open_key(folder, keyring=store, secret=secret, user=options.user)
    cache = open_cache(cache_folder(folder, workplace_ref), key, clock=clock, events=events)
    undo.callback(cache.close)
    settings = Settings.load(folder)
    settings.defaults["ui.workplace"] = workplace_ref
    return Parts(
        folder=folder,
        key=key,
        clock=clock,
        events=events,
        cache=cache,
        clients=(client, hint_client),
        record_app=app,
        wires=wires,
        registry=modules_of(cache, settings),
        workplace_ref=workplace_ref,
        info=info,
        settings=settings,
        is_practice=info is not None or (app is None and shows_practice(cache, client)),
    )


def clock_for(options: Options, info: PracticeInfo | None) -> Clock:
    """The day of the practice municipality where the record is its own; else this PC's clock."""
    return (
        PracticeClock(options.folder, info.day) if info is not None and not options.record else SystemClock()
    )


def cache_folder(folder: Path, workplace_ref: str) -> Path:
    """Where the cache of one workplace lies."""
    return folder / "cache" / split_ref(workplace_ref)[1]


def sync_rules(registry: Registry) -> tuple[SyncRule, ...]:
    """What the modules that are on want fetched."""
    return tuple(
        SyncRule(rule.type, rule.search, rule.window, rule.priority, rule.repeats)
        for manifest in registry.manifests()
        for rule in manifest.sync
    )


def modules_of(cache: Cache, settings: Settings) -> Registry:
    """The modules of this installation; what was switched off stays off."""

    def switched(name: str, manifest: Manifest | None, off: frozenset[str]) -> None:
        cache.writer.run(lambda writing: writing.keep.set(_OFF, ",".join(sorted(off))))
        settings.withdraw(name)
        if manifest is not None:
            declare_settings(settings, manifest)

    off = cache.writer.run(lambda writing: writing.keep.get(_OFF)) or ""
    registry = Registry(off=[name for name in off.split(",") if name], on_switched=switched)
    registry.discover()
    for manifest in registry.manifests():
        declare_settings(settings, manifest)
    return registry


def shows_practice(cache: Cache, client: RecordClient) -> bool:
    """Whether what this PC shows is synthetic: said by the cache, or by the record when the cache is new."""
    with cache.reading() as reading:
        cached = next(reading.find("Organization", limit=1), None)
    if cached is not None:
        return tagged(cached.raw)
    try:
        page = slices(expect(client.search("Organization", "_count=1")).body)
    except Environment:
        return False
    return any(tagged(orjson.loads(entry.body)) for entry in page.entries)


def workplace_for(options: Options, info: PracticeInfo | None, client: RecordClient) -> str:
    """What was asked for, what this PC had last, the practice default, or the record's first zone."""
    remembered = options.folder / _LAST
    if options.workplace_ref:
        chosen = options.workplace_ref
    elif remembered.exists() and remembered.stat().st_size:
        return remembered.read_text("utf-8").strip()
    elif info is not None:
        chosen = info.workplace_ref
    else:
        chosen = _first_zone(client)
    keep_file(remembered, chosen.encode("utf-8"))
    return chosen


def _first_zone(client: RecordClient) -> str:
    page = slices(expect(client.search("Organization", f"type={CODE_UNIT}|homecare-zone&_count=50")).body)
    places = sorted(
        (text_at(raw, "name"), ref_of(raw)) for raw in (orjson.loads(entry.body) for entry in page.entries)
    )
    if not places:
        raise UserProblem(
            L(
                "The record knows no home-care zone. Start with --workplace Organization/… "
                "to say which workplace this PC belongs to."
            )
        )
    return places[0][1]
