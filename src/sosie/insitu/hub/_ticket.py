"""What a hub gives for a message: what it waits for, or that it is not allowed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sosie.insitu.exchange._raised import RefusedError

__all__ = ["NotAllowedError", "Ticket"]


class NotAllowedError(RefusedError):
    """The agreement does not allow what was asked."""


@dataclass(frozen=True)
class Ticket:
    """What a message waits for.

    Attributes
    ----------
    kind : str
        ``work``, ``answer`` or ``now``.
    agreement, by : str
    task : str
    said : dict
        The reply, where it is there at once.
    """

    kind: str
    agreement: str
    by: str
    task: str = ""
    said: dict[str, Any] | None = None
