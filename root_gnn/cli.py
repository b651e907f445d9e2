"""The command line."""


def main() -> None:
    """Placeholder replaced within this change."""
