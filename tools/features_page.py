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
* Days late of an installment: from its due date to the day on which it was fully covered, never below 0, days of a pause not counted; until now where it is not covered. An installment is
  *judged* once its due date has come and it is covered, or has passed: one that falls due today and is open is neither on time nor late. "The last 6" are the
  last 6 judged, or all where there are fewer; "so far" are all. A mean of days late is over the late ones, 0 where none was. The usual installment is the mean of
  the schedule's. Spread is the standard deviation of the values at hand, from two on; the trend needs four judged installments. Payments of one day are one part.
* "In the last 90 days" is the day itself and the 89 before it.
* Earlier loans are those disbursed before this one, ended or live. A loan that has ended is told as it stood on its last day: what would have fallen due later is
  none of its installments, and what was unpaid then grows no later. Without an earlier loan nothing is told of any.
* After a reschedule a loan is told by the schedule in force: its installments, and what was paid since it began. How late the loan was before stands in
  `days_past_due_original`, `reschedules` and `days_since_reschedule`; `duesight explain` tells the whole loan. A prepayment that makes later dues smaller
  (a schedule of reason `curtailed`) begins a schedule in the same way, but is no reschedule: those two do not count it.
* What was waived is owed no more, so it counts in what was paid over what fell due and in the share that is repaid; it is no payment in days since a payment, payments
  and gaps between them.
* A charge (a fee for being late, say), and the arrears a book begins with, are due like an installment, and count as one in the families state, lateness,
  trend, streak and payment, in what falls due next and in what is repaid. All else in the families schedule, progress and contract, and the usual
  installment everywhere, is told of the schedule's installments alone. With `count_charges = false` charges are nowhere.
* `observations` are read by their `measure`: `monthly_income`, `monthly_expenses`, `savings`, `other_debt_service`, each a number in the currency of the
  borrower's loans. No ratio to an installment is told of a borrower whose live loans are in two currencies.
* What a loan asks for in a month: the sum of its installments over the months from disbursement to the last due date, a month being 365.25 / 12 days; once
  rescheduled or curtailed, the usual installment over the months between two due dates.
* The family `contact` follows from what the lender's own people did and wrote down. How often anybody tried to reach the borrower is no feature: more calls
  go to those who are late, and a model would learn that calling makes people late. Outcomes that say the borrower was spoken with: {spoken}. A mapping
  translates a lender's own words into these (`values`). A promise tells of a conversation whatever its outcome is called.
* Promises are the borrower's, the same on each of their loans. One has a date and an amount, and is due at the end of the day after its date. It is kept if at least 95 % of it was
  paid from the day it was made until then, on the loan it names, or on all of the borrower's where it names none. One that was not kept, but that a promise made by its date
  replaced on the same loan, is neither.
* Looking ahead, only holidays and festivals count. A first load has no date on which a calendar became known, so a disaster in it would else be known before it came.
* No feature is the month or the year: with few years of history such a number names what happened once.
"""

CLOSING = """## Beside the features

`duesight features` has one row for every live loan, and these columns in front; among them stand two features, as whole days: days past due, now and on the first schedule. Amounts are in the loan's currency. The footer of the file says of what it was told, under
`duesight.features`: day, day of knowledge, batch, settings, digest of the catalogue.

| column | meaning |
|---|---|
| `loan_id`, `borrower_id`, `product`, `currency` | as in the ledger |
| `officer_id`, `branch_id`, `group_id` | who has the loan on the day |
| `as_of` | the day at whose end everything is told |
| `opened_later` | the book begins after the loan did, so what was due and paid before is not in it |
| `days_late`, `delinquent_days` | days past due with pauses counted, and with the days of grace taken off as well |
| `past_due_amount`, `due_unpaid_amount` | what is unpaid of installments that fell due before the day, and by its end |
| `paid_ahead_amount` | paid beyond what fell due |
| `outstanding_principal`, `remaining_due` | principal still owed (empty where installments are not split), and all that is still to be paid |
| `next_due_on`, `next_due_amount` | the next installment that still asks for money, and how much of it |
| `last_payment_on`, `last_payment_amount` | the last day with a payment, and what came in on it |
| `exposure`, `exposure_kind` | what the lender stands to lose: the outstanding principal, else the remaining dues discounted at the loan's rate; and which of the two |
| `status` | `eligible`: the model speaks of it. `not_yet_due`: no installment has fallen due. `already_bad`: late by the threshold or more. `unreachable`: cannot become so late within the horizon |
| `arrears_class` | where the settings name classes |
| `stratum` | the band of days past due, of eligible loans |
| `installments_judged`, `thin_file` | how many installments are judged, and whether these are fewer than `thin_file_installments` |

`duesight panel --from DAY --to DAY` writes eligible loans on many days (Fridays or month ends) to `panels/` in the workspace. A panel has some of these columns, the features, and:

| column | meaning |
|---|---|
| `label` | 1: reached the threshold, was written off or rescheduled in distress within the horizon, by what was known `lag_days` later. 0: did not |
| `days_to_bad` | days from `as_of` to the first on which it did; empty where it did not |
| `liable_together` | `group` and the id of the group that answers for the loan on that day, where `groups.liability` begins with "joint"; else `borrower` and the borrower's id |
| `weight` | 1 over the loan's snapshots in the calendar month |

`duesight train` makes such a file for itself, of all days whose outcome is known, and learns from that.
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
    return "\n".join([*parts, CLOSING])


def main() -> int:
    sys.path.insert(0, str(ROOT))
    PAGE.write_text(render(), encoding="utf-8", newline="\n")
    print(f"Written: {PAGE}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
