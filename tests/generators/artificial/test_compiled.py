"""Compiled programs: a folder of the user, or none."""

import os
import subprocess
import sys
from types import SimpleNamespace

import pytest

from sosie.generators.artificial import _compiled


class _Config:
    def __init__(self, folder):
        self.jax_compilation_cache_dir = folder

    def update(self, name, value):
        setattr(self, name, value)


@pytest.fixture
def config(monkeypatch):
    def set_to(folder):
        config = _Config(folder)
        monkeypatch.setattr(_compiled, "jax", SimpleNamespace(config=config))
        return config

    return set_to


def test_they_are_kept_in_a_folder_of_the_user(config, monkeypatch, tmp_path):
    monkeypatch.setattr(_compiled, "cache_folder", lambda: tmp_path / "sosie" / "jax")
    set_up = config(None)
    _compiled.keep_compiled()
    assert set_up.jax_compilation_cache_dir == str(tmp_path / "sosie" / "jax")
    assert (tmp_path / "sosie" / "jax").is_dir()


def test_a_folder_that_was_chosen_is_left(config):
    set_up = config("elsewhere")
    _compiled.keep_compiled()
    assert vars(set_up) == {"jax_compilation_cache_dir": "elsewhere"}


def test_nothing_is_kept_where_nothing_can_be_written(config, monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setattr(_compiled, "cache_folder", lambda: tmp_path / "file" / "jax")
    set_up = config(None)
    _compiled.keep_compiled()
    assert set_up.jax_compilation_cache_dir is None


def test_the_folder_is_of_this_processor(monkeypatch, tmp_path):
    monkeypatch.setattr(_compiled.sys, "platform", "linux")
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    first = _compiled.cache_folder()
    monkeypatch.setattr(_compiled, "_processor", lambda: "another")
    assert first.parent == tmp_path / "sosie" / "jax"
    assert _compiled.cache_folder() != first


@pytest.mark.parametrize(
    ("processors", "chosen", "found"), [(2, "", "1"), (2, "2", "2"), (8, "", "")]
)
def test_two_processors_have_one_thread(monkeypatch, processors, chosen, found):
    monkeypatch.setattr(_compiled, "_processors", lambda: processors)
    monkeypatch.delenv("PJRT_NPROC", raising=False)
    if chosen:
        monkeypatch.setenv("PJRT_NPROC", chosen)
    _compiled.on_one_thread()
    assert os.environ.get("PJRT_NPROC", "") == found


_PATHS = """
import numpy as np
from sosie.generators.artificial import ImageRHVAE
from sosie.generators.artificial._latent_metric import metric_of
from sosie.generators.artificial._latent_paths import path_between
rng = np.random.default_rng(0)
metric = metric_of(rng.normal(size=(300, 48)), rng.uniform(0.2, 0.5, (300, 48)))
print(*(float(path_between(metric, *rng.normal(size=(2, 48))).length) > 0 for _ in range(3)))
"""


def test_geodesics_of_many_dimensions_come_to_an_end():
    """On two processors they waited for ever, the first, the second or the third."""
    kept = {name: value for name, value in os.environ.items() if name != "PJRT_NPROC"}
    ran = subprocess.run(
        [sys.executable, "-c", _PATHS], env=kept, timeout=120, capture_output=True, text=True
    )
    assert ran.stdout.split() == ["True"] * 3
