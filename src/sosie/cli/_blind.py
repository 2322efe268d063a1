"""`sosie blind`: whether raters can tell artificial cases from real ones."""

from __future__ import annotations

import json
from pathlib import Path  # noqa: TC003 - Typer reads it when it runs
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sosie.cli._artificial import seed_of
from sosie.cli._columns import Drop, said_of_columns
from sosie.cli._options import (  # noqa: TC001 - Typer reads it when it runs
    Json,
    Lang,
    Missing,
    SchemaFile,
    Seed,
)
from sosie.cli._texts import language, spelt_number, texts
from sosie.errors import DataError, ParameterError

if TYPE_CHECKING:
    from sosie.evidence._blinding import Blinding
    from sosie.evidence._raters import Rater, Scores

__all__ = ["blind"]

_COLOURS = {"told apart": "red", "not told apart": "green", "undecided": "yellow"}


def blind(
    real: Annotated[
        Path | None, typer.Argument(help="A table of persons, or images: a folder, an .npz.")
    ] = None,
    artificial: Annotated[
        Path | None, typer.Argument(help="The artificial ones, of the same columns or size.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FOLDER", help="SENSITIVE: new folder for sheet and key."),
    ] = None,
    n: Annotated[int, typer.Option("--n", help="Cases to show.")] = 100,
    score: Annotated[
        list[Path] | None,
        typer.Option("--score", metavar="CSV", help="Answers to score; may be repeated."),
    ] = None,
    key: Annotated[
        Path | None, typer.Option("--key", metavar="KEY", help="The key to the answers.")
    ] = None,
    margin: Annotated[
        float,
        typer.Option("--margin", help="How far from 0.5 the share of right answers may be."),
    ] = 0.1,
    seed: Seed = None,
    schema: SchemaFile = None,
    drop: Drop = None,
    missing: Missing = None,
    lang: Lang = None,
    as_json: Json = False,
) -> None:
    """Make a blinded test of real and artificial cases, or score the answers to one.

    `sosie blind REAL ARTIFICIAL --out FOLDER` writes a sheet, a file for answers and the key;
    `sosie blind --score answers.csv --key FOLDER/key.json` compares them.
    """
    lang = language(lang)
    words: dict[str, Any] = texts(lang)["blind"]
    if score or key:
        if real or out:
            raise ParameterError("Give tables and --out to make a test, or --score and --key.")
        if not (score and key):
            raise ParameterError("To score answers give both --score and --key.")
        _score(score, key, margin, words, as_json=as_json)
        return
    if real is None or artificial is None or out is None:
        raise ParameterError(
            "Give two tables, or two folders of images, and --out; or --score and --key."
        )
    seed = seed_of(seed)
    from sosie.evidence._blinding import blind_images
    from sosie.evidence._pictures import are_images, pictures
    from sosie.table import check_folder

    check_folder(out)
    if are_images(real) != are_images(artificial):
        raise ParameterError("Give two tables, or two sets of images.")
    if are_images(real):
        made = blind_images(pictures(real), pictures(artificial), n, seed)
    else:
        made = _of_tables(real, artificial, n, seed, schema, drop, missing)
    _write(out, made, words, lang)
    done = {
        "cases": n,
        "commitment": made.commitment,
        "left_out": list(made.left_out),
        "seed": seed,
        "out": str(out),
    }
    if as_json:
        typer.echo(json.dumps(done, ensure_ascii=False))
    else:
        lines = [words["made"].format(n=n, path=out)]
        if made.left_out:
            listed = ", ".join(map(repr, made.left_out))
            lines.append(words["left_out"].format(columns=listed))
        lines += [words["coin"], words["commitment"].format(sha=made.commitment)]
        _say([*lines, words["next"].format(path=out)])
    typer.echo(words["sensitive"].format(path=out), err=True)


def _of_tables(
    real: Path,
    artificial: Path,
    n: int,
    seed: int,
    schema: Path | None,
    drop: list[str] | None,
    missing: list[str] | None,
) -> Blinding:
    from sosie.evidence._align import read_alike
    from sosie.evidence._blinding import blind_tables
    from sosie.table import Table

    persons = Table.read(real, said_of_columns(schema, drop, None), missing=missing)
    others = read_alike(artificial, persons, str(artificial), missing, drop=drop or ())
    return blind_tables(persons, others, n, seed)


def _write(out: Path, made: Blinding, words: dict[str, Any], lang: str) -> None:
    from sosie.report import sheet
    from sosie.table import whole_folder

    page = sheet(made.names, made.cases, made.columns, words["sheet"], lang, made.commitment)
    lines = [f"{name}{words['separator']}" for name in made.names]
    answers = "\n".join([words["separator"].join(words["header"]), *lines, ""])
    contents = {
        "sheet.html": page,
        # A spreadsheet takes accents for whole only after a mark at the beginning.
        "answers.csv": answers.encode("utf-8" if answers.isascii() else "utf-8-sig"),
        "key.json": made.key,
    }
    with whole_folder(out) as draft:
        for name, content in contents.items():
            (draft / name).write_bytes(content)
            (draft / name).chmod(0o600)


def _score(
    score: list[Path], key: Path, margin: float, words: dict[str, Any], *, as_json: bool
) -> None:
    from sosie.evidence._raters import answers_of, scored

    answers: dict[str, dict[str, str]] = {}
    for path in score:
        for name, said in answers_of(path).items():
            if name in answers:
                raise DataError(f"Two raters are called {name!r}: rename a file or a column.")
            answers[name] = said
    try:
        content = key.read_bytes()
    except OSError as error:
        raise DataError(f"{key} could not be read ({error.strerror}).") from error
    found = scored(content, answers, margin)
    if as_json:
        typer.echo(json.dumps(_as_json(found, words), ensure_ascii=False))
    else:
        _show(found, words)


def _as_json(found: Scores, words: dict[str, Any]) -> dict[str, Any]:
    return {
        "cases": found.cases,
        "raters": [
            {
                "rater": one.name,
                "answered": one.answered,
                "right": one.right,
                "accuracy": round(one.accuracy, 4),
                "interval": [round(one.low, 4), round(one.high, 4)],
                "p": one.p,
                "artificial_found": one.artificial_found,
                "real_found": one.real_found,
                "verdict": one.verdict,
            }
            for one in found.raters
        ],
        "kappa": found.kappa,
        "agreed_on": found.agreed_on,
        "half_width": round(found.half_width, 4),
        "margin": found.margin,
        "notice": _notice(found, words),
    }


def _notice(found: Scores, words: dict[str, Any]) -> str:
    points = spelt_number(100 * found.half_width, words)
    return str(words["width"]).format(n=found.cases, points=points)


def _show(found: Scores, words: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.markup import escape
    from rich.table import Table as Grid

    def percent(share: float | None) -> str:
        return "" if share is None else f"{spelt_number(100 * share, words)} %"

    grid = Grid(box=None, pad_edge=False)
    grid.add_column(words["rater"])
    for name in ("answered", "accuracy", "interval", "artificial_found", "real_found"):
        grid.add_column(words[name], justify="right")
    grid.add_column(words["verdict"])
    for one in found.raters:
        low, high = (spelt_number(100 * end, words) for end in (one.low, one.high))
        said = words["verdicts"][one.verdict.replace(" ", "_")]
        colour = _COLOURS[one.verdict]
        grid.add_row(
            escape(one.name),
            str(one.answered),
            percent(one.accuracy),
            words["to"].format(low=low, high=high),
            percent(one.artificial_found),
            percent(one.real_found),
            f"[{colour}]{said}[/{colour}]",
        )
    Console().print(grid)
    lines = [_notice(found, words)]
    points = spelt_number(100 * found.margin, words)
    lines.append(words["margin"].format(points=points))
    lines += [_rater_said(one, points, words) for one in found.raters]
    if len(found.raters) > 1:
        kind = "Cohen" if len(found.raters) == 2 else "Fleiss"
        if found.kappa is None:
            lines.append(words["no_kappa"])
        else:
            kappa = spelt_number(found.kappa, words, 2)
            lines.append(words["kappa"].format(kind=kind, kappa=kappa, n=found.agreed_on))
    _say(lines)


def _rater_said(one: Rater, points: str, words: dict[str, Any]) -> str:
    template: str = words["means"][one.verdict.replace(" ", "_")]
    return template.format(rater=one.name, points=points)


def _say(lines: list[str]) -> None:
    from rich.console import Console
    from rich.markup import escape

    console = Console()
    for line in lines:
        console.print(escape(line), highlight=False, soft_wrap=True)
