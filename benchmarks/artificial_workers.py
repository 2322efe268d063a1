"""Peers of artificial.py: each runs alone with the interpreter of its own environment.

Run by artificial.py, as `python artificial_workers.py PEER FOLDER SEED`. The folder holds
`train.csv`, without missing cells, and `kinds.json`; `made.csv` is written to it and one JSON
line is printed.
"""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

EPOCHS = 300
RATE = 1e-3
LATENT = 5
CHAIN = 20
"""Steps of the Markov chain, 100 as published: the time is in proportion, the result hardly."""

BATCH = 64
TREES = 30


def arf(train: pd.DataFrame, kinds: dict[str, Any], seed: int) -> pd.DataFrame:
    """Draw from adversarial random forests (arfpy) as they come."""
    from arfpy import arf as peer

    np.random.seed(seed)  # noqa: NPY002 (arfpy draws from the global generator)
    frame = train.astype({c: "category" for c in train if c not in kinds["numbers"]})
    model = peer.arf(x=frame, num_trees=TREES, verbose=False, random_state=seed)
    model.forde()
    return model.forge(n=len(train))[list(train)]


def rhvae(train: pd.DataFrame, kinds: dict[str, Any], seed: int) -> pd.DataFrame:
    """Draw from pythae's RHVAE, one model a class."""
    from pythae.models import RHVAE, RHVAEConfig
    from pythae.samplers import RHVAESampler, RHVAESamplerConfig

    def drawn(model: Any, n: int) -> Any:
        config = RHVAESamplerConfig(mcmc_steps_nbr=CHAIN)
        return RHVAESampler(model=model, sampler_config=config).sample(
            num_samples=n, batch_size=500, return_gen=True
        )

    def build(width: int) -> Any:
        return RHVAE(RHVAEConfig(input_dim=(width,), latent_dim=LATENT))

    return _by_class(train, kinds, seed, build, drawn)


def vae(train: pd.DataFrame, kinds: dict[str, Any], seed: int) -> pd.DataFrame:
    """Draw from pythae's plain VAE, one model a class."""
    from pythae.models import VAE, VAEConfig
    from pythae.samplers import NormalSampler

    def drawn(model: Any, n: int) -> Any:
        return NormalSampler(model=model).sample(num_samples=n, return_gen=True)

    def build(width: int) -> Any:
        return VAE(VAEConfig(input_dim=(width,), latent_dim=LATENT))

    return _by_class(train, kinds, seed, build, drawn)


def _by_class(
    train: pd.DataFrame, kinds: dict[str, Any], seed: int, build: Any, drawn: Any
) -> pd.DataFrame:
    """Train a model on the rows of each class, scaled to [0, 1] as pythae asks for."""
    import tempfile

    import torch
    from pythae.data.datasets import BaseDataset
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    torch.manual_seed(seed)
    torch.set_num_threads(1)
    target, numbers = kinds["target"], set(kinds["numbers"])
    columns = [c for c in train if c != target]
    low, high = train[columns].min(numeric_only=True), train[columns].max(numeric_only=True)
    levels = {c: sorted(train[c].unique()) for c in columns if c not in numbers}
    parts = []
    for label, part in train.groupby(target):
        blocks = []
        for c in columns:
            if c in numbers:
                width = (high[c] - low[c]) or 1.0
                blocks.append(((part[c] - low[c]) / width).to_numpy()[:, None])
            else:
                blocks.append(np.column_stack([part[c] == level for level in levels[c]]))
        x = torch.tensor(np.hstack(blocks).astype(np.float32))
        model = build(x.shape[1])
        with tempfile.TemporaryDirectory() as folder:
            config = BaseTrainerConfig(
                output_dir=folder,
                num_epochs=EPOCHS,
                learning_rate=RATE,
                per_device_train_batch_size=BATCH,
                no_cuda=True,
                seed=seed,
            )
            data = BaseDataset(x, torch.ones(len(x)))
            trainer = BaseTrainer(model=model, train_dataset=data, training_config=config)
            trainer.train()
            model = type(model).load_from_folder(str(Path(trainer.training_dir) / "final_model"))
        made = drawn(model, len(part)).detach().numpy()
        row, first = {}, 0
        for c in columns:
            if c in numbers:
                row[c] = low[c] + made[:, first] * (high[c] - low[c])
                first += 1
            else:
                k = len(levels[c])
                row[c] = np.array(levels[c], object)[made[:, first : first + k].argmax(1)]
                first += k
        parts.append(pd.DataFrame(row).assign(**{target: label}))
    return pd.concat(parts, ignore_index=True)[list(train)]


PEERS = {"arf": arf, "rhvae": rhvae, "vae": vae}

if __name__ == "__main__":
    peer, folder, seed = sys.argv[1], Path(sys.argv[2]), int(sys.argv[3])
    kinds = json.loads((folder / "kinds.json").read_text(encoding="utf-8"))
    texts = dict.fromkeys(kinds["texts"], str)
    train = pd.read_csv(folder / "train.csv", dtype=texts, keep_default_na=False)
    begun = time.perf_counter()
    made = PEERS[peer](train, kinds, seed)
    seconds = time.perf_counter() - begun
    made.to_csv(folder / "made.csv", index=False)
    print(json.dumps({"seconds": seconds}))
