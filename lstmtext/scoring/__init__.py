"""How good a classifier's answers are, on the numpy engine: labelled text, the negation suite, baselines."""
