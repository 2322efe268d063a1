"""How the cells of one column are spelt in text, so that others can be spelt alike."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

__all__ = ["Spelling"]


class Spelling(BaseModel):
    """How one column is spelt.

    Attributes
    ----------
    content : str
        What the text stands for.
    missing, missing_quoted, quoted
        How a missing cell is spelt, whether it is quoted, whether the others always are.
    decimal, thousands : str
        Marks within a number.
    least_decimals : int
        Digits that follow the decimal mark in every cell.
    exponent : bool
        Whether numbers may be spelt with an exponent.
    true, false : str
        The two truth values.
    format : str
        Of a date, as strftime has it.
    bare_midnight : bool
        A time of midnight is left out.

    Examples
    --------
    >>> Spelling(content="number", decimal=",").missing
    ''
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    content: Literal["label", "number", "boolean", "date", "datetime"] = "label"
    missing: str = ""
    missing_quoted: bool = False
    quoted: bool = False
    decimal: Literal[".", ","] = "."
    thousands: str = ""
    least_decimals: int = 0
    exponent: bool = False
    true: str = "true"
    false: str = "false"
    format: str = ""
    bare_midnight: bool = False
