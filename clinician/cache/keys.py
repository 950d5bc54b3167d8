"""The key of the cache: 256 random bits, kept by the operating system's key store where there is one.

Without a usable key store the key lies in a file beside the cache, wrapped by AES-256-GCM under a key
that Argon2id makes from a secret. A key is made once; while a database exists none is ever made anew.
"""

from __future__ import annotations

import base64
import logging
import secrets
from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, Protocol

import orjson
from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from clinician import texts
from clinician.cache.driver import KEY_BYTES, keep_file, room, wrong_key
from clinician.durable import make_folder
from clinician.errors import UserProblem, WrongKey

L = texts.lazy("cache")
KEY_FILE: Final = "cache.key"
SERVICE: Final = "clinician"
_log: Final = logging.getLogger(__name__)
_SALT_BYTES: Final = 16
_NONCE_BYTES: Final = 12
_COST: Final = {"time_cost": 3, "memory_cost": 64 * 1024, "parallelism": 2}
"""RFC 9106's second recommendation (64 MiB, three passes); about 0.1 s on an office PC."""

_ahead: Final[dict[tuple[bytes, str], Future[bytes]]] = {}
"""Stretchings begun before they were asked for: (key file, secret)"""


class KeyStore(Protocol):
    """The operating system's key store."""

    def get_password(self, service: str, username: str) -> str | None: ...
    def set_password(self, service: str, username: str, password: str) -> None: ...


def system_key_store() -> KeyStore | None:
    """The key store of this PC, or None where only a pretence of one is installed."""
    import keyring
    from keyring.backends import chainer, fail, null

    try:
        backend = keyring.get_keyring()
    except Exception:  # noqa: BLE001  # a broken desktop session must not stop the work: the key file remains
        _log.exception("the key store does not answer")
        return None
    pretences = (fail.Keyring, null.Keyring)
    if isinstance(backend, chainer.ChainerBackend):
        return backend if any(not isinstance(b, pretences) for b in backend.backends) else None
    return None if isinstance(backend, pretences) else backend


def stretch_ahead(folder: Path, secret: str) -> None:
    """Begin to stretch `secret` for the key file in `folder` while the caller does something else.

    `open_key` then waits for what is left of it. Nothing is raised here: a missing or torn file is told
    by `open_key`.
    """
    try:
        kept = (folder / KEY_FILE).read_bytes()
        salt, cost = _stretching(orjson.loads(kept))
    except (OSError, ValueError, KeyError, TypeError):
        return
    pool = ThreadPoolExecutor(1, thread_name_prefix="key")
    _ahead[kept, secret] = pool.submit(_stretch, secret, salt, cost)
    pool.shutdown(wait=False)


def open_key(folder: Path, *, keyring: KeyStore | None = None, secret: str = "") -> bytes:
    """The key of the caches in `folder`; made at the first start.

    keyring: a key store (`system_key_store()`), or None to keep the key in a file under `secret`.
    Raises WrongKey when the secret is wrong or the key is missing while a cache exists, UserProblem
    when there is neither a key store nor a secret.
    """
    with room():
        make_folder(folder)
    stored = _from_store(keyring, folder) if keyring is not None else None
    if stored is not None:
        return stored
    file = folder / KEY_FILE
    if file.exists():
        return _unwrap(file.read_bytes(), secret)
    if any(_caches(folder)):
        raise wrong_key()
    return _make(folder, keyring, secret)


def rewrap(folder: Path, key: bytes, secret: str) -> None:
    """Put the same key under another secret."""
    keep_file(folder / KEY_FILE, _wrap(key, secret))


def _caches(folder: Path) -> Iterator[Path]:
    return (path for path in folder.rglob("cache.db") if path.stat().st_size)


def _from_store(keyring: KeyStore, folder: Path) -> bytes | None:
    try:
        kept = keyring.get_password(SERVICE, _name(folder))
    except Exception:  # noqa: BLE001  # locked or broken: fall back to the file
        _log.exception("the key store does not answer")
        return None
    if kept is None:
        return None
    try:
        key = base64.b64decode(kept, validate=True)
    except ValueError as problem:
        raise wrong_key() from problem
    if len(key) != KEY_BYTES:
        raise wrong_key()
    return key


def _make(folder: Path, keyring: KeyStore | None, secret: str) -> bytes:
    key = secrets.token_bytes(KEY_BYTES)
    if keyring is not None and _into_store(keyring, folder, key):
        return key
    if not secret:
        raise UserProblem(
            L(
                "This PC has no key store, so the stored data need a secret of your own. Nothing is saved "
                "yet. Choose a secret and start again."
            ),
            field="secret",
        )
    keep_file(folder / KEY_FILE, _wrap(key, secret))
    return key


def _into_store(keyring: KeyStore, folder: Path, key: bytes) -> bool:
    """Keep the key, and see that it is really kept."""
    text = base64.b64encode(key).decode("ascii")
    try:
        keyring.set_password(SERVICE, _name(folder), text)
        return keyring.get_password(SERVICE, _name(folder)) == text
    except Exception:  # noqa: BLE001  # locked or broken: fall back to the file
        _log.exception("the key store takes no key")
        return False


def _name(folder: Path) -> str:
    return f"cache:{folder.resolve()}"


def _wrap(key: bytes, secret: str) -> bytes:
    salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_NONCE_BYTES)
    sealed = AESGCM(_stretch(secret, salt, _COST)).encrypt(nonce, key, SERVICE.encode("ascii"))
    held: dict[str, Any] = {"version": 1, "cost": _COST}
    for name, value in (("salt", salt), ("nonce", nonce), ("key", sealed)):
        held[name] = base64.b64encode(value).decode("ascii")
    return orjson.dumps(held)


def _unwrap(kept: bytes, secret: str) -> bytes:
    try:
        held = orjson.loads(kept)
        nonce, sealed = (base64.b64decode(held[name]) for name in ("nonce", "key"))
        begun = _ahead.pop((kept, secret), None)
        stretched = begun.result() if begun is not None else _stretch(secret, *_stretching(held))
        return AESGCM(stretched).decrypt(nonce, sealed, SERVICE.encode("ascii"))
    except InvalidTag as problem:
        raise WrongKey(
            L(
                "The secret is not right, so the stored data stay locked. Nothing is lost. Try again, or ask "
                "your superuser."
            ),
            detail="wrong secret",
        ) from problem
    except (ValueError, KeyError, TypeError) as problem:
        raise WrongKey(
            L(
                "The key file on this PC does not read. The stored data are untouched. Ask your superuser to "
                "bring back the file."
            ),
            detail="key file does not read",
        ) from problem


def _stretching(held: dict[str, Any]) -> tuple[bytes, dict[str, int]]:
    """Salt and cost of a key file."""
    return base64.b64decode(held["salt"]), held["cost"]


def _stretch(secret: str, salt: bytes, cost: dict[str, int]) -> bytes:
    return hash_secret_raw(
        secret.encode("utf-8"),
        salt,
        time_cost=int(cost["time_cost"]),
        memory_cost=int(cost["memory_cost"]),
        parallelism=int(cost["parallelism"]),
        hash_len=KEY_BYTES,
        type=Type.ID,
    )
