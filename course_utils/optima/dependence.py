"""Two classes of equally telling, correlated features: what the naive assumption of independence costs, exactly.

Within each class the d features have variance one and correlation ρ with each other; the means are ±separation/2 in
each. Naive Bayes sees each feature's own distribution rightly and multiplies: with enough data it states the log-odds
separation · Σ_j x_j, whatever ρ is. The true ones are that divided by 1 + (d − 1) ρ: features that repeat each other
tell less than their number promises. So the naive log-odds are 1 + (d − 1) ρ times too large. With equal priors the
decision, their sign, is right all the same: naive Bayes can classify best and be wrong in every probability (Domingos
and Pazzani 1997, "On the optimality of the simple Bayesian classifier under zero-one loss").
"""

import numpy as np

from .shared_covariance import SharedCovariance


def correlated_features(correlation, separation=2.0, n_features=2, priors=(0.5, 0.5)):
    """The joint distribution of two classes with features of that correlation.

    Parameters
    ----------
    correlation : float, ρ, greater than −1/(n_features − 1) and less than one
    separation : float, the distance of the class means in each feature, in standard deviations
    n_features : int, d
    priors : (2,)

    Raises
    ------
    ValueError
        If the features cannot have that correlation.
    """
    least = -1 / (n_features - 1) if n_features > 1 else -np.inf
    if not least < correlation < 1:
        raise ValueError(f"correlation must lie between {least:.3g} and 1, exclusive; got {correlation}.")
    covariance = np.full((n_features, n_features), float(correlation))
    np.fill_diagonal(covariance, 1.0)
    half = np.full(n_features, separation / 2)
    return SharedCovariance(priors, np.stack([-half, half]), covariance)


def naive_rule(problem):
    """What Gaussian naive Bayes tends to with the number of rows: the exact rule of the problem without correlations.

    Parameters
    ----------
    problem : SharedCovariance with two classes

    Returns
    -------
    LinearRule
    """
    independent = np.diag(np.diag(problem.covariance))
    return SharedCovariance(problem.priors, problem.means, independent).bayes_rule()


def overconfidence(correlation, n_features=2):
    """By what factor the naive log-odds of ``correlated_features`` are too large (equal priors): 1 + (d − 1) ρ."""
    return 1 + (n_features - 1) * correlation
