"""A cell's description as text: products, equations, cache, gradients."""

from __future__ import annotations

from collections.abc import Iterable

from minigrad.recurrent.description import Description, Line


def outline(d: Description) -> str:
    """Return the description of a cell as commented lines, one for each product and equation.

    Args:
        d: the cell.
    """
    text = [f"# {d.name}", f"# states: {', '.join(d.states)}; the output is {d.output}"]
    text += [f"# {name} has `{width}` numbers" for name, width in d.widths]
    text += ["", "# products: the matrix products of a time step"]
    for p in d.products:
        terms = [f"{t.source if t.flows else f'stop({t.source})'} {t.matrix}" for t in p.terms] + [p.bias] * bool(
            p.bias
        )
        text.append(f"{' '.join(p.columns)} = {' + '.join(terms)}")
    text += ["", "# forward: the elementwise equations", *_lines(d.forward)]
    text.append(f"# the new states: {', '.join(d.new)}")
    text.append(f"# cached for the backward pass: {', '.join(d.cache) or 'nothing'}")
    text += ["", f"# backward: {', '.join(d.upstream)} are the gradients of the new states", *_lines(d.backward)]
    text += ["# the gradients", *(f"∂loss/∂{name} = {gradient}" for name, gradient in d.gradients)]
    if d.again:
        text += ["", "# recomputed, not cached, for the gradients of inner matrices", *_lines(d.again)]
    return "\n".join(text) + "\n"


def _lines(lines: Iterable[Line]) -> list[str]:
    return [f"{line.name} = {line.text}" for line in lines]
