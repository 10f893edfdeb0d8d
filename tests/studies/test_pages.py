import re
from pathlib import Path

import pandas as pd
import pytest
import yaml

from stages.common.params import load_params
from studies import pages
from studies._params import load_study_params


@pytest.fixture
def write(root, monkeypatch):
    """Write the text in each language from the committed results, some of them and settings of the ladder changed."""
    monkeypatch.chdir(root)
    params, study_params, load = load_params(), load_study_params(), pages.Results
    monkeypatch.setattr(pages, "page", lambda texts, *arguments: "")

    def write(change=lambda results: None, dataset="mnist", **ladder) -> dict[str, str]:
        results, written = load(), {}
        change(results)
        monkeypatch.setattr(pages, "Results", lambda: results)
        monkeypatch.setattr(pages, "save_text", written.__setitem__)
        settings = study_params.ladder.model_copy(update=ladder)
        pages.main(params.model_copy(update={"dataset": dataset}), study_params.model_copy(update={"ladder": settings}))
        return {"en": written["reports/studies/studies.md"], "pt": written["reports/studies/estudos.md"]}

    return write


def row(results, file, **values) -> dict:
    """The one row of a file of results that has these values."""
    (found,) = [row for row in results[file]["rows"] if values.items() <= row.items()]
    return found


def contrast(results, name, mean, low, high, holds=False) -> None:
    """Set a difference in accuracy of the controls, a fraction, and its interval."""
    found = results["controls.json"]["contrasts"][name]
    found |= {"accuracy": {"mean": mean, "low": low, "high": high}, "holds": holds}


def set_ablation(results, group, value, **values) -> None:
    """Set numbers in a row of the ablations."""
    table = results["ablations.csv"]
    rows = (table["group"] == group) & (table["value"] == value)
    assert rows.sum() == 1
    table.loc[rows, list(values)] = list(values.values())


def set_gain(results, group, difference, low, high) -> None:
    """Set the gain by pre-training of a network of the ablations, a fraction, and its interval."""
    results["ablations.json"]["gains"][group] = {"difference": difference, "low": low, "high": high}


def set_edges(results, *edges) -> None:
    """Set the ranges on whose edge the choice with pre-training lies; that without lies on none."""
    results["tune.json"]["with"]["edges"], results["tune.json"]["without"]["edges"] = [*edges], []


def set_noises(results, low, beyond=()) -> None:
    """Set the lower ends of the gains with each noise: one for those of these corruptions, another for the others."""
    table = results["noise_curve.csv"]
    table["low"] = table["corruption"].isin(beyond) * 1.0 + low
    table["high"] = 2.0


def set_ladder(results, low, high, pushed_high, all_labels) -> None:
    """Set the ladder's interval with its accuracy in the middle, the pushed arm's upper end, all labels' accuracy."""
    arms = {arm: row(results, f"{arm}.json", n_labels=500, arm=arm) for arm in ("ladder", "pushed")}
    arms["ladder"] |= {"accuracy": (low + high) / 2, "low": low, "high": high}
    arms["pushed"]["high"] = pushed_high
    results["label_curve.json"]["rows"][-1]["with"] = all_labels


def test_the_page_reads_no_result_that_its_stage_does_not_declare(write):
    kept = []
    write(kept.append)
    (results,) = kept
    deps = {Path(dep).name for dep in yaml.safe_load(Path("studies/dvc.yaml").read_text())["stages"]["pages"]["deps"]}
    assert {"tune.csv", "ladder.json", "controls.json", "published.csv"} <= results.keys()
    assert results.keys() <= deps


def test_both_languages_have_the_same_content(write, assert_equal_content):
    texts = write()
    assert_equal_content(texts["en"], texts["pt"], numbers=100)


@pytest.mark.parametrize("language", ["en", "pt"])
def test_what_the_labels_are_worth_is_told_where_it_is_known(write, language):
    def with_curve(**changes):
        return write(lambda results: results["label_curve.json"].update(changes))[language]

    unknown = "cannot be read off" if language == "en" else "não se pode ler"
    assert unknown in with_curve(worth=None)
    worth = with_curve(worth={"n_labels": 500, "extra": 321, "low": 123, "high": None})
    assert unknown not in worth
    assert "321" in worth
    assert "None" not in worth


def test_the_labels_are_listed_by_their_verdicts(write):
    """Those in the middle may be worse, or equivalent; no verdict speaks for the numbers of labels beyond it."""

    def change(results):
        rows = results["label_curve.json"]["rows"]
        for row, verdict in zip(rows, ["better", "worse", "better", "equivalent"], strict=False):
            row["verdict"] = verdict
        del rows[4:]

    texts = write(change)
    assert "better with 50, 200 labels; worse with 100 labels; equivalent with 500 labels." in texts["en"]
    assert "melhor com 50, 200 rótulos; pior com 100 rótulos; equivalente com 500 rótulos." in texts["pt"]


def test_a_frozen_study_is_told_to_be_of_an_earlier_version(write, monkeypatch):
    words = {"en": "Made with an earlier version", "pt": "Feito com uma versão anterior"}
    for studies in ([], ["noise_curve", "ladder"]):
        monkeypatch.setattr(pages, "frozen", lambda studies=studies: studies)
        for language, text in write().items():
            assert text.count(words[language]) == len(studies)


def test_published_figures_stand_only_beside_those_of_the_same_images(write):
    for language, words in (("en", "Published figures"), ("pt", "Números publicados")):
        assert words in write()[language]
        assert words not in write(dataset="fashion_mnist")[language]


@pytest.mark.parametrize("language", ["en", "pt"])
def test_tables_have_as_many_cells_in_every_row(write, language):
    for table in re.findall(r"(?m)(?:^\|.*\n)+", write()[language]):
        assert len({row.count("|") for row in table.splitlines()}) == 1


def test_few_draws_are_shown_themselves(write):
    def change(results):
        rows = [(100, "ladder", accuracy) for accuracy in (0.5, 0.75, 0.625)]
        table = results["ladder.csv"]
        rest = table[(table["n_labels"] != 100) | (table["arm"] != "ladder")]
        results["ladder.csv"] = pd.concat([rest, pd.DataFrame(rows, columns=["n_labels", "arm", "accuracy"])])
        row(results, "ladder.json", n_labels=100, arm="ladder")["accuracy"] = 0.625

    texts = write(change)
    assert "| ladder network | **37.50**<br>(25.00, 37.50, 50.00) | **" in texts["en"]
    assert "| rede ladder | **37,50**<br>(25,00; 37,50; 50,00) | **" in texts["pt"]


CLEAR = {"corruption": "none", "level": 0.0, "accuracy": 0.875, "psnr": 25.0}
BEST = {"corruption": "masking", "level": 0.7, "accuracy": 0.9, "psnr": 17.5}
CONSEQUENCES = [
    # what makes a claim true, and what makes it false; its words and those in its place, in English; in Portuguese
    (
        lambda results: results["label_curve.json"].update(worth=None),
        lambda results: results["label_curve.json"].update(
            worth={"n_labels": 500, "extra": 1234, "low": 1000, "high": None}
        ),
        "How many labels pre-training is worth at 500 cannot be read off this curve.",
        "**With 500 labels, pre-training is worth about 1,234 further labels** (95% interval 1,000 to –)",
        "não se pode ler nesta curva.",
        "**Com 500 rótulos, o pré-treinamento vale cerca de 1.234 rótulos a mais** (intervalo de 95%: 1.000 a –)",
    ),
    (
        lambda results: contrast(results, "features", 0.03, 0.02, 0.04),
        lambda results: contrast(results, "features", 0.01, -0.01, 0.03),
        "The true encoder is better by +3.00 (+2.00 to +4.00)",
        "The true encoder is not found to be better (+1.00 (−1.00 to +3.00))",
        "O codificador verdadeiro é melhor em +3,00 (+2,00 a +4,00)",
        "Não se constata que o codificador verdadeiro seja melhor (+1,00 (−1,00 a +3,00))",
    ),
    (
        lambda results: [contrast(results, f"gain_settings_of_{arm}", 0.02, 0.01, 0.03) for arm in ("with", "without")],
        lambda results: contrast(results, "gain_settings_of_with", 0.01, -0.01, 0.03),
        "So the initial weights matter, not the settings alone.",
        "So part of the gain belongs to the settings.",
        "Portanto os pesos iniciais importam, não só as configurações.",
        "Portanto uma parte do ganho cabe às configurações.",
    ),
    (
        lambda results: contrast(results, "gain_moved", -0.03, -0.04, -0.02),
        lambda results: contrast(results, "gain_moved", -0.03, -0.04, -0.02, holds=True),
        "Pre-training is then worse than none, though not when the interval is widened",
        "Pre-training is then worse than none.",
        "O pré-treinamento é então pior que nenhum, mas não quando o intervalo é alargado",
        "O pré-treinamento é então pior que nenhum.",
    ),
    (
        set_edges,
        lambda results: set_edges(results, "dropout"),
        "No choice lies on the edge of its range.",
        "A choice lies on the edge of its range: dropout.",
        "Nenhuma escolha está na borda do seu intervalo.",
        "Uma escolha está na borda do seu intervalo: dropout.",
    ),
    (
        lambda results: results["noise_curve.json"].update(best=BEST, clearest=CLEAR),
        lambda results: results["noise_curve.json"].update(best=CLEAR, clearest=CLEAR, plain=0.875, without=0.75),
        "It is not the one whose images come out clearest: those come with no noise (a plain autoencoder), 25.0 dB",
        "exploratory, is no noise (a plain autoencoder): 87.50% against 87.50% after a plain autoencoder "
        "and 75.00% without pre-training. It is also the one whose images come out clearest.",
        "As imagens mais nítidas vêm com nenhum ruído (um autoencoder comum): 25,0 dB contra 17,5",
        "87,50% contra 87,50% após um autoencoder comum e 75,00% sem pré-treinamento. É também aquele cujas imagens "
        "saem mais nítidas.",
    ),
    (
        lambda results: set_noises(results, 0.004, beyond=["none", "salt_and_pepper"]),
        lambda results: set_noises(results, 0.005),  # the margin itself is not beyond it
        "The whole interval lies above the margin of 0.5 points with no noise (a plain autoencoder), salt and",
        "The whole interval lies above the margin of 0.5 points with none.",
        "O intervalo inteiro fica acima da margem de 0,5 ponto com nenhum ruído (um autoencoder comum), sal e",
        "O intervalo inteiro fica acima da margem de 0,5 ponto com nenhum deles.",
    ),
    (
        lambda results: results["noise_curve.json"].update(rank_correlation=-0.25),
        lambda results: results["noise_curve.json"].update(rank_correlation=0.75),
        "is −0.25: clear pictures are not found to go with a good classifier, nor with a bad one",
        "the rank correlation of PSNR and accuracy is +0.75.\n",
        "é −0,25: não se constata que imagens nítidas acompanhem um bom classificador, nem um ruim",
        "a correlação de postos entre PSNR e acurácia é +0,75.\n",
    ),
    (
        lambda results: [
            set_gain(results, "reference", 0.05, 0.04, 0.06),
            set_gain(results, "convolutional", 0.01, -0.01, 0.03),
            set_gain(results, "convolutional_moved", 0.01, -0.01, 0.03),
        ],
        lambda results: [
            set_gain(results, "reference", 0.05, 0.04, 0.06),
            set_gain(results, "convolutional", 0.03, 0.01, 0.05),  # it may gain as much
            set_gain(results, "convolutional_moved", 0.01, -0.01, 0.03),
        ],
        " So a network that knows more about images beforehand gains less from unlabelled ones;",
        "accuracy by +5.00 (+4.00 to +6.00) points, the convolutional one's by +3.00 (+1.00 to +5.00), and by",
        " Assim, uma rede que de antemão sabe mais sobre imagens ganha menos com as não rotuladas;",
        "em +5,00 (+4,00 a +6,00) pontos, a da convolucional em +3,00 (+1,00 a +5,00), e em",
    ),
    (
        lambda results: set_gain(results, "convolutional_moved", -0.03, -0.04, -0.02),
        lambda results: [
            set_gain(results, name, 0.05, -0.01, 0.06) for name in ("convolutional", "convolutional_moved")
        ],
        "Whether it is the pre-training that loses there is not known",
        "where the images are moved as well. Freezing",
        "Não se sabe se ali é o pré-treinamento que perde",
        "quando as imagens também são movidas. Congelar",
    ),
    (
        lambda results: set_ladder(results, 0.97, 0.98, pushed_high=0.96, all_labels=0.975),
        lambda results: set_ladder(results, 0.95, 1.0, pushed_high=0.96, all_labels=0.975),
        "What pre-training leaves on the table is most of the error",
        "| ladder network | ",
        "O que o pré-treinamento deixa de aproveitar é a maior parte do erro",
        "| rede ladder | ",
    ),
    (
        lambda results: set_ladder(results, 0.97, 0.98, pushed_high=0.99, all_labels=0.96),
        lambda results: set_ladder(results, 0.95, 1.0, pushed_high=0.99, all_labels=0.96),
        "With 500 labels the ladder has 2.50% error; pre-training with all 60,000 labels, 4.00%.",
        "**2.50**<br>(0.00&nbsp;to&nbsp;5.00)",
        "Com 500 rótulos a ladder tem 2,50% de erro; o pré-treinamento com todos os 60.000 rótulos, 4,00%.",
        "**2,50**<br>(0,00&nbsp;a&nbsp;5,00)",
    ),
]


@pytest.mark.parametrize(("holds", "fails", "claim", "instead", "afirmado", "em_vez"), CONSEQUENCES)
def test_each_claim_stands_only_with_the_results_that_it_follows_from(
    write, holds, fails, claim, instead, afirmado, em_vez
):
    told, other = write(holds), write(fails)
    for language, words, others in (("en", claim, instead), ("pt", afirmado, em_vez)):
        assert words in told[language]
        assert words not in other[language]
        assert others in other[language]


def test_the_rounding_of_products_is_told_where_there_is_any(write):
    told, changed = write(), write(products="float32")
    for language, claim, other in (
        ("en", "; all three multiply in bfloat16", "the fast setting, 25. Architecture"),
        ("pt", "; os três multiplicam em bfloat16", "a versão rápida, 25. Arquitetura"),
    ):
        assert claim in told[language]
        assert claim not in changed[language]
        assert other in changed[language]


def test_both_arms_and_the_differences_are_told_in_their_own_places(write):
    def change(results):
        contrast(results, "noise", 0.1, 0.02, 0.03, holds=True)
        contrast(results, "plain", 0.2, -0.05, 0.06, holds=False)
        chosen = results["tune.json"]
        chosen["with"]["chosen"] |= {"learning_rate": 0.0007, "dropout": 0.25, "masking": 0.125, "steps": 1234}
        chosen["with"]["chosen"] |= {"corruption": "gaussian", "noise": 0.3, "epochs": 7, "accuracy": 0.9}
        chosen["without"]["chosen"] |= {"learning_rate": 0.002, "dropout": 0.5, "steps": 4321, "accuracy": 0.8}
        differences = {"difference": 0.25, "low": 0.2, "high": 0.3, "verdict": "worse"}
        differences |= {"replicates": 2, "steps": 4000}
        row(results, "label_curve.json", n_labels=50).update(differences | {"without": 0.25, "with": 0.5})
        for arm, accuracy in (("without", 0.75), ("with", 0.875)):
            table = results["label_curve.csv"]
            table.loc[(table["n_labels"] == 100) & (table["replicate"] <= 3), arm] = accuracy
        set_gain(results, "reference", 0.125, 0.12, 0.13)
        set_gain(results, "convolutional_moved", -0.01, -0.02, 0.03)
        set_ablation(results, "reference", "with", accuracy=0.75, difference=0.0, low=0.0, high=0.0)
        set_ablation(results, "encoder", "frozen", accuracy=0.5, difference=-0.25, low=-0.5, high=0.125)
        for arm, accuracy in (("with", 0.7), ("without", 0.6)):
            chosen[arm]["by_one_draw"] |= {"learning_rate": 0.005, "dropout": 0.125, "masking": 0.3, "steps": 777}
            chosen[arm]["by_one_draw"]["accuracy"] = accuracy
        chosen["with"]["by_one_draw"] |= {"corruption": "gaussian", "noise": 0.4, "epochs": 6}
        chosen["without"]["by_one_draw"] |= {"learning_rate": 0.009, "steps": 888}
        results["tune.csv"]["accuracy"] = (results["tune.csv"]["arm"] == "with") / 4 + 0.5
        noises = results["noise_curve.csv"]
        noises["difference"] = (noises["corruption"] == "gaussian") * 0.02 - 0.01
        noises.loc[noises.index[-1], "difference"] = 0.03  # of salt and pepper

    tune, n_noises = load_study_params().tune, len(pd.read_csv("reports/studies/noise_curve.csv"))
    n_draws = sum(tune.draws)
    texts = write(change)
    english, portuguese = texts["en"], texts["pt"]
    for line in (
        "| noise? | dAE − plain autoencoder | +10.00&nbsp;(+2.00&nbsp;to&nbsp;+3.00) | ★ |",
        "| the autoencoder? | plain autoencoder − without pre-training | +20.00&nbsp;(−5.00&nbsp;to&nbsp;+6.00) | – |",
        "| with pre-training | Gaussian | 0.30 | 7 | 0.0007 | 0.25 | 0.13 | 1,234 | 90.0 |",
        "| without | – | – | – | 0.002 | 0.50 | ",
        "| 50 | 50.00 | 25.00 | +25.00 (+20.00 to +30.00) | worse | 2 | 4,000 |",
        "| **ours, with pre-training** | 12.50 |",
        "| **ours, without** | 25.00 |",
        "50.00 and 75.00% with 50 labels",
        "Pre-training changes the fully connected network's accuracy by +12.50 (+12.00 to +13.00) points",
        "and by −1.00 (−2.00 to +3.00) where the images are moved as well",
        "Freezing the encoder changes the accuracy by −25.00 (−50.00 to +12.50) points.",
        "| reference | with pre-training | 75.00 | – |",
        "| encoder | frozen | 50.00 | −25.00 (−50.00 to +12.50) |",
        f"{tune.configurations} configurations each, drawn at random",
        f" {sum(tune.near)} further ones were drawn near the best of these.",
        f"scored on the labelled images of {n_draws - 1} other draws",
        "The baseline's go from 50.0 to 50.0%, those with pre-training from 75.0 to 75.0%.",
        "learning rate 0.005, dropout 0.13, masking 0.30 and 777 steps with pre-training (Gaussian 0.40, 6 epochs), "
        f"and 0.009, 0.13, 0.30 and 888 without. On all {n_draws} draws these have 70.0 and 60.0%.",
        "+1.00 points with Gaussian; −1.00 points with masking; −1.00 points with no noise (a plain autoencoder); "
        "−1.00 to +3.00 points with salt and pepper.",
        f"These {n_noises} intervals are not corrected for their number.",
    ):
        assert line in english, line
    for line in (
        "| ruído? | dAE − autoencoder comum | +10,00&nbsp;(+2,00&nbsp;a&nbsp;+3,00) | ★ |",
        "| com pré-treinamento | gaussiano | 0,30 | 7 | 0,0007 | 0,25 | 0,13 | 1.234 | 90,0 |",
        "| 50 | 50,00 | 25,00 | +25,00 (+20,00 a +30,00) | pior | 2 | 4.000 |",
        "| **nosso, com pré-treinamento** | 12,50 |",
        "50,00 e 75,00% com 50 rótulos",
        "em +12,50 (+12,00 a +13,00) pontos",
        "em −25,00 (−50,00 a +12,50) pontos.",
        "| ponto de partida | com pré-treinamento | 75,00 | – |",
        f"Mais {sum(tune.near)} foram sorteadas perto das melhores destas.",
        f"avaliado nas imagens rotuladas de {n_draws - 1} outros sorteios",
        f"888 sem. Em todos os {n_draws} sorteios elas têm 70,0 e 60,0%.",
        f"Estes {n_noises} intervalos não estão corrigidos pelo seu número.",
    ):
        assert line in portuguese, line
