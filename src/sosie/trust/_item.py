"""One thing that was checked."""

from dataclasses import dataclass, field

__all__ = ["Item"]


@dataclass(frozen=True)
class Item:
    """One thing that was checked.

    Attributes
    ----------
    kind : str
        ``file``, ``document``, ``signature``, ``signers``, ``dates``, ``findings``, ``agreement``,
        ``synthetic``, ``original`` or ``ledgers``.
    ok : bool or None
        Whether it holds; None where it could not be checked.
    reason : str
        The key of the text that says why.
    values : dict of str to str
        What stands in that text.

    Examples
    --------
    >>> Item("signature", ok=True, reason="signature_good", values={"name": "CHU"}).name
    'signature of CHU'
    """

    kind: str
    ok: bool | None
    reason: str
    values: dict[str, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What was checked, for a program."""
        return f"signature of {self.values['name']}" if self.kind == "signature" else self.kind
