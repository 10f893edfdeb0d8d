import inspect
import re
from functools import partial
from importlib import import_module

import numpy as np
import pandas as pd
import pytest
from example_tables import BINS, LABEL_CURVE, LABEL_ROWS, NOISE_CURVE, PUSHED, TUNE, spread
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from reporting.common.figures import BLACK, BLUE, GREEN, ORANGE, PURPLE, VERMILION
from reporting.common.words import FOLDER, LANGUAGES
from reporting.evaluate.figures import confusions, learning_curves, paired_accuracies, pretraining, reliability
from reporting.label_curve.figures import label_curve
from reporting.noise_curve.figures import noise_curve
from reporting.predict.figures import overview
from reporting.pushed.figures import pushed
from reporting.reconstruct.figures import code_units, filters, networks, noise_levels, reconstructions
from reporting.theory.figures import anomalies, code_sizes, compression, copies, maps, samples, sweep
from reporting.tune.figures import search

DIGITS = [str(digit) for digit in range(10)]


def panels_of(drawn) -> list[Figure]:
    """The panels of what a function has drawn, which is one figure or a list of them."""
    return drawn if isinstance(drawn, list) else [drawn]


def axes_of(drawn) -> list:
    return [axis for figure in panels_of(drawn) for axis in figure.axes]


def side(axis) -> str:
    """What stands beside a y axis, in one line."""
    return axis.get_ylabel().replace("\n", " ")


def texts(drawn) -> str:
    """All words and numbers on a figure."""
    shown = []
    for figure in panels_of(drawn):
        figure.draw_without_rendering()
        shown += [*figure.texts, *(text for legend in figure.legends for text in legend.get_texts())]
        for axis in figure.axes:
            shown += [axis.title, axis.xaxis.label, axis.yaxis.label, *axis.texts]
            shown += axis.get_xticklabels() + axis.get_yticklabels()
    return "\n".join(text.get_text() for text in shown)


def module_of(path):
    return import_module(f"reporting.{path.parent.name}.figures")


@pytest.fixture(scope="module")
def drawn(example_figures):
    assert set(example_figures) == {
        name
        for path in FOLDER.glob("*/figures.py")
        for name, member in inspect.getmembers(module_of(path), inspect.isfunction)
        if member.__module__ == module_of(path).__name__ and path.parent.name not in ("common", "predict")
    }
    made = {
        language: {name: draw(*arguments, language=language) for name, (draw, arguments) in example_figures.items()}
        for language in LANGUAGES
    }
    found = [figure for figures_of in made.values() for drawn in figures_of.values() for figure in panels_of(drawn)]
    assert all(isinstance(figure, Figure) for figure in found)
    return {language: {name: texts(figure) for name, figure in made[language].items()} for language in made}


def test_numbers_have_the_decimal_sign_of_the_language(drawn):
    for name in ("paired_accuracies", "noise_levels", "maps", "anomalies", "noise_curve"):
        english, portuguese = drawn["en"][name], drawn["pt"][name]
        assert re.search(r"\d\.\d", english), name
        assert re.search(r"\d,\d", portuguese), name
        assert not re.search(r"\d\.\d(?!\d\d)", portuguese), name  # but 1.568


def test_no_english_is_left_in_portuguese(drawn):
    for name, text in drawn["pt"].items():
        for word in ("test ", "accuracy", "noise", "epoch", "loss", "units", "images", "mean", "without"):
            assert word not in text, name


def lines(axis) -> dict[str, tuple[str, list]]:
    """Of each line that the legend names, the colour and the points."""
    named = [line for line in axis.lines if not line.get_label().startswith("_")]
    return {line.get_label(): (line.get_color(), points(line.get_xydata())) for line in named}


def points(array) -> list[tuple[float, ...]]:
    return [tuple(row) for row in np.asarray(array, float).round(9).tolist()]


def colour(collection) -> str:
    return to_hex(collection.get_facecolor()[0]).upper()


def band(collection) -> dict[float, tuple[float, float]]:
    """The lower and the upper edge of a band, at each x."""
    edges = {}
    for x, y in points(collection.get_paths()[0].vertices):
        edges.setdefault(x, []).append(y)
    return {x: (min(ys), max(ys)) for x, ys in edges.items()}


def pictures(figure) -> list[np.ndarray]:
    """The images of 28 by 28 pixels on a figure that is one picture of them, row by row."""
    (shown,) = figure.axes[0].images
    canvas = np.ma.filled(shown.get_array().astype(float), np.nan)
    starts = [np.flatnonzero(np.diff(np.isfinite(canvas).any(axis=axis), prepend=False)) for axis in (1, 0)]
    found = [canvas[y : y + 28, x : x + 28] for y in starts[0][::2] for x in starts[1][::2]]
    return [picture for picture in found if np.isfinite(picture).any()]


def marked(*values) -> np.ndarray:
    """Images of one value each, by which a test knows them again."""
    return np.stack([np.full((28, 28), value) for value in values])


def test_paired_accuracies_show_each_replicate_and_the_interval_of_the_mean():
    accuracies = {"without": np.array([0.90, 0.91, 0.95]), "with": np.array([0.92, 0.90, 0.98])}
    left, right = axes_of(paired_accuracies(accuracies, 0.0125, (0.01, 0.03), "en"))
    assert [points(line.get_xydata()) for line in left.lines] == [
        [(0, 90), (1, 92)],
        [(0, 91), (1, 90)],
        [(0, 95), (1, 98)],
    ]
    assert [(colour(cloud), points(cloud.get_offsets())) for cloud in left.collections] == [
        (VERMILION, [(0, 90), (0, 91), (0, 95)]),
        (BLUE, [(1, 92), (1, 90), (1, 98)]),
    ]
    assert [label.get_text() for label in left.get_xticklabels()] == [
        "without\nmean 92.00%",
        "with pre-training\nmean 93.33%",
    ]
    assert points(right.collections[0].get_offsets()) == [(-1, 1), (2, 2), (3, 3)]
    (span,) = right.patches
    assert (span.get_x(), span.get_width()) == pytest.approx((1, 2))
    assert lines(right) == {"mean +1.25 points": (BLUE, [(1.25, 0), (1.25, 1)])}
    assert right.lines[0].get_xdata() == [0, 0]
    assert [tick.get_text() for tick in right.get_yticklabels()] == ["1", "2", "3"]  # no rank is 0
    assert not axes_of(paired_accuracies(accuracies, 0.0125, None, "en"))[1].patches


def test_confusions_are_in_images_a_replicate_beside_their_change_by_pre_training():
    matrices = {
        "without": np.array([[900, 60, 1], [8, 800, 4], [0, 40, 700]]),
        "with": np.array([[950, 12, 3], [8, 900, 100], [0, 38, 500]]),
    }
    left, right = axes_of(confusions(matrices, 4, ["0", "1", "2"], "en"))
    shown = [{text.get_position(): text.get_text() for text in axis.texts} for axis in (left, right)]
    assert shown[0] == {(1, 0): "15", (0, 1): "2", (2, 1): "1", (1, 2): "10"}  # of column and row
    # halves are rounded away from 0, and what changes by less than half an image is left out
    assert shown[1] == {(1, 0): "−12", (2, 0): "+1", (2, 1): "+24", (1, 2): "−1"}
    # a number has the colour of the arm that has more of this confusion
    found = [np.ma.filled(axis.images[0].get_array(), np.nan) for axis in (left, right)]
    expected = [
        [[np.nan, 15, 0.25], [2, np.nan, 1], [0, 10, np.nan]],
        [[np.nan, 12, -0.5], [0, np.nan, -24], [0, 0.5, np.nan]],
    ]
    np.testing.assert_array_equal(found, expected)
    for axis in (left, right):
        colours, (low, high) = axis.images[0].get_cmap(), axis.images[0].get_clim()
        assert low == -high
        assert [to_hex(colours(end)).upper() for end in (0.0, 1.0)] == [BLUE, VERMILION]
        assert colours(0.5)[3] == pytest.approx(0, abs=0.01)  # nothing has the colour of the page
    assert (left.get_xlabel(), side(left)) == ("predicted class", "true class")
    assert [axis.get_title() for axis in (left, right)] == ["confusions without pre-training", "change by pre-training"]


def test_confusions_of_classifiers_without_a_mistake_are_empty():
    drawn = confusions(dict.fromkeys(("with", "without"), np.diag([5, 7])), 1, ["0", "1"], "en")
    texts(drawn)
    assert [len(axis.texts) for axis in axes_of(drawn)] == [0, 0]


def test_reliability_shows_the_bins_of_each_arm_as_trained_and_calibrated():
    left, right = axes_of(reliability(BINS, "en"))
    ideal = ("black", [(0, 0), (100, 100)])
    assert lines(left) == {
        "perfect calibration": ideal,
        "without": (VERMILION, [(50, 25), (87.5, 75)]),
        "with pre-training": (BLUE, [(75, 50)]),
    }
    assert lines(right) == {
        "perfect calibration": ideal,
        "without": (VERMILION, [(62.5, 68.75)]),
        "with pre-training": (BLUE, [(43.75, 37.5), (56.25, 50)]),
    }
    assert [axis.get_title() for axis in (left, right)] == ["as trained", "with a temperature"]
    assert (right.get_xlabel(), side(left)) == ("confidence (%)", "test accuracy (%)")


def test_learning_curves_are_the_means_with_the_range_over_replicates():
    losses = {"with": np.array([[1.0, 0.5], [3.0, 1.0], [5.0, 3.0]]), "without": np.array([[4.0, 2.0], [8.0, 4.0]])}
    accuracies = {"with": np.array([[0.5, 0.75], [0.75, 1.0]]), "without": np.array([[0.25, 0.5], [0.5, 0.75]])}
    steps = {"with": np.array([10, 20]), "without": np.array([5, 30])}
    left, right = axes_of(learning_curves(steps, losses, accuracies, "en"))
    assert lines(left) == {
        "without": (VERMILION, [(5, 6), (30, 3)]),
        "with pre-training": (BLUE, [(10, 3), (20, 1.5)]),
    }
    assert [(colour(edge), band(edge)) for edge in left.collections] == [
        (VERMILION, {5: (4, 8), 30: (2, 4)}),
        (BLUE, {10: (1, 5), 20: (0.5, 3)}),
    ]
    assert lines(right) == {
        "without": (VERMILION, [(5, 37.5), (30, 62.5)]),
        "with pre-training": (BLUE, [(10, 62.5), (20, 87.5)]),
    }
    assert [(colour(edge), band(edge)) for edge in right.collections] == [
        (VERMILION, {5: (25, 50), 30: (50, 75)}),
        (BLUE, {10: (50, 75), 20: (75, 100)}),
    ]
    assert (left.get_yscale(), right.get_yscale()) == ("log", "linear")
    assert [axis.get_xlabel() for axis in (left, right)] == ["training step"] * 2
    assert [side(axis) for axis in (left, right)] == ["classifier: cross-entropy (nats)", "test accuracy (%)"]


def test_pretraining_shows_a_line_of_each_dae_on_training_images_and_on_those_held_out():
    losses = {"loss": np.array([[0.5, 0.25], [0.75, 0.125]]), "held_out": np.array([[0.625, 0.375], [0.875, 0.5]])}
    figure = pretraining(losses, "en")
    (axis,) = figure.axes
    seen, unseen = axis.lines[:2], axis.lines[2:]
    assert [points(line.get_xydata()) for line in seen] == [[(1, 0.5), (2, 0.25)], [(1, 0.75), (2, 0.125)]]
    assert [points(line.get_xydata()) for line in unseen] == [[(1, 0.625), (2, 0.375)], [(1, 0.875), (2, 0.5)]]
    looks = [{(line.get_color(), line.get_linestyle()) for line in found} for found in (seen, unseen)]
    assert len(looks[0]) == len(looks[1]) == 1
    assert looks[0] != looks[1]
    # the legend names each kind once
    named = {
        text.get_text(): line.get_linestyle()
        for text, line in zip(figure.legends[0].get_texts(), figure.legends[0].get_lines(), strict=True)
    }
    assert named == {"training images": "-", "images held out": "--"}
    assert (seen[0].get_linestyle(), unseen[0].get_linestyle()) == ("-", "--")
    assert (axis.get_xlabel(), side(axis)) == ("epoch", "dAE: cross-entropy (nats/pixel)")


def test_the_label_curve_shows_mean_errors_their_range_and_what_pre_training_is_worth():
    axis, gain = axes_of(label_curve(LABEL_CURVE, LABEL_ROWS, 0.005, {"n_labels": 100, "extra": 1050}, "en"))
    assert lines(axis) == {
        "without": (VERMILION, [(100, 18), (1000, 8)]),
        "with pre-training": (BLUE, [(100, 10), (1000, 4)]),
        "worth 1,050 labels": (BLACK, [(100, 10), (1150, 10)]),
    }
    assert [(colour(edge), band(edge)) for edge in axis.collections] == [
        (VERMILION, {100: (16, 20), 1000: (6, 10)}),
        (BLUE, {100: (8, 12), 1000: (3, 5)}),
    ]
    assert (axis.get_xscale(), axis.get_yscale()) == ("log", "log")
    assert (axis.get_xlabel(), side(axis)) == ("labelled images", "test error (%)")
    assert [label.get_text() for label in axis.get_xticklabels()] == ["100", "1,000"]
    assert [label.get_text() for label in axis.get_yticklabels()] == ["3", "5", "10", "20"]
    (gains,) = gain.containers
    assert points(gains[0].get_xydata()) == [(100, 8), (1000, 4)]
    assert [tuple(bar[:, 1].round(6)) for bar in gains[2][0].get_segments()] == [(7, 9), (-1, 9)]
    assert len(lines(axes_of(label_curve(LABEL_CURVE, LABEL_ROWS, 0.005, None, "en"))[0])) == 2


def test_the_figure_of_pushed_methods_has_a_row_of_mean_errors_and_of_draws_for_each_arm():
    figure = pushed(PUSHED, "en")
    (axis,) = figure.axes
    means, draws = {}, {}
    for line in axis.lines:
        ((x, y),) = points(line.get_xydata())
        means.setdefault(y, []).append((line.get_color(), line.get_marker(), x))
    for cloud in axis.collections:
        for x, y in points(cloud.get_offsets()):
            draws.setdefault(y, []).append((colour(cloud), x))
    rows = {text.get_text(): round(text.get_position()[1] + 0.25) for text in axis.texts}
    assert rows == {
        "without": 0,
        "with pre-training": 1,
        "without, pushed": 2,
        "with, pushed": 3,
        "pseudo-labels": 4,
        "pseudo-labels, convolutional": 5,
        "Gamma model of the ladder": 6,
        "ladder network": 7,
        "ladder's pseudo-labels, convolutional": 8,
    }
    errors = [[x for _, _, x in means[row]] for row in range(9)]
    assert errors == [[19, 10], [15, 8], [17, 9], [9, 6], [11, 7], [6, 3], [4, 2.5], [3, 1.5], [2, 1]]
    assert draws[0] == [(VERMILION, 20), (VERMILION, 18), (BLUE, 10)]
    assert draws[8] == [(VERMILION, 3), (VERMILION, 1), (BLUE, 1)]
    looks = {(colour_of, marker) for found in means.values() for colour_of, marker, _ in found}
    assert looks == {(VERMILION, "o"), (BLUE, "s")}  # of 100 and of 1,000 labels
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "100 labelled images",
        "1,000 labelled images",
    ]
    assert (axis.get_xscale(), axis.get_xlabel()) == ("log", "test error (%)")


def test_the_noise_curve_starts_each_corruption_at_the_plain_autoencoder():
    """Left, the gains in points with their intervals, each corruption a little aside of the others."""
    first, second = noise_curve(NOISE_CURVE, 0.005, "en")
    (left,), (right,) = first.axes, second.axes
    drawn = {}
    for bars in left.containers:
        line, _, (found,) = bars
        drawn[bars.get_label()] = (line.get_color(), points(line.get_xydata()))
        assert to_hex(found.get_color()[0]).upper() == line.get_color()
    assert drawn == {
        "masking": (BLUE, [(-0.012, 1), (0.288, 5), (0.688, 7)]),
        "Gaussian": (GREEN, [(0, 1), (0.5, 3)]),
        "salt and pepper": (PURPLE, [(0.012, 1), (0.212, -2)]),
    }
    ends = [[tuple(bar[:, 1].round(6)) for bar in bars[2][0].get_segments()] for bars in left.containers]
    assert ends == [[(-1, 3), (3, 7), (4, 10)], [(-1, 3), (2, 4)], [(-1, 3), (-5, 2)]]
    (margin,) = left.patches
    assert (margin.get_label(), margin.get_y(), margin.get_height()) == ("within the margin", -0.5, 1)
    assert [points(line.get_xydata()) for line in left.lines[:1]] == [[(0, 0), (1, 0)]]
    assert [text.get_text() for text in first.legends[0].get_texts()] == ["within the margin", *drawn]
    assert lines(right) == {
        "masking": (BLUE, [(0, 25), (0.3, 22), (0.7, 18)]),
        "Gaussian": (GREEN, [(0, 25), (0.5, 21)]),
        "salt and pepper": (PURPLE, [(0, 25), (0.2, 20)]),
    }
    assert [side(axis) for axis in (left, right)] == ["gain (points)", "PSNR of the denoised images (dB)"]


def test_a_corruption_that_was_not_tried_is_not_on_the_noise_curve():
    left, right = axes_of(noise_curve(NOISE_CURVE[NOISE_CURVE["corruption"].isin(["none", "gaussian"])], 0.005, "en"))
    assert [bars.get_label() for bars in left.containers] == ["Gaussian"]
    assert lines(right) == {"Gaussian": (BLUE, [(0, 25), (0.5, 21)])}


def test_noise_levels_show_what_is_denoised_beside_what_is_left_noisy():
    psnr = {"noisy": [12, 11], "denoised": [20, 19], "linear": [18, 17], "pca": [16, 15]}
    (axis,) = noise_levels([0.25, 0.5], psnr, 0.5, "en").axes
    assert lines(axis) == {
        "denoised by the dAE": (BLUE, [(0.25, 20), (0.5, 19)]),
        "denoised by least squares": (ORANGE, [(0.25, 18), (0.5, 17)]),
        "denoised by PCA": (PURPLE, [(0.25, 16), (0.5, 15)]),
        "noise left in": (VERMILION, [(0.25, 12), (0.5, 11)]),
        "the dAE's own level": ("black", [(0.5, 0), (0.5, 1)]),
    }


def test_what_is_restored_without_an_error_that_shows_does_not_stretch_the_axis():
    psnr = {"noisy": [None, 12], "denoised": [21, 20], "linear": [19, 18], "pca": [144, 16]}
    (axis,) = noise_levels([0, 0.25], psnr, 0.25, "en").axes
    assert axis.get_ylim()[1] < 25


@pytest.mark.parametrize("units", [[50, 20], [800, 20]])
def test_no_layer_of_the_drawn_networks_reaches_into_the_words(units):
    for figure in networks(units, 64, 10, "en"):
        (axis,) = figure.axes
        bars = [bar.get_y() for bar in axis.patches if hasattr(bar, "get_height")]
        assert min(bars) == -0.5
        assert all(abs(y) > 0.5 for y in (text.get_position()[1] for text in axis.texts) if y)


def test_maps_put_a_numeral_at_the_median_of_its_class():
    codes = {
        "ae_code": np.array([[0, 1], [2, 5], [9, 6], [4, 4]]),
        "pca_code": np.array([[1, 0], [3, 8], [2, 1], [6, 6]]),
    }
    kept = {
        name: {"trustworthiness": trust, "neighbours": spread(accuracy)}
        for name, trust, accuracy in (("ae_code", 0.875, 0.8125), ("pca_code", 0.75, 0.5))
    }
    left, right = axes_of(maps(codes, np.array([0, 0, 0, 7]), DIGITS, kept, "en"))
    assert [(text.get_text(), text.get_position()) for text in left.texts] == [("0", (2, 5)), ("7", (4, 4))]
    assert [(text.get_text(), text.get_position()) for text in right.texts] == [("0", (2, 1)), ("7", (6, 6))]
    assert points(left.collections[0].get_offsets()) == [(0, 1), (2, 5), (9, 6)]
    assert [axis.get_title() for axis in (left, right)] == [
        "autoencoder, code of 2 units\nnearest neighbours 81.3%\ntrustworthiness 0.875",
        "PCA, 2 components\nnearest neighbours 50.0%\ntrustworthiness 0.750",
    ]


def test_anomalies_below_chance_have_the_other_colour():
    figure = anomalies({"3": 0.25, "8": 0.75}, {"3": 0.625, "8": 0.5}, DIGITS, "en")
    (axis,) = figure.axes
    assert [(to_hex(bar.get_facecolor()).upper(), bar.get_height()) for bar in axis.patches] == [
        (VERMILION, 0.25),
        (BLUE, 0.75),
    ]
    assert [(text.get_position()[0], text.get_text()) for text in axis.texts[:2]] == [(0, "0.25"), (1, "0.75")]
    ink, chance = axis.lines
    assert [(x, float(y)) for x, y in zip(ink.get_xdata(), ink.get_ydata(), strict=True)] == [("3", 0.625), ("8", 0.5)]
    assert points(chance.get_xydata()) == [(0, 0.5), (1, 0.5)]
    assert (axis.get_xlabel(), side(axis)) == ("class left out of the training", "AUROC")
    assert [text.get_text() for text in figure.legends[0].get_texts()] == [
        "by the error divided by the image's ink",
        "chance",
        "by the error",
    ]


@pytest.mark.parametrize(
    ("draw", "arguments", "values", "names"),
    [
        (
            reconstructions,
            (
                marked(0.1, 0.2, 0.3),
                {"noisy": marked(0.4, 0.5, 0.6), "linear": marked(0.7, 0.8, 0.9), "pca": marked(0.15, 0.25, 0.35)},
                [2, 0],
                np.array([7, 8, 9]),
            ),
            [0.3, 0.1, 0.6, 0.4, 0.9, 0.7, 0.35, 0.15],
            ["original", "noisy", "denoised by least squares", "denoised by PCA", "9", "7"],
        ),
        (
            samples,  # of the variational autoencoder all, of the others as many as stand in a row
            (
                {
                    "real": marked(*np.arange(12) / 100),
                    "variational": marked(*np.arange(20, 40) / 100),
                    "plain": marked(*np.arange(40, 52) / 100),
                    "gaussian": marked(*np.arange(60, 72) / 100),
                },
            ),
            [*np.arange(10) / 100, *np.arange(20, 40) / 100, *np.arange(40, 50) / 100, *np.arange(60, 70) / 100],
            ["test images", "variational autoencoder", "", "plain autoencoder", "Gaussian of the pixels"],
        ),
        (
            compression,
            ({"original": marked(0.1), "by_autoencoder": marked(0.2), "by_pca": marked(0.3)}, 1000),
            [0.1, 0.2, 0.3],
            ["original", "autoencoder, 1,000 bytes", "PCA, 1,000 numbers"],
        ),
        (
            copies,
            ({"input": marked(0.1, 0.2), "copying": marked(0.3, 0.4), "denoising": marked(0.5, 0.6)}, 1568),
            [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
            ["input", "1,568 units, no noise", "1,568 units, trained on noise"],
        ),
        (
            code_sizes,
            ([2, 1568], [marked(0.3, 0.4), marked(0.5, 0.6)], marked(0.1, 0.2)),
            [0.1, 0.2, 0.3, 0.4, 0.5, 0.6],
            ["original", "2 units", "1,568 units"],
        ),
        (  # unit 1 varies most; images 2 and 0 activate it most; unit 2 never varies
            partial(code_units, n_units=2, n_images=2),
            (np.array([[1.0, 6.0, 3.0], [3.0, 0.0, 3.0], [2.0, 9.0, 3.0]]), marked(0.1, 0.2, 0.3)),
            [0.3, 0.1, 0.2, 0.3],
            ["unit 1", "unit 0"],
        ),
    ],
)
def test_rows_of_images_are_named_and_in_order(draw, arguments, values, names):
    figure = draw(*arguments, language="en")
    assert [picture[0, 0] for picture in pictures(figure)] == pytest.approx(values)
    (axis,) = figure.axes
    assert [text.get_text() for text in axis.texts] == names
    assert axis.images[0].get_clim() == (0, 1)


def test_the_strongest_filters_come_first_each_on_its_own_symmetric_scale():
    kernels = marked(0.1, -0.3, 0.2, 0.0)
    kernels[1, 0, 0] = 0.25
    figure = filters(kernels, np.array([3.0, 2.0, 4.0, 1.0]), "en", n=2)
    assert [picture[5, 5] for picture in pictures(figure)] == [1, 1]
    figure = filters(kernels, np.array([3.0, 4.0, 1.0, 2.0]), "en", n=2)
    assert [picture[5, 5] for picture in pictures(figure)] == [-1, 1]
    assert pictures(figure)[0][0, 0] == pytest.approx(0.25 / 0.3)
    (shown,) = figure.axes[0].images
    assert shown.get_clim() == (-1, 1)
    assert [to_hex(shown.get_cmap()(end)).upper() for end in (0.0, 1.0)] == [BLUE, VERMILION]
    assert len(pictures(filters(kernels, np.ones(4), "en"))) == 4


def test_the_sweep_shows_decibels_and_both_probes_with_their_ranges():
    def measures(decibels, linear, neighbours):
        return {"test": spread(decibels), "linear": spread(linear), "neighbours": spread(neighbours)}

    rows = [
        {
            "code": code,
            "no_noise": measures(code + 20, 0.5, 0.25),
            "with_noise": measures(code + 10, 0.75, 0.375),
            "pca": pca,
        }
        for code, pca in ((2, measures(18, 0.125, 0.625)), (8, measures(19, 0.125, 0.625)), (784, None))
    ]
    pixels = {"linear": spread(0.875), "neighbours": spread(0.9375)}
    figures = sweep(rows, pixels, {"code": 512, "test": spread(30.5)}, 784, "en")
    left, middle, right = axes_of(figures)
    own = {"as wide as the input": ("#777777", [(784, 0), (784, 1)])}
    assert lines(left) == own | {
        "trained without noise": (VERMILION, [(2, 22), (8, 28), (784, 804)]),
        "trained on masked pixels": (BLUE, [(2, 12), (8, 18), (784, 794)]),
        "PCA": (BLACK, [(2, 18), (8, 19)]),
        "linear network": ("white", [(512, 30.5)]),
    }
    for axis, no_noise, with_noise, pca, of_pixels in (
        (middle, 50, 75, 12.5, 87.5),
        (right, 25, 37.5, 62.5, 93.75),
    ):
        assert lines(axis) == own | {
            "trained without noise": (VERMILION, [(code, no_noise) for code in (2, 8, 784)]),
            "trained on masked pixels": (BLUE, [(code, with_noise) for code in (2, 8, 784)]),
            "PCA": (BLACK, [(2, pca), (8, pca)]),
            "the pixels themselves": (BLACK, [(0, of_pixels), (1, of_pixels)]),
        }
        assert [(colour(edge), band(edge)) for edge in axis.collections] == [
            (VERMILION, dict.fromkeys((2, 8, 784), (no_noise - 6.25, no_noise + 6.25))),
            (BLUE, dict.fromkeys((2, 8, 784), (with_noise - 6.25, with_noise + 6.25))),
            (BLACK, dict.fromkeys((2, 8), (pca - 6.25, pca + 6.25))),
        ]
    assert band(left.collections[2]) == {2: (17.9375, 18.0625), 8: (18.9375, 19.0625)}
    assert [axis.get_title() for axis in (left, middle, right)] == [
        "PSNR of test images (dB)",
        "accuracy of a linear probe (%)",
        "accuracy of nearest neighbours (%)",
    ]
    for figure, axis in zip(figures, (left, middle, right), strict=True):
        assert sorted(text.get_text() for text in figure.legends[0].get_texts()) == sorted(lines(axis))


def test_the_search_shows_each_free_configuration_larger_the_further_it_went_and_rings_the_choices():
    figure = search(TUNE, "en")
    (axis,) = figure.axes
    found = [(cloud.get_label(), points(cloud.get_offsets()), cloud.get_sizes().tolist()) for cloud in axis.collections]
    without, ring, with_, other_ring, legend = found
    assert without == ("without", [(0.001, 80), (0.003, 85)], [35, 80])
    assert with_ == ("with pre-training", [(0.0001, 90), (0.0003, 92)], [80, 50])
    assert (ring[1], other_ring[1], legend[1]) == ([(0.003, 85)], [(0.0003, 92)], [])
    assert [colour(axis.collections[number]) for number in (0, 2)] == [VERMILION, BLUE]
    assert not axis.collections[1].get_facecolor().size  # a ring, through which the point is seen
    named = [text.get_text() for text in figure.legends[0].get_texts()]
    assert named == ["without", "with pre-training", "the choice of each arm"]
    assert axis.get_xscale() == "log"
    assert axis.get_xlabel() == "learning rate at the first step"
    assert side(axis) == "accuracy in cross-validation (%)"


def test_the_search_leaves_out_the_accuracies_that_would_squeeze_the_others():
    table = pd.concat([TUNE, TUNE[:1].assign(learning_rate=0.01, accuracy=0.11)])
    (axis,) = search(table, "en").axes
    assert axis.get_ylim()[0] == 67  # 25 points below the best
    (axis,) = search(TUNE, "en").axes
    assert 75 < axis.get_ylim()[0] < 80


def test_the_overview_shows_every_picture_with_its_name_and_its_answer(mnist):
    digits = mnist["test_images"]
    names = ["a/very/long/name/" * 9 + "four$.png", *(f"{number}.png" for number in range(9))]
    answers = ["4\n51%\nhardly a digit", *(f"{number}\n100%" for number in range(9))]
    pictures = [np.full((100 + number, 50), 10 * number, np.uint8) for number in range(10)]
    figure = overview(names, pictures, digits[:10], digits[10:20], answers)
    figure.draw_without_rendering()
    (axis,) = figure.axes
    texts = [text.get_text() for text in axis.texts]
    assert any(text.startswith("…") and text.endswith(r"/four\$.png") and len(text) < 50 for text in texts)
    assert all(f"{number}.png" in texts and str(number) in texts for number in range(9))
    assert "51%\nhardly a digit" in texts
    (canvas,) = (image.get_array() for image in axis.images)
    rows = np.lib.stride_tricks.sliding_window_view(canvas, 84, axis=1)
    for middle in digits[:20, 14].repeat(3, axis=1):  # of what was seen and of what was denoised
        assert (rows == middle).all(axis=2).any()


@pytest.mark.parametrize("n", [3, 40])
def test_names_of_classes_stand_where_their_numbers_did(n):
    names = [f"class {number}" for number in range(n)]
    matrices = {"without": np.full((n, n), 8), "with": np.full((n, n), 4)}
    left, _ = axes_of(confusions(matrices, 4, names, "en"))
    assert [tick.get_text() for tick in left.get_xticklabels()] == names
    assert [tick.get_text() for tick in left.get_yticklabels()] == names
    assert {tick.get_rotation() for tick in left.get_xticklabels()} == {90}
    assert bool(left.texts) == (n == 3)  # so many cells have no room for a number
    images, shown = np.zeros((n, 8, 8)), list(range(min(n, 10)))
    figure = reconstructions(images, {"noisy": images}, shown, names, "en")
    heads = [text for text in figure.axes[0].texts if text.get_text() in names]
    assert [head.get_text() for head in heads] == names[:10]
    figure.canvas.draw()
    assert all(head.get_window_extent().y1 <= figure.bbox.y1 + 1 for head in heads)
    (axis,) = axes_of([anomalies({"1": 0.1, "2": 0.9}, {"1": 0.5, "2": 0.5}, names, "en")])
    assert [tick.get_text() for tick in axis.get_xticklabels()] == names[1:3]
    # a short bar has its number above it, in black
    assert [(text.get_text(), text.get_color()) for text in axis.texts] == [("0.10", BLACK), ("0.90", "white")]
