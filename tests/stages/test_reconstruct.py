import json

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from stages import reconstruct
from stages._encoders import save_encoders
from stages.common.errors import StageError
from stages.common.params import load_params


@pytest.fixture
def params(root):
    return load_params(root / "params.yaml")


@pytest.mark.parametrize(("value", "expected"), [(1.23456, 1.235), (None, None), (float("nan"), None)])
def test_what_is_not_there_is_not_rounded(value, expected):
    assert reconstruct.rounded(value, 3) == expected


@pytest.mark.parametrize(("noisy", "denoised"), [(12.0, 15.0), (12.0, 20.0), (None, 5.0)])
def test_the_gate_lets_enough_gain_pass_and_all_without_noise(params, noisy, denoised):
    assert params.reconstruct.min_psnr_gain == 3.0
    reconstruct.check_gain({"noisy": noisy, "denoised": denoised}, params)


def test_the_gate_stops_too_small_a_gain(params):
    message = r"PSNR of 14\.50 dB, the noisy ones 12\.00 dB: a gain of 2\.50 dB, below .*min_psnr_gain = 3 dB"
    with pytest.raises(StageError, match=message):
        reconstruct.check_gain({"noisy": 12.0, "denoised": 14.5}, params)


@pytest.fixture
def denoise(params, tmp_path, monkeypatch, drawn_by):
    """Run the stage on 20 images of 8 x 8 pixels, with a dAE that makes every pixel white.

    Of class 0 a quarter of the pixels is white, of class 1 all are, of the other classes half; of the training images
    all pixels are. The first unit of the code is active for all images, the second for all but those of class 0, the
    third for none. Of two encoders the first is the dAE's, the second has only dead units.
    """
    from dae.core.networks import build_autoencoder
    from dae.core.training import set_up_tensorflow

    set_up_tensorflow()
    monkeypatch.chdir(tmp_path)
    for folder in ("data/raw", "data/pretrain", "data/split"):
        (tmp_path / folder).mkdir(parents=True)
    classes = np.tile(np.arange(10), 2).astype(np.uint8)
    white = np.array([16, 64, *[32] * 8])[classes]
    images = np.where(np.arange(64) < white[:, None], 255, 0).astype(np.uint8).reshape(-1, 8, 8)
    train = np.concatenate([np.full_like(images, 255), images])
    arrays = {"test_images": images, "train_images": train, "test_labels": classes, "train_labels": np.tile(classes, 2)}
    for name, array in arrays.items():
        np.save(f"data/raw/{name}.npy", array)
    np.save("data/split/draws.npy", np.array([np.arange(39, 19, -1), np.arange(10, 30)]))
    dae = build_autoencoder(64, [5, 3], tied=False)
    weights = [np.zeros_like(array) for array in dae.get_weights()]
    kernel, _, next_kernel, next_bias, *_, last_bias = weights
    kernel[20, 0] = next_kernel[0, 1] = next_bias[0] = 1
    last_bias[:] = 50
    dae.set_weights(weights)
    dae.save("data/pretrain/dae.keras")
    save_encoders([weights[:4], [np.zeros_like(array) for array in weights[:4]]])
    drawn = drawn_by(reconstruct)

    def run(noise, levels, gain=0.4):
        parts = {
            "network": params.network.model_copy(update={"units": [5, 3]}),
            "pretrain": params.pretrain.model_copy(update={"models": 2}),
            "reconstruct": params.reconstruct.model_copy(update={"levels": levels, "min_psnr_gain": gain}),
        }
        reconstruct.main(params.model_copy(update={"corruption": "masking", "noise": noise} | parts))
        return json.loads((tmp_path / "reports" / "reconstruction.json").read_text()), drawn

    return run


def test_the_measures_and_pictures_of_a_dae_that_makes_all_white(denoise):
    """With all pixels masked, the error of a noisy image is its share of white pixels, that of a white one the rest."""
    summary, drawn = denoise(noise=1.0, levels=[1.0, 0.0])
    # the mean of 1/4, 1 and 8 times 1/2 is 0.525, that of 3/4, 0 and 8 times 1/2 is 0.475; decibels are -10 log10
    assert (summary["psnr"]["noisy"], summary["psnr"]["denoised"]) == (2.8, 3.23)
    assert (summary["mse"]["noisy"], summary["mse"]["denoised"]) == (0.525, 0.475)
    assert summary["worst_mse"] == 0.55  # of the two images of class 0 and of eight others but those of class 1
    assert summary["train_psnr"] is None  # the first 20 training images are white
    # with all pixels masked, least squares can only give back the mean training image
    train = np.load("data/raw/train_images.npy") / 255
    test = np.load("data/raw/test_images.npy") / 255
    assert summary["mse"]["linear"] == round(np.square(test - train.mean(axis=0)).mean(), 5)
    table = pd.read_csv("reports/reconstruction.csv", dtype={"class": str}).set_index(["images", "class"])
    assert table.loc[("noisy", "0"), "mse"] == 0.25
    assert table.loc[("denoised", "0"), "mse"] == 0.75
    assert table.loc[("denoised", "1"), "mse"] == 0
    assert np.isnan(table.loc[("denoised", "1"), "psnr"])
    levels = pd.read_csv("reports/noise_levels.csv")
    assert levels["level"].tolist() == [0, 1]
    assert np.isnan(levels["noisy"][0])
    assert levels["noisy"][1] == pytest.approx(2.79841)
    assert levels["denoised"].tolist() == pytest.approx([3.23306, 3.23306])
    assert levels["linear"][1] == pytest.approx(summary["psnr"]["linear"], abs=0.005)
    assert levels["pca"][1] == pytest.approx(summary["psnr"]["pca"], abs=0.005)

    # the pictures
    levels, curve, trained = drawn["noise_levels"]
    assert (levels, curve["level"].tolist(), trained) == ([0.0, 1.0], [0.0, 1.0], 1.0)
    original, kinds, examples, classes = drawn["reconstruction"]
    assert examples.tolist() == [0, 1, 2, 3, 4, 5, 6, 7, 8, 9]
    assert [classes[i] for i in examples] == ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"]
    assert (original[1] == 1).all()
    assert (kinds["noisy"] == 0).all()
    assert (kinds["denoised"] == 1).all()
    codes, images = drawn["code_units"]
    assert (codes.max(axis=0) > 0).tolist() == [True, True, False]
    assert np.array_equal(images, original)
    kernels, deviations = drawn["filters"]
    assert deviations.argmax() == 0  # only the first unit has an input
    assert kernels.shape == (5, 8, 8)
    assert np.argwhere(kernels).tolist() == [[0, 2, 4]]  # pixel 20 is in row 2 and column 4
    _, _, worst, classes = drawn["worst"]
    assert classes == [*map(str, range(10))] * 2
    assert sorted(worst[:2]) == [0, 10]
    assert not {1, 11} & set(worst)
    strips = np.asarray(Image.open("reports/figures/reconstruct/strips.webp").convert("L"))
    # the examples at each level: noisy, and below them denoised by the dAE, by least squares and by PCA
    assert strips.shape == (2 * 4 * 8, 10 * 8)
    assert strips[0, :16].tolist() == [255] * 16  # class 0 has two white rows, class 1 eight
    assert strips[7, :16].tolist() == [0] * 8 + [255] * 8
    assert set(strips[8:16].ravel().tolist()) == {255}
    assert set(strips[32:40].ravel().tolist()) == {0}
    assert set(strips[40:48].ravel().tolist()) == {255}
    mean = np.round(255 * train.mean(axis=0)).reshape(8, 8)
    assert np.abs(strips[48:56, :8].astype(int) - mean).max() <= 1


def test_without_noise_nothing_is_corrupted_and_the_linear_code_loses_little(denoise):
    summary, drawn = denoise(noise=0.0, levels=[0.0])
    assert summary["psnr"]["noisy"] is None
    assert summary["mse"]["noisy"] == 0
    _, kinds, *_ = drawn["reconstruction"]
    assert list(kinds) == ["noisy", "denoised", "linear", "pca"]
    # the training images have three kinds of content, white, half and a quarter: two numbers tell them apart
    assert np.allclose(kinds["linear"], kinds["noisy"], atol=0.02)
    assert np.allclose(kinds["pca"], kinds["noisy"], atol=0.02)


def test_the_level_that_the_dae_was_trained_with_is_always_among_the_levels(denoise):
    _, drawn = denoise(noise=0.5, levels=[0.75, 0.0], gain=-10)
    assert pd.read_csv("reports/noise_levels.csv")["level"].tolist() == [0, 0.5, 0.75]
    levels, _, trained = drawn["noise_levels"]
    assert trained in levels


def test_the_linear_denoisers_see_images_as_bright_as_clean_ones(denoise, monkeypatch):
    fits, seen, projected = [], [], []

    def fit_linearly(*arguments):
        fits.append(arguments)
        return lambda noisy: seen.append(noisy) or np.zeros_like(noisy)

    monkeypatch.setattr(reconstruct, "fit_linear_denoiser", fit_linearly)
    monkeypatch.setattr(
        reconstruct, "fit_pca", lambda train, n: lambda noisy: projected.append(noisy) or np.zeros_like(noisy)
    )
    _, drawn = denoise(noise=0.75, levels=[0.0, 0.5], gain=-10)
    original, kinds, *_ = drawn["reconstruction"]
    # the same denoiser, which has learnt from its own level, is given images of the others too
    ((train, noisy_train, n_units),) = fits
    given, *at_levels = seen
    assert [np.unique(images).tolist() for images in at_levels] == [[0, 1], [0, 2], [0, 4]]
    assert np.array_equal(at_levels[0], original.reshape(20, -1))
    assert all(map(np.array_equal, projected, seen)) and len(projected) == len(seen)
    assert set(np.unique(kinds["noisy"])) == {0, 1}
    assert np.array_equal(given, 4 * kinds["noisy"].reshape(20, -1))
    assert n_units == 3
    assert set(np.unique(noisy_train)) == {0, 4}
    assert not (noisy_train > 0)[train == 0].any()
    # the training images, of which the first are white, have noise of their own
    lit = np.load("data/raw/test_images.npy").reshape(20, -1) > 0
    assert ((noisy_train[:20] > 0) & lit != (given > 0)).any()
    assert noisy_train.mean() == pytest.approx(train.mean(), rel=0.2)


def test_a_dae_that_denoises_training_images_better_than_others_is_found_out(denoise):
    """The dAE makes all white, as the first training images are, but for two black pixels."""
    train = np.load("data/raw/train_images.npy")
    train[:20, 0, :2] = 0
    np.save("data/raw/train_images.npy", train)
    summary, _ = denoise(noise=0.5, levels=[0.0], gain=-10)
    assert summary["train_psnr"] == 15.05  # -10 log10 of 2 / 64
    assert summary["psnr"]["denoised"] == 3.23


def test_the_layers_hold_what_can_be_told_of_them_by_hand(denoise):
    denoise(noise=1.0, levels=[0.0])
    table = pd.read_csv("reports/layers.csv", dtype={"dae": str})
    assert list(table) == ["dae", "layer", "units", "dead", "dimension", "components", "linear", "neighbours"]
    assert table["dae"].tolist() == ["1"] * 3 + ["2"] * 3 + ["untrained"] * 3
    assert table["layer"].tolist() == [0, 1, 2] * 3
    assert table["units"].tolist() == [64, 5, 3] * 3
    of_dae, of_zeros, untrained = (table[table["dae"] == name] for name in ("1", "2", "untrained"))
    # no pixel is black in every image; those of the second quarter vary together, and so do those of the last half
    assert of_dae["dead"].tolist() == [0, 4, 1]
    assert of_dae["dimension"].tolist()[1:] == [1, 1]  # one unit varies, with class 0
    assert of_dae["components"].tolist() == [2, 1, 1]
    assert of_zeros["dead"].tolist() == [0, 5, 3]
    assert of_zeros["dimension"].tolist()[1:] == of_zeros["components"].tolist()[1:] == [0, 0]
    assert of_zeros["linear"].tolist()[1:] == [0.1, 0.1]  # without a feature all images look alike
    assert untrained["dead"].max() < 5
    assert (untrained["dimension"] > 0).all()
    # the classes 0 and 1 can be told from all others, which look alike
    assert of_dae["neighbours"].iloc[0] == pytest.approx(0.3)
    # encoder 2 learns the images of draw 1, of which half are white, so its pixels tell it less than those of draw 0
    assert of_dae["neighbours"].iloc[0] != of_zeros["neighbours"].iloc[0]
    assert of_dae["linear"].iloc[0] == untrained["linear"].iloc[0]  # the third encoder has draw 0 again
