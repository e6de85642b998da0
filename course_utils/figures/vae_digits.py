"""Lesson 5 on digits: latent planes, what is drawn from them, what a dimension carries, and what is said of p(x)."""

import dataclasses
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from matplotlib.patches import Ellipse
from scipy.special import ndtri

from course_utils.figures.grids import image_grid
from course_utils.figures.style import INK, LOOKS, OPTIMUM, drawing, figure
from course_utils.figures.vae import signed

# Latent planes ──────────────────────────────────────────────────────────────────────────────────────────────────────


@dataclass(frozen=True)
class Plane:
    """A model with two latent numbers, and where it puts images.

    codes: (n, 2), of an autoencoder z, of a VAE the mean of q(z | x). labels: (n,). decode: (m, 2) → (m, 8, 8) in
    [0, 1].
    """

    name: str
    codes: np.ndarray
    labels: np.ndarray
    decode: Callable

    @cached_property
    def centre(self):
        """Mean of the codes, (2,)."""
        return self.codes.mean(axis=0)

    @cached_property
    def scale(self):
        """Standard deviation of the codes, (2,)."""
        return self.codes.std(axis=0)

    def at(self, position):
        """The latent point that is so many standard deviations from the codes' mean: (…, 2) → (…, 2)."""
        return self.centre + np.asarray(position, dtype=float) * self.scale


@drawing
def latent_planes(planes, first=0.0, second=0.0):
    """Where images lie in the latent plane, and what is decoded at one point of it; side by side for several models.

    ``first``, ``second``: the point, in standard deviations of each model's codes from their mean.
    """
    fig, axes = figure(1, 2 * len(planes), width=5.3 * len(planes), height=3.8, width_ratios=(1.75, 1) * len(planes))
    told = []
    for plane, ax, shown in zip(planes, axes[::2], axes[1::2], strict=True):
        z = plane.at((first, second))
        _coloured_codes(ax, plane)
        ax.scatter(*z, s=190, marker="P", color=INK, edgecolors="white", linewidths=1.5, zorder=4)
        ax.set(xlabel="$z_1$", ylabel="$z_2$", title=plane.name)
        for axis, k in (("x", 0), ("y", 1)):
            reach = [plane.codes[:, k].min(), plane.codes[:, k].max(), *plane.at(((-3, -3), (3, 3)))[:, k]]
            ax.set(**{f"{axis}lim": (min(reach), max(reach))})
        shown.imshow(plane.decode(z[None])[0], cmap="gray_r", vmin=0, vmax=1)
        shown.set(xticks=[], yticks=[], title="decoded at ✚")
        shown.spines[:].set_visible(True)
        distance = np.linalg.norm((plane.codes - z) / plane.scale, axis=1)
        nearest = distance.argmin()
        told.append(
            f"in the plane of the {plane.name} the nearest code is {distance[nearest]:.2f} away and belongs to a "
            f"{plane.labels[nearest]}"
        )
    place = f"At ({signed(first)}, {signed(second)}) standard deviations from the middle of the codes"
    return fig, f"{place}: {'; '.join(told)}."


def _coloured_codes(ax, plane):
    """Each code is drawn as the digit that it belongs to, so that ten classes need no ten colours."""
    for k in np.unique(plane.labels):
        ax.scatter(
            *plane.codes[plane.labels == k].T,
            s=42,
            marker=f"${k}$",
            color=LOOKS[k % len(LOOKS)].color,
            linewidths=0.2,
        )


@drawing
def clouds(plane, mean, deviation, kl):
    """An autoencoder's codes are points, a VAE's are distributions: ellipses at one standard deviation.

    ``plane``: the autoencoder's. ``mean``, ``deviation``: (n, 2) of q(z | x), for the same images. ``kl``: (n,), nats.
    """
    fig, (left, right) = figure(1, 2, width=9.2, height=4.4)
    _coloured_codes(left, plane)
    left.set(title="autoencoder: a point for each x", xlabel="$z_1$", ylabel="$z_2$")
    for (width, height), place, k in zip(2 * deviation, mean, plane.labels, strict=True):
        color = LOOKS[k % len(LOOKS)].color
        right.add_patch(Ellipse(place, width, height, facecolor=color, edgecolor=color, alpha=0.16))
    _coloured_codes(right, dataclasses.replace(plane, codes=mean))
    angle = np.linspace(0, 2 * np.pi, 200)
    right.plot(2 * np.cos(angle), 2 * np.sin(angle), color=INK, linestyle=OPTIMUM.linestyle, label="prior, 2 sd")
    right.set(title="VAE: q(z | x), 1 sd", xlabel="$z_1$", ylabel="$z_2$", xlim=(-3.6, 3.6), ylim=(-3.6, 3.6))
    right.set_aspect("equal")
    right.legend(loc="upper right")
    inside = np.mean(np.linalg.norm(mean, axis=1) < 2)
    caption = (
        f"The same {len(mean)} test digits. The autoencoder's codes reach from {signed(plane.codes.min(), 0)} to "
        f"{signed(plane.codes.max(), 0)}. The VAE gives each image a distribution, with a median standard deviation "
        f"of {np.median(deviation):.1f} and a KL to the prior of {kl.mean():.1f} nats on average; {inside:.0%} of the "
        f"means lie within two standard deviations of the prior."
    )
    return fig, caption


def prior_grid(n):
    """n × n points that cut the prior N(0, I) into equal shares, (n·n, 2), in reading order: z_2 falls, z_1 rises."""
    steps = ndtri((np.arange(n) + 0.5) / n)
    return np.stack(np.meshgrid(steps, steps[::-1]), axis=-1).reshape(-1, 2)


GUTTER = 2  # white pixels between two pictures of a sheet


@drawing
def manifold(pictures):
    """What a decoder draws over the whole prior: ``pictures`` (n·n, h, w) at the points of ``prior_grid(n)``."""
    n = round(len(pictures) ** 0.5)
    pictures = np.pad(pictures, ((0, 0), (0, GUTTER), (0, GUTTER)))
    h, w = pictures.shape[1:]
    sheet = pictures.reshape(n, n, h, w).transpose(0, 2, 1, 3).reshape(n * h, n * w)[:-GUTTER, :-GUTTER]
    fig, ax = figure(width=5.6, height=5.1)
    ax.imshow(sheet, cmap="gray_r", vmin=0, vmax=1)
    steps = prior_grid(n)[:n, 0]
    shown = np.linspace(0, n - 1, 5).round().astype(int)
    ax.set_xticks(shown * w + (w - GUTTER - 1) / 2, [signed(steps[i]) for i in shown])
    ax.set_yticks(shown * h + (h - GUTTER - 1) / 2, [signed(-steps[i]) for i in shown])
    ax.set(xlabel="$z_1$", ylabel="$z_2$")
    caption = (
        f"{n} × {n} pictures of p(ink | z), decoded at points that cut the prior into equal shares, from "
        f"{signed(steps[0])} to {signed(steps[-1])} in each direction: neighbours change little, and there is no gap "
        f"between the digits, though there are pictures between two digits that are neither."
    )
    return fig, caption


# Pictures in rows ───────────────────────────────────────────────────────────────────────────────────────────────────


@drawing
def draws(rows, undecided):
    """Rows of pictures, name → (n, h, w), and for each name the share that a classifier cannot read."""
    fig = image_grid(list(rows.values()), list(rows))
    told = ", ".join(f"{name} {undecided[name]:.0%}" for name in rows)
    return fig, f"Pictures that were not chosen. Share to which the judge gives no class with 60% or more: {told}."


@drawing
def interpolation(pairs, unread):
    """From one test digit to another: ``pairs``, list of (mixed pixels, decoded from mixed codes), (n, h, w) each.

    ``unread``: "pixels" and "codes" → share of many such midpoints that a classifier cannot read.
    """
    rows, names = [], []
    for pixels, latent in pairs:
        rows += [pixels, latent]
        names += ["pixels", "codes"]
    caption = (
        f"{len(pairs)} pairs of test digits and {len(rows[0]) - 2} steps between them, by mixing pixels and by "
        f"decoding mixed codes. Halfway between digits of different classes the judge cannot read "
        f"{unread['pixels']:.0%} of the mixed pixels and {unread['codes']:.0%} of the decoded codes."
    )
    return image_grid(rows, names), caption


@drawing
def completions(seen, truth, drawn, effective):
    """Lower halves given upper halves: ``seen`` with NaN and ``truth``, (n, h, w), ``drawn``, (rows, n, h, w).

    ``effective``: (n,), how many of the importance samples count.
    """
    fig = image_grid([truth, seen, *drawn], ["x", "given", *["drawn"] * len(drawn)])
    caption = (
        f"{len(seen)} test digits, the upper half that was given (the rest is hatched), and {len(drawn)} draws of the "
        f"lower given that half, by importance sampling from the prior; the effective sample size is at least "
        f"{effective.min() // 10 * 10:.0f}."
    )
    return fig, caption


@drawing
def hands(real, drawn, right):
    """Digits 0 to 9 by a model that is told the class: ``real`` (10, h, w), ``drawn`` (rows, 10, h, w), one z a row.

    ``right``: share of many such digits that a classifier reads as the class asked for.
    """
    fig = image_grid([real, *drawn], ["test digits", *[f"$z_{{{i}}}$" for i in range(1, len(drawn) + 1)]])
    caption = (
        f"A test digit of each class, and p(ink | z, y) for {len(drawn)} draws of z, one in each row, with y from 0 to "
        f"9: of 2,000 such pictures the judge reads {right:.0%} as the class that was asked for."
    )
    return fig, caption


@drawing
def gallery(real, drawn, measured):
    """Digits 0 to 9 by models of several lessons: ``real`` (10, h, w), ``drawn`` name → (rows, 10, h, w).

    ``measured``: name → (Fréchet distance to the test digits, share that a classifier reads as the class asked for).
    """
    rows = [real, *(row for pictures in drawn.values() for row in pictures)]
    names = ["test digits", *(name if k == 0 else "" for name, pictures in drawn.items() for k in range(len(pictures)))]
    told = "; ".join(f"{name} {distance:.1f} and {right:.0%}" for name, (distance, right) in measured.items())
    caption = (
        f"Digits 0 to 9 by class. Fréchet distance to the test digits, and share read as what was asked for: {told}."
    )
    return image_grid(rows, names, size=0.44), caption
