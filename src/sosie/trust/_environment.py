"""The programs that ran, so that they can be found again."""

import platform
import re
from functools import cache
from importlib.metadata import distribution, distributions, version
from importlib.resources import files
from importlib.resources.abc import Traversable

from sosie.trust._canonical import canonical, sha256
from sosie.trust._certificate import Environment

__all__ = ["environment"]


@cache
def environment() -> Environment:
    """Tell the versions of Python, of sosie and of what it builds on.

    Examples
    --------
    >>> environment().packages["polars"].count(".") >= 2
    True
    """
    installed = {one.name.lower(): one.version for one in distributions() if one.name}
    needed = {
        re.split(r"[^\w.-]", requirement, maxsplit=1)[0].lower()
        for requirement in distribution("sosie").requires or []
    }
    return Environment(
        python=platform.python_version(),
        sosie=version("sosie"),
        code_sha256=sha256(canonical(_hashes(files("sosie")))),
        packages={name: installed[name] for name in sorted(needed) if name in installed},
        packages_sha256=sha256(canonical(installed)),
    )


def _hashes(folder: Traversable, within: str = "") -> dict[str, str]:
    """Hash every file of code below a folder."""
    found: dict[str, str] = {}
    for one in folder.iterdir():
        name = within + one.name
        if one.is_dir():
            found |= _hashes(one, f"{name}/")
        elif one.name.endswith((".py", ".js", ".toml", ".html", ".css", ".typ", ".json")):
            found[name] = sha256(one.read_bytes())
    return found
