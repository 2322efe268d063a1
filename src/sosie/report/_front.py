"""The two pages that a person decides on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sosie.report._blocks import cell, heading, paragraph, points, table
from sosie.report._findings import measured
from sosie.report._format import shown_name
from sosie.report._names import KEPT, LEAKS

if TYPE_CHECKING:
    from sosie.report._blocks import Block
    from sosie.report._findings import Desk

__all__ = ["first_page", "second_page", "title"]

CRITERIA = ("singling_out", "linkability", "inference", "membership")


def title(desk: Desk) -> str:
    """Name the report after the file that was judged."""
    for place in ("synthetic", "original"):
        if name := shown_name((desk.inputs.get(place) or {}).get("name") or "", 70):
            return name
    return desk.t("front.kind")


def first_page(desk: Desk) -> list[Block]:
    """Say what was judged, the verdict, the criteria, the main targets, room to sign."""
    t, evidence = desk.t, desk.evidence
    verdict = evidence.get("verdict", "attention")
    judged = "generator" if evidence.get("judged") == "generator" else "table"
    inputs = [
        {"name": t(f"front.{place}"), **_input(desk, place)}
        for place in ("original", "synthetic", "control", "linked")
    ]
    criteria = []
    for name in CRITERIA:
        told = (evidence.get("criteria") or {}).get(name) or {}
        drivers = [desk.called(driver) for driver in told.get("drivers") or []][:2]
        criteria.append(
            {
                "name": t(f"criteria.{name}"),
                "question": t(f"question.{name}"),
                "mark": desk.mark(told.get("verdict", "not_measured")),
                "text": t("front.drivers", names=desk.form.joined(drivers))
                if drivers
                else t("front.silent"),
            }
        )  # fmt: skip
    return [
        {
            "type": "cover",
            "kind": t("front.kind"),
            "title": title(desk),
            "judged": t(f"front.judged_{judged}"),
            "inputs": inputs,
            "made": f"{t('front.made_on')} {desk.form.date(evidence.get('made_on'))}",
            "rulebook": f"{t('front.rulebook')} {desk.rulebook()}",
            "certificate": _certificate(desk),
        },
        {"type": "verdict", "mark": desk.mark(verdict), "text": t(f"front.{verdict}")},
        heading(t("front.criteria"), small=True),
        {"type": "criteria", "items": criteria},
        heading(t("front.targets"), small=True),
        _main_targets(desk),
        {
            "type": "signature",
            "title": t("front.sign"),
            "note": t(desk.by_default("front.sign_note"), threshold=desk.threshold()),
            "fields": [t("front.sign_name"), t("front.sign_date"), t("front.sign_signature")],
            "options": t("front.sign_options").split("|"),
        },
    ]


def _certificate(desk: Desk) -> Block | None:
    """Say which certificate is about this evidence, and draw its hash."""
    told: dict[str, str] | None = desk.evidence.get("certificate")
    if not told:
        return None
    return {
        "svg": told["code"],
        "alt": desk.t("front.certificate_code"),
        "text": desk.t("front.certificate", id=told["id"], sha256=told["sha256"][:16]),
    }


def _input(desk: Desk, place: str) -> dict[str, str]:
    told: dict[str, Any] | None = desk.inputs.get(place)
    if not told:
        generator = desk.evidence.get("judged") == "generator"
        remade = generator and place in ("synthetic", "control")
        return {"file": "", "size": desk.t("front.remade" if remade else "front.absent")}
    size = desk.t(
        "front.size",
        rows=desk.form.count(told.get("rows")),
        columns=desk.form.number(told.get("columns"), 0),
    )
    return {"file": shown_name(told.get("name", ""), 44), "size": size}


def _main_targets(desk: Desk) -> Block:
    t = desk.t
    leaks = [(name, desk.privacy[name]) for name in LEAKS if name in desk.privacy]
    # The generator's own attack is only expected where there is a generator.
    leaks = [(n, f) for n, f in leaks if n != "regeneration_linkage" or measured(f)]
    domain = desk.domain([finding for _, finding in leaks])
    rows: list[list[Block]] = [[cell(t("front.leaks"))]]
    for name, finding in leaks:
        gap = desk.deciding(finding)[2]
        rows.append(desk.target_row(name, finding, domain if gap else desk.own_domain(finding)))
    rows.append([cell(t("front.kept"))])
    rows += [
        desk.target_row(name, desk.utility[name], desk.own_domain(desk.utility[name]))
        for name in KEPT
        if name in desk.utility
    ]
    head = [t("table.measure"), t("table.value"), t("table.interval"), t("table.target"),
            t("table.picture"), t("table.verdict")]  # fmt: skip
    return table(
        head, rows, widths=(5.6, 1.6, 2.7, 1.6, 2.6, 2.6), align="lrllll", label=t("front.targets")
    )


def second_page(desk: Desk) -> list[Block]:
    """Say what it means, what it does not prove, what to change, and when to look again."""
    t, evidence = desk.t, desk.evidence
    threshold = desk.threshold()
    meaning = t(f"meaning.{evidence.get('verdict', 'attention')}", threshold=threshold)
    judged = "generator" if evidence.get("judged") == "generator" else "table"
    limits = ("attacks", "threshold", "distances", judged, "longitudinal", "model", "report")
    written = [
        (t(f"limit.{name}"), t(_key(desk, name)).replace("{threshold}", threshold))
        for name in limits
    ]
    return [
        heading(t("meaning.title"), 1),
        heading(t("meaning.means"), 2),
        paragraph(meaning, "lead"),
        paragraph(_power(desk)),
        *_other_population(desk),
        heading(t("meaning.limits"), 2),
        points(written),
        heading(t("meaning.change"), 2),
        *_changes(desk),
        heading(t("meaning.review"), 2),
        paragraph(t("meaning.review_text", date=desk.form.date(evidence.get("review_by")))),
    ]


def _key(desk: Desk, limit: str) -> str:
    key = f"limit.{limit}_text"
    return desk.by_default(key) if limit == "threshold" else key


def _other_population(desk: Desk) -> list[Block]:
    """Say that control persons differ, where they surely do."""
    alike = desk.beside_control()
    if alike is None or alike["alike"]:
        return []
    auc = desk.form.number(alike["value"], 3)
    return [paragraph(desk.t("meaning.other_population", auc=auc), "warning")]


def _power(desk: Desk) -> str:
    t = desk.t
    planted = (desk.evidence.get("controls") or {}).get("planted")
    if not planted:
        return t("meaning.power_none")
    found = t("meaning.power_found" if planted.get("found") else "meaning.power_missed")
    text = t("meaning.power", share=desk.form.rate(planted.get("share")), found=found)
    smallest = planted.get("smallest_found")
    if smallest is not None:
        text += " " + t("meaning.power_smallest", share=desk.form.rate(smallest))
    return text


def _changes(desk: Desk) -> list[Block]:
    t = desk.t
    items = []
    for name in CRITERIA:
        told = (desk.evidence.get("criteria") or {}).get(name) or {}
        if told.get("verdict") == "pass" or not told.get("advice"):
            continue
        advice = " ".join(
            t.get(f"advice.{key}", shown_name(str(key).replace("_", " ")) + ".")
            for key in told["advice"]
        )
        if told.get("columns"):
            advice += " " + t("meaning.change_columns", columns=desk.names(told["columns"], 8))
        items.append((t(f"criteria.{name}") + ".", advice))
    if items:
        return [points(items)]
    return [paragraph(t("meaning.change_none"))]
