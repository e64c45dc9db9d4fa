"""The end of a validation report: what is assumed, by which settings and files it was made, and who decides."""

import json
from collections.abc import Iterable, Mapping

from models.summary import Summary
from reports.paper import Blanks, Block, Heading, Points, Record, Section, Words

DECISIONS = ("reject", "approve", "approve with conditions")


def assumed(summary: Summary) -> Section:
    """What no number here can show, and everything rests on."""
    capacity, target = summary["capacity"], summary["target"]
    on = summary["trained_on"]
    return Section(
        "What is assumed",
        [
            Points(
                [
                    f"That months to come are like those from {on['first']} to {on['last']}: the same products, the same kind of borrowers, the same way of lending and collecting. A festival, a drought or a new rule that is not in them is not in the model.",
                    "That a label is what the ledger knew of it: payments that were never booked look like arrears.",
                    "That the practice of those months goes on. If lists change who is called, those who are called may fall behind less often, and the next model learns from that.",
                    f"That one officer’s day holds {_told(capacity.get('minutes_per_day'))} minutes for follow-up and a call takes {_told(capacity.get('minutes_call'))}: the judged lists are drawn with that for every officer, with nobody withheld.",
                    "That what is at stake is the exposure of a loan: outstanding principal, or what remains to be paid where that is not known. A loan that falls behind is not a loan that is lost: what share is, and what a call saves of it, is assumed.",
                    f"That {target['bad_at_days']} days past due within {target['horizon_days']} days is what the lender wants to hear of early.",
                ]
            )
        ],
    )


def settings(summary: Summary, version: int) -> Section:
    """Every number that was chosen, and what is needed to make all of this again."""
    on = summary["trained_on"]
    digests = [
        ("model", f"{summary['name']} version {version}"),
        ("digest of the model", summary["digest"] or ""),
        *([("digest of the panel", on["panel_digest"])] if "panel_digest" in on else []),
        ("digest of the ledger", on["ledger_digest"]),
        ("digest of the feature catalogue", on["catalogue_digest"]),
        ("digest of the settings", summary["settings_digest"]),
        ("seed", str(summary["seed"])),
        *((name, version) for name, version in sorted(summary["versions"].items())),
    ]
    return Section(
        "Settings, digests and versions",
        [
            Heading("What was used"),
            Record(digests),
            *_all("Training", summary["settings"]),
            *_all("How days late were counted", summary.get("arrears", {})),
            *_all("Capacity of one day", summary["capacity"]),
            *_all("What a contact is assumed to be worth", summary.get("value", {})),
        ],
    )


def _all(heading: str, values: Mapping[str, object]) -> Iterable[Block]:
    if not values:
        return
    yield Heading(heading)
    yield Record([(name.replace("_", " "), _told(value)) for name, value in sorted(values.items())])


def _told(value: object) -> str:
    if value is None:
        return "not set"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list | tuple) and all(not isinstance(one, dict | list) for one in value):
        return ", ".join(_told(one) for one in value) or "none"
    if isinstance(value, str):
        return value
    if isinstance(value, float):
        return f"{value:g}"
    return json.dumps(value, sort_keys=True, ensure_ascii=False, default=str)


def approval(standing: str) -> Section:
    """Where the model stands now, and lines to be filled in by hand."""
    return Section(
        "Decision",
        [
            Words(standing),
            Words("To be filled in by hand. What is decided here becomes true by duesight promote, with a name and a reason that stay in the history."),
            Blanks(["Name", "Role", "Date", "Reason, conditions", ""], DECISIONS),
            Blanks(["Second name", "Role", "Date"], DECISIONS),
        ],
    )  # fmt: skip
