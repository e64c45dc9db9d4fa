"""A sheet before it is a file: one row a person, with everything an officer needs and nothing else.

Made from a list's rows and the directory; the formats (`scoring/sheet_formats.py`) only lay it out. Words are
rendered here from codes and values, so a sheet can be drawn again in another language. The PD is not on a sheet:
an officer acts on reasons, and a number about a person invites a verdict.
"""

import json
import re
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from hashlib import blake2b
from typing import NamedTuple

from data.digest import Json
from data.money import format_amount
from decisions.pick import ONE_LIST
from scoring.codes import CONDITION_WORDS, NOT_JUDGED_WORDS
from scoring.queue import MOST_REASONS
from scoring.sentences import several, words
from scoring.settings import ListSettings

ListRow = Mapping[str, object]
"""One row of queue.parquet, withheld.parquet or watch.parquet as plain Python values."""

NOT_IN_DIRECTORY = "not in the directory"
SMALL_THINGS = "no single reason stands out: many small things add up"
WHAT_IS_OWED = "no reason stands out in how it is paid: it is listed for what is still owed, {owed}"
BY_THE_RULE = "this list goes by days late, then arrears, then what is still owed"
"""Why somebody is listed of whom no reason is told: a score above that of a loan of which nothing is known, an ordinary score and
a large loan, or the rule."""


class Person(NamedTuple):
    """What the directory says about a borrower; empty where it says nothing."""

    name: str = ""
    phones: tuple[str, ...] = ()
    language: str = ""
    preferred_time: str = ""


class LoanLine(NamedTuple):
    """One loan of a person at the end of the as-of day, in its own currency."""

    loan_id: str
    product: str
    currency: str
    days_late: int
    to_clear: Decimal
    next_due_on: date | None
    next_due_amount: Decimal | None
    last_payment_on: date | None
    last_payment_amount: Decimal | None

    def money(self, amount: Decimal) -> str:
        return f"{format_amount(amount, self.currency)} {self.currency}"


class SheetRow(NamedTuple):
    """One contact. reasons: sentences, the weightiest first, each with whether it is new since last time.

    promise: the last one in words; promise_is_open: its day has come and what was promised has not.
    """

    rank: int
    borrower_id: str
    person: Person
    call_from: str
    call_until: str
    loans: tuple[LoanLine, ...]
    reasons: tuple[tuple[str, bool], ...]
    promise: str
    promise_is_open: bool
    new_today: bool


@dataclass(frozen=True)
class Sheet:
    """stem: the file name without its ending. whose: the officer or branch by id.

    withheld: who could have been on this list and is not, and why. not_judged: how many of its live loans are on no
    list, and why; empty where there are none. elsewhere: borrowers whom a colleague reaches.
    """

    stem: str
    whose: str
    list_id: str
    as_of: date
    list_for: tuple[date, ...]
    rows: tuple[SheetRow, ...]
    order: str
    withheld: str
    not_judged: str
    complaints: str
    caveats: tuple[str, ...]
    elsewhere: tuple[str, ...]

    def days(self) -> str:
        return " and ".join(f"{day:%A} {day.isoformat()}" for day in self.list_for)


def sheets_of(
    queue: Sequence[ListRow],
    withheld: Sequence[ListRow],
    watch: Sequence[ListRow],
    manifest: Mapping[str, Json],
    people: Mapping[str, Person],
    settings: ListSettings,
) -> list[Sheet]:
    """One sheet for every list that has somebody on it, by list_key; rows in the officer's order.

    people: by borrower_id; whoever is missing is said to be not in the directory.
    """
    list_id = str(manifest["list_id"])
    caveats = manifest["caveats"]
    assert isinstance(caveats, list)
    mine = _by_list(queue)
    left_out = _by_list(withheld)
    beyond = _not_judged_by_list(watch)
    lent_out = _reached_by_colleagues(queue, people)
    return [
        Sheet(
            stem=file_stem(key, list_id),
            whose=_whose(key),
            list_id=list_id,
            as_of=date.fromisoformat(str(manifest["as_of"])),
            list_for=tuple(sorted({_day(row["list_for"]) for row in rows})),
            rows=tuple(_row(loans, people, settings.language) for loans in _by_contact(rows)),
            order=_order(manifest),
            withheld=_withheld(left_out.get(key, [])),
            not_judged=_not_judged(beyond.get(key, {}), manifest),
            complaints=(
                f"Complaints and questions: {settings.complaint_number}"
                if settings.complaint_number
                else "No complaint number is set; tell people the branch's own."
            ),
            caveats=tuple(str(caveat) for caveat in caveats),
            elsewhere=tuple(lent_out.get(key, [])),
        )
        for key, rows in sorted(mine.items())
    ]


def _by_list(rows: Sequence[ListRow]) -> dict[str, list[ListRow]]:
    found: dict[str, list[ListRow]] = {}
    for row in rows:
        found.setdefault(str(row["list_key"]), []).append(row)
    return found


def _by_contact(rows: Sequence[ListRow]) -> list[list[ListRow]]:
    """The loans of each contact, contacts by the officer's rank, loans by the rank of their rows."""
    found: dict[int, list[ListRow]] = {}
    for row in sorted(rows, key=lambda row: _whole(row["rank"])):
        found.setdefault(_whole(row["officer_rank"]), []).append(row)
    return [loans for _, loans in sorted(found.items())]


def file_stem(list_key: str, list_id: str) -> str:
    """`f11-1a2b3c4d`: the id of the officer or branch in plain letters, and 8 hex digits of the list and its key.

    The digits keep apart two ids that look alike in plain letters. A name or a phone number never becomes a file name:
    an id that has blanks, or that may be a phone number, leaves the word officer or branch in its place.
    """
    kind, _, whose = list_key.partition(":")
    if re.search(r"\s", whose) or re.fullmatch(r"[+0][\d().-]{6,}|\d{9,}", whose):
        whose = kind
    plain = re.sub(r"[^a-z0-9]+", "-", whose.lower()).strip("-")[:40] or "all"
    return f"{plain}-{blake2b(f'{list_id}/{list_key}'.encode(), digest_size=4).hexdigest()}"


def _row(loans: Sequence[ListRow], people: Mapping[str, Person], language: str) -> SheetRow:
    first = loans[0]
    borrower_id = str(first["borrower_id"])
    promise, is_open = _promise(loans)
    return SheetRow(
        rank=_whole(first["officer_rank"]),
        borrower_id=borrower_id,
        person=people.get(borrower_id, Person()),
        call_from=str(first["call_from"]),
        call_until=str(first["call_until"]),
        loans=tuple(_loan(row) for row in loans),
        reasons=_reasons(loans, language),
        promise=promise,
        promise_is_open=is_open,
        new_today=any(bool(row["new_today"]) for row in loans),
    )


def _loan(row: ListRow) -> LoanLine:
    return LoanLine(
        loan_id=str(row["loan_id"]),
        product=str(row["product"] or ""),
        currency=str(row["currency"]),
        days_late=_whole(row["days_past_due"]),
        to_clear=_amount(row["due_unpaid_amount"]) or Decimal(0),
        next_due_on=_maybe_day(row["next_due_on"]),
        next_due_amount=_amount(row["next_due_amount"]),
        last_payment_on=_maybe_day(row["last_payment_on"]),
        last_payment_amount=_amount(row["last_payment_amount"]),
    )


def _reasons(loans: Sequence[ListRow], language: str) -> tuple[tuple[str, bool], ...]:
    """The weightiest reasons of all loans; with several loans each says which loan it speaks of. Where there is none, how the
    loans stand, and that no single thing put them on the list."""
    told: list[tuple[float, str, bool]] = []
    for row in loans:
        for n in range(1, MOST_REASONS + 1):
            code = row[f"reason_{n}_code"]
            if code is None or code == "past_due":  # the amount stands beside it already
                continue
            sentence = words(str(code), json.loads(str(row[f"reason_{n}_values"])), language)
            weight = row[f"reason_{n}_contribution"]
            prefix = f"{row['loan_id']}: " if len(loans) > 1 else ""
            told.append((float(str(weight or 0.0)), prefix + sentence, row["change_reason"] == code))
    told.sort(key=lambda reason: -reason[0])
    return tuple((sentence, is_new) for _, sentence, is_new in told[:MOST_REASONS]) or _without_reasons(loans)


def _without_reasons(loans: Sequence[ListRow]) -> tuple[tuple[str, bool], ...]:
    states = [(f"{row['loan_id']}: " if len(loans) > 1 else "") + _state(_loan(row)) for row in loans]
    return tuple((sentence, False) for sentence in [*states[: MOST_REASONS - 1], _why_listed(loans)])


def _why_listed(loans: Sequence[ListRow]) -> str:
    scored = [row for row in loans if row["pd"] is not None]
    if not scored:
        return BY_THE_RULE
    if any(float(str(row["raw_score"])) > float(str(row["base_value"])) for row in scored):
        return SMALL_THINGS
    owed = [_loan(row).money(_amount(row["exposure"]) or Decimal(0)) for row in scored]
    return WHAT_IS_OWED.format(owed=" and ".join(owed))


def _state(loan: LoanLine) -> str:
    """`3 days late, 120.00 KES to clear; 500.00 KES more due on 2025-07-04`."""
    more = "more " if loan.to_clear else ""
    due = loan.next_due_on is not None and loan.next_due_amount is not None
    ahead = (
        f"{loan.money(loan.next_due_amount)} {more}due on {loan.next_due_on}"
        if due and loan.next_due_amount
        else "nothing more falls due"
    )
    if loan.days_late:
        now = f"{several(loan.days_late, 'day')} late, {loan.money(loan.to_clear)} to clear"
    elif loan.to_clear:
        now = f"not late yet, {loan.money(loan.to_clear)} is due and open"
    else:
        now = "not late, nothing is open"
    return f"{now}; {ahead}"


def _promise(loans: Sequence[ListRow]) -> tuple[str, bool]:
    """The newest promise of a person in words, and whether it is open on the list's day."""
    promised = [row for row in loans if row["last_promise_on"] is not None]
    if not promised:
        return "", False
    row = max(promised, key=lambda row: _day(row["last_promise_on"]))
    on, today, loan = _day(row["last_promise_on"]), _day(row["list_for"]), _loan(row)
    amount = _amount(row["last_promise_amount"])
    what = f"for {on}" if amount is None else f"{loan.money(amount)} for {on}"
    if on > today:
        return f"{what}, not due yet", False
    if on == today:
        return f"{what}, due today", True
    if not loan.to_clear:
        return f"{what}, and nothing is open now", False
    if loan.last_payment_on is not None and loan.last_payment_on >= on:
        return f"{what}; a payment came since, some is open", False
    return f"{what}, {several((today - on).days, 'day')} overdue", True


def _order(manifest: Mapping[str, Json]) -> str:
    if manifest["drawn_by"] == "rule":
        return "Order: by the lender's rule, days late, then arrears, then what is still owed; no model was used."
    labels = manifest["labels"]
    assert isinstance(labels, dict)
    version = f" {manifest['model_version']}" if manifest.get("model_version") else ""
    return (
        f"Order: by the model{version}, from the chance of being {labels['bad_at_days']} days late within "
        f"{labels['horizon_days']} days and the amount at stake. A person decides."
    )


def _withheld(rows: Sequence[ListRow]) -> str:
    """Counts of loans, as in the manifest: over all lists they add up to its counts."""
    if not rows:
        return "Nobody is withheld from this list."
    counts = Counter(str(row["reason"]) for row in rows)
    people = people_words(len({str(row["borrower_id"]) for row in rows}))
    reasons = ", ".join(
        f"{CONDITION_WORDS.get(reason, reason)} {count}" for reason, count in sorted(counts.items())
    )
    return f"Not on this list: {several(len(rows), 'loan')} of {people} ({reasons})."


def _not_judged_by_list(watch: Sequence[ListRow]) -> dict[str, Counter[str]]:
    """By list: how many live loans are on no list, by the word why. A loan is its officer's, else its branch's."""
    found: dict[str, Counter[str]] = {}
    for row in watch:
        if row["why_not"] is not None:
            kind = next((kind for kind in ("officer", "branch") if row[f"{kind}_id"] is not None), None)
            key = f"{kind}:{row[f'{kind}_id']}" if kind else ONE_LIST
            found.setdefault(key, Counter())[str(row["why_not"])] += 1
    return found


def _not_judged(counts: Mapping[str, int], manifest: Mapping[str, Json]) -> str:
    if not counts:
        return ""
    labels = manifest["labels"]
    assert isinstance(labels, dict)
    said = [
        NOT_JUDGED_WORDS.get(why, "{loans} not judged: " + why.replace("_", " ")).format(
            loans=several(count, "loan"),
            belongs="belongs" if count == 1 else "belong",
            bad_at=labels["bad_at_days"],
            horizon=labels["horizon_days"],
        )
        for why, count in sorted(counts.items())
    ]
    return f"On no list: {'; '.join(said)}."


def _reached_by_colleagues(queue: Sequence[ListRow], people: Mapping[str, Person]) -> dict[str, list[str]]:
    """By list: borrowers of an officer whom a colleague reaches, because the larger loan is the colleague's."""
    found: dict[str, list[str]] = {}
    for row in queue:
        own, reached_by = f"officer:{row['loan_officer_id']}", str(row["list_key"])
        if row["loan_officer_id"] is not None and own != reached_by:
            who = people.get(str(row["borrower_id"]), Person()).name or f"Borrower {row['borrower_id']}"
            found.setdefault(own, []).append(
                f"{who} (loan {row['loan_id']}) is reached by {_whose(reached_by)}."
            )
    return found


def _whose(list_key: str) -> str:
    kind, _, owner = list_key.partition(":")
    return f"{kind.capitalize()} {owner}" if owner else "All branches"


def people_words(count: int) -> str:
    """`1 person`, `2 people`."""
    return "1 person" if count == 1 else f"{count} people"


def late_words(loan: LoanLine) -> str:
    """What fell due on the day itself is open but not late."""
    if loan.days_late:
        return f"{several(loan.days_late, 'day')} late"
    return "not late yet" if loan.to_clear else "not late"


def _whole(value: object) -> int:
    assert isinstance(value, int)
    return value


def _day(value: object) -> date:
    assert isinstance(value, date)
    return value


def _maybe_day(value: object) -> date | None:
    return value if isinstance(value, date) else None


def _amount(value: object) -> Decimal | None:
    return value if isinstance(value, Decimal) else None
