"""Numbers that make no sense are refused at once, before any video is read."""

import pytest
from timelines import angles, sentence, timeline

from longtake.errors import UsageError
from longtake.grounding.internvid_g import internvid_g

NAN, INF = float("nan"), float("inf")

WRONG = {
    "similar_above": (3, -1.1, NAN, INF),
    "least_s": (-1, NAN, INF, 10**400),
    "most_s": (-0.1, NAN, INF),
    "shift_s": (-0.25, NAN, INF),
    "quantile": (7, -1, 1.001, NAN, -INF),
    "least_score": (-1.5, 2, NAN, INF, -INF),
    "pool": ("median", ""),
    "margin": (NAN, INF, 2.5, -2.5),
    "part_margin": (NAN, -0.1, 2.5),
    "same_caption": (1.5, -2, NAN),
    "most_scenes": (-1,),
    "most_similar": (-100,),
}
LIMITS = {
    "similar_above": (-1, 1),
    "least_s": (0, 1e4),
    "most_s": (0, 1e4),
    "shift_s": (0, 1e4),
    "quantile": (0, 1),
    "least_score": (-1, 1),
    "pool": ("max", "mean"),
    "margin": (-2, 2),
    "part_margin": (0, 2),
    "same_caption": (-1, 1),
    "most_scenes": (0, 10**9),
    "most_similar": (0, 10**9),
}


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, some in WRONG.items() for value in some])
def test_what_cannot_be_is_refused_at_the_call(name, value):
    with pytest.raises(UsageError, match=f"{name}="):
        internvid_g((), **{name: value})


@pytest.mark.parametrize(("name", "value"), [(name, value) for name, some in LIMITS.items() for value in some])
@pytest.mark.parametrize("strict", [True, False])
def test_the_limits_themselves_do(name, value, strict):
    video = timeline(angles(0, 90, 180, 270), (0, 4, 8, 12, 16))
    said = [sentence(i, 4 * i, 4 * i + 4, vector=angles(85 * i)[0]) for i in range(4)]
    ((_, found),) = internvid_g([(video, said)], strict=strict, **{name: value})
    assert len(found) == 4


def test_every_parameter_is_held_to_something():
    assert set(WRONG) == set(LIMITS) == set(internvid_g.__kwdefaults__) - {"strict"}


class Read:
    """A corpus that knows how often it was gone through."""

    def __init__(self, *videos, has_texts: bool | None = None) -> None:
        self.videos, self.times = videos, 0
        if has_texts is not None:
            self.has_texts = has_texts

    def __iter__(self):
        self.times += 1
        return iter(self.videos)


def test_a_corpus_without_a_place_for_texts_is_gone_through_once():
    video = timeline(angles(0, 90), (0, 4, 16))
    for has_texts, quantile, times in ((False, 0.5, 1), (True, 0.5, 2), (None, 0.5, 2), (True, 0.0, 1)):
        corpus = Read((video, [sentence(0, 0, 4)]), has_texts=has_texts)
        internvid_g(corpus, quantile=quantile)
        assert corpus.times == 0
        assert len(list(internvid_g(corpus, quantile=quantile))) == 1
        assert corpus.times == times
