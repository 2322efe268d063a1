"""The closed catalogue of analyses; one file each."""

from sosie.insitu.catalogue._avatars import Avatars
from sosie.insitu.catalogue._clusters import Clusters
from sosie.insitu.catalogue._compare_means import Anova, TTest
from sosie.insitu.catalogue._compare_ways import CompareWays
from sosie.insitu.catalogue._components import Components
from sosie.insitu.catalogue._correlation import Correlation
from sosie.insitu.catalogue._counts import Counts
from sosie.insitu.catalogue._cox import Cox, CoxGrid
from sosie.insitu.catalogue._crosstab import Crosstab
from sosie.insitu.catalogue._distribution import Histogram, Quantiles
from sosie.insitu.catalogue._evidence import Evidence
from sosie.insitu.catalogue._factors import Factors
from sosie.insitu.catalogue._generalised import Gamma, Logistic, Poisson
from sosie.insitu.catalogue._linear import Lasso, Linear, Ridge
from sosie.insitu.catalogue._mann_whitney import MannWhitney
from sosie.insitu.catalogue._means import Means
from sosie.insitu.catalogue._meta import MetaAnalysis
from sosie.insitu.catalogue._propensity import Propensity
from sosie.insitu.catalogue._survival import KaplanMeier
from sosie.insitu.catalogue._within_between import WithinBetween

__all__ = [
    "Anova",
    "Avatars",
    "Clusters",
    "CompareWays",
    "Components",
    "Correlation",
    "Counts",
    "Cox",
    "CoxGrid",
    "Crosstab",
    "Evidence",
    "Factors",
    "Gamma",
    "Histogram",
    "KaplanMeier",
    "Lasso",
    "Linear",
    "Logistic",
    "MannWhitney",
    "Means",
    "MetaAnalysis",
    "Poisson",
    "Propensity",
    "Quantiles",
    "Ridge",
    "TTest",
    "WithinBetween",
]
