"""Lesson 5's measurements: what β does, bounds that rise, the distance to PCA, and log p(x) of four models."""

import numpy as np

from course_utils.figures.style import GREY, INK, LOOKS, OPTIMUM, bars, drawing, figure, line, points
from course_utils.figures.vae import KL, RECONSTRUCTION, signed

# What a dimension carries ───────────────────────────────────────────────────────────────────────────────────────────


@drawing
def kl_by_dimension(record, live):
    """The stored experiment ``vae_beta``: KL of each latent dimension, and both terms, against β.

    ``live``: (dimensions,), mean KL of each dimension of the lesson's own VAE, β = 1, in decreasing order.
    """
    results, betas = record["results"], record["config"]["betas"]
    shown = [beta for beta in betas if beta in (0.1, 0.5, 1.0, 2.0, 8.0)]
    fig, (left, right) = figure(1, 2, width=9.6, height=4.1, width_ratios=(1.15, 1))
    for k, beta in enumerate(shown):
        kl = np.mean(results[str(beta)]["kl"], axis=0)
        left.plot(np.arange(1, len(kl) + 1), kl, marker=LOOKS[k].marker, label=f"β = {beta:g}", **line(k))
    left.scatter(np.arange(1, len(live) + 1), live, s=60, color=INK, marker="*", zorder=4, label="this lesson, β = 1")
    top = max(np.mean(results[str(beta)]["kl"], axis=0).max() for beta in shown)
    left.set(xlabel="latent dimension, sorted", ylabel="KL (nats)", ylim=(-0.04 * top, 1.45 * top))
    left.legend(loc="upper right", ncols=2)
    total = np.array([np.mean(np.sum(results[str(beta)]["kl"], axis=1)) for beta in betas])
    copies = np.array([np.mean(results[str(beta)]["reconstruction"]) for beta in betas])
    bound = np.array([np.mean(results[str(beta)]["elbo"]) for beta in betas])
    right.plot(betas, -copies, marker="o", label="− reconstruction", **line(RECONSTRUCTION))
    right.plot(betas, total, marker="^", label="KL to the prior", **line(KL))
    right.plot(betas, -bound, marker="*", color=INK, linestyle=OPTIMUM.linestyle, label="sum: − ELBO")
    right.set(xscale="log", xlabel="β", ylabel="nats, held-out digits", ylim=(-1, None))
    right.set_xticks(betas, [f"{beta:g}" for beta in betas])
    right.minorticks_off()
    fig.legend(*right.get_legend_handles_labels(), loc="outside lower right", ncols=3)
    active = ", ".join(f"{np.mean(results[str(beta)]['active']):.1f} at β = {beta:g}" for beta in shown)
    best = betas[int(bound.argmax())]
    caption = (
        f"Mean of {record['config']['seeds']} trainings for each β. Active dimensions of {len(live)}: {active}. The "
        f"ELBO of held-out digits is best at β = {best:g}, {signed(bound.max(), 2)} nats; at β = {betas[-1]:g} it is "
        f"{signed(bound[-1], 2)}, with {total[-1]:.2f} nats of KL left."
    )
    return fig, caption


# Bounds that rise ───────────────────────────────────────────────────────────────────────────────────────────────────


@drawing
def rising_bounds(ks, exact, linear, record, live):
    """Importance-weighted bounds against k: where log p(x) is known, and on digits.

    ``exact``: log p(x) in the linear model, a mean over images. ``linear``: name → (len(ks),), bounds there.
    ``record``: the stored experiment ``vae_digits``. ``live``: (ks, bounds) of the lesson's own VAE.
    """
    fig, (left, right) = figure(1, 2, width=9.4, height=3.8)
    left.axhline(exact, color=INK, linestyle=OPTIMUM.linestyle, label="log p(x), exact")
    for k, (name, values) in enumerate(linear.items()):
        left.plot(ks, values, marker=LOOKS[k].marker, label=name, **line(k))
    left.set(xscale="log", xlabel="k", ylabel="nats an image", title="linear model, log p(x) known")
    left.legend(loc="lower right")
    stored = record["config"]["k"]
    for k, name in enumerate(("linear VAE", "VAE")):
        values = np.array(record["results"]["bounds"][name])  # (seeds, k)
        right.plot(stored, values.mean(axis=0), label=name, **line(k))
        right.fill_between(stored, values.min(axis=0), values.max(axis=0), alpha=0.2, color=LOOKS[k].color, lw=0)
    right.scatter(*live, s=70, color=INK, marker="*", zorder=4, label="this lesson's VAE")
    right.set(xscale="log", xlabel="k", title="binary digits, held out")
    right.legend(loc="lower right")
    values = np.mean(record["results"]["bounds"]["VAE"], axis=0)
    first = next(iter(linear))
    caption = (
        f"Left: with {first} the bound rises from {signed(linear[first][0], 2)} to {signed(linear[first][-1], 2)} "
        f"nats, where log p(x) is {signed(exact, 2)}. Right: held-out digits, mean and range of "
        f"{record['config']['seeds']} trainings; the VAE's bound rises from {signed(values[0], 2)} at k = {stored[0]} "
        f"to {signed(values[-1], 2)} at k = {stored[-1]:,}."
    )
    return fig, caption


# The distance to the optimum ────────────────────────────────────────────────────────────────────────────────────────


FLOOR = 1e-7  # on logarithmic axes; less is drawn here


@drawing
def distance_to_pca(record, live):
    """The stored experiment ``linear_vae``: nats from PCA's likelihood, and how far the columns are from components.

    ``live``: latent → (iterations, nats, cosine) of a fit in the lesson.
    """
    config, results = record["config"], record["results"]
    steps = config["iterations"]
    fig, (left, right) = figure(1, 2, width=9.4, height=4.0)
    told = []
    for k, latent in enumerate(config["latent"]):
        nats, cosine = (np.array(results[str(latent)][part]) for part in ("nats", "cosine"))
        for ax, values in ((left, nats), (right, 1 - cosine)):
            values = np.maximum(values, FLOOR)
            ax.plot(steps, np.median(values, axis=1), marker=LOOKS[k].marker, label=f"{latent} latent", **line(k))
            ax.vlines(steps, values.min(axis=1), values.max(axis=1), color=LOOKS[k].color, linewidth=1.2)
        told.append(f"{latent} latent numbers {nats[-1].max():.1g} nats and cosine {cosine[-1].min():.4f}")
        if latent in live:
            iterations, off, along = live[latent]
            for ax, value in ((left, off), (right, 1 - along)):
                ax.scatter([iterations], [max(value, FLOOR)], s=120, color=INK, marker="*", zorder=4)
    left.axhline(0.01, color=GREY, linestyle=":")
    left.text(steps[-1], 0.012, "0.01 nats", ha="right", va="bottom", color=GREY)
    for ax, name in ((left, "nats below PCA's log-likelihood"), (right, "1 − least |cosine| to a component")):
        ax.set(xscale="log", yscale="log", xlabel="L-BFGS iterations", ylabel=name)
        ax.set_xticks(steps, [str(step) for step in steps])
        ax.minorticks_off()
    fig.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=len(config["latent"]))
    caption = (
        f"Linear VAEs on grey digits, median and range of {config['seeds']} beginnings; stars: this lesson's fits; "
        f"below {FLOOR:g} drawn there. After {steps[-1]} iterations, at worst: {'; '.join(told)}."
    )
    return fig, caption


ORDER = ("naive Bayes", "linear VAE", "mixture", "VAE", "VAE by class")


@drawing
def held_out(record, live):
    """log p(x) of held-out binary digits: the stored experiment ``vae_digits``, a row a model.

    ``live``: name → nats of one run in the lesson.
    """
    result = record["results"]["log p"]
    names = [name for name in ORDER if name in result]
    fig, ax = figure(width=9, height=0.62 * len(names) + 1.5)
    told = []
    for row, name in enumerate(names[::-1]):
        values = np.array(result[name]["held out"])
        look = LOOKS[names.index(name) % len(LOOKS)]
        ax.plot([values.min(), values.max()], [row, row], "-", color=look.color, linewidth=6, alpha=0.35)
        ax.scatter([values.mean()], [row], s=110, zorder=3, **points(look))
        if name in live:
            ax.scatter([live[name]], [row], s=110, color=INK, marker="*", zorder=4)
        ax.text(values.mean(), row + 0.2, signed(values.mean(), 2), fontsize=12, va="bottom", ha="center")
    for name in names:
        told.append(f"{name} {signed(np.mean(result[name]['held out']), 2)}")
    ax.set_yticks(range(len(names)), names[::-1])
    ax.set(xlabel="log p(x), nats an image (for VAEs a lower bound)", ylim=(-0.5, len(names) - 0.2))
    ax.grid(axis="x")
    images = len(next(iter(record["results"]["images"].values()))["held out"])
    caption = (
        f"Held-out log p(x) in nats, mean of {images} binary test digits; points and bars are mean and range of "
        f"{record['config']['seeds']} seeds, stars this lesson's run: {', '.join(told)}."
    )
    return fig, caption


@drawing
def opinions(log_p):
    """log p(x) of several models on several kinds of image: model → {kind: (n,)}, all on the same binary pixels."""
    kinds = list(next(iter(log_p.values())))
    fig, axes = figure(1, len(log_p), width=10.4, height=4.0, sharey=True)
    told = []
    for ax, (name, values) in zip(axes, log_p.items(), strict=True):
        for k, kind in enumerate(kinds):
            low, high = np.quantile(values[kind], [0.05, 0.95])
            ax.bar(k, high - low, bottom=low, width=0.5, **bars(k), alpha=0.6)
            ax.scatter([k], [np.mean(values[kind])], s=90, zorder=3, **points(k))
        ax.set(title=name, xlim=(-0.6, len(kinds) - 0.4))
        ax.set_xticks(range(len(kinds)), [kind.replace(" ", "\n") for kind in kinds])
        told.append(f"{name} " + ", ".join(signed(np.mean(values[kind])) for kind in kinds))
    axes[0].set_ylabel("log p(x), nats an image")
    axes[0].margins(y=0.06)
    for bar in (bar for ax in axes for bar in ax.patches):
        bar.sticky_edges.y.clear()  # which would let a bar end on the frame
    axes[0].autoscale_view()
    return fig, f"Mean log p(x) in nats, with the middle 90% as bars, of {', '.join(kinds)}: {'; '.join(told)}."


RUNNERS = {
    "peer": "pytorch/examples, 20 epochs",
    "quick": "this course's recipe, cut short",
    "ours": "this course's recipe",
}


@drawing
def race(record, goal=105.0):
    """The stored experiment ``vae_mnist``: test ELBO of this course's VAE and of pytorch/examples' against seconds."""
    results = record["results"]
    fig, ax = figure(width=7.8, height=4.2)
    told = []
    for k, (name, label) in enumerate(RUNNERS.items()):
        runs = list(zip(results[name]["seconds"], results[name]["test elbo"], strict=True))
        for i, (seconds, bound) in enumerate(runs):
            ax.plot(seconds, bound, label=None if i else label, **line(k))
            ax.scatter(seconds[-1:], bound[-1:], s=60, zorder=3, **points(k))
        last, time = (np.mean([values[-1] for values in results[name][part]]) for part in ("test elbo", "seconds"))
        told.append(f"{label} {signed(last)} nats after {time:.1f} s")
    peer = np.mean([bound[-1] for bound in results["peer"]["test elbo"]])
    for level, name in ((peer, "the peer's last"), (-goal, f"−{goal:g}")):
        ax.axhline(level, color=GREY, linestyle=":")
        ax.text(0.1, level + 0.4, name, color=INK, fontsize=11, va="bottom")
    ax.set(xlabel="seconds of training, one thread", ylabel="test ELBO (nats an image)", ylim=(-150, None))
    ax.legend(loc="lower right")
    caption = (
        f"MNIST, 8,000 training and 2,000 test images with the same bits for all, {record['config']['seeds']} seeds; "
        f"each run ends, in the mean, at: {'; '.join(told)}."
    )
    return fig, caption
