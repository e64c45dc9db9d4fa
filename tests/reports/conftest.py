"""Two hand-made training summaries: an ordinary one and a refused one."""

from copy import deepcopy

import pytest

from models.summary import (
    CalibrationBin,
    CalibrationGroup,
    GroupRow,
    Interval,
    ListRow,
    MeasureRow,
    Ranker,
    Summary,
)
from models.trials import Trial, Tuning

REFUSAL = "Too few and too short: 21 loans fell behind in 9 months. Nothing was registered."
DAYS = ("2024-01-05", "2024-01-12", "2024-01-19", "2024-01-26")
HITS: dict[Ranker, tuple[int, ...]] = {
    "model": (14, 12, 15, 11),
    "rule": (13, 12, 11, 12),
    "single": (9, 10, 8, 7),
    "scorecard": (12, 11, 13, 10),
}
VALUES: dict[Ranker, tuple[float, ...]] = {
    "model": (0.41, 0.37, 0.44, 0.34),
    "rule": (0.35, 0.33, 0.30, 0.31),
    "single": (0.25, 0.21, 0.19, 0.2),
    "scorecard": (0.33, 0.31, 0.36, 0.29),
}


def list_row(ranker: Ranker, as_of: str, days: int, hits: int, value: float) -> ListRow:
    return {
        "ranker": ranker,
        "as_of": as_of,
        "eligible": 1_120 * days,
        "listed": 60 * days,
        "positives": 38 * days,
        "hits": hits,
        "precision": hits / (60 * days),
        "recall": hits / (38 * days),
        "value_captured": value,
        "lift": hits / (60 * days) / (38 / 1_120),
    }


def measure_row(
    ranker: Ranker, stratum: str, snapshots: int, positives: int, auc: float | None, hits: int
) -> MeasureRow:
    return {
        "ranker": ranker,
        "stratum": stratum,
        "snapshots": snapshots,
        "loans": snapshots // 3,
        "positives": positives,
        "negatives": snapshots - positives,
        "loans_with_positive": positives // 2,
        "auc": auc,
        "average_precision": None if auc is None else auc / 2,
        "brier": None if ranker == "rule" else 0.0321,
        "why_none": None
        if auc is not None
        else f"{positives} fell behind and {snapshots - positives} did not; a metric needs 30 of each",
        "listed": hits * 4,
        "hits": hits,
        "precision": 0.25 if hits else None,
        "recall": hits / positives,
    }


def measures() -> list[MeasureRow]:
    rows = []
    for ranker, by in (("model", 0.02), ("rule", 0.0), ("single", -0.01), ("scorecard", 0.01)):
        rows += [
            measure_row(ranker, "all", 4_480, 152, 0.81 + by, 52),  # type: ignore[arg-type]
            measure_row(ranker, "0", 4_020, 61, 0.68 + by if ranker != "rule" else 0.5, 9),  # type: ignore[arg-type]
            measure_row(ranker, "1-7", 340, 49, 0.66 + by, 24),  # type: ignore[arg-type]
            measure_row(ranker, "8-29", 120, 22, None, 19),  # type: ignore[arg-type]
        ]
    return rows


def groups() -> list[GroupRow]:
    return [
        {"by": by, "name": name, "ranker": ranker, "snapshots": 2_240, "positives": 76, "listed": 120, "hits": 26, "precision": 0.217, "recall": share, "value_captured": share + 0.01, "auc": None if name == "2024-02" else 0.8, "average_precision": None if name == "2024-02" else 0.31, "brier": None if ranker == "rule" else 0.0432}
        for by, name in (("month", "2024-01"), ("month", "2024-02"), ("loan_size", "smallest quarter"))
        for ranker, share in (("model", 0.342), ("rule", 0.301), ("single", 0.305), ("scorecard", 0.31))
    ]  # fmt: skip


def intervals() -> list[Interval]:
    others: tuple[tuple[Ranker | None, float], ...] = (
        (None, 0.39),
        ("rule", 0.067),
        ("single", 0.021),
        ("scorecard", -0.004),
    )
    return [
        {"ranker": "model", "against": against, "stratum": "all", "figure": figure, "value": value, "low": value - 0.03, "high": value + 0.03}
        for against, value in others
        for figure in ("value_captured", "precision", "recall", "auc")
    ]  # fmt: skip


def tenths() -> list[CalibrationBin]:
    predicted = (0.004, 0.006, 0.009, 0.012, 0.016, 0.021, 0.03, 0.045, 0.08, 0.21)
    observed = (0.002, 0.009, 0.007, 0.013, 0.018, 0.016, 0.029, 0.051, 0.083, 0.17)
    return [
        {"name": str(n), "snapshots": 448, "positives": round(448 * o), "mean_pd": p, "observed": o}
        for n, (p, o) in enumerate(zip(predicted, observed, strict=True), start=1)
    ]


def group(name: str, snapshots: int, positives: int, expected: float | None) -> CalibrationGroup:
    told = expected is not None
    return {
        "name": name,
        "snapshots": snapshots,
        "positives": positives,
        "expected": expected,
        "mean_pd": expected / snapshots if told else None,
        "observed": positives / snapshots if told else None,
        "ratio": expected / positives if told else None,
        "low": 0.8 * expected / positives if told else None,
        "high": 1.2 * expected / positives if told else None,
        "why_none": None
        if told
        else f"{positives} fell behind and {snapshots - positives} did not; a ratio needs 30 of each",
    }


def tuning() -> Tuning:
    """Three shapes on two blocks: the settings', the best, and a cheaper one that is as good."""

    def trial(number: int, rounds: int, leaves: int, depth: int, above: float, error: float) -> Trial:
        return {
            "number": number,
            "shape": {"rounds": rounds, "learning_rate": 0.05, "num_leaves": leaves, "max_depth": depth, "lambda_l2": 1.0, "min_rows_in_leaf": 20},
            "log_loss": 0.21 + above,
            "above": above,
            "error": error,
            "cost": rounds * leaves * depth**2,
            "best": above == 0.0,
            "chosen": number == 2,
        }  # fmt: skip

    trials = [
        trial(0, 300, 15, 6, 0.0021, 0.0009),
        trial(1, 120, 8, 4, 0.0, 0.0),
        trial(2, 60, 4, 2, 0.0004, 0.0007),
    ]
    return {
        "method": "walk_forward",
        "shape": trials[2]["shape"],
        "trials": trials,
        "folds": [
            {"parts": 3, "fit_first": "2022-01-07", "fit_last": "2022-06-24", "fit_snapshots": 9_300, "fit_positives": 391, "between": 111, "judged_first": "2022-10-14", "judged_last": "2022-12-23", "judged_snapshots": 6_400, "judged_positives": 477},
            {"parts": 3, "fit_first": "2022-01-07", "fit_last": "2022-09-23", "fit_snapshots": 16_700, "fit_positives": 951, "between": 104, "judged_first": "2023-01-06", "judged_last": "2023-03-24", "judged_snapshots": 6_294, "judged_positives": 397},
        ],
        "schedule_words": ["tune      fit 2022-01-07 to 2022-06-24 | purge of 111 days | judge 2022-10-14 to 2022-12-23"],
        "words": ["3 shapes of the booster were tried inside the fit window.", "Chosen is number 2."],
    }  # fmt: skip


@pytest.fixture
def summary() -> Summary:
    """A registered model on a weekly book; stratum 8-29 is too small for a measure."""
    lists: list[ListRow] = []
    for ranker, hits in HITS.items():
        lists += [
            list_row(ranker, day, 1, n, v) for day, n, v in zip(DAYS, hits, VALUES[ranker], strict=True)
        ]
        lists.append(list_row(ranker, "all", len(DAYS), sum(hits), sum(VALUES[ranker]) / len(DAYS)))
    return {
        "name": "early-warning-k30-h90",
        "lender": "demo",
        "registrable": True,
        "refusal": None,
        "digest": "ab" * 32,
        "about_source": "Dates are rounded to month ends.",
        "caveats": ["The test window holds 4 days of one month: a season is not in it."],
        "findings": [
            "On loans already 8 to 29 days late the model adds nothing to the rule on these days (22 positives).",
            "The lists of the model reached 39.0% of the exposure that fell behind; those of the rule reached 32.3%.",
        ],
        "finding_groups": [
            {"about": "beats", "against": ["On loans already 8 to 29 days late the model adds nothing to the rule on these days (22 positives)."],
             "favour": ["The lists of the model reached 39.0% of the exposure that fell behind; those of the rule reached 32.3%."]},
        ],
        "limits": [
            "It cannot say whether a call will help: it ranks who will fall behind under the practice of the training window.",
            "It knows nothing about a borrower before the first due date.",
        ],
        "target": {
            "bad_at_days": 30,
            "horizon_days": 90,
            "lag_days": 10,
            "strata": ["0", "1-7", "8-29"],
            "thin_file_installments": 3,
            "words": "Which loans that are less than 30 days past due reach 30 days past due within the next 90 days?",
        },
        "trained_on": {
            "first": "2022-03-04",
            "last": "2024-01-26",
            "until": "2024-05-05",
            "every": "week",
            "months": 23,
            "snapshots": 98_765,
            "loans": 3_210,
            "borrowers": 2_400,
            "positives": 3_456,
            "loans_with_positive": 512,
            "products": [
                {"name": "market weekly", "snapshots": 60_000, "loans": 2_210, "positives": 2_400},
                {"name": "farm monthly", "snapshots": 38_765, "loans": 1_000, "positives": 1_056},
            ],
            "currencies": [{"name": "KES", "snapshots": 98_765, "loans": 3_210, "positives": 3_456}],
            "dropped": [
                {"reason": "not yet due", "snapshots": 4_321},
                {"reason": "already 30 or more days past due", "snapshots": 1_234},
            ],
            "features": 48,
            "panel_digest": "ab" * 32,
            "ledger_digest": "0123456789abcdef" * 4,
            "catalogue_digest": "cd" * 32,
        },
        "schedule": [
            {"part": "fit", "first": "2022-03-04", "last": "2023-02-24", "days": 52, "snapshots": 61_000, "loans": 2_300, "positives": 2_100, "loans_with_positive": 330},
            {"part": "purge", "first": "2023-03-03", "last": "2023-06-02", "days": 14, "snapshots": 12_000, "loans": 1_500, "positives": 400, "loans_with_positive": 90},
            {"part": "calibrate", "first": "2023-06-09", "last": "2023-09-15", "days": 15, "snapshots": 13_000, "loans": 1_500, "positives": 450, "loans_with_positive": 95},
            {"part": "purge", "first": None, "last": None, "days": 0, "snapshots": 0, "loans": 0, "positives": 0, "loans_with_positive": 0},
            {"part": "test", "first": "2024-01-05", "last": "2024-01-26", "days": 4, "snapshots": 4_480, "loans": 1_200, "positives": 152, "loans_with_positive": 70},
        ],
        "panel_file": "panel.parquet",
        "schedule_words": ["fit 2022-03-04 .. 2023-02-24"],
        "refit": None,
        "judged_on": "test",
        "judged_words": "Judged on 4 weekly test days from 2024-01-05 to 2024-01-26, which neither the model nor its calibration had seen.",
        "measures": measures(),
        "lists": lists,
        "groups": groups(),
        "captured_at": [
            {"ranker": ranker, "share": share, "listed": 45, "hits": 20, "recall": recall, "value_captured": recall + 0.02}
            for ranker, by in (("model", 0.05), ("rule", 0.0), ("single", 0.02), ("scorecard", 0.01))
            for share, recall in ((0.01, 0.12 + by), (0.1, 0.48 + by))
        ],
        "burden": [
            {"ranker": "model", "listed_per_100": 5.36, "listed_per_hit": 4.62, "listed_before": 0.613},
            {"ranker": "rule", "listed_per_100": 5.36, "listed_per_hit": 5.0, "listed_before": None},
        ],
        "lead_times": [
            {"ranker": "model", "fell_behind": 70, "loans": 66, "listed": 41, "listed_on_the_first_day": 12, "low_quarter": 9.0, "median": 23.0, "high_quarter": 48.25,
             "in_time": [{"days": 7, "share": 0.514}, {"days": 14, "share": 0.4}, {"days": 30, "share": 0.2}]},
            {"ranker": "rule", "fell_behind": 70, "loans": 66, "listed": 0, "listed_on_the_first_day": 0, "low_quarter": None, "median": None, "high_quarter": None,
             "in_time": [{"days": 7, "share": 0.0}, {"days": 14, "share": 0.0}, {"days": 30, "share": 0.0}]},
        ],
        "worth": [
            {"ranker": ranker, "assumption": name, "loss_given_bad": lost, "effect": effect, "exposure_reached": reached, "saved": reached * lost * effect,
             "cost": 96.0, "net": reached * lost * effect - 96.0, "less_rule": (reached - 80_000.0) * lost * effect}
            for name, lost, effect in (("low", 0.06, 0.03), ("assumed", 0.18, 0.09), ("high", 0.4, 0.16))
            for ranker, reached in (("model", 100_000.0), ("rule", 80_000.0))
        ],
        "familiarity": [
            {"model": "served", "months": "later", "borrowers": "seen", "snapshots": 4_300, "people": 900, "positives": 140, "auc": 0.781, "average_precision": 0.3, "recall": 0.41, "value_captured": 0.4, "why_none": None},
            {"model": "served", "months": "later", "borrowers": "never seen", "snapshots": 180, "people": 60, "positives": 12, "auc": None, "average_precision": None, "recall": 0.25, "value_captured": 0.2, "why_none": "12 fell behind and 168 did not; a metric needs 30 of each"},
            {"model": "folds", "months": "later", "borrowers": "never seen", "snapshots": 4_480, "people": 960, "positives": 152, "auc": 0.744, "average_precision": 0.24, "recall": 0.36, "value_captured": 0.35, "why_none": None},
            {"model": "folds", "months": "learnt from", "borrowers": "never seen", "snapshots": 61_000, "people": 1_900, "positives": 2_100, "auc": 0.75, "average_precision": 0.25, "recall": None, "value_captured": None, "why_none": None},
        ],
        "intervals": intervals(),
        "single": [
            {"feature": "on_time_streak", "meaning": "installments in a row paid on time, up to now", "direction": "higher is safer", "chosen": 1, "of": 1}
        ],
        "baseline_words": [
            "Best single feature: on_time_streak (installments in a row paid on time, up to now), higher is safer.",
            "Scorecard: a logistic regression on weights of evidence of 21 of 48 features.",
        ],
        "calibration": {
            "map": "beta",
            "candidates": [
                {"name": "platt", "chosen": False, "log_loss": 0.1513, "above": 0.0021, "error": 0.0008, "why_none": None},
                {"name": "beta", "chosen": True, "log_loss": 0.1492, "above": 0.0, "error": 0.0, "why_none": None},
                {"name": "isotonic", "chosen": False, "log_loss": None, "above": None, "error": None, "why_none": "95 borrowers who fell behind in the calibration snapshots; it is fitted only with 1,000"},
            ],
            "fitted_on": "The calibration was fitted on 13,000 snapshots of the calibration window.",
            "brier": 0.0291,
            "brier_of_constant": 0.0328,
            "mean_pd": 0.043,
            "observed": 0.034,
            "slope": 0.93,
            "intercept": -0.41,
            "in_the_large": -0.27,
            "everyone": group("all", 4_480, 152, 191.5),
            "tenths": tenths(),
            "strata": [
                group("0", 4_020, 61, 64.3),
                group("1-7", 340, 49, 51.0),
                group("8-29", 120, 22, None),
            ],
            "files": [group("thin file", 310, 18, None), group("longer history", 4_170, 134, 150.2)],
            "months": [group("2024-01", 4_360, 130, 171.6), group("2024-02", 120, 22, None)],
        },
        "tuning": tuning(),
        "importance": [
            {"feature": "days_past_due", "meaning": "days since the oldest unpaid installment fell due, net of pauses", "mean_abs": 0.81, "direction": "higher is riskier"},
            {"feature": "on_time_streak", "meaning": "installments in a row paid on time, up to now", "mean_abs": 0.42, "direction": "higher is safer"},
            {"feature": "principal", "meaning": "principal disbursed", "mean_abs": 0.05, "direction": "no single direction"},
        ],
        "importance_rows": 2_000,
        "trees_split_on": 22,
        "settings": {"trees": 300, "leaves": 31, "learning_rate": 0.05, "weights": {"by": "month"}},
        "capacity": {"minutes_per_day": 240, "minutes_call": 8, "visits_per_day": 8},
        "value": {"loss_given_bad": 0.18, "effect": 0.09, "cost_per_minute": None},
        "settings_digest": "ef" * 32,
        "seed": 7,
        "versions": {"lightgbm": "4.7.0", "numpy": "2.4.0", "python": "3.11"},
    }  # fmt: skip


@pytest.fixture
def refused(summary: Summary) -> Summary:
    """Too few and too short: no test window, only cross-validated numbers, nothing registered."""
    page = deepcopy(summary)
    page["registrable"] = False
    page["digest"] = None
    page["caveats"].insert(0, REFUSAL)
    page["refusal"] = REFUSAL
    page["schedule"] = [page["schedule"][0]]
    page["judged_on"] = "out_of_fold"
    page["judged_words"] = (
        "Judged out of fold on the 61,000 snapshots of the fit window, grouped by borrower."
    )
    page["tuning"] |= {
        "method": "settings",
        "trials": [],
        "folds": [],
        "schedule_words": [],
        "words": ["No shapes were compared."],
    }
    page["lists"] = []
    page["calibration"] = {
        "map": None,
        "candidates": [],
        "fitted_on": "No calibration was fitted.",
        "brier": None,
        "brier_of_constant": None,
        "mean_pd": None,
        "observed": None,
        "slope": None,
        "intercept": None,
        "in_the_large": None,
        "tenths": [],
        "strata": [],
        "files": [],
        "months": [],
    }
    page["importance"] = []
    return page
