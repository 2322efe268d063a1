"""Training: Adam on the bound, stopped where persons held out gain no more.

First the encoder alone learns the posterior of the model that training begins at. Where cells are
missing or shared by many it does not know it yet, and a bound that rises for that reason says
nothing of the decoder: trained at once, this could leave the linear model for a worse one.
"""

from __future__ import annotations

from collections import deque
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax

from sosie.errors import DataError
from sosie.generators.artificial._compiled import keep_compiled, on_one_thread
from sosie.generators.artificial._likelihoods import log_prob
from sosie.generators.artificial._networks import decode, encode, sigmas

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jax import Array
    from numpy.typing import NDArray

    from sosie.generators.artificial._coding import Coded, Shape
    from sosie.generators.artificial._networks import Params

__all__ = ["Course", "Recipe", "Trained", "bound", "train", "trained_alike"]

_DRAWS = 8
"""Draws of every person held out; always the same ones, so that epochs compare."""


_WARM = 100
"""Steps in which the rate rises: the first ones of Adam are as long as any, and blind."""

keep_compiled()
on_one_thread()


_SETTLING = (3e-3, 0.3)
"""Pace of the encoder alone."""


class Recipe(NamedTuple):
    """How to train; the same for every table unless measured otherwise.

    Each pace, a rate and a weight decay, is tried: a slow one that hardly leaves the linear
    model, as ten persons a column ask for, and a bold one that bends where there is a bend.
    """

    epochs: int = 600
    patience: int = 60
    batch: int = 64
    paces: tuple[tuple[float, float], ...] = ((3e-4, 3.0), (3e-3, 0.3))
    held_out: float = 0.2


class Course(NamedTuple):
    """A pace, for how many epochs, and after how many of the encoder alone."""

    pace: tuple[float, float]
    epochs: int
    settling: int


class Trained(NamedTuple):
    """What training found.

    Attributes
    ----------
    params : dict of str to array
    history : list of float
        Held-out bound at the start and after every epoch, in nats a person.
    course : Course
        The best of those tried.
    """

    params: Params
    history: list[float]
    course: Course


def bound(params: Params, data: tuple[Array, ...], shape: Shape, noise: Array) -> Array:
    """Give the lower bound of the log likelihood of every person, of shape (b,).

    Parameters
    ----------
    params : dict of str to array
    data : tuple of array
        As :meth:`Coded.arrays` gives it.
    shape : Shape
    noise : array of shape (b, d)
        Standard normal: of one draw of z a person.
    """
    point, low, high, seen, level, stratum = data
    mean, log_sigma = encode(params, point, seen, level, stratum)
    z = mean + jnp.exp(log_sigma) * noise
    said = log_prob(decode(params, z, stratum), sigmas(params), shape, low, high, seen, level)
    divergence = 0.5 * (mean**2 + jnp.exp(2 * log_sigma) - 2 * log_sigma - 1).sum(1)
    return said - divergence


@partial(jax.jit, static_argnames=("shape", "whole"))
def _epoch(
    params: Params,
    state: optax.OptState,
    data: tuple[Array, ...],
    rows: Array,
    noise: Array,
    pace: Array,
    shape: Shape,
    whole: bool,
) -> tuple[Params, optax.OptState]:
    """Make one step for every line of ``rows``, of shape (steps, batch).

    The noise is drawn outside: it is then the same on every device, and compiles at once.
    """
    optimiser = _optimiser(pace, whole)

    def loss(params: Params, batch: tuple[Array, ...], noise: Array) -> Array:
        return -bound(params, batch, shape, noise).mean()

    def step(
        carry: tuple[Params, optax.OptState], given: tuple[Array, Array]
    ) -> tuple[tuple[Params, optax.OptState], None]:
        params, state = carry
        rows, noise = given
        slope = jax.grad(loss)(params, tuple(values[rows] for values in data), noise)
        change, state = optimiser.update(slope, state, params)
        return (optax.apply_updates(params, change), state), None

    carry, _ = jax.lax.scan(step, (params, state), (rows, noise))
    return carry


@partial(jax.jit, static_argnames="shape")
def _mean_bound(
    params: Params, data: tuple[Array, ...], rows: Array, noise: Array, shape: Shape
) -> Array:
    """Give the bound of the persons of ``rows``, a mean of several draws."""
    held = tuple(values[rows] for values in data)
    return jax.lax.map(lambda one: bound(params, held, shape, one).mean(), noise).mean()


def _optimiser(pace: Array, whole: bool) -> optax.GradientTransformation:
    """Give Adam for all that is learnt, or for the encoder alone."""
    rate, decay = pace[0], pace[1]

    def residual(params: Params) -> dict[str, bool]:
        return {name: name.endswith(("_in", "_out", "_tilt")) for name in params}

    def learnt(params: Params) -> dict[str, str]:
        firsts = ("enc_", "dec_") if whole else "enc_"
        return {name: "learnt" if name.startswith(firsts) else "kept" for name in params}

    adam = optax.chain(
        optax.clip_by_global_norm(10.0),
        optax.adamw(optax.linear_schedule(0, rate, _WARM), weight_decay=decay, mask=residual),
    )
    return optax.multi_transform({"learnt": adam, "kept": optax.set_to_zero()}, learnt)


def train(
    begin: Callable[[NDArray[np.intp]], Params],
    coded: Coded,
    shape: Shape,
    recipe: Recipe,
    rng: np.random.Generator,
    progress: Callable[[float], None] | None = None,
) -> Trained:
    """Train on some persons, see on the others when to stop, then train on all as long.

    Parameters
    ----------
    begin : callable
        Gives the parameters at the start from the rows of some persons.
    coded : Coded
    shape : Shape
    recipe : Recipe
    rng : Generator
    progress : callable, optional
        Told the share of the work done, from 0 to 1.

    Raises
    ------
    DataError
        If the bound is no number any more.
    """
    n = len(coded)
    order = rng.permutation(n)
    n_held = _held(n, recipe)
    held, kept = order[:n_held], order[n_held:]
    course = _Courses(coded, shape, recipe, rng)
    linear = begin(kept)
    d = linear["dec_mean"].shape[0]
    still = jnp.asarray(rng.standard_normal((_DRAWS, n_held, d)), jnp.float32)
    look = partial(_mean_bound, data=course.data, rows=jnp.asarray(held), noise=still, shape=shape)
    parts = len(recipe.paces) + 2

    def best(epochs: Iterator[tuple[int, Params]], part: int) -> _Best:
        found = _Best(linear, 0, [])
        for epoch, params in epochs:
            found.history.append(_finite(float(look(params))))
            if epoch == 0 or found.history[-1] > found.bound:
                found = found._replace(params=params, epochs=epoch)
            if epoch - found.epochs >= recipe.patience:
                break
            if progress:
                progress((part + epoch / (recipe.epochs + 1)) / parts)
        return found

    settled = best(course.settling(linear, kept, recipe.epochs), 0)
    tried = [
        best(course.whole(settled.params, kept, pace, recipe.epochs), 1 + i)
        for i, pace in enumerate(recipe.paces)
    ]
    first = max(range(len(tried)), key=lambda i: tried[i].bound)
    taken = Course(recipe.paces[first], tried[first].epochs, settled.epochs)
    params = course.run(begin(np.arange(n)), np.arange(n), taken)
    if progress:
        progress(1.0)
    _finite(float(look(params)))
    return Trained(params, settled.so_far + tried[first].history[1:], taken)


def trained_alike(
    start: Params,
    coded: Coded,
    shape: Shape,
    course: Course,
    persons: NDArray[np.intp],
    rng: np.random.Generator,
) -> Params:
    """Train from a start on the persons of some rows, repeated or not, as another model was.

    Raises
    ------
    DataError
        If a parameter is no number any more.
    """
    params = _Courses(coded, shape, Recipe(), rng).run(start, persons, course)
    _finite(float(sum(values.sum() for values in params.values())))
    return params


class _Best(NamedTuple):
    """The parameters of the best epoch, which it is, and the bound after every epoch."""

    params: Params
    epochs: int
    history: list[float]

    @property
    def bound(self) -> float:
        return self.history[self.epochs]

    @property
    def so_far(self) -> list[float]:
        return self.history[: self.epochs + 1]


class _Courses:
    """Epochs on some of the persons: the parameters after every one, from 0."""

    def __init__(
        self, coded: Coded, shape: Shape, recipe: Recipe, rng: np.random.Generator
    ) -> None:
        self.data = tuple(jnp.asarray(values) for values in coded.arrays())
        self._shape, self._rng = shape, rng
        self._most, self._kept = recipe.batch, len(coded) - _held(len(coded), recipe)

    def run(self, params: Params, persons: NDArray[np.intp], course: Course) -> Params:
        """Give the parameters at the end of a course."""
        params = _last(self.settling(params, persons, course.settling))
        return _last(self.whole(params, persons, course.pace, course.epochs))

    def settling(
        self, params: Params, persons: NDArray[np.intp], epochs: int
    ) -> Iterator[tuple[int, Params]]:
        """Train the encoder alone."""
        return self._epochs(params, persons, _SETTLING, epochs, whole=False)

    def whole(
        self, params: Params, persons: NDArray[np.intp], pace: tuple[float, float], epochs: int
    ) -> Iterator[tuple[int, Params]]:
        """Train all."""
        return self._epochs(params, persons, pace, epochs, whole=True)

    def _epochs(
        self,
        params: Params,
        persons: NDArray[np.intp],
        pace: tuple[float, float],
        epochs: int,
        *,
        whole: bool,
    ) -> Iterator[tuple[int, Params]]:
        rates = jnp.asarray(pace, jnp.float32)
        state = _optimiser(rates, whole).init(params)
        d = params["dec_mean"].shape[0]
        # As many steps whether persons are held out or not.
        kept = min(len(persons), self._kept)
        batch = min(self._most, kept)
        steps = -(-kept // batch)
        for epoch in range(epochs + 1):
            yield epoch, params
            if epoch == epochs:
                return
            rows = jnp.asarray(np.resize(self._rng.permutation(persons), (steps, batch)))
            noise = jnp.asarray(self._rng.standard_normal((steps, batch, d)), jnp.float32)
            params, state = _epoch(params, state, self.data, rows, noise, rates, self._shape, whole)


def _last(epochs: Iterator[tuple[int, Params]]) -> Params:
    """Give the parameters after the last epoch, and keep no others meanwhile."""
    ((_, params),) = deque(epochs, maxlen=1)
    return params


def _held(n: int, recipe: Recipe) -> int:
    """Give how many of n persons are held out."""
    return max(round(recipe.held_out * n), 5)


def _finite(value: float) -> float:
    if not np.isfinite(value):
        raise DataError(
            "Training diverged: the bound is no number any more and nothing was kept. Use fewer "
            "latent dimensions, or leave out columns that hardly vary."
        )
    return value
