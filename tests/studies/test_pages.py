import copy
import re

import pytest

from stages._params import load_params
from studies._params import load_study_params
from studies.pages import collect, render


@pytest.fixture
def facts(root, monkeypatch):
    """Those of the committed results."""
    monkeypatch.chdir(root)
    return collect(load_params(), load_study_params())


def test_both_languages_have_the_same_content(facts, assert_equal_content):
    assert_equal_content(render("en", facts), render("pt", facts), numbers=100)


@pytest.mark.parametrize("language", ["en", "pt"])
def test_the_words_follow_the_results(facts, language):
    def with_curve(pays_up_to, worth):
        changed = copy.deepcopy(facts)
        changed["curve"] |= {"pays_up_to": pays_up_to, "worth": worth}
        return render(language, changed)

    last = facts["curve"]["rows"][-1]["n_labels"]
    nowhere, everywhere, some = (with_curve(n, None) for n in (None, last, 500))
    assert len({nowhere, everywhere, some}) == 3
    assert ("cannot be read off" if language == "en" else "não se pode ler") in some
    worth = with_curve(500, {"n_labels": 500, "extra": 321, "low": 123, "high": None})
    assert "321" in worth
    assert "None" not in worth


@pytest.mark.parametrize("language", ["en", "pt"])
def test_tables_have_as_many_cells_in_every_row(facts, language):
    for table in re.findall(r"(?m)(?:^\|.*\n)+", render(language, facts)):
        assert len({row.count("|") for row in table.splitlines()}) == 1


CONSEQUENCES = [
    # what changes; the words before, and after, in English; the same in Portuguese
    (
        lambda facts: facts["curve"].update(pays_up_to=None),
        "It pays up to 2,000 labels; from the next number on",
        "It is not found to pay at the smallest number of labels tried.",
        "Ele compensa até 2.000 rótulos; a partir do número seguinte",
        "Não se constata que compense no menor número de rótulos testado.",
    ),
    (
        lambda facts: facts["curve"].update(pays_up_to=60_000),
        "It pays up to 2,000 labels; from the next number on",
        "It pays at every number of labels tried, up to 60,000.",
        "Ele compensa até 2.000 rótulos; a partir do número seguinte",
        "Ele compensa em todos os números de rótulos testados, até 60.000.",
    ),
    (
        lambda facts: facts["curve"].update(worth={"n_labels": 500, "extra": 1234, "low": 1000, "high": None}),
        "",
        "**With 500 labels, pre-training is worth about 1,234 further labels** (95 % interval 1,000 to –)",
        "",
        "**Com 500 rótulos, o pré-treinamento vale cerca de 1.234 rótulos a mais** (intervalo de 95 %: 1.000 a –)",
    ),
    (
        lambda facts: facts.update(gains_correlation=0.25),
        ": whoever compares with an untuned baseline overstates pre-training",
        "The rank correlation of the two is +0.25.*",
        ": quem compara com uma referência",
        "+0,25.*",
    ),
    (
        lambda facts: facts["noise"].update(best=facts["noise"]["clearest"]),
        "It is not the one whose images come out clearest",
        "The best for the classifier is none (a plain autoencoder): 90.67 % against 90.67 % after a plain autoencoder "
        "and 90.42 % without pre-training. It is also the one whose images come out clearest.",
        "Não é aquele cujas imagens saem mais nítidas",
        "90,67 % contra 90,67 % após um autoencoder comum e 90,42 % sem pré-treinamento. É também aquele cujas imagens "
        "saem mais nítidas.",
    ),
    (
        lambda facts: facts["noise"].update(rank_correlation=0.5),
        ": a clear picture says little, or the wrong thing, about the classifier",
        "the rank correlation of PSNR and accuracy is +0.50.\n",
        ": uma imagem nítida diz pouco, ou diz o contrário, sobre o classificador",
        "a correlação de postos entre PSNR e acurácia é +0,50.\n",
    ),
    (
        lambda facts: facts["ablation"].update({("convolutional", "with"): 0.9, ("convolutional", "without"): 0.8}),
        " Convolutions and small movements already tell the network much",
        "accuracy by +0.78 points, the convolutional one's by +10.00, and by",
        " Convoluções e pequenos movimentos já dizem à rede muito",
        "em +0,78 pontos, a da convolucional em +10,00, e em",
    ),
    (
        lambda facts: facts.update(ladder_threshold=95),
        "a student learns from all of them, however unsure the teacher is;",
        "a student learns from those of which the teacher is at least 95 % sure;",
        "um aluno aprende com todas elas, por mais incerto que esteja o professor;",
        "um aluno aprende com aquelas de que o professor está pelo menos 95 % certo;",
    ),
    (
        lambda facts: facts["ladder"][500, "ladder"].update(accuracy=0.975, low=0.5, high=1.25),
        "What pre-training leaves on the table is most of the error",
        "| ladder network | ",
        "O que o pré-treinamento deixa na mesa é a maior parte do erro",
        "| rede ladder | ",
    ),
    (
        lambda facts: facts["ladder"][500, "ladder"].update(accuracy=0.975, low=0.5, high=1.25),
        "Plain pre-training with all 60,000 labels has",
        "**2.50**<br>(0.00&nbsp;to&nbsp;50.00)",
        "O pré-treinamento simples com todos os 60.000 rótulos tem",
        "**2,50**<br>(0,00&nbsp;a&nbsp;50,00)",
    ),
    (
        lambda facts: facts["tune"]["with"].update(frozen=True),
        " | 4,000 | free | ",
        " | 4,000 | frozen | ",
        " | 4.000 | livre | ",
        " | 4.000 | congelado | ",
    ),
    (
        lambda facts: facts.update(study=with_products(facts["study"], "float32")),
        "; all three multiply in bfloat16",
        "the fast setting, 25.*",
        "; os três multiplicam em bfloat16",
        "a versão rápida, 25.*",
    ),
]


def with_products(study_params, products):
    return study_params.model_copy(update={"ladder": study_params.ladder.model_copy(update={"products": products})})


@pytest.mark.parametrize(("change", "before", "after", "antes", "depois"), CONSEQUENCES)
def test_each_claim_stands_only_with_the_results_that_it_follows_from(facts, change, before, after, antes, depois):
    words = {"en": (before, after), "pt": (antes, depois)}
    for language, (claim, _) in words.items():
        assert claim in render(language, facts)
    changed = copy.deepcopy(facts)
    change(changed)
    for language, (claim, other) in words.items():
        text = render(language, changed)
        assert other in text
        assert not claim or claim not in text


def test_both_arms_and_the_differences_are_told_in_their_own_places(facts):
    changed = copy.deepcopy(facts)
    changed["best"] |= {"without": 0.8, "with": 0.9, "difference": 0.1, "low": 0.05, "high": 0.15, "verdict": "worse"}
    changed["main"]["without"]["accuracy"]["mean"], changed["main"]["with"]["accuracy"]["mean"] = 0.6, 0.7
    changed["main"]["difference"]["accuracy"] |= {"mean": 0.1, "two_way_low": 0.02, "two_way_high": 0.03}
    changed["main"]["difference"]["accuracy"] |= {"low": 0.04, "high": 0.05}
    changed["curve"]["rows"][0] |= {"without": 0.25, "with": 0.5, "difference": 0.25, "low": 0.2, "high": 0.3}
    changed["by_labels"][100] = {"without": 0.75, "with": 0.875}
    changed["gains"][0] |= {"without": 0.625, "gain": 0.125}
    changed["gains"][-1] |= {"without": 0.875, "gain": -0.125}
    changed["ablation"] |= {("encoder", "frozen"): 0.5, ("reference", "with"): 0.75, ("reference", "without"): 0.625}
    english, portuguese = render("en", changed), render("pt", changed)
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
