"""The contract as pages an analyst opens: what each table must be, in words, and how the export fared.

The words are ours: Great Expectations' renderers speak of check columns and of percentages of values, and its page asks
six outside addresses for the script that draws its tables. A page here is one file that asks for nothing, runs no
script and reads on a phone. It holds counts and the contract's sentences and never a cell: an unexpected value may be
somebody's name. Beside each page lies its suite as GX's JSON, which a reader with GX loads as it is: bounds are dates
and amounts there, not the integers they are judged as.

Nothing is judged here, and nothing is sent anywhere.
"""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from data.contracts import CHECK_WORDS, Rule, RuleCount, documented
from data.days import to_date
from data.money import CURRENCIES, SCALE
from data.pages import escaped

if TYPE_CHECKING:
    from great_expectations.expectations.expectation import Expectation

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.45 system-ui, sans-serif; margin: 0 auto; max-width: 1000px; padding: 1rem; }
h1 { font-size: 1.5rem; } a { color: LinkText; }
table { border-collapse: collapse; width: 100%; }
th, td { border-bottom: 1px solid #8886; padding: .4rem .5rem; text-align: left; vertical-align: top; overflow-wrap: anywhere; }
th { font-size: .85rem; } .n { text-align: right; white-space: nowrap; font-variant-numeric: tabular-nums; }
.fared { min-width: 8rem; } code { font-size: .95em; } small { opacity: .8; display: block; }
.bad td:first-child { border-left: 4px solid #c2410c; } .good td:first-child { border-left: 4px solid #15803d; }
@media (max-width: 600px) {
  thead { display: none; } tr { display: block; padding: .5rem 0; } td { display: block; border: 0; padding: .1rem .5rem; }
  .n { text-align: left; } .n::before { content: attr(data-what) ": "; } tr { border-bottom: 1px solid #8886; }
  .bad td:first-child, .good td:first-child { border: 0; } .bad { border-left: 4px solid #c2410c; } .good { border-left: 4px solid #15803d; }
}
"""


def write_data_docs(
    folder: Path,
    title: str,
    tables: Mapping[str, Sequence[RuleCount]],
    rejected: Mapping[str, int],
    checked_only: bool = False,
) -> Path:
    """Write `index.html`, and `<table>.html` and `<table>.json` of each table judged; returns the index.

    title: one line for the head of each page. rejected: rows in quarantine, by table; with `checked_only`, rows that would
    go there. Files of these names are replaced.
    """
    folder.mkdir(parents=True, exist_ok=True)
    lines = []
    for name, counts in tables.items():
        if not counts:
            continue
        rules = [documented(one.rule) for one in counts]
        (folder / f"{name}.json").write_text(_suite(name, rules), encoding="utf-8")
        page = _table_page(
            name, title, counts, _quarantined(name, counts, rejected.get(name, 0), checked_only)
        )
        (folder / f"{name}.html").write_text(page, encoding="utf-8")
        failed = sum(1 for one in counts if one.unexpected)
        told = (
            f"{failed} of {len(counts)} {'does' if failed == 1 else 'do'} not hold"
            if failed
            else f"all {len(counts)} hold"
        )
        if not counts[0].rows:
            told = "no rows came, so nothing was asked"
        how = "bad" if failed else "good" if counts[0].rows else "none"
        lines.append(
            f'<tr class="{how}"><td><a href="{name}.html">{name}</a></td>'
            f"<td>{told}</td>{_number('rows judged', counts[0].rows)}{_number('in quarantine', rejected.get(name, 0))}</tr>"
        )
    heads = (
        "Table",
        "Expectations",
        "Rows judged",
        "Would go to quarantine" if checked_only else "In quarantine",
    )
    body = f"<h1>The contract</h1><p>{escaped(title)}</p>{_grid(heads, lines)}"
    body += "<p><small>Each table's suite lies beside its page as JSON of Great Expectations. No page holds a cell of the export.</small></p>"
    index = folder / "index.html"
    index.write_text(_page("The contract", body), encoding="utf-8")
    return index


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<link rel="icon" href="data:,"><title>{escaped(title)}</title><style>{_STYLE}</style></head><body>{body}</body></html>\n'
    )


def _grid(heads: Sequence[str], lines: Sequence[str]) -> str:
    top = "".join(
        f"<th{' class=' + chr(34) + 'n' + chr(34) if place > 1 else ''}>{head}</th>"
        for place, head in enumerate(heads)
    )
    return f"<table><thead><tr>{top}</tr></thead><tbody>{''.join(lines)}</tbody></table>"


def _number(what: str, value: int | str) -> str:
    return (
        f'<td class="n" data-what="{what}">{f"{value:,}" if isinstance(value, int) else escaped(value)}</td>'
    )


def _quarantined(name: str, counts: Sequence[RuleCount], rejected: int, checked_only: bool) -> str:
    """The paragraph on what did not get in, and how to see it."""
    rows = counts[0].rows
    if not rejected:
        return f"<p>No row {'would go' if checked_only else 'went'} to quarantine.</p>"
    several = "One row may fail several expectations, so the numbers below can add up to more than that."
    where = (
        "Ingest the export to have all of them listed with their reasons; a check keeps no row."
        if checked_only
        else f"The rows with their reasons: <code>duesight quarantine list {name}</code>"
    )
    went = "would go" if checked_only else "went"
    return f"<p><strong>{rejected:,} of {rows:,} rows {went} to quarantine.</strong> {several} {where}</p>"


def _table_page(name: str, title: str, counts: Sequence[RuleCount], quarantined: str) -> str:
    lines = []
    for count in sorted(counts, key=lambda one: not one.unexpected):  # what fails first
        asked = count.rows if count.rule.check in ("empty", "filled") else count.rows - count.missing
        cells = _number("rows asked", asked) + _number("rows that fail", count.unexpected)
        lines.append(
            f'<tr class="{"bad" if count.unexpected else "good"}"><td>{_promise(count.rule)}</td><td class="fared">{_fared(count.unexpected, asked)}</td>{cells}</tr>'
        )
    heads = ("Expectation", "How it fared", "Rows asked", "Rows that fail")
    return _page(
        f"The contract of {name}",
        f'<p><a href="index.html">All tables</a></p><h1>{name}</h1><p>{escaped(title)}</p>{quarantined}{_grid(heads, lines)}'
        "<p><small>An expectation on a column is asked of the rows in which it is filled. A row with a cell that cannot be read counts there alone.</small></p>"
        f'<p><a href="{name}.json">The suite, for Great Expectations</a></p>',
    )


def _promise(rule: Rule) -> str:
    """What must hold, as a sentence: of the row as a whole, or of one column."""
    if rule.column in CHECK_WORDS:
        return escaped(CHECK_WORDS[rule.column])
    return f"<code>{escaped(rule.column)}</code> {escaped(_must_be(rule))}."


def _must_be(rule: Rule) -> str:
    if rule.check == "filled":
        return "is filled in every row"
    if rule.allowed == CURRENCIES:
        return "is a currency: three capital letters of ISO 4217, such as KES"
    if rule.check == "allowed":
        return f"is one of {', '.join(rule.allowed)}"
    if rule.check == "not_among" and rule.kind == "date":
        days = ", ".join(str(to_date(day)) for day in rule.refused)
        return f"is no placeholder that systems write where they know no date ({days})"
    if rule.check == "not_among":
        return f"is not {', '.join(_bound(rule, one) for one in rule.refused)}"
    if rule.high is None:
        return "is more than 0" if rule.low and rule.kind == "money" else "is not negative"
    return f"lies between {_bound(rule, rule.low or 0)} and {_bound(rule, rule.high)}"


def _bound(rule: Rule, value: float) -> str:
    """A bound as a reader writes it; all of them are days or whole numbers."""
    if rule.kind == "date":
        return str(to_date(int(value)))
    return f"{value / SCALE if rule.kind == 'money' else value:,.0f}"


def _fared(unexpected: int, asked: int) -> str:
    if not unexpected:
        return "holds" if asked else "nothing to ask: the column is empty"
    share = 100.0 * unexpected / asked
    return f"fails, {'less than 0.01' if share < 0.01 else f'{share:.2f}'} %"


def _suite(name: str, rules: "Sequence[Expectation]") -> str:
    import great_expectations as gx

    suite = gx.ExpectationSuite(name=name, expectations=list(rules))
    return json.dumps(suite.to_json_dict(), indent=1, ensure_ascii=False, sort_keys=True) + "\n"
