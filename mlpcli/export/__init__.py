"""Export: a whole model as a file that needs neither NumPy nor mlpcli."""
