"""What is wrong with a question, as a sentence for the person who wrote it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    from pydantic import ValidationError

__all__ = ["first_fault"]

_MUST_BE = {
    "list_type": "must be a list, in [ ]",
    "tuple_type": "must be a list, in [ ]",
    "dict_type": "must be names with their values, in {{ }}",
    "string_type": "must be a text",
    "literal_error": "must be {expected}",
    "finite_number": "must be a finite number",
    "float_type": "must be a number",
    "float_parsing": "must be a number",
    "int_type": "must be a whole number",
    "int_parsing": "must be a whole number",
    "int_from_float": "must be a whole number",
    "bool_type": "must be true or false",
    "bool_parsing": "must be true or false",
    "greater_than": "must be above {gt:g}",
    "greater_than_equal": "must be {ge:g} or more",
    "less_than": "must be below {lt:g}",
    "less_than_equal": "must be {le:g} or less",
    "string_too_short": "must not be empty",
    "string_too_long": "must not be longer than {max_length} characters",
    "too_short": "must have {min_length} or more items",
    "too_long": "must have {max_length} items or fewer",
    "missing": "is missing",
    "extra_forbidden": "is not one of its parameters",
}
_RULES = "recode, cut, indicator, log and ratio"


def first_fault(error: ValidationError) -> str:
    """Say the first thing that is wrong, and where.

    Returns
    -------
    str
        One sentence; it holds what was written only as far as it names something.

    Examples
    --------
    >>> from pydantic import TypeAdapter, ValidationError
    >>> from sosie.insitu._derive import Derivation
    >>> try:
    ...     TypeAdapter(dict[str, list[Derivation]]).validate_python({"derive": [{"rule": "cut"}]})
    ... except ValidationError as error:
    ...     print(first_fault(error))
    Rule 1 of --derive (cut): name is missing.
    """
    one = error.errors(include_url=False, include_input=False)[0]
    kind, context = one["type"], one.get("ctx", {})
    place, steps = _place(one["loc"])
    if kind in ("union_tag_not_found", "union_tag_invalid"):
        return f"{_at(place, steps)}{_of_tag(kind, context)}."
    if kind in ("model_attributes_type", "model_type"):
        return f"{_at(place or 'A question', steps)}give names with their values, in {{ }}."
    if kind in _MUST_BE:
        what, said = " of ".join(reversed(steps)), _MUST_BE[kind].format(**context)
        return f"{place}: {what} {said}." if place and what else f"{place or what} {said}."
    message = one["msg"].removeprefix("Value error, ").rstrip(".")
    return f"{_at(place, steps)}{message}."


def _place(location: Sequence[int | str]) -> tuple[str, list[str]]:
    """Tell in which part of a question something is, and the steps from there."""
    steps = list(location)
    if steps[:1] == ["derive"] and len(steps) > 1:
        named = f" ({steps[2]})" if len(steps) > 2 else ""
        return f"Rule {_number(steps[1])} of --derive{named}", _said(steps[3:])
    if steps[:1] == ["analysis"]:
        place, rest = str(steps[1]) if len(steps) > 1 else "The analysis", steps[2:]
        if rest[:1] == ["of"] and len(rest) > 1:  # a question within a question
            place, rest = f"{place}, --of ({rest[1]})", rest[2:]
            return place, _said(rest)
        return place, [_option(one) for one in _said(rest[:1])] + _said(rest[1:])
    return "", [_option(one) for one in _said(steps)]


def _said(steps: Sequence[int | str]) -> list[str]:
    return [f"item {_number(one)}" if isinstance(one, int) else repr(one)[1:-1] for one in steps]


def _number(step: int | str) -> str:
    return str(step + 1) if isinstance(step, int) else repr(step)[1:-1]


def _option(name: str) -> str:
    return "--" + {"columns_of": "columns"}.get(name, name).replace("_", "-")


def _at(place: str, steps: Sequence[str]) -> str:
    return ": ".join([one for one in (place, " of ".join(reversed(steps))) if one] + [""])


def _of_tag(kind: str, context: dict[str, Any]) -> str:
    field = str(context["discriminator"]).strip("'")
    if kind == "union_tag_not_found":
        which = f"one of {_RULES}" if field == "rule" else "by its name"
        return f'say which it is, {which}, as "{field}": "..."'
    return (
        f"there is no {context['tag']!r}; there are {context['expected_tags'].replace(chr(39), '')}"
    )
