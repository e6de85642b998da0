"""The tables are those of the literature, and their parts fit together."""

import numpy as np
import pytest

from course_utils.data import tables

TABLES = {
    "iris": (tables.iris, (150, 4), [50, 50, 50]),
    "wine": (tables.wine, (178, 13), [59, 71, 48]),
    "breast_cancer": (tables.breast_cancer, (569, 30), [212, 357]),
}


@pytest.mark.parametrize("name", TABLES)
def test_shape_types_and_class_counts(name):
    load, shape, counts = TABLES[name]
    table = load()
    assert table.name == name
    assert table.X.shape == shape
    assert table.X.dtype == np.float64
    assert table.y.dtype == np.int64
    assert np.isfinite(table.X).all()
    assert np.bincount(table.y).tolist() == counts
    assert len(table.class_names) == len(set(table.class_names)) == len(counts)
    assert len(table.feature_names) == len(set(table.feature_names)) == len(table.units) == shape[1]


def test_iris_is_fishers_table_and_not_the_one_with_two_wrong_rows():
    X = tables.iris().X
    np.testing.assert_array_equal(X[34], [4.9, 3.1, 1.5, 0.2])
    np.testing.assert_array_equal(X[37], [4.9, 3.6, 1.4, 0.1])
    assert tables.iris().units == ("cm",) * 4
    assert tables.iris().feature_names == ("sepal length", "sepal width", "petal length", "petal width")


def test_malignant_is_zero_and_has_the_larger_cells():
    table = tables.breast_cancer()
    assert table.class_names == ("malignant", "benign")
    assert table.X[table.y == 0, 0].mean() > table.X[table.y == 1, 0].mean()


def test_a_caller_who_changes_a_table_changes_only_his_own():
    tables.iris().X[:] = 0
    assert tables.iris().X.min() > 0


def test_a_stratified_order_has_each_class_in_turn_so_that_a_larger_part_contains_the_smaller():
    y = np.repeat([0, 1, 2], [20, 30, 40])
    order = tables.stratified_order(y, np.random.default_rng(0))
    assert sorted(order) == list(range(90))
    for m in (2, 5, 20):
        assert np.bincount(y[order[: 3 * m]]).tolist() == [m, m, m]
