import re
from pathlib import Path

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

    def write(change=lambda results: None, **ladder) -> dict[str, str]:
        results, written = load(), {}
        change(results)
        monkeypatch.setattr(pages, "Results", lambda: results)
        monkeypatch.setattr(pages, "save_text", written.__setitem__)
        settings = study_params.ladder.model_copy(update=ladder)
        pages.main(params, study_params.model_copy(update={"ladder": settings}))
        return {"en": written["reports/studies/studies.md"], "pt": written["reports/studies/estudos.md"]}

    return write


def row(results, file, **values) -> dict:
    """The one row of a file of results that has these values."""
    (found,) = [row for row in results[file]["rows"] if values.items() <= row.items()]
    return found


def set_accuracies(results, **accuracies) -> None:
    """Set accuracies of the ablations: `convolutional_with=0.9` that of the value `with` in the group."""
    table = results["ablations.csv"]
    for name, accuracy in accuracies.items():
        group, value = name.split("_")
        rows = (table["group"] == group) & (table["value"] == value)
        assert rows.sum() == 1
        table.loc[rows, "accuracy"] = accuracy


def test_the_page_reads_no_result_that_its_stage_does_not_declare(write):
    kept = []
    write(kept.append)
    (results,) = kept
    deps = {Path(dep).name for dep in yaml.safe_load(Path("studies/dvc.yaml").read_text())["stages"]["pages"]["deps"]}
    assert {"tune.csv", "ladder.json", "evaluation.json", "published.csv"} <= results.keys()
    assert results.keys() <= deps


def test_both_languages_have_the_same_content(write, assert_equal_content):
    texts = write()
    assert_equal_content(texts["en"], texts["pt"], numbers=100)


@pytest.mark.parametrize("language", ["en", "pt"])
def test_the_words_follow_the_results(write, language):
    def with_curve(**changes):
        return write(lambda results: results["label_curve.json"].update(changes))[language]

    last = pages.Results()["label_curve.json"]["rows"][-1]["n_labels"]
    nowhere, everywhere, some = (with_curve(pays_up_to=n, worth=None) for n in (None, last, 500))
    assert len({nowhere, everywhere, some}) == 3
    assert ("cannot be read off" if language == "en" else "não se pode ler") in some
    worth = with_curve(pays_up_to=500, worth={"n_labels": 500, "extra": 321, "low": 123, "high": None})
    assert "321" in worth
    assert "None" not in worth


@pytest.mark.parametrize("language", ["en", "pt"])
def test_tables_have_as_many_cells_in_every_row(write, language):
    for table in re.findall(r"(?m)(?:^\|.*\n)+", write()[language]):
        assert len({row.count("|") for row in table.splitlines()}) == 1


CONSEQUENCES = [
    # what changes; the words before, and after, in English; the same in Portuguese
    (
        lambda results: results["label_curve.json"].update(pays_up_to=None),
        "It pays up to 2,000 labels; from the next number on",
        "It is not found to pay at the smallest number of labels tried.",
        "Ele compensa até 2.000 rótulos; a partir do número seguinte",
        "Não se constata que compense no menor número de rótulos testado.",
    ),
    (
        lambda results: results["label_curve.json"].update(pays_up_to=60_000),
        "It pays up to 2,000 labels; from the next number on",
        "It pays at every number of labels tried, up to 60,000.",
        "Ele compensa até 2.000 rótulos; a partir do número seguinte",
        "Ele compensa em todos os números de rótulos testados, até 60.000.",
    ),
    (
        lambda results: results["label_curve.json"].update(
            worth={"n_labels": 500, "extra": 1234, "low": 1000, "high": None}
        ),
        "",
        "**With 500 labels, pre-training is worth about 1,234 further labels** (95 % interval 1,000 to –)",
        "",
        "**Com 500 rótulos, o pré-treinamento vale cerca de 1.234 rótulos a mais** (intervalo de 95 %: 1.000 a –)",
    ),
    (  # ranks 2, 3, ..., 8, 1: 1 - 6 * (7 + 49) / (8 * 63)
        lambda results: results["tune_gains.csv"].update({"gain": [0.02, 0.03, 0.04, 0.05, 0.06, 0.07, 0.08, 0.01]}),
        ": whoever compares with an untuned baseline overstates pre-training",
        "The rank correlation of the two is +0.33.*",
        ": quem compara com uma referência",
        "+0,33.*",
    ),
    (  # ranks 1, 8, 7, ..., 2: it falls, but from the second on
        lambda results: results["tune_gains.csv"].update({"gain": [0.01, 0.08, 0.07, 0.06, 0.05, 0.04, 0.03, 0.02]}),
        ": whoever compares with an untuned baseline overstates pre-training",
        "The rank correlation of the two is −0.33.*",
        ": quem compara com uma referência",
        "−0,33.*",
    ),
    (
        lambda results: results["noise_curve.json"].update(best=results["noise_curve.json"]["clearest"]),
        "It is not the one whose images come out clearest",
        "The best for the classifier is none (a plain autoencoder): 90.67 % against 90.67 % after a plain autoencoder "
        "and 90.42 % without pre-training. It is also the one whose images come out clearest.",
        "Não é aquele cujas imagens saem mais nítidas",
        "90,67 % contra 90,67 % após um autoencoder comum e 90,42 % sem pré-treinamento. É também aquele cujas imagens "
        "saem mais nítidas.",
    ),
    (
        lambda results: results["noise_curve.json"].update(rank_correlation=0.5),
        ": a clear picture says little, or the wrong thing, about the classifier",
        "the rank correlation of PSNR and accuracy is +0.50.\n",
        ": uma imagem nítida diz pouco, ou diz o contrário, sobre o classificador",
        "a correlação de postos entre PSNR e acurácia é +0,50.\n",
    ),
    (
        lambda results: set_accuracies(results, convolutional_with=0.9, convolutional_without=0.8),
        " Convolutions and small movements already tell the network much",
        "accuracy by +0.78 points, the convolutional one's by +10.00, and by",
        " Convoluções e pequenos movimentos já dizem à rede muito",
        "em +0,78 pontos, a da convolucional em +10,00, e em",
    ),
    (
        lambda results: results["ladder.json"].update(threshold=95),
        "a student learns from all of them, however unsure the teacher is;",
        "a student learns from those of which the teacher is at least 95 % sure;",
        "um aluno aprende com todas elas, por mais incerto que esteja o professor;",
        "um aluno aprende com aquelas de que o professor está pelo menos 95 % certo;",
    ),
    (
        lambda results: row(results, "ladder.json", n_labels=500, arm="ladder").update(
            accuracy=0.975, low=0.5, high=1.25
        ),
        "What pre-training leaves on the table is most of the error",
        "| ladder network | ",
        "O que o pré-treinamento deixa na mesa é a maior parte do erro",
        "| rede ladder | ",
    ),
    (
        lambda results: row(results, "ladder.json", n_labels=500, arm="ladder").update(
            accuracy=0.975, low=0.5, high=1.25
        ),
        "Plain pre-training with all 60,000 labels has",
        "**2.50**<br>(0.00&nbsp;to&nbsp;50.00)",
        "O pré-treinamento simples com todos os 60.000 rótulos tem",
        "**2,50**<br>(0,00&nbsp;a&nbsp;50,00)",
    ),
    (
        lambda results: results["tune.json"]["with"].update(frozen=True),
        " | 4,000 | free | ",
        " | 4,000 | frozen | ",
        " | 4.000 | livre | ",
        " | 4.000 | congelado | ",
    ),
]


@pytest.mark.parametrize(("change", "before", "after", "antes", "depois"), CONSEQUENCES)
def test_each_claim_stands_only_with_the_results_that_it_follows_from(write, change, before, after, antes, depois):
    told, changed = write(), write(change)
    for language, claim, other in (("en", before, after), ("pt", antes, depois)):
        assert claim in told[language]
        assert other in changed[language]
        assert not claim or claim not in changed[language]


def test_the_rounding_of_products_is_told_where_there_is_any(write):
    told, changed = write(), write(products="float32")
    for language, claim, other in (
        ("en", "; all three multiply in bfloat16", "the fast setting, 25.*"),
        ("pt", "; os três multiplicam em bfloat16", "a versão rápida, 25.*"),
    ):
        assert claim in told[language]
        assert claim not in changed[language]
        assert other in changed[language]


def test_both_arms_and_the_differences_are_told_in_their_own_places(write):
    def change(results):
        best, main = results["best.json"], results["evaluation.json"]
        best |= {"without": 0.8, "with": 0.9, "difference": 0.1, "low": 0.05, "high": 0.15, "verdict": "worse"}
        main["without"]["accuracy"]["mean"], main["with"]["accuracy"]["mean"] = 0.6, 0.7
        main["difference"]["accuracy"] |= {"mean": 0.1, "two_way_low": 0.02, "two_way_high": 0.03}
        main["difference"]["accuracy"] |= {"low": 0.04, "high": 0.05}
        differences = {"difference": 0.25, "low": 0.2, "high": 0.3}
        row(results, "label_curve.json", n_labels=50).update(differences | {"without": 0.25, "with": 0.5})
        row(results, "label_curve.json", n_labels=100).update({"without": 0.75, "with": 0.875})
        gains = results["tune_gains.csv"]
        gains.loc[gains.index[[0, -1]], ["without", "gain"]] = [[0.625, 0.125], [0.875, -0.125]]
        set_accuracies(results, encoder_frozen=0.5, reference_with=0.75, reference_without=0.625)

    texts = write(change)
    english, portuguese = texts["en"], texts["pt"]
    for line in (
        "| each at its own best | 90.00 % | 80.00 % | +10.00 (+5.00 to +15.00) | worse |",
        "| both at the baseline's best (main report) | 70.00 % | 60.00 % | +10.00 (+2.00 to +3.00) | better |",
        "| 50 | 6 | 4,000 | 50.00 | 25.00 | +25.00 (+20.00 to +30.00) | better |",
        "| **ours, with pre-training** | 12.50 |",
        "| **ours, without** | 25.00 |",
        "75.0 and 50.0 % with 50 labels",
        "Where the baseline is worst (62.5 %), pre-training brings +12.5 points; where it is best (87.5 %), −12.5.",
        "Pre-training changes the fully connected network's accuracy by +12.50 points",
        "Freezing the encoder changes the accuracy by −25.00 points.",
    ):
        assert line in english, line
    for line in (
        "| 90,00 % | 80,00 % | +10,00 (+5,00 a +15,00) | pior |",
        "| 70,00 % | 60,00 % | +10,00 (+2,00 a +3,00) | melhor |",
        "| 50 | 6 | 4.000 | 50,00 | 25,00 | +25,00 (+20,00 a +30,00) | melhor |",
        "| **nosso, com pré-treinamento** | 12,50 |",
        "75,0 e 50,0 % com 50 rótulos",
        "em +12,50 pontos",
        "em −25,00 pontos.",
    ):
        assert line in portuguese, line
