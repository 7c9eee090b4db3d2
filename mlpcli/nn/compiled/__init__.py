"""What numba compiles of the engine; NumPy's functions are the reference."""
