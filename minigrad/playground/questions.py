"""Questions of the playground: the user predicts a result, then the page sets the experiment and shows it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Question:
    """One question.

    Attributes:
        text: the question. Each answer has a test.
        before: the key of the experiment shown with the question.
        after: the key of the experiment that reveals the answer.
        choices: the possible answers.
        right: the index of the right one.
        answer: the explanation.
    """

    text: str
    before: str
    after: str
    choices: tuple[str, ...]
    right: int
    answer: str


QUESTIONS = (
    Question(
        "The fresh network has forget gates three quarters open. Its forget bias falls from 1 to 0, so they are half "
        "open. Of the gradient that reaches c₈, how much is left at c₀?",
        "fresh",
        "unbiased",
        ("about half as much as before", "about a thirtieth as much as before", "nothing at all"),
        1,
        "A gate acts at each of eight steps, so the ratio is near (0.5 / 0.75)⁸, which is 0.04.",
    ),
    Question(
        "The trained network remembers x₃. You close the forget gate f₆ of unit 1: no gradient passes it on the "
        "carousel. What is left of ∂L/∂x₃?",
        "memory",
        "cut",
        ("nothing at all", "less than a tenth", "about half"),
        1,
        "The carousel is cut, but h still carries a little: it feeds the gates of the next step through U.",
    ),
    Question(
        "The input gates of unit 1 are about to be held at 0, at every step. The carousel still carries the gradient "
        "back. Which weights still learn?",
        "memory",
        "unwritten",
        ("none of them", "those of the forget gate", "those of the candidate g"),
        0,
        "The path to g is multiplied by i = 0; f and o multiply a state that is 0; i itself is a constant now.",
    ),
)
