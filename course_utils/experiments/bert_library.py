"""Which library is a docstring from? BERT beside lesson 3's naive Bayes, from ten labels to a thousand.

BERT reads a docstring's sentences, cut to 64 pieces: from random weights, frozen, and fine-tuned. Lesson 3's
multinomial naive Bayes (α = 0.1) reads either the words of the whole docstring, with its code and tables, as in lesson
3, or just those sentences, cut alike. Each seed puts the training documents in a stratified order and labels the first
ones. Stored are the right predictions of all test documents, as counts.
"""

import hashlib

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer

from course_utils.data import manifest
from course_utils.data.shipped import checkpoint
from course_utils.data.tables import stratified_order
from course_utils.data.text import docstrings
from course_utils.data.wordpiece import docstring_tokenizer
from course_utils.experiments.bert_tasks import KINDS, fine_tune
from course_utils.experiments.text_learning_curve import decide
from course_utils.models.naive_bayes import MultinomialNB
from course_utils.recipes import finetuning

CONFIG = {
    "seeds": 3,
    "model": hashlib.sha256((checkpoint("bert-docstrings") / "model.safetensors").read_bytes()).hexdigest()[:16],
    "corpus": hashlib.sha256(manifest.PATH.read_bytes()).hexdigest()[:16],
    "sizes": [10, 30, 100, 300, 1000],
    "steps": [60, 60, 100, 150, 250],
    "kinds": KINDS,
    "alpha": 0.1,
}


def first_pieces(texts, length):
    """Each text up to where its first length − 2 pieces end: what BERT reads between [CLS] and [SEP]."""
    encoded = docstring_tokenizer().encode_batch(texts)
    return [text[: code.offsets[: length - 2][-1][1]] for text, code in zip(texts, encoded, strict=True)]


def naive_bayes(train, y, test, alpha):
    """Predictions for test texts, of the words that the training texts have: (n,) of class indices."""
    counter = CountVectorizer()
    model = MultinomialNB(alpha=alpha).fit(counter.fit_transform(train), y)
    return model.classes_[decide(model.predict_log_proba(counter.transform(test)))]


def run(config, report):
    """results[kind][size index][seed], right of results["test_documents"]; kinds are BERT's and naive Bayes' two."""
    corpora = {part: docstrings(part) for part in ("train", "test")}
    y = {part: corpus.y for part, corpus in corpora.items()}
    length = finetuning.PRESETS["library"].length
    texts = {
        "naive Bayes, whole docstrings": {p: [d.text for d in corpus] for p, corpus in corpora.items()},
        "naive Bayes, what BERT reads": {
            p: first_pieces([" ".join(d.sentences) for d in corpus], length) for p, corpus in corpora.items()
        },
    }
    results = {kind: [[] for _ in config["sizes"]] for kind in (*config["kinds"], *texts)}
    for seed in range(config["seeds"]):
        order = stratified_order(y["train"], np.random.default_rng(seed))
        for i, (size, steps) in enumerate(zip(config["sizes"], config["steps"], strict=True)):
            for name, part in texts.items():
                rows = order[:size]
                found = naive_bayes([part["train"][r] for r in rows], y["train"][rows], part["test"], config["alpha"])
                results[name][i].append(int((found == y["test"]).sum()))
            for kind, changes in config["kinds"].items():
                options = {"examples": size, "steps": steps, "batch_size": min(16, size)}
                found = fine_tune("library", seed, **options | changes)
                results[kind][i].append(round(found["accuracy"] * len(y["test"])))
            report(f"{size} labels, seed {seed}: { {kind: rows[i][-1] for kind, rows in results.items()} }")
    return {"test_documents": len(y["test"]), **results}
