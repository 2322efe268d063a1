"""Compiled programs kept between runs: the second fit of a shape need not compile."""

from __future__ import annotations

import hashlib
import os
import platform
import sys
from pathlib import Path
from typing import Any

import jax

__all__ = ["cache_folder", "keep_compiled", "on_one_thread"]

_WORTH = 0.2
"""Seconds of compiling from which a program is kept."""

_TOO_FEW = 2
"""Processors that threads gain nothing on."""


def keep_compiled() -> None:
    """Have JAX keep what it compiles in the user's cache folder.

    Programs hold no data: those are arguments. Nothing is changed where a folder was chosen
    already (``JAX_COMPILATION_CACHE_DIR``), nor where the cache folder cannot be written.
    """
    config: Any = jax.config
    if config.jax_compilation_cache_dir is not None:
        return
    folder = cache_folder()
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError:
        return
    if not os.access(folder, os.W_OK):
        return
    config.update("jax_compilation_cache_dir", str(folder))
    config.update("jax_persistent_cache_min_compile_time_secs", _WORTH)
    # XLA's own kernels would be tuned anew in every run, and then differ from what is kept.
    config.update("jax_persistent_cache_enable_xla_caches", "none")


def on_one_thread() -> None:
    """Have XLA compute on one thread where there are no more than two processors.

    On two, its threads wake each other so often that now and then a signal is lost and the
    program waits for ever: geodesics in 48 dimensions did in three runs of four, with jaxlib
    0.10 and glibc 2.36. What is computed is the same, and as fast. Nothing is changed where XLA
    was told already (``PJRT_NPROC``), or has begun.
    """
    if _processors() <= _TOO_FEW:
        os.environ.setdefault("PJRT_NPROC", "1")


def _processors() -> int:
    """Count the processors that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cache_folder() -> Path:
    """Give the folder of compiled programs, of this user and this kind of processor.

    A home folder may be shared by machines: what one compiles may not run on another.
    """
    home = Path.home() if "HOME" in os.environ or os.name == "nt" else Path("/nonexistent")
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or home / "AppData" / "Local")
    elif sys.platform == "darwin":
        base = home / "Library" / "Caches"
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or home / ".cache")
    return base / "sosie" / "jax" / hashlib.sha256(_processor().encode()).hexdigest()[:16]


def _processor() -> str:
    """Tell what the processor can do, as far as the system says it."""
    told = platform.machine() + platform.processor()
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return told
    known = ("flags", "Features", "model name")
    return told + "".join(sorted({line for line in lines if line.startswith(known)}))
