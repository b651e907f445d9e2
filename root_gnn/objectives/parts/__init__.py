"""What several objectives share: masks, views and tokens."""
