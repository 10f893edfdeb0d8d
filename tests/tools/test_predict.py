import os
import re
import shutil
import subprocess
import sys

import numpy as np
import pytest
from drawn import ONE
from PIL import Image

from stages.common.errors import StageError
from tools import predict


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
    _, _, (seen,), _ = predict.prepare([str(tmp_path / name)])
    assert np.abs(seen.astype(float) - mnist["test_images"][0]).mean() < 12


def test_a_photograph_is_turned_upright_and_shrunk(dark_on_light, tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 90 degrees
    dark_on_light.rotate(90).resize((2400, 1200)).save(tmp_path / "turned.jpg", exif=exif)
    original = predict.read_grey(str(tmp_path / "turned.jpg"))
    assert original.shape == (400, 200)
    upright = np.asarray(dark_on_light.resize((200, 400)))
    assert np.abs(original.astype(float) - upright).mean() < 10


def test_a_photograph_that_the_phone_has_turned_gives_the_same_digit(mnist, tmp_path):
    picture = ONE["uneven light"](mnist["test_images"][0], np.random.default_rng(0))
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.fromarray(picture).rotate(90).save(tmp_path / "turned.jpg", exif=exif, quality=95)
    Image.fromarray(picture).save(tmp_path / "upright.png")
    _, _, (turned, upright), _ = predict.prepare([str(tmp_path / "turned.jpg"), str(tmp_path / "upright.png")])
    assert np.abs(turned.astype(float) - upright).mean() < 8


def test_every_bad_file_has_one_line_and_the_good_ones_are_kept(tmp_path, dark_on_light):
    dark_on_light.save(tmp_path / "whole.png")
    (tmp_path / "cut.png").write_bytes((tmp_path / "whole.png").read_bytes()[:200])
    (tmp_path / "notes.png").write_text("no image")
    (tmp_path / "empty.jpg").touch()
    Image.new("L", (20, 20), 255).save(tmp_path / "blank.png")
    two = Image.new("L", (180, 90))
    two.paste(dark_on_light, (0, 0))
    two.paste(dark_on_light, (90, 0))
    two.save(tmp_path / "two.png")
    bad = [str(tmp_path / name) for name in ("cut.png", "notes.png", "empty.jpg", "blank.png", "two.png", "none.png")]
    good, originals, seen, problems = predict.prepare([*bad, str(tmp_path), str(tmp_path / "whole.png")])
    assert good == [str(tmp_path / "whole.png")]
    assert len(originals) == len(seen) == 1
    assert [line.split(": ")[0] for line in problems] == [*bad, str(tmp_path)]
    reasons = ["truncated", "no image", "no image", "no digit", "2 digits", "no such file", "directory"]
    assert all(reason in line for reason, line in zip(reasons, problems, strict=True))


@pytest.fixture
def folder(root, mnist, dark_on_light, tmp_path, monkeypatch):
    """A project's folder with two pictures, where the networks do next to nothing."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(root / "params.yaml", "params.yaml")
    for path in (predict.CLASSIFIER, predict.DAE, predict.TEST_IMAGES):
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).touch()
    np.save(predict.TEST_IMAGES, mnist["test_images"][:200])
    monkeypatch.setattr(predict, "apply_networks", lambda images: (np.tile(np.eye(10)[7], (len(images), 1)), images))
    dark_on_light.save("one.png")
    dark_on_light.save("other.png")
    return tmp_path


def call(monkeypatch, *arguments):
    monkeypatch.setattr(sys, "argv", ["predict", *arguments])
    predict.main()


def test_the_good_pictures_have_their_answers_and_the_bad_ones_their_errors(folder, monkeypatch, capsys):
    before = sorted(folder.rglob("*"))
    with pytest.raises(StageError, match=r"\Anothing\.png: there is no such file\Z"):
        call(monkeypatch, "one.png", "nothing.png", "other.png")
    rows = re.findall(r"(?m)^(\S+\.png) +(\d) +([\d. ]+)$", capsys.readouterr().out)
    percent = " ".join(["0.0"] * 7 + ["100.0"] + ["0.0"] * 2)
    assert [(name, digit, " ".join(row.split())) for name, digit, row in rows] == [
        ("one.png", "7", percent),
        ("other.png", "7", percent),
    ]
    assert sorted(folder.rglob("*")) == sorted([*before, folder / "predictions.png"])  # and no record of a run


def test_an_odd_picture_is_marked(folder, monkeypatch, capsys):
    def networks(images):
        denoised = images.copy()
        denoised[-1] = 1 - denoised[-1]  # the last picture's
        return np.tile(np.eye(10)[7], (len(images), 1)), denoised

    monkeypatch.setattr(predict, "apply_networks", networks)
    call(monkeypatch, "one.png", "other.png")
    one, other = capsys.readouterr().out.splitlines()[1:3]
    assert not one.endswith("hardly a digit")
    assert other.endswith("hardly a digit")


def test_the_command_twice_on_all_pictures_never_reads_its_own_overview(folder, monkeypatch, capsys):
    for _ in range(2):
        call(monkeypatch, *sorted(path.name for path in folder.glob("*.png")))
        output = capsys.readouterr()
        assert len(re.findall(r"(?m)^o\w+\.png", output.out)) == 2
    assert output.err == "predictions.png: left out, since this command drew it\n"
    with pytest.raises(StageError, match="no picture is left"):
        call(monkeypatch, "predictions.png")


@pytest.mark.parametrize("ending", predict.ENDINGS)
def test_each_ending_is_written(folder, monkeypatch, ending):
    call(monkeypatch, "one.png", "--output", f"new/result{ending}")
    assert (folder / f"new/result{ending}").stat().st_size > 1000


def test_hundreds_of_pictures_are_drawn_up_to_a_limit(folder, monkeypatch, capsys):
    monkeypatch.setattr(predict, "DRAWN", 3)
    call(monkeypatch, *["one.png"] * 5)
    assert "predictions.png, the first 3 of 5 pictures" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("arguments", "line"),
    [
        (["one.png", "--output", "result"], "--output result: this ending will not do; allowed are .png, .pdf, .svg"),
        (["one.png", "--output", "./one.png"], "--output ./one.png: this is one of the pictures, and would be over"),
        (["one.png", "--size", "3"], "unrecognized arguments: --size 3; --help tells more"),
        ([], "the following arguments are required: IMAGE; --help tells more"),
    ],
)
def test_a_mistake_in_the_command_ends_before_any_work(folder, monkeypatch, arguments, line):
    before = {path: path.stat().st_mtime_ns for path in folder.rglob("*")}
    with pytest.raises(StageError) as raised:
        call(monkeypatch, *arguments)
    assert str(raised.value).startswith(line)
    assert len(str(raised.value).splitlines()) == 1
    assert {path: path.stat().st_mtime_ns for path in folder.rglob("*")} == before


def test_help_and_errors_need_no_project(root, tmp_path):
    def run(*arguments):
        command = [sys.executable, "-m", "tools.predict", *arguments]
        environment = os.environ | {"PYTHONPATH": str(root)}
        return subprocess.run(command, cwd=tmp_path, env=environment, capture_output=True, text=True)

    assert "--output FILE" in run("--help").stdout
    failed = run("one.png")
    assert failed.returncode == 1
    assert [line[: len("ERROR: there is no data/")] for line in failed.stderr.splitlines()] == [
        "ERROR: there is no data/"
    ] * 3
