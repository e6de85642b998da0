"""A hidden Markov language: what comes next, and what stood in a gap, with their exact probabilities.

A chain of hidden states z_1, z_2, …, each of which emits a word: p(z_1) p(x_1 | z_1) Π_t p(z_t | z_{t−1}) p(x_t | z_t).
Lesson 8's GPT is measured by the forward algorithm, lesson 7's BERT by forward–backward (Rabiner 1989, "A tutorial on
hidden Markov models and selected applications in speech recognition", equations 18 to 27).
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from scipy.special import entr


class EntropyRate(NamedTuple):
    """Nats a word in the long run: between ``lower`` and ``upper``, each with the standard error ``error``."""

    lower: float
    upper: float
    error: float


@dataclass(frozen=True)
class HiddenMarkov:
    """A language of K states and V words.

    Attributes
    ----------
    transition : (K, K), row i is p(z_{t+1} | z_t = i)
    emission : (K, V), row i is p(x_t | z_t = i)
    initial : (K,), p(z_1); None takes the stationary distribution, so that every position is like every other

    Raises
    ------
    ValueError
        If a shape does not fit or a row is no distribution.
    """

    transition: np.ndarray
    emission: np.ndarray
    initial: np.ndarray | None = None

    def __post_init__(self):
        for name in ("transition", "emission"):
            object.__setattr__(self, name, np.array(getattr(self, name), dtype=np.float64))
        k = len(self.transition)
        if self.transition.shape != (k, k) or self.emission.ndim != 2 or len(self.emission) != k:
            raise ValueError(
                f"transition must be (K, K) and emission (K, V); got {self.transition.shape} and {self.emission.shape}."
            )
        if self.initial is None:
            _distributions("transition", self.transition)
            object.__setattr__(self, "initial", stationary(self.transition))
        object.__setattr__(self, "initial", np.array(self.initial, dtype=np.float64))
        if self.initial.shape != (k,):
            raise ValueError(f"initial must have one probability for each of the {k} states; got {self.initial.shape}.")
        for name in ("transition", "emission", "initial"):
            _distributions(name, getattr(self, name))

    @property
    def states(self):
        """K, the number of hidden states."""
        return len(self.initial)

    @property
    def words(self):
        """V, the number of words; they are 0 … V − 1."""
        return self.emission.shape[1]

    def sample(self, n_samples, length, rng):
        """Draw with a numpy Generator: words and the states that emitted them, (n_samples, length) of int64 twice."""
        words, states = np.empty((2, n_samples, length), dtype=np.int64)
        move, emit = self.transition.cumsum(axis=1), self.emission.cumsum(axis=1)
        for t in range(length):
            rows = move[states[:, t - 1]] if t else self.initial.cumsum()[None]  # (n, K)
            states[:, t] = _draw(rows, rng.random((n_samples, 1)))
            words[:, t] = _draw(emit[states[:, t]], rng.random((n_samples, 1)))
        return words, states

    def log_past(self, x, masked=None):
        """log p(word at t | the words before t), for every t and every word, by the forward algorithm.

        Parameters
        ----------
        x : (n, T) of int, words
        masked : (n, T) of bool, True where the word is not shown; None shows all

        Returns
        -------
        (n, T, V), in nats: whether x_t itself is masked or not, it is not used for the distribution at t

        Raises
        ------
        ValueError
            If x is no array of words, masked has not its shape, or the words before some t are impossible.
        """
        x, likelihood = self._evidence(x, masked)
        return _log(self._forward(likelihood) @ self.emission)

    def log_both_sides(self, x, masked=None):
        """log p(word at t | all others that are shown), for every t and every word, by forward–backward.

        Parameters, shapes and errors are those of ``log_past``. With ``masked=None`` it is the answer for one blank in
        a clean context, at each position in turn; otherwise, at the masked positions, for all blanks at once.
        """
        x, likelihood = self._evidence(x, masked)
        before = self._forward(likelihood)  # (n, T, K), p(z_t | words before t)
        after = self._backward(likelihood)  # (n, T, K), ∝ p(words after t | z_t)
        between = before * after
        return _log(between / between.sum(axis=-1, keepdims=True) @ self.emission)  # Rabiner's eq. 27, without x_t

    def log_conditionals(self, x):
        """log p(x_t | x_{<t}) of the words that stand there, (n, T) → (n, T) in nats; their sum over t is log p(x)."""
        return at_words(self.log_past(x), x)

    def entropy_rate(self, n_samples, length, rng):
        """The entropy of a word given its whole past, from n_samples sequences, the second half of each.

        H(x_t | x_{<t}) falls towards it as t grows, H(x_t | x_{<t}, z_1) rises (Cover and Thomas 2006, theorem 4.5.1).
        Both are means of entropies that are exact given the past, so that only the past is sampled.

        Returns
        -------
        EntropyRate, in nats a word
        """
        x, states = self.sample(n_samples, length, rng)
        _, likelihood = self._evidence(x, None)
        found = []
        for first in (np.eye(self.states)[states[:, 0]], self.initial):  # z_1 known, and unknown
            p = (self._forward(likelihood, first) @ self.emission)[:, length // 2 :]  # (n, T/2, V)
            found.append(entr(p).sum(axis=-1).mean(axis=1))  # (n,)
        error = float(max(one.std(ddof=1) for one in found) / np.sqrt(n_samples))
        return EntropyRate(float(found[0].mean()), float(found[1].mean()), error)

    def _evidence(self, x, masked):
        """x checked, and p(x_t | z_t) of the words that are shown, (n, T, K), 1 of those that are not."""
        x = np.asarray(x)
        if x.ndim != 2 or x.dtype.kind not in "iu":
            raise ValueError(f"x must be (n, T) of int; got {x.shape} of {x.dtype}.")
        if masked is None:
            masked = np.zeros(x.shape, dtype=bool)
        masked = np.asarray(masked)
        if masked.shape != x.shape or masked.dtype != bool:
            raise ValueError(f"masked must be bool of x's shape {x.shape}; got {masked.shape} of {masked.dtype}.")
        shown = np.where(masked, 0, x)  # what stands behind a mask, such as [MASK], need be no word
        if shown.size and not 0 <= shown.min() <= shown.max() < self.words:
            raise ValueError(f"x must hold words 0 … {self.words - 1}; got {shown.min()} … {shown.max()}.")
        return x, np.where(masked[..., None], 1.0, self.emission.T[shown])

    def _forward(self, likelihood, first=None):
        """p(z_t | words before t), (n, T, K), each row normalised, so that nothing underflows."""
        before = np.empty_like(likelihood)
        state = self.initial if first is None else first
        for t in range(likelihood.shape[1]):
            before[:, t] = state
            joint = before[:, t] * likelihood[:, t]  # p(z_t, x_t | words before t)
            total = joint.sum(axis=1, keepdims=True)
            if not total.all():
                row = int(np.flatnonzero(total == 0)[0])
                raise ValueError(
                    f"row {row} of x is impossible in this language: the word at t = {t} can't stand there."
                )
            state = joint / total @ self.transition
        return before

    def _backward(self, likelihood):
        """p(words after t | z_t), (n, T, K), each row divided by its sum."""
        after = np.ones_like(likelihood)
        for t in range(likelihood.shape[1] - 2, -1, -1):
            message = (after[:, t + 1] * likelihood[:, t + 1]) @ self.transition.T
            after[:, t] = message / message.sum(axis=1, keepdims=True)
        return after


def at_words(log_p, x):
    """The entries of the words that stand there: (n, T, V) and (n, T) of int → (n, T)."""
    return np.take_along_axis(log_p, np.asarray(x)[..., None], axis=-1)[..., 0]


def stationary(transition):
    """The distribution π with π = π P, (K, K) → (K,). Raises ValueError where there are several."""
    k = len(transition)
    # π (P − I) = 0 has a solution for each closed class of states; Σ π = 1 makes it one.
    if np.linalg.matrix_rank(transition - np.eye(k)) < k - 1:
        raise ValueError("the chain has several closed classes of states, so no one stationary distribution.")
    system = np.vstack([transition.T - np.eye(k), np.ones(k)])
    found, *_ = np.linalg.lstsq(system, np.append(np.zeros(k), 1.0))
    return np.maximum(found, 0.0) / np.maximum(found, 0.0).sum()


def course_language():
    """The language of lessons 7 and 8: 8 states, 24 words.

    Of 120 random ones it is the one in which the words to the right are worth most, among those whose rarest state has
    at least three per cent: in a clean context 0.35 nats for each word, of the 2.02 that remain when the past is known.
    """
    return random_language(12)


def random_language(random_state, states=8, words=24, moves=0.1, meanings=0.1):
    """A language whose rows are drawn from symmetric Dirichlet distributions.

    Parameters
    ----------
    random_state : int or numpy Generator
    states, words : int
    moves, meanings : float, concentrations of the rows of transition and emission: small ones give a few large
        probabilities, so that a state leads to few others, and a word stands for few states
    """
    rng = np.random.default_rng(random_state)
    transition = rng.dirichlet(np.full(states, moves), size=states)
    return HiddenMarkov(transition, rng.dirichlet(np.full(words, meanings), size=states))


def _draw(cumulative, uniform):
    """For each row the first index whose cumulative probability exceeds the uniform number: (n, m), (n, 1) → (n,)."""
    return np.minimum((cumulative <= uniform).sum(axis=1), cumulative.shape[1] - 1)


def _log(p):
    with np.errstate(divide="ignore"):
        return np.log(p)


def _distributions(name, p):
    if np.any(p < 0) or not np.allclose(p.sum(axis=-1), 1):
        raise ValueError(f"{name} must be probabilities that sum to one in each row; got {p.tolist()}.")
