import shutil

from benchmarks import settings, tasks
from tools.small import change


def test_products_are_those_of_a_training_step():
    shapes = tasks.products([784, 32, 16, 32, 784], 8)
    assert len(shapes) == 3 * 4 - 1
    weights = 2 * (784 * 32 + 32 * 16)
    assert tasks.operations(shapes) == 2 * 8 * (3 * weights - 784 * 32)


def test_widths_go_from_the_image_to_what_is_made_of_it():
    assert tasks.autoencoder_widths([32, 16]) == [784, 32, 16, 32, 784]
    assert tasks.autoencoder_widths([16]) == [784, 16, 784]
    assert tasks.classifier_widths([32, 16]) == [784, 32, 16, 10]


def test_settings_are_those_of_the_parameters(root, tmp_path, monkeypatch):
    shutil.copy(root / "params.yaml", tmp_path)
    changes = {"noise": 0.25, "n_labels": 70, "network.units": [9, 5], "pretrain.models": 4, "pretrain.batch_size": 33}
    finetune = {"dropout": 0.1, "masking": 0.2, "batch_size": 7, "learning_rate": 0.004}
    change(tmp_path / "params.yaml", changes | {f"finetune.{key}": value for key, value in finetune.items()})
    monkeypatch.chdir(tmp_path)
    dae, classifiers = settings.pretraining(quick=False), settings.replicates(quick=False)
    assert (dae.noise, dae.units, dae.models, dae.batch_size) == (0.25, [9, 5], 4, 33)
    assert (classifiers.n_labels, classifiers.units) == (70, [9, 5])
    assert {key: getattr(classifiers, key) for key in finetune} == finetune
