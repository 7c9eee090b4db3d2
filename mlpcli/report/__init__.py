"""Reports: what was found out about models, as one page that needs nothing else."""
