"""Train the denoising autoencoder on all training images, without their labels: data/pretrain/."""

import numpy as np
import pandas as pd

from stages._params import Params
from stages._stage import Progress, load_images, run, save_arrays, save_model, save_table


def main(params: Params) -> None:
    from dae.networks import build_autoencoder, initial_weights, untie
    from dae.seeds import derive
    from dae.training import Trainer, set_up_tensorflow

    settings, units = params.pretrain, params.network.units
    images = load_images("data/raw/train_images.npy")
    set_up_tensorflow(settings.threads)
    autoencoder = build_autoencoder(images.shape[1], units, settings.tied)
    steps_per_epoch = -(-len(images) // settings.batch_size)
    progress = Progress(settings.epochs, "epoch")
    history = Trainer(autoencoder, params.corruption, params.noise).fit(
        np.ascontiguousarray(images),
        None,
        weights=initial_weights(autoencoder, derive(params.seed, "pretrain", "weights")),
        batch_size=settings.batch_size,
        steps=settings.epochs * steps_per_epoch,
        learning_rate=settings.learning_rate,
        seed=derive(params.seed, "pretrain"),
        log_every=steps_per_epoch,
        on_log=lambda step, loss: progress.step(f"loss {loss:.4f}"),
    )

    save_arrays("data/pretrain/encoder.npz", autoencoder.get_weights()[: 2 * len(units)])
    save_model("data/pretrain/dae.keras", untie(autoencoder, units) if settings.tied else autoencoder)
    losses = [loss for _, loss in history]
    save_table("reports/history/pretrain.csv", pd.DataFrame({"epoch": range(1, len(losses) + 1), "loss": losses}))


if __name__ == "__main__":
    run(main)
