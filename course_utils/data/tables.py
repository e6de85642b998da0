"""Three small tables of measurements, bundled with scikit-learn: no download, no random choice."""

from dataclasses import dataclass

import numpy as np
from sklearn import datasets


@dataclass(frozen=True, eq=False)
class Table:
    """A labelled table of n examples with d features and K classes.

    X: (n, d) float64. y: (n,) int64 in 0 … K−1, an index into class_names.
    feature_names: d names. class_names: K names.
    units: d entries, the unit of each feature, "1" for a ratio, None where the source gives no unit.
    """

    name: str
    X: np.ndarray
    y: np.ndarray
    feature_names: tuple[str, ...]
    class_names: tuple[str, ...]
    units: tuple[str | None, ...]

    def __repr__(self):
        n, d = self.X.shape
        return f"Table({self.name!r}: {n} examples, {d} features, {len(self.class_names)} classes)"


def iris() -> Table:
    """150 iris flowers, 4 lengths in cm, 3 species of 50 each (Anderson 1935; Fisher 1936)."""
    bunch = datasets.load_iris()
    names = tuple(name.removesuffix(" (cm)") for name in bunch.feature_names)
    return Table("iris", bunch.data, bunch.target, names, tuple(map(str, bunch.target_names)), ("cm",) * 4)


def wine() -> Table:
    """178 Italian wines, 13 chemical measurements, 3 cultivars of 59, 71, 48 (Forina et al., PARVUS)."""
    bunch = datasets.load_wine()
    names = tuple(name.replace("_", " ") for name in bunch.feature_names)
    units = tuple("1" if name in ("hue", "od280/od315 of diluted wines") else None for name in names)
    cultivars = tuple(f"cultivar {k}" for k in (1, 2, 3))
    return Table("wine", bunch.data, bunch.target, names, cultivars, units)


def breast_cancer() -> Table:
    """569 tumours, 30 measurements of cell nuclei in an image, malignant (212) = 0 or benign (357) = 1.

    Each of ten measurements comes three times: mean, standard error ("error") and mean of the three
    largest ("worst"), so the features are strongly dependent (Street, Wolberg and Mangasarian 1993).
    """
    bunch = datasets.load_breast_cancer()
    names = tuple(map(str, bunch.feature_names))
    classes = tuple(map(str, bunch.target_names))
    return Table("breast_cancer", bunch.data, bunch.target, names, classes, (None,) * len(names))


def stratified_order(y, rng):
    """An order of the rows in which each class takes its turn, so that the first m rows hold m / K of each."""
    rank = np.empty(len(y), dtype=int)
    for k in np.unique(y):
        rows = np.flatnonzero(y == k)
        rank[rows] = rng.permutation(len(rows))
    return np.lexsort((rng.random(len(y)), rank))
