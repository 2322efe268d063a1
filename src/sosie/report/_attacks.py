"""Annex A: each attack, what the attacker knows, what was found."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sosie.report import _figures
from sosie.report._blocks import cell, figure, heading, note, paragraph, table
from sosie.report._findings import measured
from sosie.report._format import DASH, few, shown_name
from sosie.report._names import AVATARS, GROUPS, REFERENCE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from sosie.report._blocks import Block
    from sosie.report._findings import Desk

__all__ = ["attacks"]

_MOST = 20
"""Rows of a figure."""


def attacks(desk: Desk) -> list[Block]:
    """Set annex A."""
    t = desk.t
    blocks = [heading(t("attacks.title"), 1), paragraph(t("attacks.lead"), "lead")]
    known = {name for names in GROUPS.values() for name in names} | {*AVATARS, *REFERENCE}
    groups = {**GROUPS, "other": tuple(name for name in desk.privacy if name not in known)}
    for group, names in groups.items():
        there = [name for name in names if name in desk.privacy]
        if not there:
            continue
        told = (desk.evidence.get("criteria") or {}).get(group)
        verdict = desk.mark(told.get("verdict", "not_measured")) if told else None
        blocks += [heading(t(f"attacks.{group}"), 2, verdict), *_results(desk, there)]
        blocks += _details(desk, group)
    return blocks


def _results(desk: Desk, names: list[str]) -> list[Block]:
    t, form = desk.t, desk.form
    found = {name: desk.privacy[name] for name in names if measured(desk.privacy[name])}
    missing = [name for name in names if name not in found]
    blocks: list[Block] = []
    domain = desk.domain(list(found.values()))
    rows = []
    for name, finding in found.items():
        unit = desk.unit(name, finding)
        difference, interval, gap = desk.deciding(finding)
        if desk.small(name, finding):
            shown = cell(desk.bounded(name, finding))
        elif gap:
            shown = cell(form.gap(difference, unit), note=form.interval(interval, unit, gap=True))
        else:
            shown = cell(DASH, note=form.interval(interval, unit))
        rows.append(
            [
                cell(desk.called(name), note=desk.explained(name)),
                cell(desk.share(name, finding, "value")),
                cell(desk.share(name, finding, "control")),
                cell(desk.share(name, finding, "naive")),
                shown,
                desk.picture(name, finding, domain if gap else desk.own_domain(finding)),
                cell(mark=desk.mark(finding.get("verdict", "information"))),
            ]
        )
    if rows:
        head = [t("table.attack"), t("table.original"), t("table.control"), t("table.naive"),
                t("table.difference"), t("table.picture"), t("table.verdict")]  # fmt: skip
        blocks.append(
            table(head, rows, widths=(5.2, 1.5, 1.5, 1.5, 2.3, 2.3, 2.4), align="lrrrlll",
                  label=t("attacks.title"))
        )  # fmt: skip
    reasons: dict[str, list[str]] = {}
    for name in missing:
        reasons.setdefault(desk.why(desk.privacy[name]), []).append(desk.called(name))
    blocks += [note(f"{form.joined(those)}. {why}") for why, those in reasons.items()]
    return blocks


def _details(desk: Desk, group: str) -> list[Block]:
    drawers = {
        "singling_out": _singling_out,
        "linkability": _linkability,
        "inference": _inference,
        "membership": _membership,
        "generator": _generator,
    }
    return drawers[group](desk) if group in drawers else []


def _detail(desk: Desk, name: str) -> dict[str, Any]:
    return (desk.privacy.get(name) or {}).get("detail") or {}


def _words(desk: Desk, *kinds: str) -> dict[str, str]:
    return {kind: desk.t(f"figure.{kind}") for kind in kinds}


def _without_few(
    rows: list[dict[str, Any]], counts: Iterable[tuple[int | None, ...]]
) -> list[dict[str, Any]]:
    """Leave out shares of few persons: what is drawn can be measured."""
    return [
        {
            **row,
            **{
                kind: None
                for kind, of in zip(("original", "control", "naive"), numbers, strict=False)
                if few(row.get(kind), of)
            },
        }
        for row, numbers in zip(rows, counts, strict=True)
    ]


def _captioned(desk: Desk, key: str, *, left_out: bool) -> str:
    caption = desk.t(f"caption.{key}")
    return f"{caption} {desk.t('caption.few')}" if left_out else caption


def _spoken(desk: Desk, caption: str, rows: Iterable[dict[str, Any]], *kinds: str) -> str:
    said = "; ".join(
        f"{row['label']}: "
        + ", ".join(f"{desk.t(f'figure.{k}')} {desk.form.rate(row.get(k))}" for k in kinds)
        for row in list(rows)[:6]
    )
    return desk.t("alt.dots", caption=caption, rows=said)


def _rates(
    desk: Desk, rows: list[dict[str, Any]], caption: str, title: str, *kinds: str
) -> Block | None:
    kinds = tuple(k for k in kinds if any(row.get(k) is not None for row in rows))
    if not rows or not kinds:
        return None
    svg = _figures.dots(
        rows[:_MOST], _words(desk, *kinds), desk.form.rate_tick,
        title=title,
    )  # fmt: skip
    return figure(svg, caption, _spoken(desk, caption, rows, *kinds))


def _singling_out(desk: Desk) -> list[Block]:
    t, detail = desk.t, _detail(desk, "singling_out_multivariate")
    blocks = []
    rows = [
        {**found, "label": t("figure.column_word_one" if size == "1" else "figure.column_word",
                             count=size), "original": found.get("value")}
        for size, found in (detail.get("by_size") or {}).items()
        if isinstance(found, dict)
    ]  # fmt: skip
    shown = _without_few(rows, [(row.get("n"),) * 3 for row in rows])
    blocks.append(
        _rates(desk, shown, _captioned(desk, "singling", left_out=shown != rows),
               t("figure.attack_share"), "original", "control", "naive")
    )  # fmt: skip
    used = sorted(
        ((name, share) for name, share in (detail.get("columns") or {}).items() if share),
        key=lambda pair: -pair[1],
    )
    rows = [{"label": shown_name(name, 34), "original": share} for name, share in used[:12]]
    blocks.append(
        _rates(desk, rows, t("caption.singling_columns"), t("figure.success_columns"), "original")
    )
    return [block for block in blocks if block]


def _linkability(desk: Desk) -> list[Block]:
    t = desk.t
    splits = [s for s in _detail(desk, "linkability").get("by_split") or [] if s]
    splits = sorted(splits, key=lambda s: -((s.get("value") or 0) - (s.get("control") or 0)))
    rows = [
        {**split, "label": f"{i}", "original": split.get("value")}
        for i, split in enumerate(splits[:_MOST], 1)
    ]
    finding = desk.privacy["linkability"]
    shown = _without_few(rows, [(finding.get("n"), finding.get("n_control"))] * len(rows))
    drawing = _rates(desk, shown, _captioned(desk, "linkability", left_out=shown != rows),
                     t("figure.attack_share"), "original", "control", "naive")  # fmt: skip
    if drawing is None:
        return []
    listed = [
        [f"{i}", desk.names(split.get("left") or [], 10), desk.names(split.get("right") or [], 10)]
        for i, split in enumerate(splits[:_MOST], 1)
    ]
    return [
        drawing,
        table(["", t("table.split_left"), t("table.split_right")], listed, widths=(0.5, 8, 8),
              align="lll", label=t("caption.linkability")),
    ]  # fmt: skip


def _inference(desk: Desk) -> list[Block]:
    t, form = desk.t, desk.form
    finding = desk.privacy.get("attribute_inference_max") or {}
    secrets = [s for s in _detail(desk, "attribute_inference_max").get("by_secret") or [] if s]
    secrets = sorted(secrets, key=lambda s: -(s.get("difference") or 0))
    target = finding.get("target")
    rows = [
        {"label": shown_name(s["column"], 34), "original": s["difference"],
         "ci": s.get("difference_ci"), "verdict": _side(s, target)}
        for s in secrets[:_MOST]
        if s.get("difference") is not None and not _of_few(s)
    ]  # fmt: skip
    if not rows:
        return []
    caption = _captioned(desk, "inference", left_out=any(_of_few(s) for s in secrets[:_MOST]))
    svg = _figures.dots(
        rows, _words(desk, "original"), lambda x, step: form.tick(100 * x, 100 * step),
        title=t("figure.advantage"), target=target, target_word=t("figure.threshold"),
    )  # fmt: skip
    listed = [
        [shown_name(s.get("column", ""), 40), _attacker(desk, s.get("attacker") or DASH),
         form.share(s.get("value"), s.get("n")), form.share(s.get("control"), s.get("n_control")),
         form.share(s.get("naive"), s.get("n")), form.share(s.get("population"), s.get("n"))]
        for s in secrets
    ]  # fmt: skip
    head = [t("table.secret"), t("table.attacker"), t("table.original"), t("table.control"),
            t("table.naive"), t("table.population")]  # fmt: skip
    return [
        figure(svg, caption, t("alt.dots", caption=caption, rows="; ".join(
            f"{row['label']}: {form.gap(row['original'], 'rate')}" for row in rows[:6]))),
        table(head, listed, widths=(4, 3, 1.5, 1.5, 1.7, 2), align="llrrrr",
              label=t("attacks.inference")),
    ]  # fmt: skip


def _of_few(secret: dict[str, Any]) -> bool:
    counts = (("value", "n"), ("control", "n_control"))
    return any(few(secret.get(share), secret.get(n)) for share, n in counts)


def _generator(desk: Desk) -> list[Block]:
    t, form = desk.t, desk.form
    shadow, regeneration = _detail(desk, "shadow_membership"), _detail(desk, "regeneration_linkage")
    blocks = []
    if shadow.get("epsilon_at_least") is not None:
        epsilon = form.number(shadow["epsilon_at_least"], 2)
        persons = form.count(shadow.get("persons"))
        blocks.append(paragraph(t("attacks.epsilon", persons=persons, epsilon=epsilon)))
    found = desk.privacy.get("regeneration_linkage") or {}
    if regeneration.get("times_chance") is not None and not desk.small(
        "regeneration_linkage", found
    ):
        times, sets = form.brief(regeneration["times_chance"]), regeneration.get("sets")
        blocks.append(paragraph(t("attacks.regeneration", sets=form.number(sets, 0), times=times)))
    return blocks


def _attacker(desk: Desk, name: str) -> str:
    return desk.t.get(f"attacker.{name}", shown_name(name.replace("_", " ")))


def _side(secret: dict[str, Any], target: float | None) -> str:
    """Colour of a line by the side of the target it is drawn on; no verdict is taken here."""
    interval = secret.get("difference_ci")
    if target is None or not interval:
        return "information"
    if interval[1] < target:
        return "pass"
    return "fail" if secret["difference"] > target and interval[0] > 0 else "attention"


def _membership(desk: Desk) -> list[Block]:
    t, form = desk.t, desk.form
    detail = _detail(desk, "membership_auc")
    blocks: list[Block] = []
    n = (desk.privacy.get("membership_auc") or {}).get("n")
    roc, distances = detail.get("roc"), detail.get("distances")
    if roc:
        roc = {**roc, "tpr": [None if few(found, n) else found for found in roc["tpr"]]}
    if roc or distances:
        words = {
            "coin": t("figure.coin"), "false_alarms": t("figure.false_alarms"),
            "members_found": t("figure.members_found"), "x": t("figure.distance"),
            "y": t("figure.distance_share"), **_words(desk, "original", "control"),
        }  # fmt: skip
        svg = _figures.curves(roc, distances, words, form.rate_tick, form.tick)
        caption = t("caption.membership")
        blocks.append(figure(svg, caption, t("alt.membership", caption=caption)))
    tried = detail.get("attacks") or {}
    if tried:
        rows = [
            [_attacker(desk, name)
             + (f" ({t('table.strongest')})" if name == detail.get("strongest") else ""),
             form.number(found.get("auc"), 3), form.share(found.get("tpr_at_1"), n)]
            for name, found in sorted(tried.items(), key=lambda a: -(a[1].get("auc") or 0))
        ]  # fmt: skip
        head = [t("table.attacker"), t("glossary.auc"), desk.called("membership_tpr_at_1")]
        blocks.append(
            table(
                head, rows, widths=(6, 2, 5), align="lrr", caption=t("caption.membership_attacks")
            )
        )
    return blocks
