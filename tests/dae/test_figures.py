import re
import string

import numpy as np
import pytest

from dae import figures


def texts(figure) -> str:
    """All words and numbers on a figure."""
    figure.draw_without_rendering()
    shown = [*figure.texts]
    for axis in figure.axes:
        shown += [axis.title, axis.xaxis.label, axis.yaxis.label, *axis.texts]
        shown += axis.get_xticklabels() + axis.get_yticklabels()
        shown += axis.get_legend().get_texts() if axis.get_legend() else []
    return "\n".join(text.get_text() for text in shown)


@pytest.fixture(scope="module")
def drawn():
    rng = np.random.default_rng(0)
    images, fractions = rng.random((10, 28, 28)), rng.random(5)
    arms = {"without": fractions / 50 + 0.9, "with": fractions / 60 + 0.91}
    sweep = [
        {
            "code": code,
            "psnr": {"no_noise": 20.5, "with_noise": 15.25, "pca_line": 18.0},
            "probe": {"no_noise": 0.825, "with_noise": 0.9},
        }
        for code in (2, 1568)
    ]
    calls = {
        "reconstructions": (images, {"noisy": images, "denoised": images, "pca": images}, [0, 1]),
        "filters": (images,),
        "code_units": (rng.random((10, 9)), images),
        "paired_accuracies": (arms, 0.0123, (0.01, 0.02)),
        "confusions": ({arm: rng.integers(0, 90, (10, 10)) for arm in arms},),
        "learning_curves": (rng.random((2, 4)), {arm: rng.random((3, 2)) for arm in arms}, np.array([1, 2])),
        "noise_levels": ([0.0, 0.5], {"noisy": [12.5, 11.5], "denoised": [20.5, 19.5]}, 0.5),
        "maps": (
            {"ae_code": rng.random((20, 2)), "pca_code": rng.random((20, 2))},
            np.arange(20) % 10,
            {"ae_code": 0.875, "pca_code": 0.75},
        ),
        "samples": ({"real": images, "variational": images, "plain": images},),
        "anomalies": ({str(c): 0.45 + c / 20 for c in range(10)},),
        "copies": ({"input": images, "copying": images, "denoising": images}, 1568),
        "code_sizes": ([2, 1568], [images, images], images),
        "sweep": (sweep, 0.815, 784),
        "tuning": (fractions, fractions[::-1] / 20, 2),
    }
    return {
        language: {name: texts(getattr(figures, name)(*call, language=language)) for name, call in calls.items()}
        for language in figures.WORDS
    }


def test_both_languages_have_the_same_words_to_say(drawn):
    english, portuguese = figures.WORDS.values()
    assert english.keys() == portuguese.keys()
    for key, phrase in english.items():
        fields = [[field for _, field, _, _ in string.Formatter().parse(text)] for text in (phrase, portuguese[key])]
        assert fields[0] == fields[1]


def test_numbers_have_the_decimal_sign_of_the_language(drawn):
    for name in ("paired_accuracies", "noise_levels", "maps", "anomalies"):
        english, portuguese = drawn["en"][name], drawn["pt"][name]
        assert re.search(r"\d\.\d", english), name
        assert re.search(r"\d,\d", portuguese), name
        assert not re.search(r"\d\.\d(?!\d\d)", portuguese), name  # but 1.568


def test_no_english_is_left_in_portuguese(drawn):
    for name, text in drawn["pt"].items():
        for word in ("test ", "accuracy", "noise", "epoch", "loss", "units", "images", "mean", "without"):
            assert word not in text, name
