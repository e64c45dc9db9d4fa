"""The demo lender's truth as a ranking of snapshots: who will stop paying, as only the simulation knows."""

from pathlib import Path

import numpy as np
import pandas as pd

from features.settings import LabelSettings
from models.examples import Examples

CLOSE_TO_ONE = 1e-6
"""Who has stopped has a hazard of 1; log-odds need something less."""


def true_chance(truth: Path, part: Examples, labels: LabelSettings) -> np.ndarray:
    """Of each snapshot (float64, n): the chance that its borrower stops paying within H - K days, at the hazard of the day.

    truth: the folder that `simulate` writes apart. A loan that stops later than that cannot be K days late within H. The
    hazard is each borrower's own, in force at the end of the snapshot's day; whether it rises or falls later is not in it.
    """
    rows = pd.read_parquet(truth / "hazard.parquet", columns=["borrower_id", "from_on", "hazard"])
    ids = pd.Index(part.borrower_ids)
    at = ids.get_indexer(rows["borrower_id"])
    day = pd.to_datetime(rows["from_on"]).to_numpy().astype("datetime64[D]").astype(np.int64)
    asked = at >= 0
    at, day, hazard = at[asked], day[asked], rows["hazard"].to_numpy(np.float64)[asked]
    order = np.lexsort((day, at))
    keys = at[order] * _DAYS + day[order]
    place = np.searchsorted(keys, part.borrower.astype(np.int64) * _DAYS + part.day, side="right") - 1
    if (place < 0).any() or (at[order][place] != part.borrower).any():
        raise SystemExit(
            f"{truth}: the truth of another lender: it does not know a borrower on a day of the panel."
        )
    chance = 1.0 - (1.0 - hazard[order][place]) ** (labels.horizon_days - labels.bad_at_days)
    return np.clip(chance, CLOSE_TO_ONE, 1.0 - CLOSE_TO_ONE)


_DAYS = 1_000_000
"""More than any day number."""
