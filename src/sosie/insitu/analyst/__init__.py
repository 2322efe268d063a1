"""Asking: questions as a person writes them, answers as familiar tables."""

from sosie.insitu.analyst._answer import Answer, rows_beside
from sosie.insitu.analyst._asked import analyses, asked, parameters_of
from sosie.insitu.analyst._connection import Connection, connect
from sosie.insitu.analyst._page import texts_of
from sosie.insitu.analyst._sentences import rule_line, sentences_of, spelt_float

__all__ = [
    "Answer",
    "Connection",
    "analyses",
    "asked",
    "connect",
    "parameters_of",
    "rows_beside",
    "rule_line",
    "sentences_of",
    "spelt_float",
    "texts_of",
]
