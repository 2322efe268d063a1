"""The trusted third party: tasks in, results out, no row and no part kept."""

from typing import TYPE_CHECKING

from sosie._on_demand import on_demand

if TYPE_CHECKING:
    from sosie.insitu.hub._hub import Hub
    from sosie.insitu.hub._reckoner import Reckoner
    from sosie.insitu.hub._store import Store
    from sosie.insitu.hub._ticket import NotAllowedError
else:
    # The process that adds up is of this room too, and has no business with keys or a network.
    __getattr__, __dir__ = on_demand(
        __name__,
        {
            "_hub": "Hub",
            "_reckoner": "Reckoner",
            "_store": "Store",
            "_ticket": "NotAllowedError",
        },
    )

__all__ = ["Hub", "NotAllowedError", "Reckoner", "Store"]
