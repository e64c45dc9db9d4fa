"""Facts and pictures of a loan book: python tools/lender_page.py LEDGER_OR_WORKSPACE --out DIR [--demo-export DIR].

Writes four SVG pictures and facts.json (sorted keys, four digits after the point) into DIR and prints the facts as
tables. It only reads the ledger. Same ledger, same bytes. With the demo lender's export it also writes published.md:
its facts beside published ranges.
"""

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]


def main() -> int:
    options = _options()
    sys.path.insert(0, str(ROOT))
    from data.errors import DuesightError
    from data.ledger import Ledger
    from pipelines.settings import load_settings
    from reports.portfolio_facts import as_json, portfolio_facts

    folder = options.book / "ledger" if (options.book / "ledger").is_dir() else options.book
    try:
        ledger = Ledger.open(folder)
        rules = load_settings(options.book / "duesight.toml")  # the defaults where a ledger alone was given
        facts = portfolio_facts(ledger, rules.labels, _say, rules.arrears)
        options.out.mkdir(parents=True, exist_ok=True)
        written = _pictures(facts, options.out)
        plain = as_json(facts)
        _write(options.out / "facts.json", json.dumps(plain, sort_keys=True, indent=1) + "\n")
        if options.demo_export:
            from reports.demo_facts import as_markdown, facts_beside_published

            beside = facts_beside_published(facts, ledger, options.demo_export)
            _write(options.out / "published.md", as_markdown(beside))
            written.append("published.md")
    except (DuesightError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print("\n".join(_told(plain)))
    print(f"\nWritten to {options.out}: {', '.join([*written, 'facts.json'])}.")
    return 0


def _say(what: str) -> None:
    print(f"  {what} ...", file=sys.stderr)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("book", type=Path, help="a ledger, or a workspace that holds one")
    parser.add_argument("--out", type=Path, required=True, help="the folder to write to")
    parser.add_argument("--demo-export", type=Path, help="the folder that duesight simulate wrote")
    return parser.parse_args()


def _pictures(facts: Any, out: Path) -> list[str]:
    """Draw what there is to draw; what is missing is said."""
    from reports.portfolio_pictures import (
        lateness_bars,
        on_white,
        portfolio_and_risk,
        roll_heat_map,
        vintage_curves,
    )

    over_time = facts.over_time[facts.over_time["currency"] == facts.currency]
    drawn: dict[str, tuple[Callable[[Any], str], Any]] = {
        "portfolio.svg": (portfolio_and_risk, over_time),
        "vintages.svg": (vintage_curves, facts.vintages),
        "lateness.svg": (lateness_bars, facts.lateness),
        "roll.svg": (roll_heat_map, facts.roll_counts),
    }
    written = []
    for name, (draw, frame) in drawn.items():
        try:
            _write(out / name, on_white(draw(frame)))
        except ValueError as error:
            print(f"{name} is not drawn: {error}.", file=sys.stderr)
            continue
        written.append(name)
    return written


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8", newline="\n")


def _told(plain: dict[str, Any]) -> list[str]:
    """The facts as tables of words, one section after the other; of the months the last of each half year."""
    lines: list[str] = []
    for title, section in plain.items():
        lines += ["", title.replace("_", " ")]
        if isinstance(section, list | dict) and not section:
            lines.append("  none")
        elif isinstance(section, list):
            months = [row for row in section if row["as_of"][5:7] in ("06", "12")] or section[-1:]
            lines += _table({row.pop("as_of") + " " + row.pop("currency"): row for row in map(dict, months)})
        elif title == "vintages":
            lines += _table({name: _marks(curve) for name, curve in section.items()})
        elif isinstance(section, dict) and any(isinstance(one, dict) for one in section.values()):
            lines += _table(section)
        elif isinstance(section, dict):
            lines += [f"  {name.replace('_', ' '):32} {_cell(value)}" for name, value in section.items()]
        else:
            lines.append(f"  {_cell(section)}")
    return lines[1:]


def _marks(curve: dict[str, Any]) -> dict[str, Any]:
    """A curve at 3, 6, 12, 18 and 24 months on book."""
    share = curve["share"]
    return {
        "loans": curve["loans"],
        **{f"month {m}": share[m] if m < len(share) else None for m in (3, 6, 12, 18, 24)},
    }


def _table(rows: dict[str, dict[str, Any]]) -> list[str]:
    if not rows:
        return ["  none"]
    names = list(next(iter(rows.values())))
    grid = [["", *(name.replace("_", " ") for name in names)]]
    grid += [[label.replace("_", " "), *(_cell(row[name]) for name in names)] for label, row in rows.items()]
    widths = [max(len(line[place]) for line in grid) for place in range(len(names) + 1)]
    return [
        "  "
        + line[0].ljust(widths[0])
        + "".join("  " + line[p].rjust(widths[p]) for p in range(1, len(line)))
        for line in grid
    ]


def _cell(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, int):
        return f"{value:,d}"
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return str(value)


if __name__ == "__main__":
    sys.exit(main())
