"""Lesson 1: joint, marginal and posterior of Gaussian classes, and what both kinds of model make of them."""

import numpy as np
from sklearn.linear_model import LogisticRegression

from course_utils.figures.grids import image_grid
from course_utils.figures.style import GREY, INK, LOOKS, OPTIMUM, between, drawing, figure, line, points
from course_utils.models.gaussian import QuadraticDiscriminantAnalysis
from course_utils.optima.gaussians import GaussianClasses, QuadraticRule

GRID_POINTS = 121


def plane(low, high):
    """A square grid: its axis (m,) and its points (m·m, 2), low to high in both directions."""
    axis = np.linspace(low, high, GRID_POINTS)
    return axis, np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)  # (m, m, 2) → (m·m, 2)


def two_classes(distance=2.0, ratio=1.0, correlation=0.0, prior=0.5):
    """Two Gaussian classes: means ``distance`` apart, class 1 ``ratio`` times as wide, correlations of both signs."""
    r, s = correlation, ratio
    return GaussianClasses(
        priors=[1 - prior, prior],
        means=[[-distance / 2, 0.0], [distance / 2, 0.0]],
        covariances=[[[1.0, r], [r, 1.0]], [[s**2, -r * s**2], [-r * s**2, s**2]]],
    )


@drawing
def joint_marginal_posterior(distance=2.0, ratio=1.0, correlation=0.0, prior=0.5, n_samples=200, seed=0):
    """Three views of one joint distribution, and the boundaries of both kinds of classifier fitted to draws from it.

    The same seed gives the same standard normal draws, so that the samples move with the sliders and do not jump.
    """
    problem = two_classes(distance, ratio, correlation, prior)
    X, y = problem.sample(n_samples, np.random.default_rng(seed))
    generative = QuadraticDiscriminantAnalysis().fit(X, y)
    discriminative = LogisticRegression(C=np.inf, max_iter=500).fit(X, y)
    rules = {
        "optimum": (problem.bayes_rule(), OPTIMUM),
        "generative (QDA)": (
            GaussianClasses(generative.priors_, generative.means_, generative.covariance_).bayes_rule(),
            LOOKS[2],
        ),
        "discriminative (logistic)": (
            QuadraticRule.from_linear(discriminative.coef_, discriminative.intercept_[0]),
            LOOKS[3],
        ),
    }
    axis, grid = plane(-5, 5)
    joint = np.exp(problem.log_joint(grid))  # (m·m, 2)
    shape = (GRID_POINTS, GRID_POINTS)
    fig, (left, middle, right) = figure(1, 3, width=11, height=4.6, sharex=True, sharey=True)
    levels = joint.max() * np.array([0.03, 0.15, 0.4, 0.75])
    for k in range(2):
        left.contour(
            axis,
            axis,
            joint[:, k].reshape(shape),
            levels,
            colors=LOOKS[k].color,
            linestyles=LOOKS[k].linestyle,
        )
        left.scatter(*X[y == k].T, s=16, alpha=0.7, **points(k))
    left.set_title("joint p(x, y)")
    left.text(0.03, 0.03, "● y = 0   ▲ y = 1", transform=left.transAxes, fontsize=12)
    middle.contourf(axis, axis, joint.sum(axis=1).reshape(shape), 12, cmap="Greys")
    middle.set_title("marginal p(x)")
    right.pcolormesh(
        axis,
        axis,
        problem.posterior(grid).reshape(shape),
        cmap=between(0, 1),
        vmin=0,
        vmax=1,
        rasterized=True,
    )
    for name, (rule, look) in rules.items():
        right.contour(
            axis,
            axis,
            rule(grid).reshape(shape),
            [0],
            colors=look.color,
            linestyles=[look.linestyle],
            linewidths=2.6,
        )
        right.plot([], [], color=look.color, linestyle=look.linestyle, label=name)
    right.set_title("posterior p(y = 1 | x)")
    fig.legend(loc="outside lower right", ncols=3)
    for ax in (left, middle, right):
        ax.set(aspect="equal", xlim=(-5, 5), ylim=(-5, 5), xlabel="$x_1$", xticks=[-4, 0, 4], yticks=[-4, 0, 4])
    left.set_ylabel("$x_2$")
    error = {name: problem.error(rule) for name, (rule, _) in rules.items()}
    caption = (
        f"Means {distance:.1f} apart, class 1 {ratio:.1f} times as wide, correlations ±{correlation:.1f}, p(y = 1) = "
        f"{prior:.2f}: the Bayes error is {error['optimum']:.1%}; fitted to {n_samples} draws, the Gaussian joint errs "
        f"{error['generative (QDA)']:.1%} and logistic regression {error['discriminative (logistic)']:.1%} of the time."
    )
    return fig, caption


def _ellipse(mean, covariance, radius=2.0):
    """The curve at ``radius`` standard deviations around a Gaussian in the plane, (100, 2)."""
    angle = np.linspace(0, 2 * np.pi, 100)
    return mean + radius * np.column_stack([np.cos(angle), np.sin(angle)]) @ np.linalg.cholesky(covariance).T


@drawing
def iris_boundaries(table, features, model, logistic):
    """Two features of iris with the fitted Gaussians, and the decision regions of both kinds of classifier.

    ``model`` and ``logistic`` are fitted to ``table.X[:, features]``.
    """
    X, y = table.X[:, features], table.y
    low, high = X.min(axis=0) - 0.4, X.max(axis=0) + 0.4
    axes_values = [np.linspace(low[i], high[i], 600) for i in range(2)]
    grid = np.stack(np.meshgrid(*axes_values), axis=-1).reshape(-1, 2)
    fig, panels = figure(1, 2, width=11, height=4.8, sharex=True, sharey=True)
    for ax, fitted, name in zip(panels, (model, logistic), ("Gaussian joint", "logistic regression"), strict=True):
        region = fitted.predict(grid).reshape(600, 600)
        ax.contour(*axes_values, region, [0.5, 1.5], colors=INK, linewidths=2)
        for k, label in enumerate(table.class_names):
            ax.scatter(*X[y == k].T, s=30, label=label, **points(k))
            if hasattr(fitted, "covariance_"):
                ax.plot(*_ellipse(fitted.means_[k], fitted.covariance_[k]).T, **line(k))
        ax.set(title=f"{name}: {np.mean(fitted.predict(X) != y):.1%} of the training rows wrong")
        ax.set_xlabel(f"{table.feature_names[features[0]]} (cm)")
    panels[0].set_ylabel(f"{table.feature_names[features[1]]} (cm)")
    panels[0].legend(loc="upper left")
    wrong = [int(np.sum(fitted.predict(X) != y)) for fitted in (model, logistic)]
    caption = (
        f"Iris by {table.feature_names[features[0]]} and {table.feature_names[features[1]]}: the Gaussian joint "
        f"(left, ellipses at two standard deviations) bends its boundaries and misplaces {wrong[0]} of {len(y)} "
        f"flowers, logistic regression (right) draws straight ones and misplaces {wrong[1]}."
    )
    return fig, caption


@drawing
def sampled_digits(real, samples, labels, title):
    """One column a class, real digits above and sampled ones below: each (rows, 10, 8, 8)."""
    rows = [*real, *samples]
    names = ["real"] * len(real) + ["sampled"] * len(samples)
    fig = image_grid(rows, names, title=title)
    outside = np.mean((np.stack(samples) < 0) | (np.stack(samples) > 1))
    caption = (
        f"Real digits ({len(real)} rows) above digits drawn from the Gaussian joint ({len(samples)} rows), classes "
        f"{labels[0]} to {labels[-1]} from left to right. Of the sampled pixels {outside:.0%} lie below 0 or above 1, "
        f"where no ink can be; they are drawn as white and black."
    )
    return fig, caption


@drawing
def filled_digits(truth, seen, filled, mean_filled):
    """Digits, what was seen of them (NaN elsewhere), and two ways to fill the rest: each (n, 8, 8)."""
    missing = np.isnan(seen)
    error = [np.sqrt(np.mean((guess - truth)[missing] ** 2)) for guess in (mean_filled, filled)]
    fig = image_grid(
        [truth, seen, mean_filled, filled],
        ["the digit", "what is seen", "mean of all", "E[x$_m$ | x$_o$]"],
        size=0.75,
    )
    caption = (
        f"The lower half of {len(truth)} test digits is hidden; on these, filling it with the mean of the training "
        f"digits leaves an error of {error[0]:.2f} a pixel (root mean square), the conditional expectation of the "
        f"Gaussian joint {error[1]:.2f}."
    )
    return fig, caption


@drawing
def outliers(groups):
    """What log p(x) and what a posterior say of strange inputs.

    ``groups``: name → (log p(x) under the joint (n,), largest posterior of the discriminative model (n,)); the first
    group is the familiar one.
    """
    fig, (left, right) = figure(1, 2, width=11, height=4.4)
    log_p = np.concatenate([values for values, _ in groups.values()])
    bins = np.linspace(log_p.min(), log_p.max(), 60)
    for k, (name, (values, confidence)) in enumerate(groups.items()):
        look = LOOKS[k]
        left.hist(values, bins, histtype="stepfilled", alpha=0.25, color=look.color)
        left.hist(values, bins, histtype="step", color=look.color, linestyle=look.linestyle, linewidth=2, label=name)
        right.hist(
            confidence,
            np.linspace(0, 1, 41),
            histtype="step",
            color=look.color,
            linestyle=look.linestyle,
            linewidth=2,
        )
    left.set(
        xlabel="log p(x), Gaussian joint (nats)",
        ylabel="number of images",
        title="generative: is this a digit at all?",
    )
    right.set(xlabel="largest p(y | x), logistic regression", title="discriminative: which digit is it?")
    left.legend(loc="upper left")
    parts = [f"{name} {np.median(values):.0f}" for name, (values, _) in groups.items()]
    sure = [f"{np.mean(confidence > 0.9):.0%} of {name}" for name, (_, confidence) in groups.items()]
    caption = (
        f"Median log p(x) in nats: {', '.join(parts)}. Logistic regression is more than 90% sure of {', '.join(sure)}."
    )
    return fig, caption


@drawing
def em_step(state):
    """One iteration of expectation–maximisation on two features; ``state`` is a dictionary made by the lesson.

    Keys: X (n, 2), y (n,) with −1 for unlabelled, truth (n,), means (K, 2), covariances (K, 2, 2), posterior (n, K),
    step, log_likelihood (nats a row), axes (two labels).
    """
    X, y, guess = state["X"], state["y"], state["posterior"].argmax(axis=1)
    fig, ax = figure(width=3.5, height=3.5)
    for k in range(len(state["means"])):
        ax.scatter(*X[(y == -1) & (guess == k)].T, s=14, alpha=0.75, **points(k, filled=False))
        ax.scatter(*X[y == k].T, s=60, **points(k))
        ax.plot(*_ellipse(state["means"][k], state["covariances"][k]).T, **line(k))
    low, high = X.min(axis=0), X.max(axis=0)
    margin = 0.12 * (high - low)
    ax.set(xlim=(low[0] - margin[0], high[0] + margin[0]), ylim=(low[1] - margin[1], high[1] + margin[1]))
    ax.set(xlabel=state["axes"][0], ylabel=state["axes"][1])
    unlabelled = y == -1
    wrong = int(np.sum(guess[unlabelled] != state["truth"][unlabelled]))
    caption = (
        f"After step {state['step']} of expectation–maximisation the log-likelihood is {state['log_likelihood']:.2f} "
        f"nats a row, and {wrong} of {int(unlabelled.sum())} unlabelled flowers (hollow) are in the wrong class."
    )
    return fig, caption


def crossing(first, second):
    """Where two error curves cross, from paired errors (size, seed) of two models.

    Returns (last size index at which the first is ahead by more than two standard errors, first later index at which
    the second is), or None if it does not happen in this order.
    """
    difference = first - second  # (sizes, seeds); negative: the first model errs less
    mean = difference.mean(axis=1)
    error = difference.std(axis=1, ddof=1) / np.sqrt(difference.shape[1])
    first_ahead = np.flatnonzero(mean < -2 * error)
    if not len(first_ahead):
        return None
    second_ahead = np.flatnonzero(mean > 2 * error)
    later = second_ahead[second_ahead > first_ahead[-1]]
    return (int(first_ahead[-1]), int(later[0])) if len(later) else None


@drawing
def naive_bayes_against_logistic(record, generative, discriminative, others=()):
    """Ng and Jordan's comparison from the stored experiment ``ng_jordan``: one panel a data set, 95% bands.

    The names of the models are those in ``record["config"]["models"]``; ``others`` are drawn besides the pair.
    """
    names = record["config"]["models"]
    fig, axes = figure(2, 2, width=11, height=5.0)
    found = []
    for ax, (data, result) in zip(axes.flat, record["results"].items(), strict=True):
        sizes = np.array(result["sizes"])
        share = np.array(result["errors"]) / result["test_rows"]  # (models, sizes, seeds)
        for k, name in enumerate((generative, discriminative, *others)):
            runs = share[names.index(name)]
            mean, error = runs.mean(axis=1), runs.std(axis=1, ddof=1) / np.sqrt(runs.shape[1])
            ax.plot(sizes, mean, marker=LOOKS[k].marker, label=name, **line(k))
            ax.fill_between(
                sizes, mean - 1.96 * error, mean + 1.96 * error, color=LOOKS[k].color, alpha=0.2, linewidth=0
            )
        between_sizes = crossing(share[names.index(generative)], share[names.index(discriminative)])
        if between_sizes:
            low, high = sizes[list(between_sizes)]
            ax.axvspan(low, high, color=GREY, alpha=0.2)
            ax.set_title(f"{data}: crosses between {low} and {high}")
            found.append(f"{data} between {low} and {high} rows")
        else:
            pair = [share[names.index(name)].mean(axis=1) for name in (generative, discriminative)]
            throughout = "logistic regression leads throughout" if np.all(pair[1] < pair[0]) else "not overtaken"
            ax.set_title(f"{data}: {throughout}")
            found.append(f"{data} {throughout}")
        ax.set(xscale="log", yscale="log", xlabel="training rows", ylabel="test error")
        _plain_ticks(ax, sizes[:: max(1, len(sizes) // 5)], [0.02, 0.05, 0.1, 0.2, 0.5])
    fig.legend(*axes[0, 0].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    caption = (
        f"Mean test error over {record['config']['seeds']} random splits with 95% bands; the place where logistic "
        f"regression overtakes naive Bayes with one variance, beyond two standard errors on either side: "
        f"{', '.join(found)}."
    )
    return fig, caption


@drawing
def excess_over_bayes(record, live=None):
    """The stored experiment ``excess_error``: mean excess over the Bayes error against rows, one panel a problem.

    ``live``: problem → (sizes, {model: excess}) of one run in the lesson, drawn as points.
    """
    sizes = np.array(record["config"]["sizes"])
    fig, axes = figure(1, 2, width=11, height=5.0, sharey=True)
    told = []
    for ax, (name, result) in zip(axes, record["results"].items(), strict=True):
        excess = np.array(result["excess"])  # (models, sizes, seeds)
        for k, model in enumerate(record["config"]["models"]):
            mean = excess[k].mean(axis=1)
            error = excess[k].std(axis=1, ddof=1) / np.sqrt(excess.shape[2])
            ax.plot(sizes, mean, label=model, **line(k))
            ax.fill_between(
                sizes, mean - 1.96 * error, mean + 1.96 * error, color=LOOKS[k].color, alpha=0.2, linewidth=0
            )
            if live:
                ax.scatter(live[name][0], np.maximum(live[name][1][model], 1e-5), s=36, **points(k))
        guide = sizes[4:]
        ax.plot(guide, 2.2 / guide, color=GREY, linewidth=1.2, linestyle=":")
        ax.annotate("∝ 1/n", (guide[-2], 2.2 / guide[-2]), color=GREY, textcoords="offset points", xytext=(0, 6))
        ax.set(
            title=f"{name}: Bayes error {result['bayes_error']:.2%}",
            xscale="log",
            yscale="log",
            ylim=(2e-5, 0.2),
        )
        ax.set_xlabel("training rows")
        told.append(
            f"{name}: "
            + ", ".join(f"{m} {100 * excess[k, -1].mean():.3f}" for k, m in enumerate(record["config"]["models"]))
        )
    axes[0].set_ylabel("error − Bayes error")
    fig.legend(*axes[0].get_legend_handles_labels(), loc="outside lower center", ncols=3)
    seeds = record["config"]["seeds"]
    caption = (
        f"Mean excess over the Bayes error at {sizes[-1]} rows ({seeds} training sets), in percentage points; "
        f"{'; '.join(told)}."
    )
    return fig, caption


def _plain_ticks(ax, x, y):
    """Ticks of two logarithmic axes as plain numbers; y in per cent."""
    low, high = ax.get_ylim()
    y = [value for value in y if low <= value <= high]
    ax.set_xticks(x, [str(value) for value in x])
    ax.set_yticks(y, [f"{value:.0%}" for value in y])
    ax.minorticks_off()
