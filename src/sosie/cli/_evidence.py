"""`sosie evidence`, `sosie rehearse` and `sosie report`: what leaks, what is kept."""

from __future__ import annotations

import secrets as randomness
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sosie.cli._columns import Drop, Recreate, check_remade, said_of_columns
from sosie.cli._options import Lang, Missing, SchemaFile, weights_of
from sosie.cli._places import check_apart, check_place
from sosie.cli._stages import Stages
from sosie.cli._texts import language, spelt_number, texts
from sosie.errors import DataError, ParameterError

if TYPE_CHECKING:
    from sosie.evidence import Evidence
    from sosie.table import Table

__all__ = ["evidence", "redraw", "rehearse"]

_FAILED = 3

_MALFORMED = (ArithmeticError, AttributeError, LookupError, TypeError, ValueError)
"""What comes of drawing details that are not of the form they have when sosie writes them."""

Target = Annotated[
    str | None, typer.Option("--target", metavar="COL", help="Column that models predict.")
]
Question = Annotated[
    Path | None, typer.Option("--question", help="TOML file of your own analyses, to replicate.")
]
Secret = Annotated[
    list[str] | None,
    typer.Option("--secret", metavar="COL", help="A column attackers want; may be repeated."),
]
Known = Annotated[
    list[str] | None,
    typer.Option("--known", metavar="COL", help="A column attackers may know; may be repeated."),
]
Json = Annotated[
    Path | None, typer.Option("--json", metavar="OUT.json", help="Write the evidence as JSON.")
]
Report = Annotated[
    Path | None,
    typer.Option("--report", metavar="OUT.pdf|OUT.html", help="Write the report."),
]
Effort = Annotated[str, typer.Option("--effort", help="quick, standard or thorough.")]
Seed = Annotated[int, typer.Option("--seed", help="A whole number.")]
Threshold = Annotated[
    float | None,
    typer.Option("--threshold", help="Advantage of an attacker above which a criterion fails."),
]
OpenRelease = Annotated[
    bool,
    typer.Option("--open-release", help="For a table anyone may have: threshold 0.02 at most."),
]
Strict = Annotated[
    bool,
    typer.Option("--strict", help="If it fails, leave with status 3 and make no release."),
]


def evidence(
    original: Annotated[Path, typer.Argument(help="The persons the generator saw.")],
    synthetic: Annotated[Path, typer.Argument(help="What it made, with whatever tool.")],
    control: Annotated[
        Path | None, typer.Option("--control", help="Persons the generator never saw.")
    ] = None,
    linked: Annotated[
        Path | None,
        typer.Option("--linked", help="Avatars in the order of the original, for diagnosis."),
    ] = None,
    schema: SchemaFile = None,
    target: Target = None,
    question: Question = None,
    secret: Secret = None,
    known: Known = None,
    json_out: Json = None,
    report: Report = None,
    lang: Lang = None,
    effort: Effort = "standard",
    seed: Seed = 0,
    threshold: Threshold = None,
    open_release: OpenRelease = False,
    missing: Missing = None,
    strict: Strict = False,
) -> None:
    """Judge a synthetic table: attacks on persons with a control group, and what is kept."""
    spoken = language(lang)
    words: dict[str, Any] = texts(spoken)["evidence"]
    inputs = [p for p in (original, synthetic, control, linked, schema, question) if p]
    _check_outputs(json_out, report, inputs)
    from sosie.evidence import assess

    asked = _threshold(threshold, open_release=open_release)
    with Stages(words["stages"], shown=True) as stages:
        stages.begin("judge")
        found = assess(
            original,
            synthetic,
            control,
            linked,
            schema=schema,
            target=target,
            question=question,
            secrets=secret,
            known=known,
            effort=effort,
            threshold=asked,
            seed=seed,
            missing=missing,
            progress=stages.advance,
        )
        stages.begin("write")
        _write(found, json_out, report, spoken)
    _show(found, json_out, report, words)
    _leave(found, strict=strict)


def rehearse(
    data: Annotated[Path, typer.Argument(help="The table of persons.")],
    k: Annotated[int, typer.Option("--k", help="Persons in a neighbourhood.")] = 10,
    ncp: Annotated[
        int, typer.Option("--ncp", help="Factors in which neighbourhoods are made.")
    ] = 5,
    weight: Annotated[
        list[str] | None,
        typer.Option("--weight", metavar="COL=W", help="Inertia of a column; may be repeated."),
    ] = None,
    kernel: Annotated[
        str, typer.Option("--kernel", help="gibbs, rotation, gaussian or published.")
    ] = "gibbs",
    drop: Drop = None,
    recreate: Recreate = None,
    person: Annotated[
        str | None,
        typer.Option(
            "--person",
            metavar="COL",
            help="Whose each row is, where persons have several: left out of the table.",
        ),
    ] = None,
    release: Annotated[
        Path | None,
        typer.Option("--release", help="Then make the release from all rows, and write it here."),
    ] = None,
    schema: SchemaFile = None,
    target: Target = None,
    question: Question = None,
    secret: Secret = None,
    known: Known = None,
    json_out: Json = None,
    report: Report = None,
    lang: Lang = None,
    effort: Effort = "standard",
    rounds: Annotated[
        int | None, typer.Option("--rounds", min=1, help="Splits of the persons.")
    ] = None,
    seed: Seed = 0,
    threshold: Threshold = None,
    open_release: OpenRelease = False,
    missing: Missing = None,
    strict: Strict = False,
) -> None:
    """Judge a generator before any release: fit on half of the persons, attack with the rest."""
    spoken = language(lang)
    words: dict[str, Any] = texts(spoken)["evidence"]
    weights = weights_of(weight or [])
    inputs = [p for p in (data, schema, question) if p]
    _check_outputs(json_out, report, inputs, release)
    from sosie.evidence import rehearse as rehearsed
    from sosie.generators import Avatar
    from sosie.table import Table

    asked = _threshold(threshold, open_release=open_release)
    with Stages(words["stages"], shown=True) as stages:
        stages.begin("read")
        persons = None
        if person is not None:
            whole = Table.read(data, said_of_columns(schema, None, None), missing=missing)
            if person not in whole.names:
                raise ParameterError(f"--person: there is no column {person!r} in {data}.")
            persons = whole.frame[person].to_list()
            drop = [*(drop or []), person]
        table = Table.read(data, said_of_columns(schema, drop, recreate), missing=missing)
        check_remade(table, recreate)
        table.refuse()
        stages.begin("judge")
        found = rehearsed(
            table,
            lambda own: Avatar(k, ncp, weights, kernel, own),
            target=target,
            question=question,
            secrets=secret,
            known=known,
            effort=effort,
            threshold=asked,
            rounds=rounds,
            seed=seed,
            source=data,
            persons=persons,
            progress=stages.advance,
        )
        made = {}
        barred = strict and _failed(found)
        if release is not None and not barred:
            stages.begin("release")
            fresh = Avatar(k, ncp, weights, kernel, randomness.randbelow(2**53))
            made[release] = fresh.fit(table, stages.advance).sample_tables()[0]
        stages.begin("write")
        _write(found, json_out, report, spoken, made)
    _show(found, json_out, report, words)
    for path in made:
        typer.echo(words["released"].format(path=path))
    if release is not None and barred:
        typer.echo(words["not_released"])
    _leave(found, strict=strict)


def redraw(
    source: Annotated[Path, typer.Argument(metavar="EVIDENCE.json", help="What --json wrote.")],
    report: Annotated[
        Path, typer.Option("--report", metavar="OUT.pdf|OUT.html", help="Write the report.")
    ],
    certificate: Annotated[
        Path | None,
        typer.Option(
            "--certificate",
            metavar="CERT.json",
            help="That is about this evidence: its id and its hash as a QR code.",
        ),
    ] = None,
    lang: Lang = None,
) -> None:
    """Draw the report of evidence again, without computing it again."""
    spoken = language(lang)
    words: dict[str, Any] = texts(spoken)["evidence"]
    _check_outputs(None, report, [p for p in (source, certificate) if p])
    from sosie.evidence import Evidence

    found = Evidence.read(source)
    certified = _certified(certificate, source) if certificate else None
    with Stages(words["stages"], shown=True) as stages:
        stages.begin("write")
        try:
            _write(found, None, report, spoken, certificate=certified)
        except _MALFORMED as error:
            raise DataError(
                f"{source} is not evidence that can be drawn; make it again with "
                "`sosie evidence --json`."
            ) from error
    typer.echo(words["report_written"].format(path=report))


def _certified(path: Path, evidence: Path) -> dict[str, str]:
    """Give what a report shows of the certificate that is about this evidence."""
    from sosie.trust import (
        PAYLOAD_TYPE,
        EvidenceFile,
        certificate_in,
        hash_code,
        judged_of,
        payload_of,
        read_envelope,
        sha256,
    )

    payload = payload_of(read_envelope(path), PAYLOAD_TYPE)
    certificate = certificate_in(payload)
    if judged_of(EvidenceFile.read(evidence.read_bytes())) != certificate.evidence:
        raise ParameterError(f"{path} is the certificate of other evidence than {evidence}.")
    digest = sha256(payload)
    return {"id": certificate.id, "sha256": digest, "code": hash_code(digest).decode()}


def _threshold(given: float | None, *, open_release: bool) -> float | None:
    """Give the threshold that was asked for; an open release asks for no higher one."""
    from sosie.evidence import OPEN_RELEASE

    if not open_release:
        return given
    if given is not None and given > OPEN_RELEASE:
        raise ParameterError(
            f"--threshold {given:g} is above {OPEN_RELEASE:g}, which --open-release asks for; "
            "leave out one of the two."
        )
    return OPEN_RELEASE if given is None else given


def _check_outputs(
    json_out: Path | None, report: Path | None, inputs: list[Path], release: Path | None = None
) -> None:
    if json_out is not None:
        check_place(json_out, ".json")
    if report is not None:
        check_place(report, ".pdf", ".html")
    if release is not None:
        from sosie.table import check_output

        check_output(release)
    check_apart([p for p in (json_out, report, release) if p], inputs)


def _write(
    found: Evidence,
    json_out: Path | None,
    report: Path | None,
    lang: str,
    also: dict[Path, Table] | None = None,
    certificate: dict[str, str] | None = None,
) -> None:
    """Write all files or none."""
    from sosie.table import Drafts

    contents: dict[Path, bytes] = {}
    if report is not None:
        from sosie.report import rendered

        contents[report] = rendered(
            found.to_dict() | {"certificate": certificate}, report.suffix.lower(), lang
        )
    if json_out is not None:
        contents[json_out] = found.to_json().encode()
    with Drafts() as drafts:
        for path, table in (also or {}).items():
            table.draft(path, drafts)
        for path, content in contents.items():
            with drafts.file(path) as out:
                out.write(content)


def _show(
    found: Evidence, json_out: Path | None, report: Path | None, words: dict[str, Any]
) -> None:
    """Print the verdict, the criteria and the findings that have one."""
    from rich.console import Console
    from rich.table import Table as Grid

    console = Console()
    console.print(f"[bold]{words['overall'][found.verdict]}[/bold]", highlight=False)
    grid = Grid(box=None, pad_edge=False)
    for name in ("criterion", "verdict", "attack", "value", "control", "interval"):
        right = name in ("value", "control", "interval")
        grid.add_column(words[name], justify="right" if right else "left", no_wrap=name != "attack")
    for criterion, one in found.criteria.items():
        name = next(iter(one.drivers), None) or words["shown"][criterion]
        finding = found.privacy.get(name)
        grid.add_row(
            words["criteria"][criterion],
            words["verdicts"][one.verdict],
            words["names"].get(name, name),
            _spelt(finding.value if finding else None, words),
            _spelt(finding.control if finding else None, words),
            _interval(finding.difference_ci if finding else None, words),
        )
    console.print(grid)
    kept = {name: f for name, f in found.utility.items() if f.value is not None}
    console.print(
        words["kept"].format(
            measures=", ".join(
                f"{words['names'].get(name, name)} {_spelt(f.value, words)}"
                for name, f in kept.items()
                if name in words["names"]
            )
        ),
        highlight=False,
    )
    if found.controls.get("planted") and not found.controls["planted"]["found"]:
        console.print(words["no_power"], highlight=False)
    beside = found.utility["detector_auc"].detail.get("of_control")
    if beside and not beside["alike"]:
        auc = _spelt(beside["value"], words)
        console.print(words["other_population"].format(auc=auc), highlight=False)
    if found.inputs.get("control") is None and found.judged == "table":
        console.print(words["no_control"], highlight=False)
    for path, text in ((json_out, "json_written"), (report, "report_written")):
        if path is not None:
            console.print(words[text].format(path=path), highlight=False, markup=False)


def _spelt(value: float | None, words: dict[str, Any]) -> str:
    return "" if value is None else spelt_number(value, words, 3)


def _interval(pair: tuple[float, float] | None, words: dict[str, Any]) -> str:
    if pair is None:
        return ""
    return words["to"].format(low=_spelt(pair[0], words), high=_spelt(pair[1], words))


def _leave(found: Evidence, *, strict: bool) -> None:
    if strict and _failed(found):
        raise typer.Exit(_FAILED)


def _failed(found: Evidence) -> bool:
    return found.verdict == "fail"
