"""The command line: one module a command; parses, calls, prints."""

import _thread
import io
import os
import signal
import sys
import threading
import traceback
import warnings
from collections.abc import Iterable, Sequence
from importlib import import_module
from itertools import pairwise
from types import FrameType
from typing import Annotated, Any

import typer

from sosie.cli._refusals import one_line, refusal
from sosie.cli._texts import LANGUAGES, language, texts
from sosie.errors import SosieError

__all__ = ["main"]

_REFUSED = 2
_UNEXPECTED = 1
_INTERRUPTED = 128 + signal.SIGINT

_COMMANDS = {
    "avatar": "_avatar", "inspect": "_inspect", "evidence": "_evidence", "rehearse": "_evidence",
    "report": "_evidence", "tune": "_tune", "augment": "_augment", "impute": "_impute",
    "images": "_images", "blind": "_blind", "ask": "_ask", "node": "_node", "hub": "_hub",
    "keys": "_keys", "agreement": "_agreement", "charter": "_charter", "ledger": "_ledger",
    "certify": "_certify", "verify": "_verify", "show": "_show", "export": "_export",
}  # fmt: skip
_NAMED = {"report": "redraw"}
_SETTINGS = {"ask": {"allow_extra_args": True, "ignore_unknown_options": True}}


def _print_version(asked: bool) -> None:
    if asked:
        from importlib.metadata import version as version_of

        typer.echo(f"sosie {version_of('sosie')}")
        raise typer.Exit


def _app(names: Iterable[str]) -> typer.Typer:
    """Make the command line of some commands, of which no other is read."""
    app = typer.Typer(
        name="sosie",
        add_completion=False,
        pretty_exceptions_enable=False,  # they would show local variables: persons
    )
    app.callback(invoke_without_command=True)(_sosie)
    for name in names:
        made = getattr(import_module(f"sosie.cli.{_COMMANDS[name]}"), _NAMED.get(name, name))
        if isinstance(made, typer.Typer):
            app.add_typer(made, name=name)
        else:
            app.command(name, context_settings=_SETTINGS.get(name))(made)
    return app


def _sosie(
    context: typer.Context,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and stop."
        ),
    ] = False,
) -> None:
    """Share what personal data teach without sharing the persons."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave with its status.

    0 if done; 2 if the user can put right what is wrong, said in one sentence; 130 if
    interrupted; 1 for any other error, of which only the type is shown, because its message
    and its variables may hold personal data.

    Parameters
    ----------
    arguments : sequence of str, optional
        Those of the process where not given.
    """
    # Plug-ins that somebody installed would see what is read, and may send it away.
    os.environ.setdefault("PYDANTIC_DISABLE_PLUGINS", "1")
    signal.signal(signal.SIGTERM, _leave)  # so that nothing half-written stays behind
    sys.unraisablehook = _again
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")  # whatever the terminal can show
    if not sys.warnoptions:
        warnings.simplefilter("ignore")
    sys.exit(_status(arguments))


def _leave(number: int, _: FrameType | None) -> None:
    sys.exit(128 + number)


def _again(lost: Any) -> None:
    """Leave a moment later, where a library took no notice that the user asked for it.

    What is raised inside of a callback, as of the garbage collector, is lost. Anything else that
    is lost there is not shown: its message may hold personal data.
    """
    if issubclass(lost.exc_type, KeyboardInterrupt | SystemExit):
        asked = signal.SIGTERM if issubclass(lost.exc_type, SystemExit) else signal.SIGINT
        later = threading.Timer(0.05, _thread.interrupt_main, (asked,))
        later.daemon = True
        later.start()
    elif os.environ.get("SOSIE_DEBUG"):
        sys.__unraisablehook__(lost)


def _status(arguments: Sequence[str] | None) -> int:
    given = sys.argv[1:] if arguments is None else arguments
    lang = _language(given)
    words: dict[str, str] = texts(lang)["main"]
    try:
        command = typer.main.get_command(_app({*given[:1]} & {*_COMMANDS} or _COMMANDS))
        status = command.main(arguments, prog_name="sosie", standalone_mode=False) or 0
    except SosieError as error:
        return _say(refusal(str(error), lang), _REFUSED)
    except OSError as error:
        if error.filename is None:
            return _unexpected(error, words)
        return _say(refusal(f"{error.filename}: {error.strerror}.", lang), _REFUSED)
    except (typer.Abort, KeyboardInterrupt):
        status = _INTERRUPTED
    except SystemExit:
        raise
    except BaseException as error:  # a panic of Rust is no Exception
        if hasattr(error, "format_message"):
            return _say(_usage(error, words, lang), _REFUSED)
        return _unexpected(error, words)
    return _say(words["interrupted"], status) if status == _INTERRUPTED else status


def _language(given: Sequence[str]) -> str:
    """Give the language to refuse in: that of --lang, wherever it stands, or of the environment."""
    said = [one.removeprefix("--lang=") for one in given if one.startswith("--lang=")]
    said += [after for one, after in pairwise(given) if one == "--lang"]
    return language(said[-1] if said and said[-1] in LANGUAGES else None)


def _usage(error: Any, words: dict[str, str], lang: str) -> str:
    """Give a mistake in the arguments, whichever click Typer carries, as one sentence."""
    context = getattr(error, "ctx", None)
    command = context.command_path if context else "sosie"
    message = refusal(error.format_message().rstrip("."), lang)
    return words["usage"].format(message=message, command=command)


def _unexpected(error: BaseException, words: dict[str, str]) -> int:
    if os.environ.get("SOSIE_DEBUG"):
        traceback.print_exception(error)
    return _say(words["unexpected"].format(name=type(error).__name__), _UNEXPECTED)


def _say(sentence: str, status: int) -> int:
    """Print one line on stderr."""
    typer.echo(one_line(sentence), err=True)
    return status
