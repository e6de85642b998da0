"""Digits and their fixed split, binarising, and MNIST where the caller has it."""

import gzip
import hashlib
import os
import struct
from pathlib import Path

import numpy as np
import pytest

from course_utils.data import downloads, images

SUPPLIED = Path(os.environ.get("COURSE_SUPPLIED_DATA", "no such folder"))


def test_digits_are_sixteenths_in_their_places():
    digits = images.digits()
    assert digits.X.shape == (1797, 64)
    assert digits.images.shape == (1797, 8, 8)
    assert np.shares_memory(digits.X, digits.images)
    assert set(np.unique(digits.X * digits.levels)) == set(range(17))
    np.testing.assert_array_equal(digits.images[0, 0] * 16, [0, 0, 5, 13, 9, 1, 0, 0])  # the first row of the first
    assert digits.y[:10].tolist() == list(range(10))


def test_the_split_is_a_stratified_partition():
    whole, train, test = (images.digits(part) for part in ("all", "train", "test"))
    assert (len(train.X), len(test.X)) == (1437, 360)
    rows = {row.tobytes() for row in whole.X}
    assert {row.tobytes() for row in np.vstack([train.X, test.X])} == rows
    assert {row.tobytes() for row in train.X}.isdisjoint(row.tobytes() for row in test.X)
    assert np.abs(np.bincount(test.y) - 0.2 * np.bincount(whole.y)).max() < 1


def test_the_split_is_the_one_that_stored_results_used():
    digest = hashlib.sha256((images.digits("test").X * 16).astype(np.uint8).tobytes()).hexdigest()
    assert digest == "342538e35bc5249d3b38fda72290ee7bdab962de1bda7a6e64e80d88c5204653"


@pytest.mark.parametrize("part", ["validation", "", None])
def test_an_unknown_part_is_named(part):
    with pytest.raises(ValueError, match="part must be"):
        images.digits(part)
    with pytest.raises(ValueError, match="part must be"):
        images.mnist(part)


def test_an_integer_dtype_would_lose_the_grey_levels():
    assert images.digits(dtype=np.float32).X.dtype == np.float32
    with pytest.raises(ValueError, match="float type"):
        images.digits(dtype=np.uint8)


def test_binarise_with_a_generator_draws_bernoulli_pixels():
    X = np.full((20_000, 3), [0.0, 0.25, 1.0], dtype=np.float32)
    drawn = images.binarise(X, np.random.default_rng(0))
    assert drawn.dtype == np.float32
    assert set(np.unique(drawn)) == {0, 1}
    np.testing.assert_allclose(drawn.mean(axis=0), [0, 0.25, 1], atol=4 * np.sqrt(0.25 * 0.75 / 20_000))
    np.testing.assert_array_equal(drawn, images.binarise(X, np.random.default_rng(0)))


def test_binarise_without_one_cuts_at_a_half():
    np.testing.assert_array_equal(images.binarise([0.0, 0.49, 0.5, 1.0]), [0, 0, 1, 1])


@pytest.mark.parametrize("bad", [[-0.1, 0.5], [0.2, 16.0], [np.nan]])
def test_binarise_refuses_what_is_no_probability(bad):
    with pytest.raises(ValueError, match=r"\[0, 1\]"):
        images.binarise(bad, np.random.default_rng(0))


def test_mnist_is_read_in_the_published_layout(monkeypatch):
    """Two images in MNIST's file format: magic number, sizes, row-major bytes."""
    pixels = np.arange(2 * 784).astype(np.uint8)
    files = {
        "mnist-t10k-images-idx3-ubyte.gz": struct.pack(">4i", 2051, 2, 28, 28) + pixels.tobytes(),
        "mnist-t10k-labels-idx1-ubyte.gz": struct.pack(">2i", 2049, 2) + bytes([7, 2]),
    }
    monkeypatch.setattr(downloads, "read", files.__getitem__)
    mnist = images.mnist("test")
    assert mnist.shape == (28, 28)
    assert mnist.X.dtype == np.float32
    assert mnist.y.tolist() == [7, 2]
    np.testing.assert_array_equal(np.round(mnist.images * 255), pixels.reshape(2, 28, 28))
    with pytest.raises(KeyError, match="fashion-mnist-t10k-images"):
        images.fashion_mnist("test")


@pytest.mark.skipif(
    not (SUPPLIED / "mnist-t10k-images-idx3-ubyte.gz").exists(), reason="COURSE_DATA has no MNIST test images"
)
def test_the_real_mnist_test_images(monkeypatch):
    monkeypatch.setenv("COURSE_DATA", str(SUPPLIED))
    mnist = images.mnist("test")
    assert mnist.X.shape == (10_000, 784)
    assert np.bincount(mnist.y).tolist() == [980, 1135, 1032, 1010, 982, 892, 958, 1028, 974, 1009]
    assert mnist.y[:5].tolist() == [7, 2, 1, 0, 4]
    assert mnist.X.mean() == pytest.approx(0.1325, abs=5e-5)
    stored = (SUPPLIED / "mnist-t10k-images-idx3-ubyte.gz").read_bytes()
    assert gzip.decompress(stored)[16:] == np.round(mnist.X * 255).astype(np.uint8).tobytes()


def test_binarised_digits_are_drawn_once():
    whole, train, test = (images.binarised_digits(part) for part in ("all", "train", "test"))
    assert set(np.unique(whole.X)) == {0, 1}
    assert whole.levels == 1
    assert whole.X.dtype == np.float32
    np.testing.assert_array_equal(images.binarised_digits(dtype=np.float64).X, whole.X)  # the same bits in every type
    grey = images.digits()
    assert np.all(whole.X[grey.X == 1] == 1)
    assert np.all(whole.X[grey.X == 0] == 0)
    assert whole.X[grey.X == 0.25].mean() == pytest.approx(0.25, abs=0.03)
    for part, name in ((train, "train"), (test, "test")):
        np.testing.assert_array_equal(part.y, images.digits(name).y)
        assert np.all(part.X[images.digits(name).X == 1] == 1)  # the bits are those of these images
    digest = hashlib.sha256(whole.X.astype(np.uint8).tobytes()).hexdigest()
    assert digest == "6052a813098765d7729c6234f89e894aa2b9f38d498ba934cb86b6a29a817c10"


def test_fit_and_validation_share_out_the_training_digits():
    fit, validation, train = (images.binarised_digits(part) for part in ("fit", "validation", "train"))
    assert (len(fit.X), len(validation.X)) == (1149, 288)
    both = np.vstack([fit.X, validation.X])
    np.testing.assert_array_equal(both[np.lexsort(both.T)], train.X[np.lexsort(train.X.T)])
    assert np.abs(np.bincount(validation.y) - 0.2 * np.bincount(train.y)).max() < 1
    with pytest.raises(ValueError, match="part must be"):
        images.binarised_digits("valid")
