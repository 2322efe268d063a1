"""Where persons of a table are in the latent space, and the way between two."""

import io

import matplotlib.image
import numpy as np
import polars as pl
import pytest

from sosie.errors import ParameterError
from sosie.generators.artificial import RHVAE
from sosie.generators.artificial._latent_tables import (
    geodesic,
    interpolate,
    latent,
    latent_map,
    latent_path,
)


@pytest.fixture(scope="module")
def model() -> RHVAE:
    rng = np.random.default_rng(0)
    age = rng.normal(50, 10, 120).round()
    table = {
        "age": age,
        "dose": (2 * age + rng.normal(0, 2, 120)).round(1),
        "noise": rng.normal(0, 1, 120),
        "arm": np.where(age + rng.normal(0, 3, 120) > 50, "old", "young"),
    }
    return RHVAE(latent_dim=2, seed=0, epochs=0, stratum=None).fit(pl.DataFrame(table))


def test_the_latent_orders_persons_as_the_table_does(model: RHVAE) -> None:
    mean, sigma = latent(model)
    assert mean.shape == sigma.shape == (120, 2)
    age = model.table_.frame["age"].to_numpy()
    assert np.abs(np.corrcoef(np.column_stack([mean, age]).T)[2, :2]).max() > 0.9


def test_rows_along_the_path_go_from_one_person_to_the_other(model: RHVAE) -> None:
    frame = model.table_.frame
    a, b = int(frame["age"].arg_min()), int(frame["age"].arg_max())
    rows = interpolate(model, a, b, 7)
    assert model.interpolate(a, b, 7).equals(rows)
    assert rows.columns == frame.columns
    assert rows["age"].dtype == frame["age"].dtype
    assert rows["age"].is_sorted()
    assert rows["age"][0] < frame["age"].quantile(0.1)
    assert rows["age"][-1] > frame["age"].quantile(0.9)
    assert np.abs(rows["dose"] - 2 * rows["age"]).max() < 12
    assert rows["arm"].to_list() == sorted(rows["arm"].to_list(), reverse=True)
    path = geodesic(model, a, b)
    assert float(path.length) <= float(path.straight) * (1 + 1e-5)
    with pytest.raises(ParameterError, match="no row 120"):
        interpolate(model, 0, 120)


def test_pictures_show_persons_and_the_path(model: RHVAE) -> None:
    def drawn(figure: object) -> np.ndarray:
        sheet = io.BytesIO()
        figure.savefig(sheet, format="png", dpi=60)  # type: ignore[attr-defined]
        sheet.seek(0)
        return matplotlib.image.imread(sheet)

    plain, coloured = drawn(latent_map(model)), drawn(latent_map(model, "arm"))
    assert plain.std() > 0.05
    assert coloured.shape == plain.shape
    # The path is a broad line of its own colour.
    accent = np.array([0x51, 0x45, 0xB0]) / 255

    def inked(image: np.ndarray) -> int:
        return int((np.abs(image[..., :3] - accent).max(-1) < 0.02).sum())

    assert inked(drawn(latent_path(model, 0, 5))) > inked(plain) + 30
    named = latent_map(model, "arm").legends[0]
    assert named.get_title().get_text() == "arm"
    assert [one.get_text() for one in named.get_texts()] == ["old", "young"]
    scaled = latent_map(model, "age")  # of many values: no legend, a scale beside the map
    assert [one.get_ylabel() for one in scaled.axes[1:]] == ["age"]
    assert not scaled.legends
    with pytest.raises(ParameterError, match="no column 'x'"):
        latent_map(model, "x")
