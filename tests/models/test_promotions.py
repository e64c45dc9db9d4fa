from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest

from data.errors import InputError, RegistryError
from models.promotions import HEAD, LOG, Promotion, append, champion_of, live_on, locked, read_log

UTC = timezone.utc  # noqa: UP017
NAME = "early-warning-k30-h90"


def _at(day: int, hour: int = 9) -> datetime:
    return datetime(2024, 7, day, hour, tzinfo=UTC)


def _promote(folder: Path, version: int, at: datetime, name: str = NAME) -> Promotion:
    with locked(folder):
        return append(
            folder, name, version, f"digest-{version}", "run", at, "risk committee", "better on the test"
        )


@pytest.fixture
def three(tmp_path: Path) -> Path:
    for version, day in ((1, 1), (2, 10), (1, 20)):
        _promote(tmp_path, version, _at(day))
    return tmp_path


def test_every_line_is_read_back_and_the_newest_is_the_champion(three: Path) -> None:
    log = read_log(three)
    assert [(line.n, line.version) for line in log] == [(1, 1), (2, 2), (3, 1)]
    champion = champion_of(log, NAME)
    assert champion is not None and (champion.version, champion.at, champion.by) == (
        1,
        _at(20),
        "risk committee",
    )
    assert champion_of(log, "early-warning-k59-h92") is None


def test_the_log_says_which_model_was_live_on_a_day(three: Path) -> None:
    log = read_log(three)
    live = lambda day: [line.n for line in live_on(log, date(2024, 7, day))]  # noqa: E731
    assert live_on(log, date(2024, 6, 30)) == []
    assert live(1) == [1] and live(9) == [1]
    assert live(10) == [1, 2], "on the day of a change both were live"
    assert live(11) == [2] and live(31) == [3]


def test_two_questions_have_their_own_live_models(three: Path) -> None:
    _promote(three, 1, _at(21), name="early-warning-k59-h92")
    assert [line.n for line in live_on(read_log(three), date(2024, 7, 25))] == [3, 4]


@pytest.mark.parametrize(("line", "broken"), [(1, 2), (2, 3)])
def test_a_changed_line_breaks_the_chain_at_the_next(three: Path, line: int, broken: int) -> None:
    lines = (three / LOG).read_text().splitlines()
    lines[line - 1] = lines[line - 1].replace("risk committee", "somebody else")
    (three / LOG).write_text("\n".join(lines) + "\n")
    with pytest.raises(RegistryError, match=f"line {broken}: the chain is broken"):
        read_log(three)


def test_a_line_taken_out_breaks_the_chain(three: Path) -> None:
    lines = (three / LOG).read_text().splitlines()
    (three / LOG).write_text("\n".join([lines[0], lines[2]]) + "\n")
    with pytest.raises(RegistryError, match="line 2"):
        read_log(three)


@pytest.mark.parametrize("how", ["edited", "cut", "emptied", "gone"])
def test_a_last_line_that_was_acknowledged_cannot_change_or_vanish(three: Path, how: str) -> None:
    content = (three / LOG).read_text()
    changed = {"edited": content.replace("07-20", "07-15"), "cut": content[:-40], "emptied": ""}
    if how == "gone":
        (three / LOG).unlink()
    else:
        (three / LOG).write_text(changed[how])
    with pytest.raises(RegistryError, match="line 3: this promotion was changed or is no longer there"):
        read_log(three)


def test_a_head_that_is_gone_is_named_and_one_of_a_crash_is_no_trouble(three: Path) -> None:
    head = (three / HEAD).read_text()
    (three / HEAD).unlink()
    with pytest.raises(RegistryError, match=HEAD):
        read_log(three)
    (three / HEAD).write_bytes(b"\377\376")
    with pytest.raises(RegistryError, match="names no promotion"):
        read_log(three)
    (three / HEAD).write_text("0:")  # the first promotion was written, and then the power went
    assert len(read_log(three)) == 3
    (three / HEAD).write_text(head)
    assert len(read_log(three)) == 3


def test_a_line_that_is_no_promotion_is_named(three: Path) -> None:
    with (three / LOG).open("a") as file:
        file.write("{}\n")
    with pytest.raises(RegistryError, match="line 4: this is no promotion"):
        read_log(three)


def test_a_half_written_line_was_never_acknowledged_and_is_cut_off_by_the_next_promotion(three: Path) -> None:
    with (three / LOG).open("a") as file:
        file.write('{"at":"2024-07-2')
    assert len(read_log(three)) == 3
    assert _promote(three, 2, _at(22)).n == 4
    assert [line.version for line in read_log(three)] == [1, 2, 1, 2]


@pytest.mark.parametrize(("by", "reason"), [("", "why"), ("who", "  "), ("\n", "why")])
def test_nobody_and_no_reason_are_refused(tmp_path: Path, by: str, reason: str) -> None:
    with pytest.raises(InputError, match="--by and --reason"):
        append(tmp_path, NAME, 1, "digest", "run", _at(1), by, reason)
    assert read_log(tmp_path) == []


def test_line_breaks_in_a_reason_do_not_make_lines(tmp_path: Path) -> None:
    append(tmp_path, NAME, 1, "digest", "run", _at(1), "who", "first\nsecond")
    assert read_log(tmp_path)[0].reason == "first second"


def test_a_time_without_offset_or_before_the_last_promotion_is_refused(three: Path) -> None:
    with pytest.raises(InputError, match="offset"):
        _promote(three, 2, _at(25).replace(tzinfo=None))
    with pytest.raises(InputError, match="check the clock"):
        _promote(three, 2, _at(20) - timedelta(seconds=1))
    assert len(read_log(three)) == 3
