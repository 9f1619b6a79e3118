"""Run the blocks of a page in a separate interpreter; `docs.builder.program` starts it.

It reads the blocks from a JSON file, runs them in the current folder as one program, and writes the output and the
picture of each. A block whose last line is axes, or a drawing of `minigrad.plot`, shows that picture.
"""

from __future__ import annotations

import ast
import io
import json
import linecache
import sys
from contextlib import redirect_stdout
from pathlib import Path
from typing import Any


def ran(block: str, number: int, names: dict[str, Any]) -> Any:
    """Run one block; return the value of its last line if that is an expression."""
    name = f"<block {number}>"
    linecache.cache[name] = (len(block), None, block.splitlines(keepends=True), name)
    tree = ast.parse(block, name)
    last = ast.Expression(tree.body.pop().value) if tree.body and isinstance(tree.body[-1], ast.Expr) else None
    exec(compile(tree, name, "exec"), names)
    return eval(compile(last, name, "eval"), names) if last else None


def drawn(value: Any) -> dict[str, str] | None:
    """Return a picture and its alt text, or None if the value is not a picture."""
    if not type(value).__module__.startswith(("matplotlib.", "minigrad.plot.")):
        return None
    from minigrad import plot

    picture = value if isinstance(value, plot.Drawing) else plot.svg(value)
    return {"svg": picture.svg, "alt": picture.alt}


def main(blocks: Path, results: Path) -> None:
    """Run all blocks of a page, in order."""
    sys.path[0] = str(Path.cwd())
    names: dict[str, Any] = {"__name__": "__main__"}
    seen = []
    for number, block in enumerate(json.loads(blocks.read_text("utf-8")), 1):
        out = io.StringIO()
        with redirect_stdout(out):
            value = ran(block, number, names)
        seen.append({"text": out.getvalue(), "picture": drawn(value)})
    results.write_text(json.dumps(seen), "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
