"""Images of one grey channel as rows of pixels in [0, 1]: the digits that every lesson samples, and MNIST."""

import dataclasses
from dataclasses import dataclass

import numpy as np

DIGITS_SEED = 0
DIGITS_TEST_SIZE = 360
DIGITS_VALIDATION_SIZE = 288


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

    part: "all" (1797, in scikit-learn's order), "train" (1437) or "test" (360). The split is fixed: scikit-learn's
    `train_test_split`, stratified by class, with `random_state=0`, each part back in the original order; a test
    pins its hash. dtype: of X, a float type; k/16 is exact in every one.

    Raises ValueError for another part or an integer dtype.
    """
    from sklearn.datasets import load_digits

    rows, bunch = _digit_rows(part), load_digits()
    X = bunch.data[rows].astype(_float(dtype)) / 16
    return Images("digits", X, bunch.target[rows].astype(np.int64), (8, 8), 16, tuple("0123456789"))


def _digit_rows(part: str) -> np.ndarray:
    """Which of the 1797 digits make up a part, in increasing order."""
    from sklearn.datasets import load_digits
    from sklearn.model_selection import train_test_split

    if part not in ("all", "train", "test"):
        raise ValueError(f"part must be 'all', 'train' or 'test', got {part!r}")
    y = load_digits().target
    rows = np.arange(len(y))
    if part != "all":
        train, test = train_test_split(rows, test_size=DIGITS_TEST_SIZE, random_state=DIGITS_SEED, stratify=y)
        rows = np.sort(train if part == "train" else test)
    return rows


def mnist(part: str = "train", dtype=np.float32) -> Images:
    """MNIST's handwritten digits of 28×28 pixels, values k/255: an optional download that no lesson needs.

    part: "train" (60,000) or "test" (10,000). dtype: of X, a float type. Raises ValueError for another part or an
    integer dtype, and `downloads.DownloadError` or `DataFolderError` where the files are not there and cannot be had.
    """
    return _idx("mnist", part, dtype, tuple("0123456789"))


def fashion_mnist(part: str = "train", dtype=np.float32) -> Images:
    """Fashion-MNIST's articles of clothing, in the same format and with the same arguments as `mnist`."""
    names = "T-shirt/top,Trouser,Pullover,Dress,Coat,Sandal,Shirt,Sneaker,Bag,Ankle boot"
    return _idx("fashion-mnist", part, dtype, tuple(names.split(",")))


def _idx(name: str, part: str, dtype, class_names: tuple[str, ...]) -> Images:
    from . import downloads

    if part not in ("train", "test"):
        raise ValueError(f"part must be 'train' or 'test', got {part!r}")
    dtype = _float(dtype)
    start = f"{name}-{'train' if part == 'train' else 't10k'}"
    pixels = downloads.read(f"{start}-images-idx3-ubyte.gz")
    labels = downloads.read(f"{start}-labels-idx1-ubyte.gz")
    # The contents' hashes were compared, so the headers (magic number and sizes, 16 and 8 bytes) can be passed over.
    X = np.frombuffer(pixels, np.uint8, offset=16).reshape(-1, 28 * 28).astype(dtype)
    X /= 255
    return Images(name, X, np.frombuffer(labels, np.uint8, offset=8).astype(np.int64), (28, 28), 255, class_names)


def _float(dtype) -> np.dtype:
    if not np.issubdtype(dtype, np.floating):
        raise ValueError(f"dtype must be a float type (pixels lie in [0, 1]), got {np.dtype(dtype)}")
    return np.dtype(dtype)


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


def binarised_digits(part: str = "all", dtype=np.float32) -> Images:
    """The digits with pixels 0 or 1, drawn once by a fixed seed and never again: every model sees the same bits.

    A grey level of these digits is the share of ink in a block of 4×4 pixels of a scan, so that a binary pixel is one
    pixel of its block, picked at random; its mean is the grey level.

    part: "all", "train" or "test" as in `digits`; "fit" (1,149) and "validation" (288) share out "train", stratified by
    class with `random_state=0`, for what has to be chosen. Raises ValueError for another part or an integer dtype.
    """
    from sklearn.model_selection import train_test_split

    everything = digits(dtype=dtype)
    bits = binarise(everything.X, np.random.default_rng(DIGITS_SEED))
    rows = _digit_rows("train" if part in ("fit", "validation") else part)
    if part in ("fit", "validation"):
        fit, validation = train_test_split(
            rows, test_size=DIGITS_VALIDATION_SIZE, random_state=DIGITS_SEED, stratify=everything.y[rows]
        )
        rows = np.sort(fit if part == "fit" else validation)
    return dataclasses.replace(everything, name="binarised digits", X=bits[rows], y=everything.y[rows], levels=1)
