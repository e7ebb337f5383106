"""What the report and the viewer say that a score means."""

from longtake.report.data import meaning

RECIPE = {"scores": {"motion": {"step": "motion"}, "theirs": {"step": "their_package.file:score"}}}


def test_a_score_has_its_steps_own_words():
    assert meaning(RECIPE, "motion.mean")[1].startswith("mean over time")
    assert meaning(RECIPE, "duration_s") == ("s", "length of the clip")
    assert "1 for the best" in meaning(RECIPE, "copies.rank")[1]


def test_of_a_third_partys_score_that_is_not_installed_nothing_is_said():
    assert meaning(RECIPE, "theirs.mean") == ("", "")
