"""From a lesson's text to its notebooks."""
