"""The trusted third party: tasks in, results out, no row and no part kept."""

from sosie.insitu.hub._hub import Hub, NotAllowedError
from sosie.insitu.hub._store import Store

__all__ = ["Hub", "NotAllowedError", "Store"]
