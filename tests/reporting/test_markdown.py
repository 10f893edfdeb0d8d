import re

import pytest

from reporting.pages.markdown import render

LEVEL = "(100 * p.evaluate.confidence) | decimal"


@pytest.mark.parametrize(("confidence", "english"), [(0.95, "95"), (0.5, "50"), (0.999, "99.9"), (0.975, "97.5")])
def test_the_level_of_the_intervals_is_told_as_it_is(tmp_path, root, confidence, english):
    """0.999 is no level of 100 %."""
    for language in ("en", "pt"):
        (tmp_path / f"{language}.md.j2").write_text(f"{{{{ {LEVEL} }}}}")
    facts = {"p": {"evaluate": {"confidence": confidence}}}
    assert render(tmp_path, "en", facts) == english
    assert render(tmp_path, "pt", facts) == english.replace(".", ",")
    texts = [template.read_text() for template in root.glob("reporting/*/*.md.j2")]
    assert sum(map(len, texts)) > 10_000
    for text in texts:
        assert len(re.findall(r"p\.evaluate\.confidence", text)) == text.count(LEVEL)


def test_no_template_decides_which_of_two_numbers_is_larger(root):
    """Such decisions are made in Python, where tests of their own reach them (`says` of the facts)."""
    for template in root.glob("reporting/*/*.md.j2"):
        for code in re.findall(r"\{[{%](.*?)[%}]\}", template.read_text(), flags=re.DOTALL):
            assert not re.search(r"[<>]", re.sub(r'".*?"', "", code)), f"{template.name}: {code}"


def test_a_figure_has_its_number_before_and_after_it_stands(tmp_path):
    (tmp_path / "en.md.j2").write_text(
        "see {fig:b/two}\n![one](figures/a/one.en.png)\n{fig:a/one}\n![two](figures/b/two.en.png)\n{fig:b/two}"
    )
    text = render(tmp_path, "en", {})
    assert re.findall(r"\d", text) == ["2", "1", "2"]
