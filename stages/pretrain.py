"""Train the denoising autoencoders on all training images, without their labels: data/pretrain/."""

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
    for model in range(settings.models):
        losses = trainer.fit(
            images,
            None,
            weights=initial_weights(autoencoder, derive(params.seed, "pretrain", model, "weights")),
            batch_size=settings.batch_size,
            steps=settings.epochs * steps_per_epoch,
            learning_rate=settings.learning_rate,
            seed=derive(params.seed, "pretrain", model),
            log_every=steps_per_epoch,
            on_log=lambda step, loss: progress.step(f"loss {loss:.4f}"),
        )
        if model == 0:
            save_model("data/pretrain/dae.keras", untie(autoencoder, units) if settings.tied else autoencoder)
        encoders += autoencoder.get_weights()[: 2 * len(units)]
        history += [{"dae": model, "epoch": epoch, "loss": loss} for epoch, (_, loss) in enumerate(losses, start=1)]
    save_arrays("data/pretrain/encoders.npz", encoders)
    save_table("reports/history/pretrain.csv", pd.DataFrame(history))


if __name__ == "__main__":
    run(main)
