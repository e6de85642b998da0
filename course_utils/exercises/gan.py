"""Lesson 4: the best discriminator, what the game is worth, the losses that are trained, and how the game moves."""

import numpy as np
import torch
from scipy.special import rel_entr, xlogy
from torch.nn.functional import softplus

from course_utils.exercises.engine.exercise import Exercise, Mistake, Option, Question

LESSON = (4, "GAN dynamics")


# 1 ── The best discriminator ────────────────────────────────────────────────────────────────────────────────────────


def best_discriminator(p, q, share):
    return share * p / (share * p + (1 - share) * q)


_P, _Q = np.array([0.05, 0.4, 0.3, 0.25]), np.array([0.2, 0.1, 0.6, 0.1])

OPTIMAL = Exercise(
    name="gan.optimal",
    title="The best discriminator",
    difficulty=1,
    minutes=4,
    reference=best_discriminator,
    cases=((_P, _Q, 0.5), (_P[:3], _Q[:3], 0.25), (3 * _P, 2 * _Q, 0.8)),
    mistakes=(
        Mistake(
            "probability of a forgery",
            lambda p, q, share: 1 - best_discriminator(p, q, share),
            "This is the probability that x is *forged*. D says how probably it is real.",
        ),
        Mistake(
            "share ignored",
            lambda p, q, share: p / (p + q),
            "This is right where real and forged are equally frequent. `share` is the prior of real: Bayes' theorem, "
            "lesson 1.",
        ),
        Mistake(
            "share of the forged",
            lambda p, q, share: best_discriminator(p, q, 1 - share),
            "You gave the forgeries the prior of the real ones: `share` belongs to p.",
        ),
        Mistake(
            "share not normalised",
            lambda p, q, share: share * p / (p + q),
            "The prior stands in the numerator only. In the denominator each density comes with its own prior.",
        ),
        Mistake(
            "odds",
            lambda p, q, share: share * p / ((1 - share) * q),
            "These are the odds of real against forged; they may exceed 1. D is a probability.",
        ),
        Mistake(
            "logit",
            lambda p, q, share: np.log(share * p) - np.log((1 - share) * q),
            "This is the logit of D, what the network returns. D itself is its logistic function.",
        ),
        Mistake(
            "over all x",
            lambda p, q, share: share * p / (share * p + (1 - share) * q).sum(),
            "You divided by a sum over all x. The question is put at each x on its own: real or forged, given this x?",
        ),
    ),
    hints=(
        "Two classes, real and forged, with a prior and a likelihood each. What is the posterior of real?",
        "p(real | x) = share · p(x) / (share · p(x) + (1 − share) · q(x)).",
        "share * p / (share * p + (1 - share) * q)",
    ),
)


# 2 ── What the game is worth ────────────────────────────────────────────────────────────────────────────────────────


def game_value(p, q, D):
    return np.sum(xlogy(p, D) + xlogy(q, 1 - D))


def _quiet(formula):
    """The formula without numpy's warnings: a logarithm of zero is part of the mistake."""

    def answer(*arguments):
        with np.errstate(all="ignore"):
            return formula(*arguments)

    return answer


_SURE = (np.array([0.6, 0.4, 0.0]), np.array([0.0, 0.3, 0.7]), np.array([1.0, 0.45, 0.0]))  # sure, where it may be

VALUE = Exercise(
    name="gan.value",
    title="What the game is worth",
    difficulty=1,
    minutes=6,
    reference=game_value,
    cases=((_P, _Q, np.array([0.3, 0.8, 0.4, 0.6])), (_P, _P, np.full(4, 0.5)), _SURE),
    mistakes=(
        Mistake(
            "zero times infinity",
            _quiet(lambda p, q, D: np.sum(p * np.log(D) + q * np.log(1 - D))),
            "Right, until D is sure. Where p = 0 nothing real ever comes, so log D counts for nothing, even if D = 0; "
            "but 0 · log 0 is NaN in floating point. `scipy.special.xlogy(p, D)` is p log D, and 0 where p = 0.",
        ),
        Mistake(
            "the loss",
            lambda p, q, D: -game_value(p, q, D),
            "This is −V, the loss that D minimises. V is never positive: it is a sum of logarithms of probabilities.",
        ),
        Mistake(
            "mean over the bins",
            lambda p, q, D: np.mean(xlogy(p, D) + xlogy(q, 1 - D)),
            "p and q are the weights of the expectations already. Sum over the bins; nothing divides by their number.",
        ),
        Mistake(
            "not weighted",
            _quiet(lambda p, q, D: np.mean(np.log(D)) + np.mean(np.log(1 - D))),
            "You averaged over the bins as if all were equally likely. E over the data weighs each bin by p, E over "
            "the forgeries by q.",
        ),
        Mistake(
            "halved",
            lambda p, q, D: 0.5 * game_value(p, q, D),
            "This is half of V. Libraries that average over real and forged together report this; V is the sum of two "
            "expectations, and −log 4 at the end of the game.",
        ),
        Mistake(
            "p and q exchanged",
            lambda p, q, D: game_value(q, p, D),
            "You have the expectation of log D over the forgeries. D earns log D where x is real.",
        ),
        Mistake(
            "real alone",
            lambda p, q, D: np.sum(xlogy(p, D)),
            "Only the first expectation is here. The police also earn log(1 − D) for each forgery.",
        ),
        Mistake(
            "both over p",
            lambda p, q, D: np.sum(xlogy(p, D) + xlogy(p, 1 - D)),
            "Both of your expectations are over the data. In the second the forger draws, with probabilities q.",
        ),
        Mistake(
            "bits",
            lambda p, q, D: game_value(p, q, D) / np.log(2),
            "This is V in bits. In this course logarithms are natural: nats.",
        ),
    ),
    hints=(
        "Equation (5), with sums over bins for the expectations.",
        "An expectation over the data is a sum over bins, weighted by p; one over the forgeries, by q.",
        "What is 0 · log 0 to be here, and what is it in numpy? See `scipy.special.xlogy`.",
        "xlogy(p, D).sum() + xlogy(q, 1 - D).sum()",
    ),
)


# 3 ── A divergence ──────────────────────────────────────────────────────────────────────────────────────────────────


def divergence(p, q):
    m = (p + q) / 2
    return 0.5 * np.sum(rel_entr(p, m)) + 0.5 * np.sum(rel_entr(q, m))


_WITH_ZERO = (np.array([0.5, 0.5, 0.0]), np.array([0.0, 0.25, 0.75]))

JSD = Exercise(
    name="gan.jsd",
    title="Jensen–Shannon, in nats",
    difficulty=2,
    minutes=7,
    reference=divergence,
    cases=((_P, _Q), (_P[:2] / _P[:2].sum(), np.array([0.9, 0.1])), _WITH_ZERO),
    mistakes=(
        Mistake(
            "its square root",
            lambda p, q: np.sqrt(divergence(p, q)),
            "This is the square root of the divergence, a distance; `scipy.spatial.distance.jensenshannon` returns it, "
            "whatever its name says. Theorem (9) is about the square.",
        ),
        Mistake(
            "no halves",
            lambda p, q: 2 * divergence(p, q),
            "This is twice the divergence: it is the *mean* of two KL divergences, at most log 2.",
        ),
        Mistake(
            "the mixture not halved",
            _quiet(lambda p, q: 0.5 * np.sum(rel_entr(p, p + q)) + 0.5 * np.sum(rel_entr(q, p + q))),
            "You compared with p + q, which sums to two. The mixture m is *half* of that; your result is too small by "
            "log 2.",
        ),
        Mistake(
            "KL both ways",
            _quiet(lambda p, q: 0.5 * np.sum(rel_entr(p, q)) + 0.5 * np.sum(rel_entr(q, p))),
            "This is the mean of KL(p‖q) and KL(q‖p), infinite as soon as one of the two never gives what the other "
            "does. Compare both with their mixture instead.",
        ),
        Mistake(
            "KL",
            _quiet(lambda p, q: np.sum(rel_entr(p, q))),
            "This is KL(p‖q), which is not symmetric, and infinite where q is zero and p is not.",
        ),
        Mistake(
            "one half of it",
            lambda p, q: np.sum(rel_entr(p, (p + q) / 2)),
            "This is KL(p‖m) alone, which is not symmetric. The divergence is the mean of KL(p‖m) and KL(q‖m).",
        ),
        Mistake(
            "mean over the bins",
            lambda p, q: divergence(p, q) / len(p),
            "You took a mean over the bins. p and q are the weights of the expectations already: sum.",
        ),
        Mistake(
            "from the mixture",
            _quiet(lambda p, q: 0.5 * np.sum(rel_entr((p + q) / 2, p)) + 0.5 * np.sum(rel_entr((p + q) / 2, q))),
            "You have KL(m‖p) and KL(m‖q). The mixture is what p and q are compared *with*: it stands second.",
        ),
        Mistake(
            "zero times infinity",
            _quiet(lambda p, q: 0.5 * np.sum(p * np.log(2 * p / (p + q))) + 0.5 * np.sum(q * np.log(2 * q / (p + q)))),
            "Right where nothing is zero. Where p = 0, p log p counts for nothing, but 0 · log 0 is NaN in floating "
            "point: `scipy.special.rel_entr(p, m)` is p log(p / m), and 0 where p = 0.",
        ),
        Mistake(
            "bits",
            lambda p, q: divergence(p, q) / np.log(2),
            "This is the divergence in bits, at most 1. In nats it is at most log 2.",
        ),
        Mistake(
            "total variation",
            lambda p, q: 0.5 * np.sum(np.abs(p - q)),
            "This is the total variation distance. It has no logarithm in it, and is no part of (9).",
        ),
    ),
    hints=(
        "Equation (3): the mean of two KL divergences. What do both compare with?",
        "m = (p + q) / 2; half KL(p‖m) plus half KL(q‖m).",
        "Zeros: `scipy.special.rel_entr(p, m)`, summed, is KL(p‖m) with 0 log 0 = 0.",
        "0.5 * rel_entr(p, m).sum() + 0.5 * rel_entr(q, m).sum()",
    ),
)


# 4 ── Losses on logits ──────────────────────────────────────────────────────────────────────────────────────────────


def losses(real_logits, fake_logits):
    discriminator = softplus(-real_logits).mean() + softplus(fake_logits).mean()
    return discriminator, softplus(-fake_logits).mean()


def _losses_with(discriminator=None, generator=None):
    def answer(real_logits, fake_logits):
        right = losses(real_logits, fake_logits)
        return (
            right[0] if discriminator is None else discriminator(real_logits, fake_logits),
            right[1] if generator is None else generator(fake_logits),
        )

    return answer


def _through_probabilities(real_logits, fake_logits):
    real, fake = torch.sigmoid(real_logits), torch.sigmoid(fake_logits)
    return -torch.log(real).mean() - torch.log(1 - fake).mean(), -torch.log(fake).mean()


def _through_padded_probabilities(real_logits, fake_logits):
    real, fake = torch.sigmoid(real_logits), torch.sigmoid(fake_logits)
    return -torch.log(real + 1e-8).mean() - torch.log(1 - fake + 1e-8).mean(), -torch.log(fake + 1e-8).mean()


LOSSES = Exercise(
    name="gan.losses",
    title="Both losses, on logits",
    difficulty=2,
    minutes=8,
    reference=losses,
    cases=(
        (torch.tensor([0.5, -1.0, 2.0, 0.0, 0.25]), torch.tensor([-2.0, 0.5, 1.0])),
        (torch.tensor([3.0, -0.5]), torch.tensor([-1.0, -3.0, 0.5, -0.25], requires_grad=True)),
        (torch.tensor([-150.0, 150.0, 1.0]), torch.tensor([-150.0, 150.0])),
    ),
    mistakes=(
        Mistake(
            "through probabilities",
            _through_probabilities,
            "The formula is right, and infinite as soon as D is sure: in single precision σ(150) is 1, σ(−150) is 0, "
            "and the logarithm of 0 is −∞. −log σ(s) = softplus(−s) never leaves the logits.",
        ),
        Mistake(
            "through probabilities, with an epsilon",
            _through_padded_probabilities,
            "A small number inside the logarithm hides the infinity and leaves a wrong loss: it stops growing, and has "
            "no gradient, where D is sure. −log σ(s) = softplus(−s) never leaves the logits.",
        ),
        Mistake(
            "V for its loss",
            _losses_with(lambda real, fake: -losses(real, fake)[0]),
            "Your first value is V, which D raises. A loss is minimised: it is −V, and never negative.",
        ),
        Mistake(
            "halved",
            _losses_with(lambda real, fake: 0.5 * losses(real, fake)[0]),
            "Your loss of D is half of −V. At the end of the game −V is 2 log 2 ≈ 1.386, not 0.693.",
        ),
        Mistake(
            "mean over all",
            _losses_with(lambda real, fake: torch.cat([softplus(-real), softplus(fake)]).mean()),
            "You took one mean over real and forged together. Their numbers may differ (here they do): −V is one "
            "mean over the real ones plus one over the forged.",
        ),
        Mistake(
            "sums",
            lambda real, fake: (softplus(-real).sum() + softplus(fake).sum(), softplus(-fake).sum()),
            "These are sums over the batch: twice the batch, twice the gradient. Expectations are estimated by means.",
        ),
        Mistake(
            "labels exchanged",
            _losses_with(lambda real, fake: softplus(real).mean() + softplus(-fake).mean()),
            "Your D is paid for calling forgeries real and real ones forged. A large logit means *real*.",
        ),
        Mistake(
            "the minimax loss of G",
            _losses_with(generator=lambda fake: -softplus(fake).mean()),
            "Your loss of G is E log(1 − D), the game as written, which is flat where D is sure. Asked for is −E log "
            "D.",
        ),
        Mistake(
            "G as the police",
            _losses_with(generator=lambda fake: softplus(fake).mean()),
            "Minimising your loss of G lowers the logits of its forgeries: it helps the police. G wants D to say real.",
        ),
        Mistake(
            "forged left out",
            _losses_with(lambda real, fake: softplus(-real).mean()),
            "Your D learns from real examples alone, and will call everything real.",
        ),
    ),
    hints=(
        "With s the logit, D = σ(s) and 1 − D = σ(−s). What is −log σ(s)?",
        "−log σ(s) = log(1 + e^(−s)) = softplus(−s): `torch.nn.functional.softplus`, safe for any s.",
        "The loss of D is −V: softplus(−real) for real ones, softplus(fake) for forgeries, a mean of each.",
        "softplus(-real_logits).mean() + softplus(fake_logits).mean(), softplus(-fake_logits).mean()",
    ),
)


# 5 ── The matrix of a step ──────────────────────────────────────────────────────────────────────────────────────────


def simultaneous(step_d, step_g, gamma):
    return np.array([[1.0, step_g / 2], [-step_d / 2, 1 - step_d * gamma]])


def _alternating(step_d, step_g, gamma):
    discriminator = np.array([[1.0, 0.0], [-step_d / 2, 1 - step_d * gamma]])
    return np.array([[1.0, step_g / 2], [0.0, 1.0]]) @ discriminator


def _entries(first, second, third, fourth):
    """The matrix with these entries, each a function of the two steps and γ."""
    return lambda *given: np.array([[first(*given), second(*given)], [third(*given), fourth(*given)]])


JACOBIAN = Exercise(
    name="gan.jacobian",
    title="The matrix of a step with two step sizes",
    difficulty=2,
    minutes=8,
    reference=simultaneous,
    cases=((0.1, 0.4, 0.0), (0.3, 0.05, 0.7), (1.0, 0.6, 0.25)),
    mistakes=(
        Mistake(
            "steps exchanged",
            lambda step_d, step_g, gamma: simultaneous(step_g, step_d, gamma),
            "You gave each player the step of the other. In the row of θ stands the step of G, in that of ψ that of D.",
        ),
        Mistake(
            "one step",
            lambda step_d, step_g, gamma: simultaneous(step_d, step_d, gamma),
            "You used the step of D for both players, as in (15). Here G has a step of its own.",
        ),
        Mistake(
            "transposed",
            lambda step_d, step_g, gamma: simultaneous(step_d, step_g, gamma).T,
            "Rows and columns are exchanged: row 1 is how the new θ depends on θ and ψ. A larger ψ says that real is "
            "to the right, and G moves there: θ grows.",
        ),
        Mistake(
            "order of the players",
            lambda step_d, step_g, gamma: simultaneous(step_d, step_g, gamma)[::-1, ::-1],
            "Your rows and columns are in the order (ψ, θ). Asked for is (θ, ψ).",
        ),
        Mistake(
            "the field alone",
            lambda step_d, step_g, gamma: simultaneous(step_d, step_g, gamma) - np.eye(2),
            "This is by how much the point *changes*. The update is the old point plus that: the identity is missing.",
        ),
        Mistake(
            "the field without the steps",
            lambda step_d, step_g, gamma: np.array([[0.0, 0.5], [-0.5, -gamma]]),
            "This is the derivative of the field in continuous time. One update goes a step along it, from where the "
            "point was.",
        ),
        Mistake(
            "σ left out",
            _entries(lambda d, g, c: 1, lambda d, g, c: g, lambda d, g, c: -d, lambda d, g, c: 1 - d * c),
            "The slope of log(1 − σ(s)) by s is −σ(s), and at the equilibrium s = 0. σ(0) is not 1.",
        ),
        Mistake(
            "a quarter",
            _entries(lambda d, g, c: 1, lambda d, g, c: g / 4, lambda d, g, c: -d / 4, lambda d, g, c: 1 - d * c),
            "¼ is σ′(0). At (0, 0) the terms with σ′ carry a factor θ or ψ and vanish; σ(0) itself remains.",
        ),
        Mistake(
            "half a penalty",
            _entries(lambda d, g, c: 1, lambda d, g, c: g / 2, lambda d, g, c: -d / 2, lambda d, g, c: 1 - d * c / 2),
            "Your penalty has lost half: the derivative of ½γψ² is γψ, as (13) has it.",
        ),
        Mistake(
            "both climb",
            _entries(lambda d, g, c: 1, lambda d, g, c: -g / 2, lambda d, g, c: -d / 2, lambda d, g, c: 1 - d * c),
            "Both of your players climb V. G goes down.",
        ),
        Mistake(
            "the penalty pushes out",
            _entries(lambda d, g, c: 1, lambda d, g, c: g / 2, lambda d, g, c: -d / 2, lambda d, g, c: 1 + d * c),
            "The penalty ½γψ² is *subtracted* from what D climbs, so it draws ψ to zero.",
        ),
        Mistake(
            "the penalty on G",
            _entries(lambda d, g, c: 1 - g * c, lambda d, g, c: g / 2, lambda d, g, c: -d / 2, lambda d, g, c: 1),
            "You gave the penalty to the generator. R1 belongs to the loss of D, and acts on ψ.",
        ),
        Mistake(
            "alternating",
            _alternating,
            "This is the alternating update, in which G answers to the new ψ. That is exercise 6.",
        ),
    ),
    hints=(
        "Equations (13) and (14), each with its own step, and both right-hand sides at the old point. Differentiate "
        "each by θ and by ψ, and put in (0, 0).",
        "∂/∂ψ of θ + h_G ψ σ(ψθ) is h_G σ(ψθ) + h_G ψθ σ′(ψθ). At (0, 0) that is h_G/2.",
        "np.array([[1, step_g / 2], [-step_d / 2, 1 - step_d * gamma]])",
    ),
)


# 6 ── Taking turns ──────────────────────────────────────────────────────────────────────────────────────────────────


def radius(matrix):
    return np.abs(np.linalg.eigvals(matrix)).max()


def alternating_radius(step_d, step_g, gamma):
    return radius(_alternating(step_d, step_g, gamma))


ALTERNATING = Exercise(
    name="gan.alternating",
    title="Taking turns",
    difficulty=3,
    minutes=10,
    reference=alternating_radius,
    cases=((0.3, 0.1, 0.7), (1.5, 0.4, 0.0), (0.8, 0.2, 1.4), (2.0, 0.5, 1.2)),
    mistakes=(
        Mistake(
            "the root of the determinant",
            _quiet(lambda step_d, step_g, gamma: np.sqrt(1 - step_d * gamma)),
            "This is the root of (16), which is the modulus of a *complex* pair only. Some of the games here have a "
            "real pair, whose two moduli differ, and a determinant that may be negative.",
        ),
        Mistake(
            "the root of its modulus",
            lambda step_d, step_g, gamma: np.sqrt(np.abs(1 - step_d * gamma)),
            "This is the root of |det J|, the geometric mean of both moduli. They are equal for a complex pair only; "
            "of a real pair the larger one counts.",
        ),
        Mistake(
            "simultaneous",
            lambda step_d, step_g, gamma: radius(simultaneous(step_d, step_g, gamma)),
            "This is the modulus for simultaneous steps. G is to answer to the ψ that D has just moved to: the update "
            "is one matrix after another.",
        ),
        Mistake(
            "one step",
            lambda step_d, step_g, gamma: alternating_radius(step_d, step_d, gamma),
            "You used the step of D for both players. Here G has a step of its own.",
        ),
        Mistake(
            "the larger of two",
            lambda step_d, step_g, gamma: max(1.0, abs(1 - step_d * gamma)),
            "These are the eigenvalues of the two half-steps, each on its own. Those of a product of matrices are not "
            "the products, nor the maxima, of theirs.",
        ),
        Mistake(
            "largest without modulus",
            lambda step_d, step_g, gamma: np.linalg.eigvals(_alternating(step_d, step_g, gamma)).max(),
            "You took the largest eigenvalue as it is. It may be complex, or negative and larger in size: take "
            "`np.abs` of each, then the largest.",
        ),
        Mistake(
            "real part",
            lambda step_d, step_g, gamma: np.max(np.linalg.eigvals(_alternating(step_d, step_g, gamma)).real),
            "You took the largest real part. That decides in continuous time; a *step* multiplies by the eigenvalue, "
            "so its modulus counts.",
        ),
        Mistake(
            "the norm",
            lambda step_d, step_g, gamma: np.linalg.norm(_alternating(step_d, step_g, gamma), 2),
            "This is the largest singular value: by how much one step can stretch. In the long run the largest modulus "
            "of an eigenvalue decides.",
        ),
        Mistake(
            "the determinant",
            lambda step_d, step_g, gamma: abs(np.linalg.det(_alternating(step_d, step_g, gamma))),
            "The determinant is the product of both eigenvalues; for a complex pair it is the *square* of their "
            "modulus.",
        ),
    ),
    hints=(
        "Write the half-step of D as a matrix that leaves θ alone, and that of G as one that leaves ψ alone.",
        "D moves first, so its matrix stands on the right: G's @ D's.",
        "[[1, h_G/2], [0, 1]] @ [[1, 0], [−h_D/2, 1 − h_D γ]], then the largest `np.abs` of `np.linalg.eigvals`.",
    ),
)


# 7 ── Another penalty ───────────────────────────────────────────────────────────────────────────────────────────────


def wasserstein_step(theta, psi, step, weight):
    return theta + step * psi, psi + step * (-theta - weight * (np.abs(psi) - 1) * np.sign(psi))


def _wasserstein(theta_change=None, psi_change=None):
    """The right step with another change of one player."""

    def answer(theta, psi, step, weight):
        new_theta, new_psi = wasserstein_step(theta, psi, step, weight)
        if theta_change is not None:
            new_theta = theta + step * theta_change(theta, psi, step, weight)
        if psi_change is not None:
            new_psi = psi + step * psi_change(theta, psi, weight)
        return new_theta, new_psi

    return answer


WASSERSTEIN = Exercise(
    name="gan.wgan_gp",
    title="WGAN-GP on the smallest game",
    difficulty=3,
    minutes=10,
    reference=wasserstein_step,
    cases=((0.5, 0.8, 0.1, 2.0), (-0.4, -0.3, 0.05, 10.0), (1.2, -1.5, 0.2, 1.0)),
    mistakes=(
        Mistake(
            "R1",
            _wasserstein(psi_change=lambda theta, psi, weight: -theta - weight * psi),
            "Your penalty is ½γψ², which is R1: it wants the slope of D to be 0. WGAN-GP wants its absolute value to "
            "be 1.",
        ),
        Mistake(
            "sign lost",
            _wasserstein(psi_change=lambda theta, psi, weight: -theta - weight * (np.abs(psi) - 1)),
            "Right for ψ > 0. The derivative of |ψ| is −1 where ψ is negative.",
        ),
        Mistake(
            "no absolute value",
            _wasserstein(psi_change=lambda theta, psi, weight: -theta - weight * (psi - 1)),
            "The penalty is on the *norm* of the slope: ψ = −1 costs nothing either.",
        ),
        Mistake(
            "a factor of two",
            _wasserstein(psi_change=lambda theta, psi, weight: -theta - 2 * weight * (np.abs(psi) - 1) * np.sign(psi)),
            "The ½ in front of γ cancels the 2 that comes from the square.",
        ),
        Mistake(
            "penalty adds",
            _wasserstein(psi_change=lambda theta, psi, weight: -theta + weight * (np.abs(psi) - 1) * np.sign(psi)),
            "D climbs V *minus* the penalty; yours drives |ψ| away from 1.",
        ),
        Mistake(
            "G climbs",
            _wasserstein(theta_change=lambda theta, psi, step, weight: -psi),
            "G goes the wrong way: it lowers V = −ψθ, so θ moves along +ψ.",
        ),
        Mistake(
            "taking turns",
            _wasserstein(
                theta_change=lambda theta, psi, step, weight: wasserstein_step(theta, psi, step, weight)[1],
            ),
            "G answers to the new ψ here. Asked for is a simultaneous step, both from the old point.",
        ),
        Mistake(
            "halves",
            lambda theta, psi, step, weight: (
                theta + step * psi / 2,
                psi + step * (-theta / 2 - weight * (np.abs(psi) - 1) * np.sign(psi)),
            ),
            "The ½ of the logistic game, σ(0), is left over. V is −ψθ here: its derivatives are −θ and −ψ.",
        ),
        Mistake(
            "logistic",
            lambda theta, psi, step, weight: (
                theta + step * psi / (1 + np.exp(-psi * theta)),
                psi + step * (-theta / (1 + np.exp(-psi * theta)) - weight * (np.abs(psi) - 1) * np.sign(psi)),
            ),
            "A σ is left over from the logistic game. The Wasserstein critic has no σ: its V is −ψθ itself.",
        ),
    ),
    hints=(
        "V(ψ, θ) = ψ·0 − ψ·θ. What is its derivative by θ, what by ψ?",
        "G: θ − h ∂V/∂θ = θ + hψ. D: ψ + h (∂V/∂ψ − ∂/∂ψ ½γ(|ψ| − 1)²).",
        "theta + step * psi, psi + step * (-theta - weight * (np.abs(psi) - 1) * np.sign(psi))",
    ),
)


# 8 ── The penalty on a network ──────────────────────────────────────────────────────────────────────────────────────


class _Critic:
    """A small smooth D with parameters: (B, 3) → (B,)."""

    def __init__(self, seed):
        generator = torch.Generator().manual_seed(seed)
        self.first = torch.randn(3, 4, generator=generator).requires_grad_()
        self.last = torch.randn(4, generator=generator)

    def __call__(self, x):
        return torch.tanh(x @ self.first) @ self.last


def gradient_penalty(D, real, fake, epsilon):
    between = (epsilon * real + (1 - epsilon) * fake).detach().requires_grad_()
    (slope,) = torch.autograd.grad(D(between).sum(), between, create_graph=True)
    return (slope.norm(dim=1) - 1).square().mean()


def _penalty_with(formula, *, reduce=torch.sum, at=None, create_graph=True):
    """A penalty in the slopes (B, 3), with the gradient of another reduction, or taken at other points."""

    def answer(D, real, fake, epsilon):
        points = epsilon * real + (1 - epsilon) * fake if at is None else at(real, fake, epsilon)
        points = points.detach().requires_grad_()
        (slope,) = torch.autograd.grad(reduce(D(points)), points, create_graph=create_graph)
        return formula(slope)

    return answer


def _of_norm(slope):
    return (slope.norm(dim=1) - 1).square().mean()


def _batch(rows, seed):
    generator = torch.Generator().manual_seed(seed)
    real, fake = torch.randn(rows, 3, generator=generator), 2 + torch.randn(rows, 3, generator=generator)
    return real, fake, torch.rand(rows, 1, generator=generator)


PENALTY = Exercise(
    name="gan.penalty",
    title="The gradient penalty of a network",
    difficulty=3,
    minutes=12,
    reference=gradient_penalty,
    cases=((_Critic(0), *_batch(5, 1)), (_Critic(2), *_batch(2, 3))),
    mistakes=(
        Mistake(
            "no graph",
            _penalty_with(_of_norm, create_graph=False),
            "The value is right, and nothing can be learned from it: without `create_graph=True` torch forgets how the "
            "slope depends on the weights of D.",
        ),
        Mistake(
            "mean of the logits",
            _penalty_with(_of_norm, reduce=torch.mean),
            "You differentiated the *mean* of D over the batch, so each slope is too small by the factor B. Of the "
            "sum, the gradient in row i is the slope of D at x_i alone.",
        ),
        Mistake(
            "norm of the batch",
            _penalty_with(lambda slope: (slope.norm() - 1).square()),
            "You took one norm over the whole batch. Each example has a slope of its own: the norm goes over the "
            "features, dim=1.",
        ),
        Mistake(
            "R1",
            _penalty_with(lambda slope: slope.square().sum(dim=1).mean()),
            "This draws the slope to 0, as R1 does. WGAN-GP draws its norm to 1: (‖slope‖ − 1)².",
        ),
        Mistake(
            "square of the norm",
            _penalty_with(lambda slope: (slope.square().sum(dim=1) - 1).square().mean()),
            "The 1 is subtracted from the squared norm. Take the root first: (‖slope‖ − 1)².",
        ),
        Mistake(
            "at the data",
            _penalty_with(_of_norm, at=lambda real, fake, epsilon: real),
            "You measured the slope at the real examples. WGAN-GP measures it between real and forged ones, at "
            "ε x + (1 − ε) G(z).",
        ),
        Mistake(
            "at the forgeries",
            _penalty_with(_of_norm, at=lambda real, fake, epsilon: fake),
            "You measured the slope at the forgeries. WGAN-GP measures it between real and forged ones, at "
            "ε x + (1 − ε) G(z).",
        ),
        Mistake(
            "ε exchanged",
            _penalty_with(_of_norm, at=lambda real, fake, epsilon: (1 - epsilon) * real + epsilon * fake),
            "ε weighs the real example here, 1 − ε the forged one. (With random ε both are the same law; the check has "
            "fixed ones.)",
        ),
        Mistake(
            "sum over the batch",
            _penalty_with(lambda slope: (slope.norm(dim=1) - 1).square().sum()),
            "You summed over the batch. The penalty joins losses that are means over it.",
        ),
        Mistake(
            "mean over the features",
            _penalty_with(lambda slope: (slope.square().mean(dim=1).sqrt() - 1).square().mean()),
            "Your norm is divided by √d. A Euclidean norm sums over the features.",
        ),
    ),
    hints=(
        "Make the points between, and let them require their gradient. `torch.autograd.grad` of what, by what?",
        "`torch.autograd.grad(D(between).sum(), between, create_graph=True)` gives a tuple of one, (B, d): row i is "
        "the slope at point i.",
        "`slope.norm(dim=1)`, minus 1, squared, mean over the batch.",
        "between = (epsilon * real + (1 - epsilon) * fake).detach().requires_grad_(); "
        "(slope,) = torch.autograd.grad(D(between).sum(), between, create_graph=True); "
        "(slope.norm(dim=1) - 1).square().mean()",
    ),
)


EXERCISES = (OPTIMAL, VALUE, JSD, LOSSES, JACOBIAN, ALTERNATING, WASSERSTEIN, PENALTY)


QUIZ = (
    Question(
        "gan.half",
        "A discriminator says ½ of every x, real or forged. What follows?",
        (
            Option(
                "The generator has the data's distribution",
                False,
                "Only if this D is the best one there is. A D that has not learned yet, or is too simple to see a "
                "difference, says ½ as well.",
            ),
            Option(
                "V is at its lowest possible value for this generator",
                False,
                "V(D, G) may be as low as you like for a D that is wrong. At D = ½ it is −log 4, and max over D of "
                "V(D, G) is never below that.",
            ),
            Option(
                "Nothing about the generator, until D is known to be the best",
                True,
                "Yes. At the equilibrium D = ½; but D = ½ does not prove the equilibrium.",
            ),
            Option("Training has failed", False, "At the equilibrium, D = ½ is right."),
        ),
    ),
    Question(
        "gan.saturation",
        "D is sure that every forgery is forged. Why is the generator then trained with −log D(G(z)) and not with "
        "log(1 − D(G(z)))?",
        (
            Option(
                "The first has another optimum, which is easier to reach",
                False,
                "For a fixed D both are lowest where D(G(z)) is highest. What differs is the slope on the way.",
            ),
            Option(
                "Its gradient by the logit is near −1 there, the other one's near 0",
                True,
                "Yes: −(1 − D) against −D. Where D is near 0, only the first says where to go.",
            ),
            Option("The second is not defined at D = 0", False, "log(1 − 0) = 0: defined, and flat."),
            Option(
                "The first keeps the minimax game a game of one value V",
                False,
                "It is the other way round: with −log D the two players no longer have one V between them.",
            ),
        ),
    ),
    Question(
        "gan.smaller_step",
        "In the Dirac-GAN without a penalty, with simultaneous steps, the step size h is halved. The orbit",
        (
            Option(
                "spirals in, once h is small enough",
                False,
                "|λ|² = 1 + h²/4 is above 1 for every h: a smaller step only makes the way out slower.",
            ),
            Option(
                "still spirals out, more slowly",
                True,
                "Yes: |λ|² = 1 + h²/4. In continuous time it is a circle, and each step leaves it on a tangent.",
            ),
            Option("becomes a circle", False, "Only alternating steps, or h → 0, give a closed orbit."),
            Option("does not change", False, "The modulus of the eigenvalues depends on h, as 1 + h²/8 + …"),
        ),
    ),
    Question(
        "gan.loss_curve",
        "During training the loss of the generator rises for a thousand steps. The samples have",
        (
            Option(
                "become worse",
                False,
                "Perhaps. But the loss is measured by a D that has changed, too: it may have become stricter while the "
                "samples improved.",
            ),
            Option("become better", False, "Perhaps, and the loss does not say so: D has changed as well."),
            Option(
                "become better or worse: this loss cannot tell",
                True,
                "Yes. It compares G with the D of the moment. Where the density is known one can measure the JSD; "
                "elsewhere a distance that does not move along with the game.",
            ),
            Option("stayed the same", False, "Nothing keeps them; only the yardstick is unknown."),
        ),
    ),
    Question(
        "gan.missing_mode",
        "The data have eight equally likely modes, and the generator draws seven of them perfectly. 2·JSD, which is "
        "what the best D can earn beyond −log 4, is",
        (
            Option("log 2, for one mode is missing", False, "2·JSD = 2 log 2 is the most, where nothing overlaps."),
            Option(
                "about 0.09 nats of a possible 1.39",
                True,
                "Yes: with m the mean of p and q, JSD = 0.045 nats. A mode left out costs the generator little, and "
                "that is part of why it happens.",
            ),
            Option(
                "0, for every sample is perfect",
                False,
                "Where the generator never goes, D* = 1: real examples there are recognised for certain.",
            ),
            Option("infinite, like KL(p‖q)", False, "KL(p‖q) is infinite here, the JSD is not: it compares with m."),
        ),
    ),
    Question(
        "gan.density",
        "You have a trained GAN and one image x. Can you compute p_g(x)?",
        (
            Option("Yes, it is D(x)", False, "D(x) estimates p/(p + q): a ratio of two unknown densities."),
            Option(
                "Yes, from D: if D is the best, q/p = (1 − D)/D",
                False,
                "That gives the ratio to the data's density, which nobody knows either.",
            ),
            Option(
                "Not without more: G only says how to draw",
                True,
                "Yes, an implicit density model. In one dimension we count samples; for images there are too few.",
            ),
            Option("Yes, by inverting G", False, "G need not be invertible, and z often has fewer dimensions than x."),
        ),
    ),
    Question(
        "gan.frechet",
        "A generator's samples have a smaller Fréchet distance to the test digits than another set of real digits has. "
        "The most likely explanation is",
        (
            Option(
                "it is better than real", False, "Nothing is closer to a distribution than the distribution itself."
            ),
            Option(
                "chance, or a number of samples that differs between the two",
                True,
                "Yes: the distance between finite sets is above zero even for one distribution, and it falls with n. "
                "Compare at equal n, and with the spread of real against real.",
            ),
            Option(
                "it does not copy its training data",
                False,
                "On the contrary: a generator that hands out the training digits would be at the floor. Look at the "
                "nearest neighbours for that.",
            ),
            Option("all classes are equally frequent", False, "That alone moves the distance very little."),
        ),
    ),
)
