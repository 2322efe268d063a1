"""Artificial images: drawn from a variational model of a few small images with labels."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, Self

import jax
import numpy as np

from sosie.errors import DataError, ParameterError
from sosie.generators._parameters import Parameters
from sosie.generators.artificial._choices import check_latent_dim, check_whole
from sosie.generators.artificial._image_copies import Copies
from sosie.generators.artificial._image_data import Pictures
from sosie.generators.artificial._image_draws import ImageDraws, in_blocks
from sosie.generators.artificial._image_labels import Labels
from sosie.generators.artificial._image_law import ImageLaw
from sosie.generators.artificial._image_networks import (
    decode,
    factors,
    most_factors,
    noise,
    start,
)
from sosie.generators.artificial._image_store import read_image_model, write_image_model
from sosie.generators.artificial._latent_metric import metric_of
from sosie.generators.artificial._latent_neighbours import Neighbourhoods
from sosie.generators.artificial._latent_paths import path_between
from sosie.generators.artificial._latent_training import Recipe, fitted, posterior
from sosie.generators.artificial._room import check_images
from sosie.generators.artificial._sampling import Latents

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import ArrayLike, NDArray

    from sosie.generators.artificial._geodesic import Geodesic

    Floats = NDArray[np.float64]

__all__ = ["LAWS", "Drawn", "ImageRHVAE"]

LAWS = {"fidelity": 0.0, "tempered": 0.5, "manifold": 1.0}
"""Power of the volume element in each law of the latent."""

_HIDDEN = 128
_ROUNDS = 60


class Drawn(NamedTuple):
    """Artificial images, and their labels where the originals had some."""

    images: NDArray[Any]
    labels: NDArray[Any] | None


class ImageRHVAE(Parameters):
    """Draw artificial images from a model learnt on 30 to some thousand small images.

    A Riemannian Hamiltonian variational auto-encoder, one for all labels, so that those of few
    images lean on the others: the label enters encoder, prior and decoder. It begins as a factor
    model of the pixels and learns what that leaves out; pixels have a spread of their own, and
    are cut to black and white as in the originals. It learns from the originals and from copies
    of them, deformed as images of a label are of their neighbours; what is drawn has the texture
    that the decoder leaves out.

    Parameters
    ----------
    latent_dim : int, optional
        By default those of 2 to 48 with which the linear model tells images held out best.
    seed : int, optional
        Same images, parameters and seed give the same draws. Drawn afresh where not given.
    flow_steps : int
        Steps of the Riemannian flow in the bound. None by default: on the images we tried they
        raised the bound of images held out by less than 0.1 nats, at ten times the cost.
    epochs : int
        Most epochs; training stops before when images held out gain no more.

    Attributes
    ----------
    latent_dim_ : int
    bound_ : float
        Lower bound of the log likelihood of images held out and their deformed copies, in nats
        an image.
    history_ : list of float
        That bound at the start, where the model is linear, and after every epoch.
    labels_ : list
        Labels, in order; ``[None]`` without.
    kept_by_filter_ : float
        Share of the images drawn last that stand farther from every original than the 5 %
        nearest originals stand from each other; the others were drawn again.
    ess_ : float
        Effective number of different latents that the last images were drawn from.
    seed_ : int

    References
    ----------
    .. [1] C. Chadebec, E. Thibeau-Sutre, N. Burgos, S. Allassonnière, "Data augmentation in
       high dimensional low sample size setting using a geometry-based variational
       autoencoder", IEEE TPAMI, 2022 (arXiv:2105.00026).
    .. [2] O. Rybkin, K. Daniilidis, S. Levine, "Simple and effective VAE training with
       calibrated decoders", ICML 2021 (a learnt scale against collapse).

    Examples
    --------
    >>> rng = np.random.default_rng(0)
    >>> images = rng.random((40, 8, 8)) * rng.random((40, 1, 1))
    >>> model = ImageRHVAE(latent_dim=1, seed=0, epochs=0).fit(images, [0, 1] * 20)
    >>> drawn = model.sample(6, balance=True)
    >>> drawn.images.shape, np.bincount(drawn.labels).tolist()
    ((6, 8, 8), [3, 3])
    """

    def __init__(
        self,
        latent_dim: int | None = None,
        seed: int | None = None,
        *,
        flow_steps: int = 0,
        epochs: int = 400,
    ) -> None:
        self.latent_dim = latent_dim
        self.seed = seed
        self.flow_steps = flow_steps
        self.epochs = epochs

    def fit(
        self,
        images: Any,
        labels: ArrayLike | None = None,
        progress: Callable[[float], None] | None = None,
    ) -> Self:
        """Learn from images.

        Parameters
        ----------
        images : array of shape (n, h, w) or (n, h, w, colours), or list of arrays
            8 x 8 to 64 x 64, grey or colour; uint8, or floats from 0 to 1.
        labels : array of shape (n,), optional
        progress : callable, optional
            Told the share of the work done, from 0 to 1.

        Raises
        ------
        DataError
            If there are fewer than 30 images, or they are of unequal sizes, out of range, no
            numbers or all the same, or if training diverges.
        ParameterError
            If a parameter is out of range.
        """
        self._check_parameters()
        self.__dict__.pop("metric_", None)  # nothing is drawn from what a fit that fails leaves
        pictures = Pictures.of(images)
        known = Labels.of(labels, len(pictures))
        codes, c = known.codes, len(known.names)
        if not (np.ptp(pictures.pixels, axis=0) > 0).any():
            raise DataError("All images are the same: there is nothing to tell them apart.")
        self.seed_ = secrets.randbelow(2**53) if self.seed is None else self.seed
        fit_seed, self._draw_seed = np.random.SeedSequence(self.seed_).spawn(2)
        rng = np.random.default_rng(fit_seed)
        x = pictures.pixels.astype(np.float64)
        copies = Copies.of(x.reshape(-1, *pictures.shape), codes, rng)
        self.latent_dim_ = self._chosen(copies, c, rng)
        start_seed = int(rng.integers(2**31))

        def begin(persons: NDArray[np.intp]) -> dict[str, Any]:
            some = copies.some(persons)
            linear = copies.pixels[some].astype(np.float64)
            found = factors(linear, copies.codes[some], c, self.latent_dim_)
            return start(found, _HIDDEN, np.random.default_rng(start_seed))

        data = (copies.pixels, known.one_of(copies.codes))
        recipe = Recipe(flow_steps=self.flow_steps, epochs=self.epochs)
        trained = fitted(ImageLaw(), begin, data, recipe, rng, progress, copies.each)
        self.history_, self.bound_ = trained.history, max(trained.history)
        self._learnt(trained.params, pictures, known)
        mean, sigma = self._encoded(data)
        some = copies.some(np.arange(copies.n))
        z = mean[some] + sigma[some] * rng.standard_normal((len(some), self.latent_dim_))
        means, spread = self._decoded(z, data[1][some]), np.asarray(noise(self._params))
        draws = ImageDraws.learnt(pictures, copies.pixels[some], means, spread)
        self._settle(mean, sigma, copies.codes, copies.person, draws)
        return self

    def _learnt(self, params: dict[str, Any], pictures: Pictures, known: Labels) -> None:
        """Take networks, and the originals that they were learnt on."""
        self._params, self._pictures = params, pictures
        self.labels_, self._labels = known.names, known

    def _settle(
        self,
        mean: Floats,
        sigma: Floats,
        codes: NDArray[np.intp],
        person: NDArray[np.intp],
        draws: ImageDraws,
    ) -> None:
        """Take what draws need besides: where latents are, and what is drawn about means."""
        self._around = Neighbourhoods(mean, sigma, codes, person)
        n = len(self._pictures)
        self._mean, self._spread = mean[:n], sigma[:n]
        self._draws = draws
        self.metric_ = metric_of(self._mean, self._spread)

    def sample(
        self,
        n: int,
        labels: ArrayLike | None = None,
        *,
        balance: bool = False,
        label: Any = None,
        law: str = "fidelity",
    ) -> Drawn:
        """Draw artificial images.

        Parameters
        ----------
        n : int
        labels : array of shape (n,), optional
            The label of each; drawn in the shares of the originals where nothing is asked.
        balance : bool
            Each label as often.
        label : optional
            This one only.
        law : {"fidelity", "tempered", "manifold"}
            Where latents are drawn from, label by label: the posteriors of the originals and
            their deformed copies, moved among their neighbours; the uniform law of the
            manifold that the originals make (more diverse); the mean of that and their
            posteriors, as powers. The last two by importance resampling: see ``ess_``.

        Returns
        -------
        Drawn
            Images of the size and type of the originals, and labels.

        Raises
        ------
        ParameterError
            If nothing was learnt yet, no image has a label asked for, two things are asked for
            at once, or memory does not hold so many images.
        """
        self._check_fitted()
        check_whole("n", n, 1)
        check_images(self._pictures.shape, n)
        if law not in LAWS:
            raise ParameterError(f"law is one of {', '.join(LAWS)}, not {law!r}.")
        rng = np.random.default_rng(self._draw_seed)
        codes = self._labels.asked(n, labels, balance, label, rng)
        pixels = np.empty((n, self._pictures.pixels.shape[1]), np.float32)
        tried = kept = 0
        self.ess_ = 0.0
        for code in np.unique(codes):
            rows = np.flatnonzero(codes == code)
            open_rows = rows
            for round_ in range(_ROUNDS):
                z, worth = self._latents(len(open_rows), int(code), LAWS[law], rng)
                one_of = self._labels.one_of(np.full(len(z), code))
                drawn = self._draws.about(self._decoded(z, one_of), rng)
                near = self._draws.too_near(drawn)
                pixels[open_rows] = drawn
                if round_ == 0:
                    tried, kept = tried + len(near), kept + int((~near).sum())
                    self.ess_ += worth
                open_rows = open_rows[near]
                if not len(open_rows):
                    break
            else:
                raise DataError(
                    "Images that differ enough from every original could not be drawn: the "
                    "originals hardly vary, or have nothing in common."
                )
        self.kept_by_filter_ = kept / tried
        names = None if self.labels_ == [None] else np.asarray(self.labels_)[codes]
        return Drawn(self._pictures.restored(pixels), names)

    def latent(self, images: Any = None, labels: ArrayLike | None = None) -> tuple[Floats, Floats]:
        """Give the posterior of the latent of images; of the originals where none are given.

        Returns
        -------
        mean, sigma : ndarray of shape (n, latent_dim_)

        Raises
        ------
        DataError
            If images are not of the size of the originals.
        ParameterError
            If labels are needed and not given, or unknown.
        """
        self._check_fitted()
        if images is None:
            return self._mean.copy(), self._spread.copy()
        pictures = self._pictures.like(images)
        one_of = self._labels.one_of(self._labels.told(labels, len(pictures)))
        return self._encoded((pictures.pixels, one_of))

    @property
    def originals_(self) -> tuple[NDArray[Any], NDArray[Any] | None]:
        """Images learnt from, and their labels where they had some."""
        self._check_fitted()
        pictures, known = self._pictures, self._labels
        names = None if known.names == [None] else np.asarray(known.names)[known.codes]
        return pictures.restored(pictures.pixels), names

    def geodesic(self, a: int, b: int, segments: int = 32) -> Geodesic:
        """Find the shortest path of the latent space between two originals, by their rows."""
        self._check_fitted()
        start, end = (self._mean[self._row(row)] for row in (a, b))
        return path_between(self.metric_, start, end, segments)

    def interpolate(self, a: int, b: int, steps: int = 8) -> NDArray[Any]:
        """Give images along the geodesic between two originals, by their rows.

        Means of the pixels, without noise: each image is the mean of what could stand there.
        The label goes evenly from that of the first to that of the second.

        Parameters
        ----------
        a, b : int
        steps : int
            Images, the two ends included.

        Returns
        -------
        ndarray of shape (steps, h, w) or (steps, h, w, colours)
        """
        check_whole("steps", steps, 2)
        points = np.asarray(self.geodesic(a, b, steps - 1).points)
        share = np.linspace(0, 1, steps, dtype=np.float32)[:, None]
        one_of = self._labels.one_of(self._labels.codes[[a, b]])
        between = (1 - share) * one_of[0] + share * one_of[1]
        return self._pictures.restored(self._decoded(points, between))

    def save(self, folder: str | Path) -> None:
        """Write the model to a folder, whole or not at all, for its owner only.

        The folder holds the originals: it is as sensitive as they are. It has JSON and arrays,
        and nothing that runs when it is read.

        Parameters
        ----------
        folder : str or Path
            To be made; one that holds a model is replaced.

        Raises
        ------
        DataError
            If it cannot be written, or is a folder of something else.
        ParameterError
            If nothing was learnt yet, or labels are neither text nor numbers.
        """
        self._check_fitted()
        write_image_model(self, Path(folder))

    @classmethod
    def load(cls, folder: str | Path, seed: int | None = None) -> Self:
        """Read a model that :meth:`save` wrote; it draws the same images for the same seed.

        Parameters
        ----------
        folder : str or Path
        seed : int, optional
            Of draws; by default that of the model.

        Raises
        ------
        DataError
            If there is no model of images, or it was edited, cut short, or made by another
            version of sosie.

        Examples
        --------
        >>> import tempfile
        >>> images = np.random.default_rng(0).random((40, 8, 8))
        >>> model = ImageRHVAE(latent_dim=1, seed=0, epochs=0).fit(images)
        >>> folder = Path(tempfile.mkdtemp()) / "model"
        >>> model.save(folder)
        >>> again = ImageRHVAE.load(folder)
        >>> bool((again.sample(3).images == model.sample(3).images).all())
        True
        """
        return read_image_model(cls, Path(folder), seed)

    def _latents(
        self, n: int, code: int, alpha: float, rng: np.random.Generator
    ) -> tuple[Floats, float]:
        """Draw latents of a label, and tell how many different ones they are worth."""
        if alpha == 0:
            return self._around.draw(code, n, rng), float(n)
        rows = self._labels.codes == code
        latents = Latents(self._mean[rows], self._spread[rows])
        metric = metric_of(self._mean[rows], self._spread[rows])
        z = latents.resampled(rng, n, alpha, metric).z
        counts = np.unique(z, axis=0, return_counts=True)[1]
        return z, float(n**2 / (counts**2).sum())

    def _encoded(self, data: tuple[NDArray[np.float32], ...]) -> tuple[Floats, Floats]:
        mean, sigma = posterior(ImageLaw(), self._params, data)
        return mean.astype(np.float64), sigma.astype(np.float64)

    def _decoded(self, z: Floats, one_of: NDArray[np.float32]) -> NDArray[np.float32]:
        return in_blocks(_decode, self._params, z, one_of)

    def _chosen(self, copies: Copies, n_labels: int, rng: np.random.Generator) -> int:
        if self.latent_dim is None:
            return most_factors(copies.pixels, copies.codes, n_labels, rng, copies.each)
        return check_latent_dim(self.latent_dim, copies.n, copies.pixels.shape[1], "images")

    def _row(self, row: int) -> int:
        check_whole("the row of an original", row, 0)
        if row >= len(self._labels.codes):
            raise ParameterError(
                f"There is no original {row}: rows go from 0 to {len(self._labels.codes) - 1}."
            )
        return row

    def _check_parameters(self) -> None:
        if self.latent_dim is not None:
            check_whole("latent_dim", self.latent_dim, 1)
        if self.seed is not None:
            check_whole("seed", self.seed, 0)
        check_whole("flow_steps", self.flow_steps, 0)
        check_whole("epochs", self.epochs, 0)

    def _check_fitted(self) -> None:
        if not hasattr(self, "metric_"):
            raise ParameterError("There is nothing to draw from yet: call fit first.")


@jax.jit
def _decode(params: dict[str, Any], z: jax.Array, label: jax.Array) -> jax.Array:
    return decode(params, z, label)
