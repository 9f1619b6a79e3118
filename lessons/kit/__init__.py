"""The lecturer's kit: plans, slides, model answers, an examination, a rubric."""
