"""Where may and must are decided: a declarative policy, its question and its answer.  Pure, but for ``loading``."""
