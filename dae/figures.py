"""The figures: arrays in, matplotlib figures out, in one style and in a language, `en` or `pt`.

Colours are Okabe and Ito's, which colour-blind readers tell apart; what they tell apart, markers or lines do too.
"""

from collections.abc import Sequence

import matplotlib as mpl
import numpy as np
from matplotlib.figure import Figure
from matplotlib.font_manager import fontManager
from matplotlib.ticker import ScalarFormatter

from dae.language import number

BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY = "#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9"
BLACK = "#000000"
COLOURS = {"with": BLUE, "without": VERMILION}
WORDS = {
    "en": {
        "with": "with pre-training",
        "without": "without",
        "original": "original",
        "noisy": "noisy",
        "denoised": "denoised\nby the dAE",
        "pca": "denoised\nby PCA",
        "unit": "unit",
        "mean": "mean",
        "accuracy": "test accuracy (%)",
        "error": "test error (%)",
        "interval": "interval of the mean",
        "points": "points",
        "replicate": "one replicate",
        "gain": "gain by pre-training (percentage points)",
        "order": "replicates, in order of gain",
        "predicted": "predicted class",
        "true": "true class",
        "epoch": "epoch",
        "dae_loss": "dAE: cross-entropy (nats/pixel)",
        "step": "training step",
        "loss": "classifier: cross-entropy (nats)",
        "labels": "labelled images",
        "worth": "worth {} labels",
        "pushed": "with, pushed",
        "pushed_moved": "with, pushed, images moved",
        "pseudo": "pseudo-labels",
        "pseudo_conv": "pseudo-labels, convolutional",
        "ladder_gamma": "Gamma model of the ladder",
        "ladder": "ladder network",
        "ladder_pseudo": "ladder's pseudo-labels",
        "ladder_conv": "ladder's pseudo-labels, convolutional",
        "masking": "masking",
        "gaussian": "Gaussian",
        "salt_and_pepper": "salt and pepper",
        "level": "level of the noise",
        "psnr": "PSNR of the denoised images (dB)",
        "left_noisy": "noise left in",
        "by_dae": "denoised by the dAE",
        "trained": "the dAE's own level",
        "ae_code": "autoencoder, code of 2 units",
        "pca_code": "PCA, 2 components",
        "trustworthiness": "trustworthiness",
        "real": "test images",
        "variational": "variational\nautoencoder",
        "plain": "plain\nautoencoder",
        "auroc": "AUROC",
        "left_out": "digit left out of the training",
        "chance": "chance",
        "input": "input",
        "copying": "{} units,\nno noise",
        "denoising": "{} units,\ntrained on noise",
        "codes": "units of the code",
        "reconstruction": "PSNR of test images (dB)",
        "probe": "accuracy of a linear probe (%)",
        "no_noise": "trained without noise",
        "with_noise": "trained on masked pixels",
        "pca_line": "PCA",
        "pixels_line": "probe of the pixels",
        "as_wide": "as wide as the input",
        "units": "{} units",
        "cv_baseline": "accuracy without pre-training,\nin cross-validation (%)",
        "chosen": "the settings chosen",
        "settings": "settings tried on both arms",
    },
    "pt": {
        "with": "com pré-treinamento",
        "without": "sem",
        "original": "original",
        "noisy": "com ruído",
        "denoised": "restaurada\npelo dAE",
        "pca": "restaurada\npela PCA",
        "unit": "unidade",
        "mean": "média",
        "accuracy": "acurácia no teste (%)",
        "error": "erro no teste (%)",
        "interval": "intervalo da média",
        "points": "pontos",
        "replicate": "uma réplica",
        "gain": "ganho do pré-treinamento (pontos percentuais)",
        "order": "réplicas, por ordem de ganho",
        "predicted": "classe predita",
        "true": "classe verdadeira",
        "epoch": "época",
        "dae_loss": "dAE: entropia cruzada (nats/pixel)",
        "step": "passo de treinamento",
        "loss": "classificador: entropia cruzada (nats)",
        "labels": "imagens rotuladas",
        "worth": "vale {} rótulos",
        "pushed": "com, ao máximo",
        "pushed_moved": "com, ao máximo, imagens movidas",
        "pseudo": "pseudorrótulos",
        "pseudo_conv": "pseudorrótulos, convolucional",
        "ladder_gamma": "modelo Gama da ladder",
        "ladder": "rede ladder",
        "ladder_pseudo": "pseudorrótulos da ladder",
        "ladder_conv": "pseudorrótulos da ladder, convolucional",
        "masking": "mascaramento",
        "gaussian": "gaussiano",
        "salt_and_pepper": "sal e pimenta",
        "level": "nível do ruído",
        "psnr": "PSNR das imagens restauradas (dB)",
        "left_noisy": "com o ruído",
        "by_dae": "restauradas pelo dAE",
        "trained": "o nível do próprio dAE",
        "ae_code": "autoencoder, código de 2 unidades",
        "pca_code": "PCA, 2 componentes",
        "trustworthiness": "confiabilidade",
        "real": "imagens\nde teste",
        "variational": "autoencoder\nvariacional",
        "plain": "autoencoder\ncomum",
        "auroc": "AUROC",
        "left_out": "dígito deixado fora do treinamento",
        "chance": "acaso",
        "input": "entrada",
        "copying": "{} unidades,\nsem ruído",
        "denoising": "{} unidades,\ntreinado com ruído",
        "codes": "unidades do código",
        "reconstruction": "PSNR das imagens de teste (dB)",
        "probe": "acurácia de uma sonda linear (%)",
        "no_noise": "treinado sem ruído",
        "with_noise": "treinado com pixels mascarados",
        "pca_line": "PCA",
        "pixels_line": "sonda dos pixels",
        "as_wide": "tão largo quanto a entrada",
        "units": "{} unidades",
        "cv_baseline": "acurácia sem pré-treinamento,\nna validação cruzada (%)",
        "chosen": "as configurações escolhidas",
        "settings": "configurações testadas nos dois braços",
    },
}
STYLE = {
    "font.size": 11,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.grid": True,
    "grid.color": "#dddddd",
    "axes.axisbelow": True,
    "legend.frameon": False,
    "figure.constrained_layout.use": True,
}
mpl.rcdefaults()  # whatever a matplotlibrc says
mpl.rcParams.update(STYLE)
# the fonts that come with matplotlib: the system's may be of another version
fontManager.ttflist = [font for font in fontManager.ttflist if font.fname.startswith(mpl.get_data_path())]


class CommaFormatter(ScalarFormatter):
    """Tick labels with a decimal comma."""

    def __call__(self, x, pos=None):
        return super().__call__(x, pos).replace(".", ",")


def _finish(figure: Figure, language: str) -> Figure:
    """The figure with the decimal sign of the language on its axes."""
    if language == "pt":
        for axis in (axis for axes in figure.axes for axis in (axes.xaxis, axes.yaxis)):
            if type(axis.get_major_formatter()) is ScalarFormatter:
                axis.set_major_formatter(CommaFormatter())
    return figure


def reconstructions(original: np.ndarray, kinds: dict[str, np.ndarray], which: Sequence[int], language: str) -> Figure:
    """Rows of images: the originals, then each kind (noisy, denoised, pca); a column for each index in `which`."""
    words = WORDS[language]
    return _rows({words[kind]: images[list(which)] for kind, images in [("original", original), *kinds.items()]})


def _rows(rows: dict[str, np.ndarray]) -> Figure:
    """A named row for each array of images, of shape (n, 28, 28) with pixels in [0, 1]."""
    n = max(map(len, rows.values()))
    figure = Figure(figsize=(0.85 * n + 1.4, 0.9 * len(rows)))
    for line, (name, images) in zip(figure.subplots(len(rows), n, squeeze=False), rows.items(), strict=True):
        for axis, image in zip(line, images, strict=True):
            _show(axis, image, "gray", 0, 1)
        line[0].set_ylabel(name, rotation=0, ha="right", va="center")
    return figure


def filters(kernels: np.ndarray, language: str, n: int = 60) -> Figure:
    """The `n` filters of largest norm among kernels of shape (units, 28, 28), each on its own symmetric scale."""
    strongest = np.argsort(-np.square(kernels).sum(axis=(1, 2)), kind="stable")[:n]
    columns = 15
    figure = Figure(figsize=(9, 0.62 * -(-len(strongest) // columns)))
    axes = figure.subplots(-(-len(strongest) // columns), columns, squeeze=False).ravel()
    for axis in axes:
        axis.axis("off")
    for axis, unit in zip(axes, strongest, strict=False):
        limit = np.abs(kernels[unit]).max() or 1.0
        _show(axis, kernels[unit], "RdBu_r", -limit, limit)
    return figure


def code_units(
    activations: np.ndarray, images: np.ndarray, language: str, n_units: int = 8, n_images: int = 10
) -> Figure:
    """A row for each of the most variable units of the code: the images that most activate it.

    Args:
        activations: shape (n, units).
        images: shape (n, 28, 28), pixels in [0, 1].
    """
    units = np.argsort(-activations.std(axis=0), kind="stable")[:n_units]
    top = {unit: np.argsort(-activations[:, unit], kind="stable")[:n_images] for unit in units}
    return _rows({f"{WORDS[language]['unit']} {unit}": images[which] for unit, which in top.items()})


def paired_accuracies(
    accuracies: dict[str, np.ndarray], mean: float, interval: tuple[float, float] | None, language: str
) -> Figure:
    """Left, the accuracy of both arms, a line for each replicate; right, the paired differences and their mean.

    Args:
        accuracies: of the arms `without` and `with`, fractions of shape (replicates,).
        mean, interval: of the paired difference, fractions.
    """
    words = WORDS[language]
    figure = Figure(figsize=(9, 3.6))
    left, right = figure.subplots(1, 2)
    without, with_ = (100 * accuracies[arm] for arm in ("without", "with"))
    left.plot([0, 1], np.stack([without, with_]), color="#999999", linewidth=0.8, zorder=1)
    for x, (arm, values) in enumerate((("without", without), ("with", with_))):
        left.scatter(np.full(len(values), x), values, color=COLOURS[arm], s=28, zorder=2)
    means = {"without": without.mean(), "with": with_.mean()}
    left.set_xticks([0, 1], [f"{words[arm]}\n{words['mean']} {number(language, means[arm], 2)} %" for arm in means])
    left.set_xlim(-0.6, 1.6)
    left.set_ylabel(words["accuracy"])

    differences = np.sort(with_ - without)
    right.axvline(0, color="black", linewidth=1)
    if interval:
        right.axvspan(100 * interval[0], 100 * interval[1], color=COLOURS["with"], alpha=0.2, label=words["interval"])
    right.axvline(
        100 * mean,
        color=COLOURS["with"],
        linewidth=2,
        label=f"{words['mean']} {number(language, 100 * mean, 2, '+')} {words['points']}",
    )
    right.scatter(differences, np.arange(1, len(differences) + 1), color="#444444", s=22, label=words["replicate"])
    right.set_xlabel(words["gain"])
    right.set_ylabel(words["order"])
    right.yaxis.get_major_locator().set_params(integer=True)
    right.margins(x=0.1, y=0.08)
    right.legend(loc="upper left", fontsize=9, frameon=True, framealpha=1)
    return _finish(figure, language)


def confusions(matrices: dict[str, np.ndarray], language: str) -> Figure:
    """Confusion matrices of both arms, in per cent of each true class; matrices of counts, shape (10, 10)."""
    figure = Figure(figsize=(9.5, 5))
    for axis, (arm, matrix) in zip(figure.subplots(1, 2), matrices.items(), strict=True):
        share = 100 * matrix / np.maximum(matrix.sum(axis=1, keepdims=True), 1)
        axis.imshow(share, cmap="Blues", vmin=0, vmax=15)
        axis.grid(False)
        for row, column in np.ndindex(share.shape):
            value = share[row, column]
            text = number(language, value, 0 if value >= 9.95 else 1) if value >= 0.05 else ""
            axis.text(column, row, text, ha="center", va="center", fontsize=8, color="white" if value > 9 else "black")
        axis.set_xticks(range(10))
        axis.set_yticks(range(10))
        axis.set_title(WORDS[language][arm], color=COLOURS[arm])
        axis.set_xlabel(WORDS[language]["predicted"])
        axis.set_ylabel(WORDS[language]["true"])
    return figure


def learning_curves(pretraining: np.ndarray, arms: dict[str, np.ndarray], steps: np.ndarray, language: str) -> Figure:
    """Left, the dAEs' training losses by epoch; right, the classifiers' by step: means, and the range over replicates.

    Args:
        pretraining: shape (dAEs, epochs), nats a pixel.
        arms: for each arm, shape (replicates, len(steps)), nats.
        steps: shape (points,).
    """
    words = WORDS[language]
    figure = Figure(figsize=(9, 3.3))
    left, right = figure.subplots(1, 2)
    left.plot(np.arange(1, pretraining.shape[1] + 1), pretraining.T, color="black", marker=".", linewidth=1)
    left.set_xlabel(words["epoch"])
    left.set_ylabel(words["dae_loss"])
    left.xaxis.get_major_locator().set_params(integer=True)
    for arm, losses in arms.items():
        right.plot(steps, losses.mean(axis=0), color=COLOURS[arm], label=words[arm])
        right.fill_between(steps, losses.min(axis=0), losses.max(axis=0), color=COLOURS[arm], alpha=0.2, linewidth=0)
    right.set_yscale("log")
    right.set_xlabel(words["step"])
    right.set_ylabel(words["loss"])
    right.legend()
    return _finish(figure, language)


def label_curve(table, worth: dict | None, language: str) -> Figure:
    """Test error of both arms against the number of labels: means, and the range over replicates.

    Args:
        table: columns n_labels, without, with (accuracies, fractions); a row for each replicate.
        worth: n_labels and extra, the labels that pre-training is worth there; drawn as an arrow.
    """
    words = WORDS[language]
    figure = Figure(figsize=(7.5, 4.5))
    axis = figure.subplots()
    groups = table.groupby("n_labels")
    for arm in ("without", "with"):
        error = {kind: 100 * (1 - getattr(groups[arm], kind)()) for kind in ("mean", "min", "max")}
        axis.plot(error["mean"].index, error["mean"], color=COLOURS[arm], marker="o", label=words[arm])
        axis.fill_between(error["mean"].index, error["max"], error["min"], color=COLOURS[arm], alpha=0.2, linewidth=0)
    if worth:
        n = worth["n_labels"]
        level = 100 * (1 - groups["with"].mean()[n])
        axis.annotate("", (n + worth["extra"], level), (n, level), arrowprops={"arrowstyle": "->", "linewidth": 1.5})
        axis.annotate(
            words["worth"].format(number(language, worth["extra"])),
            (n + worth["extra"], level),
            xytext=(6, 6),
            textcoords="offset points",
            va="bottom",
        )
    _errors_by_labels(axis, list(groups.groups), language)
    axis.legend()
    return figure


def _errors_by_labels(axis, counts: list[int], language: str) -> None:
    """Logarithmic axes, with a tick at each number of labels."""
    axis.set_xscale("log")
    axis.set_yscale("log")
    ticks = [t for t in (0.5, 1, 2, 3, 5, 10, 20, 30, 50) if axis.get_ylim()[0] <= t <= axis.get_ylim()[1]]
    axis.set_yticks(ticks, [number(language, t, int(t < 1)) for t in ticks])
    axis.minorticks_off()
    axis.set_xticks(counts, [number(language, n) for n in counts], rotation=90)
    axis.set_xlabel(WORDS[language]["labels"])
    axis.set_ylabel(WORDS[language]["error"])


def ladder(table, language: str) -> Figure:
    """Test error of every arm against the number of labels: means over label draws, and each draw.

    Args:
        table: columns n_labels, arm, accuracy (a fraction); a row for each draw.
    """
    styles = {  # students, and what sees images moved, are dashed
        "without": (VERMILION, "o", "-"),
        "with": (BLUE, "s", "-"),
        "pushed": (SKY, "P", "-"),
        "pushed_moved": (SKY, "X", "--"),
        "pseudo": (BLUE, "^", "--"),
        "pseudo_conv": (ORANGE, "v", "--"),
        "ladder_gamma": (BLACK, "*", "-"),
        "ladder": (GREEN, "D", "-"),
        "ladder_pseudo": (GREEN, "^", "--"),
        "ladder_conv": (PURPLE, "v", "--"),
    }
    words = WORDS[language]
    figure = Figure(figsize=(10.5, 5))
    axis = figure.subplots()
    for arm, (colour, marker, line) in styles.items():
        rows = table[table["arm"] == arm]
        error = 100 * (1 - rows.groupby("n_labels")["accuracy"].mean())
        axis.plot(error.index, error, line, color=colour, marker=marker, markersize=8, label=words[arm])
        axis.scatter(rows["n_labels"], 100 * (1 - rows["accuracy"]), color=colour, marker=marker, s=9, alpha=0.5)
    _errors_by_labels(axis, sorted(table["n_labels"].unique()), language)
    figure.legend(loc="outside right upper")
    return figure


def noise_curve(table, without: float, language: str) -> Figure:
    """Left, accuracy after pre-training against the level of each corruption; right, PSNR of the denoised images.

    Args:
        table: columns corruption, level, accuracy, std (fractions), psnr_denoised (dB); the corruption `none`, a plain
            autoencoder, is drawn as level 0 of all.
        without: accuracy without pre-training.
    """
    words = WORDS[language]
    figure = Figure(figsize=(9.5, 4))
    left, right = figure.subplots(1, 2)
    colours = {"masking": BLUE, "gaussian": GREEN, "salt_and_pepper": PURPLE}
    markers = {"masking": "o", "gaussian": "s", "salt_and_pepper": "^"}
    plain = table[table["corruption"] == "none"]
    for corruption, colour in colours.items():
        line = np.concatenate([plain, table[table["corruption"] == corruption]])
        level, accuracy, std, psnr = (
            line[:, table.columns.get_loc(name)].astype(float) for name in ("level", "accuracy", "std", "psnr_denoised")
        )
        style = {"color": colour, "marker": markers[corruption], "label": words[corruption]}
        left.plot(level, 100 * accuracy, **style)
        left.fill_between(level, 100 * (accuracy - std), 100 * (accuracy + std), color=colour, alpha=0.12, linewidth=0)
        right.plot(level, psnr, **style)
    left.axhline(100 * without, color=COLOURS["without"], linestyle="--", label=words["without"])
    left.set_ylabel(words["accuracy"])
    right.set_ylabel(words["psnr"])
    for axis in (left, right):
        axis.set_xlabel(words["level"])
    left.legend(fontsize=9)
    return _finish(figure, language)


def noise_levels(levels: Sequence[float], psnr: dict[str, Sequence[float]], trained: float | None, language: str):
    """PSNR of noisy and of denoised test images against the level of the noise.

    Args:
        levels: shape (n,).
        psnr: of `noisy` and `denoised`, decibels of shape (n,); None or NaN where there is none.
        trained: the level that the dAE was trained with, drawn as a line.
    """
    words = WORDS[language]
    figure = Figure(figsize=(7.5, 3.6))
    axis = figure.subplots()
    axis.plot(levels, psnr["denoised"], color=BLUE, marker="o", label=words["by_dae"])
    axis.plot(levels, psnr["noisy"], color=VERMILION, marker="s", label=words["left_noisy"])
    axis.axvline(trained, color="black", linestyle="--", linewidth=1, label=words["trained"])
    axis.set_xlabel(words["level"])
    axis.set_ylabel("PSNR (dB)")
    axis.legend()
    return _finish(figure, language)


def maps(codes: dict[str, np.ndarray], classes: np.ndarray, trust: dict[str, float], language: str) -> Figure:
    """Two-dimensional codes of images side by side, a numeral at each class's median.

    Args:
        codes: of `ae_code` and `pca_code`, shape (n, 2).
        classes: shape (n,), 0 to 9.
        trust: trustworthiness of each, in [0, 1].
    """
    words = WORDS[language]
    figure = Figure(figsize=(9.5, 4.6))
    colours = mpl.colormaps["tab10"].colors
    for axis, (name, points) in zip(figure.subplots(1, 2), codes.items(), strict=True):
        for c in np.unique(classes):
            axis.scatter(*points[classes == c].T, color=colours[c], marker=f"${c}$", s=26, alpha=0.6, linewidths=0)
        for c in np.unique(classes):
            x, y = np.median(points[classes == c], axis=0)
            box = {"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": colours[c], "linewidth": 1.5}
            axis.text(x, y, str(c), ha="center", va="center", fontsize=10, bbox=box)
        axis.set_xticks([])
        axis.set_yticks([])
        axis.spines[:].set_visible(False)
        axis.set_title(f"{words[name]}\n{words['trustworthiness']} {number(language, trust[name], 3)}", fontsize=11)
    return figure


def samples(rows: dict[str, np.ndarray], language: str) -> Figure:
    """Rows of images, of shape (n, 28, 28) in [0, 1]; of the kinds `real`, `variational`, `plain`."""
    return _rows({WORDS[language][kind]: images for kind, images in rows.items()})


def anomalies(auroc: dict[str, float], language: str) -> Figure:
    """Area under the ROC curve of the reconstruction error, for each class left out of the training."""
    words = WORDS[language]
    figure = Figure(figsize=(7.5, 3))
    axis = figure.subplots()
    values = list(auroc.values())
    axis.bar(list(auroc), values, color=[BLUE if value > 0.5 else VERMILION for value in values], width=0.6)
    for x, value in enumerate(values):
        axis.text(x, value + 0.015, number(language, value, 2), ha="center", fontsize=10)
    axis.axhline(0.5, color="black", linestyle="--", linewidth=1)
    axis.text(len(values) - 0.45, 0.515, words["chance"], ha="left", fontsize=10)
    axis.set_ylim(0, 1.08)
    axis.set_xlim(-0.6, len(values) + 0.4)
    axis.set_xlabel(words["left_out"])
    axis.set_ylabel(words["auroc"])
    axis.grid(visible=False, axis="x")
    return _finish(figure, language)


def copies(rows: dict[str, np.ndarray], units: int, language: str) -> Figure:
    """Rows of images, of shape (n, 28, 28) in [0, 1]: `input`, and what `copying` and `denoising` make of it.

    Args:
        units: of the code of both autoencoders.
    """
    return _rows({WORDS[language][kind].format(number(language, units)): images for kind, images in rows.items()})


def code_sizes(codes: Sequence[int], images: Sequence[np.ndarray], original: np.ndarray, language: str) -> Figure:
    """The originals, and below them what is left of them after codes of each size; images of shape (n, 28, 28)."""
    words = WORDS[language]
    names = [words["units"].format(number(language, code)) for code in codes]
    return _rows({words["original"]: original} | dict(zip(names, images, strict=True)))


def sweep(rows: Sequence[dict], pixels: float, n_pixels: int, language: str) -> Figure:
    """Left, PSNR of test images against the size of the code; right, accuracy of a linear probe of the code.

    Args:
        rows: each with the keys code, psnr and probe; the latter two of `no_noise` and `with_noise`, psnr also of
            `pca_line` (decibels, None where there is none).
        pixels: accuracy of the probe of the pixels themselves, a fraction.
        n_pixels: the width of the input, drawn as a line.
    """
    words = WORDS[language]
    figure = Figure(figsize=(9.5, 4))
    left, right = figure.subplots(1, 2)
    codes = [row["code"] for row in rows]
    lines = {"no_noise": (VERMILION, "s"), "with_noise": (BLUE, "o")}
    for kind, (colour, marker) in lines.items():
        left.plot(codes, [row["psnr"][kind] for row in rows], color=colour, marker=marker, label=words[kind])
        right.plot(codes, [100 * row["probe"][kind] for row in rows], color=colour, marker=marker)
    pca = [(row["code"], row["psnr"]["pca_line"]) for row in rows if row["psnr"]["pca_line"] is not None]
    left.plot(*zip(*pca, strict=True), color="black", linestyle=":", marker=".", label=words["pca_line"])
    right.axhline(100 * pixels, color="black", linestyle="-.", linewidth=1, label=words["pixels_line"])
    left.set_ylabel(words["reconstruction"])
    right.set_ylabel(words["probe"])
    for axis in (left, right):
        axis.axvline(n_pixels, color="#777777", linestyle="--", linewidth=1, label=words["as_wide"])
        axis.set_xscale("log")
        axis.set_xticks(codes, [number(language, code) for code in codes])
        axis.minorticks_off()
        axis.set_xlabel(words["codes"])
        axis.legend(fontsize=9)
    return _finish(figure, language)


def tuning(without: np.ndarray, gains: np.ndarray, chosen: int, language: str) -> Figure:
    """The gain by pre-training against the accuracy of the baseline, a point for each setting tried on both arms.

    Args:
        without, gains: fractions of shape (n,).
        chosen: the point that was chosen for the baseline.
    """
    words = WORDS[language]
    figure = Figure(figsize=(7.5, 3.8))
    axis = figure.subplots()
    axis.scatter(100 * without, 100 * gains, color="#444444", s=36, label=words["settings"])
    axis.scatter(100 * without[chosen], 100 * gains[chosen], color=BLUE, s=110, marker="*", label=words["chosen"])
    axis.axhline(0, color="black", linewidth=1)
    axis.set_xlabel(words["cv_baseline"])
    axis.set_ylabel(words["gain"])
    axis.legend(fontsize=9)
    return _finish(figure, language)


def _show(axis, image: np.ndarray, colours: str, low: float, high: float) -> None:
    axis.imshow(image, cmap=colours, vmin=low, vmax=high, interpolation="nearest")
    axis.set_xticks([])
    axis.set_yticks([])
    axis.grid(False)
    axis.spines[:].set_visible(False)
