"""The committed pages in a real browser, and the Markdown that becomes one."""

import functools

import pytest

from reporting.pages.html import page, slug

PAGES = ["reports/report.html", "reports/studies/studies.html"]


@pytest.fixture(params=PAGES)
def opened(request, root, open_page):
    """Opens a committed page."""
    return functools.partial(open_page, root / request.param)


@pytest.mark.parametrize("language", ["en-US", "pt-BR"])
@pytest.mark.parametrize("width", [375, 1280])
def test_no_text_overflows_and_all_pictures_are_there(opened, overflowing, width, language):
    opened = opened(width, language)
    assert overflowing(opened) == []
    assert opened.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    assert opened.evaluate("[...document.querySelectorAll('.zoom img')].length") >= 6
    ids = opened.evaluate("[...document.querySelectorAll('[id]')].map(element => element.id)")
    assert len(ids) == len(set(ids))
    links = opened.evaluate(
        "[...document.querySelectorAll('a[href^=\"#\"]')].map(a => decodeURIComponent(a.hash.slice(1)))"
    )
    assert links
    assert set(links) <= set(ids)


def test_the_switch_changes_the_language(opened):
    opened = opened()
    assert opened.locator("h1:visible").count() == 1
    english = opened.locator("h1:visible").inner_text()
    opened.get_by_role("button", name="Português").click()
    assert opened.evaluate("document.documentElement.lang") == "pt-BR"
    assert opened.locator("h1:visible").inner_text() == opened.title() != english
    opened.get_by_role("button", name="English").click()
    assert opened.locator("h1:visible").inner_text() == english


def test_a_reader_of_portuguese_is_met_in_portuguese(opened):
    assert opened(language="pt-BR").evaluate("document.documentElement.lang") == "pt-BR"


def test_the_theme_follows_the_system_and_can_be_changed(opened):
    opened = opened(theme="dark")
    background = "getComputedStyle(document.body).backgroundColor"
    dark = opened.evaluate(background)
    opened.locator("#theme").click()
    assert opened.evaluate(background) != dark
    opened.locator("#theme").click()
    assert opened.evaluate(background) == dark


def test_a_figure_enlarges_and_closes(opened):
    opened = opened(375)
    small = opened.locator(".zoom:visible img").first
    width = small.bounding_box()["width"]
    small.click()
    large = opened.locator("dialog img")
    assert large.bounding_box()["width"] > 2 * width
    opened.keyboard.press("Escape")
    assert not large.is_visible()


def test_the_slider_shows_another_level(root, browser):
    opened = browser.new_page(locale="en-US")
    opened.goto((root / PAGES[0]).as_uri())
    slider = opened.locator(".slider:visible")
    section = {name: slider.locator(name) for name in ("input", "output", ".strip")}

    def state(level):
        section["input"].fill(str(level))
        shown = [output.inner_text() for output in section["output"].all()]
        return shown, [strip.screenshot() for strip in section[".strip"].all()]

    last = int(section["input"].get_attribute("max"))
    (texts, pictures), (other_texts, other_pictures) = state(1), state(last)
    assert all(a != b for a, b in zip(texts + pictures, other_texts + other_pictures, strict=True))
    decibels = [float(text.removesuffix(" dB")) for text in (texts[1], other_texts[1])]
    assert decibels[0] > decibels[1]  # more noise
    opened.close()


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_serious_fault(opened, faults, theme):
    opened = opened(375, theme=theme)
    for language in ("English", "Português"):
        opened.get_by_role("button", name=language).click()
        assert faults(opened) == []


def test_it_prints_without_controls(opened):
    opened = opened()
    opened.emulate_media(media="print")
    assert not opened.locator("header").is_visible()
    assert opened.locator(".slider:visible").count() == 0
    assert opened.locator("figure:visible").count() >= 3


def test_text_is_escaped_and_pictures_are_inside(tmp_path):
    (tmp_path / "a.png").write_bytes(b"picture")
    text = '# A <b> & "c"\n\n![<i>](a.png)\n\n*Caption `x < y`.*\n\n| a |\n|---|\n| 1 < 2 |\n'
    html = page({"en": text, "pt": text.replace("# A", "# B")}, tmp_path, {})
    assert 'src="data:image/png;base64,cGljdHVyZQ=="' in html
    assert 'alt="&lt;i&gt;"' in html
    assert "<figcaption><em>Caption <code>x &lt; y</code>.</em></figcaption>" in html
    assert "1 &lt; 2" in html


def test_anchors_are_those_of_github():
    assert slug("5. Why not? A test: (b)") == "5-why-not-a-test-b"
