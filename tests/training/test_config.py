"""Configurations from words: each type, and each mistake in a sentence that says what was expected and what came."""

from dataclasses import dataclass

import pytest

from course_utils.training.config import Config, override, settings_of


@dataclass(frozen=True, kw_only=True)
class Own(Config):
    name: str = "x"
    flag: bool = False
    hidden: tuple[int, ...] = (4,)
    scales: tuple[float, ...] = ()
    limit: int | None = None


@pytest.mark.parametrize(
    ("assignment", "value"),
    [
        ("steps=5", 5),
        ("rate=1e-2", 0.01),
        ("rate=3", 3.0),
        ("clip=0.5", 0.5),
        ("clip=none", None),
        ("limit=7", 7),
        ("limit=None", None),
        ("name=a=b", "a=b"),
        ("name=", ""),
        ("flag=yes", True),
        ("flag=True", True),
        ("flag=1", True),
        ("flag=NO", False),
        ("flag=false", False),
        ("hidden=64,32", (64, 32)),
        ("hidden=64", (64,)),
        ("hidden=", ()),
        ("scales=1,2.5", (1.0, 2.5)),
    ],
)
def test_a_value_from_its_text(assignment, value):
    found = getattr(override(Own(clip=2.0, limit=3, flag=not value), [assignment]), assignment.partition("=")[0])
    assert found == value
    assert type(found) is type(value)
    if isinstance(value, tuple):
        assert list(map(type, found)) == list(map(type, value))


def test_the_rest_stays_and_the_last_word_counts():
    before = Own(rate=0.5, hidden=(1, 2))
    after = override(before, ["steps=3", "steps=4"])
    assert after == Own(rate=0.5, hidden=(1, 2), steps=4)
    assert before == Own(rate=0.5, hidden=(1, 2))
    assert override(before, []) == before


NAMES = "steps, batch_size, rate, seed, clip, name, flag, hidden, scales, limit"


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("speed=3", f"expected NAME=VALUE with NAME one of {NAMES}; got 'speed=3'."),
        ("steps", f"expected NAME=VALUE with NAME one of {NAMES}; got 'steps'."),
        ("steps=many", "steps must be int; got 'many'."),
        ("steps=1.5", "steps must be int; got '1.5'."),
        ("rate=fast", "rate must be float; got 'fast'."),
        ("clip=low", "clip must be float or none; got 'low'."),
        ("flag=perhaps", "flag must be yes or no; got 'perhaps'."),
        ("hidden=64;32", "hidden must be int, or several with commas between; got '64;32'."),
        ("hidden=64,a", "hidden must be int, or several with commas between; got '64,a'."),
        ("steps=0", "steps must be at least 1; got 0."),
        ("batch_size=-1", "batch_size must be at least 1; got -1."),
        ("rate=0", "rate must be positive; got 0.0."),
        ("rate=nan", "rate must be positive; got nan."),
        ("clip=-1", "clip must be positive or None; got -1.0."),
        ("seed=-1", "seed must be at least 0 and below 2⁶³; got -1."),
        ("seed=9223372036854775808", "seed must be at least 0 and below 2⁶³; got 9223372036854775808."),
    ],
)
def test_a_mistake_is_named_with_what_was_expected_and_what_came(assignment, message):
    with pytest.raises(ValueError) as caught:  # noqa: PT011, the whole message is compared
        override(Own(), [assignment])
    assert str(caught.value) == message


def test_the_numbers_of_every_training():
    assert Config() == Config(steps=1000, batch_size=64, rate=1e-3, seed=0, clip=None)
    with pytest.raises(TypeError):
        Config(10)  # by name only: a recipe's own come after these
    with pytest.raises(AttributeError):
        Config().steps = 3


def test_a_models_settings_are_the_fields_that_both_have():
    @dataclass(frozen=True, kw_only=True)
    class Shape:
        seed: int = 7
        rate: float = 0.5
        depth: int = 3

    assert settings_of(Shape, Config(seed=2, rate=0.01)) == {"seed": 2, "rate": 0.01}
