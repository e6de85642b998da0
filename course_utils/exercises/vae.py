"""Lesson 5: the terms of the ELBO, the posterior they approximate, gradients through a sample, and a tighter bound."""

import math

import torch
from torch.nn.functional import binary_cross_entropy_with_logits, softplus

from course_utils.exercises.engine.exercise import Exercise, Mistake, Option, Question

LESSON = (5, "The VAE and its ELBO")


def _double(values, **kwargs):
    return torch.tensor(values, dtype=torch.float64, **kwargs)


# 1 ── The divergence from the prior ─────────────────────────────────────────────────────────────────────────────────


def kl_to_standard_normal(mu, log_var):
    return 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(dim=1)


_MU = _double([[0.5, -1.0, 2.0], [0.0, 0.25, 1.0]])  # (2, 3): two examples, three latent dimensions
_LOG_VAR = _double([[0.0, 1.0, -1.0], [0.5, -0.75, 2.0]])

KL = Exercise(
    name="vae.kl",
    title="The divergence from the prior",
    difficulty=1,
    minutes=5,
    reference=kl_to_standard_normal,
    cases=((_MU, _LOG_VAR), (_MU[:, :1] - 2, _LOG_VAR[:, 2:] / 4)),
    mistakes=(
        Mistake(
            "no ½",
            lambda mu, log_var: 2 * kl_to_standard_normal(mu, log_var),
            "This is twice the divergence: the ½ of the Gaussian's exponent is missing. Trained with it, a VAE is a "
            "β-VAE with β = 2.",
        ),
        Mistake(
            "mean over the dimensions",
            lambda mu, log_var: kl_to_standard_normal(mu, log_var) / mu.shape[1],
            "You averaged over the latent dimensions. Their divergences add, because the densities multiply; the mean "
            "is for the examples of a batch.",
        ),
        Mistake(
            "one number for the batch",
            lambda mu, log_var: kl_to_standard_normal(mu, log_var).sum(),
            "You summed over the whole batch. Each example has its own divergence: sum over the last axis only.",
        ),
        Mistake(
            "mean over the batch",
            lambda mu, log_var: kl_to_standard_normal(mu, log_var).mean(),
            "This is the mean over the batch. Asked for is one number for each example, (batch,).",
        ),
        Mistake(
            "over the examples",
            lambda mu, log_var: kl_to_standard_normal(mu.T, log_var.T),
            "You summed over the examples, axis 0, and kept the latent dimensions. Sum over axis 1.",
        ),
        Mistake(
            "not summed",
            lambda mu, log_var: 0.5 * (mu**2 + log_var.exp() - 1 - log_var),
            "This is the divergence in each dimension, (batch, latent). Sum it over the latent dimensions.",
        ),
        Mistake(
            "standard deviation for variance",
            lambda mu, log_var: 0.5 * (mu**2 + (log_var / 2).exp() - 1 - log_var).sum(dim=1),
            "Your second term is σ, exp(½ log σ²). It should be the variance σ². With this formula the divergence can "
            "become negative, at σ = 2 for instance, and no divergence can.",
        ),
        Mistake(
            "log-variance taken for log σ",
            lambda mu, log_var: kl_to_standard_normal(mu, 2 * log_var),
            "You read `log_var` as log σ and doubled it. It is log σ² already.",
        ),
        Mistake(
            "log σ in the last term",
            lambda mu, log_var: 0.5 * (mu**2 + log_var.exp() - 1 - log_var / 2).sum(dim=1),
            "Your last term is log σ. With the ½ in front of the whole bracket it is log σ² that stands inside.",
        ),
        Mistake(
            "log-variance taken for the variance",
            lambda mu, log_var: 0.5 * (mu**2 + log_var - 1 - torch.log(log_var)).sum(dim=1),
            "You used `log_var` as if it were the variance. It may be negative; the variance is its exponential.",
        ),
        Mistake(
            "wrong sign",
            lambda mu, log_var: -kl_to_standard_normal(mu, log_var),
            "Every sign is turned: this is −KL, the term as it stands in the ELBO. A divergence is never negative.",
        ),
        Mistake(
            "sign of the logarithm",
            lambda mu, log_var: 0.5 * (mu**2 + log_var.exp() - 1 + log_var).sum(dim=1),
            "log σ² has the wrong sign: a narrow q, with small σ, must be far from the prior.",
        ),
        Mistake(
            "no −1",
            lambda mu, log_var: 0.5 * (mu**2 + log_var.exp() - log_var).sum(dim=1),
            "At μ = 0 and σ = 1, where q is the prior, your divergence is ½ for each dimension. It must be 0: subtract "
            "the 1.",
        ),
        Mistake(
            "mean not squared",
            lambda mu, log_var: 0.5 * (mu + log_var.exp() - 1 - log_var).sum(dim=1),
            "μ is not squared. A mean of −1 is as far from 0 as a mean of 1.",
        ),
    ),
    hints=(
        "Equation (13). Which of its terms are given, which must be made from `log_var`?",
        "σ² is log_var.exp(). The sum runs over the latent dimensions, axis 1, so that (batch,) remains.",
        "0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(dim=1)",
    ),
)


# 2 ── A sample that carries a gradient ──────────────────────────────────────────────────────────────────────────────


def reparameterised(mu, log_var, noise):
    return mu + (0.5 * log_var).exp() * noise


SAMPLE = Exercise(
    name="vae.sample",
    title="A sample that carries a gradient",
    difficulty=1,
    minutes=4,
    reference=reparameterised,
    cases=(
        (
            _MU.clone().requires_grad_(),
            _LOG_VAR.clone().requires_grad_(),
            _double([[1.0, -0.5, 0.3], [-1.2, 0.8, 2.0]]),
        ),
        (_MU[:, :2] - 1, _LOG_VAR[:, 1:], _double([[0.4, -2.0], [1.5, -0.1]])),
    ),
    mistakes=(
        Mistake(
            "variance for standard deviation",
            lambda mu, log_var, noise: mu + log_var.exp() * noise,
            "You scaled the noise by the variance. σε has standard deviation σ, which is exp(½ log σ²).",
        ),
        Mistake(
            "scaled by the log-variance",
            lambda mu, log_var, noise: mu + log_var * noise,
            "You scaled the noise by log σ², which may be negative or zero. Take its exponential, with a ½.",
        ),
        Mistake(
            "scaled by exp(2 log σ²)",
            lambda mu, log_var, noise: mu + (2 * log_var).exp() * noise,
            "The standard deviation is the square *root* of the variance: halve the logarithm, do not double it.",
        ),
        Mistake(
            "no noise",
            lambda mu, log_var, noise: mu,
            "This is the mean alone. Without noise the latent space is again a copy of the input, as in an "
            "autoencoder.",
        ),
        Mistake(
            "not scaled",
            lambda mu, log_var, noise: mu + noise,
            "The noise must be scaled by σ: q(z | x) has its own width for each x and each dimension.",
        ),
        Mistake(
            "divided by σ",
            lambda mu, log_var, noise: mu + (-0.5 * log_var).exp() * noise,
            "You divided by σ. Standard normal noise becomes noise with standard deviation σ by multiplication.",
        ),
        Mistake(
            "mean scaled, too",
            lambda mu, log_var, noise: (0.5 * log_var).exp() * (mu + noise),
            "You scaled the mean as well. Scale the noise, then add the mean.",
        ),
    ),
    hints=(
        "z = μ + σε, equation (14). The standard deviation is the root of the variance.",
        "The root of exp(a) is exp(a / 2).",
        "mu + (0.5 * log_var).exp() * noise",
    ),
)


# 3 ── What the decoder says of the pixels ───────────────────────────────────────────────────────────────────────────


def log_likelihood_of_ink(grey, logits):
    x = (grey >= 0.5).to(logits.dtype)
    return (x * logits - softplus(logits)).sum(dim=1)


def _ink(formula):
    """A wrong formula of binary x and logits."""
    return lambda grey, logits: formula((grey >= 0.5).to(logits.dtype), logits)


def _by_probabilities(x, logits):
    p = torch.sigmoid(logits)
    return (x * p.log() + (1 - x) * (1 - p).log()).sum(dim=1)


def _by_clamped_probabilities(x, logits):
    p = torch.sigmoid(logits).clamp(1e-7, 1 - 1e-7)
    return (x * p.log() + (1 - x) * (1 - p).log()).sum(dim=1)


_GREY = _double([[0.0, 0.25, 0.5, 1.0], [0.75, 0.0625, 0.9375, 0.4375], [0.5, 0.5, 0.0, 1.0]])  # (3, 4)
_LOGITS = _double([[-2.0, 0.5, 1.5, 3.0], [0.25, -1.0, 2.0, -0.5], [-3.0, 1.0, -0.75, 0.125]])
_SURE = _double([[-800.0, 2.0, 60.0, -1.0, 800.0], [1.0, -60.0, 3.0, 50.0, -2.0]])  # sigmoid rounds to 0 and 1

RECONSTRUCTION = Exercise(
    name="vae.reconstruction",
    title="What the decoder says of the pixels",
    difficulty=2,
    minutes=8,
    reference=log_likelihood_of_ink,
    cases=(
        (_GREY, _LOGITS),
        (_double([[0.0, 0.75, 0.25, 0.0, 1.0], [1.0, 0.0, 0.5, 0.125, 0.0]]), _SURE),
    ),
    mistakes=(
        Mistake(
            "grey pixels",
            lambda grey, logits: (grey * logits - softplus(logits)).sum(dim=1),
            "You put grey values into the Bernoulli formula. It gives probabilities to 0 and 1 only; for other x the "
            "numbers are no log-likelihood of anything. Make x binary first: 1 where grey ≥ ½.",
        ),
        Mistake(
            "½ without ink",
            lambda grey, logits: log_likelihood_of_ink((grey > 0.5).to(grey.dtype), logits),
            "You compared with `>`, so a pixel of exactly ½ got no ink. Here, as in `binarise`, it has: `>=`.",
        ),
        Mistake(
            "by probabilities",
            _ink(_by_probabilities),
            "You went through σ(logit) and its logarithm. For large logits σ is exactly 0 or 1 in floating point, and "
            "0 · log 0 is not a number. Write the logarithm of σ in terms of the logit: log σ(a) = −softplus(−a).",
        ),
        Mistake(
            "clamped probabilities",
            _ink(_by_clamped_probabilities),
            "You clamped the probabilities. That avoids log 0 and gives another number: a decoder that is sure and "
            "wrong by 800 nats pays only 16. Write log σ in terms of the logit instead.",
        ),
        Mistake(
            "probabilities for logits",
            _ink(lambda x, logits: (x * torch.sigmoid(logits) - softplus(torch.sigmoid(logits))).sum(dim=1)),
            "You applied σ before a formula that applies it itself. The decoder returns logits: use them as they are.",
        ),
        Mistake(
            "mean over the pixels",
            _ink(lambda x, logits: (x * logits - softplus(logits)).mean(dim=1)),
            "You averaged over the pixels. Given z they are independent, so their log-probabilities add. The mean "
            "would weigh the divergence as if β were the number of pixels.",
        ),
        Mistake(
            "mean over everything",
            _ink(lambda x, logits: -binary_cross_entropy_with_logits(logits, x)),
            "`binary_cross_entropy_with_logits` takes the mean over pixels *and* examples unless told otherwise: "
            '`reduction="none"`, then sum over the pixels.',
        ),
        Mistake(
            "sum over everything",
            _ink(lambda x, logits: (x * logits - softplus(logits)).sum()),
            "You summed over the batch, too. One number for each example is asked for.",
        ),
        Mistake(
            "cross-entropy",
            _ink(lambda x, logits: (softplus(logits) - x * logits).sum(dim=1)),
            "This is the cross-entropy, a loss. Asked for is the log-likelihood, which is its negative.",
        ),
        Mistake(
            "absence ignored",
            _ink(lambda x, logits: -(x * softplus(-logits)).sum(dim=1)),
            "Only the pixels with ink count here. A pixel without ink has probability 1 − σ(logit), and that counts, "
            "as in Bernoulli naive Bayes.",
        ),
        Mistake(
            "squared error",
            _ink(lambda x, logits: -((x - torch.sigmoid(logits)) ** 2).sum(dim=1)),
            "This is a squared error, the log-likelihood of a *Gaussian* decoder up to constants. This decoder says "
            "the probability of ink.",
        ),
    ),
    hints=(
        "First x: 1 where grey ≥ ½, else 0, as the dtype of the logits. Then equation (17), summed over the pixels.",
        "With p = σ(a), x log p + (1 − x) log(1 − p) = x·a − softplus(a), which no logit can break.",
        "x = (grey >= 0.5).to(logits.dtype); return (x * logits - softplus(logits)).sum(dim=1)",
    ),
)


# 4 ── The bound ─────────────────────────────────────────────────────────────────────────────────────────────────────


def elbo_of_one_sample(x, logits, mu, log_var):
    return log_likelihood_of_ink(x, logits) - kl_to_standard_normal(mu, log_var)


_BOUND_CASES = (
    (torch.round(_GREY[:2] + 0.1), _LOGITS[:2], _MU, _LOG_VAR),
    (_double([[1.0, 0.0, 0.0], [1.0, 1.0, 0.0], [0.0, 1.0, 0.0]]), _LOGITS[:, :3], _LOGITS[:, 2:] / 3, _LOGITS[:, :2]),
)

ELBO = Exercise(
    name="vae.elbo",
    title="The bound, from what encoder and decoder return",
    difficulty=2,
    minutes=6,
    reference=elbo_of_one_sample,
    cases=_BOUND_CASES,
    mistakes=(
        Mistake(
            "divergence added",
            lambda x, logits, mu, log_var: log_likelihood_of_ink(x, logits) + kl_to_standard_normal(mu, log_var),
            "You added the divergence. In (8) it has a minus: a q that leaves the prior must pay for it.",
        ),
        Mistake(
            "the loss",
            lambda x, logits, mu, log_var: -elbo_of_one_sample(x, logits, mu, log_var),
            "This is the loss, −ELBO, which is minimised. Asked for is the bound itself.",
        ),
        Mistake(
            "the loss, one number",
            lambda x, logits, mu, log_var: -elbo_of_one_sample(x, logits, mu, log_var).mean(),
            "This is the loss of the batch, −ELBO in the mean. Asked for is the bound of each example.",
        ),
        Mistake(
            "mean over the batch",
            lambda x, logits, mu, log_var: elbo_of_one_sample(x, logits, mu, log_var).mean(),
            "This is the mean over the batch. Asked for is the bound of each example, (batch,).",
        ),
        Mistake(
            "pixels averaged",
            lambda x, logits, mu, log_var: (
                log_likelihood_of_ink(x, logits) / x.shape[1] - kl_to_standard_normal(mu, log_var)
            ),
            "The reconstruction is averaged over the pixels, the divergence summed over the dimensions. Sum both, or "
            "the divergence weighs as many times too much as there are pixels, and q collapses onto the prior.",
        ),
        Mistake(
            "dimensions averaged",
            lambda x, logits, mu, log_var: (
                log_likelihood_of_ink(x, logits) - kl_to_standard_normal(mu, log_var) / mu.shape[1]
            ),
            "The divergence is averaged over the latent dimensions. Sum it.",
        ),
        Mistake(
            "no ½",
            lambda x, logits, mu, log_var: log_likelihood_of_ink(x, logits) - 2 * kl_to_standard_normal(mu, log_var),
            "The divergence lacks its ½.",
        ),
        Mistake(
            "reconstruction alone",
            lambda x, logits, mu, log_var: log_likelihood_of_ink(x, logits),
            "This is the reconstruction alone, an autoencoder's aim: nothing holds q near the prior.",
        ),
        Mistake(
            "mean squared error",
            lambda x, logits, mu, log_var: (
                -((x - torch.sigmoid(logits)) ** 2).sum(dim=1) - kl_to_standard_normal(mu, log_var)
            ),
            "Your reconstruction is a squared error. The decoder gives probabilities of ink: use their logarithms.",
        ),
    ),
    hints=(
        "Equation (8), with the reconstruction of exercise 3 and the divergence of exercise 1.",
        "Both are sums for each example, (batch,). Subtract.",
        "(x * logits - softplus(logits)).sum(dim=1) - 0.5 * (mu**2 + log_var.exp() - 1 - log_var).sum(dim=1)",
    ),
)


# 5 ── The gap ───────────────────────────────────────────────────────────────────────────────────────────────────────


def kl_between(mu_q, var_q, mu_p, var_p):
    return 0.5 * ((var_q + (mu_q - mu_p) ** 2) / var_p - 1 + torch.log(var_p / var_q)).sum(dim=1)


_VAR_Q, _VAR_P = _double([[0.5, 2.0, 1.5], [0.3, 0.8, 4.0]]), _double([[1.5, 0.4, 3.0], [2.0, 0.6, 0.7]])

GAP = Exercise(
    name="vae.gap",
    title="The gap between two Gaussians",
    difficulty=2,
    minutes=8,
    reference=kl_between,
    cases=((_MU, _VAR_Q, _MU.flip(1) / 2, _VAR_P), (_MU[:, :2], _VAR_P[:, 1:], _MU[:, 1:] + 1, _VAR_Q[:, :2])),
    mistakes=(
        Mistake(
            "the other direction",
            lambda mu_q, var_q, mu_p, var_p: kl_between(mu_p, var_p, mu_q, var_q),
            "This is KL(p‖q). The divergence is not symmetric, and in (7) the expectation is over q: its mean distance "
            "is measured in p's variances.",
        ),
        Mistake(
            "no ½",
            lambda mu_q, var_q, mu_p, var_p: 2 * kl_between(mu_q, var_q, mu_p, var_p),
            "This is twice the divergence: each log-density has a ½ in front.",
        ),
        Mistake(
            "standard deviations",
            lambda mu_q, var_q, mu_p, var_p: kl_between(mu_q, var_q**2, mu_p, var_p**2),
            "You squared the variances, as if they were standard deviations.",
        ),
        Mistake(
            "difference not squared",
            lambda mu_q, var_q, mu_p, var_p: (
                0.5 * ((var_q + (mu_q - mu_p)) / var_p - 1 + torch.log(var_p / var_q)).sum(dim=1)
            ),
            "The difference of the means is not squared.",
        ),
        Mistake(
            "variance not divided",
            lambda mu_q, var_q, mu_p, var_p: (
                0.5 * (var_q + (mu_q - mu_p) ** 2 / var_p - 1 + torch.log(var_p / var_q)).sum(dim=1)
            ),
            "Only the difference of the means is divided by p's variance. E[(z − μ_p)²] = σ_q² + (μ_q − μ_p)², and all "
            "of it is.",
        ),
        Mistake(
            "logarithm turned",
            lambda mu_q, var_q, mu_p, var_p: (
                0.5 * ((var_q + (mu_q - mu_p) ** 2) / var_p - 1 + torch.log(var_q / var_p)).sum(dim=1)
            ),
            "The ratio in the logarithm is upside down. A narrow q in a wide p must be far from it: log(σ_p² / σ_q²).",
        ),
        Mistake(
            "as if p were the prior",
            lambda mu_q, var_q, mu_p, var_p: kl_to_standard_normal(mu_q, var_q.log()),
            "This is the divergence from N(0, I). Here p has a mean and a variance of its own.",
        ),
        Mistake(
            "mean over the dimensions",
            lambda mu_q, var_q, mu_p, var_p: kl_between(mu_q, var_q, mu_p, var_p) / mu_q.shape[1],
            "You averaged over the dimensions. The divergences of independent dimensions add.",
        ),
        Mistake(
            "one number for the batch",
            lambda mu_q, var_q, mu_p, var_p: kl_between(mu_q, var_q, mu_p, var_p).sum(),
            "You summed over the whole batch. Keep one number for each example.",
        ),
    ),
    hints=(
        "Equation (12): log q − log p in the mean over q, in each dimension.",
        "E_q[(z − μ_q)²] = σ_q², and E_q[(z − μ_p)²] = σ_q² + (μ_q − μ_p)².",
        "0.5 * ((var_q + (mu_q - mu_p) ** 2) / var_p - 1 + torch.log(var_p / var_q)).sum(dim=1)",
    ),
)


# 6 ── The posterior that can be written down ────────────────────────────────────────────────────────────────────────


def linear_posterior(x, W, b, variance):
    precision = W.T @ W / variance + torch.eye(W.shape[1], dtype=W.dtype)
    covariance = torch.linalg.inv(precision)
    return (x - b) @ W @ covariance / variance, covariance


def _posterior_with(mean=None, covariance=None):
    """A wrong mean or covariance, made from the arguments and the right pair."""

    def answer(x, W, b, variance):
        right = linear_posterior(x, W, b, variance)
        return (
            mean(x, W, b, variance, *right) if mean else right[0],
            covariance(x, W, b, variance, *right) if covariance else right[1],
        )

    return answer


_W = _double([[1.0, 0.5], [-0.5, 2.0], [0.25, -1.0], [0.0, 0.75], [1.5, 0.0]])  # (5, 2): five features, two latent
_B = _double([0.5, -1.0, 0.0, 2.0, 0.25])
_X = _double([[1.0, 0.0, -1.0, 2.0, 0.5], [0.0, 1.5, 2.0, -0.5, 1.0], [2.0, -2.0, 0.5, 1.0, -1.0]])  # (3, 5)

POSTERIOR = Exercise(
    name="vae.posterior",
    title="The posterior that can be written down",
    difficulty=2,
    minutes=12,
    reference=linear_posterior,
    cases=((_X, _W, _B, 0.5), (_X[:2, :4], _double([[1.0, 0.0, 0.5]] * 2 + [[0.0, -1.0, 2.0]] * 2), _B[:4], 1.7)),
    mistakes=(
        Mistake(
            "mean not subtracted",
            _posterior_with(mean=lambda x, W, b, variance, m, S: x @ W @ S / variance),
            "The covariance is right; in the mean, b was not subtracted from x. The decoder's offset says nothing of "
            "z.",
        ),
        Mistake(
            "prior forgotten",
            lambda x, W, b, variance: (
                (x - b) @ W @ torch.linalg.pinv(W.T @ W),
                variance * torch.linalg.pinv(W.T @ W),
            ),
            "This is least squares: the prior is missing. Its precision I is added to that of the likelihood, WᵀW/σ².",
        ),
        Mistake(
            "not divided by σ² in the mean",
            _posterior_with(mean=lambda x, W, b, variance, m, S: (x - b) @ W @ S),
            "The covariance is right; the mean is Wᵀ(x − b)/σ² times it, and the division by σ² is missing.",
        ),
        Mistake(
            "σ² forgotten",
            lambda x, W, b, variance: linear_posterior(x, W, b, 1.0),
            "You took σ² for 1. The noisier the pixels, the less x says of z.",
        ),
        Mistake(
            "σ for σ²",
            lambda x, W, b, variance: linear_posterior(x, W, b, math.sqrt(variance)),
            "You took the root: `variance` is σ² already.",
        ),
        Mistake(
            "σ⁴",
            lambda x, W, b, variance: linear_posterior(x, W, b, variance**2),
            "You squared σ² again: `variance` is σ² already.",
        ),
        Mistake(
            "precision for covariance",
            _posterior_with(covariance=lambda x, W, b, variance, m, S: torch.linalg.inv(S)),
            "The mean is right; in place of the covariance you returned its inverse, the precision.",
        ),
        Mistake(
            "covariance without σ²",
            _posterior_with(covariance=lambda x, W, b, variance, m, S: S / variance),
            "The mean is right. Your covariance is (WᵀW + σ²I)⁻¹, Tipping and Bishop's M⁻¹; the covariance is σ² M⁻¹.",
        ),
        Mistake(
            "of x",
            lambda x, W, b, variance: (
                (x - b) @ W,
                W @ W.T + variance * torch.eye(W.shape[0], dtype=W.dtype),
            ),
            "WWᵀ + σ²I is the covariance of x, (features, features). The posterior is a distribution of z.",
        ),
    ),
    hints=(
        "log p(x | z) + log p(z) is quadratic in z. What multiplies −½ zzᵀ is the precision.",
        "Precision: WᵀW/σ² + I. Mean: covariance times Wᵀ(x − b)/σ². For rows of x the product is turned round.",
        "S = torch.linalg.inv(W.T @ W / variance + torch.eye(W.shape[1], dtype=W.dtype)); "
        "return (x - b) @ W @ S / variance, S",
    ),
)


# 7 ── A tighter bound ───────────────────────────────────────────────────────────────────────────────────────────────


def importance_weighted(log_w):
    return torch.logsumexp(log_w, dim=1) - math.log(log_w.shape[1])


_LOG_W = _double([[-3.0, -1.0, -2.5, -4.0, -0.5], [-10.0, -12.0, -9.5, -11.0, -15.0], [0.5, -2.0, 1.0, -1.0, -0.25]])

IWAE = Exercise(
    name="vae.iwae",
    title="A tighter bound",
    difficulty=3,
    minutes=8,
    reference=importance_weighted,
    cases=((_LOG_W,), (_LOG_W[:2] - 800,)),  # whose weights are smaller than any floating-point number
    mistakes=(
        Mistake(
            "mean of the logarithms",
            lambda log_w: log_w.mean(dim=1),
            "This is the mean of the logarithms: an estimate of the ELBO, not a tighter bound. Average the weights, "
            "then take the logarithm.",
        ),
        Mistake(
            "not divided by k",
            lambda log_w: torch.logsumexp(log_w, dim=1),
            "This is the logarithm of the *sum*. It grows by log k even if all weights are equal, and is no bound. "
            "Subtract log k.",
        ),
        Mistake(
            "k divided outside the logarithm",
            lambda log_w: torch.logsumexp(log_w, dim=1) / log_w.shape[1],
            "You divided the logarithm by k. It is the weights that are averaged: 1/k stands inside the logarithm, and "
            "outside it becomes −log k.",
        ),
        Mistake(
            "exponentials",
            lambda log_w: torch.log(torch.exp(log_w).mean(dim=1)),
            "Right in exact arithmetic. But weights of e⁻⁸⁰⁰ are zero in floating point, and an image's often are: "
            "`torch.logsumexp` takes the largest out first.",
        ),
        Mistake(
            "over the batch",
            lambda log_w: torch.logsumexp(log_w, dim=0) - math.log(log_w.shape[0]),
            "You averaged over the examples. The k draws of one example stand in a row: axis 1.",
        ),
        Mistake(
            "largest weight",
            lambda log_w: log_w.max(dim=1).values,
            "This is the largest weight. It leaves out the others, and the 1/k.",
        ),
        Mistake(
            "the average weight",
            lambda log_w: torch.exp(importance_weighted(log_w)),
            "This is the average weight. Asked for is its logarithm.",
        ),
        Mistake(
            "one number",
            lambda log_w: importance_weighted(log_w).mean(),
            "This is the mean over the batch. Asked for is the bound of each example.",
        ),
    ),
    hints=(
        "Equation (20): the logarithm of the mean of the weights, where w = exp(log_w).",
        "log (1/k) Σ w = log Σ exp(log w) − log k. The sum of exponentials is what `torch.logsumexp` is for.",
        "torch.logsumexp(log_w, dim=1) - math.log(log_w.shape[1])",
    ),
)


# 8 ── Without a gradient of f ───────────────────────────────────────────────────────────────────────────────────────


def score_function_gradient(z, mu, log_var, f):
    return (f[:, None] * (z - mu) / log_var.exp()).mean(dim=0)


_DRAWN = _double([[0.3, -1.2], [1.5, 0.4], [-0.7, 2.0], [0.1, 0.9]])  # (4, 2): four draws of two dimensions
_F = _double([-3.0, 0.5, -1.25, 2.0])
_ONE_MU, _ONE_LOG_VAR = _double([0.25, -0.5]), _double([-0.5, 1.0])

SCORE = Exercise(
    name="vae.score",
    title="A gradient without differentiating f",
    difficulty=3,
    minutes=12,
    reference=score_function_gradient,
    cases=(
        (_DRAWN, _ONE_MU, _ONE_LOG_VAR, _F),
        (_DRAWN[:3].repeat(1, 2)[:, :3], _double([1.0, 0.0, -2.0]), _double([0.3, 2.0, -1.0]), _F[1:]),
    ),
    mistakes=(
        Mistake(
            "divided by σ",
            lambda z, mu, log_var, f: (f[:, None] * (z - mu) / (0.5 * log_var).exp()).mean(dim=0),
            "You divided by σ. The derivative of −(z − μ)² / 2σ² with respect to μ has σ² in the denominator.",
        ),
        Mistake(
            "divided by log σ²",
            lambda z, mu, log_var, f: (f[:, None] * (z - mu) / log_var).mean(dim=0),
            "You divided by the log-variance. Take its exponential.",
        ),
        Mistake(
            "variance forgotten",
            lambda z, mu, log_var, f: (f[:, None] * (z - mu)).mean(dim=0),
            "The variance is missing: ∂ log q(z)/∂μ = (z − μ)/σ².",
        ),
        Mistake(
            "score alone",
            lambda z, mu, log_var, f: ((z - mu) / log_var.exp()).mean(dim=0),
            "This is the score alone, whose expectation is 0 whatever f is. Weigh each draw's score by its f(z).",
        ),
        Mistake(
            "wrong sign",
            lambda z, mu, log_var, f: -score_function_gradient(z, mu, log_var, f),
            "The sign is turned: moving μ towards z makes z *more* probable, so the score points from μ to z.",
        ),
        Mistake(
            "sum over the draws",
            lambda z, mu, log_var, f: (f[:, None] * (z - mu) / log_var.exp()).sum(dim=0),
            "You summed over the draws. The expectation is estimated by their mean.",
        ),
        Mistake(
            "averages multiplied",
            lambda z, mu, log_var, f: f.mean() * ((z - mu) / log_var.exp()).mean(dim=0),
            "You multiplied two averages. Asked for is the average of the products: which draw had which f matters.",
        ),
        Mistake(
            "a baseline from the same draws",
            lambda z, mu, log_var, f: score_function_gradient(z, mu, log_var, f - f.mean()),
            "You subtracted the mean of f. A baseline lowers the variance, but one that is made from the same draws "
            "changes the expectation, too, by a factor 1 − 1/draws. Return (16) without one.",
        ),
        Mistake(
            "every draw's own",
            lambda z, mu, log_var, f: f[:, None] * (z - mu) / log_var.exp(),
            "This is the estimate of every single draw, (draws, latent). Average over the draws.",
        ),
    ),
    hints=(
        "Equation (16): the mean of f(z) times the score, ∂ log q(z)/∂μ.",
        "log q(z) = −½ Σ_j [(z_j − μ_j)²/σ_j² + log σ_j²] + constant. Differentiate with respect to μ_j.",
        "(f[:, None] * (z - mu) / log_var.exp()).mean(dim=0)",
    ),
)


EXERCISES = (KL, SAMPLE, RECONSTRUCTION, ELBO, GAP, POSTERIOR, IWAE, SCORE)


QUIZ = (
    Question(
        "vae.autoencoder",
        "An autoencoder with eight latent numbers copies digits well. Decoding points drawn from N(0, I) gives few "
        "digits. Why?",
        (
            Option(
                "The decoder is too small",
                False,
                "It reconstructs well from the codes of digits, so it can draw them. It is asked at other places.",
            ),
            Option(
                "Nothing in its training says where codes lie, so they do not lie like N(0, I)",
                True,
                "Yes: it learns a function, not a distribution. Where no code lay in training, the decoder's answer is "
                "arbitrary.",
            ),
            Option(
                "It can only return the training images",
                False,
                "It decodes any z to something, and between two codes to something between. What it lacks is a "
                "distribution from which to draw z.",
            ),
            Option(
                "The squared error blurs",
                False,
                "It blurs, but its reconstructions can be read all the same. These draws often cannot.",
            ),
        ),
    ),
    Question(
        "vae.tight",
        "When is the ELBO equal to log p(x)?",
        (
            Option(
                "When KL(q(z | x)‖p(z)) = 0",
                False,
                "Then q ignores x. The bound is tight only if p(z | x) ignores it, too.",
            ),
            Option("When the reconstruction is perfect", False, "The gap can be large all the same. Look at (7)."),
            Option(
                "When q(z | x) = p(z | x)",
                True,
                "Yes: the gap is KL(q(z | x)‖p(z | x)), which is zero exactly there.",
            ),
            Option(
                "Never: a KL divergence is positive",
                False,
                "It is never negative, but it can be zero. With a linear decoder it is, in section 3.",
            ),
        ),
    ),
    Question(
        "vae.two_losses",
        "Two VAEs report −ELBO on the same test set, 95 and 100 nats. What follows for their log p(x)?",
        (
            Option(
                "The first has the larger log p(x)",
                False,
                "Likely, not certain: the second's gap may be larger by more than 5 nats.",
            ),
            Option(
                "Nothing certain: only that they are at least −95 and −100 nats",
                True,
                "Yes: each ELBO is a lower bound. A tighter bound, with many importance samples, can turn the order "
                "round.",
            ),
            Option("They differ by exactly 5 nats", False, "Only if both gaps were the same."),
            Option(
                "The first reconstructs better",
                False,
                "The ELBO is reconstruction minus KL. The first may reconstruct worse with a smaller KL.",
            ),
        ),
    ),
    Question(
        "vae.log_variance",
        "Why does the encoder return log σ², and not σ as on the slide?",
        (
            Option(
                "Any real number is then allowed, and the KL's gradients stay smooth",
                True,
                "Yes: a linear layer may return anything, and its exponential is a variance. It is the same "
                "information.",
            ),
            Option(
                "The KL has no closed form in σ",
                False,
                "It has: ½ (μ² + σ² − 1 − log σ²), whichever of the three is given.",
            ),
            Option(
                "σ is not differentiable",
                False,
                "It is, for σ > 0. A linear layer, though, may return a negative number.",
            ),
            Option("It makes q(z | x) exact", False, "The family of q is the same: Gaussians with a diagonal."),
        ),
    ),
    Question(
        "vae.reparameterisation",
        "What does z = μ + σε with ε from N(0, I) achieve?",
        (
            Option(
                "It makes z deterministic",
                False,
                "z stays random; its randomness comes from ε, which has no parameters.",
            ),
            Option(
                "It lowers the ELBO's variance to zero",
                False,
                "The estimate stays random. Its gradient has far less variance than the score function's, not none.",
            ),
            Option(
                "Gradients reach μ and σ through the sample",
                True,
                "Yes: for fixed ε, z is a differentiable function of μ and σ.",
            ),
            Option(
                "It makes the gradient estimate unbiased, which the score function's is not",
                False,
                "Both are unbiased. They differ in variance.",
            ),
        ),
    ),
    Question(
        "vae.grey",
        "A paper reports 106 nats of binary cross-entropy plus KL on MNIST with grey pixels. As −log p(x), that is",
        (
            Option(
                "an upper bound, as usual",
                False,
                "Of no model of grey pixels: over [0, 1] the formula p^x (1 − p)^(1−x) does not integrate to one.",
            ),
            Option(
                "no likelihood of any model",
                True,
                "Yes. Binarise the pixels, or use a density on [0, 1], such as the continuous Bernoulli with its "
                "normalising constant.",
            ),
            Option(
                "comparable with results on binarised MNIST",
                False,
                "A grey pixel of ½ costs log 2 at best, however good the model; a binary one may cost nothing.",
            ),
            Option("exact, if β = 1", False, "β has nothing to do with it: the reconstruction is no log-density."),
        ),
    ),
    Question(
        "vae.collapse",
        "In one latent dimension KL(q(z_j | x)‖p(z_j)) is 0.00 nats for every x. This dimension",
        (
            Option(
                "is perfectly learned",
                False,
                "Zero is what an untouched prior has. A dimension that says something of x must cost something.",
            ),
            Option(
                "carries no information about x: it has collapsed onto the prior",
                True,
                "Yes: q(z_j | x) is N(0, 1) whatever x is, and the decoder gets pure noise there.",
            ),
            Option(
                "has a variance of zero",
                False,
                "With variance near zero the divergence would be large: −½ log σ² grows.",
            ),
            Option(
                "makes the bound loose",
                False,
                "If the decoder ignores z_j, its true posterior is the prior as well, and q matches it exactly.",
            ),
        ),
    ),
    Question(
        "vae.iwae_k",
        "The importance-weighted bound with k = 5,000 is −18.2 nats on a test image, with k = 1 it is −20.0. Which is "
        "nearer to log p(x)?",
        (
            Option("k = 1: it is the ELBO that was trained", False, "It is the loosest of them: L_1 ≤ L_k ≤ log p(x)."),
            Option(
                "k = 5,000, in expectation",
                True,
                "Yes: the bounds rise with k. A single estimate may lie above log p(x) by chance, hence the standard "
                "error.",
            ),
            Option(
                "They are estimates of the same number",
                False,
                "Their expectations differ: the logarithm of an average is not the average of logarithms.",
            ),
            Option(
                "Neither: 5,000 draws overfit the image",
                False,
                "The draws fit nothing; the model stays as it is. Only the estimate of one integral gets better.",
            ),
        ),
    ),
)
