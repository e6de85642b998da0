"""The shipped BERT of the docstrings on documents that it has not seen, against floors on the same tokens and pairs.

Nothing is trained here but the floors, on the training part. Of the chosen tokens (15 %, shown 80/10/10) stored are
the mean of −log p in nats and the share that is right, over all and by how the token was shown: for the frequencies of
pieces; for the piece before; for the pieces before and after, p(x_t | x_{t−1}) p(x_{t+1} | x_t) normalised, which is
exact for a chain of such pieces. These see true neighbours even where BERT sees [MASK]. Of the pairs stored is the
share that is told apart, by BERT and by the pieces that the two texts share. A walk by Gibbs sampling is stored as
text.
"""

import hashlib
from collections import Counter

import numpy as np
import torch
from scipy.sparse import coo_array

from course_utils.data import manifest
from course_utils.data.pairs import SentencePairs
from course_utils.data.shipped import checkpoint
from course_utils.data.text import docstrings
from course_utils.data.wordpiece import CLS, MASK, PIECES, SEP, SPECIAL, docstring_tokenizer
from course_utils.models.masked import gibbs
from course_utils.recipes import bert
from course_utils.training.loop import load

MODEL = "bert-docstrings"
CONFIG = {
    "seeds": 1,
    "model": hashlib.sha256((checkpoint(MODEL) / "model.safetensors").read_bytes()).hexdigest()[:16],
    "corpus": hashlib.sha256(manifest.PATH.read_bytes()).hexdigest()[:16],
    "pairs": 2048,
    "walk": {"text": "Return the mean of the array along the given axis.", "sweeps": 20},
}


class Bigrams:
    """p(piece | the piece before), smoothed as by Witten and Bell (1991), and the frequencies of pieces.

    A piece that has been followed by n kinds of pieces in c places gives n / (c + n) to what the frequencies say.

    Parameters
    ----------
    rows : sequence of sequences of int, token ids
    """

    def __init__(self, rows):
        counts = np.bincount(np.concatenate([np.asarray(row) for row in rows]), minlength=PIECES).astype(float)
        counts[len(SPECIAL) :] += 1.0  # a piece that the training part lacks may come
        counts[: len(SPECIAL)] *= [piece in (CLS, SEP) for piece in range(len(SPECIAL))]
        self.frequencies = counts / counts.sum()
        before, after = (np.concatenate([np.asarray(row[cut]) for row in rows]) for cut in (slice(-1), slice(1, None)))
        seen = coo_array((np.ones(len(before)), (before, after)), shape=(PIECES, PIECES)).tocsr()
        seen.sum_duplicates()
        kinds, places = np.diff(seen.indptr), np.asarray(seen.sum(axis=1)).ravel()
        self._new = np.where(places > 0, kinds / np.maximum(places + kinds, 1), 1.0)  # (V,)
        self._seen = seen.multiply((1 / np.maximum(places + kinds, 1))[:, None]).tocsr()
        self._behind = self._seen.tocsc()

    def after(self, before):
        """p(· | piece before): (n,) → (n, V)."""
        return self._seen[before].toarray() + self._new[before, None] * self.frequencies

    def between(self, before, after):
        """p(· | pieces on both sides), of a chain: (n,), (n,) → (n, V)."""
        follow = self._behind[:, after].toarray().T + np.outer(self.frequencies[after], self._new)  # p(after | ·)
        joint = self.after(before) * follow
        return joint / joint.sum(axis=1, keepdims=True)


def shared(tokens, segments, weight):
    """The weights of the pieces that both texts have, over those of the shorter one's: (B, T) twice → (B,)."""
    found = []
    for row, segment in zip(tokens.tolist(), segments.tolist(), strict=True):
        texts = [{piece for piece, s in zip(row, segment) if s == k and piece >= len(SPECIAL)} for k in (0, 1)]
        totals = [sum(weight[piece] for piece in text) for text in texts]
        found.append(sum(weight[piece] for piece in texts[0] & texts[1]) / max(min(totals), 1e-9))
    return np.array(found)


def threshold(scores, label):
    """The one above which a pair is best called consecutive (label 0)."""
    order = np.argsort(scores)
    right = np.cumsum(label[order]) + np.append(np.cumsum((label[order] == 0)[::-1])[::-1][1:], 0)
    return scores[order][right.argmax()]


def measure(config, model, test, bigrams):
    """Nats and share right of the chosen tokens, by model and floors, and the share of pairs that the model tells."""
    rows, how, pairs = {}, [], Counter()
    for tokens, segments, label, shown, chosen in bert.asked(test, config["pairs"]):
        with torch.no_grad():
            hidden = model.encode(shown, segments, tokens != model.config.pad)
            log_p = {"bert": model.mlm(hidden[chosen]).log_softmax(dim=-1).numpy()}
            clean = model.encode(tokens, segments, tokens != model.config.pad)
            for name, read in (("bert", hidden), ("bert, nothing hidden", clean)):
                pairs[name] += (model.nsp(read).argmax(dim=1) == label).sum().item()
        row, place = (index.numpy() for index in torch.nonzero(chosen, as_tuple=True))
        ids, seen = tokens.numpy(), shown.numpy()[row, place]
        wanted, before, after = ids[row, place], ids[row, place - 1], ids[row, place + 1]
        log_p["frequencies"] = np.broadcast_to(np.log(np.maximum(bigrams.frequencies, 1e-300)), log_p["bert"].shape)
        log_p["piece before"] = np.log(np.maximum(bigrams.after(before), 1e-300))
        log_p["both neighbours"] = np.log(np.maximum(bigrams.between(before, after), 1e-300))
        for name, table in log_p.items():
            found = np.stack([-table[np.arange(len(wanted)), wanted], table.argmax(axis=1) == wanted], axis=1)
            rows.setdefault(name, []).append(found)  # nats, right: (n, 2)
        how.append(np.where(seen == MASK, "[MASK]", np.where(seen == wanted, "stays", "random")))
    rows, how = {name: np.concatenate(parts) for name, parts in rows.items()}, np.concatenate(how)
    return {
        "tokens": len(how),
        "mlm": {name: summary(found) for name, found in rows.items()},
        "mlm by shown": {
            kind: {"tokens": int((how == kind).sum())}
            | {name: summary(found[how == kind]) for name, found in rows.items()}
            for kind in ("[MASK]", "random", "stays")
        },
        "nsp": {name: count / config["pairs"] for name, count in pairs.items()},
    }


def summary(found):
    """The means of (n, 2), nats and right."""
    nats, right = found.mean(axis=0)
    return {"nats": round(float(nats), 4), "accuracy": round(float(right), 4)}


def run(config, report):
    """results: "tokens", "mlm"[name] = {"nats", "accuracy"}, "nsp"[name] = accuracy, "walk" = list of texts.

    "mlm by shown" is "mlm" apart for tokens shown as [MASK], as a random one, and as they stand.
    """
    tokenizer, parts = docstring_tokenizer(), {part: docstrings(part) for part in ("train", "test")}
    model = load(checkpoint(MODEL), bert)
    sentences = {part: [document.sentences for document in corpus] for part, corpus in parts.items()}
    rows = tokenizer.encode_batch([" ".join(text) for text in sentences["train"]])
    bigrams = Bigrams([[CLS, *row.ids, SEP] for row in rows])
    train, test = (
        SentencePairs(sentences[part], tokenizer, length=model.config.length, size=config["pairs"])
        for part in ("train", "test")
    )
    results = measure(config, model, test, bigrams)
    report(str(results))
    documents = Counter(piece for row in rows for piece in set(row.ids))
    weight = np.log(len(rows) / (1 + np.array([documents[piece] for piece in range(PIECES)])))
    batches = [part[range(config["pairs"])] for part in (train, test)]
    scores = [shared(tokens, segments, weight) for tokens, segments, _ in batches]
    cut = threshold(scores[0], batches[0][2].numpy())
    results["nsp"]["shared pieces"] = float(np.mean((scores[1] <= cut) == batches[1][2].numpy()))
    report(str(results["nsp"]))
    ids = [CLS, *tokenizer.encode(config["walk"]["text"]).ids, SEP]

    def log_p(tokens):
        logits = model(tokens).mlm_logits
        logits[..., : len(SPECIAL)] = -torch.inf
        return logits.log_softmax(dim=-1)

    generator = torch.Generator().manual_seed(0)
    positions = range(1, len(ids) - 1)
    walk = gibbs(log_p, torch.tensor([ids]), MASK, config["walk"]["sweeps"], positions=positions, generator=generator)
    results["walk"] = [tokenizer.decode(state[0].tolist()) for state in walk]
    return results
