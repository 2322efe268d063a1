"""Refusals in French: the catalogue has every sentence that the sources raise, and no other."""

import ast
import itertools
import tomllib
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

import pytest

import sosie
from sosie.cli._refusals import refusal

_SOURCES = Path(sosie.__file__).parent
_CATALOGUE = tomllib.loads((_SOURCES / "cli/refusals.fr.toml").read_text(encoding="utf-8"))
_MAKERS = {"_refuse", "refuse", "_refusal", "_damaged", "_none_has", "_unusable"}
"""Functions that put a sentence into an error."""


def _templates(node: ast.expr) -> list[str]:
    """Give the sentences that an expression may be, with {} for what is put into them."""
    match node:
        case ast.Constant(value=str(text)):
            return [text.replace("{", "{{").replace("}", "}}")]
        case ast.JoinedStr(values=values):
            return ["".join(parts) for parts in itertools.product(*map(_templates, values))]
        case ast.FormattedValue(value=ast.IfExp() as choice, conversion=-1, format_spec=None):
            both = choice.body, choice.orelse
            if all(isinstance(one, ast.Constant | ast.JoinedStr) for one in both):
                return [text for one in both for text in _templates(one)]
        case ast.IfExp(body=body, orelse=orelse):
            return _templates(body) + _templates(orelse)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return [a + b for a in _templates(left) for b in _templates(right)]
    return ["{}"]


def _trees() -> dict[Path, ast.Module]:
    return {file: ast.parse(file.read_text("utf-8")) for file in sorted(_SOURCES.rglob("*.py"))}


def _name(node: ast.expr) -> str:
    return getattr(node, "id", getattr(node, "attr", ""))


def _errors(trees: dict[Path, ast.Module]) -> set[str]:
    """Give the names of SosieError and of what derives from it."""
    bases = {
        node.name: {*map(_name, node.bases)}
        for tree in trees.values()
        for node in ast.walk(tree)
        if isinstance(node, ast.ClassDef)
    }
    family = {"SosieError"}
    while more := {name for name, of in bases.items() if of & family} - family:
        family |= more
    return family


def _raised() -> Iterator[tuple[str, str]]:
    """Give every sentence of two words or more that the sources may raise, and where."""
    trees = _trees()
    names = _errors(trees) | _MAKERS | {"ValueError", "FormulaError", "DeclinedError"}
    for file, tree in trees.items():
        for node in ast.walk(tree):
            if isinstance(node, ast.Call) and _name(node.func) in names:
                for said in itertools.chain.from_iterable(map(_templates, node.args)):
                    if any(part.isalpha() for part in said.split()) and " " in said.strip():
                        yield said, f"{file.relative_to(_SOURCES)}:{node.lineno}"


def _slots(template: str) -> int:
    return sum(field is not None for _, field, *_ in Formatter().parse(template))


def test_the_catalogue_has_what_is_raised_and_nothing_else() -> None:
    raised = dict(_raised())
    missing = [f"{where}: {said}" for said, where in raised.items() if said not in _known()]
    assert not missing, "put into the catalogue: " + "\n".join(missing)
    assert _CATALOGUE["sentences"].keys() <= raised.keys()


def _known() -> set[str]:
    return {*_CATALOGUE["sentences"], *_CATALOGUE["fragments"]}


@pytest.mark.parametrize("table", ["sentences", "fragments"])
def test_nothing_in_a_slot_is_lost(table: str) -> None:
    for said, french in _CATALOGUE[table].items():
        held = [f"<{k}>" for k in range(_slots(said))]
        assert all(one in french.format(*held) for one in held), said


def test_every_sentence_is_recognised_as_itself() -> None:
    wrong = []
    for said, french in _CATALOGUE["sentences"].items():
        held = [f"<{k}>" for k in range(_slots(said))]
        if refusal(said.format(*held), "fr") != french.format(*held):
            wrong.append(said)
    assert not wrong


@pytest.mark.parametrize(
    ("english", "french"),
    [
        (
            "x.csv: line 1,204 does not have the 5 cells of the header; correct or quote what "
            "they hold.",
            "x.csv\u00a0: la ligne 1\u202f204 n'a pas les 5 cellules de l'en-tête\u00a0; "
            "corrigez-en le contenu ou mettez-le entre guillemets.",
        ),
        (
            "rows of 2020.csv has no column 'date: 1 row', which the schema or an option names; "
            "did you mean 'rows'?",
            "rows of 2020.csv n'a pas de colonne 'date: 1 row', que nomme le schéma ou une "
            "option\u00a0; vouliez-vous dire 'rows'\u00a0?",
        ),
        (
            "t.csv: columns 'Q1: age', 'constant' hold no value at all; remove them, or list "
            "under drop in a schema.",
            "t.csv\u00a0: les colonnes 'Q1: age', 'constant' n'ont aucune valeur\u00a0; "
            "retirez-les, ou citez-les sous drop dans un schéma.",
        ),
        (
            "a.toml is not valid TOML: Expected ']' at the end of a table declaration "
            "(at line 1, column 3).",
            "a.toml n'est pas du TOML valable\u00a0: il manque ']' à la fin d'un nom de table "
            "(ligne 1, colonne 3).",
        ),
        (
            "Invalid value for '--keys': dir 'nope' does not exist",
            "valeur non valable pour '--keys'\u00a0: 'nope' n'existe pas",
        ),
        ("Nobody wrote this sentence.", "Nobody wrote this sentence."),
        (". " * 2000, ". " * 2000),
    ],
)
def test_what_is_in_the_slots_is_kept(english: str, french: str) -> None:
    assert refusal(english, "fr") == french
    assert refusal(english, "en") == english
