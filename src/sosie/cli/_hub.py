"""`sosie hub`: the trusted third party, which passes on, adds up and certifies."""

import contextlib
import signal
from pathlib import Path
from typing import Annotated, Any

import typer

from sosie.cli._options import FILE, FOLDER, Keys, Lang
from sosie.cli._texts import language, texts
from sosie.errors import ParameterError

__all__ = ["hub"]

hub = typer.Typer(no_args_is_help=True, help="Run the trusted third party of analyses in place.")


@hub.callback()
def _hub() -> None:
    """Run the trusted third party of analyses in place."""


@hub.command("up")
def up(
    agreement: Annotated[
        list[Path],
        typer.Option("--agreement", help="As its holders signed it; several may be.", **FILE),
    ],
    key: Annotated[Path, typer.Option("--key", help="Of the trusted third party.", **FILE)],
    host: Annotated[str, typer.Option("--host", help="Address to listen on.")] = "127.0.0.1",
    port: Annotated[int, typer.Option("--port", min=0, max=65535)] = 8443,
    database: Annotated[
        str,
        typer.Option(
            "--database",
            metavar="URL",
            help="sqlite:///FILE or postgresql://USER@HOST/NAME, where tasks and results are kept.",
        ),
    ] = "sqlite:///sosie-hub.db",
    drop: Annotated[
        Path | None,
        typer.Option("--drop", metavar="DIR", help="Also serve a folder of files.", **FOLDER),
    ] = None,
    keys: Keys = None,
    patience: Annotated[
        float, typer.Option("--patience", min=1, help="Seconds that a question waits for holders.")
    ] = 300.0,
    lease: Annotated[
        float, typer.Option("--lease", min=1, help="Seconds that a holder may take for one step.")
    ] = 120.0,
    asks_a_minute: Annotated[
        int, typer.Option("--asks-a-minute", min=1, help="Questions taken of one party.")
    ] = 120,
    lang: Lang = None,
) -> None:
    """Serve the holders and analysts of one agreement or more, until stopped."""
    words: dict[str, Any] = texts(language(lang))["hub"]
    from sosie.insitu.exchange import Parties
    from sosie.insitu.hub import Hub, Reckoner, Store
    from sosie.insitu.hub._serve import Server, listen
    from sosie.trust import Key, PublicKey

    own = Key.read(key)
    trusted = PublicKey.read_folder(keys) if keys else None
    served = [Parties.read(path, trusted) for path in agreement]
    clients = {k.id: k for one in served for k in one.keys.values() if k.id != own.id}
    if not clients:
        raise ParameterError("The agreement carries no key of a holder or analyst; give --keys.")

    def ready(url: str) -> None:
        names = ", ".join(one.name for one in clients.values())
        typer.echo(words["up"].format(url=url, names=names))

    bound = listen(host, port)  # first, so that no database is made where it cannot be
    with bound, contextlib.closing(Reckoner(beside=True)) as reckoner:
        made = Hub(
            own, Store(database), reckoner,
            patience=patience, lease=lease, asks_a_minute=asks_a_minute,
        )  # fmt: skip
        for parties in served:
            made.adopt(parties)
            for refusal in parties.agreement.allows():  # what was answered can still be fetched
                typer.echo(refusal.why, err=True)
            if not parties.vouched:
                typer.echo(words["unvouched"].format(title=parties.agreement.title), err=True)
        server = Server(made, own, clients.values(), host=host, bound=bound, drop=drop)
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: server.stop())
        reckoner.wait_ready()
        server.run(ready)
    typer.echo(words["down"])
