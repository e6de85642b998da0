"""Lesson 6's stored experiments: what is in them, what they show, and that a small run of each goes through."""

import hashlib

import numpy as np
import pytest
import torch
from torch import nn

from course_utils.data.numbers import number_pair, split_of
from course_utils.data.shipped import checkpoint
from course_utils.data.translation import ENGLISH, KOREAN
from course_utils.experiments import attention_cost, length_generalisation, translation_lists, translation_numbers
from course_utils.experiments.comparison import comparison_rows
from course_utils.experiments.results import load
from course_utils.recipes import translation
from course_utils.training import loop

SHIPPED = checkpoint("translation-lists")


def quiet(line):
    """Report to nobody."""


class TestAttentionCost:
    LENGTHS = attention_cost.CONFIG["lengths"]

    def test_memory_is_what_the_shapes_say(self):
        """Again, exactly: bytes depend on no machine. Written out, the weights alone are H T² numbers of 4 bytes."""
        config, stored = attention_cost.CONFIG, load("attention_cost")["results"]
        for name in config["layers"]:
            module, call = attention_cost.layer(name, config)
            for length, bytes_kept in list(zip(self.LENGTHS, stored[name]["bytes"]))[:4]:
                x = torch.zeros(config["batch"], length, config["d"])
                assert attention_cost.kept(call, x, module.parameters()) == bytes_kept, name
        c = stored["attention, written out"]["bytes_law"][2]
        assert c >= 0.99 * config["heads"] * 4
        for name in ("attention, fused", "GRU"):
            assert stored[name]["bytes_law"][2] < 0.05

    def test_the_laws_fit_and_say_what_grows(self):
        stored = load("attention_cost")["results"]
        for name, result in stored.items():
            for what in ("seconds", "bytes"):
                a, b, c = result[f"{what}_law"]
                T = np.array(self.LENGTHS)
                np.testing.assert_allclose((a + b * T + c * T**2)[3:], result[what][3:], rtol=0.4, err_msg=name)

    def test_what_a_sequence_of_twice_the_length_costs(self):
        """Attention four times the time, a GRU twice, but for what caches and noise add."""
        stored = load("attention_cost")["results"]
        ratio = {name: result["seconds"][-1] / result["seconds"][-2] for name, result in stored.items()}
        assert ratio["attention, written out"] > 3
        assert ratio["attention, fused"] > 3
        assert ratio["GRU"] < 2.6

    def test_law(self):
        T = np.array([1.0, 2, 4, 8, 16])
        assert attention_cost.law(T, 3 + 2 * T + 0.5 * T**2) == pytest.approx([3, 2, 0.5])
        assert attention_cost.law(T, 4 * T) == pytest.approx([0, 4, 0], abs=1e-9)

    def test_kept_counts_each_storage_once_and_no_parameter(self):
        layer = nn.Linear(3, 5, bias=False)
        x = torch.zeros(7, 3, requires_grad=True)
        assert attention_cost.kept(layer, x, layer.parameters()) == 7 * 3 * 4
        assert attention_cost.kept(lambda x: layer(x).tanh(), x, layer.parameters()) == (7 * 3 + 7 * 5) * 4
        assert attention_cost.kept(lambda x: x * x, x, []) == 7 * 3 * 4

    def test_a_run(self):
        small = attention_cost.CONFIG | {"lengths": [8, 16, 32], "rounds": 1}
        found = attention_cost.run(small, quiet)
        assert set(found) == set(load("attention_cost")["results"])
        assert all(len(result["seconds"]) == len(result["bytes"]) == 3 for result in found.values())


class TestTranslationLists:
    def test_test_lists_are_of_test_numbers_and_the_same_each_time(self):
        words = {number_pair(n).korean: n for n in range(100)}
        (source, target), (longer, _) = translation_lists.batches_by_length([1, 3], 20, [1, 2])
        for row in longer.tolist():
            assert all(split_of(words[word]) == "test" for word in KOREAN.decode(row).split(", "))
        assert all(KOREAN.decode(row).count(",") == 2 for row in longer.tolist())
        assert all(ENGLISH.decode(row).count(";") == 0 for row in target.tolist())
        assert torch.equal(source, translation_lists.batches_by_length([1], 20, [1, 2])[0][0])

    def test_what_is_stored(self):
        record = load("translation_lists")
        config, results = record["config"], record["results"]
        assert len(config["models"]) == len(results["models"]) == 3
        assert {len(rows) for rows in results["models"].values()} == {config["seeds"]}
        assert {len(rows) for rows in results["widths"].values()} == {config["widths"]["seeds"]}
        for rows in (*results["models"].values(), *results["widths"].values()):
            for row in rows:
                assert len(row["right"]) == len(config["lengths"])
                assert 0 <= min(row["right"]) <= max(row["right"]) <= config["lists"]

    def test_parameters_and_time_were_alike(self):
        models = load("translation_lists")["results"]["models"]
        parameters = [rows[0]["parameters"] for rows in models.values()]
        assert max(parameters) < 1.05 * min(parameters)
        seconds = [np.median([row["seconds"] for row in rows]) for rows in models.values()]
        assert max(seconds) < 1.35 * min(seconds)

    @pytest.mark.slow
    def test_a_run_of_few_steps(self):
        config = translation_lists.CONFIG
        models = {name: model | {"steps": 3} for name, model in config["models"].items()}
        small = config | {"seeds": 1, "models": models, "lengths": [1, 2], "lists": 4}
        small |= {"training": config["training"] | {"batch_size": 4, "pool": 50}}
        small |= {"widths": {"of": "GRU", "d": [16], "seeds": 1}}
        found = translation_lists.run(small, quiet)
        assert {name: len(rows[0]["right"]) for name, rows in found["models"].items()} == dict.fromkeys(models, 2)
        assert list(found["widths"]) == ["16"]


class TestTranslationNumbers:
    def test_the_promise(self):
        """99.5 % of unseen numbers exactly right, in each direction, in under 120 seconds."""
        record = load("translation_numbers")
        assert set(record["results"]) == {"numbers", "numbers-english-korean"}
        for rows in record["results"].values():
            assert len(rows) == record["config"]["seeds"]
            assert np.mean([row["uniform"] for row in rows]) >= 0.995 * record["config"]["numbers"]
            assert max(row["cpu_seconds"] for row in rows) < 120  # of one thread: other work on the machine adds none

    def test_held_out_numbers_are_test_numbers(self):
        source, target = translation_numbers.held_out("english", "korean", 30, [2])
        words = {number_pair(n).english: n for n in range(10, 100)}
        for row, other in zip(source.tolist(), target.tolist()):
            n = words[ENGLISH.decode(row)]
            assert split_of(n) == "test"
            assert KOREAN.decode(other) == number_pair(n).korean


class TestShippedTranslator:
    def test_it_is_what_its_configuration_says(self):
        model = loop.load(SHIPPED, translation)
        assert not model.training
        assert (model.source_embedding.num_embeddings, model.head.out_features) == (len(KOREAN), len(ENGLISH))

    def test_a_few_lists(self):
        model = loop.load(SHIPPED, translation)
        batches = translation_lists.batches_by_length([1, 3, 5], 16, range(1, 8))
        assert sum(translation_lists.right(model, batches)) >= 45

    @pytest.mark.slow
    def test_the_promise(self):
        """95 % of lists of 1 to 8 unseen numbers of two to seven digits exactly right."""
        model = loop.load(SHIPPED, translation)
        batches = translation_lists.batches_by_length(range(1, 9), 100, range(2, 8))
        assert sum(translation_lists.right(model, batches)) >= 0.95 * 800

    @pytest.mark.slow
    def test_its_known_faults(self):
        """Where numbers of one digit come as often as others, a seventh are 1, the only one that no list has had.

        Where nearly all have seven digits, eight of them are a text as long as the longest in training or longer.
        """
        model = loop.load(SHIPPED, translation)
        alike = translation_lists.batches_by_length(range(1, 9), 100, range(1, 8))
        assert 0.9 * 800 <= sum(translation_lists.right(model, alike)) < 0.98 * 800
        uniform = translation_lists.batches_by_length([6, 8], 100, None)
        six, eight = translation_lists.right(model, uniform)
        assert six >= 95
        assert eight <= 5


class TestLengthGeneralisation:
    def test_it_is_of_the_weights_that_ship(self):
        content = (SHIPPED / "model.safetensors").read_bytes()
        assert load("length_generalisation")["config"]["weights"] == hashlib.sha256(content).hexdigest()[:16]

    def test_what_is_stored(self):
        record = load("length_generalisation")
        config, results = record["config"], record["results"]
        rows = [results["as shipped"], *(row for name in config["shifts"] for row in results[name])]
        assert len(rows) == 1 + len(config["shifts"]) * config["seeds"]
        assert all(len(row) == len(config["lengths"]) and max(row) <= config["lists"] for row in rows)

    def test_longer_lists_fail(self):
        record = load("length_generalisation")
        shipped = dict(zip(record["config"]["lengths"], record["results"]["as shipped"]))
        assert shipped[12] < 0.5 * shipped[8]

    def test_the_first_number_again(self):
        """The shipped model's lists of one and two numbers, which no training of this experiment touches."""
        record = load("length_generalisation")
        config = record["config"]
        batches = translation_lists.batches_by_length([1, 2], config["lists"], config["digits"])
        found = translation_lists.right(loop.load(SHIPPED, translation), batches)
        np.testing.assert_allclose(found, record["results"]["as shipped"][:2], atol=1)

    def test_a_shift_moves_both_sides(self):
        seen = []

        class Model:
            bf16 = False

            def __call__(self, source, target, positions):
                seen.append(positions)
                return torch.zeros(*target.shape, len(ENGLISH))

        model = Model()
        batch = torch.ones(2, 5, dtype=torch.int64), torch.ones(2, 4, dtype=torch.int64)
        generator = torch.Generator().manual_seed(0)
        for _ in range(40):
            length_generalisation.shifted_loss(model, batch, generator, 6)
        starts = {(int(source[0]), int(target[0])) for source, target in seen}
        assert starts == {(k, k) for k in range(7)}
        assert all(torch.equal(s - s[0], torch.arange(5)) and torch.equal(t - t[0], torch.arange(3)) for s, t in seen)


def test_the_row_of_the_table_is_what_was_found():
    (row,) = (row for row in comparison_rows() if row["lesson"] == 6)
    numbers, lists = load("translation_numbers"), load("translation_lists")
    right = [one["uniform"] for one in numbers["results"]["numbers"]]
    said = " and ".join(f"{n:,}" for n in right) + f" of {numbers['config']['numbers']:,} unseen numbers"
    assert said in row["distance"]
    longest = {
        name: np.mean([one["right"][-1] for one in rows]) / lists["config"]["lists"]
        for name, rows in lists["results"]["models"].items()
    }
    of_eight = f"{longest['Transformer']:.0%} where a GRU with attention has {longest['GRU with attention']:.0%}"
    assert of_eight.replace("%", " %") in row["distance"]
    assert longest["GRU"] == 0
