"""Sentences out of docstrings of every shape, and nothing that is code, a table or a formula."""

import inspect
import textwrap

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from course_utils.data import prose


def sentences(text):
    return prose.sentences(textwrap.dedent(text))


def test_numpydoc_keeps_prose_and_drops_sections_of_names():
    assert sentences(
        """Compute the mean along the axis.

        Returns the average of the elements. The average is taken over
        the flattened array by default, otherwise over the axis.

        Parameters
        ----------
        a : array_like
            Array containing numbers whose mean is desired. If it is no array, a conversion is tried.
        axis : None or int, optional

        Returns
        -------
        m : ndarray
            The mean of the elements is returned here as an array.
        self
            The object itself is returned in this case.

        See Also
        --------
        average : Weighted average of the elements of an array.

        Notes
        -----
        The mean is the sum divided by the number of elements [1]_.

        .. math:: m = sum(x) / n

        Note that for floating-point input the mean is computed with the same precision.

        References
        ----------
        .. [1] A. Author, "A book about the means of arrays." Some Press, 1999.

        Examples
        --------
        Here is a simple example of it.

        >>> a = [1, 2]
        >>> mean(a)  # This looks like a sentence.
        This is output that looks like a sentence.
        And so is this.

        In single precision the mean can be inaccurate.
        """
    ) == [
        "Compute the mean along the axis.",
        "Returns the average of the elements.",
        "The average is taken over the flattened array by default, otherwise over the axis.",
        "The mean is the sum divided by the number of elements [1].",
        "Note that for floating-point input the mean is computed with the same precision.",
        "Here is a simple example of it.",
        "In single precision the mean can be inaccurate.",
    ]


def test_google_style_drops_arguments_and_keeps_notes():
    assert sentences(
        """Applies a linear transformation to the data.

        Args:
            in_features: The size of each input sample. It must be positive and whole.
            bias (bool): If set to False, the layer will not learn a bias.

                It has a second paragraph in its description.

        Shape:
            - Input: This is the shape of what goes in.

        Note:
            The weights are drawn from a uniform distribution.

        Examples::

            >>> m = nn.Linear(20, 30)
            This is not a sentence at all.

        The module supports all kinds of numbers.
        """
    ) == [
        "Applies a linear transformation to the data.",
        "The weights are drawn from a uniform distribution.",
        "The module supports all kinds of numbers.",
    ]


def test_restructured_text_fields_directives_and_literal_blocks():
    assert sentences(
        """Run the callback when the loop is idle.

        :param callback: The function that is called by the loop.
            It goes on here with another sentence.
        :returns: The handle of the callback that was added.

        :class:`Handle` starts a sentence with a role and is kept.

        .. versionadded:: 3.7
            The parameter was added in this version of Python.

        .. note:: A note may start on the line of its directive.
            It goes on here, where the text is indented.

        .. code-block:: python

            This is code in a code block.

        The following block is code::

            This is code in a literal block.

                And this is indented more in the block.

        This is prose again after the block.
        """
    ) == [
        "Run the callback when the loop is idle.",
        "Handle starts a sentence with a role and is kept.",
        "A note may start on the line of its directive.",
        "It goes on here, where the text is indented.",
        "This is prose again after the block.",
    ]


def test_tables_of_text_are_dropped():
    assert sentences(
        """The modes are listed in the table.

        ========= ===================================
        Character Meaning of the character in the mode.
        --------- -----------------------------------
        'r'       Open the file for reading as usual.
        ========= ===================================

        Code   Meaning of the code in this table.
        -----  ----------------------------------
        first  This is a row of the table as well.

        +------+----------------------------+
        | Name | This is a cell of a table. |
        +------+----------------------------+

        The default mode is for reading text.
        """
    ) == ["The modes are listed in the table.", "The default mode is for reading text."]


def test_lists_and_definitions():
    assert sentences(
        """It works in three steps as follows.

        - The first step reads all the data
          and goes on in a second line.
        * The second step sorts what was read.
        1. The third step writes the result.

        name : str
            The name of the thing that is described.
        open() -- Open the file and return a stream of it.

        That was all there is to it.
        """
    ) == [
        "It works in three steps as follows.",
        "The first step reads all the data and goes on in a second line.",
        "The second step sorts what was read.",
        "The third step writes the result.",
        "That was all there is to it.",
    ]


def test_fences_and_prompts():
    assert sentences(
        """Load the model from the hub.

        ```python
        This is inside a fence.

        And so is this sentence here.
        ```

        $ run this on the command line.
        and its output stands here.

        It returns the model that was loaded.
        """
    ) == ["Load the model from the hub.", "It returns the model that was loaded."]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "It is fast, e.g. Numpy is slower. See also i.e. The book.",
            ["It is fast, e.g. Numpy is slower.", "See also i.e. The book."],
        ),
        (
            "As in Fig. 3 and Eq. 2 it holds. Smith et al. Proved it.",
            ["As in Fig. 3 and Eq. 2 it holds.", "Smith et al. Proved it."],
        ),
        ("By J. R. Smith and others. The end.", ["By J. R. Smith and others.", "The end."]),
        ("The value is 3.5 here. 4 is not.", ["The value is 3.5 here.", "4 is not."]),
        ("Is it so? Yes! It is.", ["Is it so?", "Yes!", "It is."]),
        ('He said "stop." Then he left.', ['He said "stop."', "Then he left."]),
        (
            "It is (see below. Or not) so. Next comes this.",
            ["It is (see below. Or not) so.", "Next comes this."],
        ),
        ("Wait... Then go on. so it goes", ["Wait...", "Then go on. so it goes"]),
        ("The answer is no. The question was long.", ["The answer is no.", "The question was long."]),
        ("It was no. 5 of them. That is all.", ["It was no. 5 of them.", "That is all."]),
        (
            "Uses numpy.dot for that. np.dot is fast. file_name is set.",
            ["Uses numpy.dot for that.", "np.dot is fast.", "file_name is set."],
        ),
        ("Lists, tuples, etc. Are they all?", ["Lists, tuples, etc.", "Are they all?"]),
        ("So did I. You did not.", ["So did I.", "You did not."]),
        (". Then it starts.", [". Then it starts."]),
        ("", []),
        ("No end", ["No end"]),
    ],
)
def test_split(text, expected):
    assert prose.split(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Call :func:`~numpy.dot` or :meth:`the method <a.b>`.", "Call numpy.dot or the method."),
        ("See ``x`` and `y` and `the guide <http://a.b>`_.", "See x and y and the guide."),
        ("It is *very* **important** that 2 * 3 * 4 stays.", "It is very important that 2 * 3 * 4 stays."),
        ("See [the guide](https://a.b) and [1]_ too.", "See the guide and [1] too."),
        ("A |Figure| of “this” – it’s here…", 'A Figure of "this" - it\'s here...'),
        ("A `.Figure` is  drawn\nthere.", "A Figure is drawn there."),
    ],
)
def test_plain(text, expected):
    assert prose.plain(text) == expected


@pytest.mark.parametrize(
    "sentence",
    [
        "Return the sum of the elements.",
        "Is the array sorted or not?",
        '"Additive" models are a common choice.',
        "(It does not compile the pattern.)",
        "np.dot is used for the product.",
        "The algorithm is described in [1].",
    ],
)
def test_english(sentence):
    assert prose.is_english(sentence)


@pytest.mark.parametrize(
    "sentence",
    [
        "Return it now.",  # three words
        "return the sum of elements.",  # the end of something
        "Return the sum of elements",
        "The result is x -> y here.",
        "The variance is \\sigma in this model.",
        "The list is {a, b} in braces.",
        "Values a[0] and b are returned here.",
        "Use %(name)s as a template for it.",
        "See https://example.org for the details of it.",
        "Le résultat est écrit en français.",
        "The 1 2 3 4 5 6 7 are numbers.",
        "It opens (but it never closes a bracket.",
        "Word " * 90 + "end.",
        "",
    ],
)
def test_not_english(sentence):
    assert not prose.is_english(sentence)


@pytest.mark.parametrize(
    "docstring",
    [
        "One line.",
        "  One line.  ",
        "First.\n\n    Second.\n        Third.\n    ",
        "\n    First.\n    Second.\n\n",
        "First.\n\tTabbed.\n\t\tTwice.",
        "\n\n",
        "",
    ],
)
def test_clean_agrees_with_inspect_but_for_spaces_at_ends_of_lines(docstring):
    expected = "\n".join(line.rstrip() for line in inspect.cleandoc(docstring).split("\n")).strip("\n")
    assert prose.clean(docstring) == expected


def test_clean_treats_every_line_ending_as_one_that_ast_has_normalised():
    assert prose.clean("A.   \n\n    B.\n      C.\n") == "A.\n\nB.\n  C."


SHAPES = st.lists(
    st.sampled_from(
        [
            "Some words stand here. And more of them do.", "x : int", "----", "====  ====", ">>> f()", "::", "```",
            "", ".. note::", ".. math::", "Args:", "Notes", "- An item of a list.", ":param x: what it is",
            "It is code::", "*",
        ]
    )
    | st.text(st.characters(codec="utf-8"), max_size=40)
)  # fmt: skip


@given(SHAPES, st.data())
def test_any_docstring_gives_sentences_or_none(lines, data):
    indents = data.draw(st.lists(st.sampled_from(["", "  ", "    "]), min_size=len(lines), max_size=len(lines)))
    for sentence in prose.sentences("\n".join(map(str.__add__, indents, lines))):
        assert prose.is_english(sentence)
        assert sentence == " ".join(sentence.split())


@given(st.text(st.sampled_from("aB I.!?()\"' 1e.g"), max_size=60))
@example("...")
@example(" . A")
def test_split_loses_no_letter(text):
    text = " ".join(text.split())
    assert " ".join(prose.split(text)) == text
