"""How the cells of one column are spelt in text, so that others can be spelt alike."""

import re
from typing import Literal

import polars as pl
from pydantic import BaseModel, ConfigDict

from sosie.table._dates import DateFormat, parse_dates

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
        Of a date or a time of day, as strftime has it.
    bare_midnight : bool
        A time of midnight is left out.

    Examples
    --------
    >>> Spelling(content="number", decimal=",").missing
    ''
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    content: Literal["label", "number", "boolean", "date", "datetime", "time"] = "label"
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

    def plain(self, text: str) -> str:
        """Spell a value without the habits of the column: with a point, in ISO, true or false.

        Examples
        --------
        >>> Spelling(content="number", decimal=",", thousands=" ").plain("1 049,5")
        '1049.5'
        >>> Spelling(content="number", decimal=",", thousands=".").plain("0.125")
        '0.125'
        >>> Spelling(content="date", format="%d/%m/%Y").plain("31/01/2024")
        '2024-01-31'
        >>> moment = Spelling(content="datetime", format="%d/%m/%Y %H:%M")
        >>> moment.plain("31/01/2024 20:30"), moment.plain("31/01/2024")
        ('2024-01-31T20:30:00', '2024-01-31')
        >>> Spelling(content="boolean", true="VRAI", false="FAUX").plain("vrai")
        'true'
        """
        if self.content == "boolean":
            meant = {self.true.casefold(): "true", self.false.casefold(): "false"}
            return meant.get(text.casefold(), text)
        if self.content == "number":
            mark = r"\s" if self.thousands.isspace() else re.escape(self.thousands)
            grouped = rf"[+-]?[1-9]\d{{0,2}}(?:{mark}\d{{3}})+(?:\{self.decimal}\d*)?"
            if self.thousands and re.fullmatch(grouped, text):
                text = re.sub(mark, "", text)
            return text.replace(",", ".") if self.decimal == "," else text
        if self.content in ("date", "datetime") and self.format:
            timed = self.content == "datetime"
            how = DateFormat(self.format, timed, bare_midnight=timed)  # a day is enough
            read = parse_dates(pl.Series([text]), how)[0]
            return text if read is None else read.isoformat().removesuffix("T00:00:00")
        return text
