"""Two features that correlate given the class: what the naive assumption of independence costs, exactly."""

import numpy as np

from .gaussians import GaussianClasses


def correlated_pair(correlation, mean=0.8):
    """Two equally likely classes at ±(mean, mean), both features with variance one and this correlation.

    The exact log-odds are 2 mean (x_1 + x_2) / (1 + ρ), those of naive Bayes 2 mean (x_1 + x_2): 1 + ρ times too
    large, and yet of the right sign. Naive Bayes can classify best and be wrong in every probability (Domingos and
    Pazzani 1997, "On the optimality of the simple Bayesian classifier under zero-one loss").

    Parameters
    ----------
    correlation : float, ρ, greater than −1 and less than 1
    mean : float, in standard deviations

    Returns
    -------
    GaussianClasses

    Raises
    ------
    ValueError
        If no two features have that correlation.
    """
    if not -1 < correlation < 1:
        raise ValueError(f"correlation must lie between -1 and 1, exclusive; got {correlation}.")
    covariance = [[1.0, correlation], [correlation, 1.0]]
    return GaussianClasses([0.5, 0.5], [[-mean, -mean], [mean, mean]], [covariance, covariance])


def without_covariances(problem):
    """What naive Bayes learns of Gaussian classes from unlimited data: the same means and variances, nothing else.

    Of all models with independent features the one nearest to ``problem``, in KL(p ‖ q).
    """
    return GaussianClasses(problem.priors, problem.means, [np.diag(np.diag(c)) for c in problem.covariances])
