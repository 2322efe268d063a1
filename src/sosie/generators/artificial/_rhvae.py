"""Artificial persons: rows drawn from a variational model of a small cohort."""

from __future__ import annotations

import secrets
from numbers import Real
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import jax.numpy as jnp
import numpy as np
import polars as pl

from sosie.errors import ParameterError
from sosie.generators._parameters import Parameters
from sosie.generators.artificial import _latent_tables
from sosie.generators.artificial._choices import check_whole, most_factors
from sosie.generators.artificial._cohort import Cohort
from sosie.generators.artificial._completion import Completion
from sosie.generators.artificial._conditions import balanced_levels, conditions_of
from sosie.generators.artificial._draws import Model
from sosie.generators.artificial._filter import Filter
from sosie.generators.artificial._nearness import strictness
from sosie.generators.artificial._networks import known_cells, linear, start
from sosie.generators.artificial._room import check_rows
from sosie.generators.artificial._rows import Rows
from sosie.generators.artificial._store import Stored, begun, generator_in, read, said_of, write
from sosie.generators.artificial._training import Course, Recipe, train
from sosie.generators.artificial._unseen import Unseen, emptied, unseen
from sosie.table import Table

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

__all__ = ["RHVAE"]

_HIDDEN = 64


class RHVAE(Parameters):
    """Draw artificial persons from a model learnt on 30 to some thousand persons.

    A variational auto-encoder of typed columns that begins as a Gaussian copula of few
    factors, with a covariance of their own in every stratum, and learns what that leaves out.
    Numbers, dates and levels in an order, their own or one that other columns tell, are normal
    scores; a draw takes its noise from the likelihood and its values from the margins of the
    original, so ranges, spikes, whole numbers and types hold. Missing cells are learnt from
    what is known of the person, and drawn as often and together as they were.

    Parameters
    ----------
    latent_dim : int, optional
        Latent dimensions; by default the most with which the factor model it begins with tells
        persons held out as well as the best number does, by one standard error.
    seed : int, optional
        Same input, parameters and seed give the same rows. Drawn afresh where not given.
    temper : float
        Law of the latent: 0 is the posteriors of the persons, the nearest to them; 1 the
        prior, which remembers nobody.
    epochs : int
        Most epochs of training; it stops before when persons held out gain no more.
    stratum : str, optional
        A column of levels without missing cells in each of which numbers have margins of
        their own: the outcome, where there is one, for its bonds are then kept best.
        ``"auto"`` (default) finds the one that tells most of numbers, if any does: of their
        margins, or else of their correlations; None for none.

    Attributes
    ----------
    table_ : Table
        The original.
    latent_dim_ : int
    bound_ : float
        Lower bound of the log likelihood of persons held out, in nats a person.
    history_ : list of float
        That bound at the start, where the model is linear, and after every epoch: at first of
        the encoder alone, then of all.
    stratum_ : str or None
    kept_by_filter_ : float
        Share of the rows drawn first that stand farther from every person than the 5 %
        nearest persons, of those who miss the same cells, stand from each other; or up to 40 %
        where models of half the persons draw rows nearer to these than to the other half.
    ess_ : float
        Effective number of different latents that the last rows were drawn from: at most
        the rows, and no number of persons.
    seed_ : int

    Examples
    --------
    >>> import polars as pl
    >>> rng = np.random.default_rng(0)
    >>> age = rng.normal(50, 10, 60).round()
    >>> persons = pl.DataFrame({"age": age, "ill": rng.random(60) < age / 100})
    >>> model = RHVAE(latent_dim=1, epochs=2).fit(persons)
    >>> drawn = model.sample(5, where={"ill": True})
    >>> drawn.shape, drawn.schema == persons.schema, bool(drawn["ill"].all())
    ((5, 2), True, True)
    """

    def __init__(
        self,
        latent_dim: int | None = None,
        seed: int | None = None,
        *,
        temper: float = 0.8,
        epochs: int = 600,
        stratum: str | None = "auto",
    ) -> None:
        self.latent_dim = latent_dim
        self.seed = seed
        self.temper = temper
        self.epochs = epochs
        self.stratum = stratum

    def fit(self, data: Any, progress: Callable[[float], None] | None = None) -> Self:
        """Learn from the table of persons.

        Parameters
        ----------
        data : Table or dataframe
            pandas, polars, pyarrow or any other that Narwhals knows.
        progress : callable, optional
            Told the share of the work done, from 0 to 1.

        Raises
        ------
        DataError
            If the table holds what an artificial one may not, has fewer than 30 persons or
            a column that nobody has, or if training diverges.
        ParameterError
            If a parameter is out of range.
        """
        self._check_parameters()
        self.__dict__.pop("_model", None)
        self.seed_ = secrets.randbelow(2**53) if self.seed is None else self.seed
        fit_rng, self._draw_seed = self._generators()
        self._take(Table.of(data))
        self._index = getattr(data, "index", None)
        coding, coded = self._cohort.coding, self._cohort.coded
        self.latent_dim_ = most_factors(
            self.latent_dim, linear(coded), known_cells(coded, coding.shape), fit_rng
        )
        self._strictness = strictness(self._cohort, self.latent_dim_, self.temper, fit_rng)
        start_seed = int(fit_rng.integers(2**31))

        def begin(rows: NDArray[np.intp]) -> dict[str, Any]:
            return self._begun(rows, np.random.default_rng(start_seed))

        recipe = Recipe(epochs=self.epochs)
        trained = train(begin, coded, coding.shape, recipe, fit_rng, progress)
        self.history_, self.bound_ = trained.history, max(trained.history)
        self._course = trained.course
        self._learnt(trained.params, fit_rng)
        return self

    def _take(self, table: Table) -> None:
        """Code the table of persons."""
        self._cohort = cohort = Cohort(table, self.stratum)
        self.table_, self.stratum_ = table, cohort.coding.stratum

    def _learnt(self, params: dict[str, Any], rng: np.random.Generator) -> None:
        """Take the parameters of a model of the table; ``rng`` is what it tables margins by."""
        self._params, self._margins_by = params, rng.bit_generator.state
        cohort = self._cohort
        self._filter = Filter(cohort.coding, cohort.coded, cohort.columns, self._strictness)
        self._model = Model(params, cohort.coding, cohort.coded, self.temper, rng)
        self._completion = Completion(cohort, self._model, self._begun, self._course, self.seed_)

    def sample(
        self, n: int, where: Mapping[str, Any] | None = None, *, balance: str | None = None
    ) -> Any:
        """Draw artificial persons.

        Parameters
        ----------
        n : int
            Rows to draw.
        where : mapping of column to value or range, optional
            What every row has to be: a label, a number, or ``(low, high)``, None for an open
            end. Dates as dates or text.
        balance : str, optional
            A column of levels, each of which is to have as many rows.

        Returns
        -------
        dataframe
            Of the kind that was given to :meth:`fit`.

        Raises
        ------
        ParameterError
            If nobody in the table has what is asked for, nothing was learned yet, or memory
            does not hold so many rows.
        """
        return self.sample_table(n, where, balance=balance).native()

    def sample_table(
        self, n: int, where: Mapping[str, Any] | None = None, *, balance: str | None = None
    ) -> Table:
        """Draw artificial persons as a table; see :meth:`sample`."""
        self._check_fitted()
        check_whole("n", n, 1)
        check_rows(self.table_, n)
        rng = np.random.default_rng(self._draw_seed)
        asked = conditions_of(self.table_, where)
        parts = [(n, asked)]
        if balance is not None:
            levels = balanced_levels(self.table_, balance, asked, n)
            ends = np.linspace(0, n, len(levels) + 1).round().astype(int)
            sizes = np.diff(ends).tolist()
            parts = [(m, [*asked, level]) for m, level in zip(sizes, levels, strict=True)]
        rows = Rows(self._cohort, self._model, self._filter, rng)
        frames = [rows.drawn(m, conditions) for m, conditions in parts]
        self.ess_, self.kept_by_filter_ = rows.ess, rows.kept / rows.tried
        frame = pl.concat(frames)[rng.permutation(n)]
        small = self._cohort.free.taken(np.zeros(0, np.intp))
        small.frame = frame
        return self.table_.restored(small, seed=int(rng.integers(2**31)))

    def sample_tables(
        self, progress: Callable[[float], None] | None = None
    ) -> tuple[Table, Table | None]:
        """Draw as many artificial persons as there are persons.

        Returns
        -------
        released : Table
        linked : None
            No row is made from one person.
        """
        self._check_fitted()
        return self.sample_table(len(self.table_)), None

    def fit_sample(self, data: Any) -> Any:
        """Learn from the table and draw as many artificial persons."""
        return self.fit(data).sample_tables()[0].native()

    def impute(self, draws: int = 5, *, leave_unseen: bool = False) -> list[Any]:
        """Fill the missing cells of the original from their law given the known ones.

        Parameters
        ----------
        draws : int
            Completed tables to give: their spread is what is not known. Where there are two or
            more, every two come from a model learnt again on persons drawn with replacement
            [1]_, on the two sides of its middle: means over an even number of tables vary little.
            The models are trained, linear, or from three tables on both in turn, whichever
            fill hidden cells of persons held out better.
        leave_unseen : bool
            Whether cells of which no person tells what would stand there (see ``unseen_``) stay
            missing: they may not apply.

        Returns
        -------
        list of dataframe
            Of the kind that was given to :meth:`fit`; known cells and order of rows are kept,
            and of pandas the index.

        References
        ----------
        .. [1] D. B. Rubin, "Multiple Imputation for Nonresponse in Surveys" (1987), chapter 4.
        """
        found = [table.native() for table in self.impute_tables(draws, leave_unseen=leave_unseen)]
        if (index := getattr(self, "_index", None)) is not None:
            for frame in found:
                frame.index = index
        return found

    @property
    def unseen_(self) -> list[Unseen]:
        """Columns that nobody has with some value of another: nobody tells what to fill in."""
        self._check_fitted()
        return unseen(self.table_)

    def impute_tables(self, draws: int = 5, *, leave_unseen: bool = False) -> list[Table]:
        """Fill the missing cells of the original, as tables; see :meth:`impute`."""
        self._check_fitted()
        check_whole("draws", draws, 1)
        found = self._completion.tables(draws)
        if leave_unseen:
            known, left = self.table_.frame, self.unseen_
            for table in found:
                table.frame = emptied(table.frame, known, left)
        return found

    def latent(self) -> tuple[Floats, Floats]:
        """Give the means and the standard deviations of the latents of the persons."""
        return _latent_tables.latent(self)

    def interpolate(self, a: int, b: int, steps: int = 8) -> Any:
        """Give rows along the geodesic between two persons, by their rows."""
        return _latent_tables.interpolate(self, a, b, steps)

    def save(self, folder: str | Path) -> None:
        """Write the model to a folder, whole or not at all, for its owner only.

        The folder holds the table of persons: it is as sensitive as that table. It has JSON,
        TOML, Parquet and arrays, and nothing that runs when it is read.

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
        own = {"_margins_by": self._margins_by, "_strictness": self._strictness}
        said = said_of(self) | own | {"course": self._course}
        arrays = {name: np.asarray(values) for name, values in self._params.items()}
        write(Path(folder), "rows", Stored(said, arrays, self.table_))

    @classmethod
    def load(cls, folder: str | Path, data: Any = None, seed: int | None = None) -> Self:
        """Read a model that :meth:`save` wrote; it draws the same rows for the same seed.

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
            If there is no model, or it was edited, cut short, or made by a newer sosie.
        SchemaError
            If ``data`` has other columns than the model.

        Examples
        --------
        >>> import tempfile
        >>> rng = np.random.default_rng(0)
        >>> persons = pl.DataFrame({"x": rng.normal(size=40), "y": rng.normal(size=40)})
        >>> model = RHVAE(latent_dim=1, seed=0, epochs=0).fit(persons)
        >>> model.save(Path(tempfile.mkdtemp()) / "model")
        """
        stored = read(Path(folder), "rows", data)
        assert stored.table is not None
        model = begun(cls, stored.said, seed)
        model._take(stored.table)
        model._strictness = stored.said["_strictness"]
        pace, *epochs = stored.said["course"]
        model._course = Course(tuple(pace), *epochs)
        rng = generator_in(stored.said["_margins_by"])
        model._learnt({name: jnp.asarray(a) for name, a in stored.arrays.items()}, rng)
        return model

    def _begun(self, rows: NDArray[np.intp], rng: np.random.Generator) -> dict[str, Any]:
        """Give the linear model of the persons of some rows."""
        cohort = self._cohort
        return start(cohort.coded.taken(rows), cohort.coding.shape, self.latent_dim_, _HIDDEN, rng)

    def _generators(self) -> tuple[np.random.Generator, np.random.SeedSequence]:
        fit_seed, draw_seed = np.random.SeedSequence(self.seed_).spawn(2)
        return np.random.default_rng(fit_seed), draw_seed

    def _check_parameters(self) -> None:
        if self.latent_dim is not None:
            check_whole("latent_dim", self.latent_dim, 1)
        if self.seed is not None:
            check_whole("seed", self.seed, 0)
        check_whole("epochs", self.epochs, 0)
        if not isinstance(self.temper, Real) or not 0 <= self.temper <= 1:
            raise ParameterError(f"temper goes from 0 to 1, and is {self.temper!r}.")

    def _check_fitted(self) -> None:
        if not hasattr(self, "_model"):
            raise ParameterError("There is nothing to draw from yet: call fit first.")
