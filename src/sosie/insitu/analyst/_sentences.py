"""What is said in words under an answer: how exact it is, and how its numbers are to be read."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sosie.insitu._derive import spelt

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sosie.insitu.analyst._answer import Answer

__all__ = ["rule_line", "sentences_of", "spelt_float"]


def sentences_of(answer: Answer, words: dict[str, Any]) -> list[str]:
    """Say what was made for an answer, how exact it is, and what its reader must know.

    Parameters
    ----------
    answer : Answer
    words : dict
        Of :func:`sosie.insitu.analyst.texts_of`.
    """
    rules = answer.content.get("question", {}).get("derive", [])
    made = "; ".join(rule_line(rule, words["rules"]) for rule in rules)
    said = _on_the_result(answer, words)
    return [words["made"].format(rules=made), *said] if made else said


def _on_the_result(answer: Answer, words: dict[str, Any]) -> list[str]:
    name, result = answer.analysis, answer.content["result"]
    notes = [words["notes"][name]] if name in words["notes"] else []
    if name in words["told"]:
        return [words["told"][name], *notes]
    if result.get("exact"):
        return [words["exact"], *notes]
    absent = [
        _without(row, words)
        for row in result.get("ways", [])
        if row["estimate"] is None or row.get("why_not")
    ]
    return [*absent, words["bound"].format(bound=_bound(answer, words)), *notes]


def _without(row: dict[str, Any], words: dict[str, Any]) -> str:
    """Say why a way of sharing has no answer; answers of earlier versions do not tell."""
    why = row.get("why_not")
    way = words["ways"].get(row["way"], row["way"])
    said = "without_answer" if why in words["why_not"] else "without_answer_or_reason"
    if row["estimate"] is not None:
        said = "without_some_answers"
    return str(words[said]).format(way=way, why=words["why_not"].get(why, ""))


def _bound(answer: Answer, words: dict[str, Any]) -> str:
    result = answer.content["result"]
    values = {
        name: spelt_float(value, words["decimal"]) if isinstance(value, float) else value
        for name, value in result.items()
    }
    epsilon = answer.content.get("question", {}).get("epsilon")
    if epsilon is not None:
        return str(words["noise"]).format(epsilon=spelt_float(epsilon, words["decimal"]))
    name = answer.analysis
    if name == "kaplan_meier" and len({one["time"] for one in result["curve"]}) == 1:
        name = "kaplan_meier_of_one_bin"
    said = [words["bounds"][name]] if name in words["bounds"] else []
    said += [words["softened"]] if "count_off" in result else []
    return " ".join(said or ["{bound}"]).format(**values)


def rule_line(rule: Mapping[str, Any], words: Mapping[str, str]) -> str:
    """Say how a column is made.

    Parameters
    ----------
    rule : mapping
        Of a question.
    words : mapping of str to str
        By the name of the rule.

    Examples
    --------
    >>> rule = {"rule": "cut", "name": "old", "column": "age", "edges": [50.0, 65.5]}
    >>> rule_line(rule, {"cut": "{name} = {column} cut at {edges}"})
    'old = age cut at 50, 65.5'
    """
    said = {name: _listed(value) for name, value in rule.items()}
    if "groups" in rule:
        said["groups"] = ", ".join(
            f"{label} ({_listed(group)})" for label, group in rule["groups"].items()
        )
    return words[rule["rule"]].format(**said)


def _listed(value: Any) -> str:
    return ", ".join(map(spelt, value)) if isinstance(value, list) else spelt(value)


def spelt_float(value: float, decimal: str) -> str:
    """Spell a number of an answer: four digits, or all of a whole one.

    Examples
    --------
    >>> spelt_float(0.123456, ","), spelt_float(1234567.0, ",")
    ('0,1235', '1234567')
    """
    whole = value.is_integer() and abs(value) < 1e12
    return (f"{value:.0f}" if whole else f"{value:.4g}").replace(".", decimal)
