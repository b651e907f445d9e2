"""Self-contained HTML pages about runs, studies, inputs and simulated samples."""
