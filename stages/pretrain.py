"""Train the denoising autoencoders on all training images, without their labels: data/pretrain/."""

import threading

import pandas as pd

from stages._daes import dae_settings
from stages._encoders import save_encoders
from stages.common.files import load_images, save_model, save_table
from stages.common.params import Params
from stages.common.process import n_jobs, run
from stages.common.progress import Progress

HELD_OUT = 5  # every fifth test image, without its label, tells the loss on images that no dAE trains on


def main(params: Params) -> None:
    """Train the dAEs at the same time; save all encoders, the losses, and the first dAE as a model."""
    from dae.core.networks import untie
    from dae.core.seeds import derive
    from dae.core.training import set_up_tensorflow
    from dae.denoising import DaeJob, train_daes

    images, models, units = load_images("data/raw/train_images.npy"), params.pretrain.models, params.network.units
    held_out = load_images("data/raw/test_images.npy")[::HELD_OUT]
    set_up_tensorflow(at_once=min(n_jobs(), models))
    progress = Progress(models * params.pretrain.epochs, "epoch")
    history, lock = [], threading.Lock()

    def log(number: int, epoch: int, loss: float, unseen: float | None) -> None:
        """Save the table after every epoch, so that the loss can be watched during the training."""
        with lock:
            history.append({"dae": number, "epoch": epoch, "loss": loss, "held_out": unseen})
            save_table("reports/history/pretrain.csv", pd.DataFrame(history).sort_values(["dae", "epoch"]))
            progress.step(f"loss {loss:.4f}")

    settings = dae_settings(params)
    jobs = [(DaeJob(images, derive(params.seed, "pretrain", number)), settings) for number in range(models)]
    results = train_daes(jobs, on_epoch=log, held_out=held_out)
    first = results[0].model
    save_model("data/pretrain/dae.keras", untie(first, units) if settings.tied else first)
    save_encoders([result.encoder for result in results])


if __name__ == "__main__":
    run(main)
