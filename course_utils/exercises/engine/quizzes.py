"""A quiz question as text, as HTML, and as buttons that give each option's explanation.

Buttons, not radio buttons: JupyterLab takes the arrow keys for itself, so that of a group of radio buttons
only the first can be reached without a mouse. Buttons are reached by Tab and pressed by Space.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from course_utils.exercises.engine import screen
from course_utils.exercises.engine.exercise import Question

WIDGET_VIEW = "application/vnd.jupyter.widget-view+json"


def show(questions: Sequence[Question], answered: Callable[[Question, bool], list[str]]) -> None:
    """Display the questions: buttons where widgets are rendered, else HTML, else text.

    `answered(question, right)` is called when an option has been chosen; what it returns is added to the reply.
    """
    text = "\n\n".join(map(as_text, questions))
    markup = "".join(map(as_html, questions))
    screen.display(text, markup, **_widget_view(questions, answered))


def as_text(question: Question) -> str:
    """The question with lettered options, and how to answer without a widget."""
    return "\n".join([_ask(question), *(f"  {option}" for option in _options(question)), _how(question)])


def as_html(question: Question) -> str:
    """The same as HTML: what shows where the notebook is only read."""
    options = "<br>".join(map(screen.inline, _options(question)))
    return "".join(f"<p>{part}</p>" for part in (screen.inline(_ask(question)), options, _how(question)))


def reply(question: Question, letter: str) -> tuple[bool, str, list[str]]:
    """Whether option `letter` is right, and the title and paragraphs that say why."""
    option = question.options[question.letters.index(letter)]
    title = f"✓ Right: {letter}) {option.text}" if option.correct else f"✗ Not right: {letter}) {option.text}"
    return option.correct, title, [option.explanation]


def _ask(question: Question) -> str:
    return f"`{question.name}`: {question.text}"


def _options(question: Question) -> list[str]:
    """The options as shown. The letter is part of the text, for style sheets renumber the lists of HTML."""
    return [f"{letter}) {option.text}" for letter, option in zip(question.letters, question.options)]


def _how(question: Question) -> str:
    return f'To answer without buttons: quiz("{question.name}", "a")'


def _widget_view(questions: Sequence[Question], answered: Callable[[Question, bool], list[str]]) -> dict[str, object]:
    try:
        import ipywidgets
    except ImportError:
        return {}
    box = ipywidgets.VBox([_widget(question, answered) for question in questions])
    return {WIDGET_VIEW: {"model_id": box.model_id, "version_major": 2, "version_minor": 0}}


def _widget(question: Question, answered: Callable[[Question, bool], list[str]]) -> object:
    import ipywidgets

    said = ipywidgets.HTML()

    def row(letter: str, text: str) -> object:
        def choose(_button: object) -> None:
            right, title, paragraphs = reply(question, letter)
            paragraphs += answered(question, right)
            said.value = _common(screen.as_html(title, paragraphs, "right" if right else "wrong"))

        button = ipywidgets.Button(description=letter, tooltip=text, layout={"width": "3em", "flex": "none"})
        button.on_click(choose)
        return ipywidgets.HBox(
            [button, ipywidgets.HTML(_common(screen.inline(text)))], layout={"align_items": "center"}
        )

    ask = ipywidgets.HTML(_common(f"<p>{screen.inline(_ask(question))}</p>"))
    rows = [row(letter, option.text) for letter, option in zip(question.letters, question.options)]
    return ipywidgets.VBox([ask, *rows, said])


def _common(markup: str) -> str:
    """`markup` in the class that JupyterLab's style sheet for HTML outputs looks for."""
    return f'<div class="jp-RenderedHTMLCommon">{markup}</div>'
