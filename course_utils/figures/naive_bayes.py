"""Lesson 3: from prior to posterior, and what assuming independence given the class keeps, loses and overstates."""

import numpy as np
from scipy.special import expit, logit
from scipy.stats import beta

from course_utils.figures.grids import image_grid
from course_utils.figures.style import GREY, INK, LOOKS, OPTIMUM, between, drawing, figure, line, points
from course_utils.optima.dependence import without_covariances
from course_utils.optima.gaussians import GaussianClasses

PEOPLE = 1000
COLUMNS = 40  # of the grid of people


# From prior to posterior ────────────────────────────────────────────────────────────────────────────────────────────


def bayes(prior, hit, false_alarm):
    """P(A | B) = P(B | A) P(A) / P(B) from P(A), P(B | A) and P(B | not A); 0 where B never happens."""
    evidence = hit * prior + false_alarm * (1 - prior)
    return np.divide(hit * prior, evidence, out=np.zeros_like(evidence), where=evidence > 0)


@drawing
def base_rate(prior=0.01, hit=0.9, false_alarm=0.09):
    """A thousand people and one test: who is ill, who tests positive, and what a positive test is worth."""
    posterior, after_negative = (float(bayes(np.array(prior), *v)) for v in _signs(hit, false_alarm))
    ill = round(PEOPLE * prior)
    found, alarmed = round(ill * hit), round((PEOPLE - ill) * false_alarm)
    place = np.column_stack([np.arange(PEOPLE) % COLUMNS, -(np.arange(PEOPLE) // COLUMNS)])
    # In reading order: ill and positive, ill and negative, well and positive, well and negative.
    groups = np.split(place, np.cumsum([found, ill - found, alarmed]))
    fig, (left, right) = figure(1, 2, width=11, height=4.7, width_ratios=(1.35, 1))
    looks = ((1, True, "ill, positive"), (1, False, "ill, negative"), (0, True, "well, positive"))
    for group, (k, filled, name) in zip(groups, looks, strict=False):
        left.scatter(*group.T, s=34, label=f"{name}: {len(group)}", **points(k, filled=filled))
    left.scatter(*groups[3].T, s=5, color=GREY, label=f"well, negative: {len(groups[3])}")
    left.set(title=f"{PEOPLE} people", xlim=(-1, COLUMNS), ylim=(-PEOPLE / COLUMNS, 1))
    left.set(xticks=[], yticks=[])
    left.spines[:].set_visible(False)
    grid = expit(np.linspace(-7, 7, 200))
    for (signs, name), k in zip(zip(_signs(hit, false_alarm), ("positive", "negative")), (1, 0)):
        right.plot(logit(grid), bayes(grid, *signs), label=f"after a {name} test", **line(k))
    right.plot(logit(grid), grid, color=GREY, linestyle=":", label="no test")
    right.scatter(logit(prior), posterior, s=110, zorder=3, **points(1))
    right.scatter(logit(prior), after_negative, s=80, zorder=3, **points(0))
    ticks = np.array([0.001, 0.01, 0.1, 0.5, 0.9, 0.99])
    right.set_xticks(logit(ticks), ["0.1%", "1%", "10%", "50%", "90%", "99%"])
    right.set(xlabel="prior P(ill)", ylabel="posterior P(ill | test)", xlim=(-7, 7), ylim=(-0.03, 1.03))
    right.set_title("What a test changes")
    fig.legend(loc="outside lower center", ncols=4)
    caption = (
        f"With a prior of {prior:.1%}, a test that finds {hit:.0%} of the ill and alarms {false_alarm:.0%} of the "
        f"well: of {PEOPLE} people {found + alarmed} test positive and {found} of these are ill, so a positive test "
        f"leaves a probability of {posterior:.1%}, a negative one {after_negative:.2%}."
    )
    return fig, caption


def _signs(hit, false_alarm):
    """P(sign | ill) and P(sign | well) of a positive and of a negative test."""
    return (hit, false_alarm), (1 - hit, 1 - false_alarm)


# The naive step ─────────────────────────────────────────────────────────────────────────────────────────────────────


@drawing
def naive_step(table, features, class_index, model, random_state=0):
    """One class of a table by two features: its rows, and as many draws from the naive model of the class."""
    rows = table.X[table.y == class_index][:, features]
    drawn, labels = model.sample(40 * len(rows), random_state)
    drawn = drawn[labels == model.classes_[class_index]][: len(rows)]
    fig, panels = figure(1, 2, width=9, height=4.2, sharex=True, sharey=True)
    names = [table.feature_names[j] for j in features]
    told = []
    mean, deviation = model.theta_[class_index], np.sqrt(model.var_[class_index])
    for ax, values, name, filled in zip(panels, (rows, drawn), ("flowers", "drawn"), (True, False), strict=True):
        correlation = np.corrcoef(values.T)[0, 1]
        ax.scatter(*values.T, s=36, **points(2, filled=filled))
        angle = np.linspace(0, 2 * np.pi, 100)
        circle = np.column_stack([np.cos(angle), np.sin(angle)])
        ax.plot(*(mean + 2 * deviation * circle).T, color=INK, linewidth=1.5)
        ax.set(title=f"{len(values)} {name}: correlation {correlation:.2f}", xlabel=f"{names[0]} (cm)")
        told.append(f"{correlation:.2f}")
    panels[0].set_ylabel(f"{names[1]} (cm)")
    caption = (
        f"{table.class_names[class_index].capitalize()} by {names[0]} and {names[1]}: the {len(rows)} flowers (left) "
        f"correlate by {told[0]}, as many draws from the naive model with the same means and variances (right) by "
        f"{told[1]}; the ellipse is the model's, at two standard deviations."
    )
    return fig, caption


# Smoothing ──────────────────────────────────────────────────────────────────────────────────────────────────────────


@drawing
def smoothing(seen=0, trials=3, alpha=1.0):
    """The posterior of a probability θ after ``seen`` of ``trials``, for the prior Beta(α, α): density, mean, mode."""
    seen = min(seen, trials)
    theta = np.linspace(0.0005, 0.9995, 1000)
    after = beta(seen + alpha, trials - seen + alpha)
    mean, share = after.mean(), seen / trials
    fig, ax = figure(width=8.5, height=4.2)
    ax.plot(theta, beta(alpha, alpha).pdf(theta), color=GREY, linestyle=":", label="prior")
    ax.plot(theta, after.pdf(theta), label="posterior", **line(0))
    ax.fill_between(theta, after.pdf(theta), color=LOOKS[0].color, alpha=0.15, linewidth=0)
    ax.axvline(share, label=f"maximum likelihood {share:.3f}", **line(1))
    ax.axvline(mean, label=f"posterior mean {mean:.3f}", **line(2))
    top = 1.15 * after.pdf(theta)[10:-10].max()
    ax.set(xlabel="θ", ylabel="density", xlim=(-0.02, 1.02), ylim=(0, max(top, 2)))
    ax.legend(loc="upper right" if mean < 0.5 else "upper left")
    caption = (
        f"A word came in {seen} of {trials} documents. The share is {share:.3f}; under the prior Beta({alpha:.1f}, "
        f"{alpha:.1f}) the posterior of θ has mean ({seen} + {alpha:.1f}) / ({trials} + {2 * alpha:.1f}) = {mean:.3f}, "
        f"and θ below 0.01 has probability {after.cdf(0.01):.3f}."
    )
    return fig, caption


# Linear or quadratic ────────────────────────────────────────────────────────────────────────────────────────────────


@drawing
def boundaries(cases, rng):
    """Boundaries of fitted models on two features each.

    ``cases``: tuples of title, X (n, 2), y (n,) of 0 and 1, the model, the axes' names, and whether to jitter counts.
    """
    fig, panels = figure(1, len(cases), width=11.5, height=4.4)
    told = []
    for ax, (title, X, y, model, axes, jitter) in zip(panels, cases, strict=True):
        shown = X + rng.uniform(-0.3, 0.3, X.shape) if jitter else X
        low, high = shown.min(axis=0), shown.max(axis=0)
        low, high = low - 0.1 * (high - low), high + 0.1 * (high - low)
        # There are no negative counts, and the model takes none.
        x_1, x_2 = (np.linspace(max(low[j], 0) if jitter else low[j], high[j], 301) for j in range(2))
        plane = np.stack(np.meshgrid(x_1, x_2), axis=-1).reshape(-1, 2)
        joint = model.predict_joint_log_proba(plane)
        odds = (joint[:, 1] - joint[:, 0]).reshape(301, 301)
        ax.pcolormesh(x_1, x_2, expit(odds), cmap=between(0, 1), vmin=0, vmax=1, alpha=0.5, rasterized=True)
        for k in range(2):
            ax.scatter(*shown[y == k].T, s=20, **points(k))
        ax.contour(x_1, x_2, odds, [0], colors=INK, linewidths=2.2)
        ax.set(title=title, xlabel=axes[0], ylabel=axes[1], xlim=(low[0], high[0]), ylim=(low[1], high[1]))
        told.append(f"{title}: {np.mean(model.predict(X) != y):.0%}")
    caption = f"Where p(y = 1 | x) = ½, and the share of the rows shown that it gets wrong. {'; '.join(told)}."
    return fig, caption


# Text ───────────────────────────────────────────────────────────────────────────────────────────────────────────────


@drawing
def text_learning_curve(record, live=None):
    """The stored experiment ``text_learning_curve``: test error and log loss against training documents.

    ``live``: (documents, {model: (error, log loss)}) of one run in the lesson, drawn as points.
    """
    result, names = record["results"], list(record["config"]["models"])
    sizes = np.array(result["sizes"])
    values = (np.array(result["errors"]) / result["test_documents"], np.array(result["log_losses"]))
    fig, panels = figure(1, 2, width=11, height=4.3)
    for ax, runs in zip(panels, values, strict=True):
        for k, name in enumerate(names):
            mean, error = runs[k].mean(axis=1), runs[k].std(axis=1, ddof=1) / np.sqrt(runs.shape[2])
            ax.plot(sizes, mean, marker=LOOKS[k].marker, label=name, **line(k))
            ax.fill_between(sizes, mean - 1.96 * error, mean + 1.96 * error, color=LOOKS[k].color, alpha=0.2, lw=0)
        ax.set(xscale="log", yscale="log", xlabel="training documents")
        ax.set_xticks([6, 30, 120, 600, 2400], ["6", "30", "120", "600", "2400"])
        ax.minorticks_off()
    if live:
        for k, name in enumerate(names):
            for ax, value in zip(panels, live[1].get(name, ())):
                ax.scatter(live[0], value, s=90, zorder=3, **points(k))
    chance = 1 - 1 / result["classes"]
    panels[0].axhline(chance, color=GREY, linestyle=":")
    panels[0].set_ylabel("test error")
    panels[0].set_yticks([0.1, 0.2, 0.4, 0.8], ["10%", "20%", "40%", "80%"])
    panels[1].axhline(np.log(result["classes"]), color=GREY, linestyle=":", label="knowing nothing")
    panels[1].set_ylabel("−log q(y | x) (nats a document)")
    panels[1].set_yticks([0.5, 1, 2, 5, 10, 20, 50, 100], ["0.5", "1", "2", "5", "10", "20", "50", "100"])
    fig.legend(*panels[1].get_legend_handles_labels(), loc="outside lower center", ncols=2)
    first, last = (", ".join(f"{values[0][k, j].mean():.0%}" for k in range(len(names))) for j in (0, -1))
    caption = (
        f"Mean test error and log loss over {record['config']['seeds']} orders of the documents, with 95% bands. The "
        f"error, in the legend's order: {first} at {sizes[0]} documents, {last} at {sizes[-1]}. Knowing nothing errs "
        f"{chance:.0%}, and costs {np.log(result['classes']):.2f} nats a document."
    )
    return fig, caption


def reliability_bins(confidence, right, edges, least=10):
    """Mean confidence and share right in each bin of confidence that holds at least ``least`` cases: two arrays."""
    bins = np.digitize(confidence, edges[1:-1])
    used = [b for b in range(len(edges) - 1) if np.sum(bins == b) >= least]
    return tuple(np.array([values[bins == b].mean() for b in used]) for values in (confidence, right))


@drawing
def reliability(models, y):
    """How often a model is right where it claims to be so sure: ``models`` is name → log q(y | x) (n, K)."""
    edges = np.linspace(0, 1, 11)
    fig, (left, right) = figure(1, 2, width=11, height=4.0)
    left.plot([0, 1], [0, 1], color=INK, linestyle=OPTIMUM.linestyle, linewidth=1.5, label="calibrated")
    told = []
    for k, (name, log_q) in enumerate(models.items()):
        confidence, hit = np.exp(log_q.max(axis=1)), log_q.argmax(axis=1) == y
        claimed, share = reliability_bins(confidence, hit, edges)
        left.plot(claimed, share, marker=LOOKS[k].marker, label=name, **line(k))
        right.hist(
            confidence, edges, histtype="step", color=LOOKS[k].color, linestyle=LOOKS[k].linestyle, linewidth=2.2
        )
        told.append(f"{name} is {confidence.mean():.0%} sure on average and {hit.mean():.0%} right")
    left.set(xlabel="largest q(y | x): what it claims", ylabel="share right", xlim=(0, 1.02), ylim=(0, 1.02))
    right.set(xlabel="largest q(y | x)", ylabel="test documents")
    fig.legend(loc="outside lower center", ncols=4)
    caption = f"On {len(y)} test documents {'; '.join(told)}. Below the dashed diagonal a model is overconfident."
    return fig, caption


# The exact two-feature case ─────────────────────────────────────────────────────────────────────────────────────────


@drawing
def overconfidence(correlation=0.6, angle=45, distance=2.2, n_samples=300, seed=0):
    """Two features that correlate given the class: the exact posterior against that of naive Bayes.

    ``angle`` is the direction, in degrees, in which the class means lie apart, by ``distance``.
    """
    half = distance / 2 * np.array([np.cos(np.radians(angle)), np.sin(np.radians(angle))])
    covariance = [[1.0, correlation], [correlation, 1.0]]
    problem = GaussianClasses([0.5, 0.5], [-half, half], [covariance, covariance])
    naive = without_covariances(problem)
    X, y = problem.sample(n_samples, np.random.default_rng(seed))
    fig, (left, right) = figure(1, 2, width=9.5, height=4.7)
    axis = np.linspace(-4, 4, 121)
    plane = np.stack(np.meshgrid(axis, axis), axis=-1).reshape(-1, 2)
    for k in range(2):
        left.scatter(*X[y == k].T, s=16, alpha=0.7, **points(k))
    for model, look in ((problem, OPTIMUM), (naive, LOOKS[2])):
        odds = model.bayes_rule()(plane).reshape(121, 121)
        left.contour(axis, axis, odds, [0], colors=look.color, linestyles=[look.linestyle], linewidths=2.8)
        name = "exact boundary" if model is problem else "naive boundary"
        left.plot([], [], color=look.color, linestyle=look.linestyle, label=name)
    left.set(aspect="equal", xlim=(-4, 4), ylim=(-4, 4), xlabel="$x_1$", ylabel="$x_2$")
    exact, claimed = problem.posterior(X), naive.posterior(X)
    right.plot([0, 1], [0, 1], color=INK, linestyle=OPTIMUM.linestyle, linewidth=1.5)
    for k in range(2):
        right.scatter(exact[y == k], claimed[y == k], s=22, **points(k, filled=False))
    right.set(aspect="equal", xlim=(-0.02, 1.02), ylim=(-0.02, 1.02))
    right.set(xlabel="exact p(y = 1 | x)", ylabel="naive q(y = 1 | x)")
    fig.legend(loc="outside lower center", ncols=2)
    nats, error = problem.posterior_divergence(naive.bayes_rule()), problem.error(naive.bayes_rule())
    caption = (
        f"Correlation {correlation:.2f} given the class, means {distance:.1f} apart at {angle}°: naive Bayes with "
        f"unlimited data is {nats:.3f} nats from the exact posterior, and errs {error:.1%} where the Bayes error is "
        f"{problem.bayes_error():.1%}."
    )
    return fig, caption


# As generator ───────────────────────────────────────────────────────────────────────────────────────────────────────


@drawing
def digit_gallery(real, drawn, neighbours):
    """Digits 0 to 9 in columns: ``real`` (10, 8, 8), and ``drawn``: name → (rows, 10, 8, 8).

    ``neighbours``: name → the mean correlation of a pixel with the one below it, given the class; "real" among them.
    """
    rows = [real, *(row for images in drawn.values() for row in images)]
    names = ["real", *(name for name, images in drawn.items() for _ in images)]
    fig = image_grid(rows, names, title="Digits drawn from three models of p(x, y)")
    told = ", ".join(f"by {round(neighbours[name], 2) + 0.0:.2f} in those of {name}" for name in drawn)  # no "-0.00"
    caption = (
        f"Real digits above drawn ones, 0 to 9 from left to right. Given the class, a pixel and the one below it "
        f"correlate by {neighbours['real']:.2f} on average in the training digits, {told}."
    )
    return fig, caption


@drawing
def pixel_correlations(real, drawn):
    """Correlations of pairs of pixels given the class: ``real`` (m,) against ``drawn``: name → (m,)."""
    fig, panels = figure(1, len(drawn), width=11, height=4.2, sharex=True, sharey=True)
    told = []
    for k, (ax, (name, values)) in enumerate(zip(panels, drawn.items(), strict=True)):
        ax.plot([-1, 1], [-1, 1], color=INK, linestyle=OPTIMUM.linestyle, linewidth=1.5)
        ax.scatter(real, values, s=5, alpha=0.25, color=LOOKS[k].color, marker=LOOKS[k].marker, linewidths=0)
        rms = np.sqrt(np.mean((values - real) ** 2))
        ax.set(title=f"{name}: off by {rms:.2f}", xlabel="real digits", aspect="equal", xlim=(-1, 1), ylim=(-1, 1))
        told.append(f"{name} {rms:.2f}")
    panels[0].set_ylabel("drawn digits")
    caption = (
        f"The correlation of each of {len(real)} pairs of pixels of one class, in the training digits and in drawn "
        f"ones (on the dashed diagonal the model has it right). Root mean square of the difference: {', '.join(told)}; "
        f"of the real correlations themselves {np.sqrt(np.mean(real**2)):.2f}."
    )
    return fig, caption


# The distance to the optimum ────────────────────────────────────────────────────────────────────────────────────────


@drawing
def distance_to_posterior(record, live, dependence):
    """The stored experiment ``naive_bayes_optimum`` against rows, and the limit against dependence.

    ``live``: problem → {model: nats at each size} of one run in the lesson, drawn as points. ``dependence``: (r,
    nats of the posterior, nats of p(x)), arrays (m,), of naive Bayes with unlimited data.
    """
    config, sizes = record["config"], np.array(record["config"]["sizes"])
    fig, panels = figure(1, 3, width=12, height=5.0)
    told = []
    for ax, (name, result) in zip(panels, record["results"].items(), strict=False):
        nats = np.array(result["nats"])  # (models, sizes, seeds)
        for k, model in enumerate(config["models"]):
            low, middle, high = np.quantile(nats[k], [0.25, 0.5, 0.75], axis=1)
            ax.plot(sizes, middle, label=model, **line(k))
            ax.fill_between(sizes, low, high, color=LOOKS[k].color, alpha=0.2, linewidth=0)
            ax.scatter(sizes, live[name][model], s=34, **points(k))
        correlation = config["correlations"][name]
        ax.set(title=f"correlation {correlation:g}", xscale="log", yscale="log", xlabel="training rows", ylim=(5e-5, 2))
        last = ", ".join(f"{model} {np.median(nats[k, -1]):.4f}" for k, model in enumerate(config["models"]))
        told.append(f"with correlation {correlation:g} {last}")
    panels[0].set_ylabel("nats from the exact posterior")
    r, posterior, marginal = dependence
    panels[2].plot(r, posterior + marginal, color=INK, linewidth=1.5, label="I($x_1$; $x_2$ | y), all of it")
    panels[2].plot(r, marginal, label="lost by p(x)", **line(3))
    panels[2].plot(r, posterior, label="lost by p(y | x)", **line(0))
    panels[2].set(title="naive Bayes, unlimited rows", xlabel="correlation given the class", ylabel="nats")
    panels[2].legend(loc="upper center")
    fig.legend(*panels[0].get_legend_handles_labels(), loc="outside lower left", ncols=3)
    worst = posterior.argmax()
    caption = (
        f"Median distance from the exact posterior at {sizes[-1]} rows, in nats: {'; '.join(told)}. Right: what "
        f"independence costs is at most {posterior[worst]:.2f} nats for the posterior in this range (at correlation "
        f"{r[worst]:.2f}), and {marginal[worst]:.2f} nats for p(x) there."
    )
    return fig, caption
