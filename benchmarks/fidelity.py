"""Whether kernel="published" does what the published avatars did, within its own spread."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pandas as pd

from measures import hidden, sd_ratios, unchanged_rates
from studies import ACTG, aids_published, checked_folder

if TYPE_CHECKING:
    from pathlib import Path


def published_fidelity(folder: Path, seeds: int) -> list[list[str]]:
    """Compare, on all of ACTG175 with k = 20 and 5 factors, over several seeds.

    z is (published - mean) / run-to-run sd: the published file is one more run, so that about
    one |z| in twenty goes beyond 2 when the two are the same.
    """
    import sosie

    original, linked = aids_published(checked_folder(folder, "aids_splits"))
    runs = pd.DataFrame(
        _traits(
            original,
            sosie.Avatar(k=20, n_factors=5, kernel="published", seed=seed)
            .fit(original)
            .sample(linked=True),
        )
        for seed in range(seeds)
    )
    published = _traits(original, linked)
    means: dict[str, float] = runs.mean().to_dict()  # type: ignore[assignment]
    sds: dict[str, float] = runs.std().to_dict()  # type: ignore[assignment]
    gaps = {name: value - means[name] for name, value in published.items()}
    scores = {name: gap / sds[name] for name, gap in gaps.items() if sds[name] > 0}
    lines = [["measure", "published file", f"mean of {seeds} seeds", "sd", "z"]]
    for name, value in published.items():
        score = f"{scores[name]:+.1f}" if name in scores else "-"
        lines.append([name, f"{value:.4f}", f"{means[name]:.4f}", f"{sds[name]:.4f}", score])
    for kind in ("sd ratio", "unchanged"):
        names = [name for name in published if name.startswith(kind)]
        gap = sum(abs(gaps[name]) for name in names) / len(names)
        lines.append([f"{kind}: mean absolute gap", "", f"{gap:.4f}", "", ""])
        far = sum(abs(scores.get(name, 0)) > 2 for name in names)
        lines.append([f"{kind}: |z| > 2", "", f"{far} of {len(names)}", "", ""])
    return lines


def _traits(original: pd.DataFrame, linked: pd.DataFrame) -> dict[str, float]:
    found = hidden(ACTG, original, linked)
    ratios = sd_ratios(ACTG, original, linked).drop("cd496")  # the one with missing values
    rates = unchanged_rates(ACTG, original, linked)
    return (
        found
        | {f"sd ratio {name}": ratio for name, ratio in ratios.items()}
        | {f"unchanged {name}": rate for name, rate in rates.items()}
    )
