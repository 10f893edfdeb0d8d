"""Turns reports in Markdown into one HTML page for all languages, which contains its pictures and loads nothing."""

import base64
import re
from collections.abc import Callable
from pathlib import Path

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from reporting.common.words import words_of
from reporting.pages.markdown import environment

SLIDER = "<!-- slider -->"  # the slider replaces this placeholder in a report


def page(texts: dict[str, str], folder: Path, links: dict[str, str], slider: dict | None = None) -> str:
    """Make a page with a switch between languages, contents, a light and a dark theme, and figures that enlarge.

    Args:
        texts: a report in Markdown for each language; the first heading is its title.
        folder: the reports' folder, from which the paths of their pictures start.
        links: what replaces each link of the reports.
        slider: None, or what replaces SLIDER: `levels` (of noise), `start` (the index of the level shown first),
            `psnr` (for each level, decibels of `noisy` and `denoised`, None if infinite), and `strips`, the path of a
            picture with two rows for each level.
    """
    if slider:
        slider = slider | {"strips": _data_uri(folder / slider["strips"])}
    for old, new in links.items():
        texts = {language: text.replace(f"]({old})", f"]({new})") for language, text in texts.items()}
    bodies = {language: _Body(text, folder) for language, text in texts.items()}
    words = {language: words_of("pages", language) for language in texts}
    template = environment(Path(__file__).parent, autoescape=True).get_template("page.html.j2")
    codes = {language: found["code"] for language, found in words.items()}
    return template.render(languages=bodies, words=words, codes=codes, slider=slider)


class _Body:
    """A report's title, its headings, and `parts`: its HTML before and after the slider."""

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
        # safe: it comes from our own templates, without a user's text
        self.parts = [Markup(part) for part in html.split(SLIDER)]  # noqa: S704


def slug(title: str) -> str:
    """The anchor that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def _with_figures(tokens: list[Token], folder: Path) -> list[Token]:
    """Turn each paragraph that is a picture into a figure; an emphasised paragraph after it becomes the caption."""
    done: list[Token] = []
    i = 0
    while i < len(tokens):
        if not _is_picture(tokens, i):
            done.append(tokens[i])
            i += 1
            continue
        (image,) = tokens[i + 1].children or []
        data, alt = _data_uri(folder / str(image.attrs["src"])), _escaped(image.content)
        done.append(_html(f'<figure><button class="zoom" type="button"><img src="{data}" alt="{alt}"></button>'))
        i += 3
        if i < len(tokens) and tokens[i].type == "paragraph_open" and tokens[i + 1].content.startswith("*"):
            done += [_html("<figcaption>"), tokens[i + 1], _html("</figcaption>")]
            i += 3
        done.append(_html("</figure>\n"))
    return done


def _is_picture(tokens: list[Token], i: int) -> bool:
    children = tokens[i + 1].children if tokens[i].type == "paragraph_open" else None
    return [child.type for child in children or []] == ["image"]


def _html(content: str) -> Token:
    return Token("html_block", "", 0, content=content)


def _escaped(text: str) -> str:
    return str(Markup.escape(text))


def _data_uri(path: Path) -> str:
    return "data:image/png;base64," + base64.b64encode(path.read_bytes()).decode()


def _constant(html: str) -> Callable[..., str]:
    return lambda *_: html
