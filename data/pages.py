"""What all HTML pages have in common: text is escaped, and what a reader could not see is written out.

Names, ids and reasons come from other people's systems. A browser shows nothing for a control character, and obeys
one that turns the text around: a name could read as another, two ids as one. So every value that goes into a page
passes here, in a template by itself and elsewhere by `escaped`; tests/test_house.py holds that no page goes another way.

It does not touch what is markup already, and nothing but pages: sheets for spreadsheets have rules of their own.
"""

from collections.abc import Callable, Mapping
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from data.masking import printable

if TYPE_CHECKING:
    from jinja2 import Environment
    from markupsafe import Markup


def escaped(text: str) -> str:
    """The text as a page may hold it, in an element or an attribute: `Ann\\u001b &lt;b&gt;`."""
    return escape(printable(text))


def templates(folder: Path, filters: Mapping[str, Callable[..., object]]) -> "Environment":
    """The templates of a folder, with these filters; each value they print is escaped, and a missing one is an error."""
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    environment = Environment(
        loader=FileSystemLoader(folder),
        autoescape=True,
        finalize=_visible,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(filters)
    return environment


def _visible(value: object) -> "Markup":
    """A value as the template prints it. What is written out needs no escape, so this holds for markup too."""
    from markupsafe import Markup, escape

    return Markup(printable(escape(value)))
