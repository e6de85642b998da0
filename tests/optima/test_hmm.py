"""The hidden Markov language against the sum over all its state paths and sentences, and by what must hold of any."""

import itertools

import numpy as np
import pytest
from scipy.special import logsumexp

from course_utils.optima.hmm import HiddenMarkov, at_words, course_language, random_language, stationary

K, V, T = 3, 4, 5
SMALL = random_language(3, K, V, 0.6, 0.6)
PATTERNS = [(), (0,), (4,), (2,), (1, 2), (0, 3, 4), (0, 1, 2, 3, 4)]  # masked positions


def joint_of_every_sentence(language, length):
    """p(x) of all V^T sentences by summing over all K^T paths, without the recursions: an array of T axes."""
    found = np.zeros((language.words,) * length)
    for path in itertools.product(range(language.states), repeat=length):
        p = language.initial[path[0]] * np.prod([language.transition[i, j] for i, j in itertools.pairwise(path)])
        emitted = [language.emission[state] for state in path]
        found += p * np.einsum(*itertools.chain(*((row, [t]) for t, row in enumerate(emitted))), list(range(length)))
    return found


@pytest.fixture(scope="module")
def table():
    return joint_of_every_sentence(SMALL, T)


@pytest.fixture(scope="module")
def sentences():
    x = SMALL.sample(6, T, np.random.default_rng(0))[0]
    return np.vstack([x, [[3, 2, 1, 0, 3]]])


def given(table, sentence, t, seen):
    """p(word at t | the words at the positions seen), (V,), from the table of all sentences."""
    index = tuple(sentence[s] if s in seen and s != t else slice(None) for s in range(T))
    left = [s for s in range(T) if s == t or s not in seen]
    p = table[index].sum(axis=tuple(i for i, s in enumerate(left) if s != t))
    return p / p.sum()


def mask_of(positions, n):
    masked = np.zeros((n, T), dtype=bool)
    masked[:, list(positions)] = True
    return masked


class TestAgainstEnumeration:
    def test_the_table_sums_to_one(self, table):
        assert table.sum() == pytest.approx(1)

    def test_log_probability_of_a_sentence(self, table, sentences):
        found = SMALL.log_conditionals(sentences).sum(axis=1)
        np.testing.assert_allclose(found, np.log([table[tuple(s)] for s in sentences]), atol=1e-12)

    @pytest.mark.parametrize("positions", PATTERNS, ids=str)
    def test_given_the_past(self, positions, table, sentences):
        found = np.exp(SMALL.log_past(sentences, mask_of(positions, len(sentences))))
        for sentence, row in zip(sentences, found, strict=True):
            for t in range(T):
                expected = given(table, sentence, t, set(range(t)) - set(positions))
                np.testing.assert_allclose(row[t], expected, atol=1e-12)

    @pytest.mark.parametrize("positions", PATTERNS, ids=str)
    def test_given_both_sides(self, positions, table, sentences):
        found = np.exp(SMALL.log_both_sides(sentences, mask_of(positions, len(sentences))))
        for sentence, row in zip(sentences, found, strict=True):
            for t in range(T):
                expected = given(table, sentence, t, set(range(T)) - set(positions))
                np.testing.assert_allclose(row[t], expected, atol=1e-12)

    def test_rows_of_a_batch_may_be_masked_differently(self, sentences):
        masked = np.random.default_rng(1).random(sentences.shape) < 0.4
        together = SMALL.log_both_sides(sentences, masked)
        for i in range(len(sentences)):
            alone = SMALL.log_both_sides(sentences[i : i + 1], masked[i : i + 1])
            np.testing.assert_allclose(together[i], alone[0], atol=1e-13)


class TestWhatMustHold:
    def test_what_is_masked_is_not_read(self, sentences):
        masked = mask_of((1, 3), len(sentences))
        junk = np.where(masked, 99, sentences)
        for function in (SMALL.log_past, SMALL.log_both_sides):
            np.testing.assert_array_equal(function(junk, masked), function(sentences, masked))

    def test_the_past_does_not_know_the_future_nor_its_own_word(self, sentences):
        for t in range(T):
            other = sentences.copy()
            other[:, t:] = (other[:, t:] + 1) % V
            np.testing.assert_array_equal(SMALL.log_past(other)[:, : t + 1], SMALL.log_past(sentences)[:, : t + 1])

    def test_at_the_end_both_sides_are_the_past_and_with_all_masked_the_marginal(self, sentences):
        np.testing.assert_allclose(SMALL.log_both_sides(sentences)[:, -1], SMALL.log_past(sentences)[:, -1], atol=1e-12)
        marginal = np.log(SMALL.initial @ SMALL.emission)
        everything = np.ones(sentences.shape, dtype=bool)
        np.testing.assert_allclose(SMALL.log_both_sides(sentences, everything) - marginal, 0, atol=1e-12)

    def test_a_reversed_chain_reads_backwards(self):
        """The left-only answer in the reversed language is the right-only one in this: together they are both sides."""
        language = random_language(5, 4, 6, 0.5, 0.5)
        pi = language.initial
        backwards = HiddenMarkov(language.transition.T * pi / pi[:, None], language.emission)
        x = language.sample(10, 20, np.random.default_rng(0))[0]
        np.testing.assert_allclose(
            backwards.log_conditionals(x[:, ::-1]).sum(axis=1), language.log_conditionals(x).sum(axis=1), atol=1e-10
        )
        np.testing.assert_allclose(
            backwards.log_both_sides(x[:, ::-1])[:, ::-1], language.log_both_sides(x), atol=1e-10
        )

    def test_a_long_sentence_does_not_underflow(self):
        x = SMALL.sample(2, 3000, np.random.default_rng(0))[0]
        total = SMALL.log_conditionals(x).sum(axis=1)
        assert np.all(np.isfinite(total))
        assert np.all(total < -800)  # e^total is 0 in float64
        assert np.isfinite(at_words(SMALL.log_both_sides(x), x)).all()

    def test_in_logarithms_the_forward_algorithm_gives_the_same(self, sentences):
        alpha = np.log(SMALL.initial) + np.log(SMALL.emission.T[sentences[:, 0]])  # log p(x_{≤t}, z_t)
        for t in range(1, T):
            alpha = logsumexp(alpha[:, :, None] + np.log(SMALL.transition), axis=1)
            alpha += np.log(SMALL.emission.T[sentences[:, t]])
        found = SMALL.log_conditionals(sentences).sum(axis=1)
        np.testing.assert_allclose(found, logsumexp(alpha, axis=1), atol=1e-12)

    def test_more_context_never_costs_on_average(self):
        language = course_language()
        rng = np.random.default_rng(0)
        x = language.sample(2000, 64, rng)[0]
        masked = rng.random(x.shape) < 0.15
        clean = -at_words(language.log_both_sides(x), x).mean()
        past = -language.log_conditionals(x).mean()
        both_masked = -at_words(language.log_both_sides(x, masked), x)[masked].mean()
        left_masked = -at_words(language.log_past(x, masked), x)[masked].mean()
        assert clean < both_masked < past < left_masked
        # The figures of the docstring.
        assert past == pytest.approx(2.02, abs=0.01)
        assert past - clean == pytest.approx(0.35, abs=0.01)


class TestSampling:
    def test_words_and_states_have_their_frequencies(self):
        x, z = SMALL.sample(4000, 30, np.random.default_rng(0))
        assert x.shape == z.shape == (4000, 30)
        assert x.dtype == np.int64
        for i in range(K):
            np.testing.assert_allclose(
                np.bincount(x[z == i], minlength=V) / (z == i).sum(), SMALL.emission[i], atol=0.01
            )
            following = z[:, 1:][z[:, :-1] == i]
            np.testing.assert_allclose(
                np.bincount(following, minlength=K) / len(following), SMALL.transition[i], atol=0.01
            )
        for t in (0, 29):
            np.testing.assert_allclose(np.bincount(z[:, t], minlength=K) / 4000, SMALL.initial, atol=0.03)

    def test_another_beginning(self):
        language = HiddenMarkov(SMALL.transition, SMALL.emission, [0, 1, 0])
        assert np.all(language.sample(20, 3, np.random.default_rng(0))[1][:, 0] == 1)

    def test_the_same_generator_gives_the_same(self):
        one, two = (course_language().sample(5, 9, np.random.default_rng(4))[0] for _ in range(2))
        np.testing.assert_array_equal(one, two)


class TestEntropyRate:
    def test_of_a_chain_that_is_not_hidden(self):
        """With one word for each state the rate is −Σ π_i P_ij log P_ij (Cover and Thomas, theorem 4.2.4)."""
        P = SMALL.transition
        exact = -np.sum(SMALL.initial[:, None] * P * np.log(P))
        found = HiddenMarkov(P, np.eye(K)).entropy_rate(400, 20, np.random.default_rng(0))
        assert found.lower == pytest.approx(found.upper, abs=1e-12)
        assert abs(found.upper - exact) < 4 * found.error
        assert found.error < 0.02

    def test_of_independent_words(self):
        row = np.array([0.5, 0.25, 0.125, 0.125])
        language = HiddenMarkov(np.full((2, 2), 0.5), [row, row])
        found = language.entropy_rate(10, 8, np.random.default_rng(0))
        np.testing.assert_allclose(found, [1.75 * np.log(2), 1.75 * np.log(2), 0], atol=1e-12)

    def test_lies_between_its_bounds_which_close(self):
        language = course_language()
        short, long = (language.entropy_rate(n, t, np.random.default_rng(0)) for n, t in ((20_000, 4), (2000, 128)))
        assert short.error < 0.005
        assert short.lower < long.lower < short.upper
        assert short.upper - short.lower > 6 * short.error
        assert 0 <= long.upper - long.lower < 1e-4
        x = language.sample(2000, 200, np.random.default_rng(1))[0]
        direct = -language.log_conditionals(x)[:, 100:].mean(axis=1)
        assert abs(direct.mean() - long.upper) < 4 * np.hypot(long.error, direct.std() / np.sqrt(2000))
        assert long.error < 0.01


class TestStationary:
    def test_is_left_as_it_is(self):
        pi = SMALL.initial
        np.testing.assert_allclose(pi @ SMALL.transition, pi, atol=1e-14)
        assert pi.sum() == pytest.approx(1)

    def test_of_a_chain_that_alternates(self):
        np.testing.assert_allclose(stationary(np.array([[0.0, 1.0], [1.0, 0.0]])), [0.5, 0.5])

    def test_where_there_are_several(self):
        with pytest.raises(ValueError, match="several closed classes"):
            stationary(np.eye(2))


class TestErrors:
    @pytest.mark.parametrize(
        ("arguments", "message"),
        [
            (([[0.5, 0.5]], [[1.0]]), r"transition must be \(K, K\) and emission \(K, V\); got \(1, 2\) and \(1, 1\)"),
            (([[0.5, 0.6], [0.5, 0.5]], np.eye(2)), "transition must be probabilities that sum to one in each row"),
            (([[0.5, 0.5], [0.5, 0.5]], [[1.0, 0], [2, -1]]), "emission must be probabilities"),
            (
                ([[0.5, 0.5], [0.5, 0.5]], np.eye(2), [1.0]),
                "initial must have one probability for each of the 2 states",
            ),
            (([[0.5, 0.5], [0.5, 0.5]], np.eye(2), [0.5, 0.6]), "initial must be probabilities"),
        ],
    )
    def test_of_the_language(self, arguments, message):
        with pytest.raises(ValueError, match=message):
            HiddenMarkov(*arguments)

    def test_of_the_sentences(self, sentences):
        with pytest.raises(ValueError, match=r"x must be \(n, T\) of int; got \(5,\) of int64"):
            SMALL.log_past(sentences[0])
        with pytest.raises(ValueError, match="of float64"):
            SMALL.log_past(sentences / 2)
        with pytest.raises(ValueError, match=r"x must hold words 0 … 3; got -1 … 4"):
            SMALL.log_past(np.array([[4, -1]]))
        with pytest.raises(ValueError, match=r"masked must be bool of x's shape \(7, 5\); got \(7, 5\) of int64"):
            SMALL.log_both_sides(sentences, sentences * 0)

    def test_of_a_sentence_that_cannot_be(self):
        language = HiddenMarkov([[0.0, 1.0], [1.0, 0.0]], np.eye(2))
        with pytest.raises(ValueError, match=r"row 1 of x is impossible in this language: the word at t = 2"):
            language.log_both_sides(np.array([[0, 1, 0], [1, 0, 0]]))
