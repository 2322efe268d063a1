"""What a holder has beside its table: what is judged in place, and by what."""

from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["Beside"]

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True)
class Beside(Generic[T_co]):
    """What a holder has beside its table, for what is judged in place.

    Attributes
    ----------
    synthetic : table, optional
        A synthetic table that the holder made, and SHA-256 of its file.
    sha256 : str
    control : table, optional
        Persons whom no generator saw.
    threshold, accept, effort
        What the agreement asks of evidence before rows leave.
    seed : int, optional
        Of the holder's avatars, alike for all questions under one agreement; told to nobody.
    """

    synthetic: T_co | None = None
    sha256: str = ""
    control: T_co | None = None
    threshold: float = 0.05
    accept: tuple[str, ...] = ("pass",)
    effort: str = "quick"
    seed: int | None = None
