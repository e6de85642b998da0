"""Images of one grey channel as rows of pixels in [0, 1]: the digits that every lesson samples, and MNIST."""

from dataclasses import dataclass

import numpy as np

DIGITS_SEED = 0
DIGITS_TEST_SIZE = 360


@dataclass(frozen=True, eq=False)
class Images:
    """n grey images of height h and width w, in one of K classes.

    X: (n, h·w), row-major pixels, 0 = background, 1 = full ink. y: (n,) int64 in 0 … K−1.
    shape: (h, w). levels: a pixel is an integer in 0 … levels, divided by levels.
    """

    name: str
    X: np.ndarray
    y: np.ndarray
    shape: tuple[int, int]
    levels: int
    class_names: tuple[str, ...]

    @property
    def images(self) -> np.ndarray:
        """The same pixels as (n, h, w), a view."""
        return self.X.reshape(-1, *self.shape)

    def __repr__(self):
        h, w = self.shape
        return f"Images({self.name!r}: {len(self.X)} of {h}×{w}, {len(self.class_names)} classes)"


def digits(part: str = "all", dtype=np.float64) -> Images:
    """scikit-learn's 1797 handwritten digits of 8×8 pixels, values k/16.

    part: "all" (1797, in scikit-learn's order), "train" (1437) or "test" (360). The split is fixed:
    `sklearn.model_selection.train_test_split` stratified by class with `random_state=0`, each part then sorted
    into the original order; a test pins its hash. dtype: of X; k/16 is exact in every float type.

    Raises ValueError for any other part.
    """
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    if part not in ("all", "train", "test"):
        raise ValueError(f"part must be 'all', 'train' or 'test', got {part!r}")
    bunch = load_digits()
    rows = np.arange(len(bunch.target))
    if part != "all":
        train, test = train_test_split(
            rows, test_size=DIGITS_TEST_SIZE, random_state=DIGITS_SEED, stratify=bunch.target
        )
        rows = np.sort(train if part == "train" else test)
    X = (bunch.data[rows] / 16).astype(dtype)
    return Images("digits", X, bunch.target[rows], (8, 8), 16, tuple("0123456789"))


def binarise(X, generator=None) -> np.ndarray:
    """Pixels in [0, 1] → 0 or 1, same shape and float dtype as X.

    With a `numpy.random.Generator`, pixel x becomes 1 with probability x (the stochastic binarisation of
    Salakhutdinov and Murray, 2008); without one, when x ≥ 1/2. Raises ValueError for a value outside [0, 1] or NaN.
    """
    X = np.asarray(X)
    if not np.issubdtype(X.dtype, np.floating):
        X = X.astype(np.float64)
    if X.size and not (X.min() >= 0 and X.max() <= 1):
        raise ValueError(f"X must lie in [0, 1], got values from {X.min()} to {X.max()}")
    ink = X >= 0.5 if generator is None else generator.random(X.shape) < X
    return ink.astype(X.dtype)
