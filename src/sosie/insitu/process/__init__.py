"""Processes that compute: what they are told, what they may take, and what they may not do."""

from sosie.insitu.process._frames import read_frame, write_frame
from sosie.insitu.process._worker import StoppedError, Worker, Workers, environment

__all__ = ["StoppedError", "Worker", "Workers", "environment", "read_frame", "write_frame"]
