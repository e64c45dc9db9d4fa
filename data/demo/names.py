"""Names, telephones and what the law protects, of people who do not exist.

Names are put together from invented syllables and telephone numbers use country code 999, which is assigned to no
country. Sex and year of birth influence nothing; only a year of birth leaves room for the years in business. One in two hundred has a name
that a spreadsheet would run, split or misread.
"""

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from data.demo.luck import Draw, uniform
from data.demo.parameters import Parameters
from data.demo.text import joined, numbers, padded, texts

_SOUNDS = "ka vo ri tem sha lu ne bo zi mar du fe yol sa pi ngo tre wa hi jun ble xo"
_LAST_SOUNDS = "ru ta no vi mek so la dza pe"
_SYLLABLES, _ENDINGS = _SOUNDS.split(), _LAST_SOUNDS.split()
AWKWARD = (
    '=HYPERLINK("http://demo.invalid/"&A1;"Tovaru")',
    'Rimota, "Bo" Selumek',
    "N'Tavépe Łokuřno",
    "+Zemuru Patiso",
    "@Sunika Voludza",
    "-Duveso Ñangola",
)
TIMES = ("", "08:00-10:00", "12:00-14:00", "16:00-18:00")


def words(keys: np.ndarray, salt: int, syllables: int) -> pa.Array:
    """One invented word for each key."""
    draws = [uniform(keys, salt * 8 + place, Draw.CARD) for place in range(syllables)]
    parts = [texts(_SYLLABLES, (draw * len(_SYLLABLES)).astype(np.int64)) for draw in draws[:-1]]
    ending = texts(_ENDINGS, (draws[-1] * len(_ENDINGS)).astype(np.int64))
    return pc.utf8_capitalize(joined(*parts, ending))


def directory(keys: np.ndarray, serial: np.ndarray, signed: np.ndarray) -> dict[str, pa.Array]:
    """Name, Phones, Address, Language, PreferredTime, Guarantor (of those for whom one `signed`). `serial`: a number of the person over the whole lender."""
    draw = [uniform(keys, 200 + which, Draw.CARD) for which in range(4)]
    plain = joined(words(keys, 1, 2), " ", words(keys, 2, 3))
    odd = serial % 200 == 17
    names = pc.if_else(pa.array(odd), texts(AWKWARD, serial // 200 % len(AWKWARD)), plain)
    second = joined("; ", _phones(2 * serial + 1))
    phones = joined(_phones(2 * serial), pc.if_else(pa.array(draw[0] < 0.2), second, ""))
    guarantor = joined(words(keys, 3, 2), " ", words(keys, 4, 3))
    return {
        "Name": names,
        "Phones": phones,
        "Address": joined(
            "House ", numbers(1 + (draw[1] * 88).astype(np.int64)), ", ", words(keys, 5, 2), " village"
        ),
        "Language": texts(("sw", "en"), draw[2] < 0.35),
        "PreferredTime": texts(TIMES, (draw[3] * 4).astype(np.int64)),
        "Guarantor": pc.if_else(pa.array(signed), guarantor, ""),
    }


def protected(
    keys: np.ndarray, joined: np.ndarray, years: np.ndarray, rules: Parameters
) -> dict[str, pa.Array]:
    """Sex and BirthYear. `joined`: calendar year; nobody was younger than 16 when they began their business."""
    low, high = rules.people.birth_years
    born = low + (uniform(keys, 301, Draw.CARD) * (high - low)).astype(np.int64)
    born = np.minimum(born, joined - np.maximum(18, years + 16))
    return {
        "Sex": texts(("M", "F"), uniform(keys, 300, Draw.CARD) < rules.people.women),
        "BirthYear": numbers(born),
    }


def _phones(number: np.ndarray) -> pa.Array:
    """Distinct for the first hundred million numbers: 61,741,309 and 100,000,000 have no common factor."""
    digits = padded(number * 61_741_309 % 100_000_000, 8)
    return joined(
        "+999 0",
        pc.utf8_slice_codeunits(digits, 0, 2),
        " ",
        pc.utf8_slice_codeunits(digits, 2, 5),
        " ",
        pc.utf8_slice_codeunits(digits, 5, 8),
    )
