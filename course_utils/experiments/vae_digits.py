"""What Bernoulli models say of held-out binarised digits, of noise and of digits upside down: log p(x) in nats.

Naive Bayes, a mixture, a linear VAE, the lesson's VAE and the one that knows the class, on the same bits. What has to
be chosen is chosen on a part of the training set; then each is trained on all of it. Of a VAE the importance-weighted
bound counts, so that it is never credited with more than it has, but for the noise of the draws, which is stored too.
"""

import dataclasses
import itertools
import math

import numpy as np
import torch

from course_utils.data import images
from course_utils.models.bernoulli_mixture import BernoulliMixture
from course_utils.models.naive_bayes import BernoulliNB
from course_utils.models.vae import iwae_bound
from course_utils.recipes import vae
from course_utils.training.loop import train

CONFIG = {
    "seeds": 5,
    # Of each model: what is fixed, and what is chosen on the validation set, every combination of it.
    "models": {
        "naive Bayes": {"fixed": {}, "choices": {"alpha": [0.03, 0.1, 0.3, 1.0]}},
        "mixture": {
            "fixed": {"n_init": 3},
            "choices": {"n_components": [10, 20, 30, 40, 60, 80, 120], "alpha": [0.1, 0.3, 1.0]},
        },
        "linear VAE": {
            "fixed": dataclasses.asdict(vae.PRESETS["digits-linear"]),
            "choices": {"latent": [8, 16, 32, 48], "steps": [2000, 4000, 8000]},
        },
        "VAE": {"fixed": dataclasses.asdict(vae.PRESETS["digits"]), "choices": {"latent": [4, 8, 16, 32]}},
        "VAE by class": {
            "fixed": dataclasses.asdict(vae.PRESETS["digits-by-class"]),
            "choices": {"latent": [4, 8, 16]},
        },
    },
    "k": [1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000],  # of the bounds; the last one for log p(x)
    "validation_k": 500,
    "seed_of_noise": 0,
}


def fit(name, parameters, parts, seed):
    """A model trained on the first of two parts of the digits: a function (images (n, 64), k, generator) → log p(x)."""
    data = images.binarised_digits(parts[0])
    if name == "naive Bayes":
        model = BernoulliNB(binarize=None, **parameters).fit(data.X, data.y)
        return lambda X, k, generator: model.score_samples(X)
    if name == "mixture":
        model = BernoulliMixture(random_state=seed, **parameters).fit(data.X)
        return lambda X, k, generator: model.score_samples(X)
    config = vae.Config(**parameters | {"seed": seed, "hidden": tuple(parameters["hidden"])})
    source = "digits-validation" if parts[0] == "fit" else "digits"
    model = train(vae, config, source=source, save_every=config.steps).model.eval()
    priors = np.log(np.bincount(data.y) / len(data.y))

    @torch.no_grad()
    def score(X, k, generator):
        x = torch.from_numpy(np.asarray(X, dtype=np.float32))
        if not config.classes:
            return iwae_bound(model, x, k, generator).double().numpy()
        # log p(x) = log Σ_y p(y) p(x | y); bounds of all p(x | y), which share the draws, give a bound of the sum.
        k = max(1, k // config.classes)
        labels = [torch.full((len(x),), label) for label in range(config.classes)]
        joint = [prior + iwae_bound(model, x, k, generator, y=y) for prior, y in zip(priors, labels, strict=True)]
        return torch.logsumexp(torch.stack(joint), dim=0).double().numpy()

    return score


def combinations(model):
    """Every choice of a model's parameters, as dictionaries."""
    return [
        dict(zip(model["choices"], values, strict=True)) for values in itertools.product(*model["choices"].values())
    ]


def choose(name, model, config, report):
    """[[choice, nats on the validation set], …] for every choice; nothing is trained where there is none."""
    validation, table = images.binarised_digits("validation").X, []
    for choice in combinations(model):
        if len(combinations(model)) == 1:
            return [[choice, None]]
        score = fit(name, model["fixed"] | choice, ("fit", "validation"), seed=0)
        nats = score(validation, config["validation_k"], torch.Generator().manual_seed(0)).mean()
        table.append([choice, round(float(nats), 4)])
        report(f"{name} {choice}: {nats:.3f} nats on the validation set")
    return table


def questions(config):
    """What log p(x) is asked of, name → (n, 64): held-out digits, the same turned by half a turn, and noise."""
    X = images.binarised_digits("test").X
    noise = np.random.default_rng(config["seed_of_noise"]).integers(2, size=X.shape).astype(X.dtype)
    return {"held out": X, "upside down": X[:, ::-1].copy(), "noise": noise}


def run(config, report):
    """results["choices"][model]: what was tried on the validation set, and "chosen"[model] the best of it.

    "log p"[model][set]: the mean over the images, a number a seed; "images"[model][set]: of the first seed, each image.
    "monte carlo"[model]: standard error of the held-out mean by the draws of z alone. "bounds"[model]: (seed, k), the
    importance-weighted bound of the held-out images.
    """
    names = list(config["models"])
    results = {part: {name: {} for name in names} for part in ("choices", "chosen", "log p", "images")}
    results |= {"monte carlo": {}, "bounds": {}}
    asked = questions(config)
    for name, model in config["models"].items():
        table = choose(name, model, config, report)
        best = max(table, key=lambda row: row[1])[0] if len(table) > 1 else table[0][0]
        results["choices"][name], results["chosen"][name] = table, best
        sampled = "VAE" in name
        results["log p"][name] = {key: [] for key in asked}
        for seed in range(config["seeds"]):
            score = fit(name, model["fixed"] | best, ("train", "test"), seed)
            generator = torch.Generator().manual_seed(seed)
            for key, X in asked.items():
                log_p = score(X, config["k"][-1], generator)
                results["log p"][name][key].append(round(float(log_p.mean()), 4))
                if seed == 0:
                    results["images"][name][key] = np.round(log_p, 2).tolist()
                if seed == 0 and key == "held out" and sampled:
                    again = score(X, config["k"][-1], generator)
                    noise = (log_p - again).std() / math.sqrt(2 * len(X))
                    results["monte carlo"][name] = float(f"{noise:.2g}")
            if name in ("linear VAE", "VAE"):
                bounds = [score(asked["held out"].repeat(repeats(k), axis=0), k, generator).mean() for k in config["k"]]
                results["bounds"].setdefault(name, []).append(np.round(bounds, 4).tolist())
            report(f"{name}, seed {seed}: {results['log p'][name]['held out'][-1]:.3f} nats held out")
    return results


def repeats(k):
    """How often each image is taken for the bound of k draws, so that few draws are averaged often."""
    return max(1, 100 // k)
