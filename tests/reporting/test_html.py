"""Pages in a real browser, a small one made for the tests and the committed ones, and the Markdown that becomes one."""

import re

import pytest

from reporting.common.words import LANGUAGES
from reporting.pages.html import page, slug, unbroken
from stages._figures import save_figure

SAMPLE = "report.html"
PAGES = [SAMPLE, "reports/report.html", "reports/studies/studies.html"]
SMALL = """least => [...document.querySelectorAll("header *, summary, nav a, .zoom, sub a, input, dialog button")]
    .filter(e => e.checkVisibility())
    .filter(e => Math.min(e.getBoundingClientRect().width, e.getBoundingClientRect().height) < least)
    .map(e => e.outerHTML.slice(0, 80))"""


@pytest.fixture
def opened(open_page, sample):
    """Opens the small page."""
    return lambda *arguments, **named: open_page(sample / SAMPLE, *arguments, **named)


@pytest.fixture(params=PAGES)
def any_page(request, open_page, sample, root):
    """Opens the small page, and the committed ones."""
    folder = sample if request.param == SAMPLE else root
    return lambda *arguments, **named: open_page(folder / request.param, *arguments, **named)


def visible(opened, selector):
    return opened.locator(f"{selector}:visible")


def position(locator) -> dict:
    return locator.evaluate(
        "e => { const r = e.getBoundingClientRect(); return {x: r.x, y: r.y, right: r.right, bottom: r.bottom}; }"
    )


def theme_of(opened) -> str:
    return opened.evaluate("getComputedStyle(document.body).backgroundColor")


@pytest.mark.parametrize("language", ["en-US", "pt-BR"])
@pytest.mark.parametrize("width", [375, 1280])
def test_no_text_overflows_and_all_pictures_are_there(any_page, overflowing, width, language):
    opened = any_page(width, language)
    assert overflowing(opened) == []
    assert opened.evaluate(SMALL, 40 if width == 375 else 24) == []  # a finger needs more than a mouse
    assert opened.evaluate("[...document.images].every(image => image.complete && image.naturalWidth > 0)")
    assert opened.evaluate(
        "[...document.querySelectorAll('svg image')].every(e => e.getAttribute('href').length > 100)"
    )
    assert visible(opened, "figure svg").count() >= 3
    ids = opened.evaluate("[...document.querySelectorAll('[id]')].map(element => element.id)")
    assert len(ids) == len(set(ids))
    links = opened.evaluate(
        "[...document.querySelectorAll('a[href^=\"#\"]')].map(a => decodeURIComponent(a.hash.slice(1)))"
    )
    assert links
    assert set(links) <= set(ids)


def test_the_switch_changes_the_language(any_page):
    opened = any_page()
    assert visible(opened, "h1").count() == 1
    english = visible(opened, "h1").inner_text()
    opened.get_by_role("button", name="Português").click()
    assert opened.evaluate("document.documentElement.lang") == "pt-BR"
    assert visible(opened, "h1").inner_text() == opened.title() != english
    opened.get_by_role("button", name="English").click()
    assert visible(opened, "h1").inner_text() == english


def test_a_reader_of_portuguese_is_met_in_portuguese(any_page):
    assert any_page(language="pt-BR").evaluate("document.documentElement.lang") == "pt-BR"


def test_a_link_to_the_other_language_is_a_switch(any_page):
    opened = any_page(375)
    address = opened.url
    opened.get_by_role("link", name="Portuguese").click()
    assert opened.evaluate("document.documentElement.lang") == "pt-BR"
    opened.get_by_role("link", name="inglês").click()
    assert opened.evaluate("document.documentElement.lang") == "en"
    assert opened.url == address
    # and what is only true of the Markdown is not on the page
    assert not re.search(r"one page|página única", opened.evaluate("document.body.textContent"))


@pytest.mark.parametrize("width", [375, 1280])
def test_the_switch_keeps_the_place(any_page, width):
    opened = any_page(width)
    figure = "() => [...document.querySelectorAll('main:not([hidden]) figure')].at(-1)"
    opened.evaluate(f"({figure})().scrollIntoView({{block: 'center'}})")
    before = opened.evaluate(f"({figure})().getBoundingClientRect().y")
    for language in ("Português", "English", "Português"):
        opened.get_by_role("button", name=language).click()
        assert opened.evaluate(f"({figure})().getBoundingClientRect().y") == pytest.approx(before, abs=400)
    opened.get_by_role("button", name="English").click()
    assert opened.evaluate(f"({figure})().getBoundingClientRect().y") == pytest.approx(before, abs=2)


def test_the_theme_follows_the_system_and_can_be_changed(any_page):
    opened = any_page(theme="dark")
    dark = theme_of(opened)
    opened.locator("#theme").click()
    assert theme_of(opened) != dark
    opened.locator("#theme").click()
    assert theme_of(opened) == dark


def test_language_and_theme_are_kept(opened):
    opened = opened()
    light = theme_of(opened)
    opened.get_by_role("button", name="Português").click()
    opened.locator("#theme").click()
    dark = theme_of(opened)
    opened.reload()
    assert opened.evaluate("document.documentElement.lang") == "pt-BR"
    assert theme_of(opened) == dark != light


def test_where_nothing_may_be_kept_all_works_until_the_page_is_left(opened):
    forbid = "Object.defineProperty(window, 'localStorage', {get() { throw new DOMException('no', 'SecurityError'); }})"
    opened = opened(init=forbid)
    light = theme_of(opened)
    opened.locator("#theme").click()
    assert theme_of(opened) != light
    opened.locator("#theme").click()
    assert theme_of(opened) == light
    opened.get_by_role("button", name="Português").click()
    assert opened.evaluate("document.documentElement.lang") == "pt-BR"


def test_on_a_phone_the_contents_are_folded_below_the_verdict(any_page):
    opened = any_page(375)
    contents, title = visible(opened, "nav"), visible(opened, "h1")
    assert position(title)["y"] < 120
    assert not visible(opened, "nav a").count()
    before = opened.locator("main:not([hidden]) > :is(blockquote, p)").first
    assert 0 <= position(contents)["y"] - position(before)["bottom"] < 60
    contents.locator("summary").click()
    link = visible(opened, "nav a").last
    link.click()
    target = opened.locator(f"[id='{link.get_attribute('href')[1:]}']")
    assert 0 < position(target)["y"] < 900


def test_on_a_desktop_the_contents_stay_beside_the_text_and_mark_the_place(any_page):
    opened = any_page(1280)
    nav = visible(opened, "nav")
    assert position(nav)["right"] < position(visible(opened, "h1"))["x"]
    assert opened.locator("[aria-current]").count() == 0
    last = visible(opened, "nav a").last
    for heading in visible(opened, "nav a").all()[1:3]:
        heading.click()
        opened.wait_for_function("scrollY > 0")
        opened.wait_for_function(
            f"document.querySelector('[aria-current]')?.hash === {heading.evaluate('a => a.hash')!r}"
        )
    assert position(nav)["y"] < 120
    assert opened.locator("[aria-current]").count() == 1
    last.click()
    visible(opened, ".up").click()
    opened.wait_for_function("scrollY === 0")


def test_on_a_phone_wide_tables_become_cards_and_the_widest_scroll(opened):
    opened = opened(375)
    cards, numbers = visible(opened, ".cards"), visible(opened, "table:not(.cards)").first
    assert cards.count() == 2  # of the choices and of the results
    for card in cards.all():
        assert card.evaluate("e => e.scrollWidth <= e.parentElement.clientWidth")
        assert len({round(position(cell)["x"]) for cell in card.locator("td").all()}) == 1
    last = cards.last.locator("td").last
    assert last.evaluate("e => getComputedStyle(e, '::before').content") == '"paired difference: "'
    assert last.inner_text().replace("\u00a0", " ") == "−0.0275 (−0.0313 to −0.0236)"
    box = numbers.locator("xpath=..")
    assert box.evaluate("e => e.scrollWidth > e.clientWidth")
    box.evaluate("e => e.scrollLeft = 200")
    first, second = numbers.locator("td").all()[:2]
    assert position(first)["x"] == pytest.approx(position(box)["x"], abs=1)
    assert position(second)["x"] < position(first)["x"]


def test_on_a_desktop_tables_are_tables(any_page):
    opened = any_page(1280)
    assert set(opened.evaluate("[...document.querySelectorAll('td')].map(e => getComputedStyle(e).display)")) == {
        "table-cell"
    }


def test_code_keeps_its_lines_and_scrolls(any_page):
    opened = any_page(375)
    for pre in visible(opened, "pre").all():
        lines = pre.locator("code").evaluate(
            """code => {
                const text = code.firstChild;
                const starts = [...text.data.matchAll(/^./gm)].map(found => found.index);
                return starts.map(start => {
                    const range = document.createRange();
                    range.setStart(text, start);
                    range.setEnd(text, start + 1);
                    return [range.getBoundingClientRect().x, range.getClientRects().length];
                });
            }"""
        )
        assert len({round(x) for x, _ in lines}) == 1  # no first line is shifted
        height = pre.evaluate("e => e.querySelector('code').getBoundingClientRect().height")
        assert height < 1.2 * (pre.inner_text().rstrip().count("\n") + 1) * 22  # no line is broken
        assert pre.evaluate("e => e.getBoundingClientRect().right") <= 375


def test_panels_stand_side_by_side_or_below_each_other(opened):
    for width, beside in ((375, False), (1280, True)):
        first, second = opened(width).locator("main:not([hidden]) figure").first.locator("svg").all()
        one, other = position(first), position(second)
        assert (other["x"] >= one["right"]) == beside
        assert (other["y"] >= one["bottom"]) != beside
        assert one["right"] - one["x"] > 330


@pytest.fixture(scope="module")
def gallery(tmp_path_factory, example_figures):
    """A page with every figure, in each language."""
    folder = tmp_path_factory.mktemp("gallery")
    texts = {language: f"# {language}\n\ntext\n" for language in LANGUAGES}
    for name, (draw, arguments) in example_figures.items():
        save_figure(str(folder / name), draw, *arguments)
        for language in LANGUAGES:
            for file in sorted(folder.glob(f"{name}.*{language}.svg")):
                texts[language] += f"\n![{name}]({file.name})\n"
    (folder / "gallery.html").write_text(page(texts, folder, {}))
    return folder / "gallery.html"


LABELS = """() => [...document.querySelectorAll("main:not([hidden]) svg")].map(svg => {
    const edge = svg.getBoundingClientRect();
    const labels = [...svg.querySelectorAll("text")].map(text => {
        const scale = Math.hypot(text.getScreenCTM().a, text.getScreenCTM().b);
        const size = scale * text.getAttribute("font-size");
        return {words: text.textContent, box: text.getBoundingClientRect(), size};
    });
    const inside = ({box}) =>
        box.x > edge.x - 1 && box.right < edge.right + 1 && box.y > edge.y - 1 && box.bottom < edge.bottom + 1;
    const overlap = (a, b, start, end) => Math.min(a[end], b[end]) - Math.max(a[start], b[start]);
    const hides = (one, other) => overlap(one.box, other.box, "left", "right") > 1
        && overlap(one.box, other.box, "top", "bottom") > 4;
    const hidden = labels.filter((label, i) => labels.slice(0, i).some(other => hides(label, other)));
    return {
        name: svg.getAttribute("aria-label"),
        cut: labels.filter(label => !inside(label)).map(label => label.words),
        small: labels.filter(label => label.size < 10).map(label => label.words),
        hidden: hidden.map(label => label.words),
    };
})"""


@pytest.mark.parametrize("language", ["en-US", "pt-BR"])
def test_no_label_of_a_figure_is_cut_off_or_small_on_a_phone_or_hides_another(open_page, gallery, language):
    opened = open_page(gallery, 375, language)
    found = opened.evaluate(LABELS)
    assert len(found) > 25
    assert [(figure["name"], figure["cut"]) for figure in found if figure["cut"]] == []
    assert [(figure["name"], figure["small"]) for figure in found if figure["small"]] == []
    # the numerals of a map may stand close to each other
    assert [
        (figure["name"], figure["hidden"]) for figure in found if figure["hidden"] and figure["name"] != "maps"
    ] == []


CONTRASTS = """() => {
    const linear = c => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4;
    const light = colour => {
        const [r, g, b] = colour.match(/[0-9.]+/g).map(c => linear(c / 255));
        return 0.2126 * r + 0.7152 * g + 0.0722 * b + 0.05;
    };
    const page = light(getComputedStyle(document.body).backgroundColor);
    return [...document.querySelectorAll("main:not([hidden]) svg text")].map(text => {
        const own = light(getComputedStyle(text).fill);
        return Math.max(own, page) / Math.min(own, page);
    });
}"""


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_figures_have_the_colours_of_the_theme(opened, theme):
    opened = opened(theme=theme)
    assert min(opened.evaluate(CONTRASTS)) > 7
    line = opened.evaluate("getComputedStyle(document.querySelector('svg [stroke=\"#0072b2\"]')).stroke")
    assert line == {"light": "rgb(0, 114, 178)", "dark": "rgb(43, 140, 204)"}[theme]
    opened.emulate_media(media="print")  # on white paper
    assert (
        opened.evaluate("getComputedStyle(document.querySelector('svg [stroke=\"#0072b2\"]')).stroke")
        == "rgb(0, 114, 178)"
    )
    assert theme_of(opened) == "rgb(255, 255, 255)"


def test_a_figure_enlarges_and_closes(opened):
    opened = opened(375)
    small = visible(opened, ".zoom svg").first
    width = small.bounding_box()["width"]
    small.click()
    large = opened.locator("dialog svg")
    assert large.count() == 2  # both panels
    assert large.first.bounding_box()["width"] > 2 * width
    opened.keyboard.press("Escape")
    assert not large.first.is_visible()


def test_pictures_are_on_the_page_once_for_all_languages(opened, sample):
    html = (sample / SAMPLE).read_text()
    assert len(re.findall(r'href="data:image/webp;base64,[^"]+"', html)) == 1
    opened = opened(language="pt-BR")
    image = visible(opened, "svg image")
    assert image.get_attribute("href").startswith("data:image/webp")
    assert image.bounding_box()["width"] > 100


def test_the_slider_shows_every_kind_of_images_at_another_level(opened):
    opened = opened()
    slider = visible(opened, ".slider")
    assert slider.locator(".classes span").all_inner_texts() == list("0123456789")

    def state(level):
        slider.locator("input").fill(str(level))
        shown = [output.inner_text().replace("\u00a0", " ") for output in slider.locator("output").all()]
        return shown, [strip.screenshot() for strip in slider.locator(".strip").all()]

    mark = slider.locator("small")
    assert slider.locator("input").input_value() == "2"
    assert mark.is_visible()
    texts, pictures = state(0)
    assert texts == ["0.00", "∞ dB", "17.5 dB", "16.3 dB", "15.0 dB"]
    assert not mark.is_visible()
    other_texts, other_pictures = state(2)
    assert other_texts == ["0.85", "10.0 dB", "15.5 dB", "14.0 dB", "11.8 dB"]
    assert len({*pictures, *other_pictures}) == 8  # each strip another row of the picture
    opened.get_by_role("button", name="Português").click()
    slider = visible(opened, ".slider")
    assert state(1)[0] == ["0,50", "12,5 dB", "17,0 dB", "14,5 dB", "13,0 dB"]


def test_a_source_leads_to_its_row_in_the_list_of_files(opened):
    opened = opened(375)
    row = visible(opened, "main").locator("td", has_text="replicates.csv")
    assert not row.is_visible()
    link = visible(opened, "sub a").last
    assert link.inner_text() == "source"
    link.click()
    assert row.is_visible()
    assert 0 < position(row)["y"] < 900


def test_no_link_leads_to_a_file_that_is_not_mailed_with_the_page(open_page, sample):
    links = "[...document.querySelectorAll('a')].map(a => a.getAttribute('href')).filter(href => !href.startsWith('#'))"
    opened = open_page(sample / SAMPLE)
    site, studies = "https://example.org/", ["studies/studies.html#en", "studies/studies.html#pt"]
    assert set(opened.evaluate(links)) == {site, *studies}
    assert "the parameters and" in visible(opened, "main").inner_text()
    found = set(open_page(sample / "mailed.html").evaluate(links))
    repository = "https://example.org/who/what/blob/HEAD/"
    assert {link for link in found if link.endswith(("params.yaml", "replicates.csv"))} == {
        link for link in found if link.startswith(repository) and link.endswith(("params.yaml", "replicates.csv"))
    }
    figures = {file.name for file in (sample / "figures").rglob("*.svg")}
    files = {link.rpartition("/")[2] for link in found if link.startswith(repository)}
    assert files == {"params.yaml", "replicates.csv", *figures}
    assert {site, *studies} <= found


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_serious_fault(any_page, faults, theme):
    opened = any_page(375, theme=theme)
    for language in ("English", "Português"):
        opened.get_by_role("button", name=language).click()
        assert faults(opened) == []


def test_it_prints_without_controls(any_page):
    opened = any_page()
    opened.emulate_media(media="print")
    assert not opened.locator("header").is_visible()
    assert visible(opened, ".slider").count() == 0
    assert visible(opened, "nav").count() == 0
    assert visible(opened, "figure").count() >= 3


def test_text_is_escaped_and_pictures_are_inside(tmp_path):
    (tmp_path / "a.png").write_bytes(b"picture")
    text = '# A <b> & "c"\n\n![<i>](a.png)\n\n*Caption `x < y`.*\n\n| a |\n|---|\n| 1 < 2 |\n'
    html = page({"en": text, "pt": text.replace("# A", "# B")}, tmp_path, {})
    assert 'src="data:image/png;base64,cGljdHVyZQ=="' in html
    assert 'alt="&lt;i&gt;"' in html
    assert "<figcaption><em>Caption <code>x &lt; y</code>.</em></figcaption>" in html
    assert "1 &lt; 2" in html


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("en", "20.03 dB, 91% and 3 nats", "20.03~dB, 91% and 3~nats"),
        ("en", "Figure 3 of section 2, Figures 3 to 5", "Figure~3 of section~2, Figures~3 to 5"),
        ("en", "0.5 points or 12 images", "0.5~points or 12 images"),
        ("pt", "Figura 3 da seção 2, 0,5 ponto, 2,0 pontos", "Figura~3 da seção~2, 0,5~ponto, 2,0~pontos"),
        ("pt", "91,90 ± 0,43 (+1,29 a +2,10)", "91,90~±~0,43 (+1,29~a~+2,10)"),
        ("en", "(2 dAEs share 500 labels)", "(2 dAEs share 500 labels)"),
        ("en", "3 dBs", "3 dBs"),
    ],
)
def test_no_line_ends_between_a_number_and_its_unit(language, text, expected):
    assert unbroken(text, language) == expected.replace("~", "\u00a0")


def test_anchors_are_those_of_github():
    assert slug("5. Why not? A test: (b)") == "5-why-not-a-test-b"
