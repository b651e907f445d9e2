"""`python -m root_gnn` is `root-gnn`."""

from root_gnn.cli.app import main

if __name__ == "__main__":
    main()
