"""Synthetic tables in place: judged where the original lies, or made there in common factors."""

from sosie.insitu.synthetic._judge import Judged, judge_in_place, verdicts

__all__ = ["Judged", "judge_in_place", "verdicts"]
