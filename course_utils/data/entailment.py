"""Natural language inference by rule: whether a sentence follows from another one, contradicts it, or neither.

A premise says what something does and what it does not do: "The method sorts the list but does not change the mask." A
hypothesis affirms or denies something: "It does not sort the list." Clause, affirmation and the words that the premise
lacks are drawn with equal chances: the hypothesis alone, which tells much in published sets (Gururangan et al. 2018,
"Annotation artifacts in natural language inference data"), tells nothing here.
"""

from typing import NamedTuple

import numpy as np

LABELS = ("entailment", "neutral", "contradiction")
SUBJECTS = ("function", "method", "class", "module", "object", "program", "tool", "routine")
VERBS = tuple(
    (verb, verb + "s")
    for verb in (
        "return", "compute", "create", "build", "remove", "check", "test", "change", "replace", "find", "read", "load",
        "write", "store", "save", "convert", "transform", "split", "sort", "open", "close", "update", "plot", "draw",
        "show", "print", "evaluate", "estimate", "scale", "filter", "register", "send", "call", "wrap", "reset",
        "clear", "release", "use", "keep", "ignore", "select", "generate",
    )
)  # fmt: skip
NOUNS = tuple(
    "array list string axis tensor line color node model stream process signal kernel image text path index set column "
    "vector sum gradient weight parameter value type attribute operator equation root point sample target score "
    "density interval range grid legend event device memory header field table character byte number limit shape slice "
    "matrix tuple file figure label graph buffer thread message window pixel font mask key row scalar".split()
)
HELD_OUT = 16  # the last nouns are the test part's, no training example has them


class Example(NamedTuple):
    """``label``: an index into LABELS."""

    premise: str
    hypothesis: str
    label: int


def sample_entailment(n_samples, part, random_state):
    """Examples, whose labels are equally likely.

    Parameters
    ----------
    n_samples : int
    part : "train" or "test"; of another part are other nouns
    random_state : int or numpy Generator

    Returns
    -------
    list of Example

    Raises
    ------
    ValueError
        For another part.
    """
    if part not in ("train", "test"):
        raise ValueError(f"part must be 'train' or 'test'; got {part!r}.")
    nouns = NOUNS[-HELD_OUT:] if part == "test" else NOUNS[:-HELD_OUT]
    rng = np.random.default_rng(random_state)
    return [_example(rng, nouns) for _ in range(n_samples)]


def _example(rng, nouns):
    subject = SUBJECTS[rng.integers(len(SUBJECTS))]
    verbs = [VERBS[i] for i in rng.choice(len(VERBS), 3, replace=False)]
    things = [nouns[i] for i in rng.choice(len(nouns), 3, replace=False)]
    done = int(rng.integers(2))  # which of the two clauses affirms
    clauses = [_says(verb, thing, i == done) for i, (verb, thing) in enumerate(zip(verbs[:2], things[:2]))]
    label, affirms, clause = int(rng.integers(3)), bool(rng.integers(2)), int(rng.integers(2))
    verb, thing = verbs[clause], things[clause]
    if LABELS[label] == "neutral":  # one of the two words is not the premise's
        verb, thing = (verbs[2], thing) if rng.integers(2) else (verb, things[2])
    else:
        affirms = (clause == done) == (LABELS[label] == "entailment")
    return Example(f"The {subject} {clauses[0]} but {clauses[1]}.", f"It {_says(verb, thing, affirms)}.", label)


def _says(verb, thing, affirms):
    return f"{verb[1]} the {thing}" if affirms else f"does not {verb[0]} the {thing}"
