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


def test_the_committed_pages_are_those_of_the_committed_results(facts, root):
    for language, name in (("en", "studies.md"), ("pt", "estudos.md")):
        assert render(language, facts) == (root / "reports" / "studies" / name).read_text()


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
