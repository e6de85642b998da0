"""How far naive Bayes is from the true posterior as the training set grows, where its assumption holds and where not.

Two Gaussian classes in the plane. The distance, E KL(p(y | x) ‖ q(y | x)) in nats, is computed by quadrature under the
true distribution, so that only the training sets are random.
"""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from course_utils.models.gaussian import QuadraticDiscriminantAnalysis
from course_utils.models.naive_bayes import GaussianNB
from course_utils.optima.dependence import correlated_pair
from course_utils.optima.gaussians import GaussianClasses, QuadraticRule

CONFIG = {
    "seeds": 300,
    "sizes": [20, 40, 80, 160, 400, 1000, 2000, 4000],
    "mean": 0.8,  # the classes sit at ±(mean, mean), each feature with variance 1
    "correlations": {"independent given the class": 0.0, "correlated given the class": 0.6},
    "models": ["naive Bayes", "QDA", "logistic regression"],
    "max_iter": 1000,
}


def training_set(problem, size, seed):
    """size / 2 rows of each class, (size, 2) and (size,), from a seed of their own."""
    rng = np.random.default_rng([seed, size])
    y = np.repeat([0, 1], size // 2)
    noise = np.einsum("nij,nj->ni", np.linalg.cholesky(problem.covariances)[y], rng.standard_normal((size, 2)))
    return problem.means[y] + noise, y


def fit_rule(name, X, y, max_iter):
    """Fit the model of that name in CONFIG to (n, 2) and (n,), and return its log-odds as a rule."""
    if name == "naive Bayes":
        model = GaussianNB().fit(X, y)
        return GaussianClasses(model.priors_, model.theta_, [np.diag(v) for v in model.var_]).bayes_rule()
    if name == "QDA":
        model = QuadraticDiscriminantAnalysis().fit(X, y)
        return GaussianClasses(model.priors_, model.means_, model.covariance_).bayes_rule()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # separable rows have no maximum of the likelihood
        model = LogisticRegression(C=np.inf, max_iter=max_iter).fit(X, y)
    return QuadraticRule.from_linear(model.coef_, model.intercept_[0])


def run(config, report):
    """results[problem]: nats from the true posterior, and error beyond the Bayes error, each (model, size, seed)."""
    results = {}
    for name, correlation in config["correlations"].items():
        problem = correlated_pair(correlation, config["mean"])
        bayes_error = problem.bayes_error()
        nats = np.zeros((len(config["models"]), len(config["sizes"]), config["seeds"]))
        excess = np.zeros_like(nats)
        for j, size in enumerate(config["sizes"]):
            for seed in range(config["seeds"]):
                X, y = training_set(problem, size, seed)
                for i, model in enumerate(config["models"]):
                    rule = fit_rule(model, X, y, config["max_iter"])
                    nats[i, j, seed] = problem.posterior_divergence(rule)
                    excess[i, j, seed] = problem.error(rule) - bayes_error
            report(f"{name}: {size} rows")
        results[name] = {
            "bayes_error": bayes_error,
            "nats": np.round(nats, 6).tolist(),
            "excess": np.round(excess, 6).tolist(),
        }
    return results
