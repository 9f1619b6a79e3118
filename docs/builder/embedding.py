"""The playground within a page: a frame in which it is short and has the page's scheme, `assets/site.js`."""

from __future__ import annotations

PLAYGROUND = "<!-- the playground -->"  # a line of docs/index.md
HEADS = ("06_lstm_forward", "07_lstm_backward")  # lessons that begin with it


def frame(address: str) -> str:
    """Return the playground's frame.

    Args:
        address: the playground, relative to the page.
    """
    return (
        f'<iframe class="playground" src="{address}#embed" loading="lazy" '
        'title="The playground: an LSTM to take apart, step by step"></iframe>\n\n'
        f"[The playground in a separate window]({address})"
    )
