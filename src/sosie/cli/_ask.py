"""`sosie ask`: a question to all holders of an agreement, and its checked answer."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sosie.cli._options import FILE, Drop, HubUrl, Keys, Lang
from sosie.cli._places import check_apart, check_new, check_place
from sosie.cli._question import plain
from sosie.cli._refusals import one_line, refusal
from sosie.cli._texts import language, texts
from sosie.errors import ParameterError

if TYPE_CHECKING:
    from sosie.insitu.analyst import Answer

__all__ = ["ask"]

_REFUSED = 3


def ask(
    context: typer.Context,
    agreement: Annotated[Path, typer.Argument(help="As its holders signed it.", **FILE)],
    key: Annotated[Path, typer.Option("--key", help="Of the recipient.", **FILE)],
    out: Annotated[
        Path, typer.Option("--out", metavar="RESULT.json", help="A new file for the result.")
    ],
    analysis: Annotated[
        str | None,
        typer.Argument(
            metavar="ANALYSIS [--PARAMETER VALUE]...",
            help="Of the catalogue, with its parameters: logistic --formula 'y ~ a + b'.",
        ),
    ] = None,
    hub: HubUrl = None,
    drop: Drop = None,
    report: Annotated[
        Path | None, typer.Option("--report", metavar="OUT.html", help="A page to read.")
    ] = None,
    derive: Annotated[
        Path | None,
        typer.Option(
            "--derive",
            metavar="FILE.json",
            help="Columns to make first, by rules: recode, cut, indicator, log, ratio.",
            **FILE,
        ),
    ] = None,
    epsilon: Annotated[
        float | None,
        typer.Option(
            "--epsilon",
            help="Of differential privacy, to spend of the budget; where the agreement has one.",
        ),
    ] = None,
    task: Annotated[
        str | None, typer.Option("--task", help="Fetch the answer to an earlier question.")
    ] = None,
    wait: Annotated[
        float, typer.Option("--wait", min=0, help="Seconds to wait for the answer.")
    ] = 300.0,
    keys: Keys = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the result as JSON.")] = False,
    lang: Lang = None,
) -> None:
    """Ask all holders one question; only a checked answer comes back."""
    spoken = language(lang)
    words: dict[str, Any] = texts(spoken)["ask"]
    from sosie.insitu.analyst import asked, connect, parameters_of, rows_beside, texts_of
    from sosie.insitu.exchange import RefusedError

    check_place(out, ".json")
    if report is not None:
        check_place(report, ".html")
    check_apart([out, rows_beside(out), *([report] if report else [])], [agreement, key])
    for path in (out, rows_beside(out)):
        check_new(path)  # a certified result, of which there may be no other copy
    if task is not None and analysis is not None:
        raise ParameterError(
            "Give an analysis or --task, not both: --task fetches an earlier answer."
        )
    if task is None and analysis is None:
        raise ParameterError("Give an analysis to ask for, or --task to fetch an earlier answer.")
    question = None
    if analysis is not None:
        given = parameters_of(analysis, context.args)
        if epsilon is not None:
            given["epsilon"] = epsilon
        question = asked(analysis, given, _derived(derive))
    elif context.args or derive is not None or epsilon is not None:
        other = context.args[0] if context.args else "--epsilon" if derive is None else "--derive"
        raise ParameterError(f"--task goes without {other}.")
    with connect(agreement, hub, key=key, keys=keys, drop=drop) as connection:
        try:
            name = connection.send(question) if question is not None else str(task)
            answer = connection.fetch(name, wait=wait)
        except RefusedError as error:
            typer.echo(one_line(refusal(str(error), spoken)), err=True)
            raise typer.Exit(_REFUSED) from error
    written = answer.write(out)
    if report is not None:
        answer.report(report, spoken)
    if as_json:
        typer.echo(json.dumps(answer.told, ensure_ascii=False))
        return
    said = texts_of(spoken, answer.analysis)
    _print(answer, said | words | {"bound": "{bound}"})
    for path in written:
        typer.echo(words["written"].format(path=path))


def _derived(path: Path | None) -> list[dict[str, Any]]:
    if path is None:
        return []
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ParameterError(f"{path} is not valid JSON.") from error
    return said if isinstance(said, list) else [said]


def _print(answer: "Answer", words: dict[str, Any]) -> None:
    from rich.console import Console
    from rich.text import Text

    from sosie.cli._wide import print_wide
    from sosie.insitu.analyst import sentences_of

    console = Console()
    sites = ", ".join(answer.content["sites"])
    title = words["title"].format(analysis=answer.analysis, sites=plain(sites))
    console.print(Text(title, "bold"))
    for name in answer.tables:
        frame = answer.frame(name).drop("why_not", strict=False)
        right = [frame[c].dtype.is_numeric() or c == "ci" for c in frame.columns]
        head = [words["columns"].get(column, plain(column)) for column in frame.columns]
        rows = [[_spelt(value, words) for value in row] for row in frame.iter_rows()]
        print_wide(console, head, rows, right=right)
    if answer.single:
        spelt = (f"{plain(name)} {_spelt(value, words)}" for name, value in answer.single.items())
        console.print(Text(", ".join(spelt)))
    for sentence in sentences_of(answer, words):
        console.print(Text(plain(sentence)))
    checks = ", ".join(one["check"] for one in answer.content["gate"])
    console.print(Text(words["gate"].format(checks=plain(checks))))


def _spelt(value: Any, words: dict[str, Any]) -> str:
    if isinstance(value, bool):
        return words["yes"] if value else words["no"]
    if isinstance(value, list):
        inner = words["between"].join(_spelt(one, words) for one in value)
        return f"[{inner}]"
    if value is None:
        return "–"
    if isinstance(value, float):
        from sosie.insitu.analyst import spelt_float

        return spelt_float(value, words["decimal"])
    return words["words"].get(value) or plain(str(value))
