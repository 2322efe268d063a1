"""What an agreement does not allow, asked before anything is done."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from sosie.trust._names import quoted

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterable

    from sosie.trust._agreement import Agreement

__all__ = ["Refusal", "refusals"]

_TOLD = 5


@dataclass(frozen=True)
class Refusal:
    """One thing that an agreement does not allow.

    Attributes
    ----------
    item : str
        ``validity``, ``generator``, ``parameter``, ``column``, ``recipient``, ``analysis`` or
        ``signature``.
    why : str
        One sentence.
    """

    item: Literal[
        "validity", "generator", "parameter", "column", "recipient", "analysis", "signature"
    ]
    why: str


def refusals(
    agreement: Agreement,
    *,
    generator: str | None,
    parameters: Mapping[str, object],
    columns: Iterable[str] | None,
    recipient: str | None,
    analysis: str | None,
    date: dt.date,
) -> list[Refusal]:
    """List what an agreement does not allow: see :meth:`sosie.trust.Agreement.allows`."""
    found = _of_day(agreement, date)
    if generator is not None:
        found += _of_generator(agreement, generator, parameters)
    if columns is not None:
        found += _of_columns(agreement, list(columns))
    if recipient is not None:
        found += _of_recipient(agreement, recipient)
    if analysis is not None and analysis not in agreement.analyses:
        listed = ", ".join(agreement.analyses) or "none"
        why = f"Analysis {quoted(analysis)} is not among those that the agreement allows: {listed}."
        found.append(Refusal("analysis", why))
    return found


def _of_day(agreement: Agreement, day: dt.date) -> list[Refusal]:
    starts, ends = agreement.validity.starts, agreement.validity.ends
    if day < starts:
        return [Refusal("validity", f"The agreement begins on {starts}; today is {day}.")]
    if day > ends:
        return [Refusal("validity", f"The agreement ended on {ends}; the parties must renew it.")]
    return []


def _of_generator(
    agreement: Agreement, generator: str, parameters: Mapping[str, object]
) -> list[Refusal]:
    allowed = next((one for one in agreement.generators if one.name == generator.lower()), None)
    if allowed is None:
        listed = ", ".join(one.name for one in agreement.generators) or "none"
        why = (
            f"Generator {quoted(generator)} is not among those that the agreement allows: {listed}."
        )
        return [Refusal("generator", why)]
    found = []
    for name, value in parameters.items():
        rule = allowed.parameters.get(name)
        if rule is None:
            why = f"Parameter {name!r} of {allowed.name} is not mentioned by the agreement."
            found.append(Refusal("parameter", why))
            continue
        for one in value.values() if isinstance(value, Mapping) else [value]:
            if not rule.allows(one):
                said = quoted(one)
                why = f"Parameter {name} of {allowed.name} is {said}; the agreement allows {rule}."
                found.append(Refusal("parameter", why))
    return found


def _of_columns(agreement: Agreement, columns: list[str]) -> list[Refusal]:
    names = {one.id: {column.name for column in one.columns} for one in agreement.data_sets}
    together = [set().union(*(names[name] for name in one.sets)) for one in agreement.crossings]
    outside = min(
        (
            [name for name in columns if name not in allowed]
            for allowed in (*names.values(), *together)
        ),
        key=len,
    )
    if not outside:
        return []
    if len(agreement.data_sets) > 1 and not set(columns) - set().union(*names.values()):
        why = (
            f"Column {outside[0]!r} is of another data set, and no crossing of the agreement lets "
            "the two meet."
        )
        return [Refusal("column", why)]
    told = ", ".join(quoted(name) for name in outside[:_TOLD])
    more = f" and {len(outside) - _TOLD} more" if outside[_TOLD:] else ""
    columns_are, them = ("Columns", "them") if outside[1:] else ("Column", "it")
    why = (
        f"{columns_are} {told}{more}: not in the agreement; leave {them} out with --drop, or have "
        "the agreement changed and signed again."
    )
    return [Refusal("column", why)]


def _of_recipient(agreement: Agreement, recipient: str) -> list[Refusal]:
    party = agreement.party_of(recipient)
    if party is not None and party in agreement.recipients:
        return []
    listed = ", ".join(one.name for one in agreement.recipients) or "nobody"
    why = f"{quoted(recipient[:120])} is not a recipient of the agreement, which names {listed}."
    return [Refusal("recipient", why)]
