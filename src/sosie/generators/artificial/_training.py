"""Training: Adam on the bound, stopped where persons held out gain no more."""

from __future__ import annotations

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
    """A pace, and for how many epochs."""

    pace: tuple[float, float]
    epochs: int


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


@partial(jax.jit, static_argnames="shape")
def _epoch(
    params: Params,
    state: optax.OptState,
    data: tuple[Array, ...],
    rows: Array,
    noise: Array,
    pace: Array,
    shape: Shape,
) -> tuple[Params, optax.OptState]:
    """Make one step for every line of ``rows``, of shape (steps, batch).

    The noise is drawn outside: it is then the same on every device, and compiles at once.
    """
    optimiser = _optimiser(pace)

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


def _optimiser(pace: Array) -> optax.GradientTransformation:
    rate, decay = pace[0], pace[1]

    def residual(params: Params) -> dict[str, bool]:
        return {name: name.endswith(("_in", "_out", "_tilt")) for name in params}

    def learnt(params: Params) -> dict[str, str]:
        return {name: "kept" if name == "shares" else "learnt" for name in params}

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
    data = tuple(jnp.asarray(values) for values in coded.arrays())
    d = begin(kept)["dec_mean"].shape[0]
    still = jnp.asarray(rng.standard_normal((_DRAWS, n_held, d)), jnp.float32)
    look = partial(_mean_bound, data=data, rows=jnp.asarray(held), noise=still, shape=shape)

    def run(persons: NDArray[np.intp], pace: Array, epochs: int) -> Iterator[tuple[int, Params]]:
        return _run(begin(persons), data, shape, persons, (pace, epochs), recipe, rng)

    tried = []
    for i, pace in enumerate(jnp.asarray(recipe.paces, jnp.float32)):
        history, best = [], 0
        for epoch, params in run(kept, pace, recipe.epochs):
            history.append(_finite(float(look(params))))
            best = epoch if history[-1] > history[best] else best
            if epoch - best >= recipe.patience:
                break
            if progress:
                progress((i + epoch / (recipe.epochs + 1)) / (len(recipe.paces) + 1))
        tried.append((history[best], -i, best, history))
    _, i, best, history = max(tried, key=lambda found: found[:2])
    pace = recipe.paces[-i]
    *_, (_, params) = run(np.arange(n), jnp.asarray(pace, jnp.float32), best)
    if progress:
        progress(1.0)
    _finite(float(look(params)))
    return Trained(params, history, Course(pace, best))


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
    data = tuple(jnp.asarray(values) for values in coded.arrays())
    taken = jnp.asarray(course.pace, jnp.float32), course.epochs
    *_, (_, params) = _run(start, data, shape, persons, taken, Recipe(), rng)
    _finite(float(sum(values.sum() for values in params.values())))
    return params


def _run(
    params: Params,
    data: tuple[Array, ...],
    shape: Shape,
    persons: NDArray[np.intp],
    course: tuple[Array, int],
    recipe: Recipe,
    rng: np.random.Generator,
) -> Iterator[tuple[int, Params]]:
    """Give the parameters after every epoch of a pace, from 0."""
    pace, epochs = course
    state = _optimiser(pace).init(params)
    d = params["dec_mean"].shape[0]
    # As many steps whether persons are held out or not.
    kept = min(len(persons), len(data[0]) - _held(len(data[0]), recipe))
    batch = min(recipe.batch, kept)
    steps = -(-kept // batch)
    for epoch in range(epochs + 1):
        yield epoch, params
        if epoch == epochs:
            return
        rows = jnp.asarray(np.resize(rng.permutation(persons), (steps, batch)))
        noise = jnp.asarray(rng.standard_normal((steps, batch, d)), jnp.float32)
        params, state = _epoch(params, state, data, rows, noise, pace, shape)


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
