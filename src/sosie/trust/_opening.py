"""What the holder keeps, to show later what a certificate only commits to.

A certificate is read by many; the hash of a small table of persons, or of a seed, would tell
each of them whether a guess is right. So it holds keyed hashes, and the keys stay with the holder.
"""

from __future__ import annotations

import contextlib
import hmac
import secrets
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from sosie.errors import TrustError
from sosie.trust._canonical import canonical, strict_json

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Opening", "committed"]

_TYPE = "sosie certificate opening 1"
_SUFFIX = ".opening.json"
_LARGEST = 4096
_MOST = 1000


@dataclass(frozen=True, repr=False)
class Opening:
    """The nonces under which a certificate commits to the original and to the seed.

    Examples
    --------
    >>> opening = Opening.new("urn:uuid:1")
    >>> committed(opening.original, "original", "abc") == committed(opening.seed, "seed", "abc")
    False
    """

    certificate: str
    original: str
    seed: str

    @classmethod
    def new(cls, certificate: str) -> Self:
        """Draw nonces of 256 bits."""
        return cls(certificate, secrets.token_hex(32), secrets.token_hex(32))

    @staticmethod
    def beside(certificate: Path) -> Path:
        """Tell where the opening of a certificate lies when it was just made."""
        return certificate.with_name(certificate.stem + _SUFFIX)

    def content(self) -> bytes:
        """Give the bytes of its file, which only its owner should read."""
        said = {
            "type": _TYPE,
            "certificate": self.certificate,
            "original": self.original,
            "seed": self.seed,
        }
        return canonical(said) + b"\n"

    @classmethod
    def find(cls, certificate: str, *folders: Path) -> Self | None:
        """Look in folders for the opening of a certificate, by its identifier.

        Parameters
        ----------
        certificate : str
        *folders : Path

        Returns
        -------
        Opening or None
        """
        for folder in folders:
            for path in sorted(folder.glob("*" + _SUFFIX))[:_MOST]:
                with contextlib.suppress(TrustError, OSError):
                    if (found := cls._read(path)).certificate == certificate:
                        return found
        return None

    @classmethod
    def _read(cls, path: Path) -> Self:
        with path.open("rb") as file:
            said = strict_json(file.read(_LARGEST + 1), largest=_LARGEST)
        if not isinstance(said, dict) or said.pop("type", None) != _TYPE:
            raise TrustError(f"{path} is no {_TYPE}.")
        try:
            return cls(**{key: str(value) for key, value in said.items()})
        except TypeError as error:
            raise TrustError(f"{path} is no {_TYPE}.") from error


def committed(nonce: str, what: str, value: str) -> str:
    """Commit to a value: HMAC-SHA-256 of it, and of what it is, under a nonce.

    Examples
    --------
    >>> committed("00" * 32, "seed", "7") == committed("00" * 32, "seed", "8")
    False
    """
    return hmac.new(bytes.fromhex(nonce), canonical([what, value]), "sha256").hexdigest()
