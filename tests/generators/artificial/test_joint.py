"""A picture and a row of the same patient: what is planted between them is drawn and told."""

import numpy as np
import polars as pl
import pytest
from scipy.stats import spearmanr
from sklearn.datasets import load_digits
from sklearn.linear_model import LogisticRegression

from sosie.errors import DataError, ParameterError
from sosie.generators.artificial._joint import JointRHVAE

N = 150


def patients() -> tuple[np.ndarray, pl.DataFrame]:
    """Digits, and columns: one made from the ink, one from the label, one from nothing."""
    given = load_digits(n_class=4)
    rng = np.random.default_rng(0)
    order = rng.permutation(len(given.target))
    images, labels = given.images[order] / 16, given.target[order]
    ink = images.mean((1, 2))
    table = {
        "dose": (100 * ink + rng.normal(0, 1, len(ink))).round(1),
        "zero": np.where(labels == 0, "yes", "no"),
        "age": rng.normal(50, 10, len(ink)).round(),
    }
    return images, pl.DataFrame(table)


@pytest.fixture(scope="module")
def model() -> JointRHVAE:
    images, table = patients()
    # Of 20 patients there is no row, of 20 others no image.
    row_of = np.r_[np.arange(N - 40), np.full(20, -1)]
    both = np.concatenate([images[: N - 40], images[N : N + 20]])
    return JointRHVAE(latent_dim=8, seed=0, epochs=60).fit(both, table[: N - 20], row_of)


def test_pairs_that_are_drawn_keep_what_binds_them(model: JointRHVAE) -> None:
    drawn = model.sample(300)
    ink = drawn.images.mean((1, 2))
    assert spearmanr(ink, drawn.table["dose"])[0] > 0.75
    assert abs(spearmanr(ink, drawn.table["age"])[0]) < 0.2
    # A zero is dark in its middle.
    middle = drawn.images[:, 3:5, 3:5].mean((1, 2))
    zero = drawn.table["zero"].to_numpy() == "yes"
    assert middle[zero].mean() < middle[~zero].mean() - 0.2
    assert 0 < model.kept_by_filter_ <= 1


def test_a_row_given_its_image_beats_the_margin(model: JointRHVAE) -> None:
    images, table = patients()
    unseen = slice(N + 20, N + 220)
    rows = model.sample_rows(images[unseen])
    true = table[unseen]["dose"].to_numpy()
    shuffled = np.random.default_rng(0).permutation(table[:N]["dose"].to_numpy())
    by_chance = np.abs(np.resize(shuffled, 200) - true).mean()
    assert np.abs(rows["dose"].to_numpy() - true).mean() < 0.75 * by_chance
    right = (rows["zero"] == table[unseen]["zero"]).mean()
    assert right > max((table[unseen]["zero"] == "no").mean(), 0.85)
    # And of what the image does not tell, it draws the spread that there is.
    assert rows["age"].std() == pytest.approx(table["age"].std(), rel=0.25)


def test_an_image_given_its_row_has_the_ink_of_it(model: JointRHVAE) -> None:
    _, table = patients()
    alone = np.arange(N - 40, N - 20)  # rows of patients without an image
    images = model.sample_images(np.tile(alone, 10))
    ink = images.reshape(10, 20, 64).mean((0, 2))
    assert spearmanr(ink, table["dose"].to_numpy()[alone])[0] > 0.7


def test_what_is_known_of_a_patient_shrinks_with_a_missing_modality(model: JointRHVAE) -> None:
    _, spread = model.latent()
    assert spread.shape == (N, 8)
    both, image_only, row_only = spread[: N - 40], spread[N - 40 : N - 20], spread[N - 20 :]
    assert np.log(both).mean() < np.log(image_only).mean() < np.log(row_only).mean()


def test_labels_have_no_order_for_an_image() -> None:
    """Another column is told by one; the images, which tell the label best, are not."""
    given, n = load_digits(), 300
    names = np.array([f"digit {letter}" for letter in "abcdefghij"])
    label = given.target[:n]
    dose = (label + np.random.default_rng(0).normal(0, 1, n)).round(2)
    table = pl.DataFrame({"digit": names[label], "dose": dose})
    model = JointRHVAE(latent_dim=12, seed=0, epochs=0).fit(given.images[:n] / 16, table)
    images, drawn = model.sample(300)
    judge = LogisticRegression(max_iter=2000).fit(given.data[n:] / 16, names[given.target[n:]])
    assert (judge.predict(images.reshape(300, -1)) == drawn["digit"].to_numpy()).mean() > 0.85
    asked = np.arange(100)
    found = model.sample_images(asked)
    assert (judge.predict(found.reshape(100, -1)) == names[label[asked]]).mean() > 0.8
    new = slice(n, n + 100)
    told = model.sample_rows(given.images[new] / 16)["digit"].to_numpy()
    assert (told == names[given.target[new]]).mean() > 0.75
    # An image for a row is not the image of that row's patient, nor nearly that of another.
    flat, own = found.reshape(100, -1), given.data[:n] / 16
    apart = np.sqrt(((flat[:, None] - own) ** 2).sum(2))
    among = np.sqrt(((own[:, None] - own) ** 2).sum(2)) + np.diag(np.full(n, np.inf))
    assert apart.min() >= np.quantile(among.min(1), 0.05) - 1e-6
    assert (apart.argmin(1) == asked).mean() < 0.1


def test_no_patient_is_what_nobody_is() -> None:
    """A table says who carries a child; without the exchange some drawn men do."""
    given = load_digits(n_class=4)
    rng = np.random.default_rng(1)
    n = 200
    woman = rng.random(n) < 0.5
    table = pl.DataFrame(
        {
            "sex": np.where(woman, "f", "m"),
            "pregnant": np.where(woman & (rng.random(n) < 0.4), "yes", "no"),
            "age": rng.normal(30, 5, n).round(),
        }
    )
    images = given.images[:n] / 16
    model = JointRHVAE(latent_dim=3, seed=0, epochs=0).fit(images, table)

    def men_with_child(frame: pl.DataFrame) -> int:
        return frame.filter((pl.col("sex") == "m") & (pl.col("pregnant") == "yes")).height

    share = (table["pregnant"] == "yes").mean()
    for frame in (model.sample(400).table, model.sample_rows(images)):
        assert men_with_child(frame) == 0
        assert (frame["pregnant"] == "yes").mean() == pytest.approx(share, abs=0.08)
    model._cohort.possible._never = {}
    assert men_with_child(model.sample(400).table) > 3


def test_patients_who_cannot_be_put_together_are_refused() -> None:
    images, table = patients()
    with pytest.raises(DataError, match="give row_of"):
        JointRHVAE(2, seed=0).fit(images[:40], table[:50])
    with pytest.raises(DataError, match="two images"):
        JointRHVAE(2, seed=0).fit(images[:40], table[:50], [0] * 40)
    with pytest.raises(DataError, match="at least 30"):
        JointRHVAE(2, seed=0).fit(images[:40], table[:50], [*range(20), *[-1] * 20])
    with pytest.raises(DataError, match="from 0 to 49"):
        JointRHVAE(2, seed=0).fit(images[:40], table[:50], range(20, 60))
    with pytest.raises(ParameterError, match="call fit"):
        JointRHVAE().sample(2)
