"""The fine-tuned classifier and the dAE of a small pipeline, on pictures of digits."""

import re
import sys

import numpy as np
import pytest
from PIL import Image

from dae.pictures import as_mnist
from tools import predict

EDGE = np.pad(np.zeros((26, 26), bool), 1, constant_values=True)  # a digit that touches it is refused


def test_on_pictures_the_network_is_about_as_good_as_on_the_test_images(small, mnist, monkeypatch):
    monkeypatch.chdir(small.folder)
    free = [number for number in range(400) if not mnist["test_images"][number][EDGE].any()]
    pictures = [np.asarray(Image.fromarray(255 - mnist["test_images"][number]).resize((100, 100))) for number in free]
    seen = np.stack([as_mnist(picture) for picture in pictures]).reshape(len(free), -1) / np.float32(255)
    probabilities, denoised = predict.apply_networks(seen)
    own = np.load("data/finetune/probabilities.npy")[0, free]
    labels = mnist["test_labels"][free]
    accuracy = (own.argmax(axis=1) == labels).mean()
    assert accuracy > 0.5
    assert (probabilities.argmax(axis=1) == labels).mean() == pytest.approx(accuracy, abs=0.05)
    assert np.allclose(probabilities.sum(axis=1), 1, atol=1e-5)
    assert np.abs(denoised - seen).mean() < 0.75 * np.abs(np.roll(seen, 1, axis=0) - seen).mean()


def test_the_command_prints_digits_and_probabilities_and_draws_what_it_saw(small, mnist, tmp_path):
    for number in range(3):
        Image.fromarray(mnist["test_images"][number]).resize((64, 64)).save(tmp_path / f"{number}.png")
    names = [str(tmp_path / f"{number}.png") for number in range(3)]
    drawn = tmp_path / "drawn.png"
    output = small.call(sys.executable, "-m", "tools.predict", *names, "--output", str(drawn))
    rows = re.findall(r"(?m)^(\S+\.png) +(\d) +((?: *\d+\.\d)+)(?:  hardly a digit)?$", output)
    assert [name for name, _, _ in rows] == names
    for _, digit, numbers in rows:
        probabilities = [float(number) for number in numbers.split()]
        assert sum(probabilities) == pytest.approx(100, abs=0.6)
        assert np.argmax(probabilities) == int(digit)
    with Image.open(drawn) as image:
        assert image.width > 500
        assert np.asarray(image.convert("L")).std() > 10


def test_without_a_model_one_line_says_how_to_get_it(project, tmp_path):
    Image.fromarray(np.eye(30, dtype=np.uint8) * 255).save(tmp_path / "line.png")
    (project.folder / predict.CLASSIFIER).unlink()
    output = project.call(sys.executable, "-m", "tools.predict", str(tmp_path / "line.png"), ok=False)
    assert output.startswith(f"ERROR: there is no {predict.CLASSIFIER} yet: run `dvc repro`")
    assert len(output.splitlines()) == 1
