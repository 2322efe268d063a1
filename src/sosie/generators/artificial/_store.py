"""A model in a folder: JSON, arrays without objects, and the persons it was learnt on."""

from __future__ import annotations

import hashlib
import json
from importlib.metadata import version as version_of
from io import BytesIO
from typing import TYPE_CHECKING, Any, Literal, NamedTuple, Protocol, TypeVar
from zipfile import BadZipFile

import numpy as np
import polars as pl

from sosie.errors import DataError, SchemaError, SosieError
from sosie.generators.artificial._choices import check_whole
from sosie.table import Schema, Table, whole_folder

if TYPE_CHECKING:
    from pathlib import Path

    from numpy.typing import NDArray

__all__ = ["Of", "Stored", "begun", "generator_in", "is_model", "read", "said_of", "write"]

_FORMAT = "sosie artificial model"
_VERSION = 8
"""Raised whenever what is stored, or what is made anew from it, changes its meaning."""

_LEARNT = "latent_dim_", "bound_", "history_"
"""Of every model, whatever it draws."""

_MANIFEST = "model.json"
_ARRAYS, _TABLE, _SCHEMA = "parameters.npz", "table.parquet", "schema.toml"

Of = Literal["rows", "images", "images with rows"]
"""What a model draws."""


class Stored(NamedTuple):
    """What a folder holds of a model.

    Attributes
    ----------
    said : dict
        Numbers, texts and lists of them, as JSON has them.
    arrays : dict of str to ndarray
        Parameters of the networks; and images, where it draws some.
    table : Table, optional
        Of the persons, where it draws rows.
    """

    said: dict[str, Any]
    arrays: dict[str, NDArray[Any]]
    table: Table | None = None


class Model(Protocol):
    """What every model has that is stored."""

    seed_: int
    _draw_seed: np.random.SeedSequence

    def get_params(self) -> dict[str, Any]:
        """Give the parameters by name."""
        ...


M = TypeVar("M", bound=Model)


def said_of(model: Model) -> dict[str, Any]:
    """Give the parameters of a model, and what every one has learnt, as :func:`begun` takes it."""
    names = ("seed_", *_LEARNT)
    return {"parameters": model.get_params()} | {name: getattr(model, name) for name in names}


def begun(kind: type[M], said: dict[str, Any], seed: int | None) -> M:
    """Begin a model again that was stored: with another seed of draws, where one is given.

    Raises
    ------
    ParameterError
        If the seed is none.
    """
    model = kind(**said["parameters"])
    model.seed_ = said["seed_"] if seed is None else seed
    check_whole("seed", model.seed_, 0)
    _, model._draw_seed = np.random.SeedSequence(model.seed_).spawn(2)
    for name in _LEARNT:
        setattr(model, name, said[name])
    return model


def generator_in(state: dict[str, Any]) -> np.random.Generator:
    """Give a generator in a state that was stored."""
    rng = np.random.default_rng()
    rng.bit_generator.state = state
    return rng


def is_model(folder: Path) -> bool:
    """Tell whether a folder says that it holds a model."""
    return (folder / _MANIFEST).is_file()


def write(folder: Path, of: Of, stored: Stored) -> None:
    """Write a model, whole or not at all, for its owner only.

    Every file is named with its SHA-256 in ``model.json``, which ends with its own: a file
    cut short or edited is noticed. This tells accidents, not forgers, from what was written.

    Raises
    ------
    DataError
        If the folder cannot be written, or holds anything but a model.
    """
    if folder.exists() and not is_model(folder) and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder} is there already and holds no model; give another folder.")
    with whole_folder(folder) as draft:
        text = [] if stored.table is None else _write_table(stored.table, draft)
        with (draft / _ARRAYS).open("wb") as out:
            np.savez(out, allow_pickle=False, **stored.arrays)
        manifest = {
            "format": _FORMAT,
            "version": _VERSION,
            "sosie": version_of("sosie"),
            "of": of,
            "said": json.loads(json.dumps(stored.said, default=_plain)),
            "text": text,
            "files": {name: _digest((draft / name).read_bytes()) for name in _files(of)},
        }
        manifest["sha256"] = _digest(_canonical(manifest))
        (draft / _MANIFEST).write_text(json.dumps(manifest, indent=1), encoding="utf-8")
        for file in draft.iterdir():
            file.chmod(0o600)  # a copy of the folder may be open to others


def read(folder: Path, of: Of, data: Any = None) -> Stored:
    """Read a model.

    Parameters
    ----------
    folder : Path
    of : str
        What the model is to draw.
    data : Table or dataframe, optional
        A table with the same columns, in the form of which rows are to be drawn.

    Raises
    ------
    DataError
        If there is no model, or it draws something else, was edited, cut short or made by
        another version of sosie.
    SchemaError
        If the columns of ``data`` are not those that the model was learnt on.
    """
    manifest = _manifest(folder)
    found = manifest.get("of", "rows")  # what models drew before they told
    if found != of:
        raise DataError(f"{folder} holds a model of {found}, not of {of}; give another folder.")
    contents = {name: _content(folder, name, manifest["files"]) for name in _files(of)}
    table = None
    try:
        with np.load(BytesIO(contents[_ARRAYS]), allow_pickle=False) as arrays:
            held = {name: arrays[name] for name in arrays.files}
        if _TABLE in contents:
            schema = Schema.read(folder / _SCHEMA)
            frame = pl.read_parquet(BytesIO(contents[_TABLE]))
            table = _table(frame, schema, manifest["text"])
    except (SosieError, pl.exceptions.PolarsError, BadZipFile, ValueError, KeyError) as error:
        raise _damaged(folder) from error
    if data is not None and table is not None:
        table = _in_form_of(Table.of(data), table, folder)
    return Stored(manifest["said"], held, table)


def _files(of: Of) -> tuple[str, ...]:
    return (_ARRAYS,) if of == "images" else (_ARRAYS, _TABLE, _SCHEMA)


def _write_table(table: Table, folder: Path) -> list[str]:
    """Write the persons, and tell which columns came as text and are none any more."""
    # What was left out is not there to be left out again.
    table.schema.model_copy(update={"drop": []}).write(folder / _SCHEMA)
    table.frame.write_parquet(folder / _TABLE)
    came = table.labelled().schema
    return [name for name in table.names if came[name] != table.frame.schema[name]]


def _manifest(folder: Path) -> dict[str, Any]:
    try:
        manifest = json.loads((folder / _MANIFEST).read_bytes())
    except OSError as error:
        raise DataError(f"{folder} holds no model; check its name.") from error
    except ValueError as error:
        raise _damaged(folder) from error
    if not isinstance(manifest, dict) or manifest.get("format") != _FORMAT:
        raise DataError(f"{folder} holds no model; check its name.")
    version = manifest.get("version")
    if isinstance(version, int) and version > _VERSION:
        raise DataError(
            f"{folder} was written by a newer sosie ({manifest.get('sosie')}): update sosie, or "
            "learn the model again."
        )
    if isinstance(version, int) and version < _VERSION:
        raise DataError(
            f"{folder} was written by an older sosie ({manifest.get('sosie')}): learn the model "
            "again."
        )
    sealed = manifest.pop("sha256", None)
    if version != _VERSION or sealed != _digest(_canonical(manifest)):
        raise _damaged(folder)
    return manifest


def _content(folder: Path, name: str, digests: dict[str, str]) -> bytes:
    try:
        content = (folder / name).read_bytes()
    except OSError as error:
        raise _damaged(folder) from error
    if _digest(content) != digests.get(name):
        raise _damaged(folder)
    return content


def _damaged(folder: Path) -> DataError:
    return DataError(
        f"{folder}: the model was edited, damaged or cut short since it was written; learn it "
        "again."
    )


def _table(frame: pl.DataFrame, schema: Schema, text: list[str]) -> Table:
    """Make the table again, to the letter: what is inferred anew is put aside."""
    table = Table.of(frame.with_columns(pl.col(name).cast(pl.String) for name in text), schema)
    table.frame, table.schema = frame, schema
    return table


def _in_form_of(given: Table, stored: Table, folder: Path) -> Table:
    """Give the stored rows as a table of the kind of another, which has to mean the same."""
    difference = _difference(given.schema, stored.schema)
    if difference or given.frame.schema != stored.frame.schema:
        raise SchemaError(
            f"{folder} was learnt on a table of another schema ({difference or 'other types'}): "
            "learn a model of this table in another folder."
        )
    table = given.taken(np.zeros(0, np.intp))
    table.frame, table.schema = stored.frame, stored.schema
    return table


def _difference(one: Schema, other: Schema) -> str:
    """Name the first thing in which two schemas differ, but for remarks and spelling; "" for none.

    How a missing cell is spelt is told by the table, and read from it.
    """
    if one.names != other.names:
        odd = [n for n in (*one.names, *other.names) if (n in one) != (n in other)]
        return f"column {odd[0]!r}" if odd else "the order of the columns"
    for name in one.names:
        a, b = (schema[name].model_dump(exclude={"remark", "missing"}) for schema in (one, other))
        if a != b:
            return f"{next(key for key in a if a[key] != b[key])} of column {name!r}"
    rules = ("order", "determined", "sums")
    return "" if all(getattr(one, r) == getattr(other, r) for r in rules) else "rules"


def _plain(value: Any) -> Any:
    """Give a number of NumPy, as parameters may be, as one that JSON knows."""
    if isinstance(value, np.generic):
        return value.item()
    raise TypeError(f"{type(value).__name__} cannot be saved")


def _canonical(manifest: dict[str, Any]) -> bytes:
    return json.dumps(manifest, sort_keys=True, separators=(",", ":")).encode()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
