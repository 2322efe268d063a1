"""The pieces of evidence.py: each runs alone in its own process and prints one JSON line.

Run by evidence.py, as `python evidence_workers.py PIECE [ARGUMENT]...`; the peers' pieces with
the interpreters of their own environments. What is timed starts after the tables are in memory.
"""

from __future__ import annotations

import sys
import time
import warnings
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from speed_workers import Clock

if TYPE_CHECKING:
    from collections.abc import Callable

    import pandas as pd
    import polars as pl

    from sosie.evidence._case import Case

SEED = 0
ROLES = ("original", "control", "synthetic")
ISOLATION_NEIGHBOURS = 5
LINKED_COLUMNS = (
    ["age", "workclass", "fnlwgt", "education", "marital_status", "sex", "native_country"],
    [
        "education_num",
        "occupation",
        "relationship",
        "race",
        "capital_gain",
        "capital_loss",
        "hours_per_week",
        "income",
    ],
)
"""The files that anonymeter's attacker joins, halves of all columns."""


# Tables


def people(adult: str) -> pl.DataFrame:
    """Adult in a random order; its question marks become a label, alike for every tool."""
    import polars as pl

    frame = pl.read_csv(adult).sample(fraction=1, shuffle=True, seed=SEED)
    return frame.with_columns(pl.col(pl.String).replace("?", "Unknown"))


def tables(adult: str, rows: str, folder: str) -> None:
    """Write so many persons, as many control persons, and avatars of the former."""
    from sosie import Avatar

    n, frame = int(rows), people(adult)
    original, control = frame[:n], frame[n : 2 * n]
    made = Avatar(seed=SEED).fit_sample(original)
    for role, table in zip(ROLES, (original, control, made), strict=True):
        table.write_csv(Path(folder) / f"{role}.csv")


def million(path: str, rows: str, folder: str) -> None:
    """Part a long table in three: the persons, control persons and fresh rows as synthetic."""
    import polars as pl

    for i, role in enumerate(ROLES):
        part = pl.scan_parquet(path).slice(i * int(rows), int(rows))
        part.sink_parquet(Path(folder) / f"{role}.parquet")


def planted(adult: str, rows: str, copies: str, folder: str) -> None:
    """Write persons, control persons, and fresh rows with copies of isolated persons.

    The more copies of the most isolated persons there are, the farther the others still stand
    from their neighbours. Distance: numbers as z-scores, labels as indicators over the root of
    2; isolation: its mean over the 5 nearest other persons.
    """
    import numpy as np
    import polars as pl
    from sklearn.neighbors import NearestNeighbors

    n, frame = int(rows), people(adult)
    original, control, fresh = (frame[i * n : (i + 1) * n] for i in range(3))
    numbers = original.select(pl.selectors.numeric()).to_numpy().astype(float)
    labels = original.select(pl.selectors.string()).to_dummies().to_numpy()
    points = np.hstack([(numbers - numbers.mean(0)) / numbers.std(0), labels / np.sqrt(2)])
    distance, _ = NearestNeighbors(n_neighbors=ISOLATION_NEIGHBOURS).fit(points).kneighbors()
    order = np.argsort(-distance.mean(axis=1), kind="stable")
    original.write_csv(Path(folder) / "original.csv")
    control.write_csv(Path(folder) / "control.csv")
    for count in map(int, copies.split(",")):
        leaky = pl.concat([fresh[count:], original[order[:count].tolist()]])
        leaky.sample(fraction=1, shuffle=True, seed=SEED).write_csv(
            Path(folder) / f"synthetic_{count}.csv"
        )


def read(folder: str, synthetic: str = "synthetic") -> list[pl.DataFrame]:
    """Original, control and synthetic, as Polars frames."""
    import polars as pl

    return [pl.read_csv(Path(folder) / f"{name}.csv") for name in (*ROLES[:2], synthetic)]


def schema_of(frames: list[pl.DataFrame]) -> Any:
    """Say which labels there are: fresh persons may hold one that nobody else holds."""
    import polars as pl

    from sosie.table import Column, Schema

    labels = pl.concat(frames).select(pl.selectors.string())
    return Schema(
        columns=[Column(name=c.name, kind="category", levels=sorted(c.unique())) for c in labels]
    )


def read_pandas(folder: str, synthetic: str = "synthetic") -> list[pd.DataFrame]:
    import pandas as pd

    return [pd.read_csv(Path(folder) / f"{name}.csv") for name in (*ROLES[:2], synthetic)]


def case_of(
    frames: list[pl.DataFrame],
    *,
    persons: int,
    predicates: int = 1,
    learners: bool = False,
    secrets: list[str] | None = None,
    schema: Any = None,
) -> Case:
    """Code original, control and synthetic; one split of the columns, as anonymeter has it."""
    from sosie.evidence._align import align, read_alike
    from sosie.evidence._assess import table_of
    from sosie.evidence._case import EFFORTS, Case

    original, control, synthetic = frames
    table = table_of(original, schema)
    coded = align(table, *(read_alike(other, table, "other") for other in (synthetic, control)))
    names = coded.original.layout.names
    effort = replace(
        EFFORTS["standard"], persons=persons, attacks=predicates, splits=1, learners=learners
    )
    people = coded.original, coded.synthetic, coded.control, None
    return Case(*people, tuple(secrets or names), names, effort=effort)


def lap(told: dict[str, Any], name: str, work: Callable[[], Any]) -> Any:
    """Note the seconds of one step."""
    start = time.perf_counter()
    result = work()
    told[name] = time.perf_counter() - start
    return result


# Attacks


def anonymeter(folder: str, attacks: str, columns: str, secrets: str, jobs: str) -> None:
    """Run anonymeter's three evaluators on the same tables, with a control.

    Its neighbour search is compiled beforehand, on a few rows, and that is told with the imports.
    """
    import numpy as np
    from anonymeter.evaluators import InferenceEvaluator, LinkabilityEvaluator, SinglingOutEvaluator

    warnings.simplefilter("ignore")
    n, parallel = int(attacks), int(jobs)
    original, control, synthetic = read_pandas(folder)
    np.random.seed(SEED)  # noqa: NPY002  (pandas samples with it there)

    def link(size: int, ori: pd.DataFrame, syn: pd.DataFrame, con: pd.DataFrame) -> Any:
        it = LinkabilityEvaluator(ori, syn, LINKED_COLUMNS, size, n_neighbors=10, control=con)
        return it.evaluate(n_jobs=parallel).risk(n_neighbors=10)

    def single_out() -> Any:
        it = SinglingOutEvaluator(original, synthetic, n, int(columns), control, seed=SEED)
        return it.evaluate(mode="multivariate").risk()

    def infer(secret: str) -> Any:
        known = [name for name in original.columns if name != secret]
        numeric = original[secret].dtype.kind in "if"
        it = InferenceEvaluator(original, synthetic, known, secret, numeric, n, control)
        return it.evaluate(n_jobs=parallel).risk()

    link(20, original[:50], synthetic[:50], control[:50])
    clock = Clock()
    told = clock.told
    risks: dict[str, Any] = {}

    def work() -> None:
        risks["singling_out"] = lap(told, "singling_out", single_out)
        risks["linkability"] = lap(
            told, "linkability", lambda: link(n, original, synthetic, control)
        )
        found = lap(told, "inference", lambda: {s: infer(s) for s in secrets_of(secrets, original)})
        risks["inference"] = max(found.values(), key=lambda risk: risk.value)

    clock.time(work)
    told["risks"] = {name: [risk.value, *risk.ci] for name, risk in risks.items()}
    clock.tell()


def secrets_of(secrets: str, frame: Any) -> list[str]:
    return list(frame.columns) if secrets == "all" else secrets.split(",")


def sosie_attacks(folder: str, persons: str, predicates: str, secrets: str, learners: str) -> None:
    """Run sosie's attacks of the same three kinds, with as many attacked."""
    from sosie.evidence.privacy import AttributeInference, Linkability, SinglingOut

    clock = Clock()
    told = clock.told
    frames = read(folder)

    def code() -> Case:
        return case_of(
            frames,
            persons=int(persons),
            predicates=int(predicates),
            learners=learners == "1",
            secrets=secrets_of(secrets, frames[0]),
        )

    def work() -> dict[str, Any]:
        case = lap(told, "coding", code)
        found = lap(told, "singling_out", lambda: SinglingOut().run(case))
        found |= lap(told, "linkability", lambda: Linkability().run(case))
        found |= lap(told, "inference", lambda: AttributeInference().run(case))
        return found

    found = clock.time(work)
    told["attacks"] = {name: finding.n for name, finding in found.items()}
    clock.tell()


# Whole reports


def mostly(folder: str, out: str) -> None:
    """Make mostlyai-qa's report."""
    from mostlyai import qa

    warnings.simplefilter("ignore")
    clock = Clock()
    original, control, synthetic = read_pandas(folder)
    clock.time(
        lambda: qa.report(
            syn_tgt_data=synthetic,
            trn_tgt_data=original,
            hol_tgt_data=control,
            report_path=out,
        )
    )
    clock.told["size_kb"] = Path(out).stat().st_size / 1024
    clock.tell()


def sosie_report(folder: str, out: str, effort: str) -> None:
    """Make sosie's evidence and its report."""
    # What sosie imports when it first needs it, its peer imports before the clock starts.
    import matplotlib.figure  # noqa: F401
    import sklearn.ensemble  # noqa: F401

    from sosie import assess
    from sosie.report import render

    clock = Clock()
    original, control, synthetic = read(folder)

    def work() -> None:
        found = assess(original, synthetic, control, target="income", effort=effort)
        lap(clock.told, "render", lambda: render(found.to_dict(), Path(out)))

    clock.time(work)
    clock.told["size_kb"] = Path(out).stat().st_size / 1024
    clock.tell()


def assessed(original: str, synthetic: str, control: str, target: str, effort: str) -> None:
    """Run sosie.assess on files, and tell what each attack and measure takes."""
    import sosie.evidence._assess as room

    clock = Clock()
    pieces: dict[str, float] = {}
    inside = [0]

    def timed(name: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*given: Any, **named: Any) -> Any:
            start = time.perf_counter()
            inside[0] += 1
            try:
                return work(*given, **named)
            finally:
                inside[0] -= 1
                if not inside[0]:  # the controls run attacks too
                    pieces[name] = pieces.get(name, 0) + time.perf_counter() - start

        return run

    for kind in (*room.ATTACKS, *room.MEASURES):
        kind.run = timed(kind.__name__, kind.run)
    for name, title in (
        ("controls", "controls of the battery"),
        ("table_of", "reading and coding"),
        ("read_alike", "reading and coding"),
        ("align", "reading and coding"),
        ("input_of", "SHA-256 of the inputs"),
    ):
        setattr(room, name, timed(title, getattr(room, name)))
    found = clock.time(
        lambda: room.assess(original, synthetic, control, target=target, effort=effort)
    )
    clock.told |= {"pieces": pieces, "verdict": str(found.verdict)}
    clock.tell()


# Distances


def sdmetrics(folder: str, copies: str) -> None:
    """Run SDMetrics' DCROverfittingProtection: a score of 1 is safe."""
    from sdmetrics.single_table import DCROverfittingProtection

    warnings.simplefilter("ignore")
    clock = Clock()
    original, control, synthetic = read_pandas(folder, f"synthetic_{copies}")
    clock.told |= clock.time(
        lambda: overfitting(DCROverfittingProtection, original, control, synthetic)
    )
    clock.tell()


def overfitting(
    metric: Any, original: pd.DataFrame, control: pd.DataFrame, synthetic: pd.DataFrame
) -> dict[str, float]:
    found = metric.compute_breakdown(original, synthetic, control, kinds_of(original), "adult")
    share = found["synthetic_data_percentages"]["closer_to_training"]
    return {"score": found["score"], "closer": share}


def kinds_of(frame: pd.DataFrame) -> dict[str, Any]:
    """Say which columns are numbers, as SDMetrics wants it said."""
    numeric = frame.select_dtypes("number").columns
    kinds = {c: {"sdtype": "numerical" if c in numeric else "categorical"} for c in frame}
    return {"tables": {"adult": {"columns": kinds}}}


def sosie_closer(folder: str, copies: str) -> None:
    """Tell the share of synthetic rows that are closer to a person than to a control person."""
    from sosie.evidence._space import nearest

    clock = Clock()
    frames = read(folder, f"synthetic_{copies}")
    schema = schema_of(frames)

    def work() -> float:
        case = case_of(frames, persons=len(frames[0]), schema=schema)
        assert case.control is not None
        made = case.space.points(case.synthetic)
        to_original, to_control = (
            nearest(made, case.space.points(persons))[0][:, 0]
            for persons in (case.original, case.control)
        )
        closer, tied = to_original < to_control, to_original == to_control
        return float((closer + tied / 2).mean())

    clock.told["closer"] = clock.time(work)
    clock.tell()


def sosie_membership(folder: str, copies: str) -> None:
    """Run the whole membership attack on all rows, without learners."""
    from sosie.evidence.privacy import Membership

    clock = Clock()
    frames = read(folder, f"synthetic_{copies}")
    schema = schema_of(frames)

    def work() -> float | None:
        case = case_of(frames, persons=len(frames[0]), schema=schema)
        return Membership().run(case)["membership_auc"].value

    clock.told["auc"] = clock.time(work)
    clock.tell()


# Planted leaks


def sosie_leak(folder: str, copies: str, effort: str) -> None:
    """Tell what sosie says of a table with copies."""
    from sosie import assess

    clock = Clock()
    original, control, synthetic = read(folder, f"synthetic_{copies}")
    schema = schema_of([original, control, synthetic])
    found = clock.time(lambda: assess(original, synthetic, control, schema=schema, effort=effort))
    clock.told["verdict"] = str(found.verdict)
    clock.told["attacked"] = found.settings["sampled"]["original"][0]
    clock.told["criteria"] = {str(k): str(one.verdict) for k, one in found.criteria.items()}
    clock.told["found"] = {
        name: [*f.ci, f.value, f.control, str(f.verdict)] if f.ci else None
        for name, f in found.privacy.items()
    }
    clock.tell()


def anonymeter_leak(folder: str, copies: str) -> None:
    """Tell what anonymeter says: 4 columns and 500 attacks, then 1,000 attacks twice."""
    import numpy as np
    from anonymeter.evaluators import InferenceEvaluator, LinkabilityEvaluator, SinglingOutEvaluator

    warnings.simplefilter("ignore")
    clock = Clock()
    original, control, synthetic = read_pandas(folder, f"synthetic_{copies}")
    np.random.seed(SEED)  # noqa: NPY002  (pandas samples with it there)
    known = [name for name in original.columns if name != "occupation"]

    def work() -> dict[str, Any]:
        out = SinglingOutEvaluator(original, synthetic, 500, 4, control, seed=SEED)
        link = LinkabilityEvaluator(
            original, synthetic, LINKED_COLUMNS, 1_000, n_neighbors=1, control=control
        )
        infer = InferenceEvaluator(
            original, synthetic, known, "occupation", n_attacks=1_000, control=control
        )
        return {
            "singling_out": out.evaluate(mode="multivariate").risk(),
            "linkability": link.evaluate(n_jobs=1).risk(n_neighbors=1),
            "inference": infer.evaluate(n_jobs=1).risk(),
        }

    risks = clock.time(work)
    clock.told["found"] = {name: [*risk.ci, risk.value] for name, risk in risks.items()}
    clock.tell()


def sdmetrics_leak(folder: str, copies: str) -> None:
    """Tell SDMetrics' scores of tables with copies, each of their rows looked up once.

    The distances of a row do not depend on the other rows of its table. A score is twice the
    share of rows not closer to a person than to a control person, 1 at most.
    """
    import pandas as pd
    from sdmetrics.single_table.privacy.dcr_utils import calculate_dcr

    warnings.simplefilter("ignore")
    clock = Clock()
    made = {count: read_pandas(folder, f"synthetic_{count}")[2] for count in copies.split(",")}
    original, control, _ = read_pandas(folder, f"synthetic_{min(made)}")
    rows = pd.concat(made.values()).drop_duplicates(ignore_index=True)
    kinds = kinds_of(original)["tables"]["adult"]

    def work() -> list[bool]:
        near = [calculate_dcr(rows, persons, kinds) for persons in (original, control)]
        return (near[0] < near[1]).tolist()

    closer = dict(zip(rows.itertuples(index=False, name=None), clock.time(work), strict=True))
    clock.told["scores"] = {}
    for count, table in made.items():
        known = [closer[row] for row in table.itertuples(index=False, name=None)]
        clock.told["scores"][count] = min(2 * (1 - sum(known) / len(known)), 1)
    clock.tell()


def mostly_leak(folder: str, copies: str) -> None:
    """Tell what mostlyai-qa's share says: 0.5 is safe."""
    from mostlyai import qa
    from threadpoolctl import threadpool_limits

    warnings.simplefilter("ignore")
    clock = Clock()
    original, control, synthetic = read_pandas(folder, f"synthetic_{copies}")
    out = Path(folder) / f"mostly_{copies}.html"

    def work() -> Any:
        _, metrics = qa.report(
            syn_tgt_data=synthetic,
            trn_tgt_data=original,
            hol_tgt_data=control,
            report_path=out,
            max_sample_size_accuracy=500,  # the distances do not need it
        )
        return metrics

    with threadpool_limits(1):  # its detector's threads wait for each other on a busy machine
        found = clock.time(work).distances
    clock.told |= {
        "dcr_share": found.dcr_share,
        "ims": [found.ims_training, found.ims_holdout],
    }
    clock.tell()


PIECES: dict[str, Callable[..., None]] = {
    piece.__name__: piece
    for piece in (
        tables,
        million,
        planted,
        anonymeter,
        sosie_attacks,
        mostly,
        sosie_report,
        assessed,
        sdmetrics,
        sosie_closer,
        sosie_membership,
        sosie_leak,
        anonymeter_leak,
        sdmetrics_leak,
        mostly_leak,
    )
}

if __name__ == "__main__":
    piece, *rest = sys.argv[1:]
    PIECES[piece](*rest)
