"""Lesson 1: the joint distribution, the full Gaussian model of it, and what follows from both."""

import numpy as np

from course_utils.exercises.engine.exercise import Exercise, Mistake, Option, Question

LESSON = (1, "Generative versus discriminative models")


# 1 ── Bayes' theorem on a table ─────────────────────────────────────────────────────────────────────────────────────


def posterior_from_table(joint):
    return joint / joint.sum(axis=1, keepdims=True)


POSTERIOR = Exercise(
    name="gaussian.posterior",
    title="Bayes' theorem on a table",
    difficulty=1,
    minutes=4,
    reference=posterior_from_table,
    cases=(
        (np.array([[0.10, 0.20, 0.05], [0.30, 0.15, 0.20]]),),
        (np.array([[0.02, 0.08], [0.40, 0.10], [0.25, 0.15]]),),
    ),
    mistakes=(
        Mistake(
            "divided by p(y)",
            lambda joint: joint / joint.sum(axis=0, keepdims=True),
            "Your columns sum to one, so this is p(x | y): you divided by p(y). The posterior divides by p(x), and "
            "p(x) is the sum over y, along the other axis.",
        ),
        Mistake(
            "divided by everything",
            lambda joint: joint / joint.sum(),
            "You divided by the sum of the whole table, which is 1, so this is still the joint p(x, y). Divide each "
            "row by its own sum, p(x).",
        ),
        Mistake(
            "only the evidence",
            lambda joint: joint.sum(axis=1),
            "This is p(x), the denominator alone. Divide the joint by it; keepdims=True keeps the shapes compatible.",
        ),
        Mistake(
            "softmax",
            lambda joint: np.exp(joint) / np.exp(joint).sum(axis=1, keepdims=True),
            "A softmax is for logarithms. These are probabilities already: divide each row by its sum, without exp.",
        ),
    ),
    hints=(
        "Rows are values of x, columns are values of y. Equation (3): what does the denominator p(x) sum over?",
        "p(x) is a sum over y, which is axis 1 here. Each row of the result must sum to one.",
        "joint / joint.sum(axis=1, keepdims=True)",
    ),
)


# 2 ── Maximum likelihood ────────────────────────────────────────────────────────────────────────────────────────────


def gaussian_fit(X):
    mean = X.mean(axis=0)
    centred = X - mean
    return mean, centred.T @ centred / len(X)


def _fit_with(covariance):
    return lambda X: (X.mean(axis=0), covariance(X))


_ROWS = np.array([[1.0, 4.0, -2.0], [2.0, 1.0, 0.5], [4.0, 0.0, 1.0], [7.0, -3.0, 2.5], [1.5, 2.0, 9.0]])

FIT = Exercise(
    name="gaussian.fit",
    title="The maximum-likelihood Gaussian",
    difficulty=1,
    minutes=6,
    reference=gaussian_fit,
    cases=((_ROWS,), (_ROWS[:4, :2] * 3 + 1,)),
    mistakes=(
        Mistake(
            "divided by n − 1",
            _fit_with(lambda X: np.cov(X.T)),
            "Your covariance is n/(n−1) times the right one: np.cov divides by n − 1, which makes the estimate "
            "unbiased. The maximum of the likelihood, equation (9), divides by n.",
        ),
        Mistake(
            "not centred",
            _fit_with(lambda X: X.T @ X / len(X)),
            "This is the mean of x xᵀ. The mean has to come off first: (x − μ)(x − μ)ᵀ.",
        ),
        Mistake(
            "scatter",
            _fit_with(lambda X: (X - X.mean(0)).T @ (X - X.mean(0))),
            "This is the sum of (x − μ)(x − μ)ᵀ, the scatter. Divide it by the number of rows.",
        ),
        Mistake(
            "rows for columns",
            lambda X: (X.mean(axis=1), np.cov(X, bias=True)),
            "You averaged over the features of each row. The mean runs over the rows, axis 0, and has one entry per "
            "feature; np.cov, too, expects one row per *feature* unless told rowvar=False.",
        ),
        Mistake(
            "standard deviations",
            lambda X: (X.mean(axis=0), np.diag(X.std(axis=0))),
            "There are standard deviations on your diagonal, and zeros elsewhere. A covariance matrix has variances "
            "on the diagonal and the covariances of each pair beside it.",
        ),
        Mistake(
            "variances only",
            lambda X: (X.mean(axis=0), np.diag(X.var(axis=0))),
            "The variances are right, but every covariance is zero. That is the naive Bayes assumption of lesson 3; "
            "the full Gaussian keeps them.",
        ),
    ),
    hints=(
        "Equations (8) and (9), for one class. The result is a pair: the mean (d,) and the covariance (d, d).",
        "Take the mean over axis 0, subtract it from every row, and multiply the (d, n) by the (n, d) matrix.",
        "centred = X - X.mean(axis=0); return X.mean(axis=0), centred.T @ centred / len(X)",
    ),
)


# 3 ── The density ───────────────────────────────────────────────────────────────────────────────────────────────────


def _log_density(X, mean, covariance, *, half_log_det=0.5, half_distance=0.5, log_two_pi=0.5, per_dimension=True):
    difference = X - mean
    distance = np.einsum("ni,ni->n", difference, np.linalg.solve(covariance, difference.T).T)
    log_det = np.linalg.slogdet(covariance)[1]
    dimensions = len(mean) if per_dimension else 1
    return -half_distance * distance - half_log_det * log_det - log_two_pi * dimensions * np.log(2 * np.pi)


def log_density(X, mean, covariance):
    return _log_density(X, mean, covariance)


def _log_density_variant(**changes):
    return lambda X, mean, covariance: _log_density(X, mean, covariance, **changes)


_MEAN = np.array([0.5, -1.0, 2.0])
_COVARIANCE = np.array([[2.0, 0.3, -0.4], [0.3, 1.5, 0.2], [-0.4, 0.2, 0.6]])

LOG_DENSITY = Exercise(
    name="gaussian.log_density",
    title="log N(x; μ, Σ)",
    difficulty=2,
    minutes=13,
    reference=log_density,
    cases=((_ROWS, _MEAN, _COVARIANCE), (_ROWS[:2, :2], _MEAN[:2], _COVARIANCE[:2, :2] * 4)),
    mistakes=(
        Mistake(
            "no ½ before log|Σ|",
            _log_density_variant(half_log_det=1.0),
            "The term log|Σ| has lost its ½: the density divides by the *square root* of the determinant.",
        ),
        Mistake(
            "no ½ before the distance",
            _log_density_variant(half_distance=1.0),
            "The squared distance (x − μ)ᵀ Σ⁻¹ (x − μ) has lost its ½.",
        ),
        Mistake(
            "no 2π",
            _log_density_variant(log_two_pi=0.0),
            "The constant −(d/2) log 2π is missing. It cancels when classes are compared, but without it p(x) does not "
            "integrate to one.",
        ),
        Mistake(
            "one dimension's 2π",
            _log_density_variant(per_dimension=False),
            "You have −½ log 2π once. Each dimension brings one: −(d/2) log 2π.",
        ),
        Mistake(
            "log|Σ| left out",
            _log_density_variant(half_log_det=0.0),
            "The term −½ log|Σ| is missing. Without it a wide Gaussian is as high as a narrow one.",
        ),
        Mistake(
            "Σ for its inverse",
            lambda X, mean, covariance: (
                -0.5 * np.einsum("ni,ij,nj->n", X - mean, covariance, X - mean)
                - 0.5 * np.linalg.slogdet(covariance)[1]
                - 0.5 * len(mean) * np.log(2 * np.pi)
            ),
            "The squared distance is measured with Σ instead of Σ⁻¹: a direction of large variance must count less, "
            "not more.",
        ),
        Mistake(
            "the density itself",
            lambda X, mean, covariance: np.exp(_log_density(X, mean, covariance)),
            "This is the density; its logarithm was asked for. In many dimensions the density itself underflows to "
            "zero.",
        ),
    ),
    hints=(
        "There are three terms: the constant, the log-determinant and the squared distance, each with a factor −½.",
        "np.linalg.slogdet(covariance)[1] is log|Σ|. np.linalg.solve(covariance, difference.T) is Σ⁻¹ (x − μ) for all "
        "rows at once, as columns: a (d, n) matrix.",
        "−½ (d log 2π + log|Σ| + Σ_i difference_i · solved_i), the last sum over features, axis 1.",
    ),
)


# 4 ── Bayes' theorem in logarithms ──────────────────────────────────────────────────────────────────────────────────


def log_posterior(log_joint):
    largest = log_joint.max(axis=1, keepdims=True)
    return log_joint - largest - np.log(np.exp(log_joint - largest).sum(axis=1, keepdims=True))


def _naive_log_posterior(log_joint):
    with np.errstate(all="ignore"):
        return np.log(np.exp(log_joint) / np.exp(log_joint).sum(axis=1, keepdims=True))


LOG_POSTERIOR = Exercise(
    name="gaussian.log_posterior",
    title="Bayes' theorem in logarithms, without underflow",
    difficulty=2,
    minutes=8,
    reference=log_posterior,
    cases=(
        (np.array([[-1.0, -2.0, -0.5], [-3.0, -0.1, -7.0]]),),
        (np.array([[-1000.0, -1001.0], [-2500.0, -2400.0], [-40.0, -41.5]]),),
    ),
    mistakes=(
        Mistake(
            "underflow",
            _naive_log_posterior,
            "The formula is right on paper, but exp(−1000) is 0 in floating point, and 0/0 is nan. Subtract the "
            "largest entry of each row before exp; it cancels in the ratio.",
        ),
        Mistake(
            "probabilities",
            lambda log_joint: np.exp(log_posterior(log_joint)),
            "These are posterior probabilities; their logarithms were asked for.",
        ),
        Mistake(
            "over the rows",
            lambda log_joint: log_posterior(log_joint.T).T,
            "You normalised over the rows (axis 0), that is over examples. The sum in p(x) runs over the classes, "
            "axis 1.",
        ),
        Mistake(
            "only shifted",
            lambda log_joint: log_joint - log_joint.max(axis=1, keepdims=True),
            "You subtracted the largest entry, which keeps the numbers small, but did not subtract log p(x): the "
            "exponentials of a row do not sum to one yet.",
        ),
        Mistake(
            "sum of logarithms",
            lambda log_joint: log_joint - log_joint.sum(axis=1, keepdims=True),
            "You subtracted the sum of the logarithms. log p(x) is the logarithm of the sum: exp first, then sum, "
            "then log.",
        ),
        Mistake(
            "the largest forgotten",
            lambda log_joint: (
                log_joint - np.log(np.exp(log_joint - log_joint.max(axis=1, keepdims=True)).sum(axis=1, keepdims=True))
            ),
            "You took the largest entry out before exp, but did not put it back: log p(x) = largest + log Σ exp(… − "
            "largest).",
        ),
    ),
    hints=(
        "Equation (3) in logarithms: log p(y | x) = log p(x, y) − log p(x), and log p(x) = log Σ_y exp log p(x, y).",
        "For any m: log Σ exp(a) = m + log Σ exp(a − m). Take m as the largest entry of the row, so that exp sees 0 "
        "at most.",
        "m = log_joint.max(axis=1, keepdims=True); "
        "log_joint - (m + np.log(np.exp(log_joint - m).sum(axis=1, keepdims=True)))",
    ),
)


# 5 ── What is missing ───────────────────────────────────────────────────────────────────────────────────────────────


def conditional_mean(x, observed, mean, covariance):
    missing = ~observed
    weights = np.linalg.solve(covariance[np.ix_(observed, observed)], covariance[np.ix_(observed, missing)])
    return mean[missing] + (x[observed] - mean[observed]) @ weights


def _conditional_with(weights, centre=True):
    def answer(x, observed, mean, covariance):
        missing = ~observed
        difference = x[observed] - (mean[observed] if centre else 0)
        return mean[missing] + difference @ weights(covariance, observed, missing)

    return answer


_X = np.array([1.2, np.nan, 3.0, np.nan])
_OBSERVED = np.array([True, False, True, False])
_MEAN4 = np.array([0.5, -1.0, 2.0, 0.3])
_COVARIANCE4 = np.array([[2.0, 0.8, -0.4, 0.5], [0.8, 1.5, 0.2, -0.3], [-0.4, 0.2, 0.6, 0.1], [0.5, -0.3, 0.1, 0.9]])

CONDITIONAL = Exercise(
    name="gaussian.conditional",
    title="Filling in what is missing",
    difficulty=3,
    minutes=15,
    reference=conditional_mean,
    cases=(
        (_X, _OBSERVED, _MEAN4, _COVARIANCE4),
        (np.array([0.1, 2.0, np.nan]), np.array([True, True, False]), _MEAN4[:3], _COVARIANCE4[:3, :3]),
    ),
    mistakes=(
        Mistake(
            "the plain mean",
            lambda x, observed, mean, covariance: mean[~observed].copy(),
            "This is the mean of the missing features without a look at the others. Add what the observed ones tell: "
            "Σ_mo Σ_oo⁻¹ (x_o − μ_o).",
        ),
        Mistake(
            "Σ_oo for its inverse",
            _conditional_with(lambda c, o, m: c[np.ix_(o, o)] @ c[np.ix_(o, m)]),
            "You multiplied by Σ_oo where its inverse belongs: np.linalg.solve(Σ_oo, Σ_om).",
        ),
        Mistake(
            "no inverse at all",
            _conditional_with(lambda c, o, m: c[np.ix_(o, m)]),
            "You used the covariance Σ_mo alone. Divide by the variance of what is observed: Σ_mo Σ_oo⁻¹.",
        ),
        Mistake(
            "not centred",
            _conditional_with(lambda c, o, m: np.linalg.solve(c[np.ix_(o, o)], c[np.ix_(o, m)]), centre=False),
            "You multiplied by x_o. It must be x_o − μ_o: if the observed features sit at their mean, nothing is "
            "learned.",
        ),
        Mistake(
            "wrong sign",
            lambda x, observed, mean, covariance: 2 * mean[~observed] - conditional_mean(x, observed, mean, covariance),
            "The sign of the correction is turned: a positive covariance and an observed value above its mean raise "
            "the expectation of the missing one.",
        ),
    ),
    hints=(
        "Cut mean and covariance into observed (o) and missing (m): equation (12). covariance[np.ix_(observed, "
        "missing)] is Σ_om.",
        "np.linalg.solve(Σ_oo, Σ_om) gives Σ_oo⁻¹ Σ_om, a matrix (number observed, number missing).",
        "mean[missing] + (x[observed] - mean[observed]) @ np.linalg.solve(Σ_oo, Σ_om)",
    ),
)


# 6 ── The optimum ───────────────────────────────────────────────────────────────────────────────────────────────────


def bayes_error(grid, log_joint):
    return np.sum(np.exp(log_joint).min(axis=1)) * (grid[1] - grid[0])


def _two_gaussians(grid, priors, means, deviations):
    z = (grid[:, None] - np.array(means)) / np.array(deviations)
    return np.log(priors) - 0.5 * z**2 - 0.5 * np.log(2 * np.pi) - np.log(deviations)


_GRID = np.linspace(-9.0, 11.0, 2001)

BAYES_ERROR = Exercise(
    name="gaussian.bayes_error",
    title="The error that nobody can beat",
    difficulty=2,
    minutes=8,
    reference=bayes_error,
    cases=(
        (_GRID, _two_gaussians(_GRID, [0.6, 0.4], [0.0, 2.0], [1.0, 1.0])),
        (_GRID[::2], _two_gaussians(_GRID[::2], [0.2, 0.8], [0.0, 1.0], [0.5, 1.7])),
    ),
    mistakes=(
        Mistake(
            "the accuracy",
            lambda grid, log_joint: np.sum(np.exp(log_joint).max(axis=1)) * (grid[1] - grid[0]),
            "This is the probability of being right. The best rule takes the larger joint density, so its error is "
            "the integral of the smaller one.",
        ),
        Mistake(
            "no width",
            lambda grid, log_joint: np.sum(np.exp(log_joint).min(axis=1)),
            "A sum over the grid is not yet an integral: multiply by the distance between two grid points.",
        ),
        Mistake(
            "smallest over the grid",
            lambda grid, log_joint: np.sum(np.exp(log_joint).min(axis=0)) * (grid[1] - grid[0]),
            "You took the smallest value along the grid (axis 0). At each x, compare the two classes: axis 1.",
        ),
        Mistake(
            "posterior, not weighed",
            lambda grid, log_joint: np.mean(np.exp(log_posterior(log_joint)).min(axis=1)),
            "You averaged the smaller posterior over the grid as if every x were equally likely. Weigh it by p(x), "
            "which turns the posterior back into the joint.",
        ),
        Mistake(
            "integral of the posterior",
            lambda grid, log_joint: np.sum(np.exp(log_posterior(log_joint)).min(axis=1)) * (grid[1] - grid[0]),
            "You integrated the smaller posterior without p(x). Equation (5) integrates the joint, p(y | x) p(x).",
        ),
        Mistake(
            "logarithm not undone",
            lambda grid, log_joint: np.sum(log_joint.min(axis=1)) * (grid[1] - grid[0]),
            "You integrated log-densities. An integral of probabilities needs exp first.",
        ),
    ),
    hints=(
        "At each x the best rule decides for the class with the larger joint density. How much probability is then "
        "wrong?",
        "Equation (5) for two classes: ∫ min(p(x, 0), p(x, 1)) dx. The joint comes as logarithms, (n, 2).",
        "np.exp(log_joint).min(axis=1).sum() * (grid[1] - grid[0])",
    ),
)


# 7 ── Sampling ──────────────────────────────────────────────────────────────────────────────────────────────────────


def sample_gaussian(z, mean, covariance):
    return mean + z @ np.linalg.cholesky(covariance).T


def _same_moments(result, expected):
    """z has mean zero and covariance I to the digit, so that any root of the covariance passes, and only a root."""
    same_mean = np.allclose(result.mean(axis=0), expected.mean(axis=0))
    return same_mean and np.allclose(np.cov(result.T, bias=True), np.cov(expected.T, bias=True))


def _exactly_standard(n, d):
    """(n, d) numbers with mean 0 and covariance I to rounding."""
    z = np.random.default_rng(0).normal(size=(n, d))
    z -= z.mean(axis=0)
    return np.sqrt(n) * np.linalg.svd(z, full_matrices=False)[0]


SAMPLE = Exercise(
    name="gaussian.sample",
    title="Draw from a Gaussian",
    difficulty=2,
    minutes=8,
    reference=sample_gaussian,
    compare=_same_moments,
    criterion="The mean and the covariance of your rows are compared with μ and Σ (those of z are exactly 0 and I).",
    cases=((_exactly_standard(40, 3), _MEAN, _COVARIANCE), (_exactly_standard(25, 2), _MEAN[:2], _COVARIANCE[:2, :2])),
    mistakes=(
        Mistake(
            "times the covariance",
            lambda z, mean, covariance: mean + z @ covariance,
            "You multiplied by Σ. The covariance of z A is AᵀA, so A has to be a root of Σ, not Σ itself: in one "
            "dimension, the standard deviation, not the variance.",
        ),
        Mistake(
            "root not transposed",
            lambda z, mean, covariance: mean + z @ np.linalg.cholesky(covariance),
            "np.linalg.cholesky gives L with Σ = L Lᵀ. Rows z L have covariance LᵀL, which is another matrix; rows z "
            "Lᵀ have L Lᵀ.",
        ),
        Mistake(
            "no mean",
            lambda z, mean, covariance: z @ np.linalg.cholesky(covariance).T,
            "The covariance is right, but the draws are centred at zero: add the mean.",
        ),
        Mistake(
            "variances alone",
            lambda z, mean, covariance: mean + z * np.sqrt(np.diag(covariance)),
            "Each feature has its right variance, but they do not vary together. Multiply by a root of the whole "
            "matrix.",
        ),
    ),
    hints=(
        "If z has covariance I, what is the covariance of A z, and which A makes it Σ?",
        "A Aᵀ = Σ: the lower triangular Cholesky factor L will do. For rows instead of columns, multiply by Lᵀ from "
        "the right.",
        "mean + z @ np.linalg.cholesky(covariance).T",
    ),
)


EXERCISES = (POSTERIOR, FIT, LOG_DENSITY, LOG_POSTERIOR, BAYES_ERROR, SAMPLE, CONDITIONAL)


QUIZ = (
    Question(
        "gaussian.recover",
        "You are given p(y | x) exactly, for every x. Which of these can you compute from it?",
        (
            Option(
                "p(x)",
                False,
                "No: multiply p(y | x) by any density of x and you get a joint with this same posterior.",
            ),
            Option(
                "the best possible decision at each x",
                True,
                "Yes: take the y with the largest p(y | x). For deciding, the conditional is all you need.",
            ),
            Option(
                "a new example of class 0",
                False,
                "No: that needs p(x | y = 0), and p(y | x) says nothing of how x is spread.",
            ),
            Option(
                "which of two inputs is stranger",
                False,
                "No: strangeness is a small p(x). A posterior can be close to 1 far away from all data.",
            ),
        ),
    ),
    Question(
        "gaussian.taxonomy",
        "Where does a GAN stand in the tree?",
        (
            Option(
                "explicit density, tractable",
                False,
                "There p(x) is a formula that you can evaluate, as in a Gaussian or an autoregressive model. A GAN "
                "has none.",
            ),
            Option(
                "explicit density, approximate",
                False,
                "There p(x) is written down, if only as an integral that must be bounded, as in a VAE. A GAN writes "
                "none down.",
            ),
            Option(
                "implicit density",
                True,
                "Yes: its generator is a way to draw samples, and no value of p(x) ever comes out.",
            ),
            Option(
                "outside the tree, it is discriminative",
                False,
                "Its discriminator alone is; the generator draws from a distribution, so the model is generative.",
            ),
        ),
    ),
    Question(
        "gaussian.boundary",
        "Two Gaussian classes have the same covariance matrix but different means and priors. The boundary of the "
        "best rule is",
        (
            Option(
                "a straight line (a hyperplane)",
                True,
                "Yes: xᵀΣ⁻¹x is the same in both log-densities and cancels, equation (11).",
            ),
            Option(
                "an ellipse",
                False,
                "Only where the quadratic terms differ, that is with different covariances.",
            ),
            Option(
                "a line only if the priors are equal",
                False,
                "The priors change the constant, so they move the line; they do not bend it.",
            ),
            Option(
                "a line only if Σ is a multiple of the identity",
                False,
                "Any common Σ will do; it only turns the line away from the perpendicular between the means.",
            ),
        ),
    ),
    Question(
        "gaussian.ng_jordan",
        "What did Ng and Jordan (2002) find about naive Bayes and its discriminative peer?",
        (
            Option(
                "The generative one errs less at every size",
                False,
                "It often leads while rows are few, because its parameters settle sooner. With many rows it is often "
                "overtaken.",
            ),
            Option(
                "The discriminative one errs less at every size",
                False,
                "With few rows it is often behind; of our four data sets it led throughout on one.",
            ),
            Option(
                "One settles sooner, the other at a lower error",
                True,
                "Yes: order log d rows against order d. The lower limit is that of the best line; logistic "
                "regression, which maximises a likelihood, usually comes near it.",
            ),
            Option(
                "They make the same decisions in the limit",
                False,
                "Their posteriors have the same form, but they are fitted to different things, and where the naive "
                "assumption fails their limits differ.",
            ),
        ),
    ),
    Question(
        "gaussian.bayes",
        "A classifier has the Bayes error. What does that say?",
        (
            Option(
                "It never errs",
                False,
                "Where the classes overlap, even perfect knowledge errs: the Bayes error is usually above zero.",
            ),
            Option(
                "Its posterior probabilities are right",
                False,
                "Only its decisions are. p = 0.51 in place of 0.99 decides the same and is a different model.",
            ),
            Option(
                "No classifier has a smaller error on this distribution",
                True,
                "Yes, that is the definition: it decides for the largest p(y | x) everywhere.",
            ),
            Option(
                "It is generative",
                False,
                "Any classifier that decides like the posterior has it, however it came to its decisions.",
            ),
        ),
    ),
    Question(
        "gaussian.misfit",
        "The true classes are not Gaussian, you fit Gaussians, and the training set grows without end. The error then",
        (
            Option(
                "goes to the Bayes error",
                False,
                "Only if the model can represent the truth, or is lucky. More data removes variance, not a wrong "
                "assumption.",
            ),
            Option(
                "goes to a limit that can lie above the Bayes error",
                True,
                "Yes: the most likely Gaussians have the data's means and covariances, and their boundary may still "
                "be off.",
            ),
            Option(
                "goes to one half",
                False,
                "A wrong model is rarely that wrong: means and covariances still say much.",
            ),
            Option(
                "cannot be said, because the likelihood has no maximum",
                False,
                "It has one: the classes' shares, means and covariances, whatever the truth.",
            ),
        ),
    ),
)
