"""The processes that `simulate` can make: each file defines `PROCESSES`, and a file added here is all there is to a new one."""
