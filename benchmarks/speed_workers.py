"""The timed pieces of speed.py: each runs alone in its own process and prints one JSON line.

Run by speed.py, as `python speed_workers.py PIECE [ARGUMENT]...`. What is timed starts after
the table is in memory; imports are told apart. The peak is that of the whole process.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

STARTED = time.perf_counter(), time.process_time()
K = 20
FACTORS = 5
RECALL = 0.95


class Clock:
    """Wall and CPU seconds of the imports, then of the work."""

    def __init__(self) -> None:
        self.told: dict[str, Any] = {}
        self._since("import", STARTED)

    def _since(self, name: str, start: tuple[float, float]) -> None:
        self.told[f"{name}_wall"] = time.perf_counter() - start[0]
        self.told[f"{name}_cpu"] = time.process_time() - start[1]

    def time(self, work: Callable[[], Any]) -> Any:
        """Time the work, and tell the peak memory before and after it."""
        self.told["before_mb"] = memory_mb("VmRSS")
        start = time.perf_counter(), time.process_time()
        result = work()
        self._since("work", start)
        self.told["peak_mb"] = memory_mb("VmHWM")
        return result

    def tell(self) -> None:
        """Print what was measured."""
        print(json.dumps(self.told))


def memory_mb(field: str) -> float:
    """Resident memory now (VmRSS) or at its highest (VmHWM).

    Read from /proc where there is one: unlike getrusage it knows nothing of the parent process.
    """
    status = Path("/proc/self/status")
    if status.exists():
        line = next(x for x in status.read_text().splitlines() if x.startswith(field))
        return int(line.split()[1]) / 1024
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return peak / (1024**2 if sys.platform == "darwin" else 1024)


def build(adult: str, rows: str, out: str) -> None:
    """Write an Adult-like table: rows drawn with replacement, numbers jittered.

    A number moves by a normal draw of sd 2 % of its column's, rounded and kept in range; the
    zeros of the two capital columns stay zeros, the spike being what makes them hard.
    """
    import numpy as np
    import polars as pl

    source = pl.read_csv(adult)
    rng = np.random.default_rng(0)
    n = int(rows)
    drawn = source[rng.integers(0, len(source), n)]
    moved = []
    for column in source.select(pl.selectors.numeric()):
        values, held = drawn[column.name].to_numpy(), column.to_numpy()
        noise = 0.02 * held.std() * rng.standard_normal(n)
        if column.name.startswith("capital"):
            noise[values == 0] = 0
        new = np.clip(np.rint(values + noise), held.min(), held.max())
        moved.append(pl.Series(column.name, new.astype(np.int64)))
    drawn = drawn.with_columns(moved)
    if out.endswith(".csv"):
        drawn.write_csv(out)
    else:
        drawn.write_parquet(out)


def reference(path: str) -> None:
    """Run the published recipe with the tools it names: saiph, scikit-learn, NumPy."""
    import numpy as np
    import pandas as pd
    import saiph
    from sklearn.neighbors import NearestNeighbors

    def work() -> pd.DataFrame:
        coordinates, model = saiph.fit_transform(frame, nf=None)  # full rank
        points = coordinates.to_numpy()
        near = points[:, :FACTORS]
        distances, rows = NearestNeighbors(n_neighbors=K).fit(near).kneighbors()
        rng = np.random.default_rng(0)
        ranks = rng.permuted(np.tile(np.arange(1, K + 1), (len(points), 1)), axis=1)
        weights = rng.exponential(size=rows.shape) * 0.5**ranks / np.maximum(distances, 1e-8)
        weights /= weights.sum(axis=1, keepdims=True)
        avatars = np.empty_like(points)
        for start in range(0, len(points), 5_000):  # all at once would take tens of GB
            some = slice(start, start + 5_000)
            avatars[some] = np.einsum("nk,nkd->nd", weights[some], points[rows[some]])
        named = pd.DataFrame(avatars, columns=coordinates.columns)
        made: pd.DataFrame = saiph.inverse_transform(named, model, use_max_modalities=False)
        return made

    clock = Clock()
    frame = pd.read_parquet(path)
    made = clock.time(work)
    assert made.shape == frame.shape
    clock.tell()


def sosie(path: str, parameters: str = "{}") -> None:
    """Run Avatar(**parameters).fit_sample."""
    import polars as pl

    from sosie import Avatar

    clock = Clock()
    frame = pl.read_csv(path) if path.endswith(".csv") else pl.read_parquet(path)
    made = clock.time(lambda: Avatar(**json.loads(parameters)).fit_sample(frame))
    assert made.shape == frame.shape
    clock.tell()


def sdv(path: str) -> None:
    """Fit SDV's GaussianCopulaSynthesizer and sample as many rows.

    It is told the kinds of the columns: its own detection takes some of them for addresses.
    """
    import pandas as pd
    from sdv.metadata import Metadata
    from sdv.single_table import GaussianCopulaSynthesizer

    def work() -> pd.DataFrame:
        metadata = Metadata.load_from_dict({"tables": {"adult": {"columns": kinds}}})
        synthesizer = GaussianCopulaSynthesizer(metadata)
        synthesizer.fit({"adult": frame})  # as SDV 2 wants it
        made: pd.DataFrame = synthesizer.sample(len(frame))["adult"]
        return made

    clock = Clock()
    frame = pd.read_csv(path)
    numeric = frame.select_dtypes("number").columns
    kinds = {c: {"sdtype": "numerical" if c in numeric else "categorical"} for c in frame}
    made = clock.time(work)
    assert made.shape == frame.shape
    clock.tell()


def search(path: str) -> None:
    """Run the bare faiss search of 20 neighbours in the first 5 factors of the table.

    IndexIVFFlat, for several numbers of lists; for each the fewest probes that find 0.95 of the
    true neighbours of 1,000 rows. Training, adding and searching are timed, and the cheapest
    is told. Finding the coordinates is not timed.
    """
    import faiss
    import numpy as np

    clock = Clock()
    points = coordinates(path)
    n, d = points.shape
    sample = np.random.default_rng(0).choice(n, min(n, 1_000), replace=False)
    truth = faiss.knn(points[sample], points, K + 1)[1]
    best: dict[str, Any] = {}
    for factor in (1, 2, 4, 8):
        lists = int(factor * np.sqrt(n))
        start = time.perf_counter(), time.process_time()
        index = faiss.IndexIVFFlat(faiss.IndexFlatL2(d), d, lists)
        index.cp.max_points_per_centroid = 64
        index.train(points)
        index.add(points)
        built = time.perf_counter() - start[0], time.process_time() - start[1]
        for probes in (1, 2, 3, 4, 6, 8, 12, 16, 32):
            index.nprobe = probes
            found = index.search(points[sample], K + 1)[1]
            pairs = zip(found, truth, strict=True)
            recall = np.mean([len(np.intersect1d(a, b)) / (K + 1) for a, b in pairs])
            if recall >= RECALL:
                break
        start = time.perf_counter(), time.process_time()
        for first in range(0, n, 65_536):
            index.search(points[first : first + 65_536], K + 1)
        wall = built[0] + time.perf_counter() - start[0]
        cpu = built[1] + time.process_time() - start[1]
        told = {"lists": lists, "probes": probes, "recall": float(recall)}
        told |= {"work_wall": wall, "work_cpu": cpu, "peak_mb": memory_mb("VmHWM")}
        print(f"    {told}", file=sys.stderr)
        if not best or wall < best["work_wall"]:
            best = told
    clock.told |= best
    clock.tell()


def coordinates(path: str) -> Any:
    """Coordinates in sosie's FAMD: integers are numbers, texts are categories."""
    import numpy as np
    import polars as pl

    from sosie.space import FAMD, Mixed

    frame = pl.read_parquet(path)
    numbers = frame.select(pl.selectors.numeric()).to_numpy().astype(np.float64)
    texts = frame.select(pl.selectors.string())
    codes = [c.rank("dense").to_numpy().astype(np.int32) - 1 for c in texts]
    levels = tuple(int(c.max()) + 1 for c in codes)
    mixed = Mixed(numbers, np.column_stack(codes), levels)
    return np.ascontiguousarray(FAMD(FACTORS).fit(mixed).transform(mixed))


if __name__ == "__main__":
    piece, *rest = sys.argv[1:]
    pieces: dict[str, Callable[..., None]] = {
        "build": build,
        "reference": reference,
        "sosie": sosie,
        "sdv": sdv,
        "search": search,
    }
    pieces[piece](*rest)
