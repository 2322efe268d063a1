"""The card of a comparison: one row a way, estimates against the pooled answer."""

from __future__ import annotations

import io
import math
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sosie.insitu.compare._texts import number, texts
from sosie.table import whole_file

if TYPE_CHECKING:
    from sosie.insitu.compare._comparison import Comparison, Way

__all__ = ["draw"]

_INK, _MUTED, _RULE, _BAND = "#1c2430", "#55606d", "#c9cfd6", "#e9e7f6"
_POOLED, _LOST = "#5145b0", "#b3261e"
_DOTS = {"pass": ("#2e7d4f", "✓"), "attention": ("#b87700", "?"), "fail": (_LOST, "!")}
_WIDTH, _DPI = 12.8, 160
_ROW, _HEAD, _FOOT = 0.50, 1.62, 1.78
"""Heights in inches: of a way, of what stands above, and below."""

_PLOT = (0.185, 0.50)
_COLUMNS = {
    "bias": 0.545, "overlap": 0.605, "sign": 0.663, "dot": 0.713, "found": 0.757,
    "recognised": 0.825, "guessed": 0.895, "fewest": 0.958,
}  # fmt: skip
_LETTERS = 212


def draw(comparison: Comparison, path: str | Path, lang: str) -> None:
    """Draw the card as a PNG file."""
    said = texts(lang)
    import matplotlib as mpl
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    height = _HEAD + _ROW * len(comparison.ways) + _FOOT
    with mpl.rc_context({"font.family": ["DejaVu Sans"], "text.parse_math": False, "font.size": 9}):
        figure = Figure((_WIDTH, height), dpi=_DPI, facecolor="white")
        canvas: Any = FigureCanvasAgg(figure)
        card = _Card(figure, comparison, said, lang, height)
        card.head()
        card.plot()
        card.numbers()
        card.foot()
        with io.BytesIO() as held:
            canvas.print_png(held, metadata={"Software": "sosie"})
            content = held.getvalue()
    with whole_file(Path(path)) as out:
        out.write(content)


class _Card:
    def __init__(
        self, figure: Any, comparison: Comparison, said: dict[str, Any], lang: str, height: float
    ) -> None:
        self._figure, self._of, self._said = figure, comparison, said
        self._lang, self._height = lang, height
        spread = abs(comparison.pooled.high - comparison.pooled.low)
        self._digits = max(0, min(6, 1 - math.floor(math.log10(max(spread, 1e-12)))))

    def head(self) -> None:
        of, said = self._of, self._said
        holders = said["holder"] if of.holders == 1 else said["holders"].format(n=of.holders)
        asked = said["asked"].format(
            analysis=said["analysis"][of.analysis],
            formula=_short(of.formula),
            term=of.term,
            persons=self._number(of.persons, 0),
            holders=holders,
        )
        self._write(0.02, 0.34, said["title"], size=15, weight="bold")
        self._write(0.02, 0.66, asked, color=_MUTED, size=9.5)
        names = said["column"]
        self._write(_PLOT[0], 1.17, names["answer"], weight="bold")
        self._write(_COLUMNS["dot"] - 0.012, 0.98, names["risk"], weight="bold")
        for name in ("bias", "overlap", "sign", "found", "recognised", "guessed", "fewest"):
            self._write(_COLUMNS[name], 1.24, names[name], ha="center", weight="bold", size=8.5)
            if f"{name}_unit" in names:
                unit = names[f"{name}_unit"]
                self._write(_COLUMNS[name], 1.41, unit, ha="center", color=_MUTED, size=7)
        self._rule(0.02, 0.985, _HEAD - 0.08, _INK, 0.9)
        self._rule(_COLUMNS["dot"] - 0.012, 0.985, 1.06, _RULE, 0.7)

    def plot(self) -> None:
        of = self._of
        low, high = self._range()
        n = len(of.ways)
        left, right = _PLOT
        box = (left, _FOOT / self._height, right - left, n * _ROW / self._height)
        axes = self._figure.add_axes(box)
        axes.set(xlim=(low, high), ylim=(n - 0.5, -0.5))
        axes.axvspan(of.pooled.low, of.pooled.high, color=_BAND, lw=0, zorder=0)
        axes.axvline(of.pooled.estimate, color=_POOLED, lw=1.4, zorder=1)
        axes.axvline(0, color=_MUTED, lw=0.8, ls=(0, (2, 3)), zorder=1)
        for row, way in enumerate(of.ways):
            if way.estimate is None or way.low is None or way.high is None:
                why = self._said["not_shown"].format(why=self._said["why_not"][way.why_not])
                axes.text(low, row, why, color=_MUTED, style="italic", va="center", size=8.5,
                          backgroundcolor="white")  # fmt: skip
                continue
            color = _INK if way.sign_kept else _LOST
            axes.plot([max(way.low, low), min(way.high, high)], [row, row], color=color, lw=1.8)
            for end, edge, mark in ((way.low, low, "<"), (way.high, high, ">")):
                if (end - edge) * (1 if mark == ">" else -1) > 0:
                    axes.plot([edge], [row], mark, color=color, ms=5, clip_on=False)
            axes.plot([way.estimate], [row], "o", color=color, ms=7, mec="white", mew=0.8)
        for side in ("left", "right", "top"):
            axes.spines[side].set_visible(False)
        axes.spines["bottom"].set_color(_RULE)
        axes.set_yticks([])
        axes.tick_params(axis="x", colors=_MUTED, labelsize=8, color=_RULE, length=3)
        axes.xaxis.set_major_formatter(lambda x, _: number(x, self._ticks(axes), self._lang))
        spelt = self._said["pooled"].format(
            estimate=self._number(of.pooled.estimate, self._digits),
            low=self._number(of.pooled.low, self._digits),
            high=self._number(of.pooled.high, self._digits),
        )
        self._write(
            _PLOT[0], _HEAD + n * _ROW + 0.40, spelt, color=_POOLED, size=8.5, weight="bold"
        )

    def numbers(self) -> None:
        for row, way in enumerate(self._of.ways):
            middle = _HEAD + (row + 0.5) * _ROW
            self._write(0.02, middle - 0.05, self._way(way), weight="bold", size=9.5)
            self._write(0.02, middle + 0.13, self._how(way), color=_MUTED, size=7.5)
            if row:
                self._rule(0.02, 0.985, _HEAD + row * _ROW, _RULE, 0.5)
            for name, text, color in self._cells(way):
                self._write(_COLUMNS[name], middle + 0.04, text, ha="center", color=color)
            if way.risk is not None:
                color, sign = _DOTS[way.risk.verdict]
                at: dict[str, Any] = {"ha": "center", "va": "center"}
                where = (_COLUMNS["dot"], 1 - middle / self._height)
                self._figure.text(*where, "●", color=color, size=17, **at)
                self._figure.text(*where, sign, color="white", size=8, weight="bold", **at)

    def foot(self) -> None:
        of, said = self._of, self._said
        at = _HEAD + len(of.ways) * _ROW + 0.66
        parts, means = of.decomposition, of["area_means"].estimate
        # With other covariates the means of areas are adjusted among themselves: another slope.
        if parts is not None and means is not None and math.isclose(parts.between, means):
            turned = parts.within * parts.between < 0
            told = {
                name: self._number(value, self._digits)
                for name, value in (
                    ("total", parts.total),
                    ("within", parts.within),
                    ("between", parts.between),
                )
            }
            told |= {
                name: f"({told[name]})"
                for name in ("within", "between")
                if told[name].startswith("−")
            }
            share = self._number(parts.share_within, 3)
            other = self._number(1 - parts.share_within, 3)
            line = said["identity"]["turned" if turned else "same"].format(
                share_within=share, share_between=other, **told
            )
            self._write(0.02, at, line, size=9, weight="bold")
            at += 0.24
        settings = said["meaning"]["settings"].format(
            k=of.settings["k"],
            noise=self._number(of.settings["noise"], 2),
            seed=of.settings["seed"],
        )
        for name in ("answer", "risk", "verdict"):
            for line in textwrap.wrap(said["meaning"][name].format(settings=settings), _LETTERS):
                self._write(0.02, at, line, size=7.5, color=_MUTED)
                at += 0.145

    def _cells(self, way: Way) -> list[tuple[str, str, str]]:
        if way.bias is None or way.overlap is None:
            return []
        sign = self._said["sign"]["kept" if way.sign_kept else "lost"]
        far = abs(way.bias) >= 2
        cells = [
            ("bias", self._number(way.bias, 1, signed=True), _LOST if far else _INK),
            ("overlap", self._share(way.overlap), _INK),
            ("sign", sign, _INK if way.sign_kept else _LOST),
        ]
        if way.risk is not None:
            cells += [
                ("found", self._share(way.risk.found.value, 1), _INK),
                ("recognised", self._share(way.risk.recognised.value), _INK),
                ("guessed", self._number(100 * way.risk.guessed.value, 1, signed=True), _INK),
            ]
        everyone = self._said["column"]["everyone"]
        fewest = everyone if way.fewest is None else self._number(way.fewest, 0)
        return [*cells, ("fewest", fewest, _INK)]

    def _range(self) -> tuple[float, float]:
        """Span all estimates, the pooled interval and 0; longer intervals are cut."""
        of = self._of
        points = [0.0, of.pooled.low, of.pooled.high]
        points += [way.estimate for way in of.ways if way.estimate is not None]
        ends = [e for way in of.ways for e in (way.low, way.high) if e is not None]
        low, high = min(points), max(points)
        room = 0.35 * (high - low)
        low, high = max(min([*ends, low]), low - room), min(max([*ends, high]), high + room)
        pad = 0.04 * (high - low)
        return low - pad, high + pad

    def _ticks(self, axes: Any) -> int:
        steps = axes.get_xticks()
        step = abs(steps[1] - steps[0]) if len(steps) > 1 else 1.0
        return max(0, -math.floor(math.log10(step) + 1e-9))

    def _way(self, way: Way) -> str:
        return str(self._said["way"][way.name].format(k=self._of.settings["k"]))

    def _how(self, way: Way) -> str:
        of = self._of
        own = f"{way.name}_holders" if way.name == "area_means" and of.area is None else way.name
        return str(
            self._said["how"][own].format(
                areas=of.areas,
                area=of.area,
                k=of.settings["k"],
                noise=self._number(of.settings["noise"], 1),
            )
        )

    def _number(self, value: float, digits: int, *, signed: bool = False) -> str:
        return number(value, digits, self._lang, signed=signed)

    def _share(self, value: float, digits: int = 0) -> str:
        return self._number(100 * value, digits) + ("\u202f%" if self._lang == "fr" else " %")

    def _write(self, x: float, inches: float, text: str, **style: Any) -> None:
        """Write a text whose base line is so many inches below the top."""
        style = {"color": _INK, "va": "baseline"} | style
        self._figure.text(x, 1 - inches / self._height, text, **style)

    def _rule(self, left: float, right: float, inches: float, color: str, width: float) -> None:
        from matplotlib.lines import Line2D

        at = 1 - inches / self._height
        self._figure.add_artist(Line2D([left, right], [at, at], color=color, lw=width))


def _short(formula: str) -> str:
    return formula if len(formula) <= 70 else formula[:69] + "…"
