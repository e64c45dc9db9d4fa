"""A paper as an HTML page and as a PDF: the same content, the same words, the same pictures.

Promised: the bytes of both depend on the content alone. No date is written; the PDF is set in fonts that come with locked
packages (Typst's own, and matplotlib's DejaVu, in which the pictures are drawn too) and never in those of a machine. No text
of a lender is ever markup: the page escapes it (`data/pages.py`), and the PDF's template reads it as data.

What those fonts have no letter for (Devanagari, say) is written as codes in the PDF, `\\u0928`, so that two names stay two
names; the PDF then says so on its first page, and the HTML page shows the letters.
"""

import json
import re
from dataclasses import asdict, replace
from functools import cache
from pathlib import Path
from typing import Literal

from data.errors import DuesightError
from data.masking import printable
from data.pages import templates
from reports import telling
from reports.paper import Paper

TEMPLATES = Path(__file__).parent / "templates"
NO_LETTERS = (
    "Some names hold letters that the fonts of this PDF do not have. They are written as codes here; the HTML page beside this "
    "file shows them."
)
_MAY_BREAK = "\u200b"


def page_of(paper: Paper) -> str:
    """The paper as one self-contained HTML page: no script, nothing loaded from elsewhere."""
    from markupsafe import Markup

    environment = templates(
        TEMPLATES, {"ours": Markup}
    )  # only our own SVG passes it, which is escaped already
    return telling.unbroken(environment.get_template("paper.html").render(paper=paper).strip()) + "\n"


def pdf_of(paper: Paper) -> bytes:
    """The paper as a PDF. DuesightError where Typst cannot set it."""
    return _compiled(paper, "pdf")[0]


def pictures_of(paper: Paper) -> list[bytes]:
    """The pages of the PDF as PNG, for eyes that check them."""
    return _compiled(paper, "png")


def _compiled(paper: Paper, kind: Literal["pdf", "png"]) -> list[bytes]:
    import typst

    try:
        made: bytes | list[bytes] = typst.compile(
            str(TEMPLATES / "paper.typ"),
            root=str(TEMPLATES),
            font_paths=[str(_fonts())],
            ignore_system_fonts=True,
            format=kind,
            sys_inputs={"paper": as_data(paper)},
        )
    except (typst.TypstError, RuntimeError) as error:
        why = str(error).strip().splitlines() or [type(error).__name__]
        raise DuesightError(
            f"The PDF of “{paper.title}” could not be set ({why[0]}), and nothing was written; install the locked version of "
            "typst with make setup and run the command again."
        ) from error
    return made if isinstance(made, list) else [made]


def as_data(paper: Paper) -> str:
    """The paper as JSON for the template, with every letter that the fonts lack written out."""
    text = _seen(paper)
    if _lacking().search(text):
        text = _seen(replace(paper, note=NO_LETTERS))
    return _lacking().sub(_in_codes, text)


def _seen(paper: Paper) -> str:
    """Everything that would hide or turn text written out, before it becomes JSON."""

    def walk(value: object) -> object:
        if isinstance(value, str):
            return printable(value)
        if isinstance(value, dict):
            return {name: walk(inner) for name, inner in value.items()}
        return [walk(inner) for inner in value] if isinstance(value, list | tuple) else value

    return json.dumps(walk(asdict(paper)), ensure_ascii=False)


def _in_codes(found: re.Match[str]) -> str:
    return f"\\\\u{ord(found[0]):04x}{_MAY_BREAK}"


@cache
def _lacking() -> re.Pattern[str]:
    """A letter for which there is no font: one that DejaVu Sans lacks, which holds whatever Typst's own fonts do that we write."""
    from matplotlib.ft2font import FT2Font

    has = sorted(FT2Font(str(_fonts() / "DejaVuSans.ttf")).get_charmap())
    spans: list[list[int]] = []
    for code in has:
        if spans and code == spans[-1][1] + 1:
            spans[-1][1] = code
        else:
            spans.append([code, code])
    inside = "".join(f"\\U{first:08x}-\\U{last:08x}" for first, last in spans)
    return re.compile(f"[^\n\t{_MAY_BREAK}{inside}]")


@cache
def _fonts() -> Path:
    import matplotlib

    return Path(matplotlib.get_data_path()) / "fonts" / "ttf"
