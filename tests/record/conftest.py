from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.record import peers
from tests.record.differences import DIFFERENCES, UNSTEADY

PEERS = ("embedded", "embedded-http", "sekmet")


@pytest.fixture(scope="session")
def embedded_peer() -> Iterator[peers.Peer]:
    with peers.embedded() as peer:
        yield peer


@pytest.fixture(scope="session")
def embedded_http_peer() -> Iterator[peers.Peer]:
    with peers.embedded_http() as peer:
        yield peer


@pytest.fixture(scope="session")
def sekmet_peer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[peers.Peer | str]:
    try:
        with peers.sekmet(tmp_path_factory.mktemp("sekmet")) as peer:
            yield peer
    except peers.UnavailableError as why:
        yield str(why)


def case_name(request: pytest.FixtureRequest) -> str:
    """The test's name without the peer: 'test_x' or 'test_x[other-parameter]'."""
    rest = request.node.callspec.id.replace(request.param, "", 1).strip("-")
    name: str = request.function.__name__
    return f"{name}[{rest}]" if rest else name


@pytest.fixture(params=PEERS)
def record(request: pytest.FixtureRequest) -> peers.Peer:
    """The record under test. A known difference is expected to fail, and must."""
    key = (request.param, case_name(request))
    if key in UNSTEADY:
        pytest.skip(UNSTEADY[key])
    reason = DIFFERENCES.get(key)
    if reason:
        request.node.add_marker(pytest.mark.xfail(reason=reason, strict=True, raises=AssertionError))
    found = request.getfixturevalue(f"{request.param.replace('-', '_')}_peer")
    if isinstance(found, str):
        pytest.skip(found)
    assert isinstance(found, peers.Peer)
    return found
