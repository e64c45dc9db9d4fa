"""What only the simulation knows: how likely each person was to stop paying, why a loan defaulted, what a contact did.

It is written into the folder `truth` of an export, as Parquet, and is there to judge with: no mapping reads it, no
ledger holds it, nothing is learnt from it.
"""

import numpy as np
import pyarrow as pa

from data.demo.block import Block
from data.demo.exports import Growing
from data.demo.ids import borrower_ids, contact_ids, loan_ids
from data.demo.people import CAUSES, STATES
from data.demo.text import texts


def write_truth(block: Block, into: Growing, until: int) -> None:
    """Append a block's truth up to the end of day `until`.

    people: traits that nobody sees. hazard: from `from_on` until the borrower's next row, the chance of each day that the
    borrower stops paying (1 where that has happened); the hazard of a loan is its borrower's. defaults: the day on which a
    loan stood at 30 days past due by the money really paid, with the cause, when it began, and how the borrower stood.
    contacts: how the person stood, the chance that this contact changed something (0 where nobody was reached), whether
    it did, and whether it turned the person away.
    """
    them = block.borrowers
    everybody = np.arange(them.count)
    into.write(
        "people.parquet",
        pa.table(
            {
                "borrower_id": borrower_ids(block, everybody),
                "frailty": them.frailty,
                "forgets": them.forgets,
                "unwilling": them.unwilling,
                "responds": them.responds,
                "reached": them.reached,
            }
        ),
    )
    hazard = _until(block.log.take("hazard"), until)
    into.write(
        "hazard.parquet",
        pa.table(
            {
                "borrower_id": borrower_ids(block, hazard["borrower"]),
                "from_on": _days(hazard["on"]),
                "state": texts(STATES, hazard["state"]),
                "hazard": hazard["hazard"].astype(np.float64),
            }
        ),
    )
    defaults = _until(block.log.take("defaults"), until)
    into.write(
        "defaults.parquet",
        pa.table(
            {
                "loan_id": loan_ids(block, defaults["loan"]),
                "on": _days(defaults["on"]),
                "cause": texts(CAUSES, defaults["cause"]),
                "began_on": _days(defaults["began_on"]),
                "state": texts(STATES, defaults["state"]),
            }
        ),
    )
    contacts = _until(block.log.take("contacts"), until)
    into.write(
        "contacts.parquet",
        pa.table(
            {
                "contact_id": contact_ids(block, contacts["loan"], contacts["on"]),
                "state": texts(STATES, contacts["state"]),
                "cause": texts(CAUSES, contacts["cause"]),
                "chance": contacts["chance"].astype(np.float64),
                "acted": contacts["acted"].astype(bool),
                "harmed": contacts["harmed"].astype(bool),
            }
        ),
    )


def _until(rows: dict[str, np.ndarray], day: int) -> dict[str, np.ndarray]:
    kept = rows["on"] <= day
    return {name: column[kept] for name, column in rows.items()}


def _days(days: np.ndarray) -> pa.Array:
    return pa.array(days.astype(np.int32)).cast(pa.date32())
