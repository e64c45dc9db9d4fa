"""The codes an officer may write down after a contact, with their words.

Outcomes and reasons for not paying, as they stand in the ledger's `contacts`. The codes are what programs read
back; the words are what people see. Source: the field's code lists (domain reference, section 5.3), names in one
form. The everyday outcomes come first, as tick words under each row of a printed sheet.

A workbook's drop-down offers both, `PROMISE - promised to pay` (`choice`), so that nobody guesses what a code means.
Whoever reads a filled sheet back calls `code_of` on the cell: it takes that choice, the bare code as of older sheets,
or the words alone as somebody types them from paper, and gives the code, or None where a cell says none of these.
"""

from collections.abc import Mapping

OUTCOMES: dict[str, str] = {
    "PAID_IN_FULL": "paid in full",
    "PAID_PARTIAL": "paid a part",
    "PROMISE": "promised to pay",
    "CALLBACK_REQ": "call back later",
    "NO_ANSWER": "no answer",
    "HARDSHIP_DECLARED": "told of hardship",
    "DISPUTE": "disputes the debt",
    "WRONG_NUMBER": "wrong number",
    "REFUSED": "does not wish to pay",
    "BUSY": "line busy",
    "SWITCHED_OFF": "phone switched off",
    "NUMBER_INVALID": "number does not exist",
    "THIRD_PARTY_MSG": "someone else answered",
    "LEFT_LIMITED_MSG": "left a message without details",
    "NOT_HOME": "not at home",
    "MOVED": "moved away",
    "DECEASED": "has died",
    "COMPLAINT": "made a complaint",
    "LANGUAGE_BARRIER": "no common language",
    "ESCALATED": "passed on to the manager",
    "SAFETY_STOP": "stopped for safety",
    "OPTED_OUT": "asked not to be contacted",
}

EVERYDAY = ("PAID_IN_FULL", "PAID_PARTIAL", "PROMISE", "CALLBACK_REQ", "NO_ANSWER", "HARDSHIP_DECLARED")

REASONS: dict[str, str] = {
    "INCOME_DROP": "less income",
    "BUSINESS_LOSS": "loss in the business",
    "CROP_LIVESTOCK": "crop or livestock",
    "ILLNESS": "illness",
    "DEATH_IN_FAMILY": "death in the family",
    "DISASTER": "disaster",
    "MIGRATION": "moved for work",
    "THEFT": "theft",
    "OVER_INDEBTED": "too many debts",
    "DIVERTED_FUNDS": "money used otherwise",
    "GROUP_CONFLICT": "conflict in the group",
    "FORGOT": "forgot",
    "PAYMENT_CHANNEL_FAILURE": "payment did not go through",
    "NOT_POSTED": "paid, not yet posted by us",
    "WILFUL": "able but not willing",
    "DISPUTE_TERMS": "disagrees with the terms",
    "STAFF_MISCONDUCT": "conduct of our staff",
    "FRAUD_GHOST": "loan not known to them",
    "POLITICAL_WAIVER_RUMOUR": "expects a waiver",
    "UNKNOWN": "not known",
}


def choice(code: str, listed: Mapping[str, str]) -> str:
    """What a drop-down shows for a code of OUTCOMES or REASONS: `PROMISE - promised to pay`."""
    return f"{code} - {listed[code]}"


def code_of(said: str, listed: Mapping[str, str]) -> str | None:
    """The code of OUTCOMES or REASONS that a filled cell says, or None; case and spaces do not matter."""
    codes = {_plain(form): code for code in listed for form in (code, listed[code], choice(code, listed))}
    return codes.get(_plain(said))


def _plain(text: str) -> str:
    return " ".join(text.split()).casefold()


CONDITION_WORDS: dict[str, str] = {
    "over_capacity": "the day is full",
    "deceased": "deceased",
    "bereavement": "bereavement",
    "insolvency": "insolvency",
    "represented": "represented by somebody",
    "moratorium": "moratorium",
    "hardship_plan": "hardship plan",
    "dispute": "open dispute",
    "complaint": "open complaint",
    "opt_out": "asked not to be called",
}
"""Reasons for being withheld, as the foot of a sheet says them."""

NOT_JUDGED_WORDS: dict[str, str] = {
    "already_bad": "{loans} already {bad_at} or more days late, which {belongs} to collections",
    "not_yet_due": "{loans} whose first installment is not due yet",
    "unreachable": "{loans} whose next unpaid installment is too far off to be {bad_at} days late within {horizon} days",
}
"""Why a live loan is on no list at all, by the word of the watch file."""

LANGUAGES: dict[str, str] = {
    "am": "Amharic",
    "ar": "Arabic",
    "bn": "Bengali",
    "en": "English",
    "es": "Spanish",
    "fr": "French",
    "ha": "Hausa",
    "hi": "Hindi",
    "id": "Indonesian",
    "ig": "Igbo",
    "km": "Khmer",
    "ki": "Kikuyu",
    "lg": "Luganda",
    "luo": "Luo",
    "my": "Burmese",
    "ne": "Nepali",
    "ny": "Chichewa",
    "om": "Oromo",
    "pt": "Portuguese",
    "ru": "Russian",
    "rw": "Kinyarwanda",
    "so": "Somali",
    "sw": "Swahili",
    "ta": "Tamil",
    "te": "Telugu",
    "tl": "Tagalog",
    "ur": "Urdu",
    "vi": "Vietnamese",
    "yo": "Yoruba",
}
"""Names of languages by their ISO 639 codes, for the people who call."""


def language_name(code: str) -> str:
    """`Swahili` for `sw`; whatever is not in the table stands as the directory has it."""
    return LANGUAGES.get(code.strip().lower(), code)
