"""The codes an officer may write down after a contact, with their words.

Outcomes and reasons for not paying, as they stand in the ledger's `contacts`. The codes are what programs read
back; the words are what people see. Source: the field's code lists (domain reference, section 5.3), names in one
form. The everyday outcomes come first, as tick words under each row of a printed sheet.
"""

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
