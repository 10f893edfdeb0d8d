import re

import pytest

from stages._text import renderer

LEVEL = "(100 * p.evaluate.confidence) | decimal"


@pytest.mark.parametrize(("confidence", "english"), [(0.95, "95"), (0.5, "50"), (0.999, "99.9"), (0.975, "97.5")])
def test_the_level_of_the_intervals_is_told_as_it_is(tmp_path, root, confidence, english):
    """0.999 is no level of 100 %."""
    (tmp_path / "level.j2").write_text(f"{{{{ {LEVEL} }}}}")
    facts = {"p": {"evaluate": {"confidence": confidence}}}
    assert renderer(tmp_path, "en")("level.j2", facts) == english
    assert renderer(tmp_path, "pt")("level.j2", facts) == english.replace(".", ",")
    for template in [*root.glob("stages/templates/*.md.j2"), *root.glob("studies/templates/*.md.j2")]:
        text = template.read_text()
        assert len(re.findall(r"p\.evaluate\.confidence", text)) == text.count(LEVEL) > 0
