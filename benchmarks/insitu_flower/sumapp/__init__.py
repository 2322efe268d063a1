"""The sum that `benchmarks/insitu.py` times in Flower."""
