"""Numbers that say how good a model is: of samples when nobody can say their density, of sequences by what is right."""

import math

import numpy as np
from torch.nn import functional as F


def frechet_distance(a, b):
    """‖μ_a − μ_b‖² + tr(Σ_a + Σ_b − 2 (Σ_a Σ_b)^½): between two sets of features, as if both were Gaussian.

    The squared 2-Wasserstein distance of the two Gaussians (Dowson and Landau 1982); of features of a classifier it is
    the measure of Heusel et al. (2017). It is too large by an amount that falls with the number of rows, so compare
    only distances of equally many, and with the floor: the distance of two sets of real data of that size.

    Parameters
    ----------
    a, b : (n, d) and (m, d)

    Returns
    -------
    float, in the squared units of the features

    Raises
    ------
    ValueError
        If they are no matrices of as many columns, have less than two rows, or hold NaN or infinity.
    """
    a, b = (np.asarray(features, dtype=np.float64) for features in (a, b))
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[1]:
        raise ValueError(f"a and b must be (n, d) and (m, d) with the same d; got {a.shape} and {b.shape}.")
    if min(len(a), len(b)) < 2:
        raise ValueError(f"a and b must have at least two rows; got {len(a)} and {len(b)}.")
    if not (np.isfinite(a).all() and np.isfinite(b).all()):
        raise ValueError("a and b must be finite; got NaN or infinity.")
    means = np.sum((a.mean(axis=0) - b.mean(axis=0)) ** 2)
    A, B = np.atleast_2d(np.cov(a.T)), np.atleast_2d(np.cov(b.T))  # (d, d)
    w, v = np.linalg.eigh(A)
    root = v * np.sqrt(w.clip(min=0)) @ v.T  # A^½
    # A B has the eigenvalues of A^½ B A^½, which is symmetric: no root of a matrix that is not.
    both = np.sqrt(np.linalg.eigvalsh(root @ B @ root).clip(min=0)).sum()
    return float(max(means + np.trace(A) + np.trace(B) - 2 * both, 0.0))


def mode_coverage(x, centres, deviation, least=0.01):
    """How many modes the samples reach, and the share of them that is at one.

    Parameters
    ----------
    x : (n, d), samples
    centres : (k, d), of modes that are N(centre, deviation² I)
    deviation : float
    least : float, the share of all samples from which on a mode counts as reached

    Returns
    -------
    (int, float): the modes that have at least that share within 3 deviations, and the share that is within 3 of any

    Raises
    ------
    ValueError
        If x and centres have not as many columns, or x no rows.
    """
    x, centres = np.asarray(x), np.asarray(centres)
    if x.ndim != 2 or centres.ndim != 2 or x.shape[1] != centres.shape[1] or not len(x):
        raise ValueError(f"x and centres must be (n, d) and (k, d) with the same d; got {x.shape} and {centres.shape}.")
    distance = np.linalg.norm(x[:, None] - centres, axis=2)  # (n, k)
    at = distance <= 3 * deviation
    return int(np.sum(at.mean(axis=0) >= least)), float(at.any(axis=1).mean())


def exact_match(found, wanted, *, pad=0):
    """Which rows are the same tokens from first to last: (B, n) and (B, m) of int, padded behind → (B,) of bool."""
    length = max(found.shape[1], wanted.shape[1])
    found, wanted = (F.pad(rows, (0, length - rows.shape[1]), value=pad) for rows in (found, wanted))
    return (found == wanted).all(dim=1)


def perplexity(nats):
    """exp of the mean loss of a token, in nats: among how many equally likely tokens one would be as uncertain."""
    return math.exp(nats)


def bits_per_byte(nats, tokens, n_bytes):
    """The length of a text in bits, if it is coded by its probabilities, for each of its bytes.

    Unlike nats a token it compares models that cut the text into different tokens.

    Parameters
    ----------
    nats : float, the mean loss of a token
    tokens, n_bytes : int, how many tokens and bytes the same text has

    Raises ValueError if there are no bytes.
    """
    if n_bytes < 1:
        raise ValueError(f"n_bytes must be at least 1; got {n_bytes}.")
    return nats * tokens / (n_bytes * math.log(2))
