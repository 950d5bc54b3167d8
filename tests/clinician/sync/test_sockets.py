"""One Subscription, one socket: made once for the workplace, bound again after every loss, never in a storm."""

from __future__ import annotations

import random
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from clinician.clock import FrozenClock, SystemClock
from clinician.events import Push
from clinician.fhir.reference import is_id
from clinician.record.client import AnswerLost, NotSent, RecordClient
from clinician.record.profile import ServerProfile
from clinician.record.retry import LONGEST
from clinician.sync.announced import ALL
from clinician.sync.listening import Listening
from clinician.sync.plan import SyncRule, make_plan
from clinician.sync.sockets import PUSHED, REFUSED, Listener, Sockets, subscription
from clinician.texts import lazy
from tests.clinician.sync.ringing import FakeSocket, RingingApp, Switchboard
from tests.clinician.sync.world import RULES, START, WORKPLACE, World

L = lazy("sync")
URL = "ws://record.local/websocket"


@pytest.fixture
def app(world: World) -> RingingApp:
    return RingingApp(world.app, URL)


@pytest.fixture
def client(app: RingingApp) -> Iterator[RecordClient]:
    with RecordClient("http://record.local", transport=httpx.WSGITransport(app=app)) as made:  # type: ignore[arg-type]  # httpx wants the typeshed protocol
        yield made


def listener(
    client: RecordClient, on_ping: Callable[[str], None], board: Switchboard, clock: FrozenClock
) -> Listener:
    made = Listener(
        client,
        subscription(WORKPLACE, "Task"),
        on_ping,
        clock.monotonic,
        rng=random.Random(1),
        open_socket=board.open,
    )
    made.url = URL
    return made


def until(wanted: Callable[[], bool], within: float = 90.0) -> None:
    """Wait for a thread of the engine to have come there."""
    waited = threading.Event()
    end = time.monotonic() + within
    while not wanted():
        assert time.monotonic() < end, "not reached"
        waited.wait(0.01)


# the Subscription ------------------------------------------------------------------------------------


@pytest.mark.parametrize("type_", PUSHED)
@pytest.mark.parametrize("workplace", [WORKPLACE, "Organization/" + "x" * 64, "Organization/7"])
def test_that_every_subscription_has_an_id_the_record_can_take(workplace: str, type_: str) -> None:
    made = subscription(workplace, type_)
    assert is_id(made["id"]) and made["id"].endswith(f"-{type_}")
    assert made["criteria"].startswith(f"{type_}?") and made["channel"] == {"type": "websocket"}
    assert made == subscription(workplace, type_), "every PC of the workplace names the same one"
    assert made["id"] != subscription("Organization/other", type_)["id"]


def test_that_a_second_pc_finds_the_subscription_and_leaves_it_alone(
    client: RecordClient, app: RingingApp
) -> None:
    board, id_ = Switchboard(), subscription(WORKPLACE, "Task")["id"]
    for _ in range(2):
        board.sockets.clear()
        listener(client, lambda type_: board.sockets[id_].cut(), board, FrozenClock(START)).listen()
    assert app.puts == 1 and len(board.opened) == 2


@pytest.mark.parametrize(
    "changed",
    [
        {"status": "error"},
        {"status": "off"},
        {"criteria": "Task?status=x"},
        {"channel": {"type": "email"}},
        {"channel": 7},
    ],
)
def test_that_a_subscription_that_no_longer_rings_for_us_is_put_right(
    client: RecordClient, app: RingingApp, changed: dict[str, Any]
) -> None:
    wanted = subscription(WORKPLACE, "Task")
    app.subscriptions[wanted["id"]] = wanted | {"status": "active"} | changed
    board = Switchboard()
    board.trouble = NotSent(L("no"))
    listener(client, lambda type_: None, board, FrozenClock(START)).listen()
    assert app.puts == 1 and app.subscriptions[wanted["id"]] == wanted | {"status": "active"}


def test_that_a_record_that_takes_no_subscriptions_is_left_alone_for_ten_minutes(
    client: RecordClient, app: RingingApp
) -> None:
    app.refuses = 405
    board, clock = Switchboard(), FrozenClock(START)
    one = listener(client, lambda type_: None, board, clock)
    one.listen()
    assert board.opened == [] and not one.is_bound
    assert one._breaker.remaining(clock.ticks) >= REFUSED
    one.hurry()
    app.refuses = 503
    one.listen()
    assert one._breaker.remaining(clock.ticks) <= LONGEST


# hearing ---------------------------------------------------------------------------------------------


def test_that_being_bound_is_news_and_each_ping_is(client: RecordClient) -> None:
    """What changed while nobody was bound was announced to nobody."""
    board, heard = Switchboard(), []
    one = listener(client, heard.append, board, FrozenClock(START))
    held = board.sockets[one._wanted["id"]] = FakeSocket()
    held.quiet(), held.ping(), held.quiet(), held.ping(), held.cut()
    one.listen()
    assert heard == ["Task"] * 3 and held.is_cut and not one.is_bound


def test_that_a_socket_closed_after_every_bind_is_bound_more_and_more_seldom(client: RecordClient) -> None:
    """A reconnect storm: the server lets everybody in and throws them out at once."""
    board, clock, tries = Switchboard(), FrozenClock(START), []
    one = listener(client, lambda type_: None, board, clock)
    while clock.ticks < 3600:
        board.sockets.clear()
        board.sockets[one._wanted["id"]] = held = FakeSocket()
        held.cut()
        one.listen()
        tries.append(clock.ticks)
        clock.ticks += one._breaker.remaining(clock.ticks) + 0.001
    assert len(tries) < 3600 / 20 and sum(when > 600 for when in tries) > 60


def test_that_a_socket_that_stood_is_bound_again_at_once_when_it_is_lost(client: RecordClient) -> None:
    board, clock = Switchboard(), FrozenClock(START)
    one = listener(client, lambda type_: None, board, clock)
    board.trouble = AnswerLost(L("no"))
    for _ in range(8):
        one.listen()
        clock.ticks += 100
    board.trouble = None
    held = board.sockets[one._wanted["id"]] = FakeSocket()
    held.quiet(), held.cut()
    one.listen()
    assert one._breaker.remaining(clock.ticks) <= 1.0


def test_that_sockets_bind_in_threads_hurry_and_end(client: RecordClient) -> None:
    board, clock, heard = Switchboard(), SystemClock(), threading.Event()
    board.trouble = NotSent(L("no"))
    many = Sockets(
        Listener(
            client,
            subscription(WORKPLACE, type_),
            lambda type_: heard.set(),
            clock.monotonic,
            rng=random.Random(1),
            open_socket=board.open,
        )
        for type_ in ("Task", "Appointment")
    )
    many.start(URL)
    until(lambda: len(board.opened) >= 2)
    assert many.bound == frozenset() and not many.is_whole
    board.trouble = None
    many.hurry()
    until(lambda: many.is_whole)
    assert many.bound == {"Task", "Appointment"} and heard.wait(90)
    many.stop()
    assert many.bound == frozenset()
    until(lambda: not any(one.name in ("sync-Task", "sync-Appointment") for one in threading.enumerate()))


def test_that_a_listener_stopped_while_it_binds_hangs_up(client: RecordClient) -> None:
    """The window closes in the middle of a bind."""
    board, clock = Switchboard(), FrozenClock(START)
    one = listener(client, lambda type_: one.stop(), board, clock)
    one.listen()
    assert board.sockets[one._wanted["id"]].is_cut and not one.is_bound


# which way of listening ------------------------------------------------------------------------------


@pytest.fixture
def board() -> Switchboard:
    return Switchboard()


@pytest.fixture
def listening(client: RecordClient, board: Switchboard) -> Iterator[Listening]:
    plan = make_plan((*RULES, SyncRule("MedicationRequest")), workplace_ref=WORKPLACE)
    made = Listening(
        client, plan, lambda type_: None, SystemClock().monotonic, random.Random(1), open_socket=board.open
    )
    yield made
    made.stop()


def test_that_a_websocket_goes_before_a_long_poll_and_the_types_of_the_plan_get_a_socket(
    listening: Listening, board: Switchboard
) -> None:
    assert listening.state(is_sick=False) is Push.NONE and listening.covered == frozenset()
    listening.start()
    assert listening.follow(ServerProfile(change_hint="_history", websocket_url=URL))
    assert listening.hint is not None and listening.hint.path == ""
    wanted = {"Task", "MedicationRequest", "Appointment", "EpisodeOfCare"}
    until(lambda: listening.covered == wanted)
    assert listening.state(is_sick=False) is Push.LIVE and listening.state(is_sick=True) is Push.SICK
    assert not listening.follow(ServerProfile(websocket_url=URL)), "the same way as before"
    board.trouble = NotSent(L("no"))
    board.sockets[subscription(WORKPLACE, "Task")["id"]].cut()
    until(lambda: listening.covered == wanted - {"Task"})
    assert listening.state(is_sick=False) is Push.AWAY
    board.trouble = None
    listening.hurry()
    until(lambda: listening.covered == wanted)
    assert listening.follow(ServerProfile(change_hint="_history")), "the record gave its websocket up"
    assert listening.hint.path == "_history"
    until(lambda: listening.covered == {ALL})
    assert listening.state(is_sick=False) is Push.LIVE


def test_that_an_engine_that_is_stepped_opens_no_socket(listening: Listening, board: Switchboard) -> None:
    listening.follow(ServerProfile(websocket_url=URL))
    listening.hurry()
    assert listening.covered == frozenset() and board.opened == []
    assert listening.state(is_sick=False) is Push.AWAY


def test_that_without_a_client_of_its_own_nothing_is_listened_to(board: Switchboard) -> None:
    plan = make_plan(RULES, workplace_ref=WORKPLACE)
    made = Listening(None, plan, lambda type_: None, lambda: 0.0, random.Random(1), open_socket=board.open)
    made.start()
    assert not made.follow(ServerProfile(change_hint="_history", websocket_url=URL))
    made.hurry(), made.stop()
    assert made.state(is_sick=False) is Push.NONE and board.opened == []
