"""How far linear discriminant analysis is from the true direction, posterior and error, as the training set grows.

Two Gaussian classes with one covariance, Δ standard deviations apart (Mahalanobis). Direction, posterior and error of
each fitted rule are compared with the closed-form ones by quadrature, so that only the training sets are random.
"""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from course_utils.models.gaussian import QuadraticDiscriminantAnalysis
from course_utils.models.lda import LinearDiscriminantAnalysis
from course_utils.optima.gaussians import GaussianClasses, QuadraticRule

CONFIG = {
    "seeds": 500,
    "sizes": [16, 40, 100, 250, 640, 1600],
    "deltas": [2.0, 3.0],
    "covariance": [[1.0, 0.6], [0.6, 1.0]],
    "models": ["LDA", "logistic regression", "QDA"],
    "measures": ["angle (degrees)", "posterior (nats)", "excess error"],
    "max_iter": 1000,
}


def problem_at(delta, covariance):
    """Two equally likely classes with this covariance, their means ``delta`` apart (Mahalanobis) along x_1."""
    covariance = np.array(covariance)
    step = delta / np.sqrt(np.linalg.inv(covariance)[0, 0])
    return GaussianClasses([0.5, 0.5], [[-step / 2, 0.0], [step / 2, 0.0]], [covariance, covariance])


def training_set(problem, size, seed):
    """``size`` draws from the joint distribution, (size, 2) and (size,), at least three of each class."""
    rng = np.random.default_rng([seed, size])
    while True:
        X, y = problem.sample(size, rng)
        if 3 <= y.sum() <= size - 3:
            return X, y


def fit_rule(name, X, y, max_iter):
    """Fit the model of that name in CONFIG and return its log-odds as a rule."""
    if name == "QDA":
        model = QuadraticDiscriminantAnalysis().fit(X, y)
        return GaussianClasses(model.priors_, model.means_, model.covariance_).bayes_rule()
    if name == "LDA":
        model = LinearDiscriminantAnalysis().fit(X, y)
        return QuadraticRule.from_linear(model.coef_, model.intercept_[0])
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # separable rows have no maximum of the likelihood
        model = LogisticRegression(C=np.inf, max_iter=max_iter).fit(X, y)
    return QuadraticRule.from_linear(model.coef_, model.intercept_[0])


def measure(problem, rule):
    """Angle between the rule's linear part and the true one in degrees, KL of the posteriors in nats, excess error."""
    best = problem.bayes_rule()
    cosine = rule.linear @ best.linear / np.linalg.norm(rule.linear) / np.linalg.norm(best.linear)
    angle = np.degrees(np.arccos(np.clip(cosine, -1.0, 1.0)))
    return angle, problem.posterior_divergence(rule), problem.error(rule) - problem.bayes_error()


def run(config, report):
    """results[str(Δ)]: the Bayes error, and the measures as nested lists (measure, model, size, seed)."""
    results = {}
    for delta in config["deltas"]:
        problem = problem_at(delta, config["covariance"])
        found = np.zeros((3, len(config["models"]), len(config["sizes"]), config["seeds"]))
        for j, size in enumerate(config["sizes"]):
            for seed in range(config["seeds"]):
                X, y = training_set(problem, size, seed)
                for i, model in enumerate(config["models"]):
                    found[:, i, j, seed] = measure(problem, fit_rule(model, X, y, config["max_iter"]))
            report(f"Δ = {delta}: {size} rows")
        results[str(delta)] = {"bayes_error": problem.bayes_error(), "measures": np.round(found, 7).tolist()}
    return results
