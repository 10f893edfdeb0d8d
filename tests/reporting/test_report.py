import copy
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from reporting.common.numbers import number
from reporting.pages.markdown import render as render_template
from reporting.report.facts import collect
from stages import report
from stages.common.params import DATASETS, load_params

SENTENCES = {
    "better": ("**With pre-training the network is better**", "**Com o pré-treinamento a rede é melhor**"),
    "worse": ("**With pre-training the network is worse**", "**Com o pré-treinamento a rede é pior**"),
    "equivalent": ("makes no practical difference**", "não há diferença prática**"),
    "inconclusive": ("does not tell whether", "não permite dizer se"),
}


def render(language, facts) -> str:
    return render_template(report.TEMPLATES, language, facts)


@pytest.fixture
def committed(root, mnist, monkeypatch) -> dict:
    """The committed results, as the stage loads them."""
    monkeypatch.chdir(root)
    arrays = mnist | {"draws": np.arange(1500).reshape(3, 500)}
    monkeypatch.setattr(report, "load_array", lambda path: arrays[Path(path).stem])
    return report.load(load_params())


# what the expected words below rest on, whatever is committed
USUAL = {"dataset": "mnist", "n_labels": 500, "corruption": "masking", "noise": 0.5, "replicates": 20}


@pytest.fixture
def facts(committed):
    """The facts of the committed results but for another verdict, difference, noise, or other parameters.

    `change` is given the results as they are loaded, and may change more of them.
    """

    def make(change=lambda found: None, verdict="better", mean=0.021, low=0.011, high=0.031, noisy=10.25, **changes):
        found = copy.deepcopy(committed)
        params = load_params()
        for key, value in (USUAL | changes).items():
            section, _, name = key.rpartition(".")
            new = {section: getattr(params, section).model_copy(update={name: value})} if section else {key: value}
            params = params.model_copy(update=new)
        found["dataset"] = DATASETS[params.dataset]
        found["images"] = found["dataset"]["title"]
        found["evaluation"] |= {"verdict": verdict, "beyond_margin": True}
        difference = {"mean": mean, "low": low, "high": high, "two_way_low": low, "two_way_high": high}
        found["evaluation"]["difference"]["accuracy"] |= difference
        found["reconstruction"]["psnr"] |= {"noisy": noisy, "denoised": 20.0, "linear": 17.0}
        found["layers"].loc[found["layers"]["dae"] != "untrained", "linear"] += found["layers"]["layer"]
        change(found)
        return collect(params, found)

    return make


@pytest.mark.parametrize("verdict", SENTENCES)
@pytest.mark.parametrize("language", ["en", "pt"])
def test_the_verdict_is_one_quoted_sentence(facts, verdict, language):
    quoted = [line for line in render(language, facts(verdict=verdict)).splitlines() if line.startswith("> ")]
    assert len(quoted) == 1
    assert SENTENCES[verdict][language == "pt"] in quoted[0]
    others = [sentence[language == "pt"] for name, sentence in SENTENCES.items() if name != verdict]
    assert not any(sentence in quoted[0] for sentence in others)


@pytest.mark.parametrize("verdict", SENTENCES)
def test_both_languages_have_the_same_content(facts, verdict, assert_equal_content):
    assert_equal_content(render("en", facts(verdict=verdict)), render("pt", facts(verdict=verdict)), numbers=180)


@pytest.mark.parametrize(
    ("language", "claims"),
    [
        ("en", ["Training can be worse than none", "may look more normal"]),
        ("pt", ["Treinar pode ser pior que não treinar", "mais normal que o normal"]),
    ],
)
def test_what_the_discussion_says_of_the_theory_follows_its_evidence(facts, language, claims):
    def evidence(linear, auroc):
        def change(found):
            found["theory"]["untrained"]["linear"] = dict.fromkeys(("mean", "low", "high"), linear)
            found["theory"]["auroc"] = dict.fromkeys(found["theory"]["auroc"], auroc)

        return change

    text, other = (render(language, facts(evidence(*values))) for values in ((0.99, 0.25), (0.1, 0.75)))
    for claim in claims:
        assert claim in text
        assert claim not in other


def known(found) -> None:
    """Let arms and intervals all have other numbers, so that none can stand in another's place."""
    evaluation = found["evaluation"]
    for arm, mean, std in (("with", 0.9, 0.01), ("without", 0.8, 0.02)):
        evaluation[arm]["accuracy"] |= {"mean": mean, "std": std}
        evaluation[arm]["error"]["mean"] = 1 - mean
        evaluation[arm]["log_loss"] |= {"mean": mean / 2, "std": std / 2}
    evaluation["difference"]["accuracy"] |= {
        "mean": 0.1,
        "low": 0.09,
        "high": 0.11,
        "two_way_low": 0.08,
        "two_way_high": 0.12,
        "p_value": 0.0123,
        "effect_size": 2.5,
        "win_probability": 0.875,
        "smallest": 0.0023,
    }
    evaluation["difference"]["log_loss"] |= {"mean": -0.05, "low": -0.06, "high": -0.04}
    for source, deviation, low in (
        ("label_draw", 0.003, 0.001),
        ("dae", 0.001, 0.0),
        ("seed", 0.004, 0.002),
        ("test_images", 0.002, 0.001),
        ("images_by_run", 0.0, 0.0),
    ):
        evaluation["spread"][source] = {"deviation": deviation, "low": low, "high": 0.005}
    evaluation["spread"]["total"] = {"deviation": 0.00548}
    for arm, error, loss in (("with", 0.01, 0.3), ("without", 0.02, 0.35)):
        evaluation[arm]["calibration_error"]["mean"] = 10 * error
        evaluation["calibrated"][arm] = {"temperature": 100 * error, "calibration_error": error, "log_loss": loss}
    evaluation["beyond_margin"] = True
    evaluation["confusions"] = {
        "rarer": [{"true": 4, "predicted": 9, "images": -21.25}],
        "commoner": [{"true": 3, "predicted": 5, "images": 4.6}],
    }


QUOTES = {
    "better": ("a gain of +10.00 percentage points", "um ganho de +10,00 pontos percentuais"),
    "worse": ("a change of +10.00 percentage points", "uma mudança de +10,00 pontos percentuais"),
    "equivalent": ("a change of +10.00 percentage points", "uma mudança de +10,00 pontos percentuais"),
    "inconclusive": ("a change of +10.00 percentage points", "uma mudança de +10,00 pontos percentuais"),
}
DISCUSSIONS = {
    "better": (
        "**With or without?** With. The gain of +10.00 points removes 50% of the baseline's errors; pre-training won "
        "in 17 of 20 replicates. The whole interval lies beyond the margin of ±0.5 points",
        "**Com ou sem?** Com. O ganho de +10,00 pontos elimina 50% dos erros da referência; o pré-treinamento venceu "
        "em 17 de 20 réplicas. Todo o intervalo está além da margem de ±0,5 ponto",
    ),
    "worse": (
        "**With or without?** Without. Pre-training costs −10.00 points of accuracy at this setting; it won in "
        "17 of 20 replicates.",
        "**Com ou sem?** Sem. O pré-treinamento custa −10,00 pontos de acurácia nesta configuração; venceu em "
        "17 de 20 réplicas.",
    ),
    "equivalent": (
        "**With or without?** Either. The difference lies within the margin of ±0.5 points",
        "**Com ou sem?** Tanto faz. A diferença fica dentro da margem de ±0,5 ponto",
    ),
    "inconclusive": (
        "**With or without?** This experiment cannot tell: the interval of the difference contains 0 and reaches "
        "beyond the margin of ±0.5 points. More replicates would narrow it.",
        "**Com ou sem?** Este experimento não permite dizer: o intervalo da diferença contém 0 e ultrapassa a margem "
        "de ±0,5 ponto. Mais réplicas o estreitariam.",
    ),
}


@pytest.mark.parametrize("verdict", SENTENCES)
def test_the_verdict_is_told_and_discussed_with_its_own_numbers(facts, verdict):
    """Pre-training 90%, without it 80%; the interval is the one that the verdict rests on."""
    changed = facts(known, verdict=verdict) | {"wins": 17}
    english, portuguese = render("en", changed), render("pt", changed)
    assert (
        f"90.00% accuracy on the MNIST test set against 80.00%, {QUOTES[verdict][0]} "
        "(95% interval +8.00 to +12.00).\n" in english
    )
    assert f"{QUOTES[verdict][1]} (intervalo de 95%: +8,00 a +12,00).\n" in portuguese
    assert re.search(r"(?m)^> .*90,00% .*80,00%,", portuguese)
    for text, discussion in zip((english, portuguese), DISCUSSIONS[verdict], strict=True):
        assert discussion in text


def test_the_tables_have_each_number_in_its_own_cell(facts):
    changed = facts(known)
    english, portuguese = render("en", changed), render("pt", changed)
    rows = [
        "| accuracy (%) ↑ | 90.00 ± 1.00 | 80.00 ± 2.00 | +10.00 (+9.00 to +11.00) |",
        "| log loss (nats) ↓ | 0.450 ± 0.005 | 0.400 ± 0.010 | −0.050 (−0.060 to −0.040) |",
        "| p value (no difference; Wilcoxon's signed-rank test, exact) | 0.012 |",
        "| smallest difference that so many replicates find in 80% of cases (t test) | 0.23 points |",
        "| probability that pre-training wins on a new draw of labels | 87.5% |",
        "| draw of the labelled images | 0.30 | 0.10 to 0.50 | 30% |",
        "| the classifier's seed: initial weights, batches, dropout, masking | 0.40 | 0.20 to 0.50 | 53% |",
        "| choice of the test images | 0.20 | 0.10 to 0.50 | 13% |",
    ]
    for row in rows:
        assert f"\n{row}\n" in english, row
        cells = row.split(" | ", 1)[1].translate(str.maketrans(",.", ".,"))
        cells = cells.replace(" to ", " a ").replace("points", "pontos").replace("0,23 pontos", "0,23 ponto")
        assert f" | {cells}\n" in portuguese, row
    for text, words in ((english, "not told apart from 0"), (portuguese, "não se distingue de 0")):
        assert f"0{'.' if text is english else ','}10 | 0" in text
        assert text.count(f"| {words} |") == 2


def test_calibration_and_confusions_are_told_with_their_numbers(facts):
    english, portuguese = (render(language, facts(known)) for language in ("en", "pt"))
    assert "a calibration error of 10.0 (with) and 20.0% (without)" in english
    assert "(1.00 and 2.00), leaves 1.0 and 2.0%; the log loss goes from 0.450 to 0.300 and from 0.400" in english
    assert "rarer: 4 taken for 9 (−21.3). These become more common: 3 taken for 5 (+4.6)." in english
    assert "um erro de calibração de 10,0 (com) e 20,0% (sem)" in portuguese
    assert "mais raras: 4 tomado por 9 (−21,3). Estas ficam mais comuns: 3 tomado por 5 (+4,6)." in portuguese


@pytest.mark.parametrize(("probability", "english"), [(0.9994, "99.9%"), (0.9996, "> 99.9%"), (1.0, "> 99.9%")])
def test_no_win_is_said_to_be_certain(facts, probability, english):
    changed = facts(lambda found: found["evaluation"]["difference"]["accuracy"].update(win_probability=probability))
    for language, mark in (("en", "."), ("pt", ",")):
        assert f" | {english.replace('.', mark)} |\n" in render(language, changed)


METHODS = pd.DataFrame(
    [
        ("mnist", 500, "pushed", 0.0625, 0.05, 0.075, 6, 1.5),
        ("mnist", 100, "pushed", 0.123, 0.1, 0.15, 3, 1.5),
        ("mnist", 500, "ladder", 0.0125, 0.01, 0.015, 6, 10.0),
        ("mnist", 500, "without", None, None, None, None, 0.4),
        ("mnist", 500, "with", None, None, None, None, 0.3),
        ("mnist", 500, "dae", None, None, None, None, 2.5),
    ],
    columns=["dataset", "n_labels", "arm", "error", "low", "high", "draws", "minutes"],
)


def test_the_table_of_methods_has_those_with_as_many_labels_of_the_same_data(facts):
    told = {
        "en": (
            "| pre-training, pushed | 500 | 6.25 (5.00 to 7.50) | 6 | 1.5 |",
            "with more of everything",
            "| 20 | 0.4 |\n| **with pre-training**",
            "| 20 | 0.3 |\n| pre-training, pushed",
            "(here 2.5 minutes each)",
        ),
        "pt": (
            "| pré-treinamento ao máximo | 500 | 6,25 (5,00 a 7,50) | 6 | 1,5 |",
            "com mais de tudo",
            "| 20 | 0,4 |\n| **com pré-treinamento**",
            "| 20 | 0,3 |\n| pré-treinamento ao máximo",
            "(aqui, 2,5 minutos cada um)",
        ),
    }
    for language, phrases in told.items():
        both = render(language, facts(lambda found: found.update(methods=METHODS)))
        one = render(language, facts(lambda found: found.update(methods=METHODS[METHODS["arm"] == "ladder"])))
        elsewhere = render(language, facts(lambda found: found.update(methods=METHODS), dataset="fashion_mnist"))
        for phrase in phrases:
            assert phrase in both
            assert phrase not in one
            assert phrase not in elsewhere
        assert number(language, 12.3, 2) not in both
        assert f"{number(language, 1.25, 2)} (" in one
        assert f"{number(language, 1.25, 2)} (" not in elsewhere


OTHERWISE = [
    (
        lambda found: found["evaluation"]["difference"]["accuracy"].update(p_value=0.4),
        "| p value (no difference; Wilcoxon's signed-rank test, exact) | 0.400 |",
        "| valor-p (nenhuma diferença; teste exato dos postos sinalizados de Wilcoxon) | 0,400 |",
    ),
    (
        lambda found: found["evaluation"].update(beyond_margin=False),
        "The interval reaches below the margin of 0.5 points: that pre-training helps is sure by the rule",
        "O intervalo chega abaixo da margem de 0,5 ponto: que o pré-treinamento ajuda é certo pela regra",
    ),
    (
        lambda found: found["reconstruction"]["psnr"].update(linear=99.0),
        "dB worse. PCA",
        "dB pior. A PCA",
    ),
    (
        lambda found: found["layers"].__setitem__("linear", 0.5),
        "serve a linear probe no better than the pixels do, and no better than",
        "servem a uma sonda linear não melhor que os pixels, e não melhor que",
    ),
    (
        lambda found: found["reconstruction"]["psnr"].update(noisy=25.0),
        "\nNo. On test images",
        "\nNão. Em imagens de teste",
    ),
    (
        lambda found: found["reconstruction"]["psnr"].update(noisy=None),
        "Without noise (`noise` is 0) the dAE is a plain autoencoder",
        "Sem ruído (`noise` é 0) o dAE é um autoencoder comum",
    ),
]


@pytest.mark.parametrize(("change", "english", "portuguese"), OTHERWISE)
def test_other_results_are_told_in_other_words(facts, change, english, portuguese):
    usual, changed = facts(), facts(change)
    for language, phrase in (("en", english), ("pt", portuguese)):
        assert phrase not in render(language, usual)
        assert phrase in render(language, changed)


OTHER_PARAMETERS = [
    (
        {"pretrain.models": 1},
        ["all share one dAE", "so far as 1 dAE shows it"],
        ["todas compartilham um só dAE", "1 dAE a mostra"],
    ),
    (
        {"pretrain.tied": True},
        ["mirror image, tied weights; sigmoid outputs | fewer parameters", "switches it on (as in this run)"],
        ["com pesos amarrados; saídas sigmoides | menos parâmetros", "a liga (como nesta execução)"],
    ),
    (
        {"corruption": "gaussian"},
        ["Gaussian noise, 0.50 (standard deviation)"],
        ["ruído do tipo gaussiano, 0,50 (desvio padrão)"],
    ),
    (
        {"corruption": "salt_and_pepper"},
        ["salt and pepper noise, 0.50 (fraction of the pixels)"],
        ["ruído do tipo sal e pimenta, 0,50 (fração dos pixels)"],
    ),
    ({"split.stratified": True}, ["500 of every class alike"], ["500, tantas de cada classe"]),
    (
        {"network.units": [1000]},
        ["1,000 units for 784 pixels: it is overcomplete"],
        ["1.000 unidades para 784 pixels: é supercompleto"],
    ),
]


@pytest.mark.parametrize(("changes", "english", "portuguese"), OTHER_PARAMETERS)
def test_other_parameters_are_told_in_other_words(facts, changes, english, portuguese):
    changed = facts(**changes)
    for language, phrases in (("en", english), ("pt", portuguese)):
        text = render(language, changed)
        assert all(phrase in text for phrase in phrases)


@pytest.mark.parametrize(("language", "claim"), [("en", "each layer narrows"), ("pt", "cada camada se estreita")])
def test_layers_are_said_to_narrow_where_all_do(facts, language, claim):
    assert claim in render(language, facts())
    for units in ([1000, 10], [700, 10, 10]):
        assert claim not in render(language, facts(**{"network.units": units}))


@pytest.mark.parametrize("language", ["en", "pt"])
def test_many_labels_and_another_data_set_change_the_words(facts, language):
    text = render(language, facts(n_labels=20_000, dataset="fashion_mnist", verdict="equivalent"))
    assert ("so few images" if language == "en" else "tão poucas imagens") not in text
    assert ("most are near 0 or 1" if language == "en" else "a maioria perto de 0 ou de 1") not in text
    # of MNIST are the settings' search and what the studies found
    for sentence in re.findall(r"[^.|;]*(?<!-)\bMNIST\b[^.|;]*", text.replace("MNIST** 2", "")):
        assert re.search(
            r"search|settings|draws|labelled images|busc|configura|sorteios|rotuladas|`tune`|repro -P", sentence
        ), sentence


@pytest.mark.parametrize("language", ["en", "pt"])
def test_one_replicate_and_no_noise_give_a_report_without_gaps(facts, language):
    text = render(language, facts(verdict="inconclusive", low=None, high=None, noisy=None, replicates=1))
    assert "None" not in text
    assert "nan" not in text
    for words in {
        "en": ("(no interval from a single replicate)", "a single replicate shows no spread; run more."),
        "pt": ("(sem intervalo, pois há uma única réplica)", "uma única réplica não mostra dispersão; execute mais."),
    }[language]:
        assert words in text


@pytest.mark.parametrize("language", ["en", "pt"])
def test_tables_have_as_many_cells_in_every_row(facts, language):
    for table in re.findall(r"(?m)(?:^\|.*\n)+", render(language, facts())):
        rows = table.splitlines()
        assert len(rows) > 2
        assert len({row.replace(r"\|", "").count("|") for row in rows}) == 1


def test_numbers_are_written_as_the_language_does():
    assert number("en", 60000.5, 1) == "60,000.5"
    assert number("pt", 60000.5, 1) == "60.000,5"
    assert number("en", -0.021, 2, "+") == "−0.02"
    assert number("pt", None) == "–"
    with pytest.raises(ValueError, match="no words in the language 'de'; there are in en, pt"):
        number("de", 1)


@pytest.mark.parametrize("language", ["en", "pt"])
def test_figures_are_numbered_in_their_order_and_referred_to_by_these_numbers(facts, language):
    text = render(language, facts())
    word = {"en": "Figure", "pt": "Figura"}[language]
    path = rf"\]\(figures/(\w+/\w+)(?:\.a)?\.{language}\.\w+\)"
    paths = re.findall(rf"(?m)^!\[.+?{path}", text)
    captions = re.findall(rf"(?m)^\*{word} (\d+)\. .*{path}", text)
    assert captions == [(str(number), path) for number, path in enumerate(paths, start=1)]
    assert "{fig" not in text
    worst = paths.index("reconstruct/reconstruction") + 1, paths.index("reconstruct/code_units") + 1
    assert {"en": "(Figures {} to {})", "pt": "(Figuras {} a {})"}[language].format(*worst) in text


def test_a_metric_without_words_is_called_by_its_name(facts):
    def add(found):
        found["evaluation"]["difference"]["top_2"] = {"mean": 0.125, "low": 0.0625, "high": 0.25}
        for arm in ("with", "without"):
            found["evaluation"][arm]["top_2"] = {"mean": 0.5, "std": 0.25}

    for language, mark in (("en", "."), ("pt", ",")):
        row = f"| top_2 | 0{mark}5000 ± 0{mark}2500 | 0{mark}5000 ± 0{mark}2500 | +0{mark}1250 "
        assert row in render(language, facts(add))
