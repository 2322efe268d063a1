"""Rules of disclosure that an agreement may adopt, by the name of who published them."""

from typing import Annotated, ClassVar, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from sosie.trust._written import Written

__all__ = ["PRESETS", "Disclosure", "Floors", "Preset"]

Preset = Literal["snds-11", "acro-10", "opensafely-7-5", "ons-10-5", "datashield-3"]
Share = Annotated[float, Field(gt=0, le=1)]


class Floors(BaseModel):
    """Limits below or above which an aggregate may not leave.

    Examples
    --------
    >>> PRESETS["snds-11"].min_cell
    11
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    min_cell: Annotated[int, Field(ge=1, le=1000)] = Field(
        description="Persons behind any count that is not 0, at least."
    )
    zero_discloses: bool = Field(description="Whether a count of 0 is refused too.")
    round_to: Annotated[int, Field(ge=1, le=100)] = Field(
        description="Counts are rounded to multiples of it; 1 rounds nothing."
    )
    max_share: Share = Field(description="Of a total, that one person may contribute.")
    max_share_of_two: Share = Field(description="Of a total, that two persons may contribute.")
    min_degrees: Annotated[int, Field(ge=1, le=1000)] = Field(
        description="Residual degrees of freedom of a model, at least."
    )
    max_parameters: Share = Field(description="Parameters of a model, as a share of its persons.")
    max_leverage: Share = Field(description="Of one person on a model.")
    min_holders: Annotated[int, Field(ge=1, le=100)] = Field(
        description="Holders behind a pooled result that a holder receives."
    )


# min_cell, rounding and zeros: CASD's rule for health data (11); ACRO 1.0 default.yaml (10, two
# largest 90 %, 10 degrees of freedom, zeros disclose); OpenSAFELY (counts of 7 or fewer go, then
# multiples of 5); the Office for National Statistics' 10-5; dsBase 6.3 (nfilter.tab 3, nfilter.glm
# 0.33). 85 % of one contributor is Insee's. Where a publisher has no rule, that of snds-11 stands.
PRESETS: dict[str, Floors] = {
    "snds-11": Floors(
        min_cell=11, zero_discloses=False, round_to=1, max_share=0.85, max_share_of_two=0.9,
        min_degrees=10, max_parameters=0.1, max_leverage=0.5, min_holders=3,
    ),
    "acro-10": Floors(
        min_cell=10, zero_discloses=True, round_to=1, max_share=0.85, max_share_of_two=0.9,
        min_degrees=10, max_parameters=0.1, max_leverage=0.5, min_holders=3,
    ),
    "opensafely-7-5": Floors(
        min_cell=8, zero_discloses=False, round_to=5, max_share=0.85, max_share_of_two=0.9,
        min_degrees=10, max_parameters=0.1, max_leverage=0.5, min_holders=3,
    ),
    "ons-10-5": Floors(
        min_cell=10, zero_discloses=False, round_to=5, max_share=0.85, max_share_of_two=0.9,
        min_degrees=10, max_parameters=0.1, max_leverage=0.5, min_holders=3,
    ),
    "datashield-3": Floors(
        min_cell=3, zero_discloses=False, round_to=1, max_share=0.85, max_share_of_two=0.9,
        min_degrees=10, max_parameters=0.33, max_leverage=0.5, min_holders=3,
    ),
}  # fmt: skip
"""The floors of each preset."""

_AT_LEAST = ("min_cell", "round_to", "min_degrees", "min_holders", "zero_discloses")


class Disclosure(Written):
    """A preset, and what this agreement asks beyond it.

    Examples
    --------
    >>> Disclosure(preset="snds-11", min_cell=20).floors.min_cell
    20
    """

    since: ClassVar[frozenset[str]] = frozenset({"epsilon"})

    preset: Preset
    min_cell: Annotated[int, Field(ge=1, le=1000)] | None = None
    zero_discloses: bool | None = None
    round_to: Annotated[int, Field(ge=1, le=100)] | None = None
    max_share: Share | None = None
    max_share_of_two: Share | None = None
    min_degrees: Annotated[int, Field(ge=1, le=1000)] | None = None
    max_parameters: Share | None = None
    max_leverage: Share | None = None
    min_holders: Annotated[int, Field(ge=1, le=100)] | None = None
    epsilon: Annotated[float, Field(gt=0, le=1000)] | None = Field(
        default=None,
        description="Budget of differential privacy at each holder, over all answers; where it is "
        "given, every answer in place has noise.",
    )

    @model_validator(mode="after")
    def _no_laxer_than_the_preset(self) -> Self:
        preset = PRESETS[self.preset]
        for name, own in self._own().items():
            other = getattr(preset, name)
            if own < other if name in _AT_LEAST else own > other:
                raise ValueError(
                    f"{name} may be stricter than in {self.preset} ({other}), not laxer"
                )
        return self

    @property
    def floors(self) -> Floors:
        """What holds: the preset, made stricter."""
        return PRESETS[self.preset].model_copy(update=self._own())

    def _own(self) -> dict[str, float]:
        return self.model_dump(exclude_none=True, exclude={"preset", "epsilon"})
