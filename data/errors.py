"""The one hierarchy of errors a user may meet.

A message is one sentence (or one sentence per problem, each on its own line) that says what is wrong, where
(file, row, column), and what mends it. The command line prints it without a traceback and ends with
`exit_code`. Messages hold ids of rows at most: never a name, a phone number or another personal value.
"""


class DuesightError(Exception):
    """Anything a user can act on; `str(error)` is what they read."""

    exit_code = 1


class InputError(DuesightError):
    """A file, a column, a value or a date given by the user cannot be used as it is."""


class MappingError(InputError):
    """The mapping file does not describe the source."""


class LedgerError(DuesightError):
    """The ledger is missing, empty on the day asked for, or not as its manifest says."""


class TooLittleHistoryError(DuesightError):
    """There is not enough to learn from; nothing was registered."""

    exit_code = 3


class RegistryError(DuesightError):
    """A model, an alias or a promotion that the registry does not hold or does not allow."""
