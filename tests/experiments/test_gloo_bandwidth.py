"""What several processes cost: the formulas, the stored times, and that docs/cluster.md shows them.

A repetition gives other times, so only what does not depend on the machine is compared with what is stored, and the
times to a factor that no machine exceeds.
"""

import numpy as np
import pytest

from course_utils.experiments import gloo_bandwidth as cost
from course_utils.experiments.results import load
from tools.cluster import PAGE, PICTURE, draw, filled

LATENCY, BANDWIDTH = 2e-4, 5e8


@pytest.fixture(scope="module")
def record():
    return load("gloo_bandwidth")


@pytest.mark.parametrize("p", [2, 3, 4, 8])
def test_a_ring_moves_what_the_formula_says(p):
    """All-reduce on a ring of p, played: in each of 2(p − 1) rounds each sends one of its p parts to the next."""
    rng = np.random.default_rng(0)
    parts = rng.integers(100, size=(p, p, 3))  # process, part, numbers
    total, sent, rounds = parts.sum(axis=0), np.zeros(p), 0
    for phase in range(2):
        for k in range(p - 1):
            before, rounds = parts.copy(), rounds + 1
            for i in range(p):
                part = (i - k + phase) % p
                if phase == 0:
                    parts[(i + 1) % p, part] += before[i, part]
                else:
                    parts[(i + 1) % p, part] = before[i, part]
                sent[i] += 4 * parts.shape[2]
    np.testing.assert_array_equal(parts, np.broadcast_to(total, parts.shape))
    np.testing.assert_allclose(sent, cost.moved(p, 4 * total.size))
    assert rounds == 2 * (p - 1)
    seconds = cost.communication(p, total.size, LATENCY, BANDWIDTH)
    assert seconds == pytest.approx(rounds * LATENCY + sent[0] / BANDWIDTH)


def test_fit_finds_latency_and_bandwidth():
    sizes = np.array([4e3, 1e6, 1e8])
    for p in (2, 3):
        seconds = cost.communication(p, sizes / 4, LATENCY, BANDWIDTH)
        assert cost.fit(sizes, seconds, p) == (pytest.approx(LATENCY), pytest.approx(BANDWIDTH), pytest.approx(0))
    seconds = cost.communication(2, sizes / 4, LATENCY, BANDWIDTH) * [1.1, 1.0, 0.9]
    assert 0.02 < cost.fit(sizes, seconds)[2] < 0.1


@pytest.mark.parametrize("parameters", [1e3, 1e5, 1e7])
@pytest.mark.parametrize("step", [0.002, 0.2, 20.0])
def test_where_more_processes_stop_paying(step, parameters):
    given = step, parameters, LATENCY, BANDWIDTH
    for overlap in (False, True):
        p = cost.half_efficiency(*given, overlap=overlap)
        assert p > 1
        assert cost.speed_up(p, *given, overlap=overlap) == pytest.approx(p / 2)
    around = np.linspace(1, 2 * cost.fastest(*given) + 1, 20_001)
    best = around[np.argmax(cost.speed_up(around, *given))]
    assert cost.fastest(*given) == pytest.approx(best, abs=2 * (around[1] - around[0]))
    assert cost.speed_up(1, *given) == 1


def test_latency_and_bandwidth_are_those_of_the_stored_times(record):
    found = record["results"]
    times = np.array(found["all-reduce"])
    assert times.shape == (len(record["config"]["bytes"]), record["config"]["seeds"])
    again = cost.fit(record["config"]["bytes"], np.median(times, axis=1))
    stored = [found[name] for name in ("latency", "bandwidth", "largest relative error of the fit")]
    np.testing.assert_allclose(again, stored, rtol=1e-4)
    assert stored[2] < 1  # within a factor of two, though the machine was busy; else two numbers do not describe it


def test_the_page_shows_what_is_stored(record):
    page = PAGE.read_text(encoding="utf-8")
    assert filled(page, record) == page, "type python tools/cluster.py"
    assert f"({PICTURE.name})" in page
    assert PICTURE.exists()


def test_the_picture_draws_what_is_stored(record):
    left, right = draw(record).axes
    found = record["results"]
    measured = left.lines[0].get_xydata()
    np.testing.assert_array_equal(measured[:, 0], record["config"]["bytes"])
    np.testing.assert_allclose(measured[:, 1], 1e3 * np.median(found["all-reduce"], axis=1))
    curves = {curve.get_label(): curve.get_xydata() for curve in right.lines}
    for name, it in found["steps"].items():
        given = np.median(it["seconds"]), it["parameters"], found["latency"], found["bandwidth"]
        p, speed_up = curves[name][-1]
        assert speed_up == pytest.approx(cost.speed_up(p, *given))


@pytest.mark.slow
def test_a_small_one_again(record):
    models = {name: cost.CONFIG["models"][name] for name in list(cost.CONFIG["models"])[:3]}
    config = cost.CONFIG | {"seeds": 2, "bytes": cost.CONFIG["bytes"][:5:2], "seconds": 0.02, "models": models}
    lines = []
    again = cost.run(config, lines.append)
    assert len(lines) == 1 + len(models)
    assert again.keys() == record["results"].keys()
    ratio = np.median(again["all-reduce"], axis=1) / np.median(record["results"]["all-reduce"], axis=1)[:5:2]
    assert (ratio > 0.01).all()
    assert (ratio < 100).all()
    for name, it in again["steps"].items():
        assert it["parameters"] == record["results"]["steps"][name]["parameters"]
        assert 0.01 < np.median(it["seconds"]) / np.median(record["results"]["steps"][name]["seconds"]) < 100
