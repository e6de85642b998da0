"""Lesson 3: Bayes' theorem, independence given the class, and what it costs."""

import numpy as np

from course_utils.exercises.engine.exercise import Exercise, Mistake, Option, Question

LESSON = (3, "Naive Bayes")


# 1 ── From prior to posterior ───────────────────────────────────────────────────────────────────────────────────────


def posterior_of_positive(prior, hit, false_alarm):
    return hit * prior / (hit * prior + false_alarm * (1 - prior))


POSTERIOR = Exercise(
    name="naive_bayes.posterior",
    title="What a positive test is worth",
    difficulty=1,
    minutes=4,
    reference=posterior_of_positive,
    cases=((0.01, 0.9, 0.09), (0.3, 0.6, 0.2), (0.5, 0.75, 0.05)),
    mistakes=(
        Mistake(
            "the likelihood",
            lambda prior, hit, false_alarm: hit,
            "This is P(positive | ill), the likelihood. Asked for is P(ill | positive), the other way round; the two "
            "are equal only if P(ill) = P(positive).",
        ),
        Mistake(
            "no evidence",
            lambda prior, hit, false_alarm: hit * prior,
            "This is the joint probability P(positive, ill), the numerator of equation (1). Divide it by the evidence, "
            "P(positive).",
        ),
        Mistake(
            "prior left out of the evidence",
            lambda prior, hit, false_alarm: hit * prior / (hit * prior + false_alarm),
            "In the evidence the false alarms count as if everybody were well. Weigh them by P(well) = 1 − prior.",
        ),
        Mistake(
            "base rate ignored",
            lambda prior, hit, false_alarm: hit / (hit + false_alarm),
            "The prior cancels here, as if half of all people were ill. How many are ill and how many well decides how "
            "many true and false alarms there are.",
        ),
        Mistake(
            "a negative test",
            lambda prior, hit, false_alarm: posterior_of_positive(prior, 1 - hit, 1 - false_alarm),
            "This is P(ill | negative). After a positive test the likelihoods are hit and false_alarm themselves.",
        ),
        Mistake(
            "the well",
            lambda prior, hit, false_alarm: 1 - posterior_of_positive(prior, hit, false_alarm),
            "This is P(well | positive), one minus what was asked for.",
        ),
    ),
    hints=(
        "Equation (1): likelihood × prior / evidence. Who is among those who test positive?",
        "P(positive) = P(positive | ill) P(ill) + P(positive | well) P(well), equation (2).",
        "hit * prior / (hit * prior + false_alarm * (1 - prior))",
    ),
)


# 2 ── Evidence adds up ──────────────────────────────────────────────────────────────────────────────────────────────


def log_odds_after(prior, ratios):
    return np.log(prior) - np.log(1 - prior) + np.sum(np.log(ratios))


LOG_ODDS = Exercise(
    name="naive_bayes.log_odds",
    title="Evidence adds up",
    difficulty=1,
    minutes=5,
    reference=log_odds_after,
    cases=(
        (0.1, np.array([4.0, 0.5, 3.0])),
        (0.7, np.array([0.2, 6.0])),
        (0.4, np.full(400, 0.05)),  # whose product is smaller than any floating-point number
    ),
    mistakes=(
        Mistake(
            "log of the prior",
            lambda prior, ratios: np.log(prior) + np.sum(np.log(ratios)),
            "You started from log P(A). Log-*odds* start from log P(A) − log P(not A).",
        ),
        Mistake(
            "no prior",
            lambda prior, ratios: np.sum(np.log(ratios)),
            "This is the evidence alone. The log-odds of the prior come on top; they are zero only for P(A) = ½.",
        ),
        Mistake(
            "sum of ratios",
            lambda prior, ratios: np.log(prior) - np.log(1 - prior) + np.sum(ratios),
            "You added the ratios themselves. Independent ratios multiply, so it is their logarithms that add.",
        ),
        Mistake(
            "log of the sum",
            lambda prior, ratios: np.log(prior) - np.log(1 - prior) + np.log(np.sum(ratios)),
            "You took the logarithm of a sum of ratios. Independent ratios multiply: sum the logarithms.",
        ),
        Mistake(
            "mean",
            lambda prior, ratios: np.log(prior) - np.log(1 - prior) + np.mean(np.log(ratios)),
            "You averaged the evidence. Each further independent observation adds its own logarithm; nothing divides "
            "by their number.",
        ),
        Mistake(
            "probability",
            lambda prior, ratios: 1 / (1 + np.exp(-log_odds_after(prior, ratios))),
            "This is the posterior probability. Its log-odds were asked for.",
        ),
        Mistake(
            "odds",
            lambda prior, ratios: np.exp(log_odds_after(prior, ratios)),
            "These are the odds. Their logarithm was asked for.",
        ),
    ),
    hints=(
        "Equation (3): posterior odds = likelihood ratio × prior odds; with independent observations, × every ratio.",
        "In logarithms the product becomes a sum. The odds of a probability p are p / (1 − p).",
        "np.log(prior / (1 - prior)) + np.log(ratios).sum()",
    ),
)


# 3 ── Counting words ────────────────────────────────────────────────────────────────────────────────────────────────


def _word_counts(counts, y, n_classes):
    return np.stack([counts[y == k].sum(axis=0) for k in range(n_classes)]).astype(float)


def word_log_probabilities(counts, y, n_classes, alpha):
    smoothed = _word_counts(counts, y, n_classes) + alpha
    return np.log(smoothed) - np.log(smoothed.sum(axis=1, keepdims=True))


def _smoothed_with(formula):
    def answer(counts, y, n_classes, alpha):
        with np.errstate(all="ignore"):
            return formula(_word_counts(counts, y, n_classes), counts, y, alpha)

    return answer


def _rows_of_labels_that_occur(counts, y, n_classes, alpha):
    present, index = np.unique(y, return_inverse=True)
    return word_log_probabilities(counts, index, len(present), alpha)


_COUNTS = np.array([[2, 0, 1, 0], [0, 3, 0, 1], [1, 1, 0, 0], [4, 0, 0, 2], [0, 0, 5, 1]])
_LABELS = np.array([0, 1, 1, 0, 2])

SMOOTHED = Exercise(
    name="naive_bayes.smoothed",
    title="Words counted and smoothed",
    difficulty=2,
    minutes=8,
    reference=word_log_probabilities,
    cases=(
        (_COUNTS, _LABELS, 3, 1.0),
        (_COUNTS[:, 1:], np.array([1, 0, 1, 0, 1]), 2, 0.25),
        (_COUNTS, np.array([3, 0, 0, 3, 1]), 5, 0.5),  # nothing of class 2, nor of the last class
    ),
    mistakes=(
        Mistake(
            "only the classes that occur",
            _rows_of_labels_that_occur,
            "Your table has rows only for the labels that occur in `y`, as `np.unique(y)` lists them. A class without "
            "documents has a row, too: its counts are 0, and α makes its words equally likely. Go through "
            "`range(n_classes)`.",
        ),
        Mistake(
            "α once in the denominator",
            _smoothed_with(lambda N, counts, y, alpha: np.log((N + alpha) / (N.sum(axis=1, keepdims=True) + alpha))),
            "Each of the V words got α on top, so the total grows by αV, not by α: your rows do not sum to one.",
        ),
        Mistake(
            "not smoothed",
            _smoothed_with(lambda N, counts, y, alpha: np.log(N / N.sum(axis=1, keepdims=True))),
            "These are the shares without α: a word that a class has not shown gets probability 0, and one such word "
            "vetoes the class.",
        ),
        Mistake(
            "documents for words",
            _smoothed_with(
                lambda N, counts, y, alpha: np.log(
                    (N + alpha) / (np.bincount(y, minlength=len(N))[:, None] + 2 * alpha)
                )
            ),
            "You divided by the number of documents, as the Bernoulli model does. Here every *word* is a draw: divide "
            "by the number of words in the class.",
        ),
        Mistake(
            "documents that have the word",
            _smoothed_with(
                lambda N, counts, y, alpha: word_log_probabilities((counts > 0).astype(float), y, len(N), alpha)
            ),
            "You counted the documents in which the word occurs. The multinomial model counts every occurrence.",
        ),
        Mistake(
            "over the classes",
            _smoothed_with(lambda N, counts, y, alpha: np.log((N + alpha) / (N + alpha).sum(axis=0))),
            "Your columns sum to one: that is how a word is spread over the classes. θ_k is a distribution over the "
            "words of one class, so the rows must sum to one.",
        ),
        Mistake(
            "probabilities",
            lambda counts, y, n_classes, alpha: np.exp(word_log_probabilities(counts, y, n_classes, alpha)),
            "These are the probabilities; their logarithms were asked for.",
        ),
        Mistake(
            "α only for zeros",
            _smoothed_with(
                lambda N, counts, y, alpha: np.log(
                    np.where(N == 0, alpha, N) / np.where(N == 0, alpha, N).sum(axis=1, keepdims=True)
                )
            ),
            "You gave α to the words with count 0 alone. The prior counts every word α times, seen or not.",
        ),
    ),
    hints=(
        "Equation (12). First the table N_kj: for each class, the sum of the rows of `counts` with that label, "
        "and zeros for a class that no document has.",
        "Add α to every entry, then divide each row by its own sum.",
        "N = np.stack([counts[y == k].sum(axis=0) for k in range(n_classes)]) + alpha; "
        "np.log(N / N.sum(axis=1, keepdims=True))",
    ),
)


# 4 ── Present and absent ────────────────────────────────────────────────────────────────────────────────────────────


def bernoulli_log_likelihood(X, theta):
    return X @ np.log(theta).T + (1 - X) @ np.log(1 - theta).T


_PRESENT = np.array([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0], [0.0, 0.0, 0.0]])
_THETA = np.array([[0.9, 0.2, 0.3], [0.1, 0.7, 0.4]])

BERNOULLI = Exercise(
    name="naive_bayes.bernoulli",
    title="Absence counts, too",
    difficulty=2,
    minutes=6,
    reference=bernoulli_log_likelihood,
    cases=((_PRESENT, _THETA), (_PRESENT[:3, :2], np.array([[0.5, 0.25], [0.05, 0.6], [0.8, 0.35]]))),
    mistakes=(
        Mistake(
            "absence ignored",
            lambda X, theta: X @ np.log(theta).T,
            "Only the features that are present count here, as in the multinomial model. A Bernoulli feature that is "
            "absent has probability 1 − θ, and says something, too.",
        ),
        Mistake(
            "absence alone",
            lambda X, theta: (1 - X) @ np.log(1 - theta).T,
            "Only the features that are absent count here. Add x log θ for those that are present.",
        ),
        Mistake(
            "one minus the logarithm",
            lambda X, theta: X @ np.log(theta).T + (1 - X) @ (1 - np.log(theta)).T,
            "The probability of absence is 1 − θ, so its logarithm is log(1 − θ), not 1 − log θ.",
        ),
        Mistake(
            "sign of absence",
            lambda X, theta: X @ np.log(theta).T - (1 - X) @ np.log(1 - theta).T,
            "The term of the absent features has the wrong sign: logarithms of probabilities add; none is positive.",
        ),
        Mistake(
            "the product",
            lambda X, theta: np.exp(bernoulli_log_likelihood(X, theta)),
            "This is the probability; its logarithm was asked for. Of 30,000 features the product would be 0 in "
            "floating point.",
        ),
        Mistake(
            "mean over the features",
            lambda X, theta: bernoulli_log_likelihood(X, theta) / X.shape[1],
            "You averaged over the features. The probability of all of them is a product, so logarithms are summed.",
        ),
        Mistake(
            "classes in rows",
            lambda X, theta: bernoulli_log_likelihood(X, theta).T,
            "The result is turned: rows are examples and columns are classes, (n, K).",
        ),
    ),
    hints=(
        "log p(x_j | y = k) is log θ_kj where x_j = 1 and log(1 − θ_kj) where x_j = 0. Write both as one formula.",
        "Σ_j x_j log θ_kj + (1 − x_j) log(1 − θ_kj). Each of the two sums is a product of matrices.",
        "X @ np.log(theta).T + (1 - X) @ np.log(1 - theta).T",
    ),
)


# 5 ── Gaussian features ─────────────────────────────────────────────────────────────────────────────────────────────


def _gaussian_log_joint(X, priors, means, variances, *, half_log=0.5, half_square=0.5, prior=True, reduce=np.sum):
    difference = X[:, None, :] - means  # (n, K, d)
    terms = -half_log * np.log(2 * np.pi * variances) - half_square * difference**2 / variances
    return reduce(terms, axis=2) + (np.log(priors) if prior else 0.0)


def gaussian_log_joint(X, priors, means, variances):
    return _gaussian_log_joint(X, priors, means, variances)


def _gaussian_variant(**changes):
    return lambda X, priors, means, variances: _gaussian_log_joint(X, priors, means, variances, **changes)


_ROWS = np.array([[0.5, 2.0, -1.0], [1.5, -0.5, 0.0], [3.0, 1.0, 2.0], [-2.0, 0.3, 0.7]])
_PRIORS = np.array([0.3, 0.7])
_MEANS = np.array([[0.0, 1.0, -0.5], [2.0, 0.0, 1.0]])
_VARIANCES = np.array([[0.5, 2.0, 1.5], [3.0, 0.8, 0.4]])

GAUSSIAN = Exercise(
    name="naive_bayes.gaussian",
    title="log p(x, y) of Gaussian naive Bayes",
    difficulty=2,
    minutes=10,
    reference=gaussian_log_joint,
    cases=(
        (_ROWS, _PRIORS, _MEANS, _VARIANCES),
        (
            _ROWS[:2, :2],
            np.array([0.2, 0.5, 0.3]),
            np.array([[0.0, 1.0], [2.0, 0.5], [-1.0, 0.0]]),
            np.array([[1.5, 2.0], [0.3, 0.7], [2.0, 4.0]]),
        ),
    ),
    mistakes=(
        Mistake(
            "variance for standard deviation",
            lambda X, priors, means, variances: gaussian_log_joint(X, priors, means, variances**2),
            "You took the variances for standard deviations and squared them. They are squares already.",
        ),
        Mistake(
            "standard deviation for variance",
            lambda X, priors, means, variances: gaussian_log_joint(X, priors, means, np.sqrt(variances)),
            "You divide by standard deviations where variances belong: (x − θ)² / σ².",
        ),
        Mistake(
            "no prior",
            _gaussian_variant(prior=False),
            "This is log p(x | y), the likelihood. The joint needs log p(y) on top, one number for each class.",
        ),
        Mistake(
            "no ½ before the distance",
            _gaussian_variant(half_square=1.0),
            "The squared distance (x − θ)² / σ² has lost its ½.",
        ),
        Mistake(
            "no ½ before the logarithm",
            _gaussian_variant(half_log=1.0),
            "The term log 2πσ² has lost its ½: the density divides by the square root of 2πσ².",
        ),
        Mistake(
            "no normalisation",
            _gaussian_variant(half_log=0.0),
            "The term −½ log 2πσ² is missing. It differs between classes with different variances, so it does not "
            "cancel: without it the wide class always wins far out.",
        ),
        Mistake(
            "mean over the features",
            _gaussian_variant(reduce=np.mean),
            "You averaged over the features. Independence makes the density a product, so the logarithms are summed.",
        ),
        Mistake(
            "prior in every feature",
            lambda X, priors, means, variances: (
                _gaussian_log_joint(X, priors, means, variances, prior=False) + X.shape[1] * np.log(priors)
            ),
            "log p(y) stands inside the sum over the features, so it counts d times. The class is drawn once: add "
            "log p(y) after the sum.",
        ),
        Mistake(
            "prior not logged",
            lambda X, priors, means, variances: _gaussian_log_joint(X, priors, means, variances, prior=False) + priors,
            "You added p(y) to a logarithm. Add log p(y).",
        ),
    ),
    hints=(
        "log p(x, y = k) = log π_k + Σ_j log N(x_j; θ_kj, σ²_kj), equations (5) and (6). Only the sum over features, "
        "the last axis, is new.",
        "X[:, None, :] − means has shape (n, K, d). Every term of the Gaussian has that shape, or broadcasts to it.",
        "np.log(priors) - 0.5 * (np.log(2 * np.pi * variances) + (X[:, None, :] - means) ** 2 / variances).sum(axis=2)",
    ),
)


# 6 ── The price of independence ─────────────────────────────────────────────────────────────────────────────────────


def total_correlation(covariance):
    return 0.5 * (np.sum(np.log(np.diag(covariance))) - np.linalg.slogdet(covariance)[1])


_DET_UNDERFLOWS = (
    "You took the logarithm of `np.linalg.det`. With hundreds of features the determinant can be smaller than any "
    "floating-point number: `det` returns 0, and its logarithm is −∞. `np.linalg.slogdet` gives log|Σ| itself."
)


def _by_det(formula):
    return lambda covariance: formula(np.diag(covariance), np.log(np.linalg.det(covariance)))


def _dependence_mistakes(name, formula, message):
    """A wrong formula in the variances and log|Σ|, and the same with `det`: infinite in the last case."""
    return (
        Mistake(name, lambda covariance: formula(np.diag(covariance), np.linalg.slogdet(covariance)[1]), message),
        Mistake(f"{name}, and det", _by_det(formula), f"{message} And: {_DET_UNDERFLOWS}"),
    )


_COVARIANCE = np.array([[2.0, 0.8, -0.4], [0.8, 1.5, 0.2], [-0.4, 0.2, 0.6]])
_STEPS = np.arange(200)  # each correlated with the one before by 0.999
_MANY = 0.999 ** np.abs(_STEPS[:, None] - _STEPS)  # the determinant is e⁻¹²³⁷, the product of the variances 1

DEPENDENCE = Exercise(
    name="naive_bayes.dependence",
    title="The price of independence, in nats",
    difficulty=2,
    minutes=10,
    reference=total_correlation,
    cases=((_COVARIANCE,), (np.array([[1.0, 0.6], [0.6, 1.0]]),), (np.diag([0.5, 3.0, 2.0, 1.0]),), (_MANY,)),
    mistakes=(
        Mistake(
            "det",
            _by_det(lambda variances, log_det: 0.5 * (np.sum(np.log(variances)) - log_det)),
            _DET_UNDERFLOWS,
        ),
        *_dependence_mistakes(
            "no ½",
            lambda variances, log_det: np.sum(np.log(variances)) - log_det,
            "This is twice the right number: each log-density has its log-determinant with a ½.",
        ),
        *_dependence_mistakes(
            "variances left out",
            lambda variances, log_det: -0.5 * log_det,
            "This is −½ log|Σ|, which depends on the units of measurement and is right only for unit variances. Put "
            "½ Σ_j log σ_j² beside it, or take the log-determinant of the correlations.",
        ),
        *_dependence_mistakes(
            "wrong sign",
            lambda variances, log_det: -0.5 * (np.sum(np.log(variances)) - log_det),
            "The sign is turned: a KL divergence is never negative, and |Σ| ≤ Π_j σ_j².",
        ),
        *_dependence_mistakes(
            "bits",
            lambda variances, log_det: 0.5 * (np.sum(np.log(variances)) - log_det) / np.log(2),
            "This is the answer in bits. In this course logarithms are natural: nats.",
        ),
        *_dependence_mistakes(
            "trace for the sum of logarithms",
            lambda variances, log_det: 0.5 * (np.log(np.sum(variances)) - log_det),
            "You took the logarithm of the trace. The naive model's log-determinant is the *sum of the logarithms* of "
            "the variances.",
        ),
        Mistake(
            "the logarithm left out",
            lambda covariance: np.prod(np.diag(covariance)) / np.linalg.det(covariance),
            "This is the ratio Π σ_j² / |Σ|. Asked for is half of its logarithm, in nats.",
        ),
    ),
    hints=(
        "Equation (17): the KL divergence from N(μ, Σ) to the Gaussian with the same mean and variances and no "
        "correlations is the difference of two entropies.",
        "The quadratic terms have the same expectation under both and cancel; the log-determinants remain. That of a "
        "diagonal matrix is a sum of logarithms.",
        "Of hundreds of features |Σ| may be too small for a floating-point number. np.linalg.slogdet(covariance) "
        "returns a sign and log|Σ|, without computing |Σ|.",
        "0.5 * (np.log(np.diag(covariance)).sum() - np.linalg.slogdet(covariance)[1])",
    ),
)


# 7 ── The straight line ─────────────────────────────────────────────────────────────────────────────────────────────


def line_of_shared_variances(priors, means, variances):
    weights = (means[1] - means[0]) / variances
    constant = np.log(priors[1] / priors[0]) - 0.5 * np.sum((means[1] ** 2 - means[0] ** 2) / variances)
    return weights, constant


LINE = Exercise(
    name="naive_bayes.line",
    title="When the boundary is a line, which line?",
    difficulty=3,
    minutes=10,
    reference=line_of_shared_variances,
    cases=(
        (_PRIORS, _MEANS, np.array([0.5, 2.0, 1.5])),
        (np.array([0.6, 0.4]), np.array([[1.0, -2.0], [0.5, 3.0]]), np.array([4.0, 0.25])),
    ),
    mistakes=(
        Mistake(
            "for class 0",
            lambda priors, means, variances: tuple(-v for v in line_of_shared_variances(priors, means, variances)),
            "These are the log-odds of class 0 against class 1: every sign is turned.",
        ),
        Mistake(
            "variances left out",
            lambda priors, means, variances: line_of_shared_variances(priors, means, np.ones_like(variances)),
            "You took all variances for 1. A feature that spreads widely within the classes must count less: divide by "
            "its variance.",
        ),
        Mistake(
            "standard deviations",
            lambda priors, means, variances: line_of_shared_variances(priors, means, np.sqrt(variances)),
            "You divided by standard deviations. In (x − θ)² / σ² the denominator is the variance.",
        ),
        Mistake(
            "no prior",
            lambda priors, means, variances: (
                (means[1] - means[0]) / variances,
                -0.5 * np.sum((means[1] ** 2 - means[0] ** 2) / variances),
            ),
            "The weights are right; the constant lacks the log-odds of the priors.",
        ),
        Mistake(
            "through the origin",
            lambda priors, means, variances: ((means[1] - means[0]) / variances, np.log(priors[1] / priors[0])),
            "The weights are right; the constant lacks what is left of the two squares, −½ Σ_j (θ_1j² − θ_0j²) / σ_j².",
        ),
        Mistake(
            "sign of the squares",
            lambda priors, means, variances: (
                (means[1] - means[0]) / variances,
                np.log(priors[1] / priors[0]) + 0.5 * np.sum((means[1] ** 2 - means[0] ** 2) / variances),
            ),
            "The weights are right; in the constant the squares of the means have the wrong sign. Of −½ (x − θ)² / σ² "
            "each class keeps −½ θ² / σ², so that of class 1 comes with a minus and that of class 0 with a plus.",
        ),
        Mistake(
            "no ½",
            lambda priors, means, variances: (
                (means[1] - means[0]) / variances,
                np.log(priors[1] / priors[0]) - np.sum((means[1] ** 2 - means[0] ** 2) / variances),
            ),
            "The weights are right; in the constant the squares of the means have lost their ½.",
        ),
    ),
    hints=(
        "Write log p(x, y = 1) − log p(x, y = 0) with one σ_j² for both classes, and multiply the squares out.",
        "x_j² / σ_j² comes twice and cancels. What multiplies x_j is the weight; the rest is the constant.",
        "weights = (means[1] - means[0]) / variances; constant = np.log(priors[1] / priors[0]) "
        "- 0.5 * ((means[1] ** 2 - means[0] ** 2) / variances).sum()",
    ),
)


EXERCISES = (POSTERIOR, LOG_ODDS, SMOOTHED, BERNOULLI, GAUSSIAN, DEPENDENCE, LINE)


QUIZ = (
    Question(
        "naive_bayes.base_rate",
        "One person in a thousand has an illness. A test finds all who have it and alarms 1 % of the others. You test "
        "positive. The probability that you are ill is about",
        (
            Option(
                "99 %",
                False,
                "That is one minus the rate of false alarms, P(negative | well). It says nothing yet of how rare the "
                "ill are among those who test positive.",
            ),
            Option(
                "50 %", False, "Of 1,000 people 1 is ill and about 10 of the others test positive: 1 in 11, not in 2."
            ),
            Option("9 %", True, "Yes: of 1,000 people 1 ill and about 10 well ones test positive, 1 in 11."),
            Option(
                "0.1 %",
                False,
                "That is the prior. A positive test multiplies the odds by 1 / 0.01 = 100.",
            ),
        ),
    ),
    Question(
        "naive_bayes.assumption",
        "Which assumption makes naive Bayes naive?",
        (
            Option(
                "The features are independent",
                False,
                "Not so: features that tell two classes apart depend on one another while the class is unknown.",
            ),
            Option(
                "The features are independent given the class",
                True,
                "Yes: p(x | y) = Π_j p(x_j | y). Over all classes together they may depend strongly.",
            ),
            Option(
                "The classes are equally likely",
                False,
                "Any prior will do, and usually it is the classes' shares of the training data.",
            ),
            Option(
                "Bayes' theorem holds",
                False,
                "It always holds: it follows from the definition of conditional probability, without independence.",
            ),
        ),
    ),
    Question(
        "naive_bayes.zero",
        "A multinomial naive Bayes with α = 0 meets a document with a word that class 3 has never shown. All its other "
        "words speak for class 3, and the other classes have shown every one of them. It",
        (
            Option(
                "gives class 3 the posterior 0",
                True,
                "Yes: one factor of the product is 0, and no other can make up for it. α > 0 takes the veto away.",
            ),
            Option("passes the word over", False, "That is what happens to a word that is not in the vocabulary."),
            Option(
                "lowers the posterior of class 3 a little",
                False,
                "With a small α > 0 it lowers it, and perhaps a lot. With α = 0 the word's probability is exactly 0.",
            ),
            Option("raises an error", False, "log 0 = −∞ is a value like any other: the class is called impossible."),
        ),
    ),
    Question(
        "naive_bayes.boundary",
        "For which of these is the boundary between two classes *not* linear in x?",
        (
            Option(
                "multinomial naive Bayes", False, "Its log-odds are Σ_j x_j log(θ_1j/θ_0j) plus a constant: linear."
            ),
            Option(
                "Bernoulli naive Bayes",
                False,
                "Absence brings (1 − x_j) log(1 − θ_j), which is linear in x_j as well.",
            ),
            Option(
                "Gaussian naive Bayes with one variance a feature for all classes",
                False,
                "There x_j² has the same factor in both classes and cancels.",
            ),
            Option(
                "Gaussian naive Bayes with variances for each class",
                True,
                "Yes: ½ (1/σ_0j² − 1/σ_1j²) x_j² remains, and the boundary is an ellipse, a hyperbola or a parabola.",
            ),
        ),
    ),
    Question(
        "naive_bayes.copies",
        "You enter each feature twice and fit naive Bayes again; the priors are equal. What changes?",
        (
            Option(
                "Nothing",
                False,
                "The decisions do not, but the model now counts each piece of evidence twice.",
            ),
            Option(
                "The decisions stay, the posteriors move towards 0 and 1",
                True,
                "Yes: every log-likelihood ratio is doubled. Its sign stays, and so does the decision.",
            ),
            Option(
                "The decisions become worse",
                False,
                "With equal priors the doubled log-odds have the same sign as before, so each decision is the same.",
            ),
            Option(
                "The posteriors move towards one half",
                False,
                "They would if evidence were halved. Here it is doubled.",
            ),
        ),
    ),
    Question(
        "naive_bayes.generator",
        "Digits drawn from Gaussian naive Bayes look like noise around a blurred digit. What is missing?",
        (
            Option(
                "the mean of each pixel",
                False,
                "It is there: average many draws of a class and you get the mean digit.",
            ),
            Option("the variance of each pixel", False, "It is there, and equal to that of the training digits."),
            Option(
                "the dependence between pixels of one class",
                True,
                "Yes: a stroke inks neighbours together. Pixels drawn one by one cannot agree on where the stroke is.",
            ),
            Option(
                "more training digits",
                False,
                "With unlimited data the estimates are exact and the draws look the same: this is bias, not variance.",
            ),
        ),
    ),
)
