"""Train the denoising autoencoders on all training images, without their labels: data/pretrain/."""

from functools import partial

import numpy as np
import pandas as pd

from stages._params import Params
from stages._stage import Progress, load_images, run, save_arrays, save_model, save_table


def main(params: Params) -> None:
    from dae.networks import build_autoencoder, initial_weights, untie
    from dae.seeds import derive
    from dae.training import Trainer, set_up_tensorflow

    settings, units = params.pretrain, params.network.units
    images = np.ascontiguousarray(load_images("data/raw/train_images.npy"))
    set_up_tensorflow(settings.threads)
    autoencoder = build_autoencoder(images.shape[1], units, settings.tied)
    trainer = Trainer(autoencoder, params.corruption, params.noise)
    steps_per_epoch = -(-len(images) // settings.batch_size)
    progress = Progress(settings.models * settings.epochs, "epoch")
    encoders, history = [], []

    def log(model: int, step: int, loss: float) -> None:
        """The table is whole after every epoch, so that the curve can be followed while it is drawn."""
        history.append({"dae": model, "epoch": step // steps_per_epoch, "loss": loss})
        save_table("reports/history/pretrain.csv", pd.DataFrame(history))
        progress.step(f"loss {loss:.4f}")

    for model in range(settings.models):
        trainer.fit(
            images,
            None,
            weights=initial_weights(autoencoder, derive(params.seed, "pretrain", model, "weights")),
            batch_size=settings.batch_size,
            steps=settings.epochs * steps_per_epoch,
            learning_rate=settings.learning_rate,
            seed=derive(params.seed, "pretrain", model),
            log_every=steps_per_epoch,
            on_log=partial(log, model),
        )
        if model == 0:
            save_model("data/pretrain/dae.keras", untie(autoencoder, units) if settings.tied else autoencoder)
        encoders += autoencoder.get_weights()[: 2 * len(units)]
    save_arrays("data/pretrain/encoders.npz", encoders)


if __name__ == "__main__":
    run(main)
