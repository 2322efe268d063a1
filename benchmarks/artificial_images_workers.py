"""Peers of benchmarks/artificial_images.py, in a process of their own: pythae's VAE and RHVAE.

    python artificial_images_workers.py draw FILE.npz OUT.npz --model rhvae --per-class 2000
    python artificial_images_workers.py speed FILE.npz OUT.json --latent-dim 2 --seed 0

One model a class, as in the published protocol, with the settings of the published launcher for
two latent dimensions. pythae is under Apache 2.0.
"""

from __future__ import annotations

import argparse
import json
import logging
import tempfile
import time
from pathlib import Path

import numpy as np

STEPS = 400
MOVES = 50


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("what", choices=("draw", "speed"))
    parser.add_argument("data", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--model", choices=("vae", "rhvae"), default="rhvae")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--per-class", type=int, help="images to draw")
    parser.add_argument("--latent-dim", type=int, default=2)
    asked = parser.parse_args()
    import torch

    torch.set_num_threads(1)
    logging.disable(logging.CRITICAL)
    given = np.load(asked.data)
    images = given["images"].astype(np.float32)
    if asked.what == "speed":
        asked.out.write_text(json.dumps(speed(images, asked.latent_dim, asked.seed)))
        return
    labels = given["labels"]
    started = time.process_time()
    drawn = [
        draw(images[labels == label], asked.model, asked.per_class, asked.latent_dim, asked.seed)
        for label in np.unique(labels)
    ]
    np.savez(
        asked.out,
        images=np.concatenate(drawn),
        labels=np.repeat(np.unique(labels), asked.per_class),
        seconds=time.process_time() - started,
    )


def draw(images: np.ndarray, kind: str, count: int, latent_dim: int, seed: int) -> np.ndarray:
    """Train on the images of one class, as flat rows, and draw."""
    import torch
    from pythae.samplers import (
        NormalSampler,
        NormalSamplerConfig,
        RHVAESampler,
        RHVAESamplerConfig,
    )

    torch.manual_seed(seed)
    epochs = -(-STEPS // max(-(-len(images) // 200), 1))
    model = trained(images, kind, latent_dim, max(epochs, 100), 200)
    if kind == "vae":
        sampler = NormalSampler(model, NormalSamplerConfig())
    else:
        sampler = RHVAESampler(
            model, RHVAESamplerConfig(mcmc_steps_nbr=MOVES, n_lf=15, eps_lf=0.03)
        )
    return np.asarray(sampler.sample(count, batch_size=500).detach()).reshape(count, -1)


def trained(images: np.ndarray, kind: str, latent_dim: int, epochs: int, batch: int) -> object:
    """Train one model with the published settings."""
    import torch
    from pythae.data.datasets import BaseDataset
    from pythae.models import RHVAE, VAE, RHVAEConfig, VAEConfig
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    common = {
        "input_dim": (images.shape[1],),
        "latent_dim": latent_dim,
        "reconstruction_loss": "bce",
    }
    if kind == "vae":
        model = VAE(VAEConfig(**common))
    else:
        model = RHVAE(
            RHVAEConfig(
                **common,
                n_lf=3,
                eps_lf=0.01,
                beta_zero=0.3,
                temperature=0.8 if latent_dim == 2 else 1.5,
                regularization=0.001,
            )
        )
    with tempfile.TemporaryDirectory() as folder:
        config = BaseTrainerConfig(
            output_dir=folder,
            num_epochs=epochs,
            learning_rate=1e-3,
            per_device_train_batch_size=batch,
            per_device_eval_batch_size=batch,
            no_cuda=True,
            keep_best_on_train=False,
        )
        data = BaseDataset(torch.from_numpy(images), torch.ones(len(images)))
        trainer = BaseTrainer(model, data, training_config=config)
        trainer.train()
        # What it keeps in memory has a metric that goes on changing: reload what it saved.
        last = next(Path(folder).rglob("final_model"))
        return type(model).load_from_folder(str(last))


def speed(images: np.ndarray, latent_dim: int, seed: int) -> dict[str, float]:
    """Time an epoch (the difference of 12 and 2) and 1,000 draws, in CPU seconds."""
    import torch
    from pythae.samplers import RHVAESampler, RHVAESamplerConfig

    torch.manual_seed(seed)
    told = {}
    for epochs in (2, 12):
        wall, cpu = time.perf_counter(), time.process_time()
        model = trained(images, "rhvae", latent_dim, epochs, 100)
        told[epochs] = (time.perf_counter() - wall, time.process_time() - cpu)
    # 2 moves of the default 100: its cost is that of its moves.
    sampler = RHVAESampler(model, RHVAESamplerConfig(mcmc_steps_nbr=2))
    wall, cpu = time.perf_counter(), time.process_time()
    sampler.sample(500, batch_size=500)
    factor = 50 * 2
    return {
        "epoch_wall": (told[12][0] - told[2][0]) / 10,
        "epoch_cpu": (told[12][1] - told[2][1]) / 10,
        "draw_wall": (time.perf_counter() - wall) * factor,
        "draw_cpu": (time.process_time() - cpu) * factor,
    }


if __name__ == "__main__":
    main()
