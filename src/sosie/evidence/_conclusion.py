"""One conclusion: from what the attacks found, and from the controls of the battery."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sosie.evidence._controls import trusted
from sosie.evidence._criteria import judge
from sosie.evidence._finding import Verdict

if TYPE_CHECKING:
    from sosie.evidence._criteria import Judgement
    from sosie.evidence._finding import Criterion, Finding

__all__ = ["concluded"]


def concluded(
    privacy: dict[str, Finding], controls: dict[str, Any], *, control: bool
) -> tuple[dict[Criterion, Judgement], Verdict]:
    """Judge each criterion, and all of them; a battery that may not be trusted passes nothing.

    Parameters
    ----------
    privacy : dict of str to Finding
    controls : dict
        What the battery did where the truth is known; empty without control persons.
    control : bool
        Whether there were control persons.

    Examples
    --------
    >>> concluded({}, {}, control=False)[1]
    <Verdict.ATTENTION: 'attention'>
    """
    criteria, verdict = judge(privacy, control=control)
    if verdict is Verdict.PASS and not trusted(controls):
        verdict = Verdict.ATTENTION
    return criteria, verdict
