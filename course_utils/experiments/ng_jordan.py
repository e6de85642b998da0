"""Naive Bayes against logistic regression on real tables, as the training set grows (Ng and Jordan 2002).

Each seed splits a data set anew into a test part and a pool, stratified by class, and trains on the first m rows of the
pool in a stratified order, so that a larger training set contains the smaller ones. Stored are the test errors as
counts.
"""

import warnings

import numpy as np
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.preprocessing import StandardScaler

from course_utils.data import images, tables
from course_utils.models.naive_bayes import GaussianNB

CONFIG = {
    "seeds": 500,
    "test_share": 0.3,
    "rows_per_class": {  # m / K, up to what the pool holds
        "iris": [2, 3, 4, 6, 8, 12, 16, 24, 35],
        "wine": [2, 3, 4, 6, 8, 12, 16, 24, 33],
        "breast cancer": [2, 3, 4, 6, 10, 16, 32, 64, 100, 148],
        "digits": [2, 3, 4, 6, 10, 16, 32, 64, 120],
    },
    "models": [
        "naive Bayes, a variance for each class",
        "naive Bayes, one variance for all classes",
        "logistic regression, maximum likelihood",
        "logistic regression, C = 1",
    ],
    "var_smoothing": 1e-9,
    "max_iter": 300,
}


def shared_variance(model):
    """Make a fitted GaussianNB the one of the paper: each feature has one variance, averaged over the classes."""
    model.var_[:] = model.priors_ @ model.var_  # (K, d), every row the same
    return model


def fit(name, X, y, config):
    """The model of that name in CONFIG, fitted to standardised features."""
    if name.startswith("naive Bayes"):
        model = GaussianNB(var_smoothing=config["var_smoothing"]).fit(X, y)
        return shared_variance(model) if "one variance" in name else model
    # On separable rows the likelihood has no maximum; the solver then stops at its limit, far out, and says so.
    strength = 1.0 if name.endswith("C = 1") else np.inf
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        return LogisticRegression(C=strength, max_iter=config["max_iter"]).fit(X, y)


def load_data():
    """Name → (X, y) of the four data sets."""
    sets = {
        "iris": tables.iris(),
        "wine": tables.wine(),
        "breast cancer": tables.breast_cancer(),
        "digits": images.digits(),
    }
    return {name: (table.X, table.y) for name, table in sets.items()}


def run(config, report):
    """Counts of wrong test predictions: results[data set]["errors"] is (model, size, seed) as nested lists."""
    results = {}
    data = load_data()
    for name, per_class in config["rows_per_class"].items():
        X, y = data[name]
        sizes = [m * len(np.unique(y)) for m in per_class]
        errors = np.zeros((len(config["models"]), len(sizes), config["seeds"]), dtype=int)
        for seed in range(config["seeds"]):
            pool, test, y_pool, y_test = train_test_split(
                X, y, test_size=config["test_share"], stratify=y, random_state=seed
            )
            order = tables.stratified_order(y_pool, np.random.default_rng(seed))
            for j, size in enumerate(sizes):
                rows = order[:size]
                scaler = StandardScaler().fit(pool[rows])
                train, held_out = scaler.transform(pool[rows]), scaler.transform(test)
                for i, model in enumerate(config["models"]):
                    predicted = fit(model, train, y_pool[rows], config).predict(held_out)
                    errors[i, j, seed] = np.sum(predicted != y_test)
            if seed % 20 == 19:
                report(f"{name}: {seed + 1} of {config['seeds']} splits")
        results[name] = {"sizes": sizes, "test_rows": len(y_test), "errors": errors.tolist()}
    return results
