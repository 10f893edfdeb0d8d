"""The theory exercises: which sentence each result calls for, and a listing that runs as it stands in the report."""

import copy
import math
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from dae.core.training import set_up_tensorflow
from reporting.common.words import LANGUAGES
from reporting.pages.markdown import render as render_template
from reporting.report import exercises
from reporting.report.facts import collect
from stages import report
from stages.common.params import load_params

set_up_tensorflow()  # as other tests of the same process do


def spread(mean, width=0.0):
    return {"mean": mean, "low": mean - width, "high": mean + width}


def network(test, train, linear, neighbours):
    return {
        "train": spread(train, 0.125),
        "test": spread(test, 0.125),
        "linear": spread(linear, 0.0625),
        "neighbours": spread(neighbours, 0.0625),
    }


def trained(images, tied, train, test):
    return {
        "images": images,
        "tied": tied,
        "parameters": 300 if tied else 500,
        "train": spread(train, train / 8),
        "test": spread(test, test / 8),
    }


USUAL = {
    "steps": 12,
    "draws": 5,
    "neighbours": 5,
    "mapped": 40,
    "anomaly_units": [128, 16],
    "map": {
        "ae_code": {"trustworthiness": 0.875, "neighbours": spread(0.75, 0.0625)},
        "pca_code": {"trustworthiness": 0.75, "neighbours": spread(0.5, 0.0625)},
    },
    "auroc": {"0": 0.9375, "1": 0.25, "2": 0.8125},
    "auroc_by_ink": {"0": 0.5, "1": 0.75, "2": 0.625},
    "compression": {"bytes": 10, "lossless": 184, "psnr": 18.75, "pca": 14.5},
    "samples": {
        "classifier": 0.9875,
        "sure": 0.95,
        "images": 5000,
        "features": 128,
        "sets": {
            "real": {"sure": 0.9625, "frechet": 4.0},
            "variational": {"sure": 0.4625, "frechet": 90.0},
            "plain": {"sure": 0.3625, "frechet": 110.0},
            "gaussian": {"sure": 0.2625, "frechet": 500.0},
        },
    },
    "pixels": {"linear": spread(0.5, 0.0625), "neighbours": spread(0.5, 0.0625)},
    "untrained": network(6.0, 6.0, 0.8125, 0.5),
    "pairs": {"all": 15, "denoising": 14, "untrained": 13},
    "queries": 100,
    "strange": {
        "copying": {"masked": 22.0, "restored": 14.0, "upside_down": 26.0, "noise": 7.0},
        "denoising": {"masked": 13.0, "restored": 19.0, "upside_down": 18.0, "noise": 8.0},
    },
    "sweep": [
        {
            "code": 2,
            "no_noise": network(12.0, 12.25, 0.25, 0.5),
            "with_noise": network(12.0, 12.25, 0.25, 0.5),
            "pca": network(11.0, 11.0, 0.25, 0.5),
        },
        {
            "code": 300,
            "no_noise": network(24.0, 24.5, 0.5, 0.5),
            "with_noise": network(20.0, 20.0, 0.6875, 0.5),
            "pca": network(40.0, 40.0, 0.3125, 0.5),
        },
        {
            "code": 1500,
            "no_noise": network(28.0, 28.25, 0.625, 0.5),
            "with_noise": network(20.0, 20.0, 0.8125, 0.75),
            "pca": None,
        },
    ],
    "linear": {"code": 300, "train": spread(33.0, 0.5), "test": spread(32.0, 0.5)},
    "tied": [
        trained(20000, False, 0.008, 0.008),
        trained(20000, True, 0.004, 0.004),
        trained(1000, False, 0.002, 0.016),
        trained(1000, True, 0.001, 0.0108),
    ],
    "overtaken": {"many": spread(0.625, 0.125), "few": None},
}


def changed(*changes) -> dict:
    """The usual evidence with other values at these places; a place is a list of keys, the value its last item."""
    theory = copy.deepcopy(USUAL)
    for *places, key, value in changes:
        target = theory
        for place in places:
            target = target[place]
        target[key] = value
    return theory


@pytest.fixture
def params(root):
    params = load_params(root / "params.yaml")
    network = params.network.model_copy(update={"units": [3, 2]})
    return params.model_copy(update={"network": network, "n_labels": 500})


@pytest.fixture
def says(params):
    """What a result calls for, from changes of the usual evidence or of the gain."""

    def find(*changes, gain=0.01, **updates):
        changed_params = params.model_copy(update=updates)
        found = exercises.facts(changed_params, changed(*changes), 4) | {"difference": {"mean": gain}, "n_pixels": 4}
        return exercises.says(changed_params, found)

    return find


def test_facts_worked_out_by_hand(params):
    facts = exercises.facts(params, USUAL, 4)
    # 4 pixels to 3 units to 2: 4 * 3 + 3 * 2 = 18 weights, 3 + 2 biases up and 3 + 4 down
    assert facts["n_parameters"] == {"tied": 30, "untied": 48}
    assert facts["n_multiplications"] == 36
    assert facts["n_overcomplete"] == 1500
    assert (facts["copying"]["psnr"], facts["copying"]["probe"]) == (28.0, 0.625)
    assert (facts["denoising"]["psnr"], facts["denoising"]["probe"]) == (20.0, 0.8125)
    assert facts["untrained"]["probe"] == 0.8125
    assert [facts[name]["code"] for name in ("smallest", "largest", "widest_narrow", "best_code")] == [
        2,
        1500,
        300,
        1500,
    ]
    assert facts["gaps"] == {"code": 300, "largest": 0.5}
    assert (facts["easiest"], facts["hardest"]) == (("0", 0.9375), ("1", 0.25))
    assert facts["mean_auroc"] == pytest.approx(2 / 3)
    assert facts["n_probed"] == 500
    # even grey against uniform noise: the mean of (x - 1/2) ** 2 over [0, 1]
    x = (np.arange(100_000) + 0.5) / 100_000
    assert facts["grey"] == pytest.approx(-10 * math.log10(np.mean((x - 0.5) ** 2)), abs=1e-6)


def test_no_probe_sees_more_than_2000_images(params):
    assert exercises.facts(params.model_copy(update={"n_labels": 3000}), USUAL, 4)["n_probed"] == 2000


def test_a_tied_and_an_untied_network_have_as_many_parameters_as_keras_counts():
    from dae.core.networks import build_autoencoder

    for tied in (True, False):
        model = build_autoencoder(7, [5, 3, 2], tied)
        assert model.count_params() == exercises.n_parameters([7, 5, 3, 2])["tied" if tied else "untied"]


@pytest.mark.parametrize(
    ("name", "usual", "change"),
    [
        ("map_beats_pca", True, ["map", "ae_code", "trustworthiness", 0.5]),
        ("map_beats_pca", True, ["map", "ae_code", "neighbours", spread(0.5625, 0.0625)]),
        ("variational_is_closer", True, ["samples", "sets", "variational", "frechet", 120.0]),
        ("variational_is_surer", True, ["samples", "sets", "variational", "sure", 0.3]),
        ("sure_of_none", False, ["samples", "sets", "real", "sure", 0.0]),
        ("far_from_floor", True, ["samples", "sets", "variational", "sure", 0.5]),
        ("far_from_floor", True, ["samples", "sets", "plain", "frechet", 7.0]),
        ("gaussian_is_furthest", True, ["samples", "sets", "gaussian", "frechet", 100.0]),
        ("anomaly_looks_normal", True, ["auroc", "1", 0.5]),
        ("ink_explains", True, ["auroc", "1", 0.75]),
        ("ink_explains", True, ["auroc_by_ink", "1", 0.375]),
        ("compression_beats_pca", True, ["compression", "psnr", 14.0]),
        ("copying_spoils", True, ["sweep", -1, "with_noise", "linear", spread(0.6875, 0.0625)]),
        ("copying_spoils", True, ["sweep", -1, "with_noise", "test", spread(28.0)]),
        ("copying_spoils_neighbours", True, ["sweep", -1, "with_noise", "neighbours", spread(0.5)]),
        ("untrained_beats_pixels", True, ["pixels", "linear", spread(0.75)]),
        ("training_hurts", True, ["untrained", "linear", spread(0.5)]),
        ("copying_improves", False, ["untrained", "linear", spread(0.5)]),
        ("copying_returns_holes", True, ["strange", "copying", "masked", 13.0]),
        ("denoising_fills_holes", True, ["strange", "denoising", "restored", 12.5]),
        ("denoising_fills_holes", True, ["strange", "copying", "restored", 19.5]),
        ("copying_returns_noise", False, ["strange", "copying", "noise", 10.8]),
        ("neighbours_see_more", True, ["sweep", 0, "no_noise", "neighbours", spread(0.3125)]),
        ("pca_beats_narrowest", False, ["sweep", 0, "pca", network(13.0, 13.0, 0.25, 0.75)]),
        ("widest_is_best", True, ["sweep", 1, "no_noise", "linear", spread(0.75)]),
        ("noise_helps_widest", True, ["sweep", -1, "with_noise", "linear", spread(0.6875)]),
        ("noise_helps_narrowest", False, ["sweep", 0, "with_noise", "linear", spread(0.375)]),
        ("noise_costs_decibels", True, ["sweep", -1, "with_noise", "test", spread(28.0)]),
        ("learnt_by_heart", False, ["sweep", 1, "no_noise", "train", spread(25.25)]),
        ("pca_is_closer", True, ["sweep", 1, "pca", "test", spread(24.0)]),
        ("pca_code_is_worse", True, ["sweep", 1, "pca", "linear", spread(0.4375)]),
        ("linear_falls_short", True, ["linear", "test", spread(39.75, 0.5)]),
        ("tying_helps_many", True, ["tied", 1, "test", spread(0.007, 0.0005)]),
        ("tying_hurts_many", False, ["tied", 1, "test", spread(0.0095, 0.0001)]),
        ("tying_fits_many", True, ["tied", 1, "train", spread(0.007, 0.0005)]),
        ("tying_helps_few", True, ["tied", 3, "test", spread(0.0145, 0.0005)]),
        ("tying_hurts_few", False, ["tied", 3, "test", spread(0.0190, 0.0005)]),
        ("tied_overfits", True, ["tied", 3, "train", spread(0.0108)]),
        ("tied_overfits_more", True, ["tied", 3, "train", spread(0.0015)]),
        ("tied_overfits_less", False, ["tied", 3, "train", spread(0.0018)]),
        ("free_overfits", True, ["tied", 2, "train", spread(0.009)]),
        ("overtakes", True, ["overtaken", "many", None]),
    ],
)
def test_which_way_each_result_went(says, name, usual, change):
    assert says()[name] is usual
    assert says(change)[name] is not usual


def test_what_follows_from_the_gain_and_the_parameters(says, params):
    assert [says(gain=gain)["gains"] for gain in (0.01, -0.01)] == [True, False]
    assert [says(gain=gain)["below_two"] for gain in (0.0199, 0.02, -0.02)] == [True, False, False]
    slow, fast = (params.finetune.model_copy(update={"learning_rate": rate}) for rate in (0.001, 0.01))
    assert says(finetune=slow, baseline=fast)["small_rate"]
    assert not says(finetune=fast, baseline=fast)["small_rate"]
    assert says()["undercomplete"]
    assert not says(network=params.network.model_copy(update={"units": [3, 4]}))["undercomplete"]


@pytest.fixture
def texts(root, mnist, monkeypatch):
    """Both reports with the usual evidence for the exercises, or with a changed one."""
    monkeypatch.chdir(root)
    monkeypatch.setattr(report, "load_array", lambda path: mnist[Path(path).stem] if "draws" not in path else DRAWS)
    found = report.load(load_params())
    found["evaluation"]["difference"]["accuracy"]["mean"] = 0.0125

    def make(*changes, departures=found["departures"]):
        params = load_params()
        facts = collect(params, found | {"theory": changed(*changes), "departures": departures})
        return {language: render_template(report.TEMPLATES, language, facts) for language in LANGUAGES}

    return make


DRAWS = np.arange(20 * 500).reshape(20, 500)
DEPARTURES = pd.DataFrame(
    [
        ("mnist", 500, "freezing_first", 0.01, -0.01, 0.03),
        ("mnist", 500, "freezing", -0.08, -0.09, -0.07),
        ("mnist", 500, "one_draw_with", -0.02, -0.03, -0.01),
    ],
    columns=["dataset", "n_labels", "contrast", "mean", "low", "high"],
)


def test_each_exercise_has_question_answer_evidence_and_its_limits_in_both_languages(texts, assert_equal_content):
    found = texts()
    assert_equal_content(found["en"], found["pt"], numbers=250)
    limits = {"en": "**What this does not show.**", "pt": "**O que isto não mostra.**"}
    set_up = {"en": r"(?m)^\*(Set-up|Evidence)", "pt": r"(?m)^\*(Configuração|Evidência)"}
    for language, text in found.items():
        parts = re.split(r"(?m)^### (?:Exercise|Exercício) (\d)\. .*\n", text)
        assert parts[1::2] == ["1", "2", "3", "4", "5"]
        for part in parts[2::2]:
            question, answer = part.strip().split("\n\n")[:2]
            assert question.startswith("*")
            assert question.endswith("?*")
            assert answer.startswith("**")
            assert answer.endswith("**")
            assert limits[language] in part
            assert re.search(set_up[language], part)


def test_the_questions_are_those_of_the_sheet(texts):
    text = texts()["pt"]
    for question in (
        "Quais são as principais tarefas que os diferentes tipos de Autoencoders (AEs) podem ser aplicados?",
        "dataset com uma grande quantidade de dados não-rotulados e algumas centenas de exemplos rotulados. Como os "
        "Autoencoders podem ajudar? Como você procederia?",
        "Se um Autoencoder reconstrói perfeitamente um conjunto de entradas, ele é necessariamente um bom AE? Como "
        "você pode avaliar o desempenho de um AE?",
        "O que são AEs subcompletos e supercompletos? Qual é o risco de um AE excessivamente subcompleto? E quais os "
        "riscos de se ter um AE supercompleto?",
        'Como se "amarram" os pesos em um Stacked Autoencoder (SAE)? Quais são os motivos de se realizar tal '
        "abordagem?",
    ):
        assert f"{question}*\n" in text


def test_the_cost_of_a_departure_is_told_where_the_controls_know_it(texts):
    known = texts(departures=DEPARTURES)
    unknown = texts(departures=DEPARTURES[:0])
    for language, told in {
        "en": (
            "freezing first changes the accuracy by +1.00 (−1.00 to +3.00) points, freezing for good by −8.00 (",
            "choosing by one draw changes the accuracy by −2.00 (−3.00 to −1.00) points",
        ),
        "pt": (
            "congelar primeiro muda a acurácia em +1,00 (−1,00 a +3,00) pontos, congelar até o fim em −8,00 (",
            "escolher por um sorteio muda a acurácia em −2,00 (−3,00 a −1,00) pontos",
        ),
    }.items():
        for phrase in told:
            assert phrase in known[language]
            assert phrase not in unknown[language]


OTHERWISE = [
    (["map", "ae_code", "trustworthiness", 0.5], "does not keep classes and", "não mantém classes e"),
    (["samples", "sets", "variational", "frechet", 120.0], "they are not closer", "estão não mais perto"),
    (["samples", "sets", "real", "sure", 0.0], "sure of no test image either", "tampouco tem certeza de alguma"),
    (["samples", "sets", "variational", "sure", 0.3], "is not more often sure of", "tem certeza não mais vezes"),
    (["samples", "sets", "gaussian", "frechet", 100.0], "are not the furthest", "não são as mais distantes"),
    (["auroc", "1", 0.5], "class 1 worst (0.50).*", "a classe 1 a menos (0,50).*"),
    (["auroc_by_ink", "1", 0.375], "not a matter of their ink", "não se deve à tinta"),
    (["compression", "psnr", 14.0], "code is not the better", "não linear não é o melhor"),
    (
        ["sweep", -1, "with_noise", "linear", spread(0.5)],
        "do not part as the theory has it",
        "não se separam como diz a teoria",
    ),
    (["sweep", -1, "with_noise", "neighbours", spread(0.5)], "do not confirm it", "não o confirmam"),
    (["pixels", "linear", spread(0.75)], "has no better code than the pixels", "não tem código melhor que os pixels"),
    (["untrained", "linear", spread(0.61)], "is not found to improve", "Não se constata que treinar para copiar"),
    (["strange", "copying", "masked", 13.0], "does not give the holes back", "não devolve os buracos"),
    (["strange", "denoising", "restored", 12.5], "does not fill them better", "não os preenche melhor"),
    (["strange", "copying", "noise", 10.8], "something close to the identity", "algo próximo da identidade"),
    (["strange", "copying", "noise", 10.8], "returns noise roughly", "devolve o ruído aproximadamente"),
    (
        ["sweep", 0, "pca", network(13.0, 13.0, 0.25, 0.75)],
        "So not all of the loss is the width's",
        "Portanto nem toda a perda é da largura",
    ),
    (["sweep", 1, "no_noise", "linear", spread(0.75)], "That is not the widest", "Não é o mais largo"),
    (
        ["sweep", -1, "with_noise", "linear", spread(0.6875)],
        "does not make the widest code better",
        "não torna o código mais largo melhor",
    ),
    (["sweep", 0, "with_noise", "linear", spread(0.5)], "Noise helps here too", "O ruído ajuda também aqui"),
    (["sweep", 1, "no_noise", "train", spread(26.0)], "So something is learnt by heart", "Portanto algo é decorado"),
    (["sweep", 1, "pca", "test", spread(20.0)], "no further from the images than PCA", "das imagens que a PCA"),
    (["sweep", 1, "pca", "linear", spread(0.5)], "its code serves the probe no worse", "não serve menos à sonda"),
    (["linear", "test", spread(40.0)], "and so reaches PCA", "alcança assim a PCA"),
    (["tied", 1, "train", spread(0.009)], "It is not seen here", "Não se vê aqui"),
    (["tied", 1, "test", spread(0.0095, 0.0001)], "the price of the restriction", "o preço da restrição"),
    (["tied", 1, "test", spread(0.008)], "1.00 times, within the ranges", "1,00 vez, dentro das faixas"),
    (["tied", 3, "test", spread(0.02)], "so it is no remedy here", "não há remédio aqui"),
    (["tied", 3, "train", spread(0.0018)], "overfits less", "sobreajusta menos"),
    (["tied", 3, "train", spread(0.00135)], "overfits as much", "sobreajusta o mesmo tanto"),
    (["tied", 3, "train", spread(0.0018)], "Reasons that are given for it:", "Motivos que se dão para isso:"),
    (["tied", 3, "train", spread(0.0018)], "training and test errors part less.**", "de teste se separam menos.**"),
]


@pytest.mark.parametrize(("change", "english", "portuguese"), OTHERWISE)
def test_other_results_are_told_in_other_words(texts, change, english, portuguese):
    usual, other = texts(), texts(change)
    for language, phrase in (("en", english), ("pt", portuguese)):
        assert phrase not in usual[language]
        assert phrase in other[language]


def test_what_is_no_longer_so_is_not_said(texts):
    gone = [
        (["sweep", 0, "no_noise", "neighbours", spread(0.25)], "though no lines separate it", "nenhuma reta a separe"),
        (["overtaken", "many", None], "the free one's final loss", "a perda final da livre"),
        (["untrained", "linear", spread(0.5)], "did not even improve the code", "nem sequer melhorou o código"),
        (["samples", "sets", "plain", "frechet", 7.0], "Both stay far from the floor", "As duas ficam longe do piso"),
        (["tied", 2, "train", spread(0.009)], "from few it is, see exercise 5", "com poucas, é: ver o exercício 5"),
        (
            ["tied", 2, "train", spread(0.009)],
            "units goes with a test error of",
            "unidades vem com um erro de teste de",
        ),
        (["tied", 3, "train", spread(0.0108)], "both learn by heart", "as duas decoram"),
        (["tied", 1, "train", spread(0.009)], "training comes further in", "avança mais no mesmo número"),
    ]
    usual = texts()
    for change, english, portuguese in gone:
        other = texts(change)
        for language, phrase in (("en", english), ("pt", portuguese)):
            assert phrase in usual[language]
            assert phrase not in other[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_reference_is_cited_and_each_citation_has_its_reference(texts, language):
    text = texts()[language]
    body, listed = re.split(r"(?m)^### Refer\w+\n", text)
    listed, rest = listed.split("\n## ", 1)
    body += rest
    entries = re.findall(r"(?m)^- (.+?), \*.+\*, .*?(\d{4})$", listed)
    assert len(entries) == len(re.findall(r"(?m)^- ", listed)) > 25
    known = set()
    for authors, year in entries:
        first = re.split(r", | & ", authors)[0]
        second = authors.split(" & ")[1] if re.fullmatch(r"[^,&]+ & [^,&]+", authors) else None
        name = f"{first} & {second}" if second else f"{first} et al." if re.search("[,&]", authors) else first
        known.add((name, year))
        assert re.search(rf"{re.escape(name)} \(?(\d{{4}}, )*{year}", body), (name, year)
    cited = re.findall(r"((?:van den )?[A-ZÉ][\w\-é]+(?: et al\.| & [A-Z]\w+)?) \(?((?:\d{4}, )*\d{4})\b", body)
    people = {name.split()[0] for name, _ in known} | {"van"}
    for name, years in cited:
        if name.split()[0] in people or "et al." in name or "&" in name:
            assert {(name, year) for year in years.split(", ")} <= known, (name, years)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_listing_runs_as_it_stands(texts, language, mnist, monkeypatch):
    """It downloads the data; here they come from a file."""
    from dae.core.backend import keras

    keras.utils.set_random_seed(0)
    (listing,) = (code for code in re.findall(r"(?s)```python\n(.+?)```", texts()[language]) if "TiedDense" in code)
    parts = [(mnist[f"{part}_images"][:512], mnist[f"{part}_labels"][:512]) for part in ("train", "test")]
    monkeypatch.setattr(keras.datasets.mnist, "load_data", lambda: parts)
    names = {}
    exec(compile(listing, "listing", "exec"), names)
    model, encoder = names["autoencoder"], names["encoder"]
    # each kernel once, and a bias for each layer of both halves
    widths = [784, 512, 256, 128]
    assert model.count_params() == exercises.n_parameters(widths)["tied"]
    images = mnist["test_images"][:10].reshape(10, -1) / 255
    before = model.predict(images, verbose=0)
    assert before.shape == (10, 784)
    assert 0 <= before.min() < before.max() <= 1
    # the decoder multiplies by what the encoder has learnt: it follows a change of the encoder's kernel
    code = keras.Model(names["pixels"], encoder[-1].output).predict(images, verbose=0)
    hidden = code
    for layer, tied, function in zip(
        reversed(encoder), model.layers[4:], (np.maximum, np.maximum, lambda x, _: 1 / (1 + np.exp(-x))), strict=True
    ):
        own_bias = next(weight.numpy() for weight in tied.weights if weight.path.startswith(tied.name))
        hidden = function(hidden @ layer.get_weights()[0].T + own_bias, 0)
    assert before == pytest.approx(hidden, abs=1e-4)
