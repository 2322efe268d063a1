"""A model of images, or of images with rows, in a folder: the same draws, or one sentence."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import polars as pl
import pytest
from sklearn.datasets import load_digits

from sosie.errors import DataError, ParameterError, SchemaError
from sosie.generators.artificial import RHVAE, ImageRHVAE, JointRHVAE

N = 50
BOTH = 40
"""Images of patients with a row; those after have none, and as many rows have no image."""


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    given = load_digits(n_class=3)
    return np.rint(given.images[:N] * 15.9375).astype(np.uint8), given.target[:N]


@pytest.fixture(scope="module")
def model(digits) -> ImageRHVAE:
    return ImageRHVAE(2, seed=3, epochs=0).fit(*digits)


@pytest.fixture(scope="module")
def saved(model, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "digits"
    model.save(folder)
    return folder


@pytest.fixture(scope="module")
def table(digits) -> pd.DataFrame:
    rng = np.random.default_rng(0)
    ink = digits[0].mean((1, 2))
    return pd.DataFrame(
        {
            "dose": (ink + rng.normal(0, 5, N)).round(1),
            "zero": np.where(digits[1] == 0, "yes", "no"),
            "age": np.where(rng.random(N) < 0.1, np.nan, rng.normal(50, 10, N).round()),
            "seen": pd.Timestamp("2020-01-01") + pd.to_timedelta(rng.integers(0, 900, N), "D"),
        }
    )


@pytest.fixture(scope="module")
def joint(digits, table) -> JointRHVAE:
    row_of = np.r_[np.arange(N - 1, N - 1 - BOTH, -1), np.full(N - BOTH, -1)]
    images = np.concatenate([digits[0][row_of[:BOTH]], digits[0][: N - BOTH]])
    # Numbers of NumPy are numbers, to JSON too.
    return JointRHVAE(np.int64(2), seed=np.int64(5), epochs=0).fit(images, table, row_of)


@pytest.fixture(scope="module")
def joint_saved(joint, tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("models") / "joint"
    joint.save(folder)
    return folder


@pytest.fixture
def copies(saved, joint_saved, tmp_path) -> dict[type, Path]:
    return {
        ImageRHVAE: Path(shutil.copytree(saved, tmp_path / "images")),
        JointRHVAE: Path(shutil.copytree(joint_saved, tmp_path / "joint")),
    }


def alike(one, other) -> bool:
    """Tell whether draws are the same to the bit, and of one type."""
    if isinstance(one, tuple):
        return all(alike(a, b) for a, b in zip(one, other, strict=True))
    if not isinstance(one, np.ndarray):
        return one is other is None or (type(one) is type(other) and one.equals(other))
    return one.dtype == other.dtype and np.array_equal(one, other)


def test_a_model_read_again_draws_the_same_images(model, saved, digits):
    again = ImageRHVAE.load(saved)
    asks = [{}, {"balance": True}, {"label": 2}, {"labels": [0, 1, 2] * 3 + [0] * 16}]
    for asked in [*asks, {"law": "manifold"}]:
        one, other = model.sample(25, **asked), again.sample(25, **asked)
        assert alike(tuple(one), tuple(other)), asked
        assert (model.kept_by_filter_, model.ess_) == (again.kept_by_filter_, again.ess_)
    assert alike(model.interpolate(0, 1, 4), again.interpolate(0, 1, 4))
    assert alike(model.latent(), again.latent())
    assert alike(model.latent(digits[0][:4], digits[1][:4]), again.latent(digits[0][:4], [*"0120"]))
    assert again.get_params() == model.get_params()
    for name in ("bound_", "history_", "latent_dim_", "labels_", "seed_"):
        assert getattr(again, name) == getattr(model, name)


def test_the_originals_are_those_given(saved, digits):
    assert alike(ImageRHVAE.load(saved).originals_, digits)


def test_what_is_saved_again_is_the_same(saved, joint_saved, tmp_path):
    for kind, folder in ((ImageRHVAE, saved), (JointRHVAE, joint_saved)):
        kind.load(folder).save(tmp_path / "again")
        for file in folder.iterdir():
            assert (tmp_path / "again" / file.name).read_bytes() == file.read_bytes()


@pytest.mark.parametrize("kind", [ImageRHVAE, JointRHVAE])
def test_another_seed_draws_others(copies, kind):
    drawn = [kind.load(copies[kind], seed=seed).sample(10).images for seed in (None, 8, 8)]
    assert not np.array_equal(drawn[0], drawn[1])
    assert np.array_equal(drawn[1], drawn[2])
    with pytest.raises(ParameterError, match="seed"):
        kind.load(copies[kind], seed=-1)


@pytest.mark.parametrize(
    ("of", "labels"),
    [
        ("float32", np.resize([*"abc"], N)),
        ("float64", None),
        (">f8", np.resize([0.5, 1.5, 2.5], N)),
        ("one colour", np.array([np.int64(i % 3) for i in range(N)], object)),
    ],
)
def test_types_of_pixels_and_labels_stay(digits, tmp_path, of, labels):
    images = digits[0]
    images = images[..., None] if of == "one colour" else (images / 255).astype(of)
    model = ImageRHVAE(np.int64(2), seed=np.int64(0), epochs=0).fit(images, labels)
    model.save(tmp_path / "model")
    again = ImageRHVAE.load(tmp_path / "model")
    one, other = model.sample(12), again.sample(12)
    assert alike(tuple(one), tuple(other))
    assert other.images.dtype == images.dtype
    assert other.images.shape[1:] == images.shape[1:]
    assert again.labels_ == model.labels_
    assert [type(name) for name in again.labels_] == [type(name) for name in model.labels_]
    originals, names = again.originals_
    # Models hold pixels in single precision.
    assert np.array_equal(originals.astype(np.float32), images.astype(np.float32))
    assert (labels is None) == (names is None)
    assert labels is None or names.tolist() == list(labels)


@pytest.mark.parametrize(
    "labels", [np.arange(N) % 3 + np.datetime64("2020-01-01"), np.resize([b"a", b"b", b"c"], N)]
)
def test_labels_that_no_folder_could_hold_are_refused(digits, tmp_path, labels):
    model = ImageRHVAE(2, seed=0, epochs=0).fit(digits[0], labels)
    with pytest.raises(ParameterError, match=r"type (date|bytes) cannot be saved"):
        model.save(tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_nothing_learnt_is_nothing_saved(digits, table, joint_saved, tmp_path):
    for model in (ImageRHVAE(2), JointRHVAE(2)):
        with pytest.raises(ParameterError, match="call fit first"):
            model.save(tmp_path / "model")
    model = JointRHVAE.load(joint_saved)
    with pytest.raises(DataError, match="at least 30"):
        model.fit(digits[0], table, [*range(20), *[-1] * (N - 20)])
    with pytest.raises(ParameterError, match="call fit first"):
        model.save(tmp_path / "model")
    assert not list(tmp_path.iterdir())


def test_a_joint_model_read_again_draws_the_same_patients(joint, joint_saved, digits, table):
    again = JointRHVAE.load(joint_saved, table)
    drawn = joint.sample(20)
    assert alike(tuple(drawn), tuple(again.sample(20)))
    assert isinstance(drawn.table, pd.DataFrame)
    assert alike(joint.sample_rows(digits[0][:6]), again.sample_rows(digits[0][:6]))
    asked = [0, 9, 10, N - 1]  # the first ten rows are of patients without an image
    assert alike(joint.sample_images(asked), again.sample_images(asked))
    assert alike(joint.latent(), again.latent())
    assert len(again.latent()[0]) == 2 * N - BOTH
    assert joint.kept_by_filter_ == again.kept_by_filter_
    assert again.get_params() == joint.get_params()
    for name in ("bound_", "history_", "latent_dim_", "seed_"):
        assert getattr(again, name) == getattr(joint, name)


def test_without_a_table_rows_are_polars(joint, joint_saved):
    drawn, again = joint.sample(20), JointRHVAE.load(joint_saved).sample(20)
    assert np.array_equal(again.images, drawn.images)
    told = pl.from_pandas(drawn.table)
    assert isinstance(again.table, pl.DataFrame)
    assert again.table.cast({"seen": pl.Datetime("ns")}).equals(told)


def test_a_joint_model_of_another_schema_is_told(joint_saved, table):
    for change, said in (
        (table.drop(columns="age"), "'age'"),
        (table.assign(zero="no"), "'zero'"),
        (table[["zero", "dose", "age", "seen"]], "order of the columns"),
    ):
        with pytest.raises(SchemaError, match=said):
            JointRHVAE.load(joint_saved, change)


def test_parameters_out_of_range_are_refused(digits, table):
    for one in ({"seed": -1}, {"latent_dim": 64}):
        with pytest.raises(ParameterError, match=next(iter(one))):
            JointRHVAE(**one).fit(digits[0], table)


def test_folders_are_for_their_owner_and_hold_no_pickle(saved, joint_saved):
    rows = {"schema.toml", "table.parquet"}
    for folder, also in ((saved, set()), (joint_saved, rows)):
        assert all(path.stat().st_mode & 0o077 == 0 for path in (folder, *folder.iterdir()))
        assert {path.name for path in folder.iterdir()} == {"model.json", "parameters.npz", *also}
        with np.load(folder / "parameters.npz", allow_pickle=False) as arrays:
            assert not any(arrays[name].dtype.hasobject for name in arrays.files)
            assert arrays["images"].shape == (N, 8, 8)


def test_a_model_is_replaced_and_nothing_else_is(model, copies, tmp_path):
    model.save(copies[JointRHVAE])
    assert not (copies[JointRHVAE] / "table.parquet").exists()
    ImageRHVAE.load(copies[JointRHVAE])
    (tmp_path / "thesis").mkdir()
    (tmp_path / "thesis" / "chapter.txt").write_text("I")
    with pytest.raises(DataError, match="holds no model"):
        model.save(tmp_path / "thesis")
    assert {path.name for path in tmp_path.iterdir()} == {"images", "joint", "thesis"}


@pytest.mark.parametrize("kind", [ImageRHVAE, JointRHVAE])
def test_what_was_cut_short_edited_or_lost_is_told(copies, kind):
    folder = copies[kind]
    for file in sorted(folder.iterdir()):
        whole = file.read_bytes()
        for content in (whole[: len(whole) // 2], whole.replace(whole[40:42], b"77"), b"", None):
            file.unlink() if content is None else file.write_bytes(content)
            with pytest.raises(DataError, match=r"damaged or cut short|holds no model"):
                kind.load(folder)
        file.write_bytes(whole)
    said = json.loads((folder / "model.json").read_text())
    (folder / "model.json").write_text(json.dumps(said | {"of": "rows"}))
    with pytest.raises(DataError, match="edited"):
        kind.load(folder)


def test_a_model_of_something_else_is_told(saved, joint_saved, table, tmp_path):
    RHVAE(2, seed=0, epochs=0).fit(table).save(tmp_path / "rows")
    folders = {"rows": tmp_path / "rows", "images": saved, "images with rows": joint_saved}
    kinds = {"rows": RHVAE, "images": ImageRHVAE, "images with rows": JointRHVAE}
    for of, folder in folders.items():
        for asked, kind in kinds.items():
            if of != asked:
                with pytest.raises(DataError, match=f"holds a model of {of}, not of {asked};"):
                    kind.load(folder)
    for kind in kinds.values():
        with pytest.raises(DataError, match="holds no model; check its name"):
            kind.load(tmp_path)
