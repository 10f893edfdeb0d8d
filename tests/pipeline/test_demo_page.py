"""The page to play with, of a small pipeline, in a real browser: against Keras, against predict, and in use."""

import functools
import json
import re

import numpy as np
import pytest
from drawn import enlarged

from dae.core.backend import keras
from dae.core.images import corrupt, rescale, scale
from dae.pictures import as_mnist
from stages.common.params import CORRUPTIONS
from stages.demo import LIKED, NETWORKS, SETS

SHEET = 200  # pixels of the sheet's side, in the page's own count
STROKES = {  # of a digit, by places on the sheet
    0: [[(100 + 45 * np.cos(t), 100 + 65 * np.sin(t)) for t in np.linspace(0, 2 * np.pi, 40)]],
    1: [[(105, 30), (100, 100), (95, 170)]],
    7: [[(55, 40), (145, 40), (120, 100), (95, 165)]],
}


@pytest.fixture
def opened(small, open_page):
    return functools.partial(open_page, small.folder / "data/demo/demo.html")


def draw(page, strokes):
    box = page.locator("#sheet").bounding_box()
    scale = box["width"] / SHEET
    for (x, y), *others in strokes:
        page.mouse.move(box["x"] + scale * x, box["y"] + scale * y)
        page.mouse.down()
        for x, y in others:
            page.mouse.move(box["x"] + scale * x, box["y"] + scale * y)
        page.mouse.up()
    settled(page)


def settled(page):
    """Wait until the page has shown what was drawn."""
    page.evaluate("new Promise(done => requestAnimationFrame(() => requestAnimationFrame(done)))")


def call(page, function, argument):
    """What a function gives in the page; it goes as text, as long arrays take Playwright several times as long."""
    return json.loads(page.evaluate(f"text => JSON.stringify(({function})(JSON.parse(text)))", json.dumps(argument)))


def pixels(page, name):
    return np.array(call(page, "name => [...greys(find(name).getContext('2d'))]", name))


def answer(page):
    return page.locator("#answer").inner_text()


def level(page, value):
    page.get_by_role("slider").fill(str(value))


def test_the_networks_of_the_page_are_those_of_keras(opened, small, mnist):
    """On 1,000 test images, though the page has few bits a weight."""
    images = mnist["test_images"][:1000].reshape(1000, -1)
    script = """images => images.map(image => {
        const found = results(Float64Array.from(image, pixel => pixel / 255), "masking", 0);
        return ["dae", "with", "without"].map(name => [...found[name === "dae" ? "restored" : name]]);
    })"""
    answers = call(opened(), script, images.tolist())
    models = [keras.models.load_model(small.folder / path, compile=False) for path in NETWORKS.values()]
    restored, *probabilities = (np.array(found) for found in zip(*answers, strict=True))
    clean = scale(images)
    assert np.abs(restored - keras.ops.sigmoid(models[0](clean))).mean() < 0.005
    for found, model in zip(probabilities, models[1:], strict=True):
        expected = np.asarray(keras.ops.softmax(model(clean)))
        assert (found.argmax(axis=1) == expected.argmax(axis=1)).mean() >= 0.995
        assert np.abs(found - expected).mean() < 0.005


def test_the_noise_of_the_page_is_that_of_the_pipeline(opened):
    page = opened()
    assert page.evaluate("Object.keys(corruptions)") == list(CORRUPTIONS)
    clean = np.linspace(0, 1, 784, dtype=np.float32)
    script = """([clean, corruption, level]) => Array.from({length: 40}, () => {
        drawNoise();
        return [...results(Float64Array.from(clean), corruption, level).noisy];
    })"""
    for corruption in CORRUPTIONS:
        for noise in (0.0, 0.3, 1.0):
            found = np.array(call(page, script, [clean.tolist(), corruption, noise]))
            expected = np.asarray(corrupt(np.tile(clean, (40, 1)), corruption, noise, [0, 1]))
            shares = [
                [(noisy == 0).mean(), (noisy == 1).mean(), *np.histogram(noisy, 10, (0, 1))[0] / noisy.size]
                for noisy in (found, expected)
            ]
            assert np.allclose(*shares, atol=0.02), corruption
            means = [noisy.reshape(40, 28, 28).mean(axis=(0, 2)) for noisy in (found, expected)]
            assert np.allclose(*means, atol=0.1), corruption
            seen = page.evaluate("x => [...rescale(Float64Array.from(x[0]), x[1], x[2])]", [[0.25], corruption, noise])
            assert seen == pytest.approx(np.asarray(rescale(np.array([0.25]), corruption, noise)))


def test_a_drawing_is_prepared_as_predict_prepares_a_picture(opened, mnist):
    """Digits of MNIST in ink, and lines of the mouse; also what is no digit, or several."""
    script = """ink => {
        const found = prepared(Float64Array.from(ink), data.preparation);
        return found.image ? [...found.image] : found;
    }"""
    page = opened()

    def compare(sheet):
        expected = as_mnist(np.round(255 * sheet).astype(np.uint8)).ravel().astype(int)
        found = np.array(call(page, script, sheet.ravel().tolist()))
        assert np.abs(found - expected).max() <= 3
        assert np.abs(found - expected).mean() < 0.2

    for number in range(40):
        size = 60 + 3 * number
        sheet = np.zeros((SHEET, SHEET))
        sheet[10 : 10 + size, -10 - size : -10] = enlarged(mnist["test_images"][number], size)
        compare(np.round(255 * sheet) / 255)
    for strokes in STROKES.values():
        page.get_by_role("button", name="Clear").click()
        draw(page, strokes)
        compare(pixels(page, "sheet").reshape(SHEET, SHEET))

    blank, two = np.zeros((SHEET, SHEET)), np.zeros((SHEET, SHEET))
    two[50:150] = np.hstack([enlarged(image, 100) for image in mnist["test_images"][:2]])
    for sheet, expected in ((blank, {"problem": "nothing"}), (two, {"problem": "several", "n": 2})):
        assert call(page, script, sheet.ravel().tolist()) == expected
        with pytest.raises(ValueError, match=r"no digit" if sheet is blank else "2 digits"):
            as_mnist(np.round(255 - 255 * sheet).astype(np.uint8))


@pytest.mark.parametrize("digit", STROKES)
def test_a_drawn_digit_is_recognised(opened, digit):
    page = opened()
    level(page, 0)
    draw(page, STROKES[digit])
    assert re.match(rf"With pre-training: {digit} \(\d+%\)\. Without: \d", answer(page))
    best = page.locator("#probabilities tr").nth(digit).locator(".best").first
    assert best.inner_text() == page.locator("#probabilities .best").first.inner_text()
    assert (pixels(page, "clean") == pixels(page, "noisy")).all()
    assert page.locator("#choices [aria-pressed=true]").count() == 0


def test_a_finger_draws_too(small, open_page):
    page = open_page(small.folder / "data/demo/demo.html", 375)
    level(page, 0)
    page.locator("#sheet").scroll_into_view_if_needed()
    box = page.locator("#sheet").bounding_box()
    assert page.evaluate("getComputedStyle(sheet).touchAction") == "none"  # the page does not scroll under it
    client = page.context.new_cdp_session(page)
    client.send("Emulation.setTouchEmulationEnabled", {"enabled": True})
    scale = box["width"] / SHEET
    places = [{"x": box["x"] + scale * x, "y": box["y"] + scale * y} for x, y in STROKES[1][0]]
    for kind, points in [("touchStart", places[:1]), *(("touchMove", [p]) for p in places[1:]), ("touchEnd", [])]:
        client.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": points})
    page.wait_for_function("find('answer').textContent.startsWith('With pre-training: 1 ')")


def test_the_keyboard_draws_and_a_screen_reader_is_told(opened):
    page = opened()
    level(page, 0)
    page.get_by_role("button", name="Clear").click()
    assert answer(page) == "There is no digit yet: draw one, or take a test image."
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement.id") == "sheet"
    assert page.get_by_role("application", name="sheet to draw on").is_visible()
    assert page.locator(".pen").is_visible()
    for _ in range(11):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    page.wait_for_function("document.querySelector('[role=status]').textContent === 'pen down'")
    for _ in range(22):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    settled(page)
    assert answer(page).startswith("With pre-training: 1 ")
    page.wait_for_function("document.querySelector('[role=status]').textContent === find('answer').textContent")


def test_noise_level_and_corruption_change_what_is_seen(opened, small):
    page = opened()
    params = (small.folder / "params.yaml").read_text()
    assert page.get_by_role("combobox").input_value() == re.search(r"(?m)^corruption: (\w+)", params)[1]
    assert page.get_by_role("slider").input_value() == re.search(r"(?m)^noise: ([\d.]+)", params)[1]

    def state():
        return {name: pixels(page, name) for name in ("noisy", "restored")} | {
            name: np.array(page.locator(f"#{name}").inner_html()) for name in ("probabilities", "units")
        }

    before = state()
    for change in (
        lambda: page.get_by_role("button", name="New noise").click(),
        lambda: level(page, 0.3),
        lambda: page.get_by_role("combobox").select_option("gaussian"),
        lambda: page.get_by_role("button", name="test image of a 3").click(),
    ):
        change()
        after = state()
        assert all((after[name] != before[name]).any() for name in before)
        before = after


def test_test_images_are_one_of_each_class_and_others_can_be_had(opened):
    page = opened()
    seen = []
    for _ in range(SETS):
        names = page.locator("#choices button").evaluate_all("all => all.map(one => one.getAttribute('aria-label'))")
        assert names == [f"test image of a {digit}" for digit in range(10)]
        seen.append(page.locator("#choices").screenshot())
        page.get_by_role("button", name="Other test images").click()
    assert len(set(seen)) == SETS
    page.get_by_role("button", name="test image of a 4").click()
    assert page.locator("#choices [aria-pressed=true]").get_attribute("aria-label") == "test image of a 4"
    assert pixels(page, "clean").max() > 0.9


def test_the_images_of_a_unit_are_those_that_excite_it_most(opened, small, mnist):
    page = opened()
    found = page.evaluate(
        "data.liked.map((images, unit) => images.map(n => results(pixelsOf(n), 'masking', 0).code[unit]))"
    )
    found, strongest = np.array(found), np.array(page.evaluate("data.strongest"))
    assert found.shape == (len(strongest), LIKED)
    autoencoder = keras.models.load_model(small.folder / NETWORKS["dae"], compile=False)
    encoder = keras.Model(autoencoder.input, autoencoder.layers[len(autoencoder.layers) // 2].output)
    codes = np.sort(encoder.predict(mnist["test_images"].reshape(10_000, -1) / 255, verbose=0), axis=0)
    assert np.allclose(strongest, codes[-1], atol=1e-4)
    assert np.allclose(found, codes[: -LIKED - 1 : -1].T, rtol=0.03, atol=0.03)
    shown = page.locator("#units li:visible")
    assert 0 < shown.count() <= min(12, len(strongest))
    widths = [float(re.search(r"([\d.]+)%", bar.get_attribute("style"))[1]) for bar in shown.locator("i").all()]
    assert widths == sorted(widths, reverse=True)


@pytest.mark.parametrize("language", ["en-US", "pt-BR"])
@pytest.mark.parametrize("width", [375, 1280])
def test_nothing_overflows_in_either_language(opened, overflowing, width, language):
    page = opened(width, language)
    assert overflowing(page) == []
    assert page.evaluate("document.documentElement.lang") == ("pt-BR" if language == "pt-BR" else "en")
    assert page.evaluate("[...document.querySelectorAll('[data-word]')].every(element => element.textContent)")
    assert "undefined" not in page.locator("body").inner_text()


def test_the_switches_change_language_and_theme(opened):
    page = opened(theme="dark")
    page.get_by_role("button", name="Português").click()
    assert page.title() == page.locator("h1").inner_text() == "Um denoising autoencoder para experimentar"
    assert re.match(r"Com pré-treinamento: \d \(\d+%\)\. Sem: \d", answer(page))
    assert re.search(r"\d,\d", page.locator("#probabilities").inner_text())
    background = "getComputedStyle(document.body).backgroundColor"
    dark = page.evaluate(background)
    page.locator("#theme").click()
    light = page.evaluate(background)
    assert light != dark
    page.reload()  # both are kept
    page.wait_for_function("document.title === 'Um denoising autoencoder para experimentar'")
    assert page.evaluate(background) == light


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_axe_finds_no_serious_fault(opened, faults, theme):
    page = opened(375, theme=theme)
    for language in ("English", "Português"):
        page.get_by_role("button", name=language).click()
        assert faults(page) == []
