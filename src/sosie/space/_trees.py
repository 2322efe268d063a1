"""Trees whose leaves are neighbourhoods that know what matters for one column."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Self

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Bins = NDArray[np.uint8]

__all__ = ["Tree"]

_BLOCK = 32_768
_DEEPEST = 40
_SIFT = 3
"""Steps down a tree between two looks at who has arrived."""

_LEAF = 255


class Tree:
    """Regression tree on binned predictors: its leaves are adaptive neighbourhoods.

    Persons in the same leaf are neighbours for the target: near along the predictors that
    tell about it, at any distance along those that do not. Each node is split where the
    within-node variance of the targets falls most, as in CART, all nodes of a depth at
    once from one histogram, until a half would hold fewer than ``leaf`` persons.

    Parameters
    ----------
    leaf : int
        Least number of persons in a leaf.
    n_bins : int
        Predictors take values 0 to ``n_bins - 1``.

    Attributes
    ----------
    n_leaves_ : int
        Number of leaves.

    References
    ----------
    .. [1] L. Breiman et al., "Classification and regression trees", 1984.
    .. [2] Y. Lin, Y. Jeon, "Random forests and adaptive nearest neighbors", JASA 101, 2006.

    Examples
    --------
    >>> bins = np.array([[0, 0, 1, 1], [0, 1, 0, 1]], dtype=np.uint8)
    >>> Tree(leaf=2).fit(bins, np.array([[5.0], [5.0], [9.0], [9.0]])).leaves(bins)
    array([0, 0, 1, 1], dtype=int32)
    """

    def __init__(self, leaf: int, n_bins: int = 64) -> None:
        self.leaf = leaf
        self.n_bins = n_bins

    def fit(self, bins: Bins, targets: NDArray[np.float64]) -> Self:
        """Grow the tree.

        Parameters
        ----------
        bins : ndarray of shape (predictors, n), uint8
        targets : ndarray of shape (n, outputs)
        """
        feature, threshold, child = [0], [_LEAF], [0]
        nodes = np.array([0])  # node of each active segment
        self._shallowest = 0
        segment = np.zeros(bins.shape[1], np.intp)
        centred = targets - targets.mean(axis=0)
        enough = 1e-10 * float((centred**2).sum())
        for _ in range(_DEEPEST):
            if not len(segment):
                break
            best, gain = self._splits(bins, centred, segment, len(nodes))
            chosen = np.flatnonzero(gain > enough)
            if not len(chosen):
                break
            if 2**self._shallowest == len(chosen):
                self._shallowest += 1  # every node of this depth is split
            left = len(feature) + 2 * np.arange(len(chosen))
            column, cut = best[chosen] // self.n_bins, best[chosen] % self.n_bins
            for node, f, t, c in zip(
                nodes[chosen].tolist(), column.tolist(), cut.tolist(), left.tolist(), strict=True
            ):
                feature[node], threshold[node], child[node] = f, t, c
            grown = np.arange(len(feature), len(feature) + 2 * len(chosen))
            feature.extend([0] * len(grown))
            threshold.extend([_LEAF] * len(grown))
            child.extend(grown.tolist())

            place = np.full(len(nodes), -1)
            place[chosen] = np.arange(len(chosen))
            place = place[segment]
            kept = place >= 0
            bins, centred, place = bins[:, kept], centred[kept], place[kept]
            right = bins[column[place], np.arange(len(place))] > cut[place]
            segment, nodes = 2 * place + right, grown
            # Halves too small to be split again are leaves already.
            large = np.bincount(segment, minlength=len(nodes)) >= 2 * self.leaf
            kept = large[segment]
            renumbered = np.cumsum(large) - 1
            bins, centred, segment = bins[:, kept], centred[kept], renumbered[segment[kept]]
            nodes = nodes[large]
        self._feature = np.array(feature)
        self._threshold = np.array(threshold, np.uint8)
        self._child = np.array(child)
        at_rest = self._child == np.arange(len(child))
        self._leaf_number = np.cumsum(at_rest, dtype=np.int32) - 1
        self.n_leaves_ = int(at_rest.sum())
        return self

    def leaves(self, bins: Bins) -> NDArray[np.int32]:
        """Give the leaf of each row of ``bins`` (predictors, m): shape (m,), int32."""
        m = bins.shape[1]
        found = np.empty(m, np.int32)
        for start in range(0, m, _BLOCK):
            block = np.ascontiguousarray(bins[:, start : start + _BLOCK])
            found[start : start + _BLOCK] = self._leaf_number.take(self._walk(block))
        return found

    def _walk(self, bins: Bins) -> NDArray[np.intp]:
        m = bins.shape[1]
        flat, node = bins.ravel(), np.zeros(m, np.intp)
        rows = active = np.arange(m)
        here, offset = node, self._feature * m
        for depth in count(1):
            # Every index is in range: to clip is only quicker than to check.
            place = offset.take(here, mode="clip")
            place += rows
            right = flat.take(place, mode="clip") > self._threshold.take(here, mode="clip")
            below = self._child.take(here, mode="clip")
            below += right
            if depth < self._shallowest or depth % _SIFT:
                here = below
                continue
            # A leaf is its own child: who no longer moves has arrived.
            moved = np.flatnonzero(below != here)
            node[active] = below
            if not len(moved):
                return node
            rows, active, here = rows.take(moved), active.take(moved), below.take(moved)
        raise AssertionError("a walk down a tree ends at a leaf")

    def _splits(
        self, bins: Bins, targets: NDArray[np.float64], segment: NDArray[np.intp], n_nodes: int
    ) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
        """Find the best cut of each node: predictor x n_bins + bin, and its gain."""
        C, W = len(bins), self.n_bins
        key = (segment * C + np.arange(C)[:, None]) * W + bins
        flat, shape = key.ravel(), (n_nodes, C, W)
        below = np.bincount(flat, minlength=n_nodes * C * W).reshape(shape).cumsum(axis=2)
        n = below[:, :, -1:]
        above = n - below
        gain = np.zeros(shape)
        for target in targets.T:
            weights = np.broadcast_to(target, key.shape).ravel()
            total = np.bincount(flat, weights, n_nodes * C * W).reshape(shape).cumsum(axis=2)
            whole = total[:, :, -1:]
            gain += total**2 / np.maximum(below, 1) + (whole - total) ** 2 / np.maximum(above, 1)
            gain -= whole**2 / n
        gain[(below < self.leaf) | (above < self.leaf)] = -1
        by_node = gain.reshape(n_nodes, C * W)
        best = by_node.argmax(axis=1)
        return best, by_node[np.arange(n_nodes), best]
