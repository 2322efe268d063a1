"""`sosie images`: what is asked holds, whole or absent, one sentence for a mistake."""

import hashlib
import json
import shutil
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from scipy.stats import ks_2samp
from sklearn.datasets import load_digits
from tests.cli.conftest import Sosie

from sosie.cli import main
from sosie.generators.artificial import image_fidelity

QUICK = ("--epochs", 2, "--latent-dim", 3, "--seed", 0)
TINY = ("--epochs", 0, "--latent-dim", 2)
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
    given, out, picture = tmp_path / "given", tmp_path / "drawn", tmp_path / "grid.png"
    shutil.copytree(folder, given)
    for name in ("one/notes.txt", "one/Thumbs.db", "scan.dcm", "zero/deeper/8.png"):
        (given / name).parent.mkdir(exist_ok=True)
        (given / name).touch()
    ran = sosie(given, "--out", out, "--rows", 30, "--balance", "--picture", picture, *QUICK)
    assert ran.status == 0
    assert "3 of the files and folders" in ran.err
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
        "holds no image": (full,),
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


@pytest.fixture(scope="module")
def learnt(tmp_path_factory: pytest.TempPathFactory, digits: tuple[np.ndarray, np.ndarray]) -> Path:
    """Learn once: a folder with the images, their model, and what was drawn at seed 5."""
    place = tmp_path_factory.mktemp("learnt")
    images, labels = digits
    np.savez(place / "given.npz", images=images, labels=labels)
    told = ["--out", place / "first.npz", "--model", place / "model", "--seed", 5, *TINY]
    with pytest.raises(SystemExit) as left:
        main(["images", str(place / "given.npz"), *(str(a) for a in told)])
    assert not left.value.code
    return place


@pytest.fixture
def place(learnt: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(learnt, tmp_path / "place"))


def test_how_many_the_rarest_label_has_is_told(place: Path, sosie: Sosie) -> None:
    with np.load(place / "given.npz") as given:
        images, labels = given["images"], given["labels"].copy()
    labels[:] = 0
    labels[3:6] = 1
    np.savez(place / "rare.npz", images=images, labels=labels)
    told = ("--out", place / "out.npz", "--balance", "--rows", 20, *TINY)
    ran = sosie(place / "rare.npz", *told)
    assert ran.status == 0, ran.err
    assert "of the rarest there are 3 originals" in ran.out
    assert json.loads(sosie(place / "rare.npz", *told, "--json").out)["fewest_in_a_class"] == 3


def test_a_picture_of_originals_is_the_owner_s(place: Path, sosie: Sosie) -> None:
    told = ("--out", place / "out.npz", "--picture", place / "look.png", *TINY)
    assert sosie(place / "given.npz", *told).status == 0
    assert (place / "look.png").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("out", ["model/parameters.npz", "model/images"])
def test_nothing_is_written_into_a_model(place: Path, sosie: Sosie, out: str) -> None:
    before = sorted(path.name for path in (place / "model").iterdir())
    ran = sosie(place / "given.npz", "--out", place / out, "--model", place / "model")
    assert ran.status == 2
    assert "give a place outside of it" in ran.err
    assert sorted(path.name for path in (place / "model").iterdir()) == before


def test_labels_that_are_dates_are_written_as_text(
    place: Path, sosie: Sosie, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    given, out = place / "dates.npz", place / "out.npz"
    np.savez(given, images=digits[0], labels=digits[1] + np.datetime64("2020-01-01"))
    ran = sosie(given, "--out", out, "--rows", 20, *TINY)
    assert (ran.status, ran.err) == (0, "")
    with np.load(out, allow_pickle=False) as drawn:
        assert set(drawn["labels"]) == {"2020-01-01", "2020-01-02"}


def test_a_model_is_learnt_once_and_the_seed_decides(place: Path, sosie: Sosie) -> None:
    model, out = place / "model", place / "out.npz"
    before = (model / "model.json").read_bytes()
    for seed, same in ((5, True), (6, False)):
        ran = sosie(place / "given.npz", "--out", out, "--model", model, "--seed", seed, "--json")
        assert ran.status == 0, ran.err
        assert ran.err == (
            f"Warning: the model in {model} holds the images it was learnt on; it is as sensitive "
            "as they are.\n"
        )
        told = json.loads(ran.out)
        named = {"effective_rows", "labels", "fewest_in_a_class", "seed", "out"}
        assert told.keys() == KEYS | named
        assert (told["latent_dim"], told["effective_rows"], told["labels"]) == (2, 80, 2)
        with np.load(place / "first.npz") as first, np.load(out) as drawn:
            assert np.array_equal(first["labels"], drawn["labels"]) == same
            assert np.array_equal(first["images"], drawn["images"]) == same
    assert (model / "model.json").read_bytes() == before
    assert all(file.stat().st_mode & 0o077 == 0 for file in (model, *model.iterdir()))


def test_effective_rows_are_the_originals_of_the_model(
    place: Path, sosie: Sosie, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    images, labels = digits
    # Labels that folders have are text: the same ones, of fewer images.
    np.savez(place / "later.npz", images=images[:70], labels=labels[:70].astype(str))
    told = (place / "later.npz", "--out", place / "o.npz", "--model", place / "model")
    ran = sosie(*told, "--label", 1, "--json", "--lang", "fr")
    assert ran.status == 0, ran.err
    assert (
        "contient les images sur lesquelles il a été appris ; il est aussi sensible qu'elles"
        in ran.err
    )
    assert "a été appris sur d'autres images (80 originaux)" in ran.err
    done = json.loads(ran.out)
    assert (done["rows_in"], done["rows_out"]) == (70, 70)
    assert done["effective_rows"] == (labels == 1).sum() > (labels[:70] == 1).sum()
    ran = sosie(*told, "--rows", 5)
    assert "no more than the 80 originals" in ran.out
    assert "was learnt on other images (80 originals)" in ran.err


def test_a_model_of_other_images_is_refused(
    place: Path, sosie: Sosie, digits: tuple[np.ndarray, np.ndarray]
) -> None:
    images, labels = digits
    others = {
        "higher": {"images": np.pad(images, ((0, 0), (0, 1), (0, 0))), "labels": labels},
        "colour": {"images": np.stack([images] * 3, axis=-1), "labels": labels},
        "floats": {"images": images / 255, "labels": labels},
        "flat": {"images": images.reshape(80, 64), "labels": labels},
        "three": {"images": images, "labels": np.arange(80) % 3},
        "none": {"images": images},
        "rare": {"images": images, "labels": np.where(np.arange(80) > 76, 17, labels)},
        "dates": {"images": images, "labels": labels + np.datetime64("2020-01-01")},
        "slash": {"images": images, "labels": np.where(labels, "a/b", "c")},
    }
    for name, arrays in others.items():
        np.savez(place / f"{name}.npz", **arrays)
    given, cut, empty = place / "given.npz", place / "cut", place / "empty"
    shutil.copytree(place / "model", cut)
    held = (cut / "parameters.npz").read_bytes()
    (cut / "parameters.npz").write_bytes(held[: len(held) // 2])
    empty.mkdir()
    said = json.loads((place / "model" / "model.json").read_text())
    rows = place / "rows"
    rows.mkdir()
    (rows / "model.json").write_text(json.dumps(_sealed(said | {"of": "rows"})))
    before = sorted(place.rglob("*"))
    new, known = ("--model", place / "new", *TINY), ("--model", place / "model")
    grey = "was learnt on images of 8 x 8 pixels in grey (uint8), and those of"
    rare = f"{place / 'model'} and {place / 'rare.npz'} differ in labels: give images"
    for part, arguments in {
        rare: (place / "rare.npz", *known),
        "the labels are, among others: 0, 1.": (place / "rare.npz", "--label", "x"),
        f"{grey} {place / 'higher.npz'} are of 9 x 8 pixels": (place / "higher.npz", *known),
        "are of 8 x 8 pixels in colour (uint8)": (place / "colour.npz", *known),
        "are of 8 x 8 pixels in grey (float64)": (place / "floats.npz", *known),
        "are of shape (64,)": (place / "flat.npz", *known),
        "differ in labels ('2' is in one of them only)": (place / "three.npz", *known),
        "with labels, and those of": (place / "none.npz", *known),
        "has 2 latent dimensions and not 4": (given, *known, "--latent-dim", 4),
        "holds a model of rows, not of images": (given, "--model", rows),
        "damaged or cut short": (given, "--model", cut),
        "is there already": (given, "--model", place / "first.npz"),
        "does not exist": (given, "--model", place / "no" / "model"),
        "type date cannot be saved in a model": (place / "dates.npz", *new),
        "give --out a name that ends in .npz": (place / "slash.npz", *new, "--out", place / "x"),
        "would replace": (given, *new, "--out", place / "new"),
        "give a place outside of it": (given, "--model", empty / "model", "--out", empty),
    }.items():
        ran = sosie(*arguments, *(() if "--out" in arguments else ("--out", place / "o.npz")))
        assert ran.status == 2, part
        assert part in ran.err, ran.err
        assert ran.err.count("\n") == 1
        assert sorted(place.rglob("*")) == before


def _sealed(manifest: dict[str, object]) -> dict[str, object]:
    """Give what a folder says of its model with the sum that it then has."""
    told = {name: value for name, value in manifest.items() if name != "sha256"}
    whole = json.dumps(told, sort_keys=True, separators=(",", ":")).encode()
    return told | {"sha256": hashlib.sha256(whole).hexdigest()}
