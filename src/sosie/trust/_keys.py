"""Keys of persons and institutions: a private half that signs, a public half that verifies."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from sosie.errors import TrustError
from sosie.table import Drafts
from sosie.trust._canonical import canonical, sha256, strict_json
from sosie.trust._names import check_distinct, check_name

__all__ = ["Key", "PublicKey", "binary", "encoded"]

_PRIVATE = "sosie private key 1"
_PUBLIC = "sosie public key 1"
_LARGEST = 4096  # a key file has some 400 bytes
_FORBIDDEN = frozenset('/\\:*?"<>|')


@dataclass(frozen=True)
class PublicKey:
    """The half of a key that everyone may have: it verifies what the other half signed.

    Attributes
    ----------
    name : str
        Whose it is.
    raw : bytes
        The 32 bytes of the Ed25519 public key (RFC 8032).
    created : date
    expires : date or None
        The last day on which it may sign.
    signature : bytes
        Of the four above by the other half: nobody else can change the name or the dates.

    Examples
    --------
    >>> public = Key.new("CHU de Nantes").public
    >>> public.name, len(public.id)
    ('CHU de Nantes', 64)
    """

    name: str
    raw: bytes
    created: date
    expires: date | None
    signature: bytes

    @cached_property
    def id(self) -> str:
        """SHA-256 of the 32 bytes, in hexadecimal."""
        return sha256(self.raw)

    @cached_property
    def _verifier(self) -> Ed25519PublicKey:
        return Ed25519PublicKey.from_public_bytes(self.raw)

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """Tell whether the other half signed these bytes."""
        try:
            self._verifier.verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True

    def expired(self, on: date | None = None) -> bool:
        """Tell whether it may no longer sign on a day, today where none is given."""
        return self.expires is not None and (on or _today()) > self.expires

    @classmethod
    def of(cls, content: Any) -> Self:
        """Take what a ``.pub`` file says.

        Raises
        ------
        TrustError
            If it is no public key, or was changed after it was made.
        """
        said = _fields(content, {"type", "name", "created", "expires", "public", "signature"})
        if said["type"] != _PUBLIC:
            raise TrustError(f"it is not a {_PUBLIC}")
        key = cls(
            check_name(said["name"], "name of the key"),
            binary(said["public"], "public"),
            _day(said["created"]),
            None if said["expires"] is None else _day(said["expires"]),
            binary(said["signature"], "signature"),
        )
        if len(key.raw) != 32 or not key.verifies(key.signature, _told(key)):
            raise TrustError("it was changed after it was made; ask its owner for it again")
        return key

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a ``.pub`` file.

        Raises
        ------
        TrustError
            If it is no public key, or was changed after it was made.
        """
        path = Path(path)
        try:
            return cls.of(_content(path))
        except TrustError as error:
            raise _unusable(path, error) from error

    @classmethod
    def read_folder(cls, folder: str | Path) -> dict[str, Self]:
        """Read all ``.pub`` files of a folder: the keys that its owner trusts.

        Returns
        -------
        dict of str to PublicKey
            By their :attr:`id`.

        Raises
        ------
        TrustError
            If the folder has none, one of them cannot be used, or the names of two could be
            taken for one another.
        """
        folder = Path(folder)
        if not folder.is_dir():
            raise TrustError(f"{folder} is not a folder; give the one that holds the .pub files.")
        keys = [cls.read(path) for path in sorted(folder.glob("*.pub"))]
        if not keys:
            raise TrustError(f"{folder} holds no .pub file; put the keys of the signers there.")
        by_id = {key.id: key for key in keys}
        check_distinct([key.name for key in by_id.values()], "key name")
        return by_id

    def content(self) -> dict[str, str | None]:
        """Give what its file says."""
        return {**_public_fields(self), "signature": encoded(self.signature)}


@dataclass(frozen=True, repr=False)
class Key:
    """A key that signs; whoever has it can sign in its owner's name.

    Attributes
    ----------
    seed : bytes
        The 32 bytes of the Ed25519 private key (RFC 8032): a secret.
    public : PublicKey

    Examples
    --------
    >>> key = Key.new("CHU de Nantes", days=365)
    >>> key.public.verifies(key.sign(b"agreed"), b"agreed")
    True
    """

    seed: bytes
    public: PublicKey

    def __repr__(self) -> str:
        return f"Key({self.name!r}, id={self.id[:16]})"

    @property
    def name(self) -> str:
        """Whose it is."""
        return self.public.name

    @property
    def id(self) -> str:
        """That of the public half."""
        return self.public.id

    @property
    def created(self) -> date:
        """The day it was made."""
        return self.public.created

    @property
    def expires(self) -> date | None:
        """The last day on which it may sign."""
        return self.public.expires

    @classmethod
    def new(cls, name: str, days: int | None = None) -> Self:
        """Make a key.

        Parameters
        ----------
        name : str
            Whose it is; also the name of its files.
        days : int, optional
            How long it may sign, at least 1; for ever where not given.

        Raises
        ------
        TrustError
            If the name is not one (see :func:`sosie.trust._names.check_name`) or cannot be that
            of a file, or the days are not above 0.
        """
        if days is not None and not 1 <= days <= 36_525:
            raise TrustError(f"A key serves from 1 to 36,525 days, not {days}.")
        today = _today()
        private = Ed25519PrivateKey.generate()
        expires = None if days is None else today + timedelta(days)
        return cls._of(private, _file_name(name), today, expires)

    @classmethod
    def _of(
        cls, private: Ed25519PrivateKey, name: str, created: date, expires: date | None
    ) -> Self:
        raw = private.public_key().public_bytes_raw()
        unsigned = PublicKey(name, raw, created, expires, b"")
        signature = private.sign(_told(unsigned))
        return cls(private.private_bytes_raw(), PublicKey(name, raw, created, expires, signature))

    def sign(self, message: bytes) -> bytes:
        """Sign bytes (Ed25519: the same bytes have the same signature).

        Raises
        ------
        TrustError
            If the key has expired.
        """
        if self.public.expired():
            raise TrustError(
                f"The key of {self.name!r} expired on {self.expires}; make another with "
                "`sosie keys new`."
            )
        return self._signer.sign(message)

    @cached_property
    def _signer(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(self.seed)

    @classmethod
    def read(cls, path: str | Path) -> Self:
        """Read a ``.key`` file.

        Raises
        ------
        TrustError
            If it is no private key, or was changed after it was made.
        """
        path = Path(path)
        try:
            said = _fields(_content(path), {"type", "private", "key"})
            if said["type"] != _PRIVATE:
                raise TrustError(f"it is not a {_PRIVATE}")
            key = cls(binary(said["private"], "private"), PublicKey.of(said["key"]))
            if len(key.seed) != 32 or not key.public.verifies(key._signer.sign(b""), b""):
                raise TrustError("its two halves are not of one key")
        except TrustError as error:
            raise _unusable(path, error) from error
        return key

    def write(self, folder: str | Path) -> tuple[Path, Path]:
        """Write ``NAME.key``, readable by its owner only, and ``NAME.pub``.

        Parameters
        ----------
        folder : str or Path
            It must exist.

        Returns
        -------
        tuple of Path
            Of the private and the public half.

        Raises
        ------
        TrustError
            If there already is a key of this name: what it signed could no longer be verified.
        DataError
            If the files cannot be written.
        """
        private, public = (Path(folder) / f"{self.name}.{suffix}" for suffix in ("key", "pub"))
        for path in (private, public):
            if path.exists():
                raise TrustError(f"{path} exists already; choose another name or folder.")
        secret = {"type": _PRIVATE, "private": encoded(self.seed), "key": self.public.content()}
        with Drafts() as drafts:
            with drafts.file(private, private=True) as out:
                out.write(canonical(secret) + b"\n")
            with drafts.file(public) as out:
                out.write(canonical(self.public.content()) + b"\n")
        return private, public


def encoded(data: bytes) -> str:
    """Spell bytes in Base64."""
    return base64.b64encode(data).decode("ascii")


def binary(spelt: Any, what: str) -> bytes:
    """Read Base64 in its one right spelling (RFC 4648, sections 3.3 and 3.5).

    Raises
    ------
    TrustError
        If it is of another alphabet, without its padding, or has bits after the last byte.

    Examples
    --------
    >>> binary("c29zaWU=", "text")
    b'sosie'
    """
    try:
        data = base64.b64decode(spelt.encode("ascii"), validate=True)
    except (AttributeError, UnicodeEncodeError, binascii.Error) as error:
        raise TrustError(f"its {what} is not in Base64") from error
    if encoded(data) != spelt:
        raise TrustError(f"its {what} is not in the one right spelling of Base64")
    return data


def _public_fields(key: PublicKey) -> dict[str, str | None]:
    return {
        "type": _PUBLIC,
        "name": key.name,
        "created": key.created.isoformat(),
        "expires": key.expires.isoformat() if key.expires else None,
        "public": encoded(key.raw),
    }


def _told(key: PublicKey) -> bytes:
    return canonical(_public_fields(key))


def _file_name(name: str) -> str:
    check_name(name, "name of the key")
    if bad := sorted(_FORBIDDEN & set(name)):
        raise TrustError(f"The name of a key names its files: it may not hold {bad[0]!r}.")
    if name.startswith((".", "-")):
        raise TrustError("The name of a key names its files: it may not begin with '.' or '-'.")
    return name


def _content(path: Path) -> Any:
    if not path.is_file():
        raise TrustError("there is no such file")
    with path.open("rb") as file:
        return strict_json(file.read(_LARGEST + 1), largest=_LARGEST)


def _fields(content: Any, names: set[str]) -> Mapping[str, Any]:
    if not isinstance(content, dict) or set(content) != names:
        raise TrustError(f"it does not hold {', '.join(sorted(names))} and nothing else")
    texts = {name for name in names if name not in ("key", "expires")}
    if any(not isinstance(content[name], str) for name in texts):
        raise TrustError("one of its fields is no text")
    return content


def _unusable(path: Path, error: TrustError) -> TrustError:
    why = str(error).rstrip(".")
    return TrustError(f"{path} is not usable as a key: {why[0].lower()}{why[1:]}.")


def _day(spelt: Any) -> date:
    try:
        day = date.fromisoformat(spelt)
    except (TypeError, ValueError) as error:
        raise TrustError("a date is not spelt as 2026-12-31") from error
    if day.isoformat() != spelt:
        raise TrustError("a date is not spelt as 2026-12-31")
    return day


def _today() -> date:
    return datetime.now(UTC).date()
