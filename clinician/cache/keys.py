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
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

import orjson
from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from clinician import texts
from clinician.cache.driver import KEY_BYTES, keep_file, room, wrong_key
from clinician.durable import make_folder
from clinician.errors import SecretNeeded, UserProblem, WrongKey

L = texts.lazy("cache")
KEY_FILE: Final = "cache.key"
SLOT_FILE: Final = "cache.people"
"""Names of those who open this PC with a password of their own, each with the key wrapped under it"""
SHORTEST: Final = 12
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


def open_key(folder: Path, *, keyring: KeyStore | None = None, secret: str = "", user: str = "") -> bytes:
    """The key of the caches in `folder`; made at the first start.

    keyring: a key store (`system_key_store()`), or None to keep the key in a file under `secret`.
    user: whose slot the secret opens (`set_slot`); '' for the PC's own.
    Raises WrongKey when the secret is wrong or the key is missing while a cache exists, SecretNeeded
    when there is neither a key store nor a secret.
    """
    with room():
        make_folder(folder)
    stored = _from_store(keyring, folder) if keyring is not None else None
    if stored is not None:
        return stored
    if user:
        return open_slot(folder, user, secret)
    file = folder / KEY_FILE
    if file.exists() and not secret:
        raise SecretNeeded(
            L("What is stored on this PC is locked. Give your password for this PC to open it."),
            people=tuple((slot.user, slot.name) for slot in slots(folder)),
        )
    if file.exists():
        return unwrap(file.read_bytes(), secret)
    if any(_caches(folder)):
        raise wrong_key()
    return _make(folder, keyring, secret)


def rewrap(folder: Path, key: bytes, secret: str) -> None:
    """Put the same key under another secret."""
    keep_file(folder / KEY_FILE, wrap(key, secret))


@dataclass(frozen=True, slots=True)
class Slot:
    """One person's own wrapping of the key. user: 'Practitioner/…'; name: as shown where one opens the PC."""

    user: str
    name: str
    wrapped: str


def slots(folder: Path) -> tuple[Slot, ...]:
    """Those who can open this PC with a password of their own. A torn file is none, and is kept."""
    try:
        held = orjson.loads((folder / SLOT_FILE).read_bytes())
        return tuple(Slot(str(one["user"]), str(one["name"]), str(one["wrapped"])) for one in held)
    except (OSError, ValueError, KeyError, TypeError):
        return ()


def set_slot(folder: Path, key: bytes, *, user: str, name: str, secret: str) -> None:
    """Let a person open the PC with a password of their own, in place of an earlier one.

    Raises UserProblem for a short one: whoever takes the disk may try as often as they like.
    """
    if len(secret) < SHORTEST:
        raise UserProblem(
            L("Choose a password of at least {least} characters; three or four words do.", least=SHORTEST),
            field="secret",
        )
    mine = Slot(user, name, wrap(key, secret).decode("utf-8"))
    _keep_slots(folder, [*(slot for slot in slots(folder) if slot.user != user), mine])


def drop_slot(folder: Path, user: str) -> None:
    """A person may no longer open this PC."""
    _keep_slots(folder, [slot for slot in slots(folder) if slot.user != user])


def open_slot(folder: Path, user: str, secret: str) -> bytes:
    """The key by a person's own password. Raises WrongKey."""
    found = next((slot for slot in slots(folder) if slot.user == user), None)
    if found is None:
        raise WrongKey(
            L("This person has no password on this PC. Nothing is lost. Choose another person."),
            detail="no slot",
        )
    return unwrap(found.wrapped.encode("utf-8"), secret)


def _keep_slots(folder: Path, kept: list[Slot]) -> None:
    rows = [{"user": slot.user, "name": slot.name, "wrapped": slot.wrapped} for slot in kept]
    keep_file(folder / SLOT_FILE, orjson.dumps(rows))


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
        raise SecretNeeded(
            L(
                "This PC has no key store, so what is stored here needs a password. Nothing is saved yet. "
                "Choose a long one; whoever is responsible for the PC keeps it."
            ),
            new_least=SHORTEST,
        )
    keep_file(folder / KEY_FILE, wrap(key, secret))
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


def wrap(key: bytes, secret: str) -> bytes:
    """The key under a secret: Argon2id and AES-256-GCM, as JSON text."""
    salt, nonce = secrets.token_bytes(_SALT_BYTES), secrets.token_bytes(_NONCE_BYTES)
    sealed = AESGCM(_stretch(secret, salt, _COST)).encrypt(nonce, key, SERVICE.encode("ascii"))
    held: dict[str, Any] = {"version": 1, "cost": _COST}
    for name, value in (("salt", salt), ("nonce", nonce), ("key", sealed)):
        held[name] = base64.b64encode(value).decode("ascii")
    return orjson.dumps(held)


def unwrap(kept: bytes, secret: str) -> bytes:
    """The key out of what `wrap` made. Raises WrongKey when the secret is wrong or the text torn."""
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
