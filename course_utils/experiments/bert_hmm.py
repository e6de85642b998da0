"""The shipped BERT of the hidden Markov language against its optimum, and texts drawn from its conditionals.

Nothing is trained here. Stored are means of −log p of masked words in nats, with standard errors over sentences: by
the share of words that are masked, for one blank at each place of a clean sentence, for those who see the left side
alone, and for word frequencies. Then Gibbs sampling, from words drawn one by one by frequency: with BERT's
conditionals and with the exact ones, the distance of the pairs of neighbours from the language's, in total variation,
and log p(x) a word.
"""

import hashlib

import numpy as np
import torch

from course_utils.data.shipped import checkpoint
from course_utils.models.masked import gibbs
from course_utils.optima.hmm import at_words
from course_utils.recipes import bert
from course_utils.training.loop import load

MODEL = "bert-hmm"
CONFIG = {
    "seeds": 1,
    "model": hashlib.sha256((checkpoint(MODEL) / "model.safetensors").read_bytes()).hexdigest()[:16],
    "sentences": 4096,
    "shares": [0.05, 0.15, 0.3, 0.45, 0.6],
    "blanks": 256,  # sentences, each with a blank at each place in turn
    "chains": 256,
    "sweeps": 6,
}


def mean_and_error(nats, chosen):
    """The mean over chosen words and its standard error, sentences being independent: (n, T) twice → list of two."""
    counts, sums = chosen.sum(axis=1), np.where(chosen, nats, 0.0).sum(axis=1)
    mean = sums.sum() / counts.sum()
    error = np.sqrt(np.sum((sums - mean * counts) ** 2)) / counts.sum()
    return [round(float(mean), 5), round(float(error), 5)]


def bert_log_p(model):
    """Tokens (B, T) → log p of the words (B, T, V), [MASK] itself left out."""
    return lambda shown: model(shown).mlm_logits[..., : bert.HMM_MASK].log_softmax(dim=-1)


def exact_log_p(shown):
    """The same by forward–backward."""
    return torch.from_numpy(bert.LANGUAGE.log_both_sides(shown.numpy(), shown.numpy() == bert.HMM_MASK))


def pairs_of_neighbours():
    """p(x_t, x_{t+1}) of the language, (V, V)."""
    language = bert.LANGUAGE
    return language.emission.T @ (language.initial[:, None] * language.transition) @ language.emission


def distance(texts):
    """Total variation between the pairs of neighbours of texts (…, T) and the language's."""
    first, second = texts[..., :-1].ravel(), texts[..., 1:].ravel()
    counts = np.zeros((bert.LANGUAGE.words, bert.LANGUAGE.words))
    np.add.at(counts, (first, second), 1)
    return round(float(0.5 * np.abs(counts / counts.sum() - pairs_of_neighbours()).sum()), 4)


def by_share(model, config):
    """results["shares"][share]: nats of BERT, the optimum, the left-only optimum and frequencies; "over": of BERT."""
    words = bert.LANGUAGE.sample(config["sentences"], model.config.length, np.random.default_rng([2, 0]))[0]
    frequencies = np.log(bert.LANGUAGE.initial @ bert.LANGUAGE.emission)
    found = {}
    for share in config["shares"]:
        shown, chosen = bert.hide(torch.from_numpy(words), share, torch.Generator().manual_seed(0))
        with torch.no_grad():
            log_p = torch.cat([bert_log_p(model)(part) for part in shown.split(256)]).double().numpy()
        hidden = chosen.numpy()
        nats = {
            "bert": -at_words(log_p, words),
            "optimum": -at_words(bert.LANGUAGE.log_both_sides(words, hidden), words),
            "left": -at_words(bert.LANGUAGE.log_past(words, hidden), words),
            "frequencies": -frequencies[words],
        }
        nats["over"] = nats["bert"] - nats["optimum"]
        found[str(share)] = {"words": int(hidden.sum())}
        found[str(share)] |= {name: mean_and_error(values, hidden) for name, values in nats.items()}
    return found


def one_blank(model, config):
    """The same for one blank in a clean sentence, at each place in turn."""
    words = bert.LANGUAGE.sample(config["blanks"], model.config.length, np.random.default_rng([2, 1]))[0]
    log_p = np.empty((*words.shape, bert.LANGUAGE.words))
    for t in range(words.shape[1]):
        shown = torch.from_numpy(words).clone()
        shown[:, t] = bert.HMM_MASK
        with torch.no_grad():
            log_p[:, t] = bert_log_p(model)(shown)[:, t]
    nats = {
        "bert": -at_words(log_p, words),
        "optimum": -at_words(bert.LANGUAGE.log_both_sides(words), words),
        "left": -at_words(bert.LANGUAGE.log_past(words), words),
    }
    nats |= {"over": nats["bert"] - nats["optimum"], "right": nats["left"] - nats["optimum"]}
    return {name: mean_and_error(values, np.ones_like(words, dtype=bool)) for name, values in nats.items()}


def walks(model, config):
    """results["gibbs"][whose conditionals]: "distance" and "log p" a word, at the beginning and after each sweep."""
    rng = np.random.default_rng([2, 2])
    shape = (config["chains"], model.config.length)
    frequencies = bert.LANGUAGE.initial @ bert.LANGUAGE.emission
    begin = torch.from_numpy(rng.choice(len(frequencies), size=shape, p=frequencies))
    texts = {"language": bert.LANGUAGE.sample(*shape, rng)[0][None]}
    for name, log_p in (("bert", bert_log_p(model)), ("exact", exact_log_p)):
        generator = torch.Generator().manual_seed(0)
        texts[name] = gibbs(log_p, begin, bert.HMM_MASK, config["sweeps"], generator=generator).numpy()
    return {
        name: {
            "distance": [distance(sweep) for sweep in states],
            "log p": [round(float(bert.LANGUAGE.log_conditionals(sweep).mean()), 4) for sweep in states],
        }
        for name, states in texts.items()
    }


def run(config, report):
    """results: "shares", "one blank" and "gibbs"; see the functions above."""
    model = load(checkpoint(MODEL), bert)
    found = {"shares": by_share(model, config)}
    report(f"15 % masked: {found['shares'].get('0.15')}")
    found["one blank"] = one_blank(model, config)
    report(f"one blank: {found['one blank']}")
    found["gibbs"] = walks(model, config)
    report(f"Gibbs sampling: {found['gibbs']}")
    return found
