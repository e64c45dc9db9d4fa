"""What a contact is worth before anybody is called.

Lists are ordered by the exposure expected to reach the label: `PD x exposure`, in the loan's own currency. It ranks; it
is not money saved. The full value, `PD x exposure x loss_given_bad x effect - cost`, also needs the share of exposure
that is finally lost given the label, what a contact changes, and what it costs; constants among those leave the order
of one list as it is. Amounts of two currencies are not comparable here: a lender with several currencies gets an order
within each currency only.
"""

import numpy as np

from decisions.settings import Assumed


def contact_value(pd: np.ndarray, exposure: np.ndarray, assumed: Assumed, cost: float) -> np.ndarray:
    """float64, one per contact, in currency units: what it is expected to save, less what it costs (currency units).

    pd, exposure: as in `value_at_risk`. Definition: design, section 4; golden example G15.
    """
    return value_at_risk(pd, exposure) * (assumed.loss_given_bad * assumed.effect) - cost


def value_at_risk(pd: np.ndarray, exposure: np.ndarray) -> np.ndarray:
    """float64, one per loan, in currency units. `pd` is a probability, `exposure` currency units.

    A missing PD or exposure (NaN) gives NaN: a value that is not known is not zero.
    Raises ValueError where a PD lies outside 0 to 1.
    """
    pd = np.asarray(pd, dtype=np.float64)
    known = pd[~np.isnan(pd)]
    if known.size and (known.min() < 0.0 or known.max() > 1.0):
        raise ValueError(f"a PD lies between 0 and 1; these run from {known.min()} to {known.max()}")
    return pd * np.asarray(exposure, dtype=np.float64)
