"""What a synthetic table keeps of the original: one measure a file."""

from sosie.evidence.utility._bivariate import AssociationDifference
from sosie.evidence.utility._detector import Detector
from sosie.evidence.utility._missing import MissingDifference
from sosie.evidence.utility._prediction import Prediction
from sosie.evidence.utility._projection import Projection
from sosie.evidence.utility._propensity import Propensity
from sosie.evidence.utility._replication import Replication
from sosie.evidence.utility._spread import RareLevels, SpreadRatio
from sosie.evidence.utility._three_way import ThreeWay
from sosie.evidence.utility._univariate import Hellinger, UnivariateDistance

__all__ = [
    "MEASURES",
    "AssociationDifference",
    "Detector",
    "Hellinger",
    "MissingDifference",
    "Prediction",
    "Projection",
    "Propensity",
    "RareLevels",
    "Replication",
    "SpreadRatio",
    "ThreeWay",
    "UnivariateDistance",
]

MEASURES = (
    Hellinger,
    UnivariateDistance,
    AssociationDifference,
    ThreeWay,
    Projection,
    MissingDifference,
    SpreadRatio,
    RareLevels,
    Detector,
    Propensity,
    Prediction,
)
"""In the order of the report; :class:`Replication` answers questions, and comes last."""
