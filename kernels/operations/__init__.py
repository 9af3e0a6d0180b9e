"""What each operation of a window answers."""
