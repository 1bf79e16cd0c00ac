"""The life of a token."""

from hypothesis import given
from hypothesis import strategies as st

from bridge.domain.renewal import in_last_tenth, margin, reissue_at, retry_reissue_at

lives = st.floats(2, 100_000)
shares = st.floats(0.05, 0.95)
chances = st.floats(0, 0.999999)


@given(lives, shares, chances)
def test_a_token_is_re_issued_after_its_share_and_before_it_is_left_alone(life, share, chance):
    """Never before `reissue_at` of its life, always in the first half of what is left then."""
    due = reissue_at(1000.0, life, share, chance)
    assert 1000 + share * life - 1e-6 <= due <= 1000 + (share + (1 - share) / 2) * life + 1e-6


@given(lives)
def test_a_token_is_not_used_in_its_last_moments(life):
    """A tenth of its life, at most half a minute, is left unused."""
    assert 0 < margin(life) <= 30


@given(st.integers(1, 50), st.floats(0, 3600), chances)
def test_a_failed_re_issue_is_tried_again_soon(failures, left, chance):
    """Within half a minute, and sooner the nearer the end is."""
    wait = retry_reissue_at(failures, 1000 + left, 1000.0, chance) - 1000
    assert 0 < wait <= 37.5
    assert wait <= max(0.625, left / 4 * 1.25 + 1e-6)


def test_the_last_tenth_is_alarming():
    """From 90 % of its life on, a token in use should long have been re-issued."""
    assert not in_last_tenth(0, 100, 89.9)
    assert in_last_tenth(0, 100, 90.1)
