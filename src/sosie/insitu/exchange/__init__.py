"""What goes between holders, hub and analysts, and on which ways."""

from typing import TYPE_CHECKING

from sosie._on_demand import on_demand

if TYPE_CHECKING:
    from sosie.insitu.exchange._certificate import InPlace, is_in_place, verify_in_place
    from sosie.insitu.exchange._direct import Direct
    from sosie.insitu.exchange._drop import Drop
    from sosie.insitu.exchange._http import Http
    from sosie.insitu.exchange._parties import Parties
    from sosie.insitu.exchange._raised import AbsentError, RefusedError, TooManyError
    from sosie.insitu.exchange._way import Way
else:
    # A hub is connected to and connects to nobody.
    __getattr__, __dir__ = on_demand(
        __name__,
        {
            "_certificate": "InPlace is_in_place verify_in_place",
            "_direct": "Direct",
            "_drop": "Drop",
            "_http": "Http",
            "_parties": "Parties",
            "_raised": "AbsentError RefusedError TooManyError",
            "_way": "Way",
        },
    )

__all__ = [
    "AbsentError",
    "Direct",
    "Drop",
    "Http",
    "InPlace",
    "Parties",
    "RefusedError",
    "TooManyError",
    "Way",
    "is_in_place",
    "verify_in_place",
]
