"""Avatars of a number of which many are zero: who has it, and how much, are two questions."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from sosie import Avatar
from sosie.generators._gibbs import Gibbs


def hurdle(n: int, seed: int) -> pl.DataFrame:
    """Give persons of whom ``w`` tells who smokes, and ``x`` how much smokers do."""
    rng = np.random.default_rng(seed)
    x, w = rng.standard_normal((2, n))
    smokes = rng.random(n) < 1 / (1 + np.exp(-2 * w))
    packs = np.where(smokes, np.exp(1 + 0.6 * x + 0.2 * rng.standard_normal(n)), 0.0)
    return pl.DataFrame({"x": x, "w": w, "packs": packs})


def bonds(frame: pl.DataFrame) -> tuple[float, float]:
    """Bond of ``w`` to who smokes, and of ``x`` to how much smokers do."""
    frame = frame.drop_nulls()
    some = frame.filter(pl.col("packs") > 0)
    return (
        float(np.corrcoef(frame["w"], frame["packs"] > 0)[0, 1]),
        float(np.corrcoef(some["x"], np.log(some["packs"]))[0, 1]),
    )


def parted(frame: pl.DataFrame, **parameters: object) -> dict[str, float]:
    kernel = Gibbs()
    Avatar(seed=0, kernel=kernel, **parameters).fit(frame)
    return kernel._spikes.at


def test_bonds_to_who_and_to_how_much_are_both_kept() -> None:
    cohorts = [hurdle(400, seed) for seed in range(4)]
    avatars = [Avatar(seed=1).fit_sample(cohort) for cohort in cohorts]
    who, amount = np.mean([bonds(made) for made in avatars], axis=0)
    who_was, amount_was = np.mean([bonds(cohort) for cohort in cohorts], axis=0)
    assert amount_was > 0.93
    assert amount > 0.85  # .67 where it is drawn as one score
    assert who == pytest.approx(who_was, abs=0.04)


def test_zeros_and_missing_cells_keep_their_shares() -> None:
    cohort = hurdle(600, 5)
    gone = np.random.default_rng(0).random(600) < 0.2
    cohort = cohort.with_columns(packs=pl.when(pl.Series(~gone)).then("packs"))
    assert parted(cohort) == {"packs": 0.0}
    made = Avatar(seed=2).fit_sample(cohort)
    assert made["packs"].is_null().mean() == pytest.approx(gone.mean(), abs=0.01)
    zeros = [(frame["packs"].drop_nulls() == 0).mean() for frame in (made, cohort)]
    assert zeros[0] == pytest.approx(zeros[1], abs=0.02)
    some = cohort.filter(pl.col("packs") > 0)["packs"]
    assert made.filter(pl.col("packs") > 0)["packs"].is_between(some.min(), some.max()).all()


def test_a_part_that_k_or_fewer_have_is_not_told_apart() -> None:
    cohort = hurdle(200, 0)
    least = min((cohort["packs"] == 0).sum(), (cohort["packs"] > 0).sum())
    assert parted(cohort, k=least - 1) == {"packs": 0.0}
    assert parted(cohort, k=least) == {}


def test_what_is_zero_where_too_small_to_be_seen_stays_one_number() -> None:
    rng = np.random.default_rng(0)
    x, e = rng.standard_normal((2, 500))
    censored = np.maximum(0.7 * x + 0.7 * e, 0)
    assert parted(pl.DataFrame({"x": x, "y": censored})) == {}


def test_both_parts_weigh_what_the_column_does() -> None:
    cohort = hurdle(400, 1).with_columns(arm=pl.Series(["a", "b"] * 200))
    kernel = Gibbs()
    Avatar(seed=0, kernel=kernel, column_weights={"packs": 3, "arm": 0}).fit(cohort)
    columns = kernel._spikes.taken(kernel._columns)
    said = kernel._weights(columns, np.array([1.0, 1.0, 3.0, 0.0]))
    names = [*columns.numbers, *columns.codes, "mask"]
    assert dict(zip(names, said, strict=True)) == {
        "x": 1,
        "w": 1,
        "packs": 3,
        "arm": 0,
        "packs is 0.0": 3,
        "mask": 3,
    }


@pytest.mark.parametrize("seed", range(3))
def test_levels_that_tell_the_amount_keep_their_shares(seed: int) -> None:
    """Where zeros become amounts, others are not drawn from what stood in their cells."""
    cohort = hurdle(1000, 7)
    packs = cohort["packs"].to_numpy()
    some = np.median(packs[packs > 0])
    dose = np.select([packs == 0, packs < some], ["none", "low"], "high").astype(object)
    dose[np.flatnonzero(packs > 0)[:8]] = "none"
    cohort = cohort.with_columns(dose=pl.Series(dose.tolist()))
    assert parted(cohort) == {"packs": 0.0}
    made = Avatar(seed=seed).fit_sample(cohort)
    for level in ("none", "low", "high"):
        shares = [(frame["dose"] == level).mean() for frame in (made, cohort)]
        assert shares[0] == pytest.approx(shares[1], abs=0.03)


def test_a_number_whose_zeros_a_label_tells_stays_one() -> None:
    cohort = hurdle(400, 2)
    smokes = pl.when(pl.col("packs") > 0).then(pl.lit("yes")).otherwise(pl.lit("no"))
    assert parted(cohort.with_columns(smokes=smokes)) == {}
