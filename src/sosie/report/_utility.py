"""Annex D: what is kept, measure by measure, drawn."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sosie.report import _figures
from sosie.report._blocks import cell, figure, heading, note, paragraph, table
from sosie.report._findings import measured
from sosie.report._format import DASH, few, shown_name
from sosie.report._multiples import MOST, multiples
from sosie.report._names import QUALITIES

if TYPE_CHECKING:
    from sosie.report._blocks import Block
    from sosie.report._findings import Desk

__all__ = ["utility"]


def utility(desk: Desk) -> list[Block]:
    """Set annex D."""
    t = desk.t
    names = (*QUALITIES, *(name for name in desk.utility if name not in QUALITIES))
    blocks = [heading(t("utility_annex.title"), 1), paragraph(t("utility_annex.lead"), "lead")]
    if desk.utility:
        blocks.append(desk.targets(names, desk.utility, t("utility_annex.title"), control=True))
    drawers = {
        "columns": ("hellinger_mean", _columns),
        "association": ("association_difference", _association),
        "projection": ("projection_difference", _projection),
        "missing": ("missing_difference", _missing),
        "detector": ("detector_auc", _detector),
        "learning": ("tstr_auc", _learning),
    }
    for title, (name, draw) in drawers.items():
        finding = desk.utility.get(name)
        blocks.append(heading(t(f"utility_annex.{title}"), 2))
        drawn = draw(desk, finding.get("detail") or {}) if finding and measured(finding) else []
        blocks += drawn or [note(desk.why(finding))]
    blocks.append(heading(t("utility_annex.replication"), 2))
    return blocks + (_replication(desk) or [note(t("utility_annex.replication_none"))])


def _columns(desk: Desk, detail: dict[str, Any]) -> list[Block]:
    t, form = desk.t, desk.form
    columns = sorted(detail.get("columns") or [], key=lambda c: -(c.get("hellinger") or 0))
    if not columns:
        return []
    drawable = [c for c in columns if c.get("edges") or c.get("levels")]
    lead = t("utility_annex.columns_lead")
    if (more := len(columns) - len(drawable[:MOST])) > 0:
        lead += " " + (
            t("utility_annex.columns_more_one") if more == 1
            else t("utility_annex.columns_more", count=more)
        )  # fmt: skip
    blocks: list[Block] = [paragraph(lead, "above")]
    if drawable:
        svg = multiples(drawable, form, lambda n: t("figure.more_levels", count=n))
        alt = t("alt.columns", count=min(len(drawable), MOST))
        blocks.append(figure(svg, t("caption.columns"), alt))
    rows = [
        [shown_name(c["name"]), form.number(c.get("hellinger"), 3), form.number(_ceiling(c), 3),
         form.number(c.get("distance"), 3)]
        for c in columns
    ]  # fmt: skip
    head = [t("table.column"), t("table.hellinger"), t("table.control"), t("table.distance")]
    caption = t("utility_annex.columns_table")
    return [*blocks, table(head, rows, widths=(8, 2, 2, 2), align="lrrr", caption=caption)]


def _ceiling(column: dict[str, Any]) -> float | None:
    """Distance of the control, where that is told rather than its distribution."""
    for key in ("hellinger_control", "control"):
        if isinstance(told := column.get(key), int | float):
            return float(told)
    return None


def _association(desk: Desk, detail: dict[str, Any]) -> list[Block]:
    t, names = desk.t, detail.get("names") or []
    if len(names) < 2 or not detail.get("original") or not detail.get("synthetic"):
        return []
    words = {"stronger": t("figure.stronger"), "weaker": t("figure.weaker")}
    original, synthetic = detail["original"], detail["synthetic"]
    svg = _figures.difference_map(names, original, synthetic, words, desk.form.brief)
    gaps = [
        abs(synthetic[i][j] - original[i][j])
        for i in range(len(names))
        for j in range(i)
        if synthetic[i][j] is not None and original[i][j] is not None
    ]
    alt = t(
        "alt.association", count=len(names), largest=desk.form.number(max(gaps, default=None), 2)
    )
    return [figure(svg, t("caption.association"), alt)]


def _projection(desk: Desk, detail: dict[str, Any]) -> list[Block]:
    t, form = desk.t, desk.form
    blocks: list[Block] = []
    if detail.get("original") and detail.get("synthetic"):
        explained = [*(detail.get("explained") or []), None, None]
        words = {
            "original": t("figure.original"), "synthetic": t("figure.synthetic"),
            "x": t("figure.factor", number=1, share=form.rate(explained[0])),
            "y": t("figure.factor", number=2, share=form.rate(explained[1])),
        }  # fmt: skip
        svg = _figures.density_maps(detail, words)
        blocks.append(figure(svg, t("caption.projection"), t("alt.projection")))
    given = detail.get("contributions") or []
    for factor in range(min(2, len(given[0]["original"]))) if given else ():
        ranked = sorted(given, key=lambda c: -(c["original"][factor] or 0))[:10]
        rows = [
            {"label": shown_name(c["name"], 34), "original": c["original"][factor],
             "synthetic": (c["synthetic"] or [None, None])[factor]}
            for c in ranked
        ]  # fmt: skip
        number = t("figure.factor", number=factor + 1, share=DASH).split(" (")[0]
        blocks.append(
            _dots(desk, rows, f"{number}. {t('caption.contributions')}", t("figure.contribution"))
        )
    return blocks


def _missing(desk: Desk, detail: dict[str, Any]) -> list[Block]:
    t = desk.t
    columns = [c for c in detail.get("columns") or [] if c.get("original") or c.get("synthetic")]
    columns.sort(key=lambda c: -abs((c.get("original") or 0) - (c.get("synthetic") or 0)))
    n = (desk.inputs.get("original") or {}).get("rows") or 0
    rows = [
        {"label": shown_name(c["name"], 34), "synthetic": c.get("synthetic"),
         "original": c.get("original") if _large(c.get("original"), n) else None}
        for c in columns[:20]
    ]  # fmt: skip
    if not rows:
        return [note(t("why_not.no_missing"))]
    return [_dots(desk, rows, t("caption.missing"), t("figure.share_missing"))]


def _large(share: float | None, n: int) -> bool:
    """Tell whether neither the share of n persons nor its rest is of fewer than 5."""
    return not few(share, n)


def _dots(desk: Desk, rows: list[dict[str, Any]], caption: str, title: str) -> Block:
    form, t = desk.form, desk.t
    words = {kind: t(f"figure.{kind}") for kind in ("original", "synthetic")}
    svg = _figures.dots(rows, words, form.rate_tick, title=title)
    said = "; ".join(
        f"{row['label']}: {form.rate(row['original'])}, {form.rate(row['synthetic'])}"
        for row in rows[:6]
    )
    return figure(svg, caption, t("alt.dots", caption=caption, rows=said))


def _detector(desk: Desk, detail: dict[str, Any]) -> list[Block]:
    t, form, roc = desk.t, desk.form, detail.get("roc")
    if not roc:
        return []
    words = {"coin": t("figure.coin"), "false_alarms": t("figure.false_alarms"),
             "members_found": t("figure.synthetic")}  # fmt: skip
    svg = _figures.curves(roc, None, words, form.rate_tick, form.tick)
    caption = t("caption.detector")
    return [figure(svg, caption, caption)]


def _learning(desk: Desk, detail: dict[str, Any]) -> list[Block]:
    t, form = desk.t, desk.form
    if not detail.get("tstr") or not detail.get("trtr"):
        return []
    medians = {
        "trtr": (desk.utility.get("trtr_auc") or {}).get("value"),
        "tstr": (desk.utility.get("tstr_auc") or {}).get("value"),
    }
    written = {k: form.number(v, 3) for k, v in medians.items()}
    groups = [
        ("original", t("figure.trained_original"), t("figure.median", value=written["trtr"]),
         detail["trtr"]),
        ("synthetic", t("figure.trained_synthetic"), t("figure.median", value=written["tstr"]),
         detail["tstr"]),
    ]  # fmt: skip
    model = shown_name(detail.get("model", ""))
    title = t("figure.score_r2" if detail.get("score") == "r2" else "figure.score_auc")
    caption = t("caption.learning", count=len(detail["tstr"]),
                target=shown_name(detail.get("target", "")),
                model=desk.t.get(f"attacker.{model}", model))  # fmt: skip
    alt = t("alt.learning", original=written["trtr"], synthetic=written["tstr"])
    return [figure(_figures.boxes(groups, title, form.tick), caption, alt)]


def _replication(desk: Desk) -> list[Block]:
    t, form = desk.t, desk.form
    given = desk.evidence.get("replication") or []
    if not given:
        return []
    empty = dict.fromkeys(("estimate", "low", "high", "p"))
    rows, listed = [], []
    for one in given:
        label = shown_name(one.get("name", ""), 40)
        if one.get("term"):
            label += " · " + shown_name(one["term"], 30)
        pair = {k: {**empty, **(one.get(k) or {})} for k in ("original", "synthetic")}
        rows.append(
            {"label": shown_name(label, 42), **pair, "null": _null(one.get("kind", "")),
             "note": form.number(one.get("overlap"), 2)}
        )  # fmt: skip
        listed.append(
            [cell(label), *(_estimate(desk, pair[k]) for k in ("original", "synthetic")),
             cell(form.number(one.get("overlap"), 2)), _kept(desk, one.get("sign_kept")),
             _kept(desk, one.get("significance_kept"))]
        )  # fmt: skip
    words = {k: t(f"figure.{k}") for k in ("original", "synthetic")}
    words["overlap"] = t("table.overlap")
    head = [t("table.term"), t("table.estimate_original"), t("table.estimate_synthetic"),
            t("table.overlap"), t("table.sign_kept"), t("table.significance_kept")]  # fmt: skip
    return [
        *(
            figure(_figures.forest(rows[i : i + 20], words, form.brief), t("caption.replication"),
                   t("alt.replication", count=len(rows[i : i + 20])))
            for i in range(0, len(rows), 20)
        ),
        table(head, listed, widths=(4.4, 3.4, 3.4, 1.7, 1.7, 2), align="lllrll",
              label=t("utility_annex.replication")),
    ]  # fmt: skip


def _null(kind: str) -> float | None:
    """Value of no effect, where an estimate has one; what has none is left without a line."""
    return (
        0.0
        if any(k in kind for k in ("linear", "logistic", "poisson", "cox", "correlation"))
        else None
    )


def _estimate(desk: Desk, one: dict[str, Any]) -> Block:
    brief = desk.form.brief
    if one["estimate"] is None:
        return cell(DASH)
    word = "à" if desk.form.lang == "fr" else "to"
    below = "" if one["low"] is None else f"{brief(one['low'])} {word} {brief(one['high'])}"
    return cell(brief(one["estimate"]), note=below)


def _kept(desk: Desk, kept: bool | None) -> Block:
    if kept is None:
        return cell(DASH)
    mark = desk.mark("pass" if kept else "attention")
    mark["word"] = desk.t("table.kept" if kept else "table.lost")
    return cell(mark=mark)
