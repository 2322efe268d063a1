"""A question as a holder reads it in the ledger: all of it, on one line."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["plain", "question_line"]


def question_line(asked: Mapping[str, Any], words: dict[str, Any]) -> str:
    """Spell a question: the analysis, what it was given, and the columns that are made for it.

    Parameters
    ----------
    asked : mapping
        As a line of a ledger holds it.
    words : dict
        Of `sosie node`.

    Returns
    -------
    str
        What has its default is left out; nothing else is.
    """
    from sosie.insitu.analyst import rule_line

    said = [f"{name} {_spelt(value)}" for name, value in _given(asked).items()]
    said += [rule_line(rule, words["made"]) for rule in asked["derive"]]
    if "epsilon" in asked:
        said.append(f"epsilon {_spelt(asked['epsilon'])}")
    return f"{asked['analysis']['id']}: {'; '.join(said)}" if said else asked["analysis"]["id"]


def plain(text: str) -> str:
    r"""Show what others wrote so that a terminal does nothing but show it.

    Examples
    --------
    >>> print(plain("été\x1b[2J"))
    été\x1b[2J
    """
    return "".join(one if one.isprintable() else _escaped(one) for one in text)


def _escaped(character: str) -> str:
    return character.encode("unicode_escape").decode()


def _given(asked: Mapping[str, Any]) -> dict[str, Any]:
    from sosie.errors import ParameterError
    from sosie.insitu._question import Question

    content = {name: value for name, value in asked.items() if name != "version"}
    try:
        analysis = Question.of(content).analysis
    except ParameterError:  # of a catalogue that is not this one
        return {name: one for name, one in asked["analysis"].items() if name != "id"}
    return analysis.model_dump(mode="json", exclude={"id"}, exclude_defaults=True)


def _spelt(value: Any) -> str:
    from sosie.insitu._derive import spelt

    if isinstance(value, list):
        return ", ".join(map(_spelt, value))
    if isinstance(value, dict):
        return json.dumps(value, ensure_ascii=False)
    return spelt(value)
