"""Train the denoising autoencoders on all training images, without their labels: data/pretrain/."""

import threading

import pandas as pd

from stages._params import Params
from stages._stage import Progress, load_images, n_jobs, run, save_arrays, save_model, save_table


def main(params: Params) -> None:
    from dae.networks import build_autoencoder, untie
    from dae.seeds import derive
    from dae.training import Trainer, set_up_tensorflow, train_autoencoders

    settings, units = params.pretrain, params.network.units
    images = load_images("data/raw/train_images.npy")
    set_up_tensorflow(at_once=min(n_jobs(), settings.models))
    autoencoders = [build_autoencoder(images.shape[1], units, settings.tied) for _ in range(settings.models)]
    progress = Progress(settings.models * settings.epochs, "epoch")
    history, lock = [], threading.Lock()

    def log(number: int, epoch: int, loss: float) -> None:
        """The table is whole after every epoch, so that the curve can be followed while it is drawn."""
        with lock:
            history.append({"dae": number, "epoch": epoch, "loss": loss})
            save_table("reports/history/pretrain.csv", pd.DataFrame(history).sort_values(["dae", "epoch"]))
            progress.step(f"loss {loss:.4f}")

    train_autoencoders(
        [Trainer(autoencoder, params.corruption, params.noise) for autoencoder in autoencoders],
        images,
        seeds=[derive(params.seed, "pretrain", number) for number in range(settings.models)],
        epochs=settings.epochs,
        batch_size=settings.batch_size,
        learning_rate=settings.learning_rate,
        on_epoch=log,
    )
    first = autoencoders[0]
    save_model("data/pretrain/dae.keras", untie(first, units) if settings.tied else first)
    encoders = [weights for autoencoder in autoencoders for weights in autoencoder.get_weights()[: 2 * len(units)]]
    save_arrays("data/pretrain/encoders.npz", encoders)


if __name__ == "__main__":
    run(main)
