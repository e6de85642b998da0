"""Lesson 5: what the two networks are, what the terms of the bound are worth, and how a gradient passes a sample."""

import numpy as np
from matplotlib.patches import FancyArrowPatch, Polygon
from scipy.special import logit, xlogy
from scipy.stats import norm

from course_utils.figures.style import GREY, INK, LOOKS, OPTIMUM, bars, drawing, figure, line, points
from course_utils.optima.ppca import ProbabilisticPCA

# The colours of the three terms, in the formulas and in every figure.
RECONSTRUCTION, KL, TERM_GAP = LOOKS[0], LOOKS[1], LOOKS[2]


# The two networks ───────────────────────────────────────────────────────────────────────────────────────────────────


@drawing
def networks(image, bits, reconstruction, probabilities, code, mean, deviation):
    """An autoencoder above a VAE, with one real image going through both.

    ``image`` and the autoencoder's ``reconstruction``, its ``bits`` and the VAE's ``probabilities``: (h, w) in [0, 1].
    ``code``, ``mean``, ``deviation``: (2,), the latent numbers of that image.
    """
    fig, (top, bottom) = figure(2, 1, width=10, height=4.9, height_ratios=(20, 29))
    top.set(xlim=(1, 99), ylim=(3, 23), aspect="equal")
    bottom.set(xlim=(1, 99), ylim=(-3, 26), aspect="equal")
    for ax in (top, bottom):
        ax.set_axis_off()
    top.set_title("Autoencoder: a code for x")
    _picture(top, image, 3, "x")
    _network(top, 17, 33, "encoder")
    _box(top, 41, 59, f"z = ({signed(code[0])}, {signed(code[1])})")
    _network(top, 67, 83, "decoder", widening=True)
    _picture(top, reconstruction, 87, "x̂")
    bottom.set_title("VAE: a distribution of codes for x, and one of x for each code")
    _picture(bottom, bits, 3, "x")
    _network(bottom, 16, 30.5, "encoder\nq(z | x)")
    parameters = f"μ = ({signed(mean[0])}, {signed(mean[1])})\nσ = ({deviation[0]:.1f}, {deviation[1]:.1f})"
    _box(bottom, 33.2, 50, parameters)
    _box(bottom, 53, 66, "z = μ + σ ε", edge=LOOKS[3].color)
    _network(bottom, 69.5, 84, "decoder\np(x | z)", widening=True)
    _picture(bottom, probabilities, 87, "p(ink)")
    bottom.text(59.5, 23, "noise ε from N(0, I)", ha="center", color=INK, fontsize=12)
    _arrow(bottom, (59.5, 22.4), (59.5, 17.2), color=LOOKS[3].color)
    bottom.text(41.6, 2.6, "KL to the prior N(0, I)", ha="center", color=KL.color, fontsize=12)
    _arrow(bottom, (41.6, 4.8), (41.6, 8.9), color=KL.color)
    bottom.plot([8, 8, 92, 92], [7.2, 0.8, 0.8, 7.2], "-", color=RECONSTRUCTION.color, linewidth=1.6)
    bottom.text(50, -2.2, "reconstruction: log p(x | z)", ha="center", color=RECONSTRUCTION.color, fontsize=12)
    for ax, ends in (
        (top, (13, 17, 33, 41, 59, 67, 83, 87)),
        (bottom, (13, 16, 30.5, 33.2, 50, 53, 66, 69.5, 84, 87)),
    ):
        for start, end in zip(ends[::2], ends[1::2], strict=True):
            _arrow(ax, (start, 13), (end, 13))
    error = np.sum((image - reconstruction) ** 2)
    caption = (
        f"One digit through both networks, binary for the VAE. The autoencoder makes one code of it and a copy of the "
        f"code, with a squared error of {error:.1f}. The VAE's encoder gives a mean and a standard deviation for each "
        f"latent number, here {deviation[0]:.1f} and {deviation[1]:.1f}; noise is sampled, and the decoder gives the "
        f"probability of ink in each pixel."
    )
    return fig, caption


def _picture(ax, image, left, name):
    ax.imshow(image, cmap="gray_r", vmin=0, vmax=1, extent=(left, left + 10, 8, 18), zorder=2)
    ax.plot(left + np.array([0, 10, 10, 0, 0]), [8, 8, 18, 18, 8], "-", color=GREY, linewidth=1)
    ax.text(left + 5, 19.3, name, ha="center", fontsize=13)


def _network(ax, left, right, name, *, widening=False):
    near, far = (2.6, 7.0) if widening else (7.0, 2.6)
    corners = [(left, 13 - near), (right, 13 - far), (right, 13 + far), (left, 13 + near)]
    ax.add_patch(Polygon(corners, facecolor="#F1F1F1", edgecolor=INK, linewidth=1.4))
    ax.text((left + right) / 2, 13, name, ha="center", va="center", fontsize=12)


def _box(ax, left, right, words, *, edge=INK):
    corners = [(left, 9), (right, 9), (right, 17), (left, 17)]
    ax.add_patch(Polygon(corners, facecolor="white", edgecolor=edge, linewidth=1.8))
    ax.text((left + right) / 2, 13, words, ha="center", va="center", fontsize=12)


def _arrow(ax, start, end, *, color=INK):
    ax.add_patch(FancyArrowPatch(start, end, arrowstyle="->", color=color, mutation_scale=14, linewidth=1.6))


def signed(value, decimals=1, *, plus=False):
    """A number with a real minus sign, and no minus before zero."""
    return f"{round(value, decimals) + 0.0:{'+' if plus else ''}.{decimals}f}".replace("-", "−")


# The bound ──────────────────────────────────────────────────────────────────────────────────────────────────────────

# One latent number, two features: everything is exact, and can be drawn.
SMALL = ProbabilisticPCA(weights=[[1.0], [0.6]], mean=[0.0, 0.0], variance=0.4)
OBSERVED = np.array([[1.5, 0.2]])


@drawing
def bound(mean=0.0, deviation=1.0):
    """The terms for q(z | x) = N(mean, deviation²) in a linear model: steps that end at log p(x), whatever q is."""
    covariance = np.array([[deviation**2]])
    at = np.array([[float(mean)]])
    reconstruction = float(SMALL.expected_log_likelihood(OBSERVED, at, covariance)[0])
    kl = float(SMALL.kl_to_prior(at, covariance)[0])
    gap = float(SMALL.kl_to_posterior(OBSERVED, at, covariance)[0])
    exact = float(SMALL.log_marginal(OBSERVED)[0])
    true_mean, true_covariance = SMALL.posterior(OBSERVED)
    fig, (left, right) = figure(1, 2, width=10.4, height=4.6, width_ratios=(1.25, 1))
    z = np.linspace(-3.2, 3.6, 500)
    true = norm(true_mean[0, 0], np.sqrt(true_covariance[0, 0]))
    left.plot(z, norm.pdf(z), color=GREY, linestyle=":", label="prior p(z)")
    left.plot(z, true.pdf(z), color=INK, linestyle=OPTIMUM.linestyle, label="posterior p(z | x)")
    left.plot(z, norm.pdf(z, mean, deviation), color=LOOKS[3].color, label="q(z | x)")
    left.fill_between(z, norm.pdf(z, mean, deviation), color=LOOKS[3].color, alpha=0.18, linewidth=0)
    left.set(xlabel="z", ylabel="density", xlim=(-3.2, 3.6), ylim=(0, 1.5), title="where q looks for z")
    fig.legend(*left.get_legend_handles_labels(), loc="outside lower left", ncols=3)
    steps = (
        ("reconstruction", 0.0, reconstruction, RECONSTRUCTION),
        ("− KL", reconstruction, reconstruction - kl, KL),
        ("+ gap", reconstruction - kl, exact, TERM_GAP),
    )
    for k, (_, start, end, look) in enumerate(steps):
        right.bar(k, end - start, bottom=start, width=0.62, **bars(look))
        right.plot([k + 0.31, k + 0.69], [end, end], "-", color=GREY, linewidth=1)
    right.axhline(exact, color=INK, linestyle=OPTIMUM.linestyle, linewidth=1.6)
    right.axhline(0, color=INK, linewidth=1)
    right.set_xticks(range(3), [f"{name}\n{signed(end - start, 2, plus=True)}" for name, start, end, _ in steps])
    right.set(ylabel="nats", xlim=(-0.45, 2.45), ylim=(-15.5, 0.4))
    right.set_title(f"three steps to log p(x) = {signed(exact, 2)}")
    caption = (
        f"With q = N({signed(mean, 2)}, {deviation:.2f}²) the reconstruction is {signed(reconstruction, 3)} nats, the "
        f"KL to the prior {kl:.3f} and the gap {gap:.3f}: {signed(reconstruction, 3)} − {kl:.3f} + {gap:.3f} = "
        f"{signed(exact, 3)} = log p(x), whatever q is. The posterior is N({true.mean():.2f}, {true.std():.2f}²)."
    )
    return fig, caption


# The divergence, right and wrong ────────────────────────────────────────────────────────────────────────────────────


def divergence(mean, deviation):
    """KL(N(μ, σ²) ‖ N(0, 1)) of one dimension, in nats."""
    return 0.5 * (mean**2 + deviation**2 - 1 - 2 * np.log(deviation))


@drawing
def wrong_divergences(mean=0.0):
    """KL(N(μ, σ²) ‖ N(0, 1)) against σ and against the number of dimensions, and what common slips make of it."""
    deviation = np.linspace(0.15, 3.0, 400)
    log_var = 2 * np.log(deviation)
    right_one = divergence(mean, deviation)
    slips = {
        "½ missing": 2 * right_one,
        "σ in place of σ²": 0.5 * (mean**2 + deviation - 1 - log_var),
        "log σ read as log σ²": 0.5 * (mean**2 + deviation - 1 - np.log(deviation)),
    }
    fig, (left, right) = figure(1, 2, width=9.4, height=3.9, width_ratios=(1.3, 1))
    left.plot(deviation, right_one, color=INK, linewidth=3, label="right")
    for k, (name, values) in enumerate(slips.items(), start=1):
        left.plot(deviation, values, label=name, **line(k))
    left.axhline(0, color=GREY, linewidth=1)
    left.set(xlabel="σ", ylabel="nats", ylim=(-0.6, 5), title=f"one dimension, μ = {signed(mean)}")
    left.legend(loc="upper center")
    d = np.arange(1, 33)
    one = divergence(0.5, 0.6)
    right.plot(d, d * one, color=INK, linewidth=3, label="right: the sum")
    right.plot(d, np.full(len(d), one), label="mean over dimensions", **line(0))
    right.set(xlabel="latent dimensions", ylabel="nats", title="μ = 0.5, σ = 0.6 in each")
    right.legend(loc="upper left")
    wrong, halved = slips["σ in place of σ²"], slips["log σ read as log σ²"]
    caption = (
        f"The divergence from the prior (black) at μ = {signed(mean)} is lowest at σ = 1, {right_one.min():.2f} nats. "
        f"Without the ½ it is twice as large. With σ in place of σ² it is lowest at σ = "
        f"{deviation[wrong.argmin()]:.1f}, {signed(wrong.min(), 2)} nats. An encoder that means log σ, read as log σ², "
        f"pays {np.interp(0.2, deviation, halved):.2f} nats at σ = 0.2 and not "
        f"{np.interp(0.2, deviation, right_one):.2f}. The mean over 32 dimensions is {one:.2f} nats, the sum "
        f"{32 * one:.1f}."
    )
    return fig, caption


# Gradients through a sample ─────────────────────────────────────────────────────────────────────────────────────────


@drawing
def gradient_noise(dimensions, variances):
    """Variance of one draw's gradient estimate against latent dimensions. ``variances``: name → (m,)."""
    fig, ax = figure(width=7.8, height=3.9)
    for k, (name, values) in enumerate(variances.items()):
        ax.plot(dimensions, values, marker=LOOKS[k].marker, label=name, **line(k))
    ax.set(xscale="log", yscale="log", xlabel="latent dimensions", ylabel="variance of one draw's estimate")
    ax.set_xticks(dimensions, [str(d) for d in dimensions])
    ax.minorticks_off()
    ax.legend(loc="upper left")
    told = ", ".join(f"{name} {values[-1]:.2g}" for name, values in variances.items())
    caption = (
        f"Variance, over draws of z, of an unbiased estimate of the reconstruction's gradient with respect to one μ, "
        f"in a linear model. At {dimensions[-1]} latent dimensions: {told}."
    )
    return fig, caption


# Grey pixels ────────────────────────────────────────────────────────────────────────────────────────────────────────


def grey_integral(p):
    """∫ p^x (1 − p)^(1−x) dx over [0, 1], which is (2p − 1) / log(p / (1 − p)), and ½ at p = ½."""
    p = np.asarray(p, dtype=float)
    odds = logit(p)
    near = np.abs(odds) < 1e-6
    return np.where(near, 0.5, (2 * p - 1) / np.where(near, 1.0, odds))


@drawing
def grey_pixels():
    """What the Bernoulli formula adds up to over grey values, and the least that it can cost at each."""
    p = np.linspace(0.002, 0.998, 499)
    levels = np.arange(17) / 16
    total = np.exp(xlogy(levels, p[:, None]) + xlogy(1 - levels, 1 - p[:, None])).sum(axis=1)
    fig, (left, right) = figure(1, 2, width=9.0, height=3.5)
    left.axhline(1, color=INK, linestyle=OPTIMUM.linestyle, label="a distribution")
    left.plot(p, grey_integral(p), label="integral over [0, 1]", **line(0))
    left.plot(p, total, label="sum over 17 grey levels", **line(1))
    left.set(xlabel="p, the decoder's output", ylabel="total", yscale="log", ylim=(0.14, 22))
    left.set_yticks([0.2, 0.5, 1, 2, 5, 10], ["0.2", "0.5", "1", "2", "5", "10"])
    left.minorticks_off()
    left.legend(loc="center", bbox_to_anchor=(0.5, 0.6))
    x = np.linspace(0, 1, 201)
    least = -(xlogy(x, x) + xlogy(1 - x, 1 - x))
    right.plot(x, least, label="best decoder, p = x", **line(2))
    right.scatter([0, 1], [0, 0], s=70, zorder=3, clip_on=False, **points(2))
    right.set(xlabel="grey value x", ylabel="least cross-entropy (nats)", xlim=(-0.02, 1.02), ylim=(-0.02, 0.75))
    right.legend(loc="lower center")
    caption = (
        f"Left: over grey values the Bernoulli formula adds up to {grey_integral(0.5):.2f} (integral) or "
        f"{total[len(p) // 2]:.1f} (17 levels) at p = ½, not to 1. Right: even a decoder that knows the grey value "
        f"pays up to {least.max():.3f} nats for it; only black and white pixels can cost nothing."
    )
    return fig, caption
