import base64
import io
import re
import subprocess
import sys
from xml.etree import ElementTree

import numpy as np
import pytest
from matplotlib.figure import Figure
from PIL import Image

from reporting.common.figures import BLUE, GREEN, ORANGE, PURPLE, SKY, VERMILION, panels
from reporting.common.svg import DARK, as_svg

NAMESPACE = "{http://www.w3.org/2000/svg}"


def draw(title='a < b & "c"') -> Figure:
    figure = Figure()
    axis = figure.subplots()
    axis.plot([1, 2, 3], [0.25, 1 / 3, 0.5], color=BLUE, marker="o")
    axis.scatter([1, 2], [0.3, 0.4], color=VERMILION, alpha=0.5)
    axis.set_title(title)
    return figure


def elements(svg, tag):
    return list(ElementTree.fromstring(svg).iter(NAMESPACE + tag))


def test_text_stays_text_and_colours_stay_colours():
    svg = as_svg(draw())
    assert 'a < b & "c"' in ["".join(text.itertext()) for text in elements(svg, "text")]
    colours = set(re.findall(r'(?:fill|stroke)="(#?\w+)"', svg.partition("</style>")[2]))
    assert {"currentColor", BLUE.lower(), VERMILION.lower()} <= colours
    assert "#000000" not in colours  # text and axes have the colour of the page's text
    assert "#ffffff" not in svg.partition("</style>")[2]  # and nothing hides the page


def test_points_lie_where_they_were_drawn():
    figure = Figure(figsize=(2, 1), layout="none")
    axis = figure.add_axes((0, 0, 1, 1))
    axis.set_axis_off()
    axis.set(xlim=(0, 2), ylim=(0, 1))
    axis.plot([0.5, 1.5, 1.0], [0.25, 0.75, 0.5], color=GREEN)
    svg = as_svg(figure)
    (path,) = [path for path in elements(svg, "path") if path.get("stroke") == GREEN.lower()]
    assert path.get("d") == "M36 54 108 18 72 36"
    assert ElementTree.fromstring(svg).get("viewBox") == "0 0 144 72"


def test_curves_and_closed_shapes_keep_their_commands():
    figure = draw()
    figure.axes[0].fill_between([1, 2], [0.3, 0.3], [0.4, 0.4], color=GREEN)
    drawn = [path.get("d") for path in elements(as_svg(figure), "path")]
    assert any(re.fullmatch(r"M-?[\d.]+ -?[\d.]+C(-?[\d.]+ ?){6,}.*z", path) for path in drawn)  # a round marker
    numbers = [number for path in drawn for number in re.findall(r"-?[\d.]+", path)]
    assert max(len(number.partition(".")[2]) for number in numbers) == 2


def test_the_same_figure_gives_the_same_bytes_whatever_the_hash_seed():
    code = (
        "import dae\n"
        "from matplotlib.figure import Figure\n"
        "from reporting.common.svg import as_svg\n"
        "figure = Figure()\n"
        "figure.subplots().scatter([1, 2], [3, 4])\n"
        "print(as_svg(figure))\n"
    )
    outputs = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, text=True, check=True
        ).stdout
        for seed in ("1", "2")
    }
    assert len(outputs) == 1
    assert "<svg" in outputs.pop()


def test_names_are_used_and_nothing_tells_of_matplotlib_or_the_day():
    svg = as_svg(draw())
    names = re.findall(r'\bid="([^"]*)"', svg)
    assert names
    assert set(names) == set(re.findall(r'(?:href="|url\()#([\w-]+)', svg))
    for word in ("atplotlib", "metadata", "DOCTYPE", "date", "xlink", "style="):
        assert word not in svg, word


def test_members_of_a_group_have_their_common_colour_from_it():
    figure = Figure()
    figure.subplots().scatter(range(30), range(30), color=GREEN)
    (group,) = [group for group in elements(as_svg(figure), "g") if group.get("fill") == GREEN.lower()]
    assert len(group) == 30
    assert {tuple(sorted(member.attrib)) for member in group} == {("href", "x", "y")}


@pytest.mark.parametrize("channels", [(), (4,)], ids=["grey", "with opacity"])
def test_pictures_lose_nothing_of_what_matplotlib_makes(channels):
    pixels = np.random.default_rng(0).integers(0, 256, (5, 7, *channels), dtype=np.uint8)
    figure = Figure(figsize=(2, 2))
    figure.subplots().imshow(pixels, cmap="gray", vmin=0, vmax=255, interpolation="none")
    plain = io.StringIO()
    figure.savefig(plain, format="svg")
    (image,) = elements(as_svg(figure), "image")
    assert "pixelated" in image.get("style")
    found = []
    for kind, text in (("png", plain.getvalue()), ("webp", image.get("href"))):
        data = re.search(f'data:image/{kind};base64,([^"]+)', text)[1]
        found.append(np.asarray(Image.open(io.BytesIO(base64.b64decode(data))).convert("RGBA")))
    seen = found[0][..., 3] > 0  # what cannot be seen has no colour
    assert np.array_equal(found[0][seen], found[1][seen])
    assert np.array_equal(found[0][..., 3], found[1][..., 3])
    assert len(np.unique(found[1], axis=0)) > 1


def luminance(colour: str) -> float:
    """Relative luminance, as WCAG 2.2 defines it."""
    channels = np.array([int(colour[i : i + 2], 16) for i in (1, 3, 5)]) / 255
    linear = np.where(channels <= 0.04045, channels / 12.92, ((channels + 0.055) / 1.055) ** 2.4)
    return float(linear @ [0.2126, 0.7152, 0.0722])


@pytest.mark.parametrize(
    "colour", [BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY, "#444444", "#777777", "#888888", "#999999"]
)
def test_lines_are_seen_on_a_dark_page(colour):
    """WCAG asks for a contrast of 3 for what is no text."""
    dark = DARK.get(colour.lower(), colour)
    assert (luminance(dark) + 0.05) / (luminance(DARK["#ffffff"]) + 0.05) >= 3


def test_colours_that_are_told_apart_in_the_light_are_told_apart_in_the_dark():
    dark = [DARK.get(colour.lower(), colour.lower()) for colour in (BLUE, VERMILION, GREEN, PURPLE, ORANGE, SKY)]
    assert len(set(dark)) == 6


def test_panels_have_letters_and_sizes():
    figures, axes = panels(2.0, 3.0)
    assert [axis.get_title(loc="left") for axis in axes] == ["A", "B"]
    assert [figure.get_size_inches().tolist() for figure in figures] == [[4.2, 2.0], [4.2, 3.0]]
    assert [axis.figure for axis in axes] == figures
