"""Naive Bayes against logistic regression on real text, from six documents to five thousand.

The task: which of six libraries is a docstring from? Each seed puts the training documents in a stratified order of its
own and trains on the first m, so that a larger training set contains the smaller ones. The vocabulary is that of the
training documents alone; other words of a test document are passed over. Stored are wrong predictions as counts, and
the mean of −log q(y | x) over the test documents in nats.
"""

import hashlib

import numpy as np
from sklearn.feature_extraction.text import CountVectorizer, TfidfTransformer
from sklearn.linear_model import LogisticRegression

from course_utils.data import manifest, text
from course_utils.data.tables import stratified_order
from course_utils.models.naive_bayes import BernoulliNB, MultinomialNB

CONFIG = {
    "seeds": 10,
    "documents_per_class": [1, 2, 5, 10, 20, 50, 100, 200, 400, 833],
    # α = 1 is there because it is everybody's default. The other strengths have the least error on the *validation*
    # documents, at 600 training documents, among the neighbouring powers of ten (see the tests).
    "models": {
        "multinomial naive Bayes, α = 0.1": {"kind": "multinomial", "alpha": 0.1},
        "multinomial naive Bayes, α = 1": {"kind": "multinomial", "alpha": 1.0},
        "Bernoulli naive Bayes, α = 1e-5": {"kind": "Bernoulli", "alpha": 1e-5},
        "logistic regression, tf-idf": {"kind": "logistic", "C": 10.0, "tfidf": True},
        "logistic regression, counts": {"kind": "logistic", "C": 0.1, "tfidf": False},
    },
    "max_iter": 300,
    "corpus": hashlib.sha256(manifest.PATH.read_bytes()).hexdigest()[:16],  # other documents are another experiment
}


def load_counts(held_out="test"):
    """Word counts of all training documents and of another part: (n, V) and (n',) sparse, with labels (n,), (n',)."""
    train, other = text.docstrings("train"), text.docstrings(held_out)
    vectorizer = CountVectorizer()
    counts = vectorizer.fit_transform(document.text for document in train)
    return counts, train.y, vectorizer.transform(document.text for document in other), other.y


def restrict(train, other):
    """Both without the words that ``train`` does not have: the vocabulary that its documents alone would give."""
    seen = np.flatnonzero(np.asarray(train.sum(axis=0)).ravel())
    return train[:, seen], other[:, seen]


def log_posterior(model, train, y, other, max_iter):
    """Fit the model with those settings of CONFIG and return log q(y | x) of the other documents, (n', K)."""
    if model["kind"] == "logistic":
        if model["tfidf"]:
            weighting = TfidfTransformer().fit(train)
            train, other = weighting.transform(train), weighting.transform(other)
        fitted = LogisticRegression(C=model["C"], max_iter=max_iter).fit(train, y)
    else:
        kind = {"multinomial": MultinomialNB, "Bernoulli": BernoulliNB}[model["kind"]]
        fitted = kind(alpha=model["alpha"]).fit(train, y)
    return fitted.predict_log_proba(other)


def decide(log_q):
    """The most probable class of each row, (n, K) → (n,).

    With one document a class many posteriors are equal; then the first class is taken, rather than what rounding says.
    """
    return np.round(log_q, 6).argmax(axis=1)


def run(config, report):
    """Errors (counts) and log losses (nats a document), (model, size, seed) as nested lists."""
    counts, y, test, y_test = load_counts()
    n_classes = len(np.unique(y))
    shape = (len(config["models"]), len(config["documents_per_class"]), config["seeds"])
    errors, losses = np.zeros(shape, dtype=int), np.zeros(shape)
    vocabulary = np.zeros(shape[1:], dtype=int)
    for seed in range(config["seeds"]):
        order = stratified_order(y, np.random.default_rng(seed))
        for j, per_class in enumerate(config["documents_per_class"]):
            rows = order[: per_class * n_classes]
            train, held_out = restrict(counts[rows], test)
            vocabulary[j, seed] = train.shape[1]
            for i, model in enumerate(config["models"].values()):
                log_q = log_posterior(model, train, y[rows], held_out, config["max_iter"])
                errors[i, j, seed] = np.sum(decide(log_q) != y_test)
                losses[i, j, seed] = -log_q[np.arange(len(y_test)), y_test].mean()
        report(f"{seed + 1} of {config['seeds']} orders")
    return {
        "sizes": [per_class * n_classes for per_class in config["documents_per_class"]],
        "test_documents": len(y_test),
        "classes": n_classes,
        "vocabulary": vocabulary.tolist(),
        "errors": errors.tolist(),
        "log_losses": np.round(losses, 5).tolist(),
    }
