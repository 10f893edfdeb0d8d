import numpy as np
import pytest
from PIL import Image

from stages import predict
from stages._stage import StageError


@pytest.fixture
def dark_on_light(mnist):
    return Image.fromarray(255 - mnist["test_images"][0]).resize((90, 90))


def as_16_bits(image):
    return Image.fromarray(np.asarray(image).astype(np.uint16) * 257)


def transparent(colour):
    def change(image):
        result = Image.new("RGBA", image.size, colour)
        result.putalpha(Image.fromarray(255 - np.asarray(image)))
        return result

    return change


@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("grey.png", lambda image: image),
        ("colour.jpg", lambda image: image.convert("RGB")),
        ("palette.png", lambda image: image.convert("P")),
        ("deep.png", as_16_bits),
        ("black-on-nothing.png", transparent("black")),
        ("white-on-nothing.png", transparent("white")),
    ],
)
def test_png_and_jpeg_of_every_kind_give_the_same_digit(mnist, dark_on_light, tmp_path, name, change):
    change(dark_on_light).save(tmp_path / name)
    _, (seen,) = predict.prepare([str(tmp_path / name)])
    assert np.abs(seen.astype(float) - mnist["test_images"][0]).mean() < 12


def test_a_photograph_is_turned_upright_and_shrunk(dark_on_light, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    dark_on_light.rotate(90).resize((2400, 1200)).save(tmp_path / "turned.jpg", exif=exif)
    original = predict.read_grey(str(tmp_path / "turned.jpg"))
    assert original.shape == (1000, 500)
    upright = np.asarray(dark_on_light.resize((500, 1000)))
    assert np.abs(original.astype(float) - upright).mean() < 10


def test_every_bad_file_has_one_line(tmp_path, dark_on_light):
    dark_on_light.save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:200])
    (tmp_path / "notes.png").write_text("no image")
    (tmp_path / "empty.jpg").touch()
    Image.new("L", (20, 20), 255).save(tmp_path / "blank.png")
    names = [
        str(tmp_path / name) for name in ("whole.png", "cut.png", "notes.png", "empty.jpg", "blank.png", "none.png")
    ]
    with pytest.raises(StageError) as raised:
        predict.prepare([*names, str(tmp_path)])
    lines = str(raised.value).splitlines()
    assert [line.split(": ")[0] for line in lines] == [*names[1:], str(tmp_path)]
    reasons = ["truncated", "no image", "no image", "no digit", "no such file", "directory"]
    assert all(reason in line for reason, line in zip(reasons, lines, strict=True))


def test_each_picture_has_its_digit_and_probabilities_in_per_cent(dark_on_light, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    dark_on_light.save("a.png")
    dark_on_light.save("long-name.png")
    probabilities = np.array([[0, 0, 0, 0.125, 0, 0, 0, 0.75, 0.125, 0], [0.25, 0.5, 0.25, *[0] * 7]])
    seen = []

    def apply_networks(images):
        seen.append(images)
        return probabilities, images

    monkeypatch.setattr(predict, "apply_networks", apply_networks)
    monkeypatch.setattr("sys.argv", ["predict", "a.png", "long-name.png", "--output", "out.png"])
    predict.main(None)
    assert capsys.readouterr().out.splitlines() == [
        "probability (%)  digit       0      1      2      3      4      5      6      7      8      9",
        "a.png              7     0.0    0.0    0.0   12.5    0.0    0.0    0.0   75.0   12.5    0.0",
        "long-name.png      1    25.0   50.0   25.0    0.0    0.0    0.0    0.0    0.0    0.0    0.0",
        "what the networks saw: out.png",
    ]
    assert seen[0].shape == (2, 784)
    assert 0.9 < seen[0].max() <= 1
    assert (tmp_path / "out.png").is_file()
