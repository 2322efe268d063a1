"""Identifiers that come back: what fails, what asks, what passes."""

import numpy as np
import pytest

from sosie.evidence._finding import Verdict
from sosie.evidence._kept import Kept
from sosie.evidence.privacy import identifiers


def some(found, of=1000):
    return np.arange(of) < found


@pytest.mark.parametrize(
    ("found", "control", "running", "verdict"),
    [
        (0, 0, False, "pass"),
        (10, 0, False, "fail"),  # 1 %, where chance makes none
        (80, 80, False, "pass"),  # short numbers, made afresh
        (80, 20, False, "fail"),
        (2, 0, False, "attention"),
        (0, None, False, "pass"),
        (5, None, False, "attention"),
        (40, None, False, "fail"),
        (3, None, False, "attention"),  # shown as 4, and judged by what they are
        (1000, 0, True, "attention"),
        (1000, None, True, "attention"),
    ],
)
def test_no_identifier_may_come_back(found, control, running, verdict):
    theirs = None if control is None else some(control)
    clean = Kept(some(0), some(0), running=False)
    judged = identifiers({"clean": clean, "nir": Kept(some(found), theirs, running)})
    assert judged.verdict == verdict
    assert judged.value == pytest.approx((4 if 0 < found < 5 else found) / 1000)
    assert judged.detail["columns"]["clean"] == 0


def test_without_identifiers_nothing_is_measured():
    assert identifiers({}).verdict is Verdict.NOT_MEASURED
