"""Artificial patients: rows drawn from a model learnt on a small cohort."""

from sosie.generators.artificial._rhvae import RHVAE

__all__ = ["RHVAE"]
