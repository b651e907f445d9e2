"""One step of message passing on complete graphs, written in four ways that agree."""
