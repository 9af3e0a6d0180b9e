"""What tests read with: drawn tables."""
