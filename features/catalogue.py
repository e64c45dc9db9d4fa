"""The features of a loan on a day: names, order, meaning.

The order of `FEATURES` is the order of the columns in the kernel's matrix, in panels and in models. Features that
share a `reason` are told to a reader as one reason. `direction` is what an experienced officer would expect: +1
more of it is worse, -1 more of it is better, 0 no expectation.

Days late of an installment: days from its due date to the day it was fully covered, never below 0; for one that is
not yet covered, days until now. An installment is *judged* once its due date has come and it is covered, or has
passed: one that falls due today and is still open is neither on time nor late, and one that was paid before its
due date is judged on that date. "Last n" means the last n judged installments, or
all where there are fewer. A mean of days late is over the late ones (0 where none was late), so that it can be
told as it is: "3 of the last 6 late, by 9 days on average". The usual installment is the mean of the schedule's.
A standard deviation is that of the values at hand (population), from two on; the trend needs four judged
installments. Payments of one day count as one part. NaN means that there is nothing to measure yet.
"""

from dataclasses import asdict, dataclass

from data.digest import json_digest


@dataclass(frozen=True)
class Feature:
    name: str
    meaning: str
    unit: str
    family: str
    direction: int
    reason: str


FEATURES: tuple[Feature, ...] = (
    Feature("days_past_due", "days since the oldest unpaid installment fell due, net of pauses", "days", "state", 1, "behind_now"),
    Feature("installments_unpaid", "installments past their due date and not fully covered", "installments", "state", 1, "behind_now"),
    Feature("past_due_to_installment", "amount past due over the usual installment", "ratio", "state", 1, "behind_now"),
    Feature("late_count_3", "of the last 3 installments, paid late or still late", "installments", "lateness", 1, "recent_late"),
    Feature("late_count_6", "of the last 6 installments, paid late or still late", "installments", "lateness", 1, "recent_late"),
    Feature("mean_days_late_3", "mean days late of the late ones among the last 3", "days", "lateness", 1, "recent_late"),
    Feature("mean_days_late_6", "mean days late of the late ones among the last 6", "days", "lateness", 1, "recent_late"),
    Feature("max_days_late_3", "most days late among the last 3", "days", "lateness", 1, "recent_late"),
    Feature("max_days_late_6", "most days late among the last 6", "days", "lateness", 1, "recent_late"),
    Feature("late_count_12", "of the last 12 installments, paid late or still late", "installments", "lateness", 1, "long_late"),
    Feature("max_days_late_12", "most days late among the last 12", "days", "lateness", 1, "long_late"),
    Feature("late_share", "share of all installments so far that were late", "share", "lateness", 1, "long_late"),
    Feature("mean_days_late_all", "mean days late of all late installments so far", "days", "lateness", 1, "long_late"),
    Feature("max_days_late_all", "most days late so far", "days", "lateness", 1, "long_late"),
    Feature("days_late_trend", "days late of the last 3 installments, on average over all three, minus that of the 3 before", "days", "trend", 1, "getting_later"),
    Feature("last_minus_usual_days_late", "days late of the last installment minus the average over all earlier ones", "days", "trend", 1, "getting_later"),
    Feature("last_days_late", "days late of the last installment", "days", "lateness", 1, "last_late"),
    Feature("days_late_spread_6", "standard deviation of the days late over the last 6", "days", "trend", 1, "irregular"),
    Feature("on_time_streak", "installments in a row paid on time, up to now", "installments", "streak", -1, "on_time_record"),
    Feature("days_since_late", "days since the last late installment fell due", "days", "streak", -1, "on_time_record"),
    Feature("days_since_payment", "days since the last payment", "days", "payment", 1, "no_recent_payment"),
    Feature("payments_30", "payments in the last 30 days", "payments", "payment", -1, "no_recent_payment"),
    Feature("paid_to_due_30", "paid over due in the last 30 days", "ratio", "payment", -1, "paid_less_than_due"),
    Feature("paid_to_due_90", "paid over due in the last 90 days", "ratio", "payment", -1, "paid_less_than_due"),
    Feature("paid_to_due_180", "paid over due in the last 180 days", "ratio", "payment", -1, "paid_less_than_due"),
    Feature("partial_share_6", "share of the last 6 installments paid in several parts or only partly covered", "share", "payment", 1, "part_payments"),
    Feature("paid_ahead_to_installment", "amount paid ahead over the usual installment", "ratio", "payment", -1, "pays_early"),
    Feature("early_share_6", "share of the last 6 installments covered before their due date", "share", "payment", -1, "pays_early"),
    Feature("mean_days_early_6", "mean days early of the early ones among the last 6", "days", "payment", -1, "pays_early"),
    Feature("payment_gap_mean", "mean days between the last 7 days with a payment", "days", "payment", 1, "payment_rhythm"),
    Feature("payment_gap_spread", "standard deviation of the days between the last 7 days with a payment", "days", "payment", 1, "payment_rhythm"),
    Feature("reversals_180", "payments taken back that became known in the last 180 days", "payments", "payment", 1, "bounced"),
    Feature("days_to_next_due", "days until the next installment that is not paid yet falls due", "days", "schedule", 0, "next_due"),
    Feature("next_due_to_usual", "what the next installment that is not paid yet still asks for, over the usual installment", "ratio", "schedule", 1, "next_due"),
    Feature("share_of_term_passed", "installments that fell due over all installments", "share", "progress", 0, "progress"),
    Feature("installments_due", "installments that fell due so far", "installments", "progress", 0, "progress"),
    Feature("installments_left", "installments still to fall due", "installments", "progress", 0, "progress"),
    Feature("loan_age_days", "days since disbursement", "days", "progress", 0, "progress"),
    Feature("share_repaid", "paid over the sum of all installments", "share", "progress", -1, "balance_left"),
    Feature("outstanding_to_principal", "outstanding principal over the principal disbursed", "share", "progress", 1, "balance_left"),
    Feature("principal", "principal disbursed", "currency", "contract", 0, "contract"),
    Feature("annual_rate", "interest a year, as a fraction", "fraction", "contract", 0, "contract"),
    Feature("installment_days", "mean days between due dates", "days", "contract", 0, "contract"),
    Feature("term_installments", "installments in the schedule", "installments", "contract", 0, "contract"),
    Feature("installment_amount_to_principal", "usual installment over the principal disbursed", "share", "contract", 0, "contract"),
    Feature("loan_cycle", "this is the borrower's n-th loan", "loans", "relationship", -1, "earlier_loans"),
    Feature("earlier_max_days_late", "most days late on the borrower's earlier loans", "days", "relationship", 1, "earlier_loans"),
    Feature("earlier_late_share", "share of late installments on the borrower's earlier loans", "share", "relationship", 1, "earlier_loans"),
)  # fmt: skip

FEATURE_NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES)
ATTRIBUTE_REASON = "attribute"
_BY_NAME = {feature.name: feature for feature in FEATURES}


def describe(name: str) -> Feature:
    """The catalogue's entry for a column of the matrix; `attr_…` columns are the lender's own attributes.

    Raises KeyError for a name that is neither.
    """
    if name.startswith("attr_"):
        words = name.removeprefix("attr_").replace("_", " ")
        return Feature(
            name, f"the lender's own attribute: {words}", "as given", "attribute", 0, ATTRIBUTE_REASON
        )
    return _BY_NAME[name]


def catalogue_digest() -> str:
    """BLAKE2b of the whole catalogue; part of a model's and a list's identity."""
    return json_digest([asdict(feature) for feature in FEATURES])
