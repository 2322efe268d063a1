"""Avatars of persons at several holders: pooled, in common factors, and each holder alone.

    python benchmarks/federated_avatars.py --sets aids,heart --rounds 3

Persons of a round are parted over holders: by age, blurred, for ACTG175; by hospital for the
heart data. Avatars are then made of the pooled rows (what nobody may do), at each holder in
factors fitted in place on all of them, and at each holder in its own factors. All are judged as
one table, by `measures.py`, which does not import sosie, and by the quick battery of evidence.
The last lines say how far the axes fitted in place are from those of the pooled rows.

Prints one table a data set (mean over the rounds) and writes it to benchmarks/results/.
"""

from __future__ import annotations

import argparse
import time
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
from threadpoolctl import threadpool_limits

from measures import evaluate
from studies import RESULTS, Round, add_data_option, load_round

FACTORS = 5
SHOWN = {
    "auc": "member AUC", "isolated": "AUC isolated", "hellinger": "Hellinger",
    "association": "assoc. diff.", "sd_ratio": "sd ratio", "detector": "detector",
    "lr": "TSTR lr", "gb": "TSTR gb", "hazard": "log HR error", "hidden": "hidden",
}  # fmt: skip


def parted(data: Round) -> list[np.ndarray]:
    """Say which rows each holder has."""
    frame = data.train
    if data.study.name == "heart":
        return [
            np.flatnonzero(frame["dataset"] == one) for one in sorted(frame["dataset"].unique())
        ]
    blurred = frame["age"] + np.random.default_rng(data.number).normal(0, 6, len(frame))
    return np.array_split(np.argsort(blurred.to_numpy()), 3)


def known(data: Round, holders: list[np.ndarray]) -> pd.Series:
    """Give the share of known cells of each column where it is smallest."""
    shares = [data.train.iloc[rows].notna().mean() for rows in holders]
    return pd.concat(shares, axis=1).min(axis=1)


def everywhere(data: Round, holders: list[np.ndarray]) -> Round:
    """Leave out the columns that half of a holder's persons lack: avatars are refused there."""
    kept = data.train.columns[known(data, holders) > 0.5]
    numbers = tuple(name for name in data.study.numbers if name in kept)
    study = replace(data.study, numbers=numbers)
    return replace(data, study=study, train=data.train[kept], control=data.control[kept])


def added_up(question, tables, schema):
    """Answer a question without a gate, which refuses labels of a few persons: sums alone."""
    from sosie.insitu import Result
    from sosie.insitu._aggregate import Total
    from sosie.insitu._rows import Rows
    from sosie.trust import PRESETS

    analysis = question.analysis
    rows = [Rows(table, schema, (), PRESETS["snds-11"]) for table in tables]
    state = analysis.start(schema)
    while True:
        parts = [analysis.local(one, state).arrays for one in rows]
        total = {name: sum(part[name].values for part in parts) for name in parts[0]}
        found = analysis.combine(Total(total, len(tables)), state)
        if isinstance(found, Result):
            return found
        state = found


def made(way: str, kernel: str, k: int, data: Round, holders: list[np.ndarray], seed: int):
    """Make avatars in one way: released and linked, as frames."""
    from sosie import Avatar, Table
    from sosie.generators import KERNELS
    from sosie.insitu import Question
    from sosie.insitu._rows import Rows
    from sosie.insitu.synthetic import coordinates_in
    from sosie.insitu.synthetic._place import InFactors
    from sosie.trust import PRESETS

    whole = Table.of(data.train)
    if way == "pooled":
        tables = [whole.taken(np.concatenate(holders))]
    else:
        tables = [whole.taken(rows) for rows in holders]
    gap, factors = np.nan, None
    if way == "federated":
        enough = known(data, holders) > 0.9
        columns = [
            c.name
            for c in whole.schema.columns
            if enough[c.name] and (c.kind in ("number", "integer") or 2 <= len(c.levels) <= 40)
        ]
        asked = Question.of({"analysis": {"id": "famd", "columns_of": columns, "factors": FACTORS}})
        factors = added_up(asked, tables, whole.schema)
        gap = distance_to_pooled(whole, columns, factors)
    frames, linked_frames = [], []
    for i, table in enumerate(tables):
        own = KERNELS[kernel]()
        if factors is not None:
            where = coordinates_in(factors, Rows(table, whole.schema, (), PRESETS["snds-11"]))
            own = InFactors(own, where)
        avatar = Avatar(k, FACTORS, kernel=own, seed=1000 * seed + i).fit(table.without_rules())
        released, linked = avatar.sample_tables()
        frames.append(released.native())
        linked_frames.append(linked.native())
    return (pd.concat(part, ignore_index=True) for part in (frames, linked_frames)), gap


def distance_to_pooled(whole, columns, factors) -> float:
    """Give the largest difference of an axis from that of the pooled complete rows."""
    from sosie.insitu._rows import Rows
    from sosie.space import FAMD, Mixed
    from sosie.table import NUMERIC
    from sosie.trust import PRESETS

    rows = Rows(whole, whole.schema, (), PRESETS["snds-11"])
    complete = rows.known(columns)
    numbers = [c for c in columns if whole.schema[c].kind in NUMERIC]
    coded = [c for c in columns if c not in numbers]
    mixed = Mixed(
        np.column_stack([rows.numbers(c)[complete] for c in numbers]),
        np.column_stack([rows.codes(c)[complete] for c in coded]),
        tuple(len(whole.schema[c].levels) for c in coded),
    )
    axes = np.array([axis["weights"] for axis in factors.tables["axes"]])
    return float(np.abs(axes - FAMD(FACTORS).fit(mixed).axes()).max())


def verdict(train: pd.DataFrame, made: pd.DataFrame, control: pd.DataFrame) -> str:
    from sosie import assess

    found = assess(train, made, control, effort="quick")
    return str(found.verdict)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--sets", default="aids,heart")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--kernels", default="gibbs,gaussian")
    parser.add_argument("--k", type=int, default=10)
    add_data_option(parser)
    options = parser.parse_args()
    warnings.simplefilter("ignore")
    told = ["# Avatars in common factors", ""]
    told += [f"k = {options.k}, {FACTORS} factors, mean of {options.rounds} rounds.", ""]
    for name in options.sets.split(","):
        rows, gaps, sizes = [], [], []
        for number in range(options.rounds):
            data = load_round(name, options.data, number)
            holders = parted(data)
            data = everywhere(data, holders)
            sizes = [len(one) for one in holders]
            train = data.train.iloc[np.concatenate(holders)].reset_index(drop=True)
            for kernel in options.kernels.split(","):
                for way in ("pooled", "federated", "separate"):
                    start = time.perf_counter()
                    (released, linked), gap = made(way, kernel, options.k, data, holders, number)
                    seconds = time.perf_counter() - start
                    found = evaluate(data.study, train, data.control, released, linked)
                    found |= {"kernel": kernel, "way": way, "s": seconds}
                    found["fails"] = verdict(train, released, data.control) == "fail"
                    rows.append(found)
                    gaps.append(gap)
                    print(name, number, kernel, way, f"{seconds:.1f} s", flush=True)
        frame = pd.DataFrame(rows).groupby(["kernel", "way"], sort=False).mean(numeric_only=True)
        shown = [c for c in SHOWN if c in frame]
        told += [f"## {name}: {len(train)} persons at holders of {', '.join(map(str, sizes))}", ""]
        told += ["| kernel | made | " + " | ".join(SHOWN[c] for c in shown) + " | fails | s |"]
        told += ["|" + "---|" * (len(shown) + 4)]
        for (kernel, way), one in frame.iterrows():
            numbers = " | ".join(f"{one[c]:.3f}" for c in shown)
            told.append(f"| {kernel} | {way} | {numbers} | {one['fails']:.2f} | {one['s']:.1f} |")
        told += [
            "",
            f"Axes fitted in place less those of the pooled rows: {np.nanmax(gaps):.1e}.",
            "",
        ]
    text = "\n".join(told)
    print(text)
    (RESULTS / "federated_avatars.md").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    with threadpool_limits(1):
        main()
