"""What helps the floor and judges carriers: pure, as `domain` is."""
