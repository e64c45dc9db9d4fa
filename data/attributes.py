"""Which attributes of a borrower or a loan a lender may not give us as a feature.

A mapping may bring `attr_…` columns of its own; one that speaks of a protected attribute is refused and belongs under
`[tables.protected]`, which only the fairness report opens. The list follows 12 CFR 1002.2(z) (ECOA) and Regulation
(EU) 2016/679 Art. 9, with their everyday names. It cannot see what a column holds, only what it is called: a
protected attribute under another name passes.
"""

import re

PROTECTED_NAMES = frozenset(
    {
        *(
            "sex",
            "gender",
            "female",
            "male",
            "woman",
            "sexual_orientation",
            "marital_status",
            "married",
            "family_status",
        ),
        *(
            "birth_year",
            "year_of_birth",
            "birth_date",
            "date_of_birth",
            "dob",
            "yob",
            "birthday",
            "birthdate",
            "birthyear",
            "age",
        ),
        *(
            "race",
            "ethnicity",
            "ethnic",
            "ethnic_group",
            "tribe",
            "caste",
            "color",
            "colour",
            "origin",
            "national_origin",
        ),
        *(
            "nationality",
            "citizenship",
            "mother_tongue",
            "first_language",
            "religion",
            "faith",
            "political_opinion",
        ),
        *(
            "children",
            "pregnancy",
            "pregnant",
            "disability",
            "disabled",
            "health",
            "genetic_data",
            "union_member",
        ),
        *("public_assistance", "veteran"),
    }
)


_OF_THINGS = frozenset({"age", "color", "colour", "origin", "health", "children"})
"""Words that a column of a loan may use of a vehicle, a shop or the loan itself."""


def protected_word(name: str, of_person: bool = True) -> str | None:
    """The protected attribute that the name of a column, or an expression, speaks of, or None.

    Whole words count, split at underscores and capitals: `ClientGender` is found, `mortgage` is not. of_person: False
    for a column of a loans export, where `age_months` may be the loan's.
    """
    words = re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", name)
    lower = [word.lower() for word in words]
    names = PROTECTED_NAMES if of_person else PROTECTED_NAMES - _OF_THINGS
    for start in range(len(lower)):
        for end in range(start + 1, min(start + 4, len(lower) + 1)):
            if "_".join(lower[start:end]) in names:
                return "_".join(lower[start:end])
    return None
