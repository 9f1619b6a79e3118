"""Pictures. Every function returns its axes and shows nothing; matplotlib is imported when one is drawn."""

from minigrad.plot.curves import learning_curve

__all__ = ["learning_curve"]
