"""Lesson 4: the game of forger and police, the slides' figure of it, and how the smallest game of all moves."""

import numpy as np
from matplotlib.patches import FancyArrowPatch, FancyBboxPatch
from scipy.special import expit
from scipy.stats import norm

from course_utils.figures.style import GREY, INK, LOOKS, OPTIMUM, Look, drawing, figure, line, points
from course_utils.optima.games import DiracGame, jensen_shannon, optimal_discriminator, value

# The slides' legend: data black and dotted, discriminator blue and dashed, generator green and solid.
DATA = Look("data", INK, "o", (0, (1, 1.2)), "")
DISCRIMINATOR = Look("discriminator", LOOKS[0].color, "^", (0, (4, 1.6)), "")
GENERATOR = Look("generator", LOOKS[2].color, "s", "-", "")

MINIMUM = -np.log(4)  # of V(D*, G), reached where the generator has the data's density


# The game ───────────────────────────────────────────────────────────────────────────────────────────────────────────


@drawing
def players():
    """Who gives what to whom: noise, forger, data, police, and the two directions in which V is pushed."""
    fig, ax = figure(width=10, height=3.9)
    ax.set_axis_off()
    ax.set(xlim=(0, 100), ylim=(0, 39))
    boxes = {  # name: (text, x, y, width, look)
        "z": ("noise  $z$", 8, 27, 14, None),
        "G": ("generator $G$\nthe forger", 31, 27, 19, GENERATOR),
        "fake": ("$G(z)$", 53, 27, 12, None),
        "data": ("data", 31, 9, 19, DATA),
        "real": ("$x$", 53, 9, 12, None),
        "D": ("discriminator $D$\nthe police", 75, 18, 21, DISCRIMINATOR),
        "said": ("$D$: probability\nof being real", 94.5, 18, 11, None),
    }
    for text, x, y, width, look in boxes.values():
        if look:
            height, style = 9, {"facecolor": "white", "edgecolor": look.color, "linewidth": 2.4}
            corner = (x - width / 2, y - height / 2)
            ax.add_patch(FancyBboxPatch(corner, width, height, boxstyle="round,pad=0,rounding_size=1", **style))
        ax.text(x, y, text, ha="center", va="center", fontsize=13 if look else 12.5)
    for ends in (
        ((14, 27), (21.5, 27)),
        ((40.5, 27), (48.5, 27)),
        ((57.5, 27), (64.5, 20)),
        ((40.5, 9), (50.5, 9)),
        ((55.5, 9), (64.5, 16)),
        ((85.5, 18), (88.5, 18)),
    ):
        ax.add_patch(FancyArrowPatch(*ends, arrowstyle="-|>", mutation_scale=15, color=INK, linewidth=1.6))
    back = {"arrowstyle": "-|>", "mutation_scale": 15, "linewidth": 1.6, "linestyle": "--"}
    curve = {"connectionstyle": "arc3,rad=0.32"}
    ax.add_patch(FancyArrowPatch((75, 22.6), (31, 31.6), color=GENERATOR.color, **back, **curve))
    ax.text(56, 37.3, "gradient through $D$: make $V$ small", ha="center", va="center", color=GENERATOR.color)
    ax.add_patch(
        FancyArrowPatch((93, 14.6), (77, 13.4), color=DISCRIMINATOR.color, **back, connectionstyle="arc3,rad=-0.4")
    )
    ax.text(85, 6.6, "gradient: make $V$ large", ha="center", va="center", color=DISCRIMINATOR.color)
    caption = (
        "The generator, the forger, turns noise z into G(z) and never sees the data; the discriminator, the police, "
        "gets data and forgeries and says how probably each is real. Dashed: the same V is pushed up by D and down by "
        "G, whose gradient comes through D."
    )
    return fig, caption


@drawing
def best_discriminator(data, mean=0.5, deviation=1.0, x=-1.0):
    """The best D against a forger who draws from N(mean, deviation²), and what it is made of at one x.

    ``data``: a Mixture. Left the densities and D*, right p(x) log D + q(x) log(1 − D) as D moves, at the marked x.
    """
    grid = np.linspace(-5, 5, 1001)
    p, q = data.density(grid), norm.pdf(grid, mean, deviation)
    best = optimal_discriminator(p, q)
    fig, (left, right) = figure(1, 2, width=9, height=3.9, width_ratios=(1.5, 1))
    _densities(left, grid, p, q, best, names=("data p", "forger q", "best D*"))
    p_x, q_x = float(data.density(x)), float(norm.pdf(x, mean, deviation))
    best_x = float(optimal_discriminator(p_x, q_x))
    left.axvline(x, color=GREY, linewidth=1.2)
    left.scatter([x, x, x], [p_x, q_x, best_x], s=[40, 40, 90], c=[INK, GENERATOR.color, DISCRIMINATOR.color], zorder=3)
    left.set(xlabel="x", ylabel="density;  D", xlim=(-5, 5), ylim=(-0.02, 1.05))
    d = np.linspace(0.004, 0.996, 400)
    right.plot(d, p_x * np.log(d), label="p log D", color=INK, linestyle=DATA.linestyle)
    right.plot(d, q_x * np.log(1 - d), label="q log(1 − D)", color=GENERATOR.color, linestyle=LOOKS[2].linestyle)
    right.plot(d, p_x * np.log(d) + q_x * np.log(1 - d), label="their sum", color=LOOKS[1].color, linestyle="-")
    at_best = p_x * np.log(best_x) + q_x * np.log(1 - best_x) if 0 < best_x < 1 else 0.0
    right.scatter(best_x, at_best, s=110, zorder=4, **points(DISCRIMINATOR))
    right.set(xlabel="what D says at the marked x", ylabel="nats × density", xlim=(0, 1))
    right.set_ylim(min(4 * at_best, -0.4), 0.05)
    right.set_title(f"At x = {x:.1f}: best D = {best_x:.2f}")
    fig.legend(*_merged(left, right), loc="outside lower center", ncols=6, columnspacing=1.2, handlelength=1.8)
    edges = grid[:-1] + np.diff(grid) / 2
    bins_p = data.bins(edges)
    bins_q = np.diff(np.concatenate([[0.0], norm.cdf(edges, mean, deviation), [1.0]]))
    divergence = jensen_shannon(bins_p, bins_q)
    worth = value(bins_p, bins_q, optimal_discriminator(bins_p, bins_q))
    caption = (
        f"The forger draws from a normal with mean {mean:.1f} and standard deviation {deviation:.1f}. At x = {x:.1f} "
        f"the densities are p = {p_x:.3f} and q = {q_x:.3f}, and the best answer is p / (p + q) = {best_x:.3f}. Over "
        f"all x the best discriminator makes V(D*, G) = {worth:.3f} = {MINIMUM:.3f} + 2 × {divergence:.3f} nats."
    )
    return fig, caption


def _densities(ax, x, p, q, D, *, names=("data p", "generator q", "discriminator D")):
    """The three curves of the slides on one pair of axes."""
    ax.plot(x, p, label=names[0], color=INK, linestyle=DATA.linestyle)
    ax.plot(x, q, label=names[1], **line(GENERATOR))
    ax.plot(x, D, label=names[2], **line(DISCRIMINATOR))


def _merged(*panels):
    """Handles and labels of several panels."""
    pairs = [panel.get_legend_handles_labels() for panel in panels]
    return [h for handles, _ in pairs for h in handles], [text for _, labels in pairs for text in labels]


# The slides' figure, alive ──────────────────────────────────────────────────────────────────────────────────────────


@drawing
def slide_frame(frame, *, limits=(-4.5, 5.0)):
    """One moment of a one-dimensional GAN: the slides' figure, and beside it how far the game is from its end.

    Parameters
    ----------
    frame : dict with ``x`` (m,), ``p``, ``q``, ``D`` (m,) on it; ``z`` (r,) and ``G`` (r,), where the arrows start and
        end; ``k`` the frame's place in ``steps`` (f,), ``V``, ``jsd``, ``gap`` (f,), the whole history
    limits : the part of the line that is shown
    """
    k, steps = frame["k"], np.asarray(frame["steps"])
    fig, (left, right) = figure(1, 2, width=4.6, height=2.45)
    # the same places in every frame, so that nothing jumps when it is played
    left.set_position((0.07, 0.1, 0.53, 0.76))
    right.set_position((0.71, 0.1, 0.27, 0.86))
    _densities(left, frame["x"], frame["p"], frame["q"], frame["D"], names=("data", "generator", "D"))
    best = optimal_discriminator(frame["p"], frame["q"])
    left.plot(frame["x"], best, color=DISCRIMINATOR.color, linestyle="-", linewidth=0.9, alpha=0.6, label="D*")
    low, high = limits
    for start, end in zip(frame["z"], np.clip(frame["G"], low, high), strict=True):
        left.annotate(
            "", (end, -0.08), (start, -0.42), arrowprops={"arrowstyle": "->", "color": GENERATOR.color, "lw": 0.8}
        )
    for height in (-0.08, -0.42):
        left.axhline(height, color=INK, linewidth=0.8)
    left.text(low, -0.45, "z", ha="right", va="center", fontsize=11)
    left.text(low, -0.08, "x", ha="right", va="center", fontsize=11)
    left.set(xlim=limits, ylim=(-0.5, 1.05), yticks=[0, 0.5, 1])
    left.tick_params(labelsize=9)
    left.legend(
        loc="lower center",
        bbox_to_anchor=(0.5, 0.95),
        ncols=4,
        fontsize=8.5,
        frameon=False,
        columnspacing=0.7,
        handlelength=1.4,
        handletextpad=0.4,
    )
    left.spines[:].set_visible(False)
    gone = steps <= steps[k]
    for j, (name, values) in enumerate(
        (("|V + log 4|", frame["V"] - MINIMUM), ("JSD", frame["jsd"]), ("|D−D*|", frame["gap"]))
    ):
        values = np.maximum(np.abs(values), 1e-4)
        look = LOOKS[(3, 1, 0)[j]]
        right.plot(steps, values, color=look.color, linestyle="-", linewidth=0.8, alpha=0.35)
        right.plot(steps[gone], values[gone], label=name, color=look.color, linestyle=look.linestyle, linewidth=1.8)
    right.axvline(steps[k], color=GREY, linewidth=1)
    right.set(yscale="log", ylim=(3e-4, 2), xlim=(0, steps[-1]))
    right.set_xticks([0, steps[-1]], ["0", f"step {steps[-1]}"])
    right.get_xticklabels()[1].set_ha("right")
    right.set_yticks([0.001, 0.01, 0.1, 1], ["0.001", "0.01", "0.1", "1"])
    right.minorticks_off()
    right.tick_params(labelsize=9)
    right.legend(loc="upper right", fontsize=8.5, borderpad=0.2, labelspacing=0.15, handlelength=1.5)
    caption = (
        f"Step {steps[k]}: V = {frame['V'][k]:.2f} (its end is {MINIMUM:.2f}), JSD = {frame['jsd'][k]:.2f} nats, "
        f"E|D − D*| below {_above(frame['gap'][k]):g}."
    )
    return fig, caption


def _above(value):
    """The next of 0.01, 0.02, 0.05, 0.1 and so on: a bound that other processors agree on."""
    bounds = np.outer([0.001, 0.01, 0.1], [1, 2, 5]).ravel()
    return bounds[min(np.searchsorted(bounds, value), len(bounds) - 1)]


# Who gets a gradient ────────────────────────────────────────────────────────────────────────────────────────────────


@drawing
def saturation(steps, norms):
    """The slopes of both losses of the generator, and the gradients they gave a real one while only D trained.

    ``norms``: {name: (steps,) norms of G's gradient}, first of log(1 − D), then of −log D.
    """
    s = np.linspace(-8, 8, 401)
    fig, (left, right) = figure(1, 2, width=9.5, height=4.2)
    for k, ((name, values), slope) in enumerate(zip(norms.items(), (expit(s), expit(-s)), strict=True)):
        left.plot(s, slope, label=name, **line(k))
        right.plot(steps, values, marker=LOOKS[k].marker, **line(k))
    left.axvspan(-8, -4, color=GREY, alpha=0.15, linewidth=0)
    left.text(-7.7, 0.5, "D is sure:\nforged", fontsize=12, va="center")
    ticks = np.array([-6, -3, 0, 3, 6])
    left.set_xticks(ticks, [f"{t}\n{_probability(t)}" for t in ticks])
    left.set(xlabel="logit s of a forgery, and D = σ(s)", ylabel="|d loss / d s|", xlim=(-8, 8), ylim=(-0.03, 1.08))
    right.set(xlabel="steps of D alone, G kept where it was", ylabel="norm of G's gradient", yscale="log")
    fig.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=2)
    told = " and ".join(
        f"of {name} from {values[0]:.1g} to about {_power(values[-1])}" for name, values in norms.items()
    )
    caption = (
        f"Left: at logit −6, where D says {_probability(-6)} of a forgery, the slope of log(1 − D) is {expit(-6):.4f} "
        f"and that of −log D {expit(6):.4f}. Right: while D learns to tell the forgeries of a fixed G, from step "
        f"{steps[0]} to {steps[-1]}, the gradient's norm goes {told}."
    )
    return fig, caption


def _probability(s):
    p = expit(s)
    return f"{p:.1%}" if 0.01 < p < 0.99 else f"{p:.2%}"


def _power(value):
    return f"10^{round(np.log10(value))}"


# The smallest game ──────────────────────────────────────────────────────────────────────────────────────────────────

REACH = 1.25  # half the side of the plane (θ, ψ) that is shown


@drawing
def dirac(step=0.3, gamma=0.0, alternating=False, saturating=True, steps=80):
    """The Dirac-GAN: its field with an orbit, the eigenvalues of a step, and the distance that they predict."""
    game = DiracGame(step, gamma, alternating=alternating, saturating=saturating)
    fig, (plane, circle, away) = figure(1, 3, width=10.5, height=3.9, width_ratios=(1, 0.95, 1.15))
    start = (0.5, 0.0)
    _field(plane, game)
    orbit = _orbit(plane, game, start, steps)
    plane.set(xlabel="θ, the generator", ylabel="ψ, the discriminator")
    angle = np.linspace(0, 2 * np.pi, 400)
    circle.plot(np.cos(angle), np.sin(angle), color=INK, linewidth=1.3)
    eigenvalues, radius = game.eigenvalues(), game.spectral_radius()
    circle.axhline(0, color=GREY, linewidth=0.8)
    for value_ in eigenvalues:
        circle.plot([0, value_.real], [0, value_.imag], color=LOOKS[1].color, linestyle="-", linewidth=0.8)
    circle.scatter(eigenvalues.real, eigenvalues.imag, s=110, zorder=4, **points(1))
    circle.set(xlim=(-1.2, 1.2), ylim=(-1.2, 1.2), aspect="equal", xlabel="real", ylabel="imaginary")
    circle.set_title(f"largest |λ| = {radius:.4f}")
    distance = np.linalg.norm(orbit, axis=1)
    predicted = np.linalg.norm(linear_orbit(game, start, steps), axis=1)
    away.plot(np.maximum(distance, 1e-9), label="played", **line(0))
    away.plot(
        np.maximum(predicted, 1e-9), label="predicted", color=OPTIMUM.color, linestyle=OPTIMUM.linestyle, linewidth=1.6
    )
    both = np.concatenate([distance, predicted])
    away.set(xlabel="step", ylabel="distance from (0, 0)", yscale="log", xlim=(0, steps))
    away.set_ylim(max(both.min() / 2, 1e-6), max(both.max(), 1) * 3)  # room for the legend
    away.legend(loc="upper left", ncols=2)
    caption = (
        f"{_kind(game)}, step {step:.2f}: the larger modulus is {radius:.4f}, by which a step near the equilibrium "
        f"multiplies the distance on average; from θ = {start[0]} it was {distance[-1]:.3g} after {steps} steps, where "
        f"the linear prediction is {predicted[-1]:.3g}. Grey arrows: the game in continuous time."
    )
    return fig, caption


@drawing
def dirac_fates(games, steps=300):
    """Orbits of several Dirac-GANs, ``games``: title → DiracGame, with the linear prediction laid over."""
    fig, panels = figure(1, len(games), width=3.1 * len(games), height=4.3, sharey=True)
    start, told = (0.5, 0.0), []
    for ax, (title, game) in zip(panels, games.items(), strict=True):
        orbit = _orbit(ax, game, start, steps)
        ax.set_xlabel("θ, the generator")
        ax.set_title(f"{title}\n|λ| = {game.spectral_radius():.5f}")
        told.append(f"{title}: {np.linalg.norm(orbit[-1]):.3f}")
    panels[0].set_ylabel("ψ, the discriminator")
    fig.legend(*panels[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    caption = (
        f"Orbits of {steps} steps from θ = {start[0]}, ψ = 0 with step {next(iter(games.values())).step}, and what the "
        f"eigenvalues predict. Distance from the equilibrium at the end, which was {start[0]} at the start: "
        f"{'; '.join(told)}."
    )
    return fig, caption


def linear_orbit(game, start, steps):
    """What the eigenvalues at the equilibrium predict: Jᵏ times the start, (steps + 1, 2)."""
    points_, jacobian = [np.array(start)], game.jacobian()
    for _ in range(steps):
        points_.append(jacobian @ points_[-1])
    return np.array(points_)


def _field(ax, game):
    """Where the game goes in continuous time, as arrows."""
    axis = np.linspace(-REACH, REACH, 11)
    theta, psi = np.meshgrid(axis, axis)
    slow = DiracGame(1e-6, game.gamma, saturating=game.saturating)  # its small step shows the direction
    new_theta, new_psi = slow.update(theta, psi)
    ax.quiver(theta, psi, new_theta - theta, new_psi - psi, color=GREY, alpha=0.55, width=0.005, angles="xy")


def _orbit(ax, game, start, steps):
    """One orbit of the real update, and the prediction over it; returns the orbit."""
    orbit, predicted = game.orbit(*start, steps), linear_orbit(game, start, steps)
    dots = orbit[:: max(1, steps // 100)]
    ax.plot(*dots.T, color=LOOKS[0].color, linestyle="", marker="o", markersize=4, label="played", zorder=2)
    ax.plot(*predicted.T, color=OPTIMUM.color, linestyle="-", linewidth=1.2, label="predicted", zorder=3)
    ax.scatter(*start, s=90, zorder=4, label="start", **points(1))
    ax.scatter(0, 0, s=130, marker="*", color=INK, zorder=4)
    ax.set(xlim=(-REACH, REACH), ylim=(-REACH, REACH), aspect="equal")
    return orbit


def _kind(game):
    order = "Alternating" if game.alternating else "Simultaneous"
    loss = "minimax" if game.saturating else "non-saturating"
    return f"{order} steps, {loss} loss, {f'R1 with γ = {game.gamma:.2f}' if game.gamma else 'no penalty'}"
