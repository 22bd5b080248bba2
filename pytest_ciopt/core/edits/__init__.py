"""What the edit of one file can alter, judged by its two texts or its kind. Pure."""
