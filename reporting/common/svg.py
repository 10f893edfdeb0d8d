"""Writes figures as SVG: small, the same bytes for the same figure, with a light and a dark form.

A file that is opened alone, as on GitHub, has the theme of the browser. A page that has the SVG inside leaves out its
style sheet and sets the colours of `DARK` by its own.
"""

import base64
import io
import re
from xml.etree.ElementTree import Element, fromstring

from matplotlib.figure import Figure
from PIL import Image

DARK = {  # colours that cannot be seen well on a dark page, and what stands for them there
    "#ffffff": "#15181c",
    "#dddddd": "#3a424c",
    "#444444": "#c3c9d1",
    "#0072b2": "#2b8ccc",
}
STYLE = (
    "svg{background:#ffffff;color:#1c1e21}@media(prefers-color-scheme:dark){svg{background:#15181c;color:#e4e6eb}"
    + "".join(f'[{kind}="{light}"]{{{kind}:{dark}}}' for light, dark in DARK.items() for kind in ("fill", "stroke"))
    + "}"
)
FONTS = "system-ui,'Segoe UI',Roboto,'Noto Sans','DejaVu Sans',sans-serif"
USUAL = {"text-anchor": "start", "stroke-linecap": "butt", "stroke-linejoin": "round", "font-family": ""}
INHERITED = re.compile("(fill|stroke|font)")  # a group can have these attributes for its members


def as_svg(figure: Figure) -> str:
    """Write a figure, whose text stays text: the reader's own font draws it, and it can be searched and read out."""
    file = io.StringIO()
    figure.savefig(file, format="svg", transparent=True, metadata=dict.fromkeys(("Creator", "Date", "Format", "Type")))
    root = fromstring(file.getvalue())  # noqa: S314 - matplotlib wrote it
    used = dict.fromkeys(re.findall(r'(?:href="|url\()#([\w-]+)', file.getvalue()))
    names = {name: f"n{number}" for number, name in enumerate(used)}
    for element in root.iter():
        _shorten(element, names)
    width, height = (float(n) for n in root.attrib["viewBox"].split()[2:])
    settings = {
        "xmlns": "http://www.w3.org/2000/svg",
        "viewBox": f"0 0 {width:g} {height:g}",
        "width": f"{width * 4 / 3:.0f}",  # pixels in place of points
        "height": f"{height * 4 / 3:.0f}",
        "fill": "currentColor",
        "font-family": FONTS,
        "stroke-linejoin": "round",
    }
    return f"<svg{_listed(settings)}><style>{STYLE}</style>{''.join(map(_written, root))}</svg>\n"


def _shorten(element: Element, names: dict[str, str]) -> None:
    """Give an element its shortest form: its style as attributes, without usual values and names that nobody uses."""
    element.tag = element.tag.split("}")[1]
    found = {name.split("}")[-1]: value for name, value in element.attrib.items()}
    style = [setting.split(":", 1) for setting in found.pop("style", "").split(";") if setting]
    found |= {name.strip(): value.strip() for name, value in style}
    if element.tag == "image":
        found["href"] = _as_webp(found["href"])
        found["style"] = f"image-rendering:{found.pop('image-rendering')}"
    element.attrib.clear()
    for name, value in found.items():
        if name == "id":
            value = names.get(value, "")
        elif name == "font-size":
            value = value.removesuffix("px")
        elif value.startswith(("#", "url(#")):
            value = re.sub(r"#([\w-]+)", lambda found: "#" + names.get(found[1], found[1]), value)
            value = "currentColor" if value == "#000000" else value
        elif name == "d":
            value = _path(value)
        elif name in ("x", "y", "width", "height", "transform", "stroke-width", "points"):
            value = re.sub(r"-?\d*\.\d+", lambda found: _number(found[0]), value)
        if value not in ("", USUAL.get(name)) and not value.startswith("rotate(-0 ") and name != "font-family":
            element.set(name, value)


def _number(text: str) -> str:
    """A number with at most two digits after the point: a hundredth of a point cannot be seen."""
    return f"{round(float(text), 2) + 0:g}"


def _path(commands: str) -> str:
    """The `d` of a path: a letter that follows from the one before it is left out."""
    written, last = "", ""
    for letter, numbers in re.findall(r"([A-Za-z])([^A-Za-z]*)", commands):
        implied = {"M": "L"}.get(last, last)
        written += (" " if letter == implied != "z" else letter) + " ".join(map(_number, numbers.split()))
        last = letter
    return written


def _as_webp(uri: str) -> str:
    """A picture as lossless WebP, which is smaller than matplotlib's PNG."""
    image, file = Image.open(io.BytesIO(base64.b64decode(uri.split(",")[1]))), io.BytesIO()
    image.save(file, "WEBP", lossless=True)  # its slowest method makes files 7% smaller, and takes 100 times as long
    return f"data:image/webp;base64,{base64.b64encode(file.getvalue()).decode()}"


def _written(element: Element) -> str:
    """An element and those in it, without those that show nothing; what members of a group share, the group has."""
    nothing = element.tag == "path" and element.get("fill") == "none" and "stroke" not in element.attrib
    if nothing or element.tag in ("metadata", "style"):
        return ""
    if element.tag == "g" and len(element) > 1 and {member.tag for member in element} == {"use"}:
        for name, value in list(element[0].items()):
            if INHERITED.match(name) and all(member.get(name) == value for member in element):
                element.set(name, value)
                for member in element:
                    del member.attrib[name]
    inside = _escaped(element.text) if element.tag in ("text", "tspan") else ""
    inside += "".join(map(_written, element))
    if element.tag in ("g", "defs") and not (inside and (element.attrib or element.tag == "defs")):
        return inside
    tag = f"{element.tag}{_listed(element.attrib)}"
    return f"<{tag}>{inside}</{element.tag}>" if inside else f"<{tag}/>"


def _listed(attributes: dict[str, str]) -> str:
    return "".join(f' {name}="{_escaped(value)}"' for name, value in attributes.items())


def _escaped(text: str | None) -> str:
    return (text or "").replace("&", "&amp;").replace("<", "&lt;").replace('"', "&quot;")
