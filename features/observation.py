"""All loans of a book at the end of one day: the kernel run over them, and what the book itself adds.

`observe_book` is the one way from a book to numbers; a day that is scored and a day of the training panel go
through it alike. It says nothing about who is eligible or what became of whom.
"""

from collections.abc import Iterator
from typing import NamedTuple

import numpy as np

from data.days import NEVER
from features import income, promises, season
from features.book import Assignments, Attribute, Book
from features.catalogue import FEATURE_NAMES, FEATURES
from features.compiled import borrowed, compiled
from features.contagion import spread
from features.facts import Facts, facts_of, is_known
from features.income import tell_income
from features.kernel import observe
from features.matrix import S_DPD, STATE, Scratch, scratch
from features.promises import tell_promises
from features.relations import tell_relations
from features.season import tell_season
from features.settled import Who, stands
from features.surroundings import Crowd, Surroundings, count_live, surroundings, tell

_NEVER = int(NEVER)


class Observation(NamedTuple):
    """Loans known and disbursed by `day`, of borrowers with a live one, ordered by (borrower, disbursed_on, loan); n of them.

    row: n positions among the book's loan rows. loan: n positions among its loan ids. state: n x len(STATE) int64.
    features: n x (catalogue + attributes) float64. exposure: n, in 1/10,000, as `features.kernel.observe` tells it.
    live: n, whether the loan had not ended and still owed something. late: n, whether it was past due by its own arrears.
    """

    day: int
    row: np.ndarray
    loan: np.ndarray
    state: np.ndarray
    features: np.ndarray
    exposure: np.ndarray
    live: np.ndarray
    late: np.ndarray


def feature_names(book: Book) -> list[str]:
    """Columns of the feature matrix: those of every book, those that this ledger records what they need, then the
    lender's numeric attributes in order of name."""
    recorded = (*book.holders.recorded, *book.circumstances.recorded)
    optional = [one.name for one in FEATURES if one.needs in recorded]
    return [*FEATURE_NAMES, *optional, *(attribute.name for attribute in book.attributes)]


def working_space(book: Book) -> Scratch:
    return scratch(book.longest_schedule, book.most_receipts)


def rows_seen(book: Book, day: int, known: int) -> np.ndarray:
    """Positions among the book's loan rows of those disbursed and recorded, by (borrower, disbursed_on, loan)."""
    rows = book.rows
    seen = (rows.known_at <= known) & (known < rows.known_until) & (rows.disbursed_on <= day)
    return book.by_borrower[seen[book.by_borrower]]


def _who(book: Book, day: int, known: int) -> Who:
    """Whom a day is told of, and how they stand: `rows_seen` of borrowers with a live loan."""
    row = rows_seen(book, day, known)
    live, late = np.zeros((2, len(row)), dtype=np.bool_)
    asked = np.flatnonzero(book.settled[row] > min(day, known))
    _stand(book.facts, book.rows.loan[row], book.rows.tolerance[row], asked, day, known, live, late)
    told = _with_a_live_one(book.rows.borrower[row], live)
    return Who(row[told], live[told], late[told])


@compiled
def _stand(facts: Facts, loan: np.ndarray, tolerance: np.ndarray, asked: np.ndarray, day: int, known: int, live: np.ndarray, late: np.ndarray) -> None:  # fmt: skip
    for i in asked:
        live[i], late[i] = stands(facts_of(facts, loan[i]), day, known, tolerance[i])


@compiled
def _with_a_live_one(borrower: np.ndarray, live: np.ndarray) -> np.ndarray:
    """bool per loan row, those of one borrower side by side: whether any of the borrower's loans is live."""
    found = np.zeros(len(borrower), dtype=np.bool_)
    first = 0
    while first < len(borrower):
        last, alive = first, False
        while last < len(borrower) and borrower[last] == borrower[first]:
            alive = alive or live[last]
            last += 1
        found[first:last] = alive
        first = last
    return found


def observe_book(book: Book, day: int, known: int, work: Scratch, crowd: Crowd | None = None) -> Observation:
    """Every loan disbursed by `day` whose borrower has a live one, as known on `known` (a day number, as `day`).

    Of other borrowers nothing is asked: their loans have ended, and nobody else's are told by them.
    crowd: who is live and late over the whole book, where `book` is a part of it (`features.parts`). A loan whose
    record was corrected is seen as it was recorded on that day. Rows are the same for any order of the ledger's rows.
    """
    seen = observe_loans(book, day, known, work)
    around = surroundings_of(book, seen.row, seen.live, seen.late, day, known)
    names = feature_names(book)
    for name, column in tell(around, crowd or count_live(around)).items():
        seen.features[:, names.index(name)] = column
    return seen


def observe_loans(book: Book, day: int, known: int, work: Scratch) -> Observation:
    """`observe_book` without what the crowd says: those columns of the catalogue are NaN until it is told."""
    rows = book.rows
    who = book.asked.pop((day, known)) if (day, known) in book.asked else _who(book, day, known)
    row, live = who.row, who.live
    loan = rows.loan[row]
    state = np.empty((len(row), len(STATE)), dtype=np.int64)
    place_of = {name: place for place, name in enumerate(feature_names(book))}
    features = np.empty((len(row), len(place_of)))
    features[:, len(FEATURE_NAMES) :] = np.nan
    exposure = np.empty(len(row))
    catalogue = features[:, : len(FEATURE_NAMES)]
    borrower = rows.borrower[row]
    _observe_rows(
        book.facts,
        loan,
        rows.disbursed_on[row],
        rows.principal[row],
        rows.rate[row],
        rows.tolerance[row],
        day,
        known,
        work,
        state,
        catalogue,
        exposure,
    )
    told = (rows.disbursed_on[row], rows.principal[row], rows.currency[row], live)
    tell_relations(book.facts, loan, borrower, *told, day, known, state, catalogue)
    place = features.shape[1] - len(book.attributes)
    for more, attribute in enumerate(book.attributes):
        of = loan if attribute.of_loans else borrower
        features[:, place + more] = _attribute_known(attribute, of, known)
    for names, columns in _told_of_circumstances(book, row, live, catalogue, day, known):
        features[:, [place_of[name] for name in names]] = columns
    late = state[:, S_DPD] > 0
    spread(book, row, live, day, known, state, features)
    return Observation(day, row, loan, state, features, exposure, live, late)


def _told_of_circumstances(book: Book, row: np.ndarray, live: np.ndarray, catalogue: np.ndarray, day: int, known: int) -> Iterator[tuple[tuple[str, ...], np.ndarray]]:  # fmt: skip
    """Names and columns of what the tables say that this ledger has, for rows of a day in order of borrower."""
    rows, has = book.rows, book.circumstances
    loan, borrower, currency = rows.loan[row], rows.borrower[row], rows.currency[row]
    if "calendar_days" in has.recorded:
        yield season.NAMES, tell_season(has.days_off, loan, day, known)
    if "observations" in has.recorded:
        yield income.NAMES, tell_income(has.observations, borrower, currency, live, catalogue, day, known)
    if "contacts" in has.recorded:
        yield promises.NAMES, tell_promises(book.facts, has.contacts, loan, borrower, currency, day, known)


def surroundings_of(book: Book, row: np.ndarray, live: np.ndarray, late: np.ndarray, day: int, known: int) -> Surroundings:  # fmt: skip
    """Who has these loan rows, and which of them are live and late: all that the crowd's columns are told from."""
    held = assigned(book.assignments, len(book.loan_ids), day, known)[book.rows.loan[row]]
    borrower = book.rows.borrower[row]
    return surroundings(book.holders, book.assignments[:4], held, borrower, live, late, day, known)


def crowd_of(book: Book, day: int, known: int) -> Crowd:
    """Who is live and who is late in a book at the end of a day, and with whom: what `observe_book` counts, and no more.

    The book keeps the answer until the day is observed."""
    who = book.asked[day, known] = _who(book, day, known)
    row, late = who.row[who.live], who.late[who.live]
    return count_live(surroundings_of(book, row, np.ones(len(row), np.bool_), late, day, known))


@compiled
def _observe_rows(facts: Facts, loan: np.ndarray, disbursed_on: np.ndarray, principal: np.ndarray, rate: np.ndarray, tolerance: np.ndarray, day: int, known: int, work: Scratch, state: np.ndarray, features: np.ndarray, exposure: np.ndarray) -> None:  # fmt: skip
    space = Scratch(borrowed(work.dues), borrowed(work.receipts))
    states, told = borrowed(state), borrowed(features)
    for i in range(len(loan)):
        exposure[i] = observe(
            facts_of(facts, loan[i]),
            disbursed_on[i],
            principal[i],
            rate[i],
            tolerance[i],
            day,
            known,
            space,
            states[i],
            told[i],
        )


def _attribute_known(attribute: Attribute, of: np.ndarray, known: int) -> np.ndarray:
    """The value of an attribute for each position in `of`, as recorded on `known`; NaN where there is none."""
    stands = (attribute.known_at <= known) & (known < attribute.known_until)
    value = np.full(max(attribute.of.max(initial=-1), of.max(initial=-1)) + 1, np.nan)
    value[attribute.of[stands]] = attribute.value[stands]
    return value[of]


def assigned(assignments: Assignments, loans: int, day: int, known: int) -> np.ndarray:
    """For every loan of the book, the position of the assignment that holds on `day`; -1 where none does."""
    return _assigned(
        assignments.loan,
        assignments.from_on,
        assignments.known_at,
        assignments.known_until,
        loans,
        day,
        known,
    )


@compiled
def _assigned(loan: np.ndarray, from_on: np.ndarray, known_at: np.ndarray, known_until: np.ndarray, loans: int, day: int, known: int) -> np.ndarray:  # fmt: skip
    holds = np.full(loans, -1, dtype=np.int64)
    for a in range(len(loan)):
        if from_on[a] <= day and is_known(known_at[a], known_until[a], known):
            holds[loan[a]] = a
    return holds
