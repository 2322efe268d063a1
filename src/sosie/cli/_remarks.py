"""What is remarked of columns, in the language of the reader."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from sosie.cli._texts import language, texts

if TYPE_CHECKING:
    from sosie.table import Table

__all__ = ["doubtful", "remark_in"]


def remark_in(remark: str, words: dict[str, Any]) -> str:
    """Put a remark in the language of the reader; its numbers stand for # in the catalogue.

    Parameters
    ----------
    remark : str
    words : dict
        With ``remarks``, where they differ from those that are made.
    """
    numbers = re.findall(r"\d+", remark)
    template: str = words.get("remarks", {}).get(re.sub(r"\d+", "#", remark), "")
    for number in numbers if template else ():
        template = template.replace("#", number, 1)
    return template or remark


def doubtful(table: Table, lang: str | None) -> list[str]:
    """Name the columns whose codes may mean a missing cell, or labels each other, a line each.

    Parameters
    ----------
    table : Table
    lang : str or None
    """
    words = texts(language(lang))["inspect"]
    return [
        words["doubtful"].format(column=column.name, remark=remark_in(column.remark, words))
        for column in table.schema.columns
        if "--missing" in column.remark or "differ by capitals" in column.remark
    ]
