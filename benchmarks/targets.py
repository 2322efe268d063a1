"""The targets of the default generator, and whether a mean meets them."""

from __future__ import annotations

import math
from dataclasses import dataclass


@dataclass(frozen=True)
class Target:
    """A measure as it stands in the table: its title, digits, and what is asked of it.

    `rule`: "at most", "at least", "near one" (within +- the bound of 1) or "near real" (at
    least what training on real rows gives, less the bound). No bound: nothing is asked.
    """

    title: str
    digits: int
    rule: str
    must: float | None = None
    hope: float | None = None

    def wording(self, bound: float | None) -> str:
        """Say what a bound asks."""
        if bound is None:
            return ""
        if self.rule == "near one":
            return f"{1 - bound:.2f}-{1 + bound:.2f}"
        sign = {"at most": "<= ", "at least": ">= ", "near real": "real - "}[self.rule]
        return sign + self.format(bound)

    def format(self, value: float) -> str:
        """Write a value with the digits of the measure."""
        return "-" if math.isnan(value) else f"{value:.{self.digits}f}"

    def verdict(self, value: float, real: float) -> str:
        """Say "hope", "must" or "missed"; nothing when nothing is asked."""
        if self.must is None or self.hope is None or math.isnan(value):
            return ""
        if self._meets(value, self.hope, real):
            return "hope"
        return "must" if self._meets(value, self.must, real) else "missed"

    def _meets(self, value: float, bound: float, real: float) -> bool:
        slack = 1e-9
        return {
            "at most": value <= bound + slack,
            "at least": value >= bound - slack,
            "near one": abs(value - 1) <= bound + slack,
            "near real": value >= real - bound - slack,
        }[self.rule]


TARGETS = {
    "auc": Target("member AUC", 3, "at most", 0.60, 0.54),
    "tpr": Target("TPR at 5 %", 3, "at most", 0.12, 0.07),
    "isolated": Target("AUC isolated", 3, "at most", 0.64, 0.56),
    "hellinger": Target("Hellinger", 4, "at most", 0.025, 0.015),
    "association": Target("assoc. diff.", 4, "at most", 0.025, 0.015),
    "sd_ratio": Target("sd ratio", 3, "near one", 0.03, 0.01),
    "detector": Target("detector", 3, "at most", 0.66, 0.55),
    "detector_unseen": Target("detector, unseen", 3, "at most"),
    "lr": Target("TSTR lr", 3, "near real", 0.015, 0.005),
    "gb": Target("TSTR gb", 3, "near real", 0.025, 0.008),
    "hazard": Target("log HR error", 3, "at most", 0.13, 0.06),
    "copies": Target("copies", 1, "at most", 0.0, 0.0),
    "hidden": Target("hidden", 3, "at least", 0.93, 0.97),
    "cloaking": Target("cloaking", 1, "at least", 11.0, 30.0),
    "hidden_safe": Target("hidden, ties seen", 3, "at least"),
    "cloaking_safe": Target("cloaking, ties seen", 1, "at least"),
    "seconds": Target("seconds", 1, "at most"),
}
