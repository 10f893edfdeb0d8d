"""Reports in Markdown as one HTML page for both languages, with its pictures inside and nothing to fetch."""

import base64
import re
from collections.abc import Callable
from pathlib import Path

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

SLIDER = "<!-- slider -->"  # where a report wants it


def page(texts: dict[str, str], folder: Path, links: dict[str, str], slider: dict | None = None) -> str:
    """A page with a switch between languages, contents, a light and a dark theme, and figures that enlarge.

    Args:
        texts: a report in Markdown for each language, `en` and `pt`; the first heading is its title.
        folder: where the reports lie, which their pictures' paths start from.
        links: links in the reports that lead elsewhere on a page.
        slider: `levels` (of noise), `start` (the place among them to begin with), `psnr` (for each level, decibels of
            `noisy` and `denoised`, None where there is none), and `strips`, the path of a picture with two rows for
            each level. It stands in the place of SLIDER.
    """
    templates = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        undefined=StrictUndefined,
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    if slider:
        slider = slider | {"strips": _data_uri(folder / slider["strips"])}
    for old, new in links.items():
        texts = {language: text.replace(f"]({old})", f"]({new})") for language, text in texts.items()}
    bodies = {language: _Body(text, folder) for language, text in texts.items()}
    return templates.get_template("page.html.j2").render(languages=bodies, slider=slider)


class _Body:
    """A report's title, its headings, and its HTML, in the parts before and after the slider."""

    def __init__(self, text: str, folder: Path):
        markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
        markdown.add_render_rule("table_open", _constant('<div class="scroll" tabindex="0"><table>\n'))
        markdown.add_render_rule("table_close", _constant("</table></div>\n"))
        tokens = markdown.parse(text)
        self.headings = []
        for i, token in enumerate(tokens):
            if token.type == "heading_open":
                title = re.sub(r"[*`]", "", tokens[i + 1].content)
                token.attrSet("id", slug(title))
                if token.tag == "h1":
                    self.title = title
                else:
                    self.headings.append({"id": slug(title), "title": title, "level": int(token.tag[1])})
        html = markdown.renderer.render(_with_figures(tokens, folder), markdown.options, {})
        self.parts = [
            Markup(part) for part in html.split(SLIDER)
        ]  # made of our own templates, which hold no user's text


def slug(title: str) -> str:
    """The anchor that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _with_figures(tokens: list[Token], folder: Path) -> list[Token]:
    """Paragraphs that are a picture, with the paragraph of emphasis behind it, as figures with captions."""
    done, i = [], 0
    while i < len(tokens):
        if not _is_picture(tokens, i):
            done.append(tokens[i])
            i += 1
            continue
        (image,) = tokens[i + 1].children
        data, alt = _data_uri(folder / image.attrs["src"]), _escaped(image.content)
        done.append(_html(f'<figure><button class="zoom" type="button"><img src="{data}" alt="{alt}"></button>'))
        i += 3
        if i < len(tokens) and tokens[i].type == "paragraph_open" and tokens[i + 1].content.startswith("*"):
            done += [_html("<figcaption>"), tokens[i + 1], _html("</figcaption>")]
            i += 3
        done.append(_html("</figure>\n"))
    return done


def _is_picture(tokens: list[Token], i: int) -> bool:
    children = tokens[i + 1].children if tokens[i].type == "paragraph_open" else None
    return bool(children) and [child.type for child in children] == ["image"]


def _html(content: str) -> Token:
    return Token("html_block", "", 0, content=content)


def _escaped(text: str) -> str:
    return str(Markup.escape(text))


def _data_uri(path: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()


def _constant(html: str) -> Callable[..., str]:
    return lambda *_: html
