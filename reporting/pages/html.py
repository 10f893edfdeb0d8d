"""Turns reports in Markdown into one HTML page for all languages, which contains its figures and loads nothing."""

import os
import re
from itertools import pairwise
from pathlib import Path
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup

from reporting.common.svg import DARK
from reporting.common.words import words_of
from reporting.pages.markdown import environment
from reporting.pages.pictures import Pictures, data_uri
from reporting.pages.tables import fitted

SLIDER = "<!-- slider -->"  # the slider replaces this placeholder in a report
CONTENTS = "<!-- contents -->"  # and the contents this one, after the verdict, which is a quote, or the first paragraph
ELSEWHERE = re.compile(r"<!-- only in Markdown -->.*?<!-- end -->", re.DOTALL)  # what a page leaves out


def page(
    texts: dict[str, str],
    folder: Path,
    links: dict[str, str],
    slider: dict[str, Any] | None = None,
    repository: str = "",
) -> str:
    """Make a page with a switch between languages, contents, a light and a dark theme, and figures that enlarge.

    Args:
        texts: a report in Markdown for each language; the first heading is its title.
        folder: the reports' folder, from which the paths of their figures and links start.
        links: what replaces each link of the reports; `#pt` is the page itself in Portuguese. Other links to files lead
            to the table that lists the file, else to the repository, else nowhere: the page may be mailed alone.
        slider: None, or what replaces SLIDER: `levels` (of noise), `start` (the index of the level shown first),
            `kinds` of images, `psnr` (for each level, decibels of each kind, None if infinite), `classes` of the
            images, and `strips`, the path of a picture with a row for each kind of each level.
        repository: address of the repository's page; empty if there is none.
    """
    pictures = Pictures(folder)
    bodies = {language: _Body(text, language, links, repository, pictures) for language, text in texts.items()}
    words = {language: words_of("pages", language) for language in texts}
    if slider:
        slider = slider | {"strips": data_uri(folder / slider["strips"])}
    template = environment(Path(__file__).parent, autoescape=True).get_template("page.html.j2")
    return template.render(languages=bodies, words=words, slider=slider, dark=DARK, places=(CONTENTS, SLIDER))


class _Body:
    """A report's title, its headings, and its HTML with the placeholders.

    Args:
        links, repository: see `page`.
        pictures: those of the page.
    """

    def __init__(self, text: str, language: str, links: dict[str, str], repository: str, pictures: Pictures):
        markdown = MarkdownIt("commonmark", {"html": True}).enable("table")
        tokens = markdown.parse(ELSEWHERE.sub("", text))
        _link(tokens, language, links, repository, pictures.folder)
        self.title, self.headings = "", []
        for token, inline in pairwise(tokens):
            for child in token.children or []:
                if child.type == "text":
                    child.content = unbroken(child.content, language)
            if token.type == "heading_open":
                title = re.sub(r"[*`]", "", inline.content)
                token.attrSet("id", slug(title))
                if token.tag == "h1":
                    self.title = title
                else:
                    self.headings.append({"id": slug(title), "title": title, "level": int(token.tag[1])})
        html = markdown.renderer.render(pictures.into_figures(fitted(tokens)), markdown.options, {})
        html = html.replace("<pre>", '<pre tabindex="0">')  # wide code scrolls, with the keyboard too
        after = "</blockquote>" if "</blockquote>" in html.partition("<h2")[0] else "</p>"
        # safe: it comes from our own templates, without a user's text
        self.html = Markup(html.replace(after, after + CONTENTS, 1))  # noqa: S704


def slug(title: str) -> str:
    """The anchor that GitHub gives to a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-")


def unbroken(text: str, language: str) -> str:
    """Put no-break spaces before units, around ±, between words such as Figure and their number, and into intervals."""
    words = words_of("pages", language)
    text = re.sub(rf"(?<=\d) (?=(?:{words['units']})(?!\w))", "\u00a0", text)
    text = re.sub(rf"\b({words['numbered']}) (?=\d)", "\\1\u00a0", text)
    text = re.sub(r"\([+−]?\d[^()]{2,22}\d\)", lambda found: found[0].replace(" ", "\u00a0"), text)
    return text.replace(" ± ", "\u00a0±\u00a0")


def _link(tokens: list[Token], language: str, links: dict[str, str], repository: str, folder: Path) -> None:
    """Let each link lead to where it leads on a page, see `page`; one that leads nowhere becomes plain text."""
    inlines = [(before, token) for before, token in pairwise(tokens) if token.children]
    listed = {}
    for before, inline in inlines:
        children = inline.children or []
        if before.type == "td_open" and [child.type for child in children] == [
            "link_open",
            "code_inline",
            "link_close",
        ]:
            path = str(children[0].attrs["href"])
            before.attrSet("id", f"{language}-{re.sub('[^a-z0-9]+', '-', path)}")
            listed[path] = f"#{before.attrs['id']}"
    for before, inline in inlines:
        known = links | ({} if "id" in before.attrs else listed)
        link, target = "", ""
        for child in inline.children or []:
            if child.type == "link_open":
                link = str(child.attrs["href"])
                file = Path(os.path.normpath(folder / link)).as_posix()
                outside = (
                    link if link.startswith("#") or "://" in link else repository and f"{repository}/blob/HEAD/{file}"
                )
                target = known.get(link, outside)
                child.attrSet("href", target)
            if child.type in ("link_open", "link_close") and not target:
                child.type = "text"
