"""Public names of rooms that are loaded when they are asked for."""

import ast
from importlib import import_module
from pathlib import Path

import pytest


def imported(module):
    """Where the type checker, which runs nothing, takes each name from."""
    tree = ast.parse(Path(module.__file__).read_text(encoding="utf-8"))
    return {
        name.name: node.module
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }


@pytest.mark.parametrize("room", ["sosie.evidence", "sosie.space", "sosie.table", "sosie.trust"])
def test_names_are_those_that_the_type_checker_sees(room):
    module = import_module(room)
    assert set(module.__all__) <= set(dir(module))
    for name in module.__all__:
        assert getattr(module, name) is getattr(import_module(imported(module)[name]), name)


def test_a_name_that_is_not_there_is_said():
    import sosie

    with pytest.raises(AttributeError, match="module 'sosie' has no attribute 'Tabel'"):
        _ = sosie.Tabel
