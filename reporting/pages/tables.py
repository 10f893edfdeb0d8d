"""Makes the tables of a page fit for a phone."""

from itertools import pairwise

from markdown_it.token import Token

PHONE = 42  # characters that a phone shows side by side in a table
LONG = 60  # characters; a longer cell is hard to read in a narrow column
CARDS = 5  # columns; a wide table with more of them scrolls, with its first column in place


def fitted(tokens: list[Token]) -> list[Token]:
    """Put each table into a box that can scroll; one that a phone would cut off gets the class `cards`, if it can.

    A phone shows the rows of such a table as cards: each cell in a line of its own, after its column's name.
    """
    done: list[Token] = []
    for start, token in enumerate(tokens):
        if token.type == "table_open":
            done.append(Token("html_block", "", 0, content='<div class="scroll" tabindex="0">'))
            end = next(i for i in range(start, len(tokens)) if tokens[i].type == "table_close")
            _as_cards(tokens[start:end])
        done.append(token)
        if token.type == "table_close":
            done.append(Token("html_block", "", 0, content="</div>\n"))
    return done


def _as_cards(table: list[Token]) -> None:
    """Give a table the class `cards`, and its cells their columns' names, if it is too wide."""
    cells = [(cell, _text(inline)) for cell, inline in pairwise(table) if cell.tag in ("th", "td")]
    cells = [(cell, text) for cell, text in cells if cell.nesting == 1]
    names = [text for cell, text in cells if cell.tag == "th"]
    width = sum(
        max(len(word) for _, text in cells[n :: len(names)] for word in text.split(" ")) for n in range(len(names))
    )
    if 2 < len(names) <= CARDS and (width > PHONE or max(len(text) for _, text in cells) > LONG):
        table[0].attrSet("class", "cards")
        for place, (cell, _) in enumerate(cells):
            cell.attrSet("data-label", names[place % len(names)])


def _text(inline: Token) -> str:
    """The text of a cell; what is not text may be broken at."""
    children = inline.children or []
    return "".join(child.content if child.type in ("text", "code_inline") else " " for child in children)
