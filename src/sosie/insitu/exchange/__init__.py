"""What goes between holders, hub and analysts, and on which ways."""

from sosie.insitu.exchange._certificate import InPlace, is_in_place, verify_in_place
from sosie.insitu.exchange._direct import Direct
from sosie.insitu.exchange._drop import Drop
from sosie.insitu.exchange._http import AbsentError, Http, RefusedError, TooManyError
from sosie.insitu.exchange._parties import Parties
from sosie.insitu.exchange._way import Way

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
