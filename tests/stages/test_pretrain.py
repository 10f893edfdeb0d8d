from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from dae.denoising import DaeSettings
from stages import pretrain
from stages._daes import dae_settings
from stages._encoders import load_encoders
from stages.common.params import load_params


@pytest.mark.parametrize("tied", [True, False])
def test_the_encoders_of_all_daes_are_kept_and_the_first_dae_whole(root, tmp_path, monkeypatch, tied):
    """Two dAEs of 16 pixels, 5 and 3 units, trained for two epochs."""
    from dae.core.backend import keras
    from dae.core.training import set_up_tensorflow

    set_up_tensorflow()
    monkeypatch.setattr("dae.core.training.set_up_tensorflow", lambda at_once: None)  # but once in a process
    monkeypatch.setenv("DAE_JOBS", "1")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data" / "raw").mkdir(parents=True)
    images = np.random.default_rng(0).integers(0, 256, (40, 4, 4)).astype(np.uint8)
    np.save("data/raw/train_images.npy", images)
    np.save("data/raw/test_images.npy", np.zeros((12, 4, 4), np.uint8))
    params = load_params(root / "params.yaml")
    settings = {"models": 2, "epochs": 2, "batch_size": 20, "tied": tied}
    parts = {
        "pretrain": params.pretrain.model_copy(update=settings),
        "network": params.network.model_copy(update={"units": [5, 3]}),
    }
    pretrain.main(params.model_copy(update=parts))

    first, second = load_encoders(2)
    for encoder in (first, second):
        assert [array.shape for array in encoder] == [(16, 5), (5,), (5, 3), (3,)]
    assert not np.allclose(first[0], second[0], atol=0.01)  # they have seeds of their own
    dae = keras.models.load_model("data/pretrain/dae.keras", compile=False)
    weights = dae.get_weights()
    assert all((array == kept).all() for array, kept in zip(first, weights, strict=False))
    assert [array.shape for array in weights[4:]] == [(3, 5), (5,), (5, 16), (16,)]
    assert (weights[4] == first[2].T).all() == tied
    history = pd.read_csv("reports/history/pretrain.csv")
    assert history[["dae", "epoch"]].to_numpy().tolist() == [[0, 1], [0, 2], [1, 1], [1, 2]]
    assert history["loss"].between(0.5, 1).all()  # of pixels without a pattern, log 2 is the best
    assert history["held_out"].between(0.4, 1).all()
    assert (abs(history["held_out"] - history["loss"]) > 1e-4).all()  # the images held out are black


def test_the_settings_of_the_daes_are_those_of_params_yaml_but_for_what_a_study_changes(root):
    params = load_params(root / "params.yaml")
    pretraining = params.pretrain.model_copy(
        update={"tied": True, "epochs": 7, "batch_size": 30, "learning_rate": 0.01}
    )
    params = params.model_copy(update={"pretrain": pretraining, "corruption": "gaussian", "noise": 0.4})
    expected = DaeSettings((512, 256, 128), "gaussian", 0.4, tied=True, epochs=7, batch_size=30, learning_rate=0.01)
    assert dae_settings(params) == expected
    changed = dae_settings(params, noise=0.0, units=(9,), rescaled=False)
    assert changed == replace(expected, noise=0.0, units=(9,), rescaled=False)


def test_every_fifth_test_image_is_held_out(root, tmp_path, monkeypatch):
    from dae.core.training import set_up_tensorflow

    set_up_tensorflow()
    monkeypatch.setattr("dae.core.training.set_up_tensorflow", lambda at_once: None)
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data" / "raw").mkdir(parents=True)
    for name, n in (("train", 3), ("test", 12)):
        np.save(f"data/raw/{name}_images.npy", np.arange(n).repeat(4).reshape(n, 2, 2).astype(np.uint8))
    asked = {}

    def train_daes(jobs, on_epoch, held_out):
        asked.update(jobs=jobs, held_out=held_out)
        raise InterruptedError

    monkeypatch.setattr("dae.denoising.train_daes", train_daes)
    with pytest.raises(InterruptedError):
        pretrain.main(load_params(root / "params.yaml"))
    assert asked["held_out"].tolist() == [[0] * 4, [5] * 4, [10] * 4]
    assert len({job.seed for job, _ in asked["jobs"]}) == 5
    assert all(job.images.tolist() == [[0] * 4, [1] * 4, [2] * 4] for job, _ in asked["jobs"])
