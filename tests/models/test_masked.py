"""Gaps, pseudo-likelihood and Gibbs sampling, with a language so small that every text can be listed."""

import itertools

import numpy as np
import pytest
import torch
from scipy.stats import chisquare

from course_utils.data.wordpiece import SPECIAL, tokenizer_of
from course_utils.models.masked import fill_mask, gibbs, pseudo_log_likelihood
from course_utils.optima.hmm import HiddenMarkov

LANGUAGE = HiddenMarkov(
    np.array([[0.8, 0.2], [0.3, 0.7]]),
    np.array([[0.7, 0.2, 0.1], [0.1, 0.3, 0.6]]),
)
WORDS, LENGTH, MASK = 3, 4, 3
TEXTS = np.array(list(itertools.product(range(WORDS), repeat=LENGTH)))
P = np.exp(LANGUAGE.log_conditionals(TEXTS).sum(axis=1))  # of every text


def exact(shown):
    return torch.from_numpy(LANGUAGE.log_both_sides(shown.numpy(), shown.numpy() == MASK))


class TestPseudoLogLikelihood:
    def test_it_is_the_sum_of_the_log_conditionals(self):
        """p(x_t | others) = p(x) / Σ over the words at t, from the list of all texts."""
        joint = P.reshape((WORDS,) * LENGTH)
        expected = sum(np.log(joint / joint.sum(axis=t, keepdims=True)) for t in range(LENGTH)).ravel()
        found = pseudo_log_likelihood(exact, torch.from_numpy(TEXTS), MASK)
        np.testing.assert_allclose(found, expected, atol=1e-12)

    def test_it_is_no_log_density(self):
        assert P.sum() == pytest.approx(1)
        assert pseudo_log_likelihood(exact, torch.from_numpy(TEXTS), MASK).exp().sum() > 1.1

    def test_positions(self):
        tokens = torch.from_numpy(TEXTS[:5])
        parts = [pseudo_log_likelihood(exact, tokens, MASK, positions) for positions in ([0, 3], [1], [2])]
        torch.testing.assert_close(sum(parts), pseudo_log_likelihood(exact, tokens, MASK))


class TestGibbs:
    def test_with_exact_conditionals_texts_become_draws_from_the_joint_distribution(self):
        chains = torch.zeros(20_000, LENGTH, dtype=torch.int64)
        found = gibbs(exact, chains, MASK, 12, generator=torch.Generator().manual_seed(0))[-1].numpy()
        counts = np.bincount(found @ WORDS ** np.arange(LENGTH)[::-1], minlength=len(TEXTS))
        assert chisquare(counts, P * len(found)).pvalue > 0.01

    def test_what_is_kept_and_what_is_drawn(self):
        tokens = torch.from_numpy(TEXTS[10:20])
        before = tokens.clone()
        found = gibbs(exact, tokens, MASK, 5, positions=[2, 0], generator=torch.Generator().manual_seed(1))
        assert found.shape == (6, 10, LENGTH)
        assert torch.equal(tokens, before)
        assert torch.equal(found[0], before)
        assert torch.equal(found[:, :, [1, 3]], before[:, [1, 3]].expand(6, 10, 2))
        assert (found[1:, :, [0, 2]] != before[:, [0, 2]]).any()

    def test_gaps_at_the_beginning_are_filled(self):
        tokens = torch.full((50, LENGTH), MASK)
        found = gibbs(exact, tokens, MASK, 1, generator=torch.Generator().manual_seed(2))[-1]
        assert ((found >= 0) & (found < WORDS)).all()


class TestFillMask:
    TOKENIZER = tokenizer_of([*SPECIAL, "the", "mean", "sum", "of", "a", "row"])

    def log_p(self, tokens):
        """Prefers the piece whose id is five more than the gap's position, then lower ids."""
        assert tokens[0, 0] == 2
        assert tokens[0, -1] == 3
        ids = torch.arange(11.0)
        scores = -ids + 20 * (ids == 5 + torch.arange(tokens.shape[1])[:, None])
        return scores.log_softmax(dim=-1)[None]

    def test_candidates_in_order(self):
        first, second = fill_mask(self.log_p, self.TOKENIZER, "the [MASK] of a [MASK]", k=3)
        assert [c.piece for c in first] == ["sum", "[PAD]", "[UNK]"]  # position 2, behind [CLS] and "the"
        assert [c.piece for c in second] == ["row", "[PAD]", "[UNK]"]
        p = self.log_p(torch.tensor([[2, 5, 4, 8, 9, 4, 3]]))[0, 2].exp()
        assert first[0].probability == pytest.approx(p[7].item())
        assert first[1].probability == pytest.approx(p[0].item())

    def test_a_text_without_a_gap(self):
        with pytest.raises(ValueError, match=r"text must have a \[MASK\] to fill; got 'the mean'"):
            fill_mask(self.log_p, self.TOKENIZER, "the mean")
