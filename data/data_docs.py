"""The contract as pages an analyst opens: what each table must be, in words, and how the export fared.

The words and the shares come from Great Expectations' own renderers, over its own suites and results; the page around
them is ours, because GX's asks six outside addresses for the script that draws its tables. A page here is one file
that asks for nothing, runs no script and reads on a phone. It holds counts and the contract's sentences and never a
cell: an unexpected value may be somebody's name. Beside each page lies its suite as GX's JSON, which a reader with GX
loads as it is: bounds are dates and amounts there, not the integers they are judged as.

Nothing is judged here, and nothing is sent anywhere.
"""

import json
import re
import warnings
from collections.abc import Mapping, Sequence
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from data.contracts import RuleCount, documented

if TYPE_CHECKING:
    from great_expectations.core import ExpectationValidationResult
    from great_expectations.expectations.expectation import Expectation

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 1000px; padding: 1rem; }
h1 { font-size: 1.5rem; } a { color: LinkText; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #8886; padding: .4rem .5rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
th { font-size: .85rem; } .n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
code { font-size: .95em; } small { opacity: .8; display: block; }
.bad td:first-child { border-left: 4px solid #c2410c; } .good td:first-child { border-left: 4px solid #15803d; }
@media (max-width: 600px) {
  thead { display: none; } tr { display: block; padding: .5rem 0; } td { display: block; border: 0; padding: .1rem .5rem; }
  .n { text-align: left; } .n::before { content: attr(data-what) ": "; } tr { border-bottom: 1px solid #8886; }
}
"""


def write_data_docs(
    folder: Path, title: str, tables: Mapping[str, Sequence[RuleCount]], rejected: Mapping[str, int]
) -> Path:
    """Write `index.html`, and `<table>.html` and `<table>.json` of each table judged; returns the index.

    title: one line for the head of each page. rejected: rows in quarantine, by table. Files of these names are replaced.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for name, counts in tables.items():
        if not counts:
            continue
        rules = [documented(one.rule) for one in counts]
        (folder / f"{name}.json").write_text(_suite(name, rules), encoding="utf-8")
        page = _table_page(name, title, counts, rules, _results(counts, rules))
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
        failed = sum(1 for one in counts if one.unexpected)
        told = f"{failed} of {len(counts)} did not hold" if failed else f"all {len(counts)} hold"
        lines.append(
            f'<tr class="{"bad" if failed else "good"}"><td><a href="{name}.html">{name}</a></td>'
            f"<td>{told}</td>{_number('rows judged', counts[0].rows)}{_number('in quarantine', rejected.get(name, 0))}</tr>"
        )
    heads = ("Table", "Expectations", "Rows judged", "In quarantine")
    body = f"<h1>The contract</h1><p>{escape(title)}</p>{_grid(heads, lines)}"
    body += "<p><small>Each table's suite lies beside its page as JSON of Great Expectations. No page holds a cell of the export.</small></p>"
    index = folder / "index.html"
    index.write_text(_page("The contract", body), encoding="utf-8")
    return index


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><title>{escape(title)}</title><style>{_STYLE}</style></head><body>{body}</body></html>\n'
    )


def _grid(heads: Sequence[str], lines: Sequence[str]) -> str:
    top = "".join(
        f"<th{' class=' + chr(34) + 'n' + chr(34) if place > 1 else ''}>{head}</th>"
        for place, head in enumerate(heads)
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _number(what: str, value: int | str) -> str:
    return (
        f'<td class="n" data-what="{what}">{f"{value:,}" if isinstance(value, int) else escape(value)}</td>'
    )


def _table_page(
    name: str,
    title: str,
    counts: Sequence[RuleCount],
    rules: "Sequence[Expectation]",
    results: "Sequence[ExpectationValidationResult]",
) -> str:
    from great_expectations.render.renderer.inline_renderer import InlineRenderer

    lines = []
    for count, rule, result in zip(counts, rules, results, strict=True):
        said = {one.name: one.value for one in InlineRenderer(render_object=result).get_rendered_content()}
        words = _filled(said["atomic.prescriptive.summary"])
        share = _filled(said["atomic.diagnostic.observed_value"], marked=False)
        note = str(rule.notes)
        lines.append(
            f'<tr class="{"bad" if count.unexpected else "good"}"><td>{words}<small>{escape(note)}</small></td>'
            f"<td>{escape(share)}</td>{_number('rows', count.rows)}{_number('empty', count.missing)}{_number('unexpected', count.unexpected)}</tr>"
        )
    heads = ("Expectation", "Observed", "Rows", "Empty", "Unexpected")
    return _page(
        f"The contract of {name}",
        f'<p><a href="index.html">All tables</a></p><h1>{name}</h1><p>{escape(title)}</p>{_grid(heads, lines)}'
        f'<p><a href="{name}.json">The suite</a></p>',
    )


def _filled(value: object, marked: bool = True) -> str:
    """GX's sentence with its parameters in their places."""
    params = getattr(value, "params", None) or {}

    def put(found: re.Match[str]) -> str:
        one = params.get(found[1])
        text = str(one["value"] if isinstance(one, dict) else one)
        return f"<code>{escape(text)}</code>" if marked else text

    return re.sub(r"\$(\w+)", put, str(getattr(value, "template", "")))


def _results(
    counts: Sequence[RuleCount], rules: "Sequence[Expectation]"
) -> "list[ExpectationValidationResult]":
    """One result a rule, as GX gives it, over all groups of rows together and without any value."""
    from great_expectations.core import ExpectationValidationResult

    found = []
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for place, (count, expectation) in enumerate(zip(counts, rules, strict=True)):
            expectation.meta = {"rule": place}
            # whether a cell is there is asked of every row, everything else of the rows that have one
            asked = count.rows if count.rule.check in ("empty", "filled") else count.rows - count.missing
            percent = 100.0 * count.unexpected / asked if asked else 0.0
            found.append(
                ExpectationValidationResult(
                    success=count.unexpected == 0,
                    expectation_config=expectation.configuration,
                    result={
                        "element_count": count.rows,
                        "missing_count": count.missing,
                        "missing_percent": 100.0 * count.missing / count.rows if count.rows else 0.0,
                        "unexpected_count": count.unexpected,
                        "unexpected_percent": percent,
                        "unexpected_percent_nonmissing": percent,
                        "unexpected_percent_total": 100.0 * count.unexpected / count.rows
                        if count.rows
                        else 0.0,
                        "partial_unexpected_list": [],
                    },
                )
            )
    return found


def _suite(name: str, rules: "Sequence[Expectation]") -> str:
    import great_expectations as gx

    suite = gx.ExpectationSuite(name=name, expectations=list(rules))
    return json.dumps(suite.to_json_dict(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
