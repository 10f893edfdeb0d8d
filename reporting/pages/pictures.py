"""Puts figures into a page: SVG as elements, which have the page's colours and font, other pictures as data."""

import base64
import re
from itertools import count
from pathlib import Path

from markdown_it.token import Token
from markupsafe import escape

TYPES = {".png": "image/png", ".webp": "image/webp"}


class Pictures:
    """The pictures of a page, which has each of them once though several languages show it."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._numbers = count()
        self._named: dict[str, str] = {}

    def into_figures(self, tokens: list[Token]) -> list[Token]:
        """Turn each paragraph of pictures into a figure; an emphasised paragraph after it becomes the caption."""
        done: list[Token] = []
        i = 0
        while i < len(tokens):
            images = _images(tokens[i : i + 2])
            if not images:
                done.append(tokens[i])
                i += 1
                continue
            drawn = [self._drawn(self.folder / str(image.attrs["src"]), image.content) for image in images]
            size = "wide" if len(drawn) > 1 or "<im" in drawn[0] else "narrow"
            button = f'<button class="zoom" type="button">{"".join(drawn)}</button>'
            done.append(_html(f'<figure class="{size}">{button}'))
            i += 3
            if i < len(tokens) and tokens[i].type == "paragraph_open" and tokens[i + 1].content.startswith("*"):
                done += [_html("<figcaption>"), tokens[i + 1], _html("</figcaption>")]
                i += 3
            done.append(_html("</figure>\n"))
        return done

    def _drawn(self, path: Path, words: str) -> str:
        """A picture as HTML; its name is `words`, and without them it belongs to the picture before it."""
        if path.suffix != ".svg":
            return f'<img src="{data_uri(path)}" alt="{escape(words)}">'
        number = next(self._numbers)
        svg = re.sub(r"<style>.*?</style>", "", path.read_text(encoding="utf-8").strip())
        svg = re.sub(r'( id="|="#|url\(#)n', rf"\1p{number}-", svg)
        svg = re.sub(r'href="(data:[^"]+)"', lambda found: self._once(found[1]), svg)
        role = f'role="img" aria-label="{escape(words)}"' if words else 'aria-hidden="true"'
        return svg.replace("<svg ", f"<svg {role} ", 1)

    def _once(self, data: str) -> str:
        """The attributes of a picture inside a figure: its data, or the id of the one that has them."""
        if data in self._named:
            return f'data-as="{self._named[data]}"'
        self._named[data] = f"p{next(self._numbers)}"
        return f'id="{self._named[data]}" href="{data}"'


def data_uri(path: Path) -> str:
    """The content of a picture's file, as an address."""
    return f"data:{TYPES[path.suffix]};base64,{base64.b64encode(path.read_bytes()).decode()}"


def _images(paragraph: list[Token]) -> list[Token]:
    """The images of a paragraph that has nothing else."""
    if paragraph[0].type != "paragraph_open":
        return []
    children = [child for child in paragraph[1].children or [] if child.type == "image" or child.content.strip()]
    return children if all(child.type == "image" for child in children) else []


def _html(content: str) -> Token:
    return Token("html_block", "", 0, content=content)
