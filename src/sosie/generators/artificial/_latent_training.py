"""Training of a model by the bound with a Riemannian flow, for any encoder and decoder."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, NamedTuple, Protocol

import jax
import jax.numpy as jnp
import numpy as np
import optax

from sosie.errors import DataError
from sosie.generators.artificial._compiled import keep_compiled, on_one_thread
from sosie.generators.artificial._flow import flow
from sosie.generators.artificial._image_law import log_normal
from sosie.generators.artificial._latent_metric import metric_of
from sosie.generators.artificial._person_rows import rows_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from jax import Array
    from numpy.typing import NDArray

    from sosie.generators.artificial._metric import CentroidMetric

    Params = dict[str, Array]
    Data = tuple[Array, ...]

__all__ = ["Fitted", "Law", "Recipe", "bound", "epoch", "fitted", "new_state", "posterior"]

keep_compiled()
on_one_thread()

_DRAWS = 8
"""Draws of every image held out; always the same ones, so that epochs compare."""

_TOLD = 4
"""Rows of a person held out that the bound is taken of, at most."""

_WARM = 50
"""Steps in which the rate rises: the first ones of Adam are as long as any, and blind."""

_BLOCK = 256
"""Persons encoded at once: one compiled shape for all."""


class Law(Protocol):
    """What is trained: hashable, because compiled functions are kept for it."""

    def encode(self, params: Params, data: Data) -> tuple[Array, Array]:
        """Give the mean and log standard deviation of q(z | x), each of shape (b, d)."""
        ...

    def log_joint(self, params: Params, data: Data, z: Array) -> Array:
        """Give log p(x, z), of shape (b,), each from its own row only."""
        ...


class Recipe(NamedTuple):
    """How to train; the same for all images unless measured otherwise."""

    flow_steps: int = 0
    step_size: float = 0.3
    epochs: int = 400
    patience: int = 40
    batch: int = 64
    paces: tuple[tuple[float, float], ...] = ((3e-4, 1.0), (1e-3, 1.0))
    """Each a rate and a decay of the weights of the residual networks; the best is kept."""
    held_out: float = 0.2


class Fitted(NamedTuple):
    """What training found."""

    params: Params
    history: list[float]
    """Held-out bound at the start and after every epoch, in nats a person."""
    epochs: int
    """Epochs at the best of them."""


def bound(
    law: Law,
    params: Params,
    data: Data,
    metric: CentroidMetric,
    key: Array,
    steps: int,
    step_size: Array | float,
) -> Array:
    """Draw the lower bound of the log likelihood of every person, of shape (b,).

    References
    ----------
    .. [1] G. Roeder, Y. Wu, D. Duvenaud, "Sticking the landing: simple, lower-variance
       gradient estimators for variational inference", NeurIPS 2017.
    """
    mean, log_sigma = law.encode(params, data)

    def log_joint(z: Array) -> Array:
        return law.log_joint(params, data, z)

    if steps == 0:
        # The gradient along the path alone: the same on average, and without noise where the
        # encoder is right, as it is at the start.
        noise = jax.random.normal(key, mean.shape, mean.dtype)
        z = mean + jnp.exp(log_sigma) * noise
        still = jax.lax.stop_gradient
        return log_joint(z) - log_normal(z, still(mean), still(log_sigma))
    return flow(key, log_joint, metric, mean, log_sigma, steps=steps, step_size=step_size).bound


@partial(jax.jit, static_argnames=("law", "steps"))
def epoch(
    law: Law,
    params: Params,
    state: optax.OptState,
    data: Data,
    metric: CentroidMetric,
    rows: Array,
    key: Array,
    pace: Array,
    step_size: Array | float,
    steps: int,
) -> tuple[Params, optax.OptState]:
    """Make one step of Adam for every line of ``rows``, of shape (steps an epoch, batch)."""
    optimiser = _optimiser(pace)

    def loss(params: Params, batch: Data, key: Array) -> Array:
        return -bound(law, params, batch, metric, key, steps, step_size).mean()

    def step(
        carry: tuple[Params, optax.OptState], given: tuple[Array, Array]
    ) -> tuple[tuple[Params, optax.OptState], None]:
        params, state = carry
        rows, key = given
        slope = jax.grad(loss)(params, tuple(values[rows] for values in data), key)
        change, state = optimiser.update(slope, state, params)
        return (optax.apply_updates(params, change), state), None

    keys = jax.random.split(key, len(rows))
    return jax.lax.scan(step, (params, state), (rows, keys))[0]


@partial(jax.jit, static_argnames=("law", "steps"))
def _mean_bound(
    law: Law,
    params: Params,
    data: Data,
    metric: CentroidMetric,
    key: Array,
    step_size: Array | float,
    steps: int,
) -> Array:
    keys = jax.random.split(key, _DRAWS)
    draws = jax.lax.map(
        lambda one: bound(law, params, data, metric, one, steps, step_size).mean(), keys
    )
    return draws.mean()


@partial(jax.jit, static_argnames="law")
def _encoded(law: Law, params: Params, data: Data) -> tuple[Array, Array]:
    return law.encode(params, data)


def posterior(
    law: Law, params: Params, data: tuple[NDArray[np.float32], ...]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Give the means and the standard deviations of the latents of persons, (n, d) each."""
    n, found = len(data[0]), []
    for first in range(0, n, _BLOCK):
        rows = np.arange(first, min(first + _BLOCK, n))
        padded = np.resize(rows, _BLOCK)
        mean, log_sigma = _encoded(law, params, tuple(values[padded] for values in data))
        found.append((np.asarray(mean)[: len(rows)], np.exp(log_sigma)[: len(rows)]))
    mean, sigma = (np.concatenate(parts) for parts in zip(*found, strict=True))
    return mean, sigma


def _optimiser(pace: Array) -> optax.GradientTransformation:
    def residual(params: Params) -> dict[str, bool]:
        return {name: name.endswith(("_in", "_out")) for name in params}

    rate, decay = pace[0], pace[1]
    return optax.chain(
        optax.clip_by_global_norm(100.0),
        optax.adamw(optax.linear_schedule(0, rate, _WARM), weight_decay=decay, mask=residual),
    )


def new_state(params: Params) -> optax.OptState:
    """Give the state of the optimiser at the start, the same for every pace."""
    return _optimiser(jnp.zeros(2)).init(params)


def fitted(
    law: Law,
    begin: Callable[[NDArray[np.intp]], Params],
    data: tuple[NDArray[np.float32], ...],
    recipe: Recipe,
    rng: np.random.Generator,
    progress: Callable[[float], None] | None = None,
    each: int = 1,
) -> Fitted:
    """Train on some persons, see on the others when to stop, then train on all as long.

    The metric is that of the encoder's posteriors, made anew at every epoch and constant
    within it: the bound holds for any metric, and none can be inflated to raise it.

    Parameters
    ----------
    law : Law
    begin : callable
        Gives the parameters at the start from the numbers of some persons.
    data : tuple of ndarray, each of n rows, or of n x each
    recipe : Recipe
    rng : Generator
    progress : callable, optional
        Told the share of the work done, from 0 to 1.
    each : int
        Rows of each person: those of all, then again those of all. An epoch sees one of them,
        drawn anew; a person who is held out is so with all.

    Raises
    ------
    DataError
        If the bound is no number any more.
    """
    n = len(data[0]) // each
    order = rng.permutation(n)
    n_held = max(round(recipe.held_out * n), 5)
    held, kept = order[:n_held], order[n_held:]
    batch = min(recipe.batch, len(kept))
    steps = -(-len(kept) // batch)
    whole = tuple(jnp.asarray(values) for values in data)
    seen = rows_of(held, n, min(each, _TOLD))
    unseen = tuple(values[seen] for values in whole)
    seed, start_seed = (int(rng.integers(2**31)) for _ in range(2))
    still = jax.random.key(seed)
    eps, k = recipe.step_size, recipe.flow_steps

    def run(
        persons: NDArray[np.intp], pace: Array, epochs: int
    ) -> Iterator[tuple[int, Params, CentroidMetric]]:
        """Give the parameters and the metric after every epoch, from 0."""
        params, turn = begin(persons), np.random.default_rng(start_seed)
        state = new_state(params)
        of = persons[: len(kept)]  # one compiled shape for both runs
        for done in range(epochs + 1):
            if k or not done:  # no flow, no use for another
                mean, sigma = posterior(law, params, tuple(values[of] for values in data))
                metric = metric_of(mean, sigma)
            yield done, params, metric
            if done == epochs:
                return
            who = np.resize(turn.permutation(persons), (steps, batch))
            rows = jnp.asarray(who + n * turn.integers(each, size=who.shape))
            key = jax.random.key(int(turn.integers(2**31)))
            params, state = epoch(
                law, params, state, whole, metric, rows, key, pace, eps, k
            )  # fmt: skip

    tried = []
    for i, pace in enumerate(jnp.asarray(recipe.paces, jnp.float32)):
        history: list[float] = []
        best = 0
        for done, params, metric in run(kept, pace, recipe.epochs):
            value = float(_mean_bound(law, params, unseen, metric, still, eps, k))
            if not history or np.isfinite(value):
                history.append(_finite(value))
            else:  # a pace too bold ends there; what it found before counts
                break
            best = done if history[-1] > history[best] else best
            if done - best >= recipe.patience:
                break
            if progress:
                progress((i + done / (recipe.epochs + 1)) / (len(recipe.paces) + 1))
        tried.append((history[best], -i, best, history, pace))
    # A pace that went well without the persons held out may not with them: then the next best.
    for found in sorted(tried, key=lambda found: found[:2], reverse=True):
        _, _, best, history, pace = found
        *_, (_, params, metric) = run(order, pace, best)
        value = float(_mean_bound(law, params, unseen, metric, still, eps, k))
        if np.isfinite(value):
            break
    if progress:
        progress(1.0)
    _finite(value)
    return Fitted(params, history, best)


def _finite(value: float) -> float:
    if not np.isfinite(value):
        raise DataError(
            "Training diverged: the bound is no number any more and nothing was kept. Use fewer "
            "latent dimensions."
        )
    return value
