"""The processes that `simulate` can make: each file defines `PROCESSES`, and a new process is one more file."""
