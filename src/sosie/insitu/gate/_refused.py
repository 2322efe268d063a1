"""A refusal that tells the outside nothing but that it is one."""

from sosie.errors import TrustError

__all__ = ["REFUSED", "Refused"]

REFUSED = (
    "The holder refuses this analysis under the agreement; nothing left. Ask for less detail, or "
    "ask the holder."
)
"""What everyone outside reads, whatever the reason."""


class Refused(TrustError):  # noqa: N818 - a decision of the gate, not a failure
    """The gate lets nothing out.

    The message, its length and the exit code are the same whatever the reason: a refusal that
    told which check failed would be an answer about the data. The reasons are for the ledger of
    the holder.

    Attributes
    ----------
    reasons : tuple of str
        Names of the checks that failed; they stay at the holder.

    Examples
    --------
    >>> str(Refused(("small_cells",))) == str(Refused(("leverage", "differencing")))
    True
    """

    def __init__(self, reasons: tuple[str, ...]) -> None:
        super().__init__(REFUSED)
        self.reasons = reasons
