"""What an anonymous output may not hold."""

from sosie.errors import DataError
from sosie.table._kinds import CODED, Kind
from sosie.table._places import Places
from sosie.table._schema import Schema

__all__ = ["refuse"]


def refuse(schema: Schema, places: Places) -> None:
    """Refuse identifiers that are kept, free text, and categories of too many levels.

    Raises
    ------
    DataError
        Naming all of them and what to do, in one sentence.
    """
    identifiers = [c.name for c in schema.columns if c.kind is Kind.IDENTIFIER and not c.recreate]
    texts = [c.name for c in schema.columns if c.kind is Kind.TEXT]
    wide = [
        c.name
        for c in schema.columns
        if c.kind in CODED and (not c.levels or len(c.levels) > schema.max_levels)
    ]
    reasons = [
        _reason(identifiers, "an identifier", "identifiers", "set recreate = true or drop"),
        _reason(texts, "free text", "free text", "drop"),
        _reason(
            wide,
            f"of more than {schema.max_levels} levels",
            f"of more than {schema.max_levels} levels",
            "group the levels of or drop",
        ),
    ]
    if any(reasons):
        raise DataError(
            f"{places.table}: {'; '.join(filter(None, reasons))}: say so, or another kind, in a "
            "schema written by `sosie inspect DATA --write schema.toml`."
        )


def _reason(names: list[str], one: str, several: str, cure: str) -> str:
    if not names:
        return ""
    listed = ", ".join(map(repr, names))
    if len(names) == 1:
        return f"column {listed} is {one} ({cure} it)"
    return f"columns {listed} are {several} ({cure} them)"
