import io

import pytest

from pipelines import progress


def test_an_announcement_is_kept_in_its_order_among_the_steps(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.shown():
        progress.tell("reading", 0, 1)
        progress.announce(["fit [2024]", "test"])
        progress.tell("booster", 0, 1)
    said = capsys.readouterr()
    assert said.err == "  reading ...\n  fit [2024]\n  test\n  booster ...\n" and said.out == ""


def test_for_machines_and_outside_a_command_nothing_is_announced(capsys: pytest.CaptureFixture[str]) -> None:
    with progress.shown(quiet=True):
        progress.announce(["fit"])
    progress.announce(["fit"])
    assert capsys.readouterr() == ("", "")


def test_on_a_terminal_an_announcement_stays_above_the_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    screen = Terminal()
    monkeypatch.setattr("sys.stderr", screen)
    with progress.shown():
        progress.tell("reading", 0, 1)
        progress.announce(["fit [2024]", "x" * 300])
    assert "  fit [2024]\n" in screen.getvalue() and "x" * 300 in screen.getvalue(), (
        "no markup, no line broken"
    )
