import pytest

from scoring.codes import CONDITION_WORDS, EVERYDAY, OUTCOMES, REASONS, choice, code_of, language_name


@pytest.mark.parametrize("listed", [OUTCOMES, REASONS])
def test_a_choice_a_bare_code_and_the_words_alone_all_give_the_code_back(listed):
    for code, words in listed.items():
        said = (choice(code, listed), code, words, f"  {words.upper()} ", code.lower())
        assert {code_of(form, listed) for form in said} == {code}


@pytest.mark.parametrize("said", ["", "PROMISE -", "promised", "ILLNESS", "PROMISE - paid in full"])
def test_what_is_no_outcome_gives_no_code(said):
    assert code_of(said, OUTCOMES) is None


def test_a_choice_says_the_code_and_its_words():
    assert choice("PROMISE", OUTCOMES) == "PROMISE - promised to pay"


@pytest.mark.parametrize("listed", [OUTCOMES, REASONS, CONDITION_WORDS])
def test_no_two_codes_say_the_same(listed):
    assert len(set(listed.values())) == len(listed)


def test_the_everyday_outcomes_are_outcomes():
    assert set(EVERYDAY) <= set(OUTCOMES)


def test_languages_have_names_and_unknown_ones_stand_as_they_are():
    assert [language_name(code) for code in ("sw", "EN", "xx", "Kisii", "")] == [
        "Swahili", "English", "xx", "Kisii", "",
    ]  # fmt: skip
