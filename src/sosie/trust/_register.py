"""One line for the register of processing activities (GDPR, article 30)."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING

from sosie.trust._texts import categories_in_words, texts

if TYPE_CHECKING:
    from sosie.trust._certificate import Certificate

__all__ = ["register_of"]

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def register_of(certificate: Certificate, lang: str) -> bytes:
    """Write a line for the register, with its heading.

    Parameters
    ----------
    certificate : Certificate
    lang : {"en", "fr"}

    Returns
    -------
    bytes
        CSV in UTF-8 with a byte order mark, as spreadsheets expect it; semicolons part the cells
        in French. A cell that a spreadsheet would compute is written as text.
    """
    words, head = texts("page", lang)["words"], texts("pia", lang)["register"]
    article = certificate.article_30
    line = {
        "certificate": certificate.id,
        "title": certificate.agreement.title,
        "made": certificate.made_at[:10],
        "controllers": ", ".join(article.controllers),
        "purposes": article.purposes,
        "persons_and_data": categories_in_words(article.persons_and_data, lang),
        "recipients": ", ".join(article.recipients),
        "transfers": article.transfers,
        "erasure": article.erasure,
        "security": ", ".join(words.get(one, one.replace("_", " ")) for one in article.security),
    }
    out = io.StringIO()
    writer = csv.writer(out, delimiter=";" if lang == "fr" else ",")
    writer.writerow(head[key] for key in line)
    writer.writerow(_inert(value) for value in line.values())
    return ("\ufeff" + out.getvalue()).encode()


def _inert(value: str) -> str:
    return f"'{value}" if value.startswith(_FORMULA) else value
