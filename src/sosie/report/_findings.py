"""One finding as words, cells and rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sosie.report import _marks
from sosie.report._blocks import cell, table
from sosie.report._format import DASH, SMALL, Form, few, shown_name, within
from sosie.report._names import GROUPS, unit_of
from sosie.report._texts import Texts

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sosie.report._blocks import Block

__all__ = ["Desk", "measured"]

Finding = dict[str, Any]

_BY_CHANCE = {
    name for group in ("linkability", "membership", "generator") for name in GROUPS[group]
}
"""Attacks whose naive guess is reckoned, not counted on persons."""


def measured(finding: Finding | None) -> bool:
    """Tell whether there is a number to show."""
    return bool(finding) and finding.get("value") is not None  # type: ignore[union-attr]


class Desk:
    """The evidence, with the language in which it is told.

    Parameters
    ----------
    evidence : dict
    lang : {"fr", "en"}
    """

    def __init__(self, evidence: dict[str, Any], lang: str) -> None:
        self.evidence = evidence
        self.t = Texts(lang)
        self.form = Form(lang)
        self.privacy: dict[str, Finding] = evidence.get("privacy") or {}
        self.utility: dict[str, Finding] = evidence.get("utility") or {}
        self.settings: dict[str, Any] = evidence.get("settings") or {}
        self.inputs: dict[str, Any] = evidence.get("inputs") or {}

    def beside_control(self) -> dict[str, Any] | None:
        """Tell how well the original and the control are told apart."""
        detail = (self.utility.get("detector_auc") or {}).get("detail") or {}
        return detail.get("of_control")

    def threshold(self) -> str:
        """Write the threshold of advantage."""
        text = self.form.target(self.settings.get("threshold"), "rate", "lower", gap=True)
        return text.removeprefix("<\u00a0")

    def by_default(self, key: str) -> str:
        """Give the key of a text about the threshold: another where nobody set one."""
        return f"{key}_default" if self.settings.get("threshold_is") == "default" else key

    def effort(self) -> str:
        """Write how hard was tried."""
        asked = shown_name(self.settings.get("effort") or DASH)
        return self.t.get(f"effort.{asked}", asked)

    def rulebook(self) -> str:
        """Write by which rules was judged, with bodies named as in the language of the reader."""
        text = str(self.evidence.get("rulebook", ""))
        for key in self.t.under("rulebook"):
            text = text.replace(key.removeprefix("rulebook."), self.t(key))
        return self.form.joined(shown_name(text, 160).split("; "))

    def called(self, name: str) -> str:
        """Give the name of a finding in words."""
        spare = shown_name(name.replace("_", " "))
        return self.t.get(f"privacy.{name}", self.t.get(f"utility.{name}", spare))

    def explained(self, name: str) -> str:
        """Say what an attacker knows, or what a measure means."""
        return self.t.get(f"knows.{name}", self.t.get(f"means.{name}", ""))

    def why(self, finding: Finding | None) -> str:
        """Say why there is no number."""
        reason = (finding or {}).get("why_not") or "absent"
        return self.t.get(f"why_not.{reason}", self.t("why_not.absent"))

    def mark(self, verdict: str) -> Block:
        """Show a verdict: shape, colour and word."""
        word = self.t.get(f"verdict.{verdict}", shown_name(verdict))
        return {
            "svg": _marks.mark(verdict),
            "word": word,
            "colour": _marks.COLOURS.get(verdict, _marks.COLOURS["not_measured"]),
            "alt": self.t("alt.mark", verdict=word),
        }

    def names(self, names: Sequence[object], most: int = 12) -> str:
        """List names that others chose, inert."""
        listed = [shown_name(name, 40) for name in names[:most]]
        if len(names) > most:
            listed.append(self.t("figure.more_levels", count=len(names) - most))
        return ", ".join(listed) or DASH

    def unit(self, name: str, finding: Finding) -> str:
        """Give the unit of a finding."""
        sizes = [abs(finding.get(k) or 0) for k in ("value", "target")]
        return unit_of(name, max(sizes))

    def deciding(self, finding: Finding) -> tuple[float | None, Sequence[float] | None, bool]:
        """Give what is held against the target, its interval, and whether it is a difference."""
        if finding.get("difference") is not None:
            return finding["difference"], finding.get("difference_ci"), True
        return finding.get("value"), finding.get("ci"), False

    def small(self, name: str, finding: Finding) -> bool:
        """Tell whether what an attack found would betray a count of 1 to 4 persons."""
        shown = ("value", "control") if self.deciding(finding)[2] else ("value",)
        return any(few(*self._counted(name, finding, which)) for which in shown)

    def share(self, name: str, finding: Finding, which: str) -> str:
        """Write the value, the control or the guess of a finding; of few persons as such."""
        part, n = self._counted(name, finding, which)
        if few(part, n):
            return self.form.share(part, n)
        return self.form.amount(finding.get(which), self.unit(name, finding))

    def bounded(self, name: str, finding: Finding, words: str = "table.hidden_small") -> str:
        """Write what decides where it is about few persons: that, or between what it lies."""
        value, _, gap = self.deciding(finding)
        if not gap or value is None:
            return self.share(name, finding, "value")
        (part, n), (other, m) = (
            self._counted(name, finding, which) for which in ("value", "control")
        )
        if part is None or other is None:
            return DASH
        if all(round(share * (of or 0)) < SMALL for share, of in ((part, n), (other, m))):
            return self.t(words)
        (low, high), (least, most) = within(part, n), within(other, m)
        seen = (finding.get("detail") or {}).get("visible_share") or 1.0
        ends = (low - most) / seen, (high - least) / seen
        if not ends[0] < value < ends[1]:
            return DASH
        return self.form.interval(ends, "rate", gap=True)

    def _counted(self, name: str, finding: Finding, which: str) -> tuple[float | None, int | None]:
        """Give a share of persons that an attack found, and of how many; none of what is none."""
        unit, value = self.unit(name, finding), finding.get(which)
        if name not in self.privacy or unit not in ("rate", "percent") or value is None:
            return None, None
        if which == "naive" and name in _BY_CHANCE:
            return None, None
        n = finding.get("n_control" if which == "control" else "n")
        return (value / 100 if unit == "percent" else value), n

    def target_row(self, name: str, finding: Finding, domain: tuple[float, float]) -> list[Block]:
        """Set a finding as a row: name, value, interval, target, picture, verdict."""
        verdict = self.mark(finding.get("verdict", "not_measured"))
        if not measured(finding):
            return [cell(self.called(name)), cell(DASH), cell(), cell(), cell(), cell(mark=verdict)]
        value, interval, gap = self.deciding(finding)
        unit = self.unit(name, finding)
        target = self.form.target(
            finding.get("target"), unit, finding.get("better", "lower"), gap=gap
        )
        if self.small(name, finding):
            told = self.bounded(name, finding, "table.hidden_short")
            return [cell(self.called(name)), cell(told), cell(), cell(target), cell(),
                    cell(mark=verdict)]  # fmt: skip
        write = self.form.gap if gap else self.form.amount
        return [
            cell(self.called(name)),
            cell(write(value, unit)),
            cell(self.form.interval(interval, unit, gap=gap)),
            cell(target),
            self.picture(name, finding, domain),
            cell(mark=verdict),
        ]

    def picture(self, name: str, finding: Finding, domain: tuple[float, float]) -> Block:
        """Draw what decides as a dot and a line against its target."""
        value, interval, gap = self.deciding(finding)
        if value is None or self.small(name, finding):
            return cell()
        unit, target = self.unit(name, finding), finding.get("target")
        svg = _marks.strip(
            value, interval, target, domain,
            better=finding.get("better", "lower"), verdict=finding.get("verdict", "information"),
        )  # fmt: skip
        write = self.form.gap if gap else self.form.amount
        alt = self.t(
            "alt.strip",
            value=write(value, unit),
            interval=self.form.interval(interval, unit, gap=gap),
            target=self.form.target(target, unit, finding.get("better", "lower"), gap=gap),
        )
        return cell(svg=svg, alt=alt)

    def domain(self, findings: Sequence[Finding]) -> tuple[float, float]:
        """Give one axis to all advantages of a table: what is drawn alike can be compared."""
        ends = [0.0]
        for finding in findings:
            value, interval, gap = self.deciding(finding)
            if gap:
                ends += [
                    e for e in (value, finding.get("target"), *(interval or ())) if e is not None
                ]
        low, high = max(min(ends), -0.25), max(*ends, 0.1)
        return low - 0.06 * (high - low), high + 0.06 * (high - low)

    def own_domain(self, finding: Finding) -> tuple[float, float]:
        """Give a value that is no advantage an axis of its own."""
        value, interval, _ = self.deciding(finding)
        ends = [e for e in (value, finding.get("target"), *(interval or ())) if e is not None]
        if not ends:
            return 0.0, 1.0
        if finding.get("better") == "higher":
            low, high = min(ends), max(ends)
            room = 0.3 * (high - low) or 0.1 * abs(high) or 1.0
            return low - room, high + room
        low = min(0.0, *ends)
        return low, low + 1.25 * ((max(ends) - low) or 1.0)

    def targets(
        self,
        names: Sequence[str],
        findings: dict[str, Finding],
        label: str,
        *,
        control: bool = False,
        plain: bool = False,
    ) -> Block:
        """Set findings as a table with targets, values explained below the names.

        With ``control``, what the control gets has a column; ``plain`` findings decide
        nothing, and are said to meet or to miss their target without a colour.
        """
        rows = []
        for name in names:
            finding = findings.get(name)
            if finding is None:
                continue
            row = self.target_row(name, finding, self.own_domain(finding))
            below = self.explained(name) if measured(finding) else self.why(finding)
            row[0] = cell(row[0]["text"], note=below)
            if plain and finding.get("verdict") in ("pass", "attention", "fail"):
                mark = self.mark("information")
                mark["word"] = self.t(
                    f"table.{'missed' if finding['verdict'] == 'fail' else 'met'}"
                )
                row[4:] = [self.picture(name, {**finding, "verdict": "information"},
                                        self.own_domain(finding)), cell(mark=mark)]  # fmt: skip
            if control:
                row.insert(3, cell(self.share(name, finding, "control")))
            rows.append(row)
        t = self.t
        head = [t("table.measure"), t("table.value"), t("table.interval"), t("table.target"),
                t("table.picture"), t("table.verdict")]  # fmt: skip
        if not control:
            return table(
                head, rows, widths=(5.9, 1.5, 2.5, 1.6, 2.6, 2.6), align="lrllll", label=label
            )
        head.insert(3, t("table.control"))
        widths = (5.1, 1.4, 2.5, 1.3, 1.5, 2.4, 2.6)
        return table(head, rows, widths=widths, align="lrlrlll", label=label)
