"""Artificial patients of whom there is a picture and a row of a table."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import jax
import numpy as np

from sosie.errors import DataError, ParameterError
from sosie.generators._parameters import Parameters
from sosie.generators.artificial._choices import check_latent_dim, check_whole
from sosie.generators.artificial._cohort import Cohort
from sosie.generators.artificial._draws import Draws
from sosie.generators.artificial._filter import Filter
from sosie.generators.artificial._image_data import FEWEST, Pictures
from sosie.generators.artificial._image_draws import ImageDraws, in_blocks
from sosie.generators.artificial._image_networks import most_factors
from sosie.generators.artificial._image_store import read_joint_model, write_joint_model
from sosie.generators.artificial._joint_given import Candidates, chance_of_image, chance_of_row
from sosie.generators.artificial._joint_law import (
    JointLaw,
    begun,
    cell_sigma,
    decode_image,
    decode_table,
    pixel_sigma,
)
from sosie.generators.artificial._joint_patients import row_of_each, rows_of, together
from sosie.generators.artificial._latent_metric import metric_of
from sosie.generators.artificial._latent_training import Recipe, fitted, posterior
from sosie.generators.artificial._likelihoods import drawn_levels, drawn_scores
from sosie.generators.artificial._networks import linear
from sosie.generators.artificial._sampling import Latents
from sosie.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    Floats = NDArray[np.float64]

__all__ = ["JointDrawn", "JointRHVAE"]

_MOST_FACTORS = 16
"""Latent dimensions tried, at most; what more would do to image and row was not measured."""

_HIDDEN = 64
_GRID = 512
_ROUNDS = 60

_ALIKE = (
    "Patients that differ enough from every original could not be drawn: the originals hardly vary."
)


class JointDrawn(NamedTuple):
    """Artificial patients: image i and row i are of the same one."""

    images: NDArray[Any]
    table: Any


class JointRHVAE(Parameters):
    """Draw artificial patients with a picture and a row of a table, of whom either may be missing.

    One latent is shared; what is known of it is a product of what the picture says and what the
    row says. The columns are coded as :class:`RHVAE` codes them, without strata, and the
    pictures have the likelihood of :class:`ImageRHVAE`.

    Parameters
    ----------
    latent_dim : int, optional
        By default the number that tells patients held out best.
    seed : int, optional
        Same input, parameters and seed give the same draws. Drawn afresh where not given.
    epochs : int
        Most epochs; training stops before when patients held out gain no more.

    Attributes
    ----------
    latent_dim_, seed_ : int
    bound_ : float
        Lower bound on patients held out, in nats, mean of the three things that are shown of
        each: both, the image alone, the row alone.
    history_ : list of float
    kept_by_filter_ : float
        Share of the patients drawn last whose picture and row stand farther from every original
        than the 5 % nearest originals from each other.
    metric_ : CentroidMetric

    Examples
    --------
    >>> import polars as pl
    >>> rng = np.random.default_rng(0)
    >>> light, age = rng.random((40, 1, 1)), rng.normal(50, 9, 40).round()
    >>> table = pl.DataFrame({"age": age, "light": light[:, 0, 0]})
    >>> images = light * rng.random((40, 8, 8))
    >>> model = JointRHVAE(latent_dim=2, seed=0, epochs=0).fit(images, table)
    >>> drawn = model.sample(5)
    >>> drawn.images.shape, drawn.table.shape
    ((5, 8, 8), (5, 2))
    """

    def __init__(
        self, latent_dim: int | None = None, seed: int | None = None, *, epochs: int = 400
    ) -> None:
        self.latent_dim = latent_dim
        self.seed = seed
        self.epochs = epochs

    def fit(
        self,
        images: Any,
        table: Any,
        row_of: ArrayLike | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> Self:
        """Learn from images and rows of the same patients.

        Parameters
        ----------
        images : array of shape (m, h, w) or (m, h, w, colours)
        table : Table or dataframe of n rows
        row_of : array of shape (m,), optional
            The row of the table of the patient of each image, from 0; -1 where there is none.
            Rows that no image names are of patients without one. By default image i is of the
            patient of row i.
        progress : callable, optional

        Raises
        ------
        DataError
            If fewer than 30 patients have both, or the table or the images cannot be learnt.
        ParameterError
            If a parameter is out of range.
        """
        check_whole("epochs", self.epochs, 0)
        for name, least in (("latent_dim", 1), ("seed", 0)):
            value = getattr(self, name)
            if value is not None:
                check_whole(name, value, least)
        self.__dict__.pop("_similar", None)  # nothing is drawn from what a fit that fails leaves
        pictures = Pictures.of(images)
        self._take(pictures, Table.of(table), row_of)
        coded, rows = self._cohort.coded, self._rows
        both = np.flatnonzero(rows >= 0)
        if len(both) < FEWEST:
            raise DataError(
                f"{len(both)} patients have an image and a row: at least {FEWEST} are needed."
            )
        self.seed_ = secrets.randbelow(2**53) if self.seed is None else self.seed
        fit_seed, self._draw_seed = np.random.SeedSequence(self.seed_).spawn(2)
        rng = np.random.default_rng(fit_seed)
        x = pictures.pixels[both].astype(np.float64)
        cells = coded.taken(rows[both])
        if self.latent_dim is None:
            none = np.zeros(len(both), np.intp)
            self.latent_dim_ = most_factors(
                np.hstack([x, linear(cells)]), none, 1, rng, most=_MOST_FACTORS
            )
        else:
            what = "patients with a row and an image"
            self.latent_dim_ = check_latent_dim(self.latent_dim, len(both), x.shape[1], what)
        start_seed = int(rng.integers(2**31))

        def begin(persons: NDArray[np.intp]) -> dict[str, Any]:
            chosen = np.isin(both, persons)  # images come first: patient i has image i
            return begun(
                x[chosen], cells.taken(np.flatnonzero(chosen)), self._law.shape,
                self.latent_dim_, _HIDDEN, np.random.default_rng(start_seed),
            )  # fmt: skip

        recipe = Recipe(epochs=self.epochs)
        trained = fitted(
            self._law,
            begin,
            together(self._pictures, self._cohort.coded, self._rows),
            recipe,
            rng,
            progress,
        )
        self.history_, self.bound_ = trained.history, max(trained.history)
        self._learnt(trained.params, rng)
        return self

    def _take(self, pictures: Pictures, table: Table, row_of: ArrayLike | None) -> None:
        """Take the originals, and code their rows."""
        self._pictures, self._cohort = pictures, Cohort(table, None, arranged=False)
        self._rows = rows_of(row_of, len(pictures), len(self._cohort.coded))
        self._law = JointLaw(self._cohort.coding.shape)

    def _learnt(self, params: dict[str, Any], rng: np.random.Generator) -> None:
        """Take the networks of a model of the originals; ``rng`` is what draws are settled by."""
        self._params, self._settled_by = params, rng.bit_generator.state
        mean, spread = posterior(
            self._law, params, together(self._pictures, self._cohort.coded, self._rows)
        )
        self._mean, self._spread = mean.astype(np.float64), spread.astype(np.float64)
        self.metric_ = metric_of(mean, spread)
        self._settle(rng)

    def sample(self, n: int) -> JointDrawn:
        """Draw n artificial patients, with picture and row.

        Returns
        -------
        JointDrawn
            Images of the type of the originals, and a frame of the kind that was given.
        """
        self._check_fitted()
        check_whole("n", n, 1)
        rng = np.random.default_rng(self._draw_seed)
        latents = Latents(self._mean, self._spread)
        z = latents.aggregate(rng, n)
        pixels, drawn = self._images_at(z, rng), self._cells_at(z, rng)
        for round_ in range(_ROUNDS):
            places = self._places(drawn)
            odd = self._mended(drawn, places, z, rng)
            near = self._draws.too_near(pixels) | self._similar.near(drawn, places)
            if round_ == 0:
                self.kept_by_filter_ = 1 - float(near.mean())
            rows = np.flatnonzero(near | odd)
            if not len(rows):
                break
            z[rows] = latents.aggregate(rng, len(rows))
            pixels[rows] = self._images_at(z[rows], rng)
            drawn.replaced(rows, self._cells_at(z[rows], rng))
        else:
            raise DataError(_ALIKE)
        return JointDrawn(self._pictures.restored(pixels), self._table(drawn, rng))

    def sample_rows(self, images: Any) -> Any:
        """Draw a row of the table for each image, given what the image says.

        Parameters
        ----------
        images : array of shape (k, h, w) or (k, h, w, colours)
            Of the size of those learnt from.

        Returns
        -------
        dataframe of k rows
        """
        self._check_fitted()
        pictures = self._pictures.like(images)
        rng = np.random.default_rng(self._draw_seed)
        candidates = self._candidates(rng)
        means = self._decoded(_image, candidates.z)
        z = np.stack(
            [
                candidates.chosen(chance_of_image(self._params, means, x), rng)
                for x in pictures.pixels
            ]
        )
        drawn = self._cells_at(z, rng)
        self._mended(drawn, self._places(drawn), z, rng)
        return self._table(drawn, rng)

    def sample_images(self, rows: ArrayLike) -> NDArray[Any]:
        """Draw an image for rows of the table that was learnt from, given what the row says.

        What is known of the row's own patient is left out, and no image is nearer to an original
        than :meth:`sample` draws them.

        Parameters
        ----------
        rows : array of shape (k,)
            Numbers of rows, from 0.

        Returns
        -------
        ndarray of shape (k, h, w) or (k, h, w, colours)

        Raises
        ------
        ParameterError
            If there is no such row.
        DataError
            If all that can be drawn is too near to an original.
        """
        self._check_fitted()
        asked = np.asarray(rows).ravel()
        n = len(self._cohort.coded)
        if asked.dtype.kind not in "iu" or not ((asked >= 0) & (asked < n)).all():
            raise ParameterError(f"Rows are whole numbers from 0 to {n - 1}.")
        rng = np.random.default_rng(self._draw_seed)
        candidates = self._candidates(rng)
        told = self._decoded(_row, candidates.z)
        coded = self._cohort.coded
        row_of, known = row_of_each(coded, self._rows)[candidates.persons], coded.arrays()[1:5]

        def drawn(row: int) -> Floats:
            one = [part[row : row + 1] for part in known]
            said = chance_of_row(self._params, told, self._law.shape, *one)
            return candidates.chosen(np.where(row_of == row, -np.inf, said), rng)

        near = np.arange(len(asked))
        pixels = np.empty((len(asked), self._pictures.pixels.shape[1]), np.float32)
        for _ in range(_ROUNDS):
            z = np.stack([drawn(row) for row in asked[near]])
            pixels[near] = self._images_at(z, rng)
            near = near[self._draws.too_near(pixels[near])]
            if not len(near):
                return self._pictures.restored(pixels)
        raise DataError(_ALIKE)

    def latent(self) -> tuple[Floats, Floats]:
        """Give means and spreads of the latents of patients, those with an image first."""
        self._check_fitted()
        return self._mean.copy(), self._spread.copy()

    def save(self, folder: str | Path) -> None:
        """Write the model to a folder, whole or not at all, for its owner only.

        The folder holds the originals, images and rows: it is as sensitive as they are. It has
        JSON, TOML, Parquet and arrays, and nothing that runs when it is read.

        Parameters
        ----------
        folder : str or Path
            To be made; one that holds a model is replaced.

        Raises
        ------
        DataError
            If it cannot be written, or is a folder of something else.
        """
        self._check_fitted()
        write_joint_model(self, Path(folder))

    @classmethod
    def load(cls, folder: str | Path, data: Any = None, seed: int | None = None) -> Self:
        """Read a model that :meth:`save` wrote; it draws the same patients for the same seed.

        Parameters
        ----------
        folder : str or Path
        data : Table or dataframe, optional
            A table with the same columns as the one learnt on, in the form of which rows are
            drawn; polars by default. Its rows are not looked at.
        seed : int, optional
            Of draws; by default that of the model.

        Raises
        ------
        DataError
            If there is no such model, or it was edited, cut short, or made by another version
            of sosie.
        SchemaError
            If ``data`` has other columns than the model.
        """
        return read_joint_model(cls, Path(folder), data, seed)

    def _settle(self, rng: np.random.Generator) -> None:
        """Learn what draws need besides: texture, margins of what is drawn, nearness."""
        m = len(self._rows)
        z = self._mean[:m] + self._spread[:m] * rng.standard_normal(self._mean[:m].shape)
        means, sigma = self._decoded(_image, z), np.asarray(pixel_sigma(self._params))
        self._draws = ImageDraws.learnt(self._pictures, self._pictures.pixels, means, sigma)
        self._sigma = np.asarray(cell_sigma(self._params), np.float64)
        z = Latents(self._mean, self._spread).aggregate(rng, 8 * _GRID)
        middles = (np.arange(_GRID) + 0.5) / _GRID
        self._margins = np.quantile(self._cells_at(z, rng).scores, middles, axis=0)
        cohort = self._cohort
        self._similar = Filter(cohort.coding, cohort.coded, cohort.columns)

    def _candidates(self, rng: np.random.Generator) -> Candidates:
        return Candidates(self._mean, self._spread, self._pictures.pixels.shape[1], rng)

    def _images_at(self, z: Floats, rng: np.random.Generator) -> NDArray[np.float32]:
        return self._draws.about(self._decoded(_image, z), rng)

    def _cells_at(self, z: Floats, rng: np.random.Generator) -> Draws:
        shape = self._cohort.coding.shape
        output = self._decoded(_row, z).astype(np.float64)
        scores = drawn_scores(output[:, : shape.n_scores], self._sigma, rng)
        levels = np.empty((len(z), len(shape.levels)), np.int32)
        first = shape.n_scores
        for i, k in enumerate(shape.levels):
            levels[:, i] = drawn_levels(output[:, first : first + k], rng)
            first += k
        return Draws(scores, levels, np.zeros(len(z), np.int32))

    def _mended(
        self, drawn: Draws, places: Floats, z: Floats, rng: np.random.Generator
    ) -> NDArray[np.bool_]:
        """Rid rows of pairs of values that hardly anybody has; tell which have one still."""
        rows = _Rows(self._sigma, lambda z, _: self._decoded(_row, z).astype(np.float64))
        return self._cohort.possible.mend(drawn, places, z, rows, rng)

    def _places(self, drawn: Draws) -> Floats:
        """Give the places of scores among those that the model draws."""
        middles = (np.arange(_GRID) + 0.5) / _GRID
        columns = [
            np.interp(scores, margin, middles)
            for scores, margin in zip(drawn.scores.T, self._margins.T, strict=True)
        ]
        return np.clip(np.column_stack(columns), 1e-7, 1 - 1e-7)

    def _table(self, drawn: Draws, rng: np.random.Generator) -> Any:
        cohort = self._cohort
        small = cohort.rebuilt(cohort.arrays(drawn, self._places(drawn)))
        return cohort.table.restored(small, seed=int(rng.integers(2**31))).native()

    def _decoded(self, decode: Callable[..., Any], z: Floats) -> NDArray[np.float32]:
        return in_blocks(decode, self._params, z)

    def _check_fitted(self) -> None:
        if not hasattr(self, "_similar"):
            raise ParameterError("There is nothing to draw from yet: call fit first.")


class _Rows(NamedTuple):
    """The half of the decoder that tells of rows."""

    sigma: Floats
    outputs: Callable[[Floats, NDArray[np.int32]], Floats]


_image = jax.jit(decode_image)
_row = jax.jit(decode_table)
