"""Lesson 3's stored experiments: repeated with two seeds they give what is stored, and the lesson's row says it."""

import numpy as np
import pytest
from scipy.sparse import csr_array

from course_utils.data.tables import stratified_order
from course_utils.experiments import naive_bayes_optimum, text_learning_curve
from course_utils.experiments.comparison import comparison_rows
from course_utils.experiments.results import load
from course_utils.optima.dependence import correlated_pair


class TestTextLearningCurve:
    def test_vocabulary_is_that_of_the_training_documents(self):
        train = csr_array(np.array([[1, 0, 2, 0], [0, 0, 1, 0]]))
        other = csr_array(np.array([[3, 5, 0, 7]]))
        seen, restricted = text_learning_curve.restrict(train, other)
        assert seen.toarray().tolist() == [[1, 2], [0, 1]]
        assert restricted.toarray().tolist() == [[3, 0]]

    @pytest.mark.parametrize("name", text_learning_curve.CONFIG["models"])
    def test_every_model_gives_a_distribution_over_the_classes(self, name):
        counts = csr_array(np.random.default_rng(0).poisson(1.0, (12, 7)))
        y = np.repeat([0, 1, 2], 4)
        model = text_learning_curve.CONFIG["models"][name]
        log_q = text_learning_curve.log_posterior(model, counts, y, counts[:5], 100)
        assert log_q.shape == (5, 3)
        np.testing.assert_allclose(np.exp(log_q).sum(axis=1), 1)

    def test_equal_posteriors_go_to_the_first_class_whatever_their_rounding(self):
        log_q = np.log([[0.5, 0.5, 1e-9], [0.2, 0.4, 0.4]]) + 1e-12 * np.array([[0, 1, 0], [0, 0, 1]])
        assert text_learning_curve.decide(log_q).tolist() == [0, 1]

    @pytest.mark.slow  # the text corpus is read from the sources of six libraries
    def test_two_seeds_again(self):
        config = text_learning_curve.CONFIG | {"seeds": 2, "documents_per_class": [1, 5, 20]}
        again = text_learning_curve.run(config, lambda line: None)
        stored = load("text_learning_curve")["results"]
        columns = [text_learning_curve.CONFIG["documents_per_class"].index(k) for k in (1, 5, 20)]
        assert again["test_documents"] == stored["test_documents"]
        assert again["vocabulary"] == np.array(stored["vocabulary"])[columns, :2].tolist()
        errors = np.array(stored["errors"])[:, columns, :2]
        losses = np.array(stored["log_losses"])[:, columns, :2]
        # Naive Bayes is a closed form; logistic regression stops where its solver's tolerance says.
        np.testing.assert_allclose(np.array(again["errors"])[:3], errors[:3], rtol=0, atol=1)
        np.testing.assert_allclose(np.array(again["log_losses"])[:3], losses[:3], rtol=1e-4)
        assert np.abs(np.array(again["errors"])[3:] - errors[3:]).max() <= 0.02 * stored["test_documents"]
        np.testing.assert_allclose(np.array(again["log_losses"])[3:], losses[3:], atol=0.02)

    @pytest.mark.slow
    def test_strengths_have_the_least_validation_error_among_powers_of_ten(self):
        counts, y, other, y_other = text_learning_curve.load_counts("validation")

        def error(model):
            wrong = []
            for seed in range(3):
                rows = stratified_order(y, np.random.default_rng(seed))[:600]
                train, held_out = text_learning_curve.restrict(counts[rows], other)
                log_q = text_learning_curve.log_posterior(model, train, y[rows], held_out, 300)
                wrong.append(np.mean(text_learning_curve.decide(log_q) != y_other))
            return np.mean(wrong)

        for name, model in text_learning_curve.CONFIG["models"].items():
            strength = "C" if model["kind"] == "logistic" else "alpha"
            if name.endswith("α = 1"):
                continue  # everybody's default, not chosen
            neighbours = [error(model | {strength: model[strength] * factor}) for factor in (0.1, 10)]
            assert error(model) <= min(neighbours), name


class TestNaiveBayesOptimum:
    def test_two_seeds_again(self):
        config, sizes = naive_bayes_optimum.CONFIG, [40, 400]
        again = naive_bayes_optimum.run(config | {"seeds": 2, "sizes": sizes}, lambda line: None)
        columns = [config["sizes"].index(size) for size in sizes]
        for name, result in load("naive_bayes_optimum")["results"].items():
            assert again[name]["bayes_error"] == pytest.approx(result["bayes_error"], abs=1e-10)
            for measure in ("nats", "excess"):
                stored = np.array(result[measure])[:, columns, :2]
                found = np.array(again[name][measure])
                np.testing.assert_allclose(found[:2], stored[:2], atol=2e-6)  # closed forms
                np.testing.assert_allclose(found[2], stored[2], rtol=0.02, atol=2e-3)

    def test_rules_are_the_models_own_log_odds(self):
        problem = correlated_pair(0.6)
        X, y = naive_bayes_optimum.training_set(problem, 60, seed=1)
        assert np.bincount(y).tolist() == [30, 30]
        model = naive_bayes_optimum.GaussianNB().fit(X, y)
        expected = model.predict_log_proba(X) @ [-1, 1]
        np.testing.assert_allclose(naive_bayes_optimum.fit_rule("naive Bayes", X, y, 100)(X), expected, atol=1e-9)

    def test_the_lesson_tells_what_the_record_holds(self):
        results = load("naive_bayes_optimum")["results"]
        median = {name: np.median(r["nats"], axis=2) for name, r in results.items()}  # (models, sizes)
        excess = {name: np.mean(r["excess"], axis=2) for name, r in results.items()}
        independent, correlated = results
        assert np.all(median[independent].argmin(axis=0) == 0)  # naive Bayes is closest
        assert np.all(median[correlated][0, 2:] > median[correlated][1:, 2:])  # and farthest where it is wrong
        assert np.all(excess[correlated].argmin(axis=0) == 0)  # but its decisions are the best there

    def test_comparison_row_says_what_the_experiment_found(self):
        (row,) = (row for row in comparison_rows() if row["lesson"] == 3)
        results = load("naive_bayes_optimum")["results"]
        for result in results.values():
            assert f"{np.median(result['nats'][0][-1]):.4f} nats" in row["distance"]
