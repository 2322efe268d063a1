"""`sosie images`: what is asked holds, whole or absent, one sentence for a mistake."""

import json
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.stats import ks_2samp
from sklearn.datasets import load_digits
from tests.cli.conftest import Sosie

from sosie.generators.artificial import image_fidelity

QUICK = ("--epochs", 2, "--latent-dim", 3, "--seed", 0)
KEYS = {"rows_in", "rows_out", "kept_by_filter", "ess", "latent_dim", "seconds", "fidelity"}


@pytest.fixture
def sosie(sosie: Sosie) -> Sosie:
    return partial(sosie, "images")


@pytest.fixture(scope="module")
def digits() -> tuple[np.ndarray, np.ndarray]:
    given = load_digits(n_class=2)
    return np.rint(given.images[:80] * 15.9375).astype(np.uint8), given.target[:80]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, digits: tuple[np.ndarray, np.ndarray]) -> Path:
    path = tmp_path_factory.mktemp("digits") / "given"
    for i, (image, label) in enumerate(zip(*digits, strict=True)):
        of = path / ("zero" if label == 0 else "one")
        of.mkdir(parents=True, exist_ok=True)
        Image.fromarray(image).save(of / f"{i}.png")
    return path


def test_a_folder_becomes_a_folder_of_the_same_labels(
    sosie: Sosie, folder: Path, tmp_path: Path
) -> None:
    out, picture = tmp_path / "drawn", tmp_path / "grid.png"
    ran = sosie(folder, "--out", out, "--rows", 30, "--balance", "--picture", picture, *QUICK)
    assert ran.status == 0
    assert "no independent patients" in ran.out
    assert "originals" in ran.err
    files = sorted(out.rglob("*.png"))
    assert {file.parent.name for file in files} == {"zero", "one"}
    assert len(list((out / "one").iterdir())) == len(list((out / "zero").iterdir())) == 15
    assert {Image.open(file).size for file in files} == {(8, 8)}
    # A digit one is bright in the middle, where a zero is dark.
    middle = {
        label: np.mean(
            [np.asarray(Image.open(f))[3:5, 3:5].mean() for f in (out / label).iterdir()]
        )
        for label in ("zero", "one")
    }
    assert middle["one"] > middle["zero"] + 80
    assert Image.open(picture).size[0] > 500


def test_an_npz_becomes_an_npz_and_the_object_says_how(
    sosie: Sosie, digits: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    images, labels = digits
    given, out = tmp_path / "given.npz", tmp_path / "out.npz"
    np.savez(given, train_images=images, train_labels=labels[:, None])
    ran = sosie(given, "--out", out, "--factor", 0.5, "--label", 1, "--json", *QUICK)
    assert ran.status == 0
    told = json.loads(ran.out)
    assert told.keys() >= KEYS
    assert (told["rows_in"], told["rows_out"], told["latent_dim"]) == (80, 40, 3)
    assert told["effective_rows"] == (labels == 1).sum()
    drawn = np.load(out)
    assert drawn["images"].shape == (40, 8, 8)
    assert drawn["images"].dtype == np.uint8
    assert set(drawn["labels"]) == {1}
    # The same definition, by SciPy, against the originals of that label.
    ones = images[labels == 1].reshape(-1, 64)
    far = [
        ks_2samp(a, b).statistic
        for a, b in zip(ones.T, drawn["images"].reshape(-1, 64).T, strict=True)
    ]
    assert told["fidelity"] == pytest.approx(1 - np.mean(far), abs=1e-4)
    again = sosie(given, "--out", tmp_path / "2.npz", "--factor", 0.5, "--label", 1, *QUICK)
    assert again.status == 0
    assert f"no more than the {(labels == 1).sum()} originals" in again.out
    assert np.array_equal(np.load(tmp_path / "2.npz")["images"], drawn["images"])


def test_fidelity_of_balanced_draws_is_weighed_by_labels() -> None:
    a, b = np.zeros((4, 8, 8)), np.ones((4, 8, 8))
    originals, of = np.concatenate([a, b[:1]]), [0, 0, 0, 0, 1]
    assert image_fidelity(originals, np.concatenate([a, b]), of, [0] * 4 + [1] * 4) == 1
    assert image_fidelity(originals, np.concatenate([a, b])) == pytest.approx(0.7)


def test_mistakes_are_one_sentence_and_nothing_is_written(
    sosie: Sosie, folder: Path, digits: tuple[np.ndarray, np.ndarray], tmp_path: Path
) -> None:
    images = digits[0]
    sized = tmp_path / "sized"
    sized.mkdir()
    for i in range(31):
        shade = np.zeros((8, 8 + (i == 30)), np.uint8)
        (sized / str(i % 2)).mkdir(exist_ok=True)
        Image.fromarray(shade).save(sized / str(i % 2) / f"{i}.png")
    broken, large, few = tmp_path / "broken", tmp_path / "large", tmp_path / "few.npz"
    broken.mkdir()
    (broken / "a.png").write_bytes(b"no image")
    large.mkdir()
    Image.fromarray(np.zeros((90, 90), np.uint8)).save(large / "a.png")
    nan, cut, other = tmp_path / "nan.npz", tmp_path / "cut.npz", tmp_path / "other.npz"
    np.savez(few, images=images[:20])
    np.savez(nan, images=np.where(np.arange(80)[:, None, None] == 3, np.nan, images / 255))
    np.savez(other, pictures=images)
    objects = tmp_path / "objects.npz"
    np.savez(objects, images=images, labels=np.array(["a", 7] * 40, object))
    cut.write_bytes(few.read_bytes()[:200])
    full = tmp_path / "full"
    full.mkdir()
    (full / "a.txt").write_text("kept")
    before = sorted(tmp_path.rglob("*"))
    out = tmp_path / "out.npz"
    for said, arguments in {
        "unequal sizes, most of them 8 x 8, but not 0/30.png (9 x 8)": (sized,),
        "labels are objects of Python, which are not read: save them as text": (objects,),
        "out.zip: .zip is not a format": (few, "--out", tmp_path / "out.zip"),
        "not an image that can be read": (broken,),
        "90 x 90 pixels": (large,),
        "at least 30": (few,),
        "Image 4 has pixels that are no numbers": (nan,),
        "cannot|can be read": (cut,),
        "no array called images": (other,),
        "does not exist": (tmp_path / "nothing",),
        "no PNG or JPEG": (full,),
        "No image has the label": (folder, "--label", "seven"),
        "no labels": (few, "--balance"),
        "not both": (folder, "--rows", 3, "--factor", 2),
        "at least 1": (folder, "--rows", 0),
        "GiB of memory": (folder, "--rows", 10**12),
        "is there already": (folder, "--out", full),
    }.items():
        ran = sosie(*arguments, *(() if "--out" in arguments else ("--out", out)), *QUICK)
        assert ran.status == 2, said
        assert any(one in ran.err for one in said.split("|")), ran.err
        assert ran.err.count("\n") == 1
        assert sorted(tmp_path.rglob("*")) == before
