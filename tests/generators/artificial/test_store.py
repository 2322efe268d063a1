"""A model in a folder: the same rows, or one sentence."""

import json
import shutil
from pathlib import Path

import numpy as np
import polars as pl
import pytest
from sklearn.datasets import load_wine

from sosie.errors import DataError, SchemaError
from sosie.generators.artificial import RHVAE


@pytest.fixture(scope="module")
def wines():
    frame = load_wine(as_frame=True).frame[["alcohol", "malic_acid", "hue", "target"]]
    kinds = np.array(["barolo", "grignolino", "barbera"])[frame["target"]]
    holes = np.random.default_rng(0).random(len(frame)) < 0.1
    return frame.assign(target=kinds, hue=frame["hue"].mask(holes), cheap=frame["alcohol"] < 13)


@pytest.fixture(scope="module")
def model(wines):
    return RHVAE(latent_dim=2, seed=3, epochs=3).fit(wines)


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory):
    folder = tmp_path_factory.mktemp("models") / "wines"
    model.save(folder)
    return folder


@pytest.fixture
def copy(saved, tmp_path):
    shutil.copytree(saved, tmp_path / "copy")
    return tmp_path / "copy"


def test_a_model_read_again_draws_the_same_rows(model, saved, wines):
    again = RHVAE.load(saved, wines)
    for asked in ({}, {"where": {"target": "barolo", "alcohol": (13, None)}}, {"balance": "cheap"}):
        assert again.sample(60, **asked).equals(model.sample(60, **asked))
    for one, other in zip(again.impute(2), model.impute(2), strict=True):
        assert one.equals(other)
    assert again.get_params() == model.get_params()
    assert (again.latent_dim_, again.bound_, again.seed_) == (2, model.bound_, 3)
    assert again.history_ == model.history_


def test_without_a_table_rows_are_polars(model, saved):
    assert RHVAE.load(saved).sample(40).equals(pl.from_pandas(model.sample(40)))


def test_another_seed_draws_other_rows(model, saved, wines):
    other = RHVAE.load(saved, wines, seed=4).sample(40)
    assert not other.equals(model.sample(40))
    assert other.equals(RHVAE.load(saved, wines, seed=4).sample(40))


def test_the_folder_is_for_its_owner_and_holds_no_pickle(saved):
    assert all(path.stat().st_mode & 0o077 == 0 for path in (saved, *saved.iterdir()))
    names = {"model.json", "parameters.npz", "schema.toml", "table.parquet"}
    assert {path.name for path in saved.iterdir()} == names
    with np.load(saved / "parameters.npz", allow_pickle=False) as arrays:
        assert all(arrays[name].dtype == np.float32 for name in arrays.files)


def test_a_model_is_replaced_and_nothing_else_is(model, copy, tmp_path):
    model.save(copy)
    RHVAE.load(copy)
    assert [path.name for path in tmp_path.iterdir()] == ["copy"]
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("I")
    with pytest.raises(DataError, match="holds no model"):
        model.save(tmp_path / "thesis")
    assert (tmp_path / "thesis" / "chapter.txt").read_text() == "I"
    with pytest.raises(DataError, match="does not exist"):
        model.save(tmp_path / "none" / "model")


@pytest.mark.parametrize("name", ["model.json", "parameters.npz", "schema.toml", "table.parquet"])
def test_what_was_cut_short_edited_or_lost_is_told(copy, name):
    whole = (copy / name).read_bytes()
    for content in (whole[: len(whole) // 2], whole.replace(whole[40:42], b"77"), b""):
        (copy / name).write_bytes(content)
        with pytest.raises(DataError, match=r"damaged or cut short|holds no model"):
            RHVAE.load(copy)
    (copy / name).unlink()
    with pytest.raises(DataError, match=r"damaged or cut short|holds no model"):
        RHVAE.load(copy)


def test_an_edited_number_is_told(copy):
    said = json.loads((copy / "model.json").read_text())
    said["said"]["latent_dim_"] = 3
    (copy / "model.json").write_text(json.dumps(said))
    with pytest.raises(DataError, match="edited"):
        RHVAE.load(copy)


def test_an_older_model_is_told(copy):
    said = json.loads((copy / "model.json").read_text())
    (copy / "model.json").write_text(json.dumps(said | {"version": 1, "sosie": "0.1"}))
    with pytest.raises(DataError, match=r"older sosie \(0\.1\)"):
        RHVAE.load(copy)


def test_a_newer_model_is_told(copy):
    said = json.loads((copy / "model.json").read_text())
    (copy / "model.json").write_text(json.dumps(said | {"version": 99, "sosie": "9.1"}))
    with pytest.raises(DataError, match=r"newer sosie \(9\.1\)"):
        RHVAE.load(copy)


@pytest.mark.parametrize(
    ("change", "match"),
    [
        (lambda f: f.drop(columns="hue"), "'hue'"),
        (lambda f: f.rename(columns={"hue": "tint"}), "'tint'"),
        (lambda f: f.assign(target=f["target"].replace("barolo", "merlot")), "'target'"),
        (lambda f: f.assign(hue=f["hue"].round(0)), "'hue'"),
        (lambda f: f[["hue", *f.columns.drop("hue")]], "order of the columns"),
    ],
)
def test_a_model_of_another_schema_is_told(saved, wines, change, match):
    with pytest.raises(SchemaError, match=match):
        RHVAE.load(saved, change(wines))


def test_no_model_at_all(tmp_path: Path):
    with pytest.raises(DataError, match="holds no model"):
        RHVAE.load(tmp_path)
