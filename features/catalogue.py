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
A charge, and the arrears a book begins with, are due, late and covered like an installment; the schedule, its progress,
the contract and the usual installment are told without them, so that a fee for being late changes none of these.
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
    control: str
    english: str
    spanish: str
    needs: str = ""


BORROWER, LENDER, OTHERS, NOBODY = "borrower", "lender", "others", "nobody"

FEATURES: tuple[Feature, ...] = (
    Feature("days_past_due", "days since the oldest unpaid installment fell due, net of pauses", "days", "state", 1, "behind_now", BORROWER,
        "{value} days late now", "{value} días de atraso ahora"),
    Feature("installments_unpaid", "installments past their due date and not fully covered", "installments", "state", 1, "behind_now", BORROWER,
        "{value} installments behind", "{value} cuotas atrasadas"),
    Feature("past_due_to_installment", "amount past due over the usual installment", "ratio", "state", 1, "behind_now", BORROWER,
        "{value} usual installments past due", "{value} cuotas habituales vencidas"),
    Feature("days_past_due_original", "days past due on the schedule the loan began with, net of pauses", "days", "state", 1, "rescheduled", BORROWER,
        "{value} days late on the first schedule", "{value} días de atraso en el plan inicial"),
    Feature("late_count_3", "of the last 3 installments, paid late or still late", "installments", "lateness", 1, "recent_late", BORROWER,
        "{value} of the last 3 installments late", "{value} de las últimas 3 cuotas con atraso"),
    Feature("late_count_6", "of the last 6 installments, paid late or still late", "installments", "lateness", 1, "recent_late", BORROWER,
        "{value} of the last 6 installments late", "{value} de las últimas 6 cuotas con atraso"),
    Feature("mean_days_late_3", "mean days late of the late ones among the last 3", "days", "lateness", 1, "recent_late", BORROWER,
        "late ones among the last 3 by {value} days on average", "las atrasadas de las últimas 3, {value} días en promedio"),
    Feature("mean_days_late_6", "mean days late of the late ones among the last 6", "days", "lateness", 1, "recent_late", BORROWER,
        "late ones among the last 6 by {value} days on average", "las atrasadas de las últimas 6, {value} días en promedio"),
    Feature("max_days_late_3", "most days late among the last 3", "days", "lateness", 1, "recent_late", BORROWER,
        "at most {value} days late among the last 3", "hasta {value} días de atraso en las últimas 3"),
    Feature("max_days_late_6", "most days late among the last 6", "days", "lateness", 1, "recent_late", BORROWER,
        "at most {value} days late among the last 6", "hasta {value} días de atraso en las últimas 6"),
    Feature("late_count_12", "of the last 12 installments, paid late or still late", "installments", "lateness", 1, "long_late", BORROWER,
        "{value} of the last 12 installments late", "{value} de las últimas 12 cuotas con atraso"),
    Feature("max_days_late_12", "most days late among the last 12", "days", "lateness", 1, "long_late", BORROWER,
        "at most {value} days late among the last 12", "hasta {value} días de atraso en las últimas 12"),
    Feature("late_share", "share of all installments so far that were late", "share", "lateness", 1, "long_late", BORROWER,
        "a share of {value} of all installments late", "una parte de {value} de todas las cuotas con atraso"),
    Feature("mean_days_late_all", "mean days late of all late installments so far", "days", "lateness", 1, "long_late", BORROWER,
        "late ones by {value} days on average so far", "las atrasadas, {value} días en promedio hasta ahora"),
    Feature("max_days_late_all", "most days late so far", "days", "lateness", 1, "long_late", BORROWER,
        "at most {value} days late so far", "hasta {value} días de atraso hasta ahora"),
    Feature("days_late_trend", "days late of the last 3 installments, on average over all three, minus that of the 3 before", "days", "trend", 1, "getting_later", BORROWER,
        "the last 3 came {value} days later than those before", "las últimas 3 llegaron {value} días más tarde que las anteriores"),
    Feature("last_minus_usual_days_late", "days late of the last installment minus the average over all earlier ones", "days", "trend", 1, "getting_later", BORROWER,
        "the last one came {value} days later than usual", "la última llegó {value} días más tarde que lo habitual"),
    Feature("last_days_late", "days late of the last installment", "days", "lateness", 1, "last_late", BORROWER,
        "the last installment {value} days late", "la última cuota con {value} días de atraso"),
    Feature("late_count_30", "of the installments that fell due in the last 30 days, late", "installments", "lateness", 1, "recent_late", BORROWER,
        "{value} late installments in the last 30 days", "{value} cuotas con atraso en los últimos 30 días"),
    Feature("late_count_90", "of the installments that fell due in the last 90 days, late", "installments", "lateness", 1, "recent_late", BORROWER,
        "{value} late installments in the last 90 days", "{value} cuotas con atraso en los últimos 90 días"),
    Feature("late_count_180", "of the installments that fell due in the last 180 days, late", "installments", "lateness", 1, "recent_late", BORROWER,
        "{value} late installments in the last 180 days", "{value} cuotas con atraso en los últimos 180 días"),
    Feature("max_days_late_30", "most days late among installments that fell due in the last 30 days", "days", "lateness", 1, "recent_late", BORROWER,
        "at most {value} days late in the last 30 days", "hasta {value} días de atraso en los últimos 30 días"),
    Feature("max_days_late_90", "most days late among installments that fell due in the last 90 days", "days", "lateness", 1, "recent_late", BORROWER,
        "at most {value} days late in the last 90 days", "hasta {value} días de atraso en los últimos 90 días"),
    Feature("max_days_late_180", "most days late among installments that fell due in the last 180 days", "days", "lateness", 1, "recent_late", BORROWER,
        "at most {value} days late in the last 180 days", "hasta {value} días de atraso en los últimos 180 días"),
    Feature("weighted_days_late", "mean days late of all installments so far, each counting 0.7 of the one after it", "days", "lateness", 1, "recent_late", BORROWER,
        "{value} days late on average, the newest counting most", "{value} días de atraso en promedio, más peso a las últimas"),
    Feature("days_late_spread_6", "standard deviation of the days late over the last 6", "days", "trend", 1, "irregular", BORROWER,
        "days late vary by {value} over the last 6", "los días de atraso varían en {value} en las últimas 6"),
    Feature("days_late_spread_12", "standard deviation of the days late over the last 12", "days", "trend", 1, "irregular", BORROWER,
        "days late vary by {value} over the last 12", "los días de atraso varían en {value} en las últimas 12"),
    Feature("last_minus_previous_days_late", "days late of the last installment minus that of the one before", "days", "trend", 1, "getting_later", BORROWER,
        "the last one came {value} days later than the one before", "la última llegó {value} días más tarde que la anterior"),
    Feature("pay_day_drift", "days after the due date (before it: negative) of the last 3, on average, minus that of the up to 3 before", "days", "trend", 1, "getting_later", BORROWER,
        "the pay day moved by {value} days against the due date", "el día de pago se movió {value} días respecto al vencimiento"),
    Feature("pay_day_spread_6", "standard deviation over the last 6 of the days after the due date (before it: negative)", "days", "trend", 1, "irregular", BORROWER,
        "the pay day varies by {value} days against the due date", "el día de pago varía en {value} días respecto al vencimiento"),
    Feature("on_time_streak", "installments in a row paid on time, up to now", "installments", "streak", -1, "on_time_record", BORROWER,
        "{value} installments in a row on time", "{value} cuotas seguidas a tiempo"),
    Feature("late_streak", "installments in a row late, up to now", "installments", "streak", 1, "recent_late", BORROWER,
        "{value} installments in a row late", "{value} cuotas seguidas con atraso"),
    Feature("longest_late_streak_12", "most installments in a row late among the last 12", "installments", "streak", 1, "long_late", BORROWER,
        "up to {value} installments in a row late", "hasta {value} cuotas seguidas con atraso"),
    Feature("days_since_late", "days since the last late installment fell due", "days", "streak", -1, "on_time_record", BORROWER,
        "{value} days since a late installment fell due", "{value} días desde el vencimiento de una cuota atrasada"),
    Feature("days_since_payment", "days since the last payment", "days", "payment", 1, "no_recent_payment", BORROWER,
        "{value} days since the last payment", "{value} días desde el último pago"),
    Feature("payments_30", "payments in the last 30 days", "payments", "payment", -1, "no_recent_payment", BORROWER,
        "{value} payments in the last 30 days", "{value} pagos en los últimos 30 días"),
    Feature("paid_to_due_30", "paid or waived over what fell due in the last 30 days, both under the schedule in force", "ratio", "payment", -1, "paid_less_than_due", BORROWER,
        "paid {value} times what fell due in 30 days", "pagó {value} veces lo vencido en 30 días"),
    Feature("paid_to_due_90", "paid or waived over what fell due in the last 90 days, both under the schedule in force", "ratio", "payment", -1, "paid_less_than_due", BORROWER,
        "paid {value} times what fell due in 90 days", "pagó {value} veces lo vencido en 90 días"),
    Feature("paid_to_due_180", "paid or waived over what fell due in the last 180 days, both under the schedule in force", "ratio", "payment", -1, "paid_less_than_due", BORROWER,
        "paid {value} times what fell due in 180 days", "pagó {value} veces lo vencido en 180 días"),
    Feature("partial_share_6", "share of the last 6 installments paid in several parts or only partly covered", "share", "payment", 1, "part_payments", BORROWER,
        "a share of {value} of the last 6 paid in parts", "una parte de {value} de las últimas 6 pagada por partes"),
    Feature("covered_when_due_share_6", "share of an installment that was covered on its due date, on average over the last 6", "share", "payment", -1, "part_payments", BORROWER,
        "a share of {value} covered on the due date", "una parte de {value} cubierta en la fecha de vencimiento"),
    Feature("last_payment_to_installment", "paid on the last day with a payment, over the usual installment", "ratio", "payment", -1, "paid_less_than_due", BORROWER,
        "the last payment was {value} usual installments", "el último pago fue de {value} cuotas habituales"),
    Feature("paid_ahead_to_installment", "amount paid ahead over the usual installment", "ratio", "payment", -1, "pays_early", BORROWER,
        "{value} usual installments paid ahead", "{value} cuotas habituales pagadas por adelantado"),
    Feature("early_share_6", "share of the last 6 installments covered before their due date", "share", "payment", -1, "pays_early", BORROWER,
        "a share of {value} of the last 6 paid early", "una parte de {value} de las últimas 6 pagada antes"),
    Feature("mean_days_early_6", "mean days early of the early ones among the last 6", "days", "payment", -1, "pays_early", BORROWER,
        "early ones among the last 6 by {value} days on average", "las adelantadas de las últimas 6, {value} días en promedio"),
    Feature("payment_gap_mean", "mean days between the last 7 days with a payment", "days", "payment", 1, "payment_rhythm", BORROWER,
        "pays every {value} days on average", "paga cada {value} días en promedio"),
    Feature("payment_gap_spread", "standard deviation of the days between the last 7 days with a payment", "days", "payment", 1, "payment_rhythm", BORROWER,
        "the days between payments vary by {value}", "los días entre pagos varían en {value}"),
    Feature("reversals_180", "payments taken back that became known in the last 180 days", "payments", "payment", 1, "bounced", BORROWER,
        "{value} payments taken back in 180 days", "{value} pagos revertidos en 180 días"),
    Feature("days_to_next_due", "days until the next installment or charge that is not paid yet falls due", "days", "schedule", 0, "next_due", LENDER,
        "the next installment falls due in {value} days", "la próxima cuota vence en {value} días"),
    Feature("next_due_to_usual", "what the next installment or charge that is not paid yet still asks for, over the usual installment", "ratio", "schedule", 1, "next_due", LENDER,
        "the next installment asks for {value} times the usual", "la próxima cuota pide {value} veces lo habitual"),
    Feature("due_30_to_usual", "installments that fall due in the next 30 days over the usual installment", "ratio", "schedule", 1, "next_due", LENDER,
        "{value} usual installments fall due in 30 days", "{value} cuotas habituales vencen en 30 días"),
    Feature("largest_left_to_usual", "the largest installment still to fall due over the usual installment", "ratio", "schedule", 1, "next_due", LENDER,
        "the largest installment ahead is {value} times the usual", "la cuota más grande por vencer es {value} veces la habitual"),
    Feature("days_to_last_due", "days until the last installment falls due, 0 once it has", "days", "schedule", 0, "progress", NOBODY,
        "the last installment falls due in {value} days", "la última cuota vence en {value} días"),
    Feature("share_of_term_passed", "installments that fell due over all installments", "share", "progress", 0, "progress", NOBODY,
        "a share of {value} of the installments has fallen due", "una parte de {value} de las cuotas ya venció"),
    Feature("installments_due", "installments that fell due so far", "installments", "progress", 0, "progress", NOBODY,
        "{value} installments have fallen due", "{value} cuotas ya vencieron"),
    Feature("installments_left", "installments still to fall due", "installments", "progress", 0, "progress", NOBODY,
        "{value} installments are still to fall due", "{value} cuotas por vencer"),
    Feature("loan_age_days", "days since disbursement", "days", "progress", 0, "progress", NOBODY,
        "the loan is {value} days old", "el préstamo tiene {value} días"),
    Feature("share_repaid", "paid over the sum of all installments and charges", "share", "progress", -1, "balance_left", BORROWER,
        "a share of {value} of all installments is paid", "una parte de {value} de todas las cuotas está pagada"),
    Feature("outstanding_to_principal", "outstanding principal over the principal disbursed", "share", "progress", 1, "balance_left", BORROWER,
        "a share of {value} of the principal is still owed", "se debe aún una parte de {value} del capital"),
    Feature("principal", "principal disbursed", "currency", "contract", 0, "contract", LENDER,
        "a loan of {value}", "un préstamo de {value}"),
    Feature("annual_rate", "interest a year, as a fraction", "fraction", "contract", 0, "contract", LENDER,
        "a rate of {value} a year", "una tasa de {value} al año"),
    Feature("installment_days", "mean days between due dates", "days", "contract", 0, "contract", LENDER,
        "an installment every {value} days", "una cuota cada {value} días"),
    Feature("term_installments", "installments in the schedule", "installments", "contract", 0, "contract", LENDER,
        "{value} installments in the schedule", "{value} cuotas en el plan"),
    Feature("installment_amount_to_principal", "usual installment over the principal disbursed", "share", "contract", 0, "contract", LENDER,
        "an installment is a share of {value} of the principal", "una cuota es una parte de {value} del capital"),
    Feature("days_to_first_installment", "days from disbursement to the first due date, of a schedule that holds from the beginning", "days", "contract", 0, "contract", LENDER,
        "the first installment fell due after {value} days", "la primera cuota venció a los {value} días"),
    Feature("reschedules", "times the schedule was changed for a new one", "schedules", "contract", 1, "rescheduled", LENDER,
        "rescheduled {value} times", "reprogramado {value} veces"),
    Feature("days_since_reschedule", "days since the schedule was last changed for a new one", "days", "contract", 0, "rescheduled", LENDER,
        "rescheduled {value} days ago", "reprogramado hace {value} días"),
    Feature("loan_cycle", "this is the borrower's n-th loan", "loans", "relationship", -1, "earlier_loans", NOBODY,
        "the borrower's loan number {value}", "el préstamo número {value} del cliente"),
    Feature("earlier_max_days_late", "most days late on the borrower's earlier loans", "days", "relationship", 1, "earlier_loans", BORROWER,
        "at most {value} days late on earlier loans", "hasta {value} días de atraso en préstamos anteriores"),
    Feature("earlier_late_share", "share of late installments on the borrower's earlier loans", "share", "relationship", 1, "earlier_loans", BORROWER,
        "a share of {value} of the installments of earlier loans late", "una parte de {value} de las cuotas de préstamos anteriores con atraso"),
    Feature("other_loans", "the borrower's other live loans", "loans", "relationship", 1, "other_loans", BORROWER,
        "{value} other live loans", "otros {value} préstamos vigentes"),
    Feature("other_loans_max_days_past_due", "most days past due on the borrower's other live loans", "days", "relationship", 1, "other_loans", BORROWER,
        "another loan is {value} days late", "otro préstamo tiene {value} días de atraso"),
    Feature("days_since_earlier_loan", "days from the disbursement of the borrower's loan before this one to that of this one", "days", "relationship", 0, "earlier_loans", NOBODY,
        "{value} days after the loan before it", "{value} días después del préstamo anterior"),
    Feature("principal_to_earlier", "principal over that of the borrower's loan before this one, in the same currency", "ratio", "relationship", 1, "earlier_loans", LENDER,
        "{value} times the loan before it", "{value} veces el préstamo anterior"),
    Feature("earlier_written_off", "the borrower's earlier loans that were written or charged off", "loans", "relationship", 1, "earlier_loans", BORROWER,
        "{value} earlier loans written off", "{value} préstamos anteriores castigados"),
    Feature("group_loans", "live loans of the other members of the loan's group", "loans", "group", 0, "group", LENDER,
        "{value} other live loans in the group", "otros {value} préstamos vigentes en el grupo", "group_id"),
    Feature("group_late_share", "share of the group's other members' live loans that are past due", "share", "group", 1, "group", OTHERS,
        "a share of {value} of the group's other loans is late", "una parte de {value} de los otros préstamos del grupo está atrasada", "group_id"),
    Feature("officer_loans", "live loans of other borrowers with the loan's officer", "loans", "officer", 1, "officer", LENDER,
        "{value} other loans with the officer", "otros {value} préstamos con el asesor", "officer_id"),
    Feature("officer_late_share", "share of the officer's live loans of other borrowers that are past due", "share", "officer", 1, "officer", LENDER,
        "a share of {value} of the officer's other loans is late", "una parte de {value} de los otros préstamos del asesor está atrasada", "officer_id"),
    Feature("days_with_officer", "days since the loan came to its officer", "days", "officer", -1, "officer", LENDER,
        "with the officer for {value} days", "con el asesor desde hace {value} días", "officer_id"),
    Feature("branch_loans", "live loans of other borrowers in the loan's branch", "loans", "branch", 0, "branch", LENDER,
        "{value} other loans in the branch", "otros {value} préstamos en la agencia", "branch_id"),
    Feature("branch_late_share", "share of the branch's live loans of other borrowers that are past due", "share", "branch", 1, "branch", LENDER,
        "a share of {value} of the branch's other loans is late", "una parte de {value} de los otros préstamos de la agencia está atrasada", "branch_id"),
    Feature("centre_loans", "live loans of other borrowers whose groups meet at the same place", "loans", "centre", 0, "centre", LENDER,
        "{value} other loans at the meeting place", "otros {value} préstamos en el lugar de reunión", "place"),
    Feature("centre_late_share", "share of the live loans of other borrowers at the same meeting place that are past due", "share", "centre", 1, "centre", OTHERS,
        "a share of {value} of the other loans at the meeting place is late", "una parte de {value} de los otros préstamos del lugar de reunión está atrasada", "place"),
    Feature("days_to_holiday", "days until the next holiday or festival of the branch's calendar", "days", "calendar", 0, "season", NOBODY,
        "the next holiday is in {value} days", "el próximo feriado es en {value} días", "calendar_days"),
    Feature("days_since_holiday", "days since the last holiday or festival of the branch's calendar, 0 on one", "days", "calendar", 0, "season", NOBODY,
        "the last holiday was {value} days ago", "el último feriado fue hace {value} días", "calendar_days"),
    Feature("holidays_30", "holidays and festivals of the branch's calendar in the next 30 days", "days", "calendar", 0, "season", NOBODY,
        "{value} holidays in the next 30 days", "{value} feriados en los próximos 30 días", "calendar_days"),
    Feature("disaster_days_90", "days of disaster in the branch's calendar in the last 90 days", "days", "calendar", 1, "disaster", NOBODY,
        "{value} days of disaster in the last 90 days", "{value} días de desastre en los últimos 90 días", "calendar_days"),
    Feature("installment_to_income", "what the loan asks for in a month over the monthly income told last", "ratio", "income", 1, "burden", LENDER,
        "an installment a month is {value} times the income", "la cuota mensual es {value} veces el ingreso", "observations"),
    Feature("debt_service_to_income", "what all the borrower's live loans ask for in a month and the other debt service told last, over the monthly income told last", "ratio", "income", 1, "burden", LENDER,
        "installments and other debts are {value} times the income", "las cuotas y otras deudas son {value} veces el ingreso", "observations"),
    Feature("disposable_to_installment", "monthly income minus monthly expenses, as told last, over what the loan asks for in a month", "ratio", "income", -1, "burden", BORROWER,
        "income after expenses is {value} monthly installments", "el ingreso menos los gastos es {value} cuotas mensuales", "observations"),
    Feature("other_debt_rise_to_income", "other debt service told last minus that told before it, over the monthly income told last", "ratio", "income", 1, "burden", BORROWER,
        "other debts rose by {value} times the income", "las otras deudas subieron {value} veces el ingreso", "observations"),
    Feature("income_to_earlier", "monthly income told last over that told before it", "ratio", "income", -1, "income_change", BORROWER,
        "income is {value} times what it was before", "el ingreso es {value} veces el anterior", "observations"),
    Feature("days_since_income", "days since the borrower last told of an income", "days", "income", 0, "income_change", LENDER,
        "income was told {value} days ago", "el ingreso se conoció hace {value} días", "observations"),
    Feature("savings_to_installment", "savings told last over the usual installment", "ratio", "income", -1, "savings", BORROWER,
        "savings are {value} usual installments", "los ahorros son {value} cuotas habituales", "observations"),
    Feature("savings_to_earlier", "savings told last over those told before", "ratio", "income", -1, "savings", BORROWER,
        "savings are {value} times what they were before", "los ahorros son {value} veces los anteriores", "observations"),
    Feature("promises_kept_share", "share of the promises due so far that were kept: at least 95 % paid by the day after", "share", "contact", -1, "promises", BORROWER,
        "a share of {value} of the promises kept", "una parte de {value} de las promesas cumplida", "contacts"),
    Feature("broken_promises_180", "of the promises due in the last 180 days, not kept", "promises", "contact", 1, "promises", BORROWER,
        "{value} promises broken in 180 days", "{value} promesas incumplidas en 180 días", "contacts"),
    Feature("days_since_conversation", "days since somebody last spoke with the borrower", "days", "contact", 0, "conversation", LENDER,
        "last spoken with {value} days ago", "última conversación hace {value} días", "contacts"),
)  # fmt: skip

FEATURE_NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES if not feature.needs)
"""Those that every book has: the columns the kernel fills, and what a borrower's loans say of each other."""
OPTIONAL_NAMES: tuple[str, ...] = tuple(feature.name for feature in FEATURES if feature.needs)
"""Those that need what a lender may not record; left out, and named, where the ledger does not hold it."""
ATTRIBUTE_REASON = "attribute"
_BY_NAME = {feature.name: feature for feature in FEATURES}


def describe(name: str) -> Feature:
    """The catalogue's entry for a column of the matrix; `attr_…` columns are the lender's own attributes.

    Raises KeyError for a name that is neither.
    """
    if name.startswith("attr_"):
        words = name.removeprefix("attr_").replace("_", " ")
        return Feature(
            name,
            f"the lender's own attribute: {words}",
            "as given",
            "attribute",
            0,
            ATTRIBUTE_REASON,
            NOBODY,
            f"{words} {{value}}",
            f"{words} {{value}}",
        )
    return _BY_NAME[name]


def catalogue_digest() -> str:
    """BLAKE2b of the whole catalogue; part of a model's and a list's identity."""
    return json_digest([asdict(feature) for feature in FEATURES])
