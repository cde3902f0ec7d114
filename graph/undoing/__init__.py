"""What an event moved, and what would put it back. Pure: events and configurations in, a verdict out."""
