"""A paper as a page and as a PDF: the same words in both, the same bytes each time, and no text of anybody is ever markup."""

import io
import json
import re
import time
from pathlib import Path

import matplotlib
import matplotlib.image
import numpy as np
import pytest

from data.errors import DuesightError
from reports import print as printing
from reports.paper import Blanks, Box, Paper, Picture, Points, Record, Row, Section, Words, table
from reports.pictures import MODEL, Bar, share_bars
from reports.print import NO_LETTERS, as_data, page_of, pdf_of, pictures_of

NASTY = [
    "#import \"/etc/passwd\": *",
    "$ x^2 $ *bold* _it_ `raw` @ref <label> = head",
    "<script>alert(1)</script> & \"quoted\" \\ back",
    "{{ 7919 * 7 }} {% raw %}",
    "[content] #strong[x] // comment /* more",
    "x" * 300,
    "قرض زراعي",
    "किसान ऋण",
    "工资贷款 💰",
    "week\x1bly\u202e",
    "",
]  # fmt: skip


def paper_of(*texts: str) -> Paper:
    """Every kind of block, with each text in every place that takes one."""
    sections = []
    for at, text in enumerate(texts):
        svg = share_bars([Bar(text[:20] or "none", 0.4, MODEL)], f"picture-{at}", text)
        sections.append(
            Section(
                text,
                [
                    Words(text),
                    Words(text, quiet=True),
                    Points([text]),
                    Box(text, [text], warn=True),
                    Picture(svg, text),
                    table(f"<<{text}|{text}", [Row([text], group=True), Row([text, text], ours=True)], text),
                    Record([(text, text)]),
                    Blanks([text], [text]),
                ],
                text,
            )
        )
    return Paper(texts[0], texts[0], texts[0], texts[0], sections)


def headings(paper: Paper) -> list[str]:
    """What Typst makes of the headings of the sections: text and nothing else, or this fails."""
    import typst

    found = json.loads(
        typst.query(
            str(printing.TEMPLATES / "paper.typ"),
            "heading.where(level: 1)",
            root=str(printing.TEMPLATES),
            font_paths=[str(Path(matplotlib.get_data_path()) / "fonts" / "ttf")],
            ignore_system_fonts=True,
            sys_inputs={"paper": as_data(paper)},
        )
    )
    assert {one["body"]["func"] for one in found} <= {"text"}, "a text became markup"
    return [one["body"]["text"] for one in found]


def test_page_and_pdf_have_the_same_bytes_each_time_whatever_the_clock_and_matplotlib_say() -> None:
    paper = paper_of("one", "two")
    page, pdf = page_of(paper), pdf_of(paper)
    time.sleep(1.1)  # a second later, in which a date would show
    with matplotlib.rc_context({"svg.hashsalt": "other", "font.size": 23}):
        again = paper_of("one", "two")
        assert (page_of(again), pdf_of(again)) == (page, pdf)
    assert pdf.startswith(b"%PDF-")
    assert not re.search(rb"CreationDate|ModDate|xmp:CreateDate", pdf)
    assert pdf_of(paper_of("one", "tree")) != pdf


def test_nasty_words_are_words_in_the_pdf() -> None:
    texts = [text for text in NASTY if text]
    told = headings(paper_of(*texts))
    assert told[:6] == texts[:6]
    assert len(pdf_of(paper_of(*NASTY))) > 10_000


def test_nasty_words_are_words_on_the_page() -> None:
    page = page_of(paper_of(*NASTY))
    assert "<script" not in page and "55433" not in page
    assert "&lt;script&gt;" in page
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", page)
    assert r"week\u001bly\u202e" in page


def test_letters_that_no_font_of_the_pdf_has_are_written_as_codes_and_the_pdf_says_so() -> None:
    told = headings(paper_of("किसान ऋण", "قرض زراعي", "Ссуда “Žito” – ½ ×"))
    assert told[0].replace("\u200b", "") == r"\u0915\u093f\u0938\u093e\u0928 \u090b\u0923"
    assert told[1:] == ["قرض زراعي", "Ссуда “Žito” – ½ ×"], "Arabic, Cyrillic and Latin have letters"
    assert NO_LETTERS in as_data(paper_of("किसान"))
    assert NO_LETTERS not in as_data(paper_of("Ссуда", "قرض"))
    page = page_of(paper_of("किसान ऋण"))
    assert "किसान ऋण" in page and NO_LETTERS not in page


def test_the_page_loads_nothing_and_runs_nothing() -> None:
    page = page_of(paper_of("one"))
    targets = re.findall(r'(?:src|href|action|data)="([^"]*)"', page) + re.findall(r"url\(([^)]*)\)", page)
    assert targets and [target for target in targets if not target.startswith("#")] == []
    assert not re.search(r"<script|<link|@import|\son\w+=", page)


def test_a_picture_of_the_pdf_stands_in_its_section_and_not_at_the_foot_of_the_page() -> None:
    picture = Picture(share_bars([Bar("one", 0.4, "#ff0000")], "red", "one"), "one")
    (page,) = pictures_of(
        Paper("t", "a", "l", "f", [Section("First", [picture]), Section("Second", [Words("word " * 300)])])
    )
    shown = matplotlib.image.imread(io.BytesIO(page))
    (red,) = ((shown[..., 0] > 0.9) & (shown[..., 1] < 0.1)).any(axis=1).nonzero()
    assert len(red) and red.max() < 0.4 * len(shown)


def test_the_rows_of_a_group_are_not_torn_between_two_pages() -> None:
    """A group that is torn has its head told again, so there would be more heads than groups."""
    group = [Row(["a group"], group=True), *[Row(["name", "1"])] * 4]
    for before in range(5):
        blocks = [Words("word"), table("<<|n", [Row(["name", "1"])] * before + group * 25)]
        pages = pictures_of(Paper("t", "a", "l", "f", [Section("First", blocks)]))
        assert len(pages) > 1
        heads = 0
        for page in pages:
            shown = matplotlib.image.imread(io.BytesIO(page))
            shaded = np.isclose(shown[:, shown.shape[1] // 2, :3] * 255, (245, 247, 249)).all(axis=1)
            heads += int((np.diff(shaded.astype(int)) == 1).sum())
        assert heads == 25


def test_a_pdf_that_cannot_be_set_is_a_sentence(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "paper.typ").write_text("#panic(sys.inputs.paper.len())", encoding="utf-8")
    monkeypatch.setattr(printing, "TEMPLATES", tmp_path)
    with pytest.raises(
        DuesightError, match=r"The PDF of “one” could not be set \(.*\), and nothing was written; install"
    ):
        pdf_of(paper_of("one"))  # fmt: skip


def test_a_row_that_does_not_fit_its_table_is_refused() -> None:
    with pytest.raises(ValueError, match="a row of 1 cells in a table of 2 columns"):
        table("a|b", [Row(["1"])])
