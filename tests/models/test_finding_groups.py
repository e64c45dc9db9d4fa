"""In which order findings are read, and which of them stand at a first glance."""

from models.finding_groups import CHANCE, LITTLE, UNSURE, at_a_glance, grouped, in_one_list, with_more


def test_findings_stand_by_what_they_are_about_and_none_is_lost() -> None:
    groups = grouped(
        {"data": [(["D."], [])], "beats": [(["B1.", "B2."], ["Better."]), (["B3."], [])], "worst": [([], [])]}
    )
    assert [one["about"] for one in groups] == ["beats", "data"]
    assert in_one_list(groups) == ["B1.", "B2.", "B3.", "D.", "Better."]
    more = with_more(groups, {"worst": [(["W."], [])], "beats": [(["B4."], [])]})
    assert in_one_list(more) == ["B1.", "B2.", "B3.", "B4.", "W.", "D.", "Better."]


def test_a_glance_takes_two_of_what_it_beats_and_one_of_each_other_group() -> None:
    groups = grouped(
        {
            "beats": [(["B1.", "B2.", "B3."], ["Better."])],
            "probability": [([], ["Right."])],
            "whom": [(["W."], [])],
            "data": [(["D."], [])],
        }
    )
    assert at_a_glance(groups, 4) == [("beats", "B1."), ("beats", "B2."), ("whom", "W."), ("data", "D.")]
    assert [sentence for _, sentence in at_a_glance(groups, 5)] == ["B1.", "B2.", "B3.", "W.", "D."]


def test_that_the_primary_measure_may_be_no_better_is_always_at_the_first_glance() -> None:
    primary = f"{UNSURE}of the exposure than the rule's."
    groups = grouped(
        {
            "refit": [(["R."], [])],
            "beats": [(["B1.", "B2.", "B3.", primary], [])],
            "probability": [(["P."], [])],
            "worst": [(["W."], [])],
            "whom": [(["H."], [])],
        }
    )
    told = [sentence for _, sentence in at_a_glance(groups)]
    assert told == ["R.", "B1.", primary, "P.", "W."]
    assert at_a_glance(groups, 1) == [("beats", primary)]


def test_what_may_be_chance_or_is_little_gives_way_to_every_real_loss() -> None:
    groups = grouped(
        {
            "beats": [(["B1.", "B2.", "B3."], [])],
            "probability": [([f"PD: the difference {CHANCE}."], [])],
            "whom": [
                ([f"Never seen, {LITTLE}.", "On 1-7 days late nothing can be said: 4.", "Small loans."], [])
            ],
        }
    )
    assert groups[2]["against"][0] == "Small loans.", "and it stands after the rest of its group"
    assert [one for _, one in at_a_glance(groups, 4)] == ["B1.", "B2.", "B3.", "Small loans."]
    assert [one for _, one in at_a_glance(groups, 5)][3:] == [f"PD: the difference {CHANCE}.", "Small loans."]
