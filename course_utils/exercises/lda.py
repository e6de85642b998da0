"""Lesson 2: Fisher's criterion, the linear posterior, and the bridge to ANOVA."""

import numpy as np
from scipy.linalg import eigh

from course_utils.exercises.engine.exercise import Exercise, Mistake, Option, Question

LESSON = (2, "Linear discriminant analysis")

_X = np.array(
    [
        [1.0, 4.0, -2.0],
        [2.0, 1.0, 0.5],
        [4.0, 0.0, 1.0],
        [7.0, -3.0, 2.5],
        [1.5, 2.0, 4.0],
        [3.0, 6.0, -1.0],
        [5.0, 5.0, 0.0],
        [6.0, 2.0, 3.0],
        [8.0, 4.0, 1.0],
    ]
)
_Y = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2])


# 1 ── The two scatters ──────────────────────────────────────────────────────────────────────────────────────────────


def scatters(X, y):
    within, between, overall = 0.0, 0.0, X.mean(axis=0)
    for k in np.unique(y):
        rows = X[y == k]
        centred = rows - rows.mean(axis=0)
        within = within + centred.T @ centred
        difference = rows.mean(axis=0) - overall
        between = between + len(rows) * np.outer(difference, difference)
    return within, between


def _scatters_with(within=lambda rows, k: None, between=lambda rows, overall: None):
    def answer(X, y):
        parts = [X[y == k] for k in np.unique(y)]
        exact = scatters(X, y)
        overall = X.mean(axis=0)
        own_within = [within(rows, len(parts)) for rows in parts]
        own_between = [between(rows, overall) for rows in parts]
        return (
            exact[0] if own_within[0] is None else sum(own_within),
            exact[1] if own_between[0] is None else sum(own_between),
        )

    return answer


SCATTER = Exercise(
    name="lda.scatter",
    title="The two scatters",
    difficulty=1,
    minutes=8,
    reference=scatters,
    cases=((_X, _Y), (_X[:7, :2] * 2 - 1, _Y[:7])),
    mistakes=(
        Mistake(
            "classes not weighted",
            _scatters_with(
                between=lambda rows, overall: np.outer(rows.mean(axis=0) - overall, rows.mean(axis=0) - overall)
            ),
            "S_w is right. In S_b every class counts as often as it has rows: n_k (m_k − m)(m_k − m)ᵀ, equation (2). "
            "Without the n_k the two do not add up to the total scatter.",
        ),
        Mistake(
            "covariances",
            _scatters_with(within=lambda rows, k: np.cov(rows.T, bias=True)),
            "You added the classes' covariances. A scatter is a sum over rows, not yet divided by their number.",
        ),
        Mistake(
            "unbiased covariances",
            _scatters_with(within=lambda rows, k: np.cov(rows.T)),
            "np.cov divides by n_k − 1. A scatter is a sum over rows, not divided at all.",
        ),
        Mistake(
            "mean of means",
            lambda X, y: (
                scatters(X, y)[0],
                sum(
                    np.sum(y == k)
                    * np.outer(
                        X[y == k].mean(0) - np.mean([X[y == j].mean(0) for j in np.unique(y)], axis=0),
                        X[y == k].mean(0) - np.mean([X[y == j].mean(0) for j in np.unique(y)], axis=0),
                    )
                    for k in np.unique(y)
                ),
            ),
            "S_b is measured from the mean of all rows. You took the mean of the class means; with classes of "
            "different sizes that is another point.",
        ),
        Mistake(
            "total for within",
            lambda X, y: ((X - X.mean(0)).T @ (X - X.mean(0)), scatters(X, y)[1]),
            "Your S_w is the total scatter, taken about the mean of all rows. Within means about each class's own "
            "mean.",
        ),
        Mistake(
            "the other way round",
            lambda X, y: scatters(X, y)[::-1],
            "Both are right, but in the other order: return S_w first, then S_b.",
        ),
    ),
    hints=(
        "Go through the classes: rows = X[y == k]. One sum uses each class's own mean, the other the mean of "
        "everything.",
        "S_w adds centred.T @ centred with centred = rows − their mean. S_b adds len(rows) times an outer product.",
        "np.outer(d, d) with d = rows.mean(axis=0) - X.mean(axis=0)",
    ),
)


# 2 ── Fisher's ratio ────────────────────────────────────────────────────────────────────────────────────────────────


def fisher_ratio(w, within, between):
    return (w @ between @ w) / (w @ within @ w)


_WITHIN, _BETWEEN = scatters(_X, _Y)

RATIO = Exercise(
    name="lda.ratio",
    title="Fisher's ratio",
    difficulty=1,
    minutes=3,
    reference=fisher_ratio,
    cases=((np.array([1.0, -2.0, 0.5]), _WITHIN, _BETWEEN), (np.array([0.3, 2.0]), _WITHIN[:2, :2], _BETWEEN[:2, :2])),
    mistakes=(
        Mistake(
            "upside down",
            lambda w, within, between: (w @ within @ w) / (w @ between @ w),
            "This is 1/J. Far apart is good and belongs above, wide is bad and belongs below.",
        ),
        Mistake(
            "determinants",
            lambda w, within, between: np.linalg.det(between) / np.linalg.det(within),
            "Determinants do not know the direction w. Project first: wᵀ S w is the scatter of the numbers wᵀx.",
        ),
        Mistake(
            "not projected from the left",
            lambda w, within, between: np.sum(between @ w) / np.sum(within @ w),
            "S w is a vector still; you summed its entries. Multiply by w from the left as well: w @ S @ w.",
        ),
        Mistake(
            "divided by the total",
            lambda w, within, between: (w @ between @ w) / (w @ (within + between) @ w),
            "You divided by the total scatter. That ratio has its maximum at the same w, but it is J/(1 + J), not J.",
        ),
    ),
    hints=(
        "Equation (4). Both numerator and denominator are numbers.",
        "The scatter of the projections wᵀx is wᵀ S w.",
        "(w @ between @ w) / (w @ within @ w)",
    ),
)


# 3 ── Two classes ───────────────────────────────────────────────────────────────────────────────────────────────────


def fisher_direction(X, y):
    within, _ = scatters(X, y)
    w = np.linalg.solve(within, X[y == 1].mean(axis=0) - X[y == 0].mean(axis=0))
    return w / np.linalg.norm(w)


def _direction(vector):
    return lambda X, y: vector(X, y) / np.linalg.norm(vector(X, y))


def _mean_difference(X, y):
    return X[y == 1].mean(axis=0) - X[y == 0].mean(axis=0)


_TWO = _Y[:6] % 2

DIRECTION = Exercise(
    name="lda.direction",
    title="Fisher's direction for two classes",
    difficulty=2,
    minutes=6,
    reference=fisher_direction,
    compare=lambda result, expected: bool(
        np.allclose(result, expected, atol=1e-8) or np.allclose(result, -np.asarray(expected), atol=1e-8)
    ),
    criterion="Your vector must have length one and lie along S_w⁻¹ (m₁ − m₀); either sign passes.",
    cases=(
        (_X[[0, 1, 2, 3, 6, 7, 8, 5]], np.array([0, 0, 0, 0, 1, 1, 1, 1])),
        (_X[:7, :2], np.array([0, 1, 0, 1, 1, 0, 0])),
    ),
    mistakes=(
        Mistake(
            "difference of the means",
            _direction(_mean_difference),
            "This is the line from one mean to the other. It ignores how the classes are spread; S_w⁻¹ turns it.",
        ),
        Mistake(
            "S_w for its inverse",
            _direction(lambda X, y: scatters(X, y)[0] @ _mean_difference(X, y)),
            "You multiplied by S_w where its inverse belongs. np.linalg.solve(S_w, m₁ − m₀) does it without inverting.",
        ),
        Mistake(
            "sum of covariances",
            _direction(lambda X, y: np.linalg.solve(np.cov(X[y == 0].T) + np.cov(X[y == 1].T), _mean_difference(X, y))),
            "You added the classes' covariances, so a small class counts as much as a large one. Add their scatters.",
        ),
        Mistake(
            "not of length one",
            lambda X, y: np.linalg.solve(scatters(X, y)[0], _mean_difference(X, y)),
            "The direction is right; divide it by its length.",
        ),
        Mistake(
            "total scatter, not normalised",
            lambda X, y: np.linalg.solve((X - X.mean(0)).T @ (X - X.mean(0)), _mean_difference(X, y)),
            "You used the total scatter. For two classes that gives the same direction, as it happens; but it is not "
            "of length one yet.",
        ),
        Mistake(
            "largest variance",
            lambda X, y: np.linalg.eigh(np.cov(X.T))[1][:, -1],
            "This is the first principal component, the direction of largest variance. It has not looked at the "
            "classes.",
        ),
    ),
    hints=(
        "Equation (6): S_w⁻¹ (m₁ − m₀), then make its length one.",
        "Add the two classes' scatters, solve with the difference of the means.",
        "w = np.linalg.solve(within, m1 - m0); return w / np.linalg.norm(w)",
    ),
)


# 4 ── Several classes ───────────────────────────────────────────────────────────────────────────────────────────────


def eigenvalues(within, between):
    return eigh(between, within, eigvals_only=True)[::-1]


EIGENVALUES = Exercise(
    name="lda.eigenvalues",
    title="Fisher's ratios of all discriminants",
    difficulty=2,
    minutes=8,
    reference=eigenvalues,
    cases=(
        (_WITHIN, _BETWEEN),
        (_WITHIN[:2, :2], _BETWEEN[:2, :2]),
        (_WITHIN[1:, 1:] + 40 * np.diag([0, 1]), _BETWEEN[1:, 1:]),
    ),
    atol=1e-8,
    mistakes=(
        Mistake(
            "rising",
            lambda within, between: eigenvalues(within, between)[::-1],
            "The values are right; the largest should come first.",
        ),
        Mistake(
            "eigvalsh of S_w⁻¹ S_b",
            lambda within, between: np.linalg.eigvalsh(np.linalg.solve(within, between))[::-1],
            "S_w⁻¹ S_b is not symmetric, and eigvalsh reads only half of it. scipy.linalg.eigh takes both matrices.",
        ),
        Mistake(
            "of S_b alone",
            lambda within, between: np.linalg.eigvalsh(between)[::-1],
            "These are the eigenvalues of S_b. The problem is the generalised one, S_b w = λ S_w w.",
        ),
        Mistake(
            "exchanged",
            lambda within, between: np.sort(np.linalg.eigvals(np.linalg.pinv(between) @ within).real)[::-1],
            "You solved S_w w = λ S_b w. Exchange the two: S_b w = λ S_w w.",
        ),
        Mistake(
            "S_w for its inverse",
            lambda within, between: np.sort(np.abs(np.linalg.eigvals(within @ between)))[::-1],
            "You multiplied by S_w. It is S_w⁻¹ S_b whose eigenvalues are Fisher's ratios.",
        ),
    ),
    hints=(
        "Equation (5) is a generalised eigenproblem for two symmetric matrices, one of them positive definite.",
        "scipy.linalg.eigh(a, b) solves a v = λ b v, with rising eigenvalues.",
        "eigh(between, within, eigvals_only=True)[::-1]",
    ),
)


# 5 ── The linear posterior ──────────────────────────────────────────────────────────────────────────────────────────


def weights(priors, means, covariance):
    pull = np.linalg.solve(covariance, means.T).T  # rows Σ⁻¹ μ_k
    w = pull[1] - pull[0]
    b = -0.5 * (means[1] @ pull[1] - means[0] @ pull[0]) + np.log(priors[1] / priors[0])
    return w, b


_MEANS = np.array([[0.5, -1.0, 2.0], [1.5, 0.5, 0.0]])
_COVARIANCE = np.array([[2.0, 0.3, -0.4], [0.3, 1.5, 0.2], [-0.4, 0.2, 0.6]])


def _weights_with(bias):
    return lambda priors, means, covariance: (weights(priors, means, covariance)[0], bias(priors, means, covariance))


WEIGHTS = Exercise(
    name="lda.weights",
    title="From the Gaussians to the line",
    difficulty=3,
    minutes=10,
    reference=weights,
    cases=(
        (np.array([0.3, 0.7]), _MEANS, _COVARIANCE),
        (np.array([0.6, 0.4]), _MEANS[:, :2] * 2, _COVARIANCE[:2, :2]),
    ),
    mistakes=(
        Mistake(
            "priors upside down",
            _weights_with(lambda p, m, c: weights(p, m, c)[1] - 2 * np.log(p[1] / p[0])),
            "The prior term has the wrong sign: a frequent class 1 must raise its log-odds, so log(π₁/π₀).",
        ),
        Mistake(
            "priors left out",
            _weights_with(lambda p, m, c: weights(p, m, c)[1] - np.log(p[1] / p[0])),
            "Without log(π₁/π₀) this is the log-ratio of the likelihoods. The posterior weighs in how frequent each "
            "class is.",
        ),
        Mistake(
            "½ missing",
            _weights_with(lambda p, m, c: 2 * weights(p, m, c)[1] - np.log(p[1] / p[0])),
            "The quadratic terms of the means have lost their ½.",
        ),
        Mistake(
            "sign of b",
            _weights_with(lambda p, m, c: -weights(p, m, c)[1] + 2 * np.log(p[1] / p[0])),
            "The term of the means has the wrong sign: expand −½ (x − μ)ᵀ Σ⁻¹ (x − μ) once more.",
        ),
        Mistake(
            "difference for sum",
            _weights_with(lambda p, m, c: -0.5 * (m[1] - m[0]) @ weights(p, m, c)[0] + np.log(p[1] / p[0])),
            "Without the priors the boundary passes through the middle of the means: b = −½ (μ₁ + μ₀)ᵀ w, with a sum.",
        ),
        Mistake(
            "Σ for its inverse",
            lambda p, m, c: (
                c @ (m[1] - m[0]),
                -0.5 * (m[1] @ c @ m[1] - m[0] @ c @ m[0]) + np.log(p[1] / p[0]),
            ),
            "You used Σ where Σ⁻¹ belongs: np.linalg.solve(covariance, …).",
        ),
        Mistake(
            "class 0 for class 1",
            lambda p, m, c: tuple(-value for value in weights(p, m, c)),
            "Everything has the wrong sign: these are the log-odds of class 0 against class 1.",
        ),
    ),
    hints=(
        "Write log π_k − ½ (x − μ_k)ᵀ Σ⁻¹ (x − μ_k) for both classes and subtract. What cancels?",
        "w = Σ⁻¹ (μ₁ − μ₀), and b collects −½ μ_kᵀ Σ⁻¹ μ_k and log π_k, class 1 minus class 0.",
        "b = -0.5 * (μ₁ @ Σ⁻¹μ₁ − μ₀ @ Σ⁻¹μ₀) + log(π₁/π₀)",
    ),
)


# 6 ── Classify ──────────────────────────────────────────────────────────────────────────────────────────────────────


def classify(z, means, priors):
    return np.argmax(np.log(priors) - 0.5 * ((z[:, None, :] - means) ** 2).sum(axis=2), axis=1)


def _classify_by(score):
    return lambda z, means, priors: np.argmax(score(((z[:, None, :] - means) ** 2).sum(axis=2), priors), axis=1)


_CENTRES = np.array([[0.0, 0.0], [2.0, 0.5], [0.5, 2.5]])
_POINTS = np.random.default_rng(0).normal(size=(60, 2)) * 1.5 + 0.8

CLASSIFY = Exercise(
    name="lda.classify",
    title="Classify in the stretched space",
    difficulty=2,
    minutes=7,
    reference=classify,
    cases=(
        (_POINTS, _CENTRES, np.array([0.75, 0.05, 0.2])),
        (_POINTS[:9, :1], _CENTRES[:2, :1], np.array([0.1, 0.9])),
    ),
    mistakes=(
        Mistake(
            "priors left out",
            _classify_by(lambda squared, priors: -squared),
            "You chose the nearest mean. That is right for equal priors only; add log π_k.",
        ),
        Mistake(
            "½ missing",
            _classify_by(lambda squared, priors: np.log(priors) - squared),
            "The squared distance has lost its ½, so the priors count for half of what they should.",
        ),
        Mistake(
            "priors, not their logarithms",
            _classify_by(lambda squared, priors: priors - 0.5 * squared),
            "You added π_k to a log-density. Logarithms add: log π_k.",
        ),
        Mistake(
            "distance, not squared",
            _classify_by(lambda squared, priors: np.log(priors) - 0.5 * np.sqrt(squared)),
            "You took the distance; the log-density of a Gaussian has the squared one.",
        ),
        Mistake(
            "farthest mean",
            _classify_by(lambda squared, priors: np.log(priors) + 0.5 * squared),
            "You chose a mean that is far away: the log-density falls with the squared distance.",
        ),
    ),
    hints=(
        "log p(z, y = k) = log π_k − ½ |z − μ_k|² + constant. The largest wins.",
        "z[:, None, :] - means has shape (n, K, c); sum its squares over the last axis.",
        "np.argmax(np.log(priors) - 0.5 * squared, axis=1)",
    ),
)


# 7 ── ANOVA ─────────────────────────────────────────────────────────────────────────────────────────────────────────


def f_statistic(eigenvalue, n, n_classes):
    return eigenvalue * (n - n_classes) / (n_classes - 1)


ANOVA = Exercise(
    name="lda.anova",
    title="From λ to F",
    difficulty=1,
    minutes=4,
    reference=f_statistic,
    cases=((2.5, 150, 3), (0.07, 41, 5)),
    mistakes=(
        Mistake(
            "upside down",
            lambda eigenvalue, n, n_classes: eigenvalue * (n_classes - 1) / (n - n_classes),
            "The degrees of freedom are exchanged: F = (S_b/(K−1)) / (S_w/(n−K)), so λ is multiplied by (n−K)/(K−1).",
        ),
        Mistake(
            "n − 1",
            lambda eigenvalue, n, n_classes: eigenvalue * (n - 1) / (n_classes - 1),
            "Within the classes there are n − K degrees of freedom, one mean a class being estimated, not n − 1.",
        ),
        Mistake(
            "K for K − 1",
            lambda eigenvalue, n, n_classes: eigenvalue * (n - n_classes) / n_classes,
            "Between K classes there are K − 1 degrees of freedom.",
        ),
        Mistake(
            "λ itself",
            lambda eigenvalue, n, n_classes: eigenvalue,
            "λ = S_b/S_w is the ratio of the scatters. F is the ratio of the mean squares: divide each by its "
            "degrees of freedom.",
        ),
    ),
    hints=(
        "With one feature, λ = S_b/S_w. F divides each of the two by its degrees of freedom first.",
        "K − 1 between, n − K within.",
        "eigenvalue * (n - n_classes) / (n_classes - 1)",
    ),
)


EXERCISES = (SCATTER, RATIO, ANOVA, DIRECTION, EIGENVALUES, CLASSIFY, WEIGHTS)


QUIZ = (
    Question(
        "lda.rank",
        "Ten classes, 64 features. How many discriminants with λ > 0 are there at most?",
        (
            Option("64", False, "S_w has that rank at most, but the number of λ > 0 is the rank of S_b."),
            Option("10", False, "The ten differences m_k − m satisfy one equation: weighted by n_k they sum to zero."),
            Option(
                "9", True, "Yes: S_b is built from ten means about their common mean, so its rank is at most K − 1."
            ),
            Option("2", False, "Two is only what we can draw."),
        ),
    ),
    Question(
        "lda.units",
        "One feature is changed from centimetres to millimetres. What does LDA without shrinkage then predict?",
        (
            Option(
                "The same as before",
                True,
                "Yes: scaling a feature scales S_w, S_b and the means together, and every posterior stays.",
            ),
            Option(
                "Classes that follow this feature ten times as closely",
                False,
                "For PCA or nearest neighbours it would. LDA measures everything in units of the spread within "
                "classes.",
            ),
            Option("The class with the larger prior", False, "The priors are not touched by units."),
            Option(
                "Nothing sensible until it is standardised",
                False,
                "Standardising changes nothing either, without shrinkage.",
            ),
        ),
    ),
    Question(
        "lda.pca",
        "The first principal component can be useless for telling classes apart because",
        (
            Option(
                "it is sensitive to outliers",
                False,
                "It is, but that is not the point here: even without any it can fail.",
            ),
            Option(
                "it has never seen a label",
                True,
                "Yes: it follows the largest variance, which may lie within the classes.",
            ),
            Option(
                "it is not orthogonal to the second",
                False,
                "Principal components are orthogonal. It is LDA's directions that need not be.",
            ),
            Option(
                "it needs more rows than features", False, "It does not; and with rows in plenty it may fail as well."
            ),
        ),
    ),
    Question(
        "lda.density",
        "Which of these is a generative model?",
        (
            Option("Fisher's direction w", False, "A direction is no distribution; nothing can be drawn from it."),
            Option("Fisher's direction with a threshold", False, "That is a rule to decide with. It has no p(x)."),
            Option(
                "Gaussian classes with one covariance",
                True,
                "Yes: they give p(x, y). Fisher's direction is one consequence of them.",
            ),
            Option(
                "the projections wᵀx of the data", False, "These are numbers computed from data, not a model of them."
            ),
        ),
    ),
    Question(
        "lda.failure",
        "Two classes have the same mean and different spreads. What does LDA do?",
        (
            Option("It separates them by a circle", False, "QDA would; LDA's boundaries are straight."),
            Option(
                "It ignores x: S_b is zero",
                True,
                "Yes: with equal means there is no direction along which the means differ, up to noise.",
            ),
            Option(
                "It refuses to fit",
                False,
                "It fits without complaint; the scatter within is fine. That is why one has to look.",
            ),
            Option(
                "It finds the direction of the larger spread",
                False,
                "That direction makes the denominator large, not the numerator.",
            ),
        ),
    ),
    Question(
        "lda.shrinkage",
        "With fewer rows than features, the shrinkage of the covariance",
        (
            Option(
                "makes the estimate unbiased",
                False,
                "On the contrary, it brings a bias, towards a sphere, and takes away more variance than that costs.",
            ),
            Option(
                "trades a little bias for much less variance",
                True,
                "Yes: small eigenvalues, which a sample underestimates and the inverse blows up, are raised.",
            ),
            Option(
                "removes useless features",
                False,
                "All stay; only their covariances are drawn towards zero and their variances together.",
            ),
            Option("is needed only for sampling", False, "Every use needs Σ⁻¹, and without enough rows Σ has none."),
        ),
    ),
)
