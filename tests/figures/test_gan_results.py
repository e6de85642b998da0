"""Lesson 4's figures of trained GANs, by the numbers that they draw and tell."""

import numpy as np
import pytest

from course_utils.experiments.comparison import comparison_rows
from course_utils.experiments.results import load
from course_utils.figures import gan_results as draw
from course_utils.optima.games import jensen_shannon, optimal_discriminator, value

CENTRES = 2 * np.stack([np.cos(np.arange(8) * np.pi / 4), np.sin(np.arange(8) * np.pi / 4)], axis=1)


@pytest.fixture
def line_record():
    """Two settings, three seeds, two steps: one seed of the first is good, none of the second."""
    first = {"steps": [100, 200], "JSD": [[0.1, 0.004], [0.2, 0.02], [0.1, 0.006]]}
    first |= {"distance": [[0.2, 0.02], [0.3, 0.01], [0.1, 0.04]]}
    second = {"steps": [100, 200], "JSD": [[0.3, 0.05]] * 3, "distance": [[0.2, 0.09]] * 3}
    results = {"fast D": first, "equal": second}
    for result in results.values():
        result["value"] = (0.2 * np.array(result["JSD"]) - np.log(4)).tolist()  # a tenth of what there is to earn
        result["final"] = {name: [seed[-1] for seed in result[name]] for name in ("JSD", "distance")}
    return {"config": {"good": {"JSD": 0.01, "distance": 0.03}}, "results": results}


def test_a_seed_is_good_only_within_both_bounds(line_record):
    assert draw.within_limits(line_record, "fast D") == (1, 3)
    assert draw.within_limits(line_record, "equal") == (0, 3)


def test_trajectories_are_medians_over_the_seeds(line_record):
    fig, caption = draw.trajectories(line_record, ["fast D", "equal"])
    np.testing.assert_allclose(fig.axes[0].lines[0].get_ydata(), [0.1, 0.1])
    np.testing.assert_allclose(fig.axes[1].lines[0].get_ydata(), [0.1, 0.006])
    assert "fast D: 1 of 3; equal: 0 of 3" in caption


def test_the_best_discriminator_earns_all_and_one_half_nothing():
    p, q = np.array([0.5, 0.3, 0.2]), np.array([0.1, 0.6, 0.3])
    divergence = jensen_shannon(p, q)
    values = [
        value(p, q, optimal_discriminator(p, q)),
        value(p, q, np.full(3, 0.5)),
        value(p, q, np.array([0.1, 0.9, 0.9])),
    ]
    best, half, misled = draw.earned({"value": values, "JSD": [divergence] * 3})
    assert (best, half) == pytest.approx((1, 0))
    assert misled < 0


def test_outcomes_are_one_point_a_seed(line_record):
    fig, caption = draw.line_outcomes(line_record, ["fast D", "equal"], (0.003, 0.015))
    points = [np.asarray(c.get_offsets()) for c in fig.axes[0].collections[1:]]
    np.testing.assert_allclose(points[0], [[0.004, 0.02], [0.02, 0.01], [0.006, 0.04]])
    np.testing.assert_allclose(points[2], [[0.003, 0.015]])
    low, high = fig.axes[0].get_ylim()
    assert low < 0.01 < 0.09 < high
    assert "fast D 1 of 3, median JSD 0.0060" in caption


@pytest.fixture
def ring_record():
    plain = {"modes": [3, 8, 5], "share": [0.4, 0.99, 0.2], "samples": [CENTRES[:3].tolist(), CENTRES[:5].tolist()]}
    mended = {"modes": [8, 8, 7], "share": [0.96, 0.94, 0.99], "samples": [CENTRES.tolist()] * 2}
    return {"config": {"good": {"modes": 8, "share": 0.95}}, "results": {"plain": plain, "mended": mended}}


def test_ring_samples_has_a_row_for_each_setting_and_a_panel_for_each_seed(ring_record):
    fig, caption = draw.ring_samples(ring_record, ["plain", "mended"], CENTRES, 0.05, seeds=2)
    drawn = [np.asarray(ax.collections[0].get_offsets()) for ax in fig.axes]
    np.testing.assert_allclose(drawn[1], CENTRES[:5])
    np.testing.assert_allclose(drawn[2], CENTRES)
    circle = fig.axes[0].lines[2].get_xydata()
    np.testing.assert_allclose(np.linalg.norm(circle - CENTRES[2], axis=1), 0.15)
    assert [ax.get_title(loc="left") for ax in fig.axes] == ["3 modes", "8 modes", "8 modes", "8 modes"]
    assert "plain 3, 8; mended 8, 8" in caption


def test_ring_outcomes_counts_the_seeds_that_are_good_in_both(ring_record):
    fig, caption = draw.ring_outcomes(ring_record, ["plain", "mended"], 0.989)
    assert "plain: 1 of 3 seeds, median 5 modes and 40.0%; mended: 1 of 3 seeds" in caption
    drawn = np.asarray(fig.axes[0].collections[1].get_offsets())
    np.testing.assert_allclose(drawn[:, 0], [4, 6, 1])
    np.testing.assert_allclose(drawn[:, 1].round(), [8, 8, 7])


def test_digits_over_time_has_a_row_for_each_step():
    images = np.stack([np.zeros((10, 8, 8)), np.ones((10, 8, 8))])
    fig, caption = draw.digits_over_time(images, [0, 900])
    assert sum(bool(ax.images) for ax in fig.axes) == 20
    assert "from step 0 to 900; the share of dark pixels goes from 0% to 100%" in caption


def test_interpolation_tells_the_largest_change():
    rows = np.linspace(0, 1, 5)[None, :, None, None] * np.ones((2, 5, 8, 8))
    _, caption = draw.interpolation(rows, ["3", "7"], 0.25)
    assert "2 classes" in caption
    assert "in 4 equal steps: no pixel changes by more than 0.2 of its range" in caption


def test_neighbours_are_told_by_their_distance():
    images = np.zeros((10, 8, 8))
    _, caption = draw.neighbours(images, images, np.array([1.0, 1.2, 1.4]), np.array([1.6, 1.7]))
    assert "median distance of a draw is 1.2, that of a real test image 1.6" in caption


def test_digit_quality_orders_the_samplers_and_tells_their_means():
    def sampler(distance, accuracy):
        return {"distance": distance, "accuracy": accuracy}

    samplers = {"GAN": sampler([2.0, 3.0], [0.9, 0.92]), "training digits": sampler([1.2, 1.4], [0.97, 0.97])}
    samplers["Gaussian naive Bayes"] = sampler([40.0, 42.0], [0.8, 0.82])
    fig, caption = draw.digit_quality({"results": {"samplers": samplers}})
    names = [label.get_text() for label in fig.axes[0].get_yticklabels()]
    assert names == ["Gaussian naive Bayes", "GAN", "training digits"]
    np.testing.assert_allclose(fig.axes[0].collections[1].get_offsets(), [[2.0, 1], [3.0, 1]])
    np.testing.assert_allclose(fig.axes[1].collections[1].get_offsets(), [[90, 1], [92, 1]])
    floor, double = (line.get_xdata()[0] for line in fig.axes[0].lines)
    assert (floor, double) == pytest.approx((1.3, 2.6))
    assert "training digits 1.30 and 97%; GAN 2.50 and 91%; Gaussian naive Bayes 41.00 and 81%" in caption


def test_profile_stacks_the_parts_to_the_time_of_a_step():
    results = {"ours": {"ms": [1.0, 1.2, 5.0], "shares": [[0.5, 0.25, 0.25]] * 3}}
    results["plain"] = {"ms": [2.0, 2.0, 2.0], "shares": [[0.2, 0.2, 0.6]] * 3}
    fig, caption = draw.step_profile({"results": results}, ("matrix products", "optimiser", "Python"))
    widths = np.array([bar.get_width() for bar in fig.axes[0].patches]).reshape(2, 3)
    np.testing.assert_allclose(widths, [[0.6, 0.3, 0.3], [0.4, 0.4, 1.2]])
    assert "ours 1.20 ms (matrix products 50%, optimiser 25%, Python 25%); plain 2.00 ms" in caption


class TestTheLessonTellsWhatTheRecordsHold:
    def test_line(self):
        record = load("gan_line")
        counts = {name: draw.within_limits(record, name)[0] for name in record["results"]}
        assert counts["the lesson's"] == counts["independent noise"] == 20
        assert (counts["equal rates"], counts["momentum"], counts["no penalty"]) == (0, 2, 19)
        assert (counts["from afar, −log D"], counts["from afar, log(1 − D)"]) == (14, 16)
        final = {name: result["final"] for name, result in record["results"].items()}
        assert max(final["the lesson's"]["JSD"]) < 0.00225
        assert 0.01 < min(final["the lesson's"]["distance"]) < max(final["the lesson's"]["distance"]) < 0.0225
        assert 0.07 < min(final["equal rates"]["distance"]) < max(final["equal rates"]["distance"]) < 0.175
        earned = {name: draw.earned(result) for name, result in record["results"].items()}  # (seed, step)
        assert record["results"]["equal rates"]["steps"][1:10] == list(range(200, 1001, 100))
        early = {name: np.median(share[:, 1:10]) for name, share in earned.items()}
        assert early["the lesson's"] == pytest.approx(0.13, abs=0.005)
        assert early["equal rates"] == pytest.approx(0.01, abs=0.005)
        assert np.mean(earned["equal rates"][:, 1:10] < 0) == pytest.approx(0.27, abs=0.01)
        medians = {name: np.median(found["JSD"]) for name, found in final.items()}
        assert medians["independent noise"] / medians["the lesson's"] == pytest.approx(1.5, abs=0.05)
        no_penalty, lesson = (np.median(final[name]["distance"]) for name in ("no penalty", "the lesson's"))
        assert no_penalty > lesson

    def test_row_of_the_comparison_table(self):
        (row,) = (row for row in comparison_rows() if row["lesson"] == 4)
        final = load("gan_line")["results"]["the lesson's"]["final"]
        assert f"JSD {np.median(final['JSD']):.4f} nats" in row["distance"]
        assert f"D {np.median(final['distance']):.3f} from p/(p + q)" in row["distance"]

    def test_ring(self):
        results = load("gan_ring")["results"]
        modes = {name: np.array(result["modes"]) for name, result in results.items()}
        share = {name: np.array(result["share"]) for name, result in results.items()}
        good = {name: int(np.sum((modes[name] == 8) & (share[name] >= 0.95))) for name in results}
        assert list(good.values()) == [0, 9, 16, 20, 18]
        slow, plain, _, r1, paired = results
        assert modes[slow].max() == 2
        assert np.sum(modes[slow] == 0) == 13
        assert set(modes[plain][modes[plain] < 8]) == {3, 4, 5, 6, 7}
        assert np.all(modes[paired] == 8)
        assert np.all(share[paired][share[paired] < 0.95].round(2) == 0.94)
        assert 0.95 < share[r1].min() < share[r1].max() < 0.985
        seconds = np.concatenate([result["seconds"] for result in results.values()])
        assert (int(seconds.min()), round(seconds.max())) == (9, 37)

    def test_digits(self):
        samplers = load("gan_digits")["results"]["samplers"]
        distance = {name: np.mean(found["distance"]) for name, found in samplers.items()}
        teaches = {name: np.mean(found["accuracy"]) for name, found in samplers.items()}
        assert round(distance["GAN"] / distance["training digits"], 1) == 1.2
        assert abs(distance["QDA"] - distance["GAN"]) < 0.02
        assert distance["LDA"] < 1.1 * distance["GAN"]
        for naive in ("Gaussian naive Bayes", "Bernoulli naive Bayes"):
            assert distance[naive] > 1.5 * distance["GAN"]
            assert teaches[naive] < teaches["GAN"] - 0.05
        assert 0.02 < teaches["training digits"] - teaches["GAN"] < 0.025

    def test_profile(self):
        for loop in load("gan_profile")["results"].values():
            assert np.median(loop["shares"], axis=0)[0] == pytest.approx(0.2, abs=0.05)
