"""What `mlp` costs beside other libraries: `make bench` and `make profile`. See README.md."""
