"""What the truth says about a book: causes, what was foreshadowed, what contacts did, what a planted habit pretends.

Numbers of the lender itself, taken from its exports and its truth together and never from a model. They stand in
docs/demo-lender.md beside published ranges, and tests hold them there.
"""

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

SIGN_DAYS = 60
"""How long before the last missed due date the lender's files are searched for a sign."""
LATE_SIGN_DAYS = 7


def truth_facts(folder: Path) -> dict[str, dict[str, float]]:
    """Facts by heading. `folder`: as `simulate` wrote it.

    causes: of loans that stood at 30 days past due, the share by cause. foreshadowed: the share of those for which the
    lender's files held a sign within 60 days before the oldest installment then unpaid fell due: an installment covered 7 or
    more days late, or in parts of which one came late, a payment taken back, an income told at three quarters or less of an earlier one, another
    loan of the group at 30 days, a disaster in the region, or the officer away for four weeks; by cause too; and the same of as many loans that never stood at 30 days, of the same branches on the
    same days ("none defaulted"): what is found where nothing is foreshadowed.
    contacts: the share of contacts that changed something, by how the person stood. planted: the share of loans that ever
    stood at 30 days by how the date was written, and the AUC of the form number for it, by half of the book: what chance and
    censoring pretend, for neither is a cause.
    """
    import pandas as pd

    loans = pd.read_csv(folder / "loans.csv", parse_dates=["DisbDate"], date_format="%d/%m/%Y").set_index(
        "LoanNo"
    )
    defaults = pd.read_parquet(folder / "truth" / "defaults.parquet").set_index("loan_id")
    defaults = defaults.join(loans[["ClientNo", "GroupNo", "BranchCode", "DisbDate"]])
    for name in ("on", "began_on"):
        defaults[name] = pd.to_datetime(defaults[name])
    signs = _signs(folder, defaults)
    calm = _signs(folder, _beside(folder, loans, defaults))
    by_cause = signs.any(axis=1).groupby(defaults["cause"]).mean()
    contacts = pd.read_parquet(folder / "truth" / "contacts.parquet")
    late = loans.assign(
        late=loans.index.isin(defaults.index),
        short=loans["WrittenOn"].str.len() < 10,
        form=loans["FormNo"].astype(int),
    )
    planted = {}
    middle = late["DisbDate"].quantile(0.5)
    for half, rows in (
        ("first half", late[late["DisbDate"] <= middle]),
        ("second half", late[late["DisbDate"] > middle]),
    ):
        planted[f"late where the date is short, {half}"] = float(rows.loc[rows["short"], "late"].mean())
        planted[f"late where it is full, {half}"] = float(rows.loc[~rows["short"], "late"].mean())
        planted[f"AUC of the form number, {half}"] = _auc(rows["form"], rows["late"])
    return {
        "causes": _shares(defaults["cause"].value_counts(normalize=True)),
        "foreshadowed": {
            "all": float(signs.any(axis=1).mean()),
            "none defaulted": float(calm.any(axis=1).mean()),
            **_shares(by_cause),
        },
        "signs": _shares(signs.mean()),
        "signs where none defaulted": _shares(calm.mean()),
        "contacts that changed something": _shares(contacts.groupby("state")["acted"].mean()),
        "contacts that turned a person away": {"all": float(contacts["harmed"].mean())},
        "planted": planted,
    }


def _shares(values: "pd.Series") -> dict[str, float]:
    return {str(name): float(value) for name, value in sorted(values.items())}


def _beside(folder: Path, loans: "pd.DataFrame", defaults: "pd.DataFrame") -> "pd.DataFrame":
    """For each default the loan of the branch nearest to it in age that was live on that day and never stood at 30; with that day."""
    import pandas as pd

    events = pd.read_csv(folder / "loan_events.csv", parse_dates=["EffectiveDate"])
    ended = events[events["Event"].isin(("CLS", "WOF", "DTH"))].groupby("LoanNo")["EffectiveDate"].min()
    others = loans[~loans.index.isin(defaults.index)].assign(ended=ended)
    others["ended"] = others["ended"].fillna(pd.Timestamp("2200-01-01"))
    rows: list[tuple[str, pd.Timestamp]] = []
    taken: set[str] = set()
    for row in defaults.to_dict("records"):
        day = row["on"]
        fits = others[
            (others["BranchCode"] == row["BranchCode"])
            & (others["ended"] > day)
            & (others["DisbDate"] < day - pd.Timedelta(days=60))
        ]
        fits = fits[~fits.index.isin(taken)]
        if len(fits):
            nearest = (fits["DisbDate"] - row["DisbDate"]).abs().idxmin()
            taken.add(nearest)
            rows.append((nearest, day))
    chosen = pd.DataFrame(rows, columns=["loan_id", "on"]).set_index("loan_id")
    return chosen.join(loans[["ClientNo", "GroupNo", "BranchCode", "DisbDate"]])


def _auc(values: "pd.Series", late: "pd.Series") -> float:
    """Area under the curve by ranks (Mann and Whitney), ties at half."""
    ranks, many = values.rank(), int(late.sum())
    return float((ranks[late].sum() - many * (many + 1) / 2) / (many * (len(late) - many)))


def _signs(folder: Path, those: "pd.DataFrame") -> "pd.DataFrame":
    """bool by loan and kind of sign, each within `SIGN_DAYS` before the oldest installment unpaid on the day `on` fell due."""
    import pandas as pd

    def of_loans(rows: "pd.DataFrame") -> "dict[str, pd.DataFrame]":
        rows = rows[rows["LoanNo"].isin(those.index)]
        return {str(loan): mine for loan, mine in rows.groupby("LoanNo")}

    payments = pd.read_csv(
        folder / "payments.csv.gz", parse_dates=["ValueDate", "PostedOn"], dtype={"Reverses": str}
    )
    paid_of = of_loans(payments[payments["Status"] == "POSTED"].sort_values("ValueDate"))
    dues_of = of_loans(
        pd.read_csv(folder / "installments.csv.gz", parse_dates=["DueDate"]).sort_values("DueDate")
    )
    told = pd.read_csv(folder / "observations.csv.gz").query("Measure == 'monthly_income'")
    told["ObservedOn"] = pd.to_datetime(told["ObservedOn"], errors="coerce")
    incomes = {str(person): rows for person, rows in told.groupby("ClientNo")}
    in_group = {str(group): days for group, days in those.dropna(subset="GroupNo").groupby("GroupNo")["on"]}
    disasters = pd.read_csv(folder / "calendar_days.csv", parse_dates=["Date"]).query("Kind == 'disaster'")
    calendar = pd.read_csv(folder / "branches.csv").set_index("BranchCode")["Calendar"]
    officers = pd.read_csv(folder / "loans.csv").set_index("LoanNo")["OfficerCode"]
    away = pd.read_csv(folder / "officer_days.csv", parse_dates=["Date"])
    absent = {str(officer): days for officer, days in away.groupby("OfficerCode")["Date"]}

    rows = []
    for row in those.reset_index(names="loan").to_dict("records"):
        loan, high = row["loan"], row["on"] - pd.Timedelta(days=30)
        low = high - pd.Timedelta(days=SIGN_DAYS)
        paid, dues = paid_of.get(loan, payments[:0]), dues_of[loan]
        told_by = incomes.get(row["ClientNo"], told[:0])
        before = told_by.loc[told_by["ObservedOn"] < low, "Value"]
        near = told_by.loc[told_by["ObservedOn"].between(low, high), "Value"]
        of_region = disasters["Calendar"] == calendar[row["BranchCode"]]
        gone = absent.get(officers[loan])
        others = in_group.get(str(row["GroupNo"]))
        rows.append(
            {
                # A schedule that hardship rewrote is a sign by itself; a first one that was mistyped is not.
                "late or in part": dues["Version"].max() > 2
                or _late_or_in_part(dues[dues["Version"] == dues["Version"].min()], paid, low, high),
                "taken back": bool(((paid["Amount"] < 0) & paid["PostedOn"].between(low, high)).any()),
                "income fell": len(before) > 0 and len(near) > 0 and near.min() <= 0.75 * before.median(),
                "group": others is not None and bool(others.between(low, high).any()),
                "disaster": bool(disasters.loc[of_region, "Date"].between(low, high).any()),
                "officer away": gone is not None and int(gone.between(low, high).sum()) >= 28,
            }
        )
    return pd.DataFrame(rows, index=those.index).astype(bool)


def _late_or_in_part(
    dues: "pd.DataFrame", paid: "pd.DataFrame", start: "pd.Timestamp", end: "pd.Timestamp"
) -> bool:
    """Whether an installment due within [start, end) was covered late by 7 days or more, not yet, or by several payments of which the last was late."""
    import numpy as np

    total, received = dues["TotalDue"].cumsum().to_numpy(), paid["Amount"].cumsum().to_numpy()
    days = paid["ValueDate"].to_numpy()
    for place in np.flatnonzero(dues["DueDate"].between(start, end, inclusive="left")):
        covers = np.searchsorted(received, total[place] - 0.005)
        due = dues["DueDate"].iloc[place]
        if covers >= len(received) or days[covers] - due.to_datetime64() >= np.timedelta64(
            LATE_SIGN_DAYS, "D"
        ):
            return True
        begun = np.searchsorted(received, (total[place - 1] if place else 0) + 0.005, side="right")
        if days[covers] > due.to_datetime64() and len(set(days[begun : covers + 1])) > 1:
            return True
    return False
