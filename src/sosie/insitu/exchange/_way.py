"""How messages get to the hub, whatever the way."""

from __future__ import annotations

from typing import Any, Protocol

__all__ = ["Way"]


class Way(Protocol):
    """HTTPS, a folder of files, or the same process."""

    def bear(self, token: str) -> None:
        """Send a token with what follows."""

    def post(
        self, message: dict[str, Any], payload: bytes | None = None, wait: float = 0.0
    ) -> dict[str, Any]:
        """Send a message and wait for its reply."""

    def close(self, last: dict[str, Any] | None = None) -> None:
        """Close it, after a last message where one is given and gets through at once."""
