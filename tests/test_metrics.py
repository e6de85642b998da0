"""The metrics: against closed forms, scipy's root of a matrix, and counts by hand."""

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from course_utils.metrics import bits_per_byte, exact_match, frechet_distance, mode_coverage, perplexity


class TestFrechet:
    def test_of_one_feature_is_that_of_two_normals(self):
        """(μ_a − μ_b)² + (σ_a − σ_b)²."""
        rng = np.random.default_rng(0)
        a, b = rng.normal(1.0, 2.0, (50, 1)), rng.normal(-0.5, 0.7, (80, 1))
        expected = (a.mean() - b.mean()) ** 2 + (a.std(ddof=1) - b.std(ddof=1)) ** 2
        assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-10)

    def test_is_that_of_the_definition(self):
        rng = np.random.default_rng(1)
        a, b = (rng.normal(size=(n, 5)) @ rng.normal(size=(5, 5)) + rng.normal(size=5) for n in (60, 40))
        A, B = np.cov(a.T), np.cov(b.T)
        expected = np.sum((a.mean(axis=0) - b.mean(axis=0)) ** 2) + np.trace(A + B - 2 * sqrtm(A @ B).real)
        assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-8)

    def test_is_a_squared_distance(self):
        rng = np.random.default_rng(2)
        a, b = rng.normal(size=(30, 4)), 2 * rng.normal(size=(25, 4))
        assert frechet_distance(a, a) == pytest.approx(0.0, abs=1e-9)
        assert frechet_distance(a, b) == pytest.approx(frechet_distance(b, a), rel=1e-9)
        assert frechet_distance(a, a + np.array([3, 0, 4, 0])) == pytest.approx(25.0)
        rotation = np.linalg.qr(rng.normal(size=(4, 4)))[0]
        assert frechet_distance(a @ rotation, b @ rotation) == pytest.approx(frechet_distance(a, b))

    def test_fewer_rows_than_features_are_no_obstacle(self):
        rng = np.random.default_rng(3)
        assert frechet_distance(rng.normal(size=(5, 20)), rng.normal(size=(6, 20))) > 0

    def test_falls_with_the_rows_where_nothing_differs(self):
        rng = np.random.default_rng(4)
        few, many = (frechet_distance(rng.normal(size=(n, 8)), rng.normal(size=(n, 8))) for n in (50, 2000))
        assert many < few / 10

    @pytest.mark.parametrize(
        ("a", "b", "message"),
        [
            (np.zeros((5, 2)), np.zeros((5, 3)), r"with the same d; got \(5, 2\) and \(5, 3\)"),
            (np.zeros(5), np.zeros((5, 3)), r"with the same d; got \(5,\) and \(5, 3\)"),
            (np.zeros((1, 3)), np.zeros((5, 3)), "at least two rows; got 1 and 5"),
            (np.full((4, 3), np.nan), np.zeros((5, 3)), "must be finite"),
        ],
    )
    def test_errors(self, a, b, message):
        with pytest.raises(ValueError, match=message):
            frechet_distance(a, b)


class TestModeCoverage:
    CENTRES = np.array([[0.0, 0.0], [10.0, 0.0], [0.0, 10.0]])

    def test_counts_what_is_there(self):
        x = np.zeros((1000, 2))
        x[:15] = self.CENTRES[1] + [0.29, 0.0]  # 1.5 %, within 3 deviations
        x[15:24] = self.CENTRES[2]  # 0.9 %: too few for a mode, but near one
        x[24:40] = [5.0, 5.0]  # between
        modes, share = mode_coverage(x, self.CENTRES, 0.1)
        assert modes == 2
        assert share == pytest.approx(1 - 16 / 1000)
        assert mode_coverage(x, self.CENTRES, 0.1, least=0.005)[0] == 3
        assert mode_coverage(x, self.CENTRES, 0.09)[1] == pytest.approx(1 - 31 / 1000)

    def test_of_the_data_themselves_it_is_known(self):
        """Within 3 deviations in the plane: 1 − exp(−9/2)."""
        rng = np.random.default_rng(0)
        x = self.CENTRES[rng.integers(3, size=200_000)] + 0.5 * rng.normal(size=(200_000, 2))
        modes, share = mode_coverage(x, self.CENTRES, 0.5)
        assert modes == 3
        assert share == pytest.approx(1 - np.exp(-4.5), abs=1e-3)

    @pytest.mark.parametrize("x", [np.zeros((0, 2)), np.zeros((3, 1)), np.zeros(3)])
    def test_errors(self, x):
        with pytest.raises(ValueError, match=r"with the same d; got "):
            mode_coverage(x, self.CENTRES, 1.0)


class TestExactMatch:
    def test_a_row_is_right_from_first_to_last_or_wrong(self):
        wanted = torch.tensor([[5, 6, 2], [5, 2, 0], [7, 8, 2], [5, 6, 2]])
        found = torch.tensor([[5, 6, 2, 0], [5, 6, 2, 0], [7, 8, 9, 2], [6, 5, 2, 0]])
        assert exact_match(found, wanted).tolist() == [True, False, False, False]
        assert exact_match(wanted, found).tolist() == [True, False, False, False]

    def test_what_comes_too_short_is_wrong(self):
        assert exact_match(torch.tensor([[5, 6]]), torch.tensor([[5, 6, 2]])).tolist() == [False]


class TestLanguageModels:
    def test_a_guess_among_v_has_the_perplexity_v(self):
        for v in (2, 65, 8192):
            assert perplexity(np.log(v)) == pytest.approx(v)

    def test_bits_per_byte_do_not_depend_on_the_tokens(self):
        """Uniform bytes cost eight bits each, whether they are guessed one by one or in pairs."""
        assert bits_per_byte(np.log(256), 1000, 1000) == pytest.approx(8)
        assert bits_per_byte(np.log(256**2), 500, 1000) == pytest.approx(8)
        assert bits_per_byte(np.log(2), 30, 10) == pytest.approx(3)

    def test_without_bytes_there_is_none(self):
        with pytest.raises(ValueError, match="n_bytes must be at least 1; got 0"):
            bits_per_byte(1.0, 3, 0)
