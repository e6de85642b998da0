"""Lesson 4: what became of trained GANs, on a line with a known density, on a ring of modes, on digits."""

import numpy as np
from matplotlib.ticker import LogLocator, NullLocator

from course_utils.figures.grids import image_grid
from course_utils.figures.style import GREY, INK, LOOKS, OPTIMUM, bars, drawing, figure, line, points

# On the line ────────────────────────────────────────────────────────────────────────────────────────────────────────


@drawing
def trajectories(record, settings, measures=("earned", "JSD")):
    """How the stored games of ``gan_line`` went, step by step: medians over the seeds.

    Parameters
    ----------
    record : the stored experiment
    settings : names in it; where there are at most two, bands go from the least of the seeds to the largest
    measures : of "earned", what D earns of the 2 JSD nats that there are (equation 9), and "JSD"
    """
    banded, limits = len(settings) <= 2, record["config"]["good"]
    fig, panels = figure(1, len(measures), width=2.6 + 3.5 * len(measures), height=4.4, squeeze=False)
    told = []
    for ax, measure in zip(panels[0], measures, strict=True):
        for k, setting in enumerate(settings):
            result = record["results"][setting]
            values = earned(result) if measure == "earned" else np.array(result["JSD"])
            low, middle, high = np.quantile(values, [0, 0.5, 1], axis=0)
            ax.plot(result["steps"], middle, label=setting, **line(k))
            if banded:
                ax.fill_between(result["steps"], low, high, color=LOOKS[k].color, alpha=0.15, linewidth=0)
        ax.set_xlabel("step")
        if measure == "JSD":
            ax.axhline(limits["JSD"], color=GREY, linestyle=":", linewidth=1.5)
            ax.set(ylabel="JSD (nats)", yscale="log")
            _plain(ax.yaxis)
        else:
            ax.axhline(0, color=GREY, linestyle=":", linewidth=1.5)
            ax.set_ylabel("D's share of what there is to earn")
    for setting in settings:
        good, n = within_limits(record, setting)
        told.append(f"{setting}: {good} of {n}")
    fig.legend(*panels[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    drawn = "Medians (lines) and ranges (bands)" if banded else "Medians"
    caption = (
        f"{drawn} over the seeds. Seeds that end with JSD below {limits['JSD']} nats and E|D − D*| below "
        f"{limits['distance']}: {'; '.join(told)}."
    )
    return fig, caption


def earned(result):
    """(V + log 4) / (2 JSD), (seed, step): 1 for the best D, 0 for one that says ½, below 0 for one that is misled."""
    return (np.array(result["value"]) + np.log(4)) / (2 * np.array(result["JSD"]))


def _plain(axis):
    """A logarithmic axis with numbers that are read at a glance."""
    axis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter("{x:g}")


def within_limits(record, setting):
    """How many seeds of one setting end below the record's limits of JSD and distance, and how many there are."""
    final, limits = record["results"][setting]["final"], record["config"]["good"]
    below = [np.array(final[name]) < limit for name, limit in limits.items()]
    return int(np.sum(np.all(below, axis=0))), len(below[0])


@drawing
def line_outcomes(record, settings, live):
    """Where each seed of ``gan_line`` ends: JSD against E|D − D*|, one point a seed.

    ``live``: (JSD, distance) of the run in the lesson.
    """
    fig, ax = figure(width=8, height=4.4)
    limits = record["config"]["good"]
    ax.fill_between([1e-5, limits["JSD"]], 1e-5, limits["distance"], color=GREY, alpha=0.15, linewidth=0)
    told = []
    for k, setting in enumerate(settings):
        final = record["results"][setting]["final"]
        ax.scatter(final["JSD"], final["distance"], s=44, label=setting, **points(k))
        good, n = within_limits(record, setting)
        told.append(f"{setting} {good} of {n}, median JSD {np.median(final['JSD']):.4f}")
    ax.scatter(*live, s=240, marker="*", color=INK, zorder=4, label="the run above")
    ax.set(xscale="log", yscale="log", xlabel="JSD (nats)", ylabel="E|D − D*|")
    every = [record["results"][setting]["final"] for setting in settings]
    for axis, show_between, name, one in (
        (ax.xaxis, ax.set_xlim, "JSD", live[0]),
        (ax.yaxis, ax.set_ylim, "distance", live[1]),
    ):
        values = np.concatenate([[one], *(final[name] for final in every)])
        show_between(0.7 * values.min(), 1.4 * values.max())
        _plain(axis)
    fig.legend(loc="outside lower center", ncols=2)
    caption = f"One point a seed. Within both bounds (lower left): {'; '.join(told)}."
    return fig, caption


# On the ring ────────────────────────────────────────────────────────────────────────────────────────────────────────


@drawing
def ring_samples(record, settings, centres, deviation, seeds=4):
    """What the generators of the first seeds draw, a row for each setting of the stored experiment ``gan_ring``.

    The circles are three standard deviations around the ``centres`` (8, 2) of the modes.
    """
    rows = len(settings)
    fig, axes = figure(rows, seeds, width=1.35 * seeds + 1.5, height=1.28 * rows, sharex=True, sharey=True)
    angle = np.linspace(0, 2 * np.pi, 40)
    circle = 3 * deviation * np.column_stack([np.cos(angle), np.sin(angle)])
    for k, (row, setting) in enumerate(zip(axes, settings, strict=True)):
        result = record["results"][setting]
        for seed, ax in enumerate(row):
            for centre in centres:
                ax.plot(*(centre + circle).T, color=GREY, linestyle="-", linewidth=0.9)
            drawn = np.array(result["samples"][seed])
            ax.scatter(*drawn.T, s=12, alpha=0.7, color=LOOKS[k].color, marker=LOOKS[k].marker, linewidths=0)
            ax.set(xlim=(-2.7, 2.7), ylim=(-2.7, 2.7), aspect="equal", xticks=[], yticks=[])
            modes = result["modes"][seed]
            ax.set_title(f"{modes} mode{'' if modes == 1 else 's'}", fontsize=12)
        lines = setting.replace(" with ", "\nwith ").replace(" disc", "\ndisc")
        row[0].set_ylabel(lines, fontsize=12, rotation=0, ha="right", va="center")
    told = "; ".join(f"{name} {', '.join(map(str, record['results'][name]['modes'][:seeds]))}" for name in settings)
    caption = f"Draws of seeds 0 to {seeds - 1}, left to right, on a ring of {len(centres)} modes. Modes found: {told}."
    return fig, caption


@drawing
def ring_outcomes(record, settings, real):
    """Modes and share of good samples, one point a seed of ``gan_ring``; ``real``: the share among real data."""
    fig, ax = figure(width=9, height=4.4)
    limits = record["config"]["good"]
    told = []
    for k, setting in enumerate(settings):
        result = record["results"][setting]
        modes, share = np.array(result["modes"]), np.array(result["share"])
        beside = 0.12 * (k - (len(settings) - 1) / 2)  # so that settings with equal counts stay apart
        outside = np.clip(100 * (1 - share), 1.0, 99.0)  # on a logarithmic axis there is no 0
        ax.scatter(outside, modes + beside, s=42, label=setting, **points(k))
        good = int(np.sum((modes >= limits["modes"]) & (share >= limits["share"])))
        told.append(
            f"{setting}: {good} of {len(modes)} seeds, median {np.median(modes):.0f} modes and {np.median(share):.1%}"
        )
    ax.axvline(100 * (1 - limits["share"]), color=GREY, linestyle=":")
    ax.axvline(100 * (1 - real), color=INK, linewidth=1.3)
    ax.annotate("real data", (100 * (1 - real), 0.4), (6, 0), textcoords="offset points", fontsize=12)
    ax.set(xlabel="samples farther than 3 sd from every mode (%)", ylabel="modes found", xscale="log", xlim=(0.9, 110))
    ax.set(yticks=range(9), ylim=(-0.5, 8.6))
    _plain(ax.xaxis)
    fig.legend(loc="outside lower center", ncols=3)
    caption = (
        f"One point a seed. All {limits['modes']} modes with at least {limits['share']:.0%} of the samples inside: "
        f"{'; '.join(told)}. Of real data {real:.1%} lie inside. Settings are drawn a little above one another, and "
        f"points with more than 99% outside, or less than 1%, at the edge."
    )
    return fig, caption


# Digits ─────────────────────────────────────────────────────────────────────────────────────────────────────────────


@drawing
def digits_over_time(images, steps):
    """The same noise through the generator during training: ``images`` (steps, classes, h, w), pixels in [0, 1]."""
    fig = image_grid(images, [f"step {step}" for step in steps], title="One z for each class, while G learns")
    inked = np.mean(np.asarray(images) > 0.5, axis=(1, 2, 3))
    caption = (
        f"One noise vector for each class, 0 to 9 from left to right, through the generator from step {steps[0]} to "
        f"{steps[-1]}; the share of dark pixels goes from {inked[0]:.0%} to {inked[-1]:.0%}."
    )
    return fig, caption


@drawing
def interpolation(rows, labels, jump):
    """Images on a line in z, one row for each class: ``rows`` (classes, steps, h, w).

    ``jump``: the largest change of a pixel from one image to the next, over all rows.
    """
    fig = image_grid(rows, labels, title="From one z to another, in equal steps")
    caption = (
        f"{len(rows)} classes, each from one z (left) to another (right) in {rows.shape[1] - 1} equal steps: no pixel "
        f"changes by more than {jump:.1f} of its range from one image to the next."
    )
    return fig, caption


@drawing
def neighbours(drawn, nearest, distances, real):
    """Is it copying? Drawn images above their nearest training images: both (n, h, w), (n,) distances between them.

    ``real``: (m,) distances of test images to their nearest training images.
    """
    fig = image_grid(
        [drawn, nearest], ["drawn", "nearest in training"], title="The nearest training image of each draw"
    )
    caption = (
        f"Draws above their nearest training image. The median distance of a draw is {np.median(distances):.1f}, that "
        f"of a real test image {np.median(real):.1f}; copies would be at 0."
    )
    return fig, caption


@drawing
def digit_quality(record, floor="training digits"):
    """The samplers of the stored experiment ``gan_digits``, one point a seed: Fréchet distance, and what they teach."""
    samplers = record["results"]["samplers"]
    names = sorted(samplers, key=lambda name: -np.mean(samplers[name]["distance"]))
    least = np.mean(samplers[floor]["distance"])
    fig, panels = figure(1, 2, width=11, height=4.2, sharey=True)
    for ax, measure, scale in zip(panels, ("distance", "accuracy"), (1, 100), strict=True):
        for row, name in enumerate(names):
            look = {"GAN": LOOKS[0], floor: OPTIMUM}.get(name, LOOKS[1])
            values = scale * np.array(samplers[name][measure])
            ax.scatter(values, np.full(len(values), row), s=80 if look is OPTIMUM else 48, **points(look))
        ax.grid(axis="y")
    panels[0].axvline(least, color=INK, linestyle=OPTIMUM.linestyle, linewidth=1.2)
    panels[0].axvline(2 * least, color=GREY, linestyle=":")
    panels[0].set(xlabel="Fréchet distance to the test digits")
    panels[0].set_xlim(left=0)
    panels[0].set_yticks(range(len(names)), names)
    panels[1].set(xlabel="accuracy on test digits of a classifier\ntrained on its draws (%)")
    told = "; ".join(
        f"{name} {np.mean(samplers[name]['distance']):.2f} and {np.mean(samplers[name]['accuracy']):.0%}"
        for name in reversed(names)
    )
    caption = (
        f"One point a seed. Mean Fréchet distance to the test digits and accuracy that the draws teach: {told}. The "
        f"dashed line is the floor, real digits against real ones, the dotted line twice that."
    )
    return fig, caption


# What a step costs ──────────────────────────────────────────────────────────────────────────────────────────────────


@drawing
def step_profile(record, parts):
    """Where the time of a training step goes, a bar for each loop of the stored experiment ``gan_profile``.

    ``parts``: what the record's shares are shares of, in their order. Medians over the rounds.
    """
    fig, ax = figure(width=9.5, height=3.2)
    loops, told = list(record["results"]), []
    for row, loop in enumerate(loops):
        found = record["results"][loop]
        shares = np.median(found["shares"], axis=0)
        lengths, left = np.median(found["ms"]) * shares / shares.sum(), 0.0
        for k, (part, length) in enumerate(zip(parts, lengths, strict=True)):
            ax.barh(row, length, left=left, height=0.6, label=part if row == 0 else None, **bars(k))
            left += length
        told.append(f"{loop} {left:.2f} ms ({', '.join(f'{p} {s:.0%}' for p, s in zip(parts, shares / shares.sum()))})")
    ax.set_yticks(range(len(loops)), loops)
    ax.set(xlabel="milliseconds a step, one thread", ylim=(len(loops) - 0.5, -0.5))
    fig.legend(loc="outside lower center", ncols=len(parts))
    caption = f"Median time of a step: {'; '.join(told)}."
    return fig, caption
