"""The trusted third party: tasks in, results out, no row and no part kept."""

from typing import TYPE_CHECKING

from sosie._on_demand import on_demand

if TYPE_CHECKING:
    from sosie.insitu.hub._hub import Hub, NotAllowedError
    from sosie.insitu.hub._reckoner import Reckoner
    from sosie.insitu.hub._store import Store
else:
    # The process that adds up is of this room too, and has no business with keys or a network.
    __getattr__, __dir__ = on_demand(
        __name__,
        {"_hub": "Hub NotAllowedError", "_reckoner": "Reckoner", "_store": "Store"},
    )

__all__ = ["Hub", "NotAllowedError", "Reckoner", "Store"]
