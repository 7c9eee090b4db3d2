"""The engine: the article's network and its gradient, in NumPy alone."""
