"""Natural language inference by rule: a reader of one's own finds each label, and the hypothesis alone none."""

import re
from collections import Counter, defaultdict

import pytest
from scipy.stats import chisquare

from course_utils.data.entailment import LABELS, NOUNS, VERBS, sample_entailment
from course_utils.data.wordpiece import docstring_tokenizer

BASE = {third: base for base, third in VERBS}
CLAUSE = re.compile(r"(does not )?(\w+) the (\w+)")


def read(text):
    """The statements of a text: (verb, noun) → whether it is so."""
    found = {}
    for denied, verb, noun in CLAUSE.findall(text):
        found[verb if denied else BASE[verb], noun] = not denied
    return found


@pytest.mark.parametrize("part", ["train", "test"])
def test_the_label_is_what_the_statements_say(part):
    for premise, hypothesis, label in sample_entailment(2000, part, 0):
        said = read(premise)
        ((statement, affirmed),) = read(hypothesis).items()
        assert sorted(said.values()) == [False, True]
        if statement in said:
            assert LABELS[label] == ("entailment" if said[statement] == affirmed else "contradiction")
        else:
            assert LABELS[label] == "neutral"
            assert any(word in known for known in said for word in statement)  # one of its words is the premise's


def test_the_hypothesis_alone_tells_nothing():
    """Labels by what can be seen of the hypothesis: whether it denies, and each verb."""
    examples = sample_entailment(12_000, "train", 1)
    by_feature = defaultdict(Counter)
    for example in examples:
        ((verb, _), affirmed), *_ = read(example.hypothesis).items()
        by_feature[affirmed][example.label] += 1
        by_feature[verb][example.label] += 1
    assert len(by_feature) == 2 + len(VERBS)
    p = [chisquare([labels[k] for k in range(3)]).pvalue for labels in by_feature.values()]
    assert min(p) > 1e-4


def test_nouns_of_the_test_part_are_in_no_training_example():
    words = [
        {noun for e in sample_entailment(3000, part, 2) for text in e[:2] for _, noun in read(text)}
        for part in ("train", "test")
    ]
    assert not words[0] & words[1]
    assert words[0] | words[1] == set(NOUNS)


def test_nouns_are_whole_pieces():
    assert all(len(docstring_tokenizer().encode(noun).ids) == 1 for noun in NOUNS)
    assert len(set(NOUNS)) == len(NOUNS)


def test_examples_follow_from_the_random_state():
    assert sample_entailment(5, "test", 3) == sample_entailment(5, "test", 3) != sample_entailment(5, "test", 4)
    with pytest.raises(ValueError, match="part must be 'train' or 'test'; got 'validation'"):
        sample_entailment(1, "validation", 0)
