"""Exact money.

In the ledger money is `DECIMAL(18,4)`; in arithmetic it is an `int64` count of 1/10,000 of the currency unit
(`SCALE`). Only features and values for ranking are `float64`, in currency units. This module holds the
conversions and the minor unit of each currency (ISO 4217), which is the default tolerance of the arrears
arithmetic. It does not convert between currencies: amounts of two currencies are never added.
"""

from decimal import Decimal

import numpy as np

SCALE = 10_000

# ISO 4217 currencies whose minor unit is not a hundredth. Those of the eighteenth-century kind (1/5) are left out.
_NO_DECIMALS = frozenset(
    [
        "BIF",
        "CLP",
        "DJF",
        "GNF",
        "ISK",
        "JPY",
        "KMF",
        "KRW",
        "PYG",
        "RWF",
        "UGX",
        "VND",
        "VUV",
        "XAF",
        "XOF",
        "XPF",
    ]
)
_THREE_DECIMALS = frozenset(["BHD", "IQD", "JOD", "KWD", "LYD", "OMR", "TND"])

_LENT = """
AED AFN ALL AMD AOA ARS AUD AWG AZN BAM BBD BDT BGN BHD BIF BMD BND BOB BRL BSD BTN BWP BYN BZD CAD CDF CHF
CLP CNY COP CRC CUP CVE CZK DJF DKK DOP DZD EGP ERN ETB EUR FJD FKP GBP GEL GHS GIP GMD GNF GTQ GYD HKD HNL
HTG HUF IDR ILS INR IQD IRR ISK JMD JOD JPY KES KGS KHR KMF KPW KRW KWD KYD KZT LAK LBP LKR LRD LSL LYD MAD
MDL MGA MKD MMK MNT MOP MRU MUR MVR MWK MXN MYR MZN NAD NGN NIO NOK NPR NZD OMR PAB PEN PGK PHP PKR PLN PYG
QAR RON RSD RUB RWF SAR SBD SCR SDG SEK SGD SHP SLE SOS SRD SSP STN SVC SYP SZL THB TJS TMT TND TOP TRY TTD
TWD TZS UAH UGX USD UYU UZS VED VES VND VUV WST XAF XCD XCG XOF XPF YER ZAR ZMW ZWG
"""
_WITHDRAWN = "ANG BYR CUC EEK GHC HRK LTL LVL MRO MZM ROL SKK SLL STD VEF ZMK ZWL"

CURRENCIES: tuple[str, ...] = tuple(sorted(f"{_LENT} {_WITHDRAWN}".split()))
"""Codes of ISO 4217 in which money is lent, with withdrawn ones that old books still hold."""


def decimals_of(currency: str) -> int:
    """Digits after the point that the currency uses (ISO 4217); 2 where not listed otherwise."""
    if currency in _NO_DECIMALS:
        return 0
    return 3 if currency in _THREE_DECIMALS else 2


def minor_unit(currency: str) -> int:
    """One minor unit of the currency in 1/10,000: 100 for a cent, 10,000 for a yen, 10 for a fils."""
    return SCALE // 10 ** decimals_of(currency)


def to_decimal(ten_thousandths: int) -> Decimal:
    """The exact amount behind an integer of 1/10,000."""
    return Decimal(int(ten_thousandths)).scaleb(-4)


def to_units(ten_thousandths: np.ndarray) -> np.ndarray:
    """float64 currency units for features and ranking. Exact to the fourth decimal below 2**53 / 10**4."""
    return ten_thousandths / SCALE


def from_units(amounts: np.ndarray) -> np.ndarray:
    """The int64 behind float64 units written by `to_units`; the round trip is exact."""
    return np.rint(np.asarray(amounts, dtype=np.float64) * SCALE).astype(np.int64)


def format_amount(amount: Decimal, currency: str) -> str:
    """Digits for a reader: thousands separated, as many decimals as the currency has (`12,345.60`)."""
    return f"{amount:,.{decimals_of(currency)}f}"
