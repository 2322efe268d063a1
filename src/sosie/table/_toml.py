"""Files that persons write, as TOML."""

import tomllib
from pathlib import Path
from typing import Any

from sosie.errors import SchemaError, SosieError

__all__ = ["read_toml"]


def read_toml(
    path: Path, error: type[SosieError] = SchemaError, largest: int | None = None
) -> dict[str, Any]:
    """Read a TOML file.

    Parameters
    ----------
    path : Path
    error : type of SosieError
        What is raised.
    largest : int, optional
        Bytes that the file may have; any number where not given.

    Raises
    ------
    SosieError
        Of that type, if the file cannot be read, is too large, or is no TOML.
    """
    try:
        with path.open("rb") as file:
            content = file.read(-1 if largest is None else largest + 1)
    except OSError as why:
        raise error(f"{path} could not be read ({why.strerror}).") from why
    if largest is not None and len(content) > largest:
        raise error(f"{path} is too large: more than {largest:,} bytes.")
    try:
        return tomllib.loads(content.decode("utf-8"))
    except (ValueError, RecursionError) as why:
        raise error(f"{path} is not valid TOML: {str(why)[:200]}.") from why
