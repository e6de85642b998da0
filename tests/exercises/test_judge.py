"""Every kind of answer gets the verdict, and the sentence, that helps."""

import copy
import functools
import sys
import warnings

import numpy as np
import pytest

from course_utils.exercises import Exercise, Mistake
from course_utils.exercises.engine.judge import judge


def exercise(reference, *cases, mistakes=(), **fields):
    return Exercise(
        name="a.b",
        title="A",
        difficulty=1,
        minutes=1,
        reference=reference,
        cases=cases,
        hints=("Look.",),
        mistakes=mistakes,
        **fields,
    )


def numbered(*rows):
    """Parameters with numbers for names: functions have none that differ."""
    return [pytest.param(*(row if isinstance(row, tuple) else (row,)), id=str(i)) for i, row in enumerate(rows)]


def product(x, w):
    return x @ w


X, W = (
    np.array([[1.0, 2.0], [3.0, 4.0], [5.0, 6.5]]),
    np.array([[1.0, 0.0, -1.0, 2.0], [0.5, 1.0, 3.0, 0.25]]),
)
TRANSPOSED = Mistake("transposed", lambda x, w: (x @ w).T, "You gave the transpose.")
PRODUCT = exercise(product, (X, W), (X[1:2], W[:, 1:]), mistakes=(TRANSPOSED,))
TWO = exercise(lambda x: (x.mean(), x.var()), (np.array([1.0, 2.0, 4.0]),))
LABELS = exercise(lambda p: p.argmax(axis=1), (np.array([[0.1, 0.9], [0.7, 0.3], [0.4, 0.6]]),))
MASK = exercise(lambda n: np.tri(n, n + 1, dtype=bool), (3,))
SCALARS = exercise(lambda x: 2.0 * x, (1.5,), (2.5,), (-3.0,))
VALUE = exercise(0.25, mistakes=(Mistake("percent", 25, "You gave it in percent."),))


def said(verdict):
    return " ".join(verdict.paragraphs)


def test_right():
    assert judge(PRODUCT, product).status == "right"
    assert judge(PRODUCT, lambda x, w: (x @ w).tolist()).status == "right"
    assert judge(PRODUCT, lambda x, w: np.float32(x) @ np.float32(w)).status == "right"
    assert judge(PRODUCT, functools.partial(np.einsum, "ij,jk->ik")).status == "right"
    assert judge(TWO, lambda x: [np.mean(x), np.var(x)]).status == "right"
    assert judge(VALUE, 1 / 4).status == "right"
    assert judge(VALUE, np.float32(0.25)).status == "right"


@pytest.mark.parametrize(
    "stub",
    numbered(
        ...,
        lambda x, w: ...,
        lambda x, w: (..., 1.0),
        lambda x, w: {"y": ...},
        lambda x, w: np.array([...]),
        lambda x, w: ... + 1,
        lambda x, w: np.exp(...),
        lambda x, w: (...).sum(),
    ),
)
def test_stub_with_dots(stub):
    assert judge(PRODUCT, stub).status == "not attempted"


def test_stub_that_raises():
    def stub(x, w):
        raise NotImplementedError("write me")

    assert judge(PRODUCT, stub).status == "not attempted"


def test_not_implemented_in_a_library_is_no_stub():
    assert judge(PRODUCT, lambda x, w: np.random.BitGenerator().random_raw()).kind == "exception"


def test_the_line_with_the_dots_left_is_named():
    def half(x, w):
        scores = x @ w
        return scores - ...

    def blank(x, w):
        scale = ...
        return x @ w @ scale  # numpy's message does not mention the dots

    assert "return scores - ..." in said(judge(PRODUCT, half))
    assert judge(PRODUCT, blank).status == "not attempted"
    assert "return x @ w @ scale" in said(judge(PRODUCT, blank))


def test_dots_in_an_index_are_no_stub():
    assert judge(PRODUCT, lambda x, w: (x @ w)[..., None] / 0).kind == "shape"
    assert judge(PRODUCT, lambda x, w: (x @ w)[..., 7]).kind == "exception"


def test_known_mistakes_have_their_own_message():
    verdict = judge(PRODUCT, lambda x, w: np.einsum("ij,jk->ki", x, w))
    assert (verdict.kind, verdict.mistake, verdict.paragraphs) == (
        "mistake",
        "transposed",
        ("You gave the transpose.",),
    )
    assert judge(VALUE, 25.0).mistake == "percent"


def test_a_mistake_must_match_in_all_cases():
    def only_first(x, w):
        return (x @ w).T if len(x) > 1 else x @ w

    verdict = judge(PRODUCT, only_first)
    assert verdict.kind == "shape"
    assert "1 of 2 cases are right" in said(verdict)


def test_a_mistake_may_raise():
    forgot = Mistake("forgot the transpose", lambda x, y: x @ y, "Transpose the second.")
    gram = exercise(lambda x, y: x @ y.T, (X, X + 1), mistakes=(forgot,))
    verdict = judge(gram, lambda x, y: np.matmul(x, y))
    assert verdict.mistake == "forgot the transpose"
    assert "ValueError" in said(verdict)
    assert judge(gram, lambda x, y: 1 / 0).kind == "exception"
    assert judge(gram, lambda x, y: float("a")).kind == "exception"  # a ValueError too, but another one


def test_a_mistake_may_give_nan():
    naive = Mistake("underflow", lambda a: np.log(np.exp(a).sum(axis=1)), "exp(-1000) is 0.")
    stable = exercise(
        lambda a: np.logaddexp.reduce(a, axis=1),
        (np.array([[-1000.0, -1001.0], [0.5, 1.0]]),),
        mistakes=(naive,),
    )
    assert judge(stable, lambda a: np.log(np.sum(np.exp(a), axis=1))).mistake == "underflow"


@pytest.mark.parametrize(
    ("answer", "kind", "words"),
    numbered(
        (lambda x, w: None, "none", ["None", "return"]),
        (lambda x, w: (x @ w).T, "mistake", []),
        (lambda x, w: (x @ w)[None], "shape", ["(1, 3, 4)", "(3, 4)", "numbers are right"]),
        (lambda x, w: (x @ w)[:, 0], "shape", ["(3,)", "(3, 4)"]),
        (lambda x, w: (x @ w).round().astype(int), "dtype", ["integers", "floating-point"]),
        (lambda x, w: (x @ w) + 0j, "dtype", ["complex"]),
        (lambda x, w: (x @ w).astype(object), "dtype", ["Python objects"]),
        (lambda x, w: (x @ w).astype(str), "dtype", ["text"]),
        (lambda x, w: (x @ w).astype(np.float16), "dtype", ["half precision"]),
        (lambda x, w: np.sqrt(x @ w - 10), "nan", ["NaN", "places"]),
        (lambda x, w: 1 / (x @ w - 2), "infinite", ["infinite", "first at [0, 0]"]),
        (lambda x, w: (x @ w, 0.0), "count", ["tuple of 2"]),
        (lambda x, w: (x @ w,), "count", ["comma"]),
        (lambda x, w: [[1.0, 2.0], [3.0]], "type", ["different shapes"]),
        (lambda x, w: "text", "type", ["'text'"]),
        (lambda x, w: {"y": x @ w}, "type", ["dict"]),
        (lambda x, w: (x @ w).sum, "type", ["Call it"]),
        (lambda x, w: map(abs, x @ w), "type", ["map"]),
        (lambda x, w: (row for row in x @ w), "type", ["yield"]),
        (lambda x, w: -(x @ w), "value", ["wrong sign"]),
        (lambda x, w: 0.5 * (x @ w), "value", ["0.5 times"]),
        (lambda x, w: x @ w + 0.1, "value", ["0.1 too large"]),
        (lambda x, w: np.exp(x @ w), "value", ["exponential of the expected"]),
        (lambda x, w: x @ w * [1, 1, 1, 1.001][: w.shape[1]], "value", ["places", "is expected"]),
    ),
)
def test_wrong_results(answer, kind, words):
    verdict = judge(PRODUCT, answer)
    assert (verdict.status, verdict.kind) == ("wrong", kind)
    assert all(word in said(verdict) for word in words), said(verdict)


def test_the_first_failing_case_is_shown_with_its_arguments():
    text = said(judge(PRODUCT, lambda x, w: x @ w if len(x) > 1 else x @ w + 1))
    assert "`x` = [[3, 4]]" in text
    assert "1 of 2 cases are right" in text
    big = exercise(lambda x: x.sum(), (np.ones((30, 4)),))
    assert "`x` = a float64 array of shape (30, 4)" in said(judge(big, lambda x: 1.0))


def test_numbers_that_differ_late_are_shown_in_full():
    text = said(judge(SCALARS, lambda x: 2 * x * (1 + 1e-5)))
    assert "is 3.00003, but 3 is expected" in text
    late = judge(exercise(lambda: 1234567.0, ()), lambda: 1234569.9)
    assert "is 1234569.9, but 1234567.0 is expected" in said(late)


@pytest.mark.parametrize(
    ("answer", "kind"),
    numbered(
        (lambda x: x.mean(), "count"),
        (lambda x: (x.mean(), x.var(), 0.0), "count"),
        (lambda x: (x.mean(), x.std()), "value"),
        (lambda x: (x.mean(), None), "none"),
        (lambda x: (x.mean(), [x.var()]), "shape"),
    ),
)
def test_several_outputs(answer, kind):
    assert judge(TWO, answer).kind == kind


def test_which_output_is_wrong():
    assert "Value 2 of 2" in said(judge(TWO, lambda x: (x.mean(), x.std())))


def test_dicts():
    summary = exercise(lambda x: {"mean": x.mean(), "n": len(x)}, (np.array([1.0, 2.0, 4.0]),))
    assert judge(summary, lambda x: {"n": 3, "mean": sum(x) / 3}).status == "right"
    assert judge(summary, lambda x: {"mean": 7 / 3}).kind == "keys"
    assert "'n'" in said(judge(summary, lambda x: {"mean": 7 / 3, "n": 4}))


def test_kinds_of_numbers():
    assert judge(LABELS, lambda p: [1, 0, 1]).status == "right"
    assert judge(LABELS, lambda p: p.argmax(axis=1).astype(np.int8)).status == "right"
    assert judge(LABELS, lambda p: p.argmax(axis=1).astype(float)).kind == "dtype"
    assert judge(LABELS, lambda p: p[:, 1] > 0.5).kind == "dtype"
    assert judge(MASK, lambda n: np.tri(n, n + 1)).kind == "dtype"
    assert judge(SCALARS, lambda x: int(2 * x)).status == "right"  # 3, 5 and -6 are numbers alone
    assert judge(exercise(10**6 + 1), 10**6).kind == "value"  # integers are equal or not


def test_single_precision_is_compared_with_its_own_rounding_in_mind():
    single = exercise(lambda: np.array([1000.0, 1.0, 0.0], dtype=np.float32), ())
    assert judge(single, lambda: [1000.005, 1.0, 0.0]).status == "right"
    assert judge(single, lambda: [1000.0, 1.0, 0.0009]).status == "right"
    assert judge(single, lambda: [1000.0, 1.0, 0.0011]).kind == "value"
    double = exercise(lambda: np.array([1000.0, 1.0, 0.0]), ())
    assert judge(double, lambda: [1000.005, 1.0, 0.0]).kind == "value"
    assert judge(double, lambda: [1000.0, 1.0, 1e-6]).kind == "value"


def test_text():
    assert judge(exercise("MLE"), "MLE").status == "right"
    assert judge(exercise("MLE"), "MAP").kind == "value"
    assert judge(exercise("MLE"), 3).kind == "type"


def test_infinities_and_nan_that_are_expected():
    logs = exercise(lambda p: np.log(p), (np.array([0.0, 0.5]),))
    assert judge(logs, lambda p: [-np.inf, np.log(0.5)]).status == "right"
    assert judge(logs, lambda p: np.log(p + 1e-12)).kind == "value"
    missing = exercise(lambda p: np.array([np.nan, 1.0]), (1,))
    assert judge(missing, lambda p: [np.nan, 1.0]).status == "right"
    assert judge(missing, lambda p: [0.0, 1.0]).kind == "value"


def test_the_right_value_is_not_given_away():
    for wrong in (0.75, np.nan, np.inf, None, "a", [0.5], {}, -0.25):
        verdict = judge(VALUE, wrong)
        assert verdict.status == "wrong"
        assert "0.25" not in said(verdict).replace("-0.25", "")


@pytest.mark.parametrize(
    ("answer", "words"),
    numbered(
        (None, ["None came"]),
        (X @ W, ["array", "without parentheses"]),
        ("product", ["'product'"]),
        (dict, ["class `dict`"]),
        (object(), ["object"]),
    ),
)
def test_no_function_where_one_is_expected(answer, words):
    verdict = judge(PRODUCT, answer)
    assert verdict.kind == "type"
    assert all(word in said(verdict) for word in words), said(verdict)


@pytest.mark.parametrize("answer", numbered(product, dict, len, functools.partial(len, "a")))
def test_a_function_where_a_value_is_expected(answer):
    assert "with parentheses" in said(judge(VALUE, answer))


def test_async_functions():
    async def later(x, w):
        return x @ w

    assert "async" in said(judge(PRODUCT, later))


@pytest.mark.parametrize(
    ("answer", "words"),
    numbered(
        (lambda x: x, ["(`x`)", "(`x`, `w`)", "too many"]),
        (lambda x, w, b: x, ["missing", "'b'"]),
        (lambda x, w, *, axis: x, ["axis"]),
        (lambda w, x: x @ w, ["order", "(`x`, `w`)"]),
    ),
)
def test_signatures(answer, words):
    verdict = judge(PRODUCT, answer)
    assert verdict.kind == "signature"
    assert all(word in said(verdict) for word in words), said(verdict)


def test_an_exception_is_told_with_the_students_own_line():
    def inner(x):
        return np.linalg.inv(x)

    def answer(x, w):
        return inner(x) @ w

    text = said(judge(PRODUCT, answer))
    assert "LinAlgError" in text
    assert "`return np.linalg.inv(x)`" in text
    assert "(`inner`)" in text
    assert __file__ not in text
    assert "`x` = " in text


def test_exceptions_that_are_hard_to_tell():
    class Mute(Exception):
        def __str__(self):
            raise ValueError

    def mute(x, w):
        raise Mute

    def quits(x, w):
        sys.exit(3)

    def interrupts(x, w):
        raise KeyboardInterrupt

    def recurses(x, w):
        return recurses(x, w)

    assert "`Mute`" in said(judge(PRODUCT, mute))
    assert "SystemExit: 3" in said(judge(PRODUCT, quits))
    assert "KeyboardInterrupt" in said(judge(PRODUCT, interrupts))
    assert "calls itself without end" in said(judge(PRODUCT, recurses))


def test_callable_objects_and_built_in_functions():
    class Model:
        def __call__(self, x, w):
            return x @ w / 0

    assert judge(PRODUCT, np.matmul).status == "right"
    assert judge(PRODUCT, np.hypot).kind == "exception"
    assert judge(PRODUCT, Model()).kind == "infinite"


def test_arguments_changed_in_place():
    def spoils(x, w):
        result = x @ w
        w -= 1
        return result

    verdict = judge(PRODUCT, spoils)
    assert verdict.kind == "changed"
    assert "`w` in place" in said(verdict)
    assert "in place" in said(judge(PRODUCT, lambda x, w: w.sort() or x @ w))
    holes = exercise(lambda x: np.nansum(x), (np.array([1.0, np.nan, 2.0]),))
    assert judge(holes, lambda x: x[0] + x[2]).status == "right"
    assert judge(holes, lambda x: np.nan_to_num(x, copy=False).sum()).kind == "changed"
    lists = exercise(lambda values: max(values), ([3, 1, 2],))
    assert judge(lists, lambda values: values.sort() or values[-1]).kind == "changed"


def test_each_call_has_its_own_arguments_and_results():
    before = copy.deepcopy(PRODUCT.cases)
    buffer = np.zeros((3, 4))

    def reuses(x, w):
        buffer[: len(x), : w.shape[1]] = x @ w
        return buffer[: len(x), : w.shape[1]]

    assert judge(PRODUCT, reuses).status == "right"

    def clears(x, w):
        x[:] = 0
        return x @ w

    judge(PRODUCT, clears)
    assert all(np.array_equal(a, b) for one, two in zip(before, PRODUCT.cases) for a, b in zip(one, two))
    assert judge(PRODUCT, product).status == "right"


def test_random_generators_start_anew_and_may_be_used():
    draw = exercise(lambda generator, n: generator.normal(size=n), (np.random.default_rng(0), 5))
    assert judge(draw, lambda generator, n: generator.normal(size=n)).status == "right"
    assert judge(draw, lambda generator, n: generator.normal(size=n)).status == "right"
    assert judge(draw, lambda generator, n: generator.uniform(size=n)).kind == "value"


def test_a_comparison_of_the_authors():
    sampler = exercise(
        lambda generator, n: generator.normal(size=n),
        (np.random.default_rng(0), 4000),
        compare=lambda result, expected: abs(result.mean() - expected.mean()) < 0.1,
        criterion="The means are compared.",
        mistakes=(Mistake("shifted", lambda generator, n: generator.normal(size=n) + 1, "Your mean is 1."),),
    )
    assert judge(sampler, lambda generator, n: 3 * generator.normal(size=n)).status == "right"
    assert judge(sampler, lambda generator, n: generator.uniform(0, 2, size=n)).mistake == "shifted"
    assert "The means are compared." in said(judge(sampler, lambda generator, n: generator.uniform(size=n)))
    assert judge(sampler, lambda generator, n: "text").kind == "type"


def test_use_calls_what_the_student_wrote():
    class Scaler:
        def __init__(self, factor):
            self.factor = factor

        def apply(self, x):
            return self.factor * x

    class Wrong(Scaler):
        def apply(self, x):
            return x / self.factor

    class Empty:
        pass

    scaler = exercise(Scaler, (2.0, X), use=lambda cls, factor, x: cls(factor).apply(x))
    assert judge(scaler, Scaler).status == "right"
    assert judge(scaler, Wrong).kind == "value"
    assert judge(scaler, Empty).kind == "exception"
    assert "class is expected" in said(judge(scaler, product))


def test_printing_is_fine(capfd):
    assert judge(PRODUCT, lambda x, w: print("shape", x.shape) or x @ w).status == "right"
    captured = capfd.readouterr()
    assert captured.out.count("shape") == 2
    assert captured.err == ""


def test_warnings_do_not_reach_stderr_and_are_told_when_wrong(capfd):
    def warns(x, w):
        warnings.warn("mind the gap", stacklevel=1)
        return x @ w + np.log(np.zeros(1)) * 0

    for _ in range(2):  # Python shows a warning once per place; the verdict must not depend on that
        assert "divide by zero" in said(judge(PRODUCT, warns))
        assert "mind the gap" in said(judge(PRODUCT, warns))
    right = judge(PRODUCT, lambda x, w: warnings.warn("mind the gap", stacklevel=1) or x @ w)
    assert (right.status, right.paragraphs) == ("right", ())
    assert capfd.readouterr().err == ""


def test_numpys_error_state_is_the_students():
    with np.errstate(all="raise"):
        assert "FloatingPointError" in said(judge(PRODUCT, lambda x, w: np.log(x @ w * 0)))
        stable = exercise(lambda x: np.exp(-x), (np.array([1.0, 1e4]),))  # underflows in the reference too
        assert judge(stable, lambda x: np.array([np.exp(-1.0), 0.0])).status == "right"


def test_a_reference_that_fails_is_the_authors_fault():
    broken = exercise(lambda x: 1 / 0, (1,))
    with pytest.raises(RuntimeError, match="reference of exercise 'a.b' fails"):
        judge(broken, lambda x: x)
