"""Lesson 2: projections, Fisher's ratio, and linear discriminant analysis beside PCA and ANOVA."""

import numpy as np

from course_utils.figures.grids import image_grid
from course_utils.figures.style import GREY, INK, LOOKS, OPTIMUM, drawing, figure, line, points


def unit(degrees):
    """The unit vector at this angle to the first axis, (2,)."""
    return np.array([np.cos(np.radians(degrees)), np.sin(np.radians(degrees))])


def fisher_ratio(X, y, directions):
    """J(w) = wᵀ S_b w / wᵀ S_w w of each direction, (m, d) → (m,)."""
    projected = X @ directions.T  # (n, m)
    overall = projected.mean(axis=0)
    between = within = 0.0
    for k in np.unique(y):
        rows = projected[y == k]
        between = between + len(rows) * (rows.mean(axis=0) - overall) ** 2
        within = within + np.sum((rows - rows.mean(axis=0)) ** 2, axis=0)
    return between / within


def half_circle(degrees):
    """An angle brought into [−90, 90): an axis has no sign."""
    return (degrees + 90) % 180 - 90


def angle_of(vector):
    """The angle of an axis to the first coordinate, in degrees, in [−90, 90)."""
    return half_circle(np.degrees(np.arctan2(vector[1], vector[0])))


def _histograms(ax, values, y):
    bins = np.linspace(values.min(), values.max(), 36)
    for k in np.unique(y):
        look = LOOKS[k]
        ax.hist(values[y == k], bins, color=look.color, alpha=0.3)
        ax.hist(values[y == k], bins, histtype="step", color=look.color, linestyle=look.linestyle, linewidth=2)
    ax.set_yticks([])


def _scatter(ax, X, y):
    for k in np.unique(y):
        ax.scatter(*X[y == k].T, s=18, alpha=0.8, label=f"y = {k}", **points(k))


def _axis(ax, X, direction, **style):
    middle, reach = X.mean(axis=0), 1.15 * np.abs(X - X.mean(axis=0)).max()
    ax.plot(*(middle + np.outer([-reach, reach], direction)).T, **style)


@drawing
def turning_axis(X, y, angle):
    """Two classes in the plane, an axis at this angle (degrees), its projections, and Fisher's ratio of all axes."""
    angles = np.linspace(-90, 90, 721)
    ratios = fisher_ratio(X, y, np.array([unit(a) for a in angles]))
    best = angles[ratios.argmax()]
    now = fisher_ratio(X, y, unit(angle)[None])[0]
    variance = np.var(X @ np.array([unit(a) for a in angles]).T, axis=0)
    fig, (left, middle, right) = figure(1, 3, width=11, height=4.2)
    _scatter(left, X, y)
    _axis(left, X, unit(angle), color=INK, linewidth=2.5)
    reach = np.abs(X - X.mean(axis=0)).max() * 1.1
    centre = X.mean(axis=0)
    left.set(aspect="equal", xlim=centre[0] + np.array([-reach, reach]), ylim=centre[1] + np.array([-reach, reach]))
    left.set(title="the axis", xlabel="$x_1$", ylabel="$x_2$")
    left.legend(loc="upper left")
    _histograms(middle, X @ unit(angle), y)
    middle.set(title="what is seen along it", xlabel="$w^\\top x$")
    right.plot(angles, ratios, color=INK)
    right.plot(angle, now, marker="o", markersize=11, color=LOOKS[1].color, linestyle="none", label="the axis")
    right.axvline(best, color=LOOKS[2].color, linestyle=LOOKS[2].linestyle, label="maximum")
    right.axvline(angles[variance.argmax()], color=GREY, linestyle=":", label="largest variance")
    right.set(
        title="Fisher's ratio J(w)",
        xlabel="angle (degrees)",
        xticks=[-90, -45, 0, 45, 90],
        ylim=(0, 1.1 * ratios.max()),
    )
    right.legend(loc="upper right", fontsize=11)
    caption = (
        f"At {angle:.0f} degrees Fisher's ratio is {now:.2f}; its maximum, {ratios.max():.2f}, stands at {best:.0f} "
        f"degrees, and the axis of largest variance (PCA) at {angles[variance.argmax()]:.0f} degrees."
    )
    return fig, caption


@drawing
def pca_against_lda(X, y, component, direction, accuracies):
    """A data set in the plane with its first principal component and Fisher's direction, and both projections.

    ``accuracies``: of the best threshold on each projection, principal component first.
    """
    fig, (left, middle, right) = figure(1, 3, width=11, height=4.2)
    _scatter(left, X, y)
    names = ("first principal component", "Fisher's direction")
    for vector, k, name in zip((component, direction), (3, 2), names, strict=True):
        _axis(left, X, vector / np.linalg.norm(vector), label=name, **line(k))
    left.set(xlabel="$x_1$", ylabel="$x_2$", aspect="equal", title="two long, thin classes")
    fig.legend(*left.get_legend_handles_labels(), loc="outside lower center", ncols=4)
    for ax, vector, name, accuracy in zip((middle, right), (component, direction), names, accuracies, strict=True):
        _histograms(ax, X @ (vector / np.linalg.norm(vector)), y)
        ax.set(title=f"{name}:\n{accuracy:.0%} told apart", xlabel="projection")
    caption = (
        f"The first principal component lies along the classes, at {angle_of(component):.0f} degrees, and tells "
        f"{accuracies[0]:.0%} of the points apart; Fisher's direction, at {angle_of(direction):.0f} degrees, tells "
        f"{accuracies[1]:.0%} apart."
    )
    return fig, caption


@drawing
def digits_plane(planes, y, accuracies):
    """Digits in two dimensions, by PCA and by LDA, each digit drawn as its numeral.

    ``planes``: two (n, 2) arrays; ``accuracies``: of a nearest-neighbour classifier in each plane.
    """
    fig, axes = figure(1, 2, width=11, height=5.2)
    colours = [LOOKS[k % 5].color for k in range(10)]
    for ax, plane, name, accuracy in zip(axes, planes, ("PCA", "LDA"), accuracies, strict=True):
        for k in range(10):
            for point in plane[y == k]:
                ax.text(
                    *point,
                    str(k),
                    color=colours[k],
                    fontsize=9,
                    ha="center",
                    va="center",
                    weight="bold" if k < 5 else "normal",
                )
            centre = plane[y == k].mean(axis=0)
            ax.text(
                *centre,
                str(k),
                fontsize=17,
                weight="bold",
                ha="center",
                va="center",
                color=INK,
                bbox={"boxstyle": "circle,pad=0.15", "facecolor": "white", "edgecolor": INK, "alpha": 0.85},
            )
        margin = 0.03 * np.ptp(plane, axis=0)
        low, high = plane.min(axis=0) - margin, plane.max(axis=0) + margin
        ax.set(xlim=(low[0], high[0]), ylim=(low[1], high[1]), xticks=[], yticks=[])
        ax.set_title(f"64 → 2 by {name}: {accuracy:.0%} right by neighbours")
    axes[0].set(xlabel="first principal component", ylabel="second principal component")
    axes[1].set(xlabel="first discriminant", ylabel="second discriminant")
    caption = (
        f"{len(y)} test digits in two dimensions: by PCA, which never sees a label, 15 nearest training neighbours "
        f"name {accuracies[0]:.0%} of them, by LDA {accuracies[1]:.0%}; circles mark the class means."
    )
    return fig, caption


@drawing
def anova_beside_lda(names, f_values, weights):
    """One bar a feature: its one-way F alone, and its weight (standardised) in the first discriminant."""
    order = np.argsort(f_values)
    fig, (left, right) = figure(1, 2, width=11, height=5.0, sharey=True)
    left.barh(np.arange(len(names)), np.array(f_values)[order], color=LOOKS[0].color)
    right.barh(
        np.arange(len(names)), np.abs(np.array(weights)[order]), color=LOOKS[1].color, hatch="//", edgecolor="white"
    )
    left.set_yticks(np.arange(len(names)), [names[i] for i in order])
    left.set(title="ANOVA: F of each feature alone", xlabel="F")
    right.set(title="LDA: weight beside all others", xlabel="|weight| × standard deviation within classes")
    best = [names[int(np.argmax(f_values))], names[int(np.argmax(np.abs(weights)))]]
    agreement = np.corrcoef(np.argsort(np.argsort(f_values)), np.argsort(np.argsort(np.abs(weights))))[0, 1]
    caption = (
        f"Of {len(names)} measurements of wine, {best[0]} has the largest F alone ({max(f_values):.0f}) and {best[1]} "
        f"the largest weight in the first discriminant; the rank correlation of the two orders is {agreement:.2f}."
    )
    return fig, caption


@drawing
def digit_rows(rows, labels, correlations):
    """Real and sampled digits, a row each, and how well each sampler keeps the correlations of the pixels.

    ``correlations``: label → root-mean-square error of the pixel correlations within a class against those of held-out
    data.
    """
    fig = image_grid(rows, labels)
    told = ", ".join(f"{label} {value:.2f}" for label, value in correlations.items())
    caption = (
        "Digits 0 to 9, real and sampled. Root-mean-square error of the pixel correlations within a class, against "
        f"test digits: {told}."
    )
    return fig, caption


@drawing
def shrinkage_curve(sizes, accuracy):
    """Test accuracy on digits against training rows: name → (sizes, repetitions) array."""
    fig, ax = figure(width=8, height=4.4)
    told = []
    for k, (name, values) in enumerate(accuracy.items()):
        ax.plot(sizes, values.mean(axis=1), marker=LOOKS[k].marker, label=name, **line(k))
        ax.fill_between(sizes, values.min(axis=1), values.max(axis=1), color=LOOKS[k].color, alpha=0.15, linewidth=0)
        told.append(f"{name} {values[0].mean():.0%} at {sizes[0]} rows, {values.mean(axis=1).min():.0%} at worst")
    ax.set(xscale="log", xlabel="training rows", ylabel="test accuracy", ylim=(0.2, 1.0))
    labels = [str(size) if size not in (50, 70) else "" for size in sizes]  # too close to print
    ax.set_xticks(sizes, labels)
    ax.minorticks_off()
    ax.legend(loc="lower right")
    repetitions = next(iter(accuracy.values())).shape[1]
    caption = f"Test accuracy on digits, mean and range of {repetitions} training sets: {'; '.join(told)}."
    return fig, caption


@drawing
def distance_to_optimum(record, delta, live=None):
    """The stored experiment ``lda_optimum`` at one Δ: angle, posterior and error against the closed form.

    ``live``: (size, model → (angle, nats, excess)) of one training set of the lesson, drawn as points.
    """
    config, result = record["config"], record["results"][str(delta)]
    found = np.array(result["measures"])  # (measure, model, size, seed)
    fig, axes = figure(1, 3, width=11, height=4.6)
    for ax, values, name in zip(axes, found, config["measures"], strict=True):
        for k, model in enumerate(config["models"]):
            low, median, high = np.quantile(values[k], [0.25, 0.5, 0.75], axis=1)
            ax.plot(config["sizes"], median, label=model, **line(k))
            ax.fill_between(config["sizes"], low, high, color=LOOKS[k].color, alpha=0.15, linewidth=0)
        if live:
            for k, model in enumerate(config["models"]):
                ax.scatter(live[0], live[1][model][list(config["measures"]).index(name)], s=70, zorder=5, **points(k))
        ax.set(xscale="log", yscale="log", xlabel="training rows", title=name)
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    last = np.median(found[:, :, -1], axis=-1)
    told = [f"{model} {last[0, k]:.1f} degrees and {last[1, k]:.4f} nats" for k, model in enumerate(config["models"])]
    caption = (
        f"Distance to the closed form at Δ = {delta:.0f} (Bayes error {result['bayes_error']:.2%}), median and "
        f"quartiles of {config['seeds']} training sets; at {config['sizes'][-1]} rows: {'; '.join(told)}."
    )
    return fig, caption


@drawing
def failures(cases):
    """Where one covariance is wrong: a panel a case.

    ``cases``: title → (X, y, {name: (model with predict, accuracy)}); the first model is LDA.
    """
    fig, axes = figure(1, len(cases), width=11, height=4.6)
    told = []
    for ax, (title, (X, y, models)) in zip(axes, cases.items(), strict=True):
        _scatter(ax, X, y)
        low, high = X.min(axis=0) - 0.3, X.max(axis=0) + 0.3
        grids = [np.linspace(low[i], high[i], 300) for i in range(2)]
        grid = np.stack(np.meshgrid(*grids), axis=-1).reshape(-1, 2)  # (300·300, 2)
        for (name, (model, _)), look in zip(models.items(), (OPTIMUM, LOOKS[2]), strict=True):
            region = model.predict(grid).reshape(300, 300)
            if region.min() < region.max():
                ax.contour(*grids, region, [0.5], colors=look.color, linestyles=[look.linestyle], linewidths=2.4)
            ax.plot([], [], color=look.color, linestyle=look.linestyle, label=name)
        shown = ", ".join(f"{name} {accuracy:.0%}" for name, (_, accuracy) in models.items())
        ax.set(title=f"{title}\n{shown}", xticks=[], yticks=[])
        told.append(f"{title}: {shown}")
        ax.set(xlabel="$x_1$", ylabel="$x_2$")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=4)
    caption = f"Where classes do not share a covariance, and the share classified right: {'; '.join(told)}."
    return fig, caption
