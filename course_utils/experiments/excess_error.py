"""How far each kind of classifier is from the Bayes error, as the training set grows, on two problems known exactly.

The error of each fitted rule is computed by quadrature under the true distribution: there is no test set, so the excess
over the Bayes error is exact, and the only randomness is that of the training sets.
"""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from course_utils.models.gaussian import QuadraticDiscriminantAnalysis
from course_utils.optima.gaussians import GaussianClasses, QuadraticRule

CONFIG = {
    "seeds": 200,
    "sizes": [10, 16, 26, 40, 64, 100, 160, 250, 400, 640, 1000, 2000, 4000, 8000],
    "problems": {
        "one covariance": {
            "priors": [0.5, 0.5],
            "means": [[-1.0, 0.0], [1.0, 0.0]],
            "covariances": [[[1.0, 0.3], [0.3, 1.0]], [[1.0, 0.3], [0.3, 1.0]]],
        },
        "two covariances": {
            "priors": [0.5, 0.5],
            "means": [[-0.8, 0.0], [0.8, 0.0]],
            "covariances": [[[1.0, 0.6], [0.6, 1.0]], [[1.6, -0.9], [-0.9, 1.0]]],
        },
    },
    "models": ["QDA", "logistic regression", "logistic regression, squares added"],
    "max_iter": 1000,
}


def with_squares(X):
    """(n, 2) → (n, 5): x_1, x_2, x_1², x_1 x_2, x_2². A rule linear in these is a quadratic one in x."""
    return np.column_stack([X, X[:, 0] ** 2, X[:, 0] * X[:, 1], X[:, 1] ** 2])


def fit_rule(name, X, y, max_iter):
    """Fit the model of that name in CONFIG to (n, 2) and (n,) and return the rule it decides by."""
    if name == "QDA":
        model = QuadraticDiscriminantAnalysis().fit(X, y)
        return GaussianClasses(model.priors_, model.means_, model.covariance_).bayes_rule()
    squares = name.endswith("squares added")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # separable rows have no maximum of the likelihood
        model = LogisticRegression(C=np.inf, max_iter=max_iter).fit(with_squares(X) if squares else X, y)
    if not squares:
        return QuadraticRule.from_linear(model.coef_, model.intercept_[0])
    b1, b2, a11, a12, a22 = model.coef_[0]
    return QuadraticRule(np.array([[a11, a12 / 2], [a12 / 2, a22]]), np.array([b1, b2]), float(model.intercept_[0]))


def training_set(problem, size, seed):
    """size / 2 rows of each class, (size, 2) and (size,), from a seed of their own."""
    rng = np.random.default_rng([seed, size])
    y = np.repeat([0, 1], size // 2)
    noise = np.einsum("nij,nj->ni", np.linalg.cholesky(problem.covariances)[y], rng.standard_normal((size, 2)))
    return problem.means[y] + noise, y


def run(config, report):
    """results[problem]: the Bayes error, and the excess over it as nested lists (model, size, seed)."""
    results = {}
    for name, parameters in config["problems"].items():
        problem = GaussianClasses(**parameters)
        bayes_error = problem.bayes_error()
        excess = np.zeros((len(config["models"]), len(config["sizes"]), config["seeds"]))
        for j, size in enumerate(config["sizes"]):
            for seed in range(config["seeds"]):
                X, y = training_set(problem, size, seed)
                for i, model in enumerate(config["models"]):
                    excess[i, j, seed] = problem.error(fit_rule(model, X, y, config["max_iter"])) - bayes_error
            report(f"{name}: {size} rows")
        results[name] = {"bayes_error": bayes_error, "excess": np.round(excess, 7).tolist()}
    return results
