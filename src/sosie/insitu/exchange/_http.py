"""Messages over HTTPS: connections go out only, one at a time, kept open."""

from __future__ import annotations

import contextlib
import json
import os
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

import urllib3

from sosie.errors import ParameterError, SosieError
from sosie.insitu.exchange._letter import letter
from sosie.insitu.exchange._raised import LARGEST, AbsentError, raised
from sosie.insitu.exchange._tls import client_context

if TYPE_CHECKING:
    from sosie.trust import Key, PublicKey

__all__ = ["Http"]

_MOMENT = 1.0


class Http:
    """A way to the hub.

    Parameters
    ----------
    url : str
        As ``https://hub.example.org:8443``.
    key : Key
        Of who asks.
    hub : PublicKey
        The only key that may answer.

    Raises
    ------
    ParameterError
        If it is no such URL.
    """

    def __init__(self, url: str, key: Key, hub: PublicKey) -> None:
        parts = urlsplit(url)
        if parts.scheme != "https" or not parts.hostname or parts.path not in ("", "/"):
            raise ParameterError("--hub: give a URL as https://hub.example.org:8443.")
        self._url = f"https://{parts.netloc}/v1/message"
        self._name = parts.netloc
        self._token: str | None = None
        options: dict[str, Any] = {
            "ssl_context": client_context(key, hub), "assert_hostname": False, "maxsize": 1,
            "retries": False,
        }  # fmt: skip
        proxy = os.environ.get("HTTPS_PROXY") or os.environ.get("https_proxy")
        if proxy and not _direct(parts.hostname):
            self._pool: Any = urllib3.ProxyManager(proxy, **options)
        else:
            self._pool = urllib3.PoolManager(**options)

    def bear(self, token: str) -> None:
        """Send a token with what follows."""
        self._token = token

    def post(
        self, message: dict[str, Any], payload: bytes | None = None, wait: float = 0.0
    ) -> dict[str, Any]:
        """Send a message and wait for its reply.

        Parameters
        ----------
        message : dict
            As signed.
        payload : bytes, optional
        wait : float
            Seconds that the hub may wait until it has something to say.

        Raises
        ------
        AbsentError
            If the hub cannot be reached, or not use its database.
        RefusedError, TrustError, ParameterError, DataError
            As the hub says.
        """
        within = urllib3.Timeout(connect=10.0, read=wait + 30.0)
        return self._answered(letter(message, payload) | {"wait": wait}, within)

    def _answered(self, said: dict[str, Any], within: urllib3.Timeout) -> dict[str, Any]:
        headers = {"Content-Type": "application/json"}
        if self._token:
            headers["Authorization"] = f"Bearer {self._token}"
        try:
            answer = self._pool.request(
                "POST", self._url, body=json.dumps(said).encode(), headers=headers, redirect=False,
                timeout=within, preload_content=False,
            )  # fmt: skip
            data = answer.read(LARGEST + 1)
            answer.release_conn()
        except urllib3.exceptions.HTTPError as error:
            raise AbsentError(_why(self._name, error)) from error
        return raised(answer.status, data, self._name)

    def close(self, last: dict[str, Any] | None = None) -> None:
        """Close the connection, after a last message where it gets through at once."""
        if last is not None:
            with contextlib.suppress(SosieError):
                self._answered(letter(last, None) | {"wait": 0.0}, urllib3.Timeout(_MOMENT))
        self._pool.clear()


def _why(name: str, error: Exception) -> str:
    spelt = str(error)
    if "CERTIFICATE_VERIFY_FAILED" in spelt:
        return (
            f"What answers at {name} does not hold the key of the agreement's trusted third party."
        )
    if "UNKNOWN_CA" in spelt or "CERTIFICATE_REQUIRED" in spelt:
        return f"The hub at {name} does not know this key; is it of a party of the agreement?"
    if any(one in spelt for one in ("RemoteDisconnected", "EOF occurred", "reset by peer")):
        return (
            f"The hub at {name} ended the connection: it has gone down, or does not know this key; "
            "is it of a party of the agreement?"
        )
    return f"The hub at {name} cannot be reached; is it up, and the address right?"


def _direct(host: str) -> bool:
    spelt = os.environ.get("NO_PROXY") or os.environ.get("no_proxy") or ""
    named = [one.strip().lstrip(".") for one in spelt.split(",") if one.strip()]
    local = host == "localhost" or host.startswith("127.") or host == "::1"
    return local or any(one == "*" or host == one or host.endswith(f".{one}") for one in named)
