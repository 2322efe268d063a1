"""Annexes B, C, E and F: controls of the battery, diagnostics, how it was made, words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sosie.report import _figures
from sosie.report._blocks import cell, facts, figure, heading, note, paragraph, table
from sosie.report._format import DASH, shown_name
from sosie.report._names import AVATARS, REFERENCE

if TYPE_CHECKING:
    from sosie.report._blocks import Block
    from sosie.report._findings import Desk

__all__ = ["controls", "diagnostics", "glossary", "settings"]

PLACES = ("original", "synthetic", "control", "linked")


def controls(desk: Desk) -> list[Block]:
    """Set annex B."""
    t, form = desk.t, desk.form
    told: dict[str, Any] = desk.evidence.get("controls") or {}
    blocks = [heading(t("controls.title"), 1, page=False), paragraph(t("controls.lead"), "lead")]
    rows = []
    for name in ("original_as_synthetic", "fresh_control"):
        test = told.get(name)
        if not test:
            continue
        alarms: dict[str, bool] = test.get("alarms") or {}
        rang = [desk.called(alarm) for alarm, on in alarms.items() if on]
        silent = [desk.called(alarm) for alarm, on in alarms.items() if not on]
        if rang:
            text = t("controls.rang", rang=len(rang), all=len(alarms), names=", ".join(rang))
            if silent and name == "original_as_synthetic":
                missed = t("controls.missed", names=", ".join(silent))
                text = form.joined([text, missed])
        else:
            text = t("controls.rang_none", all=len(alarms))
        rows.append(
            [cell(t(f"controls.{name}"), note=t(f"controls.{name}_text")), cell(text),
             _as_expected(desk, test.get("as_expected"))]
        )  # fmt: skip
    alike = desk.beside_control()
    if alike:
        text = t("controls.alike_auc", value=form.number(alike["value"], 3),
                 interval=form.interval(alike["ci"], "score"))  # fmt: skip
        rows.append(
            [cell(t("controls.alike"), note=t("controls.alike_text")), cell(text),
             _as_expected(desk, alike["alike"])]
        )  # fmt: skip
    planted = told.get("planted")
    if planted:
        values = {
            "share": form.rate(planted.get("share")),
            "persons": form.number(planted.get("persons"), 0),
        }
        if planted.get("found"):
            by = ", ".join(desk.called(n) for n in planted.get("found_by") or []) or DASH
            text = t("controls.found", **values, names=by)
        else:
            text = t("controls.not_found", **values)
        rows.append(
            [cell(t("controls.planted"), note=t("controls.planted_text")), cell(text),
             _as_expected(desk, planted.get("found"))]
        )  # fmt: skip
    if not rows:
        return [*blocks, note(t("controls.absent"))]
    head = [t("controls.test"), t("controls.outcome"), t("table.expected")]
    blocks.append(table(head, rows, widths=(5, 8.5, 2.2), align="lll", label=t("controls.title")))
    tried = (planted or {}).get("tried") or []
    if tried:
        listed = [
            [form.rate(one.get("share")), form.number(one.get("persons"), 0),
             ", ".join(desk.called(n) for n in one.get("found_by") or []) or t("table.nobody")]
            for one in tried
        ]  # fmt: skip
        head = [t("table.planted_share"), t("table.persons"), t("table.found_by")]
        blocks.append(
            table(head, listed, widths=(2.4, 2, 10), align="rrl", caption=t("controls.tried"))
        )
    return blocks


def _as_expected(desk: Desk, as_expected: bool | None) -> Block:
    mark = desk.mark("pass" if as_expected else "fail")
    mark["word"] = desk.t("table.yes" if as_expected else "table.no")
    return cell(mark=mark)


def diagnostics(desk: Desk) -> list[Block]:
    """Set annex C."""
    t, form = desk.t, desk.form
    warning = paragraph(t("diagnostics.warning"), "warning")
    blocks = [
        heading(t("diagnostics.title"), 1), warning, paragraph(t("diagnostics.lead"), "lead"),
        heading(t("diagnostics.avatars"), 2), paragraph(t("diagnostics.avatars_lead")),
        desk.targets(AVATARS, desk.privacy, t("diagnostics.avatars"), plain=True),
    ]  # fmt: skip
    if not any(name in desk.privacy for name in AVATARS):
        blocks[-1] = note(t("why_not.no_linked"))
    cloaking = (desk.privacy.get("local_cloaking") or {}).get("detail") or {}
    if cloaking.get("shares"):
        words = {"x": t("figure.cloaking"), "y": t("figure.persons_share"), "original": ""}
        data = {"edges": cloaking["edges"], "original": cloaking["shares"]}
        svg = _figures.histogram(data, words, form.rate_tick, form.tick)
        caption = t("caption.cloaking")
        blocks.append(figure(svg, caption, t("alt.histogram", caption=caption)))
    blocks += [
        heading(t("diagnostics.reference"), 2),
        paragraph(t("diagnostics.warning"), "warning"),
        desk.targets(REFERENCE, desk.privacy, t("diagnostics.reference"), plain=True),
    ]
    if not any(name in desk.privacy for name in REFERENCE):
        blocks[-1] = note(t("why_not.absent"))
    distances = (desk.privacy.get("distance_to_closest") or {}).get("detail") or {}
    if distances.get("original"):
        words = {"x": t("figure.closer"), "y": t("figure.rows_share"),
                 "original": t("figure.original"), "control": t("figure.control")}  # fmt: skip
        svg = _figures.histogram(distances, words, form.rate_tick, form.tick)
        caption = t("caption.distance")
        blocks.append(figure(svg, caption, t("alt.histogram", caption=caption)))
    return blocks


def settings(desk: Desk) -> list[Block]:
    """Set annex E."""
    t, form, told = desk.t, desk.form, desk.settings
    evidence = desk.evidence
    rows = [
        [t(f"front.{place}"), shown_name(one.get("name", ""), 50), form.count(one.get("rows")),
         form.number(one.get("columns"), 0), shown_name(one.get("sha256", ""), 64)]
        for place in PLACES
        if (one := desk.inputs.get(place))
    ]  # fmt: skip
    head = [t("table.place"), t("table.file"), t("table.rows"), t("table.columns"), t("table.sha")]
    sampled = [
        t("settings.sampled_text", used=form.count(used), all=form.count(of),
          place=t.get(f"figure.{place}", shown_name(place)))
        for place, (used, of) in (told.get("sampled") or {}).items()
    ]  # fmt: skip
    generator = told.get("generator")
    pairs = [
        (t("settings.made_on"), form.date(evidence.get("made_on"))),
        (t("settings.review_by"), form.date(evidence.get("review_by"))),
        (t("settings.rulebook"), desk.rulebook()),
        (t("settings.sosie"), shown_name(evidence.get("sosie", ""))),
        (t("settings.effort"), desk.effort()),
        (t("settings.seed"), shown_name(DASH if told.get("seed") is None else told["seed"])),
        (t("settings.threshold"),
         t(desk.by_default("settings.threshold_is"), threshold=desk.threshold())),
        (t("settings.target"), shown_name(told.get("target") or DASH)),
        (t("settings.secrets"), desk.names(told.get("secrets") or [], 60)),
        (t("settings.known"), desk.names(told.get("known") or [], 60)),
        (t("settings.sampled"), form.joined(sampled) or DASH),
        (t("settings.rounds"), form.number(told.get("rounds"), 0)),
        (t("settings.generator"), _parameters(generator)),
        (t("settings.seconds"),
         t("settings.seconds_text", seconds=form.number(told.get("seconds"), 1))),
        (t("settings.versions"), ", ".join(
            f"{shown_name(k)} {shown_name(v)}" for k, v in (told.get("versions") or {}).items())),
    ]  # fmt: skip
    blocks = [
        heading(t("settings.title"), 1),
        table(
            head, rows, widths=(2, 4.2, 1.5, 1.5, 6.5), align="llrrl", caption=t("caption.inputs")
        ),
        facts([pair for pair in pairs if pair[1] not in ("", DASH)]),
    ]
    left_out = desk.inputs.get("left_out") or {}
    if left_out:
        listed = [
            [shown_name(name), t.get(f"settings.{why}", shown_name(why))]
            for name, why in left_out.items()
        ]
        head = [t("table.column"), t("table.why")]
        blocks.append(table(head, listed, widths=(8, 8), align="ll", caption=t("caption.left_out")))
    else:
        blocks.append(paragraph(t("settings.left_out_none")))
    return blocks


def _parameters(generator: Any) -> str:
    if isinstance(generator, dict):
        return ", ".join(f"{shown_name(k)} = {shown_name(v)}" for k, v in generator.items())
    return shown_name(generator) if generator else DASH


def glossary(desk: Desk) -> list[Block]:
    """Set annex F."""
    keys = [key for key in desk.t.under("glossary") if f"{key}_text" in desk.t.under("glossary")]
    words = [(desk.t(key), desk.t(f"{key}_text")) for key in keys]
    return [heading(desk.t("glossary.title"), 1, page=False), facts(words, columns=2)]
