"""Rotary positions by what they promise of the scores, and the norm by its bound."""

import math

import pytest
import torch

from course_utils.models.query_key import QueryKey

CLOSE = {"rtol": 0, "atol": 1e-6}  # the angles are kept in single precision


def prepared(start=0, **options):
    """Queries and keys, (2, 2, 10, 8), before and after."""
    layer = QueryKey(8, 24, **{"normalise": False, "rotate": False} | options).double()
    query, key = torch.randn(2, 2, 2, 10, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    return (query, key, *layer(query, key, start))


def test_rotation_makes_scores_depend_on_the_distance():
    """All queries alike and all keys alike: a score may depend on their positions only by the distance."""
    layer = QueryKey(8, 24, normalise=False, rotate=True).double()
    one = torch.randn(2, 1, 2, 1, 8, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    query, key = layer(*one.expand(2, 1, 2, 10, 8), 0)
    scores = query @ key.mT
    for distance in range(-9, 10):
        along = scores.diagonal(distance, dim1=-2, dim2=-1)
        torch.testing.assert_close(along, along[..., :1].expand_as(along), **CLOSE)
    assert scores[0, 0].std() > 0.1


@pytest.mark.parametrize("base", [10_000, 100])
def test_the_angle_of_each_pair_is_position_times_rate(base):
    query, _, turned, _ = prepared(start=3, rotate=True, base=base)
    for t, i in ((0, 0), (0, 2), (6, 3)):
        angle = (3 + t) * base ** (-i / 4)
        expected = torch.complex(query[..., t, i], query[..., t, i + 4]) * complex(math.cos(angle), math.sin(angle))
        found = torch.complex(turned[..., t, i], turned[..., t, i + 4])
        torch.testing.assert_close(found, expected, **CLOSE)


def test_the_norm_bounds_the_scores():
    *_, query, key = prepared(normalise=True)
    for x in (query, key):
        torch.testing.assert_close(x.square().mean(dim=-1), torch.ones(2, 2, 10, dtype=torch.float64), **CLOSE)
    assert ((query @ key.mT).abs() <= 8 + 1e-6).all()  # |q·k| ≤ d/H, so a score is at most √(d/H)


def test_an_odd_head_cannot_be_turned_in_pairs():
    with pytest.raises(ValueError, match="the width of a head must be even; got 3"):
        QueryKey(3, 24, normalise=False, rotate=True)
