"""Formulas of models, read by a grammar of their own: nothing in them is ever run."""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import product
from typing import TYPE_CHECKING, NoReturn

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["Factor", "Formula", "FormulaError"]

Term = tuple["Factor", ...]

_MOST_TERMS, _MOST_PRODUCTS = 100, 20_000
_DEEPEST = 20
_LONGEST = 2_000

_TOKEN = re.compile(
    r"""\s*(?:(?P<number>\d+\.?\d*|\.\d+)|(?P<name>[^\W\d]\w*)
    |(?P<text>"[^"]*"|'[^']*')|(?P<sign>\*\*|[-~+*:/^()]))""",
    re.VERBOSE,
)
_FUNCTIONS = ("C", "I", "Q", "log", "sqrt")


class FormulaError(ValueError):
    """What is wrong with a formula, as the end of a sentence."""


@dataclass(frozen=True)
class Factor:
    """One column in a formula, as it is or transformed.

    Attributes
    ----------
    column : str
    form : str
        ``as_is``, ``category``, ``log``, ``sqrt``, ``power``, ``times`` or ``over``.
    by : float
        Exponent, multiplier or divisor.
    text : str
        As it was written.
    """

    column: str
    form: str = "as_is"
    by: float = 1.0
    text: str = ""

    def of(self, values: Floats) -> Floats:
        """Transform the values of the column; NaN or infinite where that is not defined.

        Examples
        --------
        >>> Factor("age", "power", 2.0).of(np.array([3.0, np.nan])).tolist()
        [9.0, nan]
        """
        with np.errstate(all="ignore"):
            match self.form:
                case "log":
                    return np.log(values)
                case "sqrt":
                    return np.sqrt(values)
                case "power":
                    return np.power(values, self.by)
                case "times":
                    return values * self.by
                case "over":
                    return values / self.by
        return values


@dataclass(frozen=True)
class Formula:
    """A model: an outcome, and terms that are products of columns.

    Attributes
    ----------
    outcome : Factor or None
        None where the formula has no ``~``.
    terms : tuple of tuple of Factor
        Each term once, in the order written; a tuple of several is an interaction.
    intercept : bool
        False after ``0 +`` or ``- 1``.
    """

    outcome: Factor | None
    terms: tuple[Term, ...]
    intercept: bool

    @classmethod
    def read(cls, text: str) -> Formula:
        """Read a formula in the notation of R.

        Column names, ``Q("any name")``, ``C(col)``, ``log(col)``, ``sqrt(col)``,
        ``I(col ** 2)``, ``I(col * 2)``, ``I(col / 10)``, joined by ``+``, ``-``, ``:``, ``*``
        and parentheses, and ``0`` or ``1`` for the intercept. The text is parsed by this
        grammar; it is handed to no interpreter.

        Parameters
        ----------
        text : str

        Raises
        ------
        FormulaError
            For anything else.

        References
        ----------
        .. [1] G. N. Wilkinson, C. E. Rogers, "Symbolic description of factorial models for
           analysis of variance", Applied Statistics 22, 1973.

        Examples
        --------
        >>> found = Formula.read("log(cost) ~ age + C(arm) * sex - sex")
        >>> found.outcome.column, [":".join(f.text for f in term) for term in found.terms]
        ('cost', ['age', 'C(arm)', 'C(arm):sex'])
        """
        return _Reader(text).formula()

    @property
    def factors(self) -> tuple[Factor, ...]:
        """The factors of the terms, each once."""
        return tuple(dict.fromkeys(factor for term in self.terms for factor in term))

    @property
    def columns(self) -> tuple[str, ...]:
        """Names of all columns, that of the outcome first."""
        named = [] if self.outcome is None else [self.outcome.column]
        return tuple(dict.fromkeys([*named, *(factor.column for factor in self.factors)]))


class _Reader:
    """Reads left to right, one method a rule of the grammar."""

    def __init__(self, text: str) -> None:
        if len(text) > _LONGEST:
            raise FormulaError(f"it is longer than {_LONGEST} characters")
        self.tokens = list(_tokens(text))
        self.place = 0
        self.depth = 0
        self.products = 0

    def formula(self) -> Formula:
        outcome = None
        if any(text == "~" for _, text in self.tokens):
            if self.next_is("~"):
                raise FormulaError("there is no outcome before ~")
            outcome = self.factor()
            if outcome.form == "category":
                raise FormulaError("an outcome cannot be C(...)")
            self.expect("~")
        terms, intercept = self.sum()
        if self.place < len(self.tokens):
            self.refuse()
        return Formula(outcome, terms, intercept)

    def sum(self) -> tuple[tuple[Term, ...], bool]:
        """Read terms joined by + and -, with 0 and 1 among them."""
        found: dict[frozenset[Factor], Term] = {}
        intercept, adding = True, True
        if self.next_is("-"):
            self.place, adding = self.place + 1, False
        elif self.next_is("+"):
            self.place += 1
        while True:
            if self.kind() == "number":
                number = self.take()
                if number not in ("0", "1"):
                    raise FormulaError(f"{number} is no column; only 0 and 1 may stand alone")
                intercept = (number == "1") == adding
            else:
                for term in self.crossing():
                    key = frozenset(term)
                    if adding:
                        found.setdefault(key, term)
                    elif found.pop(key, None) is None:
                        raise FormulaError("it takes away a term that is not there")
            _check_few(found)
            if not (self.next_is("+") or self.next_is("-")):
                return tuple(found.values()), intercept
            adding = self.take() == "+"

    def crossing(self) -> list[Term]:
        """Read a * b, which is a + b + a:b."""
        found = self.interaction()
        while self.next_is("*"):
            self.place += 1
            others = self.interaction()
            found = _distinct([*found, *others, *self.multiplied(found, others)])
        return found

    def interaction(self) -> list[Term]:
        found = self.group()
        while self.next_is(":"):
            self.place += 1
            found = self.multiplied(found, self.group())
        return found

    def multiplied(self, ones: list[Term], others: list[Term]) -> list[Term]:
        self.products += len(ones) * len(others)
        if self.products > _MOST_PRODUCTS:
            raise FormulaError(f"it multiplies terms more than {_MOST_PRODUCTS:,} times")
        return _distinct(tuple(dict.fromkeys(a + b)) for a, b in product(ones, others))

    def group(self) -> list[Term]:
        if not self.next_is("("):
            return [(self.factor(),)]
        self.depth += 1
        if self.depth > _DEEPEST:
            raise FormulaError(f"it has more than {_DEEPEST} parentheses in each other")
        self.place += 1
        terms, intercept = self.sum()
        if not intercept:
            raise FormulaError("0 and -1 cannot stand within parentheses")
        self.expect(")")
        self.depth -= 1
        return list(terms)

    def factor(self) -> Factor:
        """Read one column, or one of the few functions of a column."""
        if self.kind() != "name":
            self.refuse()
        name = self.take()
        if not self.next_is("("):
            return Factor(name, text=name)
        if name not in _FUNCTIONS:
            raise FormulaError(
                f"{name}(...) is not allowed; only C, I, Q, log and sqrt are, each of one column"
            )
        if name == "Q":
            self.place -= 1
            column, text = self.column()
            return Factor(column, text=text)
        self.expect("(")
        column, text = self.column()
        form, by = {"C": "category", "I": "as_is"}.get(name, name), 1.0
        if name == "I":
            form, by, said = self.arithmetic()
            text += said
        self.expect(")")
        return Factor(column, form, by, f"{name}({text})")

    def column(self) -> tuple[str, str]:
        """Read a name, or Q("any name"): the column, and how it was written."""
        if self.kind() != "name":
            self.refuse()
        name = self.take()
        if not self.next_is("("):
            return name, name
        if name != "Q":
            raise FormulaError(f"{name}(...) cannot stand within another function")
        self.expect("(")
        if self.kind() != "text":
            raise FormulaError('Q takes the name of a column in quotes, as in Q("my column")')
        quoted = self.take()
        self.expect(")")
        return quoted[1:-1], f"Q({quoted})"

    def arithmetic(self) -> tuple[str, float, str]:
        """Read what stands behind the column in I(...)."""
        forms = {"**": "power", "^": "power", "*": "times", "/": "over"}
        if self.place >= len(self.tokens) or self.tokens[self.place][1] not in forms:
            return "as_is", 1.0, ""
        sign = self.take()
        minus = "-" if self.next_is("-") else ""
        self.place += len(minus)
        if self.kind() != "number":
            raise FormulaError("within I(...) a column and a number may stand, as in I(age ** 2)")
        number = self.take()
        by = float(minus + number)
        if by == 0:
            raise FormulaError("within I(...) the number cannot be 0")
        return forms[sign], by, f" {sign} {minus}{number}"

    def kind(self) -> str:
        return self.tokens[self.place][0] if self.place < len(self.tokens) else "end"

    def next_is(self, text: str) -> bool:
        return self.place < len(self.tokens) and self.tokens[self.place] == ("sign", text)

    def take(self) -> str:
        self.place += 1
        return self.tokens[self.place - 1][1]

    def expect(self, text: str) -> None:
        if not self.next_is(text):
            self.refuse(f", where {text} should stand")
        self.place += 1

    def refuse(self, more: str = "") -> NoReturn:
        if self.place >= len(self.tokens):
            raise FormulaError(f"it ends too early{more}")
        raise FormulaError(f"{self.tokens[self.place][1]} cannot be read there{more}")


def _tokens(text: str) -> Iterable[tuple[str, str]]:
    place, text = 0, text.rstrip()
    while place < len(text):
        found = _TOKEN.match(text, place)
        if found is None:
            sign = text[place:].lstrip()[0]
            raise FormulaError(
                f"the character {sign} is not allowed; a column whose name has it is written "
                'Q("...")'
            )
        place = found.end()
        yield str(found.lastgroup), found[str(found.lastgroup)]


def _distinct(terms: Iterable[Term]) -> list[Term]:
    found = {frozenset(term): term for term in reversed(list(terms))}
    _check_few(found)
    return list(reversed(found.values()))


def _check_few(terms: dict[frozenset[Factor], Term]) -> None:
    if len(terms) > _MOST_TERMS:
        raise FormulaError(f"it has more than {_MOST_TERMS} terms")
