"""The floors of an agreement and those of a holder: the stricter of each holds."""

from sosie.trust import Floors

__all__ = ["strictest"]


def strictest(agreed: Floors, own: Floors | None) -> Floors:
    """Take of each floor the one that lets less out.

    A request brings no floors: nothing that an analyst or a hub sends is read here.

    Parameters
    ----------
    agreed : Floors
        Of the agreement.
    own : Floors or None
        Of the holder.

    Examples
    --------
    >>> from sosie.trust import PRESETS
    >>> strictest(PRESETS["datashield-3"], PRESETS["snds-11"]).min_cell
    11
    """
    if own is None:
        return agreed
    at_most = ("max_share", "max_share_of_two", "max_parameters", "max_leverage")
    return Floors.model_validate(
        {
            name: (min if name in at_most else max)(getattr(agreed, name), getattr(own, name))
            for name in Floors.model_fields
        }
    )
