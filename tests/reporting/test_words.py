"""The words of each language: the same to say in all, and a word for each thing that has a name."""

import string

import pytest
import yaml

from dae.metrics import METRICS
from reporting.common.words import FOLDER, LANGUAGES, words_of
from stages.common.params import CORRUPTIONS
from studies._params import StudyParams

PARTS = sorted({path.parent.name for path in FOLDER.glob("*/*.yaml")})


def leaves(words: dict, name: str = "") -> dict[str, str]:
    """All texts by their dotted names."""
    found = {}
    for key, value in words.items():
        found |= leaves(value, f"{name}{key}.") if isinstance(value, dict) else {f"{name}{key}": value}
    return found


@pytest.mark.parametrize("part", PARTS)
def test_all_languages_have_the_same_words_to_say(part):
    assert {path.stem for path in (FOLDER / part).glob("*.yaml")} == set(LANGUAGES) >= {"en", "pt"}
    english, *others = (leaves(yaml.safe_load((FOLDER / part / f"{name}.yaml").read_text())) for name in LANGUAGES)
    for other in others:
        assert english.keys() == other.keys()
        for key, phrase in english.items():
            fields = [[field for _, field, _, _ in string.Formatter().parse(text)] for text in (phrase, other[key])]
            assert fields[0] == fields[1]
            assert isinstance(other[key], str)


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_corruption_metric_and_study_has_its_words(language):
    assert tuple(words_of("common", language)["corruptions"]) == CORRUPTIONS
    assert set(words_of("report", language)["metrics"]) <= set(METRICS)
    for study in (*StudyParams.model_fields, "published"):
        assert (FOLDER / "studies" / f"{study}.{language}.md.j2").is_file()
        assert (FOLDER / "studies" / f"{study}.py").is_file()


def test_an_unknown_language_is_refused_by_name():
    with pytest.raises(ValueError, match="no words in the language 'de'; there are in en, "):
        words_of("common", "de")


def test_words_that_are_each_others_opposite_are_not_exchanged():
    parts = ("evaluate", "reconstruct", "theory", "pushed")
    words = {name: text for part in parts for name, text in words_of(part, "pt").items()}
    assert [words[arm] for arm in ("with", "without")] == ["com pré-treinamento", "sem"]
    assert [words[kind].split("\n")[0] for kind in ("noisy", "denoised", "pca")] == [
        "com ruído",
        "restaurada",
        "restaurada",
    ]
    assert [words[kind].split()[-1] for kind in ("denoised", "pca")] == ["dAE", "PCA"]
    assert [words[kind] for kind in ("left_noisy", "by_dae")] == ["com o ruído", "restauradas pelo dAE"]
    assert [words[kind].split()[1] for kind in ("no_noise", "with_noise")] == ["sem", "com"]
    assert [words[kind].split("\n")[1] for kind in ("copying", "denoising")] == ["sem ruído", "treinado com ruído"]
    assert [words[kind].split("\n")[1] for kind in ("variational", "plain")] == ["variacional", "comum"]
    assert [words[kind].split(",")[0] for kind in ("ae_code", "pca_code")] == ["autoencoder", "PCA"]
    assert [words[axis].split()[0] for axis in ("accuracy", "error")] == ["acurácia", "erro"]
    assert [words[axis].split()[1] for axis in ("predicted_class", "true_class")] == ["predita", "verdadeira"]
    known = {"masking": "mascaramento", "gaussian": "gaussiano", "salt_and_pepper": "sal e pimenta"}
    assert words["corruptions"] | known == words["corruptions"]
    for name in ("pseudo", "pseudo_conv", "ladder", "ladder_gamma", "ladder_conv"):
        assert ("ladder" in words[name], "convolucional" in words[name]) == ("ladder" in name, "conv" in name)
        assert ("pseudorrótulos" in words[name]) == ("pseudo" in name or "conv" in name)
