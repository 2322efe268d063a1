"""What an agreement allows, asked before a row is read."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sosie.errors import ParameterError, TrustError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sosie.table import Schema, Table
    from sosie.trust import SignedAgreement

__all__ = [
    "AgreementOption",
    "KeysOption",
    "RecipientOption",
    "check_allowed",
    "check_read",
    "told",
]

AgreementOption = Annotated[
    Path | None,
    typer.Option("--agreement", help="Refuse what this signed agreement does not allow."),
]
RecipientOption = Annotated[
    str | None, typer.Option("--recipient", metavar="NAME", help="Who will receive the output.")
]
KeysOption = Annotated[
    Path | None,
    typer.Option("--keys", metavar="DIR", help="The .pub files of the signers that you trust."),
]

_TOLD = 5


def check_allowed(
    agreement: Path | None,
    data: Path,
    said: Schema | None,
    generator: str,
    parameters: Mapping[str, object],
    recipient: str | None,
    keys: Path | None,
) -> SignedAgreement | None:
    """Refuse what an agreement does not allow; of the data, only the header is read.

    Parameters
    ----------
    agreement : Path or None
        As its holders signed it; nothing is refused where there is none.
    data : Path
        The table of persons.
    said : Schema or None
        Which columns are left out.
    generator : str
    parameters : mapping of str to value
        Those given to the generator; None where one is not.
    recipient : str or None
        Who receives what is made.
    keys : Path or None
        Folder of the keys that are trusted; those that the agreement carries where not given.

    Raises
    ------
    TrustError
        Naming all that is not allowed.
    """
    if agreement is None:
        given = "--recipient" if recipient else "--keys"
        if recipient or keys:
            raise ParameterError(f"{given} goes with --agreement, which says who may receive what.")
        return None
    from sosie.table import columns_of
    from sosie.trust import PublicKey, SignedAgreement

    signed = SignedAgreement.read(agreement, PublicKey.read_folder(keys) if keys else None)
    dropped = said.drop if said else []
    _refuse(
        agreement,
        signed.refuses(
            generator=generator,
            parameters={k: v for k, v in parameters.items() if v is not None},
            columns=[name for name in columns_of(data) if name not in dropped],
            recipient=recipient,
        ),
    )
    return signed


def check_read(agreement: Path | None, signed: SignedAgreement | None, table: Table) -> None:
    """Refuse columns that the header did not show: a text in another encoding than its top."""
    if agreement is not None and signed is not None:
        _refuse(agreement, signed.refuses(columns=table.names))


def told(signed: SignedAgreement | None, words: Mapping[str, Any]) -> list[str]:
    """Say under which agreement it was done, if any, and what of it was not checked."""
    if signed is None:
        return []
    names = ", ".join(key.name for key in signed.signers)
    lines = [words["allowed"].format(title=signed.agreement.title, names=names)]
    return lines if signed.vouched else [*lines, words["unvouched"]]


def _refuse(agreement: Path, refused: list[Any]) -> None:
    if refused:
        more = f" And {len(refused) - _TOLD} more." if refused[_TOLD:] else ""
        why = " ".join(one.why for one in refused[:_TOLD])
        raise TrustError(f"{agreement} does not allow this. {why}{more}")
