"""The GAN on digits from several seeds, beside the samplers of lessons 1 to 3: Fréchet distance, and what they teach.

Each sampler draws digits of given classes. Measured are the Fréchet distance to the test digits, in the features of the
shipped classifier, with as many rows and the same classes on both sides; and the accuracy on the test digits of a
classifier that was trained on as many samples as there are training digits, and on nothing else. The floor of both is
the training digits themselves.
"""

import dataclasses
import types

import numpy as np
import torch
from torch.utils.data import TensorDataset

from course_utils.data import images
from course_utils.data.shipped import checkpoint
from course_utils.experiments.runs import train_whole
from course_utils.metrics import frechet_distance
from course_utils.models.gaussian import QuadraticDiscriminantAnalysis
from course_utils.models.lda import LinearDiscriminantAnalysis
from course_utils.models.naive_bayes import BernoulliNB, GaussianNB
from course_utils.recipes import classifier, gan
from course_utils.training.loop import load

SAMPLERS = {
    "QDA": lambda: QuadraticDiscriminantAnalysis(reg_param=1e-4),
    "LDA": LinearDiscriminantAnalysis,
    "Gaussian naive Bayes": GaussianNB,
    "Bernoulli naive Bayes": lambda: BernoulliNB(binarize=0.5),
}
CONFIG = {
    "seeds": 5,
    "preset": dataclasses.asdict(gan.PRESETS["digits"]),
    "classifier": dataclasses.asdict(classifier.PRESETS["digits"]),
    "samplers": list(SAMPLERS),
    "draws": 20,  # sets that a distance is the mean of
    "shown": [0, 50, 150, 500, 1500, 5000],  # steps at which seed 0 draws each class
}


def run(config, report):
    """results["samplers"][name], by seed: "distance", "distance deviation" over the draws, "accuracy".

    Among the names are "GAN" and "training digits", the floor. "seconds" of each GAN's training are of the machine that
    ran it. "history": what seed 0 draws from the same z at some "steps", "images" (steps, 30, 64) in sixteenths.
    """
    train_set, test = images.digits("train"), images.digits("test")
    judge = load(checkpoint("classifier-digits"), classifier)
    names = ["GAN", "training digits", *config["samplers"]]
    results = {name: {"distance": [], "distance deviation": [], "accuracy": []} for name in names}
    seconds, history = [], None
    for seed in range(config["seeds"]):
        preset = gan.Config(**{**config["preset"], "seed": seed})
        film = Film(config["shown"] if seed == 0 else ())
        trained = train_whole(gan, preset, observe=film, log_every=50, save_every=preset.steps)
        seconds.append(round(float(trained.history["seconds"][-1]), 1))
        history = history or film.record()
        generator = torch.Generator().manual_seed(seed)
        for name in names:
            if name == "GAN":
                draw = lambda y: trained.model.sample(len(y), generator, torch.from_numpy(y)).numpy()  # noqa: B023, E731
            else:
                draw = shelf(name, train_set, seed)
            for measure, value in measured(draw, judge, train_set, test, config, seed).items():
                results[name][measure].append(value)
        report(f"seed {seed}: " + ", ".join(f"{name} {results[name]['distance'][-1]:.2f}" for name in names))
    return {"samplers": results, "seconds": seconds, "history": history}


class Film:
    """``train(…, observe=Film(steps))``: three digits of each class at some steps, always from the same z."""

    def __init__(self, steps):
        self.steps, self.images = list(steps), []

    def __call__(self, model, step):
        if step in self.steps:
            y = torch.arange(10).repeat_interleave(3)
            x = model.sample(len(y), torch.Generator().manual_seed(0), y)
            self.images.append((16 * x).round().int().tolist())

    def record(self):
        return {"steps": self.steps, "images": self.images}


def shelf(name, train_set, seed):
    """A function that draws digits of given classes, (n,) → (n, 64), from a fitted model or the training digits."""
    rng = np.random.default_rng([seed, 1])
    if name == "training digits":
        X, y = train_set.X, train_set.y
    else:
        model = SAMPLERS[name]().fit(train_set.X, train_set.y)
        X, y = model.sample(30_000, random_state=seed)
    rows = {k: np.flatnonzero(y == k) for k in range(10)}

    def draw(classes):
        found = np.empty((len(classes), X.shape[1]))
        for k in np.unique(classes):
            found[classes == k] = X[rng.choice(rows[k], size=np.sum(classes == k), replace=False)]
        return found

    return draw


def measured(draw, judge, train_set, test, config, seed):
    """The three numbers of ``run`` for one sampler and one seed."""
    real = _features(judge, test.X)
    distances = [frechet_distance(_features(judge, draw(test.y)), real) for _ in range(config["draws"])]
    # As many of each class as there are among the training digits.
    taught = TensorDataset(_tensor(draw(train_set.y)), torch.from_numpy(train_set.y))
    tested = TensorDataset(_tensor(test.X), torch.from_numpy(test.y))
    lesson = types.SimpleNamespace(**{**vars(classifier), "data": lambda config, source: (taught, tested)})
    found = train_whole(
        lesson, classifier.Config(**{**config["classifier"], "seed": seed}), log_every=100, save_every=10**6
    )
    return {
        "distance": round(float(np.mean(distances)), 4),
        "distance deviation": round(float(np.std(distances)), 4),
        "accuracy": round(float(found.history["test accuracy"][-1]), 4),
    }


def _features(judge, x):
    return classifier.features(judge, _tensor(x)).numpy()


def _tensor(x):
    return torch.from_numpy(np.asarray(x, dtype=np.float32))
