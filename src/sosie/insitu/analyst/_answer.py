"""An answer: a few familiar tables, what was checked, and its certificate."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sosie.errors import ParameterError
from sosie.table import Drafts, whole_file

if TYPE_CHECKING:
    import polars as pl

__all__ = ["Answer", "rows_beside"]

_ROWS = "csv"


class Answer:
    """What came back for one question.

    Parameters
    ----------
    content : dict
        Of ``RESULT.json``: analysis, agreement, sites, question, result, gate, certificate.
    task : str
        The name of the task.
    """

    def __init__(self, content: dict[str, Any], task: str = "") -> None:
        self.content = content
        self.task = task

    @property
    def analysis(self) -> str:
        """Its name in the catalogue."""
        return str(self.content["analysis"])

    @property
    def values(self) -> dict[str, Any]:
        """Single numbers, as ``n`` or ``p``."""
        return {k: v for k, v in self.told.items() if not isinstance(v, list)}

    @property
    def single(self) -> dict[str, Any]:
        """The values that are told as they are; how exact they are is said in words."""
        said = ("exact", "bound", "count_off")
        return {k: v for k, v in self.values.items() if k not in said and v not in (None, "")}

    @property
    def told(self) -> dict[str, Any]:
        """The result, without the rows that came with it."""
        return {k: v for k, v in self.content["result"].items() if k != _ROWS}

    @property
    def rows(self) -> pl.DataFrame:
        """The synthetic rows that came, of all holders in a random order.

        Raises
        ------
        ParameterError
            If none did.
        """
        import polars as pl

        return pl.read_csv(io.StringIO(self._csv()), infer_schema_length=None)

    @property
    def tables(self) -> list[str]:
        """Names of the tables."""
        return [k for k, v in self.content["result"].items() if _is_table(v)]

    def frame(self, table: str | None = None) -> pl.DataFrame:
        """Give a table; the first where none is named.

        Raises
        ------
        ParameterError
            If there is no such table.
        """
        import polars as pl

        names = self.tables
        if not names or (table is not None and table not in names):
            raise ParameterError(f"The answer has no table {table!r}: {', '.join(names)}.")
        return pl.DataFrame(self.content["result"][table or names[0]])

    def plot(self, path: str | Path) -> None:
        """Draw the answer, as far as its analysis has a picture.

        Raises
        ------
        ParameterError
            If it has none.
        """
        from sosie.insitu.analyst._picture import draw

        draw(self, path)

    def report(self, path: str | Path, lang: str = "en") -> None:
        """Write a page to read: the tables, a picture, what was checked, the certificate.

        Parameters
        ----------
        path : str or Path
            HTML, all in one file.
        lang : str
            ``en`` or ``fr``.
        """
        from sosie.insitu.analyst._page import page_of

        with whole_file(Path(path)) as file:
            file.write(page_of(self, lang).encode())

    def write(self, path: str | Path) -> list[Path]:
        """Write ``RESULT.json``; where rows came, also ``RESULT.avatars.csv`` beside it.

        Returns
        -------
        list of Path
            What was written.
        """
        said = json.dumps(self.content, ensure_ascii=False, allow_nan=False, indent=1)
        files = {Path(path): said + "\n"}
        if _ROWS in self.content["result"]:
            files[rows_beside(path)] = self._csv()
        with Drafts() as drafts:
            for place, text in files.items():
                with drafts.file(place) as file:
                    file.write(text.encode())
        return list(files)

    def _csv(self) -> str:
        found = self.content["result"].get(_ROWS)
        if not isinstance(found, str):
            raise ParameterError(f"No rows came with the answer to {self.analysis}.")
        return found

    def __repr__(self) -> str:
        return f"Answer({self.analysis!r}, sites={self.content['sites']})"


def rows_beside(path: str | Path) -> Path:
    """Say where rows are written that come with an answer.

    Examples
    --------
    >>> rows_beside("made.json").name
    'made.avatars.csv'
    """
    return Path(path).with_suffix(".avatars.csv")


def _is_table(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and all(isinstance(one, dict) for one in value)
