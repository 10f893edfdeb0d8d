"""A small report with all that a page can have, whose figures are drawn here: so tests of the page need no result."""

from pathlib import Path

import numpy as np
import pytest
from example_tables import BINS, LABEL_CURVE, LABEL_ROWS, NOISE_CURVE, PUSHED, TUNE, spread

from reporting.common.words import LANGUAGES
from reporting.evaluate.figures import confusions, learning_curves, paired_accuracies, pretraining, reliability
from reporting.label_curve.figures import label_curve
from reporting.noise_curve.figures import noise_curve
from reporting.pages.html import page
from reporting.pages.markdown import render
from reporting.pushed.figures import pushed
from reporting.reconstruct.figures import code_units, filters, networks, noise_levels, reconstructions
from reporting.theory.figures import anomalies, code_sizes, compression, copies, maps, samples, sweep
from reporting.tune.figures import search
from stages._figures import save_figure, save_image

HEAD = '{% from "macros.md.j2" import source, figure, provenance with context %}\n'
TEMPLATES = {
    "en": """# Does it help?

> **It helps**: 91.90% against 90.21%, by 1.69 points.

{% call figure("evaluate/paired", "Both arms, their differences", ["replicates.csv"]) %}Both arms.{% endcall %}

Also in [Portuguese](relatorio.md)<!-- only in Markdown -->, and as [one page](report.html) with both<!-- end -->. The
[studies](studies/studies.md), the [parameters](../params.yaml) and [a site](https://example.org/).

## 1. Choices

| choice | value | reason |
|---|---|---|
| network | 784–512–256–128 | the encoder's layers are the network's, so that all of them can be used again |
| loss | cross-entropy | pixels lie in [0, 1] |

{% call figure("reconstruct/reconstruction", "Images") %}Images of every class.{% endcall %}

<!-- slider -->

### 1.1 Results

| on the test set | with pre-training | without | paired difference |
|---|---:|---:|---:|
| accuracy (%) ↑ | 91.90 ± 0.43 | 90.21 ± 0.89 | +1.69 (+1.29 to +2.10) |
| calibration error ↓ | 0.0310 ± 0.0037 | 0.0584 ± 0.0089 | −0.0275 (−0.0313 to −0.0236) |

{{ source("replicates.csv") }} See Figure {fig:reconstruct/reconstruction}.

## 2. Numbers

| labels | replicates | steps | with (%) | without (%) | difference | verdict |
|---:|---:|---:|---:|---:|---:|---|
| 100 | 10 | 2,600 | 85.15 | 79.52 | +5.63 (+4.83 to +6.43) | better |

| few | columns |
|---|---:|
| here | 1 |

{% call figure("evaluate/pretraining", "Losses") %}Losses.{% endcall %}

```python
class TiedDense(keras.layers.Layer):
    def call(self, inputs):
        return self.activation(keras.ops.matmul(inputs, keras.ops.transpose(self.source.kernel)) + self.bias)
```

"""
    + 40 * "Many lines of text, so that there is something to scroll through on a desktop too.\n\n"
    + """## 3. Files

<details><summary>The files</summary>

| stage | file | MD5 | parameters |
|---|---|---|---|
{{ provenance() }}
</details>
""",
}
TEMPLATES["pt"] = TEMPLATES["en"]
for english, portuguese in {
    "Does it help?": "Isso ajuda?",
    "Portuguese](relatorio.md)": "inglês](report.md)",
    "studies/studies.md": "studies/estudos.md",
    "Choices": "Escolhas",
    "Results": "Resultados",
    "Numbers": "Números",
    "3. Files": "3. Arquivos",
    "91.90% against 90.21%, by 1.69 points": "91,90% contra 90,21%, por 1,69 ponto: isto é mais longo",
}.items():
    TEMPLATES["pt"] = TEMPLATES["pt"].replace(english, portuguese)
LINKS = {
    "report.md": "#en",
    "relatorio.md": "#pt",
    "studies/studies.md": "studies/studies.html#en",
    "studies/estudos.md": "studies/studies.html#pt",
}
SLIDER = {
    "levels": [0.0, 0.5, 0.85],
    "kinds": ["noisy", "denoised", "linear", "pca"],
    "psnr": [
        {"noisy": None, "denoised": 17.5, "linear": 16.25, "pca": 15.0},
        {"noisy": 12.5, "denoised": 17.0, "linear": 14.5, "pca": 13.0},
        {"noisy": 10.0, "denoised": 15.5, "linear": 14.0, "pca": 11.75},
    ],
    "start": 2,
    "classes": list(range(10)),
    "strips": "figures/strips.webp",
}


@pytest.fixture(scope="session")
def example_figures() -> dict:
    """For every function that draws, by its name: the function, and arguments."""
    rng = np.random.default_rng(0)
    images, fractions = rng.random((10, 28, 28)), rng.random(5)
    arms = {"without": fractions / 50 + 0.9, "with": fractions / 60 + 0.91}
    measures = {name: spread(0.825) for name in ("train", "test", "linear", "neighbours")}
    sweep_rows = [
        {"code": code, "no_noise": measures, "with_noise": measures, "pca": measures if code == 2 else None}
        for code in (2, 1568)
    ]
    kept = {"trustworthiness": 0.875, "neighbours": spread(0.75)}
    digits = [str(digit) for digit in range(10)]
    calls = [
        (networks, [512, 256, 128], 784, 10),
        (
            reconstructions,
            images,
            dict.fromkeys(("noisy", "denoised", "linear", "pca"), images),
            [*range(10)],
            digits,
        ),
        (filters, images, rng.random(10)),
        (code_units, rng.random((10, 9)), images),
        (paired_accuracies, arms, 0.0123, (0.01, 0.02)),
        (confusions, {arm: rng.integers(0, 90, (10, 10)) for arm in arms}, 2, digits),
        (reliability, BINS),
        (
            learning_curves,
            {arm: np.array([1, 2]) for arm in arms},
            {arm: rng.random((3, 2)) for arm in arms},
            {arm: rng.random((3, 2)) for arm in arms},
        ),
        (pretraining, {"loss": rng.random((2, 4)), "held_out": rng.random((2, 4))}),
        (noise_levels, [0.0, 0.5], {kind: [20.5, 19.5] for kind in ("noisy", "denoised", "linear", "pca")}, 0.5),
        (
            maps,
            {"ae_code": rng.random((20, 2)), "pca_code": rng.random((20, 2))},
            np.arange(20) % 10,
            digits,
            {"ae_code": kept, "pca_code": kept},
        ),
        (samples, dict.fromkeys(("real", "variational", "plain", "gaussian"), images)),
        (compression, dict.fromkeys(("original", "by_autoencoder", "by_pca"), images), 1000),
        (anomalies, {str(c): 0.45 + c / 20 for c in range(10)}, {str(c): 0.5 for c in range(10)}, digits),
        (copies, dict.fromkeys(("input", "copying", "denoising"), images), 1568),
        (code_sizes, [2, 1568], [images, images], images),
        (
            sweep,
            sweep_rows,
            {"linear": spread(0.8), "neighbours": spread(0.7)},
            {"code": 512, "test": spread(30.5)},
            784,
        ),
        (search, TUNE),
        (label_curve, LABEL_CURVE, LABEL_ROWS, 0.005, {"n_labels": 100, "extra": 50}),
        (pushed, PUSHED),
        (noise_curve, NOISE_CURVE, 0.005),
    ]
    return {draw.__name__: (draw, arguments) for draw, *arguments in calls}


@pytest.fixture(scope="session")
def sample(tmp_path_factory, example_figures) -> Path:
    """The folder of the small report, with its pages: report.html, and mailed.html, which knows its repository."""
    folder = tmp_path_factory.mktemp("sample")
    rng = np.random.default_rng(0)
    figures = {
        "evaluate/paired": "paired_accuracies",
        "evaluate/pretraining": "pretraining",
        "reconstruct/reconstruction": "reconstructions",
    }
    for path, name in figures.items():
        draw, arguments = example_figures[name]
        save_figure(str(folder / "figures" / path), draw, *arguments)
    save_image(str(folder / "figures" / "strips.webp"), rng.random((12 * 28, 280)))
    files = sorted(file.relative_to(folder).as_posix() for file in (folder / "figures").rglob("*.svg"))
    made = {"stage": "evaluate", "md5": "0123456789abcdef", "params": ["seed"]}
    texts = {}
    for language in LANGUAGES:
        (folder / f"{language}.md.j2").write_text(HEAD + TEMPLATES[language])
        texts[language] = render(folder, language, {"sources": dict.fromkeys([*files, "replicates.csv"], made)})
    (folder / "report.html").write_text(page(texts, folder, LINKS, SLIDER))
    (folder / "mailed.html").write_text(page(texts, folder, LINKS, SLIDER, "https://example.org/who/what"))
    return folder
