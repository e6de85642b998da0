"""80/10/10 of 15 %: counted, and against transformers' DataCollatorForLanguageModeling by a test of homogeneity."""

import pytest
import torch
import transformers
from scipy.stats import chi2_contingency, chisquare

from course_utils.data.masking import mask_tokens

MASK, VOCABULARY, SPECIALS = 4, 30, 5
B, T = 4000, 64


@pytest.fixture(scope="module")
def tokens():
    """(B, T) with [CLS] in front, [SEP] at the end and a word, id 5 … 29, between."""
    tokens = torch.randint(SPECIALS, VOCABULARY, (B, T), generator=torch.Generator().manual_seed(0))
    tokens[:, 0], tokens[:, -1] = 2, 3
    return tokens


def masked(tokens, seed=1, **options):
    generator = torch.Generator().manual_seed(seed)
    return mask_tokens(tokens, tokens >= SPECIALS, mask=MASK, vocabulary=VOCABULARY, generator=generator, **options)


def fates(tokens, shown, chosen):
    """Counts of words: chosen and [MASK], chosen and another word, chosen and kept, not chosen."""
    hidden, kept = chosen & (shown == MASK), chosen & (shown == tokens)
    words = int((tokens >= SPECIALS).sum())
    return [int(n) for n in (hidden.sum(), (chosen & ~hidden & ~kept).sum(), kept.sum(), words - chosen.sum())]


def test_shares_are_those_of_the_paper(tokens):
    """A random token is the old one once in 30 times, and [MASK] as often: then it is counted with the others."""
    shares = [0.8 + 0.1 / 30, 0.1 * 28 / 30, 0.1 + 0.1 / 30]
    words = int((tokens >= SPECIALS).sum())
    expected = [0.15 * share * words for share in shares] + [0.85 * words]
    assert chisquare(fates(tokens, *masked(tokens)), expected).pvalue > 1e-3
    twice = [0.81, 0.1 * 28 / 30, 0.09 + 0.1 / 30]  # two draws of 10 %: 38,000 chosen tokens tell that apart
    wrong = [0.15 * share / sum(twice) * words for share in twice] + [0.85 * words]
    assert chisquare(fates(tokens, *masked(tokens)), wrong).pvalue < 1e-4


def test_is_distributed_as_transformers_collator(tokens):
    collator = transformers.DataCollatorForLanguageModeling(
        tokenizer=_Tokenizer(), mlm=True, mlm_probability=0.15, seed=3
    )
    theirs, labels = collator.torch_mask_tokens(tokens.clone(), special_tokens_mask=(tokens < SPECIALS).long())
    counts = [fates(tokens, *masked(tokens)), fates(tokens, theirs, labels != -100)]
    assert chi2_contingency(counts).pvalue > 1e-3
    # The words that take the place of others, by their ids.
    replaced = []
    for shown, chosen in (masked(tokens), (theirs, labels != -100)):
        replaced.append(torch.bincount(shown[chosen & (shown != tokens) & (shown != MASK)], minlength=VOCABULARY))
    used = torch.stack(replaced)[:, torch.stack(replaced).sum(dim=0) > 0]
    assert used.shape == (2, VOCABULARY - 1)
    assert chi2_contingency(used.numpy()).pvalue > 1e-3


class _Tokenizer:
    """What the collator asks of a tokenizer."""

    mask_token, mask_token_id, pad_token_id = "[MASK]", MASK, 0

    def __len__(self):
        return VOCABULARY

    def convert_tokens_to_ids(self, token):
        return MASK


def test_only_words_are_chosen_and_only_the_chosen_change(tokens):
    shown, chosen = masked(tokens, rate=0.5)
    assert not chosen[:, [0, -1]].any()
    assert torch.equal(shown[~chosen], tokens[~chosen])
    assert (shown != tokens).sum() > 0.4 * chosen.sum()


def test_with_mask_alone(tokens):
    shown, chosen = masked(tokens, hidden=1.0, random=0.0)
    assert torch.equal(shown == MASK, chosen)


def test_each_row_may_have_a_rate_of_its_own(tokens):
    rates = torch.tensor([0.0, 1.0, 0.3])[:, None]
    _, chosen = masked(tokens[:3].repeat(1, 60), rate=rates)
    words = (tokens[:3].repeat(1, 60) >= SPECIALS).sum(dim=1)
    found = chosen.sum(dim=1) / words
    assert found[0] == 0
    assert found[1] == 1
    assert found[2].item() == pytest.approx(0.3, abs=0.03)


def test_tokens_are_independent(tokens):
    """Whether one is chosen, and its fate, says nothing of its neighbour's."""
    shown, chosen = masked(tokens)
    first, second = chosen[:, 1:-2], chosen[:, 2:-1]
    table = [[(a & b).sum().item() for b in (second, ~second)] for a in (first, ~first)]
    assert chi2_contingency(table).pvalue > 1e-3
    hidden = shown == MASK
    pairs = first & second
    table = [
        [(pairs & a & b).sum().item() for b in (hidden[:, 2:-1], ~hidden[:, 2:-1])]
        for a in (hidden[:, 1:-2], ~hidden[:, 1:-2])
    ]
    assert chi2_contingency(table).pvalue > 1e-3


def test_the_generator_decides(tokens):
    assert all(torch.equal(a, b) for a, b in zip(masked(tokens), masked(tokens), strict=True))
    assert not torch.equal(masked(tokens)[1], masked(tokens, seed=2)[1])


def test_errors(tokens):
    with pytest.raises(
        ValueError, match=r"maskable must be bool of the tokens' shape \(4000, 64\); got \(4000, 64\) of"
    ):
        mask_tokens(tokens, tokens, mask=MASK, vocabulary=VOCABULARY)
    with pytest.raises(ValueError, match=r"shares of one whole; got 0.8 and 0.3"):
        masked(tokens, random=0.3)
