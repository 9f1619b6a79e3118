"""Training toy models: tasks with baselines, runs that can be resumed, the command line."""
