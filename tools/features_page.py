"""The page of features, made from the catalogue: python tools/features_page.py writes docs/features.md.

A test holds the page to the catalogue: what it says is what a model is given.
"""

import sys
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "features.md"
OPENING = """# Features

What duesight knows of a loan on a day: the columns of `duesight features`, and what a model learns from. This page is made from
[features/catalogue.py](../features/catalogue.py) by `tools/features_page.py`; change it there.

Every number is what was known at the end of the day, by two dates: when a fact counts, and when it became known. What cannot be measured
is empty, never zero. Where a lender does not record what a feature needs, the feature is left out, and `duesight features` names it.

* expected: what an experienced officer would say. `worse`: the more, the riskier; `better`: the more, the safer; `-`: no expectation.
* in whose hands: who can change it: the borrower, the lender, others, nobody.
* needs: a column of the assignments (`group_id`, `officer_id`, `branch_id`), the place of the group (`place`), or a table of the ledger
  ([mappings.md](mappings.md)). Nothing stands where every book has it.

Numeric attributes of a lender's own (`attr_...`) are features too, under their names.

## What to know

* Lateness is that of [arrears.md](arrears.md), with the settings of the workspace.
* A charge (a fee for being late, say), and the arrears a book begins with, are due like an installment, and count as one in the families state, lateness,
  trend, streak and payment, in what falls due next and in what is repaid. All else in the families schedule, progress and contract, and the usual
  installment everywhere, is told of the schedule's installments alone. With `count_charges = false` charges are nowhere.
* `observations` are read by their `measure`: `monthly_income`, `monthly_expenses`, `savings`, `other_debt_service`, each a number in the currency of the
  borrower's loans. No ratio to an installment is told of a borrower whose live loans are in two currencies.
* The family `contact` follows from what the lender's own people did and wrote down. How often anybody tried to reach the borrower is no feature: more calls
  go to those who are late, and a model would learn that calling makes people late. Outcomes that say the borrower was spoken with: {spoken}. A mapping
  translates a lender's own words into these (`values`). A promise tells of a conversation whatever its outcome is called.
* A promise is due at the end of the day after its date, and kept if at least 95 % of it was paid by then. One that a later promise replaced in time is neither.
* Looking ahead, only holidays and festivals count. A first load has no date on which a calendar became known, so a disaster in it would else be known before it came.
* No feature is the month or the year: with few years of history such a number names what happened once.
"""


def render() -> str:
    """The page: a table for each family, in the catalogue's order."""
    from features.catalogue import FEATURES
    from features.circumstances import SPOKEN_WITH

    spoken = ", ".join(f"`{code}`" for code in SPOKEN_WITH)
    parts = [OPENING.replace("{spoken}", spoken)]
    first = {one.family: place for place, one in reversed(list(enumerate(FEATURES)))}
    for family, members in groupby(sorted(FEATURES, key=lambda one: first[one.family]), lambda one: one.family):  # fmt: skip
        rows = ["| name | meaning | unit | expected | in whose hands | needs | in words | in Spanish |", "|---|---|---|---|---|---|---|---|"]  # fmt: skip
        for one in members:
            expected = {1: "worse", -1: "better", 0: "-"}[one.direction]
            needs = f"`{one.needs}`" if one.needs else ""
            words, spanish = (template.replace("{value}", "N") for template in (one.english, one.spanish))
            rows.append(f"| `{one.name}` | {one.meaning} | {one.unit} | {expected} | {one.control} | {needs} | {words} | {spanish} |")  # fmt: skip
        parts.append(f"## {family}\n\n" + "\n".join(rows) + "\n")
    return "\n".join(parts)


def main() -> int:
    sys.path.insert(0, str(ROOT))
    PAGE.write_text(render(), encoding="utf-8", newline="\n")
    print(f"Written: {PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
